"""A second opinion: under Bochs, whose processor, BIOS and disks are its own, each layout's claims end as in QEMU.

Disk and floppy boot from the BIOS by Quire's own boot sector. Skipped with a line where Bochs is not installed
(Debian's packages: bochs bochs-term bochsbios vgabios).
"""
import os
import re
import shutil

import pexpect
import pytest

SETTINGS = """\
megs: 64
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
{drive}
com1: enabled=1, mode=file, dev={folder}/serial
display_library: term
log: {folder}/log
panic: action=fatal
"""
DRIVES = {
    "disk": "ata0-master: type=disk, path={image}, mode=flat, translation=auto\nboot: disk",
    "floppy": "floppya: image={image}, status=inserted\nboot: floppy",
}
WORDS = "run=claims;audit;exit panic=exit"
SECONDS = 240               # tracker's audit makes four million checks


def bochs(folder, drive, image):
    """All output of the serial line until the machine switched itself off."""
    with open(folder / "settings", "w") as file:
        file.write(SETTINGS.format(folder=folder, drive=DRIVES[drive].format(image=image)))
    with open(folder / "go", "w") as file:
        file.write("c\n")                       # Debian's Bochs begins in its debugger
    machine = pexpect.spawn("bochs", ["-q", "-f", str(folder / "settings"), "-rc", str(folder / "go")], timeout=SECONDS,
                            env={**os.environ, "TERM": "xterm", "BXSHARE": "/usr/share/bochs"}, dimensions=(30, 100))
    try:
        machine.expect(pexpect.EOF)
    finally:
        machine.close(force=True)
    with open(folder / "serial", encoding="latin-1") as file:
        return file.read()


def verdicts(said):
    """Each claim's verdict, and whether the audit was clean."""
    return dict(re.findall(r"^claim (\w+) (\w+)", said, re.M)), re.findall(r"^audit: (\w+)", said, re.M)


def note_verdicts(build, name, seen):
    """Written for tools/claims-table, which lists where each claim was seen."""
    os.makedirs(os.path.join(build, "bochs"), exist_ok=True)
    with open(os.path.join(build, "bochs", name), "w") as file:
        file.writelines(f"{claim} {verdict}\n" for claim, verdict in seen.items())


@pytest.mark.parametrize("drive", DRIVES)
def test_bochs_sees_the_same_claims(start, house, layout, tmp_path, drive):
    if shutil.which("bochs") is None:
        pytest.skip("no bochs here")
    kernel = house.kernel(layout)
    image = tmp_path / "image"
    options = ["--floppy"] if drive == "floppy" else []
    status, said = house.quire("image", *options, "--console", "--append", WORDS, "--layout", layout, str(image))
    assert status == 0, said
    seen, audit = verdicts(bochs(tmp_path, drive, image))
    expected, _ = verdicts(start(kernel=kernel, append=WORDS, devices=["-vga", "std"]).end()[0])
    assert audit == ["clean"] and len(seen) > 5
    note_verdicts(house.build, f"{layout}-{drive}", seen)
    # Claims about the loading of the kernel depend on the loader: here the BIOS's, there a boot loader.
    assert {name: seen[name] for name in seen if "unseen" not in (seen[name], expected[name])} == \
        {name: expected[name] for name in seen if "unseen" not in (seen[name], expected[name])}
