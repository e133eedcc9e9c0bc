"""When no frame is left the process ends that has the most, not the one that asks next
(kernel/process/out_of_memory.h)."""
import os
import re
import subprocess

import pytest

# A hog that has its memory and sleeps: 36 MiB in dd's buffer, in front of a pipe that is not read. Then tail(1) asks
# for one page after the other, as /dev/zero has no second line.
SCRIPT = """
mkfifo /tmp/pipe; exec 3<>/tmp/pipe
(echo {hog} > /proc/self/oom_score_adj; exec dd if=/dev/zero of=/tmp/pipe bs=36M count=1 2>/dev/null) & hog=$!
resident=0; until [ $resident -gt 9000 ]; do read size resident rest < /proc/$hog/statm; done
echo {asker} > /proc/self/oom_score_adj
tail /dev/zero; echo asker $?
resident=0; read size resident rest < /proc/$hog/statm; [ $resident -gt 9000 ] && {{ echo hog lives; kill -9 $hog; }}
wait $hog; echo hog $?
"""


@pytest.fixture
def ended(house, layout):
    """A function: runs the script with these adjustments; the status, what it said, and the names of those that were
    ended."""
    def run(**adjustments):
        done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", layout, "-m", "64M",
                               "--report", "busybox", "sh", "-c", SCRIPT.format(**adjustments)],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=150,
                              env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_HOME": house.tree})
        errors = done.stderr.decode()
        assert re.search(r"^audit: clean", errors, re.M), errors
        return done.returncode, done.stdout.decode().splitlines(), re.findall(
            r"^out of memory: process \d+ \((\w+)\) is killed: (?:process \d+ \((\w+)\) asked|it asked)", errors, re.M)
    return run


def test_the_largest_ends_whoever_asks(ended):
    status, said, who = ended(hog=0, asker=0)
    assert status == 0 and said == ["asker 137", "hog 137"] and who == [("dd", "tail"), ("tail", "")]


def test_an_adjustment_of_minus_1000_spares_the_largest(ended):
    status, said, who = ended(hog=-1000, asker=0)
    assert status == 0 and said == ["asker 137", "hog lives", "hog 137"] and who == [("tail", "")]


def test_an_adjustment_counts_as_so_many_thousandths_of_ram(ended):
    _, said, who = ended(hog=-500, asker=0)
    assert "hog lives" in said and who == [("tail", "")]


def test_where_no_other_may_be_ended_the_one_that_asks_is(ended):
    status, said, who = ended(hog=-1000, asker=-1000)
    assert status == 0 and said == ["asker 137", "hog lives", "hog 137"] and who == [("tail", "")]
