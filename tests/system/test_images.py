"""Images: a PC's BIOS starts our own boot sector, and everything after it; from a disk and from a floppy.

Where a test says nothing else, the image holds no program: it ends at the kernel's console, which is the quickest to reach.
"""
import os
import re
import subprocess

import pytest

SHELL = "/root # "


@pytest.fixture
def image(house, layout, tmp_path):
    """A function that writes an image: image("--floppy", "--console"); returns its path."""
    def write(*words, program=()):
        path = str(tmp_path / "quire.img")
        status, said = house.quire("image", "--layout", layout, *words, path, *program)
        assert status == 0, said
        write.said = said
        return path

    return write


def boot_command(machine):
    """What the console's `boot` says: the way here, as numbers by name."""
    said = machine.command("boot")
    places = {name: (int(first, 16), int(last, 16))
              for name, first, last in re.findall(r"^ +(\w.*?) +([0-9a-f]{8}) to ([0-9a-f]{8})", said, re.M)}
    sums = dict(zip(("sector", "sector built", "padding", "padding built", "loaded", "moved", "built"),
                    re.findall(r"\b[0-9a-f]{8}\b", said[said.index("Sums:"):])))
    return said, places, sums


# ---- To the console ---------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["disk", "floppy"])
def test_boots_to_the_console(start, image, layout, kind):
    machine = start(**{kind: image("--console", *(["--floppy"] if kind == "floppy" else []))})
    assert f"Quire, layout {layout}" in machine.prompt()
    said, places, sums = boot_command(machine)
    assert "Started by Quire's boot sector" in said
    assert ("Drive 80" if kind == "disk" else "Drive 00") in said and "function e820" in said
    assert places["boot sector"] == (0x7C00, 0x7DFF)
    assert places["relocator"][0] == 0x8000
    assert places["image, loaded"][0] == places["relocator"][1] + 1
    assert places["image, moved"][0] >= 0x100000
    assert sums["sector"] == sums["sector built"] and sums["loaded"] == sums["moved"] == sums["built"]
    assert sums["padding"] != sums["padding built"]
    assert machine.command("audit").startswith("audit: clean")
    assert machine.leave() == 0


# ---- To the shell, and to a program ---------------------------------------------------------------

@pytest.mark.parametrize("kind", ["disk", "floppy"])
def test_boots_to_the_shell(start, image, kind):
    machine = start(**{kind: image(*(["--floppy"] if kind == "floppy" else []))})
    machine.expect(re.escape(SHELL))
    machine.send("echo $((6 * 7)) $(uname -s) | tr 2 3\r")
    machine.expect("43 Linux")
    machine.send("exit 5\r")
    said, status = machine.end()
    assert "ended with status 5" in said and status == 3
