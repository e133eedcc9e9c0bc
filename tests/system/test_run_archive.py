"""The archive of `quire run`, and its command line for QEMU (fake_run.py)."""
import os
import stat
import subprocess

import newc
from fake_run import START, compile_i386, one_line, run

PAGE = 4096


def test_orders_for_the_kernel(run):
    files, _ = run.archive("--env", "A=1", "--env", "PATH=/x", "--env", "EMPTY=", "--report", run.program, "x", "")
    assert files[".quire/arguments"].content == run.program.encode() + b"\0x\0\0"
    variables = files[".quire/environment"].content.split(b"\0")
    assert set(variables) == {b"PATH=/x", b"HOME=/root", b"A=1", b"EMPTY=", b""}
    assert files[".quire/options"].content == b"report\ndirectory " + run.folder.encode() + b"\n"
    assert stat.S_ISDIR(files[run.folder[1:]].mode)


def test_contents_modes_times_and_parents(run):
    path = run.write("data/deep/file.bin", os.urandom(5000), 0o640)
    os.utime(path, (1, 1_000_000_000))
    files, names = run.archive("--file", path + ":/srv/data/file", "--file", "data/deep", run.program)
    with open(path, "rb") as file:
        content = file.read()
    assert files["srv/data/file"].content == content
    assert stat.S_IMODE(files["srv/data/file"].mode) == 0o640
    assert files["srv/data/file"].time == 1_000_000_000
    assert files[run.folder[1:] + "/data/deep/file.bin"].content == content
    assert stat.S_IMODE(files["tmp"].mode) == 0o1777
    for name in names:
        parent = os.path.dirname(name)
        assert not parent or parent == ".quire" or names.index(parent) < names.index(name), name


def test_files_of_a_page_or_more_begin_at_a_page(run):
    words = []
    for size in (1, 4095, 4096, 4097, 10_000, 123_457):
        for turn in range(3):
            words += ["--file", run.write(f"{'n' * turn}{size}", os.urandom(size)) + f":/f/{'n' * turn}{size}"]
    files, _ = run.archive(*words, run.program)
    large = [name for name, entry in files.items()
             if stat.S_ISREG(entry.mode) and entry.size >= PAGE and not name.startswith(".quire/")]
    assert len(large) >= 13
    assert [name for name in large if files[name].offset % PAGE] == []


def test_links_and_folders_of_a_tree(run):
    run.write("tree/a/file", "x")
    os.symlink("a/file", run.folder + "/tree/link")
    os.symlink("/nowhere", run.folder + "/tree/dangling")
    os.mkfifo(run.folder + "/tree/pipe")
    os.mkdir(run.folder + "/tree/empty", 0o711)
    files, _ = run.archive("--file", "tree:/t", run.program)
    assert files["t/link"].content == b"a/file" and stat.S_ISLNK(files["t/link"].mode)
    assert files["t/dangling"].content == b"/nowhere"
    assert stat.S_IMODE(files["t/empty"].mode) == 0o711 and stat.S_ISDIR(files["t/empty"].mode)
    assert "t/pipe" not in files and files["t/a/file"].content == b"x"


def test_program_from_the_root_comes_with_its_links(run):
    compile_i386(run.root + "/usr/bin/real-1.2", START, "-static")
    os.symlink("/etc/alternatives/tool", run.root + "/usr/bin/tool")
    os.makedirs(run.root + "/etc/alternatives")
    os.symlink("../../usr/bin/real-1.2", run.root + "/etc/alternatives/tool")
    files, _ = run.archive("tool")
    assert files[".quire/arguments"].content == b"/usr/bin/tool\0"
    assert files["usr/bin/tool"].content == b"/etc/alternatives/tool"
    assert files["etc/alternatives/tool"].content == b"../../usr/bin/real-1.2"
    assert files["usr/bin/real-1.2"].size > 0


def test_links_cannot_lead_out_of_the_root_or_round_in_circles(run):
    os.makedirs(run.root + "/bin")
    os.symlink("../../../../../../bin/true", run.root + "/bin/escape")
    os.symlink("ring", run.root + "/bin/ring")
    assert run("echo", "escape")[0] == 127
    assert run("echo", "ring")[0] == 127


def test_libraries_are_found_as_the_loader_would(run):
    """needs -> libone (default folder) -> libtwo (RUNPATH with $ORIGIN) -> libone again."""
    two = compile_i386(run.root + "/opt/private/libtwo.so", "int two;", "-shared", "-Wl,-soname,libtwo.so")
    one = compile_i386(run.root + "/usr/lib/i386-linux-gnu/libone.so.1.0", "extern int two; int *one = &two;",
                       "-shared", "-Wl,-soname,libone.so.1", two, "-Wl,--enable-new-dtags",
                       "-Wl,-rpath,$ORIGIN/../../../opt/private")
    os.symlink("libone.so.1.0", run.root + "/usr/lib/i386-linux-gnu/libone.so.1")
    os.makedirs(run.root + "/lib/i386-linux-gnu")
    os.symlink("/bin/true", run.root + "/lib/i386-linux-gnu/libone.so.1")      # of the wrong kind: passed over
    compile_i386(run.root + "/lib/ld-linux.so.2", START, "-static")
    program = compile_i386(run.folder + "/needs", "extern int *one; int **p = &one;" + START, one,
                           "-Wl,--dynamic-linker=/lib/ld-linux.so.2", "-Wl,--unresolved-symbols=ignore-all")
    files, _ = run.archive(program)
    assert files["usr/lib/i386-linux-gnu/libone.so.1"].content == b"libone.so.1.0"
    assert {"usr/lib/i386-linux-gnu/libone.so.1.0", "opt/private/libtwo.so", "lib/ld-linux.so.2"} <= set(files)
    assert "bin/true" not in files


def test_scripts_bring_their_interpreters(run):
    compile_i386(run.root + "/bin/interpreter", START, "-static")
    compile_i386(run.root + "/usr/bin/env", START, "-static")
    script = run.write("script", "#! /bin/interpreter -x\necho\n", 0o755)
    files, _ = run.archive(script)
    assert {"bin/interpreter", script[1:]} <= set(files)
    files, _ = run.archive(run.write("other", "#!/usr/bin/env interpreter\n", 0o755))
    assert {"bin/interpreter", "usr/bin/env"} <= set(files)
    status, _, errors = run("echo", run.write("lost", "#!/no/such\n", 0o755))
    assert status == 123 and "/no/such" in one_line(errors)
    loop = run.write("loop", f"#!{run.folder}/loop\n", 0o755)
    assert run("echo", loop)[0] == 126


def test_a_file_given_by_name_wins_over_the_root(run):
    compile_i386(run.root + "/bin/tool", START, "-static")
    mine = compile_i386(run.folder + "/mine", "int x[2000] = {1};" + START, "-static")
    files, _ = run.archive("--file", mine + ":/bin/tool", "tool")
    with open(mine, "rb") as file:
        assert files["bin/tool"].content == file.read()


def test_files_may_come_from_the_root(run):
    os.makedirs(run.root + "/srv/tree/empty")
    with open(run.root + "/srv/tree/file", "w") as file:
        file.write("x")
    os.symlink("/srv/tree/file", run.root + "/srv/link")
    files, _ = run.archive("--file", ":/srv/tree", "--file", ":/srv/link", run.program)
    assert files["srv/tree/file"].content == b"x" and "srv/tree/empty" in files
    assert files["srv/link"].content == b"/srv/tree/file"
    status, _, errors = run("echo", "--file", ":/srv/missing", run.program)
    assert status == 125 and "--file :/srv/missing" in one_line(errors)


def test_the_whole_kernel_is_booted_for_those_who_ask_for_what_it_has(run):
    kernels = run.folder + "/build/quire/"
    open(kernels + "kernel-run.elf", "wb").close()
    for words, kernel in (((), "kernel-run.elf"), (("--audit",), "kernel-pvh.elf"), (("--report",), "kernel-pvh.elf"),
                          (("--machine", "pc"), "kernel.elf")):
        run("echo", *words, run.program)
        argv = run.argv()
        assert argv[argv.index("-kernel") + 1] == kernels + kernel, words


def test_memory_kernel_and_archive_reach_qemu(run):
    run("echo", "-m", "2560K", run.program)
    argv = run.argv()
    assert argv[argv.index("-m") + 1] == "size=2560k"
    assert argv[argv.index("-kernel") + 1] == run.folder + "/build/quire/kernel-pvh.elf"
    run("echo", "--machine", "pc", run.program)
    argv = run.argv()
    assert argv[argv.index("-kernel") + 1] == run.folder + "/build/quire/kernel.elf"
    os.unlink(run.folder + "/build/quire/kernel-pvh.elf")
    assert run("machine")[:2] == (0, b"pc\n")
    run("echo", "-m", "2560K", run.program)
    argv = run.argv()
    assert "tcg,tb-size=8" in argv or "kvm" in argv


def test_shell_is_busybox_with_links_for_its_applets(run):
    compile_i386(run.root + "/bin/busybox", START, "-static")
    done = subprocess.run([run.command, "shell", "--root", run.root], env=run.environment("archive"), cwd=run.folder,
                          capture_output=True, stdin=subprocess.DEVNULL, check=True)
    files, _ = newc.read(done.stdout)
    words = files[".quire/arguments"].content.split(b"\0")
    assert words[:3] == [b"/bin/busybox", b"sh", b"-c"] and b"--install" in words[3]
    assert b"PS1=\\w \\$ \0" in files[".quire/environment"].content
    done = subprocess.run([run.command, "shell", "ls"], env=run.environment("archive"), capture_output=True)
    assert done.returncode == 125 and b"one word too many" in done.stderr
