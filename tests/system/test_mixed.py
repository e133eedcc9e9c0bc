"""Programs of all kinds at once, audited: each finds its own results right, and all memory comes back.

A short run of the mixed load (tests/mixed, docs/fuzzing.md) under a checked kernel, and its verdicts on runs
that went wrong. `make nightly` takes ten minutes.
"""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "mixed"))
import mixed

BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(HERE, "..", "..", "build"))
SHORT = 10              # seconds

OWNERS = ["free", "process", "tables", "stacks", "heap", "user", "shared", "files", "packed", "blocks", "out"]
GOOD = ["clock begin 1000", "after 5 s: 99 rounds, 999 checks; audit clean, 9 ms", "clock end 11000", "all right",
        "after 10 s: 99 rounds, 999 checks; audit clean, 9 ms",
        *(f"memory {owner} 7 before, 7 after" for owner in OWNERS),
        *(f"did {kind}: 9 rounds, 99 checks" for kind in mixed.KINDS)]


@pytest.mark.needs("mixed-program")
@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
def test_a_short_load_finds_nothing():
    transcript = mixed.run(BUILD, "quire-checked", SHORT, 3, 1)
    print(transcript.table())
    assert not transcript.found, "\n".join(transcript.found + transcript.lines)


@pytest.mark.needs("mixed-program")
@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_turn_is_over_after_few_instructions(seed, monkeypatch):
    """A processor of 16 MIPS: threads wait for locks where they hardly ever do. /proc/PID/statm waited for the map of a
    process that it did not hold; the process ended, and the reader waited in memory that was free. The clock counts
    instructions here, and what an audit takes is seconds."""
    monkeypatch.setenv("QUIRE_QEMU_FLAGS", "-icount shift=6,sleep=off")
    transcript = mixed.run(BUILD, "quire-checked", 25, 4, seed)
    found = [one for one in transcript.found if "clock is off" not in one and "memory did not come back" not in one]
    assert not found, "\n".join(found + transcript.lines)


def judged(lines):
    """The failures found in lines, the last of which come ten seconds after the first."""
    transcript = mixed.Transcript()
    for line in lines:
        transcript.take(line, 100 if line.startswith("clock begin") else 110)
    transcript.judge()
    return transcript.found


@pytest.mark.parametrize("was, becomes, found", [
    ("memory heap 7 before, 7 after", "memory heap 7 before, 8 after", "memory did not come back: heap +1"),
    ("memory blocks 7 before, 7 after", "memory blocks -1 before, -1 after", "memory was not told"),
    ("clock end 11000", "clock end 10400", "the program's clock is off by -6.00 %"),
    ("clock end 11000", "", "the program's clock was not told"),
    ("all right", "WRONG: pipes, round 3, a: b is 1, wanted 2", "pipes, round 3, a: b is 1, wanted 2"),
    ("all right", "", "it did not come to its end"),
    ("did epoll: 9 rounds, 99 checks", "did epoll: 0 rounds, 3 checks", "epoll finished no round"),
    ("after 5 s: 99 rounds, 999 checks; audit clean, 9 ms", "after 5 s: 9 rounds, 9 checks; audit FAILED, 9 ms",
     "1 audits failed, 1 were clean"),
])
def test_the_judge_names_what_is_wrong(was, becomes, found):
    assert judged(GOOD) == []
    assert judged([becomes if line == was else line for line in GOOD]) == [found]
