"""Claims: what a document promises, shown by the kernel that was built from it."""
import os
import re
import subprocess
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
        assert "as many" not in re.search(rf"^claim {claim} fails .*", answer, re.M)[0], "the numbers are not the same"
    assert told(machine.command("claims", timeout=60)) == whole
    assert machine.command("audit").startswith("audit: clean")


def test_probes_leave_everything_as_it_was(boot):
    """A checked kernel looks at frames, tables, blocks and spaces before and after each claim; and each holds twice."""
    machine = boot(checked=True)
    for _ in range(2):
        answer = machine.command("claims", timeout=120)
        assert "fails" not in told(answer).values(), answer
    assert machine.command("audit", timeout=60).startswith("audit: clean")


# A machine on which the kernel starts, and what then is too small for some of its probes.
SMALL = {"movos": "9M", "firmware": "6M"}
LARGE = {"movos": {"M15"}, "firmware": {"G3", "G24"}, "higher-half": {"A15"}, "tracker": {"T11", "T16", "T17"}}


def test_short_memory_makes_no_claim_untrue(start, house, layout):
    """What a probe cannot show for want of frames it has not seen; nothing fails."""
    machine = start(kernel=house.kernel(layout), memory=SMALL.get(layout, "8M"))
    machine.prompt()
    answer = machine.command("claims", timeout=60)
    assert "fails" not in told(answer).values(), answer
    assert LARGE.get(layout, set()) <= {claim for claim, verdict in told(answer).items() if verdict == "unseen"}, answer
    assert machine.command("audit").startswith("audit: clean")


def in_plain_memory(house, layout, *words):
    """The same probes on the machine in plain memory: exit status, and what was said."""
    program = os.path.join(house.build, layout, "claims-on-host")
    status, said = house.make(f"LAYOUT={layout}", "-j2", program)
    assert status == 0, said
    done = subprocess.run([program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240,
                          check=False)
    return done.returncode, done.stdout


def test_probes_say_in_plain_memory_what_they_say_in_the_kernel(boot, house, layout):
    """Unchanged, under the same document, with a digest before and after each. What the machine there lacks it says."""
    kernel = told(boot().command("claims", timeout=60))
    status, said = in_plain_memory(house, layout)
    plain  = told(said)
    ran    = {claim: verdict for claim, verdict in plain.items() if verdict != "unseen"}
    assert status == 0 and said.count("audit: clean") == 2, said
    assert set(plain) == set(kernel) and "holds" in ran.values()
    assert ran == {claim: kernel[claim] for claim in ran}
    for claim in set(plain) - set(ran):
        assert re.search(rf"^claim {claim} unseen (no|none|nothing) \w+ ", said, re.M), f"{claim}: why not?"


# Not those that the deep checks, which are always on there, find before a probe does.
MADE_UNTRUE = {"quire": ["Q4", "Q10"], "movos": ["M5", "M8", "M9", "M16"], "pat": ["K7", "K13"],
               "higher-half": ["A4", "A9"], "tracker": ["T9", "T15"], "firmware": ["G9", "G17", "G21", "G24"]}


def test_probes_can_fail_in_plain_memory(house, layout):
    """A change that a kernel's probe notices is noticed there, too, by that probe alone."""
    whole = told(in_plain_memory(house, layout)[1])
    for claim in MADE_UNTRUE[layout]:
        _, said = in_plain_memory(house, layout, "mutate", claim)
        assert told(said) == {**whole, claim: "fails"}, said
        assert f"restored {claim}" in said and said.count("audit: clean") == 2, said


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
