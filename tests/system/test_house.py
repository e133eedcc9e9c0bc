"""The house itself: sources.mk and the README are true, and the tree keeps its rules."""
import functools
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
    names = r"(?:kernel|run_only|boot|sector|relocator)"
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
    for path in sources_and_headers(house):
        text = open(os.path.join(house.tree, path), errors="replace").read()
        for header in re.findall(r'^#include "([^"]+)"', text, re.M):
            near = [f"kernel/{header}", header, f"arch/i386/{header}", f"kernel/linux/i386/{header}"]
            found = next((name for name in near if os.path.exists(os.path.join(house.tree, name))), None)
            pair = (floor_of(path), floor_of(found)) if found else (None, None)
            if pair[0] != pair[1] and set(pair) <= set(FLOORS):
                matrix.setdefault(pair, []).append(f"{path} -> {header}")
    return matrix


def sources_and_headers(house):
    for folder in ("kernel", "arch/i386", "layouts"):
        for path, _, names in sorted(os.walk(os.path.join(house.tree, folder))):
            yield from (os.path.relpath(os.path.join(path, name), house.tree) for name in sorted(names)
                        if name.endswith((".c", ".h", ".S")))


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
RUN_KERNEL_KIB_AT_MOST = {"tracker": 327, "firmware": 327, "movos": 323, "pat": 322, "higher-half": 322}
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
    objects = [f"objects/{name}" for name in ("kernel", *in_manners(house), "of-layouts", "host", "bios")]
    for folder in (*objects, "host", "bios", layout):
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


# ---- What may sleep says so first ------------------------------------------------------------------------

SLEEPS = {"wait_on", "wait_linked", "mutex_take", "rwlock_read", "rwlock_write", "rwlock_wait", "point_of_rest",
          "schedule_between", "schedule_pause", "schedule_stop_here",
          "schedule_end"}
FUNCTION = re.compile(r"^((?:[A-Za-z_][\w \t*]*?)\b(\w+)\((?:[^;{}])*?\))\s*(?:\n\{\n(.*?)\n\}|\{ (.*?) \}\n)",
                      re.S | re.M)


def functions_of(text):
    """{name: (whether it is static, body)} of a source; a body of one line has no line's end in it."""
    return {match[2]: (match[1].startswith("static"), match[3] or match[4]) for match in FUNCTION.finditer(text)}


def sleepers(text):
    """The functions of a source that sleep, themselves or by way of others of the same source."""
    functions, found = functions_of(text), set()
    while True:
        more = {name for name, (_, body) in functions.items()
                if name not in found and set(re.findall(r"\b(\w+)\(", body or "")) & (SLEEPS | found)}
        if not more:
            return found
        found |= more


def says_first(body):
    """Whether a body's first statement is may_sleep(), behind its declarations."""
    lines = body.splitlines()
    declares = "" in lines and not re.match(r"    (?:may_|if|for|while|switch|\w+\()", lines[0])
    first = lines.index("") + 1 if declares else 0
    return lines[first].strip().startswith(("may_sleep();", "may_sleep_dropping(", "may_give_way();"))


def test_what_may_sleep_says_so_first(house):
    """What a header of the kernel declares and its source lets sleep begins with may_sleep() (base/lock.h). Where a
    function is one statement, what it calls says so; the machine's first thread runs before anybody could sleep."""
    paths = list(sources_and_headers(house))
    declared = "".join(open(os.path.join(house.tree, path)).read() for path in paths if path.endswith(".h"))
    silent, said = [], 0
    for path in paths:
        text = open(os.path.join(house.tree, path)).read()
        if not path.endswith(".c") or path.startswith("layouts/"):
            continue
        for name in sleepers(text):
            static, body = functions_of(text)[name]
            if static or "\n" not in body or name in ("init_run", "schedule_idle"):
                continue
            if not re.search(rf"\b{name}\(", declared):
                continue
            said += says_first(body)
            if not says_first(body):
                silent.append(f"{path}: {name}()")
    assert not silent, silent
    assert said > 50


# ---- What is trusted is asserted --------------------------------------------------------------------------

ASSERTION = re.compile(r"\b(?:assert|deep_assert|expect|_Static_assert|audit_fail)\(")
ASSERTIONS_A_THOUSAND_LINES = 33


def test_the_memory_manager_asserts_what_it_trusts(house):
    """Assertions for each 1 000 lines of kernel/memory, checks of the audit among them; the figure of each room is
    told."""
    rooms = {}
    for path in sources_and_headers(house):
        if path.startswith("kernel/memory/"):
            text = open(os.path.join(house.tree, path)).read()
            lines, count = rooms.get(os.path.dirname(path), (0, 0))
            rooms[os.path.dirname(path)] = lines + text.count("\n"), count + len(ASSERTION.findall(text))
    for room, (lines, count) in sorted(rooms.items()):
        print(f"{room}: {count} in {lines} lines, {1000 * count / lines:.1f} for each 1 000")
    lines, count = map(sum, zip(*rooms.values()))
    assert 1000 * count >= ASSERTIONS_A_THOUSAND_LINES * lines, f"{count} in {lines} lines"


# ---- Loops under a spin lock say how long they run ---------------------------------------------------------

HOLDS = re.compile(r"\b(?:lock_take|interrupts_off|cursor_open)\(|(?<!!)\block_held\(")
LOOPS = re.compile(r"\b(?:for|while) \(")
BOUNDED = "kernel/memory/", "kernel/process/", "kernel/devices/", "kernel/base/", "kernel/files/", "kernel/linux/"


def test_loops_under_a_spin_lock_have_their_bound_beside_them(house):
    """In these folders, but for the audit: what takes a lock, or relies on one, has a bound: beside its first loop."""
    silent, said = [], 0
    for path in sources_and_headers(house):
        if not path.startswith(BOUNDED) or not path.endswith(".c") or "/check/" in path:
            continue
        for name, (_, body) in functions_of(open(os.path.join(house.tree, path)).read()).items():
            if body and HOLDS.search(body) and LOOPS.search(body):
                said += "bound:" in body
                if "bound:" not in body and not (path.endswith("user_walk.c") and name == "walk_look"):
                    silent.append(f"{path}: {name}()")
    assert not silent, silent
    assert said > 50


# ---- A stack of the kernel's is small -----------------------------------------------------------------------

# Functions that call themselves, and what bounds their depth. Nothing that a program makes may: folders, mounts,
# sockets in sockets and processes are as deep as it likes.
RECURSIVE = {
    "kernel/console/picture.c": "regions of a document", "kernel/files/core/epoll_nest.c": "NESTED_DEEPEST",
    "kernel/files/core/lock.c": "trees that chance keeps flat",
    "kernel/files/proc/proc_number.c": "the entries of /proc",
    "kernel/memory/check/object_audit.c": "levels of an object's tree",
    "kernel/memory/spaces/object_index.c": "levels of an object's tree",
    "kernel/process/timer_heap.c": "the logarithm of the timers",
}


def test_functions_that_call_themselves_are_known(house):
    found = {}
    for path in sources_and_headers(house):
        if path.startswith(("kernel/", "arch/i386/")) and path.endswith(".c"):
            for name, (_, body) in functions_of(open(os.path.join(house.tree, path)).read()).items():
                if body and re.search(rf"(?<![\w>.]){name}\(", without_comments(body)):
                    found.setdefault(path, []).append(name)
    assert set(found) == set(RECURSIVE), found


# ---- Headers and sources, comments and code, say the same -------------------------------------------------

ROOMS = ("kernel/", "arch/", "layouts/", "boot/", "tools/", "user/")
INNER = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
NOTES = r"(?:MUST_CHECK|NORETURN|PRINTF_LIKE\([^)]*\)|__attribute__\(\((?:[^()]|\([^()]*\))*\)\)|\s)*"
DECLARED = re.compile(rf"^(?:extern )?((?:const |struct |enum |union |unsigned |long )*\w+)[\s*]+(\w+)({INNER})"
                      rf"{NOTES};", re.M)
DEFINED = re.compile(rf"^((?:static |inline |const |struct |enum |union |unsigned |long |[A-Z_]+ |"
                     rf"__attribute__\(\(\w+\)\) )*\w+)[\s*]+(\w+)({INNER})\s*\{{", re.M)
# Called by the compiler, by programs, or by those who embed a machine; made of a macro's argument.
CALLED_FROM_OUTSIDE = re.compile(r"__\w+|quire_\w+|app_\w+|(?:corrupt|restore)_\w+|call_\w+|main|memcmp")


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


@functools.cache
def texts_of(tree):
    """{path: text} of the tree's sources in any language, tests and benchmarks among them."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=tree,
                            capture_output=True, text=True, check=True).stdout.split()
    return {path: open(os.path.join(tree, path), errors="replace").read() for path in listed
            if path.endswith((".c", ".h", ".S", ".py", ".js", ".sh", ".awk", ".mk"))
            and os.path.exists(os.path.join(tree, path))}


@pytest.fixture
def c_texts(house):
    texts = {path: text for path, text in texts_of(house.tree).items() if path.endswith((".c", ".h", ".S"))}
    assert len(texts) > 500
    return texts


@functools.cache
def functions_in(tree):
    declared, defined = {}, {}
    for path, text in texts_of(tree).items():
        code = without_comments(text)
        if not path.startswith(ROOMS) or "/tests/" in path or not path.endswith((".c", ".h")):
            continue
        for match in DECLARED.finditer(code):
            if "weak" in match[0]:      # for a test to define
                continue
            if path.endswith(".h") and match[1].split()[0] not in ("return", "static", "typedef"):
                declared.setdefault(match[2], []).append((path, match[3]))
        for match in DEFINED.finditer(code):
            defined.setdefault(match[2], []).append((path, match[3], "static" in match[1] or "IN_LINE" in match[1]))
    return declared, defined


@pytest.fixture
def functions(house):
    """({name: [(header, parameters)]}, {name: [(source, parameters, whether it is static)]}) of the rooms."""
    declared, defined = functions_in(house.tree)
    assert len(declared) > 1300 and len(defined) > 4000
    return declared, defined


def test_what_a_header_declares_is_defined(c_texts, functions):
    declared, defined = functions
    assembly = "".join(text for path, text in c_texts.items() if path.endswith(".S"))
    missing = [f"{path}: {name}()" for name, places in declared.items() for path, _ in places
               if name not in defined and not re.search(rf"\b{name}\b", assembly)]
    assert not missing, "declared, and defined nowhere"


def test_what_one_file_uses_alone_is_static(c_texts, functions):
    """Not counted: functions of a port for later kernels, and of the machine in plain memory for later tests."""
    declared, defined = functions
    users = {}
    for path, text in c_texts.items():
        code = without_comments(text)
        if path.endswith(".h"):         # a declaration is no use
            code = DECLARED.sub("", code)
        for word in set(re.findall(r"[A-Za-z_]\w*", code)):
            users.setdefault(word, set()).add(path)
    alone = [f"{path}: {name}()" for name, places in defined.items() for path, _, static in places
             if not static and path.endswith(".c") and users.get(name, set()) <= {path}
             and not CALLED_FROM_OUTSIDE.fullmatch(name)
             and not {"arch/contract.h", "arch/host/machine.h"} & {header for header, _ in declared.get(name, [])}]
    assert not alone, "used in no other file, and not static"


def parameter_names(parameters):
    names, depth, start = [], 0, 1
    for at, c in enumerate(parameters):
        depth += (c in "([") - (c in ")]")
        if (c == "," and depth == 1) or depth == 0:
            names.append(parameters[start:at].strip())
            start = at + 1
    found = [re.search(r"\(\s*\*\s*(?:const )?(\w+)", name) or re.search(r"(\w+)\s*(?:\[[^]]*\])*$", name)
             for name in names]
    return [match[1] if match else "" for match in found]


def test_parameters_have_one_name(functions):
    """A header and its source call a parameter the same; where it is used very often the source may have the first
    letter instead."""
    declared, defined = functions
    two, compared = [], 0
    for name, places in declared.items():
        for header, parameters in places:
            for source, others, static in defined.get(name, []):
                one, other = parameter_names(parameters), parameter_names(others)
                if static or header.split("/")[0] != source.split("/")[0] or len(one) != len(other):
                    continue
                compared += 1
                two += [f"{source}: {name}(): {b}, in {header}: {a}" for a, b in zip(one, other)
                        if a != b and b and not (len(b) == 1 and a.startswith(b))]
    assert not two, two
    assert compared > 1000


# Files of others that comments cite as sources: Linux's, a C library's.
CITED = re.compile(r"(?:fs|mm|net|asm|asm-generic|include|arch/x86)/.*|zlib\.h|statfs\.h")
MADE = {"kernel.ld", "tables.S", "flat.ld", "own.ld", "applications.ld", "NAME.md", "mine.md", "command_NAME.c"}


def test_comments_name_what_exists(house, c_texts):
    """A function with its parentheses, and a file with its ending, that a comment names are there. NAME stands for any
    name."""
    paths = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=house.tree,
                           capture_output=True, text=True, check=True).stdout.split()
    files = {os.path.basename(path) for path in paths}
    words, gone, named = set(), [], 0
    for text in texts_of(house.tree).values():
        words |= set(re.findall(r"[A-Za-z_]\w*", without_comments(text)))
    for path, text in c_texts.items():
        for comment in re.findall(r"/\*.*?\*/", text, re.S):
            for name in re.findall(r"\b([A-Za-z]\w*)\(\)", comment):
                named += 1
                if name not in words and "NAME" not in name:
                    gone.append(f"{path}: {name}()")
            for name in re.findall(r"(?<![\w/.*-])((?:[\w-]+/)*[\w-]+\.(?:c|h|S|md|py|mk|ld))\b", comment):
                there = name in MADE or (any(("/" + other).endswith("/" + name) for other in paths) if "/" in name
                                         else name in files)
                if not there and not CITED.fullmatch(name) and "NAME" not in name:
                    gone.append(f"{path}: {name}")
    assert not gone, "comments name what is not there"
    assert named > 400


def test_static_functions_carry_their_noun(functions):
    """A static function whose name is a single word, such as take() or find(), has it to itself: the same name in
    another source would not tell a reader of a backtrace where he is."""
    _, defined = functions
    shared = {name: sorted({path for path, _, static in places if static and path.endswith(".c")})
              for name, places in defined.items() if "_" not in name}
    shared = {name: paths for name, paths in shared.items() if len(paths) > 1}
    assert not shared, shared
