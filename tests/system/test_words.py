"""A document with another value of each word that a running kernel can show: the kernel obeys it.

docs/layouts.md has the table of all words, which of them are shown here and which elsewhere;
test_every_word_is_in_the_table keeps it whole.
"""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "documents"))
import words

NAME = "other-words"
# The default layout with other words: (text of a row, blanks in a row counting as one; the text in its place).
OTHER = [
    ("| bitmap polarity | one is used |", "| bitmap polarity | one is free |"),
    ("| bitmap place | after the image |", "| bitmap place | first fit |"),
    ("| unlisted memory | used |", "| unlisted memory | marked |"),
    ("| search | fullest |", "| search | next-fit |"),
    ("| zeroing | user |", "| zeroing | all |"),
    ("| exhaustion | error |", "| exhaustion | panic |"),
    ("| magazine | 64 |", "| magazine | 3 |"),
    ("| low | pool | |", "| low | hardware | |"),
    ("| by 4 KiB | - | Q7 | What the kernel", "| by 4 KiB, at most 1 MiB | - | Q7 | What the kernel"),
    ("| by 4 KiB | - | Q7 | Windows onto", "| by 4 KiB, at most 1 MiB | - | Q7 | Windows onto"),
    ("| 8 KiB each | 4 KiB below each |", "| 16 KiB each, at most 512 KiB | 8 KiB below each |"),
    ("| rodata | r-- |", "| rodata | r-x |"),
    ("| 0xFF000000 | 0xFF3FFFFF | 4 MiB | slots |", "| 0xFF000000 | 0xFF01BFFF | 112 KiB | slots |"),
    ("| 0xFF400000 | 0xFFFFFFFF | 12 MiB | top |", "| 0xFF01C000 | 0xFFFFFFFF | 16 MiB less 112 KiB | top |"),
]


@pytest.fixture(scope="module")
def other():
    """The kernel of the document with other words: of several processes that test it the first has it made."""
    from conftest import House
    house = House()
    text = re.sub(r" +", " ", open(f"{house.tree}/layouts/quire/layout.md").read())
    for old, new in [*OTHER, ("# quire:", f"# {NAME}:")]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = os.path.join(house.build, "documents", f"{NAME}.md")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path) or open(path).read() != text:
        with open(f"{path}.{os.getpid()}", "w") as file:
            file.write(text)
        os.replace(f"{path}.{os.getpid()}", path)
    status, said = house.make("-j2", "kernel", f"LAYOUT={path}")
    assert status == 0, said
    return os.path.join(house.build, NAME, "kernel.elf")


@pytest.fixture
def machine(start, other):
    machine = start(kernel=other)
    machine.prompt()
    return machine


def test_the_bitmap_lies_and_reads_as_the_document_says(machine):
    """First fit behind the low megabyte; a one is a free frame; hardware's frames are never free."""
    rows = re.findall(r"0x(\w+)  0x(\w+)  .*? yes +(\w+)", machine.command("physical").replace("_", ""))
    bitmap, = [int(first, 16) for first, _, owner in rows if owner == "bitmap" and int(first, 16) >= 0x100000][:1]
    assert not [row for row in rows if int(row[0], 16) < 0x100000 and row[2] in ("pool", "bitmap", "records")], rows
    assert machine.physical(bitmap, 1) == b"\0"         # frames 0 to 7 are kept from the pool
    last = max(int(end, 16) for _, end, owner in rows if owner == "pool") >> 12
    assert machine.physical(bitmap + (last >> 3), 1)[0] >> (last & 7) & 1


def test_a_magazine_holds_no_more_than_the_document_says(machine):
    machine.command("alloc 20")
    held = int(re.search(r"(\d+) in magazines", machine.command("frames"))[1])
    assert held <= 3


def test_stacks_are_as_long_as_many_and_as_far_apart_as_the_document_says(machine):
    """16 KiB each with 8 KiB below, and 32 of them, which are 512 KiB."""
    said = machine.command("stacks 32").replace("_", "")
    number, first, last = re.search(r"slot (\d+), 0x(\w+) to 0x(\w+)", said).groups()
    assert int(last, 16) + 1 - int(first, 16) == 16 * 1024
    assert (int(first, 16) - 0xFC000000) == int(number) * 24 * 1024 + 8 * 1024
    assert "took 33" not in machine.command("stacks 33")
    assert machine.command("audit").startswith("audit: clean")


def test_rights_of_a_region_are_those_of_its_entries(machine):
    assert re.search(r"rodata +r-x", machine.command("layout"))
    assert machine.command("audit").startswith("audit: clean")


def test_the_heap_has_at_most_what_the_document_says(other, house):
    """Files by the thousand need more than a mebibyte of heap: a program is told, and the kernel goes on."""
    script = "i=0; while [ $i -lt 6000 ] && { : > /tmp/f$i; } 2>/dev/null; do i=$((i+1)); " \
             "[ $((i % 50)) = 0 ] && grep heap /proc/quire/frames; done; echo made $i"
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", NAME, "--timeout", "100",
                           "busybox", "sh", "-c", script],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=140, check=False,
                          env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_HOME": house.tree})
    frames = [int(count) for count in re.findall(r"heap +(\d+) frames", done.stdout)]
    assert frames and 200 < max(frames) <= 256, done.stdout
    assert done.returncode != 119 and "panic" not in done.stdout, done.stdout


# ---- The table of all words ---------------------------------------------------------------------------

def test_every_word_of_the_language_is_in_the_table():
    assert words.missing() == []


def test_what_obeys_a_word_and_what_shows_it_exist():
    assert words.wrong() == []


def test_the_table_in_the_book_is_the_one_that_is_made():
    assert words.table() in open(os.path.join(words.TREE, "docs", "layouts.md")).read(), \
        "docs/layouts.md has another table: tests/documents/words.py --write"
