"""Nothing that a program calls, and no instruction of its own, stops the machine or loses memory.

A short run of the fuzzer (tests/calls, docs/fuzzing.md) under a checked kernel, with a seed that is the same each time,
and the findings of longer runs.
"""
import os
import subprocess
import sys

import pytest

CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "calls")
sys.path.insert(0, CALLS)
import fuzz
import oracle

pytestmark = [pytest.mark.needs("calls-programs"), pytest.mark.needs("kernel", "LAYOUT=quire")]
BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(CALLS, "..", "..", "build"))
LEAST = 5000            # calls of a run
SHORT = 12              # seconds
LONGER = 90             # on a slow machine: fewer calls in that time


def run(layout, program, *words, patience=60, flags=""):
    """With the audit: the fuzzer asks for its verdict, and the kernel without an auditor has none to give."""
    return subprocess.run([os.path.join(BUILD, "host", "quire"), "run", "--audit", "--layout", layout,
                           "--timeout", str(patience), os.path.join(BUILD, "calls", program), *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "QUIRE_BUILD": BUILD, "QUIRE_QEMU_FLAGS": flags}, check=False)


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
def test_a_short_attack_finds_nothing():
    for seconds in (SHORT, LONGER):
        attack = fuzz.Run(BUILD, "quire-checked", seconds, 1)
        assert not attack.found, "\n".join(attack.found + attack.lines + [attack.errors[-3000:]])
        if attack.calls > LEAST:
            break
    assert attack.calls > LEAST


def expected():
    with open(os.path.join(CALLS, "findings.expected")) as file:
        return file.read().splitlines()


def test_findings_stay_fixed(layout):
    """What the fuzzer found once, each as a short program: it ends as under Linux."""
    done = run(layout, "findings")
    assert (done.returncode, done.stdout.decode().splitlines()) == (0, expected()), done.stderr.decode(errors="replace")


def test_findings_are_what_linux_does():
    try:
        assert oracle.run(BUILD, os.path.join(BUILD, "calls", "findings"), []) == expected()
    except oracle.Unavailable as error:
        pytest.skip(f"Linux cannot be asked: {error}")


def calls_and_results(text):
    """The first thread's calls with their results, but for results that are the time: time(), times()."""
    lines, timed = [], False
    for line in text.decode(errors="replace").splitlines():
        if line.startswith("0:   = "):
            lines.append("a time" if timed else line)
        elif line.startswith("0: "):
            lines.append(line)
            timed = line.startswith(("0: 13(", "0: 43("))
    return lines


def test_a_seed_repeats_a_batch():
    """One thread's calls depend on nothing but the seed: two runs print the same calls and results. By QEMU's clock of
    instructions, as a timer of its own ends a sleep or does not."""
    flags = "-icount shift=6,sleep=off"
    told  = [calls_and_results(run("quire", "calls", "tell", "12", "0", flags=flags).stdout) for _ in range(2)]
    assert told[0] == told[1] and len(told[0]) > 20


def test_everybody_can_be_killed_at_once():
    """The fuzzer's batches end by kill(-1), which spares only the caller and process 1."""
    done = run("quire", "calls", "1", "3")
    assert done.returncode == 0, done.stdout[-2000:]
