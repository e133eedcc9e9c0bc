"""The kernel is preempted where it copies from or to a program (docs/locks.md): tests/programs/torn.c sees a copy from
its middle, under every layout."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))


@pytest.mark.needs("kernel")
def test_a_turn_ends_in_the_middle_of_a_copy(layout):
    root, made = os.path.join(BUILD, "programs", "root"), os.path.join(BUILD, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)
    done = subprocess.run([os.path.join(BUILD, "host", "quire"), "run", "--layout", layout, "--timeout", "200",
                           os.path.join(made, "torn")], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "QUIRE_BUILD": BUILD})
    said = re.fullmatch(r"(\d+) looks, (\d+) into a copy; status 0\n", done.stdout)
    assert done.returncode == 0 and said and int(said[2]) > 0, done.stdout + done.stderr
