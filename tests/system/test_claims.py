"""Claims: what a document promises, shown by the kernel that was built from it."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "mutations"))
import mutations
from conftest import building


def told(answer):
    """The lines of `claims`: id -> holds, fails, differs, unseen, or elsewhere."""
    return dict(re.findall(r"^claim (\w+) (\w+)", answer, re.M))


def shown_by_kernel(house, layout):
    return {claim for claim, shown in house.claims(layout).items() if re.search(r"\bkernel\b", shown)}


def test_claims_hold(boot, house, layout):
    """A claim that a boot cannot show, or the processor cannot do, has another test: tools/claims-table checks that."""
    shown = told(boot().command("claims", timeout=60))
    assert set(shown) == set(house.claims(layout))
    for claim, verdict in shown.items():
        if claim in shown_by_kernel(house, layout):
            assert verdict in ("holds", "differs", "unseen"), f"{claim}: {verdict}"
        else:
            assert verdict == "elsewhere", f"{claim}: {verdict}"
    assert "holds" in shown.values()


def test_claims_hold_with_devices_and_a_module(start, house, layout, tmp_path):
    """The same on a machine with a graphics card, a disk controller and a module."""
    module = tmp_path / "module"
    module.write_bytes(b"module" * 1000)
    machine = start(kernel=house.kernel(layout), memory="256M", modules=[str(module)],
                    devices=["-vga", "std", "-device", "ahci", "-device", "virtio-rng-pci"])
    machine.prompt()
    assert "MiB" in machine.command("pci")
    shown = told(machine.command("claims", timeout=60))
    assert "holds" in shown.values() and "fails" not in shown.values(), shown
    assert machine.command("audit").startswith("audit: clean")


def test_probes_can_fail(boot):
    """A probe that cannot fail shows nothing: the state that it checks is changed, and it must notice, and no other."""
    machine = boot()
    whole = told(machine.command("claims", timeout=60))
    mutations = re.findall(r"^\s+([A-Z]\d+)\s", machine.command("claims mutate nothing"), re.M)
    assert len(mutations) >= 6
    for claim in mutations:                     # a state that was not restored fails in the next report
        answer = machine.command("claims mutate " + claim, timeout=60)
        assert told(answer) == {**whole, claim: "fails"}, answer
    assert told(machine.command("claims", timeout=60)) == whole
    assert machine.command("audit").startswith("audit: clean")


def test_probes_leave_everything_as_it_was(boot):
    """A checked kernel looks at frames, tables, blocks and spaces before and after each claim; and each holds twice."""
    machine = boot(checked=True)
    for _ in range(2):
        answer = machine.command("claims", timeout=120)
        assert "fails" not in told(answer).values(), answer
    assert machine.command("audit", timeout=60).startswith("audit: clean")


@pytest.mark.parametrize("layout", ["quire"])
def test_a_probe_that_leaves_something_behind_is_named(house, layout, tmp_path):
    house.kernel(layout, checked=True)
    shop = mutations.Workshop(house.build, layout, tmp_path / "shop", building, checked=True)
    leaving = mutations.Mutation(["Q9"], "its probe keeps a frame", 0)
    leaving.changes.append(mutations.Change("layouts/quire/claims.c", "bool readable = probe_read(Q_LAST_WORD, &word);",
                                            "bool readable = probe_read(Q_LAST_WORD, &word); frame_t kept; "
                                            "(void)!frame_get(OWNER_TEST, 0, &kept);"))
    said = shop.boot(shop.make(leaving), "loader", shop.folder)
    failing = re.findall(r"^claim (\w+) fails (.*)", said, re.M)
    assert [claim for claim, _ in failing] == ["Q9"] and "has left something behind" in failing[0][1], said
