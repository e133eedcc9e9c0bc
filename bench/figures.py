#!/usr/bin/python3
"""figures.py - every figure of every layout, as Markdown, on standard output.

    bench/figures.py --build build --layouts "higher-half quire"

Claims by verdict (docs/claims.md, which `make test` holds true); what operations cost programs and the
kernel itself, in instructions; sizes; the least memory; and the lines in which layouts differ. Nothing is written
but into temporary folders. It takes some minutes.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import compare
import instructions
import least
from differing import differing
from quire import Machine


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


def number(value):
    return compare.number(value)


def title(text):
    print(f"## {text}\n", flush=True)


# ---- The parts ------------------------------------------------------------------------------------

def claims(_build, _layouts):
    title("Claims")
    with open(os.path.join(TREE, "docs", "claims.md")) as file:
        lines = file.read().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("| Claims | Layout"))
    end = next(n for n in range(start, len(lines)) if not lines[n].startswith("|"))
    print("\n".join(lines[start:end]) + "\n")


def tried(measure, *arguments):
    try:
        return measure(*arguments)
    except compare.Unavailable as error:
        print(f"figures: {arguments[-1]}: {error}", file=sys.stderr)
        return {}


def operations(build, layouts):
    title(f"Instructions for one operation of a program ({compare.MEMORY} MiB, one processor)")
    linux = tried(lambda of: compare.on("linux", of), build)
    ours = [tried(lambda of, layout: compare.on("quire", of, layout=layout), build, layout) for layout in layouts]
    rows = []
    for name, (text, _, goal) in [*compare.ALL.items(), ("boot", ("boot to the first user instruction", None, None))]:
        cells = [number(linux.get(name)), goal or "-"]
        for found in ours:
            ratio = f" ({found[name] / linux[name]:.2f})" if name in found and linux.get(name) else ""
            cells.append(number(found.get(name)) + ratio)
        rows.append([text, *cells])
    table(["Operation", "Linux", "goal", *layouts], rows)


def console(build, layouts):
    title(f"Instructions inside the kernel ({instructions.MEMORY}), and from its first one to its prompt")
    costs, order = {}, ["boot"]
    for layout in layouts:
        kernel = os.path.join(build, layout, "kernel.elf")
        with tempfile.TemporaryDirectory(prefix="quire-") as folder:
            costs["boot", layout] = instructions.boot_instructions(kernel, folder)
            with Machine(kernel=kernel, memory=instructions.MEMORY, log=os.path.join(folder, "log"),
                         icount=True) as machine:
                machine.prompt()
                for name, ticks in instructions.benchmark(machine):
                    costs[name, layout] = ticks
                    if name not in order:
                        order.append(name)
    table(["Operation", *layouts],
          [[name, *(number(costs.get((name, layout))) for layout in layouts)] for name in order])


def sizes(build, layouts):
    title("Sizes, KiB")
    rows = {"file of the kernel that runs programs": [], "kernel in its file, loaded": [], "kernel in memory": [],
            "disk image with a shell": [], "floppy image with a shell": []}
    for layout in layouts:
        memory, image = instructions.loaded_bytes(os.path.join(build, layout, "kernel.elf"))
        runs = os.path.getsize(os.path.join(build, layout, "kernel-run.elf"))
        rows["file of the kernel that runs programs"].append(round(runs / 1024))
        rows["kernel in its file, loaded"].append(round(image / 1024))
        rows["kernel in memory"].append(round(memory / 1024))
        for kind, words in (("disk", []), ("floppy", ["--floppy"])):
            with tempfile.TemporaryDirectory(prefix="quire-") as folder:
                path = os.path.join(folder, "image")
                done = subprocess.run([os.path.join(build, "host", "quire"), "image", "--layout", layout, *words, path],
                                      capture_output=True, text=True,
                                      env={**os.environ, "QUIRE_BUILD": build, "QUIRE_HOME": TREE})
                rows[f"{kind} image with a shell"].append(os.path.getsize(path) // 1024 if done.returncode == 0
                                                          else "refused")
    iso = os.path.join(build, "quire.iso")
    table(["What", *layouts], [[name, *cells] for name, cells in rows.items()])
    print(f"The CD with all of them: {os.path.getsize(iso) // 1024 if os.path.exists(iso) else '-'} KiB\n")


def memory(build, layouts):
    title("Least RAM, KiB (steps of 64)")
    found = [least.least(build, layout) for layout in layouts]
    table(["To", *layouts], [[column[0][0], *(size or "-" for _, size, _ in column)] for column in zip(*found)])


def lines(_, layouts):
    title("Lines for one layout alone")
    rows, whole = differing(TREE, layouts)
    table(["Layout", "document", "code", "probes and mutations", "host tests"], rows)
    print(f"Of {whole} lines of code in kernel/, arch/i386/, boot/ and layouts/; blank ones not counted.\n")


PARTS = {part.__name__: part for part in (claims, operations, console, sizes, memory, lines)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layouts", required=True, help="names of layouts, blanks between them")
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    options = arguments.parse_args()
    for name in options.parts or PARTS:
        PARTS[name](os.path.abspath(options.build), options.layouts.split())


if __name__ == "__main__":
    main()
