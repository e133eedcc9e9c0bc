"""jobs.py - the program ring's table: real programs, each with a real job.

The expected output of each lies in tests/programs/expected/NAME, recorded under Linux by
tests/programs/record; its exit status is here. ROOT stands for the fetched i386 Debian tree,
HERE for this folder, MADE for programs compiled from the C sources here.
"""
import collections
import fcntl
import glob
import os
import shlex
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))

# Programs whose output has changed in later Linux: recorded on Debian 12's kernel.
RECORDED = "6.1."
# Programs that no Linux is asked with: they set the clock, which is others', too, or need what a machine may forbid.
# Their lines are written by hand.
UNASKED = "no"

# words: of `quire run`; status: the exit status; memory: -m, None for the usual; release: of the only Linux that prints
# that, None: any does
Job = collections.namedtuple("Job", "name words status memory release", defaults=(0, None, None))

PYTHON = "--file :/usr/lib/python3.*"         # the version of the fetched packages
TCC = " ".join("--file :" + path for path in (
    "/usr/include", "/usr/lib/i386-linux-gnu/tcc", "/usr/lib/i386-linux-gnu/crt1.o", "/usr/lib/i386-linux-gnu/crti.o",
    "/usr/lib/i386-linux-gnu/crtn.o", "/usr/lib/i386-linux-gnu/libc.so", "/usr/lib/i386-linux-gnu/libc_nonshared.a",
    "/usr/lib/i386-linux-gnu/libm.so", "/lib/i386-linux-gnu/libm.so.6", "/usr/bin/tcc"))

JOBS = [
    Job("busybox-echo", "busybox echo hello world"),
    Job("busybox-shell", "--file HERE/shell.sh:/tmp/shell.sh busybox sh /tmp/shell.sh", 4),
    Job("bash", "--file HERE/bash.sh:/tmp/bash.sh --file :/bin/busybox --file :/usr/bin/seq --file :/usr/bin/sort "
                "--file :/usr/bin/comm bash /tmp/bash.sh", 128 + 9),
    Job("coreutils", "--file HERE/rows.sql:/tmp/rows.sql sha256sum /tmp/rows.sql /no/such", 1),
    Job("lua", "--file HERE/garbage.lua:/tmp/garbage.lua lua5.4 /tmp/garbage.lua", 9),
    Job("sqlite", "--file HERE/rows.sql:/tmp/rows.sql -- sqlite3 -bail /tmp/rows.db '.read /tmp/rows.sql'"),
    Job("python", f"{PYTHON} --file HERE/compute.py:/tmp/compute.py python3 /tmp/compute.py", 11, "256M"),
    Job("threads-glibc", "MADE/threads", 3),
    Job("threads-static", "MADE/threads-static", 3),
    Job("threads-musl", "MADE/threads-musl", 3),
    Job("memory", "MADE/memory"),
    Job("memory-musl", "MADE/memory-musl"),
    Job("mappings", "MADE/mappings", release=RECORDED),
    Job("locked", "MADE/locked", release=RECORDED),
    Job("told", "MADE/told", release=RECORDED),
    Job("machine", "MADE/machine", release=RECORDED),
    Job("other", "MADE/other"),
    Job("waiting", "MADE/waiting"),
    Job("segv", "MADE/segv", 128 + 11),
    Job("timers", "MADE/timers", release=RECORDED),
    Job("writeonly", "MADE/writeonly"),
    Job("futex", "MADE/futex"),
    Job("handlers", "MADE/handlers"),
    Job("hostile", "MADE/hostile"),
    Job("alternate", "MADE/alternate"),
    Job("lines", "MADE/lines"),
    Job("x87", "MADE/x87"),
    Job("mode8086", "MADE/mode8086"),
    Job("signals", "MADE/signals", release=RECORDED),
    Job("prompt", "MADE/prompt"),
    Job("rights", "MADE/rights", release=RECORDED),
    Job("processes", "MADE/processes", release=RECORDED),
    Job("identities", "MADE/identities", release=RECORDED),
    Job("executes", "MADE/executes", release=RECORDED),
    Job("event_files", "MADE/event_files", release=RECORDED),
    Job("event_files-clock", "MADE/event_files clock", release=UNASKED),
    Job("epoll", "MADE/epoll"),
    Job("passing", "MADE/passing", release=RECORDED),
    Job("named", "MADE/named"),
    Job("stubborn", "MADE/stubborn"),
    Job("limited", "MADE/limited"),
    Job("pieces", "MADE/pieces"),
    Job("vanishing", "MADE/vanishing"),
    Job("stalls", "MADE/stalls", memory="40M"),
    Job("mistaken", "MADE/mistaken"),
    Job("lasting", "MADE/lasting"),
    Job("private", "MADE/private"),
    Job("locks", "MADE/locks"),
    Job("listed", "MADE/listed"),
    Job("pipes", "MADE/pipes"),
    Job("selects", "MADE/selects"),
    Job("selects-high", "MADE/selects high", release=UNASKED),
    Job("busy", "MADE/busy"),
    Job("sizes", "MADE/sizes"),
    Job("mounts", "MADE/mounts"),
    Job("within", "MADE/within"),
    Job("escapes", "MADE/escapes"),
    Job("edges", "MADE/edges", release=RECORDED),
    Job("ranges", "MADE/ranges"),
    Job("vdso", "MADE/vdso"),
    Job("tcc",
        TCC + " --file HERE/prime.c:/tmp/prime.c busybox sh -c 'cd /tmp; tcc -o prime prime.c -lm && ./prime 200000'",
        64, "256M"),
]

# Programs compiled from the C sources here: source, or a pattern of several, and options.
MADE = {
    "writeonly": ("writeonly.c", "static"),
    "timers": ("timers.c", "static"),
    "threads": ("threads.c", "glibc"), "threads-static": ("threads.c", "static"), "threads-musl": ("threads.c", "musl"),
    "memory": ("memory.c", "glibc"), "memory-musl": ("memory.c", "musl"), "segv": ("segv.c", "glibc"),
    "futex": ("futex.c", "glibc"), "handlers": ("handlers.c", "glibc"), "hostile": ("hostile.c", "glibc"),
    "mode8086": ("mode8086.c", "static"), "alternate": ("alternate.c", "static"), "lines": ("lines.c", "static"),
    "x87": ("x87.c", "static"),
    "crowd": ("crowd.c", "static"), "bombs": ("../bombs/*.c", "static"), "epoll": ("epoll.c", "static"),
    "passing": ("passing.c", "static"), "named": ("named.c", "static"), "locks": ("locks.c", "static"),
    "stubborn": ("stubborn.c", "static"), "limited": ("limited.c", "static"),
    "listed": ("listed.c", "static"), "prompt": ("prompt.c", "static"), "pipes": ("pipes.c", "static"),
    "vanishing": ("vanishing.c", "static"), "mistaken": ("mistaken.c", "static"), "private": ("private.c", "static"),
    "lasting": ("lasting.c", "static"),
    "selects": ("selects.c", "static"), "pieces": ("pieces.c", "static"), "stalls": ("stalls.c", "static"),
    "busy": ("busy.c", "static"), "short": ("short.c", "static"), "swapping": ("swapping.c", "static"),
    "asleep": ("asleep.c", "static"),
    "sizes": ("sizes.c", "static"), "processes": ("processes.c", "glibc"),
    "signals": ("signals.c", "glibc"), "rights": ("rights.c", "glibc"), "mounts": ("mounts.c", "static"),
    "within": ("within.c", "static"), "escapes": ("escapes.c", "static"), "edges": ("edges.c", "static"),
    "ranges": ("ranges.c", "static"), "pages": ("pages.c", "glibc"),
    "executes": ("executes.c", "static"), "vectors": ("vectors.c", "fixed"),
    "mappings": ("mappings.c", "static"), "locked": ("locked.c", "static"),
    "told": ("told.c", "static"), "identities": ("identities.c", "static"), "machine": ("machine.c", "static"),
    "event_files": ("event_files.c", "static"), "other": ("other.c", "static"),
    "stretches": ("stretches.c", "static"), "held": ("held.c", "static"),
    "clock": ("clock.c", "static"), "waits": ("waits.c", "static"), "turns": ("turns.c", "static"),
    "waiting": ("waiting.c", "static"), "herds": ("herds.c", "static"), "vdso": ("vdso.c", "static"),
    "torn": ("torn.c", "static"), "leaving": ("leaving.c", "static"),
}


def compile_all(root, folder):
    """Compile the programs that are older than their sources, with this machine's compiler and the fetched C libraries.

    Of several tests that want them at once the first compiles. A program appears whole or not at all.
    """
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compile_old(root, folder)


# What gcc 14 takes for an error, whichever gcc there is.
ERRORS = [f"-Werror={which}" for which in ("implicit-function-declaration", "implicit-int", "int-conversion",
                                            "incompatible-pointer-types")]


def compile_old(root, folder):
    libgcc, = glob.glob(os.path.join(root, "usr/lib/gcc/i686-linux-gnu/*"))     # of the release's gcc
    musl = os.path.join(root, "usr/lib/i386-linux-musl")
    for name, (source, how) in MADE.items():
        program, sources = os.path.join(folder, name), sorted(glob.glob(os.path.join(HERE, source)))
        older = (*sources, *glob.glob(os.path.join(os.path.dirname(sources[0]), "*.h")), __file__)
        if os.path.exists(program) and os.path.getmtime(program) > max(map(os.path.getmtime, older)):
            continue
        words = ["gcc", "-m32", "-O1", *ERRORS, "-o", f"{program}.{os.getpid()}", *sources]
        if how == "musl":
            words += ["-static", "-no-pie", "-fno-pie", "-fno-stack-protector", "-nostdlib", "-nostdinc", "-isystem",
                      os.path.join(root, "usr/include/i386-linux-musl"), "-D_FORTIFY_SOURCE=0", musl + "/crt1.o",
                      musl + "/crti.o", "-L" + musl, "-L" + libgcc, "-lc", "-lgcc", musl + "/crtn.o"]
        else:
            # -B: the start files too are the tree's; this machine's compiler may have none for i386.
            words += [f"--sysroot={root}", "-B" + libgcc, "-L" + libgcc] + (["-static"]
                                                                            if how in ("static", "fixed") else [])
            if how == "fixed":                  # at addresses of its own; handlers without GS
                words += ["-no-pie", "-fno-pie", "-fno-stack-protector"]
        subprocess.run(words, check=True)
        os.rename(f"{program}.{os.getpid()}", program)


def words_of(job, root, made):
    """The words after `quire run`."""
    words = ["--root", root] + (["-m", job.memory] if job.memory else [])
    for word in shlex.split(job.words):
        for name, value in (("HERE/", HERE), ("MADE/", made)):
            if word.startswith(name):
                word = value + word[len(name) - 1:]
        words.append(word)
    return words


def expected(job):
    """(standard output, standard error), as recorded."""
    result = []
    for suffix in ("", ".errors"):
        path = os.path.join(HERE, "expected", job.name + suffix)
        if os.path.exists(path):
            with open(path, "rb") as file:
                result.append(file.read())
        else:
            result.append(b"")
    return tuple(result)
