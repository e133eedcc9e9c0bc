"""document.py - a layout document as prose and tables, to be changed and written again.

The changes are in changes.py (a cell, a border, a row) and wholes.py (a kernel).
"""
import difflib
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
    """A size as documents write it; None for other text."""
    total, sign = 0, 1
    for part in re.split(r" (less|and) ", text.strip().lower()):
        if part in ("less", "and"):
            sign = -1 if part == "less" else 1
            continue
        found = re.fullmatch(r"([\d.]+) *(b|kib|mib|gib)", part)
        if not found:
            return None
        total += sign * int(float(found[1]) * dict((name.lower(), unit) for unit, name in UNITS)[found[2]])
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

    def as_hole(self, name, start, end):
        """A hole with this row's columns."""
        return self.like(name, start, end, **NOTHING)

    def like(self, name, start, end, **cells):
        """A row with this row's columns, and other words in them."""
        row = self.copy()
        for title, text in {"Name": name, "Claims": "-", "What lives there": "As a change by chance wants it",
                            **cells}.items():
            row[title] = text
        row.place(start, end)
        return row

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


# Names of regions that the kernel knows; any other name is the document's choice.
KNOWN = {"user", "boot", "text", "rodata", "data", "original", "stack", "shared", "heap", "devices", "stacks", "slots",
         "records", "tables", "bookkeeping", "direct", "trackers", "objects", "master", "bitmap"}
NOTHING = {"Kernel": "---", "User": "---", "Scope": "-", "Backing": "none", "Growth": "-", "Guard": "-", "Claims": "-"}


def up(address, unit=TABLE):
    return -(-address // unit) * unit


def is_hole(row):
    return row["Backing"] == "none"


def is_fixed(row):
    return None not in (row.start, row.end)


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
        # Of two equal rows, both count as new.
        return changed | {number for number in range(1, len(lines) + 1) for other in (number - 1, number + 1)
                          if other in changed and other <= len(lines) and lines[other - 1] == lines[number - 1] != ""}

    def lines_gone(self):
        """Lines that the document that ships has and this one has not."""
        now = set(self.all_lines())
        return [line for line in self.base if line not in now]

    def plain(self):
        """The same with its words as the compiler reads them: without marks, in small letters."""
        other = object.__new__(Document)
        other.layout, other.parts = self.layout, []
        for part in self.parts:
            if isinstance(part, Table):
                table = Table(part.heading, part.titles)
                table.rows = [Row(part.titles, [row[title].strip("`*").lower() for title in part.titles])
                              for row in part.rows]
                part = table
            other.parts.append(part)
        return other

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

    def add_table(self, heading, titles, rows, before):
        """A table under a heading that the document does not have, before another heading's."""
        table = Table(heading, titles)
        table.rows = [Row(titles, cells) for cells in rows]
        at = self.parts.index(f"## {before}")
        self.parts[at:at] = [f"## {heading}", "", table, ""]
        return table

    def neighbours(self, heading):
        """Pairs of rows of a heading's tables, one above the other."""
        rows = self.rows(heading)
        return list(zip(rows, rows[1:]))

    def said(self):
        return self.words
