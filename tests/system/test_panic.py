"""Panics: each prints the reason, the place, the callers, and the state of memory."""
import re

import pytest

# what to crash, the reason, a function that must be named, whether its caller must be (a function so
# small that the compiler gives it no frame, or one that the access comes before, hides who called it)
CRASHES = [
    ("null",         r"page fault: read at 00000000, not mapped",      "crash_null",         False),
    ("write-text",   r"page fault: write at [0-9a-f]{8}, not allowed", "crash_write_text",   False),
    ("write-rodata", r"page fault: write at [0-9a-f]{8}, not allowed", "crash_write_rodata", False),
    ("hole",         r"page fault: read at [0-9a-f]{8}, not mapped",   "crash_hole",         True),
    ("invalid",      r"invalid opcode",                                "crash_invalid",      False),
    ("vector",       r"software interrupt \(vector 99, error code 0\)", "crash_vector",    False),
    ("segment",      r"general protection \(vector 13, error code fffc\)", "crash_segment", False),
    ("assert",       r"kernel/console/crash\.c:\d+: assertion failed", "crash_assert",       False),
    ("lock",         r"lock",                                          "crash_lock",         True),
]


def may_read(facts, address):
    """Whether the document lets the kernel read there: some do at 0, where a null pointer is then no mistake."""
    names = {name.rsplit(".", 1)[0] for name in facts if name.endswith(".backing")}
    return any(facts.get(f"{name}.start") == address and "r" in facts[f"{name}.kernel"] for name in names)


def panic_of(machine, command):
    """Run a command that panics; returns all output, and checks how the machine ended."""
    machine.send(command + "\r")
    said, status = machine.end()
    assert status == 7, said
    return said


@pytest.mark.parametrize("what,reason,function,framed", CRASHES, ids=[crash[0] for crash in CRASHES])
def test_panic_says_why_and_where(boot, house, layout, what, reason, function, framed):
    facts = house.facts(layout)
    if what == "null" and may_read(facts, 0):
        machine = boot()
        assert machine.command("crash null").strip() == f"read {int.from_bytes(machine.physical(0, 4), 'little'):x}"
        return
    if "r" not in facts["text.kernel"] and what == "write-text":
        reason = reason.replace("not allowed", "not mapped")        # where the only right left is X
    said = panic_of(boot(append="panic=exit"), "crash " + what)
    assert re.search(r"^panic: .*" + reason, said, re.M | re.I), said
    for name in [function] + ["run_crash"] * framed + ["console_run", "kernel_main"]:
        assert re.search(rf"^\s+[0-9a-f]{{8}}  {name}\+0x", said, re.M), f"{name} is not in:\n{said}"
    assert "audit: clean" in said.split("panic:")[1], said


@pytest.mark.parametrize("what,reason", [
    ("order", "lock the outer taken while the inner is held, against their order"),
    ("sleep", r"mutex_take\(\) may sleep, and is called with lock a spin lock held"),
])
def test_a_checked_kernel_looks_at_locks(boot, what, reason):
    said = panic_of(boot(checked=True, append="panic=exit"), f"crash {what}")
    assert re.search(r"^panic: .*" + reason, said, re.M), said
    assert "still here" in boot().command(f"crash {what}")


def test_page_fault_names_the_documents_line(boot, layout, house):
    said = panic_of(boot(append="panic=exit"), "crash write-text")
    match = re.search(rf"(layouts/{layout}/layout\.md):(\d+): (\w+), kernel {house.facts(layout)['text.kernel']}", said)
    assert match, said
    line = open(f"{house.tree}/{match[1]}").read().splitlines()[int(match[2]) - 1]
    assert f"| {match[3]} " in line, f"line {match[2]} is: {line}"


def test_boot_stack_overflow_is_named(boot):
    said = panic_of(boot(append="panic=exit"), "crash overflow")
    assert "kernel stack overflow: the boot stack" in said
    assert re.search(r"dive\+0x", said), said


def test_stack_overflow_is_named(boot):
    said = panic_of(boot(append="panic=exit"), "crash stack")
    assert re.search(r"kernel stack overflow: stack \d+ \[[0-9a-f]{8}, [0-9a-f]{8}\)", said), said
    assert re.search(r"dive\+0x", said), said


def test_a_panic_goes_on_where_a_part_of_it_fails(boot):
    said = panic_of(boot(append="panic=exit"), "crash in-panic")
    assert re.search(r"^panic: page fault: read at [0-9a-f]{8}, not mapped", said, re.M), said
    assert len(re.findall(r"\(this part failed: page fault", said)) == 2, said
    assert re.search(r"^\s+[0-9a-f]{8}  kernel_main\+0x", said, re.M), said
    assert "the machine stops here" in said


@pytest.mark.parametrize("what", ["double-free", "heap-double-free", "heap-overflow"])
def test_misuse_is_told_and_harmless(boot, what):
    machine = boot()
    answer = machine.command("crash " + what)
    assert "still here" in answer
    assert len(answer.strip().splitlines()) > 1, "nobody told of the misuse:\n" + answer
    assert machine.command("audit").startswith("audit: clean")
    assert machine.leave() == 0
