"""When no frame is left the process ends that has the most, not the one that asks next
(kernel/process/out_of_memory.h)."""
import os
import re
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "programs"))
import jobs

# A hog that has its memory and sleeps: 20 MiB in dd's buffer, in front of a pipe that nobody reads after its first
# bytes. Then sort(1) asks for one page after the other, for the lines it keeps. Both hold noise, which page-out cannot
# pack (test_page_out.py): lines of 80,000 characters by yes(1), as /dev/urandom takes longer, and a shell that starts a
# program for each part ends when that lacks memory. It may ask for pages as well, as may whoever comes back from
# page-out; it is process 1's child, so that the shell sleeps on when it is ended.
SCRIPT = """
mkfifo /tmp/pipe /tmp/noise; exec 3<>/tmp/pipe
(echo {noise} > /proc/self/oom_score_adj
yes "$(head -c 60000 /dev/urandom | base64 | tr -d '\\n')" > /tmp/noise 2>/dev/null &)
(echo {hog} > /proc/self/oom_score_adj
exec dd if=/tmp/noise iflag=fullblock of=/tmp/pipe bs=20M count=1 2>/dev/null) & hog=$!
head -c 1 <&3 > /dev/null
echo {asker} > /proc/self/oom_score_adj
sort /tmp/noise; echo asker $?
resident=0; read size resident rest < /proc/$hog/statm; [ $resident -gt 5000 ] && {{ echo hog lives; kill -9 $hog; }}
wait $hog; echo hog $?
"""


@pytest.fixture
def ended(house, layout):
    """A function: runs the script with these adjustments; the status, what it said, and the names of those that were
    ended, each with that of the process that had asked, "" for itself."""
    def run(noise=0, **adjustments):
        done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", layout, "-m", "40M",
                               "--report", "busybox", "sh", "-c", SCRIPT.format(noise=noise, **adjustments)],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300,
                              env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_HOME": house.tree})
        errors = done.stderr.decode(errors="replace")
        assert re.search(r"^audit: clean", errors, re.M), errors
        return done.returncode, done.stdout.decode(errors="replace").splitlines(), re.findall(
            r"^out of memory: process \d+ \((\w+)\) is killed: (?:process \d+ \((\w+)\) asked|it asked)", errors, re.M)
    return run


def names(who):
    return [name for name, _ in who]


def test_the_largest_ends_whoever_asks(ended):
    status, said, who = ended(hog=0, asker=0)
    assert status == 0 and said == ["asker 137", "hog 137"]
    assert names(who) == ["dd", "sort"] and who[0][1] not in ("", "dd")


def test_an_adjustment_of_minus_1000_spares_the_largest(ended, house, layout):
    """This and what follows under the default layout: who is chosen has nothing to do with a layout."""
    if layout != house.layouts[-1]:
        return
    status, said, who = ended(hog=-1000, asker=0)
    assert status == 0 and said == ["asker 137", "hog lives", "hog 137"] and names(who) == ["sort"]


def test_an_adjustment_counts_as_so_many_thousandths_of_ram(ended, house, layout):
    if layout != house.layouts[-1]:
        return
    _, said, who = ended(hog=-500, asker=0)
    assert "hog lives" in said and names(who) == ["sort"]


def test_where_no_other_may_be_ended_the_one_that_asks_is(ended, house, layout):
    if layout != house.layouts[-1]:
        return
    """That is sort, or who makes the noise: then sort has read all."""
    status, said, who = ended(hog=-1000, asker=-1000, noise=-1000)
    assert status == 0 and said[-2:] == ["hog lives", "hog 137"]
    assert who and all(asker == "" for _, asker in who)
    assert "sort" not in names(who) or said[-3] == "asker 137"


def test_a_stack_that_is_never_to_have_so_many_pages_ends_its_own_program(house, layout):
    """No frame was refused, so nobody ends for it; the first to go was once the process that had most."""
    root, made = os.path.join(house.build, "programs", "root"), os.path.join(house.build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no C library for the guest in {root}; `make programs` fetches it")
    jobs.compile_all(root, made)
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", layout, "-m", "16M",
                           os.path.join(made, "stubborn"), "grow"], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=300, env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_HOME": house.tree})
    assert b"out of memory" not in done.stderr
    assert (done.returncode, done.stdout) == (0, b"a stack of 200 MiB: signal 11\nanother process: goes on\n")
