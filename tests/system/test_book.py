"""What the book shows of a conversation is what the machine says today: the same lines and words, and figures near it.

Of figures, those in hexadecimal are addresses and come out differently with each change of the kernel; the others may
differ by a tenth or by sixteen, so that the book need not be written anew each time, and is not wrong either.
"""
import glob
import os
import re

import pytest

from test_claims import in_plain_memory

MEMORY = "32M"
READS = "x = ('x'):rep(1e6); io.write(io.open('/proc/quire/map'):read('a'))"
DRAWN = "x = ('x'):rep(1e6); io.open('/proc/quire/map', 'w'):write('now')"
# Chapter, how the sample begins, and the layout that it was taken under; a sample without a prompt is of this command
# of the console, or of `quire` with these words.
SAMPLES = [
    ("console", "quire> frames", "higher-half", None),
    ("console", "quire> frame 99999999", "higher-half", None),
    ("console", " 0xF0FF_FFFF +", "higher-half", "map slots"),
    ("console", "claim A9 holds", "higher-half", "claims"),
    ("frames", "quire> frames", "quire", None),
    ("memmap", "quire> physical", "quire", None),
    ("audit", "quire> audit", "quire", None),
    ("audit", "quire> break S1", "quire", None),
    ("traps", "panic: kernel stack overflow", "quire", "crash stack"),
    ("stacks", "panic: kernel stack overflow", "quire", "crash stack"),
    ("map", "| [heap]", "quire", ["map", "lua5.4", "-e", DRAWN]),
    ("map", "frames 106000", "quire", ["run", "--audit", "lua5.4", "-e", READS]),
    ("host", "claim A9 holds", "higher-half", "make claims-on-host"),
]
ELSEWHERE = {
    ("window", "quire> start ticker 2 &"),                  # test_processes.py: programs talk into these, or may
    ("window", "quire> start spinner 2 &;window"),
    ("heap", "heap: double free"),                          # test_heap_misuse.c
}
# How a block begins that is an output, and not a drawing, a piece of C, or what a reader types.
OUTPUT = re.compile(r"quire> |claim |panic: |heap: |\| \w*\[?\w+\]? |frames [0-9a-f]+ | 0x\w+ \+-")

HEXADECIMAL = re.compile(r"\b(?:0x[0-9A-Fa-f_]+|[0-9a-f]{8})\b")
DECIMAL = re.compile(r"(?<![\w+])\d+(?:\.\d+)?\b")


def blocks_of(text):
    """The indented and the fenced blocks of a chapter, as they stand on the screen."""
    for block in re.findall(r"^```\n(.*?)^```$", text, re.M | re.S):
        yield block.splitlines()
    for block in re.findall(r"(?:^    .*\n)+", text, re.M):
        yield [line[4:] for line in block.splitlines()]


def chapter(house, name):
    with open(os.path.join(house.tree, "docs", f"{name}.md")) as file:
        return file.read()


def words_of(line):
    """What must be the same, and the figures that must be near."""
    line = HEXADECIMAL.sub("X", re.sub(r"#+|\+0x[0-9a-f]+", "", line))
    return DECIMAL.sub("N", line).split(), [float(number) for number in DECIMAL.findall(line)]


def is_like(sample, line):
    (wanted, figures), (words, numbers) = words_of(sample), words_of(line)
    if wanted and wanted[-1] == "...":
        wanted, figures, words = wanted[:-1], figures[:-1], words[:len(wanted) - 1]
    return wanted == words and all(abs(figure - number) <= max(16, number / 10)
                                   for figure, number in zip(figures, numbers))


def compare(sample, said, where):
    """Line for line; a line `...` stands for any number of lines."""
    lines, skips = [line for line in said.splitlines() if line.strip()], True
    for line in sample:
        if line.strip() == "...":
            skips = True
            continue
        at = next((n for n, each in enumerate(lines) if is_like(line, each)), None)
        assert at is not None and (skips or at == 0), f"{where}: `{line}` is not what it says today:\n{said}"
        lines, skips = lines[at + 1:], False


def conversation(sample):
    """[(command, its output)] of a sample with prompts."""
    turns = []
    for line in sample:
        if line.startswith("quire> "):
            turns.append((line[len("quire> "):], []))
        else:
            turns[-1][1].append(line)
    return turns


@pytest.mark.parametrize("name, begins, layout, command", SAMPLES, ids=[f"{s[0]}: {s[1]}" for s in SAMPLES])
def test_samples_are_what_the_machine_says(house, start, name, begins, layout, command):
    if layout not in house.layouts:
        pytest.skip(f"the layout {layout} is not under test")
    found = [block for block in blocks_of(chapter(house, name)) if block[0].startswith(begins)]
    assert len(found) == 1, f"docs/{name}.md has {len(found)} samples that begin with `{begins}`"
    if isinstance(command, list):
        status, said = house.quire(command[0], "--layout", layout, *command[1:])
        assert status == 0, said
        compare(["...", *found[0]], said, f"docs/{name}.md")
        return
    if command == "make claims-on-host":
        compare(["...", *found[0]], in_plain_memory(house, layout)[1], f"docs/{name}.md")
        return
    machine = start(kernel=house.kernel(layout), memory=MEMORY)
    machine.prompt()
    if found[0][0].startswith("panic: "):
        machine.send(command + "\r")
        machine.expect(re.escape(command) + r"\r*\n")
        machine.expect("the machine stops here")
        compare(found[0], machine.child.before + machine.child.after, f"docs/{name}.md")
        return
    for typed, answer in [(command, ["...", *found[0]])] if command else conversation(found[0]):
        compare(answer, machine.command(typed), f"docs/{name}.md")


def test_every_conversation_of_the_book_is_compared(house):
    compared = {(name, begins) for name, begins, _, _ in SAMPLES} | ELSEWHERE
    there = {(os.path.basename(path)[:-3], block[0]) for path in glob.glob(f"{house.tree}/docs/*.md")
             for block in blocks_of(open(path).read()) if OUTPUT.match(block[0])}
    for name, first in there:
        assert any(name == chapter and first.startswith(begins) for chapter, begins in compared), (name, first)
    for name, begins in compared:
        assert any(name == chapter and first.startswith(begins) for chapter, first in there), (name, begins)


def test_a_sample_that_is_not_true_is_noticed():
    said = "owner  frames\nfree  7135\nheld  716  ###\nat 0xE000_0000  dive+0x11\n"
    for good in ("owner frames\nfree 7140\nheld 720 ##\nat 0xE010_0000 dive+0x30", "...\nheld 716",
                 "free 7135\n...\nat 0xE000_0000 dive"):
        compare(good.splitlines(), said, "good")
    for bad in ("owner frames\nfree 5000", "owner frames\nheld 716", "owner frames\nfree 7135\nkept 716", "nothing"):
        with pytest.raises(AssertionError):
            compare(bad.splitlines(), said, "bad")
