"""The program ring: real programs with real jobs, under each layout; they print what they print under Linux.

The table is tests/programs/jobs.py; what Linux prints was recorded by tests/programs/record, and
is compared with this machine's Linux again, where that runs i386 programs.
"""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs
import linux

PATIENCE = 300          # seconds for one job in the emulator; the slowest takes a tenth of it


@pytest.fixture(scope="module")
def places():
    """(quire, build, root, compiled programs)"""
    build = os.environ.get("QUIRE_BUILD") or os.path.join(os.path.dirname(jobs.HERE), "..", "build")
    build = os.path.abspath(build)
    root, made = os.path.join(build, "programs", "root"), os.path.join(build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)
    return os.path.join(build, "host", "quire"), build, root, made


# The kernel's message about a program that a fault killed; Linux writes it to its log.
LAST_WORDS = re.compile(r"^(\S+)\[\d+\]: signal \d+ at instruction 0x\w+, address 0x(\w+): .*\n", re.M)


def said(errors):
    """Older programs of coreutils call themselves by their path, newer ones by their name."""
    return re.sub("^/usr/bin/(sha256sum:)", r"\1", errors.decode(errors="replace"), flags=re.M)


def compare(job, status, output, errors):
    wanted_output, wanted_errors = jobs.expected(job)
    assert output.decode(errors="replace").splitlines() == wanted_output.decode(errors="replace").splitlines()
    assert (status, said(errors)) == (job.status, said(wanted_errors))
    assert output == wanted_output


def sandboxed(places, layout, job, *words):
    quire, build, root, made = places
    return subprocess.run([quire, "run", "--layout", layout, "--timeout", str(PATIENCE), *words,
                           *jobs.words_of(job, root, made)], stdin=subprocess.DEVNULL, capture_output=True,
                          env={**os.environ, "QUIRE_BUILD": build})


@pytest.mark.parametrize("job", jobs.JOBS, ids=lambda job: job.name)
def test_program(job, layout, places, tmp_path):
    """A program prints what it prints under Linux, and afterwards every invariant of memory holds."""
    done = sandboxed(places, layout, job, f"--report={tmp_path}/report")
    compare(job, done.returncode, done.stdout, done.stderr)
    report = (tmp_path / "report").read_text(errors="replace")
    assert LAST_WORDS.findall(report) == ([("segv", "00000010")] if job.name == "segv" else [])
    assert re.findall(r"^audit: (\w+)", report, re.M) == ["clean"], report


PLAIN = next(job for job in jobs.JOBS if job.name == "segv")


def test_without_a_report_only_the_last_words_are_added(layout, places):
    """For a program that a fault ends: the kernel prints only its message among the program's output."""
    done = sandboxed(places, layout, PLAIN)
    errors = done.stderr.decode(errors="replace")
    assert LAST_WORDS.findall(errors) == [("segv", "00000010")]
    compare(PLAIN, done.returncode, done.stdout, LAST_WORDS.sub("", errors).encode())


@pytest.mark.parametrize("way", ["deep", "sent"])
def test_a_handler_that_a_full_stack_keeps_out_leaves_the_stacks_words(layout, places, way):
    """The signal that ends the program then has no address; its report once said nothing."""
    quire, build, root, made = places
    done = subprocess.run([quire, "run", "--layout", layout, "--timeout", str(PATIENCE), "--root", root, made + "/segv",
                           way], stdin=subprocess.DEVNULL, capture_output=True,
                          env={**os.environ, "QUIRE_BUILD": build})
    assert (done.returncode, done.stdout) == (128 + 11, b"before\n")
    words, = re.findall(r"^segv\[\d+\]: signal 11 at .*$", done.stderr.decode(errors="replace"), re.M)
    assert "[stack]" in words and "stack overflow" in words, words


def test_a_name_forges_no_line_of_the_kernels(layout, places):
    """A program that calls itself by two lines, of which the second looks like a kernel's last words."""
    quire, build, root, made = places
    name = "/tmp/a\npanic: b"
    done = subprocess.run([quire, "run", "--layout", layout, "--timeout", str(PATIENCE), "--root", root,
                           "--file", f"{made}/segv:/tmp/segv", "--", "busybox", "sh", "-c",
                           f"cp /tmp/segv '{name}'; exec '{name}'"],
                          stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "QUIRE_BUILD": build})
    lines = done.stderr.decode(errors="replace").splitlines()
    assert [line for line in lines if line.startswith("panic:")] == [], lines
    assert any(line.startswith("a?panic: b[") for line in lines), lines


@pytest.mark.parametrize("job", jobs.JOBS, ids=lambda job: job.name)
def test_linux_prints_what_was_recorded(job, places):
    quire, build, root, made = places
    if job.release == jobs.UNASKED:
        pytest.skip("no Linux is asked with this program (jobs.py)")
    if job.release is not None and not os.uname().release.startswith(job.release):
        pytest.skip(f"recorded on Linux {job.release}x; this is {os.uname().release}")
    try:
        compare(job, *linux.run(quire, jobs.words_of(job, root, made), build))
    except (linux.Unavailable, FileNotFoundError) as error:
        pytest.skip(f"this Linux cannot be asked: {error}")


def test_demonstration(layout, places):
    """The demonstration of `make run`, under the layout asked for; without a terminal there is no shell at the
    end."""
    quire, build, root, made = places
    tree = os.path.join(jobs.HERE, "..", "..")
    done = subprocess.run(["sh", "tools/demonstration", quire, os.path.join(build, "programs"), layout], cwd=tree,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, "QUIRE_BUILD": build})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n100|981050\n" in done.stdout and "\n42\n42\n" in done.stdout and "100000\tstrings" in done.stdout
    assert ("--layout" in done.stdout) == (layout != "quire")
    assert "audit: clean" in done.stderr
