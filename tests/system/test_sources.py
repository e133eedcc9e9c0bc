"""The tree's sources: what their functions promise, and that headers, comments and code say the same."""
import functools
import os
import re
import subprocess

import pytest


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
    paths = list(house.sources_and_headers())
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
    for path in house.sources_and_headers():
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
    for path in house.sources_and_headers():
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
    "kernel/memory/spaces/object_cut.c": "levels of an object's tree",
    "kernel/process/timer_heap.c": "the logarithm of the timers",
}


def test_functions_that_call_themselves_are_known(house):
    found = {}
    for path in house.sources_and_headers():
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
