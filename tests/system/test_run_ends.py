"""Every way in which `quire run` ends, and guests that are not to be trusted (fake_run.py)."""
import fcntl
import json
import os
import pty
import resource
import select
import signal
import subprocess
import termios
import time

import pytest

from fake_run import HERE, becomes, comes_about, is_gone, one_line, run


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
    """timeout(1) signals quire and then the group that quire is in: the same signal twice, which must not cost the
    program its end."""
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
    """The output pipe is full, and the time is over: the timeout must end the run, not the wait for a reader."""
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
    """Most memory that a process ever had, in KiB; 0 when it has ended meanwhile, and has none."""
    with open(f"/proc/{pid}/status") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), 0)


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
    """Killed by signal 128 would be status 0; a snapshot that was not ordered is none."""
    assert run("frame " + frame)[0] == 119


def test_the_machine_gets_the_descriptors_it_needs_and_no_others(run):
    with open(run.folder + "/secret", "wb") as secret:
        os.dup2(secret.fileno(), 77)
        status, output, _ = run("descriptors")
        done = subprocess.run(run.words([]), env=run.environment("descriptors"), capture_output=True, pass_fds=[77])
    names = [line.split()[1] for line in done.stdout.decode().splitlines() if "/fd" not in line
             and not line.endswith("/notes")]
    assert status == 0 and "secret" not in done.stdout.decode(), done.stdout
    assert sum(name.startswith("socket:") for name in names) == 4 and sum("memfd:" in name
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
    """No time is counted while the machine cannot answer: it goes on, and does not answer for the rest of the time."""
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


# ---- Quire's own words, and files that may not become longer -------------------------------------

@pytest.mark.parametrize("report", [[], ["--report=json"]], ids=["words", "report"])
def test_a_reader_of_errors_that_never_reads_does_not_keep_quire_from_ending(run, report):
    """A guest's three megabytes fill the pipe, and behind the machine's end there are words more: in a write(2) that
    waited, with its signals blocked, quire had outlived --timeout, SIGTERM and SIGINT."""
    reader, writer = os.pipe()
    child = run.begin("without_end 5 3", "--timeout", "1", *report, run.program, stderr=writer)
    assert comes_about(lambda: not select.select([], [writer], [], 0)[1])
    assert is_gone(run.machine_pid()) and child.poll() is None
    child.send_signal(signal.SIGTERM)
    try:
        assert child.wait(20) == -signal.SIGTERM
    finally:
        child.kill()
        os.close(reader)
        os.close(writer)


def test_a_report_waits_for_a_slow_reader_whose_pipe_does_not_block(run):
    """As of a parent process that reads events: what did not fit at once had been left out, with status 125."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    child = run.begin("without_end 5 1", "--report=json", run.program, stderr=writer)
    assert comes_about(lambda: not select.select([], [writer], [], 0)[1])
    time.sleep(0.2)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        report = json.loads(file.read())
    assert child.wait(20) == 0 and len(report["words"]) > 80_000


@pytest.mark.parametrize("most, words", [(100, "the archive"), (1_000_000, "standard output")])
def test_files_that_may_not_become_longer_are_an_error_in_words(run, most, words):
    """RLIMIT_FSIZE: SIGXFSZ had ended quire, without a word."""
    with open(run.folder + "/output", "wb") as output:
        child = run.begin("flood 100", run.program, stdout=output, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (most, most)))
        assert one_line(child.communicate(timeout=60)[1].decode()) == f"quire run: {words}: File too large\n"
    assert child.returncode == 125
