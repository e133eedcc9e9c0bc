"""The pat layout, where only a look from outside or a running program shows it (claims K10, K17 to K23)."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

pytestmark = pytest.mark.skipif("pat" not in os.environ.get("QUIRE_LAYOUTS", "pat").split(),
                                reason="pat is not under test")

GOOD = """\
three pages: there, status 0
zero: 1
there already: null, status -17
kept: 1
again: there, status 0
zero: 1
the screen: there, status 0
seen: 1f50
no rights: 0
rights: 0
the screen again: there, status 0
still: 1f50
no status wanted: 1
child: its pages 1, the screen 0
parent: its pages 1
start not aligned: null, status -22
physical not aligned: null, status -22
no bytes: null, status -22
all bytes: null, status -22
past the end: null, status -14
more than there is: null, status -12
from the screen on: null, status -1
"""


@pytest.fixture
def pages(house, tmp_path):
    """A function: run tests/programs/pages.c with these words; (status, output, report)."""
    root, made = (os.path.join(house.build, "programs", name) for name in ("root", "made"))
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)

    def run(*words, flags=""):
        report = tmp_path / "report"
        done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", "pat", "--timeout",
                               "120", "--root", root, f"--report={report}", os.path.join(made, "pages"), *words],
                               stdin=subprocess.DEVNULL,
                              capture_output=True, text=True,
                              env={**os.environ, "QUIRE_BUILD": house.build, "QUIRE_QEMU_FLAGS": flags})
        said = report.read_text(errors="replace")
        assert re.findall(r"^audit: (\w+)", said, re.M) == ["clean"], said
        return done.returncode, done.stdout, said

    return run


def test_the_mmap_call_and_its_abuse(pages):
    """K18 to K22 by a program: it gets the pages it may have, zeroed; every wrong number gives null and a status."""
    status, output, _ = pages()
    assert status == 0
    assert output.startswith(GOOD), output
    rest = output[len(GOOD):].splitlines()
    assert rest[:6] == ["no place: null, status -14"] * 6
    assert rest[6:-2] == ["no frame: null, status -1"] * 11
    assert rest[-2:] == ["status nowhere: -1, Bad address", "nothing came of it: 1"]


def test_mapped_pages_are_private(pages):
    assert pages("share")[:2] == (0, "own pages only: 1\n" * 2)


def test_k23_a_fault_kills_the_culprit_alone(pages, start, house, tmp_path):
    """K23: number, error code and address are printed, the process is killed, and its parent goes on."""
    status, output, _ = pages("wild")
    assert (status, output) == (0, "killed by 11; the others go on\n")
    disk = str(tmp_path / "disk")
    status, said = house.quire("image", "--layout", "pat", disk, os.path.join(house.build, "programs", "made", "pages"),
                               "wild")
    assert status == 0, said
    machine = start(disk=disk)
    said, _ = machine.end(timeout=60)
    words, = re.findall(r"^pages\[(\d+)\]: signal 11 at instruction 0x\w+, address 0x(\w+): .*error code (\w+)",
                        said, re.M)
    assert int(words[0]) > 1 and words[1:] == ("40123450", "6")     # not present, a write, by a program
    assert said.index("error code") < said.index("killed by 11; the others go on")


def traps(log):
    """[(level of privilege, CR3)] of each exception and interrupt that QEMU noted."""
    return [(int(level), int(root, 16)) for level, root in
            re.findall(r"^ *\d+: v=\w+ e=\w+ i=\d cpl=(\d) .*?^CR0=\w+ CR2=\w+ CR3=(\w+)", log, re.M | re.S)]


def test_k17_every_trap_changes_to_the_kernels_space(pages, tmp_path):
    """K17, seen by the emulator: programs run on roots of their own, the kernel's code, once programs run, on one
    alone."""
    log = tmp_path / "traps"
    assert pages("spin", "300", flags=f"-d int -D {log}")[:2] == (0, "spun\n")
    seen   = traps(log.read_text(errors="replace"))
    first  = next(i for i, (level, _) in enumerate(seen) if level == 3)
    kernel = {root for level, root in seen[first:] if level == 0}
    users  = [root for level, root in seen[first:] if level == 3]
    assert len(kernel) <= 1 and len(users) > 600
    assert len(set(users)) >= 3                                     # parent and children, before and after
    assert not kernel & set(users)


def test_k10_the_kernel_stops_when_no_page_is_left(start, house):
    """K10: the kernel's own request; a program's request is refused instead, which the mmap call's test shows."""
    machine = start(kernel=house.kernel("pat"), append="panic=exit")
    machine.prompt()
    machine.send("crash pages\r")
    said, status = machine.end()
    assert status == 7
    assert re.search(r"^panic: .*out of memory: get_next_page found no available page", said, re.M), said
    assert "audit: clean" in said.split("panic:")[1]
