"""obeyed.py - the page tables of a running machine, held against the words of its document.

The auditor compares with what the compiler made of the document, so both might be wrong together. This reads the
document by itself, and the tables by QEMU's eyes (`info tlb`): every page that is mapped is in a row that allows it,
shows the physical memory that the row names, and has no right that the row does not give; every page that a row backed
by `physical` or `image` promises is there; guards are not; what was taken from the pool lies in rows of the pool; the
processor's tables are where the document has them.
"""
import bisect
import re
import subprocess

from document import PAGE, TABLE, number, size_of

ENTRY = re.compile(r"^([0-9a-f]{8,16}): ([0-9a-f]{8,16}) ([-\w]{9})\r?$", re.M)
OF_POOL = ("user", "heap", "stacks", "objects", "bookkeeping")
AT_FIRST = ("image boot", "image text", "image rodata", "image data")       # what is there from the start, to the page


class Range:
    """A row with its borders as numbers."""

    def __init__(self, row, start, end):
        self.row, self.start, self.end, self.name = row, start, end, row["Name"]
        self.backing, self.kernel, self.user = row["Backing"], row["Kernel"], row["User"]


def symbols_of(kernel):
    said = subprocess.run(["nm", kernel], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: int(value, 16) for value, _, name in re.findall(r"^(\w+) (\w) (image_\w+)$", said, re.M)}


class Expectation:
    """What a document says of its kernel's address space, with the linker's numbers for borders that float."""

    def __init__(self, document, kernel):
        document, self.symbols = document.plain(), symbols_of(kernel)
        self.physical = [Range(row, self.physical_border(row["Start"]), self.physical_border(row["End"], True))
                         for row in document.rows("Physical memory")]
        image = next(one for one in self.physical if one.row["Use"] == "image")
        common = [self.range_of(row) for row in document.virtual()]
        first = next(one for one in common if one.backing.startswith("image"))
        self.offset = first.start - image.start
        own = [self.range_of(row) for row in document.rows("Kernel space")]
        user = next(one for one in common if one.name == "user")
        self.spaces = [common]              # of programs, and where the kernel has its own, that
        if own:
            self.spaces.append(sorted([one for one in common if one is not user] + own, key=lambda one: one.start))
        self.structures = {row["Name"]: row.start for row in document.rows("Kernel structures")}

    def floats(self, text):
        """The page border of `end of SECTION`."""
        section = text.removeprefix("end of ")
        if section == "image":
            return -(-self.symbols["image_end"] // PAGE) * PAGE
        return self.symbols[f"image_{section}_end_page"] * PAGE

    def range_of(self, row):
        start, end = row["Start"], row["End"]
        return Range(row, number(start) if number(start) is not None else self.floats(start),
                     number(end) + 1 if number(end) is not None else self.floats(end))

    def physical_border(self, text, end=False):
        at = number(text)
        return at + end if at is not None else -(-self.symbols["image_physical_end"] // PAGE) * PAGE

    def use_of(self, frame):
        return next(one.row["Use"] for one in self.physical if one.start <= frame < one.end)

    def wrong(self, tables, registers, memory_end):
        """What is not as the document says, in words; empty when all is."""
        runs = parse(tables)
        found = [self.wrong_in(space, runs, memory_end) for space in self.spaces]
        return min(found, key=len) + self.wrong_places(registers)

    def wrong_in(self, space, runs, memory_end):
        starts, wrong, counts, covered = [one.start for one in space], [], {}, {}
        for run in runs:
            at = run.address
            while at < run.end:
                row = space[bisect.bisect_right(starts, at) - 1]
                end = max(min(run.end, row.end), at + PAGE)
                counts[row.name] = counts.get(row.name, 0) + (end - at) // PAGE
                covered.setdefault(row.name, []).append((at, end))
                for page in range(at, end, PAGE) if self.page_by_page(row) else {at, end - PAGE}:
                    words = self.wrong_page(space, starts, row, page, run.shown(page), run.user, run.write)
                    if words:
                        wrong.append(f"0x{page:08x} shows 0x{run.shown(page):08x} in {row.name}: {words}")
                at = end
        for row in space:
            wrong += self.wrong_row(row, covered.get(row.name, []), counts.get(row.name, 0), memory_end)
        return wrong

    @staticmethod
    def page_by_page(row):
        """Whether what is right of a row's first and last page, in one run, says nothing of those between."""
        return row.name in OF_POOL or row.backing == "tables" or row.backing.startswith("alias of ")

    def wrong_page(self, space, starts, row, address, frame, user, write):
        if row.backing.startswith("alias of "):
            of = next(one for one in space if one.name == row.backing.removeprefix("alias of "))
            address = of.start + address - row.start
            row = space[bisect.bisect_right(starts, address) - 1]
        if row.backing == "none":
            return "nothing is ever mapped there"
        if write and "w" not in row.kernel:
            return f"it can be written, but Kernel is {row.kernel}"
        if user and row.user == "---" and (row.backing != "tables" or address == row.start + row.start // TABLE * PAGE):
            return "programs can see it"    # of the view of tables, the directory's entry for itself decides
        if row.backing.startswith(("physical", "image")) and frame != self.shown_by(row) + address - row.start:
            return f"it should show 0x{self.shown_by(row) + address - row.start:08x}"
        if row.name in OF_POOL and self.use_of(frame) not in ("pool", "boot", "image"):     # image: a module's file
            return f"that is in a row with the use {self.use_of(frame)}"
        each, guard = self.pieces(row)
        if row.name == "stacks" and (address - row.start) % (each + guard) < guard:
            return "that is a guard"
        return None

    def shown_by(self, row):
        """The physical address at which a region of a constant distance starts."""
        at = number(row.backing.removeprefix("physical "))
        return row.start - self.offset if at is None else at

    @staticmethod
    def pieces(row):
        each, guard = row.row["Growth"].split(" each")[0], row.row["Guard"].split(" below")[0]
        return size_of(each) or PAGE, size_of(guard) or 0

    def wrong_row(self, row, covered, count, memory_end):
        wrong, end, at, missing = [], row.end, max(row.start, PAGE), []
        if row.name == "direct":
            end = min(end, row.start + max(memory_end - self.shown_by(row), 0))
        if row.backing.startswith("physical") or row.backing in AT_FIRST:
            for first, behind in [*covered, (end, end)]:
                if at < min(first, end):
                    missing.append((at, min(first, end)))
                at = max(at, behind)
            if missing:
                wrong.append(f"{row.name} lacks {sum(b - a for a, b in missing) // PAGE} pages, "
                             f"0x{missing[0][0]:08x} first")
        most = re.search(r", at most (.*)$", row.row["Growth"].lower())
        if most and row.name in ("heap", "stacks") and count * PAGE > size_of(most[1]):
            wrong.append(f"{row.name} has {count} pages; at most {most[1]} are allowed")
        return wrong

    def wrong_places(self, registers):
        """The processor's tables: where it was told that they are."""
        wrong = []
        for name, pattern in (("gdt", r"^GDT= +([0-9a-f]{8})"), ("idt", r"^IDT= +([0-9a-f]{8})"),
                              ("tss", r"^TR =[0-9a-f]+ ([0-9a-f]{8})")):
            told = int(re.search(pattern, registers, re.M)[1], 16)
            at = self.structures.get(name)
            if at is not None and told != (at + self.offset) % (1 << 32):
                wrong.append(f"{name} is at 0x{told:08x}, and should be at 0x{(at + self.offset) % (1 << 32):08x}")
        return wrong


class Run:
    """Pages side by side that show frames side by side, with the same rights."""

    def __init__(self, address, frame, length, user, write):
        self.address, self.end, self.frame, self.user, self.write = address, address + length, frame, user, write

    def shown(self, address):
        return self.frame + address - self.address

    def goes_on_with(self, address, frame, user, write):
        return self.end == address and self.shown(address) == frame and (self.user, self.write) == (user, write)


def parse(tables):
    """The runs of `info tlb`, in the order of addresses."""
    runs = []
    for address, frame, flags in ENTRY.findall(tables):
        address, frame, user, write = int(address, 16), int(frame, 16), flags[7] == "U", flags[8] == "W"
        length = TABLE if flags[2] == "P" else PAGE
        if runs and runs[-1].goes_on_with(address, frame, user, write):
            runs[-1].end += length
        else:
            runs.append(Run(address, frame, length, user, write))
    return runs
