#!/usr/bin/python3
"""compare.py - what operations cost a Linux program, under Quire and under Linux, in instructions.

    bench/compare.py --build build [--layout quire] [--only linux|quire] [--budgets bench/budgets.txt]
    bench/compare.py --build build --sizes 128,512,2048

The programs of bench/guest run in both, in the same QEMU with one processor and 512 MiB, under its
instruction clock (-icount shift=0,sleep=off): one instruction is one nanosecond, so the
figures are the same on a slow machine and on a busy one. Linux is Debian's i386 kernel with
the program as init and mitigations off. *Must* and *goal* are ratios of Quire to Linux.

With --budgets, Quire's own figures are compared with those written down for the layout; one that is more
than a twentieth over its budget makes the exit status 1. --write-budgets writes them down. With --sizes, Quire's
figures are compared at several sizes of memory, which must not matter.
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
SLACK = 1.05
TIMES = {"sleep-1us": 1.25}         # nanoseconds with a learnt rate in them, not instructions

# By program of bench/guest: the name of an operation there, what it is, and at most what ratio to Linux it must have,
# and should have. Of each pair, cycle or round trip all calls count.
ROWS = {
    "vmbench": {
        "getppid": ("getppid", 0.40, 0.28),
        "write-fault": ("anonymous write fault, a page", 0.28, 0.25),
        "read-fault": ("anonymous read fault, a page", 0.40, 0.30),
        "copy-on-write": ("copy-on-write break, a page", 0.29, 0.25),
        "file-fault": ("cached file fault, a page", 0.46, 0.40),
        "stack-growth": ("stack growth, a page", 1, 0.30),
        "map-unmap": ("mmap + munmap, untouched page", 0.15, 0.10),
        "map-touch-unmap": ("mmap + touch + munmap, 1 page", 0.17, 0.13),
        "protect-pair": ("mprotect pair splitting a region", 0.18, 0.12),
        "brk-16-pages": ("brk +16 pages, touch, -16", 1, 0.33),
        "fork-small": ("fork + exit + wait, small", 0.25, 0.20),
        "fork-16M": ("fork + exit + wait, 16 MiB dirty", 0.18, 0.13),
        "fork-exec": ("fork + exec + exit, static", 0.26, 0.22),
        "pipe-round-trip": ("pipe round trip, two processes", 0.36, 0.30),
    },
    "wide": {
        "protect-64": ("mprotect pair, 64 pages", 0.6, 0.25),
        "protect-256": ("mprotect pair, 256 pages", 0.6, 0.25),
        "protect-rewritten": ("the same, 64 pages rewritten", 0.6, 0.25),
        "remap-256": ("mremap, 256 pages", 0.6, 0.25),
        "dontneed-16": ("MADV_DONTNEED + touch, 16 pages", 1, None),
        "mincore-256": ("mincore, 256 pages", 1, None),
        "shared-fault": ("shared write fault, a page", 1, None),
        "unmap-1024": ("munmap, 1 024 written pages", 1, None),
        "map-fixed-over": ("MAP_FIXED over a written page", 1, None),
        "map-file": ("mmap + munmap, 16 pages of a file", 1, None),
        "open-close": ("open + close", 1, None),
        "open-close-10000": ("open + close, 10 000 open", 1, 0.4),
        "read-byte": ("read, 1 byte of a file", 1, None),
        "read-64K": ("read, 64 KiB of a file", 1, 0.7),
        "write-64K": ("write, 64 KiB of a file", 1, None),
        "copy-20M": ("a file of 20 MiB copied", 1, None),
        "pread-page": ("pread64, a page", 1, None),
        "append-byte": ("append a byte", 1, None),
        "lseek": ("lseek", 1, None),
        "stat": ("stat64", 1, None),
        "stat-deep": ("stat64 below eight folders", 1, None),
        "fstat": ("fstat64", 1, None),
        "access-absent": ("access, no such file", 1, None),
        "create-unlink": ("create + close + unlink", 1, None),
        "mkdir-rmdir": ("mkdir + rmdir", 1, None),
        "rename-pair": ("rename there and back", 1, None),
        "symlink-cycle": ("symlink + readlink + unlink", 1, None),
        "list-100": ("getdents64, 100 files", 1, None),
        "dup-close": ("dup + close", 1, None),
        "lock-unlock": ("record lock + unlock", 1, None),
        "truncate-pair": ("ftruncate, half and back", 1, None),
        "pipe-64K": ("64 KiB through a pipe", 0.8, 0.5),
        "pipe-byte-here": ("a byte through one's own pipe", 1, None),
        "pipe-close": ("pipe + 2 close", 1, None),
        "socket-round-trip": ("socket round trip, two processes", 1, None),
        "socket-64K": ("64 KiB through a pair of sockets", 1, None),
        "socket-close": ("socketpair + 2 close", 1, None),
        "eventfd": ("eventfd, write + read", 1, None),
        "poll-1": ("poll, 1 descriptor", 1, None),
        "poll-1000": ("poll, 1 000 descriptors", 1, 0.5),
        "select-64": ("select, 64 descriptors", 1, None),
        "epoll-1000": ("epoll_wait, 1 000 idle", 1, 0.5),
        "epoll-ready": ("epoll_wait, 1 ready", 1, None),
        "epoll-ctl-pair": ("epoll_ctl, add + delete", 1, None),
        "sigprocmask": ("rt_sigprocmask", 1, None),
        "sigaction": ("rt_sigaction", 1, None),
        "signal-self": ("kill oneself, handled", 1, None),
        "segv-handled": ("SIGSEGV handled", 0.9, 0.6),
        "kill-0": ("kill with signal 0", 1, None),
        "timer-cycle": ("timer_create + timer_delete", 1, None),
        "timer-set-pair": ("timer_settime, set and stopped", 1, None),
        "setitimer-pair": ("setitimer, set and stopped", 1, None),
        "clock-gettime": ("clock_gettime, the call", 1, None),
        "clock-gettime-vdso": ("clock_gettime, the vDSO's", 1, 0.3),
        "sleep-1us": ("nanosleep of 1 us, nanoseconds", 1, None),
        "sched-yield": ("sched_yield, alone", 1, None),
        "futex-wake-none": ("futex wake, nobody waits", 1, None),
        "futex-round-trip": ("futex round trip, two threads", 1, None),
        "thread-cycle": ("clone a thread + its end", 1, None),
        "vfork-cycle": ("vfork + exit + wait", 1, None),
        "wait-none": ("wait4, nobody ended", 1, None),
        "getrusage": ("getrusage", 1, None),
        "uname": ("uname", 1, None),
        "proc-self-maps": ("/proc/self/maps, 200 regions", 1, 0.5),
        "proc-self-stat": ("/proc/self/stat", 1, None),
        "proc-self-status": ("/proc/self/status", 1, None),
        "proc-meminfo": ("/proc/meminfo", 1, None),
    },
}
ALL = {name: row for rows in ROWS.values() for name, row in rows.items()}


class Unavailable(Exception):
    """A half of the comparison that cannot be had here."""


def newc(entries):
    """A cpio archive of (path, mode, device, content)."""
    parts = []
    for path, mode, device, content in [*entries, ("TRAILER!!!", 0, (0, 0), b"")]:
        name = path.encode() + b"\0"
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
        parts += [head, b"\0" * (-len(head) % 4), content, b"\0" * (-len(content) % 4)]
    return b"".join(parts)


def run(words, environment=None, patience=PATIENCE):
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=patience, env={**os.environ, **(environment or {})})
    except FileNotFoundError as error:
        raise Unavailable(str(error)) from None
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"")[-300:].decode(errors="replace")
        raise Unavailable(f"no end after {patience} s: {said}") from None
    return done.stdout.decode(errors="replace")


def figures(text):
    """Instructions for one operation, by name, out of a program's lines."""
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


def on_quire(build, program, layout="quire", memory=MEMORY):
    return figures(run([os.path.join(build, "host", "quire"), "run", "--layout", layout, "--machine", "pc", "-m",
                        f"{memory}M", program], {"QUIRE_BUILD": build, "QUIRE_QEMU_FLAGS": " ".join(CLOCK)}))


def on(system, build, **how):
    """All operations' figures."""
    found = {}
    for name in ROWS:
        program = os.path.join(build, "guest", name)
        found = {**(on_linux(build, program) if system == "linux" else on_quire(build, program, **how)), **found}
    return found


def read_budgets(path):
    """By layout, the budgets of its operations: a column for each layout."""
    with open(path) as file:
        rows = [words for words in (line.split("#")[0].split() for line in file) if words]
    return {layout: {row[0]: int(row[i + 1]) for row in rows[1:]} for i, layout in enumerate(rows[0][1:])}


def write_budgets(path, layout, quire):
    budgets = read_budgets(path) if os.path.exists(path) else {}
    budgets[layout] = {name: round(quire[name]) for name in ALL}
    with open(path, "w") as file:
        file.write("# Guest instructions for one operation of the programs in bench/guest under Quire, on QEMU's pc, "
                   "by layout.\n# A test fails when one is exceeded by more than a twentieth; bench/compare.py "
                   "--write-budgets writes this file.\n")
        file.write(f"{'operation':18}" + "".join(f"{name:>12}" for name in budgets) + "\n")
        for name in ALL:
            file.write(f"{name:18}" + "".join(f"{budgets[of].get(name, 0):>12}" for of in budgets) + "\n")


def number(value):
    return f"{value:,.0f}".replace(",", " ") if value is not None else "-"


def table(linux, quire):
    print(f"{'Operation':36} {'Linux':>13} {'Quire':>11} {'ratio':>7} {'must':>6} {'goal':>6}")
    counted = {"must": [0, 0], "goal": [0, 0]}
    for name, (text, must, goal) in [*ALL.items(), ("boot", ("boot to the first user instruction", None, None))]:
        a, b = linux.get(name), quire.get(name)
        ratio = b / a if a and b else None
        missed = ""
        for word, limit in (("goal", goal), ("must", must)):
            if ratio is None or limit is None:
                continue
            counted[word][0] += ratio <= limit
            counted[word][1] += 1
            missed = f"  {word} not met" if ratio > limit else missed
        print(f"{text:36} {number(a):>13} {number(b):>11} {f'{ratio:.3f}' if ratio else '-':>7} "
              f"{'-' if must is None else must:>6} {'-' if goal is None else goal:>6}{missed}")
    if counted["must"][1]:
        print(", ".join(f"{met} of {of} {word}s met" for word, (met, of) in counted.items()))


def compare_sizes(options):
    """Quire's figures at several sizes of memory; what differs by more than 3 % is told."""
    sizes = [int(size) for size in options.sizes.split(",")]
    found = [on("quire", options.build, layout=options.layout, memory=size) for size in sizes]
    print(f"{'Operation':36}" + "".join(f"{f'{size} MiB':>12}" for size in sizes) + "  most against least")
    apart = 0
    for name, (text, *_) in ALL.items():
        figures_here = [figures_of[name] for figures_of in found]
        ratio = max(figures_here) / min(figures_here)
        apart += ratio > 1.03
        print(f"{text:36}" + "".join(f"{number(figure):>12}" for figure in figures_here) + f"  {ratio:.3f}"
              + ("  apart" if ratio > 1.03 else ""))
    print(f"{apart} of {len(ALL)} differ by more than 3 %")
    return 0


def check(quire, budgets):
    """Figures over their budget, as sentences."""
    wrong = [f"{name}: {quire[name]:.0f} instructions, budget {budget}" for name, budget in budgets.items()
             if name in quire and quire[name] > budget * TIMES.get(name, SLACK)]
    wrong += [f"{name}: not measured" for name in budgets if name not in quire]
    return wrong


def arguments_of(description):
    """The words of a command that asks Linux and Quire, to which it adds its own."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire", help="of Quire's kernel")
    arguments.add_argument("--only", choices=["linux", "quire"])
    return arguments


def main():
    arguments = arguments_of(__doc__.splitlines()[0])
    arguments.add_argument("--sizes", metavar="MIB,...", help="compare Quire at these sizes of memory")
    arguments.add_argument("--budgets", help="a file with a column for each layout")
    arguments.add_argument("--write-budgets", metavar="FILE", help="make today's figures the layout's budgets")
    options = arguments.parse_args()
    options.build = os.path.abspath(options.build)
    if options.sizes:
        return compare_sizes(options)

    results = {"linux": {}, "quire": {}}
    for system in results:
        if options.only in (None, system):
            try:
                results[system] = on(system, options.build,
                                     **({"layout": options.layout} if system == "quire" else {}))
            except Unavailable as error:
                print(f"compare: {system}: {error}", file=sys.stderr)
    table(results["linux"], results["quire"])

    if options.write_budgets and results["quire"]:
        write_budgets(options.write_budgets, options.layout, results["quire"])
    wrong = check(results["quire"], read_budgets(options.budgets)[options.layout]) if options.budgets else []
    for line in wrong:
        print("over budget: " + line)
    return 1 if wrong or not any(results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
