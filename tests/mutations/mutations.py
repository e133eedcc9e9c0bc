#!/usr/bin/python3
"""mutations.py - for each claim a change that makes it untrue: its probe or its test must notice, and no other.

    tests/mutations/mutations.py --build build [--layout NAME ...] [--claim ID ...] [--again]

mutations.txt is the table. A changed source is compiled and linked with the objects that are there, a changed document
is compiled and linked; both in a folder of their own. The kernel boots and says what its claims are; or the test that
shows a claim runs against it. What was seen is kept in BUILD/mutations/seen, by kernel and change: nothing runs twice.
"""
import argparse
import collections
import contextlib
import glob
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(TREE, "tests", "system"))
from quire import Machine
TABLE = os.path.join(TREE, "tests", "mutations", "mutations.txt")
QEMU = "qemu-system-i386"
WORDS = "run=claims;audit;exit panic=exit"
SECONDS = 120                   # for one machine, on a busy computer

Change = collections.namedtuple("Change", "path old new")


class Mutation:
    """One entry of the table: which claims it makes untrue, in words; on which machine; and the changes."""

    def __init__(self, ids, words, line):
        self.ids, self.words, self.line = ids, words, line
        self.machine, self.shown, self.sample, self.console, self.changes = "loader", None, False, False, []

    def __str__(self):
        return f"{', '.join(self.ids)} (line {self.line}): {self.words}"

    def is_document(self):
        return any(change.path == "layout.md" for change in self.changes)


def read_table(path=TABLE):
    """The table's entries, in its order."""
    entries, path_now, word = [], None, ""
    with open(path) as file:
        for number, line in enumerate(file, 1):
            text = line.rstrip("\n")
            if not text.strip() or text.startswith("#"):
                continue
            head = re.match(r"([A-Z]\d+(?:, [A-Z]\d+)*)(\*?)  +(.*)", text)
            if head:
                entries.append(Mutation(head[1].split(", "), head[3], number))
                entries[-1].sample = bool(head[2])
                continue
            before, (word, _, rest) = word, text.strip().partition(" ")
            entry = entries[-1]
            if word == "in":
                path_now = rest
            elif word == "machine":
                entry.machine = rest
            elif word == "shown":
                entry.shown = rest.split()
            elif word == "console":
                entry.console = True
            elif word == "-" and before == "-":
                last = entry.changes[-1]
                entry.changes[-1] = last._replace(old=last.old + "\n" + rest)
            elif word == "-":
                entry.changes.append(Change(path_now, rest, ""))
            elif word == "+":
                last = entry.changes[-1]
                entry.changes[-1] = last._replace(new=last.new + "\n" + rest if last.new else rest)
            elif word not in ("in", "machine"):
                raise SystemExit(f"{path}:{number}: expected in, machine, shown, console, - or +, not {word!r}")
    return entries


# ---- Text that is changed --------------------------------------------------------------------------

def squeezed(text):
    return re.sub(r" +", " ", text)


def changed_text(layout, path, changes):
    """The file's text with all its changes made. Blanks and ends of lines count as one blank."""
    where = os.path.join(TREE, "layouts", layout, path) if path == "layout.md" else os.path.join(TREE, path)
    with open(where) as file:
        text = file.read()
    if path == "layout.md":
        text = squeezed(text)
    for change in changes:
        pattern = r"\s+".join(map(re.escape, change.old.split()))
        text, times = re.subn(pattern, lambda _: change.new, text)
        if times != 1:
            raise Stale(f"{path}: {change.old!r} is there {times} times, and must be once")
    return text


class Stale(Exception):
    """The table speaks of a line that is no longer there."""


class Unmade(Exception):
    """A change that does not compile, or a kernel that could not be linked."""


def run(words, **how):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **how)
    if done.returncode != 0:
        raise Unmade(f"{' '.join(words)[:200]} ...\n{done.stdout[-3000:]}")
    return done.stdout


def constants(header):
    """Of the constants of a layout.h, those that some source of a kernel is compiled with: {(name, value)}."""
    if not names_used:
        paths = [path for folder in ("kernel", "arch/i386", "boot", "user", "layouts") for suffix in "chS"
                 for path in glob.glob(os.path.join(TREE, folder, "**", "*." + suffix), recursive=True)]
        for path in paths:
            with open(path) as file:
                names_used.update(re.findall(r"\bLAYOUT_[A-Z_]+", file.read()))
    with open(header) as file:
        return {pair for pair in re.findall(r"^#define (\w+) +(.+)$", file.read(), re.M) if pair[0] in names_used}


names_used = set()

def make(build, layout, *words):
    return run(["make", "-C", TREE, "--no-print-directory", f"O={build}", f"LAYOUT={layout}", *words])


def exchanged(objects, replaced):
    """The objects, with those replaced that end in a key."""
    return [next((new for end, new in replaced.items() if old.endswith("/" + end)), old) for old in objects]


# ---- Kernels ----------------------------------------------------------------------------------------

class Workshop:
    """Makes the mutants of one layout in a folder of its own, beside a build in which that layout's kernel is."""

    def __init__(self, build, layout, folder, building=contextlib.nullcontext, checked=False):
        self.build, self.layout, self.folder = os.path.abspath(build), layout, os.path.abspath(folder)
        self.building = building                # make looks at one build directory: alone
        self.parts, self.base, self.words = None, {}, ["CHECKED=1"] if checked else []

    def load(self):
        """What the kernel is made of, asked of make once."""
        if self.parts is None:
            with self.building():
                said = make(self.build, self.layout, "-s", *self.words, "mutant-parts")
            lines = dict(line.partition(" ")[::2] for line in said.splitlines())
            self.parts = {name: shlex.split(value) for name, value in lines.items()}
        return self.parts

    def fresh(self):
        """The folder, empty: a build directory whose other products are those of the real one."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(os.path.join(self.folder, self.layout))
        for name in ("host", "programs", "bios", "objects", "tests", "setup-build", "setup-test", "setup-run"):
            if os.path.exists(os.path.join(self.build, name)):
                os.symlink(os.path.join(self.build, name), os.path.join(self.folder, name))

    def compile(self, source, text, flags, *own):
        """An object of the changed text of a source, in the folder."""
        at = os.path.join(self.folder, "sources", source)
        os.makedirs(os.path.dirname(at), exist_ok=True)
        with open(at, "w") as file:
            file.write(text)
        run(["gcc", *flags, "-w", *own, "-iquote", os.path.join(TREE, os.path.dirname(source)), "-c", "-o", at + ".o",
             at], cwd=TREE)
        return at + ".o"

    def compile_kernel(self, source, text):
        parts = self.load()
        own = ["-fno-tree-loop-distribute-patterns"] if source.endswith("string.c") or source in parts["boot"] else []
        own += ["-Os"] if source in parts["cold"] + parts["boot"] else []
        return self.compile(source, text, parts["KERNEL_FLAGS"], *own, "-I" + parts["L"][0])

    def boot_object(self, changed):
        """boot.o with some of its parts changed: {source: object}."""
        parts, out = self.load(), os.path.join(self.folder, "boot.o")
        objects = exchanged(parts["mutant_boot"], {source + ".o": new for source, new in changed.items()})
        run(["ld", "-m", "elf_i386", "-r", "-o", out + ".new", *objects], cwd=TREE)
        run(["objcopy", "--prefix-alloc-sections=.boot", out + ".new", out], cwd=TREE)
        return out

    def relocator(self, changed):
        """From the BIOS to the kernel, with some parts changed: another bios/relocator in the folder."""
        bios = os.path.join(self.folder, "bios")
        objects = exchanged(self.load()["mutant_bios"], {source + ".o": new for source, new in changed.items()})
        os.unlink(bios)
        shutil.copytree(os.path.join(self.build, "bios"), bios)
        run(["ld", "-m", "elf_i386", "--no-warn-rwx-segments", "-T", "boot/bios/relocator.ld", "-o",
             bios + "/relocator.elf", *objects], cwd=TREE)
        run(["objcopy", "-O", "binary", "-R", ".bss", bios + "/relocator.elf", bios + "/relocator"], cwd=TREE)

    def link(self, replaced, script=None):
        """kernel.elf with some objects replaced: {end of the old one's path: new one}."""
        parts, out = self.load(), os.path.join(self.folder, self.layout, "kernel.elf")
        missing = [end for end in replaced if not any(old.endswith("/" + end) for old in parts["linked"])]
        if missing:
            raise Unmade(f"{missing[0]} is no part of the kernel of {self.layout}")
        run(["gcc", *parts["LINK_FLAGS"], *parts["AS_MULTIBOOT"], "-T", script or parts["L"][0] + "/kernel.ld", "-o",
             out, *exchanged(parts["linked"], replaced), parts["B"][0] + "/symbols-1.o"], cwd=TREE)
        self.replaced = replaced
        return out

    def link_others(self):
        """For tests that run programs: the kernels that `./quire run` boots, of the same objects as link()'s last."""
        parts, folder = self.load(), os.path.join(self.folder, self.layout)
        script = os.path.join(folder, "run.ld")
        with open(script, "w") as out:
            subprocess.run(["sed", "-f", "tools/kernel-run.sed", parts["L"][0] + "/kernel.ld"], cwd=TREE, stdout=out,
                           check=True)
        run(["gcc", *parts["LINK_FLAGS"], *parts["UNPADDED"], *parts["AS_PVH"], "-s", "-T", script, "-o",
             folder + "/kernel-run.elf", *exchanged(parts["run_linked"], self.replaced)], cwd=TREE)
        run(["gcc", *parts["LINK_FLAGS"], *parts["AS_PVH"], "-s", "-T", parts["L"][0] + "/kernel.ld", "-o",
             folder + "/kernel-pvh.elf", *exchanged(parts["linked"], self.replaced), parts["B"][0] + "/symbols-1.o"],
            cwd=TREE)
        shutil.copy(os.path.join(self.build, self.layout, "kernel-run.map"), folder)

    def document(self, text):
        """The kernel of a changed document: linked, or made anew where constants of compiled code changed."""
        parts, made = self.load(), os.path.join(self.folder, "made")
        path = os.path.join(self.folder, self.layout + ".md")
        with open(path, "w") as file:
            file.write(text)
        os.makedirs(made)
        run([os.path.join(self.build, "host", "quire"), "layout", "compile", path, "-o", made],
            cwd=TREE, env={**os.environ, "QUIRE_HOME": TREE})
        if constants(f"{made}/layout.h") ^ constants(os.path.join(TREE, parts["L"][0], "layout.h")):
            return self.document_by_make(text)
        replaced = {}
        for name in ("layout.c", "tables.S"):
            out = os.path.join(made, name + ".o")
            run(["gcc", *parts["KERNEL_FLAGS"], "-I" + made, "-c", "-o", out, os.path.join(made, name)], cwd=TREE)
            replaced[f"kernel/layout/{name}.o"] = out
        return self.link(replaced, made + "/kernel.ld")

    @contextlib.contextmanager
    def mutant_document(self, text):
        """A changed document, for make, among the layouts of the build directory: its name, and its path."""
        name = f"{self.layout}-mutant"
        folder = os.path.join(self.build, name)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name + ".md")
        with open(path, "w") as file:
            file.write(text.replace(f"# {self.layout}:", f"# {name}:", 1))
        try:
            with self.building():
                yield name, path
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def document_by_make(self, text):
        out = os.path.join(self.folder, self.layout, "kernel.elf")
        with self.mutant_document(text) as (name, path):
            make(self.build, path, f"{self.build}/{name}/kernel.elf")
            shutil.copy(f"{self.build}/{name}/kernel.elf", out)
        return out

    def make(self, mutation):
        """The kernel with a mutation's changes: its path. The folder then serves as a build directory with it."""
        self.fresh()
        changed = {path: changed_text(self.layout, path, [c for c in mutation.changes if c.path == path])
                   for path in dict.fromkeys(change.path for change in mutation.changes)}
        if "layout.md" in changed:
            return self.document(changed["layout.md"])
        replaced, boot, bios = {}, {}, {}
        parts = self.load()
        for source, text in changed.items():
            if source.startswith("boot/bios/"):
                bios[source] = self.compile(source, text, parts["BIOS_FLAGS"])
            elif source in parts["boot"]:
                boot[source] = self.compile_kernel(source, text)
            else:
                replaced[source + ".o"] = self.compile_kernel(source, text)
        if bios:
            self.relocator(bios)
        if boot:
            replaced["boot.o"] = self.boot_object(boot)
        return self.link(replaced)

    def host_test(self, test, changed, out):
        """A test of the memory manager over changed sources, whether it links them or includes them."""
        parts, replaced = self.load(), {}
        flags = [*parts["TEST_FLAGS"], "-I" + parts["L"][0]]
        for source, text in changed.items():
            replaced[source + ".o"] = self.compile(source, text, flags)
        with open(os.path.join(TREE, test)) as file:
            alone = self.compile(test, file.read(), [f"-I{self.folder}/sources/kernel", *flags])
        members = run(["ar", "t", f"{self.build}/{self.layout}/port/machine.a"], cwd=TREE).split()
        archive = os.path.join(self.folder, "machine.a")
        run(["ar", "rcsTD", archive, *exchanged(members, replaced)], cwd=TREE)
        run(["gcc", *parts["TEST_FLAGS"], "-no-pie", "-o", out, alone, archive, "-lcmocka"], cwd=TREE)

    # ---- Machines --------------------------------------------------------------------------------------

    def corrupt(self, claim):
        """What the unchanged kernel says while a claim is made untrue at its console."""
        self.fresh()
        with Machine(log=os.path.join(self.folder, "serial"), timeout=SECONDS,
                     kernel=os.path.join(self.build, self.layout, "kernel.elf")) as machine:
            machine.prompt()
            return machine.command("claims mutate " + claim)

    def boot(self, kernel, machine, build):
        """What the machine says: `loader` (QEMU loads the kernel), `disk`, `module N` (MiB of it), `memory N` (MiB)."""
        kind, _, size = machine.partition(" ")
        words = [QEMU, "-accel", "tcg", "-m", size if kind == "memory" else "64", "-display", "none", "-no-reboot",
                 "-nodefaults", "-device", "isa-debug-exit,iobase=0xf4", "-serial", "stdio"]
        if kind == "disk":
            disk = os.path.join(self.folder, "disk.img")
            run([os.path.join(self.build, "host", "quire"), "image", "--layout", self.layout, "--console", "--append",
                 WORDS, disk], env={**os.environ, "QUIRE_HOME": TREE, "QUIRE_BUILD": build})
            words += ["-drive", f"file={disk},format=raw,if=ide"]
        else:
            words += ["-kernel", kernel, "-append", WORDS]
        if kind == "module":
            module = os.path.join(self.folder, "module")
            with open(module, "wb") as file:
                file.write(b"module%%" * (int(size) << 17))
            words += ["-initrd", module]
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=SECONDS)
            return done.stdout.decode("latin-1").replace("\r", "")
        except subprocess.TimeoutExpired as late:
            return (late.stdout or b"").decode("latin-1").replace("\r", "") + "\n(no end)\n"

    def whole(self, machine):
        """What the unchanged kernel says on a machine: id -> verdict."""
        if machine not in self.base:
            self.fresh()
            kernel = os.path.join(self.build, self.layout, "kernel.elf")
            said = self.boot(kernel, machine, self.build)
            self.base[machine] = told(said)
            if not self.base[machine] or "fails" in self.base[machine].values():
                raise Unmade(f"the unchanged kernel of {self.layout} does not hold its claims: {said[-3000:]}")
        return self.base[machine]


def told(said):
    """id -> verdict of a machine's `claims`."""
    return dict(re.findall(r"^claim (\w+) (\w+)", said, re.M))


# ---- Judging ------------------------------------------------------------------------------------------

def judge_by_claims(shop, mutation):
    """None, or why the mutation is not noticed by just those it is about."""
    whole = shop.whole(mutation.machine)
    said = shop.corrupt(mutation.ids[0]) if mutation.console else \
        shop.boot(shop.make(mutation), mutation.machine, shop.folder)
    seen = told(said)
    other = {claim: seen.get(claim, "silent") for claim in whole if seen.get(claim, "silent") != whole[claim]}
    if any(verdict == "silent" for verdict in other.values()) or not seen:
        return "the machine stopped: " + " / ".join(said.strip().splitlines()[-3:])
    if mutation.is_document() and not re.search(r"^audit: clean", said, re.M):
        return "audit: " + " / ".join(re.findall(r"^audit.*", said, re.M))
    missed = [claim for claim in mutation.ids if other.get(claim) not in ("fails", "differs")]
    more = [f"{claim} {verdict}" for claim, verdict in other.items() if claim not in mutation.ids]
    if missed or more:
        return "; ".join(part for part in (f"not noticed by {', '.join(missed)}" if missed else "",
                                           f"also {', '.join(more)}" if more else "") if part)
    return None


def source_of(kind, test):
    """The file that has a test: of the host (C), or of the system (Python)."""
    patterns = ["tests/host/test_*.c", "layouts/*/tests/test_*.c"] if kind != "system" else ["tests/system/test_*.py"]
    for path in sorted(path for pattern in patterns for path in glob.glob(os.path.join(TREE, pattern))):
        with open(path) as file:
            if re.search(rf"\b(?:cmocka_unit_test\w*|on_machine)\({test}\b|^def (test_)?{test}\(", file.read(), re.M):
                return path
    raise Unmade(f"there is no {kind} test {test}")


def run_system(shop, test, mutation):
    """What pytest says of one test, and its exit status, with the kernel of a mutation, or of none."""
    path = source_of("system", test)
    with open(path) as file:
        name = re.search(rf"^def ((?:test_)?{test})\(", file.read(), re.M)[1]
    shop.make(mutation)
    shop.link_others()
    words = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{path}::{name}"]
    done = subprocess.run(words, cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                          env={**os.environ, "QUIRE_BUILD": shop.folder, "QUIRE_LAYOUTS": shop.layout})
    return done.returncode, done.stdout


def judge_by_system(shop, mutation, test):
    status, said = run_system(shop, test, Mutation(mutation.ids, "nothing", 0))
    if status != 0 or " skipped" in said:
        return "the test does not pass with the unchanged kernel: " + said[-800:]
    status, said = run_system(shop, test, mutation)
    return None if status == 1 and " failed" in said else "the test passed: " + said[-500:]


def judge_by_host(shop, mutation, kind, test):
    """The test's program from the changed source: of the memory manager, or of the layout compiler."""
    path, parts = source_of(kind, test), shop.load()
    program = os.path.splitext(os.path.basename(path))[0]
    of_tool = kind == "build"
    goal = f"{shop.build}/tests/{program}" if of_tool else f"{shop.build}/{shop.layout}/tests/{program}"
    make(shop.build, shop.layout, goal)
    shop.fresh()
    changed = {p: changed_text(shop.layout, p, [c for c in mutation.changes if c.path == p])
               for p in dict.fromkeys(change.path for change in mutation.changes)}
    own, out = os.path.relpath(path, TREE), os.path.join(shop.folder, "test")
    if "layout.md" in changed:
        with shop.mutant_document(changed["layout.md"]) as (name, document):
            make(shop.build, document, f"{shop.build}/{name}/tests/{program}")
            shutil.copy(f"{shop.build}/{name}/tests/{program}", out)
    elif of_tool:
        known = [own, *(os.path.relpath(s, TREE) for s in sorted(glob.glob(os.path.join(TREE, "tools/layout/*.c"))))]
        others = [f"{shop.build}/objects/host-checked/{s}.o" for s in known if s not in changed]
        flags = parts["TOOL_FLAGS"] + parts["TESTED"] + parts["SANITIZERS"]
        objects = [shop.compile(source, text, flags) for source, text in changed.items()]
        run(["gcc", *parts["SANITIZERS"], "-o", out, *objects, *others, "-lcmocka"], cwd=TREE)
    else:
        shop.host_test(own, changed, out)
    done = subprocess.run([out], cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=300)
    failed = set(re.findall(r"^\[ +FAILED +\] (\w+)", done.stdout, re.M))
    more = sorted(name for name in failed - {test} if re.match(r"[a-z]\d+_", name))
    return f"{test} passed" if test not in failed else f"also {', '.join(more)}" if more else None


def judge(shop, mutation):
    if mutation.shown is None:
        return judge_by_claims(shop, mutation)
    kind, test = mutation.shown
    if kind == "system":
        return judge_by_system(shop, mutation, test)
    return judge_by_host(shop, mutation, kind, test)


# ---- All of them -----------------------------------------------------------------------------------------

def read_seeds():
    """The letter of a claim -> its layout."""
    with open(os.path.join(TREE, "tests", "claims.txt")) as file:
        seeds = dict(re.findall(r"^seed (\w) (\S+)", file.read(), re.M))
    return {**seeds, "Q": "quire"}


def layout_of(mutation, seeds):
    return seeds[mutation.ids[0][0]]


def key_of(shop, mutation):
    """What a result depends on: the kernel, the change, the machine."""
    with open(os.path.join(shop.build, shop.layout, "kernel.elf"), "rb") as file:
        kernel = hashlib.sha256(file.read()).hexdigest()
    with open(os.path.abspath(__file__), "rb") as file:
        tool = hashlib.sha256(file.read()).hexdigest()
    parts = [tool, kernel, mutation.console, mutation.ids, mutation.machine, mutation.shown, mutation.changes]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", nargs="*", help="only these layouts")
    arguments.add_argument("--claim", nargs="*", help="only these claims")
    arguments.add_argument("--again", action="store_true", help="also those that have been seen")
    options = arguments.parse_args()
    seeds, shops, wrong, done = read_seeds(), {}, [], 0
    where = os.path.join(options.build, "mutations")
    os.makedirs(where, exist_ok=True)
    seen_path = os.path.join(where, "seen")
    seen = json.load(open(seen_path)) if os.path.exists(seen_path) else {}
    for mutation in read_table():
        layout = layout_of(mutation, seeds)
        if (options.layout and layout not in options.layout) or \
                (options.claim and not set(options.claim) & set(mutation.ids)):
            continue
        if layout not in shops:
            make(os.path.abspath(options.build), layout, "quire", "kernel")
            shops[layout] = Workshop(options.build, layout, os.path.join(where, "work"))
        key = key_of(shops[layout], mutation)
        if options.again or key not in seen:
            try:
                seen[key] = judge(shops[layout], mutation)
            except (Stale, Unmade, OSError) as error:
                seen[key] = str(error)
            with open(seen_path + ".new", "w") as file:
                json.dump(seen, file)
            os.replace(seen_path + ".new", seen_path)
        done += 1
        print(f"{'noticed' if seen[key] is None else 'WRONG':8}{mutation}", flush=True)
        if seen[key] is not None:
            print(f"        {seen[key]}", flush=True)
            wrong.append(mutation)
    shutil.rmtree(os.path.join(where, "work"), ignore_errors=True)
    print(f"mutations: {done - len(wrong)} of {done} noticed by just the claims that they are about")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
