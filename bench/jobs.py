#!/usr/bin/python3
"""jobs.py - what whole jobs of real programs cost, under Quire and under Linux, in instructions and in memory.

    bench/jobs.py --build build [--layout quire] [--memory] [JOB ...]

Each job is a script of bench/jobs and the packages' files that it needs. They are put into a folder, which is all that
either system sees, with bench/guest/job.c to start the script and to say what it took: in QEMU's pc with one
processor and 1 GiB, under its instruction clock, as bench/compare.py has it; under Linux as process 1 of an
archive that the kernel unpacks when it starts. What is compared is from the script's start to its end; the machine's
start is a column of its own. The systems take turns, and their outputs must be the same.

Where QEMU takes plug-ins, bench/executed.c counts how many instructions were the job's own, outside both kernels: these
no kernel can save. --profile prints in which of Quire's functions the others are.

With --memory, also the least memory with which each ends the job: found by halving, in steps of a sixteenth, without
the clock. Linux holds the archive and what it unpacked from it for a moment, so this counts.
"""
import bisect
import collections
import glob
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import compare

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEMORY = 1024           # MiB
PATIENCE = 1800         # seconds for one machine
STEP = 16               # of the least memory, a sixteenth of it
LINES = 100_000_000     # bytes that `sort` sorts

LINUX = 0xc0000000                  # where Linux's kernel begins; Quire's says it itself
KERNELS = 0x80000000                # no document has its kernel below; what is there belongs to its start
RUNNER = 0x70000000, 0x70100000     # build.mk: where bench/guest/job.c is

LIBRARY_FOLDERS = ["lib/i386-linux-gnu", "usr/lib/i386-linux-gnu"]
PYTHON = [f"usr/lib/python3.*/{name}" for name in (
    "*.py", "collections", "encodings", "importlib", "json", "re", "lib-dynload/_json*")]
COMPILER = ["usr/lib/gcc/i686-linux-gnu/*/" + name for name in (
    "cc1", "collect2", "lto-wrapper", "liblto_plugin.so", "crt*.o", "libgcc.a", "libgcc_s.so", "include")]
COMPILER += ["usr/include/" + name for name in (
    "*.h", "linux", "asm-generic", *(f"i386-linux-gnu/{part}" for part in ("bits", "sys", "gnu", "asm")))]
COMPILER += ["usr/lib/i386-linux-gnu/" + name for name in ("*crt?.o", "libc.so", "libc_nonshared.a")]

# What each job is, its ratio that is wanted, the programs that its script names, and what else of the packages it
# needs. `tiny` is for a test: it is run only when it is named.
JOBS = {
    "python3": ("JSON, patterns, objects, sorting", 1.0, ["python3"], PYTHON),
    "sqlite3": ("40 000 rows in a file: fill, index, join, vacuum", 1.0, ["sqlite3"], []),
    "gcc": ("three files at -O2", 0.6, ["gcc", "as", "md5sum"], COMPILER),
    "git": ("410 files: ten commits, log, blame, clone, gc, fsck", 1.0,
            ["git", "git-upload-pack", "tail", "wc"],
            ["usr/lib/git-core/git", "usr/share/git-core/templates"]),
    "lua": ("tables, strings, numbers", 1.0, ["lua5.4"], []),
    "perl": ("60 000 lines of a log, by patterns", 1.0, ["perl"], ["usr/lib/i386-linux-gnu/perl-base"]),
    "shell": ("a script of 2 000 forks", 0.6, ["true"], []),
    "make": ("make -j2 of a program of 25 files", 0.6, ["make", "gcc", "as", "ld", "cksum"], COMPILER),
    "sort": ("100 MB of lines, in 64 MB", 1.0, ["sort", "head", "tail"], []),
    "tiny": ("a script of one fork", 1.0, ["true"], []),
}
WANTED_FILES = {"gcc": ["layout"], "make": ["layout", "layout.md"], "git": ["kernel"], "sort": ["lines"]}


def packages(build):
    """The trees that programs and libraries come from, the first that has a file first."""
    trees = [os.path.join(build, "programs", name) for name in ("root", "jobs")]
    return [tree for tree in trees if os.path.isdir(tree)]


class Stage:
    """A folder with all that a job may see."""

    def __init__(self, folder, trees):
        self.folder, self.trees = folder, trees
        for name in ("bin", "dev", "etc", "proc", "root", "tmp", "home", "usr/bin"):
            os.makedirs(self.at(name))
        self.write("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        self.program("sh")

    def at(self, path):
        return os.path.join(self.folder, path)

    def write(self, path, content):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), "wb") as file:
            file.write(content)

    def take(self, tree, path):
        """A file, link or folder of a tree of packages, with what it leads to and the libraries it names."""
        source, here = os.path.join(tree, path), self.at(path)
        if os.path.lexists(here) and not os.path.isdir(source):
            return
        os.makedirs(os.path.dirname(here), exist_ok=True)
        if os.path.islink(source):
            leads = os.readlink(source)
            os.symlink(leads, here)
            target = os.path.normpath(os.path.join("/", os.path.dirname(path), leads)).lstrip("/")
            self.find([target], f"{path} leads to {target}")
        elif os.path.isdir(source):
            for name in sorted(os.listdir(source)):
                if name != "__pycache__":
                    self.take(tree, os.path.join(path, name))
        else:
            shutil.copy2(source, here)
            self.libraries(source)

    def libraries(self, source):
        with open(source, "rb") as file:
            if file.read(4) != b"\x7fELF" or source.endswith((".o", ".a")):
                return
        said = subprocess.run(["readelf", "-ld", source], capture_output=True, text=True, check=True).stdout
        names = re.findall(r"\(NEEDED\).*\[(.*)\]", said)
        if "libc.so.6" in names:                        # `quire run` brings it as well: a thread's end asks for it
            names.append("libgcc_s.so.1")
        for name in names:
            self.find([f"{folder}/{name}" for folder in LIBRARY_FOLDERS], f"{name}, which {source} needs")
        for loader in re.findall(r"interpreter: /(.*)\]", said):
            self.find([loader], loader)

    def find(self, paths, what):
        for tree in self.trees:
            for path in paths:
                if os.path.lexists(os.path.join(tree, path)):
                    self.take(tree, path)
                    return
        raise compare.Unavailable(f"no {what}; `make jobs` fetches the packages")

    def program(self, name):
        self.find([f"bin/{name}", f"usr/bin/{name}"], name)

    def pattern(self, pattern):
        found = [(tree, path) for tree in self.trees for path in glob.glob(os.path.join(tree, pattern))]
        if not found:
            raise compare.Unavailable(f"no {pattern}; `make jobs` fetches the packages")
        for tree, path in found:
            self.take(tree, os.path.relpath(path, tree))

    def work(self, name):
        """What a job works at: sources of this tree, or lines that are the same each time."""
        sources = {"layout": "tools/layout", "layout.md": "layouts/quire/layout.md", "kernel": "kernel"}
        here = self.at(f"home/{name}")
        if name == "lines":
            chance, words = random.Random(7), 0
            with open(here, "wb") as file:
                while words < LINES:
                    part = b"".join(b"%08x %016x of the lines that are sorted\n"
                                    % (chance.getrandbits(32), chance.getrandbits(64)) for _ in range(10000))
                    words += file.write(part[:LINES - words])
        elif name == "layout.md":
            shutil.copy2(os.path.join(TREE, sources[name]), here)
        else:
            shutil.copytree(os.path.join(TREE, sources[name]), here)


def prepare(build, job, folder):
    """The folder that both systems get."""
    _, _, programs, patterns = JOBS[job]
    stage = Stage(folder, packages(build))
    for name in programs:
        stage.program(name)
    for pattern in patterns:
        stage.pattern(pattern)
    for name in WANTED_FILES.get(job, []):
        stage.work(name)
    scripts = os.path.join(TREE, "bench", "jobs")
    shutil.copy2(os.path.join(scripts, f"{job}.sh"), stage.at("job"))
    for path in glob.glob(os.path.join(scripts, "job.*")):
        shutil.copy2(path, stage.at("home"))
    shutil.copy2(os.path.join(build, "guest", "job"), stage.at("init"))


def entries(folder):
    """The folder as compare.newc() wants it."""
    found = [("dev/console", 0o20600, (5, 1), b"")]
    for where, folders, names in os.walk(folder):
        for name in sorted(folders + names):
            path = os.path.join(where, name)
            status, content = os.lstat(path), b""
            if os.path.islink(path):
                content = os.readlink(path).encode()
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            found.append((os.path.relpath(path, folder), status.st_mode, (0, 0), content))
    return sorted(found, key=lambda entry: entry[0].count("/"))


def linux_words(build, folder, memory, clock):
    kernel = os.path.join(build, "programs", "linux", "vmlinuz")
    if not os.path.exists(kernel):
        raise compare.Unavailable(f"no {kernel}; `sh tools/fetch-programs {build}/programs kernel` fetches it")
    archive = folder + ".cpio"
    if not os.path.exists(archive):
        with open(archive, "wb") as file:
            file.write(compare.newc(entries(folder)))
    words = compare.linux_words(kernel, archive)
    words[words.index("-m") + 1] = f"{memory}K"
    return [word for word in words if clock or word not in compare.CLOCK], {}


def quire_words(build, layout, folder, memory, clock):
    words = [os.path.join(build, "host", "quire"), "run", "--layout", layout, "--machine", "pc", "--watchdog", "0",
             "-m", f"{memory}K"]
    words += [word for name in sorted(os.listdir(folder)) for word in ("--file", f"{folder}/{name}:/{name}")]
    return [*words, "/init"], {"QUIRE_BUILD": build, "QUIRE_QEMU_FLAGS": " ".join(compare.CLOCK) if clock else ""}


def run(words, patience=PATIENCE):
    """What the runner said, by name."""
    said = compare.run(*words, patience)
    found = compare.figures(said)
    for name in ("status", "most", "user", "kernel"):
        found[name] = int(re.search(rf"^{name} (\d+)\r?$", said, re.M)[1])
    found["output"] = re.search(r"^output (\d+ \d+)\r?$", said, re.M)[1]
    if found["status"] != 0:
        raise compare.Unavailable(f"the job failed with {found['status']:#x}:\n{said[-1500:]}")
    return found


def executed(counts):
    """Instructions by the address of their block."""
    found = collections.Counter()
    with open(counts, "rb") as file:
        for address, instructions, times in struct.iter_unpack("<QQQ", file.read()):
            if times:
                found[address] += instructions * times
    return found


def symbols(build, layout):
    """Addresses and names of the kernel's functions, in order, where it runs most of its time."""
    listed = subprocess.run(["nm", "-n", os.path.join(build, layout, "kernel.elf")], capture_output=True, text=True,
                            check=True).stdout
    return [(int(at, 16), name) for at, name in re.findall(r"^([0-9a-f]+) [tTwW] (\S+)$", listed, re.M)
            if int(at, 16) >= KERNELS]


def own(counts, kernel):
    """Instructions of the job's programs; `kernel` is where the kernel's begin."""
    return sum(times for at, times in counts.items() if at < kernel and not RUNNER[0] <= at < RUNNER[1])


def print_profile(counts, functions, rows=40):
    starts, by_name = [at for at, _ in functions], collections.Counter()
    for at, instructions in counts.items():
        if at >= starts[0]:
            by_name[functions[bisect.bisect(starts, at) - 1][1]] += instructions
    whole = sum(by_name.values())
    print(f"Quire's kernel: {whole / 1e6:.1f} million instructions from the job's start to the machine's end")
    for name, instructions in by_name.most_common(rows):
        print(f"{instructions / 1e6:10.2f} {instructions / whole * 100:5.1f} %  {name}")


def least(words_with, wanted, patience):
    """The least memory in KiB with which the job ends right, to a sixteenth."""
    def good(memory):
        try:
            return run(words_with(memory), patience)["output"] == wanted
        except compare.Unavailable:
            return False
    low, high = 1024, MEMORY * 1024
    while high * STEP > low * (STEP + 1):
        middle = int((low * high) ** 0.5) // 64 * 64
        low, high = (low, middle) if good(middle) else (middle, high)
    return high


def plugged(shape, plugin, counts):
    """The same machine with the plug-in, which writes into the file `counts`."""
    words, environment = shape
    more = ["-plugin", f"{plugin},out={counts},from={RUNNER[0]:#x}"]
    if environment:
        return words, {**environment, "QUIRE_QEMU_FLAGS": " ".join([environment["QUIRE_QEMU_FLAGS"], *more])}
    return words + more, environment


def measure(options, job, folder):
    """By system, what the job took."""
    functions = symbols(options.build, options.layout)
    found, shapes = {}, {
        "linux": lambda memory, clock: linux_words(options.build, folder, memory, clock),
        "quire": lambda memory, clock: quire_words(options.build, options.layout, folder, memory, clock)}
    plugin, counts = os.path.join(options.build, "host", "executed.so"), folder + ".counts"
    for system, shape in shapes.items():
        if options.only not in (None, system):
            continue
        machine = shape(MEMORY * 1024, True)
        try:
            found[system] = run(plugged(machine, plugin, counts) if os.path.exists(plugin) else machine)
        except compare.Unavailable as error:
            print(f"jobs: {job}: {system}: {error}", file=sys.stderr)
            continue
        if os.path.exists(plugin):
            executed_here = executed(counts)
            found[system]["own"] = own(executed_here, LINUX if system == "linux" else functions[0][0])
            if options.profile and system == "quire":
                print_profile(executed_here, functions)
    outputs = {of["output"] for of in found.values()}
    if len(outputs) > 1:
        raise SystemExit(f"jobs: {job}: the outputs differ: {found}")
    if options.memory:
        for system in found:
            found[system]["least"] = least(lambda memory, of=shapes[system]: of(memory, False), *outputs, 300)
    return found


HEAD = ["Job, millions of instructions", "Linux", "Quire", "ratio", "wanted", "the job's own, under Linux",
        "under Quire", "Linux's kernel", "Quire's", "Linux's start", "Quire's"]
HEAD_MEMORY = ["least MiB, Linux", "Quire"]


def millions(number):
    return "-" if number is None else f"{number / 1e6:,.1f}".replace(",", " ")


def row(job, found, memory):
    text, wanted, *_ = JOBS[job]
    both = [found.get(system, {}) for system in ("linux", "quire")]
    whole, programs, starts, memories = ([of.get(name) for of in both] for name in ("job", "own", "boot", "least"))
    kernels = [of["job"] - of["own"] if "own" in of else None for of in both]
    ratio = whole[1] / whole[0] if None not in whole else None
    cells = [f"{job}: {text}", *map(millions, whole), f"{ratio:.2f}" if ratio else "-",
             f"{wanted}" + ("" if ratio is None or ratio <= wanted else ", not met"),
             *map(millions, programs + kernels + starts)]
    if memory:
        cells += ["-" if size is None else f"{size / 1024:.1f}" for size in memories]
    return cells


def print_cells(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    arguments = compare.arguments_of(__doc__.splitlines()[0])
    arguments.add_argument("--memory", action="store_true", help="find the least memory as well, which takes long")
    arguments.add_argument("--profile", action="store_true", help="print where in Quire's kernel instructions go")
    arguments.add_argument("jobs", nargs="*", metavar="JOB", help=f"only these: {', '.join(JOBS)}")
    options = arguments.parse_args()
    options.build = os.path.abspath(options.build)
    for job in options.jobs:
        if job not in JOBS:
            arguments.error(f"there is no job called `{job}'")
    head = HEAD + (HEAD_MEMORY if options.memory else [])
    print_cells(head)
    print_cells(["---", *["---:"] * (len(head) - 1)])
    failed = False
    for job in options.jobs or [name for name in JOBS if name != "tiny"]:
        with tempfile.TemporaryDirectory(prefix="quire-jobs-") as folder:
            place = os.path.join(folder, job)
            os.mkdir(place)
            prepare(options.build, job, place)
            found = measure(options, job, place)
            failed |= not found
            print_cells(row(job, found, options.memory))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
