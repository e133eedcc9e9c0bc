"""changes.py - layout documents as tables, and what may be changed in them by chance.

A change is a function of a document and a source of chance. It returns words for what it did, or None when this
document has nothing to do it to. Each is replayed from a seed of its own, so that a document can be made again with
fewer of them.
"""
import difflib
import random
import re

PAGE, TABLE, END = 0x1000, 0x400000, 1 << 32
UNITS = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")]
ADDRESS = re.compile(r"0x[0-9A-Fa-f_]+$")


def size_text(size):
    for unit, name in UNITS:
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    for unit, name in UNITS[:-1]:
        if size > unit:
            return f"{size // unit} {name} and {size_text(size % unit)}"
    return f"{size} B"


def size_of(text):
    """A size as documents write it; None when it is none."""
    total, sign = 0, 1
    for part in re.split(r" (less|and) ", text.strip()):
        if part in ("less", "and"):
            sign = -1 if part == "less" else 1
            continue
        found = re.fullmatch(r"([\d.]+) *(B|KiB|MiB|GiB)", part)
        if not found:
            return None
        total += sign * int(float(found[1]) * dict((name, unit) for unit, name in UNITS)[found[2]])
    return total


def number(text):
    return int(text.replace("_", ""), 16) if ADDRESS.fullmatch(text) else None


class Row:
    """A row of a table: cells by the column's title."""

    def __init__(self, titles, cells):
        self.titles, self.cells = titles, dict(zip(titles, cells))

    def __getitem__(self, title):
        return self.cells.get(title, "")

    def __setitem__(self, title, text):
        if title in self.titles:
            self.cells[title] = text

    def copy(self):
        return Row(self.titles, [self.cells[title] for title in self.titles])

    def text(self):
        return "| " + " | ".join(self.cells[title] for title in self.titles) + " |"

    # Ranges: half open, as numbers; None where a border floats.
    @property
    def start(self):
        return number(self["Start"])

    @property
    def end(self):
        last = number(self["End"])
        return None if last is None else last + 1

    def place(self, start=None, end=None):
        """Move borders; the Size follows."""
        if start is not None:
            self["Start"] = f"0x{start:08X}"
        if end is not None:
            self["End"] = f"0x{end - 1:08X}"
        if self.start is not None and self.end is not None and self["Size"] != "floats":
            self["Size"] = size_text(max(self.end - self.start, 0))
        elif self.start is None or self.end is None:
            self["Size"] = "floats"
        else:
            self["Size"] = size_text(max(self.end - self.start, 0))


class Table:
    def __init__(self, heading, titles):
        self.heading, self.titles, self.rows = heading, titles, []

    def lines(self):
        return ["| " + " | ".join(self.titles) + " |", "|" + " --- |" * len(self.titles),
                *(row.text() for row in self.rows)]


class Document:
    """A document that ships, as prose and tables; and the steps that changed it."""

    def __init__(self, layout, tree):
        self.layout, self.tree, self.steps, self.words = layout, tree, [], []
        self.parts = []                         # lines of prose, and tables, in order
        heading = ""
        with open(f"{tree}/layouts/{layout}/layout.md") as file:
            lines = file.read().splitlines()
        at = 0
        while at < len(lines):
            if lines[at].startswith("## "):
                heading = lines[at][3:]
            if lines[at].startswith("|"):
                table = Table(heading, self.split(lines[at]))
                at += 2
                while at < len(lines) and lines[at].startswith("|"):
                    table.rows.append(Row(table.titles, self.split(lines[at])))
                    at += 1
                self.parts.append(table)
                continue
            self.parts.append(lines[at])
            at += 1
        self.base = self.all_lines()

    @staticmethod
    def split(line):
        return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]

    def all_lines(self):
        lines = []
        for part in self.parts:
            lines += part.lines() if isinstance(part, Table) else [part]
        return lines

    def text(self, name):
        return "\n".join(self.all_lines()).replace(f"# {self.layout}:", f"# {name}:", 1) + "\n"

    def changed_lines(self):
        """Numbers of lines that are not as they were; next to a line that is gone, both neighbours."""
        changed, lines = set(), self.all_lines()
        matcher = difflib.SequenceMatcher(None, self.base, lines, autojunk=False)
        for what, _, _, first, end in matcher.get_opcodes():
            if what == "delete":
                changed |= {first, first + 1}
            elif what != "equal":
                changed |= set(range(first + 1, end + 1))
        return changed

    def lines_gone(self):
        """Lines of the document that ships which this one does not have."""
        now = set(self.all_lines())
        return [line for line in self.base if line not in now]

    def tables(self, heading):
        return [part for part in self.parts if isinstance(part, Table) and part.heading == heading]

    def rows(self, heading):
        return [row for table in self.tables(heading) for row in table.rows]

    def table_of(self, row):
        return next(part for part in self.parts if isinstance(part, Table) and any(row is other for other in part.rows))

    def insert(self, row, new, after=True):
        rows = self.table_of(row).rows
        at = next(i for i, other in enumerate(rows) if other is row)
        rows.insert(at + after, new)

    def remove(self, row):
        rows = self.table_of(row).rows
        rows[:] = [other for other in rows if other is not row]

    def virtual(self):
        return self.rows("Virtual memory")

    def named(self, name, headings=("Virtual memory", "Kernel space")):
        return next((row for heading in headings for row in self.rows(heading) if row["Name"] == name), None)

    def policy(self, name):
        return next((row for row in self.rows("Policies") if row["Policy"] == name), None)

    # ---- Steps --------------------------------------------------------------------------------

    def take(self, name, seed):
        words = CHANGES[name](self, random.Random(seed))
        if words is not None:
            self.steps.append((name, seed))
            self.words.append(words)
        return words is not None

    def replay(self, steps):
        for name, seed in steps:
            try:
                self.take(name, seed)
            except (StopIteration, IndexError, TypeError, ValueError):
                pass                            # what it was about is no longer there

    def said(self):
        return self.words


# ---- Ranges: moved, resized, split, merged, reordered, renamed -----------------------------------------

def ranges(document, chance):
    """The rows of one table of ranges."""
    heading = chance.choice(["Virtual memory", "Virtual memory", "Virtual memory", "Physical memory", "Kernel space"])
    return document.rows(heading)


def step_of(chance):
    size = chance.choice([PAGE, PAGE, 16 * PAGE, 1 << 20, TABLE, TABLE, 16 << 20, 64 << 20])
    return size * chance.choice([1, 1, 2, 3, 7])


def move_border(document, chance):
    rows = ranges(document, chance)
    pairs = [(low, high) for low, high in zip(rows, rows[1:]) if low.end is not None and high.start is not None]
    if not pairs:
        return None
    low, high = chance.choice(pairs)
    border = low.end + step_of(chance) * chance.choice([-1, 1])
    if not 0 < border < END:
        return None
    low.place(end=border)
    shown(high, border)
    high.place(start=border)
    return f"the border between {low['Name']} and {high['Name']} to 0x{border:08X}"


def shown(row, start):
    """What a region shows moves with its start, mostly: the distance is kept."""
    physical = number(row["Backing"].replace("physical ", "")) if row["Backing"].startswith("physical 0x") else None
    if physical is not None and row.start is not None and 0 <= physical + start - row.start < END:
        row["Backing"] = f"physical 0x{physical + start - row.start:08X}"


def swap(document, chance):
    rows = ranges(document, chance)
    pairs = [(low, high) for low, high in zip(rows, rows[1:]) if None not in (low.start, low.end, high.start, high.end)]
    if not pairs:
        return None
    low, high = chance.choice(pairs)
    start, middle, end = low.start, low.start + (high.end - high.start), high.end
    table, other = document.table_of(low), document.table_of(high)
    shown(high, start)
    shown(low, middle)
    high.place(start, middle)
    low.place(middle, end)
    i, k = (next(n for n, row in enumerate(t.rows) if row is r) for t, r in ((table, low), (other, high)))
    table.rows[i], other.rows[k] = high, low
    return f"{low['Name']} and {high['Name']} exchanged"


def split(document, chance):
    rows = [row for row in ranges(document, chance) if None not in (row.start, row.end) and row.end - row.start > PAGE]
    if not rows:
        return None
    row = chance.choice(rows)
    at = row.start + chance.randrange(1, (row.end - row.start) // PAGE) * PAGE
    if chance.random() < 0.6 and row.end - row.start > TABLE:
        at = (at + TABLE - 1) // TABLE * TABLE
    if not row.start < at < row.end:
        return None
    new = row.copy()
    new["Name"] = f"{row['Name'][:10]}-{chance.choice(['rest', 'more', 'hole'])}"
    for title in ("Claims",):
        new[title] = "-"
    if "Backing" in row.titles and (chance.random() < 0.8 or not row["Backing"].startswith("physical")):
        for title, text in (("Kernel", "---"), ("User", "---"), ("Scope", "-"), ("Backing", "none"), ("Growth", "-"),
                            ("Guard", "-")):
            new[title] = text
    elif "Backing" in row.titles:
        shown(new, at)
    else:
        new["Use"] = chance.choice(["pool", "hardware", row["Use"]])
    below = chance.random() < 0.3
    if below:
        shown(row, at)
        row_start = row.start
        row.place(start=at)
        new.place(start=row_start, end=at)
    else:
        new.place(start=at, end=row.end)
        row.place(end=at)
    document.insert(row, new, after=not below)
    return (f"{row['Name']} split at 0x{at:08X}: {new['Name']} {'below' if below else 'above'} is "
            f"{new['Backing'] or new['Use']}")


def merge(document, chance):
    rows = ranges(document, chance)
    pairs = [(low, high) for low, high in zip(rows, rows[1:]) if low.end is not None and high.end is not None
             and high.start is not None]
    if not pairs:
        return None
    low, high = chance.choice(pairs)
    low.place(end=high.end)
    document.remove(high)
    return f"{low['Name']} has all of {high['Name']}"


NAMES = ["spare", "low", "direct", "records", "heap", "slots", "stacks", "tables", "devices", "text", "window", "x-1",
         "user", "objects"]


def rename(document, chance):
    rows = ranges(document, chance)
    if not rows:
        return None
    row = chance.choice(rows)
    old, row["Name"] = row["Name"], chance.choice(NAMES)
    return f"{old} renamed to {row['Name']}" if old != row["Name"] else None


# ---- Cells -------------------------------------------------------------------------------------------------

RIGHTS = ["---", "r--", "rw-", "r-x", "rwx", "--x", "-w-", "-wx", "same"]
CELLS = {
    "Kernel": RIGHTS, "User": RIGHTS, "Scope": ["all", "process", "kernel", "-"],
    "Backing": ["none", "demand", "device", "slots", "tables", "window", "objects", "program", "physical 0x00000000",
                "physical 0x00100000", "physical 0xFEC00000", "physical end of image", "image data", "alias of low",
                "alias of heap", "alias of text"],
    "Growth": ["-", "by 4 KiB", "by 64 KiB", "4 KiB each", "8 KiB each", "16 KiB each", "64 KiB each", "1 MiB each",
               "by 4 KiB, at most 1 MiB", "by 4 KiB, at most 2 MiB", "by 4 KiB, at most 64 KiB",
               "8 KiB each, at most 256 KiB", "8 KiB each, at most 64 KiB", "12 KiB each", "4 KiB each, at most 1 MiB",
               "by 4 KiB, at most 4 GiB"],
    "Guard": ["-", "4 KiB below each", "8 KiB below each", "64 KiB below each", "none: no need", "4 MiB below each"],
    "Use": ["kernel", "boot", "hardware", "image", "bitmap", "master", "pool"],
}
GROWING = {"heap": "Growth", "devices": "Growth", "stacks": "Growth", "records": "Growth"}


def cell(document, chance):
    rows = ranges(document, chance)
    titles = [title for title in CELLS if rows and title in rows[0].titles]
    if not titles:
        return None
    row, title = chance.choice(rows), chance.choice(titles)
    old, row[title] = row[title], chance.choice(CELLS[title])
    return f"{title} of {row['Name']} from `{old}` to `{row[title]}`" if old != row[title] else None


def growth(document, chance):
    rows = [row for row in (document.named(name) for name in ("heap", "devices", "stacks", "stacks")) if row]
    if not rows:
        return None
    row = chance.choice(rows)
    title = "Guard" if row["Name"] == "stacks" and chance.random() < 0.4 else "Growth"
    old = row[title]
    if title == "Guard":
        row[title] = chance.choice(["4 KiB below each", "8 KiB below each", "none: a reason", "16 KiB below each"])
    elif row["Name"] == "stacks":
        row[title] = chance.choice(["4 KiB each", "8 KiB each", "12 KiB each", "16 KiB each", "64 KiB each",
                                    "8 KiB each, at most 512 KiB", "8 KiB each, at most 128 KiB",
                                    "32 KiB each, at most 1 MiB"])
    else:
        row[title] = chance.choice(["by 4 KiB", "-", "by 4 KiB, at most 1 MiB", "by 4 KiB, at most 1028 KiB",
                                    "by 4 KiB, at most 4 MiB"])
    return f"{title} of {row['Name']} from `{old}` to `{row[title]}`" if old != row[title] else None


# ---- Policies -----------------------------------------------------------------------------------------------

CHOICES = {
    "bitmap polarity": ["one is used", "one is free"], "bitmap place": ["fixed", "first fit", "after the image"],
    "unlisted memory": ["used", "marked", "free"], "search": ["first-fit", "next-fit", "fullest"],
    "zeroing": ["user", "all"], "exhaustion": ["error", "panic"],
    "table access": ["identity", "self-map", "window", "tracked", "direct", "slots"],
}


def policy(document, chance):
    name = chance.choice([*CHOICES, "magazine", "magazine", "start address", "search", "bitmap place"])
    row = document.policy(name)
    if row is None:
        return None
    if name == "magazine":
        choice = chance.choice(["0", "1", "2", "3", "16", "63", "64", "65", "4096", "-1"])
    elif name == "start address":
        choice = f"0x{chance.randrange(1024) * TABLE:08X}"
    else:
        choice = chance.choice(CHOICES[name])
    old, row["Choice"] = row["Choice"], choice
    return f"{name} from `{old}` to `{choice}`" if old != choice else None


def bitmap_row(document, chance):
    """The bitmap gets a row of its own, or loses it."""
    place, rows = document.policy("bitmap place"), document.rows("Physical memory")
    fixed = next((row for row in rows if row["Use"] == "bitmap"), None)
    if fixed is not None:
        fixed["Use"] = chance.choice(["pool", "hardware", "kernel"])
        place["Choice"] = chance.choice(["first fit", "after the image"])
        return f"no row for the bitmap: {fixed['Use']}, {place['Choice']}"
    rows = [row for row in rows if None not in (row.start, row.end) and row.end - row.start >= 3 * 32 * PAGE]
    if not rows:
        return None
    row = chance.choice(rows)
    at = row.start + chance.randrange(1, min((row.end - row.start) // PAGE - 33, 0x3000)) * PAGE
    bitmap, rest = row.copy(), row.copy()
    bitmap["Name"], bitmap["Use"], rest["Name"] = "bits", "bitmap", "behind-bits"
    bitmap["Claims"] = rest["Claims"] = "-"
    rest.place(at + 32 * PAGE, row.end)
    row.place(end=at)
    bitmap.place(at, at + 32 * PAGE)
    document.insert(row, bitmap)
    document.insert(bitmap, rest)
    place["Choice"] = "fixed"
    return f"a row for the bitmap at 0x{at:08X}, in {row['Name']}"


# ---- Boot mappings ------------------------------------------------------------------------------------------

def boot_mapping(document, chance):
    table = document.tables("Boot mappings")[0]
    what, row = chance.randrange(6), chance.choice(table.rows)
    if what == 0:
        row["Size"] = size_text(chance.choice([PAGE, 1 << 20, 2 << 20, 3 << 20, TABLE, 2 * TABLE, 4 * TABLE,
                                               16 * TABLE]))
        return f"a boot mapping of {row['Size']} at {row['Virtual']}"
    if what == 1:
        row["Kept"] = chance.choice(["yes", "removed once paging is on"])
        return f"the boot mapping at {row['Virtual']} is kept: {row['Kept']}"
    if what == 2:
        title = chance.choice(["Virtual", "Physical"])
        row[title] = f"0x{(number(row[title]) + step_of(chance)) % END:08X}"
        return f"{title} of a boot mapping is {row[title]}"
    if what == 3 and len(table.rows) > 1:
        document.remove(row)
        return f"no boot mapping at {row['Virtual']}"
    new = row.copy()
    new["Virtual"] = f"0x{chance.randrange(1024) * TABLE + chance.choice([0, 0, PAGE, 64 * PAGE]):08X}"
    new["Physical"] = f"0x{chance.choice([0, 0, TABLE, 0x100000, 0xFEC00000]):08X}"
    new["Size"] = size_text(chance.choice([PAGE, 1 << 20, TABLE, 2 * TABLE]))
    new["Kept"] = chance.choice(["yes", "removed once paging is on", "removed once paging is on"])
    document.insert(row, new)
    return f"a boot mapping more: {new.text()}"


# ---- Whole kernels --------------------------------------------------------------------------------------------

def move_kernel_virtually(document, chance):
    """All that lies above user space, and the kernel's boot mapping, by some amount. User space ends there."""
    rows = document.virtual()
    user = document.named("user", ("Virtual memory",))
    above = [row for row in rows[rows.index(user) + 1:]]
    if user is None or not any(row["Backing"].startswith("image") for row in above):
        return None
    distance = -chance.choice([1, 2, 3, 4, 16, 64, 100, 256, 300, 512]) * TABLE
    if user.end + distance <= user.start:
        return None
    last = above[-1]
    for row in above:
        if row.start is not None:
            row.place(start=row.start + distance)
        if row.end is not None and row is not last:
            row.place(end=row.end + distance)
        row.place()
    if last["Backing"] != "none":
        # The self-map, for example, was the last: a hole follows now.
        hole = last.copy()
        for title, text in (("Name", "above"), ("Kernel", "---"), ("User", "---"), ("Scope", "-"), ("Backing", "none"),
                            ("Growth", "-"), ("Guard", "-"), ("Claims", "-")):
            hole[title] = text
        last.place(end=END + distance)
        hole.place(END + distance, END)
        document.insert(last, hole)
    offset = min(row.start for row in above if row.start is not None) - distance
    user.place(end=user.end + distance)
    for row in document.rows("Boot mappings"):
        if number(row["Virtual"]) >= offset:
            row["Virtual"] = f"0x{number(row['Virtual']) + distance:08X}"
    return f"the kernel {-distance // TABLE} times 4 MiB lower"


def move_kernel_physically(document, chance):
    """The image is loaded elsewhere; where it is linked at its physical address, it is linked elsewhere as well."""
    physical = document.rows("Physical memory")
    image = next(row for row in physical if row["Use"] == "image")
    below = physical[physical.index(image) - 1]
    distance = chance.choice([1, 16, 64, 256, 512, 768, 1024, 2048, 4096]) * PAGE * chance.choice([1, 1, 1, -1])
    first = next(row for row in document.virtual() if row["Backing"].startswith("image"))
    offset = first.start - image.start
    at = image.start + distance
    if below.start >= at or (image.end is not None and image.end <= at):
        return None
    old = image.start
    if below["Use"] == "hardware" and distance > 0 and chance.random() < 0.8:
        new = below.copy()
        new["Name"], new["Use"], new["Claims"] = "before", chance.choice(["pool", "hardware", "pool"]), "-"
        new.place(old, at)
        document.insert(below, new)
    else:
        below.place(end=at)
    image.place(start=at)
    rows = document.virtual()
    above = rows[rows.index(first) - 1] if rows.index(first) else None
    if chance.random() < 0.9 and offset >= 0 and above is not None:
        above.place(end=first.start + distance)
        first.place(start=first.start + distance)
    if chance.random() < 0.7:
        for row in document.rows("Boot mappings"):
            size = size_of(row["Size"])
            if distance > 0 and size is not None:
                row["Size"] = size_text((size + distance + TABLE - 1) // TABLE * TABLE)
        behind = next((row for row in rows if row.start is None and row.end is not None), None)
        follow = rows[rows.index(behind) + 1] if behind is not None and rows.index(behind) + 1 < len(rows) else None
        grow = (distance + TABLE - 1) // TABLE * TABLE
        if behind is not None and follow is not None and distance > 0 \
                and behind["Name"] != "direct" and behind["Backing"].startswith("phys") \
                and follow.end is not None and behind.end + grow < follow.end:
            behind.place(end=behind.end + grow)
            follow.place(start=behind.end)
    return f"the image at physical 0x{at:08X}"


def cut_user(document, chance):
    rows = document.virtual()
    user = document.named("user", ("Virtual memory",))
    if user is None:
        return None
    hole = user.copy()
    for title, text in (("Name", "cut"), ("Kernel", "---"), ("User", "---"), ("Scope", "-"), ("Backing", "none"),
                        ("Growth", "-"), ("Guard", "-"), ("Claims", "-")):
        hole[title] = text
    size = user.end - user.start
    at = user.start + size * chance.randrange(1, 100) // 100 // PAGE * PAGE
    if chance.random() < 0.7:
        at = at // TABLE * TABLE
    if not user.start < at < user.end:
        return None
    if chance.random() < 0.6:
        hole.place(at, user.end)
        user.place(end=at)
        document.insert(user, hole)
    else:
        hole.place(user.start, at)
        user.place(start=at)
        document.insert(user, hole, after=False)
    return f"user space from 0x{user.start:08X} to 0x{user.end - 1:08X} alone"


# ---- Rows of devices, structures, applications ---------------------------------------------------------------------

def device_row(document, chance):
    if chance.random() < 0.5:
        holes = [row for row in document.virtual() + document.rows("Kernel space") if row["Backing"] == "none" and
                 None not in (row.start, row.end) and row.end - row.start > 2 * PAGE]
        if not holes:
            return None
        hole = chance.choice(holes)
        size = min(chance.choice([PAGE, 1 << 20, TABLE]), hole.end - hole.start - PAGE)
        new = hole.copy()
        physical = chance.choice([0xFEC00000, 0xFEE00000, 0x80000000, 0xE0000000, 0x000A0000, 0x02000000, 0x000B8000])
        for title, text in (("Name", "device"), ("Kernel", chance.choice(["rw-", "r--"])), ("User", "---"),
                            ("Scope", "all"), ("Backing", f"physical 0x{physical:08X}"), ("Claims", "-")):
            new[title] = text
        if document.table_of(hole).heading == "Kernel space":
            new["Scope"] = "kernel"
        new.place(hole.start, hole.start + size)
        hole.place(start=hole.start + size)
        document.insert(hole, new, after=False)
        return f"a region that shows physical 0x{physical:08X}, {size_text(size)} at 0x{new.start:08X}"
    rows = [row for row in document.rows("Physical memory") if None not in (row.start, row.end)
            and row.end - row.start > (1 << 20)]
    if not rows:
        return None
    row = chance.choice(rows)
    at = row.start + chance.randrange(1, (row.end - row.start) // PAGE) * PAGE
    size = min(chance.choice([PAGE, 1 << 20, 16 << 20]), row.end - at)
    rest, new = row.copy(), row.copy()
    new["Name"], new["Use"], new["Claims"], rest["Name"], rest["Claims"] = "card", "hardware", "-", "rest", "-"
    new.place(at, at + size)
    if at + size < row.end:
        rest.place(at + size, row.end)
        document.insert(row, rest)
    row.place(end=at)
    document.insert(row, new)
    return f"a card at physical 0x{at:08X}, {size_text(size)}"


def structure(document, chance):
    rows = document.rows("Kernel structures")
    if not rows:
        return None
    row = chance.choice(rows)
    size = row.end - row.start
    start = chance.choice([row.start + chance.choice([8, 16, 0x100, 0x1000, 0x800, 4]), 0x5F000, 0x9F000,
                           0x100000, 0x4000])
    row.place(start, start + chance.choice([size, size, size + 64, max(size - 64, 8)]))
    return f"{row['Name']} at 0x{start:08X}"


def application(document, chance):
    rows = document.rows("Applications")
    if not rows:
        return None
    row, title = chance.choice(rows), chance.choice(["At first", "Size"])
    old, row[title] = row[title], chance.choice(["0 B", "4 KiB", "8 KiB", "64 KiB", "1 MiB", "64 MiB", "floats"])
    return f"{title} of the application's {row['Name']} from {old} to {row[title]}" if old != row[title] else None


def structures_row(document, chance):
    """A row for the kernel's structures, cut out of another."""
    rows = [row for row in document.rows("Physical memory") if None not in (row.start, row.end)
            and row.end - row.start > 16 * PAGE]
    if not rows:
        return None
    row = chance.choice(rows)
    size = chance.choice([1, 2, 16, 64]) * PAGE
    if row.end - row.start <= size:
        return None
    new = row.copy()
    new["Name"], new["Use"], new["Claims"] = "kernels", "kernel", "-"
    new.place(row.end - size, row.end)
    row.place(end=row.end - size)
    document.insert(row, new)
    return f"a row of {size_text(size)} for the kernel at 0x{new.start:08X}"


# ---- Nonsense ----------------------------------------------------------------------------------------------------

def nonsense(document, chance):
    tables = [part for part in document.parts if isinstance(part, Table)]
    table = chance.choice(tables)
    row, what = chance.choice(table.rows), chance.randrange(5)
    if what == 0:
        document.remove(row)
        return f"without the row {row.text()[:60]}"
    if what == 1:
        document.insert(row, row.copy())
        return f"twice the row {row.text()[:60]}"
    title = chance.choice(table.titles)
    if what == 2:
        row[title] = chance.choice(["", "-", "0x", "0xFFFFFFFF", "0x00000000", "floats", "1 GB", "99999999999999999999",
                                    "end of text", "end of image", "same", "no", "0x100000000", "-1 KiB", "A0",
                                    "kernel panic"])
    else:
        text = row[title]
        at = chance.randrange(len(text) + 1)
        row[title] = text[:at] + chance.choice(["", "0", "F", "x", "-", " ", "9"]) + text[at + chance.randrange(2):]
    return f"{title} is `{row[title]}` in {row.text()[:60]}"


CHANGES = {function.__name__: function for function in (
    move_border, swap, split, merge, rename, cell, growth, policy, bitmap_row, boot_mapping, move_kernel_virtually,
    move_kernel_physically, cut_user, device_row, structure, application, structures_row, nonsense)}
WEIGHTS = {"move_border": 6, "swap": 3, "split": 4, "merge": 1, "rename": 1, "cell": 2, "growth": 4, "policy": 5,
           "bitmap_row": 2, "boot_mapping": 3, "move_kernel_virtually": 4, "move_kernel_physically": 4, "cut_user": 3,
           "device_row": 3, "structure": 2, "application": 2, "structures_row": 2, "nonsense": 1}


def change_by_chance(layout, tree, chance):
    """A document of a layout with one to three changes."""
    document = Document(layout, tree)
    wanted = chance.choice([1, 1, 1, 2, 2, 3])
    for _ in range(100):
        if len(document.steps) == wanted:
            break
        name = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        try:
            document.take(name, chance.getrandbits(32))
        except (StopIteration, IndexError, TypeError, ValueError):
            document = Document(layout, tree)       # another change left nothing for this one: begin anew
    return document
