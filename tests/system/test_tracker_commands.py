"""trackers, objects, pins: the tables of page-table objects that there are, under a document that tracks them."""
import re

import pytest

pytestmark = pytest.mark.parametrize("layout", ["tracker"])


def trackers(machine):
    """number -> (address of the object, pages of its extent)."""
    said = machine.command("trackers")
    return {int(number): (int(address, 16), int(pages))
            for number, address, pages in re.findall(r"^ *(\d+)  (0x\w{8}) +(\d+)  ", said, re.M)}


def pins(machine):
    """(of pages of trackers, of pages of the list)."""
    said = machine.command("pins")
    return [sum(int(pins) for pins in re.findall(rf"^0x\w+ +(\d+)  {what},", said, re.M))
            for what in ("trackers", "the list")]


def test_each_process_has_an_object_that_goes_with_it(boot):
    machine = boot()
    before = trackers(machine)
    assert before[0] == (0x100000, 1025)
    machine.command("start spinner 2 &")
    during = trackers(machine)
    assert len(during) == len(before) + 2
    for number, (address, pages) in during.items():
        said = machine.command(f"objects 0x{address + pages * 4096 - 1:x}")
        assert f"0x{address:08x} to 0x{address + pages * 4096 - 1:08x}" in said and f"tracker {number}," in said, said
    assert pins(machine) == [len(during), sum((pages + 1) // 2 for number, (_, pages) in during.items() if number != 0)]
    for process in re.findall(r"^ *(\d+) .*spinner", machine.command("processes"), re.M):
        machine.command("kill " + process)
    assert trackers(machine) == before and pins(machine)[0] == len(before)
    assert "\n1 page; one without a pin goes at once" in machine.command("pins")
    assert machine.command("audit", timeout=60).startswith("audit: clean")


def test_what_is_not_there_is_said_in_words(boot):
    machine = boot()
    assert "no page-table object has 0x90000000" in machine.command("objects 0x90000000")
    assert "expected 0x0 to 0xFFFFFFFF" in machine.command("objects here")
