"""quire.py - a virtual machine that runs Quire, and the conversation with it.

    with Machine(kernel="build/quire/kernel.elf", log="logs/boot.log") as machine:
        machine.prompt()                        # the console is there
        print(machine.command("frames"))        # what one command prints
        machine.physical(0x60000, 16)           # bytes of RAM, without asking the kernel
        assert machine.leave() == 0             # the `exit` command's value

The console is QEMU's serial line on this program's standard streams; RAM is read
through QEMU's own monitor (QMP), so a test can compare the kernel's words with
the facts. All that the serial line carried is kept in `log`.
"""
import json
import os
import re
import shutil
import socket
import tempfile
import time

import pexpect

PROMPT = "quire> "
SHELL = r"(?:/root|~) # "       # BusyBox's prompt in the home folder; from 1.37 on it is abbreviated
QEMU = "qemu-system-i386"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class MachineError(AssertionError):
    """Expected output of a machine did not come; the message has the output that came."""


class Machine:
    """One QEMU with Quire in it. Time-outs are in seconds of real time.

    leaves=False: a machine without the device by which the kernel ends QEMU, as real machines are.
    """

    def __init__(self, log, kernel=None, iso=None, disk=None, floppy=None, memory="64M", append="", cpu=None,
                 devices=(), modules=(), icount=None, leaves=True, interface="ide", timeout=60, emulator=QEMU):
        assert [kernel, iso, disk, floppy].count(None) == 3
        self.timeout = timeout
        self.folder = tempfile.mkdtemp(prefix="quire-")
        self.monitor_path = os.path.join(self.folder, "monitor")
        self.monitor = None
        words = ["-accel", "tcg", "-m", str(memory), "-display", "none", "-no-reboot", "-nodefaults",
                 *(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"] if leaves else []),
                 "-chardev", "stdio,id=serial,signal=off", "-serial", "chardev:serial",
                 "-qmp", f"unix:{self.monitor_path},server=on,wait=off"]
        if kernel:
            words += ["-kernel", kernel]
            if append:
                words += ["-append", append]
            if modules:
                words += ["-initrd", ",".join(modules)]
        elif iso:
            words += ["-cdrom", iso, "-boot", "d"]
        elif disk:
            words += ["-drive", f"file={disk},format=raw,if={interface}"]
        else:
            words += ["-drive", f"file={floppy},format=raw,if=floppy", "-boot", "a"]
        if cpu:
            words += ["-cpu", cpu]
        if icount is not None:                  # an instruction takes 2^icount nanoseconds
            words += ["-icount", f"shift={icount},sleep=off"]
        words += list(devices)

        self.log_path = log
        self.log = open(log, "w")
        self.log.write("$ " + " ".join([emulator] + words) + "\n")
        self.child = pexpect.spawn(emulator, words, echo=False, timeout=timeout, encoding="latin-1",
                                   codec_errors="replace", dimensions=(50, 200))
        self.child.logfile_read = self.log
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End QEMU in any state."""
        if self.monitor:
            self.monitor.close()
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:    # killed, and a busy host takes more than a tenth of a second to end it
            deadline = time.monotonic() + 20
            while self.child.isalive():
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- The serial line -----------------------------------------------------------

    def said(self):
        """The last lines that came, for a message about a failure."""
        text = (self.child.before or "") if isinstance(self.child.before, str) else ""
        return clean(text)[-2000:]

    def expect(self, pattern, timeout=None):
        """Wait for a regular expression; returns the match."""
        try:
            self.child.expect(pattern, timeout=timeout or self.timeout)
        except pexpect.TIMEOUT:
            raise MachineError(f"after {timeout or self.timeout} s nothing like {pattern!r}; "
                               f"it said:\n{self.said()}") from None
        except pexpect.EOF:
            self.child.wait()
            raise MachineError(f"QEMU ended (status {self.child.exitstatus}) before {pattern!r}; "
                               f"it said:\n{self.said()}") from None
        return self.child.match

    def prompt(self, timeout=None):
        """Wait for the console's prompt; returns what was printed before it."""
        self.expect(re.escape(PROMPT), timeout)
        return clean(self.child.before)

    def send(self, text):
        self.child.send(text)

    def command(self, line, timeout=None):
        """Type one line at the prompt; returns what it prints, without line and prompt."""
        self.child.send(line + "\r")
        self.expect(re.escape(line) + r"\r*\n", timeout)
        self.expect(re.escape(PROMPT), timeout)
        return clean(self.child.before)

    def end(self, timeout=None):
        """Wait until QEMU ends; returns (the rest of its output, its exit status)."""
        try:
            self.child.expect(pexpect.EOF, timeout=timeout or self.timeout)
        except pexpect.TIMEOUT:
            raise MachineError(f"QEMU still runs after {timeout or self.timeout} s; "
                               f"it said:\n{self.said()}") from None
        said = clean(self.child.before)
        self.child.wait()
        return said, self.child.exitstatus

    def leave(self, value=0):
        """The console's `exit`; returns the value with which the kernel ended QEMU."""
        self.child.send(f"exit {value}\r" if value else "exit\r")
        _, status = self.end()
        if status is None or not status & 1:
            raise MachineError(f"QEMU ended with status {status}: not by the kernel's exit")
        return status >> 1

    # ---- Behind the kernel's back --------------------------------------------------

    def ask(self, command, **arguments):
        """One QMP command; returns its answer."""
        if self.monitor is None:
            self.monitor = socket.socket(socket.AF_UNIX)
            self.monitor.settimeout(self.timeout)
            self.monitor.connect(self.monitor_path)
            self.answers = self.monitor.makefile("r")
            json.loads(self.answers.readline())
            self.ask("qmp_capabilities")
        self.monitor.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self.answers.readline())
            if "error" in answer:
                raise MachineError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def _saved(self, command, address, size):
        path = os.path.join(self.folder, "bytes")
        self.ask(command, val=address, size=size, filename=path)
        with open(path, "rb") as file:
            return file.read()

    def physical(self, address, size):
        """Bytes of physical memory."""
        return self._saved("pmemsave", address, size)

    def screen(self):
        """The text screen's 25 lines."""
        text = self.physical(0xB8000, 80 * 25 * 2)[::2].decode("latin-1")
        return [text[80 * n:80 * n + 80].rstrip("\0 ") for n in range(25)]

    def screen_of_pixels(self, glyphs):
        """The lines on a screen of pixels: each cell of 8 by 16 dots is looked up in `glyphs`, sixteen bytes each."""
        path = os.path.join(self.folder, "picture")
        self.ask("screendump", filename=path)
        with open(path, "rb") as file:
            _, size, _, pixels = file.read().split(b"\n", 3)
        width, height = map(int, size.split())
        lit = [value > 0x40 for value in pixels[1::3]]                  # green

        def character(line, column):
            rows = bytes(sum(lit[(16 * line + y) * width + 8 * column + x] << 7 - x for x in range(8))
                         for y in range(16))
            return glyphs.get(rows, "\ufffd")
        return ["".join(character(line, column) for column in range(min(80, width // 8))).rstrip()
                for line in range(height // 16)]

    def virtual(self, address, size):
        """Bytes of virtual memory, as the processor sees them now."""
        return self._saved("memsave", address, size)

    def monitor_command(self, line):
        """A command of QEMU's human monitor, such as `info registers`."""
        return self.ask("human-monitor-command", **{"command-line": line})

    def strike(self, *keys):
        """Keys of the machine's own keyboard, by QEMU's names; "shift-a" are two at once."""
        for key in keys:
            self.ask("send-key", keys=[{"type": "qcode", "data": part} for part in key.split("-")])
            time.sleep(0.05)            # QEMU releases a key later; the next press must not come before that

    def registers(self):
        """Control registers by name: CR0, CR2, CR3, CR4, EIP."""
        text = self.monitor_command("info registers")
        return {name: int(value, 16) for name, value in re.findall(r"\b(CR\d|EIP)=([0-9a-f]+)", text)}


def clean(text):
    """Serial output as lines of text: no carriage returns, no escape sequences."""
    return ESCAPES.sub("", text).replace("\r", "")
