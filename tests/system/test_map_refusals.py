"""`quire map` on its bad days: words and files that are wrong, and a guest that lies."""
import re
import xml.etree.ElementTree as ElementTree

import pytest

from drawn import draw, lying, true_lines


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
