#!/usr/bin/python3
"""documents.py - documents changed by chance, from all that ship: each is obeyed, or refused in words.

    tests/documents/documents.py --build build --count 20 [--seed N] [--only N] [--keep FOLDER]
    tests/documents/documents.py --build build --hand [NAME ...]
    tests/documents/documents.py --build build --kinds 60 [--seed N]

The second form takes the documents of by_hand.py. The third asks the compiler alone, with so many documents of one
change for each kind of change, and prints how many it accepts: a kind that is nearly always refused shows nothing of
the kernel.

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
import select
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import by_hand
import newc
from by_chance import CHANGES, WEIGHTS, change_by_chance, replay, with_one
from document import Document
from link import Stock
from obeyed import Expectation

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LAYOUTS = sorted(os.path.basename(os.path.dirname(path)) for path in glob.glob(f"{TREE}/layouts/*/layout.md"))

# Machines: memory in MiB, whether there is a screen, and what else is special. A document gets one of the first, which
# may be a special one, and one or two of the others; how often, in parts of a hundred. What a processor does for a
# machine grows with its memory, and most of what a large one shows a middle one shows as well.
FIRST = {(24, False): 50, (64, False): 50}
OTHERS = {(16, True): 21, (8, False): 20, (32, True): 20, (256, True): 4, (512, True): 2, (1024, False): 1,
          (3072, False): 0.3, (2, False): 4, (3, False): 5, (4, True): 11, (6, False): 12}
SPECIAL = {"q35": ["-machine", "q35"], "isapc": ["-machine", "isapc", "-cpu", "pentium3"],
           "four processors": ["-smp", "4"], "many features": ["-cpu", "max"]}
PATIENCE = {"console": 120, "program": 150}
IMAGE_ROOM = 4 << 20                    # what an image and its zeroed variables have at most, and firmware's own memory
FIRST_WORDS = 64 << 10                  # with less of it in memory, a kernel cannot say that memory is too little
LITTLE = 2 << 20                        # RAM in rows of the pool that may have no room for a program
TOO_LITTLE = re.compile(r"too little memory for layout \S+: (\d+) KiB of RAM found, at least (\d+) KiB needed")


# Messages of a kernel that cannot start on a machine; where a row lies in no RAM, with the row's name.
STARTS_NOT = [
    TOO_LITTLE,
    re.compile(r"layout \S+ wants RAM for (.+), from 0x[0-9a-f]+ to 0x[0-9a-f]+: this machine has none there$"),
    re.compile(r"layout \S+ has no place for .+ of \d+ KiB of RAM: \d+ KiB below 0x[0-9a-f]+"),
    re.compile(r"layout \S+ leaves too little to hand out of \d+ KiB of RAM, and of any more in its place"),
    re.compile(r"layout \S+ hands out too little: its rows with the use `pool` have \d+ KiB, \d+ KiB more are needed"),
    re.compile(r"the boot loader has put something where this layout keeps its page tables"),
]


class Finding(Exception):
    """A document's failure: its kind, which shrinking keeps, and the words."""

    def __init__(self, kind, words):
        super().__init__(f"{kind}: {words}")
        self.kind = kind


def tables_of(monitor, deadline, then):
    """The registers and page tables of a machine, which stands still meanwhile, by its monitor; `then` goes on."""
    said = b""
    try:
        monitor.sendall(b"stop\ninfo registers\ninfo tlb\nprint /d 11111*3\n")
        while b"33333" not in said:
            monitor.settimeout(max(deadline - time.monotonic(), 0.1))
            more = monitor.recv(1 << 20)
            if not more:
                break
            said += more
        monitor.sendall(then)
    except OSError:
        pass                                # the machine has ended
    return said.decode("latin-1").replace("\r", "")


class Workshop:
    """Where one document after the other is made: paths stay the same, so that a cache of objects serves. make works in
    one build directory, so linking happens inside what locked() returns."""

    def __init__(self, build, number, locked, stock=None):
        self.build, self.name, self.locked, self.stock = build, f"changed{number}", locked, stock
        self.image_start = 0                    # the current document's image, or what runs before paging: the higher
        self.tables = None                      # of the last machine, where they were looked at
        self.expected = None                    # an Expectation of the document and its kernel, once it is wanted
        self.told = []                          # messages of kernels that could not start
        self.folder = os.path.join(build, "documents")
        os.makedirs(self.folder, exist_ok=True)
        self.path = os.path.join(self.folder, self.name + ".md")
        self.made = os.path.join(build, self.name)              # by make
        self.own = os.path.join(self.folder, self.name)         # from the stock's objects
        self.kernel = os.path.join(self.made, "kernel.elf")
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
        self.expected = None
        starts = [row.start or 0 for row in document.plain().rows("Physical memory") if row["Use"] in ("image", "boot")]
        self.image_start = max(starts, default=0)
        with open(self.path, "w") as file:
            file.write(document.text(self.name))

    def check(self):
        """The compiler's verdict: (accepted, its output)."""
        done = subprocess.run([os.path.join(self.build, "host", "quire"), "layout", "check", self.path],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
                              env={**os.environ, "QUIRE_HOME": TREE})
        return done.returncode, done.stdout

    def link(self, checked=False):
        """The kernel of the document: (exit status, output). With a stock, without the names of its functions."""
        if self.stock is None or checked:
            self.kernel = os.path.join(self.made, "kernel.elf")
            return self.make([self.checked], "CHECKED=1") if checked else self.make([self.kernel])
        done = self.stock.link(self.path, self.own)
        self.kernel = os.path.join(self.own if done else self.made, "kernel.elf")
        if done is None:
            done = self.make([self.kernel, os.path.join(self.made, "link.txt")], learn=True)
        return done

    def make(self, goals, *words, learn=False):
        plain = {name: value for name, value in os.environ.items()
                 if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")}
        with self.locked():
            done = subprocess.run(["make", "-C", TREE, "-s", "--no-print-directory", f"O={self.build}",
                                   f"LAYOUT={self.path}", *words, *goals],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
                                  env=plain)
            if learn and done.returncode == 0:
                self.stock.learn(self.made)
        return done.returncode, done.stdout

    def boot(self, machine, append, archive=False, patience=60, checked=False, look=None):
        """The serial line of a machine until the machine ends by itself: (exit status or None, the output). When the
        output has `look`, a pattern, self.tables are the processor's registers and page tables at that moment."""
        memory, screen, *special = machine
        words = ["qemu-system-i386", "-accel", "tcg,tb-size=32", "-m", f"{int(memory * 1024)}K", "-display", "none",
                 "-no-reboot", "-nodefaults", "-vga", "std" if screen else "none",
                 *(word for one in special for word in SPECIAL[one]), "-device",
                 "isa-debug-exit,iobase=0xf4,iosize=0x04", "-serial", "stdio", "-kernel",
                 self.checked if checked else self.kernel, "-append", append]
        if archive:
            words += ["-initrd", self.archive]
        ours, its = socket.socketpair()
        words += ["-chardev", f"socket,id=look,fd={its.fileno()}", "-mon", "chardev=look"]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   pass_fds=[its.fileno()])
        its.close()
        said, late, self.tables, deadline = b"", False, None, time.monotonic() + patience
        with ours, process.stdout:
            while select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))[0]:
                more = os.read(process.stdout.fileno(), 65536)
                if not more:
                    break
                said += more
                if look and self.tables is None and re.search(look, said, re.M | re.S):
                    self.tables = tables_of(ours, deadline, b"cont\n" if archive else b"quit\n")
            else:
                late = True
                process.kill()
        status = process.wait()
        return None if late else status, said.decode("latin-1").replace("\r", "")


# ---- What must hold --------------------------------------------------------------------------------

def check_refusal(document, said):
    """Some complaint names a line that was changed; a row that is gone has no line, but then none is named."""
    complaints = re.findall(r"^\S+?\.md:?(\d*): (.*)$", said, re.M)
    if not complaints:
        raise Finding("refusal", f"no complaint: {said[-400:]}")
    named = {int(line) for line, _ in complaints if line}
    named |= {int(line) for _, text in complaints for line in re.findall(r"\(?line (\d+)", text)}
    missing = re.findall(r"no (?:region|row|boot mapping|policy)[^;]*?`([\w -]+)`", said)
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
    if not named & document.changed_lines():
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


def check_refused_start(shop, machine, why):
    """A machine with the memory that the kernel asks for must not be asked for more, again and again."""
    asked = TOO_LITTLE.search(why)
    for _ in range(3):
        if not asked:
            return
        if int(asked[1]) > int(asked[2]):
            raise Finding("too little", f"asks for less than it found: {why}")
        if int(asked[2]) > 3 * 1024 * 1024:
            return                      # more than QEMU's machine has below 4 GiB
        memory, *rest = machine
        machine = (max(memory, int(asked[2]) / 1024 + 2), *rest)        # firmware keeps a part of the machine's memory
        status, said = shop.boot(machine, "run=audit;exit", patience=PATIENCE["console"])
        why = refused_to_start(said)
        if why is None:
            check_ending(status, said, "a machine of the size asked for")
            return
        asked = TOO_LITTLE.search(why)
    raise Finding("too little", f"with {machine[0]:.1f} MiB it still says: {why}")


def has_started(shop, machine, status, said):
    """False where the kernel printed why it cannot start, or where no kernel was loaded."""
    why = refused_to_start(said)
    if why is not None:
        if not any(form.match(why) for form in STARTS_NOT):
            raise Finding("refused start", why)
        check_refused_start(shop, machine, why)
        shop.told.append(re.sub(r"0x[0-9a-f]+|\d+", "..", re.sub(r"layout \S+", "layout ..", why)))
        return False
    if "Quire, layout" not in said:
        if machine[0] * 1024 * 1024 < shop.image_start + IMAGE_ROOM or re.search(r"qemu-system-i386: .*", said):
            return False                # no kernel was loaded: the image lies in no RAM, or where firmware works
        raise Finding("silence at boot", f"status {status}: {last_words(said)}")
    return True


def check_audits(audits, count, said):
    if len(audits) < count:
        raise Finding("audit", f"audits are missing: {last_words(said)}")
    if any(not audit.startswith("clean") for audit in audits):
        at = said.index(next(audit for audit in audits if not audit.startswith("clean")))
        raise Finding("audit", said[at:at + 600])


def check_tables(shop, document, machine, where):
    """The page tables are as the document says; no tables are there to be seen where the machine was faster."""
    if shop.tables and "33333" in shop.tables:
        shop.expected = shop.expected or Expectation(document, shop.kernel)
        wrong = shop.expected.wrong(shop.tables, shop.tables, int((machine[0] - 1) * (1 << 20)))
        if wrong:
            raise Finding("disobeyed", f"in {where}: {len(wrong)} places; " + "; ".join(wrong[:6]))


def check_claims(shop, document, machine):
    """True when the kernel started. Claims may fail, in words; the audit before and after is clean."""
    status, said = shop.boot(machine, 'run="audit;claims;audit" panic=exit',
                             patience=PATIENCE["console"], look=rb"^audit: .*^audit: [^\n]*\n")
    if not has_started(shop, machine, status, said):
        return False
    check_ending(status, said, "claims" if "claims" in said else "the console")
    check_audits(re.findall(r"^audit: (.*)$", said, re.M), 2, said)
    check_tables(shop, document, machine, "the console")
    return True


# Where a program that is not linked for any address is linked.
FILL_START, FILL_END = 0x08048000, 0x08054000


def program_for(document, first):
    """The program that is linked for an address, on the first machine, where the document maps that; else the other."""
    user = document.plain().named("user", ("Virtual memory",))
    fits = user is not None and user.start is not None and user.start <= FILL_START and FILL_END <= (user.end or 0)
    return "fill" if first and fits else "anywhere"


def pool_of(document, machine):
    """The RAM of a machine in rows of the pool; the image as well where the pool begins at its end, which floats."""
    total = before = 0
    for row in document.plain().rows("Physical memory"):
        start = before if row.start is None else row.start
        before = start if row.end is None else row.end
        if row["Use"] == "pool":
            total += sum(max(min(before, end) - max(start, first), 0)
                         for first, end in ((0, 0xA0000), (0x100000, int(machine[0] * (1 << 20)))))
    return total


def has_no_room(document, machine, said):
    """The kernel is there, and has said that the little that it left has no room for the program."""
    return pool_of(document, machine) < LITTLE and "cannot be started: there is too little memory" in said


def check_program(shop, document, machine, program):
    """True when the program ran. It fills memory and gives it back; the audit runs before and after."""
    status, said = shop.boot(machine, f"init=/{program} panic=exit", archive=True,
                             patience=PATIENCE["program"], look=rb"^fill: memory ")
    if not has_started(shop, machine, status, said):
        return False
    check_ending(status, said, "the program")
    if "fill: at first" not in said:
        if has_no_room(document, machine, said):
            return False
        raise Finding("program", f"status {status}, it did not start: {last_words(said)}")
    audits = re.findall(r"^fill: .*?, audit (.*)$", said, re.M)
    if "fill: done" not in said:
        raise Finding("program", f"status {status}: {last_words(said)}")
    check_audits(audits, 2, said)
    check_tables(shop, document, machine, "a program")
    return True


def check_assertions(shop, document, machine):
    """The checked kernel does the same; its checks take long."""
    status, said = shop.link(checked=True)
    if status != 0:
        if re.search(r"\.md:\d+: ", said):
            return                      # the checked kernel is longer
        raise Finding("link", said[-1200:])
    status, said = shop.boot(machine, 'run="audit;claims;audit;exit" panic=exit',
                             patience=4 * PATIENCE["console"], checked=True)
    if has_started(shop, machine, status, said):
        check_ending(status, said, "claims, checked")
        check_audits(re.findall(r"^audit: (.*)$", said, re.M), 2, said)
        status, said = shop.boot(machine, f"init=/{program_for(document, True)} panic=exit",
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
    machines = [machine for machine in machines if machine[0] << 20 > shop.image_start + FIRST_WORDS]
    if not machines:
        machines = [(min((shop.image_start >> 20) + 32, 3072), False)]
    check_claims(shop, document, machines[0])
    started = [check_program(shop, document, machine, program_for(document, machine is machines[0]))
               for machine in machines]
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
    others = chance.choices(list(OTHERS), list(OTHERS.values()), k=chance.choice([1, 1, 2]))
    first = chance.choices(list(FIRST), list(FIRST.values()))[0]
    if chance.random() < 0.3:
        first = (*first, chance.choice(sorted(SPECIAL)))
    machines = [first, *dict.fromkeys(others)]
    return change_by_chance(layout, TREE, chance), machines


def one(shop, seed, number, totals, keep, every):
    document, machines = document_of(seed, number)
    begin, checked, shop.told = time.monotonic(), every > 0 and number % every == 0, []
    try:
        outcome = judge(shop, document, machines, checked)
    except Finding as finding:
        outcome = "found"
        small = shrink(shop, document, machines, finding.kind, checked)
        stock, shop.stock = shop.stock, None    # made by make, with names in its backtrace
        try:
            judge(shop, small, machines, checked)
        except Finding as again:
            finding = again
        finally:
            shop.stock = stock
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
    lock, totals, stock = threading.Lock(), Totals(), Stock(TREE, build)
    free = [Workshop(build, n, lambda: lock, stock) for n in range(workers)]
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
    stock.close()
    return totals


def by_hand_alone(build, names):
    """The documents that were written by hand, each as it must end; returns how many do not."""
    lock, stock, wrong, counts = threading.Lock(), Stock(TREE, build), 0, {}
    shop = Workshop(build, "-hand", lambda: lock, stock)
    for name in names or by_hand.DOCUMENTS:
        document, refused = by_hand.document_of(name, TREE)
        try:
            outcome = judge(shop, document, [(64, False), (16, True)])
            said = shop.check()[1]
            expected = {None: ("booted", "not started"), by_hand.LINKER: ("not linked",)}.get(refused, ("refused",))
            if outcome not in expected or outcome == "refused" and refused not in said:
                raise Finding("by hand", f"{outcome}: {said[-400:]}")
        except Finding as finding:
            wrong, outcome = wrong + 1, "found"
            print(f"FOUND by hand: {name} ({document.layout}): {finding}\n", flush=True)
        counts[outcome] = counts.get(outcome, 0) + 1
    stock.close()
    print("by hand: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())), flush=True)
    return wrong


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
    arguments.add_argument("--hand", nargs="*", metavar="NAME", help="the documents that were written by hand")
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
    if options.hand is not None:
        return 1 if by_hand_alone(os.path.abspath(options.build), options.hand) else 0
    print(f"seed {seed}, {1 if options.only is not None else options.count} documents", flush=True)
    totals = run(os.path.abspath(options.build), options.count, seed, options.only, options.keep, options.workers,
                 options.verbose, options.checked)
    print(f"{totals.table()}\n{totals.text()}; {len(totals.findings)} findings")
    return 1 if totals.findings else 0


if __name__ == "__main__":
    sys.exit(main())
