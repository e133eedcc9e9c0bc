"""Pages that go to a file of the host: `quire run --swap`, swapon(2), and a device that is too small or fails."""
import os
import re
import struct
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import jobs

AT_MOST = 21_000                # ticks without interrupts: test_stretches.py
MEMORY = {"movos": "32M", "tracker": "28M"}


@pytest.fixture(scope="module")
def swapper():
    """A function that runs a program of tests/programs with a file to swap to: what was printed, and all that was
    said."""
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(jobs.HERE, "..", "..", "build"))
    root, made = os.path.join(build, "programs", "root"), os.path.join(build, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    jobs.compile_all(root, made)

    def run(layout, *words, swap="64M", status=0, flags="", options=("--report",), tmp=None):
        done = subprocess.run([os.path.join(build, "host", "quire"), "run", "--layout", layout,
                               "-m", MEMORY.get(layout, "24M"), "--timeout", "300", *options,
                               *(["--swap", swap] if swap else []), os.path.join(made, words[0]), *map(str, words[1:])],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "QUIRE_BUILD": build, "QUIRE_QEMU_FLAGS": flags,
                                   **({"TMPDIR": str(tmp)} if tmp else {})})
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        if "--report" in options and status != 125:
            assert re.findall(r"^audit: (\w+)", said, re.M) == ["clean"], said
        return done.stdout, said
    return run


def test_noise_of_more_than_ram_is_held(swapper, layout):
    printed, said = swapper(layout, "swapping", 56)
    assert "14336 pages held, 0 words wrong" in printed, said
    assert int(re.search(r"^ +(\d+)  bring-in$", said, re.M)[1]) > 1_000 and "out of memory" not in said, said


@pytest.mark.parametrize("how, said_so", [("shared", "14336 pages held, 0 words wrong"),
                                          ("file", "14336 pages in a file, 0 words wrong, none refused")])
def test_shared_memory_and_files_of_more_than_ram_are_held(swapper, layout, how, said_so):
    printed, said = swapper(layout, "swapping", 56, how)
    assert said_so in printed and "out of memory" not in said, said


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_a_device_that_is_too_small_ends_with_memory(swapper):
    _, said = swapper("quire", "short", "noise", 40, swap="4M", status=137)
    assert re.search(r"^out of memory: process \d+ \(short\) is killed", said, re.M), said


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_the_file_leaves_no_trace(swapper, tmp_path):
    swapper("quire", "short", "noise", 24, tmp=tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_calls_and_their_errors(swapper):
    printed, _ = swapper("quire", "swapping")
    assert printed.splitlines() == [
        "on nothing: ENOENT", "on a folder: EISDIR", "on a terminal: EINVAL", "on no address: EFAULT",
        "on a long path: ENAMETOOLONG", "on empty: ENOENT", "on with flags: EINVAL", "off nothing: ENOENT",
        "off a terminal: EINVAL", "off no address: EFAULT", "a stranger's on: EPERM", "a stranger's off: EPERM",
        "a stranger's open: EACCES", "open: good", "size 65540", "read the header: good", "write while on: EBUSY",
        "read to no address: EFAULT", "behind the end 0", "on again: EBUSY", "advice: good", "most out, and told",
        "off: good", "wrong words: 0; total 65536, then 0", "off again: EINVAL", "on: good", "total as before",
        "advice: good", "most out, and told", "off: good", "wrong words: 0; total 65536, then 0"], printed


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
def test_interrupts_are_not_off_for_as_long_as_there_are_tables(swapper):
    """The last slot that came free gave all tables of slots back under one lock: 124 000 instructions of a checked
    kernel for 300 MiB that were out; swapon() took its 64 frames at once: 171 000."""
    printed, said = swapper("quire-checked", "leaving", "tables", flags="-icount shift=0,sleep=off")
    assert printed.startswith("25600 pages out, then 0 KiB\noff 0, on 0\n"), said
    longest = re.search(r"^longest (\d+) \w+ < ", printed, re.M)
    assert longest and 100 < int(longest[1]) <= AT_MOST, printed


@pytest.mark.parametrize("size, why", [("0", "is no size"), ("much", "is no size"), ("-1", "is no size"),
                                       ("1K", "the size is 64K to 512M"), ("1G", "the size is 64K to 512M"),
                                       ("99999999999999999999", "is no size")])
@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_sizes_are_checked(swapper, size, why):
    _, said = swapper("quire", "swapping", swap=size, status=125)
    assert why in said, said


@pytest.mark.needs("kernel", "LAYOUT=quire")
def test_a_folder_that_takes_no_file(swapper, tmp_path):
    _, said = swapper("quire", "swapping", status=125, tmp=tmp_path / "none")
    assert "no file can be made" in said, said


@pytest.mark.needs("kernel", "LAYOUT=quire")
@pytest.mark.parametrize("kind, how, status", [("write", "private", 137), ("read", "private", 135),
                                               ("read", "shared", 135), ("read", "file", 0)])
def test_a_device_that_fails(swapper, tmp_path, kind, how, status):
    """What cannot be written stays in memory until that is out; what cannot be read is a bus error, or an error of
    read()."""
    file, rules = tmp_path / "swap", tmp_path / "rules"
    file.write_bytes(bytes(1024) + struct.pack("<II", 1, 16383) + bytes(4086 - 1032) + b"SWAPSPACE2")
    os.truncate(file, 64 << 20)
    # The header is sector 0 of the one read at the start.
    rules.write_text("".join(f'[inject-error]\nevent = "{kind}_aio"\niotype = "{kind}"\nerrno = "5"\n'
                             f'sector = "{sector}"\n\n' for sector in range(8, 131072, 8)))
    flags = (f"-drive if=none,id=bad,format=raw,file=blkdebug:{rules}:{file} "
             "-device virtio-blk-device,drive=bad,werror=report,rerror=report")
    _, said = swapper("quire", "swapping", 40, *([how] if how != "private" else []), swap=None, status=status,
                      flags=flags)
    assert {0: "0 words wrong, some refused", 135: "swapping[2]: signal 7", 137: "is killed: it asked"}[status] in said
