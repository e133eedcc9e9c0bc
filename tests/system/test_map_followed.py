"""`quire map --follow`: drawn again and again, on a terminal or not, over a line that loses bytes."""
import os
import re
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pexpect
import pytest

from drawn import draw, lying, true_lines


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
