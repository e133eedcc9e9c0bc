"""libquire.so, its Python module and the examples: sandboxed programs started by users' programs."""
import os
import signal
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ASAN = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]


@pytest.fixture
def library(house, monkeypatch):
    """The default layout, as for a user, under any layout that is tested."""
    status, said = house.make("library", "quire", "kernel", "LAYOUT=quire")
    assert status == 0, said
    monkeypatch.setenv("QUIRE_BUILD", house.build)
    monkeypatch.setenv("QUIRE_HOME", house.tree)
    monkeypatch.setenv("QUIRE_COMMAND", os.path.join(house.build, "host", "quire"))
    monkeypatch.setenv("LIBQUIRE", os.path.join(house.build, "libquire.so"))
    return os.environ["LIBQUIRE"]


@pytest.fixture
def quire_module(library, house, monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(house.tree, "python"))
    sys.modules.pop("quire", None)              # the system tests have another build folder
    import quire
    yield quire
    sys.modules.pop("quire", None)


@pytest.mark.parametrize("language", [["gcc", "-std=gnu11"], ["g++", "-x", "c++"]], ids=["c", "c++"])
def test_a_program_uses_it(house, library, tmp_path, language):
    source, program = os.path.join(HERE, "libquire_user.c"), tmp_path / "user"
    folder = os.path.join(house.tree, "tools", "libquire")
    if language[0] == "gcc":                    # the library's own memory is looked at as well
        words = [*language, *ASAN, "-D_GNU_SOURCE", source, os.path.join(folder, "libquire.c")]
    else:
        words = [*language, source, "-x", "none", library, f"-Wl,-rpath,{house.build}"]
    made = subprocess.run([*words, "-Wall", "-Wextra", "-Werror", f"-I{folder}", "-o", program], capture_output=True,
                          text=True)
    if made.returncode != 0 and "g++" in made.stderr and "not found" in made.stderr:
        pytest.skip("no C++ compiler here")
    assert made.returncode == 0, made.stderr
    done = subprocess.run([program], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert (done.stdout, done.stderr, done.returncode) == ("good\n", "", 0)


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


def processes_with(word):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if word.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def test_a_machine_ends_with_its_owner(quire_module, house):
    """The owner is killed by SIGKILL, and has no chance to clean up."""
    mark = f"owner-{os.getpid()}"
    program = f"import quire; quire.run(['busybox', 'sh', '-c', 'echo up; sleep 600', '{mark}'], output=1)"
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env={
        **os.environ, "PYTHONPATH": os.path.join(house.tree, "python")})
    assert owner.stdout.readline() == b"up\n"
    others = [pid for pid in processes_with(mark) if pid != owner.pid]
    assert others
    owner.kill()
    owner.wait()
    end = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in others) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in others if os.path.exists(f"/proc/{pid}")]


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
