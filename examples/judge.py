#!/usr/bin/python3
"""judge.py - a judge for programming exercises: runs a solution on each test, within a limit of time and memory.

    examples/judge.py [--seconds 2] [--memory 32M] TESTS PROGRAM [ARGUMENT...]

TESTS is a folder of NAME.in and NAME.out. For each test the verdict is a line: accepted, wrong answer, time limit,
memory limit, crash; with the most memory that the program had of its own. The program is sealed: it sees no file of
this machine but itself, and no network. The exit status is 0 if all were accepted.
"""
import argparse
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import quire


def verdict_of(result, expected):
    if result.status == 124:
        return "time limit"
    if result.status == 120 or "memory" in " ".join((result.report or {}).get("words", [])):
        return "memory limit"
    if result.status >= 119:
        return f"crash (status {result.status})"
    if result.status != 0:
        return f"failed with status {result.status}"
    return "accepted" if result.output.split() == expected.split() else "wrong answer"


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
        with open(test, "rb") as given, open(test[:-3] + ".out", "rb") as expected:
            result = quire.run(options.program, input=given, memory=options.memory, timeout=options.seconds,
                               report=True)
            verdict = verdict_of(result, expected.read())
        most = (result.report or {}).get("memory", {}).get("user", {}).get("peak", {}).get("kib")
        print(f"{os.path.basename(test)[:-3]:12} {verdict:24} {f'{most} KiB' if most is not None else ''}")
        good &= verdict == "accepted"
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
