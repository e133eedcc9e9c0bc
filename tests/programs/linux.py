"""linux.py - the program ring's oracle: a job's archive, unpacked and run by Linux itself.

The archive that `quire run` would give to its machine becomes a folder, and Linux runs the
program in it, where this machine's kernel runs i386 programs. So both sides see the same
files, arguments and environment.
"""
import os
import stat
import subprocess
import sys
import tempfile

SYSTEM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system")
sys.path.insert(0, SYSTEM)
import newc


class Unavailable(Exception):
    """Linux cannot be asked here."""


def archive_of(quire, words, build):
    """The archive of `quire run`; a stand-in for QEMU prints it."""
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "quire"))
        open(os.path.join(folder, "quire", "kernel.elf"), "wb").close()
        done = subprocess.run([quire, "run", *words], stdin=subprocess.DEVNULL, capture_output=True,
                              env={**os.environ, "QUIRE_BUILD": folder, "FAKE_GUEST": "archive",
                                   "QUIRE_QEMU": os.path.join(SYSTEM, "fake_guest.py")})
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return newc.read(done.stdout)[0]


def unpack(files, folder):
    folders = []
    for name, entry in files.items():
        path = os.path.join(folder, name)
        if stat.S_ISDIR(entry.mode):
            os.makedirs(path, exist_ok=True)
            folders.append((path, entry.mode))
        elif stat.S_ISLNK(entry.mode):
            os.symlink(entry.content, path)
        elif not name.startswith(".quire/"):
            with open(path, "wb") as file:
                file.write(entry.content)
            os.chmod(path, stat.S_IMODE(entry.mode))
    for path, mode in reversed(folders):
        os.chmod(path, stat.S_IMODE(mode) | 0o700)


def lists(files, name):
    return files[".quire/" + name].content.split(b"\0")[:-1]


# In namespaces of its own, so nothing of it is seen outside; a user who is not root is root in it.
ENTER = ["unshare", *(["--user", "--map-root-user"] if os.geteuid() != 0 else []), "--mount", "--pid", "--fork",
         "--kill-child"]
# (Not as the first process there: signals would not kill it.)
INSIDE = """
mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
ulimit -s 8192
exec 3>&2 2> /dev/null
env -i "${@:4:$3}" chroot "$1" "$2" "${@:4+$3}" 2>&3 3>&-
exit $?
"""


def run(quire, words, build, stdin=b""):
    """(exit status as a shell gives it, output, errors) under Linux."""
    if subprocess.run([*ENTER, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Unavailable("no namespaces here")
    files = archive_of(quire, words, build)
    arguments, environment = lists(files, "arguments"), lists(files, "environment")
    with tempfile.TemporaryDirectory() as folder:
        unpack(files, folder)
        command = ENTER + ["bash", "-c", INSIDE, "bash", folder, arguments[0], str(len(environment)), *environment,
                           *arguments[1:]]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=120)
    if done.returncode == 126 or done.returncode == 127:
        raise Unavailable(done.stderr.decode(errors="replace"))
    return done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stdout, done.stderr


# ---- Linux for i386 itself, in the emulator -------------------------------------------------------

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")


def run_i386(build, program, *words, last="end", patience=240):
    """The output of a static program that runs as process 1 of Debian's i386 kernel, up to its line `last`.

    Where a 64-bit kernel answers i386 programs otherwise than one for i386 (selectors, IRET, forged frames), this is
    the oracle. `sh tools/fetch-programs build/programs kernel` fetches it.
    """
    sys.path.insert(0, BENCH)
    import compare
    kernel = os.path.join(build, "programs", "linux", "vmlinuz")
    if not os.path.exists(kernel):
        raise Unavailable(f"no {kernel}")
    with open(program, "rb") as file, tempfile.NamedTemporaryFile() as archive:
        archive.write(compare.newc([("dev", 0o40755, (0, 0), b""), ("dev/console", 0o20600, (5, 1), b""),
                                    ("init", 0o100755, (0, 0), file.read())]))
        archive.flush()
        done = subprocess.run(["qemu-system-i386", "-accel", "tcg", "-m", "128", "-nodefaults", "-no-user-config",
                               "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", kernel, "-initrd",
                               archive.name, "-append",
                               " ".join(["console=ttyS0 quiet loglevel=0 panic=-1 mitigations=off nokaslr --",
                                         *words])],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=patience)
    lines = done.stdout.decode(errors="replace").replace("\r\n", "\n").split("\n")
    if last not in lines:
        raise AssertionError("it did not come to its end: " + "\n".join(lines[-20:]))
    return "\n".join(lines[:lines.index(last) + 1]) + "\n"
