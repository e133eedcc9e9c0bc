"""`quire run` on the host's side, with a guest of Python (fake_run.py): streams, the exit status, the report."""
import hashlib
import json
import os
import random
import signal
import subprocess

import pytest

from fake_run import comes_about, one_line, run


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
    """At most as many bytes as were asked for, once for each question; the rest stays unread."""
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
    """The guest waits while its output has no reader; no byte is lost, and quire keeps none in store."""
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
    """Lines cut, doubled, changed and joined: other lines are in `words`, and the result is JSON always."""
    chance = random.Random(7)
    for _ in range(12):
        lines = bytearray(REPORT * chance.randrange(1, 20))
        for _ in range(chance.randrange(1, 60)):
            at = chance.randrange(len(lines))
            lines[at:at + chance.randrange(4)] = chance.choice([b"", b"\0", b"\n", b"\xff\xfe", b'"', b"\\",
                                                                b"9" * 30, b"%n"])
        said = json.loads(report_of(run, bytes(lines))[2])
        assert said["status"] == 7 and isinstance(said["words"], list)
