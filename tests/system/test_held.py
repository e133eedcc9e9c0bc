"""How long a call keeps others from running whose length is a program's to choose (tests/programs/held.c), under QEMU's
instruction clock, so that times are instructions."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

# Milliseconds of 64 nanoseconds an instruction. A turn has 50 of them; without rests the calls took 139 to 396.
AT_MOST = 100
FLAGS   = "-icount shift=6,sleep=off"


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_no_call_holds_others_up_as_long_as_a_program_likes(house):
    root, made = os.path.join(house.build, "programs", "root"), os.path.join(house.build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no C library for the guest in {root}; `make programs` fetches it")
    jobs.compile_all(root, made)
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", "quire", "-m", "64M",
                           "--timeout", "400", os.path.join(made, "held")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_QEMU_FLAGS": FLAGS})
    assert done.returncode == 0, done.stdout + done.stderr
    times = dict(line.split() for line in done.stdout.splitlines())
    assert list(times) == ["poll", "select", "rename", "getdents64"]
    assert max(map(int, times.values())) <= AT_MOST, times
