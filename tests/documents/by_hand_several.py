"""by_hand_several.py - documents by hand: changes that meet each other, numbers at both ends, tables and columns."""
from document import END, PAGE
from hand import LINKER, at, cell, choose, hole, physical, written


# ---- Guards -----------------------------------------------------------------------------------------------------

@written("quire")
def guards_of_640_kilobytes(d):
    cell(d, "stacks", "Guard", "640 KiB below each")


@written("movos")
def guards_of_640_kilobytes_below_the_largest_stacks(d):
    cell(d, "stacks", "Guard", "640 KiB below each")
    cell(d, "stacks", "Growth", "64 KiB each")


@written("pat")
def sixteen_stacks_that_fill_their_region_to_the_byte(d):
    """With every policy of the frames another way."""
    cell(d, "stacks", "Guard", "2.9375 MiB below each")
    cell(d, "stacks", "Growth", "64 KiB each")
    for policy, choice in (("unlisted memory", "used"), ("bitmap polarity", "one is free"), ("search", "fullest"),
                           ("magazine", "64")):
        choose(d, policy, choice)


@written("higher-half")
def guards_between_the_stacks_of_each_process(d):
    cell(d, "stacks", "Guard", "248 KiB below each")
    cell(d, "stacks", "Growth", "8 KiB each")


@written("higher-half")
def stacks_of_each_process_in_two_entries(d):
    at(d, "stacks", 0xFF400000, 0xFFC00000)
    at(d, "records", 0xFEC00000, 0xFF400000)
    at(d, "heap", 0xF1000000, 0xFEC00000)
    cell(d, "stacks", "Growth", "64 KiB each")


# ---- Boot mappings ----------------------------------------------------------------------------------------------

def map_at_first(d, virtual, mapped, size):
    """One boot mapping more, for the time until paging is on."""
    row = d.rows("Boot mappings")[-1]
    new = row.copy()
    new["Virtual"], new["Physical"], new["Size"] = f"0x{virtual:08X}", f"0x{mapped:08X}", size
    new["Kept"] = "removed once paging is on"
    d.insert(row, new)


@written("quire")
def a_boot_mapping_of_all_that_programs_have(d):
    """Its tables are 3.5 MiB of the image."""
    first, kept = d.rows("Boot mappings")
    first["Size"], kept["Size"] = "3.5 GiB", "16 MiB"


@written("quire", LINKER)
def tables_at_boot_that_the_boot_mapping_does_not_show(d):
    d.rows("Boot mappings")[0]["Size"] = "3.5 GiB"


@written("pat")
def a_boot_mapping_of_all_memory_of_the_pool(d):
    map_at_first(d, 0x400000, 0x400000, "2044 MiB")


@written("tracker")
def boot_mappings_where_programs_and_objects_begin(d):
    for address in (0x08000000, 0x80000000, 0xFFC00000):
        map_at_first(d, address, 0x400000, "2 MiB")


@written("higher-half")
def boot_mappings_of_the_last_page_and_over_stacks(d):
    for address in (0x10000000, 0x10401000):
        map_at_first(d, address, 0xFFFFF000, "4 KiB")
    map_at_first(d, 0xFF800000, 0, "4 MiB")


@written("quire", "runs past 4 GiB")
def a_boot_mapping_of_one_page_too_many(d):
    map_at_first(d, 0x10000000, 0xFFFFF000, "8 KiB")


@written("quire", "reaches into heap")
def a_boot_mapping_kept_one_page_too_far(d):
    d.rows("Boot mappings")[1]["Size"] = "0.25 GiB and 4 KiB"


# ---- Several at once ----------------------------------------------------------------------------------------------

@written("quire")
def as_little_of_everything_as_there_may_be(d):
    hole(d, "user", "cut", 0x1010000, 0xE0000000)
    at(d, "user", 0x10000, 0x1010000)
    choose(d, "start address", "0x00400000")
    hole(d, "slots", "few", 0xFF01C000, 0xFF400000)
    at(d, "slots", 0xFF000000, 0xFF01C000)
    cell(d, "stacks", "Growth", "4 KiB each, at most 64 KiB")
    cell(d, "heap", "Growth", "by 4 KiB, at most 1 MiB")
    cell(d, "devices", "Growth", "by 4 KiB, at most 1 MiB")
    choose(d, "magazine", "0")


@written("quire")
def the_bitmap_in_the_last_frames_that_show(d):
    """A machine of 64 MiB has no RAM there, and says so."""
    memory = physical(d, "memory")
    physical(d, "image").place(end=0x400000)
    d.insert(memory, memory.like("bits", 0x0FFE0000, 0x10000000, Use="bitmap"))
    d.insert(physical(d, "bits"), memory.like("beyond", 0x10000000, END))
    memory.place(0x400000, 0x0FFE0000)
    choose(d, "bitmap place", "fixed")


@written("tracker")
def objects_below_programs(d):
    objects, user = d.named("objects"), d.named("user")
    d.remove(objects)
    objects.place(0x08000000, 0x10000000)
    d.insert(user, objects, after=False)
    user.place(0x10000000, 0xFFC00000)


@written("tracker")
def few_objects_and_a_space_of_sixteen_megabytes(d):
    at(d, "user", 0x08000000, 0x09000000)
    d.insert(d.named("user"), d.named("top").as_hole("cut", 0x09000000, 0x80000000))
    at(d, "objects", 0x80000000, 0x80000000 + 12 * PAGE)
    d.insert(d.named("objects"), d.named("top").as_hole("no-objects", 0x80000000 + 12 * PAGE, 0xFFC00000))
    for policy, choice in (("start address", "0x08000000"), ("magazine", "64"), ("search", "fullest"),
                           ("zeroing", "all")):
        choose(d, policy, choice)


@written("firmware")
def applications_with_a_heap_of_two_gigabytes(d):
    rows = {row["Name"]: row for row in d.rows("Applications")}
    rows["heap"]["Size"], rows["heap"]["At first"], rows["guard"]["Size"] = "2 GiB", "1 GiB", "1 GiB"


@written("firmware", "an application takes")
def applications_with_a_guard_of_four_gigabytes(d):
    """The heap's row was named."""
    next(row for row in d.rows("Applications") if row["Name"] == "guard")["Size"] = "4 GiB"


# ---- Numbers ------------------------------------------------------------------------------------------------------

@written("quire")
def sizes_in_all_words(d):
    for name, size in (("low", "1048576 B"), ("heap", "0.125 GiB"), ("records", "8192 KiB"), ("slots", "4194304 B"),
                       ("stacks", "0.0625 GiB less 16 MiB"), ("top", "1 GiB less 1012 MiB"),
                       ("user", "4294967296 B less 512 MiB less 64 KiB")):
        cell(d, name, "Size", size)
    cell(d, "stacks", "Growth", "0.0078125 MiB each")
    cell(d, "stacks", "Guard", "4096 B below each")
    choose(d, "magazine", "0064")


@written("quire", "magazine is `4294967296`")
def a_magazine_of_four_gigabytes(d):
    choose(d, "magazine", "4294967296")


@written("quire", "heap has a maximum of 4 GiB, more than its whole range")
def a_heap_with_a_maximum_of_all(d):
    cell(d, "heap", "Growth", "by 4 KiB, at most 4 GiB")


@written("quire", "start address is 0xDFC00001")
def a_start_address_one_byte_too_high(d):
    choose(d, "start address", "0xDFC00001")


@written("quire")
def the_highest_start_address(d):
    choose(d, "start address", "0xDFC00000")


# ---- Tables and columns ---------------------------------------------------------------------------------------------

def without(d, heading, title):
    for table in d.tables(heading):
        table.titles = [other for other in table.titles if other != title]
        for row in table.rows:
            row.titles = table.titles


def twice(d, table):
    place = next(n for n, part in enumerate(d.parts) if part is table)
    d.parts[place + 1:place + 1] = ["", table]


@written("quire", "the name heap a second time")
def regions_twice(d):
    twice(d, d.tables("Virtual memory")[2])


@written("quire", "policy `search` a second time")
def policies_twice(d):
    twice(d, d.tables("Policies")[0])


@written("quire")
def no_columns_of_claims(d):
    for heading in ("Physical memory", "Virtual memory", "Policies"):
        without(d, heading, "Claims")


@written("quire", "stacks has no guard")
def no_column_of_guards(d):
    without(d, "Virtual memory", "Guard")


@written("quire", "no column `Kept`")
def no_word_about_what_is_kept(d):
    without(d, "Boot mappings", "Kept")
