"""Claims: what a document promises, shown by the kernel that was built from it."""
import re


def told(answer):
    """The lines of `claims`: id -> holds, fails, or where else it is shown."""
    return dict(re.findall(r"^claim (\w+) (\w+)", answer, re.M))


def documented(house, layout):
    """The rows of the document's table of claims: id -> where it is shown."""
    text = open(f"{house.tree}/layouts/{layout}.md").read().split("## Claims")[1]
    return dict(re.findall(r"^\|\s*([A-Z]\d+)\s*\|\s*(\w+)\s*\|", text, re.M))


def test_claims_hold(boot, house, layout):
    shown = told(boot().command("claims", timeout=60))
    claims = documented(house, layout)
    assert set(shown) == set(claims)
    for claim, where in claims.items():
        if where == "kernel":
            assert shown[claim] == "holds", f"{claim}: {shown[claim]}"


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
    """A probe that cannot fail shows nothing: what it looks at is changed, and it must notice."""
    machine = boot()
    mutations = re.findall(r"^\s+([A-Z]\d+)\s", machine.command("claims mutate nothing"), re.M)
    assert len(mutations) >= 6
    for claim in mutations:
        answer = machine.command("claims mutate " + claim, timeout=60)
        assert re.search(rf"claim {claim} fails", answer), answer
        assert told(machine.command("claims", timeout=60))[claim] == "holds", f"{claim} was not mended"
    assert machine.command("audit").startswith("audit: clean")
