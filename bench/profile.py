#!/usr/bin/python3
"""profile.py - in which of the kernel's functions the instructions of one operation go.

    bench/profile.py --build build --layout quire [--program wide|vmbench] OPERATION

The operation runs in two machines, in one of them for more rounds; QEMU logs each block of code that it translates
(its instructions) and each that it executes. What the second machine has more of is the operation's own, start and
end of the program left out: the functions by instructions for one operation. The clock is that of instructions, so
the same is printed each time, but for an alarm now and then. It takes a minute: each executed block is a line.
"""
import argparse
import bisect
import collections
import os
import re
import subprocess
import sys
import tempfile
import threading

import compare

FEWER, MORE = 2, 3              # rounds
BLOCK = re.compile(r"0x([0-9a-f]{8}):")
RUN = re.compile(r"Trace \d+: 0x[0-9a-f]+ \[[0-9a-f]+/([0-9a-f]+)/")


def symbols(kernel):
    """Addresses and names of the kernel's functions, in order; and where its code begins and ends."""
    listed = subprocess.run(["nm", "-n", kernel], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [(int(at, 16), name) for at, kind, name in re.findall(r"^([0-9a-f]+) (.) (\S+)$", listed, re.M)
            if kind in "tTwW"]
    sections = subprocess.run(["readelf", "-SW", kernel], stdout=subprocess.PIPE, text=True, check=True).stdout
    first, size = (int(n, 16) for n in re.search(r" \.text +PROGBITS +(\S+) +\S+ +(\S+)", sections).groups())
    return [at for at, _ in rows], [name for _, name in rows], first, first + size


def count_blocks(lines):
    """Instructions executed, by the address of the block that has them."""
    sizes, runs = {}, collections.Counter()
    block = None
    for line in lines:
        if line.startswith("Trace "):
            at = int(RUN.match(line)[1], 16)
            runs[at] += sizes.get(at, 1)
        elif line.startswith("IN:"):
            block = None
        else:
            found = BLOCK.match(line)
            if found and block is None:
                block = int(found[1], 16)
                sizes[block] = 0
            if found:
                sizes[block] += 1
    return runs


def run(options, rounds):
    """The blocks of one machine, and what vmbench says of the operation."""
    program = os.path.join(options.build, "guest", options.program)
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        os.mkfifo(log)
        runs = []
        reader = threading.Thread(target=lambda: runs.append(count_blocks(open(log, errors="replace"))))
        reader.start()
        flags = " ".join([*compare.CLOCK, "-d", "in_asm,exec,nochain", "-D", log])
        done = subprocess.run(
            [os.path.join(options.build, "host", "quire"), "run", "--layout", options.layout, "--machine", "pc", "-m",
             f"{compare.MEMORY}M", "--timeout", "500", "--watchdog", "0", program, options.operation,
             f"rounds={rounds}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            env={**os.environ, "QUIRE_BUILD": options.build, "QUIRE_QEMU_FLAGS": flags})
        reader.join()
    found = re.search(rf"^cost {re.escape(options.operation)} (\d+) (\d+)\r?$", done.stdout, re.M)
    if not found:
        raise SystemExit(f"{options.operation} was not measured:\n{done.stdout[-800:]}")
    return runs[0], int(found[1]), int(found[2])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire")
    arguments.add_argument("--program", choices=["vmbench", "wide", "growth"])
    arguments.add_argument("--rows", type=int, default=40)
    arguments.add_argument("operation")
    options = arguments.parse_args()
    options.build = os.path.abspath(options.build)
    options.program = options.program or (
        "vmbench" if options.operation in compare.ROWS["vmbench"] else "wide")
    fewer, _, _ = run(options, FEWER)
    more, cost, times = run(options, MORE)
    starts, names, first, end = symbols(os.path.join(options.build, options.layout, "kernel.elf"))
    functions = collections.Counter()
    for at, instructions in (more - fewer).items():
        inside = first <= at < end
        functions[names[bisect.bisect(starts, at) - 1] if inside else "the program"] += instructions
    operations = times * (MORE - FEWER)
    print(f"{options.operation}, layout {options.layout}: {cost / times:.0f} instructions by its own clock, "
          f"{sum(functions.values()) / operations:.0f} counted with what goes before and after it")
    for name, instructions in functions.most_common(options.rows):
        print(f"{instructions / operations:12.1f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
