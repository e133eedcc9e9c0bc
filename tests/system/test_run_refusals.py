"""Programs that `quire run` cannot run: one line and one status each (fake_run.py)."""
import os
import subprocess

from fake_run import START, compile_i386, one_line, run


def test_not_found(run):
    status, _, errors = run("echo", "no-such-program")
    assert status == 127 and "no program `no-such-program`" in one_line(errors)
    assert run("echo", "./no/such")[0] == 127
    assert run("echo", run.folder)[0] == 127


def test_wrong_machine(run):
    status, _, errors = run("echo", "/bin/true")
    assert status == 126 and "is a program for x86-64; Quire runs those for i386" in one_line(errors)


def test_no_program_at_all(run):
    status, _, errors = run("echo", run.write("text", "hello\n", 0o755))
    assert status == 126 and "neither ELF nor a script" in one_line(errors)
    with open(run.program, "rb") as file:
        whole = file.read()
    for size in (5, 20, 52, 60, 100):
        status, _, errors = run("echo", run.write("cut", whole[:size], 0o755))
        assert status == 126, one_line(errors)


def test_damaged_programs_are_refused_or_packed_but_never_crash_us(run):
    """Single bytes of a dynamic program's headers and tables, each set to something else."""
    library = compile_i386(run.root + "/lib/libone.so", "int one;", "-shared", "-Wl,-soname,libone.so")
    compile_i386(run.root + "/lib/ld-linux.so.2", START, "-static")
    program = compile_i386(run.folder + "/needs", "extern int one; int *p = &one;" + START, library,
                           "-Wl,--dynamic-linker=/lib/ld-linux.so.2")
    with open(program, "rb") as file:
        whole = bytearray(file.read())
    dynamic = whole.find(b"libone.so") // 16 * 16
    places = [*range(4, 52), *range(52, 52 + 32 * 8, 3), *range(dynamic, dynamic + 64, 5)]
    outcomes = set()
    for turn, place in enumerate(places):
        damaged = bytearray(whole)
        damaged[place] = (0xFF, 0x80, whole[place] ^ 1)[turn % 3]
        outcomes.add(run("echo", run.write("damaged", bytes(damaged), 0o755), QUIRE_QEMU="false")[0])
    assert outcomes <= {122, 123, 126} and {122, 126} <= outcomes, outcomes


def test_not_executable(run):
    os.chmod(run.program, 0o644)
    status, _, errors = run("echo")
    assert status == 126 and "not executable" in one_line(errors)


def test_missing_library_and_loader_are_named_with_who_needs_them(run):
    library = compile_i386(run.folder + "/lib/libgone.so", "int gone;", "-shared", "-Wl,-soname,libgone.so.3")
    program = compile_i386(run.folder + "/needs", "extern int gone; int *p = &gone;" + START, library,
                           "-Wl,--dynamic-linker=/lib/loader.so")
    status, _, errors = run("echo", program)
    assert status == 123 and "/lib/loader.so" in one_line(errors) and program in errors
    compile_i386(run.root + "/lib/loader.so", START, "-static")
    status, _, errors = run("echo", program)
    assert status == 123 and "libgone.so.3" in one_line(errors) and program in errors


def test_no_emulator(run):
    status, _, errors = run("echo", QUIRE_QEMU="/no/such/qemu")
    assert status == 122 and "/no/such/qemu" in one_line(errors)
    status, _, errors = run("echo", QUIRE_QEMU="false")
    assert status == 122 and "refuses" in errors


def test_no_kernel(run):
    status, _, errors = run("echo", "--layout", "other", run.program)
    assert status == 121 and "make LAYOUT=other kernel" in one_line(errors)


def test_a_layout_by_its_document(run):
    """As make takes it: FOLDER/NAME.md or NAME/layout.md. A kernel that another document made is not this one's."""
    for document in ("mine/quire.md", "quire/layout.md"):
        path = run.write(document, "# quire: mine\n")
        status, _, errors = run("echo", "--layout", path, run.program)
        assert status == 121 and f"make LAYOUT={path} kernel" in one_line(errors)
        run.write("build/quire/layout/document", f"{path}\n")
        assert run("echo", "--layout", path, run.program)[0] == 0
        assert run("echo", "--layout", os.path.join(".", document), run.program)[0] == 0
        other = run.write(os.path.join("other", document), "# quire: another's\n")
        assert run("echo", "--layout", other, run.program)[0] == 121


def test_too_little_memory(run):
    status, _, errors = run("refuse", "-m", "1M", run.program)
    assert status == 120 and "at least 1024 KiB needed" in one_line(errors)
    assert run("too_large")[0] == 120
    big = run.write("big", b"x" * (3 << 20))
    status, _, errors = run("echo", "-m", "3M", "--file", big, run.program)
    assert status == 120 and "too little memory" in one_line(errors)


def test_the_guest_cannot_start_it(run):
    assert [run(f"not_started {n}")[0] for n in (2, 8, 12, 13)] == [127, 126, 120, 126]
    assert "Quire cannot start" in one_line(run("not_started 8")[2])


def test_wrong_use_is_125(run):
    for words in ([], ["--timeout", "soon", "x"], ["-m", "0", "x"], ["-m", "12Q", "x"], ["--no-such", "x"],
                  ["--machine", "toaster", "x"], ["--env", "=x", "y"], ["--file", "/no/such", run.program],
                  ["--root", "/no/such", run.program]):
        done = subprocess.run([run.command, "run", *words], capture_output=True, env=run.environment("echo"))
        assert done.returncode == 125 and done.stderr.startswith(b"quire run: "), words


def test_quire_alone_lists_its_commands_and_says_its_version(run):
    for words in [[], ["--help"]]:
        done = subprocess.run([run.command, *words], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", done
        for command in ("run", "shell", "debug", "map", "image", "layout"):
            assert f"\n  {command} " in done.stdout
    done = subprocess.run([run.command, "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("quire ") and done.stderr == ""
    done = subprocess.run([run.command, "--no-such-option"], capture_output=True, text=True)
    assert done.returncode == 2 and "no-such-option" in done.stderr and done.stdout == ""


def test_old_qemu_gets_the_other_machine(run):
    status, output, errors = run("machine")
    assert (status, output, errors) == (0, b"pc\n", "")
    assert "trying a pc" in run("machine", "-v", run.program)[2]
    assert run("machine", "--machine", "microvm", run.program)[0] == 122


def test_debians_script_is_not_run_but_ones_own_is(run, tmp_path):
    """Debian's qemu-system-i386 is a shell script that only chooses a program, which is started instead of it; a script
    of the user's may do more, and is obeyed."""
    def first_in_path(lines):
        script = tmp_path / "qemu-system-i386"
        script.write_text("#!/bin/sh\n" + lines + "\necho this is the script >&2; exit 1\n")
        script.chmod(0o755)
        return run("echo", run.program, QUIRE_QEMU="", PATH=f"{tmp_path}:{os.environ['PATH']}")[2]

    assert "this is the script" in first_in_path("")
    said = "this is the script" in first_in_path("exe=/usr/libexec/qemu-system-i386")
    assert said == (not os.access("/usr/libexec/qemu-system-i386", os.X_OK))
