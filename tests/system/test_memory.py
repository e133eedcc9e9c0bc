"""Memory as the booted kernel has it, compared with what the emulator sees."""
import re

import pytest

PAGE = 4096


def owners(machine):
    """The table of `frames`: owner -> frames, with the sum."""
    return {name: int(frames) for name, frames in
            re.findall(r"^(\w+)\s+(\d+)\s+\d+\s+[\d.]+", machine.command("frames"), re.M)}


def mappings(machine):
    """The processor's own tables, as QEMU reads them: [(start, end, user, writable)]."""
    text = machine.monitor_command("info mem").replace("\r", "")
    return [(int(start, 16), int(end, 16), rights[0] == "u", rights[2] == "w")
            for start, end, rights in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) [0-9a-f]+ (\S{3})", text, re.M)]


def test_audit_is_clean(boot):
    machine = boot(checked=True)
    assert machine.command("audit").startswith("audit: clean")


def test_every_invariant_is_broken_and_found(boot):
    """Each invariant that can be broken on the running kernel is found by the auditor under its own name."""
    machine = boot(checked=True)
    listed = re.findall(r"^([A-Z]\d+)\b", machine.command("audit list"), re.M)
    breakable = re.findall(r"^\s*([A-Z]\d+)\b", machine.command("break"), re.M)
    assert len(listed) > 15 and set(breakable) <= set(listed)
    assert len(breakable) >= 10
    for invariant in breakable:
        answer = machine.command("break " + invariant)
        assert re.search(rf"^break {invariant} (named|impossible)", answer, re.M), answer
        assert machine.command("audit").startswith("audit: clean"), f"after {invariant} was restored"


def test_what_is_broken_of_processes_is_named(boot):
    """Each corruption uses specimens of its own, so that none depends on the running programs."""
    machine = boot(checked=True)
    breakable = re.findall(r"^\s*([ATNUQIY]\d)\b", machine.command("break"), re.M)
    assert len(breakable) == 21
    for invariant in breakable:
        assert re.search(rf"^break {invariant} named", machine.command("break " + invariant), re.M)
    assert machine.command("audit").startswith("audit: clean")


def test_sums_by_owner_add_up(boot):
    machine = boot()
    before = owners(machine)
    answer = machine.command("alloc 100")
    first = int(re.search(r"from (\d+)", answer)[1])
    during = owners(machine)
    machine.command(f"free {first} 100")
    after = owners(machine)
    assert during["test"] == 100 and during["free"] == before["free"] - 100
    assert after == before
    for table in (before, during, after):
        assert table.pop("sum") == sum(table.values())


def test_taken_frames_are_ram_that_nobody_has(boot):
    """All frames of the pool lie in ranges that the memory map lists as usable, and outside the image."""
    machine = boot(memory="32M")
    usable = [(int(a, 16), int(b, 16)) for a, b in
              re.findall(r"^\s*([0-9A-Fa-fx_]+)\s+([0-9A-Fa-fx_]+)\s.*\byes\b.*pool",
                         machine.command("physical"), re.M)]
    assert usable
    while True:
        match = re.search(r"from (\d+)", machine.command("alloc 64"))
        if not match:
            break
        address = int(match[1]) * PAGE
        assert any(start <= address and address + 64 * PAGE - 1 <= end for start, end in usable), hex(address)
    assert machine.command("audit").startswith("audit: clean")


def regions(machine):
    """Kernel space's regions with borders as the linker set them: [(name, start, end, kernel's rights, programs')]."""
    rows = re.findall(r"^(0x\w+)  (0x\w+)  [\d.]+ \wiB +(\S+) +([r-][w-][x-])(?: / ([r-][w-][x-]))? ",
                      machine.command("layout").split("\nphysical ")[0], re.M)
    assert len(rows) > 8
    return [(name, int(start, 0), int(end, 0) + 1, kernel, user or "---") for start, end, name, kernel, user in rows]


def test_nothing_is_mapped_lower_than_the_document_says(boot, house, layout):
    lowest = house.facts(layout)["lowest.mapped"]
    assert all(start >= lowest for start, *_ in mappings(boot()))


def test_a_program_may_use_only_kernel_pages_that_the_document_gives_it(boot):
    """By QEMU's reading of the page tables, not by the kernel's. Most documents give none."""
    machine = boot()
    given = [(start, end, "w" in user) for _, start, end, _, user in regions(machine) if user != "---"]
    for start, end, user, writable in mappings(machine):
        if user:
            for at in range(start, end, PAGE):
                assert any(first <= at < last and (may_write or not writable)
                           for first, last, may_write in given), hex(at)


def test_text_and_constants_are_read_only(boot):
    """By QEMU's reading of the page tables, not by the kernel's."""
    machine = boot()
    ranges, rows = mappings(machine), {name: (start, end) for name, start, end, *_ in regions(machine)}
    for name in ("text", "rodata"):
        start, end = rows[name]
        found = [writable for first, last, _, writable in ranges if first < end and start < last]
        assert set(found) == {False}, (name, hex(start), ranges)
    cr0 = machine.registers()["CR0"]
    assert cr0 & 1 << 16, "write protection is off: read-only pages mean nothing to the kernel"


def test_stacks_to_the_last(boot, house, layout):
    """Every stack of the window at once, code on the last; one more is refused; all memory comes back."""
    facts = house.facts(layout)
    total = facts["stacks.count"]
    machine = boot(memory=f"{facts['stacks.unit'] * total // 1024 + house.least(layout) + 64 * 1024}K")
    assert int(re.search(r"of (\d+) stacks", machine.command("stacks"))[1]) == total
    assert f"took {total};" in machine.command(f"stacks {total}", timeout=60)
    before = owners(machine)
    answer = machine.command(f"stacks {total + 1}", timeout=60)
    assert "every slot is in use" in answer and f"took {total};" in answer
    assert owners(machine) == before
    assert before.get("stacks", 0) == 0
    assert machine.command("stacks").startswith("0 of")
    assert machine.command("audit").startswith("audit: clean")


class TestRawBytes:
    """The bitmap's bytes without the kernel's help, where the document says at which address they are, and that they
    are the whole truth (no frames at hand elsewhere). The document also decides the meaning of a one."""

    @pytest.fixture
    def facts(self, house, layout):
        facts = house.facts(layout)
        if "bitmap.start" not in facts or facts["policy.magazine"] != 0:
            pytest.skip("the document fixes no place for the bitmap, or keeps frames at hand")
        return facts

    @pytest.fixture
    def free_bits(self, facts):
        """A function: the machine's bitmap as one number in which bit n is 1 when frame n is free."""
        def read(machine):
            bits = int.from_bytes(machine.physical(facts["bitmap.start"], facts["bitmap.bytes"]), "little")
            return bits if facts["policy.polarity"] == "one is free" else bits ^ (1 << 8 * facts["bitmap.bytes"]) - 1
        return read

    def test_as_many_are_free_as_the_kernel_says(self, boot, free_bits):
        machine = boot()
        free = owners(machine)["free"]
        assert free_bits(machine).bit_count() == free

    def test_a_frame_taken_is_a_bit_changed(self, boot, free_bits):
        machine = boot()
        before = free_bits(machine)
        frame = int(re.search(r"from (\d+)", machine.command("alloc 1"))[1])
        assert free_bits(machine) == before ^ 1 << frame and before >> frame & 1
        machine.command(f"free {frame}")
        assert free_bits(machine) == before

    def test_what_the_document_keeps_is_never_free(self, boot, facts, free_bits):
        machine = boot()
        kept = facts.get("pool.start", facts["bitmap.start"]) // PAGE
        assert free_bits(machine) & (1 << kept) - 1 == 0


def test_the_self_map_shows_the_directory(boot, house, layout):
    facts = house.facts(layout)
    if facts["policy.access"] != "self-map":
        pytest.skip("the document reaches page tables in another way")
    machine = boot()
    directory = machine.physical(machine.registers()["CR3"] & ~0xFFF, PAGE)
    assert machine.virtual(facts["tables.end"] - PAGE, PAGE) == directory
    assert any(directory)
