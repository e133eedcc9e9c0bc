"""Programs that are built into the kernel, as a user of the console sees them: started, seen, waited for, killed.

A layout whose document has no start address (firmware) has applications instead, and tests of its own.
"""
import re
import struct

import pytest

PAGE = 4096


@pytest.fixture
def at(house, layout):
    """The start address; None where the document has none."""
    return house.facts(layout).get("policy.start")


@pytest.fixture
def console(request, at):
    """A machine at its prompt; None where there is nothing of this to start."""
    return None if at is None else request.getfixturevalue("boot")(memory="32M")


def frames(answer):
    """All frames, and those of each owner, of a line such as `took 7 frames: 1 process 2 tables; 6083 are free`."""
    match = re.search(r"(-?\d+) frames:((?: -?\d+ \w+)*); (\d+) are free", answer)
    assert match, answer
    owners = {name: int(count) for count, name in re.findall(r"(-?\d+) (\w+)", match[2])}
    return int(match[1]), owners, int(match[3])


def starts(answer):
    """The output of `start`: [(number, program, frames it took)]."""
    return [(int(match[1]), match[2], frames(match[0]))
            for match in re.finditer(r"process (\d+), (\w+): took .*", answer)]


def without_ended(what, one):
    """The frames a step has cost, less those of programs that had their turn meanwhile and ended: each gives back
    what `one` took of user memory, tables and stacks."""
    cost, owners, _ = what
    ended  = -owners.get("user", 0) // one[1]["user"]
    owners = {name: count + ended * (one[1].get(name, 0) if name != "heap" else 0) for name, count in owners.items()}
    return sum(owners.values()), {name: count for name, count in owners.items() if count != 0}


def run(machine, line):
    """Several commands in one line: programs may write at any moment, and should not do so into typed text."""
    return machine.command(line, timeout=90)


def test_processes_take_turns_at_one_address(console, at):
    if console is None:
        return
    said = run(console, "start ticker 3 &;wait 2200;audit")
    ids = [number for number, _, _ in starts(said)]
    order = [int(number) for number in re.findall(r"ticker (\d+): tick \d+", said)]
    assert len(ids) == 3 and set(ids) == set(order)
    turns = sum(a != b for a, b in zip(order, order[1:]))
    assert turns >= len(order) - 2, order                   # they alternate, none runs on alone
    for number in ids:
        ticks = [int(tick) for tick in re.findall(rf"ticker {number}: tick (\d+)", said)]
        assert ticks == list(range(1, len(ticks) + 1)) and len(ticks) >= 2      # each counts by itself, at one address
    assert "audit: clean" in said


def test_each_has_its_own_page_at_the_start_address(console, at, house, layout):
    """Read from outside: the directories are walked in physical memory."""
    if console is None:
        return
    listed = run(console, "start ticker 3 &;processes")
    roots = [int(frame) for frame in re.findall(r"directory in frame (\d+)", listed)]
    assert len(roots) == 3
    kernels = house.facts(layout)["boot.start"] >> 22       # an entry that is the kernel's in every space
    pages, low = set(), set()
    for root in roots:
        directory = struct.unpack("<1024I", console.physical(root * PAGE, PAGE))
        table = struct.unpack("<1024I", console.physical(directory[at >> 22] & ~0xFFF, PAGE))
        assert table[at >> 12 & 1023] & 5 == 5              # present, and the program's
        assert directory[kernels] & 5 == 1                  # the kernel's, and only its
        pages.add(table[at >> 12 & 1023] & ~0xFFF)
        low.add(directory[kernels] & ~0xFFF)
    assert len(pages) == 3 and len(low) == 1


def test_killing_one_gives_its_pages_back(console):
    if console is None:
        return
    first = starts(run(console, "start ticker &;kill 2"))     # the first makes kernel tables that stay
    assert [number for number, _, _ in first] == [2]
    before = int(re.search(r"^free +(\d+)", run(console, "frames"), re.M)[1])
    said = run(console, "start ticker &;kill 3;kill 3;processes;audit")
    (number, _, (took, owners, _)), = starts(said)
    assert number == 3 and owners["user"] == 2 and took == sum(owners.values())
    assert frames(re.search("gave back.*", said)[0]) == (took, owners, before)
    assert "there is no process 3" in said and "no processes" in said and "audit: clean" in said


def test_a_stray_pointer_kills_only_its_process(console):
    if console is None:
        return
    said = run(console, "start ticker &;start wild &;wait 1500;audit")
    assert "process 3, wild, was killed by signal 11" in said
    assert not re.search(r"wild 3: \d+\n", said)           # the kernel's word was never seen
    assert len(re.findall("ticker 2: tick", said)) >= 2
    assert "audit: clean" in said


def test_a_program_that_never_pauses_leaves_the_console_its_turn(console):
    if console is None:
        return
    said = run(console, "start spinner &;wait 100;processes;wait 100;kill 2")
    assert re.search(r"^ +2  spinner", said, re.M)
    assert frames(re.search("gave back.*", said)[0])[1]["user"] == 2
    run(console, "start spinner &")
    listed = run(console, "processes")                          # typed while it computes
    assert re.search(r"^ +3  spinner +(1 page |\d+ pages) from 0x\w+, (1 table|[2-9] tables),", listed, re.M), listed


def test_ends_are_told(console):
    if console is None:
        return
    said = run(console, "start brief &;start large &;start peek &;wait")
    for number, name, status in ((2, "brief", 7), (3, "large", 0), (4, "peek", 0)):
        assert f"process {number}, {name}, ended with status {status}" in said
    assert re.search(r"large 3: \d+ pages written and read, wrong: 0", said)


def test_wait_goes_on_until_the_last_has_given_its_memory_back(at, boot):
    """Whoever ends gives a thousand pages back and rests meanwhile: its memory is gone, and it has not ended. On a
    slow processor (1 us an instruction) it rests often."""
    if at is None:
        return
    said = run(boot(memory="64M", icount=10, timeout=120), "start large 4 &;wait")
    assert len(re.findall(r"process \d+, large, ended with status 0", said)) == 4


def test_without_memory_nothing_is_left_behind(console):
    """4 MiB each: some fit into 32 MiB, and the one that does not costs nothing."""
    if console is None:
        return
    said = run(console, "start brief &;kill 2;" + "start large &;" * 9 + "audit")
    assert 3 <= len(starts(said)) < 10
    failed = re.findall("start: large cannot be started: not enough memory is free\n(.*)", said)
    assert failed
    for line in failed:                                 # a page of the heap may stay, for the next
        cost, owners = without_ended(frames(line), starts(said)[1][2])
        assert set(owners) <= {"heap"} and cost <= 4, said
    assert "audit: clean" in said


def test_a_full_window_refuses_and_costs_nothing(console, house, layout):
    """Where the document has a window of bookkeeping, a small process has three of its pages."""
    facts = house.facts(layout)
    if console is None or "bookkeeping.start" not in facts:
        return
    fit = (facts["bookkeeping.end"] - facts["bookkeeping.start"]) // PAGE // 3
    said = run(console, "start peek 64 &;" * (fit // 64 + 1) + "start peek &;audit;frames")
    made = starts(said)
    assert len(made) == fit
    refused = re.findall("start: peek cannot be started: no page is left in the window\n(.*)", said)
    assert len(refused) == 2                                # one of the sixth 64, and the last
    for line in refused:
        cost, owners, free = frames(line)
        assert (cost, owners) == (0, {}) and free > 1000    # it was no lack of memory
    assert "audit: clean" in said


def test_the_window_says_what_each_process_has_there(console, house, layout):
    if console is None:
        return
    facts = house.facts(layout)
    if "bookkeeping.start" not in facts:
        assert "unknown command" in run(console, "window")
        return
    pages = (facts["bookkeeping.end"] - facts["bookkeeping.start"]) // PAGE
    said  = run(console, "window;start spinner 2 &;processes;window")
    assert f"0 of {pages} pages are taken, {pages} are free" in said
    rows = re.findall(r"^0x(\w{8})  0x(\w{8}) +(\d+)  directory in frame (\d+)", said, re.M)
    assert sorted(row[3] for row in rows) == sorted(re.findall(r"spinner .*directory in frame (\d+)", said))
    places = [int(text, 16) for row in rows for text in row[:2]]
    assert len(set(places)) == 4
    assert all(facts["bookkeeping.start"] <= place < facts["bookkeeping.end"] for place in places)
    taken = 2 * len(rows) + sum(int(row[2]) for row in rows)
    assert f"{taken} of {pages} pages are taken, {pages - taken} are free" in said


def test_start_waits_and_ctrl_c_ends_what_was_started(console):
    """Without `&` the prompt comes back when the program has ended; spinners never do, and Ctrl-C ends those."""
    if console is None:
        return
    assert "ended with status 7" in run(console, "start brief")
    run(console, "start spinner &")
    console.send("start spinner 2\r")
    console.expect(r"process \d+, spinner: took [^\n]*\n[^\n]*process \d+, spinner: took [^\n]*\n")
    console.send("\x03")
    assert "^C" in console.prompt()
    left = run(console, "processes;audit")
    assert len(re.findall(r"^ +\d+  spinner", left, re.M)) == 1 and "audit: clean" in left


def test_the_prompt_comes_back_when_all_of_several_have_ended(console):
    """They sleep and end side by side: many in one pause of the console, which found one end in each and then slept."""
    if console is None:
        return
    said = run(console, "start brief 10;start large 4;start brief 10;audit")
    assert len(re.findall("brief, ended with status 7", said)) == 20 and "audit: clean" in said
    assert len(re.findall("large, ended with status 0", said)) == 4


def test_a_word_too_many_behind_a_number_is_named(console):
    """Nothing was started, and nothing was said."""
    if console is None:
        return
    assert 'start: expected nothing but & behind the number, not "3"' in run(console, "start brief 2 3")
    assert "no processes" in run(console, "processes")


def test_wait_without_a_number_waits_for_all_and_ctrl_c_ends_all(console):
    if console is None:
        return
    said = run(console, "start brief 2 &;wait;processes")
    assert len(re.findall("brief, ended with status 7", said)) == 2 and "no processes" in said
    console.send("start ticker 2 &;wait\r")
    console.expect("tick 1")
    console.send("\x03")
    console.prompt()
    assert "no processes" in run(console, "processes")


def test_what_is_typed_meanwhile_is_kept_for_the_prompt(console):
    if console is None:
        return
    console.send("start brief\r")
    console.expect("brief 2: 1")
    console.send("version\r")
    console.prompt()
    assert "Quire, layout" in console.prompt()
