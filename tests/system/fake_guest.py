#!/usr/bin/python3
"""fake_guest.py - stands in for QEMU and a kernel: speaks the channel's protocol, and misbehaves on demand.

`quire run` starts it when $QUIRE_QEMU says so. It takes QEMU's command line, and does what
$FAKE_GUEST names; into the file FAKE_NOTES it writes its notes.
"""
import json
import os
import random
import re
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import newc

OUTPUT, ERRORS, WANT, EXIT, REPORT, LOG, MAP, PONG = 1, 2, 3, 4, 5, 6, 7, 8
UNREAD = 10
INPUT, WINDOW, SIGNAL, PING, STATE, PLACED = 16, 17, 18, 19, 20, 23
WAIT, NOW, LOOK, MORE = 0, 1, 2, 3
EXITED, KILLED, NOT_STARTED = 0, 1, 2


def value(option, start=""):
    """The word behind `option` on the command line, if that word begins with `start`."""
    for word, following in zip(sys.argv, sys.argv[1:]):
        if word == option and following.startswith(start):
            return following
    return None


def connection(name):
    fd = int(re.search(r"fd=(\d+)", value("-chardev", f"socket,id={name},"))[1])
    return socket.socket(fileno=fd)


class Guest:
    def __init__(self):
        self.channel, self.serial = connection("channel"), connection("serial")
        self.input = self.channel.makefile("rb")
        with open(value("-initrd"), "rb") as file:
            self.archive = file.read()
        self.files, _ = newc.read(self.archive)

    def orders(self, name):
        return [word.decode("utf-8", "surrogateescape")
                for word in self.files[".quire/" + name].content.split(b"\0")[:-1]]

    def send(self, kind, content=b""):
        self.channel.sendall(struct.pack("<BBH", kind, 0, len(content)) + content)

    def receive(self):
        header = self.input.read(4)
        if len(header) < 4:
            sys.exit(0)
        kind, _, length = struct.unpack("<BBH", header)
        return kind, self.input.read(length)

    def want(self, count, how=WAIT, pages=()):
        self.send(WANT, struct.pack(f"<IB{len(pages)}I", count, how, *pages))

    def placed(self, pages, content):
        """The bytes of an answer that says PLACED, out of the shared RAM."""
        count = struct.unpack("<I", content)[0]
        with open(re.search("mem-path=([^,]*)", value("-object", "memory-backend-file"))[1], "rb") as ram:
            parts = [os.pread(ram.fileno(), 4096, 4096 * page) for page in pages]
        return b"".join(parts)[:count]

    def exit(self, kind, number):
        """As QEMU after the last frame: still there, until it is ended."""
        self.send(EXIT, struct.pack("<ii", kind, number))
        time.sleep(100)

    # ---- Behaviours: the words of $FAKE_GUEST ----

    def do_echo(self):
        self.send(OUTPUT, " ".join(self.orders("arguments")[1:]).encode() + b"\n")
        self.exit(EXITED, 0)

    def do_exit(self, number):
        self.exit(EXITED, int(number))

    def do_killed(self, number):
        self.exit(KILLED, int(number))

    def do_not_started(self, number):
        self.exit(NOT_STARTED, int(number))

    def do_cat(self, credit):
        """Writes all input back, asking for `credit` bytes at a time; more bytes than it asked for are an error."""
        while True:
            self.want(int(credit))
            kind, content = self.receive()
            if kind != INPUT or len(content) > int(credit):
                self.exit(EXITED, 99)
            if not content:
                self.exit(EXITED, 0)
            self.send(OUTPUT, content)

    def do_asks(self, *questions):
        """Each question is a letter (wait, now, look) and a count; prints the answers, one to each question."""
        for question in questions:
            self.want(int(question[1:]), "wnl".index(question[0]))
            kind, content = self.receive()
            self.send(OUTPUT, b"input %s\n" % content if kind == INPUT else b"state %d\n" % content[0])
        self.exit(EXITED, 0)

    def do_cat_placed(self, asked, *pages):
        """Writes all input back, asking for so many bytes at a time, with pages as their place; tells the answers that
        were not put there."""
        pages, frames = [int(page) for page in pages], 0
        while True:
            self.want(int(asked), WAIT, pages)
            kind, content = self.receive()
            if kind == INPUT and not content:
                break
            frames += kind == INPUT
            content = content if kind == INPUT else self.placed(pages, content)
            for at in range(0, len(content), 60000):
                self.send(OUTPUT, content[at:at + 60000])
        self.send(ERRORS, b"%d\n" % frames)
        self.exit(EXITED, 0)

    def do_unread(self, asked, *unread):
        """Asks once, with eight pages of room, and gives bytes back; tells how many there were."""
        self.want(int(asked), WAIT, range(100, 108))
        kind, content = self.receive()
        count = len(content) if kind == INPUT else struct.unpack("<I", content)[0]
        self.send(OUTPUT, b"%d\n" % count)
        for number in unread:
            self.send(UNREAD, struct.pack("<I", int(number)))
        self.exit(EXITED, 0)

    def do_place(self, how, *pages):
        """Asks with a place of any pages, of which the last may be cut, and tells the kind of the answer."""
        list_of = struct.pack(f"<{len(pages)}I", *map(int, pages))
        self.send(WANT, struct.pack("<IB", 1000, WAIT) + (list_of[:-1] if how == "cut" else list_of))
        self.send(OUTPUT, b"%d\n" % self.receive()[0])
        self.exit(EXITED, 0)

    def do_take_back(self, count):
        """Asks for input, cancels the question, and asks for nothing more."""
        self.want(int(count))
        self.want(0, NOW)
        kind, content = self.receive()
        self.send(OUTPUT, b"%d %s\n" % (kind, content))
        self.receive()
        self.exit(EXITED, 99)

    def do_both(self):
        everything = bytes(range(256))
        for i in range(50):
            self.send(OUTPUT, everything)
            self.send(ERRORS, everything[::-1])
        self.exit(EXITED, 3)

    def do_flood(self, count):
        """Much output. When none of it has been taken for half a second, it makes the file NOTES.stuck."""
        block = bytes(i * 7 & 255 for i in range(65535))
        for _ in range(int(count)):
            left = memoryview(struct.pack("<BBH", OUTPUT, 0, len(block)) + block)
            while left:
                if not select.select([], [self.channel], [], 0.5)[1]:
                    open(os.environ["FAKE_NOTES"] + ".stuck", "w").close()
                    select.select([], [self.channel], [])
                left = left[self.channel.send(left, socket.MSG_DONTWAIT):]
        self.exit(EXITED, 0)

    def do_runs(self, count):
        """So many frames of any length, in runs of output and of errors: both are numbered bytes."""
        chance, sent = random.Random(int(count)), {OUTPUT: 0, ERRORS: 0}
        stream = b""
        for _ in range(int(count)):
            kind, length = chance.choice((OUTPUT, OUTPUT, ERRORS)), chance.choice((0, 1, 5, 4092, 30_000, 65_535))
            stream += struct.pack("<BBH", kind, 0, length) + bytes((sent[kind] + i) % 251 for i in range(length))
            sent[kind] += length
        for at in range(0, len(stream), 10_007):
            self.channel.sendall(stream[at:at + 10_007])
        self.exit(EXITED, 0)

    def do_yes(self):
        """Writes until SIGPIPE, as `yes` does."""
        self.channel.setblocking(False)
        while True:
            try:
                self.channel.send(struct.pack("<BBH", OUTPUT, 0, 4000) + b"y\n" * 2000)
            except BlockingIOError:
                time.sleep(0.01)
            try:
                got = self.channel.recv(6)
                if got[0] == SIGNAL:
                    self.channel.setblocking(True)
                    self.exit(KILLED, got[4])
            except BlockingIOError:
                pass

    def do_wait_for_signal(self):
        self.send(OUTPUT, b"ready\n")
        while True:
            kind, content = self.receive()
            if kind == SIGNAL:
                self.exit(KILLED, content[0])

    def do_signals(self, last):
        """Prints which signals come, and for which processes; ends by the signal that is named."""
        self.send(OUTPUT, b"ready\n")
        while True:
            kind, content = self.receive()
            if kind == SIGNAL:
                self.send(OUTPUT, b"signal %d for %s\n" % (content[0], (b"program", b"group")[content[1]]))
                if content[0] == int(last):
                    self.exit(KILLED, content[0])
            if kind == PING:
                self.send(PONG)

    def do_never_reads(self, count):
        """Writes a line `count` times, and reads nothing."""
        for _ in range(int(count)):
            self.send(OUTPUT, b"x" * 60000)
        self.exit(EXITED, 0)

    def do_computes(self, seconds):
        """Takes its processor time, and does not answer."""
        self.send(OUTPUT, b"ready\n")
        while time.process_time() < float(seconds):
            pass
        self.exit(EXITED, 0)

    def do_answers(self, pings):
        """Is silent except for the answers to so many pings."""
        for _ in range(int(pings)):
            while self.receive()[0] != PING:
                pass
            self.send(PONG)
        self.exit(EXITED, 0)

    def do_frame(self, kind, hexadecimal=""):
        """Sends one frame of any kind; then goes on running."""
        self.send(int(kind), bytes.fromhex(hexadecimal))
        time.sleep(100)

    def do_without_end(self, kind, mebibytes):
        """Sends so many bytes of one kind."""
        for _ in range(int(mebibytes) * 16 + 1):
            self.send(int(kind), b"word \x1b[2J\n" * 5000)
        self.exit(EXITED, 0)

    def do_serial_flood(self, words):
        """A kernel that panics and goes on writing; or that only writes."""
        self.serial.sendall(b"before\n" * 10000)
        if words == "panic":
            self.serial.sendall(b"panic: \x1b]0;title\x07the end\n")
        self.serial.sendall(b"after \x9b31m\xc2\x9bm \xe2\x80\xae gr\xc3\xbcn\r\n" * 100000)
        sys.exit(7)

    def do_descriptors(self):
        """Lists its descriptors, and the kind of each."""
        for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
            try:
                self.send(OUTPUT, b"%d %s\n" % (fd, os.readlink(f"/proc/self/fd/{fd}").encode()))
            except FileNotFoundError:
                pass                                # the descriptor of the listing
        self.exit(EXITED, 0)

    def do_save_options(self, path):
        with open(path, "wb") as file:
            file.write(self.files[".quire/options"].content)
        self.send(OUTPUT, b"to nobody\n")
        self.send(ERRORS, b"to nobody\n")
        self.exit(EXITED, 5)

    def do_no_sandbox(self):
        """A QEMU that was built without seccomp."""
        if value("-sandbox"):
            print("qemu: -sandbox on: seccomp support is disabled", file=sys.stderr)
            sys.exit(1)
        self.send(OUTPUT, b"no sandbox\n")
        self.exit(EXITED, 0)

    def do_deaf(self):
        self.send(OUTPUT, b"ready\n")
        time.sleep(100)

    def do_report(self):
        self.send(OUTPUT, b"out\n")
        self.send(LOG, b"a word of the kernel\n")
        self.send(REPORT, b"frames: all\n")
        self.exit(EXITED, 0)

    def do_report_of(self, path):
        """A report of any bytes."""
        with open(path, "rb") as file:
            while part := file.read(1000):
                self.send(REPORT, part)
        self.exit(EXITED, 7)

    def do_map(self, path):
        """Sends a file as its snapshot, in frames of odd length."""
        with open(path, "rb") as file:
            lines = file.read()
        for at in range(0, len(lines), 1021):
            self.send(MAP, lines[at:at + 1021])
        self.exit(EXITED, 0)

    def do_follow(self, path, damages):
        """Answers each question of the map line with the file's lines: as they are, with bytes lost or changed, without
        their end, after other bytes, or with one number changed; a letter each. Then sends them as its snapshot."""
        line = connection("map")
        with open(path, "rb") as file:
            lines = file.read()
        middle = len(lines) // 2
        number = re.search(rb"(?m)^owned free (\d+)", lines)
        forms = {"g": lines, "l": lines[:middle] + lines[middle + 900:],
                 "c": lines[:middle] + bytes(byte ^ 0x55 for byte in lines[middle:middle + 40]) + lines[middle + 40:],
                 "t": lines[:middle], "n": b"\0\xff noise\nend 5\n" + lines,
                 "s": lines[:number.start(1)] + b"1" + lines[number.end(1):]}
        begin = start = time.monotonic()
        for damage in damages:
            while line.recv(1) != b"m":
                pass
            self.send(OUTPUT, b"%s at %d ms\n" % (damage.encode(), 1000 * (time.monotonic() - begin)))
            line.sendall(forms[damage])
            if begin == start:                      # the first was asked for several times, as a kernel starts slowly
                time.sleep(0.4)
                while select.select([line], [], [], 0)[0]:
                    line.recv(100)
                begin = time.monotonic() - 0.4
        time.sleep(0.3)
        self.do_map(path)

    def do_panic(self):
        self.send(OUTPUT, b"half a li")
        self.serial.sendall(b"starting\r\npanic: the page table is on fire\r\n")
        sys.exit(7)

    def do_refuse(self):
        self.serial.sendall(b"Quire\r\ntoo little memory for layout quire: "
                            b"900 KiB of RAM found, at least 1024 KiB needed\r\n")
        sys.exit(5)

    def do_too_large(self):
        print("qemu: initrd is too large, cannot support. (max: 5, need 6)", file=sys.stderr)
        sys.exit(1)

    def do_stuck(self):
        """A kernel that never gets as far as its program."""
        self.serial.sendall(b"Quire\r\nwaiting for something\r\n")
        time.sleep(100)

    def do_nonsense(self):
        self.channel.sendall(b"SeaBIOS (version 1.16)\r\n")
        time.sleep(100)

    def do_torn(self):
        """Ends in the middle of a frame."""
        self.channel.sendall(struct.pack("<BBH", OUTPUT, 0, 10) + b"abc")
        sys.exit(0)

    def do_bytewise(self):
        """A frame in single bytes."""
        for byte in struct.pack("<BBH", OUTPUT, 0, 5) + b"slow\n":
            self.channel.sendall(bytes([byte]))
            time.sleep(0.002)
        self.exit(EXITED, 0)

    def do_terminal(self):
        """Shows what a terminal sends: windows, keys."""
        self.want(1000, MORE)
        self.send(OUTPUT, b"options " + self.files[".quire/options"].content.replace(b"\n", b";") + b"\r\n")
        while True:
            kind, content = self.receive()
            if kind == WINDOW:
                self.send(OUTPUT, b"window %d %d\r\n" % struct.unpack("<HH", content))
            elif kind == SIGNAL:
                self.send(OUTPUT, b"signal %d\r\n" % content[0])
            elif kind == INPUT:
                self.send(OUTPUT, b"keys " + content.hex().encode() + b"\r\n")
                if b"q" in content:
                    self.exit(EXITED, 5)

    def do_machine(self):
        """An old QEMU, which has no microvm."""
        kind = value("-M").split(",")[0]
        if kind == "microvm":
            print("qemu: unsupported machine type", file=sys.stderr)
            sys.exit(1)
        self.send(OUTPUT, kind.encode() + b"\n")
        self.exit(EXITED, 0)

    def do_archive(self):
        """Writes the archive itself as output."""
        for at in range(0, len(self.archive), 60000):
            self.send(OUTPUT, self.archive[at:at + 60000])
        self.exit(EXITED, 0)


def main():
    if "FAKE_NOTES" in os.environ:
        with open(os.environ["FAKE_NOTES"], "w") as notes:
            json.dump({"pid": os.getpid(), "argv": sys.argv}, notes)
    words = os.environ["FAKE_GUEST"].split()
    getattr(Guest(), "do_" + words[0])(*words[1:])


main()
