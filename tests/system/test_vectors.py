"""Every way into the kernel that a program can take, and every selector and flag that it can bring back: signals as on
Linux.

tests/programs/vectors.c does them all and prints each signal. The output of Linux for i386 was recorded in the same
emulator, whose processor has its own idea of some details (ICEBP, SSE exceptions). A 64-bit Linux answers an
i386 program otherwise: it has other selectors, its sigreturn adds level 3 to them, and a refused IRET is SIGSEGV or
SIGBUS where the 32-bit one says SIGILL, code 8. Quire is an i386 kernel.
"""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs
import linux

PATIENCE = 240
EXPECTED = os.path.join(jobs.HERE, "expected", "vectors")


@pytest.fixture
def vectors(house):
    root, made = os.path.join(house.build, "programs", "root"), os.path.join(house.build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)
    return os.path.join(made, "vectors")


# What QEMU's processor answers by itself differs from version to version; it was recorded with 7.
RECORDED_WITH = "7"
OF_THE_PROCESSOR = ("icebp", "invd", "wbinvd", "mov cr1", "mov ss, icebp")


def is_as_recorded():
    said = subprocess.run(["qemu-system-i386", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (\d+)", said)[1] == RECORDED_WITH


def comparable(text, layout):
    """Lines. A stack segment of the program's own (selector 33) has a base, and whether base and stack pointer together
    are an address that is mapped depends on where the layout puts stacks: only under quire, as under Linux, it is
    none."""
    lines = text.splitlines()
    if not is_as_recorded():
        lines = [line for line in lines if line.split(":")[0] not in OF_THE_PROCESSOR]
    return lines if layout == "quire" else [line for line in lines
                                            if not re.match(r"(rt_)?sigreturn ss 003[03]-", line)]


@pytest.mark.parametrize("kind", ["", "-checked"], ids=["plain", "checked"])
def test_all_vectors_selectors_and_flags(house, layout, vectors, kind, tmp_path):
    """The whole kernel without deep checks is asked under the default layout alone: its ways in and back are the same
    sources, and it takes seconds."""
    if kind == "" and layout != house.layouts[-1]:
        return
    house.kernel(layout, checked=kind != "")
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", layout + kind, "--timeout",
                           str(PATIENCE), f"--report={tmp_path}/report", vectors], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True,
                          errors="replace", env={**os.environ, "QUIRE_BUILD": house.build})
    assert comparable(done.stdout, layout) == comparable(open(EXPECTED).read(), layout), done.stderr
    assert done.returncode == 0
    assert re.findall(r"^audit: (\w+)", (tmp_path / "report").read_text(errors="replace"), re.M) == ["clean"]


def test_linux_says_what_was_recorded(house, vectors):
    try:
        said = linux.run_i386(os.path.abspath(house.build), vectors)
    except (linux.Unavailable, FileNotFoundError) as error:
        pytest.skip(f"Linux for i386 cannot be asked: {error}")
    assert said.splitlines() == open(EXPECTED).read().splitlines()
