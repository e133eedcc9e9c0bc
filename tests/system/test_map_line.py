"""The map line: snapshots, and changes one by one, on the second serial line (kernel/init/map_line.h)."""
import os
import re
import socket
import time

import pytest


class Line:
    """The other end of COM2."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                assert time.monotonic() < deadline, "QEMU opens no second line"
                time.sleep(0.02)
        self.socket.settimeout(30)
        self.rest = b""

    def wish(self, letters):
        self.socket.sendall(letters)

    def line(self):
        while b"\n" not in self.rest:
            piece = self.socket.recv(65536)
            assert piece, "the machine has gone"
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def snapshot(self):
        """A snapshot from its beginning to its end, whose number says that no line is missing; else one more."""
        for _ in range(3):
            self.wish(b"m")
            lines = [self.line()]
            while not lines[-1].startswith(("end ", "cut ")):
                lines.append(self.line())
            if lines[-1] == f"end {len(lines) - 1}":
                break
        assert lines[0] == "quire-map 1" and lines[-1] == f"end {len(lines) - 1}"
        return lines


@pytest.fixture
def watched(start, house, tmp_path):
    """A function: a machine with a second line, and that line. `modules` make it run a program."""
    def begin(layout, checked=False, **how):
        path = str(tmp_path / "com2")
        machine = start(kernel=house.kernel(layout, checked), memory="64M", append="map=com2",
                        devices=["-serial", f"unix:{path},server=on,wait=off"], **how)
        return machine, Line(path)
    return begin


def check_sums(lines):
    moment, = [line for line in lines if line.startswith("moment ")]
    assert re.fullmatch(r"moment (nobody runs|process \d+ \(.+\) runs)", moment)         # also before it has a name
    words = [line.split(" ") for line in lines]
    ram = next(int(line[1]) for line in words if line[0] == "ram")
    assert sum(int(line[2]) for line in words if line[0] == "owned") == ram
    assert sum(int(line[2]) for line in words if line[0] == "frames" and line[3] != "absent") == ram


def test_the_console_answers_between_keys(watched, layout):
    machine, line = watched(layout)
    machine.prompt()
    line.wish(bytes(set(range(256)) - set(b"mwq")) * 4)         # nonsense is ignored
    lines = line.snapshot()
    assert lines[1].startswith(f"layout {layout} ")
    check_sums(lines)
    assert machine.command("audit").startswith("audit: clean")


def test_a_line_that_nobody_asked_for_is_left_alone(start, house):
    machine = start(kernel=house.kernel(house.layouts[-1]), memory="32M")
    machine.prompt()                        # without a second port, and without map=com2


def test_only_a_checked_kernel_stops_at_changes(watched, house):
    machine, line = watched(house.layouts[-1])
    machine.prompt()
    line.wish(b"w")
    assert line.line() == "watching no"
    assert "code runs on it" in machine.command("stacks 2")


CHANGE = re.compile(r"change (own|kernel|other) ([0-9a-f]+)"
                    r"((?: (?:\w+) [-rwx]{3} [-rwx]{3} (?:-|[0-9a-f]+) \d+){2}) (\d+) (fault|call|kernel) (\S+) (\S+)")


def shell(house, tmp_path):
    archive = str(tmp_path / "shell.cpio")
    assert house.quire("image", "--archive", archive)[0] == 0
    return archive


@pytest.mark.needs("kernel", "CHECKED=1")
def test_a_fork_is_watched_entry_by_entry(watched, house, tmp_path):
    """Pages that the parent could write it may only read afterwards, the child has the same frames, and the first write
    copies."""
    machine, line = watched(house.layouts[-1], checked=True, modules=[shell(house, tmp_path)])
    machine.child.expect("# ")
    line.wish(b"w")
    assert line.line() == "watching yes"
    machine.child.send("true | true\r")
    seen = []
    while not any(cause == "fault" and before[0] == "present" and before[3] != after[3]
                  for _, _, before, after, cause in seen):
        match = CHANGE.fullmatch(line.line())
        words = match[3].split()
        seen.append((match[1], match[2], words[:5], words[5:], match[5]))
        line.wish(b"n")
    lent = {page: before for whose, page, before, after, cause in seen
            if whose == "own" and cause == "call" and "w" in before[2] and "w" not in after[2]}
    given = {page: after for whose, page, before, after, cause in seen if whose == "other" and before[0] == "empty"}
    assert lent and all(given[page][3] == before[3] and int(given[page][4]) > 1 for page, before in lent.items())
    _, page, before, after, _ = seen[-1]
    assert "w" not in before[2] and "w" in after[2] and after[4] == "1"
    # The rest of the fault or call without a stop, then free again.
    line.wish(b"e")
    CHANGE.fullmatch(line.line())
    line.wish(b"q")
    while line.line() != "watching no":
        pass
    machine.child.send("echo still $((40 + 2))\r")
    machine.child.expect("still 42")
    check_sums(line.snapshot())
