#!/usr/bin/python3
"""instructions.py - what a kernel costs, counted: instructions, bytes and frames.

    bench/instructions.py KERNEL...

For each kernel: instructions from its first to its prompt, and for the operations of the
console's `benchmark`; bytes of the image; the share of RAM that the pool's own data takes.
QEMU's instruction clock makes one instruction one nanosecond, so the figures are the same on
a slow machine and on a busy one.
"""
import os
import re
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "system"))
from quire import Machine

MEMORY = "64M"


class Debugger:
    """As much of GDB's remote protocol as stopping at an address takes."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        for _ in range(100):
            try:
                self.socket.connect(path)
                return
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        raise SystemExit(f"{path}: QEMU does not listen")

    def send(self, text):
        self.socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())

    def answer(self):
        data = b""
        while not re.search(rb"\$[^#]*#..$", data):
            data += self.socket.recv(1)
        self.socket.sendall(b"+")
        return data

    def run_to(self, address):
        for text in (f"Z1,{address:x},1", "c", f"z1,{address:x},1"):
            self.send(text)
            self.answer()

    def go_on(self):
        self.send("c")


def entry_point(kernel):
    with open(kernel, "rb") as file:
        header = file.read(52)
    return int.from_bytes(header[24:28], "little")


def executed(machine):
    return int(re.search(r"instruction count = (\d+)", machine.monitor_command("info replay"))[1])


def boot_instructions(kernel, folder):
    """From the kernel's first instruction to the halt behind its prompt."""
    path = os.path.join(folder, "debugger")
    clock = f"shift=0,sleep=off,rr=record,rrfile={os.path.join(folder, 'record')}"
    with Machine(kernel=kernel, memory=MEMORY, log=os.path.join(folder, "log"),
                 devices=["-icount", clock, "-gdb", f"unix:{path},server=on,wait=off", "-S"]) as machine:
        debugger = Debugger(path)
        debugger.run_to(entry_point(kernel))
        start = executed(machine)
        debugger.go_on()
        machine.prompt()
        time.sleep(0.5)
        return executed(machine) - start


def loaded_bytes(kernel):
    """Bytes of memory that the ELF file's segments take, and of them those in the file."""
    with open(kernel, "rb") as file:
        data = file.read()
    offset, size, count = (int.from_bytes(data[at:at + length], "little")
                           for at, length in ((28, 4), (42, 2), (44, 2)))
    segments = [data[offset + n * size:offset + (n + 1) * size] for n in range(count)]
    loads = [segment for segment in segments if segment[:4] == b"\1\0\0\0"]
    return (sum(int.from_bytes(segment[20:24], "little") for segment in loads),
            sum(int.from_bytes(segment[16:20], "little") for segment in loads))


def show(what, figure, unit):
    print(f"  {what:44} {figure:>14} {unit}")


def benchmark(machine):
    """The console's `benchmark`: [(operation, instructions)]."""
    return [(name, int(ticks)) for name, ticks in
            re.findall(r"^cost (\S+) (\d+)", machine.command("benchmark", timeout=120), re.M)]


def measure(kernel):
    with tempfile.TemporaryDirectory(prefix="quire-") as folder:
        print(f"{kernel}, {MEMORY} of RAM")
        memory, image = loaded_bytes(kernel)
        show("image as loaded", f"{image:,}", "bytes")
        show("image in memory, with zeroed data", f"{memory:,}", "bytes")
        show("boot, first instruction to prompt", f"{boot_instructions(kernel, folder):,}", "instructions")
        with Machine(kernel=kernel, memory=MEMORY, log=os.path.join(folder, "log"), icount=True) as machine:
            machine.prompt()
            owned = {name: int(frames) for name, frames in
                     re.findall(r"^(\w+)\s+(\d+)\s+\d+\s+[\d.]+", machine.command("frames"), re.M)}
            for name in ("records", "bitmap"):
                show(f"{name}, of all RAM", f"{100 * owned[name] / owned['sum']:.2f}", "%")
            for name, ticks in benchmark(machine):
                show(name, f"{ticks:,}", "instructions")


if __name__ == "__main__":
    for path in sys.argv[1:]:
        measure(path)
