#!/usr/bin/python3
"""judge.py - a judge for programming exercises: runs a solution on each test, within a limit of time and memory.

    examples/judge.py [--seconds 2] [--memory 32M] TESTS PROGRAM [ARGUMENT...]

TESTS is a folder of NAME.in and NAME.out. For each test the verdict is a line: accepted, wrong answer, time limit,
memory limit, output limit (a million bytes more than expected), crash; with the most memory that the program had of its
own. The program is sealed: it sees no file of this machine but itself, and no network. The exit status is 0 if all were
accepted, 2 if the program cannot be run.
"""
import argparse
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import quire

MOST = 1000000                          # bytes of output more than the expected ones
OWN = range(119, 128)                   # Quire's statuses, which come with its words; a program may end with them too


class TooMuch(Exception):
    pass


def answer_of(program, given, expected, options):
    """The run's result, or None if its output did not end. What it writes as errors is not kept."""
    output = bytearray()

    def take(part):
        output.extend(part)
        if len(output) > len(expected) + MOST:
            raise TooMuch

    try:
        result = quire.run(program, input=given, output=take, errors=lambda part: None, memory=options.memory,
                           timeout=options.seconds, report=True)
    except TooMuch:
        return None
    result.output = bytes(output)
    return result


def verdict_of(result, expected):
    """None: the program could not be run."""
    if result is None:
        return "output limit"
    own = result.status in OWN and result.words != ""
    if own and result.status == 124:
        return "time limit"
    if own and result.status == 120 or "memory" in " ".join((result.report or {}).get("words", [])):
        return "memory limit"
    if own and result.status != 119:
        return None
    if own or result.status > 128:
        return f"crash (status {result.status})"
    if result.status != 0:
        return f"failed with status {result.status}"
    return "accepted" if result.output.split() == expected.split() else "wrong answer"


def not_run(why):
    print(f"judge: {why}", file=sys.stderr)
    return 2


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seconds", type=float, default=2)
    words.add_argument("--memory", default="32M")
    words.add_argument("tests")
    words.add_argument("program", nargs=argparse.REMAINDER)
    options = words.parse_args()
    tests = sorted(glob.glob(os.path.join(options.tests, "*.in")))
    if not tests or not options.program:
        words.error("there must be tests, and a program")
    good = True
    for test in tests:
        try:
            with open(test, "rb") as given, open(test[:-3] + ".out", "rb") as file:
                expected = file.read()
                result = answer_of(options.program, given, expected, options)
        except (OSError, quire.Error) as error:
            return not_run(error)
        verdict = verdict_of(result, expected)
        if verdict is None:
            return not_run(result.words)
        report = result and result.report or {}
        most = report.get("memory", {}).get("user", {}).get("peak", {}).get("kib")
        print(f"{os.path.basename(test)[:-3]:12} {verdict:24} {f'{most} KiB' if most is not None else ''}")
        good &= verdict == "accepted"
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
