"""The cost ring: Quire's own instruction counts stay within the budgets written down in bench/budgets.txt."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest


def compare(house, budgets, layout="quire"):
    return subprocess.run([sys.executable, os.path.join(house.tree, "bench", "compare.py"), "--build", house.build,
                           "--only", "quire", "--layout", layout, "--budgets", budgets], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=400)


@pytest.fixture(scope="module", autouse=True)
def programs():
    """The guest programs, where `make test` did not build them."""
    from conftest import BUILD, TREE
    subprocess.run(["make", "-C", TREE, "--no-print-directory", f"O={BUILD}",
                    *(f"{BUILD}/guest/{name}" for name in ("vmbench", "wide", "hello"))],
                   check=True, stdout=subprocess.DEVNULL)


def test_operations_stay_within_their_budgets(house, layout):
    done = compare(house, os.path.join(house.tree, "bench", "budgets.txt"), layout)
    print(done.stdout)
    assert done.returncode == 0


def test_a_budget_that_is_exceeded_is_noticed(house, tmp_path):
    budgets = tmp_path / "budgets.txt"
    budgets.write_text("operation quire\ngetppid 10   # nobody is that fast\nno-such-operation 5\n")
    done = compare(house, str(budgets))
    assert done.returncode == 1
    assert "over budget: getppid:" in done.stdout and "no-such-operation: not measured" in done.stdout


def test_code_is_translated_once_on_the_way_to_a_program(house, tmp_path):
    """QEMU translates code anew for each state of the FPU's bits in CR0; the kernel sets them before all else."""
    log = tmp_path / "translated"
    hello = os.path.join(house.build, "guest", "hello")
    subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--timeout", "60", hello],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=120,
                   env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_QEMU_FLAGS": f"-d in_asm -D {log}"})
    places = re.findall(r"^IN:.*\n0x([0-9a-f]+):", log.read_text(errors="replace"), re.M)
    assert len(places) > 1000 and len(places) - len(set(places)) < len(places) // 100


def translated(house, log, *options):
    """How many blocks QEMU translates before the first instruction of a program that writes a line."""
    hello = os.path.join(house.build, "guest", "hello")
    flags = f"-icount shift=6,sleep=off -d in_asm -D {log}"
    subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--timeout", "100", *options, hello],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=200,
                   env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_QEMU_FLAGS": flags})
    with open(log, errors="replace") as file:
        starts = [int(at, 16) for at in re.findall(r"^IN:.*\n0x([0-9a-f]+):", file.read(), re.M)]
    with open(hello, "rb") as file:
        entry = int.from_bytes(file.read(28)[24:], "little")
    return starts.index(entry)


def restored(house, log):
    """The same for a machine restored from a snapshot that this call makes: its key has the name of the log."""
    translated(house, log, "--snapshot")
    return translated(house, log, "--snapshot")


def test_a_start_translates_no_more_than_its_budget(house, tmp_path):
    """Blocks of code that runs once are what a start costs (docs/costs.md). By the clock of instructions a boot is
    always the same. A machine is frozen when the host comes to it, and so an alarm or a frame for the channel may
    come in between when it is restored: of several snapshots the least counts."""
    with open(os.path.join(house.tree, "bench", "budgets-start.txt")) as file:
        budgets = {line.split()[0]: int(line.split()[1]) for line in file if line.split("#")[0].strip()}
    booted = translated(house, str(tmp_path / "booted"))
    found = []
    while not found or (min(found) > budgets["restored"] and len(found) < 6):
        found.append(restored(house, str(tmp_path / f"restored-{len(found)}")))
    least = min(found)
    print("booted", booted, "restored", found)
    assert booted <= budgets["booted"] and least <= budgets["restored"]
    assert booted > budgets["booted"] * 0.95 and least > budgets["restored"] * 0.85, "lower the budget"


def test_growth_is_told_and_drawn(house, tmp_path, capsys, monkeypatch):
    """The table and the picture of bench/growth.py, of made-up figures: the largest cost is drawn highest."""
    monkeypatch.syspath_prepend(os.path.join(house.tree, "bench"))
    growth = __import__("growth")
    costs = {f"{thing}-{n}": 100 * (i + 1) + n for i, thing in enumerate(growth.THINGS) for n in growth.COUNTS}
    results = {"linux": growth.curves(costs), "quire": growth.curves({**costs, "timers-4000": 99999})}
    growth.print_table(results)
    assert re.search(r"^timers: .* linux +601 +610 +700 +1 600 +4 600 +7\.65\n +quire +601 .* 99 999 +166\.39$",
                     capsys.readouterr().out, re.M)
    growth.draw(results, str(tmp_path / "growth.svg"))
    drawing = xml.etree.ElementTree.parse(tmp_path / "growth.svg").getroot()
    dots = {dot[0].text: float(dot.get("cy")) for dot in drawing.iter("{http://www.w3.org/2000/svg}circle")}
    assert len(drawing.findall("{*}polyline")) == 2 * len(growth.THINGS)
    assert dots["quire, 4000: 99 999"] < dots["linux, 4000: 4 600"]
