"""`quire layout check --explain`, `quire layout show --against`, `quire new`: their output, and that it is true."""
import glob
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

FILES = {"HH": "higher-half", "PT": "pat", "QU": "quire", "MO": "movos", "TR": "tracker", "FW": "firmware"}
STRINGS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'


def strings(text):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).encode().decode("unicode_escape")


def refusals(tree):
    """The changes of tests/host/test_layout_refusals.c: (name, document, text, what takes its place)."""
    source = open(f"{tree}/tests/host/test_layout_refusals.c").read()
    return [(name, FILES[document], strings(old), strings(new))
            for name, document, old, new in re.findall(rf'\{{ "(\w+)", (\w\w),\s*{STRINGS},\s*{STRINGS},', source)]


def quire(house, *words, folder=None):
    done = subprocess.run([os.path.join(house.build, "host", "quire"), *words], cwd=folder or house.tree,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="latin-1", timeout=60,
                          check=False, env={**os.environ, "QUIRE_HOME": house.tree})
    return done.returncode, done.stdout


def test_each_complaint_is_explained_by_a_paragraph_of_the_book(house, tmp_path):
    all_refusals, unexplained = refusals(house.tree), []
    assert len(all_refusals) > 140
    book = re.sub(r"\s+", " ", open(f"{house.tree}/docs/layouts.md").read())
    for name, document, old, new in all_refusals:
        text = re.sub(r" +", " ", open(f"{house.tree}/layouts/{document}/layout.md").read())
        assert old in text, name
        path = tmp_path / "mine.md"
        path.write_text(text.replace(old, new, 1), encoding="latin-1")
        status, said = quire(house, "layout", "check", "--explain", str(path))
        assert status == 1, name
        for complaint, words in re.findall(r"^(\S*mine\.md.*)\n((?:  .*\n)*)", said, re.M):
            found = re.fullmatch(r"  rule: .+\n  docs/layouts.md, .+:\n((?:    .*\n)+)", words)
            if not found or re.sub(r"\s+", " ", found[1]).strip() not in book:
                unexplained.append((name, complaint))
    assert not unexplained, "\n".join(f"{name}: {complaint}" for name, complaint in unexplained)


def rules_of_the_book(tree):
    """The table `What is refused`: (forms, heading, how the paragraph begins)."""
    for line in open(f"{tree}/docs/layouts.md").read().split("## What is refused\n")[1].splitlines():
        if line.startswith("| `"):
            reads, _, place = (cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            yield (re.findall(r"`([^`]+)`", reads), *place.split(": ", 1))


def matched(form, complaint):
    """How many characters of the form the complaint has, in order; as tools/quire/explain.c counts them."""
    total = 0
    for part in form.split("..."):
        at = complaint.find(part)
        if at < 0:
            return 0
        complaint, total = complaint[at + len(part):], total + len(part)
    return total


def test_each_complaint_on_record_has_its_rule_in_the_book(house):
    """What the compiler says of ten thousand documents: the book has a row for each complaint, and a cell that cannot
    be read is explained by what the book says of its column."""
    rules = list(rules_of_the_book(house.tree))
    book = open(f"{house.tree}/docs/layouts.md").read()
    below = {heading: book.split(f"# {heading}\n", 1)[1].split("\n## ")[0] for _, heading, _ in rules}
    missing = [place for _, heading, place in rules
               if not re.search(rf"^(\| )?{re.escape(place)}", below[heading], re.M)]
    assert not missing, missing
    complaints = [line.strip().replace("`", "") for name in ("neighbours", "variants")
                  for line in open(f"{house.tree}/tests/host/layouts/{name}.txt") if line.startswith("    ")
                  and "more errors follow" not in line]
    assert len(complaints) > 500
    places = {}
    for complaint in complaints:
        best = max(((matched(form, complaint), heading, place) for forms, heading, place in rules for form in forms),
                   key=lambda rule: rule[0])
        assert best[0] > 0, complaint
        places[complaint] = best[1:]
    cells = {complaint: place for complaint, place in places.items() if re.match(r"\d+: [A-Z][a-z ]+ is ", complaint)}
    assert len(cells) > 12
    astray = {complaint: place for complaint, place in cells.items() if place[0] == "The page"}
    assert not astray, astray


def test_each_form_of_the_book_is_a_complaint_that_the_compiler_has(house):
    """Two forms were written as no complaint is, so that what was to be explained by them was explained by another."""
    sources = [*glob.glob(f"{house.tree}/tools/layout/*.c"), *glob.glob(f"{house.tree}/tests/host/test_layout*.c")]
    said = "".join(open(f"{house.tree}/tests/host/layouts/{name}.txt").read() for name in ("neighbours", "variants"))
    for path in sources:
        text = re.sub(r'" *PRI(u64|u32|X64) *(")?', lambda found: "u" if found[2] else 'u"', open(path).read())
        said += "".join(strings(words) + "\n" for words in re.findall(STRINGS, text))
    said = re.sub(r"%[-0-9.*]*l*[sduX]", "...", said.replace("`", "")).splitlines()
    of_many = r"[A-Za-z ]+ is \.\.\.; expected|no table under|(stack|shared) has the rights|.* has a maximum of"
    dead = [form for forms, _, _ in rules_of_the_book(house.tree) for form in forms
            if not re.match(of_many, form) and not any(matched(form, words) for words in said)]
    assert not dead, dead


def test_a_size_is_explained_whatever_it_is(house, tmp_path):
    """The form in the book had the numbers of one changed document, and matched no other."""
    text = re.sub(r" +", " ", open(f"{house.tree}/layouts/quire/layout.md").read())
    for old, new in (("| 128 MiB | heap |", "| 127 MiB | heap |"), ("| 4 MiB | slots |", "| 4 KiB | slots |")):
        assert old in text
        (tmp_path / "mine.md").write_text(text.replace(old, new, 1))
        said = quire(house, "layout", "check", "--explain", str(tmp_path / "mine.md"))[1]
        assert "  rule: One of the three is wrong\n" in said, said


def test_a_good_document_needs_no_explanation(house):
    assert quire(house, "layout", "check", "--explain", "quire")[1].strip().endswith("claims")


def test_the_readme_shows_the_document_as_it_is_and_what_is_refused(house, tmp_path):
    readme = open(f"{house.tree}/README.md").read()
    document = open(f"{house.tree}/layouts/quire/layout.md").read()
    rows = [line.strip() for line in readme.splitlines() if line.startswith("    | ")]
    assert len(rows) == 8
    assert all(any(line.startswith(row) for line in document.splitlines()) for row in rows), "not the document's lines"

    address, size, rights = re.search(r"With `(\w+)`, `(.*)` and `(\w+)` in the row of `devices`", readme).groups()
    row = next(line for line in document.splitlines() if "| devices |" in line)
    cells = row.split("|")
    cells[1], cells[3], cells[5] = f" {address} ", f" {size} ", f" {rights} "
    (tmp_path / "mine.md").write_text(document.replace(row, "|".join(cells)))
    status, said = quire(house, "layout", "check", "mine.md", folder=tmp_path)
    shown = [line.strip() for line in readme.splitlines() if line.startswith("    mine.md:")]
    assert status == 1 and shown and [line for line in said.splitlines() if line.startswith("mine.md:")] == shown


def test_the_readmes_picture_is_the_document(house):
    """To make it again: ./quire layout show quire --svg docs/pictures/quire.svg"""
    status, drawn = quire(house, "layout", "show", "quire", "--svg", "/dev/stdout")
    assert status == 0
    assert open(f"{house.tree}/docs/pictures/quire.svg", encoding="latin-1").read() in drawn, \
        "docs/pictures/quire.svg is of another document"


@pytest.fixture
def changed(house, tmp_path):
    """The default document with a larger heap and another search."""
    text = open(f"{house.tree}/layouts/quire/layout.md").read()
    for old, new in (("0xF7FFFFFF | 128 MiB", "0xF6FFFFFF | 112 MiB"),
                     ("0xF8000000 | 0xFB7FFFFF |  56 MiB", "0xF7000000 | 0xFB7FFFFF |  72 MiB"),
                     ("| fullest  ", "| next-fit "), ("# quire:", "# mine:")):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "mine.md"
    path.write_text(text)
    return path


def test_what_differs_from_another_document_is_marked(house, changed):
    status, said = quire(house, "layout", "show", str(changed), "--against", "quire")
    assert status == 0, said
    marked = [line for line in said.splitlines() if line.startswith("*")]
    assert [re.search(r"heap|devices|search", line)[0] for line in marked] == ["devices", "heap", "search"]
    assert "next-fit" in marked[2] and "fullest" in marked[2]
    assert "3 rows differ" in said
    assert "0 rows differ" in quire(house, "layout", "show", "quire", "--against", "quire")[1]


def rows_side_by_side(said):
    """What `--against` prints: (marked, left, right) of each row, with the lines that it goes on in."""
    rows = []
    for line in said.split("\n\n", 1)[1].splitlines():
        found = re.match(r"([* ]) (.{64}) \|(.*)$", line)
        if found and found[1] == " " and re.match(r" {28}|$", found[2].rstrip() and found[2] or found[3][1:]):
            rows[-1] = (rows[-1][0], *(f"{old} {new.strip()}".strip() for old, new in
                                       zip(rows[-1][1:], (found[2], found[3]))))
        elif found:
            rows.append((found[1] == "*", found[2].strip(), found[3].strip()))
    return rows


def test_a_row_is_marked_where_its_words_differ_and_nowhere_else(house, tmp_path):
    """`end of image` could be another section's, and a row was marked whose words were the same; of growth, scope, and
    the end of what begins at a floating border there was no word."""
    pairs = [(one, other) for one in house.layouts for other in house.layouts]
    text = open(f"{house.tree}/layouts/higher-half/layout.md").read()
    for number, (old, new) in enumerate((("| process | demand ", "| all     | demand "), ("| by 4 KiB   ", "| -  "),
                                         ("0xC03FFFFF    |  floats", "0xC02FFFFF    |  floats"))):
        assert old in text
        text = text.replace(old, new, 1)
        if number == 2:
            text = text.replace("0xC0400000    | 0xEFFFFFFF    | 764 MiB", "0xC0300000    | 0xEFFFFFFF    | 765 MiB")
            text = re.sub(r"(\| 0x[0C]0000000 \| 0x00000000 \|) 4 MiB", r"\1 3 MiB", text)
            text = text.replace("| 0x00400000 | 0xFFFFFFFF | 4092 MiB", "| 0x00300000 | 0xFFFFFFFF | 4093 MiB")
            text = text.replace("| 0x00100000 | 0x003FFFFF |    3 MiB", "| 0x00100000 | 0x002FFFFF |    2 MiB")
        (tmp_path / f"changed{number}.md").write_text(text)
        pairs.append((str(tmp_path / f"changed{number}.md"), "higher-half"))
    for one, other in pairs:
        status, said = quire(house, "layout", "show", one, "--against", other)
        assert status == 0, said
        rows = rows_side_by_side(said)
        assert len(rows) > 25 and not [row for row in rows if row[0] != (row[1] != row[2])], (one, other)
        assert one == other or [row for row in rows if row[0]], (one, other)


def test_columns_stand_below_each_other(house):
    """`end of rodata` and `end of original` pushed the rest of their rows aside."""
    for layout in house.layouts:
        said = quire(house, "layout", "show", layout, "--against", layout)[1]
        rows = [line for line in said.split("Physical memory")[0].splitlines() if "| " in line][1:]
        rows = [line for line in rows if not line.startswith(" " * 28)]
        assert len(rows) > 8 and all(line[17] == " " and line[18] != " " for line in rows), (layout, rows)


def test_the_picture_of_two_documents_frames_what_differs(house, changed, tmp_path):
    picture = tmp_path / "both.svg"
    status, said = quire(house, "layout", "show", str(changed), "--against", "quire", "--svg", str(picture))
    assert status == 0, said
    root = ElementTree.parse(picture).getroot()
    framed = [box for box in root.iter() if box.get("class") == "differs"]
    assert len(framed) == 4                     # heap and devices, in both
    quire(house, "layout", "show", "quire", "--svg", str(tmp_path / "one.svg"))
    one = ElementTree.parse(tmp_path / "one.svg").getroot()
    assert float(root.get("width")) == 2 * float(one.get("width"))
    assert not [box for box in one.iter() if box.get("class") == "differs"]


def test_processors_tables_applications_and_policies_are_compared(house, tmp_path):
    moved, without = tmp_path / "moved.md", tmp_path / "without.md"
    text = open(f"{house.tree}/layouts/higher-half/layout.md").read()
    old = re.search(r"\| 0x00002000 \| 0x00002071 ", text)[0]
    moved.write_text(text.replace(old, "| 0x00002800 | 0x00002871 ").replace("| one is free |", "| one is used |"))
    said = quire(house, "layout", "show", str(moved), "--against", "higher-half")[1]
    marked = [line for line in said.splitlines() if line.startswith("*")]
    assert [re.search(r"tss|polarity", line)[0] for line in marked] == ["tss", "polarity"]
    picture = tmp_path / "both.svg"
    quire(house, "layout", "show", str(moved), "--against", "higher-half", "--svg", str(picture))
    drawn = list(ElementTree.parse(picture).getroot().iter())
    assert len([box for box in drawn if box.get("class") == "differs"]) == 2    # the row that the table lies in
    assert {text.text for text in drawn if text.get("class") == "other"} == {"one is used", "one is free"}
    text = open(f"{house.tree}/layouts/firmware/layout.md").read()
    without.write_text(text.replace("| stack  | 4 KiB    | 64 KiB ", "| stack  | 8 KiB    | 64 KiB "))
    said = quire(house, "layout", "show", str(without), "--against", "firmware")[1]
    assert re.search(r"^\* stack +8 KiB at first", said, re.M) and "1 rows differ" in said


def test_pieces_are_counted_between_addresses_alone(house, tmp_path):
    """A first stack that begins at an address ends where the linker ends it: nobody knows how many of its size fit."""
    text = open(f"{house.tree}/layouts/firmware/layout.md").read()
    text = re.sub(r"\| end of data +\| end of original \|", "| end of data | 0x0014FFFF |", text)
    text = re.sub(r"\| end of original \| end of stack ", "| 0x00150000 | end of stack ", text)
    (tmp_path / "mine.md").write_text(text)
    status, said = quire(house, "layout", "facts", str(tmp_path / "mine.md"))
    assert status == 0 and "stack.start=0x00150000" in said and "stack.unit=10240" in said, said
    assert "\nstack.count=" not in said and "\nstacks.count=" in said


def test_a_document_to_compare_with_must_be_good(house, tmp_path):
    path = tmp_path / "bad.md"
    path.write_text("# bad: it has no tables\n")
    assert quire(house, "layout", "show", "quire", "--against", str(path))[0] == 1
    assert quire(house, "layout", "show", "quire", "--against", str(tmp_path / "missing.md"))[0] == 1


# ---- quire new -------------------------------------------------------------------------------------

def test_a_new_document_is_good_and_has_words(house, layout, tmp_path):
    status, said = quire(house, "new", "mine", "--like", layout, folder=tmp_path)
    assert status == 0 and "make console LAYOUT=mine.md" in said, said
    text = (tmp_path / "mine.md").read_text()
    assert text.startswith(f"# mine: begun like {layout}\n")
    prose = [line for line in text.splitlines() if line and not line.startswith(("|", "#"))]
    assert len(" ".join(prose)) > 1000
    status, said = quire(house, "layout", "check", "mine.md", folder=tmp_path)
    assert status == 0, said


def test_a_new_document_boots(house, start, tmp_path):
    assert quire(house, "new", "newborn", folder=tmp_path)[0] == 0
    folder = os.path.join(house.build, "newborn")
    try:
        status, said = house.make("-j2", f"{folder}/kernel.elf", f"LAYOUT={tmp_path}/newborn.md")
        assert status == 0, said
        machine = start(kernel=f"{folder}/kernel.elf")
        assert "layout newborn" in machine.prompt()
        assert machine.command("audit").startswith("audit: clean")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_nothing_is_overwritten_and_no_wrong_name_taken(house, tmp_path):
    (tmp_path / "mine.md").write_text("precious")
    status, said = quire(house, "new", "mine", folder=tmp_path)
    assert status == 1 and "exists" in said and (tmp_path / "mine.md").read_text() == "precious"
    for name in ("Mine", "a/b", "-x", "x" * 32, ""):
        assert quire(house, "new", "--", name, folder=tmp_path)[0] == 2, name
    status, said = quire(house, "new", "other", "--like", "nobody", folder=tmp_path)
    assert status == 1 and "no layout `nobody`" in said
    assert os.listdir(tmp_path) == ["mine.md"]


def test_no_layout_has_the_name_of_what_a_build_makes(house, tmp_path):
    """`quire new sources` wrote a document, and the kernel of `quire-checked` was built over another's."""
    makefiles = ["Makefile", "build.mk", "install.mk",
                 *(f"tests/{one}/rules.mk" for one in ("calls", "mixed", "documents"))]
    used = {name for path in makefiles for name in
            re.findall(r"\$\(O\)/([a-z]+(?:-[a-z]+)*)(?![\w.-])", open(f"{house.tree}/{path}").read())} - {"quire"}
    used |= {entry.name for entry in os.scandir(house.build) if re.fullmatch(r"[a-z0-9-]+", entry.name)
             and not os.path.exists(os.path.join(entry.path, "layout")) and entry.name not in house.layouts}
    taken = house.make("-s", "print-taken")[1].split()
    used |= {name.replace("%", "x") for name in taken}
    assert {"sources", "vdso", "mutants", "web-modules", "setup-iso", "x-checked", "documents"} <= used
    for name in sorted(used):
        status, said = quire(house, "new", name, folder=tmp_path)
        assert status == 2 and "none that a build uses" in said, name
    for name in ("vdso", "setup-x", "x-checked"):
        (tmp_path / f"{name}.md").write_text("# x: y\n")
        status, said = house.make("-n", "kernel", f"LAYOUT={tmp_path}/{name}.md")
        assert status == 2 and f"a layout cannot be called `{name}`" in said, said


def test_a_file_called_like_a_layout_is_not_built_over_it(house, layout, tmp_path):
    """`make LAYOUT=./quire.md` put its kernel where `quire run` looks for that of layouts/quire."""
    shutil.copy(f"{house.tree}/layouts/{layout}/layout.md", tmp_path / f"{layout}.md")
    status, said = house.make("-n", "kernel", f"LAYOUT={tmp_path}/{layout}.md")
    assert status == 2 and f"layouts/{layout}/layout.md is called {layout} as well" in said, said
    assert house.make("-s", "print-name", f"LAYOUT=layouts/{layout}/layout.md")[1].strip() == layout
    status, said = quire(house, "new", layout, folder=tmp_path / "..")
    assert status == 2 and "is a layout already" in said


def test_a_new_document_begins_like_a_file(house, layout, tmp_path):
    """Only names of layouts/ were taken, and a file was no layout."""
    assert quire(house, "new", "first", "--like", layout, folder=tmp_path)[0] == 0
    assert quire(house, "new", "second", "--like", "./first.md", folder=tmp_path)[0] == 0
    status, said = quire(house, "new", "third", "--like", "second.md", folder=tmp_path)
    assert status == 0 and quire(house, "layout", "check", "third.md", folder=tmp_path)[0] == 0, said
    text = (tmp_path / "third.md").read_text()
    assert text.startswith("# third: begun like second\n") and text.count("\n# ") == 0
    assert text.split("\n## ", 1)[1] == open(f"{house.tree}/layouts/{layout}/layout.md").read().split("\n## ", 1)[1]
    (tmp_path / "bad.md").write_text("# bad: nothing\n")
    for like in ("bad.md", "./nobody.md", "nobody"):
        assert quire(house, "new", "fourth", "--like", like, folder=tmp_path)[0] == 1, like
    assert not (tmp_path / "fourth.md").exists()
