/*
 * test_start_words_document.c - machines of many sizes under many documents: what each start says, or what there is
 * when it is done: test_start_words_document.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "clean.h"
#include "kept_lines.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/frames/memmap.h"
#include "memory/heap/stack.h"
#include "memory/spaces/space.h"
#include "memory/tables/slot.h"
#include "own_document.h"

enum { MIB_FRAMES = MiB / PAGE_SIZE };

static struct start_facts facts;

/* ---- Documents ----------------------------------------------------------------------------------------- */

static void as_it_is(void) {}

static void first_fit(void) { own_layout.policy.bitmap_at = BITMAP_FIRST_FIT; }

static void after_image(void)
{
    own_layout.policy.bitmap_at = BITMAP_AFTER_IMAGE;
    own_physical_row(PHYSICAL_IMAGE, MIB_FRAMES, MIB_FRAMES + 0x180);
}

static void image_row(void)
{
    first_fit();
    own_physical_row(PHYSICAL_IMAGE, MIB_FRAMES, MIB_FRAMES + 0x180);
}

static void fixed_bitmap(void)
{
    own_physical_row(PHYSICAL_BITMAP, 0x60, 0x62);
    own_layout.policy.bitmap_at    = BITMAP_FIXED;
    own_layout.policy.bitmap_start = 0x60 * PAGE_SIZE;
    own_layout.policy.bitmap_bytes = 2 * PAGE_SIZE;
}

static void kernel_rows(void)
{
    first_fit();
    own_physical_row(PHYSICAL_KERNEL, 0x500, 0x503);
    own_physical_row(PHYSICAL_KERNEL, 0x200, 0x210);
}

static void hardware_rows(void)
{
    first_fit();
    own_physical_row(PHYSICAL_HARDWARE, 0x3, 0xA0);
    own_physical_row(PHYSICAL_HARDWARE, 0x120, 0x900);
}

static void structures(void)
{
    own_layout.gdt = 0x70010;
    own_layout.tss = 0x500FFC;
    own_layout.idt = 0x6000000;
}

static void bits_far_away(void) { own_physical_row(PHYSICAL_BITMAP, 0x6FFF, 0x7001)->name = "bits"; }

static void bits_further_away(void) { own_physical_row(PHYSICAL_BITMAP, 0x12345, 0x12346)->name = "bits"; }

static void little_in_sight(void) { own_row_cut(PURPOSE_DIRECT, 4 * MIB_FRAMES); }

static void little_in_sight_and_no_window(void)
{
    own_row_cut(PURPOSE_DIRECT, 2 * MIB_FRAMES);
    own_layout.purpose[PURPOSE_RECORDS] = NULL;
}

static void own_space(void) { assert_true(own_kernel_space()); }

static void marked(void)
{
    own_layout.policy.unlisted = UNLISTED_MARKED;
    own_layout.policy.polarity = ONE_IS_FREE;
}

static void few_stacks(void) { own_row(PURPOSE_STACKS)->maximum = 7 * own_row(PURPOSE_STACKS)->unit; }

static const struct { const char *name; void (*change)(void); } documents[] = {
    { "the document as it is", as_it_is }, { "the bitmap where it fits first", first_fit },
    { "the bitmap behind the image", after_image }, { "a row for the image", image_row },
    { "a bitmap with a place", fixed_bitmap }, { "rows for the kernel", kernel_rows },
    { "rows for hardware", hardware_rows }, { "the processor's tables", structures },
    { "bits at 112 MiB", bits_far_away }, { "bits at 291 MiB", bits_further_away },
    { "4 MiB in sight", little_in_sight }, { "2 MiB in sight, and no window", little_in_sight_and_no_window },
    { "a kernel space of its own", own_space }, { "all marked that is not listed", marked },
    { "seven stacks", few_stacks },
};

/* ---- Machines ------------------------------------------------------------------------------------------ */

static const uint32_t sizes[] = { 640, 1024, 1200, 1400, 1500, 1600, 2048, 3000, 4096, 4100, 5124, 6144, 8192, 9300,
                                  12300, 17000, 40964, 114692 };

static void tell_what_there_is(void)
{
    char     owners[300];
    int      used = 0;
    uint32_t sum  = 2166136261u;

    for (unsigned owner = 0; owner < OWNER_COUNT; owner++)
        if (frames_owned((enum owner)owner) != 0)
            used += snprintf(owners + used, sizeof owners - (size_t)used, " %s %u", owner_names[owner],
                             frames_owned((enum owner)owner));
    for (uint32_t n = 0; n < frames_end(); n++)
        sum = (sum ^ frame_owner((frame_t){ n })) * 16777619u;
    kept_line("    shown up to 0x%llx, %u tables, %zu regions, %u stacks;%s; %08x", (unsigned long long)direct_end(),
              kernel_space.table_frames, kernel_space.map.count, stacks_total(), owners, sum);
}

static void start(uint32_t kib, bool no_large)
{
    struct boot_range     ranges[] = { { 0, (kib < 640 ? kib : 640) * (uint64_t)KiB, BOOT_USABLE },
                                       { MiB, kib > 1024 ? (kib - 1024) * (uint64_t)KiB : 0, BOOT_USABLE } };
    struct machine_config config   = { .ram_bytes = 128 * MiB, .ranges = ranges, .range_count = kib > 1024 ? 2 : 1,
                                       .no_large = no_large };
    struct boot_info      info;
    const char           *wrong;

    machine_start(&config, &facts);
    info = *facts.info;
    info.module_count = 2;
    info.modules[0]   = (struct boot_module){ .start = 0x180000, .end = 0x181001 };
    info.modules[1]   = (struct boot_module){ .start = 0x200000, .end = 0x200000 };
    facts.info        = &info;
    wrong = memory_start(&facts);
    kept_line("  %u KiB%s: %s", kib, no_large ? " without large pages" : "", wrong != NULL ? wrong : "starts");
    if (wrong == NULL) {
        tell_what_there_is();
        assert_clean();
    }
    machine_stop();
}

static void machines_start_or_say_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        kept_line("%s:", documents[i].name);
        for (size_t k = 0; k < COUNT_OF(sizes); k++) {
            read_document();
            documents[i].change();
            start(sizes[k], k % 3 == 1);
        }
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(machines_start_or_say_why_not) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have such rows themselves, at places that these would meet. */
int main(void) { return document.access == ACCESS_DIRECT ? kept_run("test_start_words_document", run_all) : 0; }
