#!/usr/bin/python3
"""words.py - each word and column of layout documents: the code that obeys it, and the tests that show it.

    tests/documents/words.py [--write]      the table, or docs/layouts.md with the table made anew

The vocabulary is read from the compiler (tools/layout/words.c, cells.c, read.c), so a word without a row is found, and
a row without a word. The file of a function that obeys a word is looked up by name.
"""
import glob
import os
import re
import sys

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BOOK = os.path.join(TREE, "docs", "layouts.md")
BEGIN, END = "<!-- words: made by tests/documents/words.py -->", "<!-- end of words -->"

# Words with commas between them; the functions that obey them: of the kernel or, where it only says yes or no, of
# the compiler; the tests that show another value obeyed or refused.
ROWS = [
    # headings
    ("Physical memory", "own_rows", "test_the_bitmap_lies_and_reads_as_the_document_says"),
    ("Kernel structures", "own_structure", "test_a_changed_document_is_noticed_by_its_claim"),
    ("Virtual memory", "enter_standing_regions", "test_a_copied_document_with_other_addresses_boots"),
    ("Kernel space", "layout_kernel_region_of", "kernel_space_with_a_gap"),
    ("Applications", "application_place", "test_a_changed_document_is_noticed_by_its_claim"),
    ("Policies", "take_policy", "unknown_policy"),
    ("Boot mappings", "emit_boot_tables", "image_not_mapped"),
    # columns
    ("Start, End, Size", "check_cover", "size_contradicts, test_a_copied_document_with_other_addresses_boots"),
    ("Name", "check_purpose", "backing_of_name, name_of_backing"),
    ("Use", "own_rows", "unknown_use, test_the_bitmap_lies_and_reads_as_the_document_says"),
    ("Kernel", "map_small, protect_image", "test_rights_of_a_region_are_those_of_its_entries"),
    ("User", "check_kernel_rights, upper_bits", "user_without_writing, user_rights_for_kernel"),
    ("Scope", "start_own_part", "scope_of_nothing, user_of_all"),
    ("Backing", "space_start", "unknown_backing"),
    ("Growth", "kernel_heap_is_over, is_over, stacks_start",
     "test_the_heap_has_at_most_what_the_document_says, growth_by_more_than_a_page, "
     "test_stacks_are_as_long_as_many_and_as_far_apart_as_the_document_says"),
    ("Guard", "stack_span", "guard_missing, test_stacks_are_as_long_as_many_and_as_far_apart_as_the_document_says"),
    ("Policy, Choice", "take_policy", "unknown_choice, policy_twice"),
    ("Virtual, Physical, Kept", "emit_boot_tables, remove_boot_map, trim_boot_map",
     "offset_of_boot_map, image_partly_mapped"),
    ("At first", "check_part", "application_without_stack"),
    ("Claims, Id", "check_citations", "claim_unknown"),
    ("Shown by", "read_witness", "claim_shown_by_no_test"),
    ("Claim, Why, What lives there", "print_physical", "picture_shows_every_row"),
    # where regions' pages come from, and which regions the kernel knows
    ("none", "trim_boot_map", "hole_with_rights, low_frames_not_shown"),
    ("physical", "map_fixed", "image_shown_twice, direct_at_another_distance"),
    ("image", "protect_image", "write_and_execute, section_of_name"),
    ("demand", "kernel_map", "demand_that_nobody_uses"),
    ("device, devices", "kernel_map_device",
     "slots_where_memory_should_show, test_a_changed_document_is_noticed_by_its_claim"),
    ("tables", "self_entry", "tables_without_self_map"),
    ("slots", "frame_view_in_slot", "slots_too_few, slots_of_two_tables, slots_with_a_direct_map"),
    ("window, bookkeeping", "make_tables", "bookkeeping_not_an_entry, window_without_bookkeeping"),
    ("alias of", "aliased_by", "alias_of_the_heap, alias_unknown"),
    ("objects, trackers, tracked", "lists_places, tracker_find",
     "objects_too_short, trackers_too_short, test_a_changed_document_is_noticed_by_its_claim"),
    ("program, user", "space_create", "user_from_zero, test_a_copied_document_with_other_addresses_boots"),
    ("boot, text, rodata, data, original, stack, shared", "emit_limit, protect_image",
     "test_an_image_that_outgrows_its_region_is_not_linked, original_writable, first_stack_too_small"),
    ("direct", "map_fixed", "test_a_copied_document_with_other_addresses_boots, hole_where_memory_should_show"),
    ("heap", "heap_start", "heap_too_small, test_a_changed_document_is_noticed_by_its_claim"),
    ("records", "show_in_window", "records_too_small"),
    ("stacks", "stacks_start", "stacks_too_few"),
    ("all, process", "start_own_part", "user_of_all"),
    ("kernel", "place_in_rows, root_entry_is_own", "kernel_row_not_shown, kernel_space_for_all"),
    ("-", "check_scope", "scope_of_nothing"),
    # how borders, sizes, rights, growth and guards are written
    ("end of", "page_text, emit_limit",
     "floating_must_meet, floats_only_in_image, test_an_image_that_outgrows_its_region_is_not_linked"),
    ("floats", "read_place_size", "floating_size_wanted, fixed_size_wanted, user_floats"),
    ("B, KiB, MiB, GiB, less, and", "read_size", "sizes, size_nonsense, size_contradicts"),
    ("---, r--, -w-, rw-, --x, r-x, -wx, rwx", "rights_constant",
     "unknown_rights, write_and_execute, test_rights_of_a_region_are_those_of_its_entries"),
    ("same", "check_rights", "alias_rights, user_same_alone"),
    ("by, each", "check_growth, stack_span",
     "growth_by_more_than_a_page, growth_of_what_does_not_grow, "
     "test_stacks_are_as_long_as_many_and_as_far_apart_as_the_document_says"),
    ("at most", "kernel_heap_is_over, is_over, stacks_start",
     "at_most_nothing, growth_beyond_the_range, test_the_heap_has_at_most_what_the_document_says"),
    ("below each", "stack_span",
     "guard_of_no_bytes, test_stacks_are_as_long_as_many_and_as_far_apart_as_the_document_says"),
    # uses of physical memory, structures, parts of applications
    ("hardware, pool", "own_rows", "no_pool, test_the_bitmap_lies_and_reads_as_the_document_says"),
    ("bitmap", "find_no_ram", "bitmap_in_video_memory, bitmap_too_small"),
    ("master", "master_prepare", "master_too_short, master_not_shown"),
    ("tss, gdt, idt", "own_structure",
     "tss_too_small, structures_overlap, test_a_changed_document_is_noticed_by_its_claim"),
    ("guard", "application_place", "application_without_guard"),
    # policies
    ("bitmap polarity, one is used, one is free", "pool_open", "test_the_bitmap_lies_and_reads_as_the_document_says"),
    ("bitmap place, fixed, first fit, after the image", "places_measure",
     "bitmap_place_without_row, test_the_bitmap_lies_and_reads_as_the_document_says"),
    ("unlisted memory, used, marked", "open_bits", "unlisted_memory_free, holes_are_marked_as_what_is_unusable"),
    ("search, first-fit, next-fit, fullest", "pool_take",
     "first_fit_is_the_lowest_frame, next_fit_goes_on_and_wraps, fullest_opens_a_whole_area_last"),
    ("zeroing", "frames_open", "zeroed_frames_hold_zeros"),
    ("exhaustion, error, panic", "get_next_page", "k10_nobody_but_the_kernel_stops"),
    ("magazine", "frames_open", "magazine_without_room, test_a_magazine_holds_no_more_than_the_document_says"),
    ("table access", "check_access_needs", "self_map_without_tables, slots_with_a_direct_map"),
    ("identity", "check_identity", "identity_that_does_not_show_all, identity_of_a_high_kernel"),
    ("self-map", "in_self_map", "self_map_without_tables"),
    ("start address", "flat_start", "start_outside_user, test_a_changed_document_is_noticed_by_its_claim"),
    ("yes, removed once paging is on", "remove_boot_maps", "image_not_mapped"),
    # the ways to show claims
    ("build, host, system, later", "read_witness", "claim_nowhere, claim_shown_by_two_words"),
]


def read(pattern):
    paths = sorted(glob.glob(os.path.join(TREE, pattern), recursive=True))
    assert paths, pattern
    return {os.path.relpath(path, TREE): open(path).read() for path in paths}


def vocabulary():
    """All words and columns that the compiler reads, headings included."""
    words = set()
    for text in read("tools/layout/words.c").values():
        words |= set(re.findall(r'(?:WORD\(|\{ )"([^"]+)"', text))
    for text in read("tools/layout/cells.c").values():
        words |= set(re.findall(r'\{ "([A-Z][^"]*)", (?:true|false)', text))
        # What stands beside words, numbers and names in a cell: `by SIZE`, `none: REASON`.
        words |= {found.strip(" ,:") for found in re.findall(r'\b(?:after|is_word|place_of)\([^"()]*"([^"]+)"', text)}
    for text in read("tools/layout/quantity.c").values():
        words |= set(re.findall(r'\{ "([A-Za-z]+)", \d+ \}', text)) | set(re.findall(r'"([r-][w-][x-])"', text))
        words |= {found.strip() for found in re.findall(r'strncasecmp\([^"]*"([^"]+)"', text)}
    for text in read("tools/layout/read.c").values():
        words |= set(re.findall(r'\{ "([A-Z][^"]*)", +(?:true|false)', text))
    return words


def split(cell):
    return [word.strip() for word in cell.split(",")]


def listed():
    return [word for row in ROWS for word in split(row[0])]


def missing():
    """What is wrong with the words of the table."""
    return [f"no row for `{word}`" for word in sorted(vocabulary() - set(listed()))] + \
           [f"`{word}` is no word of the compiler's" for word in sorted(set(listed()) - vocabulary())]


def sources():
    found = {}
    for pattern in ("kernel/**/*.c", "layouts/*/*.c", "arch/i386/*.c", "tools/layout/*.c"):
        found.update(read(pattern))
    return found


def place_of(function, texts):
    """The file that defines a function."""
    pattern = re.compile(rf"^(?:static )?(?:inline )?[a-z_][\w *]*?\b{function}\([^;{{]*\)\s*{{", re.M)
    return next((path for path, text in texts.items() if pattern.search(text)), None)


def wrong():
    """Functions and tests that the table names and no source defines."""
    texts = sources()
    tests = "\n".join(text for pattern in ("tests/host/*.c", "tests/system/*.py") for text in read(pattern).values())
    return [f"{function}() is defined nowhere" for row in ROWS for function in split(row[1])
            if place_of(function, texts) is None] + \
           [f"there is no test {test}" for row in ROWS for test in split(row[2])
            if not re.search(rf'\bdef {test}\(|\bvoid {test}\(|"{test}"', tests)]


def table():
    texts = sources()
    lines = [BEGIN, "| Words | Obeyed by | Shown by |", "| --- | --- | --- |"]
    for words, functions, tests in ROWS:
        by = ", ".join(f"`{function}()` in {place_of(function, texts)}" for function in split(functions))
        lines.append(f"| {', '.join(f'`{word}`' for word in split(words))} | {by} | {', '.join(split(tests))} |")
    return "\n".join([*lines, END])


def main():
    if sys.argv[1:] != ["--write"]:
        print("\n".join([*missing(), *wrong(), table()]))
        return 1 if missing() or wrong() else 0
    text = open(BOOK).read()
    with open(BOOK, "w") as file:
        file.write(text[:text.index(BEGIN)] + table() + text[text.index(END) + len(END):])
    return 0


if __name__ == "__main__":
    sys.exit(main())
