"""arch/contract.h is the list of a port's functions: every port is checked against it, by compiling and by reading."""
import glob
import os
import re
import subprocess

CONTRACT = "arch/contract.h"
UPWARD = "What the kernel above must answer"
PUBLIC = {"cpu.h", "mmu.h", "thread.h", "io.h", "power.h", "trap.h"}
HEADERS = {"i386": ["cpu.h", "mmu.h", "thread.h", "io.h", "power.h", "trap.h"], "host": ["cpu.h", "mmu.h", "thread.h"]}
WORDS = ["MMU_LEVELS", "MMU_ENTRIES", "MMU_LARGE_LEVEL", "MMU_SPACE_END", "MMU_FRAMES_END", "MMU_VARIABLE", "MAX_CPUS"]


class Call:
    def __init__(self, section, host, tables, result, name, arguments, is_inline):
        self.section, self.host, self.tables, self.name, self.is_inline = section, host, tables, name, is_inline
        self.result, self.arguments = result, arguments


def calls(house):
    """Every function of the contract, in its order."""
    text = open(f"{house.tree}/{CONTRACT}").read()
    found, section, host, tables = [], "", True, False
    listed = r"^ \*   (?P<ir>[\w ]+?[ *]+)(?P<in>\w+)\((?P<ia>[^\n]*)\);$"
    declared = r"^(?P<dr>(?!typedef|extern|#|struct \w+ \{)\w[\w ]*?[ *]+)(?P<dn>\w+)\((?P<da>[^;{]*)\)(?: NORETURN)?;"
    for m in re.finditer(rf"^/\* ---- (?P<head>.*?) -*(?: \*/)?$|(?P<no>Not on the host)|"
                         rf"(?P<upper>Only where MMU_LEVELS)|{listed}|{declared}",
                         text, flags=re.M):
        if m["head"]:
            section, host, tables = m["head"].strip(" -"), True, False
        elif m["no"]:
            host = False
        elif m["upper"]:
            tables = True
        else:
            kind = "i" if m["in"] else "d"
            found.append(Call(section, host, tables, m[kind + "r"].strip(), m[kind + "n"], m[kind + "a"], kind == "i"))
    return found


def sources(house, *folders):
    for folder in folders:
        for path in sorted(glob.glob(f"{house.tree}/{folder}/**/*.[chS]", recursive=True)):
            yield os.path.relpath(path, house.tree), open(path).read()


def defines(text, name):
    """Whether C or assembly text has the function's body."""
    return re.search(rf"^(?![\s#/*])[^\n;=]*\b{name}\([^;{{]*\)\s*\{{|^{name}:$", text, re.M)


def test_the_contract_is_read_whole(house):
    names = [call.name for call in calls(house)]
    assert len(names) == len(set(names)) and len(names) > 90
    assert {"cpu_number", "entry_leaf", "mmu_flush_page", "probe_read", "user_load", "alarm_set", "power_halt",
            "trap_leave", "kernel_main", "entry_self", "pci_ports", "trap_address", "port_write32"} <= set(names)
    assert {call.name for call in calls(house) if call.section.startswith("Stacks")} == {"stack_call"}


def test_i386_answers_every_call(house):
    port = "\n".join(text for _, text in sources(house, "arch/i386"))
    missing = [call.name for call in calls(house) if call.section != UPWARD and not defines(port, call.name)]
    assert not missing


def test_the_host_answers_what_it_must(house):
    port = "\n".join(text for _, text in sources(house, "arch/host"))
    two_level = open(f"{house.tree}/arch/i386/mmu.h").read()        # arch/host/mmu.h includes it
    # A test that changes stacks defines this function itself.
    missing = [call.name for call in calls(house) if call.host and call.section != UPWARD and call.name != "stack_call"
               and not defines(port + two_level, call.name)]
    assert not missing
    firmware = open(f"{house.tree}/arch/host/format_firmware.h").read()
    missing = [call.name for call in calls(house) if call.section.startswith("Page-table entries") and not call.tables
               and not defines(firmware, call.name)]
    assert not missing


def test_floors_above_answer_the_machine(house):
    above = "\n".join(text for _, text in sources(house, "kernel"))
    port = "\n".join(text for _, text in sources(house, "arch"))
    upward = [call.name for call in calls(house) if call.section == UPWARD]
    assert {"kernel_main", "panic_trap", "trap_leave", "schedule_begin"} <= set(upward)
    assert [name for name in upward if not defines(above, name) or defines(port, name)] == []


def test_inline_functions_of_a_port_are_all_in_the_contract(house):
    names = {call.name for call in calls(house)}
    for path in ("arch/i386/cpu.h", "arch/i386/mmu.h", "arch/i386/io.h", "arch/host/cpu.h",
                 "arch/host/format_firmware.h"):
        text = open(f"{house.tree}/{path}").read()
        own = set(re.findall(r"^static inline [^\n=;]*?(\w+)\([^;]*?\)\s*\{", text, re.M)) - {"firmware_bits"}
        assert len(own) >= 6 and own <= names, (path, own - names)


def compiles(house, port, flags, tables):
    """Each inline function is assigned to a pointer of the contract's type; each constant is used."""
    lines = [f'#include "{name}"' for name in [*HEADERS[port], CONTRACT]]
    lines += ["_Static_assert(sizeof(entry_t) == sizeof ((entry_t *)0)->raw, \"one field\");",
              "extern struct thread_state *one;"]
    lines += [f"_Static_assert({word} >= 0, \"a number\");" for word in WORDS]
    for call in calls(house):
        if call.is_inline and (call.host or port != "host") and (tables or not call.tables):
            lines.append(f"{call.result} (*const check_{call.name})({call.arguments}) = {call.name};")
    status, words = house.make("-s", f"print-{'HOST_FLAGS' if port == 'host' else 'KERNEL_FLAGS'}")
    assert status == 0
    command = ["gcc", *words.split(), *flags, "-Wno-unused", "-fsyntax-only", "-x", "c", "-"]
    return subprocess.run(command, input="\n".join(lines) + "\n", cwd=house.tree, capture_output=True, text=True,
                          timeout=60)


def test_types_are_the_contracts(house):
    for port, flags, tables in (("i386", [], True), ("host", [], True), ("host", ["-DMMU_FORMAT_FIRMWARE"], False)):
        done = compiles(house, port, flags, tables)
        assert done.returncode == 0, done.stderr


def test_portable_code_includes_no_other_header_of_a_port(house):
    others = {os.path.basename(path) for path in glob.glob(f"{house.tree}/arch/i386/*.h")} - PUBLIC
    assert {"descriptor.h", "fpu.h", "pic.h"} <= others
    wrong = [f"{path}: {name}" for path, text in sources(house, "kernel") if not path.startswith("kernel/linux/i386/")
             for name in re.findall(r'^#include "(?:arch/i386/)?([^"/]+)"', text, re.M) if name in others]
    assert not wrong


# An interface of 64 bits, as SYSTEM_CALL sees it: every argument is a word, and no two words are one argument.
WIDE_INTERFACE = """
#include <stdint.h>
enum { CALL_WORDS = 6 };
struct call_arguments { uintptr_t word[CALL_WORDS]; };
#define CALL_CONVENTION
static inline uint64_t call_wide(const uintptr_t **at) { (void)at; __builtin_trap(); }
"""
WIDE_CALLS = """
#include <stdio.h>
#include "linux/calls.h"
typedef uintptr_t user_t;
SYSTEM_CALL(pread64, int, descriptor, user_t, to, size_t, count, int64_t, at)
{
    printf("%d %lx %zx %ld\\n", descriptor, to, count, (long)at);
    return at;
}
SYSTEM_CALL(getpid) { return 7; }
int main(void)
{
    const struct call_arguments given = { { 0xABCDEF01FFFFFFFE, 0x7FFF00001000, 0x100000000, (uintptr_t)-5 } };

    printf("%ld %ld\\n", sys_pread64(&given), sys_getpid(&given));
}
"""


def test_arguments_are_right_for_words_of_64_bits(house, tmp_path):
    """The same lines serve an interface of 64 bits: numbers of 32 lose what lies above, 64 are one word."""
    (tmp_path / "call_arguments.h").write_text(WIDE_INTERFACE)
    (tmp_path / "calls.c").write_text(WIDE_CALLS)
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I", str(tmp_path), "-I",
                    f"{house.tree}/kernel", "-I", house.tree, "-o", str(tmp_path / "calls"),
                    str(tmp_path / "calls.c")], check=True, timeout=60)
    said = subprocess.run([str(tmp_path / "calls")], capture_output=True, text=True, timeout=10, check=True).stdout
    assert said == "-2 7fff00001000 100000000 -5\n-5 7\n"
