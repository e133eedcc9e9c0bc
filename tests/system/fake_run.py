"""fake_run.py - `quire run` with a guest made of a few lines of Python in QEMU's place (fake_guest.py).

It does what a kernel cannot be made to do on demand: output torn into single bytes, a panic in the middle of a line,
a guest that is deaf to Ctrl-C, an old QEMU. Files of such tests import the fixture `run`.
"""
import json
import os
import subprocess
import time

import pytest

import newc

HERE = os.path.dirname(os.path.abspath(__file__))
START = "void _start(void) { __asm__ volatile(\"int $0x80\" :: \"a\"(1), \"b\"(0)); }"


def compile_i386(path, source=START, *flags):
    """A program or library for i386 that needs no C library; returns its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["gcc", "-m32", "-nostdlib", "-fno-pic", "-fno-stack-protector", "-w", "-x", "c", "-", "-x", "none",
                    "-o", path, "-no-pie", *flags], input=source.encode(), check=True)
    return path


class Run:
    """A place with a program, a root, and a build folder that has a kernel (which is never booted)."""

    def __init__(self, folder, command):
        self.folder, self.command = str(folder), command
        self.root = os.path.join(self.folder, "root")
        self.notes = os.path.join(self.folder, "notes")
        os.makedirs(os.path.join(self.folder, "build", "quire"))
        os.makedirs(self.root)
        for kernel in ("kernel.elf", "kernel-pvh.elf"):
            open(os.path.join(self.folder, "build", "quire", kernel), "wb").close()
        self.program = compile_i386(os.path.join(self.folder, "program"), START, "-static")

    def environment(self, guest):
        return {**os.environ, "QUIRE_BUILD": os.path.join(self.folder, "build"), "FAKE_GUEST": guest,
                "QUIRE_QEMU": os.path.join(HERE, "fake_guest.py"), "FAKE_NOTES": self.notes,
                "PYTHONDONTWRITEBYTECODE": "1"}

    def words(self, words):
        return [self.command, "run", "--root", self.root, *(words or [self.program])]

    def __call__(self, guest, *words, input=b"", **environment):
        """Run `quire run`; returns (exit status, output, errors)."""
        done = subprocess.run(self.words(words), input=input, cwd=self.folder, timeout=60, capture_output=True,
                              env={**self.environment(guest), **environment})
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def begin(self, guest, *words, **how):
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        return subprocess.Popen(self.words(words), cwd=self.folder, env=self.environment(guest), **how)

    def archive(self, *words):
        """The archive that `quire run` makes of these words: entries by path, and the order of names."""
        status, output, errors = self("archive", *words)
        assert status == 0, errors
        return newc.read(output)

    def machine_pid(self):
        with open(self.notes) as notes:
            return json.load(notes)["pid"]

    def argv(self):
        with open(self.notes) as notes:
            return json.load(notes)["argv"]

    def write(self, name, content, mode=0o644):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path


@pytest.fixture
def run(tmp_path, house):
    return Run(tmp_path, os.path.join(house.build, "host", "quire"))


def comes_about(holds, patience=20):
    """True as soon as the condition holds; it is evaluated again and again."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def state_of(pid):
    """A process's state as a letter: Z also for a process that no longer exists."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


def becomes(pid, state):
    return comes_about(lambda: state_of(pid) == state)


def is_gone(pid):
    return becomes(pid, "Z")


def one_line(errors):
    assert errors.startswith("quire run: ") and errors.count("\n") == 1, errors
    return errors
