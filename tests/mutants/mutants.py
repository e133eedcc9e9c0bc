#!/usr/bin/python3
"""mutants.py - one change of one line at a time, and the host tests must notice.

    tests/mutants/mutants.py --build build [--room memory|process|layout] [--count 100] [--seed N] [--where WORD]

A change (line_changes.py) is made in a copy of the tree (BUILD/mutants/.tree); the source is compiled with the flags
of the host tests, and of the test programs those that go through the changed line (reach.py) are linked with it and
run, the nearest by name first, until one fails or its time is over. What does not compile, and what compiles to the
same code, does not count; neither does what `meaningless` lists, each with its reason. The same seed makes the same
changes of the same tree.
"""
import argparse
import fnmatch
import glob
import json
import os
import random
import re
import resource
import shlex
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from line_changes import Source
from reasons import Reasons
import reach

ROOMS = {"memory": "kernel/memory/**/*.c", "process": "kernel/process/*.c", "layout": "tools/layout/*.c"}
PATIENCE = 2                # seconds of a processor, and ten times what the program takes without sanitizers
SLEEPS = 20                 # seconds that may pass while the program gets no processor


def tell(words):
    """Print the progress: one line that is written over on a terminal; elsewhere each tenth change."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words[:118]}", end="", file=sys.stderr, flush=True)
    elif re.match(r"\w+: \d*0 of ", words) and tell.last != words.split(";")[0]:
        tell.last = words.split(";")[0]
        print(tell.last, file=sys.stderr, flush=True)


tell.last = ""


# ---- Changes without meaning --------------------------------------------------------------------------

def meaning_of_changes():
    """The list `meaningless`: between the text of the line and the reason stands a kind, or `before → after`. The
    text of a lone `continue` or `break` has the line before in front of it."""
    return Reasons(os.path.join(os.path.dirname(os.path.abspath(__file__)), "meaningless"), 5)


def reason_for(meaningless, change):
    return meaningless.of(change.path, change.function, change.known_as,
                          (change.kind, f"{change.before.strip()} → {change.after.strip()}".strip()))


# ---- A copy of the tree, and programs with one object changed ------------------------------------------

class Workshop:
    """Sources, commands and objects of the host tests: those of the tree, and a copy to change."""

    def __init__(self, build, layout, goals):
        self.folder = os.path.join(os.path.abspath(build), "mutants")
        self.build, self.layout = os.path.join(self.folder, "built"), layout
        tell("building the tests")
        self.copy = reach.copy_tree(os.path.abspath(build))
        reach.make(self.copy, self.build, layout, *goals)
        self.port = os.path.join(self.build, "objects", "port")
        self.port_layout = os.path.join(self.build, layout, "port")
        self.tools = os.path.join(self.build, "objects", "host-checked")
        archive, named = os.path.join(self.port_layout, "machine.a"), ""
        if os.path.exists(archive):
            named = subprocess.run(["ar", "t", archive], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.members = [os.path.normpath(os.path.join(self.copy, name)) for name in named.split()]
        self.compiler = sorted(glob.glob(f"{self.tools}/tools/layout/*.o"))
        self.programs = reach.tests_of(self.build, layout)
        gold = subprocess.run(["gcc", "-fuse-ld=gold", "-Wl,--version"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0
        self.linker = ["-fuse-ld=gold"] if gold else []         # takes half the time of the other compiler
        self.environment = {**os.environ, "ASAN_OPTIONS": "symbolize=0", "UBSAN_OPTIONS": "symbolize=0",
                            "CCACHE_DISABLE": "1"}

    def object_of(self, source):
        """(object, folder with its command) of a source in the tree, or None where no host test is made of it."""
        for folder in (self.port_layout, self.port, self.tools):
            path = os.path.join(folder, source + ".o")
            if path in self.members or path in self.compiler or (source.endswith(".c") and "/test_" in source
                                                                  and os.path.exists(path)):
                return path, folder
        return None

    def command(self, folder):
        with open(os.path.join(folder, "flags")) as file:
            words = shlex.split(file.read())
        return words

    def compile(self, folder, source, to, *more):
        os.makedirs(os.path.dirname(to), exist_ok=True)
        return subprocess.run([*self.command(folder), *more, "-c", "-o", to, source], cwd=self.copy,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=self.environment, check=False).returncode == 0

    def includes(self, program, source):
        """Whether a test's own object was made of the source as well."""
        path = self.test_object(program)[0]
        with open(path[:-2] + ".d") as file:
            return f" {source} " in file.read().replace("\n", " ").replace("\\", " ") + " "

    def test_object(self, program):
        for source in (f"tests/host/{program}.c", *glob.glob(f"layouts/*/tests/{program}.c", root_dir=self.copy)):
            found = self.object_of(source)
            if found:
                return (*found, source)
        raise SystemExit(f"no object of {program}")

    def run(self, path, patience):
        """None when the program passes, else why it failed."""
        def limits():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (int(patience) + 1, int(patience) + 2))
            os.setsid()
        process = subprocess.Popen([path], cwd=self.copy, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=self.environment, preexec_fn=limits)
        try:
            status = process.wait(timeout=SLEEPS + 10 * patience)
            return None if status == 0 else "time" if status == -signal.SIGXCPU else f"status {status}"
        except subprocess.TimeoutExpired:
            return "time"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


class Changed:
    """One change, made in the copy: what is compiled of it, and the programs."""

    def __init__(self, shop, source, change):
        self.shop, self.change = shop, change
        self.path = os.path.join(shop.copy, change.path)
        with open(self.path, "w") as file:
            file.write(source.changed(change))
        self.original, self.found = source.text, shop.object_of(change.path)
        self.object = os.path.join(shop.folder, "changed.o")
        self.archive = None

    def restore(self):
        with open(self.path, "w") as file:
            file.write(self.original)

    def compiles(self):
        """Sources that no test is made of are compiled all the same: what no compiler takes does not count."""
        folder = self.found[1] if self.found else self.shop.port_layout
        return self.shop.compile(folder, self.change.path, self.object)

    def same_code(self):
        """Whether an optimising compiler makes the same of both."""
        folder, plain = self.found[1] if self.found else self.shop.port_layout, []
        more = ["-O2", "-g0", "-fno-sanitize=all"]
        for text in (None, self.original):
            if text is not None:
                self.restore()
            to = os.path.join(self.shop.folder, "same.o")
            if not self.shop.compile(folder, self.change.path, to, *more):
                return False
            with open(to, "rb") as file:
                plain.append(file.read())
        return plain[0] == plain[1]

    def link(self, program):
        """The program with the change in it: its path, or None where it cannot be compiled with it."""
        shop = self.shop
        own, folder, source = shop.test_object(program)
        if shop.includes(program, self.change.path):
            to = os.path.join(shop.folder, "own.o")
            if not shop.compile(folder, source, to):
                return None
            own = to
        path = os.path.join(shop.folder, program)
        objects = [self.object if self.found and member == self.found[0] else member
                   for member in (shop.compiler if folder == shop.tools else shop.members)]
        if folder != shop.tools:
            if self.archive is None:
                self.archive = os.path.join(shop.folder, "changed.a")
                if os.path.exists(self.archive):
                    os.unlink(self.archive)
                subprocess.run(["ar", "rcsTD", self.archive, *objects], check=True)
            objects = [self.archive]
        subprocess.run([*shop.command(folder), *shop.linker, *([] if folder == shop.tools else ["-no-pie"]), "-o", path,
                        own, *objects, "-lcmocka"], cwd=shop.copy, check=True, env=shop.environment)
        return path


# ---- Which tests -------------------------------------------------------------------------------------

def words_of(path):
    """The words of a file's name, of one and of many alike: test_signals is near to signal.c."""
    words = re.sub(r"\.c$", "", os.path.basename(path)).replace("test_", "").split("_")
    return {re.sub(r"(?<=[a-z]{3})(?:(?<=x)e)?s$", "", word) for word in words}


class Reach:
    """Which programs go through a line. A line without code of its own, a table or the rest of a statement, counts as
    the nearest before it and behind it that have some."""

    def __init__(self, tree, build, layout, goals):
        counts = reach.reached(tree, os.path.abspath(build), layout, goals, tell)
        self.seconds = {name: counted["seconds"] for name, counted in counts.items()}
        self.programs = {name: {path: {int(line): count for line, count in lines.items()}
                                for path, lines in counted["lines"].items()}
                         for name, counted in counts.items()}

    def of(self, path, line):
        through = set()
        for name, files in self.programs.items():
            lines = files.get(path)
            if not lines:
                continue
            if line in lines:
                near = [line]
            else:
                near = [max((n for n in lines if n < line), default=None), min((n for n in lines if n > line),
                                                                              default=None)]
            if any(lines[n] for n in near if n is not None):
                through.add(name)
        return through


def order(change, programs, seconds):
    """Programs in order: the nearest by name, then the quickest."""
    wanted = words_of(change.path)
    return sorted(programs, key=lambda name: (-len(wanted & words_of(name)), seconds.get(name, 0)))


# ---- The run ----------------------------------------------------------------------------------------

def noticed(shop, through, source, change, chosen):
    """("noticed", by which program), ("survived", why), ("refused", ""), ("same", "")."""
    made = Changed(shop, source, change)
    try:
        if not made.compiles():
            return "refused", ""
        programs = chosen or sorted(through.of(change.path, change.line))
        seconds  = through.seconds if through else {}
        for program in order(change, programs, seconds):
            path = made.link(program)
            if path is None:
                return "refused", ""
            died = shop.run(path, PATIENCE + 10 * seconds.get(program, 1))
            os.unlink(path)
            if died:
                return "noticed", f"{program}: {died}"
        if made.same_code():
            return "same", ""
        return "survived", f"{len(programs)} programs go there" if programs else "no test goes there"
    finally:
        made.restore()


def sources_of(tree, room, where):
    for path in sorted(glob.glob(ROOMS[room], root_dir=tree, recursive=True)):
        if where in path:
            with open(os.path.join(tree, path)) as file:
                yield Source(path, file.read())


def drawn(sources, seed, room, meaningless):
    """Changes by chance: first a line, then a kind that it has, then one of that kind; none twice."""
    lines, of = {}, {}
    for source in sources:
        of[source.path] = source
        for change in source.changes():
            if reason_for(meaningless, change) is None:
                lines.setdefault((change.path, change.line), {}).setdefault(change.kind, []).append(change)
    chance = random.Random(f"{seed} {room}")
    keys = sorted(lines)
    while keys:
        at = chance.randrange(len(keys))
        kinds = lines[keys[at]]
        kind = chance.choice(sorted(kinds))
        change = kinds[kind].pop(chance.randrange(len(kinds[kind])))
        if not kinds[kind]:
            del kinds[kind]
        if not kinds:
            keys.pop(at)
        yield of[change.path], change


def again(sources, path):
    """The changes that an earlier run left unnoticed, where their lines still stand."""
    with open(path) as file:
        wanted = [tuple(key) for key in json.load(file)]
    for source in sources:
        for change in source.changes():
            if tuple(change.key()) in wanted:
                yield source, change


def written(sources, path):
    """Changes of a file of one's own: `path | text | what it becomes`; a text that is there several times is changed
    where it is first. ⏎ is the end of a line, `\\|` a bar."""
    of = {source.path: source for source in sources}
    with open(path) as file:
        for line in file:
            parts = [part.replace("\0", "|").replace("⏎", "\n")
                     for part in line.rstrip("\n").replace("\\|", "\0").split(" | ")]
            if line.startswith("#") or not line.strip() or parts[0] not in of:
                continue
            if len(parts) != 3 or parts[1] not in of[parts[0]].text:
                raise SystemExit(f"{path}: not three parts, or there is no such text: {line.strip()}")
            source = of[parts[0]]
            start = source.text.index(parts[1])
            yield source, source.change(start, start + len(parts[1]), parts[2], "written")


def sample(options, shop, through, room):
    meaningless = meaning_of_changes()
    sources = list(sources_of(shop.copy, room, options.where))
    changes = (again(sources, options.again) if options.again else written(sources, options.changes)
               if options.changes else drawn(sources, options.seed, room, meaningless))
    score, left, begin = dict.fromkeys(("noticed", "survived", "refused", "same"), 0), [], time.monotonic()
    for source, change in changes:
        if score["noticed"] + score["survived"] >= options.count:
            break
        tell(f"{room}: {score['noticed'] + score['survived']} of {options.count}, {score['noticed']} noticed; now "
             f"{change.path}:{change.line}")
        how, why = noticed(shop, through, source, change, options.tests)
        score[how] += 1
        if how == "survived":
            left.append(change.key())
            tell("")
            print(f"{change}    ({change.kind} in {change.function or 'no function'}; {why})", flush=True)
        elif options.loud:
            print(f"    {how} {why}: {change}", flush=True)
    tell("")
    kept = os.path.join(shop.folder, f"{room}-{options.seed}.json")
    with open(kept, "w") as file:
        json.dump(left, file)
    print(f"{room}, seed {options.seed}: {score['noticed']} of {score['noticed'] + score['survived']} noticed; "
          f"{score['refused']} more did not compile, {score['same']} were the same code; "
          f"{time.monotonic() - begin:.0f} s", flush=True)
    for path, entry in meaningless.unmet() if not (options.again or options.where or options.changes) else ():
        if path != "*" and any(fnmatch.fnmatch(source.path, path) for source in sources):
            print(f"tests/mutants/meaningless: nothing here is like that any more: {entry}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build", help="where the build's output is")
    arguments.add_argument("--layout", default="quire", help="the layout whose tests are run")
    arguments.add_argument("--room", choices=[*ROOMS, "all"], default="all")
    arguments.add_argument("--count", type=int, default=100, help="changes that count, in each room")
    arguments.add_argument("--seed", default=None, help="the same seed, the same changes")
    arguments.add_argument("--where", default="", help="only sources that have this in their path")
    arguments.add_argument("--tests", nargs="*", help="run these programs, whatever they go through")
    arguments.add_argument("--again", help="what an earlier run left: BUILD/mutants/ROOM-SEED.json")
    arguments.add_argument("--changes", help="a file with changes of one's own: path | text | what it becomes")
    arguments.add_argument("--loud", action="store_true", help="also what was noticed, and by whom")
    options = arguments.parse_args()
    if options.seed in (None, ""):
        options.seed = str(random.SystemRandom().randrange(10 ** 6))
    lock = reach.only_one(options.build)
    for room in ROOMS if options.room == "all" else [options.room]:
        goals   = ["tool-tests" if room == "layout" else "machine-tests"]
        shop    = Workshop(options.build, options.layout, goals)
        through = None if options.tests else Reach(shop.copy, options.build, options.layout, goals)
        sample(options, shop, through, room)
    lock.close()


if __name__ == "__main__":
    main()
