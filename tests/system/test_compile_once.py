"""tools/compile-once: a source is compiled for a layout only if the preprocessor makes something new of it."""
import os
import subprocess

import pytest

SOURCE = '#include "layout.h"\n#include "other.h"\nint seen = SEEN + OTHER;\n'
# The compiler's stand-in notes what it compiles, and does it.
COMPILER = '#!/bin/sh\ncase " $* " in *" -E "*) ;; *) echo "$@" >> compiled ;; esac\nexec gcc "$@"\n'


@pytest.fixture
def compile_once(house, tmp_path):
    """A function: compiles for a layout whose header has these lines; returns how often the compiler has compiled."""
    (tmp_path / "source.c").write_text(SOURCE)
    (tmp_path / "other.h").write_text("#define OTHER 1\n")
    (tmp_path / "compiler").write_text(COMPILER)
    (tmp_path / "compiler").chmod(0o755)
    (tmp_path / "compiled").touch()

    def run(layout, *lines, options=("-O1",), status=0):
        folder = tmp_path / layout
        folder.mkdir(exist_ok=True)
        (folder / "layout.h").write_text("".join(line + "\n" for line in lines))
        done = subprocess.run(["sh", f"{house.tree}/tools/compile-once", "store", layout, "source.c",
                               f"{layout}/source.c.o", "./compiler", *options, f"-I{layout}"], cwd=tmp_path, text=True,
                              capture_output=True)
        assert (done.returncode == 0) == (status == 0), done.stderr
        return len((tmp_path / "compiled").read_text().splitlines())

    return run


def test_what_is_seen_decides(compile_once, tmp_path):
    assert compile_once("one", "#define SEEN 1", "#define UNSEEN 1") == 1
    assert compile_once("two", "#define SEEN 1", "#define UNSEEN 2") == 1
    assert (tmp_path / "one/source.c.o").read_bytes() == (tmp_path / "two/source.c.o").read_bytes()
    assert compile_once("three", "#define SEEN 2") == 2
    assert (tmp_path / "one/source.c.o").read_bytes() != (tmp_path / "three/source.c.o").read_bytes()
    assert compile_once("one", "#define SEEN 2") == 2


def test_another_command_another_header_or_another_line_compiles(compile_once, tmp_path):
    assert compile_once("one", "#define SEEN 1") == 1
    assert compile_once("one", "#define SEEN 1", options=("-O2",)) == 2
    assert compile_once("one", "#define SEEN 1") == 2
    (tmp_path / "other.h").write_text("#define OTHER 2\n")
    assert compile_once("one", "#define SEEN 1") == 3
    (tmp_path / "source.c").write_text("\n" + SOURCE)               # a debugger reads of lines
    assert compile_once("one", "#define SEEN 1") == 4


def test_prerequisites_are_those_of_the_object(compile_once, tmp_path):
    for layout in ("one", "two"):
        compile_once(layout, "#define SEEN 1")
        first = (tmp_path / layout / "source.c.d").read_text().split("\n\n")[0].replace("\\\n", " ").split()
        assert set(first) >= {f"{layout}/source.c.o:", "source.c", f"{layout}/layout.h", "other.h"}
        assert os.listdir(tmp_path / layout).count("source.c.i") == 0


def test_what_does_not_compile_leaves_nothing(compile_once, tmp_path):
    compile_once("one", "#define SEEN nothing", status=1)
    compile_once("two", "#error no", status=1)
    assert not (tmp_path / "one/source.c.o").exists() and not (tmp_path / "store/source.c").exists()
    assert compile_once("one", "#define SEEN 1") == 2


def test_twenty_are_kept(compile_once, tmp_path):
    for number in range(24):
        compile_once("one", f"#define SEEN {number}")
    assert len(os.listdir(tmp_path / "store/source.c")) == 20
    assert compile_once("one", "#define SEEN 23") == 24
