#!/usr/bin/python3
"""startup.py - the start-up race, in wall clock: an empty kernel, Quire and Linux by turns.

    bench/startup.py --build build [--turns 7] [--no-linux]

Empty is a kernel of three instructions that ends QEMU at once: what the machine itself costs.
Quire is `./quire run` with a static program that writes one line; the clock stops when the line
is here. Linux is Debian's i386 kernel with the same program as init, on QEMU's pc (its microvm
does not get past the calibration of a clock). They run by turns, so that a busy machine slows
all of them, and the middle of all turns counts.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from compare import Unavailable, newc

# The machine of `quire run` (tools/quire/machine.c), with the same devices.
EMPTY = ["qemu-system-i386", "-M", "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on,x-option-roms=off",
         "-global", "virtio-mmio.force-legacy=false", "-device", "virtio-serial-device,max_ports=2",
         "-chardev", "null,id=channel", "-device", "virtserialport,chardev=channel,nr=1", "-accel", "tcg",
         "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "128", "-device",
         "isa-debug-exit,iobase=0xf4"]
PATIENCE = 120


def first_line(words, wanted, environment=None):
    """Seconds until a line holds `wanted`; with None, until the end."""
    begin = time.monotonic()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, **(environment or {})})
    said = b""
    try:
        for line in process.stdout:
            said += line
            if wanted and wanted in line:
                return time.monotonic() - begin
            if time.monotonic() - begin > PATIENCE:
                break
        if wanted is None and process.wait(PATIENCE) in (0, 1):
            return time.monotonic() - begin
        raise Unavailable(f"{words[0]} did not say {wanted}: {said[-300:].decode(errors='replace')}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--turns", type=int, default=7)
    arguments.add_argument("--no-linux", action="store_true", help="leave Linux out, which takes most of the time")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    guest = os.path.join(build, "guest")

    with tempfile.NamedTemporaryFile() as archive, open(os.path.join(guest, "hello"), "rb") as hello:
        archive.write(newc([("dev", 0o40755, (0, 0), b""), ("dev/console", 0o20600, (5, 1), b""),
                            ("init", 0o100755, (0, 0), hello.read())]))
        archive.flush()
        linux = ["qemu-system-i386", "-M", "pc", "-accel", "tcg", "-m", "128", "-nodefaults", "-no-user-config",
                 "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel",
                 os.path.join(build, "programs", "linux", "vmlinuz"), "-initrd", archive.name, "-append",
                 "console=ttyS0 quiet panic=-1 mitigations=off reboot=t"]
        racers = [("empty kernel", EMPTY + ["-kernel", os.path.join(guest, "empty")], None, options.turns),
                  ("quire run", [os.path.join(build, "host", "quire"), "run", os.path.join(guest, "hello")], b"hello",
                   options.turns),
                  ("Linux", linux, b"hello", 0 if options.no_linux else min(3, options.turns))]
        times = {name: [] for name, *_ in racers}
        for turn in range(options.turns):
            for name, words, wanted, turns in racers:
                try:
                    if turn < turns:
                        times[name].append(first_line(words, wanted, {"QUIRE_BUILD": build}))
                except (Unavailable, OSError) as error:
                    print(f"startup: {error}", file=sys.stderr)

    base = statistics.median(times["empty kernel"]) if times["empty kernel"] else None
    print(f"{'':14} {'milliseconds':>12} {'least':>8} {'times the empty machine':>24}")
    for name, taken in times.items():
        if taken:
            middle = statistics.median(taken)
            ratio = f"{middle / base:.2f}" if base else "-"
            print(f"{name:14} {middle * 1000:12.1f} {min(taken) * 1000:8.1f} {ratio:>24}")
    return 0 if times["quire run"] else 1


if __name__ == "__main__":
    sys.exit(main())
