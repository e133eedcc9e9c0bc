"""`make package`: packages for Debian that lintian finds nothing in, and that do what the README says.

One layout's kernels are enough here: what is built, split and looked at is the same for all of them.
"""
import os
import shutil
import subprocess

import pytest


def missing(house):
    done = subprocess.run(["sh", os.path.join(house.tree, "tools/setup"), "--missing", "package"], text=True,
                          capture_output=True, timeout=60)
    return done.stdout.strip() or ("" if shutil.which("git") else "git")


def test_packages_are_built_looked_at_and_run(house, tmp_path):
    lacking = missing(house)
    if lacking or not os.path.exists(os.path.join(house.build, "programs/programs.done")):
        pytest.skip(f"{lacking or 'programs'}: not here; `tools/setup package` and `make programs` bring them")
    (tmp_path / "setup-package").touch()
    os.symlink(os.path.join(house.build, "programs"), tmp_path / "programs")
    done = subprocess.run(["make", "-C", house.tree, f"O={tmp_path}", "LAYOUTS=quire", "package"], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=400)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "\nhello\n" in done.stdout and "\n42\n" in done.stdout          # the README's lines
    assert "library: said hello from C and from Python" in done.stdout
    built = sorted(name.split("_")[0] for name in os.listdir(tmp_path / "package") if name.endswith(".deb"))
    assert built == ["libquire-dev", "libquire0", "python3-quire", "quire"]
    owners = {}
    for package in built:
        listed = subprocess.run(f"dpkg-deb -c {tmp_path}/package/{package}_*.deb", shell=True, text=True,
                                capture_output=True).stdout
        for line in listed.splitlines():
            owners.setdefault(line.split()[5].lstrip("."), set()).add(package)
    for path, package in {"/usr/bin/quire": "quire", "/usr/lib/quire/quire/kernel-run.elf": "quire",
                          "/usr/lib/libquire.so.0": "libquire0", "/usr/lib/libquire.so": "libquire-dev",
                          "/usr/include/libquire.h": "libquire-dev", "/usr/share/man/man1/quire-run.1.gz": "quire",
                          "/usr/lib/python3/dist-packages/quire.py": "python3-quire",
                          "/usr/share/doc/python3-quire/examples/judge.py": "python3-quire"}.items():
        assert owners.get(path) == {package}, f"{path}: {owners.get(path)}"
