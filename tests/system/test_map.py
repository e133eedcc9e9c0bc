"""`quire map`: the drawing against other output of the kernel, and the moment that it shows."""
import os
import re
import signal
import subprocess

import pytest

from drawn import PAGE, assert_tiles, columns_of, draw, drawn_snapshot, lines_of
from fake_run import compile_i386


# A shell that prints its mappings, then the pool's figures, and then has itself drawn.
SAYS = "cat /proc/$$/maps; cat /proc/quire/frames; echo now > /proc/quire/map; true"


@pytest.fixture(scope="module")
def said(draw):
    """A function: layout -> (drawing, what the shell wrote), made once."""
    made = {}

    def of(layout):
        if layout not in made:
            status, drawing, errors = draw("--layout", layout, "-m", "64M", "busybox", "sh", "-c",
                                           SAYS.replace("cat", "busybox cat"))
            assert status == 0, errors
            made[layout] = drawing, errors
        return made[layout]
    return of


def test_the_drawing_fits_a_terminal(layout, said):
    drawing, _ = said(layout)
    assert re.fullmatch(r"[\n -~]*", drawing)
    assert max(len(line) for line in drawing.splitlines()) <= 100


def test_frames_add_up_to_all_ram(layout, said):
    drawing, words = said(layout)
    ram = int(re.search(r"^all +(\d+) frames", words, re.M)[1])
    assert 16384 - 400 < ram <= 16384
    assert f"{ram} frames of RAM" in drawing
    assert re.search(rf"sum +{ram} +{ram * 4} +equals all RAM: every frame has an owner", drawing)
    boxes = columns_of(drawing)["Physical memory, by owner"]
    assert_tiles(boxes)
    owned = 0
    for start, end, inside in boxes:
        name, frames = re.match(r"(.*?) +(\d+) frames?, ", inside[0]).groups()
        assert int(frames) * PAGE == end - start
        parts = [int(n) for n in re.findall(r"\w+ (\d+)(?=[,:])", inside[1])] if name == "several owners" else []
        assert not parts or sum(parts) == int(frames), inside
        owned += int(frames) if name in OWNERS else 0
    assert owned == ram


OWNERS = {"several owners", "free", "held", "image", "boot", "bitmap", "records", "tables", "trackers", "heap",
          "stacks", "process", "user", "shared", "files", "packed", "cache", "test"}


def test_every_mapping_of_the_process_is_drawn_where_it_is(layout, said):
    drawing, words = said(layout)
    boxes = columns_of(drawing)["Process 2: busybox"]
    assert_tiles(boxes)
    # The vDSO's region has two lines there, the first page's and the second's (kernel/programs/vdso.h).
    words = re.sub(r"^(\w+)-(\w+) (.*)\[vvar\]\n\2-(\w+) .*\[vdso\]$", r"\1-\4 \3[vdso]", words, flags=re.M)
    maps = re.findall(r"^([0-9a-f]{8})-([0-9a-f]{8}) ([-rwxsp]{4}) \S+ \S+ \S+ *(\S*)$", words, re.M)
    assert len(maps) >= 5
    for start, end, rights, name in maps:
        start, end = int(start, 16), int(end, 16)
        low, high, inside = next(box for box in boxes if box[0] <= start < box[1])
        assert end <= high
        title = re.match(r"(\S+)(?:  ([-rwxsp]{4}))? +\d+ of (\d+) pages?$", inside[0])
        assert title and title[1] == (name or "anonymous"), inside
        if title[2]:
            assert (low, high, title[2]) == (start, end, rights), inside
        else:                       # a file's box, with a line for each of its mappings
            assert any(re.match(rf"0x{start:08X} {rights} \d+ of {(end - start) // PAGE}$", line.rstrip())
                       for line in inside)
    assert [box for box in boxes if box[2][0].startswith("[stack]") and "rw-p" in box[2][0]]


def test_kernel_space_is_drawn_row_by_row(layout, said):
    drawing, _ = said(layout)
    status, snapshot, errors = drawn_snapshot(layout)
    boxes = columns_of(drawing)["Kernel space"]
    assert_tiles(boxes)
    rows = [line for line in snapshot if line[0] == "region"]
    own = [row for row in rows if row[6] == "kernel"]
    rows = own + [row for row in rows if row[6] != "kernel" and not (own and row[5] == "program")]
    assert sorted((box[0], box[2][0].split()[0]) for box in boxes) == sorted((int(row[1], 16), row[9]) for row in rows)
    assert "IN NO REGION" not in drawing


def test_a_program_reads_the_snapshot(layout, draw):
    status, lines, errors = drawn_snapshot(layout)
    assert status == 0, errors
    assert lines[0] == ["quire-map", "1"] and lines[-1] == ["end", str(len(lines) - 1)]
    frames = [(int(line[1], 16), int(line[2]), line[3]) for line in lines if line[0] == "frames"]
    at = 0
    for start, count, owner in frames:                      # without a gap, each frame once
        assert start == at
        at += count * PAGE
    ram = int(next(line[1] for line in lines if line[0] == "ram"))
    assert sum(count for _, count, owner in frames if owner != "absent") == ram
    for line in lines:
        if line[0] == "owned":
            assert sum(count for _, count, owner in frames if owner == line[1]) == int(line[2]), line
    present = sum(int(line[2]) for line in after(lines, "process") if line[0] == "run" and line[3] == "present")
    resident = int(next(line[5] for line in lines if line[0] == "process"))
    assert present >= resident > 100


def test_every_use_and_backing_has_a_word(layout, draw):
    """The words are in the kernel's own tables, which a document's new kind of row is easily left out of."""
    status, lines, errors = drawn_snapshot(layout)
    assert status == 0, errors
    rows, regions = ([line for line in lines if line[0] == kind] for kind in ("row", "region"))
    assert rows and regions
    assert all("(null)" not in line for line in lines)
    assert {line[3] for line in rows} <= {"kernel", "hardware", "boot", "image", "bitmap", "master", "pool"}
    assert {line[5].split(":")[0] for line in regions} <= {"none", "physical", "image", "demand", "device",
                                                           "tables", "slots", "window", "alias", "objects", "program"}


def after(lines, word):
    """The lines of the first process: from it to the rows that each space has its own of."""
    first = next(i for i, line in enumerate(lines) if line[0] == word)
    return [line for line in lines[first:]]


def test_kernel_space_shows_no_program(layout, draw):
    """Under a self-map, the pages of the running program were once listed as the kernel's."""
    _, lines, _ = drawn_snapshot(layout)
    user = next(line for line in lines if line[0] == "region" and line[5] == "program")
    if any(line[0] == "region" and line[6] == "kernel" for line in lines):
        return                                              # kernel space has rows of its own there
    low, high = int(user[1], 16), int(user[1], 16) + int(user[2]) * PAGE
    first = next(i for i, line in enumerate(lines) if line[0] == "process")
    runs = [int(line[1], 16) for line in lines[:first] if line[0] == "run"]
    assert runs and not [run for run in runs if low <= run < high]


# ---- The moment ---------------------------------------------------------------------------------

def test_without_being_asked_it_is_the_end(layout, draw):
    status, drawing, _ = draw("--layout", layout, "busybox", "sh", "-c", "exit 3")
    assert status == 3 and "busybox ends with status 3; " in drawing
    assert "Process 2: busybox" in drawing


def test_a_program_that_dies_is_drawn_as_it_died(layout, draw, tmp_path):
    program = compile_i386(str(tmp_path / "dies"), "void _start(void) { *(volatile int *)16 = 1; }", "-static")
    status, drawing, errors = draw("--layout", layout, program)
    assert status == 128 + 11 and "is killed by signal 11; " in drawing
    assert "dies[2]: signal 11" in errors


def test_a_process_without_a_name_is_drawn(layout, draw, tmp_path):
    """A program can take its name away, and before its first program a process has none: no reason to draw nothing."""
    program = compile_i386(str(tmp_path / "nameless"), r"""
        static int call(int number, int a, const void *b)
        {
            int result;
            __asm__ volatile ("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b) : "memory");
            return result;
        }
        void _start(void) { call(172, 15, ""); call(1, 0, 0); }""", "-static")
    status, drawing, errors = draw("--layout", layout, program)
    assert (status, errors) == (0, "") and "Process 2: (no name)" in drawing and "every frame has an owner" in drawing


def test_a_program_that_never_ends_is_drawn_when_interrupted(draw):
    words = [draw.quire, "map", "busybox", "sh", "-c", "echo ready; busybox sleep 1000"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "QUIRE_BUILD": draw.build}) as run:
        assert run.stderr.readline() == "ready\n"
        run.send_signal(signal.SIGINT)
        drawing, _ = run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGINT and re.search(r"^\w+ is killed by signal 2; ", drawing, re.M)


def test_only_the_first_asking_counts_and_processes_that_wait_are_there(layout, draw):
    script = ("mkfifo /tmp/f; exec 2> /dev/null; (read x < /tmp/f) > /tmp/x & busybox sleep 100 > /tmp/x & "
              "echo a > /proc/quire/map; y=1; echo b > /proc/quire/map; exit 0")
    status, drawing, errors = draw("--layout", layout, "busybox", "sh", "-c", script)
    assert status == 0, errors
    assert "busybox, process 2, asks; " in drawing and drawing.count("Who has physical memory") == 1
    assert len(re.findall(r"^Process \d+: ", drawing, re.M)) == 3


def test_asking_without_an_order_does_nothing(layout, draw):
    status, output, errors = draw("--layout", layout, "--report", "busybox", "sh", "-c",
                                  "echo now > /proc/quire/map; echo done", command="run")
    assert (status, output) == (0, "done\n"), errors
    assert "audit: clean" in errors


def test_output_stays_apart_from_the_drawing(draw, tmp_path):
    status, drawing, errors = draw("busybox", "sh", "-c", "echo outward; echo err >&2")
    assert status == 0 and "outward" not in drawing and sorted(errors.split()) == ["err", "outward"]
    status, output, errors = draw("--svg", str(tmp_path / "map.svg"), "busybox", "sh", "-c",
                                  "echo outward; echo err >&2")
    assert (status, output, errors) == (0, "outward\n", "err\n")


# A page a megabyte below its own stack, and one without rights below that.
NEAR = """
static long call(long n, long a, long b, long c, long d, long e, long f)
{
    long r;
    __asm__ volatile("push %%ebp; mov %7, %%ebp; int $0x80; pop %%ebp"
                     : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "m"(f) : "memory");
    return r;
}
void _start(void)
{
    long here = (long)__builtin_frame_address(0) & -4096, page = here - 0x200000;
    long got = call(192, page, 4096, 3, 0x32, -1, 0), fence = call(192, page - 4096, 4096, 0, 0x32, -1, 0);
    call(252, got != page || fence != page - 4096, 0, 0, 0, 0, 0);
}
"""


def test_guards_are_drawn(layout, draw, tmp_path):
    """Of kernel stacks as the document has them; of a program's stack that has a neighbour; and what nobody may
    touch."""
    program = compile_i386(str(tmp_path / "near"), NEAR, "-static", "-O1", "-fomit-frame-pointer")
    status, drawing, errors = draw("--layout", layout, program)
    assert status == 0, errors
    boxes = columns_of(drawing)["Process 2: near"]
    assert_tiles(boxes)
    at = next(i for i, box in enumerate(boxes) if box[2][0].startswith("[stack]"))
    names = [re.split(r"  ", box[2][0])[0] for box in boxes[at:at + 5]]
    assert names == ["[stack]", "room for it to grow", "guard: the stack stays away", "anonymous", "anonymous"]
    assert boxes[at + 2][1] - boxes[at + 2][0] == 256 * PAGE
    assert boxes[at + 4][2][1].strip() == "a guard: no access is allowed"
    stacks = next(line for line in drawn_snapshot(layout)[1] if line[0] == "region" and line[9] == "stacks")
    inside = next(box[2] for box in columns_of(drawing)["Kernel space"] if box[2][0].startswith("stacks "))
    assert any("a guard" in line for line in inside) == (int(stacks[8]) > 0)


# Pages with rights by turns, so that each is a region and a run: more than a file of /proc may hold.
MANY = """
static long call(long n, long a, long b, long c, long d, long e, long f)
{
    long r;
    __asm__ volatile("push %%ebp; mov %7, %%ebp; int $0x80; pop %%ebp"
                     : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "m"(f) : "memory");
    return r;
}
static char buffer[65536];
void _start(void)
{
    char *p = (char *)call(192, 0, 14000 * 4096, 3, 0x22, -1, 0);
    long fd, got;
    for (int i = 0; i < 14000; i++)
        p[i * 4096] = 1;
    for (int i = 0; i < 14000; i += 2)
        call(125, (long)(p + i * 4096), 4096, 1, 0, 0, 0);
    fd = call(5, (long)"/proc/quire/map", 0, 0, 0, 0, 0);
    while ((got = call(3, fd, (long)buffer, sizeof buffer, 0, 0, 0)) > 0)
        call(4, 1, (long)buffer, got, 0, 0, 0);
    call(252, got != 0, 0, 0, 0, 0, 0);
}
"""


def test_a_snapshot_that_does_not_fit_says_so(layout, draw, tmp_path):
    program = compile_i386(str(tmp_path / "many"), MANY, "-static", "-O1", "-fomit-frame-pointer")
    status, output, errors = draw("--layout", layout, "--report", program, command="run")
    assert status == 0 and "audit: clean" in errors, errors
    lines = lines_of(output)
    assert len(output) <= 1 << 20
    assert lines[-1][0] == "cut" and int(lines[-1][1]) > 100
    status, drawing, errors = draw("--layout", layout, program)     # the host has room
    assert status == 0, errors[-300:]
    assert "missing" not in drawing and "14000 of" not in drawing
    assert drawing.count("anonymous  r--p") + drawing.count("anonymous  rw-p") >= 14000
