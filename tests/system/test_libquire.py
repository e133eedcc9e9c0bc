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
    for name, given, expected in [("one", "1", "1"), ("three", "loop", ""), ("two", "2", "3")]:
        (tmp_path / f"{name}.in").write_text(given + "\n")
        (tmp_path / f"{name}.out").write_text(expected + "\n")
    solution = "read x; [ $x = loop ] && while :; do :; done; echo $x"
    judge = os.path.join(house.tree, "examples", "judge.py")
    done = subprocess.run([judge, "--seconds", "6", "--memory", "16M", str(tmp_path), "busybox", "sh", "-c", solution],
                          capture_output=True, text=True, timeout=120)
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == ["one", "three", "two"], done.stderr
    assert ["accepted" in done.stdout, "time limit" in done.stdout, "wrong answer" in done.stdout] == [True] * 3
    assert done.returncode == 1


def test_an_untrusted_script(library, house, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os\nprint('inside', os.path.exists(%r))\n" % str(script))
    done = subprocess.run([os.path.join(house.tree, "examples", "untrusted.py"), str(script)], capture_output=True,
                          text=True, timeout=120)
    assert done.stdout.startswith("status 0, 13 bytes: inside False"), done.stdout + done.stderr


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
