"""How a sandboxed program's run ends, with a real kernel: deaths on purpose (init/crash.h), signals, closed
descriptors."""
import hashlib
import os
import re
import resource
import select
import shlex
import signal
import subprocess
import time

import pytest


@pytest.fixture
def sandbox(house, layout):
    """A function: `quire run` with these words; returns (status, output, errors). `begin` only starts it."""
    def words(words):
        return [os.path.join(house.build, "host", "quire"), "run", "--layout", layout, *words]

    def environment(kernel_words):
        return {**os.environ, "QUIRE_BUILD": house.build, "QUIRE_HOME": house.tree, "QUIRE_KERNEL_WORDS": kernel_words}

    def run(*asked, kernel="", **how):
        how = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 150, **how}
        done = subprocess.run(words(asked), env=environment(kernel), **how)
        return done.returncode, done.stdout, (done.stderr or b"").decode()

    def begin(*asked, kernel="", **how):
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        return subprocess.Popen(words(asked), env=environment(kernel), **how)

    run.begin = begin
    return run


def after_words(way):
    return "busybox", "sh", "-c", f"echo spoken; echo {way} > /proc/quire/crash; echo no"


# ---- The kernel dies --------------------------------------------------------------------

@pytest.mark.parametrize("way,reason",
                         [("panic", r"asked for by the word crash="), ("assert", r"kernel/init/crash\.c:\d+: ")])
@pytest.mark.parametrize("report", [False, True], ids=["", "report"])
def test_a_panic_after_the_program_has_spoken(sandbox, way, reason, report):
    status, output, errors = sandbox(*["--report"] * report, *after_words(way), kernel="crash=allowed")
    lines = errors.splitlines()
    assert (status, output) == (119, b"spoken\n"), errors
    assert re.match(r"quire run: the machine ended before the program did; its last words:$", lines[0])
    assert re.match(r"  \| panic: " + reason, lines[1]), errors
    assert re.search(r"^  \|      [0-9a-f]{8}  crash_by_program\+0x", errors, re.M), errors
    assert ("audit: clean" in errors) == report and lines[-1] == "  |   the machine stops here"


@pytest.mark.parametrize("moment", ["begin", "end"])
def test_a_panic_before_the_program_and_after_it(sandbox, moment):
    status, output, errors = sandbox("--report", "busybox", "echo", "out", kernel=f"crash={moment}:panic")
    assert (status, output) == (119, b"out\n" if moment == "end" else b""), errors
    assert "\n  | panic: asked for by the word crash=" in errors


def test_much_that_was_written_before_a_panic_is_not_lost(sandbox):
    script = "busybox seq 1 20000; echo panic > /proc/quire/crash"
    status, output, _ = sandbox("busybox", "sh", "-c", script, kernel="crash=allowed")
    assert status == 119 and output == b"".join(b"%d\n" % n for n in range(1, 20001))


def test_a_reset_says_so(sandbox):
    status, output, errors = sandbox(*after_words("reset"), kernel="crash=allowed")
    assert (status, output) == (119, b"spoken\n") and "its processor was reset" in errors


@pytest.mark.parametrize("way", ["halt", "hang", "loop"])
def test_a_kernel_that_stands_still_is_dead_and_shows_its_registers(sandbox, way):
    status, output, errors = sandbox("--watchdog", "0.5", *after_words(way), kernel="crash=allowed")
    assert (status, output) == (119, b"spoken\n"), errors
    assert "the machine is dead: for 0.5 s its kernel neither ran a program nor answered" in errors
    assert re.search(r"^  \| EIP=[0-9a-f]{8} .*HLT=%d" % (way == "halt"), errors, re.M), errors


def test_no_program_can_do_that_without_the_word(sandbox):
    status, output, _ = sandbox("busybox", "sh", "-c", "echo panic > /proc/quire/crash || echo refused")
    assert (status, output) == (0, b"refused\n")


# ---- The kernel lives ---------------------------------------------------------------------------

# The program computes for some seconds, and looks at the clock now and then.
COMPUTES = ("end=$(($(busybox date +%s) + 3)); while [ $(busybox date +%s) -lt $end ]; do "
            "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; done")


@pytest.mark.parametrize("what", [COMPUTES, "busybox sleep 2", "read nothing"], ids=["computes", "sleeps", "reads"])
def test_a_silent_program_is_no_dead_machine(sandbox, what):
    end, start = os.pipe()
    process = sandbox.begin("--watchdog", "0.3", "busybox", "sh", "-c", f"echo ready; {what}; echo done", stdin=end)
    os.close(end)
    assert process.stdout.readline() == b"ready\n"
    if what.startswith("read"):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2.5)
    os.close(start)
    output, errors = process.communicate(timeout=100)
    assert (process.returncode, output, errors) == (0, b"done\n", b"")


# ---- Signals ----------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2"])
def test_signals_reach_the_program(sandbox, name):
    script = f"trap 'echo got {name}; exit 9' {name}; echo ready; while :; do busybox sleep 0.1; done"
    process = sandbox.begin("busybox", "sh", "-c", script)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(getattr(signal, "SIG" + name))
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (9, f"got {name}\n".encode(), b"")


@pytest.mark.parametrize("name", ["HUP", "INT", "TERM"])
def test_a_signal_that_is_ignored_at_the_start_stays_ignored(sandbox, name):
    """As under nohup, and for what a shell starts with `&`: many of them do not end the machine either."""
    number  = getattr(signal, "SIG" + name)
    process = sandbox.begin("busybox", "sh", "-c", "echo ready; read line; echo $line; exit 4",
                            stdin=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))
    assert process.stdout.readline() == b"ready\n"
    for _ in range(3):
        process.send_signal(number)
        time.sleep(0.1)
    output, errors = process.communicate(b"still here\n", timeout=60)
    assert (process.returncode, output, errors) == (4, b"still here\n", b"")


def test_a_signal_before_the_program_is_there_ends_it(sandbox):
    """A signal that comes while the machine starts is sent until the program has it, and never ends the machine."""
    process = sandbox.begin("busybox", "sleep", "100")
    process.send_signal(signal.SIGUSR1)             # may come before quire blocks signals
    assert process.wait(60) in (128 + signal.SIGUSR1, -signal.SIGUSR1)


def test_the_second_sigterm_ends_a_program_that_ignores_the_first(sandbox):
    process = sandbox.begin("busybox", "sh", "-c",
                            "trap 'echo no' TERM; echo ready; while :; do busybox sleep 0.1; done")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == b"no\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM


def test_timeout_is_sigterm_and_then_the_end(sandbox):
    begin = time.monotonic()
    status, output, errors = sandbox("--timeout", "4", "busybox", "sh", "-c",
                                    "trap 'echo no' TERM; while :; do busybox sleep 0.1; done")
    assert (status, output) == (124, b"no\n") and "did not end when SIGTERM told it to" in errors
    assert time.monotonic() - begin > 6
    status, output, errors = sandbox("--timeout", "4", "busybox", "sh", "-c",
                                    "trap 'echo yes; exit 3' TERM; while :; do busybox sleep 0.1; done")
    assert (status, output) == (124, b"yes\n") and errors.endswith("quire run: busybox still ran after 4.0 s\n")


# ---- Standard descriptors that are closed -----------------------------------------------

@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
def test_closed_descriptors(sandbox, closed):
    """The program's descriptors: /proc/self/fd of a shell, which writes to a descriptor that is surely open."""
    def close():
        for digit in closed:
            os.close(int(digit))

    end, start = os.pipe()
    script = "bits=100; for n in 0 1 2; do [ -e /proc/$$/fd/$n ] || bits=$((bits + (1 << n))); done; exit $bits"
    status = sandbox.begin("busybox", "sh", "-c", script, stdin=end, stdout=start, stderr=start,
                           preexec_fn=close).wait(60)
    assert status == 100 + sum(1 << int(digit) for digit in closed)


# ---- Children that outlive the program, and process 1 ------------------------------------

def test_what_children_say_after_the_program_has_ended_is_not_lost(sandbox):
    script = "(busybox sleep 0.5; echo late; busybox sleep 0.5; echo later >&2) & echo first; exit 7"
    assert sandbox("busybox", "sh", "-c", script) == (7, b"first\nlate\n", "later\n")
    status, output, errors = sandbox("--report", "busybox", "sh", "-c", script)
    assert (status, output) == (7, b"first\nlate\n") and "audit: clean" in errors
    none = re.search(r"^ +user +\d+ +\d+ KiB +0 ", errors, re.M)
    assert none or not re.search(r"^ +user .* [1-9]\d* +\d+ KiB +private", errors, re.M), errors


def test_children_who_cannot_say_anything_are_not_waited_for(sandbox):
    begin = time.monotonic()
    assert sandbox("busybox", "sh", "-c", "busybox sleep 1000 > /dev/null 2>&1 & exit 4")[0] == 4
    script = "(busybox sleep 0.3; exec > /dev/null 2>&1; busybox sleep 1000) & exit 5"
    assert sandbox("busybox", "sh", "-c", script)[0] == 5
    assert sandbox("--report", "busybox", "sh", "-c", script)[0] == 5
    assert time.monotonic() - begin < 300


def test_what_children_held_who_are_ended_with_the_machine_is_in_no_report(sandbox):
    """Each that ended meanwhile ended the machine as well, and stayed for that: its stack and tables were counted."""
    def stacks(children):
        script = "busybox sleep 1000 < /dev/null > /dev/null 2>&1 & " * children + "busybox sleep 0.3; exit 4"
        status, _, errors = sandbox("--report", "busybox", "sh", "-c", script)
        assert status == 4 and len(re.findall(r"^audit: clean", errors, re.M)) == 1, errors
        return re.search(r"^ +stacks +\d+ +\d+ KiB +(\d+) ", errors, re.M).group(1)
    assert stacks(3) == stacks(0)


def test_who_tells_the_program_to_end_does_not_wait_for_its_children(sandbox):
    process = sandbox.begin("busybox", "sh", "-c", "trap 'exit 6' TERM; busybox sleep 1000 & echo ready; wait")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 6


def test_signals_reach_children_that_outlive_the_program(sandbox):
    script = "(trap 'echo hears; exit' USR1; while :; do echo there; busybox sleep 0.1; done) & exit 3"
    process = sandbox.begin("busybox", "sh", "-c", script)
    assert process.stdout.readline() == b"there\n"
    seen = b""
    while b"hears" not in seen:             # the program has surely ended when its group, without it, is reached
        process.send_signal(signal.SIGUSR1)
        seen = process.stdout.readline()
        if process.poll() is not None:
            break
    process.communicate(timeout=60)
    assert process.returncode in (3, 128 + signal.SIGUSR1)


def test_process_1_is_the_parent_and_hears_nothing(sandbox):
    script = ("echo $$ $PPID; cat /proc/1/comm; busybox grep -c . /proc/1/maps; busybox grep State /proc/1/status;"
              "kill -9 1; kill -TERM 1; kill -0 1 && (exec busybox sleep 0.1 &); busybox sleep 0.5; ls -d /proc/[0-9]*")
    status, output, _ = sandbox("busybox", "sh", "-c", script)
    words = output.decode().split("\n")
    assert words[:4] == ["2 1", "init", "0", "State:\tS (sleeping)"], words
    assert words[4:6] == ["/proc/1", "/proc/2"] and len(words) == 7, "an orphan is no zombie"


def test_strangers_are_not_the_programs_children(sandbox, tmp_path):
    """A grandchild whose parent has ended is process 1's: wait() says ECHILD (10)."""
    source = """
static int call(int n, int a, int b, int c)
{
    int r;
    __asm__ volatile("int $0x80" : "=a"(r) : "0"(n), "b"(a), "c"(b), "d"(c) : "memory");
    return r;
}
void _start(void)
{
    struct { int s, n; } nap = { 0, 300000000 };
    int child = call(2, 0, 0, 0);
    if (child == 0) { if (call(2, 0, 0, 0) == 0) { call(162, (int)&nap, 0, 0); call(1, 7, 0, 0); } call(1, 0, 0, 0); }
    call(7, child, 0, 0);
    call(1, -call(7, -1, 0, 0), 0, 0);
}"""
    program = str(tmp_path / "orphan")
    subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-fno-stack-protector", "-w", "-x",
                    "c", "-", "-o", program], input=source.encode(), check=True)
    assert sandbox(program)[0] == 10


# ---- Input that is shared with others ----------------------------------------------------

IN_TURN = ["busybox dd bs=1 count=4", "busybox sh -c 'read line; echo $line'", "busybox dd bs=5 count=1",
           "busybox true", "busybox sh -c 'busybox dd bs=2 count=1; busybox dd bs=3 count=1'",
           "busybox sh -c 'read -n 3 x; echo $x'"]


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_programs_in_turn_read_what_they_would_read_here(sandbox, kind, tmp_path):
    """Each reader takes a known part: dd as many bytes as it is told, a shell one line."""
    text = b"".join(b"%04d line\n" % n for n in range(100))
    (tmp_path / "input").write_bytes(text)
    if kind == "file":
        end = os.open(tmp_path / "input", os.O_RDONLY)
    else:
        end, start = os.pipe()
        os.write(start, text)
        os.close(start)
    taken = [4, 6, 5, 0, 5, 3]          # the second reads to the end of the first line
    at = 0
    for words, count in zip(IN_TURN, taken):
        status, output, _ = sandbox(*shlex.split(words), stdin=end, capture_output=False, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        assert status == 0 and output.strip() == text[at:at + count].strip(), (words, output)
        at += count
    assert os.read(end, 1 << 20) == text[at:]


@pytest.mark.parametrize("kind", ["folder", "written"])
def test_input_that_cannot_be_read_is_no_end_of_input(sandbox, kind, tmp_path):
    """It was as if there were no bytes: whoever copies them would believe that they have all."""
    path  = tmp_path if kind == "folder" else tmp_path / "file"
    flags = os.O_RDONLY | os.O_DIRECTORY if kind == "folder" else os.O_WRONLY | os.O_CREAT
    which = os.open(path, flags, 0o600)
    try:
        status, output, errors = sandbox("busybox", "cat", stdin=which)
    finally:
        os.close(which)
    said = {"folder": "Is a directory", "written": "Bad file descriptor"}[kind]
    assert (status, output, errors) == (1, b"", f"cat: read error: {said}\n")


@pytest.mark.parametrize("most", [8, 16])
def test_too_few_descriptors_are_said_to_be_that(sandbox, most):
    """Not that a program or a kernel is missing, which could not be opened."""
    status, output, errors = sandbox(
        "busybox", "true", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
    assert (status, output) == (125, b""), errors
    assert re.fullmatch(r"quire run: 16 more files must be open at a time, \d+ may be \(`ulimit -n`\)\n", errors), \
        errors


def test_a_loop_that_reads_lines_leaves_the_rest(sandbox):
    end, start = os.pipe()
    os.write(start, b"one\ntwo\nstop\nthree\nfo")
    script = "while read line; do echo got $line; [ $line = stop ] && exit; done"
    status, output, _ = sandbox("busybox", "sh", "-c", script, stdin=end, capture_output=False, stdout=subprocess.PIPE)
    assert (status, output) == (0, b"got one\ngot two\ngot stop\n")
    assert os.read(end, 100) == b"three\nfo"


def test_much_input_arrives_whole(sandbox):
    text = b"".join(b"%d\n" % n for n in range(500_000))
    end, start = os.pipe()
    process = sandbox.begin("busybox", "md5sum", stdin=end)
    os.close(end)
    with open(start, "wb") as file:
        file.write(text)
    assert process.communicate(timeout=100)[0].split()[0].decode() == hashlib.md5(text).hexdigest()


def test_input_that_is_interrupted_is_not_lost(sandbox):
    """A read is interrupted by a signal while nothing is there; what comes later is for later reads.

    A signal that comes between the shell's last look at its traps and the read is only noted, so the read goes on
    waiting, as it would on any system: the signal is sent until one of them finds the shell reading."""
    end, start = os.pipe()
    script = "trap 'echo usr1; exit 0' USR1; echo ready; read line"
    process = sandbox.begin("busybox", "sh", "-c", script, stdin=end)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGUSR1)
    while not select.select([process.stdout], [], [], 1)[0]:
        process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == b"usr1\n"
    os.write(start, b"later\n")
    assert process.wait(60) == 0
    assert os.read(end, 100) == b"later\n"
