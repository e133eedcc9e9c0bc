"""The house itself: sources.mk and the README are true, and the tree keeps its rules."""
import glob
import os
import re
import shutil
import subprocess

import pytest


def sources(house, *folders):
    for folder in folders:
        for path, _, names in os.walk(os.path.join(house.tree, folder)):
            for name in names:
                if name.endswith((".c", ".S")):
                    yield os.path.relpath(os.path.join(path, name), house.tree)


def test_the_table_of_contents_lists_every_kernel_source_with_a_phrase(house):
    # Not what `make package` has copied into the build folder.
    written = [f"{house.tree}/sources.mk", *glob.glob(f"{house.tree}/layouts/*/sources.mk")]
    contents = "".join(open(path).read() for path in written)
    names = r"(?:kernel|run_only|boot|sector|relocator|vdso)"
    listed = dict(re.findall(rf"^{names}\s*\+?= (\S+)[ ]+# (\S.*)$", contents, re.M))
    there = {name for name in sources(house, "boot", "kernel", "arch/i386", "layouts")
             if not re.match("layouts/[^/]+/(tests|programs)/", name)}
    assert set(listed) == there, "written, and not listed; or listed, and not there"
    assert len(re.findall(rf"^{names}\s*\+?= \S", contents, re.M)) == len(listed), "a source twice, or without a phrase"


def test_the_readme_names_files_that_exist(house):
    text = open(f"{house.tree}/README.md").read()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        near = [target, os.path.join("kernel/memory", target)]
        assert any(os.path.exists(os.path.join(house.tree, path)) for path in near), target


def test_the_book_names_symbols_that_exist(house):
    done = subprocess.run(["tools/check-book"], cwd=house.tree, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_built_tree_is_up_to_date(house):
    layout = house.layouts[-1]
    house.kernel(layout)
    assert house.make("-q", "quire", "kernel", f"LAYOUT={layout}") == (0, "")
    status, said = house.make("-n", "quire", "kernel", f"LAYOUT={layout}")
    assert status == 0 and len([line for line in said.splitlines() if not line.startswith("make")]) == 0, said


def test_what_was_compiled_with_the_same_command_is_not_compiled_again(house):
    """Objects of one command are shared by all layouts, so a make that took the command for another compiled all of
    them for each layout. A command has commas in it, as sanitizers are listed."""
    status, folders = house.make("-s", "print-made")
    flags = [f"{folder}/flags" for folder in folders.split()]
    assert status == 0 and len(flags) > 10
    assert house.make(*flags)[0] == 0
    assert house.make("-q", *flags) == (0, "")


def test_a_source_that_is_to_be_compiled_otherwise_is_compiled_anew(house):
    """Options that some sources have of their own are a part of their objects' command, as all others are: the lists of
    sources.mk, changed, change what is compiled. A source that is no longer listed is not linked."""
    layout = house.layouts[-1]
    house.kernel(layout)

    def compiled(*words):
        status, said = house.make("-n", "kernel", f"LAYOUT={layout}", *words)
        assert status == 0, said
        return set(re.findall(r" compile (\S+?);", said)), "kernel-run.elf" in said

    cold = set(house.make("-s", "print-cold")[1].split())
    gone = [name for name in cold if not os.path.exists(os.path.join(house.tree, name))]
    assert len(cold) > 100 and not gone and compiled() == (set(), False)
    # In a tree that was built before some of them became small, those objects may still be there.
    there = {name for name in cold for place in ("objects", layout)
             if os.path.exists(os.path.join(house.build, place, "kernel", name + ".o"))}
    anew, links = compiled("cold=")
    assert links and cold - there <= anew <= cold
    assert compiled("of_string=") == ({"kernel/base/string.c"}, True)
    assert compiled("run_only=") == (set(), True)


def test_modules_of_tests_have_names_of_their_own(house):
    """They are imported by their names, from folders that are all looked through: of two with one name all would get
    the one that is imported first."""
    paths = glob.glob(f"{house.tree}/tests/*/*.py")
    names = [os.path.basename(path) for path in paths]
    assert len(paths) > 50
    assert [os.path.relpath(path, house.tree) for path, name in zip(paths, names) if names.count(name) > 1] == []


def test_setup_says_nothing_when_nothing_is_missing(house):
    done = subprocess.run(["sh", "tools/setup", "test"], cwd=house.tree, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_setup_knows_its_words(house):
    done = subprocess.run(["sh", "tools/setup", "everything"], cwd=house.tree, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 2 and "usage" in done.stderr


# How many sources may look at a document's own header, and so are compiled for each layout. The number only shrinks.
BY_LAYOUT_AT_MOST = 14


def headers(dependencies):
    """The prerequisites in one file that the compiler wrote for make."""
    return re.sub(r"\\\n", " ", open(dependencies).read()).split("\n", 1)[0].split()[1:]


def dependencies(*folders):
    for folder in folders:
        for path, _, names in os.walk(folder):
            yield from (os.path.join(path, name) for name in names if name.endswith(".d"))


def in_manners(house):
    """The folders of what is compiled with options of its own, beside those of the kernel's objects."""
    return ["kernel-" + name for name in house.make("-s", "print-manners")[1].split()]


def test_only_what_is_listed_is_compiled_for_each_layout(house, layout):
    house.kernel(layout)
    status, listed = house.make("-s", "print-by_layout")
    assert status == 0
    of_kernel = {name for name in listed.split() if not name.startswith("arch/host/") and "tests/" not in name}
    print(len(of_kernel), "sources of the kernel are compiled for each layout:", *sorted(of_kernel))
    folders = [os.path.join(house.build, layout, name) for name in ("kernel", *in_manners(house))]
    # A folder that is older than a list may have more; what is in it and is not listed is not linked.
    compiled = {os.path.relpath(path, folder)[:-len(".d")]: path for folder in folders
                for path in dependencies(folder)}
    assert of_kernel <= set(compiled), "listed, and not compiled"
    needless = [name for name in of_kernel
                if not any("/layout/layout.h" in header for header in headers(compiled[name]))]
    assert not needless, "listed as by_layout in sources.mk, and does not look at layout.h"
    assert len(of_kernel) <= BY_LAYOUT_AT_MOST


def test_what_is_compiled_once_sees_no_document(house):
    house.kernel(house.layouts[0])
    found = list(dependencies(os.path.join(house.build, "objects")))
    assert len(found) > 100
    seeing = [path for path in found if any(name.endswith("layout/layout.h") for name in headers(path))]
    assert not seeing


# Where a layout's choices may show in general code: headers of inline functions, and the kernel's entry, which must
# know where it is.
MAY_KNOW_LAYOUTS = {"kernel/memory/tables/table_access.h", "kernel/process/applications.h", "arch/host/image_place.h",
                    "boot/start.S"}
GENERAL = ("kernel", "arch", "boot")


def test_general_code_knows_no_layout(house):
    knowing = {}
    for folder in GENERAL:
        for path, _, names in os.walk(os.path.join(house.tree, folder)):
            for name in names:
                found = os.path.join(path, name)
                text = open(found, errors="replace").read()
                code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
                hits = re.findall(r"\bLAYOUT_\w+", code) + re.findall(r'#\s*include\s+"layouts/[^"]+"', code)
                if hits:
                    knowing[os.path.relpath(found, house.tree)] = sorted(set(hits))
    assert set(knowing) == MAY_KNOW_LAYOUTS, knowing


# ---- Who includes whom: floors of the house, the lowest first ------------------------------------------

FLOORS = ["base", "arch", "memory", "process", "devices", "files", "programs", "linux", "console", "claims",
          "layouts", "init"]
UPWARD = os.path.join(os.path.dirname(__file__), "upward_includes.txt")


# A port's smallest header: base itself stands on it, and it includes nothing but base's types.
GROUND = "arch/i386/cpu.h"


def floor_of(path):
    if path == GROUND:
        return "base"
    parts = path.split("/")
    return parts[1] if parts[0] == "kernel" and len(parts) > 2 else parts[0]


def include_matrix(house):
    """{(floor, floor that it includes): [file -> header]}; what is no floor, such as generated headers, does not
    count."""
    matrix = {}
    for path in house.sources_and_headers():
        text = open(os.path.join(house.tree, path), errors="replace").read()
        for header in re.findall(r'^#include "([^"]+)"', text, re.M):
            near = [f"kernel/{header}", header, f"arch/i386/{header}", f"kernel/linux/i386/{header}"]
            found = next((name for name in near if os.path.exists(os.path.join(house.tree, name))), None)
            pair = (floor_of(path), floor_of(found)) if found else (None, None)
            if pair[0] != pair[1] and set(pair) <= set(FLOORS):
                matrix.setdefault(pair, []).append(f"{path} -> {header}")
    return matrix


def test_includes_run_down(house):
    """An arrow that runs up makes a circle of floors. Those there are today are listed, with how many includes; the
    list and its numbers only shrink."""
    matrix = include_matrix(house)
    print(f"{'':10}" + "".join(f"{name:>9}" for name in FLOORS))
    for name in FLOORS:
        print(f"{name:10}" + "".join(f"{len(matrix.get((name, other), [])) or '.':>9}" for other in FLOORS))
    known = {(one, other): int(count) for one, other, count in
             (line.split() for line in open(UPWARD) if line.strip() and not line.startswith("#"))}
    up = {pair: arrows for pair, arrows in matrix.items() if FLOORS.index(pair[0]) < FLOORS.index(pair[1])}
    for pair, arrows in up.items():
        print(f"{pair[0]} -> {pair[1]} runs up:", *arrows, sep="\n    ")
    grown = {pair: arrows for pair, arrows in up.items() if len(arrows) > known.get(pair, 0)}
    assert not grown, "more includes run up than upward_includes.txt allows"
    assert set(known) <= set(up), "these arrows are gone: take them out of upward_includes.txt"


# Folders in which no line is longer than this. The list only grows.
COLUMNS = 120
NARROW = ("arch", "bench", "boot", "examples", "kernel", "layouts", "python", "tests", "tools", "user")


def test_lines_are_short_enough_to_read(house):
    wide = [f"{path}/{name}:{number}" for folder in NARROW
            for path, _, names in os.walk(os.path.join(house.tree, folder))
            for name in sorted(names) if name.endswith((".c", ".h", ".S", ".py"))
            for number, line in enumerate(open(os.path.join(path, name), errors="replace"), 1)
            if len(line.rstrip("\n")) > COLUMNS]
    assert not wide


# How large the kernel that `./quire run` boots may be in its file; tracker's counts references of its own, firmware has
# programs of its own.
RUN_KERNEL_KIB_AT_MOST = {"tracker": 330, "firmware": 328, "movos": 323, "pat": 323, "higher-half": 322}
RUN_KERNEL_KIB_ELSE    = 320


def test_the_kernel_that_runs_programs_is_small(house, layout):
    house.kernel(layout)
    run, whole = (os.path.getsize(os.path.join(house.build, layout, name))
                  for name in ("kernel-run.elf", "kernel-pvh.elf"))
    print(f"kernel-run.elf of {layout}: {run / 1024:.1f} KiB; the whole kernel: {whole / 1024:.1f} KiB")
    assert run <= RUN_KERNEL_KIB_AT_MOST.get(layout, RUN_KERNEL_KIB_ELSE) * 1024 and run < whole * 3 / 4


# ---- What may be taken away -------------------------------------------------------------------------------

OF_THE_WHOLE_KERNEL = ("kernel/memory/check", "kernel/console", "kernel/claims")


@pytest.fixture
def bare_tree(house, tmp_path):
    """A copy of the tree with what is built of it, and a function that makes goals there. Commands are the same as
    here, so that only what depends on something that is gone is made anew."""
    tree, layout = tmp_path / "tree", house.layouts[-1]
    house.kernel(layout)
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=house.tree,
                           capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if os.path.isfile(f"{house.tree}/{name}") and (not name.startswith(("tests/", "docs/", "bench/"))
                                                       or name.endswith("rules.mk")):
            os.makedirs(os.path.dirname(tree / name), exist_ok=True)
            shutil.copy2(f"{house.tree}/{name}", tree / name)
    objects = [f"objects/{name}" for name in ("kernel", *in_manners(house), "of-layouts", "host", "bios", "vdso")]
    for folder in (*objects, "host", "bios", "vdso", layout):
        shutil.copytree(f"{house.build}/{folder}", tree / "build" / folder, symlinks=True, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("fuzz", "tests"))     # what fuzzers find comes and goes
    for word in ("build", "run", "iso", "test"):
        (tree / "build" / f"setup-{word}").touch()
    _, nowhere = house.make("-s", "--no-print-directory", "print-nowhere")

    def make(*words):
        done = subprocess.run(["make", "-C", tree, "-j2", "--no-print-directory", f"nowhere={nowhere.strip()}", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    return tree, make


def run_in(house, tree, layout, script):
    """(status, output) of a shell under the kernel of that tree."""
    root = os.path.join(house.build, "programs", "root")
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "run", "--layout", layout, "--root", root,
                           "--timeout", "60", "busybox", "sh", "-c", script], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True,
                          env={**os.environ, "QUIRE_BUILD": str(tree / "build")}, timeout=100)
    return done.returncode, done.stdout


def test_a_kernel_without_console_claims_and_checks_runs_programs(house, bare_tree):
    """What the whole kernel has beyond is really aside: not there, the rest still builds, and runs a pipe of two
    programs."""
    tree, make = bare_tree
    aside = make("-s", "print-whole").split()
    assert len(aside) > 30 and any(name.startswith("layouts/") for name in aside)
    for folder in OF_THE_WHOLE_KERNEL:
        shutil.rmtree(tree / folder)
    for name in aside:
        if os.path.exists(tree / name):
            os.unlink(tree / name)
    layout = house.layouts[-1]
    for kernel in (tree / "build" / layout).glob("kernel*.elf"):
        kernel.unlink()
    make(f"LAYOUT={layout}", f"build/{layout}/kernel-run.elf")
    assert not os.path.exists(tree / "build" / layout / "kernel-pvh.elf")
    assert run_in(house, tree, layout, "echo hello | cat; exit 7") == (7, "hello\n")


def test_any_layout_but_the_default_can_be_taken_away(house, bare_tree):
    """One after the other is removed and put back: nobody else's list of files needs it. With all of them gone the
    default layout's kernel is built, and runs."""
    tree, make = bare_tree
    others = [name for name in make("-s", "print-LAYOUTS").split() if name != "quire"]
    assert len(others) == 5
    for gone in others:
        os.rename(tree / "layouts" / gone, tree / "gone")
        left = [name for name in others if name != gone]
        assert make("-s", "print-LAYOUTS").split() == left + ["quire"]
        assert f"layouts/{gone}/" not in make("-s", "print-kernel", "print-all_objects")
        make("-n", "quire", f"LAYOUT={left[0]}", "kernel")
        os.rename(tree / "gone", tree / "layouts" / gone)
    for gone in others:
        shutil.rmtree(tree / "layouts" / gone)
    for kernel in (tree / "build/quire").glob("kernel*.elf"):
        kernel.unlink()
    make("quire", "kernel")
    assert run_in(house, tree, "quire", "echo hello | cat; exit 7") == (7, "hello\n")
