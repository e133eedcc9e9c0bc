#!/usr/bin/python3
"""coverage.py - which lines and branches of the heart its host tests go through, a line for each file.

    tests/mutants/coverage.py --build build [--layouts "quire pat"] [--room memory|process|layout] [--lines]

Counted by gcov (reach.py) under the given layouts together. Lines of assertions do not count: an assertion's
other branch is never taken.
A line that nothing reaches has its reason in the file `unreached`; those without one are listed with --lines.
"""
import argparse
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from line_changes import Source
from mutants import ROOMS, tell
from reasons import Reasons
import reach

ASSERTION = re.compile(r"\b(?:assert|deep_assert|expect)\(")


def summed(counts, key):
    """{source: {line: times, or branches' times}} over all programs."""
    sums = {}
    for counted in counts.values():
        for path, lines in counted[key].items():
            into = sums.setdefault(path, {})
            for line, count in lines.items():
                before = into.get(int(line))
                if key == "lines":
                    into[int(line)] = (before or 0) + count
                elif before and len(before) == len(count):
                    into[int(line)] = [a + b for a, b in zip(before, count)]
                else:
                    into[int(line)] = count
    return sums


def rows(tree, room, lines, branches, reasons):
    """(path, lines, reached, with a reason, branches, taken, [unreached without a reason]) of each source."""
    for path in sorted(glob.glob(ROOMS[room], root_dir=tree, recursive=True)):
        with open(os.path.join(tree, path)) as file:
            source = Source(path, file.read())
        asserted = {number for number, text in enumerate(source.lines, 1) if ASSERTION.search(text)}
        counted = {line: count for line, count in lines.get(path, {}).items() if line not in asserted}
        missing = [line for line, count in sorted(counted.items()) if count == 0]
        without = [line for line in missing
                   if reasons.of(path, source.function_of(source.starts[line - 1]), source.lines[line - 1]) is None]
        taken = [count > 0 for line, counts in branches.get(path, {}).items() if line not in asserted
                 for count in counts]
        yield (path, len(counted), len(counted) - len(missing), len(missing) - len(without), len(taken), sum(taken),
               [(line, source.lines[line - 1].strip()) for line in without])


def percent(part, whole):
    return f"{100 * part / whole:5.1f} %" if whole else "    - "


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build", help="where the build's output is")
    arguments.add_argument("--layouts", default="quire", help="the layouts whose tests are run")
    arguments.add_argument("--room", choices=[*ROOMS, "all"], default="all")
    arguments.add_argument("--lines", action="store_true", help="name each line without a reason")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    reasons = Reasons(os.path.join(os.path.dirname(os.path.abspath(__file__)), "unreached"), 4)
    lock = reach.only_one(build)
    tree = reach.copy_tree(build)
    goals = ["machine-tests", "tool-tests"]
    counts = {(layout, name): counted for layout in options.layouts.split()
              for name, counted in reach.reached(tree, build, layout, goals, tell).items()}
    lock.close()
    tell("")
    lines, branches = summed(counts, "lines"), summed(counts, "branches")
    for room in ROOMS if options.room == "all" else [options.room]:
        total = [0] * 5
        print(f"{'file':44} {'lines':>6} {'reached':>8} {'reasons':>8} {'branches':>9} {'taken':>8}")
        for path, *figures, without in rows(tree, room, lines, branches, reasons):
            total = [a + b for a, b in zip(total, figures)]
            count, reached, explained, all_branches, taken = figures
            print(f"{path:44} {count:6} {percent(reached, count):>8} {explained:8} {all_branches:9} "
                  f"{percent(taken, all_branches):>8}")
            for line, text in without if options.lines else ():
                print(f"    {line}: {text[:100]}")
        count, reached, explained, all_branches, taken = total
        print(f"{room:44} {count:6} {percent(reached, count):>8} {explained:8} {all_branches:9} "
              f"{percent(taken, all_branches):>8}\n")


if __name__ == "__main__":
    main()
