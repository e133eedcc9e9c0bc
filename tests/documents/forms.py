"""forms.py - what may be changed by chance in how a document says things: its columns, letters, numbers, claims.

Some of it changes nothing, and must change nothing: columns and tables in another order, letters of another size,
addresses with dashes below. Some of it is nearly always wrong, and must be refused for the row that has it: numbers at
the edges of what a word holds, units that are another's, words of another column. See changes.py for what a change is.
"""
import re

from document import END, PAGE, Table, number, size_of, size_text


def tables_of(document):
    return [part for part in document.parts if isinstance(part, Table)]


# ---- What says the same -----------------------------------------------------------------------------------------

def columns(document, chance):
    """Columns in another order; now and then one that may be left out."""
    table = chance.choice(tables_of(document))
    titles = list(table.titles)
    chance.shuffle(titles)
    gone = [title for title in ("Claims", "Growth", "Guard") if title in titles]
    if gone and chance.random() < 0.3:
        title = chance.choice(gone)
        if title == "Claims" or all(row[title] == "-" for row in table.rows):
            titles.remove(title)
    table.titles = titles
    for row in table.rows:
        row.titles = titles
        row.cells = {title: row.cells[title] for title in titles}
    return f"columns of {table.heading}: {', '.join(titles)}"


def two_tables(document, chance):
    """A heading has one table more, with a heading of its own and prose between them."""
    table = chance.choice([one for one in tables_of(document) if len(one.rows) > 1])
    at = chance.randrange(1, len(table.rows))
    rest = Table(table.heading, table.titles)
    rest.rows, table.rows = table.rows[at:], table.rows[:at]
    where = next(n for n, part in enumerate(document.parts) if part is table)
    document.parts[where + 1:where + 1] = ["", "### And further", "", "As a change by chance wants it.", "", rest]
    return f"two tables under {table.heading}, the second from row {at + 1} on"


LETTERS = ("Kernel", "User", "Scope", "Backing", "Use", "Choice", "Policy", "Kept", "Shown by", "Growth", "Guard",
           "Start", "End", "Size")


def letters(document, chance):
    """Words in capitals, in strong letters, as code; numbers with dashes below."""
    words = []
    for _ in range(chance.randrange(1, 12)):
        table = chance.choice(tables_of(document))
        row, title = chance.choice(table.rows), chance.choice(table.titles)
        text = row[title]
        if title not in LETTERS or text.startswith(("none:", "alias of", "build", "host", "system")) or "," in text:
            continue
        address = re.fullmatch(r"0x([0-9A-F]{4})([0-9A-F]{4})", text)
        if address:
            row[title] = chance.choice([f"0x{address[1]}_{address[2]}", f"`{text}`", text.lower(),
                                        text.replace("0x", "0X")])
        elif "0x" not in text and text not in ("", "-"):
            size = re.search(r"\d [KMG]?i?B", text)        # units are written as they are
            other = [] if size else [text.upper(), text.capitalize()]
            row[title] = chance.choice([f"`{text}`", f"**{text}**", *other])
        if row[title] != text:
            words.append(f"{title} {row[title]}")
    return "written as " + ", ".join(words) if words else None


def addends(document, chance):
    """A size as a sum, a difference, or in another unit."""
    rows = [row for table in tables_of(document) for row in table.rows if size_of(row["Size"] or "") is not None]
    row = chance.choice(rows)
    size = size_of(row["Size"])
    part = chance.choice([1, 512, PAGE, 64 << 10, 1 << 20])
    text = chance.choice([f"{size} B" if size < END else None, f"{size >> 10} KiB" if size % 1024 == 0 else None,
                          f"{size_text(size - part)} and {size_text(part)}" if size > part else None,
                          f"{size_text(size + part)} less {size_text(part)}" if size + part <= END else None])
    if text is None:
        return None
    row["Size"] = text
    return f"a size of {text}"


# ---- What is mostly wrong -------------------------------------------------------------------------------------------

def edge(chance):
    """A number where something may wrap."""
    power = 1 << chance.choice([0, 3, 11, 12, 13, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31, 31, 32])
    return power + chance.choice([0, 0, -1, 1, -PAGE, PAGE, 0x800])


WITH_NUMBERS = ("Start", "End", "Size", "Growth", "Guard", "Backing", "Choice", "Virtual", "Physical", "At first")


def numbers(document, chance):
    """One number at an edge."""
    table = chance.choice(tables_of(document))
    row, titles = chance.choice(table.rows), [title for title in table.titles if title in WITH_NUMBERS]
    if not titles:
        return None
    title = chance.choice(titles)
    old, at = row[title], max(edge(chance), 0)
    if title in ("Start", "End", "Virtual", "Physical"):
        row[title] = f"0x{at:08X}"
    elif title == "Backing" and old.startswith("physical"):
        row[title] = f"physical 0x{at:08X}"
    elif title == "Choice" and number(old) is not None:
        row[title] = f"0x{at:08X}"
    elif title == "Choice" and old.isdigit():
        row[title] = str(at)
    elif title in ("Size", "At first"):
        row[title] = size_text(at)
    elif title == "Growth" and row["Name"] in ("stacks", "heap", "devices"):
        row[title] = chance.choice([f"{old.split(',')[0]}, at most {size_text(at)}", f"{size_text(at)} each",
                                    f"by {size_text(at)}"])
    elif title == "Guard" and row["Name"] == "stacks":
        row[title] = f"{size_text(at)} below each"
    else:
        return None
    return f"{title} of {row['Name'] or row['Policy'] or row['Virtual']} from `{old}` to `{row[title]}`"


def units(document, chance):
    """A size a thousand times as large, or as small; a unit that is none."""
    rows = [(row, title) for table in tables_of(document) for row in table.rows for title in ("Size", "Growth", "Guard")
            if re.search(r"\d [KMG]iB", row[title] or "")]
    row, title = chance.choice(rows)
    old = row[title]
    unit = chance.choice(["KiB", "MiB", "GiB", "B", "kB", "MB", "TiB", "pages"])
    row[title] = re.sub(r"[KMG]iB", unit, old, count=1)
    return f"{title} `{old}` is `{row[title]}`" if old != row[title] else None


def between_columns(document, chance):
    """Two cells of a row exchanged, or a cell's word in the same column of another row."""
    table = chance.choice(tables_of(document))
    row, title = chance.choice(table.rows), chance.choice(table.titles)
    if chance.random() < 0.5:
        other = chance.choice([one for one in table.titles if one != title])
        if row[title] == row[other]:
            return None
        row[title], row[other] = row[other], row[title]
        return f"{title} and {other} of {row['Name'] or row['Policy'] or row['Virtual']} exchanged"
    other = chance.choice(table.rows)
    if other[title] == row[title]:
        return None
    row[title], other[title] = other[title], row[title]
    return f"{title} of two rows exchanged: `{row[title]}` and `{other[title]}`"


def claims(document, chance):
    """A claim more, one fewer, or one that somebody else shows."""
    rows, what = document.rows("Claims"), chance.randrange(4)
    row = chance.choice(rows)
    if what == 0:
        document.remove(row)
        if chance.random() < 0.7:               # and nobody cites it
            for other in [one for table in tables_of(document) for one in table.rows]:
                other["Claims"] = " ".join(word for word in other["Claims"].split() if word != row["Id"])
        return f"no claim {row['Id']}"
    if what == 1:
        new = row.copy()
        new["Id"] = chance.choice([f"{row['Id'][0]}{chance.randrange(30, 999)}", "Z1", "A1", "Q1", "B999", row["Id"]])
        document.insert(row, new)
        return f"a claim {new['Id']}, shown by {new['Shown by']}"
    if what == 2:
        row["Shown by"] = chance.choice(["later", "kernel", "host", "build x", "host test_nothing", "kernel, system x"])
        return f"{row['Id']} is shown by {row['Shown by']}"
    row["Id"] = chance.choice(["Q0", "q1", "Q1000", "QQ1", f"{row['Id'][0]}77"])
    return f"a claim is called {row['Id']}"


def headings(document, chance):
    """Tables under other headings, or in another order."""
    at = [n for n, part in enumerate(document.parts) if isinstance(part, str) and part.startswith("## ")]
    if chance.random() < 0.7:
        pieces = [document.parts[begin:end] for begin, end in zip(at, at[1:] + [len(document.parts)])]
        chance.shuffle(pieces)
        document.parts[at[0]:] = [part for piece in pieces for part in piece]
        return "headings in the order " + ", ".join(piece[0][3:] for piece in pieces)
    where = chance.choice(at)
    old = document.parts[where]
    document.parts[where] = chance.choice([old.upper().replace("## ", "## "), old + "s", "## Policies", "## Notes"])
    return f"`{old}` is `{document.parts[where]}`"


