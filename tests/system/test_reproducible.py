"""The same sources give the same bytes, wherever they lie and however the build directory is named."""
import os
import shutil
import subprocess
import time

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
    house.make("library")
    folder, output = tmp_path / "another" / "folder", tmp_path / "elsewhere"
    copy_of(house, folder)
    output.mkdir()
    for word in ("build", "run", "iso", "test"):
        (output / f"setup-{word}").touch()
    made = subprocess.run(["make", "-C", folder, "-j2", f"O={output}", f"LAYOUT={layout}", "quire", "kernel",
                           "library"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=400)
    assert made.returncode == 0, made.stdout[-4000:]
    for product in (f"{layout}/kernel.elf", f"{layout}/kernel-pvh.elf", f"{layout}/kernel-run.elf",
                    f"{layout}/kernel-run.map", "host/quire", "bios/sector", "bios/relocator", "libquire.so.0"):
        with open(os.path.join(house.build, product), "rb") as one, open(output / product, "rb") as other:
            assert one.read() == other.read(), f"{product} says where it was built, or when"


def test_the_cd_image_knows_no_time(house, tmp_path):
    """Made again later, from files of another time, in another folder and time zone: GRUB looks at the clock, mtools
    and xorriso at their files."""
    house.iso()
    images = []
    for name, when, zone in ("one", 86400, "Asia/Tokyo"), ("other", 1700000000, "America/Lima"):
        folder = tmp_path / name
        kernels = [folder / layout / "kernel-grub.elf" for layout in house.layouts]
        for layout, kernel in zip(house.layouts, kernels):
            kernel.parent.mkdir(parents=True)
            shutil.copy(os.path.join(house.build, layout, "kernel-grub.elf"), kernel)
            os.utime(kernel, (0, when))
        done = subprocess.run(["sh", "tools/iso", folder / "iso", "quire", os.path.join(house.build, "shell.cpio"),
                               *kernels], cwd=house.tree, capture_output=True, text=True, timeout=100,
                              env={**os.environ, "TMPDIR": str(folder), "TZ": zone})
        assert done.returncode == 0, done.stderr
        images.append((folder / "iso").read_bytes())
        time.sleep(2.1)                         # FAT counts in two seconds
    assert len(images[0]) == len(images[1]) and images[0] == images[1], "the image says when it was made"


def test_disk_and_floppy_know_no_time(house, tmp_path):
    house.kernel(house.layouts[-1])
    for options in [], ["--floppy"]:
        made = []
        for name in "one", "other":
            path = tmp_path / name
            status, said = house.quire("image", *options, "--layout", house.layouts[-1], str(path))
            assert status == 0, said
            made.append(path.read_bytes())
            time.sleep(1.1)
        assert made[0] == made[1], f"{options}: the image says when it was made"
