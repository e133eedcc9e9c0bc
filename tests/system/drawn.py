"""drawn.py - `quire map` for its tests: what it draws, read back, the kernel's snapshot, and a guest that lies.

Files of such tests import the fixture `draw`, or `lying`.
"""
import os
import re
import subprocess

import pytest

from fake_run import compile_i386

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = 4096
LAST = 1 << 32


class Map:
    """The host command, near a build; `quire map` unless other words are asked for."""

    def __init__(self, build):
        self.build = build
        self.quire = os.path.join(build, "host", "quire")

    def __call__(self, *words, command="map", **environment):
        done = subprocess.run([self.quire, command, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                              text=True, errors="replace", env={**os.environ, "QUIRE_BUILD": self.build, **environment})
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def draw():
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(HERE, "..", "..", "build"))
    if not os.path.isdir(os.path.join(build, "programs", "root")):
        pytest.skip("no programs; `make programs` fetches them")
    return Map(build)


def lines_of(text):
    """The lines of a snapshot, in words."""
    return [line.split(" ") for line in text.splitlines()]


# ---- The text drawing, read back -----------------------------------------------------------------

BORDER = re.compile(r"^\+-[-\w ()]*-\+ (4 GiB|0x[0-9A-F]{8})$")


def columns_of(text):
    """{title: [(start, end, [lines])]} of a text drawing, boxes from the top down."""
    columns, title, end, inside, before = {}, None, None, [], []
    for line in text.splitlines():
        border = BORDER.match(line)
        if border:
            at = LAST if border[1] == "4 GiB" else int(border[1], 16)
            if end is not None:
                columns[title].append((at, end, inside))
            else:
                title = before[max(i for i, text in enumerate(before) if text and set(text) == {"-"}) - 1]
                columns[title] = []
            end, inside = at, []
        elif end is not None and line[:1] in ("|", ":"):
            assert line[-1] == line[0], line
            inside.append(line[2:-2])
        else:
            end = None
            before.append(line)
    return columns


def assert_tiles(boxes, start=0, end=LAST):
    """Boxes meet, from `end` down to `start`."""
    assert boxes[0][1] == end and boxes[-1][0] == start
    for above, below in zip(boxes, boxes[1:]):
        assert above[0] == below[1] and below[0] < below[1]


# ---- The kernel's snapshot -----------------------------------------------------------------------

snapshots = {}


def drawn_snapshot(layout, build=None):
    """(status, lines in words, errors) of /proc/quire/map as a program reads it."""
    if layout not in snapshots:
        status, output, errors = Map(os.path.abspath(os.environ.get("QUIRE_BUILD")
                                                     or os.path.join(HERE, "..", "..", "build")))(
            "--audit", "--layout", layout, "-m", "64M", "busybox", "cat", "/proc/quire/map", command="run")
        snapshots[layout] = status, lines_of(output), errors
    return snapshots[layout]


# ---- A guest that lies ---------------------------------------------------------------------------

@pytest.fixture
def lying(draw, tmp_path):
    """A function: the lines that a guest sends as its snapshot -> what the command makes of them."""
    build = tmp_path / "build"
    for kernel in ("kernel.elf", "kernel-pvh.elf"):
        (build / "quire").mkdir(parents=True, exist_ok=True)
        (build / "quire" / kernel).write_bytes(b"")
    program = compile_i386(str(tmp_path / "program"), "void _start(void) { }", "-static")

    def send(text, *words, guest="map {}"):
        (tmp_path / "lines").write_bytes(text)
        return draw(*words, "--root", str(tmp_path), program, QUIRE_BUILD=str(build),
                    QUIRE_QEMU=os.path.join(HERE, "fake_guest.py"), FAKE_GUEST=guest.format(tmp_path / "lines"),
                    PYTHONDONTWRITEBYTECODE="1")
    return send


def true_lines():
    return "\n".join(" ".join(line) for line in drawn_snapshot("quire")[1]).encode() + b"\n"
