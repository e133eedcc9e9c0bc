"""The firmware layout: applications that are part of the image, and claims that its kernel cannot show itself."""
import os
import re
import subprocess

import pytest


@pytest.fixture
def layout(house):
    if "firmware" not in house.layouts:
        pytest.skip("the layout firmware is not under test")
    return "firmware"


def frames_free(machine):
    return int(re.search(r"free\s+(\d+)", machine.command("frames"))[1])


def test_g18_an_overflow_of_the_first_stack_meets_the_original(boot):
    machine = boot(append="panic=exit")
    machine.send("crash overflow\r")
    said, _ = machine.end()
    match = re.search(r"kernel stack overflow: the boot stack \[0*([0-9a-f]+), 0*([0-9a-f]+)\) is too small; "
                      r"below it lies (\w+)", said)
    assert match and match[3] == "original", said
    assert (int(match[2], 16) - int(match[1], 16)) % 4096 != 0, "the stack ends with a page, so nothing is packed"


def test_g26_what_is_loaded_has_code_and_data_of_its_own(house, layout):
    """A program with a dynamic loader prints its own mappings: all are above the kernel, from files or its own."""
    root = os.path.join(house.build, "programs", "root")
    if not os.path.isdir(root):
        pytest.skip("no programs; `make programs` fetches them")
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", layout, "--timeout", "60",
                           "lua5.4", "-e", "for line in io.lines('/proc/self/maps') do print(line) end"],
                           capture_output=True, text=True,
                          timeout=120, env={**os.environ, "QUIRE_BUILD": os.path.abspath(house.build)})
    assert done.returncode == 0, done.stderr
    maps = re.findall(r"^([0-9a-f]+)-[0-9a-f]+ (\S+) \S+ \S+ \d+\s*(.*)$", done.stdout, re.M)
    assert all(int(start, 16) >= house.facts(layout)["user.start"] for start, _, _ in maps), maps
    code = {os.path.basename(path) for _, rights, path in maps if "x" in rights}
    assert any(name.startswith("ld-linux") for name in code) and any("lua" in name for name in code), code


def test_applications_run_and_give_everything_back(boot):
    machine = boot()
    assert "hello" in machine.command("apps")
    machine.command("start hello")              # the kernel's own memory for applications comes with the first
    before = frames_free(machine)
    assert "ended with status 0" in machine.command("start counter 20")
    assert re.search(r"counted from 1000 to 1020", machine.command("start counter 20"))
    assert re.search(r"20 calls deep and back", machine.command("start recursion 20"))
    assert frames_free(machine) == before
    assert machine.command("audit").startswith("audit: clean")


def test_an_application_meets_its_limits(boot):
    machine = boot()
    deep = machine.command("start recursion")
    assert "stack overflow" in deep and "was killed by signal 11" in deep and "stack 16 of 16" in deep
    heap = machine.command("start grow")
    assert "6144 KiB" in heap and "ended with status 0; heap 1536 of 1536 pages" in heap
    assert "ended with status 0" in machine.command("start hello"), "the others go on"
    assert machine.command("audit").startswith("audit: clean")


@pytest.mark.parametrize("where", ["", "0", "0x10", "0x1000", "0x05000000", "0x07400000", "0x07FFF000", "0xFFFFFFFF"])
def test_a_wild_pointer_kills_only_its_process(boot, where):
    machine = boot()
    assert "was killed by signal 11" in machine.command("start wild " + where)
    assert "ended with status 0" in machine.command("start hello")
    assert machine.command("audit").startswith("audit: clean")


def test_wrong_words_are_answered(boot):
    machine = boot()
    assert "expected one of these" in machine.command("start nothing")
    assert "number" in machine.command("start hello ten")
    assert 'expected two numbers at most, and no "3" behind them' in machine.command("start hello 1 2 3")


def test_applications_run_aside_and_ctrl_c_ends_the_one_waited_for(start, house):
    machine = start(kernel=house.kernel("firmware"), memory="32M")
    machine.prompt()
    machine.command("start counter 3 &;start hello")
    machine.send("start counter 100000000\r")
    machine.expect(r"counter\[1\] ended with status 0")         # the first, while the other is waited for
    machine.send("\x03")
    said = machine.prompt()
    assert "^C" in said and re.search(r"counter\[\d+\] was killed by signal 9", said), said
    assert "audit: clean" in machine.command("audit")


def test_a_place_for_each_application_and_no_more(start, house):
    machine = start(kernel=house.kernel("firmware"), memory="32M")
    machine.prompt()
    said = machine.command("start counter 100000 &;" * 9 + "audit", timeout=60)
    assert "8 are running; one must end first" in said and "audit: clean" in said


def test_applications_are_listed_ended_and_waited_for(start, house):
    """The commands of the other layouts' flat programs, which this console did not know."""
    machine = start(kernel=house.kernel("firmware"), memory="32M")
    machine.prompt()
    assert "no processes" in machine.command("processes")
    assert "unknown" not in machine.command("wait")
    assert "there is no process 1" in machine.command("kill 1")
    assert "expected a number" in machine.command("kill x") and "expected a number" in machine.command("wait x")
    machine.command("start counter 100000000 &;start counter 100000000 &")      # the heap keeps pages of what two need
    machine.command("kill 1", timeout=30)
    machine.command("kill 2", timeout=30)
    machine.command("wait", timeout=30)
    before = machine.command("frames").partition("\nsum ")[0]
    machine.command("start counter 100000000 &;start counter 100000000 &")
    assert len(re.findall(r"^ +[12]  counter +\d+ pages? +from 0x[0-9a-f]{8}, (?:1 table|[23] tables),",
                          machine.command("processes"), re.M)) == 2
    machine.command("wait 300", timeout=30)
    said = machine.command("kill 1", timeout=30)
    assert "counter[1] was killed by signal 9" in said and re.search(r"gave back [1-9]\d* frames", said), said
    machine.send("wait\r")
    machine.send("\x03")
    said = machine.prompt()
    assert "^C" in said and "counter[2] was killed by signal 9" in said, said
    assert "no processes" in machine.command("processes")
    assert "\nfree " in before and machine.command("frames").partition("\nsum ")[0] == before
    assert "audit: clean" in machine.command("audit")
