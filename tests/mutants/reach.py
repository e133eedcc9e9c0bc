"""reach.py - a copy of the tree to build in, and which test program goes through which line: gcov.

The copy is BUILD/mutants/.tree, so that changes of the tree meanwhile do not disturb the run, nor the run them.
There the host tests are built once more, without sanitizers and with counters. Each is run by itself, and its
counts are kept beside a digest of the program, so that only changed programs are run again.
"""
import collections
import fcntl
import filecmp
import glob
import hashlib
import json
import os
import resource
import shutil
import subprocess

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def plain_environment():
    return {name: value for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "LAYOUT", "CHECKED", "O", "SANITIZERS",
                            "TESTED")}


def only_one(build):
    """A lock that is held until it is closed: there is one copy of the tree."""
    os.makedirs(os.path.join(build, "mutants"), exist_ok=True)
    lock = open(os.path.join(build, "mutants", "lock"), "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def copy_tree(build):
    """BUILD/mutants/.tree as the tree is now: its path. Unchanged files keep their times, and their objects; a changed
    one is as new as its copy, for an object may have been made of the copy before after the file was changed."""
    copy = os.path.join(build, "mutants", ".tree")
    listed = subprocess.run(["git", "-C", TREE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    wanted = {name for name in listed if name and os.path.isfile(os.path.join(TREE, name))}
    for folder, _, names in os.walk(copy):
        for name in names:
            if os.path.relpath(os.path.join(folder, name), copy) not in wanted:
                os.unlink(os.path.join(folder, name))
    for name in wanted:
        source, to = os.path.join(TREE, name), os.path.join(copy, name)
        if not os.path.exists(to) or not filecmp.cmp(source, to, shallow=False):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copyfile(source, to)
            shutil.copymode(source, to)
    return copy


def make(tree, build, layout, *words):
    """A goal, built in `build` of the sources of `tree`; the packages it needs are installed, as the tree was built."""
    os.makedirs(build, exist_ok=True)
    for what in ("build", "run", "iso", "test"):
        with open(os.path.join(build, f"setup-{what}"), "a"):
            os.utime(os.path.join(build, f"setup-{what}"))
    done = subprocess.run(["make", "-C", tree, "-s", "--no-print-directory", f"-j{os.cpu_count() or 1}", f"O={build}",
                           f"LAYOUT={layout}", *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=plain_environment(), check=False)
    if done.returncode != 0:
        raise SystemExit(f"make {' '.join(words)} failed:\n{done.stdout[-3000:]}")
    return done.stdout


def tests_of(build, layout):
    """{name of a test program: its path}"""
    return {os.path.basename(path): path
            for path in sorted(glob.glob(f"{build}/tests/test_*") + glob.glob(f"{build}/{layout}/tests/test_*"))
            if os.access(path, os.X_OK) and os.path.isfile(path)}


def processor_seconds():
    """Processor seconds of all ended children of this process."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def counters(build):
    return [os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names
            if name.endswith(".gcda")]


def count_one(tree, build, path):
    """Run one program: ({source: {line: times}}, {source: {line: [branches]}}, seconds)."""
    for old in counters(build):
        os.unlink(old)
    begin = processor_seconds()
    done = subprocess.run([path], cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=300, check=False)
    seconds = processor_seconds() - begin
    if done.returncode != 0:
        raise SystemExit(f"{path} fails:\n{done.stdout.decode('latin-1')[-2000:]}")
    lines = collections.defaultdict(dict)
    branches = collections.defaultdict(dict)
    files = counters(build)
    said = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *files], cwd=tree,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    for text in said.splitlines():
        if not text.startswith("{"):
            continue
        for file in json.loads(text)["files"]:
            name = os.path.relpath(os.path.join(tree, file["file"]), tree)
            if not name.startswith(("kernel/", "tools/layout/", "layouts/")):
                continue
            for line in file["lines"]:
                number = line["line_number"]
                lines[name][number] = lines[name].get(number, 0) + line["count"]
                taken = [branch["count"] for branch in line["branches"] if not branch.get("throw")]
                if taken:
                    before = branches[name].get(number)
                    branches[name][number] = ([a + b for a, b in zip(before, taken)]
                                              if before and len(before) == len(taken) else taken)
    return {"lines": lines, "branches": branches, "seconds": seconds}


def reached(tree, build, layout, goals, tell=lambda words: None):
    """{test program: {"lines": {source: {line: times}}, "branches": ..., "seconds": ...}}, lines as text."""
    folder = os.path.join(build, "mutants", "counted")
    tell("building the tests with counters")
    for goal in goals:                  # the machine's own tests would take minutes with -O0
        level = "-O0" if goal == "tool-tests" else "-Og"
        make(tree, folder, layout, "SANITIZERS=--coverage", f"TESTED={level} -g -fprofile-update=single", goal)
    kept_at = os.path.join(folder, f"reached-{layout}.json")
    kept = {}
    if os.path.exists(kept_at):
        with open(kept_at) as file:
            kept = json.load(file)
    result = {}
    wanted   = {"tool-tests": f"{folder}/tests/", "machine-tests": f"{folder}/{layout}/tests/"}
    programs = {name: path for name, path in tests_of(folder, layout).items()
                if any(path.startswith(wanted[goal]) for goal in goals)}
    try:
        for number, (name, path) in enumerate(programs.items()):
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            if kept.get(name, {}).get("digest") != digest:
                tell(f"counting what {name} goes through ({number + 1} of {len(programs)})")
                kept[name] = json.loads(json.dumps({"digest": digest, **count_one(tree, folder, path)}))
            result[name] = kept[name]
    finally:                            # one that fails does not cost what the others were counted for
        with open(kept_at, "w") as file:
            json.dump(kept, file)
    return result
