"""differing.py - how many lines of code there are for one layout alone: those of its folder in layouts/.

Elsewhere a layout's choices show in three headers and the kernel's entry (tests/system/test_house.py), which are not
counted.
"""
import os
import subprocess

SOURCES = ("kernel", "arch/i386", "boot", "layouts")
ENDINGS = (".c", ".h", ".S")


def lines_of(path):
    with open(path) as file:
        return sum(bool(line.strip()) for line in file)


def kind_of(name):
    """What a file of a layout's folder is for."""
    parts = name.split("/")[2:]
    if parts[0] == "tests":
        return "tests"
    return "probes" if parts[-1].startswith(("claims", "mutations")) else "code"


def differing(tree, layouts):
    """([(layout, lines of its document, of code, of probes and mutations, of host tests)], lines of all code)."""
    names = subprocess.run(["git", "ls-files", *SOURCES], cwd=tree, check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    sizes = {name: lines_of(os.path.join(tree, name)) for name in names if name.endswith(ENDINGS)}
    rows = []
    for layout in layouts:
        own = [name for name in sizes if name.startswith(f"layouts/{layout}/")]
        with open(os.path.join(tree, "layouts", layout, "layout.md")) as file:
            document = len(file.read().splitlines())
        rows.append((f"`{layout}`", document, *(sum(sizes[name] for name in own if kind_of(name) == kind)
                                                for kind in ("code", "probes", "tests"))))
    return rows, sum(sizes.values())
