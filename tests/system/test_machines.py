"""Machines: with and without PCI, screen, modern processor; each boots, works and types."""
import os
import re

import pytest

MACHINES = {
    "pc": ["-machine", "pc"],
    "q35": ["-machine", "q35"],
    "isapc": ["-machine", "isapc"],                         # no PCI
    "microvm": ["-machine", "microvm,acpi=off,x-option-roms=off"],      # no PCI, no firmware that sets devices up
}


@pytest.mark.parametrize("name", MACHINES)
def test_boots_on_machine(boot, house, layout, name):
    machine = boot(memory=house.small(layout), cpu="pentium3", devices=MACHINES[name])
    assert machine.command("audit").count("\n") == 1
    assert machine.leave() == 0


@pytest.mark.parametrize("cpu", ["pentium2", "pentium3", "n270", "qemu32", "qemu64", "max"])
def test_boots_on_processor(boot, house, layout, cpu):
    machine = boot(memory=house.small(layout), cpu=cpu)
    assert machine.command("audit").count("\n") == 1
    assert machine.leave() == 0


@pytest.mark.parametrize("more", [["-smp", "4"], ["-m", "3G"], ["-m", "5G"]], ids=["4-processors", "3G", "5G"])
def test_boots_on_more_than_it_uses(boot, house, layout, more):
    """Processors that are not started, and RAM beyond what 32 bits reach: every frame that is RAM here has an owner."""
    memory = more[1] if more[0] == "-m" else house.small(layout)
    machine = boot(memory=memory, devices=["-machine", "q35", *(more if more[0] != "-m" else [])])
    assert machine.command("audit", timeout=300).startswith("audit: clean, ")
    assert "equals all RAM: every frame has an owner" in machine.command("frames")
    assert machine.leave() == 0


@pytest.mark.parametrize("kernel", ["kernel.elf", "kernel-pvh.elf"])
@pytest.mark.parametrize("cpu, lacks",
                         [("486", "tsc cx8 cmov fxsr"), ("pentium", "cmov fxsr"), ("qemu32,-fxsr", "fxsr"),
                                        ("qemu32,-fpu,-pse,-tsc", "fpu pse tsc")])
def test_refuses_processors_that_lack_something(start, house, layout, cpu, lacks, kernel):
    path = os.path.join(os.path.dirname(house.kernel(layout)), kernel)
    said, status = start(kernel=path, memory=house.small(layout), cpu=cpu).end()
    assert re.search(f"processor: too old for this kernel and its programs, it lacks {lacks}\r?\n",
                     said) and status == 5


def test_the_screen_shows_what_the_line_says(boot):
    machine = boot(devices=["-vga", "std"])
    said = machine.command("help").splitlines()
    screen = machine.screen()
    shown = [line for line in screen if line]
    assert shown, "the screen is empty"
    assert shown[-1] == "quire>"
    for line in said[-10:]:
        assert line.rstrip()[:80] in screen, f"{line!r} is not on the screen:\n" + "\n".join(screen)


def test_the_screen_scrolls(boot):
    machine = boot(devices=["-vga", "std"])
    for _ in range(4):
        machine.command("help")
    assert len([line for line in machine.screen() if line]) > 20
    machine.send("nonsense-4711")
    machine.expect("nonsense-4711")
    assert machine.screen()[24] == "quire> nonsense-4711"


def test_the_keyboard_types_at_the_console(boot):
    machine = boot(devices=["-vga", "std"])
    machine.strike("v", "e", "r", "s", "i", "o", "n", "ret")
    assert "page tables of" in machine.prompt()
    machine.strike("up", "ret")                     # the line editor knows the arrows
    assert "page tables of" in machine.prompt()
    assert machine.leave() == 0


def test_what_is_typed_ahead_is_not_lost(boot):
    machine = boot()
    machine.send("audit\rversion\rhelp audit\r")
    for _ in range(3):
        said = machine.prompt()
    assert "check every invariant" in said
    assert machine.leave() == 0
