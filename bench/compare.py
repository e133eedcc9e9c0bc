#!/usr/bin/python3
"""compare.py - what operations cost a Linux program, under Quire and under Linux, in instructions.

    bench/compare.py --build build [--layout quire] [--only linux|quire] [--budgets bench/budgets.txt]

bench/guest/vmbench.c runs in both, in the same QEMU with one processor and 512 MiB, under its
instruction clock (-icount shift=0,sleep=off): one instruction is one nanosecond, so the
figures are the same on a slow machine and on a busy one. Linux is Debian's i386 kernel with
vmbench as init and mitigations off. The goals are ratios of Quire to Linux.

With --budgets, Quire's own figures are compared with those written down; one that is more
than a tenth over its budget makes the exit status 1. --write-budgets writes them down.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

CLOCK = ["-icount", "shift=0,sleep=off"]
MEMORY = 512            # MiB
PATIENCE = 300          # seconds for one system
SLACK = 1.10

# Name in vmbench.c, what it is, Linux 6.1's figure when the goals were set, and the goal.
OPERATIONS = [
    ("getppid", "getppid", 389, 0.4),
    ("write-fault", "anonymous write fault, a page", 3777, 0.33),
    ("read-fault", "anonymous read fault, a page", 1210, 0.3),
    ("copy-on-write", "copy-on-write break, a page", 5828, 0.3),
    ("file-fault", "cached file fault, a page", 657, 0.6),
    ("stack-growth", "stack growth, a page", 5589, 0.3),
    ("map-unmap", "mmap + munmap, untouched page", 14603, 0.1),
    ("map-touch-unmap", "mmap + touch + munmap, 1 page", 21402, 0.15),
    ("protect-pair", "mprotect pair splitting a region", 20957, 0.12),
    ("brk-16-pages", "brk +16 pages, touch, -16", 98086, 0.33),
    ("fork-small", "fork + exit + wait, small", 165330, 0.2),
    ("fork-16M", "fork + exit + wait, 16 MiB dirty", 1623165, 0.2),
    ("fork-exec", "fork + exec + exit, static", 555975, 0.3),
    ("pipe-round-trip", "pipe round trip, two processes", 16672, 0.3),
]


class Unavailable(Exception):
    """A half of the comparison that cannot be had here."""


def newc(entries):
    """A cpio archive of (path, mode, device, content)."""
    archive = b""
    for path, mode, device, content in [*entries, ("TRAILER!!!", 0, (0, 0), b"")]:
        name = path.encode() + b"\0"
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
        archive += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        archive += b"\0" * (-len(archive) % 4) + content
        archive += b"\0" * (-len(archive) % 4)
    return archive


def run(words, environment=None):
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE, env={**os.environ, **(environment or {})})
    except FileNotFoundError as error:
        raise Unavailable(str(error)) from None
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"")[-300:].decode(errors="replace")
        raise Unavailable(f"no end after {PATIENCE} s: {said}") from None
    return done.stdout.decode(errors="replace")


def figures(text):
    """Instructions for one operation, by name, out of vmbench's lines."""
    found = {name: int(cost) / int(times)
             for name, cost, times in re.findall(r"^cost (\S+) (\d+) (\d+)\r?$", text, re.M)}
    boot = re.search(r"^boot (\d+)\r?$", text, re.M)
    if boot:
        found["boot"] = int(boot[1])
    if "done" not in text:
        raise Unavailable("it did not come to its end:\n" + text[-600:])
    return found


def linux_words(kernel, archive):
    return ["qemu-system-i386", "-M", "pc", "-accel", "tcg", *CLOCK, "-m", str(MEMORY), "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", kernel,
            "-initrd", archive, "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"]


def on_linux(build, program):
    kernel = os.path.join(build, "programs", "linux", "vmlinuz")
    if not os.path.exists(kernel):
        raise Unavailable(f"no {kernel}; `sh tools/fetch-programs {build}/programs kernel` fetches it")
    with open(program, "rb") as file:
        content = file.read()
    with tempfile.NamedTemporaryFile() as archive:
        archive.write(newc([("dev", 0o40755, (0, 0), b""), ("dev/console", 0o20600, (5, 1), b""),
                            ("init", 0o100755, (0, 0), content)]))
        archive.flush()
        return figures(run(linux_words(kernel, archive.name)))


def on_quire(build, program, layout="quire"):
    return figures(run([os.path.join(build, "host", "quire"), "run", "--layout", layout, "--machine", "pc", "-m",
                        f"{MEMORY}M", program], {"QUIRE_BUILD": build, "QUIRE_QEMU_FLAGS": " ".join(CLOCK)}))


def read_budgets(path):
    with open(path) as file:
        return {words[0]: int(words[1]) for words in (line.split("#")[0].split() for line in file) if words}


def write_budgets(path, quire):
    with open(path, "w") as file:
        file.write("# Guest instructions for one operation of bench/guest/vmbench.c under Quire, layout quire, "
                   "on QEMU's pc.\n"
                   "# CI fails when one is exceeded by more than a tenth; bench/compare.py --write-budgets writes this "
                   "file.\n")
        for name, *_ in OPERATIONS:
            file.write(f"{name:16} {quire[name]:.0f}\n")


def number(value):
    return f"{value:,.0f}".replace(",", " ") if value is not None else "-"


def table(linux, quire):
    print(f"{'Operation':34} {'Linux':>12} {'Quire':>12} {'ratio':>7} {'goal':>6}")
    met = compared = 0
    for name, text, _, goal in [*OPERATIONS, ("boot", "boot to the first user instruction", 0, None)]:
        a, b = linux.get(name), quire.get(name)
        ratio = b / a if a and b else None
        if ratio is not None and goal is not None:
            compared += 1
            met += ratio <= goal
        missed = ratio and goal is not None and ratio > goal
        print(f"{text:34} {number(a):>12} {number(b):>12} {f'{ratio:.3f}' if ratio else '-':>7} "
              f"{goal if goal is not None else '-':>6}{'  not met' if missed else ''}")
    if compared:
        print(f"{met} of {compared} goals met")


def check(quire, budgets):
    """Figures over their budget, as sentences."""
    wrong = [f"{name}: {quire[name]:.0f} instructions, budget {budget}" for name, budget in budgets.items()
             if name in quire and quire[name] > budget * SLACK]
    wrong += [f"{name}: not measured" for name in budgets if name not in quire]
    return wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire", help="of Quire's kernel; the budgets are those of quire")
    arguments.add_argument("--only", choices=["linux", "quire"])
    arguments.add_argument("--budgets", help="a file of lines `NAME INSTRUCTIONS`")
    arguments.add_argument("--write-budgets", metavar="FILE", help="make today's figures the budgets")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    program = os.path.join(build, "guest", "vmbench")

    results = {}
    for system in ("linux", "quire"):
        results[system] = {}
        if options.only in (None, system):
            try:
                results[system] = on_linux(build, program) if system == "linux" else on_quire(build, program,
                                                                                              options.layout)
            except Unavailable as error:
                print(f"compare: {system}: {error}", file=sys.stderr)
    table(results["linux"], results["quire"])

    if options.write_budgets and results["quire"]:
        write_budgets(options.write_budgets, results["quire"])
    wrong = check(results["quire"], read_budgets(options.budgets)) if options.budgets else []
    for line in wrong:
        print("over budget: " + line)
    return 1 if wrong or not any(results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
