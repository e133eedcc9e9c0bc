/*
 * test_mmu.c - the machine in plain memory: it obeys entries of the two-level format as the processor does.
 *
 * Hardware's view is the machine's (arch/host, written from the manual); the kernel's view is mmu.h, the very
 * header of the i386 port. Each test lets one speak and asks the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/string.h"
#include "cpu.h"
#include "machine.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "user_page.h"
#include "memory/tables/table.h"

#define READ  MAY_READ
#define WRITE MAY_WRITE
#define RUN   MAY_EXECUTE

static const struct rights kernel_data = { READ | WRITE, 0 };
static const struct rights user_data   = { READ | WRITE, READ | WRITE };
static const struct rights user_const  = { READ, READ };

/* pages of user space; A and B share a table */
#define PAGE_A  USER_PAGE(0x400)
#define PAGE_B  USER_PAGE(0x401)
#define FAR     USER_PAGE(0x2345)

static struct space  space;
static struct region all;

/*
 * The machine as it is while a space's program runs. Where the kernel has a space of its own its code runs in that
 * alone; these tests are small enough to find all they need in the first 4 MiB, which every space shows.
 */
static void run(struct space *of)
{
    space_activate(of);
    if (layout_kernel_has_own())
        mmu_activate(of->root);
}

/* A machine that runs, with a space of its own, all of which may be used. */
static void start(void)
{
    const char *problem = machine_boot(16 * MiB);

    if (problem != NULL)
        fail_msg("%s", problem);
    assert_int_equal(space_create(&space), 0);
    all = (struct region){ .span = layout.purpose[PURPOSE_USER]->span, .name = "all",
                           .rights = { READ | WRITE | RUN, READ | WRITE | RUN } };
    assert_int_equal(region_insert(&space.map, &all), 0);
    run(&space);
}

static void end(void)
{
    assert_true(machine_tlb_ok());
    assert_true(space_ok(&space));
    assert_true(space_ok(&kernel_space));
    run(&kernel_space);
    space_destroy(&space);
    assert_true(space_ok(&kernel_space));
    assert_true(frames_ok());
    machine_stop();
}

/* Let a page lead to a new frame that holds `word` all over. */
static frame_t map(page_t page, struct rights rights, uint32_t word)
{
    struct cursor c;
    frame_t       frame;

    assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
    for (unsigned i = 0; i < PAGE_SIZE; i += 4)
        *(uint32_t *)&machine_ram[frame_address(frame) + i] = word;
    assert_int_equal(cursor_open(&c, &space, span_of(page, 1), CURSOR_BUILD), 0);
    cursor_map(&c, page, frame, rights, CACHE_BACK);
    cursor_close(&c);
    return frame;
}

static entry_t entry_of(page_t page)
{
    struct cursor c;
    entry_t       e;

    assert_int_equal(cursor_open(&c, &space, span_of(page, 1), 0), 0);
    e = cursor_read(&c, page);
    cursor_close(&c);
    return e;
}

/* Change an entry behind the cursor's back: nothing is flushed. */
static void poke(page_t page, entry_t e)
{
    unsigned long state = interrupts_off();

    entry_write(entry_at(&space, page, 1), e);
    interrupts_restore(state);
}

static bool is_cached(frame_t frame)
{
    return machine_tlb_names(frame, (struct span){ 0, layout.space_end });
}

/* At the program's address: the kernel may have looked at the frame at one of its own. */
static bool is_cached_at(page_t page) { return machine_tlb_names(entry_frame(entry_of(page)), span_of(page, 1)); }

static uint32_t load(page_t page)
{
    struct machine_fault fault;
    uint32_t             value;

    if (!machine_load(&space, page_address(page), true, &value, &fault))
        fail_msg("page 0x%lx cannot be read", (unsigned long)page);
    return value;
}

static volatile uint32_t *word_at(vaddr_t address) { return pointer_to(address); }

/* Accesses from C, as the kernel makes them. */
static bool read_faults(vaddr_t address, struct machine_fault *fault)
{
    return MACHINE_FAULTS(fault, (void)*word_at(address));
}

static bool write_faults(vaddr_t address, uint32_t word, struct machine_fault *fault)
{
    return MACHINE_FAULTS(fault, *word_at(address) = word);
}

/* ---- The machine begins as a real boot does ------------------------------------------------ */

static void boot_tables_show_what_the_document_says(void **state)
{
    struct machine_config config = { .ram_bytes = 16 * MiB };
    struct start_facts    facts;
    struct machine_fault  fault;

    (void)state;
    machine_start(&config, &facts);
    for (uint32_t i = 0; i < layout.boot_map_count; i++) {
        const struct layout_boot_map *boot = &layout.boot_maps[i];

        for (page_t page = boot->span.first; page < boot->span.end; page += 7) {
            paddr_t physical = boot->physical + (page - boot->span.first) * PAGE_SIZE + 8;

            machine_ram[physical] = (uint8_t)page;
            assert_int_equal(*(volatile uint8_t *)pointer_to(page_address(page) + 8), (uint8_t)page);
        }
        assert_true(read_faults(page_address(boot->span.end), &fault));
    }
    assert_true(machine_tlb_ok());
    assert_null(memory_start(&facts));
    for (uint32_t i = 0; i < layout.boot_map_count; i++)        /* A17, A18 */
        if (!layout.boot_maps[i].keep) {
            assert_true(read_faults(page_address(layout.boot_maps[i].span.first) + 16, &fault));
            assert_int_equal(fault.address, page_address(layout.boot_maps[i].span.first) + 16);
            assert_false(fault.present || fault.write || fault.user);
        }
    assert_true(machine_tlb_ok());
    machine_stop();
}

static void the_image_has_the_rights_of_its_rows(void **state)
{
    struct machine_fault fault;

    (void)state;
    start();
    for (enum purpose section = PURPOSE_TEXT; section <= PURPOSE_DATA; section++) {
        const struct layout_region *row = layout.purpose[section];
        vaddr_t  at  = page_address(row->span.first + 1) + 64;
        uint32_t was = *word_at(at);

        assert_int_equal(was, *(uint32_t *)&machine_ram[((paddr_t)row->frame + 1) * PAGE_SIZE + 64]);
        assert_int_equal(write_faults(at, was, &fault), !(row->rights.kernel & WRITE));
        if (!(row->rights.kernel & WRITE))
            assert_true(fault.present && fault.write);
    }
    end();
}

static void the_directory_shows_in_the_last_page(void **state)
{
    (void)state;
    if (layout.access != ACCESS_SELF)
        return;                                         /* A16 is a claim of layouts with a self-map */
    start();
    map(PAGE_A, user_data, 1);
    for (page_t page = 0; page < layout.space_end; page += 1024 * 3) {
        uint32_t *directory = (uint32_t *)&machine_ram[frame_address(space.root)];

        assert_int_equal(word_at(0xFFFFF000)[page >> 10] & ~0x60u, directory[page >> 10] & ~0x60u);
    }
    assert_int_equal(*word_at(0xFFC00000 + 4 * PAGE_A) >> 12, entry_frame(entry_of(PAGE_A)).no);
    end();
}

/* ---- Translation ------------------------------------------------------------------------------ */

static void privileges_are_told_apart(void **state)
{
    static const struct {
        struct rights rights;
        bool          user_reads, user_writes, kernel_writes;
    } cases[] = {
        { { READ, 0 },                    false, false, false },
        { { READ | WRITE, 0 },            false, false, true },
        { { READ, READ },                 true,  false, false },
        { { READ | WRITE, READ | WRITE }, true,  true,  true },
    };
    struct machine_fault fault;
    uint32_t             value;

    (void)state;
    start();
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        vaddr_t at = page_address(PAGE_A + i);

        map(PAGE_A + i, cases[i].rights, 0x1000 + i);
        assert_true(machine_load(&space, at, false, &value, &fault));
        assert_int_equal(value, 0x1000 + i);
        assert_int_equal(machine_load(&space, at, true, &value, &fault), cases[i].user_reads);
        if (!cases[i].user_reads)
            assert_true(fault.present && fault.user && !fault.write && !fault.fetch && fault.address == at);
        assert_int_equal(machine_fetch(&space, at, true, &fault), cases[i].user_reads);
        assert_int_equal(machine_store(&space, at, true, 5, &fault), cases[i].user_writes);
        if (!cases[i].user_writes)
            assert_true(fault.present && fault.user && fault.write);
        assert_int_equal(machine_store(&space, at, false, 6, &fault), cases[i].kernel_writes);
    }
    assert_false(machine_load(&space, page_address(FAR), true, &value, &fault));
    assert_false(fault.present);
    end();
}

static void accessed_and_dirty_are_exact(void **state)
{
    (void)state;
    start();
    map(PAGE_A, user_data, 7);
    assert_false(entry_accessed(entry_of(PAGE_A)) || entry_dirty(entry_of(PAGE_A)));
    assert_int_equal(*word_at(page_address(PAGE_A) + 12), 7);
    assert_true(entry_accessed(entry_of(PAGE_A)));
    assert_false(entry_dirty(entry_of(PAGE_A)));
    *word_at(page_address(PAGE_A) + 12) = 8;
    assert_true(entry_dirty(entry_of(PAGE_A)));
    assert_int_equal(load(PAGE_A), 7);
    end();
}

static void the_cache_never_forgets(void **state)
{
    entry_t was;
    frame_t other;

    (void)state;
    start();
    map(PAGE_A, user_data, 0xAAAA);
    other = map(PAGE_B, user_data, 0xBBBB);
    was   = entry_of(PAGE_A);
    assert_int_equal(load(PAGE_A), 0xAAAA);
    assert_int_equal(*word_at(page_address(PAGE_A)), 0xAAAA);

    poke(PAGE_A, entry_leaf(other, user_data, CACHE_BACK, false, 1));
    assert_int_equal(load(PAGE_A), 0xAAAA);
    assert_int_equal(*word_at(page_address(PAGE_A)), 0xAAAA);
    assert_false(machine_tlb_ok());
    mmu_flush_page(PAGE_A);
    assert_int_equal(load(PAGE_A), 0xBBBB);
    assert_int_equal(*word_at(page_address(PAGE_A)), 0xBBBB);
    assert_true(machine_tlb_ok());

    poke(PAGE_A, entry_empty());
    assert_int_equal(load(PAGE_A), 0xBBBB);
    assert_false(machine_tlb_ok());
    poke(PAGE_A, was);
    mmu_flush_space();
    assert_int_equal(load(PAGE_A), 0xAAAA);
    end();
}

static void taking_rights_away_needs_a_flush_and_giving_needs_none(void **state)
{
    struct machine_fault fault;
    frame_t              frame;

    (void)state;
    start();
    frame = map(PAGE_A, user_const, 1);
    assert_int_equal(load(PAGE_A), 1);
    assert_false(machine_store(&space, page_address(PAGE_A), true, 2, &fault));
    poke(PAGE_A, entry_leaf(frame, user_data, CACHE_BACK, false, 1));
    assert_true(machine_tlb_ok());
    assert_true(machine_store(&space, page_address(PAGE_A), true, 2, &fault));
    poke(PAGE_A, entry_leaf(frame, user_const, CACHE_BACK, false, 1));
    assert_false(machine_tlb_ok());
    assert_true(machine_store(&space, page_address(PAGE_A), true, 3, &fault));      /* cached: still allowed */
    mmu_flush_page(PAGE_A);
    assert_false(machine_store(&space, page_address(PAGE_A), true, 4, &fault));
    assert_int_equal(load(PAGE_A), 3);
    end();
}

static void a_cleared_dirty_bit_needs_a_flush(void **state)
{
    entry_t clean;

    (void)state;
    start();
    map(PAGE_A, user_data, 1);
    clean = entry_of(PAGE_A);
    *word_at(page_address(PAGE_A)) = 2;
    poke(PAGE_A, clean);
    assert_false(machine_tlb_ok());
    *word_at(page_address(PAGE_A)) = 3;
    assert_false(entry_dirty(entry_of(PAGE_A)));                /* the write was lost to the bit */
    mmu_flush_page(PAGE_A);
    *word_at(page_address(PAGE_A)) = 4;
    assert_true(entry_dirty(entry_of(PAGE_A)));
    end();
}

static void upper_entries_are_remembered_too(void **state)
{
    struct machine_fault fault;
    uint32_t            *directory, upper, value;

    (void)state;
    start();
    map(PAGE_A, user_data, 1);
    map(PAGE_B, user_data, 2);
    assert_false(machine_load(&space, page_address(PAGE_B + 1), true, &value, &fault));
    directory = (uint32_t *)&machine_ram[frame_address(space.root)];
    upper = directory[PAGE_A >> 10];
    directory[PAGE_A >> 10] = 0;
    assert_int_equal(load(PAGE_A), 1);
    assert_false(machine_tlb_ok());
    mmu_flush_page(FAR);                                        /* any page: Intel SDM, INVLPG */
    assert_false(machine_load(&space, page_address(PAGE_B), true, &value, &fault));
    assert_int_equal(load(PAGE_A), 1);
    mmu_flush_page(PAGE_A);
    assert_false(machine_load(&space, page_address(PAGE_A), true, &value, &fault));
    directory[PAGE_A >> 10] = upper;
    end();
}

static void only_global_translations_survive_a_change_of_space(void **state)
{
    frame_t      data = { (uint32_t)layout.purpose[PURPOSE_DATA]->frame + 8 };
    struct space other;

    (void)state;
    start();
    map(PAGE_A, user_data, 1);
    assert_int_equal(load(PAGE_A), 1);
    assert_int_equal(space_create(&other), 0);
    *word_at(page_address(layout.purpose[PURPOSE_DATA]->span.first + 8)) = 1;
    run(&other);
    assert_false(is_cached_at(PAGE_A));
    assert_true(is_cached(data));
    mmu_flush_space();
    assert_true(is_cached(data));
    mmu_flush_all();
    assert_false(is_cached(data));
    run(&space);
    space_destroy(&other);
    end();
}

static void an_access_to_another_space_is_a_change_of_space(void **state)
{
    (void)state;
    start();
    map(PAGE_A, user_data, 1);
    run(&kernel_space);
    assert_int_equal(load(PAGE_A), 1);
    assert_true(frame_is(mmu_active(), kernel_space.root));
    assert_false(is_cached_at(PAGE_A));
    end();
}

static void a_large_page_maps_all_its_frames(void **state)
{
    const struct layout_region *window = layout.purpose[PURPOSE_HEAP];
    page_t        page = (window->span.first + 2047) / 1024 * 1024;     /* a stretch not in use yet */
    struct cursor c;

    (void)state;
    if (layout.access == ACCESS_TRACKED)
        return;                                         /* kernel space has every table: none can be left out */
    start();
    if (layout_kernel_has_own())
        run(&kernel_space);                     /* no other shows the heap */
    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1024), CURSOR_BUILD | CURSOR_LARGE), 0);
    cursor_map_large(&c, page, (frame_t){ 1024 }, kernel_data, CACHE_BACK);
    assert_true(entry_present(cursor_read(&c, page + 5)));
    assert_int_equal(cursor_next(&c, page), page);
    cursor_close(&c);
    for (page_t i = 0; i < 1024; i += 93) {
        *word_at(page_address(page + i) + 40) = (uint32_t)i;
        assert_int_equal(*(uint32_t *)&machine_ram[(1024 + i) * PAGE_SIZE + 40], i);
    }
    assert_true(machine_tlb_ok());
    if (!layout_kernel_has_own()) {
        assert_true(entry_dirty(entry_read(entry_at(&space, page, 2))));    /* each root has its own bit */
        entry_write(entry_at(&space, page, 2), entry_empty());
    }
    entry_write(entry_at(&kernel_space, page, 2), entry_empty());       /* no call does it: never needed */
    mmu_flush_all();
    end();
}

static void where_no_memory_is_all_bits_are_one(void **state)
{
    struct region        window;
    struct machine_fault fault;

    (void)state;
    start();
    if (layout_kernel_has_own())
        run(&kernel_space);
    assert_int_equal(kernel_map_device(&window, "nothing", 0xFEC00000, 2 * PAGE_SIZE, CACHE_OFF), 0);
    assert_int_equal(*word_at(page_address(window.span.first) + 32), UINT32_MAX);
    *word_at(page_address(window.span.first) + 32) = 0;         /* goes nowhere, harms nothing */
    assert_true(machine_tlb_ok());
    kernel_unmap(&window);
    assert_true(read_faults(page_address(window.span.first) + 32, &fault));
    end();
}

static void a_flush_can_be_left_out(void **state)
{
    (void)state;
    start();
    map(PAGE_A, user_data, 1);
    machine_skip_flush(2);
    load(PAGE_A);
    mmu_flush_page(PAGE_A);
    assert_false(is_cached_at(PAGE_A));
    load(PAGE_A);
    mmu_flush_page(PAGE_A);
    assert_int_equal(machine_skip_pending(), 0);
    assert_true(is_cached_at(PAGE_A));
    end();
}

/* ---- Views of frames ------------------------------------------------------------------------------ */

static void a_view_shows_the_frame(void **state)
{
    frame_t frames[3];

    (void)state;
    start();
    for (unsigned i = 0; i < COUNT_OF(frames); i++) {
        assert_int_equal(frame_get(OWNER_TEST, 0, &frames[i]), 0);
        for (unsigned j = 0; j < 2; j++)
            memset(frame_view(frames[i], SLOT_INSPECT), (int)(i + 1), PAGE_SIZE);
    }
    for (unsigned i = 0; i < COUNT_OF(frames); i++)
        assert_int_equal(machine_ram[frame_address(frames[i]) + 4095], i + 1);
    frame_copy(frames[0], frames[2]);
    assert_int_equal(machine_ram[frame_address(frames[0])], 3);
    frame_clear(frames[1]);
    assert_int_equal(machine_ram[frame_address(frames[1]) + 77], 0);
    for (unsigned i = 0; i < COUNT_OF(frames); i++)
        frame_put(frames[i]);
    end();
}

static void a_slot_is_flushed_when_it_shows_another_frame(void **state)
{
    frame_t  frame;
    uint64_t before;

    (void)state;
    start();
    if (layout_kernel_has_own())
        run(&kernel_space);                     /* no other shows the slots */
    assert_int_equal(frame_run_get(OWNER_TEST, 2, 1024, 0, 0, &frame), 0);      /* at 4 MiB or above */
    if (frame_address(frame) >= direct_end()) {           /* else it has a permanent address */
        before = machine_counts.page_flushes;
        *(volatile uint32_t *)frame_view(frame, SLOT_INSPECT) = 1;
        (void)frame_view(frame, SLOT_INSPECT);
        assert_int_equal(machine_counts.page_flushes, before);
        *(volatile uint32_t *)frame_view((frame_t){ frame.no + 1 }, SLOT_INSPECT) = 2;
        assert_int_equal(machine_counts.page_flushes, before + 1);
        assert_int_equal(*(uint32_t *)&machine_ram[frame_address(frame)], 1);
        assert_int_equal(*(uint32_t *)&machine_ram[frame_address(frame) + PAGE_SIZE], 2);
    }
    frame_run_put(frame, 2);
    end();
}

static void physical_memory_has_permanent_pointers_up_to_direct_end(void **state)
{
    (void)state;
    start();
    if (direct_end() != 0) {                  /* a layout may have no such window at all */
        assert_ptr_equal(physical_pointer(0x5000, 64), pointer_to(layout.kernel_offset + 0x5000));
        assert_ptr_equal(physical_pointer(direct_end() - 64, 64),
                         pointer_to(layout.kernel_offset + (vaddr_t)direct_end() - 64));
    }
    assert_null(physical_pointer(direct_end() - 64, 65));
    assert_null(physical_pointer(UINT64_MAX - 1, 64));
    assert_null(physical_pointer(0x100000000ull, 1));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_tables_show_what_the_document_says),
        cmocka_unit_test(the_image_has_the_rights_of_its_rows),
        cmocka_unit_test(the_directory_shows_in_the_last_page),
        cmocka_unit_test(privileges_are_told_apart),
        cmocka_unit_test(accessed_and_dirty_are_exact),
        cmocka_unit_test(the_cache_never_forgets),
        cmocka_unit_test(taking_rights_away_needs_a_flush_and_giving_needs_none),
        cmocka_unit_test(a_cleared_dirty_bit_needs_a_flush),
        cmocka_unit_test(upper_entries_are_remembered_too),
        cmocka_unit_test(only_global_translations_survive_a_change_of_space),
        cmocka_unit_test(an_access_to_another_space_is_a_change_of_space),
        cmocka_unit_test(a_large_page_maps_all_its_frames),
        cmocka_unit_test(where_no_memory_is_all_bits_are_one),
        cmocka_unit_test(a_flush_can_be_left_out),
        cmocka_unit_test(a_view_shows_the_frame),
        cmocka_unit_test(a_slot_is_flushed_when_it_shows_another_frame),
        cmocka_unit_test(physical_memory_has_permanent_pointers_up_to_direct_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
