"""How long interrupts are off at a stretch, whatever a program asks of the memory manager: tests/programs/stretches.c
asks for the longest there is, under a checked kernel and QEMU's instruction clock, so that ticks are instructions."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))

# Ticks that no stretch may pass, whatever the sizes: these are for a run of a minute. Of the longest most is the
# checked kernel's own: it looks at each word of a frame that it takes. The number only shrinks.
AT_MOST = 21_000
MIB, REGIONS = 16, 6000

LINE = re.compile(r"^([\w-]+) (\d+) (\w+ < .*)$", re.M)


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
def test_no_stretch_without_interrupts_is_long():
    root, made = os.path.join(BUILD, "programs", "root"), os.path.join(BUILD, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no C library for the guest in {root}; `make programs` fetches it")
    jobs.compile_all(root, made)
    done = subprocess.run([os.path.join(BUILD, "host", "quire"), "run", "--layout", "quire-checked", "-m", "512M",
                           "--report", "--timeout", "200", os.path.join(made, "stretches"), str(MIB), str(REGIONS)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "QUIRE_BUILD": BUILD, "QUIRE_QEMU_FLAGS": "-icount shift=0,sleep=off"})
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^audit: (\w+)", done.stderr, re.M) == ["clean"], done.stderr
    assert re.search(r"^interrupts: off for \d+ ticks at the longest, by \w+ < ", done.stderr, re.M), done.stderr
    stretches = {name: int(ticks) for name, ticks, _ in LINE.findall(done.stdout)}
    assert len(stretches) > 20 and min(stretches.values()) > 100, "not measured"
    long = {name: ticks for name, ticks in stretches.items() if ticks > AT_MOST}
    assert not long, long
