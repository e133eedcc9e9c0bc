"""A document that a user wrote is what boots, or the reason why it cannot is reported."""
import os
import pathlib
import re
import resource
import shutil
import time

import pytest


@pytest.fixture
def edited(house, tmp_path):
    """A function: copy a layout's document, replace text in it, return the copy's path."""
    def edit(name, source, changes):
        text = open(f"{house.tree}/layouts/{source}/layout.md").read()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / f"{name}.md"
        path.write_text(text)
        return path
    return edit


@pytest.fixture
def folder(house):
    """A function: the folder below the build's in which make puts a document's kernel; removed in the end."""
    made = []

    def folder_of(path):
        made.append(pathlib.Path(house.build) / path.stem)
        assert path.stem not in house.layouts
        return made[-1]

    yield folder_of
    for path in made:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def built(house, folder):
    """A function: build the kernel of a document; returns (exit status, output, kernel's path)."""
    def build(path):
        kernel = folder(path) / "kernel.elf"
        status, said = house.make("-j2", "kernel", f"LAYOUT={path}")
        return status, said, kernel
    return build


# The kernel 256 MiB lower, a direct window twice as long, and stacks of 16 KiB.
MOVED = [("0xE0000000", "0xD0000000"), ("0xE00FFFFF", "0xD00FFFFF"), ("0xE0100000", "0xD0100000"),
         ("0xDFFFFFFF", "0xCFFFFFFF"), ("3.5 GiB less 64 KiB", "3.25 GiB less 64 KiB"),
         ("8 KiB each", "16 KiB each"), ("# quire:", "# moved:")]


# Objects compiled between a changed document and its kernel: those that use the document's header, and those made from
# it. All others are only linked. From a built tree to the prompt this takes some seconds; 10 is the limit.
COMPILED_AT_MOST = 40


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_copied_document_with_other_addresses_boots(start, edited, built):
    path = edited("moved", "quire", MOVED)
    begin, worked = time.monotonic(), processor_seconds()
    status, said, kernel = built(path)
    assert status == 0, said
    worked = processor_seconds() - worked
    machine = start(kernel=str(kernel), memory="512M")
    assert "layout moved" in machine.prompt()
    compiled = re.findall(r"^  compile +(\S+)", said, re.M)
    print(f"from a document to its prompt: {time.monotonic() - begin:.1f} s, of which a processor worked "
          f"{worked:.1f} s for the build; compiled: {len(compiled)} sources")
    assert 10 < len(compiled) <= COMPILED_AT_MOST, compiled
    assert re.search(r"(?i)d010_?0000", machine.command("map"))
    assert machine.command("audit").startswith("audit: clean")
    assert machine.registers()["EIP"] >> 20 == 0xD01
    assert re.search(r"panic: ", machine_panic(machine))


def machine_panic(machine):
    machine.send("crash null\r")
    machine.expect("the machine stops here")
    return machine.child.before


def test_a_second_document_of_the_same_name_is_not_mistaken(house, edited, folder, tmp_path):
    """Two files may have one name; the kernel built is that of the file asked for."""
    moved, plain = tmp_path / "a" / "mine.md", tmp_path / "b" / "mine.md"
    for path, changes in ((moved, MOVED[:-1]), (plain, [])):
        path.parent.mkdir()
        edited("mine", "quire", changes + [("# quire:", "# mine:")]).rename(path)
        os.utime(path, (1, 1))              # older than any product: its time proves nothing
    addresses, constants = [], folder(plain) / "layout" / "layout.h"
    for path in (moved, plain, moved):
        status, said = house.make(str(constants), f"LAYOUT={path}")
        assert status == 0, said
        addresses.append("0xD0100000" in constants.read_text())
    assert addresses == [True, False, True]


def test_a_wrong_document_is_not_built(edited, built):
    path = edited("wrong", "quire", [("| 0xF8000000 | 0xFB7FFFFF |  56 MiB ", "| 0xF7000000 | 0xFB7FFFFF |  72 MiB "),
                                     ("# quire:", "# wrong:")])
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "0xF7000000" in text)
    status, said, kernel = built(path)
    assert status != 0 and not kernel.exists()
    assert f"wrong.md:{line}:" in said
    assert "heap" in said and "devices" in said


def test_an_image_that_outgrows_its_region_is_not_linked(edited, built):
    """The code's region ends 4 KiB after it begins: only the linker can know that this is too little."""
    path = edited("tight", "higher-half",
                  [("0x003FFFFF |    3 MiB | image ", "0x0010FFFF |   64 KiB | image "),
                   ("| 0x00400000 | 0xFFFFFFFF | 4092 MiB | memory ",
                    "| 0x00110000 | 0xFFFFFFFF | 4 GiB less 1088 KiB | memory "),
                   ("# higher-half:", "# tight:")])
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "0x0010FFFF" in text)
    status, said, kernel = built(path)
    assert status != 0 and not kernel.exists()
    assert f"tight.md:{line}:" in said and "image" in said, said


def test_the_host_command_lists_and_shows(house, tmp_path):
    status, said = house.quire("layout", "list")
    assert status == 0
    for layout in house.layouts:
        assert layout in said
        picture = tmp_path / f"{layout}.svg"
        status, said_too = house.quire("layout", "show", layout, "--svg", str(picture))
        assert status == 0, said_too
        assert "<svg" in picture.read_text()


def test_the_host_command_refuses(house, tmp_path):
    missing = tmp_path / "missing.md"
    assert house.quire("layout", "check", str(missing))[0] == 1
    assert house.quire("layout", "nonsense")[0] == 2
    assert house.quire("nonsense")[0] == 2


# How a document may say that it has a start address.
SAID = {"as it ships": {}, "in capitals and marks": {"| start address ": "| `Start Address` "},
        "without blanks": {"| start address   | 0x40000000      |": "|start address|0x40000000|"},
        "behind blanks": {"| start address ": "  | **start address** "}}


@pytest.mark.parametrize("said", SAID)
def test_flat_programs_are_built_in_however_the_start_address_is_written(house, edited, folder, said):
    """build.mk looked for the words at the start of a line, and the linker found no programs."""
    path = edited("flat", "quire", SAID[said].items())
    folder(path)
    assert "programs.o" in house.make("-s", "print-kernel_parts", f"LAYOUT={path}")[1]


def test_flat_programs_are_built_in_when_columns_stand_in_another_order(house, edited, folder):
    path = edited("flat", "quire", ())
    text = re.sub(r"^\| (Policy|-{6,15}|[a-z ]+?) +\| ([^|]+) \|([^|]*\|)(.*\|)$", r"|\4 \2 | \1 |\3", path.read_text(),
                  flags=re.M)
    assert "| start address |" in text and "\n| start address" not in text
    path.write_text(text)
    folder(path)
    status, said = house.make("-s", "print-kernel_parts", f"LAYOUT={path}")
    assert status == 0 and "programs.o" in said, said


def test_words_between_fences_build_nothing_in(house, edited, folder):
    fenced = "```\n| Policy |\n| --- |\n| start address |\n```\n\n## Policies\n"
    path = edited("flat", "firmware", (("## Policies\n", fenced),))
    folder(path)
    assert "programs.o" not in house.make("-s", "print-kernel_parts", f"LAYOUT={path}")[1]
