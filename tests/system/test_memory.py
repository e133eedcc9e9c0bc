"""Memory as the booted kernel has it, compared with what the emulator sees."""
import re

import pytest

PAGE = 4096


def owners(machine):
    """The table of `frames`: owner -> frames, with the sum."""
    return {name: int(frames) for name, frames in
            re.findall(r"^(\w+)\s+(\d+)\s+\d+\s+[\d.]+", machine.command("frames"), re.M)}


def mappings(machine):
    """What the processor's own tables say, by QEMU's reading: [(start, end, user, writable)]."""
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
        assert re.search(rf"\b{invariant}\b", answer), answer
        assert machine.command("audit").startswith("audit: clean"), f"after {invariant} was mended"


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
    """Everything the pool can give lies in what the map lists as usable, and outside the image."""
    machine = boot(memory="32M")
    usable = [(int(a, 16), int(b, 16)) for a, b in
              re.findall(r"^\s*([0-9A-Fa-fx_]+)\s+([0-9A-Fa-fx_]+)\s.*\byes\b.*pool", machine.command("physical"), re.M)]
    assert usable
    while True:
        match = re.search(r"from (\d+)", machine.command("alloc 64"))
        if not match:
            break
        address = int(match[1]) * PAGE
        assert any(start <= address and address + 64 * PAGE - 1 <= end for start, end in usable), hex(address)
    assert machine.command("audit").startswith("audit: clean")


def test_nothing_is_mapped_at_zero(boot):
    machine = boot()
    assert all(start >= 0x10000 for start, *_ in mappings(machine))


def test_no_kernel_page_is_a_programs(boot):
    assert not any(user for _, _, user, _ in mappings(boot()))


def test_text_and_constants_are_read_only(boot):
    """By QEMU's reading of the page tables, not by the kernel's."""
    machine = boot()
    ranges = mappings(machine)
    for name in ("text", "rodata"):
        row = re.search(rf"^\s*([0-9A-Fa-fx_]+)\s.*\b{name}\b", machine.command("layout"), re.M | re.I)
        assert row, machine.command("layout")
        address = int(row[1].replace("_", ""), 16)
        found = [writable for start, end, _, writable in ranges if start <= address < end]
        assert found == [False], (name, hex(address), ranges)
    cr0 = machine.registers()["CR0"]
    assert cr0 & 1 << 16, "write protection is off: read-only pages mean nothing to the kernel"


def test_stacks_to_the_last(boot, layout):
    """Every stack of the window at once, code on the last; one more is refused; all memory comes back."""
    machine = boot(memory="128M")
    total = int(re.search(r"of (\d+) stacks", machine.command("stacks"))[1])
    if layout == "higher-half":
        assert total == 1024
    assert f"took {total};" in machine.command(f"stacks {total}", timeout=60)
    before = owners(machine)
    answer = machine.command(f"stacks {total + 1}", timeout=60)
    assert "every slot is in use" in answer and f"took {total};" in answer
    assert owners(machine) == before
    assert before.get("stacks", 0) == 0
    assert machine.command("stacks").startswith("0 of")
    assert machine.command("audit").startswith("audit: clean")


class TestRawBytes:
    """higher-half only: the bitmap at 0x60000, one bit a frame, 1 = free (A8, A9)."""
    START, BYTES = 0x60000, 128 * 1024

    @pytest.fixture
    def layout(self):
        return "higher-half"

    def bits(self, machine):
        return machine.physical(self.START, self.BYTES)

    def test_ones_are_free_frames(self, boot):
        machine = boot()
        free = owners(machine)["free"]
        assert sum(byte.bit_count() for byte in self.bits(machine)) == free

    def test_a_frame_taken_is_a_bit_cleared(self, boot):
        machine = boot()
        before = self.bits(machine)
        frame = int(re.search(r"from (\d+)", machine.command("alloc 1"))[1])
        during = self.bits(machine)
        assert before[frame // 8] >> frame % 8 & 1 == 1
        assert during[frame // 8] >> frame % 8 & 1 == 0
        assert sum(a != b for a, b in zip(before, during)) == 1
        machine.command(f"free {frame}")
        assert self.bits(machine) == before

    def test_low_frames_and_the_image_are_never_free(self, boot):
        machine = boot()
        assert not any(self.bits(machine)[:0x400000 // PAGE // 8])

    def test_the_self_map_shows_the_directory(self, boot):
        machine = boot()
        directory = machine.physical(machine.registers()["CR3"] & ~0xFFF, PAGE)
        assert machine.virtual(0xFFFFF000, PAGE) == directory
        assert any(directory)
