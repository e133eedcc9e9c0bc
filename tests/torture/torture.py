#!/usr/bin/python3
"""torture.py - the program ring, random memory and failing calls, while a checked kernel has pages leave all the time.

    tests/torture/torture.py --build build --layouts "quire pat" [--seconds 600] [--only evict] [--seed N]

docs/torture.md explains the switches. Everything that can be run under each layout and switch is run once; with
--seconds, as much of it as that time allows, in an order by chance.
"""
import argparse
import collections
import os
import random
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(HERE, "..", "..")
sys.path[:0] = [os.path.join(HERE, "..", "programs"), os.path.join(HERE, "..", "calls")]
import jobs
import traces

PATIENCE = 400
SWITCHES = ("evict", "evict:3,move:2", "hand", "hand:3,evict:5", "move", "tables", "tables:5,evict:2", "switch",
            "switch:3,evict:5", "fail:1", "fail:2", "fail:4")
TINY = "tiny"                   # no switch: the least memory that the program can do with
LEAST, MOST = 4096, 512 * 1024  # KiB

# What a switch changes on purpose, and programs tell: which of their pages are in memory, and how often they faulted.
TELL_PAGES = {"told": "tells pages in memory and faults", "locked": "tells pages in memory",
              "mappings": "tells pages in memory", "machine": "tells free memory",
              "processes": "tells the most pages it had in memory",
              "vanishing": "has moments in which a child must do its part"}
WHERE = re.compile("evict|hand|tables|move")
# The same of turns that end elsewhere.
TELL_TURNS = {"prompt": "reads a count and sends a signal, with no step of the counter's between",
              "limited": "another one computes for a turn at each of 160 000 pages"}
TURNS = re.compile("switch")

Verdict = collections.namedtuple("Verdict", "what found seconds")


class Machine:
    def __init__(self, build, layout, made=None):
        self.build, self.layout = build, layout
        self.root = os.path.join(build, "programs", "root")
        self.made = made or os.path.join(build, "programs", "made")

    def environment(self, switches):
        words = f"torture={switches}" if switches and switches != TINY else ""
        return {**os.environ, "QUIRE_BUILD": self.build, "QUIRE_KERNEL_WORDS": words}

    def run(self, switches, *words):
        """(status, output, errors with the kernel's report)"""
        done = subprocess.run([os.path.join(self.build, "host", "quire"), "run", "--layout", self.layout + "-checked",
                               "--report", "--timeout", str(PATIENCE), *words], stdin=subprocess.DEVNULL,
                              capture_output=True, env=self.environment(switches), check=False)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def complaint_of(errors):
    """What the kernel says of itself that it should not, or None."""
    if re.findall(r"^audit: (\w+)", errors, re.M) != ["clean"]:
        return "no clean audit"
    found = re.search(r"panic: .*|.* (?:double free|written after it was free|free of what).*", errors)
    return found[0] if found else None


def judge_job(machine, switches, job):
    """None, or what is wrong."""
    words = jobs.words_of(job, machine.root, machine.made)
    status, output, errors = machine.run(switches, *words)
    wanted = jobs.expected(job)[0]
    if complaint := complaint_of(errors):
        return f"{complaint} (status {status}): {errors[-1500:]}"
    if status != job.status:
        return f"status {status}, wanted {job.status}: {errors[-700:]}"
    if output != wanted:
        ours, theirs = output.decode(errors="replace").splitlines(), wanted.decode(errors="replace").splitlines()
        lines = [f"{a!r}, wanted {b!r}" for a, b in zip(ours + [""] * len(theirs), theirs + [""] * len(ours)) if a != b]
        return "it printed " + (lines or ["other ends of lines"])[0]
    return None


def judge_tiny(machine, job):
    """With less and less memory a program may be refused, or killed for want of it, and nothing else."""
    memory = LEAST
    while memory < MOST:
        words = jobs.words_of(job._replace(memory=f"{memory}K"), machine.root, machine.made)
        status, output, errors = machine.run("", *words)
        if status == job.status and output == jobs.expected(job)[0]:
            return complaint_of(errors)
        if re.search(r"panic: |double free|written after it was free", errors):
            return f"with {memory} KiB: {errors[-1500:]}"
        memory = memory * 5 // 4 // 4 * 4
    return "it never has enough memory"


def judge_trace(machine, switches, words, expected):
    os.environ["QUIRE_KERNEL_WORDS"] = f"torture={switches}"
    try:
        answers = traces.Machines(machine.build, machine.layout + "-checked").quire(words)
    except SystemExit as end:
        return str(end)
    finally:
        del os.environ["QUIRE_KERNEL_WORDS"]
    wrong = {word: traces.first_wrong(answers.get(word, ["nothing"]), expected[word]) for word in words}
    wrong = {word: step for word, step in wrong.items() if step is not None}
    return "; ".join(f"trace {word}: {step}" for word, step in wrong.items()) or None


def judge_calls(machine, first, count):
    program = os.path.join(machine.build, "calls", "fail")
    status, output, errors = machine.run("fail", program, str(first), str(count))
    lines = output.decode(errors="replace").splitlines()
    found = [line for line in lines if line.startswith("FOUND")]
    if status != 0 or found:
        return "\n".join(found[:20]) or f"status {status}: {lines[-1:]} {errors[-1500:]}"
    return complaint_of(errors)


def recorded():
    with open(os.path.join(TREE, "tests", "calls", "traces.expected")) as file:
        return dict(line.split() for line in file)


def call_count():
    with open(os.path.join(TREE, "tests", "calls", "fail", "calls.c")) as file:
        return len(re.findall(r"^    \{ \"", file.read(), re.M))


def all_of(machine, only):
    """(name, function that judges) of everything there is for a layout."""
    expected = recorded()
    words = list(expected)
    for switches in SWITCHES:
        if only and only not in switches:
            continue
        for job in jobs.JOBS:
            if (WHERE.search(switches) and job.name in TELL_PAGES) or \
                    (TURNS.search(switches) and job.name in TELL_TURNS):
                continue
            yield f"{switches} {job.name}", lambda s=switches, j=job: judge_job(machine, s, j)
        for first in range(0, len(words), 8):
            some = words[first:first + 8]
            yield f"{switches} traces {some[0]}..", lambda s=switches, w=some: judge_trace(machine, s, w, expected)
    if not only or only in TINY:
        for job in jobs.JOBS:
            yield f"{TINY} {job.name}", lambda j=job: judge_tiny(machine, j)
    if not only or only in "calls":
        for first in range(0, call_count(), 20):
            yield f"calls {first}..", lambda f=first: judge_calls(machine, f, 20)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layouts", default="quire")
    arguments.add_argument("--seconds", type=float, default=0, help="0: everything once")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--only", default="", help="of this switch: evict, hand, move, tables, switch, fail, tiny, "
                                                      "calls")
    arguments.add_argument("--made", help="where the compiled programs of the ring are")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    work = []
    for layout in options.layouts.split():
        machine = Machine(build, layout, options.made)
        if not options.made:
            jobs.compile_all(machine.root, machine.made)
        work += [(f"{layout}: {name}", judge) for name, judge in all_of(machine, options.only)]
    if options.seconds:
        print(f"seed {seed}", flush=True)
        random.Random(seed).shuffle(work)
    begin, done, found = time.monotonic(), 0, 0
    for name, judge in work:
        if options.seconds and time.monotonic() - begin > options.seconds:
            break
        wrong = judge()
        done += 1
        if wrong:
            found += 1
            print(f"FOUND {name}: {wrong}", flush=True)
    print(f"{done} of {len(work)} done, {found} found, {time.monotonic() - begin:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
