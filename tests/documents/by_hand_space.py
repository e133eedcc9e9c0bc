"""by_hand_space.py - documents by hand: where the kernel is, programs' space, regions, what is shown, the image."""
from changes import cut_pool
from document import END, NOTHING
from hand import LINKER, at, cell, choose, hole, physical, shift, written


# ---- The kernel elsewhere ---------------------------------------------------------------------------------------

@written("higher-half")
def a_kernel_at_two_gigabytes(d):
    shift(d, -0x40000000)
    at(d, "user", 0x10000, 0x80000000)
    hole(d, "tables", "above", 0xC0000000, END)
    d.named("tables").place(end=0xC0000000)


@written("quire")
def a_kernel_at_four_megabytes(d):
    """The kernel below, programs above it."""
    shift(d, 0x00400000 - 0xE0000000)
    user = d.named("user")
    d.remove(user)
    d.named("null").place(end=0x400000)
    d.named("top").place(0x1F800000, 0x20000000)
    user.place(0x20000000, 0xFFFFF000)
    d.insert(d.named("top"), user)
    hole(d, "user", "last", 0xFFFFF000, END)
    d.rows("Boot mappings")[0]["Size"] = "2 MiB"


@written("quire")
def a_kernel_at_two_megabytes(d):
    """Not at a multiple of 4 MiB: the image runs at its own address until paging comes on, in the same table."""
    shift(d, 0x00200000 - 0xE0000000)
    user = d.named("user")
    d.remove(user)
    d.named("null").place(end=0x200000)
    d.named("slots").place(0x1F400000, 0x1F800000)
    d.named("top").place(0x1F800000, 0x20000000)
    d.named("stacks").place(0x1C200000, 0x1F400000)
    user.place(0x20000000, 0xFFFFF000)
    d.insert(d.named("top"), user)
    hole(d, "user", "last", 0xFFFFF000, END)
    d.rows("Boot mappings")[0]["Size"] = "2 MiB"


@written("quire")
def a_kernel_by_one_page(d):
    """0xE0001000: no entry of physical memory is a large one."""
    at(d, "user", 0x10000, 0xE0000000)
    low = d.named("low")
    d.insert(low, low.as_hole("gap", 0xE0000000, 0xE0001000), after=False)
    low.place(0xE0001000, 0xE0101000)
    d.named("boot").place(start=0xE0101000)
    d.rows("Boot mappings")[1]["Virtual"] = "0xE0001000"


@written("firmware")
def an_image_above_sixteen_megabytes(d):
    image = physical(d, "image")
    d.insert(image, image.like("before", 0x210000, 0x1800000, Use="pool"), after=False)
    image.place(start=0x1800000)
    d.rows("Boot mappings")[0]["Physical"] = "0x01800000"


@written("quire", "image starts at 0x00098000; expected 0x00100000 or above")
def an_image_in_video_memory(d):
    physical(d, "low").place(end=0x90000)
    physical(d, "hardware").place(0x90000, 0x98000)
    physical(d, "image").place(start=0x98000)
    d.named("low").place(end=0xE0098000)
    d.named("boot").place(start=0xE0098000)


@written("quire", "image starts at 0x00002000; expected 0x00100000 or above")
def an_image_in_the_first_megabyte(d):
    """Where firmware, and the loader, have their own data: a page table of the kernel's was lost."""
    for name in ("zero", "hardware"):
        d.remove(physical(d, name))
    physical(d, "low").place(0, 0x2000)
    physical(d, "low")["Use"] = "hardware"
    physical(d, "image").place(start=0x2000)
    d.named("low").place(end=0xE0002000)
    d.named("boot").place(start=0xE0002000)


@written("firmware", "boot starts at 0x0004C000; expected 0x00100000 or above")
def what_runs_before_paging_in_the_first_megabyte(d):
    """QEMU's loader copies the gap up to the image as well, and the machine ended inside its BIOS."""
    physical(d, "boot")["Use"] = "pool"
    physical(d, "boot")["Name"] = "was-boot"
    low = physical(d, "low")
    d.insert(low, low.like("past-boot", 0x5C000, 0xA0000))
    d.insert(low, low.like("boot", 0x4C000, 0x5C000, Use="boot"))
    low.place(end=0x4C000)


@written("quire")
def a_kernel_as_high_as_it_goes(d):
    """Its last page is the one before the last."""
    rows = d.virtual()
    shift(d, 0x00BFF000)
    top = rows[-1]
    top.place(start=0xFFFFF000)
    d.named("user").place(end=0xE0800000)
    low = d.named("low")
    d.insert(low, low.as_hole("gap", 0xE0800000, low.start), after=False)
    slots = d.named("slots")
    slots.place(0xFFC00000, 0xFFFFF000)
    d.named("stacks").place(end=0xFFC00000)


# ---- Space for programs -----------------------------------------------------------------------------------------

@written("quire")
def sixteen_megabytes_for_programs(d):
    hole(d, "user", "cut", 0x1010000, 0xE0000000)
    at(d, "user", 0x10000, 0x1010000)
    choose(d, "start address", "0x00C00000")


@written("quire", "expected at least 16 MiB")
def eight_megabytes_for_programs(d):
    hole(d, "user", "cut", 0x810000, 0xE0000000)
    at(d, "user", 0x10000, 0x810000)
    choose(d, "start address", "0x00400000")


@written("movos")
def programs_in_the_last_sixteen_megabytes(d):
    user = d.named("user")
    d.insert(user, user.as_hole("cut", 0x08000000, 0xFEFFF000), after=False)
    at(d, "user", 0xFEFFF000, 0xFFFFF000)
    at(d, "top", 0xFFFFF000, END)
    choose(d, "start address", "0xFF800000")


@written("quire")
def flat_programs_at_the_last_border(d):
    """The space behind their start is less than 4 MiB."""
    hole(d, "user", "cut", 0x40001000, 0xE0000000)
    at(d, "user", 0x10000, 0x40001000)


@written("quire", "user starts at 0x00000000")
def programs_from_zero(d):
    d.remove(d.named("null"))
    at(d, "user", 0, 0xE0000000)


@written("quire")
def programs_from_the_second_page(d):
    at(d, "null", 0, 0x1000)
    at(d, "user", 0x1000, 0xE0000000)


@written("pat")
def both_spaces_of_sixteen_megabytes_and_a_page(d):
    """Kernel space has exactly what programs have, and all of the kernel's own regions in it."""
    hole(d, "user", "cut", 0x2C01000, 0xFFC00000)
    at(d, "user", 0x400000, 0x2C01000)
    d.insert(d.named("slots"), d.named("heap").like("records", 0, 0))
    rows = {"direct": 0x1000000, "heap": 0x1400000, "stacks": 0x1C00000, "slots": 0x2000000, "records": 0x2800000,
            "unused": 0x2900000, "devices": 0x2C01000}
    begin = 0x400000
    for name, end in rows.items():
        at(d, name, begin, end)
        begin = end
    cut_pool(d, 0x1000000)
    choose(d, "start address", "0x00800000")


# ---- Regions at their least -------------------------------------------------------------------------------------

@written("quire")
def a_heap_of_one_megabyte(d):
    cell(d, "heap", "Growth", "by 4 KiB, at most 1 MiB")


@written("quire", "heap has at most 64 KiB; expected at least 1 MiB")
def a_heap_of_sixteen_pages(d):
    cell(d, "heap", "Growth", "by 4 KiB, at most 64 KiB")


@written("firmware", LINKER)
def a_heap_with_one_page_behind_the_image(d):
    """Only the linker knows how much is left."""
    d.insert(d.named("heap"), d.named("heap").as_hole("spare", 0x120000, 0x5000000))
    d.named("heap").place(end=0x120000)
    d.rows("Boot mappings")[0]["Size"] = "1152 KiB"


@written("movos")
def everything_at_its_least(d):
    at(d, "heap", 0x800000, 0x900000)
    cell(d, "devices", "Growth", "by 4 KiB, at most 1 MiB")
    at(d, "devices", 0x900000, 0xA00000)
    at(d, "records", 0xA00000, 0x1200000)
    at(d, "stacks", 0x1200000, 0x1200000 + 16 * 0x3000)
    at(d, "slots", 0x1230000, 0x124C000)
    hole(d, "slots", "rest", 0x124C000, 0x8000000)


@written("quire")
def stacks_of_sixteen_kilobytes_sixteen_of_them(d):
    cell(d, "stacks", "Growth", "16 KiB each, at most 256 KiB")


@written("quire", "stacks has room for 15 of them")
def fifteen_stacks(d):
    cell(d, "stacks", "Growth", "16 KiB each, at most 240 KiB")


@written("quire")
def stacks_of_one_page_without_guards(d):
    cell(d, "stacks", "Growth", "4 KiB each")
    cell(d, "stacks", "Guard", "none: to see")


@written("tracker", "no guard")
def a_guard_of_nothing(d):
    cell(d, "stacks", "Guard", "-")


@written("tracker", "Guard is `0 B below each`")
def a_guard_of_no_bytes(d):
    cell(d, "stacks", "Guard", "0 B below each")


@written("movos")
def guards_of_a_megabyte(d):
    """Two of three megabytes are guards: sixteen stacks with one each."""
    cell(d, "stacks", "Guard", "1016 KiB below each")


@written("quire", "slots has 108 KiB")
def twenty_seven_slots(d):
    hole(d, "slots", "few", 0xFF01B000, 0xFF400000)
    at(d, "slots", 0xFF000000, 0xFF01B000)


@written("quire")
def slots_at_the_end_of_a_table(d):
    d.insert(d.named("slots"), d.named("slots").as_hole("few", 0xFF000000, 0xFF3E4000), after=False)
    at(d, "slots", 0xFF3E4000, 0xFF400000)


@written("quire")
def slots_and_stacks_in_one_table(d):
    at(d, "stacks", 0xFC000000, 0xFF3E4000)
    at(d, "slots", 0xFF3E4000, 0xFF400000)


@written("quire", "records")
def records_one_page_too_few(d):
    at(d, "devices", 0xF8000000, 0xFB801000)
    at(d, "records", 0xFB801000, 0xFC000000)


@written("quire")
def no_records(d):
    """They lie in the direct window, or nowhere."""
    row = d.named("records")
    for title, text in NOTHING.items():
        row[title] = text
    row["Name"] = "unused"


# ---- Memory that is shown ---------------------------------------------------------------------------------------

@written("quire", "a boot mapping that is kept reaches into dark")
def a_direct_window_that_ends_in_the_first_table(d):
    hole(d, "direct", "dark", 0xE0300000, 0xF0000000)
    d.named("direct").place(end=0xE0300000)


@written("quire", LINKER)
def a_direct_window_that_ends_in_the_image(d):
    """The linker knows."""
    hole(d, "direct", "dark", 0xE0140000, 0xF0000000)
    d.named("direct").place(end=0xE0140000)
    d.rows("Boot mappings")[1]["Size"] = "1280 KiB"


@written("quire")
def a_direct_window_that_ends_two_pages_behind_it(d):
    """The bitmap has no place there, and the kernel tells so."""
    hole(d, "direct", "dark", 0xE0200000, 0xF0000000)
    d.named("direct").place(end=0xE0200000)
    d.rows("Boot mappings")[1]["Size"] = "2 MiB"
    choose(d, "bitmap place", "first fit")


@written("quire")
def a_direct_window_of_eight_pages(d):
    """What is left behind the image is little: a bitmap of 4 GiB has no place, one of 64 MiB has."""
    hole(d, "direct", "dark", 0xE0400000, 0xF0000000)
    d.named("direct").place(end=0xE0400000)
    choose(d, "search", "first-fit")


@written("quire", "low")
def the_first_megabyte_is_a_hole(d):
    for title, text in NOTHING.items():
        cell(d, "low", title, text)


@written("quire")
def the_first_megabyte_is_read_only_and_the_hardwares(d):
    """Nothing of it is the kernel's: it may be shown without a right to write."""
    cell(d, "low", "Kernel", "r--")
    physical(d, "low")["Use"] = "hardware"


@written("pat")
def a_direct_window_behind_all_memory(d):
    """The direct window starts where a machine of 64 MiB has no more; what is below is shown by another row."""
    direct = d.named("direct")
    below = direct.like("lowlands", 0x400000, 0x8000000, Backing="physical 0x00400000")
    d.insert(direct, below, after=False)
    direct.place(start=0x8000000)
    direct["Backing"] = "physical 0x08000000"


@written("quire")
def a_window_onto_a_card(d):
    """Two gigabytes up; write-back, as nobody reads it."""
    top = d.named("top")
    d.insert(top, top.like("card", 0xFF400000, 0xFF800000, Kernel="rw-", Scope="all", Backing="physical 0x80000000"),
             after=False)
    top.place(start=0xFF800000)


@written("quire", "the image (line")
def the_image_a_second_time(d):
    top = d.named("top")
    d.insert(top, top.like("again", 0xFF400000, 0xFF800000, Kernel="rw-", Scope="all", Backing="physical 0x00000000"),
             after=False)
    top.place(start=0xFF800000)


@written("higher-half")
def an_alias_of_all_that_is_low_twice(d):
    unused = d.named("unused")
    d.insert(unused, unused.like("once-more", 0xC0400000, 0xC0800000, Kernel="same", User="same", Scope="all",
                                 Backing="alias of low"), after=False)
    unused.place(start=0xC0800000)


# ---- The image's sections ---------------------------------------------------------------------------------------

@written("quire")
def sections_at_addresses(d):
    at(d, "boot", 0xE0100000, 0xE0110000)
    at(d, "text", 0xE0110000, 0xE0200000)
    at(d, "rodata", 0xE0200000, 0xE0280000)
    d.named("data").place(start=0xE0280000)


@written("quire", "data ends at 0xE03FFFFF; expected `end of data`")
def the_last_section_at_an_address(d):
    """The auditor found frames of others in it: the bitmap, right behind the image."""
    sections_at_addresses(d)
    d.named("data").place(end=0xE0400000)
    at(d, "direct", 0xE0400000, 0xF0000000)
    cell(d, "direct", "Backing", "physical 0x00400000")
    physical(d, "image").place(end=0x400000)
    physical(d, "memory").place(start=0x400000)


@written("quire", LINKER)
def a_section_that_is_too_short(d):
    sections_at_addresses(d)
    at(d, "text", 0xE0110000, 0xE0112000)
    at(d, "rodata", 0xE0112000, 0xE0280000)


@written("quire")
def the_image_in_a_row_that_is_just_too_long(d):
    physical(d, "image").place(end=0x200000)
    physical(d, "memory").place(start=0x200000)


@written("quire", LINKER)
def the_image_in_a_row_that_is_too_short(d):
    physical(d, "image").place(end=0x140000)
    physical(d, "memory").place(start=0x140000)
