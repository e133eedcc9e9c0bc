"""A document that is changed where a claim speaks still builds and boots; that claim's probe notices, and no other
does.

Probes have the claims' own numbers. If they took them from the document, a wrong document would agree with itself.
"""
import os
import re
import shutil

import pytest

# For each layout: name, what is replaced (as the document writes it, blanks in a row counting as one), the claims that
# fail.
CHANGED = {
    "higher-half": [
        ("polarity", [("| bitmap polarity | one is free |", "| bitmap polarity | one is used |")], {"A9"}),
        ("tables", [("| 0x00080000 | 0x000FFFFF | 512 KiB | hardware | hardware | A3 |",
                     "| 0x00080000 | 0x0008FFFF | 64 KiB | more | kernel | | Tables |\n"
                     "| 0x00090000 | 0x000FFFFF | 448 KiB | hardware | hardware | A3 |"),
                    ("| 0x00003000 | 0x000033FF | 1 KiB | gdt |",
                     "| 0x00080000 | 0x000803FF | 1 KiB | gdt |")], {"A7"}),
        ("bits", [("| 0x00000000 | 0x0005FFFF | 384 KiB | structures |",
                   "| 0x00000000 | 0x0004FFFF | 320 KiB | structures |"),
                  ("| 0x00060000 | 0x0007FFFF | 128 KiB | bitmap |", "| 0x00050000 | 0x0006FFFF | 128 KiB | bitmap |"),
                  ("| 0x00080000 | 0x000FFFFF | 512 KiB | hardware |",
                   "| 0x00070000 | 0x000FFFFF | 576 KiB | hardware |")],
         {"A8", "A9"}),
        ("core", [("| 0xC0400000 | 0xEFFFFFFF | 764 MiB | unused |", "| 0xC0400000 | 0xEFBFFFFF | 760 MiB | unused |"),
                  ("| 0xF0000000 | 0xF03FFFFF | 4 MiB | core |", "| 0xEFC00000 | 0xEFFFFFFF | 4 MiB | core |"),
                  ("| 0xF0400000 | 0xF0BFFFFF | 8 MiB | devices |", "| 0xF0000000 | 0xF0BFFFFF | 12 MiB | devices |")],
         {"A12", "A13"}),
        ("heap", [("| 0xF0C00000 | 0xF0FFFFFF | 4 MiB | slots | rw- | --- | all | slots | 4 KiB each |",
                   "| 0xF0C00000 | 0xF0FFFFFF | 4 MiB | gap | --- | --- | - | none | - |"),
                  ("| 0xF1000000 | 0xFEFFFFFF | 224 MiB | heap | rw- | --- | all | demand | by 4 KiB |",
                   "| 0xF1000000 | 0xFEFFFFFF | 224 MiB | slots-were | --- | --- | - | none | - |"),
                  ("| 0xC0400000 | 0xEFFFFFFF | 764 MiB | unused | --- | --- | - | none | - | - | |",
                   "| 0xC0400000 | 0xC07FFFFF | 4 MiB | slots | rw- | --- | all | slots | 4 KiB each | - | | Views |\n"
                   "| 0xC0800000 | 0xEFFFFFFF | 760 MiB | heap | rw- | --- | all | demand | by 4 KiB | - | |")],
         {"A14"}),
        ("task", [("| 0x00002000 | 0x00002071 |", "| 0x00002800 | 0x00002871 |")], {"A6"}),
    ],
    "pat": [
        ("search", [("| search | next-fit |", "| search | first-fit |")], {"K7"}),
        ("border", [("| end of data | 0x003FFFFF |", "| end of data | 0x007FFFFF |"),
                    ("| 0x00400000 | 0xFFBFFFFF | 4 GiB less 8 MiB |",
                     "| 0x00800000 | 0xFFBFFFFF | 4 GiB less 12 MiB |"),
                    ("| 0x00400000 | 0x7FFFFFFF | 2 GiB less 4 MiB | direct | rw- | --- | kernel "
                     "| physical 0x00400000 |",
                     "| 0x00800000 | 0x7FFFFFFF | 2 GiB less 8 MiB | direct | rw- | --- | kernel "
                     "| physical 0x00800000 |"),
                    ("| 0x00000000 | 0x00000000 | 4 MiB | yes |", "| 0x00000000 | 0x00000000 | 8 MiB | yes |")],
         {"K16", "K18"}),
    ],
    "movos": [
        ("polarity", [("| bitmap polarity | one is used |", "| bitmap polarity | one is free |")], {"M6"}),
        ("pool", [("| 0x00100000 | 0x007FFFFF | 7 MiB | image |", "| 0x00100000 | 0x008FFFFF | 8 MiB | image |"),
                  ("| 0x00800000 | 0xFFFFFFFF | 4088 MiB | pool |", "| 0x00900000 | 0xFFFFFFFF | 4087 MiB | pool |")],
                  {"M5"}),
        ("start", [("| start address | 0x40000000 |", "| start address | 0x50000000 |")], {"M8", "M10", "M12"}),
    ],
    "firmware": [
        # Where programs may read and the kernel may write, an i386 lets programs write as well.
        ("constants", [("| rodata | r-- | r-- |", "| rodata | rw- | r-- |")], {"G6", "G8"}),
        ("stack", [("| stack | 4 KiB | 64 KiB |", "| stack | 8 KiB | 64 KiB |")], {"G20"}),
    ],
    "tracker": [
        ("objects", [("| 0x80000000 | 0xFFBFFFFF | 2 GiB less 4 MiB | objects |",
                      "| 0x80000000 | 0xFF7FFFFF | 2 GiB less 8 MiB | objects |"),
                     ("| 0xFFC00000 | 0xFFFFFFFF | 4 MiB | top |", "| 0xFF800000 | 0xFFFFFFFF | 8 MiB | top |")],
                     {"T9", "T10", "T14"}),
    ],
    "quire": [
        ("polarity", [("| bitmap polarity | one is used |", "| bitmap polarity | one is free |")], {"Q10"}),
        ("behind", [("| 0x00100000 | end of image | floats | image |", "| 0x00100000 | 0x001FFFFF | 1 MiB | image |"),
                    ("| end of image | 0xFFFFFFFF | floats | memory |",
                     "| 0x00200000 | 0xFFFFFFFF | 4094 MiB | memory |")],
         {"Q2"}),
        ("windows", [("| 0xF0000000 | 0xF7FFFFFF | 128 MiB | heap | rw- | --- | all | demand |",
                      "| 0xF0000000 | 0xF37FFFFF | 56 MiB | devices | rw- | --- | all | device |"),
                     ("| 0xF8000000 | 0xFB7FFFFF | 56 MiB | devices | rw- | --- | all | device |",
                      "| 0xF3800000 | 0xFB7FFFFF | 128 MiB | heap | rw- | --- | all | demand |")], {"Q7"}),
    ],
}


def squeezed(text):
    return re.sub(r" +", " ", text)


@pytest.fixture
def kernel_of(house, layout):
    """A function: build the kernel of the changed document among the others; returns its path. Removed in the end."""
    made = []

    def build(name, changes):
        text = squeezed(open(f"{house.tree}/layouts/{layout}/layout.md").read())
        for old, new in [*changes, (f"# {layout}:", f"# {layout}-{name}:")]:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        folder = os.path.join(house.build, f"{layout}-{name}")
        os.makedirs(folder, exist_ok=True)
        made.append(folder)
        document = os.path.join(folder, f"{layout}-{name}.md")
        with open(document, "w") as file:
            file.write(text)
        status, said = house.make("-j2", f"{folder}/kernel.elf", f"LAYOUT={document}")
        assert status == 0, said
        return os.path.join(folder, "kernel.elf")

    yield build
    for folder in made:
        shutil.rmtree(folder)


def told(machine):
    machine.prompt()
    return dict(re.findall(r"^claim (\w+) (\w+)", machine.command("claims", timeout=60), re.M))


def test_a_changed_document_is_noticed_by_its_claim(start, house, layout, kernel_of):
    assert CHANGED.get(layout), f"no changed document for {layout} here"
    machine = start(kernel=house.kernel(layout))
    whole = told(machine)
    machine.close()
    for name, changes, failing in CHANGED[layout]:
        machine = start(kernel=kernel_of(name, changes))
        assert told(machine) == {**whole, **dict.fromkeys(failing, "fails")}, name
        assert machine.command("audit").startswith("audit: clean")
        machine.close()


@pytest.mark.parametrize("layout", ["movos"])
def test_claims_about_a_window_that_is_not_there_fail_and_keep_no_kernel_from_being_linked(start, layout, kernel_of):
    """Their probes called what is linked with the window alone."""
    machine = start(kernel=kernel_of("windowless", [
        ("| 4 MiB | bookkeeping | rw- | --- | all | window |", "| 4 MiB | tables | rw- | --- | process | tables |"),
        ("| table access | window |", "| table access | self-map |")]))
    machine.prompt()
    said = machine.command("claims", timeout=60)
    assert set(re.findall(r"^claim M\d+ (.*)$", said, re.M)) == {"fails this kernel has no probe for it"}, said
    assert machine.command("audit").startswith("audit: clean")
