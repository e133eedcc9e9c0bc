"""changes.py - what may be changed in a layout document by chance: a border, a cell, a row.

A change is a function of a document and a source of chance. It returns words for the change, or None when it has
nothing to change in the document. Each is replayed from a seed of its own, so that a document can be made again with
fewer of them. Changes of a whole kernel are in wholes.py; by_chance.py chooses among all.

A change is made so that it can be accepted more often than not: cells that depend on it (the start address where
user space ends elsewhere, kernel space's own rows) mostly follow. Now and then they do not, and `nonsense` changes
one row alone.
"""
from document import (END, KNOWN, NOTHING, PAGE, TABLE, Table, is_fixed, is_hole, number, size_of, size_text, up)

# ---- Ranges: moved, resized, split, merged, reordered, renamed -----------------------------------------

def ranges(document, chance):
    """The rows of one table of ranges."""
    heading = chance.choice(["Virtual memory", "Virtual memory", "Virtual memory", "Physical memory", "Kernel space"])
    return document.rows(heading)


def follow(document, chance):
    """Rows that depend on user space, mostly: kernel space's own cover its addresses, flat programs start in it."""
    user, own = document.named("user", ("Virtual memory",)), document.rows("Kernel space")
    if user is None or not is_fixed(user) or chance.random() < 0.1:
        return
    if own:
        shown(own[0], user.start)
        own[0].place(start=user.start)
        if own[-1].start < user.end and own[0].end > user.start:
            own[-1].place(end=user.end)
        else:
            squeeze(document, own, user.start, user.end)
    row = document.policy("start address")
    start = number(row["Choice"]) if row is not None else None
    if start is None or user.start <= start < user.end:
        return
    first = up(user.start)
    if first < user.end:
        row["Choice"] = f"0x{first + chance.randrange(up(user.end - first) // TABLE) * TABLE:08X}"
    else:
        document.remove(row)


def squeeze(document, own, start, end):
    """Rows of kernel space in less room: the largest shrink, and memory that is no longer mapped leaves the pool."""
    sizes = [row.end - row.start for row in own]
    while sum(sizes) > end - start and max(sizes) > TABLE:
        most = sizes.index(max(sizes))
        sizes[most] = up(sizes[most] // 2)
    at = start
    for row, size in zip(own, sizes):
        shown(row, at)
        row.place(at, end if row is own[-1] else at + size)
        at += size
        if row["Name"] == "direct":
            cut_pool(document, row.end)


def cut_pool(document, end):
    """Memory past an address leaves the pool."""
    for row in document.rows("Physical memory"):
        if row["Use"] == "pool" and row.end is not None and row.end > end and (row.start or 0) < end:
            document.insert(row, row.like("past", end, row.end, Use="hardware"))
            row.place(end=end)


def entries_of_user(document):
    """Directory entries that the ends of user space have: no region of the kernel may lie there."""
    user = document.named("user", ("Virtual memory",))
    return {address // TABLE for address in (user.start, user.end - 1)} if user is not None else set()


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
    follow(document, chance)
    return f"the border between {low['Name']} and {high['Name']} to 0x{border:08X}"


def shown(row, start):
    """The physical memory of a region moves with its start, mostly: the distance is kept."""
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
    follow(document, chance)
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
    new["Claims"] = "-"
    if "Backing" in row.titles and (chance.random() < 0.8 or not row["Backing"].startswith("physical")):
        for title, text in NOTHING.items():
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
    follow(document, chance)
    return (f"{row['Name']} split at 0x{at:08X}: {new['Name']} {'below' if below else 'above'} is "
            f"{new['Backing'] or new['Use']}")


def crumble(document, chance):
    """One row of physical memory becomes many."""
    rows = [row for row in document.rows("Physical memory") if is_fixed(row) and row["Use"] in ("pool", "hardware")
            and row.end - row.start > 64 * PAGE]
    if not rows:
        return None
    row, count = chance.choice(rows), chance.choice([3, 10, 20, 40, 44, 200])
    most, size = (row.end - row.start) // PAGE // count, chance.choice([1, 1, 2, 64])
    if most < 1:
        return None
    last, end = row, row.end
    row.place(end=row.start + min(size, most) * PAGE)
    for number in range(1, count):
        new = row.like(f"crumb-{number}", last.end, end if number == count - 1 else last.end + min(size, most) * PAGE,
                       Use=chance.choice(["pool", "hardware"]))
        document.insert(last, new)
        last = new
    return f"{row['Name']} in {count} rows"


def merge(document, chance):
    rows = ranges(document, chance)
    pairs = [(low, high) for low, high in zip(rows, rows[1:]) if low.end is not None and high.start is not None]
    if chance.random() < 0.8:       # of the two, one is a hole, or plain memory
        pairs = [(low, high) for low, high in pairs if is_fixed(low) and is_fixed(high)
                 and (is_spare(low) or is_spare(high))
                 and not (is_hole(low) and low.start == 0 or is_hole(high) and high.end == END)]
    if not pairs:
        return None
    low, high = chance.choice(pairs)
    gone, kept = (low, high) if is_spare(low) and (not is_spare(high) or chance.random() < 0.5) else (high, low)
    start = low.start
    if kept is high:
        shown(high, start)
    kept.place(start, high.end)
    document.remove(gone)
    follow(document, chance)
    return f"{kept['Name']} has all of {gone['Name']}"


def is_spare(row):
    return is_hole(row) or row["Use"] in ("pool", "hardware")


NAMES = ["spare", "low", "direct", "records", "heap", "slots", "stacks", "tables", "devices", "text", "window", "x-1",
         "user", "objects"]
FRESH = ["acres", "attic", "low-lands", "r2", "very-much-further-up", "m", "pages-of-ours", "q-9",
         "applications1", "claims-t2", "access-window9", "kernel-has-own", "tss", "physical-image", "user-end", "a--b"]


def rename(document, chance):
    """Names of the document's own choice, mostly, and then what refers to them follows."""
    rows = ranges(document, chance)
    ours = [row for row in rows if row["Name"] not in KNOWN or "Use" in row.titles]
    if not ours:
        return None
    row = chance.choice(ours if chance.random() < 0.8 else rows)
    old, row["Name"] = row["Name"], chance.choice(FRESH if row in ours and chance.random() < 0.9 else NAMES)
    for other in document.virtual():
        if other["Backing"] == f"alias of {old}" and row in document.virtual():
            other["Backing"] = f"alias of {row['Name']}"
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


def cell(document, chance):
    """Any word in any cell."""
    rows = ranges(document, chance)
    titles = [title for title in CELLS if rows and title in rows[0].titles]
    if not titles:
        return None
    row, title = chance.choice(rows), chance.choice(titles)
    old, row[title] = row[title], chance.choice(CELLS[title])
    return f"{title} of {row['Name']} from `{old}` to `{row[title]}`" if old != row[title] else None


def rights(document, chance):
    """Rights that such a region may have."""
    rows = [row for row in document.virtual() + document.rows("Kernel space") if not is_hole(row)]
    row = chance.choice(rows)
    if row["Backing"].startswith("physical"):
        title, words = "Kernel", ["r--", "rw-", "rw-", "r-x", "-w-"]
    elif row["Name"] in ("text", "rodata"):
        title = chance.choice(["Kernel", "User"])
        words = ["r-x", "--x"] if row["Name"] == "text" else ["r--", "r-x"]
        words += ["---"] if title == "User" else []
    elif row["Name"] in ("slots", "devices", "records", "tables", "bookkeeping", "boot"):
        title, words = "Kernel", ["rw-", "rw-", "rwx", "r--"]
    else:
        return None
    old, row[title] = row[title], chance.choice(words)
    return f"{title} of {row['Name']} from `{old}` to `{row[title]}`" if old != row[title] else None


def use(document, chance):
    """The use of a range of physical memory."""
    rows = [row for row in document.rows("Physical memory") if row["Use"] in ("pool", "hardware", "kernel")]
    row = chance.choice(rows)
    old, row["Use"] = row["Use"], chance.choice(["pool", "hardware", "kernel"])
    return f"Use of {row['Name']} from `{old}` to `{row['Use']}`" if old != row["Use"] else None


def backing(document, chance):
    """A region of physical memory becomes a hole, or a hole becomes one."""
    rows = [row for row in document.virtual() + document.rows("Kernel space") if is_fixed(row) and (
            is_hole(row) or row["Backing"].startswith(("physical 0x", "alias"))
            or row["Name"] in ("records", "tables"))]
    users = entries_of_user(document)
    if chance.random() < 0.8:       # entries are not shared with the program, and holes are what most documents have
        rows = [row for row in rows if not users & {row.start // TABLE, (row.end - 1) // TABLE}]
        rows = [row for row in rows if is_hole(row) and row.start > 0 and row.end < END] or rows
    if not rows:
        return None
    row = chance.choice(rows)
    old = row["Backing"]
    if not is_hole(row):
        for title, text in NOTHING.items():
            row[title] = text
        if row["Name"] in KNOWN:
            row["Name"] = "was-" + row["Name"]
    else:
        own = document.table_of(row).heading == "Kernel space"
        kind = chance.randrange(3)
        row["Scope"], row["Kernel"] = "kernel" if own else "all", "rw-"
        if kind == 0 and document.named("records") is None:
            row["Name"], row["Backing"], row["Growth"] = "records", "demand", "by 4 KiB"
        elif kind == 1 and not own:
            of = chance.choice([other for other in document.virtual() if other["Backing"].startswith("phys")] or [row])
            row["Backing"], row["Kernel"], row["User"] = f"alias of {of['Name']}", "same", "same"
        else:
            row["Backing"] = f"physical 0x{min(row.start, chance.choice([0, 0x1000, 0x2000000, 0xFEC00000])):08X}"
    return f"Backing of {row['Name']} from `{old}` to `{row['Backing']}`"


def scope(document, chance):
    """Stacks are all kernel space's, or each process has its own."""
    row = document.named("stacks") if chance.random() < 0.85 else chance.choice(document.virtual())
    if row is None:
        return None
    old = row["Scope"]
    row["Scope"] = "process" if old != "process" else "all"
    return f"Scope of {row['Name']} from `{old}` to `{row['Scope']}`"


def most_by_chance(chance, least, row):
    """A maximum between what is asked for and the whole range, a page more or less included."""
    size = row.end - row.start if is_fixed(row) else 16 << 20
    choice = chance.choice([least, least + PAGE, least - PAGE, size, size // 2, size // 3, 2 * least, 3 * least])
    return size_text(max(choice // PAGE * PAGE, PAGE))


def growth(document, chance):
    """How a region grows, how far, and what guards its pieces."""
    rows = [document.named(name) for name in ("heap", "devices", "stacks", "stacks", "records", "slots", "trackers",
                                              "objects", "stack")]
    row = chance.choice([row for row in rows if row])
    title, name = "Growth", row["Name"]
    if name == "stacks" and chance.random() < 0.4:
        title, choice = "Guard", chance.choice([f"{size_text(chance.randrange(1, 17) * PAGE)} below each",
                                                "4 KiB below each", "none: a reason"])
    elif name == "stacks":
        each = chance.choice([1, 2, 2, 3, 4, 5, 8, 16]) * PAGE
        choice = f"{size_text(each)} each"
        if chance.random() < 0.5:
            choice += f", at most {most_by_chance(chance, 16 * each, row)}"
    elif name == "stack":
        choice = f"{size_text(chance.choice([4096, 8192, 10240, 16384, 4104, 65536]))} each"
    elif name == "slots":
        choice = chance.choice(["-", "4 KiB each", "8 KiB each"])
    elif name in ("heap", "devices"):
        choice = chance.choice(["by 4 KiB", "-", f"by 4 KiB, at most {most_by_chance(chance, 1 << 20, row)}",
                                f"by 4 KiB, at most {most_by_chance(chance, 1 << 20, row)}"])
    else:
        choice = chance.choice(["by 4 KiB", "-", "by 4 KiB, at most 8 MiB", "by 8 KiB"])
    old, row[title] = row[title], choice
    return f"{title} of {name} from `{old}` to `{choice}`" if old != choice else None


LEAST = {"heap": 1 << 20, "devices": 1 << 20, "records": 8 << 20, "slots": 28 * PAGE, "user": 16 << 20}


def least(document, chance):
    """A region has as little as the kernel needs, a page more, or a page less; the rest is a hole."""
    rows = [row for row in map(document.named, [*LEAST, "stacks", "stacks"]) if row and is_fixed(row)]
    if not rows:
        return None
    row = chance.choice(rows)
    name, size = row["Name"], LEAST.get(row["Name"])
    if name == "stacks":
        each, guard = size_of(row["Growth"].split(" each")[0]), size_of(row["Guard"].split(" below")[0])
        size = 16 * ((each or 2 * PAGE) + (guard or 0))
    size += chance.choice([0, 0, 0, 1, 16, -1]) * PAGE
    start, end = row.start, row.end
    if end - start <= size:
        return None
    if chance.random() < 0.6:
        document.insert(row, row.as_hole("spared", start + size, end))
        row.place(end=start + size)
    else:
        document.insert(row, row.as_hole("spared", start, end - size), after=False)
        row.place(start=end - size)
    follow(document, chance)
    return f"{name} has {size_text(size)} at 0x{row.start:08X}"


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


def shown_at(document, physical):
    """A writable region shows this physical address."""
    for row in document.virtual() + document.rows("Kernel space"):
        at = number(row["Backing"].replace("physical ", "")) if row["Backing"].startswith("physical 0x") else None
        if at is not None and is_fixed(row) and row["Kernel"] == "rw-" and at <= physical < at + row.end - row.start:
            return True
    return False


def bitmap_row(document, chance):
    """The bitmap gets a row of its own, or loses it."""
    place, rows = document.policy("bitmap place"), document.rows("Physical memory")
    fixed = next((row for row in rows if row["Use"] == "bitmap"), None)
    if fixed is not None:
        fixed["Use"] = chance.choice(["pool", "hardware", "kernel"])
        place["Choice"] = chance.choice(["first fit", "after the image"])
        return f"no row for the bitmap: {fixed['Use']}, {place['Choice']}"
    rows = [row for row in rows if is_fixed(row) and row.end - row.start >= 3 * 32 * PAGE
            and row["Use"] in ("pool", "kernel", "hardware")]
    if chance.random() < 0.8:       # at addresses that are writable, and not video memory
        rows = [row for row in rows if shown_at(document, row.start + PAGE) and row["Name"] != "hardware"]
    if not rows:
        return None
    row = chance.choice(rows)
    most = (row.end - row.start) // PAGE - 33
    if row.start < 0xA0000 < row.end:
        most = min(most, (0xA0000 - row.start) // PAGE - 33)
    at = row.start + chance.randrange(1, max(2, min(most, 0x3000))) * PAGE
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


# ---- Rows of devices, structures, applications ------------------------------------------------------------------

def device_row(document, chance):
    if chance.random() < 0.5:
        rows = document.virtual() + document.rows("Kernel space")
        holes = [row for row in rows if is_hole(row) and is_fixed(row) and row.end - row.start > 2 * PAGE]
        users = entries_of_user(document)
        if chance.random() < 0.8:       # entries are not shared with the program
            holes = [hole for hole in holes if hole.start // TABLE not in users]
        if not holes:
            return None
        hole = chance.choice(holes)
        size = min(chance.choice([PAGE, 1 << 20, TABLE]), hole.end - hole.start - PAGE)
        places = [0xFEC00000, 0xFEE00000, 0x80000000, 0xE0000000, 0x000A0000, 0x02000000, 0x000B8000]
        if chance.random() < 0.8:       # a region lies at what it shows, or above
            places = [place for place in places if place <= hole.start] or places
        physical = chance.choice(places)
        scope_of = "kernel" if document.table_of(hole).heading == "Kernel space" else "all"
        new = hole.like("device", hole.start, hole.start + size, Kernel=chance.choice(["rw-", "r--"]), Scope=scope_of,
                        Backing=f"physical 0x{physical:08X}")
        hole.place(start=hole.start + size)
        document.insert(hole, new, after=False)
        return f"a region that shows physical 0x{physical:08X}, {size_text(size)} at 0x{new.start:08X}"
    rows = [row for row in document.rows("Physical memory") if is_fixed(row) and row.end - row.start > (1 << 20)
            and (row["Use"] != "image" or chance.random() < 0.2)]
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
    start = chance.choice([row.start + chance.choice([8, 16, 0x100, 0x1000, 0x800, 4]), 0x5F000, 0x9F000, 0x100000,
                           0x4000, 0x5000, 0x7008, 0x40FC0, 0xFF8])
    row.place(start, start + chance.choice([size, size, size, size + 64, max(size - 64, 8)]))
    return f"{row['Name']} at 0x{start:08X}"


def application(document, chance):
    rows = document.rows("Applications")
    if not rows:
        return None
    row, title = chance.choice(rows), chance.choice(["At first", "Size"])
    old, row[title] = row[title], chance.choice(["0 B", "4 KiB", "8 KiB", "64 KiB", "1 MiB", "64 MiB", "floats"])
    return f"{title} of the application's {row['Name']} from {old} to {row[title]}" if old != row[title] else None


def without_table(document, chance):
    """A table that may be left out is left out."""
    headings = [heading for heading in ("Applications", "Kernel structures") if document.tables(heading)]
    if not headings:
        return None
    heading = chance.choice(headings)
    gone = [f"## {heading}", *document.tables(heading)]
    document.parts = [part for part in document.parts if not any(part is one or part == one for one in gone)]
    return f"no {heading}"


def structures_row(document, chance):
    """A row for the kernel's structures, cut out of another."""
    rows = [row for row in document.rows("Physical memory") if is_fixed(row) and row.end - row.start > 16 * PAGE
            and row["Use"] in ("pool", "hardware", "kernel")]
    if chance.random() < 0.7:
        rows = [row for row in rows if shown_at(document, row.end - PAGE)]
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


# ---- Nonsense ---------------------------------------------------------------------------------------------------

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
