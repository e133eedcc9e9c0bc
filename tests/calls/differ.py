#!/usr/bin/python3
"""differ.py - the same seeds under Quire and under Linux, where results must agree.

    tests/calls/differ.py --build build --count 500 [--seed N] [--layout quire]
    tests/calls/differ.py --build build --tell 17:0-3,9         what both print for one task
    tests/calls/differ.py --build build --seed 1 --count 120 --record tests/calls/differ.expected

Each task of the program (tests/calls/differ/differ.c) is a seed and the operations to keep. Where a difference is one
of tests/calls/exceptions.txt, its operation is left out and both are asked again, so what comes behind it is compared
as well. The first that is new is shrunk to the shortest sequence that shows it.
"""
import argparse
import collections
import errno
import hashlib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import oracle

OPERATIONS = 48
BLOCK = 250             # tasks a machine: an image's words have room for these with all their operations named
ROUNDS = 40             # how often a task is run again without the operations that are excepted
PATIENCE = 300
LARGE = 1000            # tasks; from so many on an exception that is never met is reported


class Exceptions:
    """Differences that are known, with reasons: a pattern of Quire's and Linux's whole line, and why."""

    def __init__(self, path=os.path.join(HERE, "exceptions.txt")):
        self.rules, self.used = [], collections.Counter()
        with open(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith("#"):
                    parts = [part.strip() for part in line.split(" | ")]
                    if len(parts) != 4 or not all(parts):
                        raise SystemExit(f"{path}:{number}: operation | Linux | Quire | reason")
                    self.rules.append((re.compile(parts[0]), re.compile(parts[1]), re.compile(parts[2]), line.strip()))

    def allow(self, linux, quire):
        for operation, theirs, ours, line in self.rules:
            if operation.search(linux) and theirs.search(linux) and ours.search(quire):
                self.used[line] += 1
                return line
        return None

    def unused(self):
        return [line for *_, line in self.rules if not self.used[line]]


def numbers_of(kept):
    """[0, 1, 2, 5] -> 0-2,5"""
    parts = []
    for number in kept:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def word_of(task):
    return f"{task[0]}:{numbers_of(task[1])}"


def named(line):
    """Error numbers as their names."""
    return re.sub(r"= -(\d+)\b", lambda found: "= " + errno.errorcode.get(int(found[1]), found[0]), line)


def tasks_of(lines):
    """What each task printed, its end included."""
    found, current = {}, None
    for line in lines:
        begin = re.fullmatch(r"task (\d+:\S*)", line)
        if begin:
            current = found.setdefault(begin[1], [])
        elif current is not None and line not in ("done", ""):
            current.append(named(line))
    return found


class Machines:
    def __init__(self, build, layout, program="differ"):
        self.build, self.layout = build, layout
        self.program = os.path.join(build, "calls", program)

    def quire(self, words, options=(), kind="", torture=""):
        """In a machine with these options of `quire run`, of a kernel whose layout's name ends in `kind`."""
        command = [os.path.join(self.build, "host", "quire"), "run", "--layout", self.layout + kind, "-m", "256M",
                   "--timeout", str(PATIENCE), *options, self.program, *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False,
                              env={**os.environ, "QUIRE_BUILD": self.build,
                                   **({"QUIRE_KERNEL_WORDS": f"torture={torture}"} if torture else {})})
        lines = done.stdout.decode(errors="replace").splitlines()
        if done.returncode != 0 or lines[-1:] != ["done"]:
            raise SystemExit(f"Quire did not come to its end (status {done.returncode}):\n" + "\n".join(lines[-5:]) +
                             "\n" + done.stderr.decode(errors="replace")[-3000:])
        return tasks_of(lines)

    def linux(self, words):
        lines = oracle.run(self.build, self.program, words)
        if lines[-1:] != ["done"]:
            raise SystemExit("the program did not come to its end under Linux:\n" + "\n".join(lines[-5:]))
        return tasks_of(lines)

    def both(self, tasks):
        """[(task, Linux's lines, Quire's lines)]"""
        answers = []
        for first in range(0, len(tasks), BLOCK):
            words = [word_of(task) for task in tasks[first:first + BLOCK]]
            linux, quire = self.linux(words), self.quire(words)
            answers += [(task, linux.get(word, ["nothing"]), quire.get(word, ["nothing"]))
                        for task, word in zip(tasks[first:first + BLOCK], words)]
        return answers


def first_difference(linux, quire):
    """The two lines that differ first, or None."""
    for theirs, ours in zip(linux + ["nothing"] * len(quire), quire + ["nothing"] * len(linux)):
        if theirs != ours:
            return theirs, ours
    return None


def parts_of(line):
    """The operations of a line, in order; a fork's contains those of its child."""
    return [part.strip() for part in re.split(r"[{}]", line)]


def first_part(theirs, ours):
    """The operation within two different lines that differs first."""
    return next(((a, b) for a, b in zip(parts_of(theirs), parts_of(ours)) if a != b), (theirs, ours))


def number_of(line):
    found = re.match(r"(\d+) ", line)
    return int(found[1]) if found else None


class Comparison:
    first_part = staticmethod(first_part)

    def __init__(self, machines, exceptions, say=print, operations=OPERATIONS):
        self.machines, self.exceptions, self.say = machines, exceptions, say
        self.all = tuple(range(operations))
        self.operations, self.new, self.agreed = 0, [], {}

    def cause(self, linux, quire):
        """The operation to leave out, so that two lines no longer differ."""
        return number_of(linux)

    def excepted(self, linux, quire):
        """Operations whose differences are known, up to the first that is not."""
        numbers = set()
        for lines in zip(linux, quire):
            if lines[0] != lines[1]:
                number = self.cause(*lines)
                if number is None or self.exceptions.allow(*self.first_part(*lines)) is None:
                    break
                numbers.add(number)
        return numbers

    def judge(self, task, linux, quire):
        """The task to ask again, without operations that are excepted; or None: it agrees, or is a finding."""
        difference = first_difference(linux, quire)
        if difference is None:
            self.operations += len(linux)
            self.agreed[word_of(task)] = linux
            return None
        numbers = self.excepted(linux, quire)
        if not numbers:
            self.new.append((task, *difference))
            return None
        return task[0], tuple(kept for kept in task[1] if kept not in numbers)

    def run(self, seeds):
        tasks = [(seed, self.all) for seed in seeds]
        for _ in range(ROUNDS):
            tasks = [again for again in (self.judge(*answer) for answer in self.machines.both(tasks)) if again]
            if not tasks:
                break
        else:
            self.say(f"{len(tasks)} tasks are full of exceptions")

    def differs_alike(self, answer, lines):
        """Whether the first difference of a shorter task is new, and of the same operation."""
        difference = first_difference(answer[1], answer[2])
        return (difference is not None and number_of(difference[0]) == number_of(lines[0]) and
                not self.exceptions.allow(*self.first_part(*difference)))

    def shrink(self, task, *lines):
        """Leaves out halves, quarters and at last single operations, all candidates of a size at once."""
        last = number_of(lines[0])
        kept = [number for number in task[1] if last is None or number <= last]
        size = max(1, len(kept) // 2)
        while True:
            candidates = [(task[0], tuple(kept[:at] + kept[at + size:])) for at in range(0, len(kept), size)
                          if last is None or last not in kept[at:at + size]]
            answers = self.machines.both(candidates) if candidates else []
            shorter = [answer for answer in answers if self.differs_alike(answer, lines)]
            if shorter:
                kept = list(shorter[0][0][1])
            elif size == 1:
                return task[0], tuple(kept)
            else:
                size //= 2


def kinds_of(comparison):
    """One finding of each kind of operation: the shortest words say which."""
    kinds = {}
    for task, *lines in comparison.new:
        linux, quire = comparison.first_part(*lines)
        results = re.findall(r"= \S+", linux)[:1] + re.findall(r"= \S+", quire)[:1]
        name = " ".join([re.sub(r"^\d+ ", "", linux).split(" ")[0], *results])
        kinds.setdefault(name, []).append((task, *lines))
    return kinds


def show(machines, task):
    for _, linux, quire in machines.both([task]):
        for theirs, ours in zip(linux + [""] * len(quire), quire + [""] * len(linux)):
            if theirs or ours:
                print(f"    {theirs}" if theirs == ours else f"  L {theirs}\n  Q {ours}")


def report(comparison, count):
    print(f"{comparison.operations} operations agree; exceptions met: {sum(comparison.exceptions.used.values())}")
    for line, times in comparison.exceptions.used.most_common():
        print(f"  {times} times: {line}")
    if count >= LARGE:
        for line in comparison.exceptions.unused():
            print(f"never met, so it may go: {line}")


def report_new(comparison, most, command, show):
    """Every kind of difference that is new, and the shortest sequences of so many of them."""
    kinds = kinds_of(comparison)
    for name, found in sorted(kinds.items(), key=lambda kind: -len(kind[1])):
        linux, quire = comparison.first_part(*found[0][1:])
        print(f"NEW, {len(found)} times: task {word_of(found[0][0])}\n  L {linux}\n  Q {quire}")
    for found in list(kinds.values())[:most]:
        task = comparison.shrink(*found[0])
        print(f"the shortest: {command} --tell {word_of(task)}")
        show(comparison.machines, task)


def digest(lines):
    """For tests where Linux is not asked."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def task_of(word, operations=OPERATIONS):
    seed, _, kept = word.partition(":")
    numbers = []
    for part in filter(None, kept.split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return int(seed), tuple(numbers or range(operations))


# What one command of this kind has of its own: its name, the word for a task, how many operations one has, its classes,
# how a task is shown and what is recorded of its lines.
Kind = collections.namedtuple("Kind", "command word operations machines comparison exceptions show digest")


def main(kind, description):
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire")
    arguments.add_argument("--count", type=int, default=200)
    arguments.add_argument("--seed", type=lambda text: int(text, 0), default=0, help="the first; 0: by chance")
    arguments.add_argument("--shrink", type=int, default=1, help="how many kinds of new differences are shrunk")
    arguments.add_argument("--record", help=f"a file for the {kind.word}s in which both agree, with digests")
    arguments.add_argument("--tell", help=f"one {kind.word}: what both print")
    options = arguments.parse_args()
    machines = kind.machines(os.path.abspath(options.build), options.layout)
    if options.tell:
        kind.show(machines, task_of(options.tell, kind.operations))
        return 0
    seed = options.seed or int.from_bytes(os.urandom(4), "little") or 1
    print(f"seeds {seed} to {seed + options.count - 1}", flush=True)
    comparison = kind.comparison(machines, kind.exceptions())
    comparison.run(range(seed, seed + options.count))
    report(comparison, options.count)
    if options.record:
        with open(options.record, "w") as file:
            file.writelines(f"{word} {kind.digest(lines)}\n" for word, lines in comparison.agreed.items())
    report_new(comparison, options.shrink, kind.command, kind.show)
    return 1 if comparison.new else 0


if __name__ == "__main__":
    sys.exit(main(Kind("tests/calls/differ.py", "task", OPERATIONS, Machines, Comparison, Exceptions, show, digest),
                  __doc__.splitlines()[0]))
