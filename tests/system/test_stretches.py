"""How long interrupts are off at a stretch, whatever a program asks of the memory manager (tests/programs/stretches.c),
and with thousands of threads, processes and waiters (herds.c): under a checked kernel and QEMU's instruction clock, so
that ticks are instructions."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))

# Ticks that no stretch may pass, whatever the sizes: these are for a run of a minute. Of the longest most is the
# checked kernel's own: it looks at each word of a frame or a block that it takes. The number only shrinks.
AT_MOST = 21_000
# The longest that a thread is in the kernel without a place where others may run; a turn is 50 million. The longest of
# all, 8.6 million, is a signal for a group of 4 000 with the end of its sender. The number only shrinks.
LEG_AT_MOST = 12_000_000
MIB, REGIONS = 16, 6000
THREADS, PROCESSES = 10_000, 4000               # or as many as there may be

LINE = re.compile(r"^([\w-]+) (\d+) (\w+ < .*)$", re.M)


def measure(program, *words, memory):
    """The longest stretch of each operation of a program, and what it printed. The clock counts instructions, but when
    the host takes what is printed, and says so by an interrupt, is no matter of that clock: what is too long is so in a
    second run, too."""
    stretches, printed = measure_once(program, *words, memory=memory)
    if max(stretches.values(), default=0) > AT_MOST:
        again, printed = measure_once(program, *words, memory=memory)
        stretches = {name: min(ticks, again.get(name, ticks)) for name, ticks in stretches.items()}
    return stretches, printed


def measure_once(program, *words, memory):
    root, made = os.path.join(BUILD, "programs", "root"), os.path.join(BUILD, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no C library for the guest in {root}; `make programs` fetches it")
    jobs.compile_all(root, made)
    _, printed = run(os.path.join(made, program), *words, memory=memory)
    return {name: int(ticks) for name, ticks, _ in LINE.findall(printed)}, printed


def run(*words, memory):
    """The longest stretch since the machine's start, and what the program printed."""
    done = subprocess.run([os.path.join(BUILD, "host", "quire"), "run", "--layout", "quire-checked", "-m", memory,
                           "--report", "--timeout", "400", *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "QUIRE_BUILD": BUILD, "QUIRE_QEMU_FLAGS": "-icount shift=0,sleep=off"})
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^audit: (\w+)", done.stderr, re.M) == ["clean"], done.stderr
    longest = re.search(r"^interrupts: off for (\d+) ticks at the longest, by \w+ < ", done.stderr, re.M)
    assert longest, done.stderr
    check_legs(done.stderr)
    return int(longest[1]), done.stdout


def check_legs(errors):
    leg = re.search(r"^kernel: no others ran for (\d+) ticks at the longest, until \w+ < ", errors, re.M)
    assert leg and 10_000 < int(leg[1]) <= LEG_AT_MOST, errors


def check(stretches, operations):
    assert len(stretches) >= operations and min(stretches.values()) > 100, "not measured"
    long = {name: ticks for name, ticks in stretches.items() if ticks > AT_MOST}
    assert not long, long


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
def test_no_stretch_without_interrupts_is_long():
    stretches, _ = measure("stretches", MIB, REGIONS, memory="512M")
    check(stretches, 21)


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
def test_no_stretch_grows_with_threads_processes_or_waiters():
    stretches, printed = measure("herds", THREADS, PROCESSES, memory="1024M")
    check(stretches, 23)
    reached = re.search(r"^at the most (\d+) threads, (\d+) processes$", printed, re.M)
    assert reached and int(reached[1]) >= 4000 and int(reached[2]) == PROCESSES, printed


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
def test_no_stretch_of_a_start_or_of_random_bytes_is_long():
    """A machine's first random bytes seed the generator; those of /dev/urandom are asked for 512 at a time."""
    if not os.path.isdir(os.path.join(BUILD, "programs", "root")):
        pytest.skip("no busybox; `make programs` fetches it")
    words = ["busybox", "sh", "-c", "head -c 2000 /dev/urandom | wc -c"]
    longest, printed = run(*words, memory="64M")
    assert printed == "2000\n"
    assert min(longest, run(*words, memory="64M")[0] if longest > AT_MOST else longest) <= AT_MOST
