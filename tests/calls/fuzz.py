#!/usr/bin/python3
"""fuzz.py - the fuzzer of system calls, sealed in and watched from outside.

    tests/calls/fuzz.py --build build --layout quire-checked --seconds 60 [--seed N]

docs/fuzzing.md explains the output. A machine that prints nothing for long stands still: that is a
finding, as are a kernel that died, an audit that is not clean, processes that do not end, and frames that do not
come back.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

PATIENCE = 90           # seconds beyond those asked for, after which the machine is taken to stand still


class Run:
    """One run: the lines it printed, and the findings."""

    def __init__(self, build, layout, seconds, seed, memory="64M", swap=None):
        self.layout, self.seed, self.found = layout, seed, []
        program = os.path.join(build, "calls", "calls")
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report")
            words = [os.path.join(build, "host", "quire"), "run", "--layout", layout, "-m", memory,
                     "--timeout", str(seconds + PATIENCE), *(["--swap", swap] if swap else []),
                     f"--report={report}", program, str(seconds), str(seed)]
            with open(os.path.join(folder, "errors"), "w+b") as errors:
                done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                      env={**os.environ, "QUIRE_BUILD": build}, check=False)
                errors.seek(max(0, errors.seek(0, 2) - 20000))
                self.errors = re.sub(r"[^\n -~]+", "", errors.read().decode("latin-1"))
            self.report = open(report, errors="replace").read() if os.path.exists(report) else ""
        self.status = done.returncode
        # The fuzzer's own lines among whatever the calls wrote to the terminal.
        self.lines = [line.decode(errors="replace") for line in re.findall(rb"^calls: (.*)$", done.stdout, re.M)]
        self.judge()

    def figure(self, pattern):
        found = [match for match in map(re.compile(pattern).fullmatch, self.lines) if match]
        return found[-1].groups() if found else None

    def judge(self):
        self.calls = int((self.figure(r"(\d+) calls, .*") or ["0"])[0])
        if self.status != 0:
            said = re.findall(r"^quire run: .*$|^panic.*$", self.errors, re.M)
            self.found.append(f"status {self.status}: {'; '.join(said[:8]) or 'nothing was said of it'}")
        batches = int((self.figure(r"\d+ calls, (\d+) batches.*") or ["1"])[0])
        if self.calls < 20 * batches:
            self.found.append(f"batches do next to nothing: {self.calls} calls in {batches}")
        if "audit clean" not in self.lines:
            self.found.append("the audit inside is not clean, or was not come to")
        if self.status == 0 and not re.search(r"^audit: clean", self.report, re.M):
            self.found.append("the audit of the report is not clean")
        if self.status == 0:
            self.judge_memory()

    def judge_memory(self):
        """Frames of programs, stacks and files come back to the frame; the supervisor's and the first process's own,
        which batches may write to, are told beside them, and so are pages of files that are out (whose slots
        the audit counts). Of the kernel's heap a page stays with one block in it, so blocks are counted, and come back
        to the block. Free frames may differ by what heap, its tables and the channel's buffers hold, and no more."""
        memory = {name: (int(before), int(after)) for name, before, after in
                  re.findall(r"^memory (\w+) (-?\d+) before, (-?\d+) after$", "\n".join(self.lines), re.M)}
        lost = {name: after - before for name, (before, after) in memory.items()}
        wrong = [name for name, (before, _) in memory.items() if before < 0]
        wrong += [name for name in ("stacks", "user", "shared", "files")
                  if lost.get(name) != {"user": lost.get("own"), "files": -lost.get("out", 0)}.get(name, 0)]
        if lost and sum(lost[name] for name in ("free", "heap", "tables", "process", "packed", "own", "files")) != 0:
            wrong.append("free")
        if lost and lost["blocks"] != 0:
            wrong.append("blocks")
            self.found.append("there were more blocks " + self.since(memory["blocks"][0]))
            self.found += [f"more than before: {line}" for line in [*self.more_takers(), *self.more_names()]]
        if wrong or not lost:
            self.found.append(f"memory did not come back: {', '.join(wrong)} of {memory}")

    def since(self, before):
        """Between which batches the blocks became more for good, so that these can be run alone (calls.c)."""
        held = [(int(blocks), int(batch)) for blocks, batch in
                re.findall(r"^held (\d+) after batch (\d+)$", "\n".join(self.lines), re.M)]
        last = max((number for number, (blocks, _) in enumerate(held) if blocks <= before), default=-1)
        return f"after batch {held[last][1] if last >= 0 else 0}, " + (
            f"by batch {held[last + 1][1]}" if last + 1 < len(held) else "at the end")

    def more_names(self):
        """The names and mounts that a batch left, where any are."""
        names = {when: {line.partition(f"name {when} ")[2] for line in self.lines if line.startswith(f"name {when} ")}
                 for when in ("before", "after")}
        return sorted(f"the name {name}" for name in names["after"] - names["before"])

    def more_takers(self):
        """The functions whose blocks of the kernel's heap are more or fewer in the end."""
        pattern = re.compile(r"taker (before|after) +(\d+) blocks +\d+ bytes, (.*)")
        blocks = {(when, who): int(count) for when, count, who in
                  (match.groups() for match in map(pattern.fullmatch, self.lines) if match)}
        for who in sorted({who for _, who in blocks}):
            before, after = blocks.get(("before", who), 0), blocks.get(("after", who), 0)
            if before != after:
                yield f"{before} blocks, then {after}, {who}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build")
    arguments.add_argument("--layout", default="quire-checked", help="a kernel's folder below the build's")
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--seed", type=lambda text: int(text, 0), default=0, help="0: another one each time")
    arguments.add_argument("--memory", default="64M")
    arguments.add_argument("--swap", help="size of a swap device; none by default")
    options = arguments.parse_args()
    seed = options.seed or int.from_bytes(os.urandom(4), "little") or 1
    print(f"seed {seed}, layout {options.layout}, {options.seconds} s", flush=True)
    run = Run(os.path.abspath(options.build), options.layout, options.seconds, seed, options.memory, options.swap)
    print("\n".join(line for line in run.lines if not line.startswith(("taker ", "name ", "held "))))
    for line in run.found:
        print("FOUND: " + line)
    if run.found:
        print(run.errors[-4000:])
        print(f"again: tests/calls/fuzz.py --layout {options.layout} --seconds {options.seconds} --seed {seed}")
    return 1 if run.found else 0


if __name__ == "__main__":
    sys.exit(main())
