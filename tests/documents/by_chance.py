"""by_chance.py - a layout document with changes made by chance, and the steps that make it again."""
import random

import changes
import forms
import wholes
from document import Document

# The kinds of changes, and how often each is chosen.
WEIGHTS = {
    "move_border": 6, "swap": 3, "split": 4, "crumble": 2, "merge": 2, "reorder": 6, "rename": 2, "rights": 2,
    "use": 2, "backing": 3, "scope": 2, "cell": 1, "growth": 5, "least": 4, "policy": 5, "access": 4,
    "bitmap_row": 2, "boot_mapping": 3, "move_kernel_virtually": 6, "move_kernel_physically": 4, "own_space": 3,
    "cut_user": 3, "device_row": 3, "structure": 3, "structure_table": 3, "application": 4, "without_table": 2,
    "structures_row": 2, "nonsense": 1, "sections": 3, "heap_behind": 3, "boot_row": 3, "columns": 1, "two_tables": 1,
    "letters": 2, "addends": 1, "numbers": 3, "units": 1, "between_columns": 2, "claims": 1, "headings": 1,
}
CHANGES = {name: next(getattr(one, name) for one in (changes, wholes, forms) if hasattr(one, name)) for name in WEIGHTS}
NOTHING_LEFT = (StopIteration, IndexError, TypeError, ValueError, AttributeError)   # an earlier change took it away


def take(document, name, seed):
    """One change, from a seed of its own; False where the document has nothing that it could change."""
    words = CHANGES[name](document, random.Random(seed))
    if words is not None:
        document.steps.append((name, seed))
        document.words.append(words)
    return words is not None


def replay(document, steps):
    for name, seed in steps:
        try:
            take(document, name, seed)
        except NOTHING_LEFT:
            pass


def change_by_chance(layout, tree, chance):
    """A document of a layout with one to three changes."""
    document = Document(layout, tree)
    wanted = chance.choice([1, 1, 1, 2, 2, 3])
    for _ in range(100):
        if len(document.steps) == wanted:
            break
        name = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        try:
            take(document, name, chance.getrandbits(32))
        except NOTHING_LEFT:
            document = Document(layout, tree)       # the change failed half done: begin anew
    return document


def with_one(layout, tree, name, chance):
    """A document with one change of a kind; None where the layout has nothing for it."""
    for _ in range(20):
        document = Document(layout, tree)
        try:
            if take(document, name, chance.getrandbits(32)):
                return document
        except NOTHING_LEFT:
            pass
    return None
