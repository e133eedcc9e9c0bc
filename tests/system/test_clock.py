"""Time: the program's clock beside the host's, how late waits end, and the process that processor time is counted to.

Statements about a clock must not depend on how fast this machine is, or how busy. So the host asks for moments, and
knows by its own clock between which two of its moments each answer lies; and how late waits end is measured under
QEMU's instruction clock, where a nanosecond is an instruction, whatever else this machine does.
"""
import os
import re
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

pytestmark = pytest.mark.needs("kernel", "LAYOUT=quire")

SECONDS = 5             # seconds of each load
BOUND = 0.01            # of the interval: how far the clocks may be apart
ASK = 8                 # times at each end; the answer that took the least counts
LATE = 100_000          # nanoseconds beyond the time asked for
INSTRUCTIONS = "-icount shift=0,sleep=off"
WITHOUT_APIC = "-cpu pentium3,-apic"


@pytest.fixture(scope="module")
def quire(request):
    """quire(program, words ...) begins one in a sandbox."""
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))
    root, made = os.path.join(build, "programs", "root"), os.path.join(build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)

    def begin(program, *words, flags="", options=()):
        return subprocess.Popen([os.path.join(build, "host", "quire"), "run", "--timeout", "120", *options,
                                 os.path.join(made, program), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                env={**os.environ, "QUIRE_BUILD": build, "QUIRE_QEMU_FLAGS": flags})

    return begin


def ask(run):
    """The program's clock now: (host before, program, host after), nanoseconds, of the quickest of a few answers."""
    answers = []
    assert run.stdout.readline() == b"ready\n"
    for _ in range(ASK):
        before = time.monotonic_ns()
        run.stdin.write(b"?")
        run.stdin.flush()
        said = run.stdout.readline()
        after = time.monotonic_ns()
        assert said.strip().isdigit(), said
        answers.append((before, int(said), after))
    run.stdin.write(b".")
    run.stdin.flush()
    return min(answers, key=lambda answer: answer[2] - answer[0])


def apart(begin, end):
    """How far the clocks went apart at least, as a part of the interval; and the interval in seconds."""
    inside, least, most = end[1] - begin[1], end[0] - begin[2], end[2] - begin[0]
    return max(least - inside, inside - most, 0) / least, least / 1e9


# The loads under which a clock that counts ticks loses them, and the memory each needs.
LOADS = [("idle", "128M", ""), ("fork", "600M", ""), ("map", "600M", ""), ("pipe", "128M", ""), ("timers", "128M", ""),
         ("idle", "128M", WITHOUT_APIC), ("timers", "128M", WITHOUT_APIC)]


@pytest.mark.parametrize("load, memory, flags", LOADS, ids=[f"{row[0]}{'-no-apic' * bool(row[2])}" for row in LOADS])
def test_the_clock_goes_with_the_hosts(quire, load, memory, flags):
    """Over seconds of a load, forks of 400 MiB and ten thousand timers among them; and it never steps back."""
    run = quire("clock", load, str(SECONDS), flags=flags, options=["-m", memory])
    begin, end = ask(run), ask(run)
    rest = run.communicate()[0]
    assert (rest, run.returncode) == (b"", 0)
    wrong, interval = apart(begin, end)
    assert interval > SECONDS * (1 - BOUND), "the load ended early"
    assert wrong < BOUND


def lines(run):
    output = run.communicate()[0].decode()
    assert run.returncode == 0, output
    return output.splitlines()


def test_waits_end_when_they_should(quire):
    """Each call that waits, from a nanosecond to 70 ms: not early, and at most 100 us late. An idle machine sleeps."""
    said = lines(quire("waits", "10", flags=INSTRUCTIONS))
    waits = [re.fullmatch(r"(\w+) (\d+) (-?\d+) (-?\d+)", line) for line in said]
    waits = [(m[1], int(m[2]), int(m[3]), int(m[4])) for m in waits if m]
    assert len({wait[0] for wait in waits}) == 11 and len(waits) > 45
    assert [wait for wait in waits if wait[2] < 0] == []
    assert [wait for wait in waits if wait[3] > LATE] == []
    assert float(next(line for line in said if line.startswith("300 sleeps ")).split()[-1]) < 0.35
    assert int(next(line for line in said if line.startswith("interrupts ")).split()[-1]) < 6      # in 100 seconds


@pytest.mark.parametrize("flags", ["", WITHOUT_APIC], ids=["apic", "no-apic"])
def test_waits_end_on_a_machine_with_a_clock_of_its_own(quire, flags):
    """Not early; how late at best depends on the host: a tenth of what a tick would make of it."""
    said = lines(quire("waits", "5", "2000000000", flags=flags))
    waits = [(m[1], int(m[2]), int(m[3])) for m in (re.fullmatch(r"(\w+) (\d+) (-?\d+) -?\d+", line) for line in said)
             if m]
    assert len(waits) > 40
    assert [wait for wait in waits if wait[2] < 0] == []
    assert sorted(wait[2] for wait in waits)[len(waits) // 2] < 1_000_000


def test_the_vdso_says_what_the_calls_say(quire):
    """Right after the clock was set as well: to the year 2000, to just before 2038, and back."""
    said = lines(quire("vdso", "set"))
    told = [line for line in said if line.startswith(("call(CALL_SETTIMEOFDAY,", "told / SECOND"))]
    assert [line.rsplit(" = ")[1] for line in told] == ["0, 0", "1, 0"] * 3
    steps = [line for line in said if line.startswith("steps")]
    assert len(steps) > 6 and [line for line in steps if not line.endswith(" = 0, 0")] == []


def numbers(said, name):
    return [int(word) for word in re.findall(r"\d+", next(line for line in said if line.startswith(name)))]


def test_processor_time_is_counted_to_who_has_it(quire):
    said = lines(quire("turns", flags=INSTRUCTIONS))
    passed, process, thread, usage = numbers(said, "work")
    assert all(0.99 * passed <= time <= passed for time in (process, thread)) and 0.98 * passed <= usage <= passed
    passed, process = numbers(said, "rest")
    assert passed >= 1e9 and process < 1e6
    passed, parent, child, turns = numbers(said, "share")
    turn = 50e6                                         # that one of them may be ahead, and what begins and ends it
    assert abs(parent - child) < 1.5 * turn and 0.95 * passed < parent + child <= passed * 1.01
    assert 2 <= turns <= 3
    assert numbers(said, "alone") == [0]
    up, busy, idle = numbers(said, "machine")
    assert abs(up - busy - idle) < 5 and idle >= 98


def test_the_limit_of_processor_time_needs_no_tick(quire):
    """A signal at the soft limit, the end at the hard one; late by what this machine's own scheduler makes of it."""
    said = lines(quire("turns", "limit"))
    assert 1e9 <= numbers(said, "limit: warned")[0] < 1.5e9
    assert numbers(said, "limit: killed") == [9]
