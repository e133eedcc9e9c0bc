#!/usr/bin/python3
"""mixed.py - the mixed load in a sandbox, watched from outside: `make nightly`.

    tests/mixed/mixed.py --build build --layout quire-checked --seconds 600 --every 10 [--seed N]

The program's lines are shown as they come. Failures are printed in words: a result that a worker did not expect, an
audit that is not clean, a machine that says nothing for long, a status, memory that did not come back, a wrong
clock. docs/fuzzing.md says more.
"""
import argparse
import os
import re
import selectors
import subprocess
import sys
import tempfile
import time

SILENCE = 150           # seconds without a line, beyond those between audits: the machine is taken to stand still
FRAGMENTS = 16          # frames that the kernel may hold for the same blocks
CLOCK_OFF = 1.0         # per cent
STAMPS_OFF = 0.3        # seconds: how late a busy host may stamp a line
KINDS = ["files", "folders", "proc", "pipes", "sockets", "epoll", "processes", "threads",
         "futexes", "signals", "timers", "memory", "copies"]


class Transcript:
    """The program's lines, each with the host's time, and the failures found in them."""

    def __init__(self):
        self.lines, self.clock, self.memory, self.did, self.found = [], {}, {}, {}, []
        self.clean = self.failed = 0

    def take(self, line, moment):
        self.lines.append(line)
        if clock := re.fullmatch(r"clock (begin|end) (\d+)", line):
            self.clock[clock[1]] = (moment, int(clock[2]) / 1000)
        elif memory := re.fullmatch(r"memory (\w+) (-?\d+) before, (-?\d+) after", line):
            self.memory[memory[1]] = (int(memory[2]), int(memory[3]))
        elif did := re.fullmatch(r"did (\w+): (\d+) rounds, (\d+) checks", line):
            self.did[did[1]] = (int(did[2]), int(did[3]))
        elif audit := re.search(r"; audit (clean|FAILED)", line):
            self.clean, self.failed = self.clean + (audit[1] == "clean"), self.failed + (audit[1] != "clean")
        elif line.startswith("WRONG: "):
            self.found.append(line.removeprefix("WRONG: "))

    def durations(self):
        """Seconds from beginning to end, by the host's clock and by the program's."""
        return tuple(end - begin for begin, end in zip(self.clock["begin"], self.clock["end"]))

    def clock_error(self):
        """By how many per cent the program's clock was off; less than nothing is slow."""
        host, guest = self.durations()
        return 100 * (guest - host) / host

    def clock_is_right(self):
        host, guest = self.durations()
        return abs(guest - host) <= host * CLOCK_OFF / 100 + STAMPS_OFF

    def judge(self):
        if "all right" not in self.lines and not self.found:
            self.found.append("it did not come to its end")
        self.found += [f"{name} finished no round" for name in KINDS if self.did.get(name, (0, 0))[0] == 0]
        if self.failed or self.clean < 2:
            self.found.append(f"{self.failed} audits failed, {self.clean} were clean")
        self.judge_memory()
        if len(self.clock) < 2:
            self.found.append("the program's clock was not told")
        elif not self.clock_is_right():
            self.found.append(f"the program's clock is off by {self.clock_error():+.2f} %")

    def judge_memory(self):
        """Frames of programs, stacks and files come back to the frame, the kernel's heap to the block. A page stays
        with one block in it, so there may be a few more of those, and of the tables that show them. A page of a file
        may be out in the end; the audit counts its slot."""
        if len(self.memory) < 11 or any(before < 0 for before, _ in self.memory.values()):
            self.found.append("memory was not told")
            return
        lost = {name: after - before for name, (before, after) in self.memory.items() if after != before}
        kernel = [lost.get(name, 0) for name in ("free", "heap", "tables", "process", "files", "packed")]
        if set(lost) - {"free", "heap", "tables", "process", "files", "packed", "out"} or sum(kernel) != 0 or \
                abs(kernel[0]) > FRAGMENTS or lost.get("files", 0) + lost.get("out", 0) != 0:
            self.found.append("memory did not come back: " + ", ".join(f"{name} {by:+}" for name, by in lost.items()))

    def table(self):
        rows = [f"{'kind':<10} {'rounds':>8} {'checks':>10}"]
        rows += [f"{name:<10} {rounds:>8} {checks:>10}" for name, (rounds, checks) in self.did.items()]
        rows += [f"{self.clean} audits clean, {self.failed} failed"]
        rows += [f"memory {name:<8} {before:>6} before {after:>6} after"
                 for name, (before, after) in self.memory.items()]
        if len(self.clock) == 2:
            host, guest = self.durations()
            rows.append(f"clock: {host:.3f} s by the host, {guest:.3f} s by the program: {self.clock_error():+.2f} %")
        return "\n".join(rows)


def listen(process, transcript, silence, show):
    """Read the program's lines until it ends; returns False if none comes for long."""
    selector, rest = selectors.DefaultSelector(), b""
    selector.register(process.stdout, selectors.EVENT_READ)
    while selector.select(silence):
        part, moment = os.read(process.stdout.fileno(), 65536), time.monotonic()
        if not part:
            return True
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            if text.startswith("mixed: "):
                transcript.take(text.removeprefix("mixed: "), moment)
                show(text)
    return False


def run(build, layout, seconds, every, seed, memory="64M", show=lambda line: None, swap=None):
    """Judge one run."""
    transcript = Transcript()
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "errors"), "w+b") as errors:
        report = os.path.join(folder, "report")
        words = [os.path.join(build, "host", "quire"), "run", "--layout", layout, "-m", memory,
                 "--timeout", str(3 * seconds + SILENCE), *(["--swap", swap] if swap else []), f"--report={report}",
                 os.path.join(build, "mixed", "mixed"), str(seconds), str(every), str(seed)]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                              env={**os.environ, "QUIRE_BUILD": build}) as process:
            if not listen(process, transcript, SILENCE + every, show):
                transcript.found.append("the machine stands still: it says nothing any more")
                process.terminate()
            status = process.wait(60)
        errors.seek(0)
        said = errors.read().decode(errors="replace")[-4000:]
        if status != 0:
            transcript.found.append(f"status {status}: {said.strip() or 'nothing was said of it'}")
        elif not re.search(r"^audit: clean", open(report, errors="replace").read(), re.M):
            transcript.found.append("the audit of the report is not clean")
    transcript.judge()
    return transcript


def show(line):
    if line.startswith("mixed: after ") or "WRONG" in line or "left:" in line:
        print(line, flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire-checked", help="a kernel's folder below the build's")
    arguments.add_argument("--seconds", type=int, default=600)
    arguments.add_argument("--every", type=int, default=10, help="seconds between two audits")
    arguments.add_argument("--seed", type=lambda text: int(text, 0), default=0, help="0: another one each time")
    arguments.add_argument("--memory", default="64M")
    arguments.add_argument("--swap", help="size of a swap device; none by default")
    options = arguments.parse_args()
    seed = options.seed or int.from_bytes(os.urandom(4), "little") or 1
    print(f"seed {seed}, layout {options.layout}, {options.seconds} s, an audit every {options.every} s", flush=True)
    transcript = run(os.path.abspath(options.build), options.layout, options.seconds, options.every, seed,
                     options.memory, show, options.swap)
    print(transcript.table())
    for line in transcript.found:
        print("FOUND: " + line)
    if transcript.found:
        print(f"again: tests/mixed/mixed.py --layout {options.layout} --seconds {options.seconds} "
              f"--every {options.every} --seed {seed}")
    return 1 if transcript.found else 0


if __name__ == "__main__":
    sys.exit(main())
