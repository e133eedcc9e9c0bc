"""by_hand_choices.py - documents by hand: physical memory, policies, boot mappings, applications, words."""
from document import END, NOTHING, PAGE, size_text
from hand import LINKER, at, choose, physical, written


# ---- Physical memory --------------------------------------------------------------------------------------------

@written("quire")
def a_bitmap_right_behind_the_image(d):
    """Where a loader puts its modules."""
    physical(d, "image").place(end=0x280000)
    memory = physical(d, "memory")
    d.insert(memory, memory.like("bits", 0x280000, 0x2A0000, Use="bitmap"), after=False)
    memory.place(start=0x2A0000)
    choose(d, "bitmap place", "fixed")


@written("tracker")
def the_kernels_row_from_zero(d):
    """What lay in page 0, where the kernel sees memory at its own address, had a null pointer."""
    physical(d, "firmware")["Use"] = "kernel"


@written("tracker", "a pointer to it would be null")
def a_bitmap_at_zero(d):
    low = physical(d, "firmware")
    d.insert(low, low.like("bits", 0, 0x20000, Use="bitmap"), after=False)
    low.place(start=0x20000)
    choose(d, "bitmap place", "fixed")


@written("quire")
def all_of_the_pool_in_one_megabyte(d):
    memory = physical(d, "memory")
    d.insert(memory, memory.like("rest", 0x500000, END, Use="hardware"))
    memory.place(end=0x500000)


@written("quire")
def a_pool_above_one_gigabyte(d):
    memory = physical(d, "memory")
    d.insert(memory, memory.like("held", 0x400000, 0x40000000, Use="hardware"), after=False)
    memory.place(start=0x40000000)
    physical(d, "low")["Use"] = "hardware"
    physical(d, "image").place(end=0x400000)


@written("quire", "no row of physical memory has the use `pool`")
def nothing_to_hand_out(d):
    physical(d, "low")["Use"] = physical(d, "memory")["Use"] = "hardware"


@written("quire")
def structures_where_the_loader_left_words(d):
    """The multiboot structures of QEMU lie at 0x9000."""
    low = physical(d, "low")
    d.insert(low, low.like("processors", 0x8000, 0xC000, Use="kernel"))
    d.insert(physical(d, "processors"), low.like("more", 0xC000, 0xA0000))
    low.place(end=0x8000)
    d.add_table("Kernel structures", ["Start", "End", "Size", "Name", "What lives there"],
                [["0x00009000", "0x000097FF", "2 KiB", "idt", "gates"],
                 ["0x00009800", "0x000098FF", "256 B", "gdt", "segments"]], "Virtual memory")


@written("quire")
def a_bitmap_where_the_loader_left_words(d):
    low = physical(d, "low")
    d.insert(low, low.like("bits", 0x8000, 0x28000, Use="bitmap"))
    d.insert(physical(d, "bits"), low.like("more", 0x28000, 0xA0000))
    low.place(end=0x8000)
    choose(d, "bitmap place", "fixed")


# ---- Policies ---------------------------------------------------------------------------------------------------

@written("quire", "no policy `unlisted memory`")
def no_word_about_unlisted_memory(d):
    d.remove(d.policy("unlisted memory"))


@written("quire", "unlisted memory is")
def unlisted_memory_is_free(d):
    choose(d, "unlisted memory", "free")


@written("quire")
def every_policy_another_way(d):
    for policy, choice in (("bitmap polarity", "one is free"), ("bitmap place", "first fit"),
                           ("unlisted memory", "marked"), ("search", "next-fit"), ("zeroing", "all"),
                           ("exhaustion", "panic"), ("magazine", "1")):
        choose(d, policy, choice)


@written("movos")
def a_direct_way_to_tables_where_there_was_a_window(d):
    d.named("pages")["Name"] = "direct"
    row = d.named("bookkeeping")
    for title, text in NOTHING.items():
        row[title] = text
    row["Name"] = "gone"
    choose(d, "table access", "direct")


@written("quire", "table access")
def a_window_without_bookkeeping(d):
    choose(d, "table access", "window")


@written("tracker")
def objects_of_two(d):
    """Two of the largest, and none more: a second process has no place while one is moved."""
    at(d, "user", 0x08000000, 0x0A000000)
    d.insert(d.named("user"), d.named("user").as_hole("cut", 0x0A000000, 0x80000000))
    at(d, "objects", 0x80000000, 0x80000000 + 2 * 9 * PAGE)
    d.insert(d.named("objects"), d.named("top").as_hole("no-objects", 0x80000000 + 2 * 9 * PAGE, 0xFFC00000))
    choose(d, "start address", "0x09000000")


# ---- Boot mappings ----------------------------------------------------------------------------------------------

@written("quire")
def a_boot_mapping_of_sixty_four_megabytes(d):
    for row in d.rows("Boot mappings"):
        row["Size"] = "64 MiB"


@written("quire", LINKER)
def a_boot_mapping_that_ends_in_the_image(d):
    d.rows("Boot mappings")[1]["Size"] = "1280 KiB"


@written("quire")
def boot_mappings_in_pieces(d):
    first, second = d.rows("Boot mappings")
    for row in (first, second):
        more = row.copy()
        row["Size"] = "2 MiB"
        more["Size"], more["Physical"] = "2 MiB", "0x00200000"
        more["Virtual"] = f"0x{int(row['Virtual'], 16) + (2 << 20):08X}"
        d.insert(row, more)


@written("quire", "no boot mapping shows the image at its physical address")
def no_ground_under_the_boot_code(d):
    d.remove(d.rows("Boot mappings")[0])


# ---- How it is written ------------------------------------------------------------------------------------------

@written("pat")
def policies_with_the_claims_first(d):
    """Nothing but the compiler reads a document: the build looked for the start address at the beginning of a line."""
    for row in d.rows("Policies"):
        row.titles = d.tables("Policies")[0].titles = ["Claims", "Policy", "Why", "Choice"]


@written("quire")
def a_start_address_in_backticks(d):
    d.policy("start address")["Policy"] = "`start address`"


@written("quire")
def nothing_to_start(d):
    d.remove(d.policy("start address"))


# ---- Applications -----------------------------------------------------------------------------------------------

@written("firmware")
def applications_with_a_larger_stack(d):
    for row in d.rows("Applications"):
        if row["Name"] == "stack":
            row["At first"] = row["Size"] = size_text(1 << 20)


@written("firmware", "an application takes")
def applications_larger_than_programs_space(d):
    d.rows("Applications")[0]["Size"] = "3968 MiB"


# ---- Words ------------------------------------------------------------------------------------------------------

@written("quire")
def words_in_capitals(d):
    for row in d.virtual():
        for title in ("Kernel", "User", "Scope", "Backing"):
            if not row["Backing"].startswith("PHYSICAL 0X"):
                row[title] = f"`{row[title].upper()}`" if "0x" not in row[title] else row[title]


@written("quire")
def a_claim_that_nobody_shows(d):
    row = d.rows("Claims")[0].copy()
    row["Id"], row["Claim"] = "Q999", "The moon is in its place"
    d.insert(d.rows("Claims")[-1], row)


@written("quire", "which the table of claims does not have")
def no_claims(d):
    for row in d.rows("Claims")[1:]:
        d.remove(row)
