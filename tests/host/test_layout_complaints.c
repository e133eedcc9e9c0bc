/*
 * test_layout_complaints.c - complaints of the layout compiler about mistakes that cause others.
 *
 * Each test changes one thing in a document of tests/host/layouts and names a complaint that must come, with its line,
 * whatever else is said. Where a mistake makes one complaint only, its test is in test_layout_refusals.c.
 */
#include "layout_text.h"

#define FOLDER "tests/host/layouts/"

struct change {
    const char *test, *document, *from, *to;
    const char *complaint;          /* a whole line */
};

static const struct change changes[] = {
    { "user_same_alone", HH,
      "| core | same | same |",
      "| core | rw- | same |",
      "mine.md:48: User is `same`, but Kernel is not; an alias says it in both" },
    { "backing_without_its_object", HH,
      "| alias of low |",
      "| alias |",
      "mine.md:48: Backing is `alias`; expected none, physical, image, demand, device, tables, "
      "slots, window, alias of, objects or program" },
    { "border_after_physical_nonsense", HH,
      "| all | physical 0x00000000 |",
      "| all | physical nowhere |",
      "mine.md:36: the address after `physical` is `nowhere`; expected an address from 0x0 to "
      "0xFFFFFFFF or `end of SECTION`" },
    { "boot_size_nonsense", HH,
      "| 0xC0000000 | 0x00000000 | 4 MiB |",
      "| 0xC0000000 | 0x00000000 | some |",
      "mine.md:75: Size is `some`; expected a size such as `4 MiB`" },
    { "boot_address_nonsense", HH,
      "| 0xC0000000 | 0x00000000 | 4 MiB |",
      "| 0xC0000000 | there | 4 MiB |",
      "mine.md:75: Physical is `there`; expected an address from 0x0 to 0xFFFFFFFF" },
    { "size_of_a_part_nonsense", FW,
      "| heap | 0 B | 6 MiB |",
      "| heap | 0 B | six |",
      "mine.md:49: Size is `six`; expected a size such as `64 KiB`, or `floats`" },
    { "policy_missing", HH,
      "| zeroing | user | | A program never sees what another one left behind |\n",
      "",
      "mine.md: no policy `zeroing`; expected one" },
    { "part_missing", FW,
      "| shared | floats | floats | rw- | G17 G19 | Its copy of the shared variables |\n",
      "",
      "mine.md:51: no row `shared` of an application; expected heap, guard, stack, shared" },
    { "parts_and_a_start_address", FW,
      "| table access | slots |",
      "| start address | 0x40000000 | | What |\n| table access | slots |",
      "mine.md:65: a start address for flat programs, and applications (line 49); the console "
      "starts one kind" },
    { "parts_larger_than_user", FW,
      "| heap | 0 B | 6 MiB |",
      "| heap | 0 B | 3970 MiB |",
      "mine.md:49: an application takes 3 GiB and 898 MiB and 68 KiB, more than user (line 42) "
      "has" },
    { "a_guard_larger_than_user", FW,
      "| guard | 0 B | 4 KiB |",
      "| guard | 0 B | 4 GiB |",
      "mine.md:50: an application takes 4 GiB and 6 MiB and 64 KiB, more than user (line 42) has" },
    { "sections_in_another_order", HH,
      "| end of rodata | end of data | floats | data |",
      "| end of rodata | end of rodata | floats | hole | --- | --- | - | none | - | - | | What "
      "|\n| end of rodata | end of data | floats | data |",
      "mine.md:41: data does not follow rodata (line 39); the image is boot, text, rodata, data "
      "in this order" },
    { "packed_sections_together", FW,
      "| end of original | end of stack | floats | stack | rw- | --- | all | image stack | 10 "
      "KiB each | - | G11 G18 G19 | The kernel's first stack |\n",
      "",
      "mine.md:28: there is a region shared, but no region `stack`; a document has all of "
      "original, stack, shared, or none" },
    { "boot_row_floats", FW,
      "| 0x00200000 | 0x0020FFFF | 64 KiB | boot | boot |",
      "| 0x00200000 | end of image | floats | boot | boot |",
      "mine.md:13: boot has a floating border; expected addresses" },
    { "no_image_row", HH,
      "| image | image |",
      "| image | kernel |",
      "mine.md: no row of physical memory has the use `image`; expected one; image has the use `kernel` (line 11)" },
    { "fixed_after_the_image_at_an_address", HH,
      "| physical end of image |",
      "| physical 0x00200000 |",
      "mine.md:41: modules starts at the end of data and shows physical 0x00200000; expected "
      "both at the end of the image, or both as addresses" },
    { "fixed_not_pages", HH,
      "| all | physical 0x00000000 |",
      "| all | physical 0x00000010 |",
      "mine.md:36: low shows physical 0x00000010; expected whole pages, at or below its own "
      "address, that end below 4 GiB" },
    { "fixed_above_its_address", MO,
      "| all | physical 0x00001000 |",
      "| all | physical 0x00002000 |",
      "mine.md:22: low shows physical 0x00002000; expected whole pages, at or below its own "
      "address, that end below 4 GiB" },
    { "image_floats", QU,
      "| 0x00100000 | end of image | floats | image |",
      "| end of image | end of image | floats | image |",
      "mine.md:29: boot starts at 0xE0100000, the image (line 11) at the end of data; expected "
      "two addresses" },
    { "structure_at_zero", HH,
      "| 0x00001000 | 0x000017FF | 2 KiB | idt |",
      "| 0x00000000 | 0x000007FF | 2 KiB | idt |",
      "mine.md:18: idt starts at 0x00000000; expected a multiple of 8 above 0" },
    { "structure_not_aligned", HH,
      "| 0x00001000 | 0x000017FF | 2 KiB | idt |",
      "| 0x00001004 | 0x00001803 | 2 KiB | idt |",
      "mine.md:18: idt starts at 0x00001004; expected a multiple of 8 above 0" },
    { "structure_not_shown", HH,
      "| low | rw- | --- | all |",
      "| low | r-- | --- | all |",
      "mine.md:18: no writable region backed by `physical` shows idt; the kernel could not reach "
      "it; low, with the rights r--, shows it (line 36)" },
    { "boot_mapping_not_pages", HH,
      "| 0xC0000000 | 0x00000000 | 4 MiB |",
      "| 0xC0000000 | 0x00000800 | 4 MiB |",
      "mine.md:75: a boot mapping of 0xC0000000 to physical 0x00000800, 4 MiB; expected whole "
      "pages" },
    { "boot_mapping_past_the_end", HH,
      "| 0xC0000000 | 0x00000000 | 4 MiB |",
      "| 0xC0000000 | 0xFFF00000 | 4 MiB |",
      "mine.md:75: this boot mapping runs past 4 GiB" },
    { "boot_mapping_past_the_virtual_end", HH,
      "| 0xC0000000 | 0x00000000 | 4 MiB |",
      "| 0xFFF00000 | 0x00000000 | 4 MiB |",
      "mine.md:75: this boot mapping runs past 4 GiB" },
    { "slots_float", QU,
      "| 0xFF000000 | 0xFF3FFFFF | 4 MiB | slots |",
      "| end of data | 0xFF3FFFFF | floats | slots |",
      "mine.md:43: slots has a floating border; expected addresses" },
    { "access_direct_without_direct", QU,
      "| floats | direct | rw-",
      "| floats | dirext | rw-",
      "mine.md:57: table access is `direct`, but there is no region `direct`" },
    { "tables_not_one_entry", HH,
      "| 0xFFC00000 | 0xFFFFFFFF | 4 MiB | tables |",
      "| 0xFFC00000 | 0xFFFFEFFF | 4 MiB less 4 KiB | tables |",
      "mine.md:54: tables is one directory entry that shows all page tables; expected 4 MiB at a "
      "multiple of 4 MiB" },
    { "text_without_execution", HH,
      "| text | r-x |",
      "| text | r-- |",
      "mine.md:38: text has the rights r--; the kernel's code must be executable" },
    { "demand_without_rights", HH,
      "| heap | rw- |",
      "| heap | --- |",
      "mine.md:51: heap is backed by `demand`, but nobody has a right to it" },
    { "data_read_only", HH,
      "| data | rw- |",
      "| data | r-- |",
      "mine.md:40: data has the rights r--; the kernel must be able to read and write it" },
    { "growth_beyond_the_range", QU,
      "| heap | rw- | --- | all | demand | by 4 KiB |",
      "| heap | rw- | --- | all | demand | by 256 MiB |",
      "mine.md:39: heap has a growth of 256 MiB, more than its whole range of 128 MiB" },
    { "guard_without_growth", QU,
      "| heap | rw- | --- | all | demand | by 4 KiB | - |",
      "| heap | rw- | --- | all | demand | - | 4 KiB below each |",
      "mine.md:39: heap has a guard below each, but Growth does not say each what" },
    { "alias_not_at_an_entry", HH,
      "| 0xF0000000 | 0xF03FFFFF | 4 MiB | core |",
      "| 0xF0000000 | 0xF02FFFFF | 3 MiB | core |",
      "mine.md:48: core is an alias of low (line 36), which repeats directory entries; expected "
      "the start and end of core and the start of low at multiples of 4 MiB" },
    { "region_missing", HH,
      "| 0xF0400000 | 0xF0BFFFFF | 8 MiB | devices | rw- | --- | all | device | by 4 KiB | - | "
      "A11 | Windows onto device memory |\n",
      "",
      "mine.md: no region `devices` in virtual memory; expected one" },
    { "stacks_of_a_process_at_entries", HH,
      "| 0xFF800000 | 0xFFBFFFFF | 4 MiB | stacks |",
      "| 0xFF801000 | 0xFFBFFFFF | 4 MiB less 4 KiB | stacks |",
      "mine.md:53: stacks of the scope `process` have directory entries of their own; expected "
      "start and end at multiples of 4 MiB" },
    { "stack_too_large", QU,
      "8 KiB each | 4 KiB below each",
      "512 KiB each | 4 KiB below each",
      "mine.md:42: stacks has a growth of 512 KiB each; expected at most 64 KiB" },
    { "identity_without_direct", PT,
      "| direct | rw- | --- | kernel | physical 0x00400000 |",
      "| dirext | rw- | --- | kernel | physical 0x00400000 |",
      "mine.md:49: table access is `identity`, but there is no region `direct`; expected one, "
      "and the image at its physical address" },
    { "own_space_with_slots", PT,
      "| table access | identity |",
      "| table access | slots |",
      "mine.md:49: table access is `slots`, but kernel space has regions of its own (line 31); "
      "expected `identity` or `direct`" },
    { "fixed_end_before_fixed_start", QU,
      "| end of data | 0xEFFFFFFF | floats | direct |",
      "| end of data | 0xE00FFFFF | floats | direct |",
      "mine.md:33: direct ends at 0xE00FFFFF, before boot (line 29) starts at 0xE0100000" },
    { "structure_floats", HH,
      "| 0x00003000 | 0x000033FF | 1 KiB | gdt |",
      "| 0x00003000 | end of data | floats | gdt |",
      "mine.md:20: gdt has a floating border; expected an address" },
    { "direct_at_another_distance", PT,
      "| 0x00400000 | 0x7FFFFFFF | 2 GiB less 4 MiB | direct ",
      "| 0x00400000 | 0x007FFFFF | 4 MiB | gap | --- | --- | - | none | - | - | | What |\n| "
      "0x00800000 | 0x7FFFFFFF | 2 GiB less 8 MiB | direct ",
      "mine.md:32: direct lies 0x00400000 above the memory it shows, the image (line 9) "
      "0x00000000 above where it was loaded; expected one distance for both" },
    { "name_too_long", HH,
      "| core | same |",
      "| core-that-is-one-too-long | same |",
      "mine.md:48: Name is `core-that-is-one-too-long`; expected at most 24 small letters, "
      "digits and dashes" },
    { "constants_not_read", FW,
      "| rodata | r-- | r-- |",
      "| rodata | --x | --x |",
      "mine.md:25: rodata has the rights --x; the kernel must be able to read it" },
    { "structure_in_video_memory", HH,
      "| 0x00080000 | 0x000FFFFF | 512 KiB | hardware | hardware | A3 | Firmware's data, video "
      "memory, ROMs; never handed out |\n| 0x00100000 | 0x003FFFFF | 3 MiB | image | image | A4 | "
      "The kernel as it was loaded, and modules; never in the pool |\n| 0x00400000 | 0xFFFFFFFF | "
      "4092 MiB | memory | pool | A5 | Handed out frame by frame, where there is RAM |\n\n## "
      "Kernel structures\n\n| Start | End | Size | Name | Claims | What lives there |\n| ---------- "
      "| ---------- | ----- | ---- | ------ | ---------------- |\n| 0x00001000 | 0x000017FF | 2 "
      "KiB | idt | A7 | A gate for each of the 256 vectors |\n| 0x00002000 | 0x00002071 | 114 B | "
      "tss | A6 | The task state segment |\n| 0x00003000 | 0x000033FF | 1 KiB | gdt ",
      "| 0x00080000 | 0x000FFFFF | 512 KiB | hardware | kernel | A3 | Firmware's data, video "
      "memory, ROMs; never handed out |\n| 0x00100000 | 0x003FFFFF | 3 MiB | image | image | A4 | "
      "The kernel as it was loaded, and modules; never in the pool |\n| 0x00400000 | 0xFFFFFFFF | "
      "4092 MiB | memory | pool | A5 | Handed out frame by frame, where there is RAM |\n\n## "
      "Kernel structures\n\n| Start | End | Size | Name | Claims | What lives there |\n| ---------- "
      "| ---------- | ----- | ---- | ------ | ---------------- |\n| 0x00001000 | 0x000017FF | 2 "
      "KiB | idt | A7 | A gate for each of the 256 vectors |\n| 0x00002000 | 0x00002071 | 114 B | "
      "tss | A6 | The task state segment |\n| 0x000A0000 | 0x000A03FF | 1 KiB | gdt ",
      "mine.md:20: gdt lies in 0x000A0000 to 0x000FFFFF, where every PC has video memory and ROMs" },
    { "user_floats", HH,
      "| 0x00010000 | 0xBFFFFFFF | 3 GiB less 64 KiB | user | rw- | rwx | process | program |",
      "| end of boot | 0xBFFFFFFF | floats | user | rw- | rwx | process | program |",
      "mine.md:30: user has a floating border; expected addresses" },
    { "records_wanted", MO,
      "| 0x06400000 | 0x06BFFFFF | 8 MiB | records | rw- | --- | all | demand | by 4 KiB ",
      "| 0x06400000 | 0x06BFFFFF | 8 MiB | rekords | --- | --- | - | none | - ",
      "mine.md: no region `records`, and memory has addresses of its own only below 0x00400000, where a boot mapping "
      "ends (line 73); expected one of 8 MiB, or a region `direct` that reaches 0x01100000" },
    { "own_stacks_tracked", TR,
      "| stacks | rw- | --- | all |",
      "| stacks | rw- | --- | process |",
      "mine.md:35: stacks has the scope `process`, but table access is `tracked` (line 63), and "
      "an object has tables of user alone; expected `all`" },
    { "user_inside_an_entry", TR,
      "| 0x08000000 | 0x7FFFFFFF | 1920 MiB | user ",
      "| 0x08000000 | 0x08000FFF | 4 KiB | gap | --- | --- | - | none | - | - | | What |\n| "
      "0x08001000 | 0x7FFFFFFF | 1920 MiB less 4 KiB | user ",
      "mine.md:44: user starts at 0x08001000; expected a multiple of 4 MiB, because table access "
      "is `tracked` and a process's first table begins there" },
    { "trackers_too_small", TR,
      "| 0x07C00000 | 0x07FFFFFF | 4 MiB | trackers | rw- | --- | all | demand | by 4 KiB | - | "
      "T9 T16 | Pages of trackers, and behind them pages that list page tables |",
      "| 0x07C00000 | 0x07C00FFF | 4 KiB | trackers | rw- | --- | all | demand | by 4 KiB | - | "
      "T9 T16 | Pages of trackers, and behind them pages that list page tables |\n| 0x07C01000 | "
      "0x07FFFFFF | 4 MiB less 4 KiB | gap | --- | --- | - | none | - | - | | What |",
      "mine.md:37: trackers has 4 KiB; expected at least 3 MiB for the objects that fit in 2 GiB "
      "less 4 MiB (line 50)" },
    { "master_linked_elsewhere", TR,
      "| 0x00580000 | end of boot",
      "| 0x00590000 | end of boot",
      "mine.md:14: the image is linked 0x00010000 above where it lies (boot, line 27); expected "
      "the same address, because table access is `tracked` (line 63) and the master table is "
      "identity" },
    { "stacks_too_few", QU,
      "| 0xFC000000 | 0xFEFFFFFF | 48 MiB | stacks | rw- | --- | all | demand | 8 KiB each | 4 "
      "KiB below each |",
      "| 0xFC000000 | 0xFEFFFFFF | 48 MiB | stacks | rw- | --- | all | demand | 8 KiB each, at "
      "most 32 KiB | 4 KiB below each |",
      "mine.md:42: stacks has room for 4 of them; expected at least 16: each thread has one" },
};

/* As far as a limit goes, and no further. */
struct limit { const char *test, *document, *from, *to; };

static const struct limit limits[] = {
    { "a_name_of_24_letters", HH,
      "| core | same |",
      "| core-that-is-just-so-lon | same |" },
    { "a_stack_of_64_kib", QU,
      "8 KiB each | 4 KiB below each",
      "64 KiB each | 4 KiB below each" },
    { "growth_at_most_the_whole_range", QU,
      "| heap | rw- | --- | all | demand | by 4 KiB |",
      "| heap | rw- | --- | all | demand | by 4 KiB, at most 128 MiB |" },
    { "a_structure_at_8", HH,
      "| 0x00001000 | 0x000017FF | 2 KiB | idt |",
      "| 0x00000008 | 0x00000807 | 2 KiB | idt |" },
    { "the_smallest_task_segment", HH,
      "| 0x00002000 | 0x00002071 | 114 B | tss |",
      "| 0x00002000 | 0x00002067 | 104 B | tss |" },
    { "boot_mapping_to_the_end", QU,
      "| 0xE0000000 | 0x00000000 | 4 MiB | yes |",
      "| 0xE0000000 | 0x00000000 | 4 MiB | yes |\n| 0xFF400000 | 0xFFC00000 | 4 MiB | removed "
      "once paging is on |" },
    { "parts_as_large_as_they_may_be", FW,
      "| heap | 0 B | 6 MiB |",
      "| heap | 0 B | 3960 MiB |" },
    { "stacks_at_their_least", QU,
      "8 KiB each | 4 KiB below each",
      "8 KiB each, at most 128 KiB | 4 KiB below each" },
    { "first_stack_of_8_kib", FW,
      "10 KiB each",
      "8 KiB each" },
    { "magazine_of_64", FW,
      "| magazine | 16 |",
      "| magazine | 64 |" },
};

static char *fixed_document(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, FOLDER "%s.md", name);
    return kept_text(path);
}

static bool has_line(const char *said, const char *line)
{
    size_t length = strlen(line);

    for (const char *at = strstr(said, line); at != NULL; at = strstr(at + 1, line))
        if ((at == said || at[-1] == '\n') && at[length] == '\n')
            return true;
    return false;
}

static void complains(void **state)
{
    const struct change *change = *state;
    char *text = fixed_document(change->document), *wrong = replaced(text, change->from, change->to);
    unsigned errors, before;
    char *said = complaints_about(wrong, strlen(wrong), &errors), *good = complaints_about(text, strlen(text), &before);

    assert_int_equal(before, 0);
    if (errors == 0 || !has_line(said, change->complaint))
        fail_msg("expected `%s`, got:\n%s", change->complaint, said);
    free(good);
    free(said);
    free(wrong);
    free(text);
}

static void is_accepted(void **state)
{
    const struct limit *limit = *state;
    char *text = fixed_document(limit->document), *other = replaced(text, limit->from, limit->to);
    unsigned errors;
    char *said = complaints_about(other, strlen(other), &errors);

    if (errors != 0)
        fail_msg("expected no complaint, got:\n%s", said);
    free(said);
    free(other);
    free(text);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(changes) + COUNT_OF(limits)];

    for (size_t i = 0; i < COUNT_OF(changes); i++)
        tests[i] = (struct CMUnitTest){ .name = changes[i].test, .test_func = complains,
                                        .initial_state = (void *)&changes[i] };
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        tests[COUNT_OF(changes) + i] = (struct CMUnitTest){ .name = limits[i].test, .test_func = is_accepted,
                                                            .initial_state = (void *)&limits[i] };
    return cmocka_run_group_tests_name("layout complains", tests, NULL, NULL);
}
