"""conftest.py - shared parts of the system tests: machines to boot, and reports of failures.

A test that asks for `layout` runs under each layout of $QUIRE_LAYOUTS; `boot` starts a machine with
that layout's kernel and waits for the prompt. The serial line of a failed test is
printed and kept; that of a passed test is deleted.
"""
import os
import re
import signal
import struct
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from quire import Machine

try:
    from quire_runner import building, ensure             # under tests/run the products that a test asks for are built
except ImportError:
    import contextlib
    building = contextlib.nullcontext

    def ensure(*_):
        """Without tests/run, the user has built what a test needs."""

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("QUIRE_BUILD", os.path.join(TREE, "build"))
LAYOUTS = os.environ.get("QUIRE_LAYOUTS", "").split() or sorted(             # the default layout is the last
    (name for name in os.listdir(f"{TREE}/layouts") if os.path.exists(f"{TREE}/layouts/{name}/layout.md")),
    key=lambda name: (name == "quire", name))
LOGS = os.environ.get("QUIRE_LOGS", os.path.join(BUILD, "logs"))

# What a shell starts with `&`, or nohup, has signals ignored, and a command that is started so leaves them to its
# parent. Those who send signals here want them to come: what is handled here comes to a child as it does by default.
for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, lambda *_: None)


def image_of(kernel):
    """The physical addresses of an ELF file's segments: the first byte, and the first one behind them."""
    with open(kernel, "rb") as file:
        data = file.read(4096)
    offset, = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    segments = [struct.unpack_from("<8I", data, offset + n * size) for n in range(count)]
    loads = [(physical, physical + memory) for kind, _, _, physical, _, memory, _, _ in segments if kind == 1]
    return min(start for start, _ in loads), max(end for _, end in loads)


class House:
    """The tree under test: the paths of its products, and functions that make more."""
    tree, build, layouts, logs = TREE, BUILD, LAYOUTS, LOGS

    def kernel(self, layout, checked=False):
        ensure("kernel", f"LAYOUT={layout}", *(["CHECKED=1"] if checked else []))
        return os.path.join(BUILD, layout + ("-checked" if checked else ""), "kernel.elf")

    def iso(self):
        """The CD image of all layouts."""
        ensure("iso")
        return os.path.join(BUILD, "quire.iso")

    def image(self, layout):
        """The physical addresses of the kernel's image: its first byte, and the first one behind it."""
        return image_of(self.kernel(layout))

    def facts(self, layout):
        """What the layout's document says, by name (tools/layout/facts.h); numbers are numbers. A region of kernel
        space alone may be asked for without `kernel.`, as most documents have it."""
        status, said = self.quire("layout", "facts", layout)
        assert status == 0, said
        pairs = (line.split("=", 1) for line in said.splitlines())
        facts = {name: int(value, 0) if re.fullmatch(r"0x[0-9A-F]+|\d+", value) else value for name, value in pairs}
        for name in [name for name in facts if name.startswith("kernel.")]:
            facts.setdefault(name[len("kernel."):], facts[name])
        return facts

    def claims(self, layout):
        """The document's claims: id -> the kernel or the test that shows it."""
        return {name.split(".")[1]: value for name, value in self.facts(layout).items()
                if re.fullmatch(r"claim\.\w+\.shown", name)}

    def least(self, layout):
        """KiB of RAM that its kernel should need to come to its console, by the document: all memory below
        the pool, the bitmap if that comes on top, and a megabyte to work with."""
        facts = self.facts(layout)
        taken = max(facts.get("pool.start", 0), image_of(self.kernel(layout))[1])
        return (taken + (0 if "bitmap.start" in facts else 128 * 1024)) // 1024 + 1024

    def least_to_speak(self, layout):
        """KiB of RAM with which its first page is there: with less, no instruction of the kernel's can say that it is
        too little."""
        return image_of(self.kernel(layout))[0] // 1024 + 4

    def small(self, layout, least=16 * 1024):
        """A small machine's memory, for -m: 16 MiB, or twice what the kernel needs where that is more."""
        return f"{max(least, 2 * self.least(layout))}K"

    def sources_and_headers(self):
        """The kernel's, its port's and the layouts', by their names in the tree."""
        for folder in ("kernel", "arch/i386", "layouts"):
            for path, _, names in sorted(os.walk(os.path.join(TREE, folder))):
                yield from (os.path.relpath(os.path.join(path, name), TREE) for name in sorted(names)
                            if name.endswith((".c", ".h", ".S")))

    def make(self, *words):
        """Run make; returns (exit status, all it printed)."""
        with building():
            done = subprocess.run(["make", "-C", TREE, "--no-print-directory", f"O={BUILD}", *words],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        return done.returncode, done.stdout

    def quire(self, *words):
        """Run the host command; returns (exit status, all it printed)."""
        done = subprocess.run([os.path.join(BUILD, "host", "quire"), *words], cwd=TREE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60,
                              env={**os.environ, "QUIRE_HOME": TREE})
        return done.returncode, done.stdout


@pytest.fixture
def house():
    return House()


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return request.param


@pytest.fixture
def start(request):
    """A function that starts a machine: start(kernel=..., memory="32M", append=...)."""
    os.makedirs(LOGS, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    machines = []

    def start_machine(**how):
        log = os.path.join(LOGS, f"{name}{'-%d' % len(machines) if machines else ''}.serial")
        machines.append(Machine(log=log, **how))
        return machines[-1]

    yield start_machine

    outcome = getattr(request.node, "outcome_of_call", None)
    for machine in machines:
        machine.close()
        if outcome == "passed":
            os.unlink(machine.log_path)


@pytest.fixture
def boot(start, layout, house):
    """A function that boots this test's layout and returns the machine at its prompt."""
    def boot_layout(checked=False, **how):
        machine = start(kernel=house.kernel(layout, checked), **how)
        machine.greeting = machine.prompt()
        return machine

    return boot_layout


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call":
        item.outcome_of_call = report.outcome
