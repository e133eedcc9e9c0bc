"""Frozen machines (`quire run --snapshot`): restored runs are like booted ones, share nothing that must be a run's own,
and are never of another kernel, program or command line than they were made from."""
import glob
import os
import re
import shutil
import subprocess
import time

import pytest

from fake_run import compile_i386

# Prints the sixteen bytes that AT_RANDOM leads to, and the time since 1970, in hexadecimal.
RANDOM = """
static void call(int n, int a, const void *b, int c)
{
    __asm__ volatile("int $0x80" :: "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
}
static void show(const unsigned char *bytes, int count)
{
    for (int i = 0; i < count; i++) {
        char two[2] = { "0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15] };
        call(4, 1, two, 2);
    }
    call(4, 1, "\\n", 1);
}
void start(unsigned *sp)
{
    unsigned time[2];
    while (*sp++) ;
    while (*sp++) ;
    for (; sp[0] != 0; sp += 2)
        if (sp[0] == 25)
            show((const unsigned char *)sp[1], 16);
    call(265, 0, time, 0);
    show((const unsigned char *)time, 4);
    call(1, 0, 0, 0);
}
__asm__(".globl _start\\n_start: mov %esp, %eax\\n push %eax\\n call start");
"""


class Frozen:
    """A build folder with a copy of a layout's kernels, and `quire run` from it."""

    def __init__(self, folder, house, layout):
        self.folder, self.layout, self.command = str(folder), layout, os.path.join(house.build, "host", "quire")
        self.kernels = os.path.join(self.folder, "build", layout)
        self.root = os.path.join(house.build, "programs", "root")
        os.makedirs(self.kernels)
        for kernel in glob.glob(os.path.join(os.path.dirname(house.kernel(layout)), "kernel*.*")):
            shutil.copy(kernel, self.kernels)

    def __call__(self, *words, snapshot=True, **how):
        done = subprocess.run([self.command, "run", "-v", *(["--snapshot"] if snapshot else []), "--layout",
                               self.layout, "--root", self.root, "--timeout", "100", *words], cwd=self.folder,
                              env={**os.environ, "QUIRE_BUILD": os.path.join(self.folder, "build")}, timeout=200,
                              capture_output=True, text=True, **{"input": "", **how})
        return done.returncode, done.stdout, done.stderr

    def kept(self):
        return sorted(glob.glob(os.path.join(self.kernels, "frozen", "*")))


@pytest.fixture
def frozen(tmp_path, house, layout):
    return Frozen(tmp_path, house, layout)


def restored(errors):
    return "-incoming" in errors and "no frozen machine" not in errors


def test_a_restored_run_is_like_any(frozen):
    """Streams, arguments, the exit status, files, processes; and nothing is left by the runs but the frozen machine."""
    words = ("busybox", "sh", "-c", 'cat; echo "$0 $1" >&2; [ -e /tmp/x ] || echo none; echo x > /tmp/x; exit 7', "one",
             "two words")
    plain = frozen(*words, snapshot=False, input="in\n")
    assert plain[:2] == (7, "in\nnone\n") and frozen.kept() == []
    for _ in range(3):
        status, output, errors = frozen(*words, input="in\n")
        assert (status, output) == plain[:2] and "one two words\n" in errors and restored(errors), errors
        assert len(frozen.kept()) == 1
    assert sorted(os.listdir(frozen.kept()[0])) == ["archive", "key", "ram", "state"]


def test_restored_runs_share_no_random_numbers_and_have_the_right_time(frozen):
    program = compile_i386(os.path.join(frozen.folder, "random"), RANDOM, "-static")
    shell = ("busybox", "sh", "-c", "cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid; "
             "head -c 16 /dev/urandom | hexdump -e '16/1 \"%02x\"'; echo; date +%s; cut -d. -f1 /proc/uptime")
    seen = []
    for run in range(3):
        for words in ((program,), shell):
            before = int(time.time())
            status, output, errors = frozen(*words)
            assert status == 0 and restored(errors), errors
            lines = output.split()
            now = int.from_bytes(bytes.fromhex(lines[1]), "little") if words != shell else int(lines[3])
            assert before - 1 <= now <= time.time() + 1
            seen += [lines[0]] if words != shell else lines[:3]
        time.sleep(1.5)                             # so that a clock which went on from the freezing would be wrong
    assert len(seen) == 12 and len(set(seen)) == 12, seen
    assert all(re.fullmatch(r"[0-9a-f-]{32,36}", each) for each in seen)


def test_what_differs_is_another_machine(frozen, tmp_path):
    """Arguments, variables, files, memory: each makes one of its own, and the ones before are still there."""
    (tmp_path / "data").write_text("first")
    words = ("--file", "data", "busybox", "cat", "data")
    assert frozen(*words)[:2] == (0, "first") and len(frozen.kept()) == 1
    for number, other in enumerate(((*words, "data"), ("--env", "A=B", *words), ("-m", "64", *words))):
        status, output, errors = frozen(*other)
        assert status == 0 and output.startswith("first") and restored(errors)
        assert len(frozen.kept()) == number + 2
    (tmp_path / "data").write_text("other")         # as long as before
    assert frozen(*words)[:2] == (0, "other") and len(frozen.kept()) == 5


def test_another_kernel_in_its_place_is_booted(frozen):
    words = ("busybox", "echo", "hello")
    assert restored(frozen(*words)[2]) and len(frozen.kept()) == 1
    kernel = os.path.join(frozen.kernels, "kernel-run.elf")
    with open(kernel, "r+b") as file:               # a kernel with another name of its layout, of the same size
        contents = file.read()
        at = contents.index(b"\nQuire, layout")
        file.seek(at + 1)
        file.write(b"QUIRE")
    status, output, errors = frozen(*words)
    assert (status, output) == (0, "hello\n") and restored(errors) and len(frozen.kept()) == 2


@pytest.mark.parametrize("part", ["state", "ram", "key", "archive"])
def test_a_damaged_one_is_not_used(frozen, part):
    """A state that QEMU refuses: the program is booted, and the next run makes a new one. Another key or archive is
    simply not this program's. Memory that is cut off is refused by QEMU."""
    words = ("busybox", "echo", "hello")
    frozen(*words)
    path = os.path.join(frozen.kept()[0], part)
    os.truncate(path, 64 if part != "ram" else 1 << 20)
    status, output, errors = frozen(*words)
    assert (status, output) == (0, "hello\n"), errors
    assert restored(errors) == (part in ("key", "archive"))
    assert ("no frozen machine is used: QEMU cannot restore it" in errors) == (part in ("state", "ram"))
    status, output, errors = frozen(*words)
    assert (status, output) == (0, "hello\n") and restored(errors) and len(frozen.kept()) == 1


def test_there_is_none_where_none_can_be(frozen):
    """Other machines, the whole kernel, a place that cannot be written, a file that others may write."""
    words = ("busybox", "echo", "hello")
    for option, why in ((("--machine", "pc"), "another machine"), (("--audit",), "the whole kernel")):
        status, output, errors = frozen(*option, *words)
        assert (status, output) == (0, "hello\n") and "no frozen machine is used: " in errors and why in errors
    open(os.path.join(frozen.kernels, "frozen"), "w").close()
    status, output, errors = frozen(*words)
    assert (status, output) == (0, "hello\n") and "it cannot be written beside the kernel" in errors
    os.unlink(os.path.join(frozen.kernels, "frozen"))
    frozen(*words)
    os.chmod(os.path.join(frozen.kept()[0], "state"), 0o666)
    status, output, errors = frozen(*words)
    assert (status, output) == (0, "hello\n") and "its files cannot be opened" in errors


def test_a_program_that_cannot_be_started_says_so(frozen, house, layout):
    """It is linked where the kernel is: the machine is frozen before that is known."""
    facts   = house.facts(layout)
    kernels = facts["boot.start"] if "boot.start" in facts else facts["heap.end"] - (1 << 20)
    program = compile_i386(os.path.join(frozen.folder, "high"), RANDOM, "-static", f"-Wl,-Ttext={kernels:#x}")
    plain = frozen(program, snapshot=False)
    for _ in range(2):
        status, output, errors = frozen(program)
        assert (status, output) == plain[:2] and status in (120, 126)
        assert errors.splitlines()[-1] == plain[2].splitlines()[-1] and restored(errors)


def test_only_so_many_are_kept(frozen):
    for number in range(18):
        assert frozen("busybox", "echo", str(number))[1] == f"{number}\n"
    assert len(frozen.kept()) == 16
