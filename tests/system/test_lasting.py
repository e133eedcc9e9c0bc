"""What calls keep others waiting for (tests/programs/lasting.c), where Linux's answers are others."""
import os
import subprocess
import sys

import pexpect
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs


@pytest.fixture
def lasting(house, layout):
    """(words, environment) that run the program."""
    root, made = os.path.join(house.build, "programs", "root"), os.path.join(house.build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no C library for the guest in {root}; `make programs` fetches it")
    jobs.compile_all(root, made)
    return ([os.path.join(house.build, "host", "quire"), "run", "--layout", layout, "-m", "64M", "--timeout", "200",
             os.path.join(made, "lasting")],
            {**os.environ, "QUIRE_BUILD": house.build, "QUIRE_HOME": house.tree})


def test_who_waits_beside_a_splice_can_be_killed(lasting):
    """Readers, writers and closers of a pipe that a splice of another process has; and no byte is lost or doubled."""
    words, environment = lasting
    done = subprocess.run([*words, "beside"], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.splitlines() == """\
---- a splice out of a pipe
write(ends[1], "some text", 9) = 9, 0
left = 0, 0
patient_end(splicer) = 9, 0
ended with 0
---- a splice into a pipe
write(ends[1], "some text", 9) = 9, 0
left = 0, 0
patient_end(splicer) = 9, 0
ended with 0
---- in order
write(sockets[1], "first ", 6) = 6, 0
patient_end(splicer) = 0, 0
patient_end(reader) = 0, 0
read(ends[0], text, sizeof text - 1) = 10, 0
first more
write(ends[1], "a page", 6) = 6, 0
write(ends[1], " and more", 9) = 9, 0
kill(splicer, SIGKILL) = 0, 0
patient_end(splicer) = 9, 0
patient_end(reader) = 0, 0
read(ends[0], text, sizeof text - 1) = 7, 0
nd more
ended with 0
""".splitlines()


def test_sockets_that_carry_each_other_end_at_once(lasting):
    """One search does for all that a process leaves; it was made for each, and each went over all of them."""
    words, environment = lasting
    done = subprocess.run([*words, "linked"], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.endswith("\nat once\n"), done.stdout


def test_who_waits_behind_a_stopped_terminal_can_be_killed(lasting):
    """A second write waits for the end of the first, which a key has stopped; one that may not wait is told so."""
    words, environment = lasting
    child = pexpect.spawn(words[0], [*words[1:], "terminal"], env=environment, timeout=100, encoding="latin-1")
    child.expect("first 0, second 9, third 0")
    assert child.before.count("kept") == 1
    child.expect(pexpect.EOF)
    child.close()
