"""`quire run` on the host's side, with a guest made of a few lines of Python in QEMU's place.

What a kernel cannot be made to do on demand is done here: output torn into single bytes,
a panic in the middle of a line, a guest that is deaf to Ctrl-C, an old QEMU.
"""
import fcntl
import hashlib
import json
import os
import pty
import random
import signal
import stat
import subprocess
import termios
import time

import pexpect
import pytest

import newc

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = 4096
START = "void _start(void) { __asm__ volatile(\"int $0x80\" :: \"a\"(1), \"b\"(0)); }"


def compile_i386(path, source=START, *flags):
    """A program or library for i386 that needs no C library; returns its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["gcc", "-m32", "-nostdlib", "-fno-pic", "-fno-stack-protector", "-w", "-x", "c", "-", "-x", "none",
                    "-o", path, "-no-pie", *flags], input=source.encode(), check=True)
    return path


class Run:
    """A place with a program, a root, and a build folder that has a kernel (which nobody boots)."""

    def __init__(self, folder, command):
        self.folder, self.command = str(folder), command
        self.root = os.path.join(self.folder, "root")
        self.notes = os.path.join(self.folder, "notes")
        os.makedirs(os.path.join(self.folder, "build", "quire"))
        os.makedirs(self.root)
        for kernel in ("kernel.elf", "kernel-pvh.elf"):
            open(os.path.join(self.folder, "build", "quire", kernel), "wb").close()
        self.program = compile_i386(os.path.join(self.folder, "program"), START, "-static")

    def environment(self, guest):
        return {**os.environ, "QUIRE_BUILD": os.path.join(self.folder, "build"), "FAKE_GUEST": guest,
                "QUIRE_QEMU": os.path.join(HERE, "fake_guest.py"), "FAKE_NOTES": self.notes,
                "PYTHONDONTWRITEBYTECODE": "1"}

    def words(self, words):
        return [self.command, "run", "--root", self.root, *(words or [self.program])]

    def __call__(self, guest, *words, input=b"", **environment):
        """Run it; returns (exit status, output, errors)."""
        done = subprocess.run(self.words(words), input=input, cwd=self.folder, timeout=60, capture_output=True,
                              env={**self.environment(guest), **environment})
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def begin(self, guest, *words, **how):
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        return subprocess.Popen(self.words(words), cwd=self.folder, env=self.environment(guest), **how)

    def archive(self, *words):
        """The archive that `quire run` makes of these words: entries by path, and the order of names."""
        status, output, errors = self("archive", *words)
        assert status == 0, errors
        return newc.read(output)

    def machine_pid(self):
        with open(self.notes) as notes:
            return json.load(notes)["pid"]

    def argv(self):
        with open(self.notes) as notes:
            return json.load(notes)["argv"]

    def write(self, name, content, mode=0o644):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path


@pytest.fixture
def run(tmp_path, house):
    return Run(tmp_path, os.path.join(house.build, "host", "quire"))


def comes_about(holds, patience=20):
    """True as soon as it holds; it is looked at again and again."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def state_of(pid):
    """A process's letter: a zombie's where there is none any more."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


def becomes(pid, state):
    return comes_about(lambda: state_of(pid) == state)


def is_gone(pid):
    return becomes(pid, "Z")


# ---- Streams and the exit status --------------------------------------------------------

def test_arguments_arrive_and_output_returns(run):
    assert run("echo", run.program, "one", "two words", "", "--file") == (0, b"one two words  --file\n", "")


def test_exit_status_is_the_programs(run):
    assert [run(f"exit {n}")[0] for n in (0, 1, 77, 255)] == [0, 1, 77, 255]


def test_killed_by_a_signal_is_128_and_its_number(run):
    assert [run(f"killed {n}")[0] for n in (11, 9, 15)] == [139, 137, 143]


def test_input_and_output_are_binary_safe(run):
    content = os.urandom(300_000) + bytes(range(256)) * 5
    for credit in (997, 70_000, 1 << 20):
        status, output, _ = run(f"cat {credit}", input=content)
        assert status == 0 and output == content, credit


def test_input_never_exceeds_what_the_guest_wants(run):
    """fake_guest exits with 99 when it gets one byte more than it asked for."""
    assert run("cat 3", input=b"x" * 1000)[:2] == (0, b"x" * 1000)


def test_each_answer_is_to_a_question(run):
    """At most as much as was asked for, once for each; what is left stays where it was."""
    end, start = os.pipe()
    process = run.begin("asks n5 w4 l0 n3 n100 n1 w2", stdin=end)
    assert process.stdout.readline() == b"state 0\n"
    os.write(start, b"abcdefghij")
    assert [process.stdout.readline() for _ in range(4)] == [b"input abcd\n", b"state 1\n", b"input efg\n",
                                                             b"input hij\n"]
    assert process.stdout.readline() == b"state 0\n"
    os.write(start, b"klmn")
    assert process.stdout.readline() == b"input kl\n" and process.wait(20) == 0
    assert os.read(end, 100) == b"mn"


def test_an_end_is_told_each_time(run):
    assert run("asks l0 w5 l0 n5 w5")[1] == b"state 2\ninput \nstate 2\ninput \ninput \n"
    with open("/dev/null") as null:
        assert run.begin("asks l0 w5 n5", stdin=null).communicate(timeout=30)[0] == b"state 1\ninput \ninput \n"


def test_what_is_taken_back_is_not_read(run):
    end, start = os.pipe()
    process = run.begin("take_back 5", stdin=end)
    assert process.stdout.readline() == b"20 \0\n"
    os.write(start, b"abc")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.kill()
    process.wait()
    assert os.read(end, 100) == b"abc"


def test_a_file_that_is_shared_is_left_where_the_program_stopped(run):
    path = run.write("shared", b"0123456789" * 1000)
    with open(path, "rb", buffering=0) as file:
        for _ in range(3):
            assert run.begin("asks w7 n1", stdin=file).wait(20) == 0
        assert file.tell() == 24


def test_output_and_errors_stay_apart(run):
    everything = bytes(range(256))
    done = subprocess.run(run.words([]), cwd=run.folder, env=run.environment("both"), capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, everything * 50, everything[::-1] * 50)


def test_a_frame_may_come_in_single_bytes(run):
    assert run("bytewise")[:2] == (0, b"slow\n")


def test_much_output_for_a_slow_reader(run):
    """The guest waits while nobody reads; nothing is lost, and quire keeps nothing in store."""
    process = run.begin("flood 200")
    assert comes_about(lambda: os.path.exists(run.notes + ".stuck"))
    with open(f"/proc/{process.pid}/status") as file:
        resident = int(next(line for line in file if line.startswith("VmRSS")).split()[1])
    output = process.stdout.read()
    block = bytes(i * 7 & 255 for i in range(65535))
    assert process.wait(30) == 0
    assert hashlib.sha256(output).digest() == hashlib.sha256(block * 200).digest()
    assert resident < 12_000, "KiB"


def test_output_to_a_file_is_appended_where_the_shell_left_off(run):
    path = os.path.join(run.folder, "out")
    subprocess.run(["sh", "-c", "(echo before; \"$0\" \"$@\"; echo after) > " + path, *run.words([run.program, "a"])],
                   env=run.environment("echo"), check=True)
    with open(path) as file:
        assert file.read() == "before\na\nafter\n"


def test_a_reader_that_goes_away_is_sigpipe(run):
    process = run.begin("yes")
    assert process.stdout.read(4) == b"y\ny\n"
    process.stdout.close()
    assert process.wait(20) == 128 + signal.SIGPIPE


def test_our_own_output_stays_blocking(run):
    """O_NONBLOCK on a pipe shared with others would break them."""
    end, start = os.pipe()
    process = run.begin("wait_for_signal", stdout=start)
    os.read(end, 6)
    assert os.get_blocking(start)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


def test_full_disk_is_said(run):
    with open("/dev/full", "wb") as full:
        process = run.begin("echo", stdout=full)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 125 and b"standard output: No space left" in errors


def test_report_goes_to_standard_error_and_the_log_only_when_asked(run):
    assert run("report", "--report", run.program) == (0, b"out\n", "frames: all\n")
    assert "a word of the kernel" in run("report", "-v", run.program)[2]


def test_report_goes_into_a_file_that_is_named(run):
    path = os.path.join(run.folder, "report")
    assert run("report", f"--report={path}", run.program) == (0, b"out\n", "")
    assert open(path).read() == "frames: all\n"
    status, _, errors = run("report", "--report=/no/such/folder/report", run.program)
    assert status == 125 and "--report=/no/such/folder/report: No such file" in one_line(errors)


REPORT = b"""memory by owner    at the peak             at the end
  free            3264     13056 KiB        3289     13156 KiB   in the pool, or at hand in a CPU's magazine
  sum             3999     15996 KiB        3999     15996 KiB   all RAM, at both times
page faults
         12  zero
          6  copy-object
system calls that are not there: name, number, times asked for
  rseq (386) 2
paths that were looked for and not found: times, path
          3  /a path with spaces \x1b[31m \xff
  and 17 paths more
signal 11 at instruction 0x080496e7
audit: F3 frame 7 has no owner
audit: S1 the "tables" differ
"""


def report_of(run, lines, word="json"):
    path = os.path.join(run.folder, "lines")
    with open(path, "wb") as file:
        file.write(lines)
    return run(f"report_of {path}", f"--report={word}", run.program)


def test_report_as_a_structure(run):
    status, _, errors = report_of(run, REPORT)
    said = json.loads(errors)
    assert status == said.pop("status") == 7 and said.pop("program") == [run.program]
    assert said == {
        "memory": {"free": {"peak": {"frames": 3264, "kib": 13056}, "end": {"frames": 3289, "kib": 13156},
                            "purpose": "in the pool, or at hand in a CPU's magazine"},
                   "sum": {"peak": {"frames": 3999, "kib": 15996}, "end": {"frames": 3999, "kib": 15996},
                           "purpose": "all RAM, at both times"}},
        "faults": {"zero": 12, "copy-object": 6},
        "calls": [{"name": "rseq", "number": 386, "times": 2}],
        "paths": [{"path": "/a path with spaces ^[[31m \\xff", "times": 3}], "paths_more": 17,
        "audit": {"clean": False, "failures": [{"invariant": "F3", "what": "frame 7 has no owner"},
                                               {"invariant": "S1", "what": 'the "tables" differ'}]},
        "words": ["signal 11 at instruction 0x080496e7"]}
    assert json.loads(report_of(run, b"audit: clean, 47548 checks\n")[2])["audit"] == {"clean": True, "checks": 47548}


def test_report_as_a_structure_in_a_file(run):
    path = os.path.join(run.folder, "report.json")
    assert report_of(run, REPORT, path) == (7, b"", "")
    assert json.load(open(path))["paths_more"] == 17
    status, _, errors = report_of(run, REPORT, "/no/such/folder/report.json")
    assert status == 125 and "--report=/no/such/folder/report.json: No such file" in one_line(errors)


def test_report_of_a_hostile_guest_is_a_structure_all_the_same(run):
    """Lines cut, doubled, changed and joined: what is no report's line is in `words`, and the result is JSON always."""
    chance = random.Random(7)
    for _ in range(12):
        lines = bytearray(REPORT * chance.randrange(1, 20))
        for _ in range(chance.randrange(1, 60)):
            at = chance.randrange(len(lines))
            lines[at:at + chance.randrange(4)] = chance.choice([b"", b"\0", b"\n", b"\xff\xfe", b'"', b"\\",
                                                                b"9" * 30, b"%n"])
        said = json.loads(report_of(run, bytes(lines))[2])
        assert said["status"] == 7 and isinstance(said["words"], list)


# ---- Every way out ----------------------------------------------------------------------

def test_ctrl_c_goes_to_the_program_first(run):
    process = run.begin("wait_for_signal")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 128 + signal.SIGINT
    assert is_gone(run.machine_pid())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_goes_to_the_program_first_and_the_second_ends_the_machine(run, number):
    process = run.begin("signals 0")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    assert process.stdout.readline() == b"signal %d for program\n" % number
    process.send_signal(number)
    assert process.wait(20) == -number
    assert is_gone(run.machine_pid())


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT])
def test_signals_that_end_nothing_are_passed_on_each_time(run, number):
    process = run.begin("signals 15")
    assert process.stdout.readline() == b"ready\n"
    for _ in range(3):
        process.send_signal(number)
        assert process.stdout.readline() == b"signal %d for program\n" % number
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM


def test_timeout_of_coreutils_ends_the_program_as_it_would_here(run):
    """It signals us, and then its group, of which we are: the same signal twice, which must not cost the program its
    end."""
    done = subprocess.run(["timeout", "3", *run.words([])], env=run.environment("signals 15"), cwd=run.folder,
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 124 and b"signal 15 for program\n" in done.stdout, done


def test_a_terminals_signal_is_for_the_group(run):
    master, slave = pty.openpty()
    process = run.begin("signals 2", stdin=slave,
                        preexec_fn=lambda: (os.setsid(), fcntl.ioctl(slave, termios.TIOCSCTTY, 0)))
    assert process.stdout.readline() == b"ready\n"
    os.write(master, b"\x03")
    assert process.stdout.readline() == b"signal 2 for group\n"
    assert process.wait(20) == 128 + signal.SIGINT


def test_ctrl_z_stops_the_machine_too(run):
    process = run.begin("signals 15")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTSTP)
    assert becomes(process.pid, "T") and becomes(run.machine_pid(), "T")
    process.send_signal(signal.SIGCONT)
    assert process.stdout.readline() == b"signal 18 for program\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_no_machine_outlives_quire(run, number):
    process = run.begin("deaf")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    assert process.wait(20) == -number
    assert is_gone(run.machine_pid())


def test_no_files_are_left_behind(run):
    temporary = os.path.join(run.folder, "tmp")
    os.mkdir(temporary)
    for guest in ("echo", "panic", "exit 3"):
        run(guest, TMPDIR=temporary)
    process = run.begin("deaf")
    process.stdout.readline()
    process.kill()
    process.wait()
    assert os.listdir(temporary) == []
    assert sorted(os.listdir(run.folder)) == ["build", "notes", "program", "root", "tmp"]


def test_timeout(run):
    """Time enough for the guest to be ready first, however busy this machine is."""
    begin = time.monotonic()
    status, output, errors = run("deaf", "--timeout", "3", run.program)
    assert (status, output) == (124, b"ready\n") and "still ran after 3.0 s" in errors
    assert "did not end when SIGTERM told it to" in errors
    assert 4.9 < time.monotonic() - begin < 30
    assert is_gone(run.machine_pid())


def test_timeout_gives_the_program_a_chance_to_end(run):
    status, output, errors = run("signals 15", "--timeout", "3", run.program)
    assert (status, output) == (124, b"ready\nsignal 15 for group\n") and "still ran after 3.0 s\n" in one_line(errors)


def test_timeout_before_the_program_shows_what_the_kernel_said(run):
    status, _, errors = run("stuck", "--timeout", "3", run.program)
    assert status == 124 and "waiting for something" in errors


def test_timeout_also_while_nobody_reads(run):
    """The output pipe is full, and the time is over: waiting for a reader must not win."""
    process = run.begin("flood 1000", "--timeout", "1", run.program)
    assert process.wait(20) == 124


def test_panic_shows_the_kernels_last_words(run):
    status, output, errors = run("panic")
    assert (status, output) == (119, b"half a li")
    assert "the machine ended before the program did" in errors
    assert "panic: the page table is on fire" in errors


def test_nonsense_and_torn_frames_are_a_dead_machine(run):
    assert run("nonsense")[0] == 119
    assert run("torn")[0] == 119


# ---- A guest that is not to be trusted ---------------------------------------------------

def peak(pid):
    """Most memory that a process ever had, in KiB."""
    with open(f"/proc/{pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def only_visible(errors):
    return all(letter in "\n\t" or letter.isprintable() for letter in errors)


def test_panics_words_are_whole_and_first_however_much_surrounds_them(run):
    status, _, errors = run("serial_flood panic")
    lines = errors.splitlines()
    assert status == 119 and lines[1] == "  | panic: ^[]0;title^Gthe end", errors[:300]
    assert "  | before" not in lines and len(errors) < 200_000


def test_what_a_kernel_says_cannot_command_a_terminal(run):
    status, _, errors = run("serial_flood on")
    assert status == 119 and only_visible(errors), errors[:300]
    assert errors.splitlines()[-1] == "  | after \\x9b31m\\xc2\\x9bm \\xe2\\x80\\xae grün"
    assert len(errors.splitlines()) == 41


@pytest.mark.parametrize("kind", [5, 6], ids=["report", "log"])
def test_reports_and_logs_cannot_command_a_terminal(run, kind):
    status, _, errors = run(f"frame {kind} 1b5b324a0d41c29b0a7f", "-v", "--timeout", "1", run.program)
    assert status == 124 and "^[[2J^MA\\xc2\\x9b\n^?" in errors and only_visible(errors), errors


def test_the_programs_own_words_are_left_alone(run):
    assert run("frame 2 1b5b324a0d9b", "--timeout", "1", run.program)[2].startswith("\x1b[2J\r")


def test_reports_without_end_are_cut(run):
    process = run.begin("without_end 5 30", "--report", run.program)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and len(errors) < 20_000_000
    assert errors.endswith(b"the machine reports without end; the rest is left out\n")


@pytest.mark.parametrize("kind", [1, 2, 5, 6])
def test_nothing_that_comes_without_end_is_kept(run, kind):
    with open(run.folder + "/errors", "wb") as errors:
        process = run.begin(f"without_end {kind} 60", "-v", run.program, stderr=errors)
        most = 0
        while part := process.stdout.read1(1 << 20):
            most = max(most, len(part) and peak(process.pid))
        assert process.wait(60) == 0
    assert most < 12_000, "KiB"


def test_a_guest_that_takes_nothing_is_told_once_that_its_reader_is_gone(run):
    process = run.begin("never_reads 500")
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(60) == 0


@pytest.mark.parametrize("frame",
                         ["4 0000000000", "4 0000000000000000000000", "4 0100000000000000", "4 0100000080000000",
                                   "4 0100000041000000", "4 0200000000000000", "4 0300000001000000", "3 01",
                                   "3 0100000004", "9", "0", "7 6d6170"])
def test_ends_that_cannot_be_are_no_status(run, frame):
    """Killed by signal 128 would be status 0; a snapshot that nobody ordered is none."""
    assert run("frame " + frame)[0] == 119


def test_the_machine_gets_the_descriptors_it_needs_and_no_others(run):
    with open(run.folder + "/secret", "wb") as secret:
        os.dup2(secret.fileno(), 77)
        status, output, _ = run("descriptors")
        done = subprocess.run(run.words([]), env=run.environment("descriptors"), capture_output=True, pass_fds=[77])
    names = [line.split()[1] for line in done.stdout.decode().splitlines() if "/fd" not in line
             and not line.endswith("/notes")]
    assert status == 0 and "secret" not in done.stdout.decode(), done.stdout
    assert sum(name.startswith("socket:") for name in names) == 3 and sum("memfd:" in name
                                                                          for name in names) == 1, names
    assert names[:2] == ["/dev/null", "/dev/null"] and names[2].startswith("pipe:"), names


def test_qemu_filters_its_own_system_calls_where_it_can(run):
    run("echo")
    argv = run.argv()
    assert argv[argv.index("-sandbox") + 1] == "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
    assert run("no_sandbox") == (0, b"no sandbox\n", "")
    assert "no sandbox of its own" in run("no_sandbox", "-v", run.program)[2]


# ---- The watchdog -----------------------------------------------------------------------

def test_a_machine_that_sleeps_and_does_not_answer_is_dead(run):
    status, output, errors = run("deaf", "--watchdog", "0.5", run.program)
    assert (status, output) == (119, b"ready\n") and "the machine is dead: for 0.5 s its kernel" in errors, errors
    assert is_gone(run.machine_pid())


def test_a_machine_that_computes_and_does_not_answer_is_dead(run):
    status, output, errors = run("computes 30", "--watchdog", "0.5", run.program)
    assert (status, output) == (119, b"ready\n") and "the machine is dead" in errors


def test_a_machine_that_answers_lives(run):
    assert run("answers 12", "--watchdog", "0.4", run.program)[:2] == (0, b"")


def test_nobody_watches_when_told_so(run):
    assert run("deaf", "--watchdog", "0", "--timeout", "3", run.program)[0] == 124


def test_a_stopped_machine_is_not_dead(run):
    """Nothing is counted while it cannot answer: it goes on, and answers nothing for the rest of the time."""
    process = run.begin("computes 0.6", "--watchdog", "1.5", run.program)
    assert process.stdout.readline() == b"ready\n"
    os.kill(run.machine_pid(), signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(4)
    os.kill(run.machine_pid(), signal.SIGCONT)
    assert process.wait(20) == 0


# ---- Standard descriptors that are closed -----------------------------------------------

@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
def test_closed_descriptors_are_closed_for_the_program_and_null_for_us(run, closed):
    def close():
        for digit in closed:
            os.close(int(digit))

    path = run.folder + "/options"
    script = run.write("save", f"#!/bin/sh\nexec {HERE}/fake_guest.py \"$@\"\n", 0o755)
    done = subprocess.run(run.words([]), env={**run.environment(f"save_options {path}"), "QUIRE_QEMU": script},
                          preexec_fn=close, cwd=run.folder, timeout=30)
    assert done.returncode == 5
    assert f"closed {closed}\n" in open(path).read()


# ---- What cannot be run, one line and one status each -----------------------------------

def one_line(errors):
    assert errors.startswith("quire run: ") and errors.count("\n") == 1, errors
    return errors


def test_not_found(run):
    status, _, errors = run("echo", "no-such-program")
    assert status == 127 and "no program `no-such-program`" in one_line(errors)
    assert run("echo", "./no/such")[0] == 127
    assert run("echo", run.folder)[0] == 127


def test_wrong_machine(run):
    status, _, errors = run("echo", "/bin/true")
    assert status == 126 and "is a program for x86-64; Quire runs those for i386" in one_line(errors)


def test_no_program_at_all(run):
    status, _, errors = run("echo", run.write("text", "hello\n", 0o755))
    assert status == 126 and "neither ELF nor a script" in one_line(errors)
    with open(run.program, "rb") as file:
        whole = file.read()
    for size in (5, 20, 52, 60, 100):
        status, _, errors = run("echo", run.write("cut", whole[:size], 0o755))
        assert status == 126, one_line(errors)


def test_damaged_programs_are_refused_or_packed_but_never_crash_us(run):
    """Single bytes of a dynamic program's headers and tables, each set to something else."""
    library = compile_i386(run.root + "/lib/libone.so", "int one;", "-shared", "-Wl,-soname,libone.so")
    compile_i386(run.root + "/lib/ld-linux.so.2", START, "-static")
    program = compile_i386(run.folder + "/needs", "extern int one; int *p = &one;" + START, library,
                           "-Wl,--dynamic-linker=/lib/ld-linux.so.2")
    with open(program, "rb") as file:
        whole = bytearray(file.read())
    dynamic = whole.find(b"libone.so") // 16 * 16
    places = [*range(4, 52), *range(52, 52 + 32 * 8, 3), *range(dynamic, dynamic + 64, 5)]
    outcomes = set()
    for turn, place in enumerate(places):
        damaged = bytearray(whole)
        damaged[place] = (0xFF, 0x80, whole[place] ^ 1)[turn % 3]
        outcomes.add(run("echo", run.write("damaged", bytes(damaged), 0o755), QUIRE_QEMU="false")[0])
    assert outcomes <= {122, 123, 126} and {122, 126} <= outcomes, outcomes


def test_not_executable(run):
    os.chmod(run.program, 0o644)
    status, _, errors = run("echo")
    assert status == 126 and "not executable" in one_line(errors)


def test_missing_library_and_loader_are_named_with_who_needs_them(run):
    library = compile_i386(run.folder + "/lib/libgone.so", "int gone;", "-shared", "-Wl,-soname,libgone.so.3")
    program = compile_i386(run.folder + "/needs", "extern int gone; int *p = &gone;" + START, library,
                           "-Wl,--dynamic-linker=/lib/loader.so")
    status, _, errors = run("echo", program)
    assert status == 123 and "/lib/loader.so" in one_line(errors) and program in errors
    compile_i386(run.root + "/lib/loader.so", START, "-static")
    status, _, errors = run("echo", program)
    assert status == 123 and "libgone.so.3" in one_line(errors) and program in errors


def test_no_emulator(run):
    status, _, errors = run("echo", QUIRE_QEMU="/no/such/qemu")
    assert status == 122 and "/no/such/qemu" in one_line(errors)
    status, _, errors = run("echo", QUIRE_QEMU="false")
    assert status == 122 and "refuses" in errors


def test_no_kernel(run):
    status, _, errors = run("echo", "--layout", "other", run.program)
    assert status == 121 and "make LAYOUT=other kernel" in one_line(errors)


def test_too_little_memory(run):
    status, _, errors = run("refuse", "-m", "1M", run.program)
    assert status == 120 and "at least 1024 KiB needed" in one_line(errors)
    assert run("too_large")[0] == 120
    big = run.write("big", b"x" * (3 << 20))
    status, _, errors = run("echo", "-m", "3M", "--file", big, run.program)
    assert status == 120 and "too little memory" in one_line(errors)


def test_the_guest_cannot_start_it(run):
    assert [run(f"not_started {n}")[0] for n in (2, 8, 12, 13)] == [127, 126, 120, 126]
    assert "Quire cannot start" in one_line(run("not_started 8")[2])


def test_wrong_use_is_125(run):
    for words in ([], ["--timeout", "soon", "x"], ["-m", "0", "x"], ["-m", "12Q", "x"], ["--no-such", "x"],
                  ["--machine", "toaster", "x"], ["--env", "=x", "y"], ["--file", "/no/such", run.program],
                  ["--root", "/no/such", run.program]):
        done = subprocess.run([run.command, "run", *words], capture_output=True, env=run.environment("echo"))
        assert done.returncode == 125 and done.stderr.startswith(b"quire run: "), words


def test_quire_alone_lists_its_commands_and_says_its_version(run):
    for words in [[], ["--help"]]:
        done = subprocess.run([run.command, *words], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", done
        for command in ("run", "shell", "debug", "map", "image", "layout"):
            assert f"\n  {command} " in done.stdout
    done = subprocess.run([run.command, "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("quire ") and done.stderr == ""
    done = subprocess.run([run.command, "--no-such-option"], capture_output=True, text=True)
    assert done.returncode == 2 and "no-such-option" in done.stderr and done.stdout == ""


def test_old_qemu_gets_the_other_machine(run):
    status, output, errors = run("machine")
    assert (status, output, errors) == (0, b"pc\n", "")
    assert "trying a pc" in run("machine", "-v", run.program)[2]
    assert run("machine", "--machine", "microvm", run.program)[0] == 122


# ---- What is in the archive -------------------------------------------------------------

def test_orders_for_the_kernel(run):
    files, _ = run.archive("--env", "A=1", "--env", "PATH=/x", "--env", "EMPTY=", "--report", run.program, "x", "")
    assert files[".quire/arguments"].content == run.program.encode() + b"\0x\0\0"
    variables = files[".quire/environment"].content.split(b"\0")
    assert set(variables) == {b"PATH=/x", b"HOME=/root", b"A=1", b"EMPTY=", b""}
    assert files[".quire/options"].content == b"report\ndirectory " + run.folder.encode() + b"\n"
    assert stat.S_ISDIR(files[run.folder[1:]].mode)


def test_contents_modes_times_and_parents(run):
    path = run.write("data/deep/file.bin", os.urandom(5000), 0o640)
    os.utime(path, (1, 1_000_000_000))
    files, names = run.archive("--file", path + ":/srv/data/file", "--file", "data/deep", run.program)
    with open(path, "rb") as file:
        content = file.read()
    assert files["srv/data/file"].content == content
    assert stat.S_IMODE(files["srv/data/file"].mode) == 0o640
    assert files["srv/data/file"].time == 1_000_000_000
    assert files[run.folder[1:] + "/data/deep/file.bin"].content == content
    assert stat.S_IMODE(files["tmp"].mode) == 0o1777
    for name in names:
        parent = os.path.dirname(name)
        assert not parent or parent == ".quire" or names.index(parent) < names.index(name), name


def test_files_of_a_page_or_more_begin_at_a_page(run):
    words = []
    for size in (1, 4095, 4096, 4097, 10_000, 123_457):
        for turn in range(3):
            words += ["--file", run.write(f"{'n' * turn}{size}", os.urandom(size)) + f":/f/{'n' * turn}{size}"]
    files, _ = run.archive(*words, run.program)
    large = [name for name, entry in files.items()
             if stat.S_ISREG(entry.mode) and entry.size >= PAGE and not name.startswith(".quire/")]
    assert len(large) >= 13
    assert [name for name in large if files[name].offset % PAGE] == []


def test_links_and_folders_of_a_tree(run):
    run.write("tree/a/file", "x")
    os.symlink("a/file", run.folder + "/tree/link")
    os.symlink("/nowhere", run.folder + "/tree/dangling")
    os.mkfifo(run.folder + "/tree/pipe")
    os.mkdir(run.folder + "/tree/empty", 0o711)
    files, _ = run.archive("--file", "tree:/t", run.program)
    assert files["t/link"].content == b"a/file" and stat.S_ISLNK(files["t/link"].mode)
    assert files["t/dangling"].content == b"/nowhere"
    assert stat.S_IMODE(files["t/empty"].mode) == 0o711 and stat.S_ISDIR(files["t/empty"].mode)
    assert "t/pipe" not in files and files["t/a/file"].content == b"x"


def test_program_from_the_root_comes_with_its_links(run):
    compile_i386(run.root + "/usr/bin/real-1.2", START, "-static")
    os.symlink("/etc/alternatives/tool", run.root + "/usr/bin/tool")
    os.makedirs(run.root + "/etc/alternatives")
    os.symlink("../../usr/bin/real-1.2", run.root + "/etc/alternatives/tool")
    files, _ = run.archive("tool")
    assert files[".quire/arguments"].content == b"/usr/bin/tool\0"
    assert files["usr/bin/tool"].content == b"/etc/alternatives/tool"
    assert files["etc/alternatives/tool"].content == b"../../usr/bin/real-1.2"
    assert files["usr/bin/real-1.2"].size > 0


def test_links_cannot_lead_out_of_the_root_or_round_in_circles(run):
    os.makedirs(run.root + "/bin")
    os.symlink("../../../../../../bin/true", run.root + "/bin/escape")
    os.symlink("ring", run.root + "/bin/ring")
    assert run("echo", "escape")[0] == 127
    assert run("echo", "ring")[0] == 127


def test_libraries_are_found_as_the_loader_would(run):
    """needs -> libone (default folder) -> libtwo (RUNPATH with $ORIGIN) -> libone again."""
    two = compile_i386(run.root + "/opt/private/libtwo.so", "int two;", "-shared", "-Wl,-soname,libtwo.so")
    one = compile_i386(run.root + "/usr/lib/i386-linux-gnu/libone.so.1.0", "extern int two; int *one = &two;",
                       "-shared", "-Wl,-soname,libone.so.1", two, "-Wl,--enable-new-dtags",
                       "-Wl,-rpath,$ORIGIN/../../../opt/private")
    os.symlink("libone.so.1.0", run.root + "/usr/lib/i386-linux-gnu/libone.so.1")
    os.makedirs(run.root + "/lib/i386-linux-gnu")
    os.symlink("/bin/true", run.root + "/lib/i386-linux-gnu/libone.so.1")      # of the wrong kind: passed over
    compile_i386(run.root + "/lib/ld-linux.so.2", START, "-static")
    program = compile_i386(run.folder + "/needs", "extern int *one; int **p = &one;" + START, one,
                           "-Wl,--dynamic-linker=/lib/ld-linux.so.2", "-Wl,--unresolved-symbols=ignore-all")
    files, _ = run.archive(program)
    assert files["usr/lib/i386-linux-gnu/libone.so.1"].content == b"libone.so.1.0"
    assert {"usr/lib/i386-linux-gnu/libone.so.1.0", "opt/private/libtwo.so", "lib/ld-linux.so.2"} <= set(files)
    assert "bin/true" not in files


def test_scripts_bring_their_interpreters(run):
    compile_i386(run.root + "/bin/interpreter", START, "-static")
    compile_i386(run.root + "/usr/bin/env", START, "-static")
    script = run.write("script", "#! /bin/interpreter -x\necho\n", 0o755)
    files, _ = run.archive(script)
    assert {"bin/interpreter", script[1:]} <= set(files)
    files, _ = run.archive(run.write("other", "#!/usr/bin/env interpreter\n", 0o755))
    assert {"bin/interpreter", "usr/bin/env"} <= set(files)
    status, _, errors = run("echo", run.write("lost", "#!/no/such\n", 0o755))
    assert status == 123 and "/no/such" in one_line(errors)
    loop = run.write("loop", f"#!{run.folder}/loop\n", 0o755)
    assert run("echo", loop)[0] == 126


def test_a_file_given_by_name_wins_over_the_root(run):
    compile_i386(run.root + "/bin/tool", START, "-static")
    mine = compile_i386(run.folder + "/mine", "int x[2000] = {1};" + START, "-static")
    files, _ = run.archive("--file", mine + ":/bin/tool", "tool")
    with open(mine, "rb") as file:
        assert files["bin/tool"].content == file.read()


def test_files_may_come_from_the_root(run):
    os.makedirs(run.root + "/srv/tree/empty")
    with open(run.root + "/srv/tree/file", "w") as file:
        file.write("x")
    os.symlink("/srv/tree/file", run.root + "/srv/link")
    files, _ = run.archive("--file", ":/srv/tree", "--file", ":/srv/link", run.program)
    assert files["srv/tree/file"].content == b"x" and "srv/tree/empty" in files
    assert files["srv/link"].content == b"/srv/tree/file"
    status, _, errors = run("echo", "--file", ":/srv/missing", run.program)
    assert status == 125 and "--file :/srv/missing" in one_line(errors)


def test_the_whole_kernel_is_booted_for_those_who_ask_for_what_it_has(run):
    kernels = run.folder + "/build/quire/"
    open(kernels + "kernel-run.elf", "wb").close()
    for words, kernel in (((), "kernel-run.elf"), (("--audit",), "kernel-pvh.elf"), (("--report",), "kernel-pvh.elf"),
                          (("--machine", "pc"), "kernel.elf")):
        run("echo", *words, run.program)
        argv = run.argv()
        assert argv[argv.index("-kernel") + 1] == kernels + kernel, words


def test_memory_kernel_and_archive_reach_qemu(run):
    run("echo", "-m", "2560K", run.program)
    argv = run.argv()
    assert argv[argv.index("-m") + 1] == "size=2560k"
    assert argv[argv.index("-kernel") + 1] == run.folder + "/build/quire/kernel-pvh.elf"
    run("echo", "--machine", "pc", run.program)
    argv = run.argv()
    assert argv[argv.index("-kernel") + 1] == run.folder + "/build/quire/kernel.elf"
    os.unlink(run.folder + "/build/quire/kernel-pvh.elf")
    assert run("machine")[:2] == (0, b"pc\n")
    run("echo", "-m", "2560K", run.program)
    argv = run.argv()
    assert "tcg,tb-size=8" in argv or "kvm" in argv


def test_shell_is_busybox_with_links_for_its_applets(run):
    compile_i386(run.root + "/bin/busybox", START, "-static")
    done = subprocess.run([run.command, "shell", "--root", run.root], env=run.environment("archive"), cwd=run.folder,
                          capture_output=True, stdin=subprocess.DEVNULL, check=True)
    files, _ = newc.read(done.stdout)
    words = files[".quire/arguments"].content.split(b"\0")
    assert words[:3] == [b"/bin/busybox", b"sh", b"-c"] and b"--install" in words[3]
    assert b"PS1=\\w \\$ \0" in files[".quire/environment"].content
    done = subprocess.run([run.command, "shell", "ls"], env=run.environment("archive"), capture_output=True)
    assert done.returncode == 125 and b"one word too many" in done.stderr


# ---- On a terminal ----------------------------------------------------------------------

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
