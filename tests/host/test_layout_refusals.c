/*
 * test_layout_refusals.c - the refusals of the layout compiler, and their messages.
 *
 * Each test takes a document that ships, changes one thing as a writer might by mistake,
 * and names the complaint that must come, and where. A mistake makes one complaint: one
 * that made three would send its writer in three directions.
 */
#include "layout_text.h"

struct refusal {
    const char *test, *document, *from, *to;
    const char *at;                 /* text in the line the complaint names; NULL: it names none */
    const char *complaint;          /* how it begins; see with_lines() for the braces */
};

static const struct refusal refusals[] = {
    /* ranges */
    { "overlap_names_both", HH, "0xF1000000 | 0xFEFFFFFF | 224 MiB", "0xF0F00000 | 0xFEFFFFFF | 225 MiB",
      "0xF0F00000",
      "heap starts at 0xF0F00000, but slots (line {| slots }) ends at 0xF0FFFFFF: they overlap by 1 MiB" },
    { "gap_names_both", HH, "0xF1000000 | 0xFEFFFFFF | 224 MiB", "0xF2000000 | 0xFEFFFFFF | 208 MiB",
      "0xF2000000",
      "heap starts at 0xF2000000, but slots (line {| slots }) ends at 0xF0FFFFFF: a gap of 16 MiB" },
    { "size_contradicts", HH, "224 MiB", "225 MiB", "225 MiB",
      "heap says 225 MiB, but 0xF1000000 to 0xFEFFFFFF is 224 MiB" },
    { "start_inside_page", QU, "0x00001000 | 0x0009FFFF | 636 KiB",
      "0x00001008 | 0x0009FFFF | 636 KiB less 8 B", "0x00001008",
      "low starts at 0x00001008, inside a page; expected 0x00001000 or 0x00002000" },
    { "end_inside_page", QU, "0x0009FFFF | 636 KiB", "0x0009FFFE | 636 KiB less 1 B", "0x0009FFFE",
      "low ends at 0x0009FFFE, inside a page; expected 0x0009FFFF" },
    { "end_before_start", HH, "0xFF800000 | 0xFFBFFFFF", "0xFF800000 | 0xFE7FFFFF", "0xFE7FFFFF",
      "stacks ends at 0xFE7FFFFF, before it starts at 0xFF800000" },
    { "first_row_not_zero", HH, "0x00000000 | 0x0000FFFF | 64 KiB", "0x00001000 | 0x0000FFFF | 60 KiB",
      "60 KiB", "null starts at 0x00001000; the first row of virtual memory starts at 0x00000000" },
    { "last_row_not_top", QU, "0xFFFFFFFF | 12 MiB", "0xFFFFEFFF | 12 MiB less 4 KiB", "12 MiB less",
      "top ends at 0xFFFFEFFF; the last row of virtual memory ends at 0xFFFFFFFF" },
    { "rows_out_of_order", QU, "| 0x00001000 | 0x0009FFFF | 636 KiB | low | pool | ",
      "| 0x000A0000 | 0x000FFFFF | 384 KiB | rom | hardware | | What |\n"
      "| 0x00001000 | 0x0009FFFF | 636 KiB | low | pool | ",
      "| low | pool |", "low lies below rom (line {| rom |}); expected the rows by rising address" },
    { "floating_size_wanted", HH, "| end of boot | end of text | floats |",
      "| end of boot | end of text | 64 KiB |", "| end of text | 64 KiB |",
      "text has a floating border, but its Size is 64 KiB; expected `floats`" },
    { "fixed_size_wanted", HH, "224 MiB |", "floats |", "| heap",
      "heap says its size floats, but both borders are fixed" },
    { "floating_must_meet", HH, "| end of text | end of rodata", "| end of boot | end of rodata", "| rodata ",
      "rodata starts at the end of boot, but text (line {| text |}) ends at the end of text" },
    { "floats_only_in_image", HH, "| 0xF1000000 | 0xFEFFFFFF | 224 MiB",
      "| 0xF1000000 | end of text | floats", "| heap ",
      "heap ends at the end of text; only the row backed by `image text` does" },
    { "physical_floats_only_image", QU, "0x0009FFFF | 636 KiB", "end of image | floats", "| low ",
      "low ends at the end of data; in physical memory only the row whose Use is `image` may float" },

    /* cells */
    { "address_overflows", HH, "0xFEFFFFFF", "0x1FEFFFFFF", "0x1FEFFFFFF",
      "End is `0x1FEFFFFFF`; expected an address from 0x0 to 0xFFFFFFFF or `end of SECTION`" },
    { "address_decimal", HH, "0xF1000000", "4043309056", "4043309056", "Start is `4043309056`" },
    { "size_nonsense", HH, "224 MiB", "224 MB", "224 MB",
      "Size is `224 MB`; expected a size such as `128 KiB`" },
    { "size_overflows", HH, "224 MiB", "99999999999999999999 GiB", "99999999999999999999", "Size is" },
    { "unknown_section", HH, "end of boot | floats", "end of bott | floats", "end of bott",
      "the section after `end of` is `bott`; expected boot, text, rodata, data, original, stack or shared" },
    { "unknown_backing", HH, "| demand | by 4 KiB | - | A11 A14", "| demnad | by 4 KiB | - | A11 A14",
      "demnad", "Backing is `demnad`; expected none, physical, image" },
    { "unknown_scope", HH, "| process | program", "| processes | program", "processes",
      "Scope is `processes`; expected all, process, kernel or -" },
    { "records_of_a_process", HH, "records | rw- | --- | all", "records | rw- | --- | process", "| records |",
      "records has the scope `process`; expected that of user, stacks and tables alone" },
    { "unknown_use", HH, "| hardware | hardware |", "| hardware | hardwear |", "hardwear",
      "Use is `hardwear`; expected kernel, hardware, boot, image, bitmap, master or pool" },
    { "unknown_rights", HH, "| text | r-x", "| text | rx ", "| rx ",
      "Kernel is `rx`; expected rights such as" },
    { "unknown_growth", QU, "8 KiB each", "8 KiB apiece", "apiece", "Growth is `8 KiB apiece`; expected" },
    { "unknown_guard", QU, "4 KiB below each", "4 KiB", "8 KiB each",
      "Guard is `4 KiB`; expected `SIZE below each`, `none: REASON` or `-`" },
    { "name_malformed", HH, "| unused |", "| Unused! |", "Unused!", "Name is `Unused!`; expected" },
    { "claim_malformed", HH, "| A11 A14 |", "| A11 14A |", "14A",
      "Claims has `14A`; expected ids such as `A12`" },
    { "byte_not_ascii", HH, "| Nothing yet |", "| Nothing \xC3\xA9 |", "Nothing \xC3",
      "the byte 0xC3 in a table; expected plain ASCII" },

    /* headings, columns, rows */
    { "unknown_heading", HH, "## Virtual memory", "## Virtual memroy", "| Start | End | Size | Name | Kernel",
      "a table under the heading `Virtual memroy` (line {## Virtual memroy}); expected `Physical memory`" },
    { "unknown_column", HH, "| Policy | Choice | Claims |", "| Policy | Choice | Clams |", "Clams",
      "unknown column `Clams` under `Policies` (line {## Policies}); expected Policy, Choice, Claims, Why" },
    { "missing_column", HH,
      "| Virtual | Physical | Size | Kept |\n| ---------- | ---------- | ----- | ---- |\n"
      "| 0x00000000 | 0x00000000 | 4 MiB | removed once paging is on |\n| 0xC0000000 | 0x00000000 | 4 MiB | "
      "yes |",
      "| Virtual | Physical | Size |\n| --- | --- | --- |\n| 0x0 | 0x0 | 4 MiB |",
      "| Virtual | Physical | Size |\n",
      "no column `Kept` under `Boot mappings` (line {## Boot mappings}); expected Virtual, Physical, Size, Kept" },
    { "cell_missing", HH, "| A3 | Firmware", "| Firmware", "| Firmware",
      "6 cells, but the table's header (line {| Start | End | Size | Name | Use}) has 7" },
    { "dashes_missing", HH, "| Id | Shown by | Claim |\n| --- | -------- | ----- |\n",
      "| Id | Shown by | Claim |\n", "| Id |", "a table's header without a line of dashes below it" },
    { "fence_open", HH, "## Claims", "```\n## Claims", "```", "a fence that never closes" },
    { "title_malformed", HH, "# higher-half: ", "# Higher Half ", "# Higher", "the title is `Higher Half" },
    { "second_title", HH, "## Claims", "# more: of it\n\n## Claims", "# more",
      "a second title; the first is at line 1" },

    /* policies */
    { "unknown_policy", HH, "| zeroing ", "| zeroeing ", "zeroeing",
      "Policy is `zeroeing`; expected bitmap polarity" },
    { "unknown_choice", HH, "first-fit", "worst-fit", "worst-fit",
      "search is `worst-fit`; expected first-fit, next-fit or fullest" },
    { "policy_twice", HH, "| search | first-fit | |",
      "| exhaustion | panic | | Why |\n| search | first-fit | |", "| error ",
      "policy `exhaustion` a second time; the first is at line" },
    { "magazine_overflows", QU, "| 64 |", "| 99999999999 |", "99999999999", "magazine is `99999999999`; expected" },

    /* regions */
    { "write_and_execute", HH, "| text | r-x", "| text | rwx", "| rwx | ---",
      "text is writable and executable (kernel rwx, user ---); expected at most one of them" },
    { "name_twice", HH, "| unused |", "| null |", "| 0xC0400000",
      "the name null a second time; the first is at line {| null |}" },
    { "hole_with_rights", HH, "| unused | --- |", "| unused | rw- |", "| unused |",
      "unused is backed by `none`, but has rights (kernel rw-, user ---); expected ---" },
    { "guard_missing", QU, "4 KiB below each", "-", "| stacks ",
      "stacks has no guard; expected `4 KiB below each`, or `none: REASON` to do without" },
    { "stack_size_missing", QU, "8 KiB each | 4 KiB below each", "- | 4 KiB below each", "| stacks ",
      "stacks does not say how big a stack is" },
    { "guard_not_pages", QU, "4 KiB below each", "2 KiB below each", "| stacks ",
      "stacks has a guard of 2 KiB; expected whole pages of 4 KiB" },
    { "backing_of_name", HH, "| demand | by 4 KiB | - | A11 A14", "| none | - | - | A11 A14", "| heap |",
      "heap is backed by `none`; a region of this name expects `demand`" },
    { "name_of_a_structure", HH, "| unused | --- |", "| tss | --- |", "| tss | --- |",
      "a region with the name tss; expected another: that is a structure of the processor's" },
    { "name_of_a_physical_row", QU, "| top | --- |", "| physical-image | --- |", "| physical-image |",
      "a region with the name physical-image; expected another: so begin the names" },
    { "name_of_backing", HH, "| slots |", "| views |", "| views |",
      "views is backed by `slots`; such a region is called `slots`" },
    { "section_of_name", HH, "| image rodata |", "| image text |", "| rodata |",
      "rodata ends at the end of rodata; only the row backed by `image rodata` does" },
    { "alias_unknown", HH, "alias of low", "alias of lwo", "alias of lwo",
      "core is an alias of `lwo`; expected another region" },
    { "alias_of_a_hole", HH, "alias of low", "alias of unused", "alias of unused",
      "core is an alias of `unused` (line {| unused |}); expected another region" },
    { "alias_of_itself", HH, "alias of low", "alias of core", "alias of core", "core is an alias of `core`" },
    { "alias_rights", HH, "| core | same | same |", "| core | rw- | --- |", "| core ",
      "core is an alias; expected `same` as its rights" },
    { "kernel_below_user", HH, "| null | --- | --- | - | none ", "| null | rw- | --- | all | demand ",
      "| null |",
      "null, a region of the kernel, and user space (line {| user |}) have a directory entry (4 MiB) in common" },
    { "kernel_scope_outside_kernel_space", HH, "| heap | rw- | --- | all |", "| heap | rw- | --- | kernel |",
      "| heap |", "heap has the scope `kernel`; such regions stand under `## Kernel space`" },
    { "kernel_space_with_a_gap", PT, "| 0x90000000 | 0x92FFFFFF | 48 MiB | stacks",
      "| 0x90100000 | 0x92FFFFFF | 47 MiB | stacks", "| stacks |",
      "stacks starts at 0x90100000, but heap (line {| heap |}) ends at 0x8FFFFFFF: a gap of 1 MiB" },
    { "kernel_space_too_short", PT, "| 0xC0000000 | 0xFFBFFFFF | 1020 MiB | devices",
      "| 0xC0000000 | 0xFF7FFFFF | 1016 MiB | devices", "| devices |",
      "devices ends at 0xFF7FFFFF; the last row of kernel space ends at 0xFFBFFFFF" },
    { "kernel_space_from_elsewhere", PT,
      "| 0x00400000 | 0x7FFFFFFF | 2 GiB less 4 MiB | direct | rw- | --- | kernel | physical 0x00400000 |",
      "| 0x00800000 | 0x7FFFFFFF | 2 GiB less 8 MiB | direct | rw- | --- | kernel | physical 0x00800000 |",
      "| direct |", "direct starts at 0x00800000; the first row of kernel space starts at 0x00400000" },
    { "kernel_space_for_all", PT, "| heap | rw- | --- | kernel |", "| heap | rw- | --- | all |", "| heap |",
      "heap is a region of kernel space alone; expected the scope `kernel`" },
    { "kernel_space_for_programs", PT, "| heap | rw- | --- | kernel |", "| heap | rw- | rw- | kernel |", "| heap |",
      "heap, a region of the kernel, has user rights rw-; expected ---" },
    { "user_rights_for_kernel", HH, "| heap | rw- | --- |", "| heap | rw- | r-- |", "| heap |",
      "heap, a region of the kernel, has user rights r--; expected ---" },
    { "records_too_small", HH, "0xFF000000 | 0xFF7FFFFF | 8 MiB | records",
      "0xFF000000 | 0xFF3FFFFF | 4 MiB | spare | --- | --- | - | none | - | - | | Spare |\n"
      "| 0xFF400000 | 0xFF7FFFFF | 4 MiB | records",
      "| records ", "records has 4 MiB; expected at least 8 MiB, 8 bytes for each frame of 4 GiB" },

    /* the machine */
    { "offset_of_boot_map", HH, "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xC0000000 | 0x00001000 | 4 MiB | yes |", "| yes |",
      "this boot mapping lies 0xBFFFF000 above physical memory, but low (line {| low |}) lies 0xC0000000 "
      "above it" },
    { "boot_map_of_another_image", FW, "| 0x00210000 | end of image |",
      "| 0x00210000 | 0x0021FFFF | 64 KiB | gap | pool | | What |\n| 0x00220000 | end of image |", "| 1.5 MiB | yes |",
      "this boot mapping lies 0x00210000 below physical memory, but text (line 65) lies 0x00220000 below it: that is "
      "where the image is loaded (line {| image | image |})" },
    { "image_shown_twice", HH, "| core | same | same | all | alias of low ",
      "| core | rw- | --- | all | physical 0x00000000 ", "| core |",
      "core shows physical memory from 0x00000000 on, and so the image (line {| image |}) a second time" },
    { "bitmap_too_small", HH,
      "0x0005FFFF | 384 KiB | structures | kernel | A2 | The processor's tables, and room "
      "for more like them |\n| 0x00060000 | 0x0007FFFF | 128 KiB",
      "0x0006FFFF | 448 KiB | structures | kernel | A2 | More |\n"
      "| 0x00070000 | 0x0007FFFF | 64 KiB",
      "| bitmap |", "bitmap has 64 KiB; expected 128 KiB, one bit for each frame of 4 GiB" },
    { "bitmap_without_place", HH, "| bitmap place | fixed |", "| bitmap place | first fit |",
      "| bitmap place |",
      "the bitmap's place is not `fixed`, but bitmap (line {| bitmap |}) is kept for it" },
    { "bitmap_place_without_row", QU, "| after the image |", "| fixed |", "| fixed |",
      "the bitmap's place is `fixed`, but no row of physical memory has the use `bitmap`" },
    { "tss_too_small", HH, "0x00002071 | 114 B", "0x00002047 | 72 B", "| tss ",
      "tss has 72 B; expected at least 104 B" },
    { "tss_outside", HH, "0x00002000 | 0x00002071 | 114 B", "0x00300000 | 0x00300071 | 114 B", "| tss ",
      "tss lies in no row of physical memory with the use `kernel`" },
    { "structure_at_another_distance", FW, "## Virtual memory",
      "## Kernel structures\n\n| Start | End | Size | Name | What lives there |\n| --- | --- | --- | --- | --- |\n"
      "| 0x00100880 | 0x0010091F | 160 B | gdt | Descriptors |\n\n## Virtual memory", "| gdt ",
      "no writable region backed by `physical` shows gdt at 0xFFEF0880, its address at the image's distance; the "
      "kernel could not reach it" },
    { "structure_before_the_boot_mapping", HH, "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xC0002000 | 0x00002000 | 4088 KiB | yes |", "| idt ",
      "no boot mapping shows idt at 0xC0001000, its address at the image's distance; the kernel could not reach it" },
    { "structures_overlap", HH, "0x00003000 | 0x000033FF | 1 KiB", "0x00002000 | 0x000023FF | 1 KiB",
      "| gdt ", "gdt overlaps tss (line {| tss })" },
    { "boot_maps_overlap", HH, "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xC0000000 | 0x00000000 | 4 MiB | yes |\n| 0xC0300000 | 0x00300000 | 1 MiB | yes |",
      "| 0xC0300000 | 0x00300000", "this boot mapping overlaps the one at line {| 0xC0000000 | 0x00000000}" },
    { "image_not_at_home", HH, "| 0x00000000 | 0x00000000 | 4 MiB | removed",
      "| 0x00000000 | 0x00000000 | 1 MiB | removed", "| image |",
      "no boot mapping shows the image at its physical address 0x00100000" },
    { "image_not_mapped", HH, "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xC0000000 | 0x00000000 | 1 MiB | yes |", "| image |",
      "no boot mapping that is kept shows the image at 0xC0100000" },
    { "image_partly_mapped", HH, "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xC0000000 | 0x00000000 | 2 MiB | yes |", "| 2 MiB |",
      "this boot mapping ends at physical 0x001FFFFF, inside the image (line {| image |})" },
    { "kept_map_in_hole", HH, "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xC0000000 | 0x00000000 | 8 MiB | yes |", "| 8 MiB | yes |",
      "a boot mapping that is kept reaches into unused (line {| unused |}), which is backed by `none`" },
    { "slots_shared", QU, "| 0xE0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xE0000000 | 0x00000000 | 4 MiB | yes |\n| 0xFF000000 | 0x00000000 | 4 KiB | removed once paging is "
      "on |",
      "| 0xFF000000 | 0x00000000",
      "this boot mapping and slots (line {| slots }) share a directory entry (4 MiB)" },
    { "self_map_without_tables", QU, "| table access | direct |", "| table access | self-map |",
      "| self-map |", "table access is `self-map`, but there is no region `tables`" },
    { "tables_without_self_map", HH, "| self-map |", "| tracked |", "| tracked |",
      "table access is `tracked`, but there is a region tables (line {| tables }); expected `self-map`" },
    { "start_outside_user", MO, "| 0x40000000 |", "| 0x00400000 |", "| start address",
      "start address is 0x00400000; expected a "
      "multiple of 4 MiB inside user (line {| user })" },
    { "start_is_no_address", MO, "| 0x40000000 |", "| 1 GiB |", "| start address",
      "start address is `1 GiB`; expected an address such as 0x40000000" },
    { "window_without_bookkeeping", QU, "| table access | direct |", "| table access | window |",
      "| window |", "table access is `window`, but there is no region `bookkeeping`" },
    { "bookkeeping_without_window", MO, "| table access | window |", "| table access | identity |", "| identity |",
      "table access is `identity`, but there is a region bookkeeping (line {| bookkeeping }); expected `window`" },
    { "bookkeeping_not_an_entry", MO, "| 0x00400000 | 0x007FFFFF | 4 MiB | bookkeeping ",
      "| 0x00400000 | 0x005FFFFF | 2 MiB | spare | --- | --- | - | none | - | - | | Spare |\n"
      "| 0x00600000 | 0x007FFFFF | 2 MiB | bookkeeping ", "| bookkeeping ",
      "bookkeeping is one directory entry with a page for each structure and table; expected 4 MiB at a multiple" },
    { "bookkeeping_by_another_name", MO, "| bookkeeping ", "| notes ", "| notes ",
      "notes is backed by `window`; such a region is called `bookkeeping`" },
    { "hole_sticks_out_of_kept_map", MO, "| 0x00000000 | 0x00000000 | 4 MiB | yes |",
      "| 0x00001000 | 0x00001000 | 4 MiB less 4 KiB | yes |\n| 0xFFFF0000 | 0x00000000 | 4 KiB | yes |",
      "| 0xFFFF0000 | 0x00000000",
      "a boot mapping that is kept reaches into top (line {| top |}), which is backed by `none`" },

    /* packed regions, and what runs before paging in a row of its own */
    { "boot_nowhere", FW, "| boot | boot |", "| boot | pool |", NULL,
      "no region `boot` in virtual memory, and no row of physical memory with the use `boot`; expected one of them" },
    { "boot_twice_over", QU, "| low | pool |", "| low | boot |", "| boot | rw- |",
      "boot is a region, but low (line {| low | boot }) keeps what runs before paging out of the image" },
    { "boot_not_all_mapped", FW, "| 0x00200000 | 0x00200000 | 64 KiB |", "| 0x00200000 | 0x00200000 | 32 KiB |",
      "| 32 KiB |", "this boot mapping ends at physical 0x00207FFF, inside boot (line {| boot | boot })" },
    { "original_writable", FW, "| original | r-- |", "| original | rw- |", "| original | rw- |",
      "original has the rights rw- for the kernel and --- for programs; what every process gets a copy of is only "
      "ever read" },
    { "first_stack_too_small", FW, "| 10 KiB each |", "| 4 KiB each |", "| 4 KiB each | - | G11",
      "stack has a growth of 4 KiB; expected its size, such as `10 KiB each`: at least 8192 bytes" },
    { "first_stack_with_guard", FW, "| 10 KiB each | - |", "| 10 KiB each | 4 KiB below each |", "| 10 KiB each |",
      "stack has a guard of 4 KiB; what guards it is `original`, right below" },
    { "application_without_guard", FW, "| guard | 0 B | 4 KiB |", "| guard | 0 B | 0 B |", "| guard |",
      "guard has 0 B at first, 0 B in all; expected at least a page that is never mapped" },
    { "application_without_stack", FW, "| stack | 4 KiB | 64 KiB |", "| stack | 0 B | 64 KiB |", "| stack | 0 B",
      "stack has nothing at first; an application could not even begin" },
    { "application_with_more_than_all", FW, "| stack | 4 KiB | 64 KiB |", "| stack | 128 KiB | 64 KiB |",
      "| stack | 128 KiB", "stack has 128 KiB at first, more than all of its 64 KiB" },
    { "application_guard_readable", FW, "| guard | 0 B | 4 KiB | --- |", "| guard | 0 B | 4 KiB | r-- |", "| guard |",
      "guard has the rights r--; expected ---" },
    { "application_part_of_a_page", FW, "| heap | 0 B | 6 MiB |", "| heap | 0 B | 6 MiB and 1 KiB |", "| heap | 0 B",
      "heap has 0 B at first, 6 MiB and 1 KiB in all; expected whole pages" },
    { "application_out_of_order", FW, "| guard | 0 B | 4 KiB |", "| stack | 0 B | 4 KiB |", "| stack | 0 B",
      "stack is row 2 of an application; expected heap, guard, stack, shared in this order" },
    { "application_shared_with_a_size", FW, "| shared | floats | floats |", "| shared | 4 KiB | 4 KiB |",
      "| shared | 4 KiB", "shared has a size of its own; it floats, as long as the linker makes it" },

    /* tracked page tables */
    { "master_too_short", TR, "| 0x00100000 | 0x00500FFF | 4 MiB and 4 KiB | master | master ",
      "| 0x00100000 | 0x004FFFFF | 4 MiB | master | master | | What |\n"
      "| 0x00500000 | 0x00500FFF | 4 KiB | rest | kernel ", "| 4 MiB | master | master",
      "master has 4 MiB; expected 4 MiB and 4 KiB, a directory and 1024 tables" },
    { "master_missing", TR, "| master | master | T5 T6 |", "| master | kernel | T5 T6 |", "| tracked |",
      "table access is `tracked`, but there is no row of physical memory with the use `master`" },
    { "master_twice", TR, "| structures | kernel |", "| structures | master |", "| structures | master |",
      "structures is a second physical row for `master`; the first is master (line {| master | master })" },
    { "master_not_shown", TR, "| master | rw- | --- | all | physical 0x00100000 |",
      "| master | r-- | --- | all | physical 0x00100000 |", "| master | master |",
      "no writable region backed by `physical` shows master at its own address" },
    { "master_not_mapped_at_boot", TR, "| 0x00000000 | 0x00000000 | 8 MiB | yes |",
      "| 0x00000000 | 0x00000000 | 4 MiB | yes |\n| 0x00580000 | 0x00580000 | 2 MiB and 512 KiB | yes |",
      "| master | master |", "no boot mapping that is kept shows master at its own address" },
    { "trackers_missing", TR, "| trackers | rw- ", "| reckoners | rw- ", "| tracked |",
      "table access is `tracked`, but there is no region `trackers`" },
    { "trackers_too_short", TR,
      "| 0x07C00000 | 0x07FFFFFF | 4 MiB | trackers | rw- | --- | all | demand | by 4 KiB | - | T9 T16 |",
      "| 0x07C00000 | 0x07CFFFFF | 1 MiB | trackers | rw- | --- | all | demand | by 4 KiB | - | T9 T16 | Pages |\n"
      "| 0x07D00000 | 0x07FFFFFF | 3 MiB | rest | --- | --- | - | none | - | - | |", "| 1 MiB | trackers |",
      "trackers has 1 MiB; expected at least 3 MiB for the objects that fit in 2 GiB less 4 MiB (line {| objects | "
      "rw- })" },
    { "stacks_of_each_process_where_tables_are_tracked", TR, "| stacks | rw- | --- | all |",
      "| stacks | rw- | --- | process |", "| stacks |",
      "stacks has the scope `process`, but table access is `tracked` (line {| table access |})" },
    { "objects_by_another_name", TR, "| objects | rw- ", "| tables-of-all | rw- ", "| tables-of-all ",
      "tables-of-all is backed by `objects`; such a region is called `objects`" },
    { "objects_too_short", TR, "| 0x80000000 | 0xFFBFFFFF | 2 GiB less 4 MiB | objects | rw- | --- | all | objects | "
      "by 4 KiB | - | T2 T11 T12 |",
      "| 0x80000000 | 0x800FFFFF | 1 MiB | objects | rw- | --- | all | objects | by 4 KiB | - | T2 T11 T12 | Tables |\n"
      "| 0x80100000 | 0xFFBFFFFF | 2043 MiB | rest | --- | --- | - | none | - | - | |", "| 1 MiB | objects |",
      "objects has 1 MiB; expected at least 4 MiB less 248 KiB, two of the largest object that user (line {| user "
      "| rw- }) can need" },
    { "user_inside_a_directory_entry", TR, "| 0x08000000 | 0x7FFFFFFF | 1920 MiB | user ",
      "| 0x08000000 | 0x080FFFFF | 1 MiB | null | --- | --- | - | none | - | - | | |\n"
      "| 0x08100000 | 0x7FFFFFFF | 1919 MiB | user ", "| 1919 MiB | user ",
      "user starts at 0x08100000; expected a multiple of 4 MiB, because table access is `tracked`" },
    { "master_without_tracked", TR, "| table access | tracked |", "| table access | direct |",
      "| table access | direct |", "table access is `direct`, but there is a row of physical memory with the use "
      "`master` (line {| master | master })" },
    { "trackers_without_tracked", HH, "| 0xC0400000 | 0xEFFFFFFF | 764 MiB | unused | --- | --- | - | none |",
      "| 0xC0400000 | 0xEFFFFFFF | 764 MiB | trackers | rw- | --- | all | demand |", "| self-map |",
      "table access is `self-map`, but there is a region trackers (line {| trackers |}); expected `tracked`" },

    /* what the kernel needs */
    { "low_frames_not_shown", QU, "| 0xE0000000 | 0xE00FFFFF | 1 MiB | low | rw- | --- | all | physical 0x00000000 |",
      "| 0xE0000000 | 0xE00FFFFF | 1 MiB | low | --- | --- | - | none |", "| low | --- |",
      "low (---, backed by `none`) lies where the kernel looks for physical memory from 0x00001000 on, and that is "
      "low (line {| low | pool })" },
    { "low_frames_not_writable", QU, "| low | rw- |", "| low | r-- |", "| low | r-- |",
      "low (r--, backed by `physical`) lies where the kernel looks for physical memory from 0x00001000 on" },
    { "slots_where_memory_should_show", PT,
      "| 0x00400000 | 0x7FFFFFFF | 2 GiB less 4 MiB | direct | rw- | --- | kernel | physical 0x00400000 |",
      "| 0x00400000 | 0x007FFFFF | 4 MiB | rest | rw- | --- | kernel | device | - | - | | More |\n"
      "| 0x00800000 | 0x7FFFFFFF | 2 GiB less 8 MiB | direct | rw- | --- | kernel | physical 0x00800000 |", "| rest |",
      "rest is backed by `device`; such a region is called `devices`" },
    { "hole_where_memory_should_show", PT,
      "| 0x00400000 | 0x7FFFFFFF | 2 GiB less 4 MiB | direct | rw- | --- | kernel | physical 0x00400000 |",
      "| 0x00400000 | 0x007FFFFF | 4 MiB | rest | --- | --- | - | none | - | - | | More |\n"
      "| 0x00800000 | 0x7FFFFFFF | 2 GiB less 8 MiB | direct | rw- | --- | kernel | physical 0x00800000 |", "| rest |",
      "rest (---, backed by `none`) lies where the kernel looks for physical memory from 0x00400000 on, and that is "
      "memory" },
    { "direct_at_another_distance", PT, "| direct | rw- | --- | kernel | physical 0x00400000 |",
      "| direct | rw- | --- | kernel | physical 0x00000000 |", "| direct |",
      "direct shows physical memory from 0x00000000 on, and so the image (line {| image |}) a second time" },
    { "user_without_writing", QU, "| user | rw- | rwx |", "| user | rw- | r-x |", "| user |",
      "user has the rights rw- for the kernel and r-x for programs; expected rw- and rwx" },
    { "slots_too_few", QU,
      "| 0xFF000000 | 0xFF3FFFFF | 4 MiB | slots | rw- | --- | all | slots | 4 KiB each | - | Q7 | Short views of "
      "frames beyond the direct window |\n| 0xFF400000 | 0xFFFFFFFF | 12 MiB |",
      "| 0xFF000000 | 0xFF000FFF | 4 KiB | slots | rw- | --- | all | slots | 4 KiB each | - | Q7 | Short views |\n"
      "| 0xFF001000 | 0xFFFFFFFF | 16 MiB less 4 KiB |", "| slots |",
      "slots has 4 KiB; expected at least 112 KiB, 7 pages for each of 4 processors" },
    { "slots_of_two_tables", QU,
      "0xFEFFFFFF | 48 MiB | stacks | rw- | --- | all | demand | 8 KiB each | 4 KiB below each | Q8 | Kernel stacks |\n"
      "| 0xFF000000 | 0xFF3FFFFF | 4 MiB | slots",
      "0xFEFFEFFF | 48 MiB less 4 KiB | stacks | rw- | --- | all | demand | 8 KiB each | 4 KiB below each | Q8 | "
      "Kernel stacks |\n"
      "| 0xFEFFF000 | 0xFF3FFFFF | 4 MiB and 4 KiB | slots", "| slots |",
      "slots lies across a multiple of 4 MiB" },
    { "heap_too_small", QU, "| by 4 KiB | - | Q7 | What the kernel",
      "| by 4 KiB, at most 64 KiB | - | Q7 | What the kernel", "| heap |",
      "heap has at most 64 KiB; expected at least 1 MiB, or no program could start" },
    { "growth_by_more_than_a_page", QU, "| by 4 KiB | - | Q7 | What the kernel",
      "| by 64 KiB | - | Q7 | What the kernel", "| heap |",
      "heap has a growth of by 64 KiB; expected `by 4 KiB`, perhaps with `, at most SIZE`" },
    { "growth_of_what_does_not_grow", QU, "| low | rw- | --- | all | physical 0x00000000 | - |",
      "| low | rw- | --- | all | physical 0x00000000 | by 4 KiB |", "| low | rw- |",
      "low has a growth of by 4 KiB; expected `-`: it does not grow" },
    { "guard_of_the_heap", QU, "| by 4 KiB | - | Q7 | What the kernel", "| by 4 KiB | none: why | Q7 | What the kernel",
      "| heap |", "heap has a guard; expected `-`: stacks alone have guards" },
    { "stacks_too_few", QU, "| 8 KiB each |", "| 8 KiB each, at most 64 KiB |", "| stacks |",
      "stacks has room for 8 of them; expected at least 16" },
    { "magazine_without_room", QU, "| 64 |", "| 65 |", "| 65 |",
      "magazine is `65`; expected a number of frames, at most 64" },
    { "unlisted_memory_free", QU, "| unlisted memory | used |", "| unlisted memory | free |", "| unlisted memory |",
      "unlisted memory is `free`; expected used or marked" },
    { "demand_that_nobody_uses", HH, "| unused | --- | --- | - | none |", "| unused | rw- | --- | all | demand |",
      "| unused |",
      "unused is backed by `demand`, but the kernel takes memory from heap, records, stacks and trackers alone" },
    { "scope_of_nothing", QU, "| heap | rw- | --- | all |", "| heap | rw- | --- | - |", "| heap |",
      "heap is backed by `demand`, but its scope is -" },
    { "user_of_all", QU, "| user | rw- | rwx | process |", "| user | rw- | rwx | all |", "| user |",
      "user has the scope `all`; expected `process`" },
    { "slots_read_only", QU, "| slots | rw- |", "| slots | r-- |", "| slots |",
      "slots has the rights r--; the kernel must be able to read and write it" },
    { "last_page_of_the_kernel", QU, "| 0xFF400000 | 0xFFFFFFFF | 12 MiB | top | --- | --- | - | none |",
      "| 0xFF400000 | 0xFFFFFFFF | 12 MiB | top | rw- | --- | all | physical 0x10000000 |", "| top |",
      "top has the last page of the address space" },
    { "user_from_zero", HH,
      "| 0x00000000 | 0x0000FFFF | 64 KiB | null | --- | --- | - | none | - | - | A18 | Where null pointers point |\n"
      "| 0x00010000 | 0xBFFFFFFF | 3 GiB less 64 KiB |", "| 0x00000000 | 0xBFFFFFFF | 3 GiB |", "| user |",
      "user starts at 0x00000000; expected 0x00001000 or more" },
    { "bitmap_in_video_memory", HH,
      "| 0x00060000 | 0x0007FFFF | 128 KiB | bitmap | bitmap | A2 A8 A9 | One bit for each frame of 4 GiB |\n"
      "| 0x00080000 | 0x000FFFFF | 512 KiB | hardware | hardware |",
      "| 0x00060000 | 0x0009FFFF | 256 KiB | hardware | hardware | | Firmware |\n"
      "| 0x000A0000 | 0x000FFFFF | 384 KiB | bitmap | bitmap |", "| bitmap | bitmap |",
      "bitmap has the use `bitmap`, which needs RAM, and reaches into 0x000A0000 to 0x000FFFFF" },
    { "at_most_nothing", QU, "| by 4 KiB | - | Q7 | What the kernel",
      "| by 4 KiB, at most 0 B | - | Q7 | What the kernel", "| heap |", "Growth is `by 4 KiB, at most 0 B`; expected" },
    { "guard_of_no_bytes", QU, "| 4 KiB below each |", "| 0 B below each |", "| stacks |",
      "Guard is `0 B below each`; expected `SIZE below each`, `none: REASON` or `-`" },
    { "last_section_at_an_address", QU,
      "| end of rodata | end of data | floats | data | rw- | --- | all | image data | - | - | Q6 | Variables, the "
      "first page tables |\n| end of data | 0xEFFFFFFF | floats | direct | rw- | --- | all | physical end of image |",
      "| end of rodata | 0xE03FFFFF | floats | data | rw- | --- | all | image data | - | - | Q6 | Variables, the first "
      "page tables |\n| 0xE0400000 | 0xEFFFFFFF | 252 MiB | direct | rw- | --- | all | physical 0x00400000 |",
      "| data | rw- |", "data ends at 0xE03FFFFF; expected `end of data`, where the image ends, and another region" },
    { "required_region_of_another_name", QU, "| heap | rw- |", "| heep | rw- |", NULL,
      "no region `heap` in virtual memory; expected one; heep (line {| heep |}) is backed by `demand`, and the kernel "
      "does not know its name" },
    { "image_of_another_use", HH, "| image | image |", "| image | pool |", NULL,
      "no row of physical memory has the use `image`; expected one; image has the use `pool` (line {| image | pool "
      "|})" },
    { "slots_with_a_direct_map", QU, "| table access | direct |", "| table access | slots |", "| table access |",
      "table access is `slots`, but direct (line {| direct | rw- }) shows tables for good" },
    { "identity_of_a_high_kernel", QU, "| table access | direct |", "| table access | identity |", "| table access |",
      "table access is `identity`, but the image (line {| image | image |}) lies 0xE0000000 above its physical "
      "address" },
    { "identity_that_does_not_show_all", PT,
      "| end of image | 0x7FFFFFFF | floats | memory | pool | K3 K6 | The table where there is "
      "room for it first; the rest is handed out |\n| 0x80000000 | 0xFFFFFFFF | 2 GiB | beyond | hardware |",
      "| end of image | 0xBFFFFFFF | floats | memory | pool | K3 | The rest |\n| 0xC0000000 | 0xFFFFFFFF | 1 GiB | "
      "beyond | hardware |",
      "| memory |",
      "memory is handed out up to 0xBFFFFFFF, but direct (line {| direct | rw- }) ends at 0x7FFFFFFF; expected all" },
    { "pool_too_small", QU, "| memory | pool |", "| memory | hardware |", "| low | pool |",
      "the rows of physical memory with the use `pool` have 636 KiB; expected at least 1 MiB, or there is nothing to "
      "hand out; memory has the use `hardware` (line {| memory | hardware |})" },
    { "no_pool", PT, "| memory | pool |", "| memory | hardware |", NULL,
      "no row of physical memory has the use `pool`; expected one, or there is nothing to hand out; beyond has the use "
      "`hardware` (line {| beyond | hardware |})" },
    { "alias_of_the_heap", HH, "| alias of low |", "| alias of heap |", "| core |",
      "core repeats the entries of heap (line {| heap |}), which is backed by `demand`" },
    { "boot_mapping_in_the_tables", HH, "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xC0000000 | 0x00000000 | 4 MiB | yes |\n| 0xFFC00000 | 0x00000000 | 4 KiB | removed once paging is on |",
      "| 0xFFC00000 | 0x00000000 |",
      "this boot mapping and tables (line {| tables | rw- }) share a directory entry (4 MiB)" },
    { "bitmap_where_nothing_is_seen", FW, "| 0x00100000 | 0x0013FFFF | 256 KiB | structures | kernel |",
      "| 0x00100000 | 0x0013FFFF | 256 KiB | structures | pool |", "| bitmap place |",
      "0 B of rows with the uses `kernel` and `pool` have addresses before there is a pool; expected at least 160 KiB, "
      "for the bitmap, whose place is not `fixed`; structures has addresses, the use `pool` and 256 KiB (line "
      "{| structures | pool |})" },
    { "direct_below_the_image", MO, "| low | rw- |", "| direct | rw- |", "| bitmap place |",
      "0 B of rows with the uses `kernel` and `pool` have addresses before there is a pool; expected at least 160 KiB, "
      "for the bitmap, whose place is not `fixed`; direct (line {| direct | rw- |}) ends before the image" },
    { "bitmap_without_room", FW, "| 0x00100000 | 0x0013FFFF | 256 KiB | structures | kernel |",
      "| 0x00100000 | 0x00100FFF | 4 KiB | structures | kernel | | Tables |\n"
      "| 0x00101000 | 0x0013FFFF | 252 KiB | rest | pool |", "| bitmap place |",
      "4 KiB of rows with the uses `kernel` and `pool` have addresses before there is a pool; expected at least 160 "
      "KiB, for the bitmap, whose place is not `fixed`; structures has addresses, the use `kernel` and 4 KiB (line "
      "{| 4 KiB | structures |})" },
    { "kernel_row_not_shown", FW, "| structures | rw- | --- | all | physical 0x00100000 |",
      "| structures | r-- | --- | all | physical 0x00100000 |", "| structures | kernel |",
      "no writable region backed by `physical` shows structures; the kernel could not use it; structures, with the "
      "rights r--, shows it (line {| structures | r-- })" },
    { "bitmap_where_a_hole_is", HH,
      "| 0xC0000000 | 0xC00FFFFF | 1 MiB | low | rw- | --- | all | physical 0x00000000 |",
      "| 0xC0000000 | 0xC005FFFF | 384 KiB | low | rw- | --- | all | physical 0x00000000 | - | - | | What |\n"
      "| 0xC0060000 | 0xC007FFFF | 128 KiB | gap | --- | --- | - | none | - | - | | What |\n"
      "| 0xC0080000 | 0xC00FFFFF | 512 KiB | rest | rw- | --- | all | physical 0x00080000 |", "| bitmap | bitmap |",
      "no writable region backed by `physical` shows bitmap; the kernel could not reach it; at the image's distance "
      "gap is there, backed by `none` (line {| gap |})" },

    /* claims */
    { "claim_twice", HH, "| A2 | kernel ", "| A1 | kernel ", "| A1 | kernel | Frames",
      "the claim A1 a second time" },
    { "claim_unknown", QU, "| Q3 | Where", "| Q33 | Where", "| Q33 |", "null cites the claim Q33, which" },
    { "claim_unknown_of_policy", QU, "| after the image | Q10 |", "| after the image | Q77 |", "| Q77 |",
      "bitmap place cites the claim Q77, which" },
    { "claim_id", QU, "| Q9 | kernel |", "| 9Q | kernel |", "| 9Q |",
      "Id is `9Q`; expected a capital letter and a number" },
    { "claim_nowhere", QU, "| Q9 | kernel |", "| Q9 | nobody |", "| nobody |",
      "Shown by is `nobody`; expected" },
    { "claim_shown_by_no_test", QU, "| Q9 | kernel |", "| Q9 | kernel, host |", "| kernel, host |",
      "Shown by is `host`; expected the name of one test after `host`" },
    { "claim_shown_by_two_words", QU, "| Q9 | kernel |", "| Q9 | host one two |", "| host one two |",
      "Shown by is `host one two`; expected the name of one test after `host`" },
    { "claim_shown_by_a_named_kernel", QU, "| Q9 | kernel |", "| Q9 | kernel panic |", "| kernel panic |",
      "Shown by is `kernel panic`; expected nothing after `kernel`" },
};

/* `{text}` in a complaint stands for the number of the line that holds the text. */
static char *with_lines(const char *complaint, const char *document)
{
    const char *open = strchr(complaint, '{'), *close = open == NULL ? NULL : strchr(open, '}');
    char *what, *out;

    if (close == NULL)
        return strdup(complaint);
    what = strndup(open + 1, (size_t)(close - open - 1));
    assert_true(asprintf(&out, "%.*s%u%s", (int)(open - complaint), complaint, line_of(document, what),
                         close + 1) > 0);
    free(what);
    return out;
}

static void refuses(void **state)
{
    const struct refusal *refusal = *state;
    char *text = document_text(refusal->document), *wrong = replaced(text, refusal->from, refusal->to);
    unsigned errors;
    char *said = complaints_about(wrong, strlen(wrong), &errors),
         *wanted = with_lines(refusal->complaint, wrong);
    char *all;

    if (refusal->at != NULL)
        assert_true(asprintf(&all, "mine.md:%u: %s", line_of(wrong, refusal->at), wanted) > 0);
    else
        assert_true(asprintf(&all, "mine.md: %s", wanted) > 0);
    if (strncmp(said, all, strlen(all)) != 0 || errors != 1)
        fail_msg("expected only `%s`, got:\n%s", all, said);
    free(all);
    free(wanted);
    free(said);
    free(wrong);
    free(text);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(refusals)];

    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        tests[i] = (struct CMUnitTest){ .name = refusals[i].test, .test_func = refuses,
                                        .initial_state = (void *)&refusals[i] };
    return cmocka_run_group_tests_name("layout refuses", tests, NULL, NULL);
}
