"""arch/contract.h is the list of what a port answers: every port is held to it, by compiling and by looking."""
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
    assert {"cpu_number", "entry_leaf", "mmu_flush_page", "probe_read", "user_load", "clock_tick", "power_halt",
            "trap_leave", "kernel_main", "entry_self", "pci_ports", "trap_address", "port_write32"} <= set(names)
    assert {call.name for call in calls(house) if call.section.startswith("Stacks")} == {"stack_call"}


def test_i386_answers_every_call(house):
    port = "\n".join(text for _, text in sources(house, "arch/i386"))
    missing = [call.name for call in calls(house) if call.section != UPWARD and not defines(port, call.name)]
    assert not missing


def test_the_host_answers_what_it_must(house):
    port = "\n".join(text for _, text in sources(house, "arch/host"))
    two_level = open(f"{house.tree}/arch/i386/mmu.h").read()        # arch/host/mmu.h includes it
    # A test that changes stacks says itself what is to happen.
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
    assert len(upward) == 5
    assert [name for name in upward if not defines(above, name) or defines(port, name)] == []


def test_inline_functions_of_a_port_are_all_in_the_contract(house):
    names = {call.name for call in calls(house)}
    for path in ("arch/i386/cpu.h", "arch/i386/mmu.h", "arch/i386/io.h", "arch/host/cpu.h", "arch/host/format_firmware.h"):
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
