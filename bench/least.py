#!/usr/bin/python3
"""least.py - the least memory that will do, and the size of the kernel.

    bench/least.py --build build [--layout quire]

For each program the smallest -m, in steps of 64 KiB, with which `quire run` gives the right
output; one step less must be refused or fail with an exit status, never hang.
"""
import argparse
import os
import subprocess
import sys

STEP = 64               # KiB
MOST = 64 * 1024        # KiB


def works(quire, layout, build, size, words, wanted):
    """(right output, exit status) with `size` KiB."""
    done = subprocess.run([quire, "run", "--layout", layout, "--timeout", "30", "-m", f"{size}K", *words],
                          stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "QUIRE_BUILD": build})
    return done.returncode == 0 and done.stdout == wanted, done.returncode


def least(quire, layout, build, words, wanted):
    """The smallest size that works, by halving, and the exit status one step below it."""
    low, high = 0, MOST // STEP
    if not works(quire, layout, build, MOST, words, wanted)[0]:
        return None, None
    below = None
    while high - low > 1:
        middle = (low + high) // 2
        good, status = works(quire, layout, build, middle * STEP, words, wanted)
        if good:
            high = middle
        else:
            low, below = middle, status
    return high * STEP, below


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    quire = os.path.join(build, "host", "quire")
    jobs = [("static hello", [os.path.join(build, "guest", "hello")], b"hello\n"),
            ("BusyBox shell", ["busybox", "sh", "-c", "echo $((6 * 7)) | busybox cat"], b"42\n")]
    failed = False

    for name, words, wanted in jobs:
        size, below = least(quire, options.layout, build, words, wanted)
        failed |= size is None
        print(f"least -m for a {name:16} " + (f"{size:6} KiB (one step less: exit status {below})" if size else "none works"))
    sizes = subprocess.run(["size", os.path.join(build, options.layout, "kernel.elf")], capture_output=True, text=True).stdout
    text, data, bss = map(int, sizes.splitlines()[1].split()[:3])
    print(f"kernel image {(text + data) / 1024:.0f} KiB ({text} text and read-only, {data} data), {bss / 1024:.0f} KiB zeroed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
