"""quire_runner.py - what tests/run adds to pytest: programs that are tests, building what a test needs, choosing by
word.

A cmocka program under one layout, and a fuzzer, is one item of pytest's; cmocka's own XML says how each of its tests
ended. Nothing is built before a test asks for it: the first test that needs a product has it made, by one make at a
time with all processors, while other tests run. So tests start as soon as the products they need exist, and
`make test ONLY=word` builds only what the chosen tests need.

A test of tests/system gets ./quire, the programs and the kernel of its layout; what else it needs it says with
`house.kernel(layout, checked=True)` or `@pytest.mark.needs("iso")`.
"""
import contextlib
import fcntl
import hashlib
import os
import re
import resource
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD", os.path.join(TREE, "build")))
LOGS = os.environ.get("QUIRE_LOGS", os.path.join(BUILD, "logs"))
LAYOUTS = os.environ.get("QUIRE_LAYOUTS", "quire").split()
FUZZ_SECONDS = os.environ.get("QUIRE_FUZZ_SECONDS", "5")
WORDS = os.environ.get("QUIRE_WORDS", "").split()
PATIENCE = 420              # seconds that one test may take; the slowest takes a fifth of it
TOGETHER = 6                # so many programs of a layout, and all of them are built at once


# ---- Costs -------------------------------------------------------------------------------

def processor_seconds():
    """Processor seconds of this process and of all its ended children."""
    return sum(used.ru_utime + used.ru_stime
               for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


noted = 0.0                 # costs noted by this process until now


def note_cost(since, what):
    """A line of build/logs/costs: what a build or a test took of processors, however busy they are with other things.
    What was noted meanwhile, a build in a test, is not counted twice. `since`: processor_seconds() and noted
    of then."""
    global noted
    seconds = processor_seconds() - since[0] - (noted - since[1])
    noted += seconds
    with open(os.path.join(LOGS, "costs"), "a") as file:
        file.write(f"{seconds:.2f} {what}\n")


# ---- Building ------------------------------------------------------------------------------------

@contextlib.contextmanager
def locked(path):
    """A lock for one process at a time."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def building():
    """One make at a time in a build directory; `make run` and its like wait for the same lock."""
    return locked(os.path.join(BUILD, "lock"))


def plain_environment():
    """The environment without the variables of `make test` (MAKEFLAGS and so on), for builds of single parts."""
    return {name: value for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "LAYOUT", "CHECKED", "O", "ONLY")}


def ensure(*goal):
    """Make a goal, once in this run of tests; a build that failed fails all tests that need it, with make's output."""
    folder = os.path.join(LOGS, "built")
    os.makedirs(folder, exist_ok=True)
    name = re.sub(r"[^\w.=-]+", "-", " ".join(goal).replace(BUILD, "")).strip("-")
    done, failed = os.path.join(folder, name), os.path.join(folder, name + ".failed")
    if os.path.exists(done):
        return
    with building():
        if not os.path.exists(done) and not os.path.exists(failed):
            since = processor_seconds(), noted
            made = subprocess.run(["make", "-C", TREE, "--no-print-directory", "-k", f"-j{os.cpu_count() or 2}",
                                   f"O={BUILD}", "LAYOUTS=" + " ".join(LAYOUTS), *goal], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=plain_environment())
            with open(failed if made.returncode != 0 else done, "w") as log:
                log.write(made.stdout)
            note_cost(since, "make " + " ".join(goal))
    if os.path.exists(failed):
        said = open(failed).read().splitlines()[-40:]
        pytest.fail("make " + " ".join(goal) + " failed:\n" + "\n".join(said), pytrace=False)


def product(path):
    """The name by which make knows a product."""
    path = os.path.join(BUILD, path)
    return os.path.relpath(path, TREE) if path.startswith(TREE + os.sep) else path


# ---- Programs that are tests ---------------------------------------------------------------------

class ProgramFailed(Exception):
    pass


class Program(pytest.Item):
    """A test program of tests/host or tests/fuzz, of one layout or of none."""
    needs_alone = ()            # make's goals when few such programs run, and when many do
    needs_all = ()
    many = True

    def __init__(self, *, layout="-", **rest):
        super().__init__(**rest)
        self.layout = layout

    def needs(self):
        return [self.needs_all if self.many else self.needs_alone]

    def run(self, words, **environment):
        """Run the program: all its output, and its exit status; it is killed when its time is over."""
        process = subprocess.Popen(words, cwd=TREE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace",
                                   env={**os.environ, **environment})
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        return said, process.returncode

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, ProgramFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, self.name


def cases_of(path):
    """[(name, "ok", "FAILED" or "skip", why)] of a file that cmocka wrote."""
    cases = []
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        bad = [part for part in case if part.tag in ("failure", "error")]
        skipped = case.find("skipped") is not None
        cases.append((case.get("name"), "FAILED" if bad else "skip" if skipped else "ok",
                      " ".join(part.text or "" for part in bad)))
    return cases


class CmockaProgram(Program):
    """Each of its tests counts: they are in build/logs/NAME.xml, as cmocka writes them."""

    def __init__(self, *, layout="-", **rest):
        super().__init__(layout=layout, **rest)
        name = self.path.stem
        if layout == "-":
            self.program, self.needs_all = f"tests/{name}", ("tool-tests",)
            self.needs_alone = (product(self.program),)
            self.title = f"host {name[5:]}"
        else:
            self.program, self.needs_all = f"{layout}/tests/{name}", ("machine-tests", f"LAYOUT={layout}")
            self.needs_alone = (product(self.program), f"LAYOUT={layout}")
            self.title = f"host {layout} {name[5:]}"

    def outcome(self, path):
        """All it printed, and its exit status. A program that looks at nothing of its layout is linked to the same
        bytes under each: its outcome under the first is theirs, and the file of its cases says whose it is."""
        program = os.path.join(BUILD, self.program)
        with open(program, "rb") as file:
            same = os.path.join(LOGS, "built", hashlib.sha256(file.read()).hexdigest())
        with locked(same + ".lock"):                # waits while the program runs under another layout
            if os.path.exists(same):
                with open(same) as file:
                    title, *said = file.read().splitlines()
                first = os.path.join(LOGS, title.replace(" ", "-") + ".xml")
                if os.path.exists(first):
                    shutil.copy(first, path)
                return "\n".join([*said, f"(byte for byte the program {title}, which passed)"]), 0
            said, status = self.run([program], ASAN_OPTIONS="detect_leaks=1", CMOCKA_MESSAGE_OUTPUT="xml",
                                    CMOCKA_XML_FILE=path)
            if status == 0:
                with open(same, "w") as file:
                    file.write(f"{self.title}\n{said}")
        return said, status

    def runtest(self):
        path = os.path.join(LOGS, self.title.replace(" ", "-") + ".xml")
        if os.path.exists(path):
            os.unlink(path)
        said, status = self.outcome(path)
        cases = cases_of(path) if os.path.exists(path) else []
        self.user_properties.append(("title", self.title))
        self.user_properties.append(("cases", "\n".join(f"{word} {name}" for name, word, _ in cases)))
        bad = [f"{name}: {why}" for name, word, why in cases if word == "FAILED"]
        if status != 0 or bad:
            end = f"signal {-status}" if status < 0 else f"exit status {status}"
            raise ProgramFailed("\n".join([*bad, said.rstrip(), end]))
        if not cases or all(word == "skip" for _, word, _ in cases):
            pytest.skip(said.strip() or "all of its tests")


class Fuzzer(Program):
    def __init__(self, *, layout="-", **rest):
        super().__init__(layout=layout, **rest)
        self.of_tool = self.path.stem in ("fuzz_layout", "fuzz_snapshot")
        self.program = f"fuzz/{self.path.stem}" if self.of_tool else f"{LAYOUTS[-1]}/fuzz/{self.path.stem}"
        self.needs_all = ("fuzz-programs", f"LAYOUT={LAYOUTS[-1]}")
        self.needs_alone = (product(self.program), f"LAYOUT={LAYOUTS[-1]}")
        self.title = f"fuzz {self.path.stem[5:]}"

    def runtest(self):
        self.user_properties.append(("title", self.title))
        said, status = self.run(["sh", "tests/fuzz/run", os.path.join(BUILD, self.program), FUZZ_SECONDS])
        if status != 0:
            raise ProgramFailed(f"{said.rstrip()}\nexit status {status}")


class ProgramFile(pytest.File):
    def collect(self):
        name = self.path.stem
        if name.startswith("fuzz_"):
            yield Fuzzer.from_parent(self, name=name)
        elif name.startswith("test_layout"):
            yield CmockaProgram.from_parent(self, name=name)
        else:
            for layout in LAYOUTS:
                yield CmockaProgram.from_parent(self, name=f"{name}[{layout}]", layout=layout)


def pytest_collect_file(file_path, parent):
    folder = os.path.relpath(file_path.parent, TREE)
    of_host = folder == "tests/host" or re.fullmatch("layouts/[^/]+/tests", folder)
    if file_path.suffix == ".c" and (of_host and file_path.stem.startswith("test_") or
                                     folder == "tests/fuzz" and file_path.stem.startswith("fuzz_")):
        return ProgramFile.from_parent(parent, path=file_path)
    return None


# ---- Which tests, in which order -----------------------------------------------------------------

def layout_of(item):
    if isinstance(item, Program):
        return item.layout
    return getattr(item, "callspec", None) and item.callspec.params.get("layout") or "-"


def title_of(item):
    """The words by which ONLY finds a test: `host movos fault`, `fuzz elf`, `system run movos test_name[movos]`."""
    if isinstance(item, Program):
        return item.title
    return f"system {item.path.stem[5:]} {layout_of(item)} {item.nodeid.split('::', 1)[-1]}"


# Seconds that the long ones take on two quiet processors, for the first run in a build directory; each run
# writes its own figures into build/durations, for the next.
USUALLY = {"test_packages_are_built_looked_at_and_run": 40, "test_another_folder_gives_the_same_bytes": 30,
           "test_memory_comes_back": 20, "under_uefi": 18, "test_a_short_attack_finds_nothing": 14,
           "test_a_short_load_finds_nothing": 14, "test_a_changed_document_is_noticed_by_its_claim": 12,
           "test_a_changed_source_is_noticed_by_its_claim": 12, "test_probes_can_fail": 8,
           "test_any_layout_but_the_default_can_be_taken_away": 8, "-sqlite]": 8,
           "test_all_vectors_selectors_and_flags": 7, "test_a_document_changed_by_chance": 7,
           "test_a_hundred_thousand_files": 8, "test_sparse_files_up_to": 9, "while_it_is_packed": 6,
           "while_others_are_packed": 7, "test_very_deep_folders": 6, "test_timeout": 6, "fuzz/fuzz_": 7,
           "test_timeout_is_sigterm_and_then_the_end": 11, "test_refuses_too_little_memory": 6,
           "test_every_invariant_is_broken_and_found": 6, "test_no_stack_is_nearly_full": 6,
           "test_fork_and_exec_in_a_crowd": 6, "test_demonstration": 6, "-python]": 5, "-processes]": 5,
           "-passing]": 5, "test_tables_and_frames_with_names": 5, "test_a_kernel_without_console": 5,
           "from_the_cd_image": 5, "cd_image_boots_to_the_shell": 5, "-computes]": 5, "test_clock.py": 8,
           "test_stretches.py": 8, "test_frame_touch.c": 8, "test_space.c": 8, "test_inflate.c": 5,
           "test_populate.c": 4, "second_ends_the_machine": 6, "is_given_back_after_signals": 6, "host/test_": 2,
           "test_program[": 4}


def usual_seconds(item):
    return max((seconds for part, seconds in USUALLY.items() if part in item.nodeid), default=2)


def durations():
    try:
        with open(os.path.join(BUILD, "durations")) as file:
            return {name: float(seconds) for seconds, name in (line.rstrip("\n").split(" ", 1) for line in file)}
    except (OSError, ValueError):
        return {}


def deal(items, workers):
    """xdist first hands a quarter of all tests out, as one piece for each worker: the long ones must be in all of
    these."""
    piece = max(len(items) // workers // 4, 2)
    first, rest = items[:piece * workers], items[piece * workers:]
    items[:] = [item for worker in range(workers) for item in first[worker::workers]] + rest


def pytest_collection_modifyitems(config, items):
    """ONLY's words choose; long tests go first, so that all processors end together. The same in every process."""
    if WORDS:
        chosen = [item for item in items if any(word in title_of(item) for word in WORDS)]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
    seconds = durations()
    items.sort(key=lambda item: (-seconds.get(item.nodeid, usual_seconds(item)), item.nodeid))
    deal(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    programs = [item for item in items if isinstance(item, Program)]
    for item in programs:
        item.many = sum(other.needs_all == item.needs_all for other in programs) > TOGETHER


# ---- Needs of a test ----------------------------------------------------------------------------

def needs_of(item):
    if isinstance(item, Program):
        yield from item.needs()
        return
    yield ("quire",)
    yield ("programs",)
    layout = layout_of(item)
    for one in {layout if layout != "-" else LAYOUTS[-1], *(name for name in LAYOUTS if name in item.path.stem)}:
        yield ("kernel", f"LAYOUT={one}")
    for mark in item.iter_markers("needs"):
        yield mark.args


def build_for(item):
    """A program that does not compile is its own failure, and not that of all those that are built with it."""
    for goal in needs_of(item):
        try:
            ensure(*goal)
        except pytest.fail.Exception:
            if not isinstance(item, Program) or goal == item.needs_alone:
                raise
            ensure(*item.needs_alone)


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(goal, ...): what make must have made before this test")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Build before the clock of the test's limit starts: building has no limit."""
    item.not_built = None
    try:
        build_for(item)
    except pytest.fail.Exception as failure:
        item.not_built = failure
    since = processor_seconds(), noted
    yield
    note_cost(since, title_of(item))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.not_built is not None:
        raise item.not_built


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Every report carries the name under which tests/run counts it."""
    report = (yield).get_result()
    if isinstance(item, Program):
        report.title = title_of(item)
    else:
        report.title = f"system {item.path.stem[5:]} {item.nodeid.split('::', 1)[-1]}"


# ---- The score: counted once, in the process that all reports reach ------------------------------------

class Score:
    def __init__(self):
        self.lines, self.seconds = [], durations()

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and report.outcome == "passed":
            return
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration
        cases = [line for name, text in report.user_properties if name == "cases" for line in text.splitlines()]
        if report.when == "call" and cases:
            self.lines += [f"{line.split(' ', 1)[0]} {report.title} {line.split(' ', 1)[1]}" for line in cases]
            if report.failed and not any(line.startswith("FAILED") for line in cases):
                self.lines.append(f"FAILED {report.title} (end of the program)")
            return
        word = {"passed": "ok", "failed": "FAILED", "skipped": "skip"}[report.outcome]
        self.lines.append(f"{word} {report.title}")

    def pytest_collectreport(self, report):
        if report.failed:
            self.lines.append(f"FAILED collecting {report.nodeid}")

    def pytest_sessionfinish(self):
        with open(os.path.join(LOGS, "results"), "w") as file:
            file.writelines(line + "\n" for line in self.lines)
        path = os.path.join(BUILD, "durations")
        with open(path + ".new", "w") as file:
            file.writelines(f"{seconds:.2f} {name}\n" for name, seconds in sorted(self.seconds.items()))
        os.replace(path + ".new", path)


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        session.config.pluginmanager.register(Score())
