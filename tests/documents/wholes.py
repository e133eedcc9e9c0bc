"""wholes.py - what may be changed in a layout document by chance: a whole kernel, or all of one part of it.

The kernel is moved by any amount, up or down, in addresses or in physical memory; its regions are put in another order
with other sizes; it gets a space of its own, another way to page tables, or places for the processor's tables; user
space is cut. See changes.py for what a change is.
"""
from changes import cut_pool, entries_of_user, follow, shown
from document import (END, NOTHING, PAGE, TABLE, is_fixed, is_hole, number, size_of, size_text, up)

# ---- Whole kernels -----------------------------------------------------------------------------------------

def amount(chance, most):
    """How far a kernel is moved: any number of directory entries, and now and then no whole number of them."""
    entries = chance.choice([1, 2, 3, 4, 16, 64, 100, 256, 300, 512, *(chance.randrange(1, 1024) for _ in range(3))])
    distance = min(entries * TABLE, most // TABLE * TABLE)
    return distance + (chance.choice([1, 16, 100, 512]) * PAGE if chance.random() < 0.1 else 0)


def move_kernel_virtually(document, chance):
    """All of the kernel, and its boot mapping, by some amount. User space is above it or below it afterwards."""
    rows = document.virtual()
    user = document.named("user", ("Virtual memory",))
    where = rows.index(user)
    if any(row["Backing"].startswith("image") for row in rows[where + 1:]):
        return lower_kernel(document, chance, user, rows[where + 1:])
    return raise_kernel(document, chance, user, rows[:where])


def lower_kernel(document, chance, user, above):
    distance = -amount(chance, user.end - user.start - (16 << 20))
    if user.end + distance <= user.start:
        return None
    last = above[-1]
    for row in above:
        if row.start is not None:
            row.place(start=row.start + distance)
        if row.end is not None and row is not last:
            row.place(end=row.end + distance)
        row.place()
    if not is_hole(last):
        # The self-map, for example, was the last: a hole follows now.
        document.insert(last, last.as_hole("above", END + distance, END))
        last.place(end=END + distance)
    offset = min(row.start for row in above if row.start is not None) - distance
    user.place(end=user.end + distance)
    for row in document.rows("Boot mappings"):
        if number(row["Virtual"]) >= offset:
            row["Virtual"] = f"0x{number(row['Virtual']) + distance:08X}"
    if chance.random() < 0.3 and user.end - user.start < END // 2 and is_hole(above[-1]):
        # The part above the kernel is larger now: programs get it.
        first = up(above[-1].start)
        if END - PAGE - first >= 16 << 20:
            document.insert(user, user.as_hole("below", user.start, user.end))
            document.remove(user)
            user.place(first, END - 16 * PAGE)
            document.insert(above[-1], user)
            document.insert(user, user.as_hole("end", END - 16 * PAGE, END))
            above[-1].place(end=first)
            if above[-1].start == first:
                document.remove(above[-1])
            sort_rows(document, "Virtual memory")
    follow(document, chance)
    return f"the kernel {size_text(-distance)} lower"


def sort_rows(document, heading):
    """All rows of a heading in its first table, by their places; a row that floats stays behind the row it follows."""
    rows, last = [], 0
    for row in document.rows(heading):
        last = row.start if row.start is not None else last
        rows.append((last, len(rows), row))
    for table in document.tables(heading):
        table.rows = []
    document.tables(heading)[0].rows = [row for _, _, row in sorted(rows, key=lambda entry: entry[:2])]
    document.parts = [part for part in document.parts if getattr(part, "rows", True)]


def raise_kernel(document, chance, user, below):
    """A kernel at the bottom moves up; programs have the addresses above it, or those below."""
    if document.policy("table access")["Choice"] == "tracked" and chance.random() < 0.8:
        return None                                             # linked where it is loaded
    distance = amount(chance, user.end - user.start - (16 << 20))
    end = user.start + distance                                 # of the kernel
    under = distance >= 32 << 20 and chance.random() < 0.5      # programs get the part below
    if not under and user.end - end < PAGE:
        return None
    for row in below:
        row.place(None if row.start is None else row.start + distance, None if row.end is None else row.end + distance)
    own, start = document.rows("Kernel space"), 16 * PAGE if under else end
    document.insert(below[0], below[0].as_hole("nil", 0, start if under else distance), after=False)
    if under:
        document.insert(user, user.as_hole("over", end, user.end))
        document.remove(user)
        user.place(start, distance)
        document.insert(below[0], user, after=False)
    else:
        user.place(start=end)
    for row in own:
        if not under:
            shift_own(row, distance, own)
    for row in list(document.rows("Boot mappings")):
        if row["Kept"] == "yes":
            old = row.copy()
            row["Virtual"] = f"0x{number(row['Virtual']) + distance:08X}"
            if number(old["Virtual"]) == number(old["Physical"]) and chance.random() < 0.9:
                old["Kept"] = "removed once paging is on"
                document.insert(row, old, after=False)
    access_row = document.policy("table access")
    if access_row["Choice"] == "identity" and chance.random() < 0.9:
        access_row["Choice"] = "direct"
    follow(document, chance)
    return f"the kernel {size_text(distance)} higher, programs {'below' if under else 'above'} it"


def shift_own(row, distance, own):
    """Kernel space's own rows change too, as far as it has holes."""
    if row is own[-1]:
        row.place(start=min(row.start + distance, row.end - (1 << 20)))
        return
    row.place(row.start + distance, min(row.end + distance, END - PAGE))


def move_kernel_physically(document, chance):
    """The image is loaded elsewhere; where it is linked at its physical address, it is linked elsewhere as well."""
    physical = document.rows("Physical memory")
    image = next(row for row in physical if row["Use"] == "image")
    below = physical[physical.index(image) - 1]
    pages = chance.choice([1, 16, 64, 256, 512, 768, 1024, 2048, 4096, chance.randrange(1, 16384)])
    distance = pages * PAGE * chance.choice([1, 1, 1, 1, -1])
    first = next(row for row in document.virtual() if row["Backing"].startswith("image"))
    offset = first.start - image.start
    at = image.start + distance
    if below.start >= at or (image.end is not None and image.end <= at):
        return None
    old = image.start
    if below["Use"] == "hardware" and distance > 0 and chance.random() < 0.8:
        document.insert(below, below.like("before", old, at, Use=chance.choice(["pool", "hardware", "pool"])))
    else:
        below.place(end=at)
    image.place(start=at)
    rows = document.virtual()
    above = rows[rows.index(first) - 1] if rows.index(first) else None
    for row in document.rows("Boot mappings"):
        if offset < 0 and number(row["Virtual"]) - number(row["Physical"]) == offset:
            row["Physical"] = f"0x{number(row['Physical']) + distance:08X}"
    if chance.random() < 0.9 and offset >= 0 and above is not None:
        above.place(end=first.start + distance)
        first.place(start=first.start + distance)
    if chance.random() < 0.7:
        for row in document.rows("Boot mappings"):
            size = size_of(row["Size"])
            if distance > 0 and size is not None:
                row["Size"] = size_text((size + distance + TABLE - 1) // TABLE * TABLE)
        behind = next((row for row in rows if row.start is None and row.end is not None), None)
        after = rows[rows.index(behind) + 1] if behind is not None and rows.index(behind) + 1 < len(rows) else None
        grow = (distance + TABLE - 1) // TABLE * TABLE
        if behind is not None and after is not None and distance > 0 \
                and behind["Name"] != "direct" and behind["Backing"].startswith("phys") \
                and after.end is not None and behind.end + grow < after.end:
            behind.place(end=behind.end + grow)
            after.place(start=behind.end)
    follow(document, chance)
    return f"the image at physical 0x{at:08X}"



# ---- The image -----------------------------------------------------------------------------------------------------

def image_rows(document):
    rows = document.virtual()
    at = [n for n, row in enumerate(rows) if row["Backing"].startswith("image")]
    return rows, at


def sections(document, chance):
    """Sections of the image end at addresses, some or all of them; what is behind them starts there."""
    rows, at = image_rows(document)
    first, last = rows[at[0]], rows[at[-1]]
    physical = document.rows("Physical memory")
    image = next(row for row in physical if row["Use"] == "image")
    offset = first.start - image.start
    here, packed = first.start, last["Name"] != "data"
    ends = at[:-3] if packed else at
    for n in ends:
        row, behind = rows[n], rows[n + 1]
        here += chance.choice([16, 64, 128, 256, 256, 512]) * PAGE
        if row["Name"] == "boot":
            here = max(here, first.start + chance.choice([8, 16, 64]) * PAGE)
        if chance.random() < (0.9 if n == at[-1] else 0.15) or (row.end is not None and row.end != behind.start):
            continue                                            # this one goes on floating
        row.place(end=here)
        behind.place(start=here)
        if behind["Backing"] == "physical end of image":
            behind["Backing"] = f"physical 0x{here - offset:08X}"
            if chance.random() < 0.9 and image.end is None:     # and in physical memory
                image.place(end=here - offset)
                physical[physical.index(image) + 1].place(start=here - offset)
    follow(document, chance)
    return "sections to " + ", ".join(f"0x{rows[n].end:08X}" if rows[n].end else "where they end" for n in ends)


def heap_behind(document, chance):
    """The heap right behind the image; it has no window onto memory then, or that is somewhere else."""
    rows, at = image_rows(document)
    heap, behind = document.named("heap", ("Virtual memory",)), rows[at[-1] + 1]
    if heap is None or behind is heap or behind["Backing"] != "physical end of image" or is_hole(heap):
        return None
    name, end = behind["Name"], behind.end
    most = chance.choice([end, end, behind.end - chance.choice([1, 2, 3]) * (1 << 20)])
    for title in ("Kernel", "User", "Scope", "Backing", "Growth", "Guard"):
        behind[title] = heap[title]
    to_hole(heap, "was-heap")
    behind["Name"] = "heap"
    behind.place(end=most)
    if most < end:
        document.insert(behind, behind.as_hole("spared", most, end))
    if name == "direct" and document.policy("table access")["Choice"] == "direct":
        document.policy("table access")["Choice"] = "slots"
    if chance.random() < 0.8:
        show_only_image(document, rows[at[0]].start, chance)
    return f"heap behind the image, up to 0x{most:08X}"


def show_only_image(document, start, chance):
    """No memory but the image's is shown at its distance for good; the bitmap is among the kernel's structures."""
    image = next(row for row in document.rows("Physical memory") if row["Use"] == "image")
    for row in document.rows("Boot mappings"):
        if row["Kept"] == "yes":
            row["Virtual"], row["Physical"] = f"0x{start:08X}", f"0x{image.start:08X}"
            row["Size"] = size_text(chance.choice([1, 2, 3]) << 20)
    for row in document.rows("Physical memory"):
        if row["Use"] == "pool" and row.end is not None and row.end <= 0xA0000:
            row["Use"] = "kernel"
    if document.policy("bitmap place")["Choice"] == "after the image":
        document.policy("bitmap place")["Choice"] = "first fit"


def boot_row(document, chance):
    """What runs before paging has a row of its own in physical memory, or is moved, or is the image's again."""
    physical = document.rows("Physical memory")
    mine = next((row for row in physical if row["Use"] == "boot"), None)
    size = chance.choice([16, 16, 32, 64]) * PAGE
    if mine is not None:
        behind = physical[physical.index(mine) + 1]
        if behind.end is not None and chance.random() < 0.5:
            mine.place(end=mine.start + size)
            behind.place(start=mine.end)
            return f"the row boot has {size_text(size)}"
    rows = [row for row in physical if row["Use"] in ("pool", "kernel") and is_fixed(row) and row.start < 64 << 20
            and row.end - row.start > size + PAGE]
    if not rows:
        return None
    row = chance.choice(rows)
    most = min(row.end, 64 << 20) - size
    at = row.start + chance.randrange(0, (most - row.start) // PAGE) * PAGE
    if mine is not None:
        mine["Use"] = "pool"
        mine["Name"] = "was-boot"
    new = row.like("boot", at, at + size, Use="boot")
    document.insert(row, row.like("past-boot", at + size, row.end))
    document.insert(row, new)
    if at > row.start:
        row.place(end=at)
    else:
        document.remove(row)
    boot = document.named("boot", ("Virtual memory",))
    if boot is not None:
        text = document.named("text")
        text.place(start=boot.start)
        document.remove(boot)
    document.insert(document.rows("Boot mappings")[0], removed(document, at, size), after=False)
    return f"what runs before paging at physical 0x{at:08X}, {size_text(size)}"


def removed(document, at, size):
    """A boot mapping that shows memory at its own address until paging is on, where none does."""
    row = document.rows("Boot mappings")[0].copy()
    for other in list(document.rows("Boot mappings")):
        start, length = number(other["Virtual"]), size_of(other["Size"])
        if other["Kept"] != "yes" and start < at + size and at < start + length:
            document.remove(other)
    row["Virtual"] = row["Physical"] = f"0x{at:08X}"
    row["Size"], row["Kept"] = size_text(size), "removed once paging is on"
    return row


# ---- The order of regions --------------------------------------------------------------------------------------

MOVABLE = ("heap", "devices", "records", "stacks", "slots", "bookkeeping", "trackers")


def moves_freely(row):
    if not is_fixed(row) or row.start == 0 or row.end == END:
        return False
    return is_hole(row) or row["Name"] in MOVABLE or row["Backing"].startswith("alias")


def blocks(rows):
    """Runs of rows that may lie in any order."""
    found, block = [], []
    for row in [*rows, None]:
        if row is not None and moves_freely(row):
            block.append(row)
        elif block:
            found.append(block)
            block = []
    return [block for block in found if sum(not is_hole(row) for row in block) > 1]


LEAST = {"heap": 1 << 20, "devices": 1 << 20, "records": 8 << 20, "slots": 28 * PAGE, "stacks": 1 << 20}


def another_size(row, chance):
    size, least = row.end - row.start, LEAST.get(row["Name"])
    if least is None or chance.random() < 0.4:
        return size
    choice = chance.choice([size // 2, size // 3, least, least + PAGE, 2 * least, size + TABLE, 2 * size])
    return max(choice // PAGE * PAGE, least)


def reorder(document, chance):
    """Regions of the kernel in another order, with other sizes and gaps between them."""
    found = blocks(document.virtual()) + blocks(document.rows("Kernel space"))
    if not found:
        return None
    block = chance.choice(found)
    start, end = block[0].start, block[-1].end
    kept = [row for row in block if not is_hole(row)]
    for _ in range(20):
        chance.shuffle(kept)
        at, placed = start, []
        for row in kept:
            whole = row["Name"] in ("slots", "bookkeeping") or row["Scope"] == "process" or "alias" in row["Backing"]
            size = another_size(row, chance)
            if row["Scope"] == "process":
                size = up(size)
            first = up(at) if whole or chance.random() < 0.5 else at
            if chance.random() < 0.3:
                first += chance.choice([1, 16]) * (TABLE if whole else PAGE)
            if row["Name"] == "slots":
                size = min(size, TABLE)
            placed.append((row, first, first + size))
            at = first + size
        if at <= end:
            break
    else:
        return None
    rows, at = [], start
    for row, first, last in placed:
        if first > at:
            rows.append(row.as_hole(f"gap-{len(rows)}", at, first))
        row.place(first, last)
        rows.append(row)
        at = last
    if at < end:
        rows.append(block[0].as_hole(f"gap-{len(rows)}", at, end))
    anchor = block[0].copy()
    document.insert(block[0], anchor, after=False)
    for row in block:
        document.remove(row)
    for row in rows:
        document.insert(anchor, row.like(row["Name"], row.start, row.end, **{
            title: row[title] for title in row.titles if title in NOTHING or title == "What lives there"}), after=False)
    document.remove(anchor)
    document.parts = [part for part in document.parts if getattr(part, "rows", True)]
    return "the order " + ", ".join(f"{row['Name']} 0x{first:08X}" for row, first, _ in placed)


# ---- How page tables are reached --------------------------------------------------------------------------------

def carve(document, chance, size, **cells):
    """A region of its own directory entries, out of a hole; its row, or None."""
    rows = document.virtual()
    users = entries_of_user(document)
    holes = [row for row in rows if is_hole(row) and is_fixed(row) and row.start > 0 and up(row.start) + size <= row.end
             and up(row.start) // TABLE not in users and (up(row.start) + size - 1) // TABLE not in users]
    if not holes:
        return None
    hole = chance.choice(holes)
    first = up(hole.start) + chance.randrange((hole.end - up(hole.start)) // size) * size
    first = first if first + size <= hole.end else up(hole.start)
    new = hole.like(cells.pop("Name"), first, first + size, **cells)
    if first + size < hole.end:
        document.insert(hole, hole.as_hole(f"{hole['Name'][:8]}-end", first + size, hole.end))
    document.insert(hole, new)
    if hole.start == first:
        document.remove(hole)
    hole.place(end=first)
    return new


def to_hole(row, name):
    for title, text in NOTHING.items():
        row[title] = text
    row["Name"] = name


def access(document, chance):
    """Another way to page tables, with the regions that it needs and without those that it must not have."""
    row = document.policy("table access")
    old, choice = row["Choice"], chance.choice(["direct", "slots", "self-map", "window", "identity"])
    if old == choice:
        return None
    for of_tracked in [one for one in document.rows("Physical memory") if one["Use"] == "master"]:
        of_tracked["Use"] = chance.choice(["hardware", "pool", "kernel"])
    for name in {"self-map": ["tables"], "window": ["bookkeeping"], "tracked": ["objects", "trackers"]}.get(old, []):
        gone = document.named(name)
        if gone is not None:
            to_hole(gone, f"was-{name}")
    direct = document.named("direct")
    if choice == "slots" and direct is not None:
        direct["Name"] = "shown"
    if choice in ("direct", "identity") and direct is None:
        behind = next((one for one in document.virtual() if one["Backing"] == "physical end of image"), None)
        if behind is not None:
            behind["Name"] = "direct"
    if choice == "identity" and document.named("direct") is not None:
        cut_pool(document, document.named("direct").end)
    if choice == "self-map":
        carve(document, chance, TABLE, Name="tables", Kernel="rw-", Scope="process", Backing="tables")
    if choice == "window":
        carve(document, chance, TABLE, Name="bookkeeping", Kernel="rw-", Scope="all", Backing="window")
    row["Choice"] = choice
    return f"table access from `{old}` to `{choice}`"


def own_space(document, chance):
    """The kernel's own regions where programs have theirs: kernel space has a space of its own."""
    if document.rows("Kernel space") or document.policy("table access")["Choice"] == "tracked":
        return None
    if document.policy("table access")["Choice"] not in ("direct", "identity"):
        document.policy("table access")["Choice"] = "direct"
        for name in ("tables", "bookkeeping"):
            if document.named(name) is not None:
                to_hole(document.named(name), f"was-{name}")
        behind = next((one for one in document.virtual() if one["Backing"] == "physical end of image"), None)
        if document.named("direct") is None and behind is not None:
            behind["Name"] = "direct"
    user = document.named("user")
    movable = [row for row in document.virtual() if row["Name"] in ("heap", "devices", "records", "stacks", "slots")
               and is_fixed(row)]
    chance.shuffle(movable)
    moved, rows, at = movable[:chance.randrange(1, len(movable) + 1)], [], user.start
    for row in moved:
        size = min(up(row.end - row.start), 64 << 20)
        first = up(at) + chance.choice([0, 0, 1, 5, 64]) * TABLE
        if first + size > user.end - PAGE:
            break
        if first > at:
            rows.append(row.as_hole(f"own-{len(rows)}", at, first))
        rows.append(row.like(row["Name"], first, first + size, **{
            title: row[title] for title in row.titles if title in NOTHING and title != "Claims"}))
        rows[-1]["Scope"] = "kernel"
        to_hole(row, f"was-{row['Name']}")
        at = first + size
    if not rows:
        return None
    rows.append(rows[0].as_hole(f"own-{len(rows)}", at, user.end))
    titles = max((row.titles for row in rows), key=len)
    document.add_table("Kernel space", titles, [[row[title] or "-" for title in titles] for row in rows], "Policies")
    return "a space of its own for the kernel, with " + ", ".join(row["Name"] for row in rows if not is_hole(row))


# ---- The processor's tables -------------------------------------------------------------------------------------

def structure_table(document, chance):
    """Places for the processor's tables, in a row that has the kernel's use or gets it."""
    if document.rows("Kernel structures"):
        return None
    rows = [row for row in document.rows("Physical memory") if is_fixed(row) and (
        row["Use"] == "kernel" or (row.start < 0x90000 and row.end - row.start > 64 * PAGE))]
    if not rows:
        return None
    row = chance.choice(rows)
    start, end = max(row.start, 0x1000), min(row.end, 0x9F000)
    if row["Use"] != "kernel":
        at = chance.choice([0x1000, 0x2000, 0x10000, 0x8F000])
        at, size = max(at, start), chance.choice([1, 2, 4, 8]) * PAGE
        document.insert(row, row.like("behind", at + size, row.end))
        document.insert(row, row.like("processors", at, at + size, Use="kernel"))
        if row.start < at:
            row.place(end=at)
        else:
            document.remove(row)
        start, end = at, at + size
    elif row.end > 0xA0000:
        start, end = row.start, row.end
    words, cells = [], []
    at = start + chance.choice([0, 8, 0x100])
    for name, size in chance.sample([("tss", 104), ("gdt", 152), ("idt", 2048)], chance.randrange(1, 4)):
        if at + size <= end or chance.random() < 0.1:
            cells.append([f"0x{at:08X}", f"0x{at + size - 1:08X}", size_text(size), name, "The processor's"])
            words.append(f"{name} 0x{at:08X}")
        at = up(at + size, chance.choice([8, 8, 64, PAGE]))
    if not cells:
        return None
    titles = ["Start", "End", "Size", "Name", "What lives there"]
    document.add_table("Kernel structures", titles, cells, "Virtual memory")
    return "places for " + ", ".join(words)


# ---- User space -------------------------------------------------------------------------------------------------

def cut_user(document, chance):
    """User space ends earlier, or starts later; the part that is cut away is a hole."""
    user = document.named("user", ("Virtual memory",))
    if user is None:
        return None
    at = user.start + (user.end - user.start) * chance.randrange(1, 100) // 100 // PAGE * PAGE
    if chance.random() < 0.7:
        at = at // TABLE * TABLE
    if not user.start < at < user.end:
        return None
    if chance.random() < 0.6:
        document.insert(user, user.as_hole("cut", at, user.end))
        user.place(end=at)
    else:
        document.insert(user, user.as_hole("cut", user.start, at), after=False)
        user.place(start=at)
    follow(document, chance)
    return f"user space from 0x{user.start:08X} to 0x{user.end - 1:08X} alone"
