#!/usr/bin/python3
"""startup.py - the start-up race: an empty kernel, Quire and Linux by turns, in processor time and wall clock.

    bench/startup.py --build build [--turns 7] [--no-linux]

Empty is a kernel of three instructions that ends QEMU at once: what the machine itself costs.
Quire is `./quire run` with a static program that writes one line, from the command's start to its end; once booted,
and once from the program's frozen machine (--snapshot). Linux is Debian's i386 kernel with the same program as init, on
QEMU's pc (its microvm does not get past the calibration of a clock), until the line is here. They run by turns, so that
a busy machine slows all of them; the middle of all turns counts, and of the ratios those of one turn each.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from compare import Unavailable, newc

# The machine of `quire run` (tools/libquire/machine.c), with the same devices.
DEBIANS = "/usr/libexec/qemu-system-i386"      # the program behind Debian's script, which `quire run` starts as well
EMPTY = [DEBIANS if os.access(DEBIANS, os.X_OK) else "qemu-system-i386",
         "-M", "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on,x-option-roms=off",
         "-global", "virtio-mmio.force-legacy=false", "-device", "virtio-serial-device,max_ports=2",
         "-chardev", "null,id=channel", "-device", "virtserialport,chardev=channel,nr=1", "-accel", "tcg",
         "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "128", "-device",
         "isa-debug-exit,iobase=0xf4"]
PATIENCE = 120


def timed(words, wanted, whole, environment):
    """(processor time, wall clock) in milliseconds: until the end if `whole`, else until a line has `wanted` in it."""
    begin = time.monotonic()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, **environment})
    said = b""
    for line in process.stdout:
        said += line
        if (wanted and wanted in line and not whole) or time.monotonic() - begin > PATIENCE:
            process.kill()
            break
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if (wanted or b"") not in said or (whole and process.returncode not in (0, 1)):
        raise Unavailable(f"{words[0]} did not say {wanted}: {said[-300:].decode(errors='replace')}")
    return (used.ru_utime + used.ru_stime) * 1000, (time.monotonic() - begin) * 1000


def report(times):
    """The table: middles, and middles of the ratios turn by turn."""
    base = times["empty kernel"]
    print(f"{'':20} {'CPU ms':>8} {'wall ms':>8} {'least CPU':>10} {'CPU, times the empty':>21} {'wall':>6}")
    for name, taken in times.items():
        if not taken:
            continue
        middle = [statistics.median(each[i] for each in taken) for i in (0, 1)]
        ratios = [statistics.median(each[i] / empty[i] for each, empty in zip(taken, base)) if base else 0
                  for i in (0, 1)]
        print(f"{name:20} {middle[0]:8.1f} {middle[1]:8.1f} {min(each[0] for each in taken):10.1f} "
              f"{ratios[0]:21.2f} {ratios[1]:6.2f}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--turns", type=int, default=7)
    arguments.add_argument("--no-linux", action="store_true", help="leave Linux out, which takes most of the time")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    guest = os.path.join(build, "guest")

    with tempfile.NamedTemporaryFile() as archive, open(os.path.join(guest, "hello"), "rb") as program:
        archive.write(newc([("dev", 0o40755, (0, 0), b""), ("dev/console", 0o20600, (5, 1), b""),
                            ("init", 0o100755, (0, 0), program.read())]))
        archive.flush()
        linux = ["qemu-system-i386", "-M", "pc", "-accel", "tcg", "-m", "128", "-nodefaults", "-no-user-config",
                 "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel",
                 os.path.join(build, "programs", "linux", "vmlinuz"), "-initrd", archive.name, "-append",
                 "console=ttyS0 quiet panic=-1 mitigations=off reboot=t"]
        run = [os.path.join(build, "host", "quire"), "run"]
        hello = os.path.join(guest, "hello")
        racers = [("empty kernel", EMPTY + ["-kernel", os.path.join(guest, "empty")], None, True),
                  ("quire run", [*run, hello], b"hello", True),
                  ("quire run --snapshot", [*run, "--snapshot", hello], b"hello", True),
                  ("Linux", linux, b"hello", False)]
        times = {name: [] for name, *_ in racers}
        subprocess.run([*run, "--snapshot", hello], stdout=subprocess.DEVNULL, env={**os.environ, "QUIRE_BUILD": build})
        for turn in range(options.turns):
            for name, words, wanted, whole in racers:
                try:
                    if name != "Linux" or (turn < 3 and not options.no_linux):
                        times[name].append(timed(words, wanted, whole, {"QUIRE_BUILD": build}))
                except (Unavailable, OSError) as error:
                    print(f"startup: {error}", file=sys.stderr)
    report(times)
    return 0 if times["quire run"] else 1


if __name__ == "__main__":
    sys.exit(main())
