"""libquire.so, its Python module and the examples: sandboxed programs started by users' programs."""
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from fake_run import START, compile_i386, state_of

HERE = os.path.dirname(os.path.abspath(__file__))
ASAN = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]


@pytest.fixture
def library(house, monkeypatch):
    """The default layout, as for a user, under any layout that is tested."""
    status, said = house.make("library", "quire", "kernel", "LAYOUT=quire")
    assert status == 0, said
    monkeypatch.setenv("QUIRE_BUILD", house.build)
    monkeypatch.setenv("QUIRE_HOME", house.tree)
    monkeypatch.setenv("LIBQUIRE", os.path.join(house.build, "libquire.so"))
    return os.environ["LIBQUIRE"]


@pytest.fixture
def quire_module(library, house, monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(house.tree, "python"))
    sys.modules.pop("quire", None)              # the system tests have another build folder
    import quire
    yield quire
    sys.modules.pop("quire", None)


LIBRARIES = ["-lelf"]


def sources(house):
    return sorted(glob.glob(os.path.join(house.tree, "tools", "libquire", "*.c")))


def compile_with(house, words, program):
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    made = subprocess.run([*words, "-Wall", "-Wextra", "-Werror", f"-I{house.tree}/tools/libquire",
                           f"-I{house.tree}/tools", "-o", program, *LIBRARIES], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("language", [["gcc", "-std=gnu11"], ["g++", "-x", "c++"]], ids=["c", "c++"])
def test_a_program_uses_it(house, library, tmp_path, language):
    """Two machines in one poll, three in threads, fifty one after the other; and each error in words."""
    source, program = os.path.join(HERE, "libquire_user.c"), tmp_path / "user"
    if language[0] == "gcc":                    # the library's own memory is looked at as well
        words = [*language, *ASAN, "-D_GNU_SOURCE", source, *sources(house)]
    else:
        words = [*language, source, "-x", "none", library, f"-Wl,-rpath,{house.build}"]
    compile_with(house, [*words, "-pthread"], program)
    many = ["many"] if language[0] == "gcc" else []
    done = subprocess.run([program, *many], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    assert (done.stdout, done.stderr, done.returncode) == ("good\n", "", 0)


def test_no_allocation_may_fail_badly(house, library, tmp_path, monkeypatch):
    """Each allocation fails once, up to a machine that QEMU refuses: nothing is left, and the process goes on."""
    program, guest, folder = tmp_path / "memory", tmp_path / "guest", tmp_path / "folder"
    compile_i386(str(guest), START, "-static")
    folder.mkdir()
    (folder / "file").write_text("x")
    os.symlink("file", folder / "link")
    os.link(folder / "file", folder / "twin")
    compile_with(house, ["gcc", "-std=gnu11", "-g", "-D_GNU_SOURCE", os.path.join(HERE, "libquire_memory.c"),
                         *sources(house)], program)
    monkeypatch.setenv("QUIRE_QEMU", "/bin/false")
    done = subprocess.run([program, guest, folder], capture_output=True, text=True, timeout=300)
    assert done.stdout.startswith("good, ") and done.stdout.endswith(" status 122\n"), done
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_command_is_built_on_it(house):
    """`quire run` speaks to the library by libquire.h alone."""
    for name in ("command_run.c", "command_shell.c", "attend.c"):
        with open(os.path.join(house.tree, "tools", "quire", name)) as file:
            included = set(re.findall(r'#include "(?:libquire/)?(\w+)\.h"', file.read()))
        assert not included & {"run", "session", "inside", "channel", "program", "pack"}, name


def test_it_has_no_state_of_its_own(library, house):
    """The only variable of the library's own objects that can be written is each thread's pointer to its arena."""
    objects = glob.glob(os.path.join(house.build, "objects", "library", "tools", "libquire", "*.o"))
    assert len(objects) == len(sources(house))
    symbols = subprocess.run(["objdump", "-t", *objects], capture_output=True, text=True, check=True).stdout
    written = [line.split()[-1] for line in symbols.splitlines()
               if re.search(r" \.t?(data|bss)(\s|\.(?!rel\.ro))", line) and not line.split()[-1].startswith(".")]
    assert written == ["here"], written


def test_it_shows_nothing_but_its_own_names(library):
    names = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    assert {line.split()[2][:6] for line in names.splitlines()} == {"quire_"}


def test_python_runs_a_program(quire_module, tmp_path):
    said = quire_module.run(["busybox", "sh", "-c", "cat; echo no >&2; exit 5"], input=b"yes", memory="16M",
                            report=True)
    assert (said.status, said.output, said.errors, said.words) == (5, b"yes", b"no\n", "")
    assert said.report["status"] == 5 and said.report["audit"]["clean"] is True
    assert said.report["memory"]["sum"]["peak"]["kib"] <= 16384
    (tmp_path / "in").write_bytes(b"from a file")
    with open(tmp_path / "in", "rb") as given, open(tmp_path / "out", "wb") as taken:
        assert quire_module.run(["busybox", "cat"], input=given, output=taken).output == b""
    assert (tmp_path / "out").read_bytes() == b"from a file"


def test_python_says_why_a_program_died(quire_module, tmp_path):
    program = compile_i386(str(tmp_path / "dies"), "void _start(void) { *(volatile int *)16 = 1; }", "-static")
    said = quire_module.run([program])
    assert (said.status, said.errors) == (128 + signal.SIGSEGV, b"") and "dies[2]: signal 11" in said.words
    said = quire_module.run([program], report=True)
    assert any("dies[2]: signal 11" in line for line in said.report["words"]) and said.words == ""


def test_python_says_what_went_wrong(quire_module):
    with pytest.raises(quire_module.Error, match="no size of memory"):
        quire_module.Machine(["busybox"], memory="3X")
    with pytest.raises(quire_module.Error, match="names no variable"):
        quire_module.Machine(["busybox"], environment=["=3"])
    with pytest.raises(ZeroDivisionError):
        quire_module.run(["busybox", "echo", "x"], output=lambda _: 1 / 0)
    with quire_module.Machine(["busybox", "sleep", "100"]) as machine:
        assert machine.start().wait(0.2) is None
        machine.signal(signal.SIGTERM)
        assert machine.wait().status == 128 + signal.SIGTERM
    with pytest.raises(quire_module.Error, match="has been closed"):
        machine.wait()


class Enough(Exception):
    pass


def test_python_is_called_while_a_program_runs(quire_module):
    """A function that raises, and a handler that does, end the run at once, not when the program ends or its time is
    over."""
    taken = []

    def take(part):
        taken.append(part)
        raise Enough

    def handle(*_):
        raise Enough

    begin = time.monotonic()
    with pytest.raises(Enough):
        quire_module.run(["busybox", "yes"], output=take, timeout=100)
    assert len(taken) == 1
    for inside, words in (("step", "not inside a function"), ("close", "not by close")):
        with quire_module.Machine(["busybox", "yes"], output=lambda _: getattr(machine, inside)()) as machine:
            with pytest.raises(quire_module.Error, match=words):
                machine.run()
    before = signal.signal(signal.SIGALRM, handle)
    try:
        with quire_module.Machine(["busybox", "sleep", "100"]) as machine:
            machine.start()
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Enough):
                machine.wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begin < 60


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def test_a_machine_ends_with_its_owner(quire_module, house):
    """The owner is killed by SIGKILL, and has no chance to clean up."""
    program = "import quire; quire.run(['busybox', 'sh', '-c', 'echo up; sleep 600'], output=1)"
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env={
        **os.environ, "PYTHONPATH": os.path.join(house.tree, "python")})
    assert owner.stdout.readline() == b"up\n"
    others = children_of(owner.pid)
    assert len(others) == 1
    owner.kill()
    owner.wait()
    end = time.monotonic() + 20
    while any(state_of(pid) != "Z" for pid in others) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in others if state_of(pid) != "Z"]


def test_the_judge(library, house, tmp_path):
    for name, given, expected in [("1", "1", "1"), ("2", "2", "3"), ("3", "yes", "yes"), ("4", "die", ""),
                                  ("5", "false", "")]:
        (tmp_path / f"{name}.in").write_text(given + "\n")
        (tmp_path / f"{name}.out").write_text(expected + "\n")
    solution = ("read x; case $x in yes) exec busybox yes;; die) kill -9 $$;; false) exit 127;; esac; echo $x")
    judge = os.path.join(house.tree, "examples", "judge.py")
    done = subprocess.run([judge, "--seconds", "60", "--memory", "16M", str(tmp_path), "busybox", "sh", "-c", solution],
                          capture_output=True, text=True, timeout=120)
    assert [re.split("  +", line)[:2] for line in done.stdout.splitlines()] == \
        [["1", "accepted"], ["2", "wrong answer"], ["3", "output limit"], ["4", "crash (status 137)"],
         ["5", "failed with status 127"]], done.stderr
    assert (done.returncode, done.stderr) == (1, "")
    for number in range(2, 6):
        (tmp_path / f"{number}.in").unlink()
    done = subprocess.run([judge, "--seconds", "0.5", str(tmp_path), "busybox", "sh", "-c", "while :; do :; done"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and re.match("1  +time limit", done.stdout), done
    done = subprocess.run([judge, str(tmp_path), str(tmp_path / "no-such")], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("judge: there is no program `")
    (tmp_path / "1.out").unlink()
    done = subprocess.run([judge, str(tmp_path), "busybox", "cat"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "") and "1.out" in done.stderr and "Traceback" not in done.stderr


def test_an_untrusted_script(library, house, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os\nprint('inside', os.path.exists(%r))\n" % str(script))
    run = [os.path.join(house.tree, "examples", "untrusted.py"), "--seconds", "100", str(script)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("status 0, 13 bytes: inside False"), done.stdout + done.stderr
    script.write_text("while True: print('x' * 1000)")
    begin = time.monotonic()
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and done.stdout.startswith("it printed more than 1000000 bytes, and was ended")
    assert time.monotonic() - begin < 90            # not its limit of time


@pytest.mark.parametrize("name", ["layout", "root", "kernels", "file", "directory", "machine", "environment"])
def test_what_is_no_text_is_an_error(quire_module, name):
    """NULL was a crash of the caller's, and an empty path all of the root."""
    library, machine = quire_module._library, quire_module.Machine(["busybox", "true"])
    call = getattr(library, f"quire_{name}")
    call.argtypes = [ctypes.c_void_p] + [ctypes.c_char_p] * (2 if name == "file" else 1)
    for value, word in ((None, b"NULL"), (b"", b"``" if name == "environment" else b"an empty text")):
        assert call(machine._handle, value, *([None] if name == "file" else [])) == -1
        assert word in library.quire_error(machine._handle)
    assert machine.run().status == 0


def test_what_is_no_path_in_the_guest_is_an_error(quire_module, house):
    for guest, why in (("", "an empty text"), ("/a:b", "no colon may be in")):
        with pytest.raises(quire_module.Error, match=why):
            quire_module.Machine(["busybox", "true"], files=[(__file__, guest)])
    for said in (":", f"{__file__}:"):
        assert house.quire("run", "--file", said, "busybox", "true") == \
            (125, f"quire run: --file {said}: there is no path behind the colon\n")


def test_what_c_would_cut_off_is_an_error_in_python(quire_module):
    run, error = quire_module.run, quire_module.Error
    for words in ({"argv": ["busybox", "a\0b"]}, {"files": ["/a\0b"]}, {"environment": {"A": "b\0c"}},
                  {"layout": "quire\0x"}):
        with pytest.raises(error, match="has a NUL in it"):
            run(**{"argv": ["busybox", "true"], **words})
    for seconds in (0, -1, float("inf"), float("nan"), 2 ** 64):
        with pytest.raises(error, match="no time limit"):
            run(["busybox", "true"], timeout=seconds)
    for memory in (2 ** 44 + 16, 10 ** 30, f"{2 ** 60 + 16}K"):
        with pytest.raises(error, match="no size of a machine's memory"):
            run(["busybox", "true"], memory=memory)


def test_input_that_is_not_there_is_an_error(quire_module):
    library, machine = quire_module._library, quire_module.Machine(["busybox", "true"])
    library.quire_report_to.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    for length in (1, 2 ** 64 - 1):
        assert library.quire_input(machine._handle, None, length) == -1
    assert library.quire_input(machine._handle, b"x", 2 ** 64 - 1) == -1
    assert library.quire_report_to(machine._handle, 987, 1) == -1
    assert library.quire_error(machine._handle) == b"descriptor 987: Bad file descriptor"
    assert library.quire_error(None) == b"out of memory"


@pytest.mark.parametrize("much", [{"argv": ["busybox", "true", *["x" * 100_000] * 25]},
                                  {"argv": ["busybox", "true", *["x" * 100_000] * 50]},
                                  {"environment": ["A=" + "x" * 5_000_000]}], ids=["words", "more", "environment"])
def test_too_long_a_list_of_words_is_said(quire_module, much):
    """More than four megabytes were none, and an invalid argument."""
    result = quire_module.run(**{"argv": ["busybox", "true"], **much})
    assert (result.status, result.words) == (126, "Quire cannot start busybox: Argument list too long")
