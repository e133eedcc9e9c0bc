"""differing.py - which lines of the kernel's sources are for some layouts only.

A layout shows in the sources as a condition on a constant of its layout.h (#ifdef LAYOUT_ACCESS_WINDOW). Each source
that git knows is read once for each layout, with those conditions decided and all others taken as true in every branch.
"""
import os
import re
import subprocess

SOURCES = ("kernel", "arch/i386", "boot")
DIRECTIVE = re.compile(r"^\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b\s*(.*?)\s*(?:/[/*].*)?$")


def constants(build, layout):
    """LAYOUT_* -> value, as text."""
    with open(os.path.join(build, layout, "layout", "layout.h")) as file:
        return dict(re.findall(r"^#define (LAYOUT_\w+) +(.*)$", file.read(), re.M))


def decide(word, condition, known):
    """True, False, or None when it is no question of layout."""
    if "LAYOUT_" not in condition or re.search(r"LAYOUT_H\b", condition):
        return None
    if word == "ifdef":
        return condition in known
    if word == "ifndef":
        return condition not in known
    text = re.sub(r"defined\s*\(?\s*(\w+)\s*\)?", lambda match: str(match[1] in known), condition)
    text = re.sub(r"\bLAYOUT_\w+", lambda match: known.get(match[0], "0"), text)
    text = re.sub(r"!(?!=)", " not ", text.replace("&&", " and ").replace("||", " or "))
    return bool(eval(text, {"__builtins__": {}}))       # our own sources; what is no expression stops the count


def active(lines, known):
    """The numbers of the lines that this layout compiles; directives belong to nobody."""
    found, stack = set(), []                            # stack: [this branch, an earlier branch was it]
    for number, line in enumerate(lines):
        match = DIRECTIVE.match(line)
        if not match:
            if line.strip() and all(branch is not False for branch, _ in stack):
                found.add(number)
            continue
        word, condition = match.groups()
        if word in ("if", "ifdef", "ifndef"):
            decided = decide(word, condition, known)
            stack.append([decided, decided])
        elif word == "endif":
            stack.pop()
        elif stack[-1][1] is not None:                  # else, elif of a question of layout
            taken = stack[-1][1]
            here = not taken and (word == "else" or decide("if", condition, known) is not False)
            stack[-1] = [here, taken or here]
    return found


def differing(tree, build, layouts):
    """([(layout, lines of its document, of code only here, of probes only here, of code of some)], lines of all
    code)."""
    names = subprocess.run(["git", "ls-files", *SOURCES], cwd=tree, check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    known = {layout: constants(build, layout) for layout in layouts}
    alone, probes, some = dict.fromkeys(layouts, 0), dict.fromkeys(layouts, 0), dict.fromkeys(layouts, 0)
    whole = 0

    for name in names:
        if not name.endswith((".c", ".h", ".S")):
            continue
        with open(os.path.join(tree, name)) as file:
            lines = file.read().splitlines()
        per_layout = {layout: active(lines, known[layout]) for layout in layouts}
        whole += sum(bool(line.strip()) for line in lines)
        for number in set().union(*per_layout.values()):
            who = [layout for layout in layouts if number in per_layout[layout]]
            if len(who) == len(layouts):
                continue
            for layout in who:
                if len(who) > 1:
                    some[layout] += 1
                elif name.startswith("kernel/claims/"):
                    probes[layout] += 1
                else:
                    alone[layout] += 1
    rows = []
    for layout in layouts:
        with open(os.path.join(tree, "layouts", layout + ".md")) as file:
            document = len(file.read().splitlines())
        rows.append((f"`{layout}`", document, alone[layout], probes[layout], some[layout]))
    return rows, whole
