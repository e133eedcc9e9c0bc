"""debug.py - commands for gdb beside Quire's kernel; `quire debug` loads it.

    quire-tables [ROOT]    the page tables: of the space in use, or of a root table's address
    quire-frames           who owns the frames of memory
    quire-spaces           every address space, and which one is in use

The commands read the machine's memory and call no function in it, so they work wherever
the machine stands, also in the middle of an interrupt.
"""
import struct

import gdb

PAGE = 4096
PRESENT, WRITE, USER, LARGE, GLOBAL = 1, 2, 4, 0x80, 0x100


def physical(address, size):
    """Bytes of physical memory, whatever the page tables say."""
    gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    finally:
        gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)


def register(name):
    return int(gdb.parse_and_eval(f"(unsigned long)${name}")) & 0xFFFFFFFF


def entries(frame_address):
    return struct.unpack("<1024I", physical(frame_address, PAGE))


def leaves(root):
    """(page, frame, rights, entries' flags) of every page that a root table maps."""
    for i, directory in enumerate(entries(root)):
        if not directory & PRESENT:
            continue
        if directory & LARGE:
            for j in range(1024):
                yield i << 10 | j, (directory >> 12 & 0xFFC00) + j, directory
            continue
        for j, entry in enumerate(entries(directory & ~0xFFF)):
            if entry & PRESENT:
                # A right needs both levels.
                yield i << 10 | j, entry >> 12, entry & (directory | ~(WRITE | USER))


def rights(entry):
    return ("user " if entry & USER else "kernel ") + ("rw" if entry & WRITE
                                                       else "r-") + (" global" if entry & GLOBAL else "")


def runs(root):
    """Neighbouring pages with equal rights, as (first, end, first frame or None, rights)."""
    run = None
    for page, frame, entry in leaves(root):
        what = rights(entry)
        if run and run[1] == page and run[3] == what and name_of(page) == name_of(run[0]):
            straight = run[2] if run[2] is not None and run[2] + (page - run[0]) == frame else None
            run = (run[0], page + 1, straight, what)
        else:
            if run:
                yield run
            run = (page, page + 1, frame, what)
    if run:
        yield run


# ---- Names -------------------------------------------------------------------------------

def tree(node):
    """Regions of a tree, in order."""
    if int(node) == 0:
        return
    yield from tree(node["child"][0])
    yield node.dereference()
    yield from tree(node["child"][1])


def spaces():
    """All spaces: the kernel's, then the list that it heads or that hangs beside it."""
    kernel = gdb.parse_and_eval("kernel_space")
    yield kernel
    seen = {int(kernel.address)}
    at = kernel["next"]
    for symbol in ("spaces", "space_list"):
        if int(at) == 0 and gdb.lookup_static_symbol(symbol):
            at = gdb.lookup_static_symbol(symbol).value()
    while int(at) != 0 and int(at) not in seen:
        seen.add(int(at))
        yield at.dereference()
        at = at["next"]


def space_of(root):
    for space in spaces():
        if int(space["root"]["no"]) == root >> 12:
            return space
    return None


names = []


def text(value):
    return value.string() if int(value) else ""


def learn_names(root):
    """The regions of kernel space and of the space that has this root."""
    names.clear()
    found = space_of(root)
    for space in [gdb.parse_and_eval("kernel_space")] + ([found] if found is not None else []):
        for region in tree(space["map"]["root"]):
            names.append((int(region["span"]["first"]), int(region["span"]["end"]), text(region["name"])))
    names.sort(key=lambda name: name[1] - name[0])


def name_of(page):
    """The narrowest region around a page."""
    for first, end, name in names:
        if first <= page < end:
            return name
    return ""


# ---- Commands ----------------------------------------------------------------------------

class Tables(gdb.Command):
    """quire-tables [ROOT]: the page tables of the space in use, or of the root table at a physical address."""

    def __init__(self):
        super().__init__("quire-tables", gdb.COMMAND_DATA)

    def invoke(self, words, _):
        if not words and not register("cr0") >> 31:
            raise gdb.GdbError("paging is not on yet: `break kernel_main` and `continue` come first")
        root = (int(gdb.parse_and_eval(words)) if words else register("cr3")) & ~0xFFF
        learn_names(root)
        print(f"root table at {root:#x}\n{'from':10} {'to':10} {'pages':>7}  {'frames':14} {'rights':16} region")
        for first, end, frame, what in runs(root):
            where = f"{frame:#x}.." if frame is not None else "scattered"
            print(f"{first * PAGE:#010x} {end * PAGE - 1:#010x} {end - first:7}  {where:14} {what:16} {name_of(first)}")


class Frames(gdb.Command):
    """quire-frames: frames of memory by owner, counted from their records."""

    def __init__(self):
        super().__init__("quire-frames", gdb.COMMAND_DATA)

    def invoke(self, _words, _):
        frames = gdb.parse_and_eval("frames")
        end, records = int(frames["end"]), frames["records"]
        if int(records) == 0:
            raise gdb.GdbError("the pool is not open yet: `break kernel_main` and `continue` come first")
        size = records.dereference().type.sizeof
        memory = bytes(gdb.selected_inferior().read_memory(int(records), end * size))
        shift = int(gdb.parse_and_eval("(int)STATE_OWNER_SHIFT"))
        owners = gdb.parse_and_eval("owner_names")
        count = {}
        for at in range(0, len(memory), size):
            owner = struct.unpack_from("<I", memory, at)[0] >> shift & 31
            count[owner] = count.get(owner, 0) + 1
        for owner, number in sorted(count.items(), key=lambda item: -item[1]):
            print(f"{text(owners[owner]):10} {number:8} frames {number * 4:9} KiB")
        print(f"{'sum':10} {end:8} frames {end * 4:9} KiB, up to the highest address that has RAM")


class Spaces(gdb.Command):
    """quire-spaces: every address space, with the regions of those that programs have."""

    def __init__(self):
        super().__init__("quire-spaces", gdb.COMMAND_DATA)

    def invoke(self, _words, _):
        root = register("cr3") >> 12
        for space in spaces():
            here = " (in use)" if int(space["root"]["no"]) == root else ""
            print(f"space at {int(space.address):#x}: root frame {int(space['root']['no']):#x}, "
                  f"{int(space['map']['count'])} regions, {int(space['resident'])} pages present{here}")
            of_programs = int(space.address) != int(gdb.parse_and_eval("&kernel_space"))
            for region in tree(space["map"]["root"]) if of_programs else ():
                print(f"    {int(region['span']['first']) * PAGE:#010x} {int(region['span']['end']) * PAGE - 1:#010x} "
                      f"{text(region['name'])}")


Tables()
Frames()
Spaces()
