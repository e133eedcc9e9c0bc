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


# What the kernel says of a program that a fault killed; Linux says it in its log.
LAST_WORDS = re.compile(r"^(\S+)\[\d+\]: signal \d+ at instruction 0x\w+, address 0x(\w+): .*\n", re.M)


def compare(job, status, output, errors):
    wanted_output, wanted_errors = jobs.expected(job)
    assert output.decode(errors="replace").splitlines() == wanted_output.decode(errors="replace").splitlines()
    assert (status, errors.decode(errors="replace")) == (job.status, wanted_errors.decode(errors="replace"))
    assert output == wanted_output


@pytest.mark.parametrize("job", jobs.JOBS, ids=lambda job: job.name)
def test_program(job, layout, places):
    quire, build, root, made = places
    words = ["--layout", layout, "--timeout", str(PATIENCE), *jobs.words_of(job, root, made)]
    done = subprocess.run([quire, "run", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          env={**os.environ, "QUIRE_BUILD": build})
    told = LAST_WORDS.findall(done.stderr.decode(errors="replace"))
    compare(job, done.returncode, done.stdout, LAST_WORDS.sub("", done.stderr.decode(errors="replace")).encode())
    assert told == ([("segv", "00000010")] if job.name == "segv" else [])


@pytest.mark.parametrize("job", jobs.JOBS, ids=lambda job: job.name)
def test_linux_prints_what_was_recorded(job, places):
    quire, build, root, made = places
    try:
        compare(job, *linux.run(quire, jobs.words_of(job, root, made), build))
    except (linux.Unavailable, FileNotFoundError) as error:
        pytest.skip(f"this Linux cannot be asked: {error}")


@pytest.mark.parametrize("job", jobs.JOBS, ids=lambda job: job.name)
def test_audit_is_clean_afterwards(job, layout, places):
    quire, build, root, made = places
    words = ["--layout", layout, "--report", "--timeout", str(PATIENCE), *jobs.words_of(job, root, made)]
    done = subprocess.run([quire, "run", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          env={**os.environ, "QUIRE_BUILD": build})
    assert re.search(r"^audit: .*", done.stderr, re.M), done.stderr
    assert re.findall(r"^audit: (\w+)", done.stderr, re.M) == ["clean"], done.stderr
