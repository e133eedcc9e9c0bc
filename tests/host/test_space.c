/*
 * test_space.c - address spaces and kernel windows on a machine that runs, and the start of memory itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "clean.h"
#include "cpu.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"
#include "user_page.h"

#define READ  MAY_READ
#define WRITE MAY_WRITE

static const struct rights user_data = { READ | WRITE, READ | WRITE };

static void boot(uint64_t bytes)
{
    const char *problem = machine_boot(bytes);

    if (problem != NULL)
        fail_msg("%s", problem);
}

static uint32_t owned(enum owner owner)
{
    struct frame_sums sums;

    frames_sums(&sums);
    return sums.owned[owner];
}

static volatile uint32_t *word_at(vaddr_t address) { return pointer_to(address); }

static bool read_faults(vaddr_t address)
{
    struct machine_fault fault;

    return MACHINE_FAULTS(&fault, (void)*word_at(address));
}

/* A space all of which a program may use. */
static int create(struct space *space, struct region *all)
{
    int err = space_create(space);

    *all = (struct region){ .span = layout.purpose[PURPOSE_USER]->span, .name = "all",
                            .rights = { READ | WRITE, READ | WRITE | MAY_EXECUTE } };
    if (err == 0)
        assert_int_equal(region_insert(&space->map, all), 0);
    return err;
}

static void map_user(struct space *space, page_t page, uint32_t word)
{
    struct cursor c;
    frame_t       frame;

    assert_int_equal(frame_get(OWNER_USER, FRAME_ZERO, &frame), 0);
    *(uint32_t *)&machine_ram[frame_address(frame)] = word;
    assert_int_equal(cursor_open(&c, space, span_of(page, 1), CURSOR_BUILD), 0);
    cursor_map(&c, page, frame, user_data, CACHE_BACK);
    cursor_close(&c);
}

static uint32_t load(const struct space *space, page_t page)
{
    struct machine_fault fault;
    uint32_t             value = 0;

    assert_true(machine_load(space, page_address(page), true, &value, &fault));
    return value;
}

/* ---- Spaces ----------------------------------------------------------------------------------- */

static void spaces_do_not_see_each_other(void **state)
{
    struct space  one, two;
    struct region all_one, all_two;
    struct machine_fault fault;
    uint32_t      value;

    (void)state;
    boot(16 * MiB);
    assert_int_equal(create(&one, &all_one), 0);
    assert_int_equal(create(&two, &all_two), 0);
    map_user(&one, USER_PAGE(0x1000), 11);
    map_user(&two, USER_PAGE(0x1000), 22);
    map_user(&two, USER_PAGE(0x2000), 33);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(load(&one, USER_PAGE(0x1000)), 11);
        assert_int_equal(load(&two, USER_PAGE(0x1000)), 22);
        assert_int_equal(load(&two, USER_PAGE(0x2000)), 33);
        assert_false(machine_load(&one, page_address(USER_PAGE(0x2000)), true, &value, &fault));
        space_activate(round ? &kernel_space : &two);
    }
    assert_clean();
    space_destroy(&one);
    assert_int_equal(load(&two, USER_PAGE(0x1000)), 22);
    space_destroy(&two);
    assert_int_equal(owned(OWNER_USER), 0);
    assert_clean();
    machine_stop();
}

static void kernel_memory_is_out_of_a_programs_reach(void **state)
{
    struct space  space;
    struct region all;
    struct machine_fault fault;
    uint32_t      value;

    (void)state;
    boot(16 * MiB);
    assert_int_equal(create(&space, &all), 0);
    for (page_t page = 0; page < layout.space_end; page += 511) {
        if (page_is_users(page))
            continue;
        assert_false(machine_load(&space, page_address(page), true, &value, &fault));
        assert_false(machine_store(&space, page_address(page), true, 0, &fault));
        assert_true(fault.user && fault.write);
    }
    space_destroy(&space);
    assert_clean();
    machine_stop();
}

static void creation_without_memory_changes_nothing(void **state)
{
    struct frame_sums before, after;
    struct space      space;
    int               err = -ENOMEM;

    (void)state;
    boot(16 * MiB);
    for (uint32_t k = 1; err == -ENOMEM; k++) {
        frames_sums(&before);
        frame_fail_at(k);
        err = space_create(&space);
        frame_fail_at(0);
        if (err == 0) {
            assert_true(k > 1);
            space_destroy(&space);
        }
        frames_sums(&after);
        assert_memory_equal(before.owned, after.owned, sizeof before.owned);
        assert_ptr_equal(space_after(&kernel_space), NULL);
        assert_clean();
    }
    assert_int_equal(err, 0);
    machine_stop();
}

/* As many as the document has room for: each takes this many pages of its window of bookkeeping, where it has one. */
enum { SPACES = 1000, PLACES_A_SPACE = 3 };

static unsigned spaces_that_fit(void)
{
    const struct layout_region *window = layout.purpose[PURPOSE_BOOKKEEPING];

    return window != NULL ? span_pages(window->span) / PLACES_A_SPACE : SPACES;
}

static void a_thousand_spaces_fit(void **state)
{
    static struct space spaces[SPACES];
    unsigned count = spaces_that_fit();
    uint32_t before, places, lists;

    (void)state;
    boot(32 * MiB);
    before = frames_free();
    places = owned(OWNER_PROCESS);
    lists  = owned(OWNER_TRACKERS);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(space_create(&spaces[i]), 0);
        map_user(&spaces[i], USER_PAGE(0x500), i);
    }
    places = owned(OWNER_PROCESS) - places;
    assert_int_equal(places, count < SPACES ? count : 0);
    lists  = owned(OWNER_TRACKERS) - lists;
    assert_in_range(lists, 0, count / 100);             /* shared by hundreds of spaces */
    /* root, table, page; structure */
    assert_int_equal(frames_free(), before - (3 + tables_from_the_start()) * count - places - lists);
    for (unsigned i = 0; i < count; i += 37)
        assert_int_equal(load(&spaces[i], USER_PAGE(0x500)), i);
    for (unsigned i = 0; i < count; i++)
        space_destroy(&spaces[i * 7 % count]);
    assert_int_equal(frames_free(), before);
    assert_clean();
    machine_stop();
}

/* The bits that the processor sets in one root's copy of a kernel entry do not make the roots differ. */
static void kernel_windows_look_the_same_from_every_space(void **state)
{
    struct space  spaces[3];
    struct region alls[3], window;

    (void)state;
    boot(16 * MiB);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(create(&spaces[i], &alls[i]), 0);
    space_activate(&spaces[1]);
    assert_int_equal(kernel_map(&window, PURPOSE_HEAP, "window", 1100, 0, OWNER_TEST), 0);
    for (unsigned i = 0; i < 3; i++) {
        space_activate(&spaces[i]);
        for (page_t page = window.span.first; page < window.span.end; page += 99)
            *word_at(page_address(page)) = i == 0 ? 1 : *word_at(page_address(page)) + 1;
        assert_clean();
    }
    for (page_t page = window.span.first; page < window.span.end; page += 99)
        assert_int_equal(*word_at(page_address(page)), 3);
    kernel_unmap(&window);
    for (unsigned i = 0; i < 3; i++) {
        space_activate(&spaces[i]);
        assert_true(read_faults(page_address(window.span.first)));
    }
    space_activate(&kernel_space);
    for (unsigned i = 0; i < 3; i++)
        space_destroy(&spaces[i]);
    assert_clean();
    machine_stop();
}

/* ---- Windows ------------------------------------------------------------------------------------- */

/* Give kernel space a table it lacks, in the part of the heap from *at on. Returns its first page; 0: none lacks. */
static page_t grow_kernel_space(page_t *at)
{
    page_t reach = mmu_reach(MMU_LEVELS), end = layout.purpose[PURPOSE_HEAP]->span.end;

    for (; *at + reach <= end; *at += reach) {
        struct cursor c;

        if (root_entry_is_users(*at) || entry_kind(entry_read(entry_at(&kernel_space, *at, MMU_LEVELS)), MMU_LEVELS) !=
            ENTRY_EMPTY)
            continue;
        assert_int_equal(cursor_open(&c, &kernel_space, span_of(*at, 1), CURSOR_BUILD), 0);
        cursor_close(&c);
        return *at;
    }
    return 0;
}

static bool has_table(struct space *space, page_t page)
{
    lock_state state = lock_take(&space->tables_lock);
    bool       has   = entry_kind(entry_read(entry_at(space, page, MMU_LEVELS)), MMU_LEVELS) == ENTRY_TABLE;

    lock_drop(&space->tables_lock, state);
    return has;
}

/*
 * A table that kernel space gains is written into the root in use alone, however many spaces there are; each of the
 * others has it, and all it missed, when it is used. `tables`: a few are known one by one, more are copied with all.
 */
static void check_growth(unsigned tables)
{
    struct space  used, others[2];
    struct region alls[3];
    page_t        reach = mmu_reach(MMU_LEVELS), last = 0;
    page_t        at    = round_down(layout.purpose[PURPOSE_HEAP]->span.first + reach - 1, reach);

    boot(16 * MiB);
    assert_int_equal(create(&used, &alls[0]), 0);
    assert_int_equal(create(&others[0], &alls[1]), 0);
    assert_int_equal(create(&others[1], &alls[2]), 0);
    space_activate(&used);
    for (unsigned i = 0; i < tables; i++) {
        page_t grown = grow_kernel_space(&at);

        if (grown == 0)
            break;
        assert_true(has_table(&used, grown));
        assert_false(has_table(&others[0], grown));
        last = grown;
    }
    if (last != 0) {
        space_activate(&others[0]);
        assert_true(has_table(&others[0], last));
        assert_false(has_table(&others[1], last));
    }
    assert_clean();
    assert_true(last == 0 || has_table(&others[1], last));
    space_activate(&kernel_space);
    for (unsigned i = 0; i < 2; i++)
        space_destroy(&others[i]);
    space_destroy(&used);
    assert_clean();
    machine_stop();
}

static void kernel_space_grows_in_one_step_however_many_spaces_there_are(void **state)
{
    (void)state;
    check_growth(1);
    check_growth(5);
    check_growth(40);
}

static void a_window_has_its_guard_below(void **state)
{
    struct region region;

    (void)state;
    boot(16 * MiB);
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "guarded", 3, 2, OWNER_TEST), 0);
    assert_int_equal(span_pages(region.span), 5);
    assert_true(read_faults(page_address(region.span.first)));
    assert_true(read_faults(page_address(region.span.first + 2) - 4));
    *word_at(page_address(region.span.first + 2)) = 1;
    *word_at(page_address(region.span.end) - 4) = 2;
    assert_clean();
    kernel_unmap(&region);
    assert_int_equal(owned(OWNER_TEST), 0);
    assert_true(read_faults(page_address(region.span.end) - 4));
    assert_clean();
    machine_stop();
}

/* Let allocation k fail, for k = 1, 2, ... until the call gets through. Kernel tables that were made stay. */
static void mapping_without_memory_changes_nothing(void **state)
{
    struct region region;
    int           err = -ENOMEM;
    uint32_t      k;

    (void)state;
    boot(16 * MiB);
    for (k = 1; err == -ENOMEM; k++) {
        size_t regions = kernel_space.map.count;

        frame_fail_at(k);
        err = kernel_map(&region, PURPOSE_HEAP, "sweep", 6, 1, OWNER_TEST);
        frame_fail_at(0);
        if (err == 0)
            break;
        assert_int_equal(kernel_space.map.count, regions);
        assert_int_equal(owned(OWNER_TEST), 0);
        assert_clean();
    }
    assert_int_equal(err, 0);
    assert_true(k > 6);
    kernel_unmap(&region);
    assert_clean();
    machine_stop();
}

static void absurd_windows_are_refused(void **state)
{
    struct region region;

    (void)state;
    boot(16 * MiB);
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "wide", SIZE_MAX, 1, OWNER_TEST), -ENOMEM);
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "wide", 1, SIZE_MAX, OWNER_TEST), -ENOMEM);
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "all of RAM", 4096, 0, OWNER_TEST), -ENOMEM);
    assert_int_equal(kernel_map_device(&region, "RAM", 8 * MiB, PAGE_SIZE, CACHE_OFF), -EINVAL);
    assert_int_equal(kernel_map_device(&region, "beyond", 1ull << 40, PAGE_SIZE, CACHE_OFF), -EINVAL);
    assert_int_equal(kernel_map_device(&region, "wraps", 0xFFFFF000, 2 * PAGE_SIZE, CACHE_OFF), -EINVAL);
    assert_int_equal(kernel_map_device(&region, "empty", 0xFEC00000, 0, CACHE_OFF), -EINVAL);
    assert_int_equal(owned(OWNER_TEST), 0);
    assert_clean();
    machine_stop();
}

/* ---- The start of memory -------------------------------------------------------------------------- */

/* Whatever RAM there is: memory starts and is sound, or a text says why not. More is never worse. */
static void every_amount_of_ram_starts_or_says_why_not(void **state)
{
    uint64_t image_end = ((uint64_t)layout.purpose[PURPOSE_DATA]->frame + 32) * PAGE_SIZE;
    uint64_t least = 0;

    (void)state;
    for (uint64_t bytes = image_end; bytes < machine_pool_start() + 4 * MiB; bytes += 5 * PAGE_SIZE) {
        const char *problem = machine_boot(bytes);

        if (problem == NULL) {
            least = least == 0 ? bytes : least;
            assert_clean();
        } else {
            assert_true(strlen(problem) > 20);
            assert_int_equal(least, 0);
        }
        machine_stop();
    }
    assert_int_not_equal(least, 0);
    print_message("least RAM on the host: %u KiB\n", (unsigned)(least / KiB));
}

static void firmware_may_say_what_it_likes(void **state)
{
    struct boot_range ranges[24];

    (void)state;
    srand(5);
    for (unsigned round = 0; round < 60; round++) {
        struct machine_config config = { .ram_bytes = machine_pool_start() + 7 * MiB, .ranges = ranges,
                                         .range_count = COUNT_OF(ranges) };
        struct start_facts    facts;
        struct boot_info      info;

        for (unsigned i = 0; i < COUNT_OF(ranges); i++)
            ranges[i] = (struct boot_range){ (uint64_t)rand() % (9 * MiB),
                                             (uint64_t)rand() % (3 * MiB) >> rand() % 12,
                                             rand() % 8 == 0 ? BOOT_RESERVED : BOOT_USABLE };
        ranges[3] = (struct boot_range){ UINT64_MAX - 5, 100, (uint32_t)rand() };
        ranges[7] = (struct boot_range){ 8 * MiB, UINT64_MAX, BOOT_RESERVED };      /* the range leaves no more RAM */
        machine_start(&config, &facts);
        info = *facts.info;
        info.module_count = 2;
        info.modules[0] = (struct boot_module){ .start = 0x700001, .end = 0x700003 };
        info.modules[1] = (struct boot_module){ .start = 0xFFFFFFFF, .end = 1 };
        facts.info = &info;
        if (memory_start(&facts) == NULL)
            assert_clean();
        machine_stop();
    }
}

static void processors_without_large_or_global_pages_serve(void **state)
{
    (void)state;
    for (unsigned lacks = 0; lacks < 4; lacks++) {
        struct machine_config config = { .ram_bytes = 24 * MiB, .no_large = lacks & 1,
                                         .no_global = lacks & 2 };
        struct start_facts    facts;
        struct space          space;
        struct region         all;

        machine_start(&config, &facts);
        assert_null(memory_start(&facts));
        assert_int_equal(create(&space, &all), 0);
        space_activate(&space);
        map_user(&space, USER_PAGE(0x777), 3);
        assert_int_equal(load(&space, USER_PAGE(0x777)), 3);
        if (direct_end() != 0)
            (void)*(volatile uint32_t *)pointer_to(layout.kernel_offset + (vaddr_t)direct_end() - 4);
        assert_clean();
        space_activate(&kernel_space);
        space_destroy(&space);
        machine_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces_do_not_see_each_other),
        cmocka_unit_test(kernel_memory_is_out_of_a_programs_reach),
        cmocka_unit_test(creation_without_memory_changes_nothing),
        cmocka_unit_test(a_thousand_spaces_fit),
        cmocka_unit_test(kernel_windows_look_the_same_from_every_space),
        cmocka_unit_test(kernel_space_grows_in_one_step_however_many_spaces_there_are),
        cmocka_unit_test(a_window_has_its_guard_below),
        cmocka_unit_test(mapping_without_memory_changes_nothing),
        cmocka_unit_test(absurd_windows_are_refused),
        cmocka_unit_test(every_amount_of_ram_starts_or_says_why_not),
        cmocka_unit_test(firmware_may_say_what_it_likes),
        cmocka_unit_test(processors_without_large_or_global_pages_serve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
