"""Boot: through QEMU and through GRUB, with much memory and with too little."""
import gzip
import os
import re
import shutil
import subprocess

import newc
import pytest

from conftest import image_of
from quire import SHELL, MachineError


def test_boots_to_the_console(boot, layout):
    machine = boot()
    assert f"Quire, layout {layout}" in machine.greeting
    assert "help" in machine.command("help")
    assert machine.leave() == 0


def test_boots_a_checked_kernel(boot, layout):
    machine = boot(checked=True)
    assert f"Quire, layout {layout}" in machine.greeting
    assert machine.command("audit").startswith("audit: clean")
    assert machine.leave() == 0


def test_boots_from_the_cd_image(start, house, layout):
    machine = start(iso=house.iso(), devices=["-vga", "std"], timeout=60)
    machine.expect("executed automatically")
    machine.send("k")                               # the menu of kernels without a program
    machine.send(str(house.layouts.index(layout) + 1))
    assert f"Quire, layout {layout}" in machine.prompt()
    assert machine.command("audit").startswith("audit: clean")
    assert machine.leave() == 0


def test_the_cd_image_boots_to_the_shell(start, house, layout):
    machine = start(iso=house.iso(), devices=["-vga", "std"], timeout=60)
    with open(f"{house.tree}/layouts/{layout}/layout.md") as document:         # its entry reads as its document begins
        machine.expect(re.escape(document.readline().strip("# \n").split(",")[0]))
    machine.expect("executed automatically")
    machine.send(str(house.layouts.index(layout) + 1))
    machine.expect(re.escape(f"Quire, layout {layout}"))
    machine.expect(SHELL)
    machine.send("cat /proc/version; exit 6\r")
    said, status = machine.end()
    assert "Linux version" in said and "ended with status 6" in said and status == 3


OVMF = "/usr/share/OVMF"
FIRMWARE = {            # emulator, machine, code, variables
    "x86_64": ("qemu-system-x86_64", "q35", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
    "ia32": ("qemu-system-i386", "q35,smm=on", "OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd"),
}


def glyphs(house):
    """What the font that kernels for GRUB have draws for each character."""
    with open(os.path.join(house.build, "font", "screen_font.c")) as font:
        rows = re.findall(r"\[(\d+)\] = \{ (.*) \}", font.read())
    return {bytes(int(row, 16) for row in dots.split(", ")): chr(int(n) + 32)
            for n, dots in reversed(rows)}          # the first of characters that look the same: space and hyphen


def use_the_shell(machine, layout, glyphs=None):
    machine.expect("executed automatically")
    machine.expect(re.escape(f"Quire, layout {layout}"))
    machine.expect(SHELL)
    if glyphs:
        machine.strike("e", "c", "h", "o", "spc", "shift-h", "dot", "ret")
        machine.expect("# ")
        screen = machine.screen_of_pixels(glyphs)
        assert "Enter 'help' for a list of built-in commands." in screen, "\n".join(screen)
        typed = [n for n, line in enumerate(screen) if re.fullmatch(SHELL + r"echo H\.", line)]
        assert typed and screen[typed[0] + 1] == "H.", "\n".join(screen)
    machine.send("cat /proc/version; exit 6\r")
    said, status = machine.end()
    assert "Linux version" in said and "ended with status 6" in said and status == 3


def as_stick(house, tmp_path):
    """The image as it is, written to a stick on USB: arguments for a machine."""
    shutil.copy(house.iso(), tmp_path / "stick")
    return {"disk": tmp_path / "stick", "interface": "none,id=stick"}, \
        ["-device", "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=1"]


@pytest.mark.parametrize("firmware, medium", [("x86_64", "cd"), ("ia32", "cd"), ("x86_64", "stick"), ("ia32", "stick")])
def test_the_cd_image_boots_under_uefi(start, house, tmp_path, firmware, medium):
    """There is no text mode: the kernel draws its characters. The first message of GRUB about a module that it cannot
    find is a module that tools/iso forgot."""
    emulator, board, code, variables = FIRMWARE[firmware]
    if not os.path.exists(f"{OVMF}/{code}"):
        pytest.skip(f"no {code} here (Debian's packages are ovmf and ovmf-ia32)")
    shutil.copy(f"{OVMF}/{variables}", tmp_path / "variables")
    image, devices = as_stick(house, tmp_path) if medium == "stick" else ({"iso": house.iso()}, [])
    machine = start(**image, emulator=emulator, memory="256M", cpu="qemu64", timeout=120, devices=[*devices,
        "-vga", "std", "-machine", board, "-global", "driver=cfi.pflash01,property=secure,value=on",
        "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}/{code}",
        "-drive", f"if=pflash,format=raw,file={tmp_path}/variables"])
    use_the_shell(machine, "quire", glyphs(house))
    with open(machine.log_path) as log:
        said = log.read()
        assert "not found" not in said and "no suitable video mode" not in said


def test_the_cd_image_boots_from_a_stick(start, house, tmp_path):
    """The image has a boot sector as well."""
    image, devices = as_stick(house, tmp_path)
    use_the_shell(start(**image, devices=["-vga", "std", *devices], timeout=60), "quire")


def test_runs_the_command_lines_commands(start, house, layout):
    machine = start(kernel=house.kernel(layout), append="run=version;audit;exit panic=exit")
    said, status = machine.end()
    assert "Quire" in said and status == 1


def test_quoted_commands_may_have_arguments(start, house, layout):
    machine = start(kernel=house.kernel(layout), append='run="help audit;exit 21"')
    said, status = machine.end()
    assert "check every invariant" in said and status == 21 << 1 | 1


def test_exit_tells_of_commands_that_failed(boot):
    machine = boot()
    machine.command("nonsense")
    assert machine.leave() != 0


@pytest.mark.parametrize("memory", ["small", "64M", "1G", "3G"])
def test_boots_with_memory(boot, house, layout, memory):
    machine = boot(memory=house.small(layout, 8 * 1024) if memory == "small" else memory)
    assert "every frame has an owner" in machine.command("frames")
    assert machine.command("audit").startswith("audit: clean")


def boots_with(start, kernel, kib):
    """True when the machine reaches its prompt with so much memory; otherwise it must say why and stop in order."""
    machine = start(kernel=kernel, memory=f"{kib}K", append="run=audit;exit panic=exit")
    said, status = machine.end()
    machine.close()
    if status == 1:
        return True
    assert "memory" in said, f"with {kib} KiB it ended with status {status} and said:\n{said}"
    assert status == 5, f"with {kib} KiB it did not refuse, but ended with status {status}:\n{said}"
    return False


def test_refuses_too_little_memory(start, house, layout):
    """The least memory that works; every step below is refused with a reason, none ends in a reset.

    Without RAM for the kernel's first page, there is no instruction of the kernel's to say so.
    """
    kernel, least_to_speak = house.kernel(layout), house.least_to_speak(layout)
    works, refused = max(16 * 1024, 2 * house.least(layout)), least_to_speak
    while works - refused > 4:
        middle = (works + refused) // 8 * 4
        if boots_with(start, kernel, middle):
            works = middle
        else:
            refused = middle
    assert not boots_with(start, kernel, works - 4)
    assert works <= house.least(layout), f"it needs {works} KiB; by its document {house.least(layout)} should do"
    with open(f"{house.logs}/least-memory-{layout}", "w") as file:
        print(f"layout {layout} boots with {works} KiB", file=file)
    # Firmware keeps more or less of so small a memory, so some lower sizes may work as well.
    for kib in range(least_to_speak, works, max(4, (works - least_to_speak) // 12 // 4 * 4)):
        boots_with(start, kernel, kib)


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_refuses_too_little_memory_each_way(house, layout, machine):
    """The image for PVH, which `quire run` boots: firmware may have written over most of it when there is too little
    RAM. Sizes lie close where that can be, and further apart where all of the image is there and a place that the
    document keeps above it is not."""
    kernel = os.path.join(os.path.dirname(house.kernel(layout)), "kernel-pvh.elf")
    first = house.least_to_speak(layout)
    start, end = image_of(kernel)
    # A PC's BIOS works at the end of RAM. Where an image lies higher than the first megabyte, the loader writes it over
    # the BIOS in so small a machine, which ends there: no instruction of the kernel's has run.
    if machine == "pc" and start > 1 << 20:
        first = end // 1024 + 132
    whole, least = max(first, end // 1024) + 900, house.least(layout)
    for kib in [first + 28, *range(first + 76, whole, 76), *range(whole, least, 304)]:
        board = f"{machine},acpi=off" if machine == "microvm" else machine      # as `quire run` has it
        done = subprocess.run(["qemu-system-i386", "-M", board, "-accel", "tcg", "-m", f"{kib}K", "-display", "none",
                               "-no-reboot", "-nodefaults", "-device", "isa-debug-exit,iobase=0xf4", "-serial", "stdio",
                               "-kernel", kernel, "-append", "run=exit panic=exit"], stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=60)
        assert done.returncode == 1 or (done.returncode == 5 and b"memory" in done.stdout), (kib, done)


def start_run_kernel(house, layout, machine, archive):
    """What the kernel that only runs programs says without a channel, and QEMU's status."""
    kernel = os.path.join(os.path.dirname(house.kernel(layout)), "kernel-run.elf")
    done = subprocess.run(["qemu-system-i386", "-M", machine, "-accel", "tcg", "-m", "64", "-display", "none",
                           "-no-reboot", "-nodefaults", "-device", "isa-debug-exit,iobase=0xf4", "-serial", "stdio",
                           "-kernel", kernel, "-initrd", archive], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60)
    return done.returncode, done.stdout


def test_the_kernel_that_runs_programs_refuses_what_it_has_no_parts_for(house, layout, tmp_path):
    """A bus whose devices' memory it could not keep off, and an archive that it cannot decompress."""
    archive = newc.write([("file", 0o100644, b"x" * 100)])
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(archive)
    packed.write_bytes(gzip.compress(archive))
    status, said = start_run_kernel(house, layout, "pc", str(plain))
    assert status == 5 and "cannot start: this kernel is for a machine without PCI" in said, said
    small = "microvm,acpi=off,x-option-roms=off,pit=on,pic=on,rtc=on,isa-serial=on"
    status, said = start_run_kernel(house, layout, small, str(packed))
    assert status != 5 and "boot archive 1: this kernel does not decompress archives" in said, said
    status, said = start_run_kernel(house, layout, small, str(plain))
    assert "boot archive" not in said and "/init cannot be started: there is no such file" in said, said


def test_a_module_is_kept(start, house, layout, tmp_path):
    module = tmp_path / "module"
    contents = bytes(range(256)) * 64
    module.write_bytes(contents)
    machine = start(kernel=house.kernel(layout), modules=[str(module)])
    machine.prompt()
    machine.command("alloc 1024")
    assert "boot" in machine.command("frames")
    assert contents in machine.physical(0x100000, 16 << 20)
    assert machine.leave() == 0


def test_a_hundred_commands_of_rubbish(boot):
    machine = boot()
    for n in range(100):
        answer = machine.command(f"x{n * 7919:x} {'y' * (n % 40)}")
        assert "unknown command" in answer
    assert machine.command("audit").startswith("audit: clean")


def test_arguments_are_checked(boot):
    machine = boot()
    for line in ("alloc", "alloc 0", "alloc -1", "alloc 99999999999999999999", "alloc 4 3", "frame 4294967296",
                 "frame x", "free 1", "entry", "entry zzz", "stacks 99999999999", "break F99", "crash nothing",
                 "exit 1 2", "map nowhere"):
        answer = machine.command(line)
        assert answer.strip(), f"{line!r} said nothing"
    assert machine.command("audit").startswith("audit: clean")


def test_ending_early_is_noticed(start, house, layout):
    """The harness itself distinguishes a machine that ends from one that waits."""
    machine = start(kernel=house.kernel(layout), append="run=exit")
    with pytest.raises(MachineError, match="QEMU ended"):
        machine.prompt()
