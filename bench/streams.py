#!/usr/bin/python3
"""streams.py - 100 MB out of a sandboxed program and into it, beside the same bytes through a pipe of this machine.

    bench/streams.py --build build [--turns 5] [--layout quire] [--piece 65536] [--command OTHER/build/host/quire]

BusyBox's dd(1) writes 100 MB to its standard output or reads them from its standard input, in pieces. A start without
any is what the machine itself costs. The measure is two dd(1) of this machine with a pipe between them, in pieces of a
page. All run by turns, so that a busy machine slows all of them; of each the middle counts, and of its ratio to the
measure of the same turn. Processor time is that of `quire` and QEMU, without the programs at the other ends.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

BYTES = 100 << 20
MEASURE = "a pipe of this machine"


def used_by(process, begin):
    """(processor time, wall clock) in seconds of a process, at its end."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"streams: {process.args}: status {process.returncode}")
    return used.ru_utime + used.ru_stime, time.monotonic() - begin


def timed(words, environment, **streams):
    begin = time.monotonic()
    return used_by(subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment, **streams), begin)


def with_feeder(words, environment, path):
    """Input from a pipe that cat(1) fills."""
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        return timed(words, environment, stdin=cat.stdout, stdout=subprocess.DEVNULL)


def with_reader(words, environment):
    """Output to a pipe that cat(1) empties."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as cat:
        used = timed(words, environment, stdin=subprocess.DEVNULL, stdout=cat.stdin)
        cat.stdin.close()
        return used


def measure():
    script = f"dd if=/dev/zero bs=4096 count={BYTES // 4096} | dd of=/dev/null bs=4096"
    return timed(["sh", "-c", script], os.environ)


def turn(quire, environment, piece, folder):
    """One of each, by name."""
    null, much = subprocess.DEVNULL, os.path.join(folder, "much")
    write = [*quire, "busybox", "dd", "if=/dev/zero", f"bs={piece}", f"count={BYTES // piece}"]
    read = [*quire, "busybox", "dd", "of=/dev/null", f"bs={piece}"]
    with open(much, "rb") as file, open(os.path.join(folder, "written"), "wb") as written:
        return {
            MEASURE: measure(),
            "a start, no bytes": timed([*quire, "busybox", "true"], environment, stdin=null, stdout=null),
            "out, to /dev/null": timed(write, environment, stdin=null, stdout=null),
            "out, to a pipe": with_reader(write, environment),
            "out, to a file": timed(write, environment, stdin=null, stdout=written),
            "in, from a pipe": with_feeder(read, environment, much),
            "in, from a file": timed(read, environment, stdin=file, stdout=null),
        }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--turns", type=int, default=5)
    arguments.add_argument("--layout", default="quire")
    arguments.add_argument("--piece", type=int, default=65536, help="bytes of each read and write in the guest")
    arguments.add_argument("--command", help="another quire, to compare with")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    quire = [options.command or os.path.join(build, "host", "quire"), "run", "--layout", options.layout]
    environment = {**os.environ, "QUIRE_BUILD": build}

    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "much"), "wb") as file:
            for _ in range(BYTES >> 20):
                file.write(os.urandom(1 << 20))
        turns = [turn(quire, environment, options.piece, folder) for _ in range(options.turns)]
    print(f"{'100 MB':24} {'CPU s':>7} {'wall s':>7} {'CPU, times the pipe':>20} {'wall':>6}")
    for name in turns[0]:
        middle = [statistics.median(each[name][i] for each in turns) for i in (0, 1)]
        ratios = [statistics.median(each[name][i] / each[MEASURE][i] for each in turns) for i in (0, 1)]
        print(f"{name:24} {middle[0]:7.2f} {middle[1]:7.2f} {ratios[0]:20.1f} {ratios[1]:6.1f}")


if __name__ == "__main__":
    main()
