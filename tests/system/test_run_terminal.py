"""`quire run` on a terminal, lent to a guest of Python (fake_run.py)."""
import os
import pty
import signal
import subprocess

import pexpect
import pytest

from fake_run import is_gone, run


@pytest.fixture
def terminal(run):
    def start(guest, *words):
        child = pexpect.spawn(run.command, run.words(words)[1:], env=run.environment(guest), cwd=run.folder,
                              timeout=20, dimensions=(33, 101))
        child.delaybeforesend = None
        return child

    return start



def test_terminal_is_lent_and_given_back(run, terminal):
    master, slave = pty.openpty()
    before = subprocess.run(["stty", "-g"], stdin=slave, capture_output=True, check=True).stdout
    process = run.begin("terminal", stdin=slave, stdout=slave)
    seen = b""
    while b"options" not in seen:
        seen += os.read(master, 1000)
    during = subprocess.run(["stty", "-g"], stdin=slave, capture_output=True, check=True).stdout
    assert during != before and b"terminal;" in seen
    os.write(master, b"\x03\x04\x1aq")
    assert process.wait(20) == 5
    assert subprocess.run(["stty", "-g"], stdin=slave, capture_output=True, check=True).stdout == before
    while b"keys 03041a71" not in seen:
        seen += os.read(master, 1000)


def test_terminal_size_follows_the_window(terminal):
    child = terminal("terminal")
    child.expect("window 101 33")
    child.setwinsize(24, 80)
    child.expect("window 80 24")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_terminal_is_given_back_after_signals(run, number):
    master, slave = pty.openpty()
    before = subprocess.run(["stty", "-g"], stdin=slave, capture_output=True, check=True).stdout
    process = run.begin("terminal", stdin=slave, stdout=slave)
    seen = b""
    while b"options" not in seen:
        seen += os.read(master, 1000)
    process.send_signal(number)
    while b"signal" not in seen:
        seen += os.read(master, 1000)
    process.send_signal(number)
    assert process.wait(20) == -number
    assert subprocess.run(["stty", "-g"], stdin=slave, capture_output=True, check=True).stdout == before


def test_escape_key_ends_the_machine(run, terminal):
    child = terminal("terminal")
    child.expect("options")
    child.send("\x1d")
    child.expect("keys 1d")
    child.send("x\x1dx")
    child.expect("keys 781d78")
    child.send("\x1d\x1d")
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus == signal.SIGINT
    assert is_gone(run.machine_pid())
