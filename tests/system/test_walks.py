"""The book's walks through the code (docs/following-a-fault.md): every function is in the file that the page names."""
import os
import re

MOST_FILES = 8


def walks(house):
    """[(heading, [(function, file, caller or None)])]"""
    text = open(f"{house.tree}/docs/following-a-fault.md").read()
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        rows = re.findall(r"^\| `(\w+)` \| `([\w./]+)` \| (?:`(\w+)`|-) \|", section, flags=re.M)
        yield section.split("\n", 1)[0], [(function, file, caller or None) for function, file, caller in rows]


def body(house, file, function):
    """The text of a function: of C up to the closing brace in column 0, of assembly up to its .size; or None."""
    text = open(os.path.join(house.tree, file)).read()
    if file.endswith(".S"):
        found = re.search(rf"^{function}:\n.*?^\s+\.size {function}\b", text, flags=re.M | re.S)
    else:
        head = rf"^(?![\s#/*]|typedef)[^\n;]*\b{function}\([^;{{]*\)\s*\{{"
        found = re.search(head + r"(?:[^\n]*\}$|.*?^\})", text, flags=re.M | re.S)
    return found and found[0]


def test_there_are_three_walks_of_some_length(house):
    assert [len(rows) >= 10 for _, rows in walks(house)] == [True] * 3


def test_every_step_is_where_the_page_says_and_called_by_whom_it_says(house):
    for heading, rows in walks(house):
        files = sorted({file for _, file, _ in rows})
        for function, file, caller in rows:
            assert body(house, file, function), f"{heading}: {function} is not in {file}"
            if caller is None:
                continue
            calls = next(filter(None, (body(house, file, caller) for file in files)), None)
            assert calls, f"{heading}: {caller}, which calls {function}, is in none of the walk's files"
            assert re.search(rf"\b{function}\b",
                             calls.split("\n", 1)[1]), f"{heading}: {caller} does not call {function}"


def test_a_walk_meets_few_files_and_no_layout(house):
    for heading, rows in walks(house):
        files = {file for _, file, _ in rows}
        assert len(files) <= MOST_FILES, f"{heading}: {sorted(files)}"
        assert not [file for file in files if file.startswith("layouts/")], heading


def test_a_step_that_is_not_there_is_noticed(house):
    assert body(house, "kernel/memory/spaces/fault.c", "act_zer") is None
    assert body(house, "arch/i386/trap_entry.S", "trap_uncommon") is None
    assert "frame_get" not in body(house, "kernel/memory/spaces/fault.c", "act_zero_read")
