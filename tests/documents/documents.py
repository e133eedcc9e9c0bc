#!/usr/bin/python3
"""documents.py - documents changed by chance, from all that ship: each is obeyed, or refused in words.

    tests/documents/documents.py --build build --count 20 [--seed N] [--only N] [--keep FOLDER]
    tests/documents/documents.py --build build --kinds 60 [--seed N]

The second form asks the compiler alone, with so many documents of one change for each kind of change, and prints how
many it accepts: a kind that is nearly always refused shows nothing of the kernel.

A document that the compiler accepts is linked and booted on two or three machines. There the audit is clean, claims
hold or fail in words, a program runs, memory is filled to the end and comes back, and the audit is clean again. Or the
kernel says in words why it cannot start here, and does not ask for memory that would not help. A document that is
refused is refused for a line that was changed. Everything else is a finding: its changes are taken away one by one
while it stays, and what is left is printed. The same seed makes the same documents.
"""
import argparse
import concurrent.futures
import glob
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import newc
from by_chance import CHANGES, WEIGHTS, change_by_chance, replay, with_one
from document import Document

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LAYOUTS = sorted(os.path.basename(os.path.dirname(path)) for path in glob.glob(f"{TREE}/layouts/*/layout.md"))

# Machines: memory in MiB, and whether there is a screen. A document gets the first and one or two of the others.
MACHINES = [(64, False), (16, True), (8, False), (256, True), (1024, False), (512, True), (32, True)]
OFTEN = [0, 3, 3, 2, 1, 1, 3]           # large machines take long to fill
PATIENCE = {"console": 120, "program": 150}
IMAGE_ROOM = 4 << 20                    # what an image and its zeroed variables have at most, and firmware's own memory
TOO_LITTLE = re.compile(r"too little memory for layout \S+: (\d+) KiB of RAM found, at least (\d+) KiB needed")


# Messages of a kernel that cannot start on a machine; where a row lies in no RAM, with the row's name.
STARTS_NOT = [
    TOO_LITTLE,
    re.compile(r"layout \S+ wants RAM for (.+), from 0x[0-9a-f]+ to 0x[0-9a-f]+: this machine has none there$"),
    re.compile(r"layout \S+ has no place for .+ of \d+ KiB of RAM: \d+ KiB below 0x[0-9a-f]+"),
    re.compile(r"layout \S+ hands out too little: its rows with the use `pool` have \d+ KiB, \d+ KiB more are needed"),
    re.compile(r"the boot loader has put something where this layout keeps its page tables"),
]


class Finding(Exception):
    """A document's failure: its kind, which shrinking keeps, and the words."""

    def __init__(self, kind, words):
        super().__init__(f"{kind}: {words}")
        self.kind = kind


class Workshop:
    """Where one document after the other is made: paths stay the same, so that a cache of objects serves. make works in
    one build directory, so linking happens inside what locked() returns."""

    def __init__(self, build, number, locked):
        self.build, self.name, self.locked = build, f"changed{number}", locked
        self.image_start = 0                    # where the current document has its image
        self.told = []                          # messages of kernels that could not start
        self.folder = os.path.join(build, "documents")
        os.makedirs(self.folder, exist_ok=True)
        self.path = os.path.join(self.folder, self.name + ".md")
        self.kernel = os.path.join(build, self.name, "kernel.elf")
        self.checked = os.path.join(build, f"{self.name}-checked", "kernel.elf")
        self.archive = os.path.join(self.folder, self.name + ".cpio")
        programs = []
        for program in ("fill", "anywhere"):
            if os.path.exists(os.path.join(self.folder, program)):
                with open(os.path.join(self.folder, program), "rb") as file:
                    programs.append((program, 0o100755, file.read()))
        with open(self.archive, "wb") as file:
            file.write(newc.write([("tmp", 0o41777, b""), ("proc", 0o40755, b""), *programs]))

    def write(self, document):
        images = [row for row in document.rows("Physical memory") if row["Use"] == "image"]
        self.image_start = images[0].start or 0 if images else 0
        with open(self.path, "w") as file:
            file.write(document.text(self.name))

    def check(self):
        """The compiler's verdict: (accepted, its output)."""
        done = subprocess.run([os.path.join(self.build, "host", "quire"), "layout", "check", self.path],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
                              env={**os.environ, "QUIRE_HOME": TREE})
        return done.returncode, done.stdout

    def link(self, checked=False):
        plain = {name: value for name, value in os.environ.items()
                 if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")}
        with self.locked():
            done = subprocess.run(["make", "-C", TREE, "-s", "--no-print-directory", f"O={self.build}",
                                   f"LAYOUT={self.path}", *(["CHECKED=1", self.checked] if checked else [self.kernel])],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
                                  env=plain)
        return done.returncode, done.stdout

    def boot(self, memory_kib, screen, append, archive=False, patience=60, checked=False):
        """A machine's serial line until the machine ends by itself: (exit status or None, the output)."""
        words = ["qemu-system-i386", "-accel", "tcg,tb-size=32", "-m", f"{memory_kib}K", "-display", "none",
                 "-no-reboot", "-nodefaults", "-vga", "std" if screen else "none", "-device",
                 "isa-debug-exit,iobase=0xf4,iosize=0x04", "-serial", "stdio", "-kernel",
                 self.checked if checked else self.kernel, "-append", append]
        if archive:
            words += ["-initrd", self.archive]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said, _ = process.communicate(timeout=patience)
            return process.returncode, said.decode("latin-1").replace("\r", "")
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            return None, said.decode("latin-1").replace("\r", "")


# ---- What must hold --------------------------------------------------------------------------------

def check_refusal(document, said):
    """Some complaint names a line that was changed; a row that is gone has no line, but then none is named."""
    complaints = re.findall(r"^\S+?\.md:?(\d*): (.*)$", said, re.M)
    if not complaints:
        raise Finding("refusal", f"no complaint: {said[-400:]}")
    named = {int(line) for line, _ in complaints if line}
    named |= {int(line) for _, text in complaints for line in re.findall(r"\(?line (\d+)", text)}
    missing = re.findall(r"no (?:region|row|boot mapping)[^;]*?`([\w-]+)`", said)
    missing += re.findall(r"cites the claim (\w+), which the table of claims does not have", said)
    if any(re.search(rf"\b{word}\b", line) for word in missing for line in document.lines_gone()):
        return                          # the missing row was in a line that is gone
    if "no boot mapping" in said and any(re.match(r"\| 0x[0-9A-F]+ \| 0x[0-9A-F]+ \| [^|]* \| (yes|removed)", line)
                                         for line in document.lines_gone()):
        return
    if "is row number" in said and len(document.rows("Physical memory")) > len(Document(document.layout, TREE).rows(
            "Physical memory")):
        return                          # of too many rows any may be the last
    if "no writable region backed by" in said and any("| physical " in line for line in document.lines_gone()):
        return
    if named and not named & document.changed_lines():
        raise Finding("refusal",
                      f"no complaint is about a changed line {sorted(document.changed_lines())[:8]}: {said[-600:]}")


def last_words(said):
    return "\n".join(said.strip().splitlines()[-14:])


def check_ending(status, said, what):
    if re.search(r"panic|assertion|the machine stops", said):
        at = re.search(r"panic|assertion|the machine stops", said).start()
        raise Finding(f"panic in {what}", said[max(0, at - 200):at + 700])
    if status is None:
        raise Finding(f"silence in {what}", last_words(said))


def refused_to_start(said):
    found = re.search(r"^quire: cannot start: (.*)$", said, re.M)
    return found and found[1]


def check_refused_start(shop, memory, screen, why):
    """A machine with the memory that the kernel asks for must not be asked for more, again and again."""
    asked = TOO_LITTLE.search(why)
    for _ in range(3):
        if not asked:
            return
        if int(asked[1]) > int(asked[2]):
            raise Finding("too little", f"asks for less than it found: {why}")
        if int(asked[2]) > 3 * 1024 * 1024:
            return                      # more than QEMU's machine has below 4 GiB
        memory = max(memory, int(asked[2]) + 2048)      # firmware keeps a part of the machine's memory
        status, said = shop.boot(memory, screen, "run=audit;exit", patience=PATIENCE["console"])
        why = refused_to_start(said)
        if why is None:
            check_ending(status, said, "a machine of the size asked for")
            return
        asked = TOO_LITTLE.search(why)
    raise Finding("too little", f"with {memory} KiB it still says: {why}")


def has_started(shop, memory, screen, status, said):
    """False where the kernel printed why it cannot start, or where no kernel was loaded."""
    why = refused_to_start(said)
    if why is not None:
        if not any(form.match(why) for form in STARTS_NOT):
            raise Finding("refused start", why)
        check_refused_start(shop, memory * 1024, screen, why)
        shop.told.append(re.sub(r"0x[0-9a-f]+|\d+", "..", re.sub(r"layout \S+", "layout ..", why)))
        return False
    if "Quire, layout" not in said and status != 0:
        if memory * 1024 * 1024 < shop.image_start + IMAGE_ROOM or re.search(r"qemu-system-i386: .*", said):
            return False                # no kernel was loaded: the image lies in no RAM
        raise Finding("silence at boot", f"status {status}: {last_words(said)}")
    return True


def check_audits(audits, count, said):
    if len(audits) < count:
        raise Finding("audit", f"audits are missing: {last_words(said)}")
    if any(not audit.startswith("clean") for audit in audits):
        at = said.index(next(audit for audit in audits if not audit.startswith("clean")))
        raise Finding("audit", said[at:at + 600])


def check_claims(shop, memory, screen):
    """True when the kernel started. Claims may fail, in words; the audit before and after is clean."""
    status, said = shop.boot(memory * 1024, screen, 'run="audit;claims;audit;exit" panic=exit',
                             patience=PATIENCE["console"])
    if not has_started(shop, memory, screen, status, said):
        return False
    check_ending(status, said, "claims" if "claims" in said else "the console")
    check_audits(re.findall(r"^audit: (.*)$", said, re.M), 2, said)
    return True


# Where a program that is not linked for any address is linked.
FILL_START, FILL_END = 0x08048000, 0x08054000


def program_for(document, first):
    """The program that is linked for an address, on the first machine, where the document maps that; else the other."""
    user = document.named("user", ("Virtual memory",))
    fits = user is not None and user.start is not None and user.start <= FILL_START and FILL_END <= (user.end or 0)
    return "fill" if first and fits else "anywhere"


def check_program(shop, memory, screen, program):
    """True when the kernel started. A program fills memory and gives it back; the audit runs before and after."""
    status, said = shop.boot(memory * 1024, screen, f"init=/{program} panic=exit", archive=True,
                             patience=PATIENCE["program"])
    if not has_started(shop, memory, screen, status, said):
        return False
    check_ending(status, said, "the program")
    if "fill: at first" not in said:
        raise Finding("program", f"status {status}, it did not start: {last_words(said)}")
    audits = re.findall(r"^fill: .*?, audit (.*)$", said, re.M)
    if "fill: done" not in said:
        raise Finding("program", f"status {status}: {last_words(said)}")
    check_audits(audits, 2, said)
    return True


def check_assertions(shop, document, machine):
    """The checked kernel does the same; its checks take long."""
    status, said = shop.link(checked=True)
    if status != 0:
        if re.search(r"\.md:\d+: ", said):
            return                      # the checked kernel is longer
        raise Finding("link", said[-1200:])
    status, said = shop.boot(machine[0] * 1024, machine[1], 'run="audit;claims;audit;exit" panic=exit',
                             patience=4 * PATIENCE["console"], checked=True)
    if has_started(shop, *machine, status, said):
        check_ending(status, said, "claims, checked")
        check_audits(re.findall(r"^audit: (.*)$", said, re.M), 2, said)
        status, said = shop.boot(machine[0] * 1024, machine[1], f"init=/{program_for(document, True)} panic=exit",
                                 archive=True, patience=4 * PATIENCE["program"], checked=True)
        check_ending(status, said, "the program, checked")
        check_audits(re.findall(r"^fill: .*?, audit (.*)$", said, re.M), 2, said)


def judge(shop, document, machines, checked=False):
    """Returns the document's outcome: refused, `not linked`, or booted; raises a Finding."""
    shop.write(document)
    status, said = shop.check()
    if status == 1:
        check_refusal(document, said)
        return "refused"
    if status != 0:
        raise Finding("compiler", f"status {status}: {said[-600:]}")
    status, said = shop.link()
    if status != 0:
        if re.search(r"\.md:\d+: ", said):
            return "not linked"         # the linker's numbers, in the compiler's words
        raise Finding("link", said[-1200:])
    check_claims(shop, *machines[0])
    started = [check_program(shop, *machine, program_for(document, machine is machines[0])) for machine in machines]
    if checked and any(started):
        check_assertions(shop, document, machines[-1])
    return "booted" if any(started) else "not started"


# ---- Shrinking ----------------------------------------------------------------------------------------

def shrink(shop, document, machines, kind, checked):
    """Take away changes, one by one, as long as the same kind of finding stays."""
    steps = list(document.steps)
    for step in list(steps):
        fewer = [other for other in steps if other is not step]
        if not fewer:
            break
        smaller = Document(document.layout, TREE)
        replay(smaller, fewer)
        if not smaller.steps:
            continue
        try:
            judge(shop, smaller, machines, checked)
        except Finding as finding:
            if finding.kind == kind:
                document, steps = smaller, list(smaller.steps)
    return document


class Totals:
    """The totals of a run: outcomes, outcomes of each kind of change, numbers of the documents with findings."""

    def __init__(self):
        self.lock, self.counts, self.kinds, self.findings, self.told = threading.Lock(), {}, {}, [], {}

    def add(self, outcome, document, told):
        with self.lock:
            for words in told:
                self.told[words] = self.told.get(words, 0) + 1
            self.counts[outcome] = self.counts.get(outcome, 0) + 1
            for kind in {name for name, _ in document.steps}:
                of_kind = self.kinds.setdefault(kind, {})
                of_kind[outcome] = of_kind.get(outcome, 0) + 1

    def table(self):
        outcomes = ["booted", "not started", "not linked", "refused", "found"]
        lines = [f"{'change':24}" + "".join(f"{outcome:>12}" for outcome in outcomes)]
        for kind, of_kind in sorted(self.kinds.items()):
            lines.append(f"{kind:24}" + "".join(f"{of_kind.get(outcome, 0):12}" for outcome in outcomes))
        lines += [f"told at boot, {times} times: {words}" for words, times in sorted(self.told.items())]
        return "\n".join(lines)

    def text(self):
        return ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items()))


def document_of(seed, number):
    chance = random.Random(f"{seed}/{number}")
    layout = LAYOUTS[number % len(LAYOUTS)]
    others = chance.choices(MACHINES, OFTEN, k=chance.choice([1, 1, 2]))
    machines = [MACHINES[0], *dict.fromkeys(others)]
    return change_by_chance(layout, TREE, chance), machines


def one(shop, seed, number, totals, keep, every):
    document, machines = document_of(seed, number)
    begin, checked, shop.told = time.monotonic(), every > 0 and number % every == 0, []
    try:
        outcome = judge(shop, document, machines, checked)
    except Finding as finding:
        outcome = "found"
        small = shrink(shop, document, machines, finding.kind, checked)
        try:
            shop.write(small)
            judge(shop, small, machines, checked)
        except Finding as again:
            finding = again
        with totals.lock:
            totals.findings.append(number)
            print(f"FOUND {number} ({document.layout}): {finding}\n  changes: " + "\n           ".join(small.said()) +
                  f"\n  machines: {machines}\n  again: tests/documents/documents.py --seed {seed} --only {number}\n",
                  flush=True)
        if keep:
            os.makedirs(keep, exist_ok=True)
            with open(os.path.join(keep, f"{seed}-{number}.md"), "w") as file:
                file.write(small.text(f"found{number}"))
    totals.add(outcome, document, shop.told)
    return number, document, outcome, time.monotonic() - begin


def run(build, count, seed, only=None, keep=None, workers=2, verbose=False, every=0):
    """Returns the totals; totals.findings is empty when all is well."""
    lock, totals = threading.Lock(), Totals()
    free = [Workshop(build, n, lambda: lock) for n in range(workers)]
    numbers = [only] if only is not None else range(count)

    def work(number):
        with totals.lock:
            shop = free.pop()
        try:
            number, document, outcome, seconds = one(shop, seed, number, totals, keep, every)
            if verbose:
                print(f"{number}: {outcome} ({seconds:.0f} s), {document.layout}: {'; '.join(document.said())}",
                      flush=True)
        finally:
            with totals.lock:
                free.append(shop)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, numbers))
    return totals


def survey(build, count, seed):
    """How often the compiler accepts each kind of change, alone; the commonest first complaints of those refused."""
    shop = Workshop(build, "-survey", threading.Lock)
    for kind in CHANGES:
        accepted, refused, complaints = 0, 0, {}
        for number in range(count):
            document = with_one(LAYOUTS[number % len(LAYOUTS)], TREE, kind, random.Random(f"{seed}/{kind}/{number}"))
            if document is None:
                continue
            shop.write(document)
            status, said = shop.check()
            if status == 0:
                accepted += 1
                continue
            refused += 1
            words = re.search(r"\.md:?\d*: (.*)$", said, re.M)
            words = re.sub(r"0x[0-9A-F]+|\d+|`[^`]*`", "..", words[1] if words else said)[:90]
            complaints[words] = complaints.get(words, 0) + 1
        share = 100 * accepted // max(accepted + refused, 1)
        print(f"{kind:24} {accepted:4} accepted, {refused:4} refused: {share:3} %")
        for words, times in sorted(complaints.items(), key=lambda entry: -entry[1])[:3]:
            print(f"    {times:4} {words}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--count", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=0, help="0: another one each time")
    arguments.add_argument("--only", type=int, help="this document of the seed's alone")
    arguments.add_argument("--keep", help="a folder for the documents that something was found with")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--checked", type=int, default=0, metavar="N",
                           help="every Nth document's kernel also runs with all its assertions")
    arguments.add_argument("--changes", help="only these, by name, with commas between them (changes.py)")
    arguments.add_argument("--kinds", type=int, metavar="N", help="no boots: how many of N of each kind are accepted")
    arguments.add_argument("--verbose", action="store_true", help="a line for each document")
    options = arguments.parse_args()
    if options.changes:
        for name in set(WEIGHTS) - set(options.changes.split(",")):
            del WEIGHTS[name]
    seed = options.seed or int.from_bytes(os.urandom(3), "little") or 1
    if options.kinds:
        survey(os.path.abspath(options.build), options.kinds, seed)
        return 0
    print(f"seed {seed}, {1 if options.only is not None else options.count} documents", flush=True)
    totals = run(os.path.abspath(options.build), options.count, seed, options.only, options.keep, options.workers,
                 options.verbose, options.checked)
    print(f"{totals.table()}\n{totals.text()}; {len(totals.findings)} findings")
    return 1 if totals.findings else 0


if __name__ == "__main__":
    sys.exit(main())
