"""Files of a folder that another user made may name files of the host: `quire run --file FOLDER` fulfils no
such wish.

Each test makes a folder of one kind, with a secret outside it, and looks into the archive that a guest would get.
"""
import os
import socket
import stat
import struct
import subprocess
import time

import pytest

import newc
from fake_run import START, Run, compile_i386

SECRET = b"for nobody else"


@pytest.fixture
def run(tmp_path, house):
    run = Run(tmp_path, os.path.join(house.build, "host", "quire"))
    run.secret = run.write("outside/secret", SECRET * 300)
    run.hostile = os.path.join(run.folder, "hostile")
    os.makedirs(run.hostile)
    return run


def packed(run, *words):
    """The archive's entries; whatever the words, the secret is not among them."""
    status, output, errors = run("archive", *words)
    assert status == 0, errors
    assert SECRET not in output and "outside/secret" not in "".join(newc.read(output)[1])
    return newc.read(output)[0]


def dynamic(path, *flags, source="extern int two; int *p = &two;" + START):
    return compile_i386(path, source, "-Wl,--unresolved-symbols=ignore-all", *flags)


def library(path, *flags, source="int two;"):
    return compile_i386(path, source, "-shared", "-Wl,-soname," + os.path.basename(path), *flags)


# ---- Names in the folder's files -------------------------------------------------------

def test_the_loader_that_a_program_names_is_none_of_ours(run):
    other = library(run.folder + "/outside/ld.so")
    for name, loader in (("plain", run.secret), ("dots", f"/usr/../{run.secret}"), ("elf", other)):
        dynamic(f"{run.hostile}/{name}", library(run.root + "/lib/libtwo.so"), "-Wl,--dynamic-linker=" + loader)
    files = packed(run, "--file", "hostile", run.program)
    assert not [name for name in files if "outside" in name]
    status, _, errors = run("echo", "--file", "hostile", "hostile/plain")
    assert status == 123 and run.secret in errors


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_library_paths_lead_nowhere_on_this_machine(run, tags):
    inside, outside = run.hostile + "/lib", run.folder + "/outside"
    library(outside + "/libtwo.so")
    for name, path in (("absolute", outside), ("origin", "$ORIGIN/../outside"),
                       ("braces", "${ORIGIN}/lib/../../outside")):
        dynamic(f"{run.hostile}/{name}", outside + "/libtwo.so", "-Wl,-rpath," + path, "-Wl," + tags)
    os.symlink("../outside", inside)
    dynamic(run.hostile + "/linked", outside + "/libtwo.so", "-Wl,-rpath,$ORIGIN/lib", "-Wl," + tags)
    files = packed(run, "--file", "hostile", run.program)
    assert not [name for name in files if name.endswith("libtwo.so")]


def test_a_library_named_by_its_path_is_none_of_ours(run):
    outside = library(run.folder + "/outside/libtwo.so", source="int two;")
    subprocess.run(["gcc", "-m32", "-nostdlib", "-shared", "-w", "-x", "c", "-", "-o", outside], input=b"int two;",
                   check=True)
    dynamic(run.hostile + "/program", outside)              # no soname: DT_NEEDED is the path
    files = packed(run, "--file", "hostile", run.program)
    assert not [name for name in files if name.endswith("libtwo.so")]


def test_needs_of_the_folder_are_met_from_the_root(run):
    two = library(run.root + "/usr/lib/i386-linux-gnu/libtwo.so")
    dynamic(run.hostile + "/program", two)
    assert "usr/lib/i386-linux-gnu/libtwo.so" in packed(run, "--file", "hostile", run.program)


def test_a_script_of_the_folder_gets_no_interpreter_of_ours(run):
    compile_i386(run.folder + "/outside/interpreter", START, "-static")
    run.write("hostile/script", f"#!{run.folder}/outside/interpreter\n", 0o755)
    status, _, errors = run("echo", "--file", "hostile", "hostile/script")
    assert status == 123 and "outside/interpreter" in errors
    assert not [name for name in packed(run, "--file", "hostile", run.program) if name.endswith("interpreter")]


# ---- Links ----------------------------------------------------------------------------------

def test_links_stay_links_wherever_they_lead(run):
    os.symlink(run.secret, run.hostile + "/absolute")
    os.symlink("../outside/secret", run.hostile + "/relative")
    os.symlink("..", run.hostile + "/up")
    os.symlink("up/outside", run.hostile + "/chained")
    os.symlink("ring", run.hostile + "/ring")
    files = packed_links(run)
    inside = run.hostile[1:] + "/"
    assert {name[len(inside):]: files[name].content for name in files if stat.S_ISLNK(files[name].mode)} == {
        "absolute": run.secret.encode(), "relative": b"../outside/secret", "up": b"..", "chained": b"up/outside",
        "ring": b"ring"}


def packed_links(run):
    """Targets of links name the secret; its bytes must not be there."""
    status, output, errors = run("archive", "--file", "hostile", run.program)
    assert status == 0 and SECRET not in output, errors
    return newc.read(output)[0]


def test_the_roots_links_do_not_lead_out_of_it(run):
    os.makedirs(run.root + "/srv")
    os.symlink(run.folder + "/outside", run.root + "/srv/folder")
    os.symlink("../../outside/secret", run.root + "/srv/file")
    for path in ("/srv/folder", "/srv/folder/secret", "/srv/file"):
        status, _, errors = run("echo", "--file", ":" + path, run.program)
        assert status == 125 and "No such file" in errors, path


def test_a_file_of_several_names_stays_one(run):
    first = run.write("hostile/b", b"x" * 5000)
    os.link(first, run.hostile + "/a")
    os.link(first, run.hostile + "/sub-c")
    run.write("hostile/d", b"x" * 5000)
    output = run("archive", "--file", "hostile:/h", run.program)[1]
    headers = {name: fields for name, fields in header_fields(output)}
    inodes = [headers["h/" + name][0] for name in ("a", "b", "sub-c", "d")]
    assert inodes[0] == inodes[1] == inodes[2] != inodes[3] and headers["h/a"][4] == 3 and headers["h/d"][4] == 1
    assert [headers["h/" + name][6] for name in ("a", "b", "sub-c", "d")] == [5000, 0, 0, 5000]


def header_fields(archive):
    at = 0
    while True:
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = archive[at + 110:at + 109 + fields[11]].decode(errors="surrogateescape")
        if name == "TRAILER!!!":
            return
        yield name, fields
        at = ((at + 110 + fields[11] + 3 & ~3) + fields[6] + 3) & ~3


# ---- Things that are no files -----------------------------------------------------------------

def test_sockets_pipes_and_devices_stay_here(run):
    os.mkfifo(run.hostile + "/pipe")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(run.hostile)                                   # a socket's path must be short
    listener.bind("socket")
    os.chdir(here)
    if os.geteuid() == 0:
        os.mknod(run.hostile + "/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    assert packed(run, "--file", "hostile:/h", run.program)["h"]
    assert not [name for name in packed(run, "--file", "hostile:/h", run.program) if name.startswith("h/")]
    for name in ("hostile/pipe", "hostile/socket", "/dev/null"):
        status, _, errors = run("echo", "--file", name, run.program)
        assert status == 125 and name in errors and len(errors.splitlines()) == 1
    listener.close()


def test_what_cannot_be_read_is_named(run):
    run.write("hostile/fine", "x")
    run.write("hostile/sub/closed", "x", 0)
    words = run.words(["--file", "hostile", run.program])
    if os.geteuid() == 0:                                   # root could read the file
        words = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *words]
    done = subprocess.run(words, cwd=run.folder, env=run.environment("echo"), capture_output=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 125 and b"hostile/sub/closed: Permission denied" in done.stderr
    os.chmod(run.hostile + "/sub", 0)
    done = subprocess.run(words, cwd=run.folder, env=run.environment("echo"), capture_output=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 125 and b"hostile/sub: Permission denied" in done.stderr


# ---- While it is packed ------------------------------------------------------------------------

LARGE = 1500 << 20
PACKED = 122                # the exit status when there is an archive, but no machine for it


def without_machine(run):
    environment = run.environment
    run.environment = lambda guest: {**environment(guest), "QUIRE_QEMU": "/bin/false"}


def reading(process, path):
    """Wait until the process has read some of a file."""
    folder = f"/proc/{process.pid}/fd"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        for fd in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{fd}") == path:
                    with open(f"/proc/{process.pid}/fdinfo/{fd}") as info:
                        if int(info.readline().split()[1]) > 0:
                            return
            except FileNotFoundError:
                pass
    raise AssertionError("the file was not read")


def large(run, name):
    path = os.path.join(run.hostile, name)
    with open(path, "wb") as file:
        file.truncate(LARGE)
    return path


def test_a_file_is_not_brought_in_place_of_the_root(run):
    """It was, and the program did not start: "Invalid argument"."""
    with open(os.path.join(run.hostile, "plain"), "w") as file:
        file.write("x")
    status, _, errors = run("echo", "--file", "hostile/plain:/", run.program)
    assert status == 125 and "--file hostile/plain:/: Is a directory" in errors and len(errors.splitlines()) == 1


def test_a_file_that_shrinks_while_it_is_packed(run):
    path = large(run, "large")
    process = run.begin("exit 0", "--file", "hostile", run.program)
    reading(process, path)
    os.truncate(path, 5)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 125 and b"hostile/large: has become shorter" in errors


def test_a_file_that_grows_while_it_is_packed(run):
    path = large(run, "large")
    without_machine(run)
    process = run.begin("exit 0", "--file", "hostile", run.program)
    reading(process, path)
    with open(path, "ab") as file:
        file.write(b"more" * 5000)
    process.communicate(timeout=60)
    assert process.returncode == PACKED


def test_a_file_that_becomes_a_link_while_others_are_packed(run):
    path = large(run, "a-large")
    for name in ("z-file", "z-folder/file"):
        run.write("hostile/" + name, b"x" * 5000)
    for change in ("z-file", "z-folder"):
        process = run.begin("exit 0", "--file", "hostile", run.program)
        reading(process, path)
        os.rename(f"{run.hostile}/{change}", f"{run.folder}/kept")
        os.symlink(run.secret if change == "z-file" else run.folder + "/kept", f"{run.hostile}/{change}")
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 125 and f"hostile/{change}".encode() in errors and b"no file any more" in errors
        os.unlink(f"{run.hostile}/{change}")
        os.rename(f"{run.folder}/kept", f"{run.hostile}/{change}")


# ---- Sizes and names ----------------------------------------------------------------------------

def test_sparse_files_up_to_what_a_machine_can_have(run):
    without_machine(run)
    with open(run.hostile + "/three", "wb") as file:
        file.truncate(3000 << 20)
    assert run("exit 0", "--file", "hostile/three", run.program)[0] == PACKED
    status, _, errors = run("echo", "-m", "64", "--file", "hostile/three", run.program)
    assert status == 120 and "too little memory" in errors
    os.truncate(run.hostile + "/three", 5 << 30)
    status, _, errors = run("echo", "--file", "hostile/three", run.program)
    assert status == 125 and "5120 MiB" in errors


def test_names_of_all_bytes_and_lengths(run):
    names = [b"two\nlines", b"\xff" * 255, b" ", b"-rf", b"TRAILER!!!", "ä".encode() * 127]
    for name in names:
        with open(os.path.join(run.hostile.encode(), name), "wb") as file:
            file.write(name)
    output = run("archive", "--file", "hostile:/h", run.program)[1]
    found = {name.encode(errors="surrogateescape") for name, _ in header_fields(output)}
    assert {b"h/" + name for name in names} <= found


def deep(folder, name, depth):
    """Folders in one another, which no path could name; returns to where we were."""
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)
    os.fchdir(here)
    os.close(here)


def test_very_deep_folders(run):
    """As deep as a path of the guest can name, with fewer descriptors than folders; deeper is refused in a line."""
    deep(run.hostile, "d", 1000)
    words = ["prlimit", "--nofile=64", *run.words(["--file", "hostile:/h", run.program])]
    done = subprocess.run(words, cwd=run.folder, env=run.environment("archive"), capture_output=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and b"h" + b"/d" * 1000 + b"\0" in done.stdout
    deep(run.hostile, "e" * 200, 40)
    status, _, errors = run("echo", "--file", "hostile:/h", run.program)
    assert status == 125 and "too long a path" in errors and len(errors.splitlines()) == 1
    subprocess.run(["rm", "-rf", run.hostile], check=True)


def test_a_hundred_thousand_files(run):
    for i in range(100):
        os.mkdir(f"{run.hostile}/{i}")
        for j in range(1000):
            os.close(os.open(f"{run.hostile}/{i}/{j}", os.O_CREAT | os.O_WRONLY))
    output = run("archive", "--file", "hostile:/h", run.program)[1]
    assert sum(name.startswith("h/") for name, _ in header_fields(output)) == 100_100


# ---- Headers that lie ------------------------------------------------------------------------------

def patch(path, content, *changes):
    content = bytearray(content)
    for offset, form, value in changes:
        struct.pack_into("<" + form, content, offset, value)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o755)
    return path


def test_crafted_headers_end_in_words(run):
    path = dynamic(run.folder + "/good", library(run.root + "/lib/libtwo.so"), "-Wl,--dynamic-linker=" + run.program)
    with open(path, "rb") as file:
        good = file.read()
    table, count = struct.unpack_from("<I", good, 28)[0], struct.unpack_from("<H", good, 44)[0]
    parts = {struct.unpack_from("<I", good, table + 32 * i)[0]: table + 32 * i for i in range(count)}
    interpreter, dynamics, loads = parts[3], parts[2], parts[1]
    section = struct.unpack_from("<I", good, dynamics + 4)[0]
    entries = {struct.unpack_from("<I", good, section + 8 * i)[0]: section + 8 * i for i in range(16, -1, -1)}
    crafted = [
        [(44, "H", 0xFFFF)], [(44, "H", 0)], [(28, "I", 0xFFFFFFF0)], [(28, "I", 0xFFFFFFFF), (44, "H", 0xFFFF)],
        [(42, "H", 1)], [(48, "H", 0xFFFF)], [(48, "H", 0), (32, "I", 52)], [(32, "I", 0xFFFFFFF0)],
        [(46, "H", 0), (48, "H", 9)], [(interpreter + 4, "I", 0xFFFFFFFF)], [(interpreter + 16, "I", 0xFFFFFFFF)],
        [(interpreter + 16, "I", 0)], [(dynamics + 4, "I", 0xFFFFFFF8)], [(dynamics + 16, "I", 0xFFFFFFFF)],
        [(dynamics + 16, "I", 3)], [(entries[5] + 4, "I", 0xFFFFFFFF)], [(entries[1] + 4, "I", 0xFFFFFFFF)],
        [(entries[1] + 4, "I", 0x7FFFFFFF)], [(loads + 4, "I", 0xFFFFF000), (loads + 16, "I", 0xFFFFFFFF)],
        [(loads + 12, "I", 0xFFFFF000), (loads + 20, "I", 0xFFFFFFFF)],
    ]
    for number, changes in enumerate(crafted):
        path = patch(f"{run.hostile}/{number}", good, *changes)
        status, _, errors = run("echo", path)
        assert status in (0, 123, 126) and len(errors.splitlines()) <= 1, (changes, status, errors)
    for length in (0, 1, 3, 4, 16, 51, 52, 53, 100, section + 4):
        path = patch(f"{run.hostile}/cut-{length}", good[:length])
        assert run("echo", path)[0] in (0, 126), length
    assert run("echo", "--file", "hostile", run.program)[0] == 0


def sparse_elf(path, size, headers=(), sections=0, count=None):
    """A sparse program for i386: program headers (a type, an offset, a length), how many there are said to be, and, in
    a section header in front of them, how many sections, or where there are too many for it, program headers."""
    elf = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, 0, 92, 52, 0, 52, 32,
                      count or len(headers), 40, 1 if count else 0, 0)
    elf += struct.pack("<10I", 0, 0, 0, 0, 0, 0 if count else sections, 0, sections, 0, 0)
    elf += b"".join(struct.pack("<8I", kind, offset, 0, 0, length, 0, 0, 0) for kind, offset, length in headers)
    with open(path, "wb") as file:
        file.write(elf)
        file.truncate(size)
    os.chmod(path, 0o755)


def test_what_a_sparse_file_counts_costs_no_memory_and_no_time(run):
    """Sections, program headers, dynamic sections and their entries are as many as a file of holes says. libelf took
    gigabytes for the first two, and kept each of the third; for each of the fourth all headers were looked at."""
    for words in dict(sections=90_000_000), dict(sections=70_000_000, count=0xFFFF):
        sparse_elf(run.folder + "/many", 4000 << 20, [(1, 0, 0)], **words)
        assert refused_soon(run) == 126
    sparse_elf(run.folder + "/many", 2000 << 20, [(2, at << 12, 1000 << 20) for at in range(2000)])
    assert refused_soon(run) == 126
    sparse_elf(run.folder + "/many", 9 << 20, [(1, 0, 0)] * 60_000 + [(2, 8 << 20, 1 << 20)])
    with open(run.folder + "/many", "r+b") as file:
        file.seek(8 << 20)
        file.write(struct.pack("<II", 5, 1) * (1 << 17))
    assert refused_soon(run) == 126


def refused_soon(run):
    """The status of a run of that file within ten seconds of the processor's time and 256 MiB."""
    done = subprocess.run(["prlimit", f"--as={256 << 20}", "--cpu=10", *run.words(["./many"])], cwd=run.folder,
                          env=run.environment("echo"), stdin=subprocess.DEVNULL, capture_output=True)
    assert b"is a damaged ELF file" in done.stderr, done
    return done.returncode


def test_names_do_not_reach_the_terminal_as_they_are(run):
    """A library, an interpreter or a file may be called as it likes; a line of quire's is one line of letters."""
    name = "\x1b]0;title\x07\nquire run: \x9b\u202eall is well"
    library(f"{run.folder}/outside/two.so", "-Wl,-soname," + name)
    dynamic(run.hostile + "/program", run.folder + "/outside/two.so")
    run.write("hostile/script", "#!/bin/\x1b[2J\n", 0o755)
    run.write("long/" + name + "/" + "x" * 250, "")
    for words, status in ((["hostile/program"], 123), (["hostile/script"], 123), (["./\x1b[2J\nx"], 127),
                          (["--file", "long:/" + "y" * 256, run.program], 125)):
        done, _, errors = run("echo", *words)
        assert done == status and errors.startswith("quire run: ") and errors.count("\n") == 1
        assert errors[:-1].isprintable(), errors


# ---- The program itself ---------------------------------------------------------------------------

def test_a_program_finds_libraries_in_its_own_folder(run):
    two = library(run.folder + "/mine/lib/libtwo.so.1")
    os.symlink("libtwo.so.1", run.folder + "/mine/lib/libtwo.so")
    for name, path in (("origin", "$ORIGIN/lib"), ("absolute", run.folder + "/mine/lib")):
        program = dynamic(f"{run.folder}/mine/{name}", two, "-Wl,-rpath," + path)
        assert run.folder[1:] + "/mine/lib/libtwo.so.1" in packed(run, program)


def test_a_programs_library_elsewhere_is_named_not_taken(run):
    two = library(run.folder + "/outside/libtwo.so")
    program = dynamic(run.folder + "/mine/program", two, "-Wl,-rpath," + run.folder + "/outside")
    status, _, errors = run("echo", program)
    assert status == 123 and "--file " + two in errors and len(errors.splitlines()) == 1
    assert two[1:] in packed(run, "--file", two, program)
    assert two[1:] in packed(run, "--env", "LD_LIBRARY_PATH=" + run.folder + "/outside", program)


def test_a_link_in_the_programs_folder_does_not_lead_out(run):
    two = library(run.folder + "/outside/libtwo.so")
    program = dynamic(run.folder + "/mine/program", two, "-Wl,-rpath,$ORIGIN")
    os.symlink(two, run.folder + "/mine/libtwo.so")
    assert run("echo", program)[0] == 123
    program = dynamic(run.folder + "/mine/other", "-Wl,-rpath,$ORIGIN",
                      library(run.root + "/lib/libone.so", source="int two;"), "-Wl,--dynamic-linker=" + run.secret)
    status, _, errors = run("echo", program)
    assert status == 123 and run.secret in errors


# ---- Roots ----------------------------------------------------------------------------------------

def test_a_root_with_everything_in_usr(run):
    """As Debian 13, and as debootstrap makes Debian 12: files named by /bin and /lib are found there."""
    for name in ("bin", "lib"):
        os.makedirs(f"{run.root}/usr/{name}")
        os.symlink("usr/" + name, f"{run.root}/{name}")
    compile_i386(run.root + "/usr/bin/busybox", START, "-static")
    library(run.root + "/usr/lib/ld-linux.so.2")
    program = dynamic(run.folder + "/program", "-Wl,--dynamic-linker=/lib/ld-linux.so.2",
                      library(run.root + "/usr/lib/libtwo.so"))
    files = packed(run, "--file", ":/bin/busybox", program)
    assert files["bin"].content == b"usr/bin" and files["lib"].content == b"usr/lib"
    assert {"usr/bin/busybox", "usr/lib/ld-linux.so.2", "usr/lib/libtwo.so"} <= set(files)
    files = packed(run, "--file", "program:/bin/other", program)
    assert "usr/bin/other" in files


def test_a_shell_of_a_root_with_everything_in_usr(run):
    compile_i386(run.root + "/usr/bin/busybox", START, "-static")
    for links in (False, True):
        if links:
            os.symlink("usr/bin", run.root + "/bin")
        done = subprocess.run([run.command, "image", "--root", run.root, "--archive", "out.cpio"], cwd=run.folder,
                              env=run.environment("echo"), capture_output=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        with open(run.folder + "/out.cpio", "rb") as file:
            files, _ = newc.read(file.read())
        words = files[".quire/arguments"].content.split(b"\0")
        assert words[0] == b"/usr/bin/busybox" and b"/bin/busybox" not in words[3] and "usr/bin/busybox" in files


def test_a_program_that_the_guest_would_not_find_is_refused(run):
    """--file made a folder where the root has a link on the way to the program."""
    compile_i386(run.root + "/opt/real/tool", START, "-static")
    os.symlink("real", run.root + "/opt/sub")
    assert "opt/real/tool" in packed(run, "/opt/sub/tool")
    status, _, errors = run("echo", "--file", "program:/opt/sub/other", "/opt/sub/tool")
    assert status == 125 and "would not find /opt/sub/tool" in errors


def test_files_of_the_root_by_a_pattern(run):
    for name in ("python3.11", "python3.12", "perl"):
        os.makedirs(f"{run.root}/usr/lib/{name}/sub")
    files = packed(run, "--file", ":/usr/lib/python3.*", run.program)
    assert {"usr/lib/python3.11/sub", "usr/lib/python3.12/sub"} <= set(files) and "usr/lib/perl" not in files
    assert run("echo", "--file", ":/usr/lib/ruby*", run.program)[0] == 125


def test_libgcc_travels_with_libc(run):
    libc = library(run.root + "/lib/libc.so.6", source="int two;")
    library(run.root + "/lib/libgcc_s.so.1", source="int three;")
    program = dynamic(run.folder + "/program", libc)
    assert {"lib/libc.so.6", "lib/libgcc_s.so.1"} <= set(packed(run, program))


# ---- In a guest -----------------------------------------------------------------------------------

def test_links_of_both_kinds_in_a_guest(run, house):
    """A real kernel: two names of one file are one inode there, and writing through one shows through the other."""
    if not os.path.exists(os.path.join(house.build, "programs/root/bin/busybox")):
        pytest.skip("busybox is not there")
    first = run.write("hostile/first", b"x" * 5000)
    os.link(first, run.hostile + "/second")
    os.symlink("first", run.hostile + "/third")
    script = ("cd /h && set -- $(stat -c '%i %h' first second) && test $1 = $3 -a $2 = 2 && echo more >> second && "
              "cmp first second && tail -n 1 third | tail -c 5; readlink third; stat -c %s first")
    done = subprocess.run([run.command, "run", "--timeout", "60", "--file", run.hostile + ":/h", "busybox", "sh",
                           "-c", script],
                          env={**os.environ, "QUIRE_BUILD": house.build}, capture_output=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (0, b"more\nfirst\n5005\n"), done.stderr


def test_the_report_names_what_was_not_found(house):
    script = "for i in 1 2 3; do cat /etc/my.conf; done; cat data.csv; exit 0"
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--report", "--timeout", "60", "busybox",
                           "sh", "-c", script], env={**os.environ, "QUIRE_BUILD": house.build}, capture_output=True,
                           stdin=subprocess.DEVNULL)
    lines = done.stderr.decode().splitlines()
    first = lines.index("paths that were looked for and not found: times, path")
    assert lines[first + 1].split() == ["3", "/etc/my.conf"]
    assert ["1", "data.csv"] in [line.split() for line in lines[first:]]
