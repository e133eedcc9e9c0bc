"""Programs that hold more memory than there is: pages leave and come back (kernel/memory/pageout/hand.h), and memory is
out only where they do not shrink. tests/programs/short.c checks each word that it holds."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

AT_MOST = 21_000                # ticks without interrupts: test_stretches.py
# Of which programs get 13 MiB or more: movos hands out all but its first 8 MiB, and tracker's page tables take 4.
MEMORY = {"movos": "24M", "tracker": "20M"}
# Frames at the end with pages of the boot archive's files, which nobody has read since.
FILES = 64


@pytest.fixture(scope="module")
def short():
    """A function that runs tests/programs/short.c, or another, in a machine that gives programs some 13 MiB: what it
    printed, and what the machine said."""
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))
    root, made = os.path.join(build, "programs", "root"), os.path.join(build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)

    def run(layout, *words, status=0, flags="", memory=None, program="short"):
        done = subprocess.run([os.path.join(build, "host", "quire"), "run", "--layout", layout,
                               "-m", memory or MEMORY.get(layout, "16M"), "--report", "--timeout", "200",
                               os.path.join(made, program), *map(str, words)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "QUIRE_BUILD": build, "QUIRE_QEMU_FLAGS": flags})
        said = done.stdout + done.stderr
        assert done.returncode == status and re.findall(r"^audit: (\w+)", said, re.M) == ["clean"], said
        return done.stdout, said
    return run


def rows(said):
    """Frames by owner in the report: at the peak, and at the end."""
    return {word: (int(peak), int(end))
            for word, peak, end in re.findall(r"^  (\w+) +(\d+) +\d+ KiB +(\d+) +\d+ KiB", said, re.M)}


def test_three_times_as_much_as_ram(short, layout):
    printed, said = short(layout, "hold", 48)
    assert printed.startswith("12288 pages held\n"), said
    owners = rows(said)
    assert int(re.search(r"^ +(\d+)  bring-in$", said, re.M)[1]) > 10_000 and owners["packed"][1] <= FILES, said
    for column in (0, 1):
        assert sum(counts[column] for word, counts in owners.items() if word != "sum") == owners["sum"][column]


@pytest.mark.parametrize("how, mebibytes", [("fork", 20), ("locked", 24), ("file", 16)])
def test_contents_stay_what_they_are(short, layout, how, mebibytes):
    printed, said = short(layout, how, mebibytes)
    assert printed.startswith(f"{mebibytes * 256} pages, and ") and "out of memory" not in said, said


def test_files_and_shared_memory_leave_as_well(short, layout):
    """60 MiB of files in memory, a memfd and shared anonymous memory, in a machine of 24 MiB."""
    printed, said = short(layout, "shared", 60, memory="32M" if layout in MEMORY else "24M")
    assert re.findall(r": (\w+)$", printed, re.M)[:7] == ["yes"] * 7 and "out of memory" not in said, said
    assert "15360 pages, shared" in printed and rows(said)["packed"][1] <= FILES, said


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_what_is_out_is_told_alike_everywhere(short):
    printed, _ = short("quire", "sums", 24)
    assert re.findall(r": (\w+)$", printed, re.M)[:7] == ["yes"] * 7, printed


def test_pages_that_others_show_do_not_take_the_last_frames(short, layout):
    """MADV_PAGEOUT of what a child shows as well gives no frame back: of the reserve it left none, by which other pages
    go, and the next call ended with ENOMEM or the program as memory's victim."""
    printed, said = short(layout, "7", program="leaving")
    assert printed.startswith("the child's words: 0 wrong\nstatus 0, own words: 0 wrong\n"), said
    assert "out of memory" not in said, said


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_who_is_killed_goes_over_no_more_pages(short):
    """madvise() and mlock() of many pages went on to the last one, for seconds with a swap device: so long that another
    process was chosen in its place where memory was out."""
    printed, said = short("quire", "killed", memory="64M", program="leaving")
    assert re.findall(r"^([\w-]+): signal 9, half done$", printed, re.M) == ["populate", "page-out", "willneed",
                                                                            "mlock"], said


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_where_nothing_shrinks_memory_is_out(short):
    """It ends by the kernel's hand, at once, and has had nearly all."""
    _, said = short("quire", "noise", 24, status=137)
    pages = re.search(r"^out of memory: process \d+ \(short\) is killed: it asked for a page, has (\d+) pages", said,
                      re.M)
    assert pages and int(pages[1]) > 3000, said


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
@pytest.mark.parametrize("seed", [1, 2])
def test_operations_at_random(short, seed):
    printed, said = short("quire-checked", "random", 18, seed)
    assert "4608 pages at random" in printed and "out of memory" not in said, said


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
@pytest.mark.parametrize("how", ["hold", "fork", "shared"])
def test_interrupts_are_never_off_for_long(short, how):
    printed, _ = short("quire-checked", how, 16, flags="-icount shift=0,sleep=off")
    longest = re.search(r"^longest (\d+) \w+ < ", printed, re.M)
    assert longest and 100 < int(longest[1]) <= AT_MOST, printed
