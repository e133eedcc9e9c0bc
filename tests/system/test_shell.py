"""`quire shell` on a terminal: BusyBox's shell, typed at as a person would."""
import os
import re
import signal
import subprocess

import pexpect
import pytest


PROMPT = r"# (\x1b\[6n)?$"        # BusyBox asks the terminal where the cursor is, and goes on without an answer


@pytest.fixture
def shell(house, layout):
    """A function that opens the shell and returns it at its prompt."""
    if not os.path.isdir(os.path.join(house.build, "programs", "root")):
        pytest.skip("no programs; `make programs` fetches them")
    children = []

    def start(*words):
        child = pexpect.spawn(os.path.join(house.build, "host", "quire"), ["shell", "--layout", layout, *words],
                              timeout=60, encoding="latin-1", dimensions=(40, 100),
                              env={**os.environ, "QUIRE_BUILD": house.build, "TERM": "vt100"})
        child.delaybeforesend = None
        children.append(child)
        child.expect(PROMPT)
        return child

    yield start
    for child in children:
        child.close(force=True)


def say(child, line, timeout=60):
    """Type a line; returns what it prints."""
    child.sendline(line)
    child.expect_exact(line + "\r\n", timeout=timeout)
    child.expect(r"[^\r\n]*" + PROMPT, timeout=timeout)
    return re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "", child.before).replace("\r", "").rstrip()


def start(child, line):
    """Type a line whose program says when it runs: the terminal is its own by then, and a key that is typed is a
    signal."""
    child.sendline(line)
    child.expect_exact(line + "\r\n")
    child.expect_exact("it runs\r\n")


def test_commands_pipelines_and_exit_status(shell):
    child = shell()
    assert say(child, "echo hello | tr a-z A-Z") == "HELLO"
    assert say(child, "seq 1 100 | awk '{ s += $1 } END { print s }'") == "5050"
    assert say(child, "tty; [ -t 0 ] && echo terminal").endswith("terminal")
    assert say(child, "stty size") == "40 100"
    child.sendline("exit 9")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 9


def test_lines_are_edited_and_files_edited_with_vi(shell):
    child = shell()
    child.send("echo wrang\x7f\x7f\x7fong\r")
    child.expect("\r\nwrong\r\n")
    child.expect(PROMPT)
    child.sendline("vi /tmp/text")
    child.expect("~")                   # the first line below the text's end
    child.send("iwritten in vi")
    child.expect("I /tmp/text")         # the last line, where I stands for inserting
    child.send("\x1b")
    child.expect("- /tmp/text")         # an escape with a key close behind it would be one key
    child.send(":wq\r")
    child.expect(PROMPT)
    assert say(child, "cat /tmp/text") == "written in vi"


def test_control_c_ends_the_program_and_not_the_shell(shell):
    child = shell()
    start(child, "sh -c 'echo it runs; exec cat > /dev/null'")
    child.send("\x03")
    child.expect(PROMPT)
    assert say(child, "echo $?") == "130"
    start(child, "echo it runs; while :; do :; done")
    child.send("\x03")
    child.expect(PROMPT)
    assert say(child, "echo alive") == "alive"


# The job prints a line each time that it is continued, in the foreground once the terminal is its own.
JOB = "sh -c 'trap \"echo goes on\" CONT; echo it runs; while :; do sleep 0.1; done'"


def test_jobs_stop_and_go_on(shell):
    child = shell()
    start(child, JOB)
    child.send("\x1a")
    child.expect("Stopped")
    child.expect(PROMPT)
    assert "Stopped" in say(child, "jobs")
    child.sendline("bg")
    child.expect("goes on\r\n")
    child.sendline()
    child.expect(PROMPT)
    assert "Running" in say(child, "jobs")
    child.sendline("fg")
    child.expect("goes on\r\n")
    child.send("\x03")
    child.expect(PROMPT)
    assert say(child, "jobs") == ""


def test_the_window_may_change(shell):
    """The size comes on its own way, not after the keys; when it does the shell draws its line anew, so the echo of
    what is typed meanwhile may be in pieces."""
    child = shell()
    child.setwinsize(24, 80)
    seen = []
    for _ in range(3):
        child.sendline("stty size")
        child.expect(r"(\d+ \d+)\r\n")
        seen.append(child.match[1])
        child.expect(PROMPT)
    assert seen[-1] == "24 80", seen


def test_end_of_input_ends_the_shell(shell):
    child = shell()
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_two_escapes_end_the_machine(shell):
    child = shell()
    child.send("\x1d\x1d")
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus == signal.SIGINT


def test_commands_from_a_pipe(house, layout):
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "shell", "--layout", layout],
                          input=b"ls /dev/null; exit 4\n", capture_output=True,
                          env={**os.environ, "QUIRE_BUILD": house.build}, timeout=60)
    assert (done.returncode, done.stdout) == (4, b"/dev/null\n")
