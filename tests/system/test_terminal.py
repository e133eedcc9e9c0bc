"""test_terminal.py - a shell at a terminal: keys, job control, window size; on the channel and on the serial line."""
import os
import re
import time

import newc
import pexpect
import pytest
from quire import QEMU

PROMPT = "# "


@pytest.fixture
def busybox(house):
    """The real program; set-up fetches it."""
    status, said = house.make("programs")
    path = os.path.join(house.build, "programs", "root", "bin", "busybox")
    if not os.path.exists(path):
        pytest.skip(f"no busybox: {said[-200:]}")
    return path


@pytest.fixture
def shell(house, layout, busybox, request):
    """A function that starts BusyBox's shell under `quire run` on a terminal of its own."""
    children = []

    def start(*words, machine="microvm"):
        child = pexpect.spawn(os.path.join(house.build, "host", "quire"),
                              ["run", "--layout", layout, "--machine", machine, "--timeout", "60", *words,
                               busybox, "sh"],
                              cwd="/",
                              env={**os.environ, "QUIRE_HOME": house.tree, "QUIRE_BUILD": house.build, "TERM": "dumb"},
                              timeout=60, encoding="latin-1", dimensions=(33, 99))
        child.delaybeforesend = None
        children.append(child)
        child.expect(PROMPT)
        return child

    yield start
    for child in children:
        child.close(force=True)


def answer(child, line):
    """A command's output, without its echo."""
    child.sendline(line)
    child.expect_exact(line)
    child.expect(PROMPT)
    return re.sub(r"\r+\n", "\n", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.before)).strip("\r\n /")


def begin(child, program, before=":"):
    """Start a program in a shell of its own that says when it runs: the terminal is its own by then, and keys are for
    it."""
    child.send(f"busybox sh -c '{before}; echo it runs; {program}'\r")
    child.expect("\nit runs\r+\n")


def leave(child, status):
    child.sendline(f"exit {status}")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


@pytest.mark.parametrize("machine", ["microvm", "pc"])
def test_commands_and_their_end(shell, machine):
    child = shell(machine=machine)
    assert answer(child, "echo $((6 * 7))") == "42"
    assert leave(child, 7) == 7


def test_who_waits_to_write_to_a_stopped_terminal_can_be_killed(shell):
    """The first waits until output goes on, and the others for the first: nothing else could end them but the key."""
    child = shell()
    begin(child, "(busybox sleep 1; echo one) & (busybox sleep 2; echo two) & busybox sleep 4; kill -9 $!; "
                 "busybox sleep 1; busybox ls -d /proc/$! >/tmp/how 2>&1 || echo gone >/tmp/how")
    child.send("\x13")
    time.sleep(8)
    child.send("\x11")
    child.expect(PROMPT)
    assert answer(child, "busybox cat /tmp/how") == "gone"


def until(holds, seconds=20):
    """Wait until a condition that was started holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came about"


def test_keys_edit_a_line(shell):
    child = shell()
    begin(child, "busybox cat")         # until then the shell edits lines itself
    child.send("abX\x7fc wrong\x17right\r")
    child.expect_exact("\r\nabc right\r\n")
    child.send("\x04")
    child.expect(PROMPT)
    assert leave(child, 0) == 0


def test_interrupt_stop_and_go_on(shell):
    """The job says when it goes on: by then the terminal is its own again."""
    child = shell()
    begin(child, "while :; do busybox sleep 0.1; done", before="trap \"echo goes on\" CONT")
    child.send("\x1a")
    child.expect("Stopped")
    child.expect(PROMPT)
    assert "Stopped" in answer(child, "jobs")
    child.send("fg\r")
    child.expect("goes on\r+\n")
    child.send("\x03")
    child.expect(PROMPT)
    assert answer(child, "echo $?") == "130"
    assert leave(child, 0) == 0


def test_the_background_may_not_read(shell):
    child = shell()
    child.send("busybox cat &\r")
    child.expect(PROMPT)
    child.send("\r")
    child.expect(PROMPT)
    until(lambda: "Stopped (tty input)" in answer(child, "jobs"))
    answer(child, "kill -9 %1")
    until(lambda: "cat" not in answer(child, "jobs"))
    assert leave(child, 0) == 0


def test_the_window_has_the_size_of_ours_and_follows_it(shell):
    child = shell()
    assert answer(child, "busybox stty size") == "33 99"
    child.setwinsize(20, 60)
    until(lambda: answer(child, "busybox stty size") == "20 60")
    assert leave(child, 0) == 0


def test_settings_are_kept(shell):
    child = shell()
    said = answer(child, "busybox stty -echo -icanon min 3; busybox stty -a; busybox stty sane")
    assert "min = 3" in said and "-icanon" in said and "-echo " in said
    assert leave(child, 0) == 0


def test_much_output_is_whole(shell):
    child = shell()
    lines = answer(child, "busybox seq 1 20000").split("\n")
    assert [line.strip() for line in lines if line.strip()] == [str(n) for n in range(1, 20001)]
    assert leave(child, 0) == 0


def test_a_shell_on_the_serial_line(house, layout, busybox, tmp_path):
    """init= on a PC without a channel: the machine ends with the program's status."""
    root = tmp_path / "root" / "bin"
    archive = tmp_path / "root.cpio"
    root.mkdir(parents=True)
    with open(busybox, "rb") as file:
        archive.write_bytes(newc.write([("bin", 0o40755, b""), ("bin/busybox", 0o100755, file.read()),
                                        ("bin/sh", 0o120777, b"busybox")]))
    child = pexpect.spawn(QEMU, ["-accel", "tcg", "-m", "64M", "-display", "none", "-no-reboot", "-nodefaults",
                                 "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-chardev",
                                 "stdio,id=serial,signal=off", "-serial", "chardev:serial", "-kernel",
                                 house.kernel(layout), "-initrd", str(archive), "-append", "init=/bin/sh"],
                          echo=False, timeout=60, encoding="latin-1")
    child.expect(PROMPT)
    assert answer(child, "echo $((6 * 7))") == "42"
    begin(child, "busybox sleep 1000")
    child.send("\x03")
    child.expect(PROMPT)
    child.sendline("exit 5")
    child.expect("ended with status 5")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3
