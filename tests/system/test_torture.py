"""Pages leave, frames move, entries go, allocations fail, and programs notice nothing (docs/torture.md).

A sample: `make torture` does all of it. kernel/process/torture.h has the switches.
"""
import os
import re
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "torture"), os.path.join(HERE, "..", "programs")]
import jobs
import torture

BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(HERE, "..", "..", "build"))
JOBS = {job.name: job for job in jobs.JOBS}

needs_calls = pytest.mark.needs("calls-programs")
needs_checked = pytest.mark.needs("kernel", "CHECKED=1")
needs_quire = pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")


def machine_of(layout):
    machine = torture.Machine(BUILD, layout)
    if not os.path.isdir(machine.root):
        pytest.skip(f"no programs in {machine.root}; `make programs` fetches them")
    jobs.compile_all(machine.root, machine.made)
    return machine


@needs_checked
def test_a_program_notices_no_page_that_leaves_or_moves(layout):
    assert torture.judge_job(machine_of(layout), "evict:2,hand,move:3,tables:9", JOBS["futex"]) is None


@needs_calls
@needs_checked
def test_memory_is_as_linux_left_it_under_every_switch(layout):
    expected = torture.recorded()
    words = [list(expected)[sum(map(ord, layout)) % len(expected)]]         # each layout its own
    switches = "evict:5,hand:3,move:3,tables:9"
    assert torture.judge_trace(torture.Machine(BUILD, layout), switches, words, expected) is None


@needs_checked
def test_what_may_sleep_bears_it_that_others_run(layout):
    """At each place in the kernel where a thread may sleep, another one does run."""
    assert torture.judge_job(machine_of(layout), "switch", JOBS["waiting"]) is None


@needs_quire
def test_no_call_minds_a_frame_that_is_refused_once():
    assert torture.judge_job(machine_of("quire"), "fail:1", JOBS["executes"]) is None


def rows():
    with open(os.path.join(HERE, "..", "calls", "fail", "calls.c")) as file:
        return re.findall(r'^    \{ "([^"]*)"', file.read(), re.M)


@needs_calls
@needs_quire
@pytest.mark.parametrize("row", ["clone, of a thread", "execve", "sendmsg, with a descriptor", "rename, over another",
                                 "mmap2, over the middle", "epoll_ctl, add"])
def test_each_allocation_of_a_call_fails_once(row):
    """With an errno that the call may have, and nothing changed, nothing lost."""
    assert torture.judge_calls(torture.Machine(BUILD, "quire"), rows().index(row), 1) is None


def refused(layout, word):
    done = subprocess.run([os.path.join(BUILD, "host", "quire"), "run", "--layout", layout, "--report", "busybox",
                           "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, "QUIRE_BUILD": BUILD, "QUIRE_KERNEL_WORDS": word})
    return done.returncode, done.stdout + done.stderr


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_a_release_kernel_refuses_the_word():
    status, said = refused("quire", "torture=evict")
    assert status != 0 and "quire: cannot start: torture= is for checked kernels" in said, said


@needs_quire
@pytest.mark.parametrize("word", ["torture=", "torture=evicts", "torture=evict:", "torture=move:0", "torture=fail,"])
def test_a_word_that_is_none_is_refused(word):
    status, said = refused("quire-checked", word)
    assert status != 0 and "quire: cannot start: torture= knows evict" in said, said


@needs_quire
def test_the_switches_do_what_they_say():
    machine = machine_of("quire")
    _, output, errors = machine.run("evict,hand,move,tables,fail:1", "--root", machine.root, "busybox", "cat",
                                    "/proc/quire/torture")
    counts = {word: int(number) for word, number in re.findall(r"^(\w+) (\d+)$", output.decode(), re.M)}
    assert min(counts[word] for word in ("evicted", "cold", "moved", "dropped")) > 5, (output, errors)
    assert counts["failed"] > 0, (output, errors)       # few calls of this program take a frame


@needs_quire
def test_others_run_where_a_thread_may_sleep():
    """Two programs, each with many calls in a turn: what one counts is more than turns that end."""
    machine = machine_of("quire")
    words = ["busybox", "sh", "-c", "busybox find /proc > /dev/null & busybox find /proc > /dev/null; wait; "
             "busybox cat /proc/quire/torture"]
    _, output, errors = machine.run("switch", "--root", machine.root, *words)
    switched = re.search(r"^switched (\d+)$", output.decode(), re.M)
    assert switched and int(switched[1]) > 200, (output, errors)


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_a_kernel_that_only_runs_programs_has_none_of_it():
    with open(os.path.join(BUILD, "quire", "kernel-run.elf"), "rb") as file:
        assert b"torture" not in file.read()
    with open(os.path.join(BUILD, "quire", "kernel-run.map")) as file:
        assert "torture" not in file.read()
