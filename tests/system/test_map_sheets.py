"""`quire map --svg`: the drawing against the sheet that it is printed on."""
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from drawn import HERE, draw

SVG = "{http://www.w3.org/2000/svg}"
SHEET = (840, 1188)


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
