"""hand.py - how a document by hand is written down: a function that changes a document, under what must come of it."""
from document import END, Document


def at(document, name, start, end):
    document.named(name).place(start, end)


def hole(document, after, name, start, end):
    """A hole behind a row."""
    row = document.named(after)
    document.insert(row, row.as_hole(name, start, end))


def cell(document, name, title, text):
    document.named(name)[title] = text


def choose(document, policy, choice):
    document.policy(policy)["Choice"] = choice


def physical(document, name):
    return next(row for row in document.rows("Physical memory") if row["Name"] == name)


def shift(document, distance, first="low"):
    """Rows of virtual memory from one on, and the boot mappings of them, elsewhere; the last ends where it ended."""
    rows = document.virtual()
    rows = rows[next(n for n, row in enumerate(rows) if row["Name"] == first):]
    for row in rows:
        row.place(None if row.start is None else row.start + distance,
                  None if row.end in (None, END) else row.end + distance)
    for row in document.rows("Boot mappings"):
        if int(row["Virtual"], 16) > 0:
            row["Virtual"] = f"0x{int(row['Virtual'], 16) + distance:08X}"


LINKER = "the linker refuses it"
DOCUMENTS = {}          # name: (layout, change, None or how it is refused: LINKER, or the compiler's words)


def written(layout, refused=None):
    """The decorated function is a change by hand."""
    def keep(change):
        DOCUMENTS[change.__name__] = (layout, change, refused)
        return change
    return keep


def document_of(name, tree):
    layout, change, refused = DOCUMENTS[name]
    document = Document(layout, tree)
    change(document)
    document.words.append(name)
    return document, refused
