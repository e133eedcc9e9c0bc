"""Processes that sleep while memory is short: their pages leave, under `tracker` the page tables after them, and each
finds all its words when it wakes (layouts/tracker/out.h). tests/programs/asleep.c checks them."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

TABLES = 3                      # of each process: its text, its mappings, its stack
FILES = 40                      # frames that packed pages of files may have in the end, as no program's are left then


@pytest.fixture(scope="module")
def asleep():
    """A function that runs the program in a machine of 14 MiB: what it counted, and what the machine said."""
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))
    root, made = os.path.join(build, "programs", "root"), os.path.join(build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)

    def run(layout, processes, kibibytes):
        done = subprocess.run([os.path.join(build, "host", "quire"), "run", "--layout", layout, "-m", "14M", "--report",
                               "--timeout", "200", os.path.join(made, "asleep"), str(processes), str(kibibytes)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "QUIRE_BUILD": build})
        said = done.stdout + done.stderr
        assert done.returncode == 0 and re.findall(r"^audit: (\w+)", said, re.M) == ["clean"], said
        counted = r"^(\d+) processes, (\d+) right, 0 killed; tables in memory: .* (\d+) in all"
        return re.search(counted, said, re.M), said
    return run


@pytest.mark.needs("kernel", "LAYOUT=tracker")
@pytest.mark.parametrize("processes, kibibytes", [(30, 512)])
def test_tables_of_sleeping_processes_leave_and_come_back(asleep, processes, kibibytes):
    counted, said = asleep("tracker", processes, kibibytes)
    assert counted and int(counted[1]) == int(counted[2]) == processes, said
    assert int(counted[3]) < TABLES * processes - processes // 3, said
    packed = re.search(r"^  packed +\d+ +\d+ KiB +(\d+) ", said, re.M)
    assert packed is None or int(packed[1]) < FILES, said


@pytest.mark.needs("kernel", "LAYOUT=tracker", "CHECKED=1")
def test_tables_leave_and_come_back_checked(asleep):
    counted, said = asleep("tracker-checked", 24, 512)
    assert counted and int(counted[1]) == int(counted[2]) == 24, said


# What very many processes may have in memory, by rows of /proc/quire/frames: frames that are there without them, and
# for each a directory and the table that its pages are in, a kernel stack, records.
ROWS = {"tables": (1030, 2.05), "stacks": (8, 2), "heap": (200, 1.2)}


@pytest.mark.needs("calls-programs")
@pytest.mark.needs("kernel", "LAYOUT=tracker")
def test_two_thousand_processes_are_there_at_once():
    """tests/calls/spaces.c: each in the 4 MiB that its program was linked to, as an object of page tables whose extent
    goes up to a stack at the top would have room for 1 087 of them only (docs/tracker.md)."""
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))
    done = subprocess.run([os.path.join(build, "host", "quire"), "run", "--layout", "tracker", "-m", "64M", "--report",
                           "--timeout", "400", os.path.join(build, "calls", "spaces"), "2000", "16", "alike"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "QUIRE_BUILD": build})
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "2000 processes, 2000 right, 0 killed" in said, said
    assert re.findall(r"^audit: (\w+)", said, re.M) == ["clean"], said
    frames = {row: int(number) for row, number in re.findall(r"^(\w+) +(\d+) frames", done.stdout, re.M)}
    assert all(frames[row] <= fixed + each * 2000 for row, (fixed, each) in ROWS.items()), said
    assert frames["packed"] > 100, said         # of 8 000 pages not all have room beside that
