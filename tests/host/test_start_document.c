/*
 * test_start_document.c - rows of physical memory that a document sets aside: used, or refused by their names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "clean.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/frames/memmap.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "own_document.h"

enum { RAM = 16 << 20, RAM_FRAMES = RAM / PAGE_SIZE, MIB_FRAMES = (1 << 20) / PAGE_SIZE };

static struct start_facts facts;

static const char *start(uint64_t bytes)
{
    struct machine_config config = { .ram_bytes = bytes };

    machine_start(&config, &facts);
    return memory_start(&facts);
}

static void start_well(uint64_t bytes)
{
    const char *wrong = start(bytes);
    void       *block;

    if (wrong != NULL)
        fail_msg("%s", wrong);
    block = heap_alloc(3000, 0);
    assert_non_null(block);
    heap_free(block);
    assert_clean();
}

static void assert_owner(uintptr_t first, uintptr_t end, enum owner owner)
{
    for (uintptr_t n = first; n < end; n++)
        if (frame_owner((frame_t){ (uint32_t)n }) != owner)
            fail_msg("frame 0x%lx is of %s, not of %s", (unsigned long)n,
                     owner_names[frame_owner((frame_t){ (uint32_t)n })], owner_names[owner]);
}

/* How many frames of a row have an owner. */
static uint32_t count_owner(uintptr_t first, uintptr_t end, enum owner owner)
{
    uint32_t count = 0;

    for (uintptr_t n = first; n < end; n++)
        count += frame_owner((frame_t){ (uint32_t)n }) == owner;
    return count;
}

/* ---- Rows that are used -------------------------------------------------------------------------------- */

static void the_bitmap_lies_where_the_document_has_its_row(void **state)
{
    static uint8_t before[PAGE_SIZE];
    const uintptr_t at = 0x60;
    frame_t         first;

    (void)state;
    read_document();
    own_physical_row(PHYSICAL_BITMAP, at, at + 2);
    own_layout.policy.bitmap_at    = BITMAP_FIXED;
    own_layout.policy.bitmap_start = at * PAGE_SIZE;
    own_layout.policy.bitmap_bytes = 2 * PAGE_SIZE;
    start_well(RAM);
    assert_owner(at, at + 2, OWNER_BITMAP);
    assert_int_equal(count_owner(0, RAM_FRAMES, OWNER_BITMAP), 2 + 1);          /* and its summary */
    memcpy(before, &machine_ram[at * PAGE_SIZE], PAGE_SIZE);
    assert_int_equal(frame_run_get(OWNER_TEST, 64, 64, 0, 0, &first), 0);
    assert_true(memcmp(before, &machine_ram[at * PAGE_SIZE], PAGE_SIZE) != 0);
    frame_run_put(first, 64);
    machine_stop();
}

static void the_kernels_structures_lie_in_its_rows(void **state)
{
    const uintptr_t at = 0x500;

    (void)state;
    read_document();
    own_physical_row(PHYSICAL_KERNEL, at, at + 40);
    own_layout.policy.bitmap_at = BITMAP_FIRST_FIT;
    start_well(RAM);
    assert_int_equal(count_owner(at, at + 40, OWNER_BITMAP), 2);
    assert_int_equal(count_owner(at, at + 40, OWNER_RECORDS), RAM_FRAMES * 8 / PAGE_SIZE);
    assert_int_equal(count_owner(0, RAM_FRAMES, OWNER_BITMAP), 2);
    assert_int_equal(count_owner(0, RAM_FRAMES, OWNER_RECORDS), RAM_FRAMES * 8 / PAGE_SIZE);
    assert_int_equal(count_owner(at, at + 40, OWNER_HELD), 40 - 2 - RAM_FRAMES * 8 / PAGE_SIZE);
    machine_stop();

    read_document();                                    /* too short for the records: they go elsewhere */
    own_physical_row(PHYSICAL_KERNEL, at, at + 3);
    own_layout.policy.bitmap_at = BITMAP_FIRST_FIT;
    start_well(RAM);
    assert_int_equal(count_owner(at, at + 3, OWNER_BITMAP), 2);
    assert_int_equal(count_owner(at, at + 3, OWNER_HELD), 1);
    assert_int_equal(count_owner(0, RAM_FRAMES, OWNER_RECORDS), RAM_FRAMES * 8 / PAGE_SIZE);
    machine_stop();

    read_document();                                    /* two rows: the second has what the first has no room for */
    own_physical_row(PHYSICAL_KERNEL, at, at + 1);
    own_physical_row(PHYSICAL_KERNEL, at + 0x100, at + 0x120);
    own_layout.policy.bitmap_at = BITMAP_FIRST_FIT;
    start_well(RAM);
    assert_int_equal(count_owner(at, at + 1, OWNER_BITMAP), 1);
    assert_int_equal(count_owner(at + 0x100, at + 0x120, OWNER_BITMAP), 1);
    assert_int_equal(count_owner(at + 0x100, at + 0x120, OWNER_RECORDS), RAM_FRAMES * 8 / PAGE_SIZE);
    machine_stop();
}

/* A first fit passes over the low megabyte; after the image the bitmap follows it, and the row's rest stays unused. */
static void the_bitmap_follows_the_image_or_takes_the_first_room(void **state)
{
    uintptr_t end;

    (void)state;
    read_document();
    own_layout.policy.bitmap_at = BITMAP_FIRST_FIT;
    start_well(RAM);
    assert_int_equal(count_owner(0, MIB_FRAMES, OWNER_BITMAP), 1);              /* the summary alone */
    machine_stop();

    read_document();
    own_layout.policy.bitmap_at = BITMAP_AFTER_IMAGE;
    own_physical_row(PHYSICAL_IMAGE, MIB_FRAMES, MIB_FRAMES + 0x180);
    start_well(RAM);
    end = facts.image_end / PAGE_SIZE;
    assert_owner(end, end + 1, OWNER_BITMAP);
    assert_true(count_owner(end, MIB_FRAMES + 0x180, OWNER_HELD) > 0x100);
    assert_int_equal(count_owner(end, MIB_FRAMES + 0x180, OWNER_FREE), 0);
    machine_stop();

    read_document();
    own_layout.policy.bitmap_at = BITMAP_FIRST_FIT;
    own_physical_row(PHYSICAL_IMAGE, MIB_FRAMES, MIB_FRAMES + 0x180);
    start_well(RAM);
    end = facts.image_end / PAGE_SIZE;
    assert_owner(end, MIB_FRAMES + 0x180, OWNER_HELD);  /* the row is for the image and modules alone */
    machine_stop();
}

static void the_processors_tables_are_kept(void **state)
{
    (void)state;
    read_document();
    own_layout.gdt = 0x70010;
    own_layout.tss = 0x71FFC;
    own_layout.idt = 0x500000;
    start_well(RAM);
    assert_owner(0x70, 0x72, OWNER_IMAGE);
    assert_owner(0x500, 0x501, OWNER_IMAGE);
    assert_true(frame_owner((frame_t){ 0x6F }) != OWNER_IMAGE && frame_owner((frame_t){ 0x72 }) != OWNER_IMAGE);
    machine_stop();
}

static void hardware_modules_and_devices_are_nobodys(void **state)
{
    static const struct device_range devices[] = { { .start = 0x600000, .end = 0x602000 },
                                                   { .start = 0x700000, .end = 0x701000 } };
    struct machine_config config = { .ram_bytes = RAM };
    struct boot_info      info;

    (void)state;
    read_document();
    own_physical_row(PHYSICAL_HARDWARE, 0x480, 0x484);
    machine_start(&config, &facts);
    info = *facts.info;
    info.module_count = 3;
    info.modules[0] = (struct boot_module){ .start = 0x800000, .end = 0x803001 };
    info.modules[1] = (struct boot_module){ .start = 0x900000, .end = 0x900000 };
    info.modules[2] = (struct boot_module){ .start = 0xA00000, .end = 0xA00001 };
    facts.info         = &info;
    facts.devices      = devices;
    facts.device_count = COUNT_OF(devices);
    assert_null(memory_start(&facts));
    assert_owner(0x480, 0x484, OWNER_HELD);
    assert_owner(0x600, 0x602, OWNER_HELD);
    assert_owner(0x700, 0x701, OWNER_HELD);
    assert_owner(0x800, 0x804, OWNER_BOOT);
    assert_owner(0xA00, 0xA01, OWNER_BOOT);
    assert_int_equal(count_owner(0, RAM_FRAMES, OWNER_BOOT), 5);                /* the boot's own part is reclaimed */
    assert_true(frame_owner((frame_t){ 0x900 }) != OWNER_BOOT);
    assert_int_equal(count_owner(facts.boot_start / PAGE_SIZE, facts.boot_end / PAGE_SIZE, OWNER_IMAGE), 0);
    assert_clean();
    machine_stop();
}

/* ---- Rows that must be RAM ------------------------------------------------------------------------------ */

static void assert_refused(const char *wrong, const char *words)
{
    assert_non_null(wrong);
    if (strstr(wrong, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, wrong);
    machine_stop();
}

static void a_row_in_a_hole_is_refused_by_its_name(void **state)
{
    (void)state;
    read_document();
    own_physical_row(PHYSICAL_BITMAP, 0x9F, 0xA1)->name = "bits";
    assert_refused(start(RAM), "wants RAM for bits, from 0x0009f000 to 0x000a0fff: this machine has none there");
    read_document();
    own_physical_row(PHYSICAL_MASTER, 0xFF, 0x101)->name = "master";
    assert_refused(start(RAM), "wants RAM for master, from 0x000ff000 to 0x00100fff: this machine has none there");
    for (unsigned i = 0; i < 3; i++) {
        read_document();
        *(i == 0 ? &own_layout.tss : i == 1 ? &own_layout.gdt : &own_layout.idt) = 0xB0008;
        assert_refused(start(RAM), "wants RAM for the processor's tables, from 0x000b0000 to 0x000b0fff");
    }
    read_document();
    own_physical_row(PHYSICAL_KERNEL, 0xA0, 0xA8);      /* these need not be RAM: they are passed over */
    own_physical_row(PHYSICAL_HARDWARE, 0xB0, 0xB8);
    start_well(RAM);
    machine_stop();
}

static void an_image_that_is_not_in_ram_is_refused(void **state)
{
    struct boot_range     ranges[] = { { 0, 640 * KiB, BOOT_USABLE }, { 4 * MiB, 12 * MiB, BOOT_USABLE } };
    struct machine_config config   = { .ram_bytes = RAM, .ranges = ranges, .range_count = 2 };
    char                  words[96];

    (void)state;
    read_document();
    machine_start(&config, &facts);
    snprintf(words, sizeof words, "wants RAM for the image, from 0x%08x to 0x%08x: this machine has none there",
             (unsigned)facts.image_start, (unsigned)facts.image_end - 1);
    assert_refused(memory_start(&facts), words);
}

/* The least that is asked for: enough, and a page less is not. */
static void check_asked(uintptr_t first, uintptr_t end)
{
    const char *wrong;
    char        words[96];
    unsigned    has, needs;

    read_document();
    own_physical_row(PHYSICAL_BITMAP, first, end)->name = "bits";
    wrong = start(RAM);
    assert_non_null(wrong);
    snprintf(words, sizeof words, ", for bits, from 0x%08x to 0x%08x", (unsigned)first * PAGE_SIZE,
             (unsigned)end * PAGE_SIZE - 1);
    if (strstr(wrong, words) == NULL || sscanf(wrong, "too little memory for layout %*[^:]: %u KiB of RAM found, at "
                                               "least %u KiB needed", &has, &needs) != 2)
        fail_msg("%s", wrong);
    assert_int_equal(has, RAM / KiB - 384);
    assert_int_equal(needs, end * (PAGE_SIZE / KiB) - 384);
    machine_stop();
}

static void a_row_behind_all_ram_asks_for_as_much_as_reaches_it(void **state)
{
    (void)state;
    check_asked(RAM_FRAMES, RAM_FRAMES + 1);
    check_asked(RAM_FRAMES - 1, RAM_FRAMES + 3);        /* begins in RAM */
    check_asked(40 * MIB_FRAMES, 40 * MIB_FRAMES + 1);
    check_asked(80 * MIB_FRAMES - 1, 80 * MIB_FRAMES);  /* so far page by page */
    check_asked(80 * MIB_FRAMES, 80 * MIB_FRAMES + 1);  /* and from here in strides */
    check_asked(96 * MIB_FRAMES - 1, 96 * MIB_FRAMES);
    check_asked(96 * MIB_FRAMES, 96 * MIB_FRAMES + 1);
    check_asked(200 * MIB_FRAMES, 200 * MIB_FRAMES + 7);
}

static void what_was_asked_for_is_enough(void **state)
{
    (void)state;
    read_document();
    own_physical_row(PHYSICAL_BITMAP, 40 * MIB_FRAMES, 40 * MIB_FRAMES + 1)->name = "bits";
    assert_refused(start(40 * MiB), "for bits");
    start_well(40 * MiB + PAGE_SIZE);
    machine_stop();
}

static void where_no_ram_would_do_none_is_asked_for(void **state)
{
    (void)state;
    read_document();
    own_physical_row(PHYSICAL_BITMAP, MMU_FRAMES_END - 1, MMU_FRAMES_END)->name = "bits";
    assert_refused(start(RAM), "leaves too little to hand out of 16000 KiB of RAM, and of any more in its place, "
                               "for bits, from 0xfffff000 to 0xffffffff");
}

/* KiB that such a machine asks for: nearly all RAM up to 9 MiB is held, so the pool begins in the third table. */
static unsigned asked_behind_held(uint64_t bytes, bool no_large, const char **wrong)
{
    struct machine_config config = { .ram_bytes = bytes, .no_large = no_large };
    unsigned              has, needs = 0;

    read_document();
    own_layout.policy.bitmap_at = BITMAP_FIRST_FIT;
    own_physical_row(PHYSICAL_HARDWARE, 0x3, 0xA0);
    own_physical_row(PHYSICAL_HARDWARE, 0x120, 0x900);
    machine_start(&config, &facts);
    *wrong = memory_start(&facts);
    if (*wrong != NULL && sscanf(*wrong, "too little memory for layout %*[^:]: %u KiB of RAM found, at least %u KiB "
                                         "needed", &has, &needs) != 2)
        fail_msg("%s", *wrong);
    return needs;
}

static void tables_for_what_the_kernel_sees_are_asked_for_too(void **state)
{
    unsigned with_large = 0;

    (void)state;
    for (unsigned no_large = 0; no_large < 2; no_large++) {
        const char *wrong;
        unsigned    needs = asked_behind_held(4 * MiB, no_large, &wrong);

        assert_true(needs > 0);
        machine_stop();
        asked_behind_held((needs + 384) * (uint64_t)KiB, no_large, &wrong);
        assert_null(wrong);
        assert_clean();
        machine_stop();
        assert_int_equal(asked_behind_held((needs + 384 - 4) * (uint64_t)KiB, no_large, &wrong), needs);
        assert_non_null(wrong);
        machine_stop();
        if (no_large)
            assert_int_equal(needs - with_large, PAGE_SIZE / KiB);      /* a table instead of a large page */
        with_large = needs;
    }
}

static void a_machine_without_ram_is_told_so(void **state)
{
    struct boot_range     ranges[] = { { 0, 640 * KiB, BOOT_RESERVED } };
    struct machine_config config   = { .ram_bytes = RAM, .ranges = ranges, .range_count = 1 };

    (void)state;
    read_document();
    machine_start(&config, &facts);
    assert_refused(memory_start(&facts), "the boot loader gave no memory map with usable memory");
}

/* The kernel sees but the first megabytes, and the document has no window for the records. */
static void there_must_be_room_where_the_kernel_sees_memory(void **state)
{
    (void)state;
    read_document();
    own_row_cut(PURPOSE_DIRECT, 16);
    own_layout.purpose[PURPOSE_RECORDS] = NULL;
    own_layout.policy.bitmap_at = BITMAP_FIRST_FIT;
    assert_refused(start(512 * MiB), "has no place for the records of 524288 KiB of RAM: 1024 KiB below 0x00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bitmap_lies_where_the_document_has_its_row),
        cmocka_unit_test(the_kernels_structures_lie_in_its_rows),
        cmocka_unit_test(the_bitmap_follows_the_image_or_takes_the_first_room),
        cmocka_unit_test(the_processors_tables_are_kept),
        cmocka_unit_test(hardware_modules_and_devices_are_nobodys),
        cmocka_unit_test(a_row_in_a_hole_is_refused_by_its_name),
        cmocka_unit_test(an_image_that_is_not_in_ram_is_refused),
        cmocka_unit_test(a_row_behind_all_ram_asks_for_as_much_as_reaches_it),
        cmocka_unit_test(what_was_asked_for_is_enough),
        cmocka_unit_test(where_no_ram_would_do_none_is_asked_for),
        cmocka_unit_test(tables_for_what_the_kernel_sees_are_asked_for_too),
        cmocka_unit_test(a_machine_without_ram_is_told_so),
        cmocka_unit_test(there_must_be_room_where_the_kernel_sees_memory),
    };

    /* Other documents have such rows themselves, at places that these would meet. */
    return document.access == ACCESS_DIRECT ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
