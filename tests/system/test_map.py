"""`quire map`: the drawing against other output of the kernel, the SVG against its sheet, and the command's bad
days."""
import os
import re
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pexpect
import pytest

from fake_run import compile_i386

HERE = os.path.dirname(os.path.abspath(__file__))
SVG = "{http://www.w3.org/2000/svg}"
PAGE = 4096
LAST = 1 << 32
SHEET = (840, 1188)


class Map:
    """The host command, near a build; `quire map` unless other words are asked for."""

    def __init__(self, build):
        self.build = build
        self.quire = os.path.join(build, "host", "quire")

    def __call__(self, *words, command="map", **environment):
        done = subprocess.run([self.quire, command, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                              text=True, errors="replace", env={**os.environ, "QUIRE_BUILD": self.build, **environment})
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def draw():
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(HERE, "..", "..", "build"))
    if not os.path.isdir(os.path.join(build, "programs", "root")):
        pytest.skip("no programs; `make programs` fetches them")
    return Map(build)


def lines_of(text):
    """The lines of a snapshot, in words."""
    return [line.split(" ") for line in text.splitlines()]


# ---- The text drawing, read back -----------------------------------------------------------------

BORDER = re.compile(r"^\+-[-\w ()]*-\+ (4 GiB|0x[0-9A-F]{8})$")


def columns_of(text):
    """{title: [(start, end, [lines])]} of a text drawing, boxes from the top down."""
    columns, title, end, inside, before = {}, None, None, [], []
    for line in text.splitlines():
        border = BORDER.match(line)
        if border:
            at = LAST if border[1] == "4 GiB" else int(border[1], 16)
            if end is not None:
                columns[title].append((at, end, inside))
            else:
                title = before[max(i for i, text in enumerate(before) if text and set(text) == {"-"}) - 1]
                columns[title] = []
            end, inside = at, []
        elif end is not None and line[:1] in ("|", ":"):
            assert line[-1] == line[0], line
            inside.append(line[2:-2])
        else:
            end = None
            before.append(line)
    return columns


def assert_tiles(boxes, start=0, end=LAST):
    """Boxes meet, from `end` down to `start`."""
    assert boxes[0][1] == end and boxes[-1][0] == start
    for above, below in zip(boxes, boxes[1:]):
        assert above[0] == below[1] and below[0] < below[1]


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


snapshots = {}


def drawn_snapshot(layout, build=None):
    """(status, lines in words, errors) of /proc/quire/map as a program reads it."""
    if layout not in snapshots:
        status, output, errors = Map(os.path.abspath(os.environ.get("QUIRE_BUILD")
                                                     or os.path.join(HERE, "..", "..", "build")))(
            "--audit", "--layout", layout, "-m", "64M", "busybox", "cat", "/proc/quire/map", command="run")
        snapshots[layout] = status, lines_of(output), errors
    return snapshots[layout]


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


# ---- The sheets ----------------------------------------------------------------------------------

# Widths of letters in parts of the size, a little more than those of DejaVu, which is wide.
SIZES = {"title": (23, .66), "heading": (15, .66), "row": (10.5, .68), "name": (12, .68), "subtitle": (13, .58),
         "table": (10, .61), "rights": (10, .61), "address": (10, .61), "note": (10.5, .56), "size": (10.5, .6)}


def texts_of(group):
    """(class, x from, x to, y, text) of every text of a sheet."""
    for element in group.iter(SVG + "text"):
        x, y = float(element.get("x")), float(element.get("y"))
        spans = [(span.get("class"), span.text or "", float(span.get("dx", 0))) for span in element.iter(SVG + "tspan")]
        kinds = spans or [(element.get("class"), element.text or "", 0)]
        width = sum(SIZES[kind.split()[0]][0] * SIZES[kind.split()[0]][1] * len(text) + dx for kind, text, dx in kinds)
        left = x - width if "end" in (element.get("class") or "").split() else x
        yield kinds[0][0].split()[0], left, left + width, y, "".join(text for _, text, _ in kinds)


@pytest.fixture(scope="module")
def sheets(draw, tmp_path_factory):
    """A function: layout -> (path, the groups of its sheets), of the drawing made when no program is named."""
    made = {}

    def of(layout):
        if layout not in made:
            path = str(tmp_path_factory.mktemp("svg") / f"{layout}.svg")
            status, output, errors = draw("--layout", layout, "--svg", path)
            assert (status, output, errors) == (0, "", "")
            root = ElementTree.parse(path).getroot()
            groups = [element for element in root.iter(SVG + "g") if (element.get("id") or "").startswith("sheet-")]
            assert root.get("viewBox") == f"0 0 {SHEET[0]} {SHEET[1] * len(groups)}"
            assert (root.get("width"), root.get("height")) == ("210mm", f"{297 * len(groups)}mm")
            made[layout] = path, groups
        return made[layout]
    return of


def test_words_stay_on_their_sheet(layout, sheets):
    _, groups = sheets(layout)
    assert len(groups) >= 3
    for group in groups:
        count = 0
        for kind, left, right, y, text in texts_of(group):
            assert 30 < left and right < SHEET[0] - 20 and 30 < y < SHEET[1] - 10, (kind, left, right, y, text)
            count += 1
        assert count > 20


def test_every_fill_is_one(layout, sheets, draw, tmp_path):
    """A purpose that the drawings did not know was once filled with `(null)`, which is black."""
    shown = str(tmp_path / "shown.svg")
    assert draw("show", layout, "--svg", shown, command="layout", QUIRE_HOME=os.path.join(HERE, "..", ".."))[0] == 0
    for path in (sheets(layout)[0], shown):
        root = ElementTree.parse(path).getroot()
        patterns = {element.get("id") for element in root.iter(SVG + "pattern")}
        for fill in {element.get("fill") for element in root.iter() if element.get("fill")}:
            assert fill == "none" or re.fullmatch("#([0-9a-f]{3}){1,2}", fill) or fill[5:-1] in patterns, fill


def test_every_owner_has_a_pattern_and_a_letter(house):
    """An owner that the drawings do not know would be drawn as several."""
    owners = re.findall(r'^ *OWNER\(\w+, *"(\w+)"', open(f"{house.tree}/kernel/memory/frames/owner.h").read(), re.M)
    looks = re.findall(r"^ *\{ \"(\w+)\", *'(.)', \{ (\"[^}]*\") \}, (.*) \},$",
                       open(f"{house.tree}/tools/map/column.c").read(), re.M)
    assert len(owners) > 10 and set(owners) <= {name for name, *_ in looks}
    assert len({letter for _, letter, *_ in looks}) == len(looks)


def test_letters_are_large_enough_for_paper(layout, sheets):
    path, _ = sheets(layout)
    sizes = [float(size) for size in re.findall(r"font-size:([\d.]+)px", open(path).read())]
    assert min(sizes) * 210 / SHEET[0] / 25.4 * 72 >= 7         # points


def test_boxes_and_their_words_do_not_overlap(layout, sheets):
    _, groups = sheets(layout)
    for group in groups:
        boxes = [tuple(float(rect.get(key)) for key in ("x", "y", "width", "height"))
                 for rect in group.iter(SVG + "rect")
                 if (rect.get("class") or "").startswith("box") and float(rect.get("width")) > 100]
        assert boxes
        for i, (x, y, width, height) in enumerate(boxes):
            for other in boxes[:i]:
                assert x >= other[0] + other[2] or other[0] >= x + width or y >= other[1] + other[3] - .11 or \
                    other[1] >= y + height - .11, (boxes[i], other)
        texts = list(texts_of(group))
        for i, (kind, left, right, y, text) in enumerate(texts):
            size = SIZES[kind][0]
            for box in boxes:               # words that begin in a box end in it
                if box[0] < left < box[0] + box[2] and box[1] < y < box[1] + box[3]:
                    assert right <= box[0] + box[2] + 2 and y - size * .8 >= box[1] and y + 2 <= box[1] + box[3], (text,
                                                                                                                   box)
            for other in texts[:i]:
                apart = abs(y - other[3]) >= min(size, SIZES[other[0]][0]) * .95
                assert apart or left >= other[2] - 4 or other[1] >= right - 4, (text, other)


def test_sheets_become_pages(layout, sheets, tmp_path):
    path, groups = sheets(layout)
    for n in range(1, len(groups) + 1):
        page = tmp_path / f"{n}.png"
        subprocess.run(["rsvg-convert", "--export-id", f"sheet-{n}", "-w", "420", "-o", str(page), path], check=True,
                       timeout=60)
        width, height = (int.from_bytes(page.read_bytes()[at:at + 4], "big") for at in (16, 20))
        assert width == 420 and abs(height - 594) <= 1


def test_what_is_drawn_without_a_program_is_worth_it(layout, sheets):
    _, groups = sheets(layout)
    words = [text for group in groups for *_, text in texts_of(group)]
    assert any(re.match(r"Process \d+: lua5.4", text) for text in words)
    for wanted in ("[heap]", "[stack]", "libc.so.6", "kernel space", "room for it to grow"):
        assert any(wanted in text for text in words), wanted


# ---- Bad days ------------------------------------------------------------------------------------

def test_a_layout_that_is_not_built(draw, tmp_path):
    path = tmp_path / "map.svg"
    status, output, errors = draw("--layout", "no-such", "--svg", str(path), "busybox", "true")
    assert status == 121 and output == "" and not path.exists()
    assert errors.startswith("quire map: no kernel of the layout no-such")


def test_a_program_that_does_not_exist(draw, tmp_path):
    path = tmp_path / "map.svg"
    path.write_text("an older drawing")
    status, output, errors = draw("--svg", str(path), "no-such-program")
    assert status == 127 and output == "" and "no-such-program" in errors
    assert path.read_text() == "an older drawing"


@pytest.mark.parametrize("path, why",
                         [("/no/such/folder/map.svg", "No such file"), ("/", "Is a directory"), ("", "No such file")])
def test_a_file_that_cannot_be_opened(draw, path, why):
    """Errors before any machine is started: the program prints nothing."""
    status, output, errors = draw("--svg", path, "busybox", "echo", "hello")
    assert (status, output) == (125, "") and errors.startswith("quire map: ") and why in errors


def test_a_file_that_cannot_be_written(draw):
    status, output, errors = draw("--svg", "/dev/full", "busybox", "true")
    assert (status, output) == (125, "") and errors == "quire map: --svg /dev/full: No space left on device\n"


def test_a_longer_file_is_replaced_whole(draw, tmp_path):
    path = tmp_path / "map.svg"
    path.write_text("<" * 4_000_000)
    assert draw("--svg", str(path), "busybox", "true")[0] == 0
    assert path.read_text().endswith("</svg>\n")
    ElementTree.parse(path)


def test_wrong_words(draw):
    for words in (["--svg"], ["--nonsense"], ["--layout"], ["-m", "lots", "busybox"]):
        status, output, errors = draw(*words)
        assert (status, output) == (125, "") and errors


# ---- A guest that lies -----------------------------------------------------------------------------

@pytest.fixture
def lying(draw, tmp_path):
    """A function: the lines that a guest sends as its snapshot -> what the command makes of them."""
    build = tmp_path / "build"
    for kernel in ("kernel.elf", "kernel-pvh.elf"):
        (build / "quire").mkdir(parents=True, exist_ok=True)
        (build / "quire" / kernel).write_bytes(b"")
    program = compile_i386(str(tmp_path / "program"), "void _start(void) { }", "-static")

    def send(text, *words, guest="map {}"):
        (tmp_path / "lines").write_bytes(text)
        return draw(*words, "--root", str(tmp_path), program, QUIRE_BUILD=str(build),
                    QUIRE_QEMU=os.path.join(HERE, "fake_guest.py"), FAKE_GUEST=guest.format(tmp_path / "lines"),
                    PYTHONDONTWRITEBYTECODE="1")
    return send


def true_lines():
    return "\n".join(" ".join(line) for line in drawn_snapshot("quire")[1]).encode() + b"\n"


def test_the_truth_is_drawn(lying):
    status, drawing, errors = lying(true_lines())
    assert (status, errors) == (0, "") and "every frame has an owner" in drawing


def test_nothing_at_all(lying):
    status, output, errors = lying(b"")
    assert (status, output) == (125, "") and "no snapshot" in errors


def test_sums_that_do_not_agree_are_said(lying):
    lines = true_lines()
    free = re.search(rb"owned free (\d+)", lines)
    other = lines.replace(free[0], b"owned free %d" % (int(free[1]) + 1), 1)
    assert "the pool's own sums differ" in lying(other)[1]
    ram = re.search(rb"ram (\d+)", lines)
    assert "DIFFERS from all RAM" in lying(lines.replace(ram[0], b"ram %d" % (int(ram[1]) - 1), 1))[1]


LIES = [
    (rb"^quire-map 1$", b"quire-map 2", "line 1 "), (rb"^end \d+$", b"end 5", "counts other lines"),
    (rb"^end \d+\n", b"", "is not the last"), (rb"^frames 0 (\d+)", b"frames 1000 \\1", "makes no sense"),
    (rb"^frames (\w+) \d+ free$", b"frames \\1 0 free", "makes no sense"),
    (rb"^frames (\w+) \d+ free$", b"frames \\1 99999999 free", "makes no sense"),
    (rb"^ram .*$", b"ram -1", "makes no sense"), (rb"^ram .*$", b"ram 0x10 ", "makes no sense"),
    (rb"^ram .*$", b"", "makes no sense"), (rb"^layout .*$", b"layout", "makes no sense"),
    (rb"^map (\w+) \d+ r-xp", b"map \\1 1 r-xp", "makes no sense"), (rb"^process .*$", b"process 1", "makes no sense"),
    (rb"^(run \w+ \w+) present", b"\\1 presence", "makes no sense"), (rb"^process .*\n", b"", "makes no sense"),
    (rb"^moment .*$", b"moment a\0b", "no plain text"), (rb"^moment .*$", "moment \u00e9".encode(), "no plain text"),
    (rb"\Z", b"ram 1\n", "comes after the last"), (rb"\n\Z", b"", "has no end"),
    (rb"^space \d+$", b"space 18446744073709551617", "makes no sense"),
    (rb"^region f", b"region ffffffff", "makes no sense"),
]


@pytest.mark.parametrize("what, instead, why", LIES, ids=range(len(LIES)))
def test_lies_are_refused_with_their_line(lying, what, instead, why):
    lines, count = re.subn(what, instead, true_lines(), count=1, flags=re.M)
    assert count == 1
    status, output, errors = lying(lines)
    assert (status, output) == (125, "") and why in errors and "line " in errors, errors


def test_words_in_a_snapshot_cannot_break_out_of_the_drawing(draw, lying, tmp_path):
    wild = true_lines().replace(b"moment busybox", b"moment <b>&\"'", 1).replace(b"/bin/busybox",
                                                                                 b"/<svg>&" + b"x" * 400)
    status, drawing, errors = lying(wild)
    assert status == 0, errors
    assert max(len(line) for line in drawing.splitlines()) <= 100


# ---- Followed -------------------------------------------------------------------------------------

def test_followed_without_a_terminal_it_is_drawn_again_and_again(draw):
    status, output, errors = draw("--follow", "busybox", "sh", "-c", "busybox sleep 3; exit 4")
    assert (status, errors) == (4, "")
    *drawn, last = output.split("\f")
    assert len(drawn) >= 2 and all("every frame has an owner" in each for each in [*drawn, last])
    assert "Process 3" in output


@pytest.mark.parametrize("damages, drawn, complaints", [
    ("glcs" "g", 2, 0),                     # three in a row: the next is asked for at once, and nothing is said
    ("gllll" "g", 2, 0), ("gl" "gc" "g", 3, 0),
    ("glllll" "g", 2, 1),                   # the fifth is said
    ("gsssss" "g", 3, 0),                   # a picture whose sums differ, at last: it says so itself
    ("gn" "g", 3, 0),                       # other bytes before a snapshot are passed over
    ("gt" "gg", 2, 0),                      # one without its end is given up after a while; the next begins in its line
])
def test_a_line_that_loses_bytes_is_followed(lying, damages, drawn, complaints):
    """The guest loses and changes bytes on purpose: what is drawn is whole."""
    status, output, errors = lying(true_lines(), "--follow", guest=f"follow {{}} {damages}")
    *pictures, last = output.split("\f")
    assert (status, len(pictures)) == (0, drawn), errors
    different = [picture for picture in pictures if picture.strip() != last.strip()]
    assert len(different) == ("sssss" in damages) and all("own sums differ" in each for each in different)
    asked = re.findall(r"(\w) at (\d+) ms", errors)
    assert "".join(letter for letter, _ in asked) == damages
    rest = [line for line in errors.splitlines() if not re.fullmatch(r"\w at \d+ ms", line)]
    assert len(rest) == complaints and all("snapshot" in line for line in rest), rest
    for (last, _), (letter, before), (_, after) in zip([("", 0), *asked], asked, asked[1:]):
        waits = 900 if letter in "gn" and last != "t" else 0       # a second after a good one, and no time after damage
        assert int(after) - int(before) >= waits, asked


def test_a_followed_svg_is_always_whole_and_read_again(draw, tmp_path):
    path = tmp_path / "map.svg"
    child = subprocess.Popen([draw.quire, "map", "--follow", "--svg", str(path), "busybox", "sleep", "3"],
                             stdin=subprocess.DEVNULL, env={**os.environ, "QUIRE_BUILD": draw.build})
    times = 0
    while child.poll() is None:
        text = path.read_text() if path.exists() else ""
        if text:
            assert text.endswith("</svg>\n")
            times += "location.reload" in text
            ElementTree.fromstring(text)
    assert child.returncode == 0 and times > 0
    assert "<script" not in path.read_text() and os.listdir(tmp_path) == ["map.svg"]


def test_a_followed_file_that_cannot_be_replaced_is_said(draw):
    status, output, errors = draw("--follow", "--svg", "/dev/full", "busybox", "sleep", "1")
    assert status == 125 and "/dev/full" in errors


@pytest.mark.parametrize("machine", ["microvm", "pc"])
def test_on_a_terminal_it_is_drawn_in_its_place_and_keys_move_it(draw, machine):
    child = pexpect.spawn(draw.quire, ["map", "--follow", "--machine", machine], dimensions=(30, 100),
                          encoding="latin-1", timeout=30, env={**os.environ, "QUIRE_BUILD": draw.build})
    child.expect(r"\x1b\[\?1049h")
    child.expect(r"lines 1 to 29 of (\d+)")
    child.send(" ")
    child.expect("lines 29 to 57")
    child.send("\x1b[A")
    child.expect("lines 28 to 56")
    child.send("G")
    child.expect(r"lines \d+ to (\d+) of \1:")         # not one of a second before
    child.expect(r"\x1b\[H.*lines ")                    # the next second's
    child.send("\x03")
    child.expect(r"\x1b\[\?1049l")
    child.expect("every frame has an owner")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 128 + signal.SIGINT
