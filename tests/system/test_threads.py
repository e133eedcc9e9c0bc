"""Threads to the last: the greatest number at once follows from the document, and all of them work."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

PATIENCE = 240


def stacks_row(house, layout):
    """The document's row for the stacks window, by the names of its columns."""
    header = None
    for line in open(f"{house.tree}/layouts/{layout}/layout.md"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if "Start" in cells:
            header = cells
        elif header and len(cells) == len(header) and dict(zip(header, cells)).get("Name") == "stacks":
            return dict(zip(header, cells))
    raise AssertionError(f"{layout} has no stacks")


def kibibytes(cell):
    """The guard that the cell gives each stack; 0 where it has a reason for none."""
    found = re.match(r"(\d+) KiB", cell)
    return int(found[1]) if found else 0


def stacks_that_fit(row):
    size = int(row["End"], 16) + 1 - int(row["Start"], 16)
    return size // 1024 // (kibibytes(row["Growth"]) + kibibytes(row["Guard"]))


@pytest.fixture(scope="module")
def crowd():
    """A function that runs tests/programs/crowd.c under a layout: its output, or `told` of it; the audit was
    clean."""
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))
    root, made = os.path.join(build, "programs", "root"), os.path.join(build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)

    def run(layout, how, told=False, memory="256M"):
        done = subprocess.run([os.path.join(build, "host", "quire"), "run", "--layout", layout, "-m", memory,
                               "--report", "--timeout", str(PATIENCE), os.path.join(made, "crowd"), how],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              env={**os.environ, "QUIRE_BUILD": build})
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.findall(r"^audit: (\w+)", done.stderr, re.M) == ["clean"], done.stderr
        return done.stderr if told else done.stdout
    return run


ROUND = re.compile(r"^(\w+), round (\d): (\d+) threads, then (\w+); (\d+) came back, (\d+) corrupted$", re.M)


def rounds(text):
    """(who, round) -> threads at once. All but the main thread came back from their call with their registers."""
    result = {}
    for who, number, threads, why, back, corrupted in ROUND.findall(text):
        assert (why, int(back), int(corrupted)) == ("EAGAIN", int(threads) - 1, 0), text
        result[who, int(number)] = int(threads)
    return result


def test_as_many_threads_as_stacks(crowd, house, layout):
    """One process has them all; one more is refused; when they have ended there is room for as many again (A15)."""
    most = stacks_that_fit(stacks_row(house, layout))
    if "A15" in house.claims(layout):
        assert most == 1024             # the claim's own number
    assert rounds(crowd(layout, "one")) == {("one", 1): most, ("one", 2): most}


def test_two_processes(crowd, house, layout):
    """Each has as many where the stacks are a process's own, at the same addresses; else they share what there is."""
    row  = stacks_row(house, layout)
    most = stacks_that_fit(row)
    got  = rounds(crowd(layout, "two"))
    assert set(got) == {("parent", 1), ("child", 1)}
    if row["Scope"] == "process":
        assert set(got.values()) == {most}
    else:
        assert sum(got.values()) == most


def test_fork_and_exec_in_a_crowd(crowd, layout):
    """A spawned child, a forked one and a thread of the crowd take their stacks to another space."""
    assert crowd(layout, "fork").splitlines() == ["last: here", "last: here", "fork: the child has executed",
                                                  "last: here"]


def test_no_stack_is_nearly_full(crowd, house, layout):
    """A checked kernel fills its stacks before use: the deepest use leaves room for what these programs do not do."""
    house.kernel(layout, checked=True)
    row  = stacks_row(house, layout)
    used = re.search(r"^kernel stacks: (\d+) of (\d+) bytes used", crowd(layout + "-checked", "fork", told=True), re.M)
    assert int(used[2]) == kibibytes(row["Growth"]) * 1024
    assert int(used[1]) <= int(used[2]) * 3 // 4
