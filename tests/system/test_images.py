"""Images: a PC's BIOS starts Quire's boot sector, and that the kernel; from a disk and from a floppy.

Where a test says nothing else, the image holds no program: it ends at the kernel's console, which is the quickest to
reach.
"""
import os
import re
import subprocess

import pytest

from quire import SHELL


def writer(house, layout, folder):
    """A function that writes an image: write("--floppy", "--console"); returns its path."""
    def write(*words, program=()):
        path = str(folder / "quire.img")
        status, said = house.quire("image", "--layout", layout, *words, path, *program)
        assert status == 0, said
        return path

    return write


@pytest.fixture
def image(house, layout, tmp_path):
    """The images of this test's layout."""
    return writer(house, layout, tmp_path)


def one_layout(house):
    return "movos" if "movos" in house.layouts else house.layouts[0]


@pytest.fixture
def one_image(house, tmp_path):
    """The images of one layout, for the steps before the kernel: of movos, whose document demands all of them."""
    return writer(house, one_layout(house), tmp_path)


def boot_command(machine):
    """What the console's `boot` says: the way here, as numbers by name."""
    said = machine.command("boot")
    places = {name: (int(first, 16), int(last, 16))
              for name, first, last in re.findall(r"^ +(\w.*?) +([0-9a-f]{8}) to ([0-9a-f]{8})", said, re.M)}
    sums = dict(zip(("sector", "sector built", "padding", "padding built", "loaded", "moved", "built"),
                    re.findall(r"\b[0-9a-f]{8}\b", said[said.index("Sums:"):])))
    return said, places, sums


# ---- To the console ---------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["disk", "floppy"])
def test_boots_to_the_console(start, image, layout, kind):
    machine = start(**{kind: image("--console", *(["--floppy"] if kind == "floppy" else []))})
    assert f"Quire, layout {layout}" in machine.prompt()
    said, places, sums = boot_command(machine)
    assert "Started by Quire's boot sector" in said
    assert ("Drive 80" if kind == "disk" else "Drive 00") in said and "function e820" in said
    assert places["boot sector"] == (0x7C00, 0x7DFF)
    assert places["relocator"][0] == 0x8000
    assert places["image, loaded"][0] == places["relocator"][1] + 1
    assert places["image, moved"][0] >= 0x100000
    assert sums["sector"] == sums["sector built"] and sums["loaded"] == sums["moved"] == sums["built"]
    assert sums["padding"] != sums["padding built"]
    assert machine.command("audit").startswith("audit: clean")
    assert machine.leave() == 0


# ---- To the shell, and to a program ---------------------------------------------------------------

@pytest.mark.parametrize("kind", ["disk", "floppy"])
def test_boots_to_the_shell(start, image, kind):
    machine = start(**{kind: image(*(["--floppy"] if kind == "floppy" else []))})
    machine.expect(SHELL)
    machine.send("echo $((6 * 7)) $(uname -s) | tr 2 3\r")
    machine.expect("43 Linux")
    machine.send("exit 5\r")
    said, status = machine.end()
    assert "ended with status 5" in said and status == 3


def test_a_console_port_that_is_not_ours_is_left_alone(start, one_image):
    """channel=none: the shell waited on a virtual machine's virtio console for a host that never spoke."""
    machine = start(disk=one_image(), devices=["-device", "virtio-serial-pci,id=v", "-chardev", "null,id=c",
                                           "-device", "virtconsole,bus=v.0,chardev=c"])
    machine.expect(SHELL)


def test_the_shell_is_on_the_screen_too(start, one_image):
    machine = start(disk=one_image(), devices=["-vga", "std"])
    machine.expect(SHELL)
    machine.send("echo $((6 * 7)) on the screen\r")
    machine.expect("42 on the screen")
    machine.expect(SHELL)
    screen = machine.screen()
    assert "42 on the screen" in screen and any(line.endswith("echo $((6 * 7)) on the screen") for line in screen)


def test_the_keyboard_types_into_the_shell(start, one_image):
    machine = start(disk=one_image(), devices=["-vga", "std"])
    machine.expect(SHELL)
    machine.strike("e", "c", "h", "o", "spc", "shift-o", "shift-k", "minus", "4", "2", "x", "backspace", "ret")
    machine.expect("\nOK-42\r*\n")
    machine.strike("s", "l", "e", "e", "p", "spc", "9", "9", "ret")
    machine.expect("sleep 99")
    machine.strike("ctrl-c")
    machine.expect(SHELL)
    machine.strike("up", "up", "ret")
    machine.expect("\nOK-42\r*\n")
    assert "OK-42" in machine.screen()


@pytest.mark.parametrize("kind", ["disk", "floppy"])
def test_runs_a_program_and_leaves(start, image, kind):
    path = image(*(["--floppy"] if kind == "floppy" else []), program=["busybox", "sh", "-c", "pwd; exit 7"])
    said, status = start(**{kind: path}).end()
    assert "\n/root\n" in said and "ended with status 7" in said and status == 3


def test_a_machine_is_switched_off(start, image):
    """Where no emulator's device ends it, ACPI does: QEMU ends with 0 when its machine is off."""
    said, status = start(disk=image(program=["busybox", "echo", "over"]), leaves=False).end()
    assert "over" in said and "ended with status 0" in said and status == 0


def test_the_command_line_reaches_the_kernel(start, image):
    said, status = start(disk=image("--console", "--append", "run=audit;exit panic=exit")).end()
    assert "audit: clean" in said and status == 1


@pytest.mark.parametrize("interface, devices", [
    ("ide", ["-machine", "q35"]),
    ("ide", ["-machine", "isapc", "-cpu", "pentium3"]),
    ("virtio", []),
    ("none,id=disk", ["-device", "usb-ehci", "-device", "usb-storage,drive=disk"]),
    ("none,id=disk", ["-device", "lsi53c895a", "-device", "scsi-hd,drive=disk"]),
], ids=["ahci", "no-pci", "virtio", "usb", "scsi"])
def test_boots_from_any_controller(start, one_image, interface, devices):
    said, status = start(disk=one_image("--console", "--append", "run=boot;exit"), interface=interface,
                         devices=devices).end()
    assert "Started by Quire's boot sector" in said and status == 1


def test_an_old_processor_is_told_on_this_way_too(start, one_image):
    said, status = start(disk=one_image("--console"), cpu="486").end()
    assert "processor: too old" in said and status == 5


# ---- BIOSes that can do less ------------------------------------------------------------------------

@pytest.fixture
def tricked(house, one_image, tmp_path):
    """An image that first makes the BIOS worse: bios_trick.S, with these definitions."""
    def write(*definitions, words=("--console",)):
        path = one_image(*words)
        with open(path, "r+b") as file:
            original = file.read(512)
            file.seek(0, os.SEEK_END)
            number = file.tell() // 512
            file.write(original)
            sector = assemble(house, tmp_path, "bios_trick.S", 0x600, f"-DORIGINAL={number}",
                              *(f"-D{definition}" for definition in definitions))
            file.seek(0)
            file.write(sector)
        return path

    return write


def assemble(house, folder, source, address, *words, form="binary"):
    """A piece of assembly as flat bytes that begin at `address`, or as an ELF file."""
    target = folder / "assembled"
    subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,-N",
                    "-Wl,--no-warn-rwx-segments", f"-Wl,--oformat={form}", f"-Wl,-Ttext={address:#x}", "-Wl,-e,start",
                    "-I", house.tree, "-I", f"{house.tree}/kernel", "-I", f"{house.tree}/arch/i386", *words,
                    "-o", target, f"{house.tree}/tests/system/{source}"], check=True)
    return target.read_bytes()


@pytest.mark.parametrize("definitions, words", [
    (["NO_EXTENSIONS"], "Drive 80"),
    (["STUMBLE"], "Drive 80"),
    (["STUMBLE", "NO_EXTENSIONS"], "Drive 80"),
    (["NO_E820"], "function e801 gave 3 ranges"),
    (["NO_E820", "NO_E801"], "function 88 gave 2 ranges"),
    (["CLOSE_A20"], "A20 was opened by the BIOS"),
    (["CLOSE_A20", "NO_A20"], "A20 was opened by the chipset"),
], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_boots_with_a_lesser_bios(start, tricked, definitions, words):
    machine = start(disk=tricked(*definitions))
    machine.prompt()
    assert words in machine.command("boot")
    assert "every frame has an owner" in machine.command("frames")
    assert machine.command("audit").startswith("audit: clean")


def test_reads_an_archive_with_a_lesser_bios(start, tricked):
    machine = start(disk=tricked("STUMBLE", "NO_EXTENSIONS", "CLOSE_A20", words=()))
    machine.expect(SHELL)


def test_refuses_a_disk_of_no_geometry(start, tricked):
    """A BIOS that gave no sectors in a track made the boot sector divide by zero, without a word."""
    said, status = start(disk=tricked("NO_EXTENSIONS", "NO_GEOMETRY")).end()
    assert "quire: disk error 0000 sector 0002" in said and status == 5


def test_refuses_a_firmware_that_keeps_low_memory(start, tricked):
    said, status = start(disk=tricked("LOW_KIB=256")).end()
    assert "quire: too large for low KiB 0100" in said and status == 5


# ---- Damage -------------------------------------------------------------------------------------------

def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def parts_of(path):
    """Where the parts are in an image: offsets by name, from the relocator's header."""
    with open(path, "rb") as file:
        file.seek(1024)
        header = [int.from_bytes(file.read(4), "little") for _ in range(14)]
    kernel = 1024 + header[2]
    return {"relocator": 1024, "kernel": kernel, "kernel end": kernel + header[6], "archive": header[11] * 512}


@pytest.mark.parametrize("what", ["relocator", "kernel's first byte", "kernel's last byte", "archive"])
def test_damage_is_told(start, one_image, what):
    path = one_image(*([] if what == "archive" else ["--console"]))
    parts = parts_of(path)
    flip(path, {"relocator": parts["relocator"] + 0x100, "kernel's first byte": parts["kernel"],
                "kernel's last byte": parts["kernel end"] - 1, "archive": parts["archive"] + 100000}[what])
    said, status = start(disk=path).end()
    name = {"relocator": "relocator", "archive": "archive"}.get(what, "kernel image")
    assert re.search(rf"quire: damaged {name}: its checksum is 0x[0-9A-F]{{8}}, it was built with 0x[0-9A-F]{{8}}",
                     said)
    assert status == 5


@pytest.mark.parametrize("what", ["sector", "relocator"])
def test_what_is_wrong_is_on_the_screen_too(start, one_image, what):
    path = one_image("--console")
    if what == "sector":
        os.truncate(path, 200 * 1024)
    else:
        flip(path, parts_of(path)["kernel"])
    words = {"sector": "quire: disk error", "relocator": "quire: damaged kernel image"}[what]
    machine = start(disk=path, devices=["-vga", "std"], leaves=False)
    machine.expect(words + r".*\n")
    assert any(line.startswith(words) for line in machine.screen())


@pytest.mark.parametrize("kind", ["disk", "floppy"])
def test_a_short_disk_is_told(start, one_image, kind):
    path = one_image("--console", *(["--floppy"] if kind == "floppy" else []))
    os.truncate(path, 360 * 1024)                   # a size that old floppies have
    said, status = start(**{kind: path}).end()
    match = re.search(r"quire: disk error ([0-9A-F]{4}) sector ([0-9A-F]{4})", said)
    assert match and int(match[1], 16) != 0 and int(match[2], 16) <= 720 and status == 5


def test_a_disk_too_short_for_the_archive_is_told(start, one_image):
    path = one_image()
    os.truncate(path, parts_of(path)["archive"] + 100 * 1024)
    said, status = start(disk=path).end()
    assert re.search(r"quire: disk error in the archive, at sector \d+, status 0x", said) and status == 5


# ---- Too little, and too large ---------------------------------------------------------------------

def test_too_little_memory_is_told(start, image):
    path = image("--console", "--append", "run=exit panic=exit")
    for memory in ["1028K", "1280K"]:
        said, status = start(disk=path, memory=memory).end()
        assert re.search(r"quire: too little memory: the kernel needs RAM from \d+ KiB to \d+ KiB",
                         said) and status == 5


def test_too_little_memory_for_the_archive_is_told(start, one_image, house):
    """A megabyte behind the kernel, wherever its document puts it; the archive is larger."""
    end = house.image(one_layout(house))[1]
    said, status = start(disk=one_image(), memory=f"{(end >> 10) // 4 * 4 + 1024}K").end()
    assert re.search(r"quire: too little memory: the archive needs \d+ KiB above the kernel", said) and status == 5


@pytest.fixture
def small_kernel(house, tmp_path):
    """A build folder with a kernel of the test's own: small_kernel(0x200000, 1000); returns the exit status, words and
    image."""
    def build(address, size):
        folder = tmp_path / "small"
        folder.mkdir()
        (folder / "kernel.elf").write_bytes(assemble(house, tmp_path, "small_kernel.S", address, f"-DSIZE={size}",
                                                     f"-Wl,--section-start=.far={address + (1 << 20):#x}",
                                                     form="elf32-i386"))
        (tmp_path / "bios").symlink_to(f"{house.build}/bios")
        path = str(tmp_path / "small.img")
        done = subprocess.run([f"{house.build}/host/quire", "image", "--layout", "small", "--console", path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env={**os.environ, "QUIRE_BUILD": str(tmp_path), "QUIRE_HOME": house.tree})
        return done.returncode, done.stdout, path

    return build


@pytest.mark.parametrize("address", [0x100000, 0x200000, 0x1234000])
def test_a_kernel_may_want_to_be_elsewhere(start, small_kernel, tmp_path, address):
    status, said, path = small_kernel(address, 300000)
    assert status == 0, said
    noise = tmp_path / "noise"                      # so that zeros are only where the relocator writes them
    noise.write_bytes(b"\xA5" * 1200000)
    said, status = start(disk=path, devices=["-device", f"loader,file={noise},addr={address:#x},force-raw=on"]).end()
    assert "all as promised" in said and status == 1


def test_a_large_gap_is_not_loaded(small_kernel):
    """The firmware layout's gaps of 60 KiB left 9 KiB of low memory free."""
    status, said, path = small_kernel(0x100000, 1000)
    assert status == 0 and os.path.getsize(path) == 1 << 20
    with open(path, "rb") as file:
        header = file.read(2048)[1024:]
    words = [int.from_bytes(header[4 * n:4 * n + 4], "little") for n in range(20)]
    assert words[14] == 2 and words[16] == words[8] == 0x100000 and words[18:20] == [0x200000, 4]
    assert words[6] == words[17] + words[19] < 16384


def test_a_kernel_too_large_is_refused_when_built(small_kernel):
    status, said, path = small_kernel(0x100000, 620 * 1024)
    assert status == 125 and not os.path.exists(path)
    assert re.search(r"too large: \d+ KiB are to be loaded at 0x8000, and low memory holds 607 KiB", said)


def test_the_largest_kernel_boots(start, small_kernel):
    status, said, path = small_kernel(0x100000, 590 * 1024)
    assert status == 0 and re.search(r"low memory has room for \d more", said), said
    said, status = start(disk=path).end()
    assert "all as promised" in said and status == 1


def test_a_kernel_below_the_relocator_is_refused_when_built(small_kernel):
    status, said, path = small_kernel(0x10000, 1000)
    assert status == 125 and "moves kernels to 1 MiB or above" in said


def test_a_floppy_is_as_small_as_it_can_be(house, tmp_path):
    path = str(tmp_path / "quire.img")
    layout = house.layouts[0]
    status, said = house.quire("image", "--layout", layout, "--floppy", "--console", path)
    assert status == 0 and "1.44 MB floppy" in said and os.path.getsize(path) == 2880 * 512
    status, said = house.quire("image", "--layout", layout, "--floppy", path)
    assert status == 0 and "2.88 MB floppy" in said and os.path.getsize(path) == 5760 * 512
    (tmp_path / "noise").write_bytes(os.urandom(3 << 20))
    os.unlink(path)
    status, said = house.quire("image", "--layout", layout, "--floppy", "--file", f"{tmp_path}/noise:/noise", path)
    assert status == 125 and "too large for a floppy" in said and not os.path.exists(path)


@pytest.mark.parametrize("words, status, answer", [
    ([], 125, "which file"),
    (["--layout", "nowhere", "OUT"], 121, "no kernel of the layout nowhere"),
    (["--console", "OUT", "busybox"], 125, "without a program"),
    (["--append", "x" * 1024, "--console", "OUT"], 125, "room for 1010 characters"),
    (["OUT", "no-such-program"], 127, "no program"),
    (["--console", "/nowhere/OUT"], 125, "No such file"),
])
def test_wrong_questions_are_answered(house, tmp_path, words, status, answer):
    got, said = house.quire("image", *(str(tmp_path / "OUT") if word == "OUT" else word for word in words))
    assert got == status and answer in said
    assert not (tmp_path / "OUT").exists()
