#!/usr/bin/python3
"""swapping.py - programs of three times the memory that there is, under Quire and under Linux.

    bench/swapping.py --build build [--layout quire] [--only linux|quire] [--on packed|disk] [JOB ...]

Each job is a script of bench/swapping, started by bench/guest/job.c as those of bench/jobs.py are, in QEMU's pc with
one processor and 64 MiB; what it works at takes 192 MiB. What does not fit is packed into RAM (Quire's own packing,
Linux's zram with lz4), or goes to a virtio disk as well: then Quire packs what can be packed, and Linux writes all.
Linux loads the modules for that from its package (`fetch-programs modules`). Both may promise more memory than there
is, and are left with their usual settings otherwise. The machine's archive holds nothing but the programs. Their
results are compared.

Printed are the instructions that the machine executed from the start of the first program on, in both kernels and in
programs (bench/executed.c); pages out and in, as /proc/vmstat has them; requests that the disk got, and how many pages
one was on average, as QEMU tells of them (-trace); and the seconds by the guest's clock, an instruction taken as a
nanosecond and waits as they were. All but the last hardly depend on how busy this machine is.
"""
import collections
import os
import re
import shutil
import struct
import sys
import tempfile

import compare
import jobs

CLOCK = ["-icount", "shift=0"]
MEMORY = 64             # MiB
DISK = 448              # MiB
SECTORS = 8             # of a page
PATIENCE = 3600
SCRIPTS = os.path.join(jobs.TREE, "bench", "swapping")

# What each job is, on what it is run, and the programs it needs.
JOBS = {
    "noise-pass": ("noise, in order", ["disk"], []),
    "noise-walk": ("noise, a random walk", ["disk"], []),
    "noise-touches": ("noise, random touches", ["disk"], []),
    "packed-pass": ("what packs well, in order", ["packed"], []),
    "packed-walk": ("what packs well, a random walk", ["packed"], []),
    "packed-touches": ("what packs well, random touches", ["packed"], []),
    "sort": ("sort, 2.4 million lines", ["packed", "disk"], ["sort", "cksum", "lua5.4"]),
    "lua": ("a dictionary in Lua", ["packed", "disk"], ["lua5.4"]),
    "sqlite3": ("SQLite, with indexes", ["packed", "disk"], ["sqlite3"]),
}
NAMES = {"packed": "packed into RAM", "disk": "a disk as well"}


def prepare(build, job, folder):
    """What both systems get."""
    stage = jobs.Stage(folder, jobs.packages(build))
    for name in JOBS[job][2]:
        stage.program(name)
    for name in os.listdir(SCRIPTS):
        if name.endswith((".lua", ".sql")):
            shutil.copy2(os.path.join(SCRIPTS, name), stage.at("home"))
    shutil.copy2(os.path.join(SCRIPTS, f"{job}.sh"), stage.at("job"))
    for name in ("before", "after"):
        shutil.copy2(os.path.join(SCRIPTS, name), stage.at(name))
    shutil.copy2(os.path.join(build, "guest", "pages"), stage.at("bin"))
    shutil.copy2(os.path.join(build, "guest", "job"), stage.at("init"))
    return stage


def add_modules(build, stage):
    """What Linux needs beside that."""
    modules = os.path.join(build, "programs", "modules")
    if not os.path.isdir(modules):
        raise compare.Unavailable(f"no {modules}; `sh tools/fetch-programs {build}/programs modules` fetches them")
    os.makedirs(stage.at("sys"), exist_ok=True)
    stage.program("busybox")
    shutil.copytree(modules, stage.at("modules"), dirs_exist_ok=True)


def swap_area(path):
    """A file with what mkswap writes."""
    with open(path, "wb") as file:
        file.write(bytes(1024) + struct.pack("<II", 1, DISK * 256 - 1) + bytes(4086 - 1032) + b"SWAPSPACE2")
        file.truncate(DISK << 20)


def linux(options, stage, on, more):
    add_modules(options.build, stage)
    words, _ = jobs.linux_words(options.build, stage.folder, MEMORY * 1024, False)
    if on == "disk":
        swap_area(stage.folder + ".disk")
        more = [*more, "-drive", f"if=none,id=swap,format=raw,cache=unsafe,file={stage.folder}.disk",
                "-device", "virtio-blk-pci,addr=7,ioeventfd=off,drive=swap"]
    return words + more, {}


def quire(options, stage, on, more):
    words, environment = jobs.quire_words(options.build, options.layout, stage.folder, MEMORY * 1024, False)
    if on == "disk":
        words[2:2] = ["--swap", f"{DISK}M"]
    return words, {**environment, "QUIRE_QEMU_FLAGS": " ".join(more)}


def requests(trace):
    """By kind: how many requests there were, and of how many pages in all."""
    found = {kind: [0, 0] for kind in ("read", "write")}
    if os.path.exists(trace):
        with open(trace, encoding="ascii", errors="replace") as file:
            for line in file:
                if told := re.search(r"virtio_blk_handle_(read|write) .*nsectors (\d+)", line):
                    found[told[1]][0] += 1
                    found[told[1]][1] += int(told[2]) // SECTORS
    return found


def measure(options, job, on, system, folder):
    place = os.path.join(folder, f"{system}-{on}")
    os.mkdir(place)
    stage = prepare(options.build, job, place)
    counts, trace = place + ".counts", place + ".trace"
    plugin = os.path.join(options.build, "host", "executed.so")
    more = [*CLOCK, "-plugin", f"{plugin},out={counts},from={jobs.RUNNER[0]:#x}", "-D", trace]
    for kind in ("read", "write"):
        more += ["-trace", f"virtio_blk_handle_{kind}"]
    words, environment = {"linux": linux, "quire": quire}[system](options, stage, on, more)
    said = compare.run(words, environment, PATIENCE)
    found = {**compare.figures(said), **{name: int(value) for name, value in re.findall(
        r"^(pswpin|pswpout|memory|status) (\d+)\r?$", said, re.M)}, "requests": requests(trace)}
    found["output"] = re.search(r"^output (\d+ \d+)\r?$", said, re.M)[1]
    if found["status"] != 0:
        raise compare.Unavailable(f"the job failed with {found['status']:#x}:\n{said[-1500:]}")
    executed = jobs.executed(counts)
    found["all"] = sum(executed.values())
    if system == "quire" and options.profile:
        jobs.print_profile(executed, jobs.symbols(options.build, options.layout))
    return found


HEAD = ["Job", "swaps to", "system", "millions of instructions", "ratio", "pages out", "in",
        "writes", "pages each", "reads", "pages each", "s, guest's clock"]


def number(value):
    return f"{value:,}".replace(",", " ")


def print_rows(job, on, found):
    for system, of in found.items():
        first = system == list(found)[0]
        ratio = "" if first or len(found) < 2 else f"{of['all'] / found['linux']['all']:.2f}"
        cells = [JOBS[job][0] if first else "", NAMES[on] if first else "", system.capitalize(),
                 number(of["all"] // 1000000), ratio, number(of["pswpout"]), number(of["pswpin"])]
        for kind in ("write", "read"):
            count, pages = of["requests"][kind]
            cells += [number(count), f"{pages / count:.1f}"] if count else ["-", "-"]
        jobs.print_cells([*cells, f"{of['job'] / 1e9:.1f}"])


def run(options, job, on, folder):
    found = collections.OrderedDict()
    for system in ("linux", "quire"):
        if options.only not in (None, system):
            continue
        try:
            found[system] = measure(options, job, on, system, folder)
        except compare.Unavailable as error:
            print(f"swapping: {job}, {NAMES[on]}: {system}: {error}", file=sys.stderr)
    if len({of["output"] for of in found.values()}) > 1:
        raise SystemExit(f"swapping: {job}: the outputs differ: {found}")
    print_rows(job, on, found)
    return {system: of["memory"] for system, of in found.items()}


def main():
    arguments = compare.arguments_of(__doc__.splitlines()[0])
    arguments.add_argument("--on", choices=NAMES, help="only with this to swap to")
    arguments.add_argument("--profile", action="store_true", help="print where in Quire's kernel instructions go")
    arguments.add_argument("jobs", nargs="*", metavar="JOB", help=f"only these: {', '.join(JOBS)}")
    options = arguments.parse_args()
    options.build = os.path.abspath(options.build)
    for job in options.jobs:
        if job not in JOBS:
            arguments.error(f"there is no job called `{job}'")
    jobs.print_cells(HEAD)
    jobs.print_cells(["---", "---", "---", *["---:"] * (len(HEAD) - 3)])
    memory, failed = {}, False
    for job in options.jobs or JOBS:
        for on in JOBS[job][1]:
            if options.on in (None, on):
                with tempfile.TemporaryDirectory(prefix="quire-swapping-") as folder:
                    there = run(options, job, on, folder)
                    failed |= len(there) < (1 if options.only else 2)
                    memory.update(there)
    print("\n" + "; ".join(f"MemTotal of {system.capitalize()}: {kib / 1024:.1f} MiB"
                           for system, kib in memory.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
