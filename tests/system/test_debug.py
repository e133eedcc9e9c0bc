"""`quire debug`: gdb beside a booted kernel, and the commands it gets from tools/quire/debug.py."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")


@pytest.fixture
def debug(tmp_path, house, layout):
    """A function: run gdb's commands beside a fresh machine; returns what gdb printed."""
    program = tmp_path / "program"
    subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-x", "c", "-", "-o", str(program)], check=True,
                   input=b"void _start(void) { for (;;); }")

    def start(*commands, end=True, cwd=None):
        gdb = tmp_path / "gdb"
        gdb.write_text("#!/bin/sh\nexec gdb -batch \"$@\"" + "".join(f" -ex '{command}'" for command in commands) +
                       "\n")
        gdb.chmod(0o755)
        words = [os.path.join(house.build, "host", "quire"), "debug", "--layout", layout, str(program)]
        environment = {**os.environ, "QUIRE_GDB": os.environ.get("QUIRE_TEST_GDB", str(gdb)),
                       "QUIRE_BUILD": house.build, "QUIRE_HOME": house.tree}
        if not end:
            return subprocess.Popen(words, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT)
        return subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, text=True).stdout

    return start


def test_tables_and_frames_with_names(debug, house, layout):
    text = debug("tbreak kernel_main", "continue", "tbreak stacks_start", "continue", "quire-tables", "quire-frames",
                 "quire-spaces")
    whose = "kernel" if house.facts(layout)["text.user"] == "---" else "user"
    assert re.search(rf"^0x\w+ 0x\w+ +\d+  0x\w+\.\. +{whose} r- .*text$", text, re.M), text
    assert re.search(r"^0x\w+ 0x\w+ +\d+  \S+ +kernel rw .*data$", text, re.M), text
    owners = [int(number) for number in re.findall(r"^\w+ +(\d+) frames", text, re.M)]
    assert len(owners) > 4 and sum(owners[:-1]) == owners[-1], "the last line is the sum of the others"
    assert "(in use)" in text


def test_a_machine_that_is_stopped_for_long_is_not_dead(debug, layout):
    """The watchdog, which ends a kernel that says nothing for 20 s, once ran beside a debugger, too."""
    if layout != "quire":
        pytest.skip("the command's matter, not the layout's")
    text = debug("tbreak stacks_start", "continue", "shell sleep 25", "quire-frames")
    assert re.search(r"^sum +\d+ frames", text, re.M), text


def test_before_paging_it_says_so(debug):
    text = debug("quire-tables", "quire-frames")
    assert "paging is not on yet" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_by_a_signal(debug, tmp_path, monkeypatch, number):
    """gdb makes a file when it is connected; any other file in its folders is an error."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    process = debug("shell touch connected", "continue", end=False, cwd=temporary)
    end = time.monotonic() + 60
    while not (temporary / "connected").exists():
        assert process.poll() is None and time.monotonic() < end
    process.send_signal(number)
    assert process.wait(20) == (-number if number == signal.SIGKILL else 128 + number)
    assert [path.name for path in temporary.iterdir()] == ["connected"]
    assert not [name for name in os.listdir("/tmp") if name.startswith("quire-debug-")]


def test_without_gdb_the_status_is_125(debug, monkeypatch):
    monkeypatch.setenv("QUIRE_TEST_GDB", "/no/such/gdb")
    process = debug(end=False)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 125 and b"no gdb: /no/such/gdb" in output
