#!/usr/bin/python3
"""least.py - the least memory that will do, and the size of the kernel.

    bench/least.py --build build [--layout quire]

For the console the smallest -m with which QEMU's pc comes to the kernel's prompt and a clean audit; for
each program, the smallest with which `quire run` gives the right output. In steps of 64 KiB; one
step less must be refused or fail with an exit status, never hang.
"""
import argparse
import os
import subprocess
import sys

STEP = 64               # KiB
MOST = 64 * 1024        # KiB


PROGRAMS = [("static hello", ["GUEST/hello"], b"hello\n"),
            ("BusyBox shell", ["busybox", "sh", "-c", "echo $((6 * 7)) | busybox cat"], b"42\n")]


def speaks(kernel, size):
    """(console and clean audit, exit status) with `size` KiB."""
    words = ["qemu-system-i386", "-accel", "tcg", "-m", f"size={size}K", "-display", "none", "-no-reboot",
             "-nodefaults", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-serial", "stdio", "-kernel", kernel,
             "-append", "run=audit;exit panic=exit"]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    except subprocess.TimeoutExpired:
        return False, "none: IT HANGS"
    return done.returncode == 1 and b"audit: clean" in done.stdout, done.returncode


def works(quire, layout, build, size, words, wanted):
    """(right output, exit status) with `size` KiB."""
    done = subprocess.run([quire, "run", "--layout", layout, "--timeout", "30", "-m", f"{size}K", *words],
                          stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "QUIRE_BUILD": build})
    return done.returncode == 0 and done.stdout == wanted, done.returncode


def smallest(good_with, low=0):
    """The smallest size that works, by halving, and the exit status one step below it."""
    low, high = low // STEP, MOST // STEP
    if not good_with(MOST)[0]:
        return None, None
    below = None
    while high - low > 1:
        middle = (low + high) // 2
        good, status = good_with(middle * STEP)
        if good:
            high = middle
        else:
            low, below = middle, status
    return high * STEP, below


def least(build, layout):
    """[(what, KiB or None, exit status one step below)]."""
    quire = os.path.join(build, "host", "quire")
    found = [("console", *smallest(lambda size: speaks(os.path.join(build, layout, "kernel.elf"), size), 1024))]
    for name, words, wanted in PROGRAMS:
        words = [word.replace("GUEST", os.path.join(build, "guest")) for word in words]
        found.append((name, *smallest(lambda size: works(quire, layout, build, size, words, wanted))))
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    failed = False

    for name, size, below in least(build, options.layout):
        failed |= size is None
        print(f"least -m for a {name:16} " +
              (f"{size:6} KiB (one step less: exit status {below})" if size else "none works"))
    sizes = subprocess.run(["size", os.path.join(build, options.layout, "kernel.elf")], capture_output=True,
                           text=True).stdout
    text, data, bss = map(int, sizes.splitlines()[1].split()[:3])
    print(f"kernel image {(text + data) / 1024:.0f} KiB ({text} text and read-only, {data} data), "
          f"{bss / 1024:.0f} KiB zeroed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
