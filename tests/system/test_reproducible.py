"""The same sources give the same bytes, wherever they lie and however the build directory is named."""
import os
import shutil
import subprocess

import pytest


def copy_of(house, folder):
    """The sources as they are, without what was built; without packages to install."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=house.tree,
                            text=True, capture_output=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: which files are sources is not known")
    for name in listed.stdout.splitlines():
        path = os.path.join(house.tree, name)
        if os.path.isfile(path):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            shutil.copy2(path, os.path.join(folder, name))


def test_another_folder_gives_the_same_bytes(house, tmp_path):
    layout = house.layouts[-1]
    house.kernel(layout)
    folder, output = tmp_path / "another" / "folder", tmp_path / "elsewhere"
    copy_of(house, folder)
    output.mkdir()
    for word in ("build", "run", "iso", "test"):
        (output / f"setup-{word}").touch()
    made = subprocess.run(["make", "-C", folder, "-j2", f"O={output}", f"LAYOUT={layout}", "quire", "kernel"],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=400)
    assert made.returncode == 0, made.stdout[-4000:]
    for product in (f"{layout}/kernel.elf", f"{layout}/kernel-pvh.elf", f"{layout}/kernel-run.elf",
                    f"{layout}/kernel-run.map", "host/quire", "bios/sector", "bios/relocator"):
        with open(os.path.join(house.build, product), "rb") as one, open(output / product, "rb") as other:
            assert one.read() == other.read(), f"{product} says where it was built, or when"
