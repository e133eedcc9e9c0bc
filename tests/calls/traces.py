#!/usr/bin/python3
"""traces.py - random programs of memory operations under Linux, and under Quire in several ways: with pages sent out.

    tests/calls/traces.py --build build --count 1000 [--seed N] [--layout quire]
    tests/calls/traces.py --build build --tell 17:0-3,9         what both print for one trace
    tests/calls/traces.py --build build --seed 1 --count 100 --record tests/calls/traces.expected

A trace is a task of tests/calls/traces/traces.c, and is compared as those of differ.py are: step by step, a step with
what all pages show after it and with the regions. Known differences are in traces-exceptions.txt.

Linux is asked once. Quire is asked in each of the WAYS: as it is, with all pages sent out after each step, the same
with a device to swap to, and with a checked kernel that lets pages go, moves frames and drops entries between any two
instructions (docs/torture.md).
"""
import collections
import hashlib
import itertools
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import differ

STEPS = 40
LOOKS = ("shows", "maps")
BETWEEN = " | "


def steps_of(lines):
    """A line for each step: its operation, what pages show, regions, and all that its children tell."""
    steps = []
    for number, group in itertools.groupby(lines, lambda line: line.split(" ", 1)[0]):
        parts = [line.partition(" ")[2] for line in group]
        steps.append(f"{number} " + BETWEEN.join(parts))
    return steps


def is_look(part):
    return re.sub(r"^\d+>+ ", "", part).split(" ")[0] in LOOKS


def first_part(theirs, ours):
    """What differs first in a step, behind the operation that it follows."""
    operation = ""
    for linux, quire in zip(parts_of(theirs), parts_of(ours)):
        if linux != quire:
            looks = is_look(linux) or is_look(quire)
            return (operation + BETWEEN + linux, operation + BETWEEN + quire) if looks else (linux, quire)
        if not is_look(linux):
            operation = linux
    longer = max(parts_of(theirs), parts_of(ours), key=len)
    last = longer[min(len(parts_of(theirs)), len(parts_of(ours)))]
    linux, quire = (last, "nothing") if longer == parts_of(theirs) else ("nothing", last)
    return operation + BETWEEN + linux, operation + BETWEEN + quire


def parts_of(step):
    return step.partition(" ")[2].split(BETWEEN)


def cause_of(step, part):
    """The step to leave out so that a part is not told: its own, or the fork that made the child that tells it."""
    fork = re.match(r"(\d+)>+ ", part)
    return int(fork[1]) if fork else differ.number_of(step)


# How Quire is asked: the program's mode, options of `quire run`, the end of the layout's name, a checked kernel's word.
Way = collections.namedtuple("Way", "mode options kind torture", defaults=("in", (), "", ""))
WAYS = {"in": Way(), "out": Way("out"), "device": Way("out", ("--swap", "64M")),
        "tortured": Way("in", ("--swap", "64M"), "-checked", "evict:20,hand:10,move:30,tables:100")}

# Pages that were out after each step, summed up over all steps (traces.h).
Sent = collections.namedtuple("Sent", "steps private shared device", defaults=(0, 0, 0, 0))


def split_sent(lines):
    """The steps' lines, and what was sent out."""
    sent = [list(map(int, line.split()[1:])) for line in lines if line.startswith("sent ")]
    return [line for line in lines if not line.startswith("sent ")], Sent(*map(sum, zip(*sent)))


class Machines(differ.Machines):
    """Quire in several ways: its answer is that of the first way that disagrees with Linux."""

    def __init__(self, build, layout):
        super().__init__(build, layout, "traces")
        self.sent = collections.Counter()               # by way and place: pages, summed up over steps

    def linux(self, words):
        return {word: steps_of(lines) for word, lines in super().linux(words).items()}

    def quire(self, words, way="in"):
        mode, *how = WAYS[way]
        answers = {}
        for word, lines in super().quire([mode, *words], *how).items():
            lines, sent = split_sent(lines)
            answers[word] = steps_of(lines)
            self.sent.update({(way, place): number for place, number in sent._asdict().items()})
        return answers

    def both(self, tasks):
        answers = []
        for first in range(0, len(tasks), differ.BLOCK):
            words = [differ.word_of(task) for task in tasks[first:first + differ.BLOCK]]
            linux = self.linux(words)
            ways = [self.quire(words, way) for way in WAYS]
            for task, word in zip(tasks[first:first + differ.BLOCK], words):
                theirs, ours = linux.get(word, ["nothing"]), [way.get(word, ["nothing"]) for way in ways]
                answers.append((task, theirs, next((steps for steps in ours if steps != theirs), theirs)))
        return answers


class Comparison(differ.Comparison):
    first_part = staticmethod(first_part)

    def __init__(self, machines, exceptions, say=print):
        super().__init__(machines, exceptions, say, STEPS)

    def cause(self, linux, quire):
        return cause_of(linux, first_part(linux, quire)[0].rpartition(BETWEEN)[2])

    def left_out(self, linux):
        """Steps that are never compared."""
        return {cause_of(step, part) for step in linux for part in parts_of(step) if self.exceptions.always(part)}

    def judge(self, task, linux, quire):
        numbers = self.left_out(linux) & set(task[1])
        if numbers:
            return task[0], tuple(kept for kept in task[1] if kept not in numbers)
        return super().judge(task, linux, quire)


def digests(steps):
    """Four digits for each step, with all before it: so that without Linux the step is known that differs."""
    sum_, text = hashlib.sha256(), ""
    for step in steps:
        sum_.update(step.encode() + b"\n")
        text += sum_.hexdigest()[:4]
    return text


def first_wrong(steps, expected):
    """The first step whose digest is not as recorded, or None."""
    found = digests(steps)
    for at in range(0, max(len(found), len(expected)), 4):
        if found[at:at + 4] != expected[at:at + 4]:
            return steps[at // 4] if at // 4 < len(steps) else "the end"
    return None


class Exceptions(differ.Exceptions):
    """A rule whose two answers are the word `always` leaves out each step that it matches, whatever it tells."""

    def __init__(self, path=os.path.join(HERE, "traces-exceptions.txt")):
        super().__init__(path)
        self.always_rules = [rule for rule in self.rules if rule[1].pattern == rule[2].pattern == "always"]

    def always(self, part):
        for operation, *_, line in self.always_rules:
            if operation.search(part):
                self.used[line] += 1
                return line
        return None


def show(machines, task):
    """Both answers, part by part; those of Quire are the ones that differ."""
    for _, linux, quire in machines.both([task]):
        for theirs, ours in itertools.zip_longest(linux, quire, fillvalue=""):
            for a, b in itertools.zip_longest(theirs.split(BETWEEN), ours.split(BETWEEN), fillvalue=""):
                print(f"    {a}" if a == b else f"  L {a}\n  Q {b}")


if __name__ == "__main__":
    sys.exit(differ.main(differ.Kind("tests/calls/traces.py", "trace", STEPS, Machines, Comparison, Exceptions, show,
                                     digests), __doc__.splitlines()[0]))
