"""Programs that are killed at any point leave nothing behind (claim M7), and a clean audit."""
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


def test_every_frame_comes_back(layout):
    build = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(HERE, "..", "..", "build"))
    root = os.path.join(build, "programs", "root")
    if not os.path.isdir(root):
        pytest.skip(f"no programs in {root}; `make programs` fetches them")
    script = os.path.join(HERE, "..", "programs", "kills.sh")
    done = subprocess.run([os.path.join(build, "host", "quire"), "run", "--audit", "--layout", layout, "--root", root,
                           "--timeout", "200", "--file", f"{script}:/tmp/kills.sh", "busybox", "sh", "/tmp/kills.sh"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "QUIRE_BUILD": build})
    assert (done.returncode, done.stdout) == (0, "every frame came back\nclean:\n"), done.stderr
