"""Programs that take all of one resource, in machines of 32 MiB: each ends, and its memory comes back.

tests/bombs/bombs.c explodes them one after another in one machine and looks at memory before and after each. `make
test` takes a sample under a checked kernel; `make bombs` takes all, under the kernel of LAYOUT.
"""
import os
import re
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "programs"))
import jobs

BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(HERE, "..", "..", "build"))
MINUTE = 60_000         # milliseconds that a bomb may take until all resources are back

SAMPLES = ["processes threads page-tables copy-on-write file-size deep-folders pipe-contents sockets in-flight",
           "vfork-chain mappings recursion shared-memory removed-files epoll-entries record-locks timers "
           "queued-signals arguments",
           "lock-waiters remap-storm file-mappings sealed-files"]
ALL = ["processes zombies chain threads futex-waiters doubling vfork-chain",
       "touched mappings page-tables copy-on-write mremap-growth",
       "break recursion mlock shared-memory file-size files names deep-folders", "links",
       "symbolic-links fifos memfds removed-files descriptors",
       "record-locks flocks proc-readers pipes pipe-contents wide-pipes",
       "sockets socket-buffers datagrams unaccepted in-flight", "epolls epoll-entries epoll-nest eventfds terminals",
       "timers fast-timers queued-signals arguments environment",
       "lock-waiters orphans stopped robust-lists groups pollers protect-splits remap-storm",
       "file-mappings sparse-files timer-files signal-files sealed-files removed-folders mounts"]

LINE = re.compile(r"bomb (\S+): made (\d+), (\w+ ?\w* \d+); peak (\w+) (\d+) frames;(.*); "
                  r"blocks ([+-]\d+); audit (\w+); "
                  r"all ended (\w+); (\d+) ms")


def explode(layout, names):
    root, made = os.path.join(BUILD, "programs", "root"), os.path.join(BUILD, "programs", "made")
    if not os.path.isdir(root):
        pytest.skip(f"no C library for the guest in {root}; `make programs` fetches it")
    jobs.compile_all(root, made)
    done = subprocess.run([os.path.join(BUILD, "host", "quire"), "run", "--audit", "--layout", layout, "-m", "32M",
                           "--timeout", str(70 * len(names.split())), os.path.join(made, "bombs"), *names.split()],
                           stdin=subprocess.DEVNULL,
                          capture_output=True, env={**os.environ, "QUIRE_BUILD": BUILD}, check=False)
    errors = done.stderr.decode(errors="replace")
    lines = done.stdout.decode(errors="replace").splitlines()
    print("\n".join(lines))
    assert done.returncode == 0, f"status {done.returncode} after {lines[-1:]}\n{errors[-2000:]}"
    assert [line.split(":")[0] for line in lines] == ["bomb " + name for name in names.split()]
    return lines


def judge(line):
    """A bomb's line; frames of programs and files come back to the frame, of the kernel's heap to the block: a page
    stays with one block in it, so there may be a few more of those, and of the tables that show them. Pages of files
    that nobody asks for again may be out still; the audit counts their slots."""
    name, made, how, owner, peak, changes, blocks, audit, ended, duration = LINE.fullmatch(line).groups()
    changed = {word: int(by) for word, by in re.findall(r"(\w+) ([+-]\d+)", changes)}
    assert audit == "clean" and ended == "yes" and int(duration) < MINUTE, line
    assert abs(int(blocks)) <= 2, line
    out = changed.pop("out", 0)
    assert changed.get("files", 0) == -out and sum(changed.values()) == 0, line
    assert set(changed) <= {"free", "heap", "tables", "process", "user", "files", "packed"}, line
    assert 0 <= changed.get("user", 0) <= 2, line       # the supervisor's own pages, written for the first time
    assert int(made) > 0 or how == "refused 2", line    # ENOENT: this kernel has no such resource
    assert owner != "nobody" and int(peak) > 0, line


@pytest.mark.needs("kernel", "LAYOUT=quire", "CHECKED=1")
@pytest.mark.parametrize("names", SAMPLES, ids=lambda names: names.split()[0] + "-and-others")
def test_memory_comes_back(names):
    for line in explode("quire-checked", names):
        judge(line)


@pytest.mark.skipif("QUIRE_BOMBS" not in os.environ, reason="`make bombs` explodes all of them")
@pytest.mark.parametrize("names", ALL, ids=lambda names: names.split()[0])
def test_all(names):
    for line in explode(os.environ["QUIRE_BOMBS"], names):
        judge(line)
