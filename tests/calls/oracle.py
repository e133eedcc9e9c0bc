"""oracle.py - what Linux prints: Debian's i386 kernel in QEMU, with a program and nothing else.

`make build/programs/kernel.done` fetches the kernel. This machine's own kernel is asked instead where it runs i386
programs and QUIRE_ORACLE=host says so: it is faster, but newer.
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
import compare

PATIENCE = 240          # seconds for one machine
ATTEMPTS = 3            # on a machine that is very busy Linux now and then ends before it has printed anything
DEVICES = [("console", 5, 1), ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("urandom", 1, 9),
           ("random", 1, 8), ("tty", 5, 0)]


class Unavailable(Exception):
    """Linux cannot be asked here."""


def read(path):
    with open(path, "rb") as file:
        return file.read()


def archive(build, program, words):
    folders = [(name, 0o40755, (0, 0), b"") for name in ("dev", "proc", "tmp")]
    nodes = [(f"dev/{name}", 0o20666, (major, minor), b"") for name, major, minor in DEVICES]
    files = [("init", 0o100755, (0, 0), read(os.path.join(build, "calls", "init"))),
             ("program", 0o100755, (0, 0), read(program)),
             ("words", 0o100644, (0, 0), b"".join(word.encode() + b"\0" for word in ["program", *words]))]
    return compare.newc([*folders, *nodes, *files])


def run(build, program, words):
    """What the program prints under Linux, in lines."""
    if os.environ.get("QUIRE_ORACLE") == "host":
        return subprocess.run([program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE,
                              check=False).stdout.decode(errors="replace").splitlines()
    kernel = os.environ.get("QUIRE_LINUX") or os.path.join(build, "programs", "linux", "vmlinuz")
    if not os.path.exists(kernel):
        raise Unavailable(f"no {kernel}; `make {os.path.relpath(build)}/programs/kernel.done` fetches it, "
                          "or takes what QUIRE_LINUX names")
    with tempfile.NamedTemporaryFile() as initrd:
        initrd.write(archive(build, program, words))
        initrd.flush()
        flags = ["-M", "pc", "-accel", "tcg", "-m", "256", "-nodefaults", "-no-user-config", "-display", "none",
                 "-no-reboot",
                 "-serial", "stdio", "-kernel", kernel, "-initrd", initrd.name,
                 "-append", "console=ttyS0 quiet loglevel=0 panic=-1 mitigations=off nokaslr"]
        for _ in range(ATTEMPTS):
            try:
                done = subprocess.run(["qemu-system-i386", *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      timeout=PATIENCE)
            except (FileNotFoundError, subprocess.TimeoutExpired) as error:
                raise Unavailable(str(error)) from None
            if done.stdout.strip():
                break
    lines = done.stdout.decode(errors="replace").replace("\r", "").splitlines()
    if not any(re.fullmatch(r"status \d+", line) for line in lines):
        raise Unavailable("Linux did not come to its end:\n" + "\n".join(lines[-20:]))
    return [line for line in lines if not re.fullmatch(r"status \d+|", line)]
