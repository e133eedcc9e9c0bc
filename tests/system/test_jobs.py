"""Whole jobs of real programs beside Linux: `make jobs` (bench/jobs.py), by its smallest job and by made-up figures."""
import glob
import importlib.util
import os
import re
import subprocess
import sys

import pytest


def make_runner(house):
    house.kernel("quire")
    return house.make(f"{house.build}/guest/job", f"{house.build}/host/executed.so", f"O={house.build}")[0] == 0


@pytest.fixture
def jobs(house, monkeypatch):
    """bench/jobs.py, by a name of its own: tests/programs has a jobs.py as well, which other tests import."""
    assert make_runner(house)
    bench = os.path.join(house.tree, "bench")
    monkeypatch.syspath_prepend(bench)
    spec = importlib.util.spec_from_file_location("bench_jobs", os.path.join(bench, "jobs.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(house, *words):
    command = [sys.executable, os.path.join(house.tree, "bench", "jobs.py"), "--build", house.build, *words]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400)


def test_a_job_is_measured_from_its_start_to_its_end(house):
    """A shell, a part of its script, and another program, in a machine that has nothing but what they need."""
    assert make_runner(house)
    done = run(house, "--only", "quire", "--profile", "tiny")
    print(done.stdout)
    assert done.returncode == 0
    row = [cell.strip() for cell in done.stdout.splitlines()[-1].strip("|").split("|")]
    assert row[0] == "tiny: a script of one fork" and row[1] == "-" and row[3] == "-"
    whole, own, kernel, start = (float(row[at]) for at in (2, 6, 8, 10))
    assert 0.8 < whole < 2 and 0.2 < own < 0.6 and abs(whole - own - kernel) < 0.11 and 5 < start < 20
    assert re.search(r"^ +[\d.]+ +[\d.]+ %  page_fault$|^ +[\d.]+ +[\d.]+ %  discard_entries$", done.stdout, re.M)


def test_a_job_that_fails_is_told_with_its_words(house, jobs, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    jobs.prepare(house.build, "tiny", str(folder))
    (folder / "job").write_text("echo these words; exit 3\n")
    with pytest.raises(jobs.compare.Unavailable, match="failed with 0x300(.|\n)*these words"):
        jobs.run(jobs.quire_words(house.build, "quire", str(folder), jobs.MEMORY * 1024, True))


def test_both_systems_get_the_same_files(house, jobs, tmp_path):
    """What a program needs comes with it, links and all; Linux's archive has each file that Quire is given."""
    folder = tmp_path / "job"
    folder.mkdir()
    jobs.prepare(house.build, "lua", str(folder))
    there = {os.path.relpath(os.path.join(where, name), folder)
             for where, folders, files in os.walk(folder) for name in folders + files}
    assert {"init", "job", "home/job.lua", "bin/sh", "bin/dash", "lib/ld-linux.so.2",
            "lib/i386-linux-gnu/ld-linux.so.2", "lib/i386-linux-gnu/libc.so.6"} <= there
    assert {"bin/lua5.4", "usr/bin/lua5.4"} & there     # in a release whose /bin is a link to /usr/bin, the first
    assert not [path for path in there if os.path.islink(folder / path) and not os.path.exists(
        folder / os.path.dirname(path) / os.readlink(folder / path).lstrip("/"))]
    names = [name for name, *_ in jobs.entries(str(folder))]
    assert set(names) == there | {"dev/console"} and len(names) == len(set(names))
    assert all(os.path.dirname(name) in ("", *names[:at]) for at, name in enumerate(names) if name != "dev/console")


def test_a_row_says_what_is_more_than_wanted(jobs):
    linux = {"job": 50e6, "own": 20e6, "boot": 7e9, "least": 20480}
    quire = {"job": 40e6, "own": 21e6, "boot": 9e6, "least": 5120}
    assert jobs.row("gcc", {"linux": linux, "quire": quire}, True) == [
        "gcc: three files at -O2", "50.0", "40.0", "0.80", "0.6, not met", "20.0", "21.0", "30.0", "19.0", "7 000.0",
        "9.0", "20.0", "5.0"]
    assert jobs.row("lua", {"linux": linux, "quire": quire}, False)[3:5] == ["0.80", "1.0"]
    assert jobs.row("lua", {"quire": quire}, True)[1:5] == ["-", "40.0", "-", "1.0"]


def test_each_script_is_a_job(house, jobs):
    scripts = {os.path.basename(path)[:-3] for path in glob.glob(f"{house.tree}/bench/jobs/*.sh")}
    assert scripts == set(jobs.JOBS)
    assert run(house, "no-such-job").returncode == 2
