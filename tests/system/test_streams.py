"""Much input and output: `quire run` with real programs, and the places in RAM that guests give it (fake_run.py)."""
import hashlib
import os
import random
import socket
import subprocess
import threading
import time

import pytest

from fake_run import compile_i386, run

MUCH = random.Random(12).randbytes(6_000_003)


# A child that does not wait reads its parent's input as well, each 100 bytes at a time; both write what they get.
TWO_READERS = """
static int call(int n, int a, const void *b, int c)
{
    int done;
    __asm__ volatile("int $0x80" : "=a"(done) : "0"(n), "b"(a), "c"(b), "d"(c) : "memory");
    return done;
}
void _start(void)
{
    static char bytes[100];
    int child = call(2, 0, 0, 0), fd = child != 0 ? 0 : call(5, (int)"/dev/stdin", (void *)04000, 0), got, status;
    while ((got = call(3, fd, bytes, 100)) != 0)
        if (got > 0 ? call(4, 1, bytes, got) != got : got != -11)
            call(1, 1, 0, 0);
    if (child > 0)
        call(7, child, &status, 0);
    call(1, 0, 0, 0);
}
"""


def digest(content):
    return hashlib.md5(content).hexdigest()


# ---- Places, with a guest of Python -------------------------------------------------------

def test_input_lies_where_the_guest_has_room_for_it(run):
    """Pages in a row and apart, forwards and back; of a pipe no more than was asked for, of a file all there is room
    for."""
    path = run.write("much", MUCH)
    for asked, pages in ((100_000, range(500, 532)), (4096, (7, 900, 8, 9, 300)), (5, (4095, 0))):
        content = MUCH[:400 * asked]
        words = f"cat_placed {asked} {' '.join(map(str, pages))}"
        assert run(words, "-m", "16M", run.program, input=content) == (0, content, "0\n"), asked
    with open(path, "rb") as file:
        words = "cat_placed 1 " + " ".join(map(str, range(1000, 1032)))
        process = run.begin(words, "-m", "16M", run.program, stdin=file)
        assert process.communicate(timeout=60) == (MUCH, b"0\n")


def test_without_a_shared_memory_input_comes_in_frames(run):
    """A little input is not worth it; a limit of files' length forbids it."""
    path = run.write("little", b"0123456789" * 100)
    with open(path, "rb") as file:
        process = run.begin("cat_placed 10 1 2", stdin=file)
        assert process.communicate(timeout=60) == (b"0123456789" * 100, b"1\n")
    process = subprocess.run(["sh", "-c", 'ulimit -f 2000; exec "$@"', "sh", *run.words([])], input=b"x" * 100_000,
                             env=run.environment("cat_placed 1000 1 2"), cwd=run.folder, capture_output=True)
    assert (process.returncode, process.stdout, process.stderr) == (0, b"x" * 100_000, b"100\n")


@pytest.mark.parametrize("size", [1_000, 200_000])
@pytest.mark.parametrize("unread, left", [((), 0), ((5,), 5), ((100,), 100), ((4_000_000_000,), None), ((7, 9), 7)])
def test_a_file_is_left_where_the_program_stopped_whatever_was_read_ahead(run, size, unread, left):
    """What is given back is of the last answer, and once."""
    with open(run.write("file", MUCH[:size]), "rb", buffering=0) as file:
        file.seek(300)
        process = run.begin(f"unread 100 {' '.join(map(str, unread))}", stdin=file)
        given = int(process.communicate(timeout=60)[0])
        assert given == min(size - 300, 8 * 4096)
        assert file.tell() == 300 + given - (given if left is None else left)


def test_of_a_pipe_nothing_is_given_back(run):
    assert run("unread 100 50", input=b"x" * 200)[1] == b"100\n"


@pytest.mark.parametrize("how, pages", [("all", [4096]), ("all", [2**32 - 1]), ("all", [1, 2, 1 << 20]),
                                        ("cut", [1, 2]), ("all", range(33))])
def test_a_place_that_is_none_ends_the_machine(run, how, pages):
    status, output, errors = run(f"place {how} {' '.join(map(str, pages))}", "-m", "16M", run.program, input=b"x" * 9)
    assert status == 119 and output == b"" and "quire run:" in errors


def test_the_last_page_is_a_place(run):
    assert run("place all 4095", "-m", "16M", run.program, input=b"x" * 9)[:2] == (0, b"23\n")


def test_output_of_many_frames_keeps_its_order_for_a_slow_reader(run):
    """Frames of one stream that have come together are written as one, which may grow while its reader is slow."""
    process = run.begin("runs 150", stderr=subprocess.PIPE)
    output = []
    reader = threading.Thread(target=lambda: output.append(process.stderr.read()))
    reader.start()
    got = b""
    while piece := os.read(process.stdout.fileno(), 50_000):
        got += piece
        time.sleep(0.001)
    reader.join()
    assert process.wait(60) == 0 and len(got) > 1_000_000
    for content in (got, output[0]):
        assert content == bytes(i % 251 for i in range(len(content)))


# ---- Real programs ------------------------------------------------------------------------

class Program:
    """BusyBox in a machine of a layout."""

    def __init__(self, house, layout):
        self.build, self.words = house.build, [os.path.join(house.build, "host", "quire"), "run", "--layout", layout,
                                               "--timeout", "300"]
        self.environment = {**os.environ, "QUIRE_BUILD": house.build}

    def begin(self, *words, **how):
        return subprocess.Popen([*self.words, *words], env=self.environment,
                                **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **how})

    def __call__(self, *words, content=b"", **how):
        process = self.begin(*words, **how)
        output = process.communicate(None if "stdin" in how else content, timeout=400)[0]
        return process.returncode, output


@pytest.fixture
def program(house, layout):
    return Program(house, layout)


def test_much_goes_in_and_out_unchanged(program, tmp_path):
    path = tmp_path / "much"
    path.write_bytes(MUCH)
    assert program("busybox", "cat", content=MUCH) == (0, MUCH)
    with open(path, "rb") as file:
        assert program("busybox", "cat", stdin=file) == (0, MUCH)
        assert file.tell() == len(MUCH)
    said = program("busybox", "dd", "bs=777", "if=/dev/stdin", content=MUCH[:100_000])
    assert said == (0, MUCH[:100_000])


def test_the_smallest_machine_reads_as_well(house):
    program = Program(house, "quire")
    assert program("-m", "4M", "busybox", "md5sum", content=MUCH) == (0, f"{digest(MUCH)}  -\n".encode())


def test_a_restored_machine_reads_as_well(house):
    """Its memory is a copy of its own, and input comes in frames."""
    program = Program(house, "quire")
    for _ in range(2):
        assert program("--snapshot", "busybox", "md5sum", content=MUCH) == (0, f"{digest(MUCH)}  -\n".encode())


def test_programs_take_turns_on_a_file(program, tmp_path):
    """BusyBox's `read` takes byte by byte, dd(1) its blocks: what they leave is for the next one."""
    path = tmp_path / "lines"
    path.write_bytes(b"".join(b"line %d\n" % n for n in range(20_000)))
    with open(path, "rb", buffering=0) as file:
        assert program("busybox", "sh", "-c", "read a; read b; echo $a, $b", stdin=file) == (0, b"line 0, line 1\n")
        assert file.tell() == 14
        assert program("busybox", "dd", "bs=7", "count=2", stdin=file) == (0, b"line 2\nline 3\n")
        assert program("busybox", "sh", "-c", "(read a; echo $a); exec sh -c 'read b; echo $b; kill -9 $$'",
                       stdin=file) == (137, b"line 4\nline 5\n")
        assert file.read(7) == b"line 6\n"


def test_a_reader_that_waits_beside_one_that_does_not_loses_nothing(program, tmp_path):
    """The question of the one was asked while that of the other was open, and only one answer counted."""
    status, output = program(compile_i386(str(tmp_path / "two"), TWO_READERS, "-static"), content=MUCH[:60_000])
    assert status == 0 and sorted(output) == sorted(MUCH[:60_000])


def test_a_slow_writer_is_read_as_it_writes(program):
    process = program.begin("busybox", "cat")
    for piece in (b"a", b"bc" * 3000, b"d" * 70_000, b"e"):
        process.stdin.write(piece)
        process.stdin.flush()
        assert process.stdout.read(len(piece)) == piece
    process.stdin.close()
    assert process.stdout.read() == b"" and process.wait(60) == 0


def test_a_pipe_is_read_no_further_than_the_program_reads(program):
    end, start = os.pipe()
    os.write(start, b"0123456789" * 100)
    assert program("busybox", "dd", "bs=15", "count=2", stdin=end) == (0, b"0123456789" * 3)
    assert os.read(end, 2000) == b"0123456789" * 97


def test_a_reader_that_leaves_is_sigpipe_and_one_that_is_slow_loses_nothing(program):
    process = program.begin("busybox", "yes")
    assert process.stdout.read(200_000) == b"y\n" * 100_000
    process.stdout.close()
    assert process.wait(60) == 141
    process = program.begin("busybox", "cat")
    reader, content = process.stdout, MUCH[:2_000_000]
    if os.fork() == 0:
        process.stdin.write(content)
        os._exit(0)
    process.stdin.close()
    got = b""
    while piece := reader.read(300_000):
        got += piece
        time.sleep(0.05)
    assert got == content and process.wait(60) == 0


def notified(program, trace, words, **how):
    """How often QEMU has notified the guest, and the guest QEMU, by its trace."""
    program.environment["QUIRE_QEMU_FLAGS"] = f"-d trace:virtio_queue_notify,trace:virtio_notify -D {trace}"
    assert program(*words, **how)[0] == 0
    lines = trace.read_text().splitlines()
    return [sum(line.startswith(name) for line in lines) for name in ("virtio_notify", "virtio_queue_notify")]


def test_a_megabyte_takes_few_notifications(house, tmp_path):
    """Each is an exit of the machine, and worth thousands of instructions: of a file a place of 128 KiB is filled at
    once, of a pipe 64 KiB, and output goes out in 64 KiB as well."""
    program, path = Program(house, "quire"), tmp_path / "file"
    path.write_bytes(bytes(8 << 20))
    read = ["busybox", "dd", "of=/dev/null", "bs=64k"]
    with open(path, "rb") as file:
        into, out = notified(program, tmp_path / "trace-file", read, stdin=file)
        assert into <= 8 * 10 + 40 and out <= 8 * 20 + 40
    into, out = notified(program, tmp_path / "trace-pipe", read, content=path.read_bytes())
    assert into <= 8 * 300 and out <= 8 * 600           # a pipe of the host may have as little as a page in it
    into, out = notified(program, tmp_path / "trace-out",
                         ["busybox", "dd", "if=/dev/zero", "bs=64k", "count=128"], stdin=subprocess.DEVNULL)
    assert into <= 8 * 10 + 40 and out <= 8 * 32 + 40      # 19 to 41 were seen, by what else the host does


# ---- Input that others take ----------------------------------------------------------------------

THIEF = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another process that reads the same input, and is faster: what poll(2) has seen there is gone when it returns. */
int poll(struct pollfd *on, nfds_t count, int patience)
{
    int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");
    int ready = real(on, count, patience);
    struct stat input, this;
    char taken[100];

    for (nfds_t i = 0; i < count; i++)
        if (on[i].fd >= 0 && (on[i].revents & POLLIN) && fstat(0, &input) == 0 && fstat(on[i].fd, &this) == 0 &&
            input.st_ino == this.st_ino && input.st_dev == this.st_dev && read(0, taken, sizeof taken) < 0)
            return ready;
    return ready;
}
"""


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_input_that_another_process_took_first_is_not_waited_for(run, tmp_path, monkeypatch, kind):
    """Two programs read from one pipe: poll(2) wakes both, one takes all. The other's quire had waited in read(2), with
    its signals blocked: no output, no --timeout, no SIGTERM."""
    thief = str(tmp_path / "thief.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", thief], input=THIEF.encode(), check=True)
    monkeypatch.setenv("LD_PRELOAD", thief)
    ends = os.pipe() if kind == "pipe" else [end.detach() for end in socket.socketpair()]
    child = run.begin("cat 10", "--timeout", "4", run.program, stdin=ends[0])
    os.write(ends[1], b"abc")
    try:
        assert child.wait(20) == 124
    finally:
        child.kill()
        os.close(ends[0])
        os.close(ends[1])
