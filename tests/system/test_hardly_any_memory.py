"""Machines with a few pages more than the kernel needs: what is started there runs, or its end is told.

None stands still. Where all that programs have is a handful of pages, what one instruction touches must not push out
what it touched before, and what a call was refused must not come and go for ever (kernel/process/make_room.c). Which
sizes show that depends on each page of the kernel, so a row of them is tried, a page apart.
"""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "documents"))
import newc
from conftest import ensure
from quire import QEMU

SIZES = 16
AUDITS_ARE_LONG = {"tracker": 2}        # a million entries of tables; a refused read of the audit is tried eight times

LEAVE = b"\r\rexit\r"                   # where the archive has no room, as under firmware, the console waits for a line


@pytest.fixture
def filled(house, layout, tmp_path):
    """A function: what a machine of so many KiB says while tests/documents/fill.c takes all memory three times."""
    ensure("documents-program")
    with open(os.path.join(house.build, "documents", "fill"), "rb") as file:
        archive = newc.write([("tmp", 0o41777, b""), ("proc", 0o40755, b""), ("fill", 0o100755, file.read())])
    (tmp_path / "archive").write_bytes(archive)

    def run(kib):
        words = [QEMU, "-accel", "tcg", "-icount", "shift=0,sleep=off", "-m", f"{kib}K", "-display", "none", "-vga",
                 "none", "-no-reboot", "-nodefaults", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-serial",
                 "stdio", "-kernel", house.kernel(layout), "-append", "init=/fill panic=exit",
                 "-initrd", str(tmp_path / "archive")]
        done = subprocess.run(words, input=LEAVE, capture_output=True, timeout=240)
        return done.stdout.decode("latin-1").replace("\r", "")
    return run


def has_ended_well(said):
    """It did all that it does, or was ended for its memory, and the auditor found nothing."""
    audits = re.findall(r"^fill: .*?, audit (.*)$", said, re.M)
    done = "fill: done" in said or (re.search(r"^out of memory: process 2 \(fill\) is killed", said, re.M) and
                                    "quire: the program was killed by signal 9" in said)
    return bool(done and audits and all(audit.startswith(("clean", "cannot be read")) for audit in audits) and
                not re.search(r"panic|assertion", said))


def smallest(house, layout, filled):
    """With how many KiB the program is started, and with a page less it is not."""
    low, high = house.least_to_speak(layout) // 4, house.least(layout) // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if "fill: at first" in filled(4 * middle) else (middle, high)
    return 4 * high


def test_a_machine_with_hardly_any_memory_never_stands_still(house, layout, filled):
    least = smallest(house, layout, filled)
    for kib in range(least, least + 4 * AUDITS_ARE_LONG.get(layout, SIZES), 4):
        said = filled(kib)
        assert has_ended_well(said), f"{kib} KiB: {said}"
