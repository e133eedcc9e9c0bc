/*
 * test_populate.c - a process's memory step by step: the order, watched from outside, and every step made to fail.
 */
#include "tests/host/clean.h"
#include "tests/host/cursor_world.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/spaces/populate.h"
#include "memory/tables/table.h"

static const struct rights program = { READ | WRITE, READ | WRITE | RUN };

/* ---- A watcher that looks at the tables after every step --------------------------------------------- */

struct looker {
    struct populate_watch watch;
    uint32_t steps, pages, chunks;
    page_t   next;                      /* the page that is to come                             */
    bool     mapped;                    /* POPULATE_PAGE_TAKEN was last, so now it is mapped      */
    frame_t  table;                     /* of the chunk that is being built                     */
    frame_t  taken;
};

static bool root_leads_on(page_t page)
{
    entry_t e;
    lock_state state = lock_take(&space.tables_lock);

    e = entry_read(entry_at(&space, page, MMU_LEVELS));
    lock_drop(&space.tables_lock, state);
    return entry_kind(e, MMU_LEVELS) == ENTRY_TABLE;
}

/* How many pages from `first` on the table in plain memory shows, one after the other. */
static uint32_t filled(frame_t table)
{
    const entry_t *entries = (const entry_t *)&machine_ram[frame_address(table)];
    uint32_t       count = 0;

    while (count < MMU_ENTRIES && entry_present(entries[count]))
        count++;
    for (uint32_t i = count; i < MMU_ENTRIES; i++)
        assert_int_equal(entries[i].raw, 0);
    return count;
}

static void look(struct populate_watch *watch, enum populate_step step, page_t page, frame_t frame)
{
    struct looker *l     = CONTAINER_OF(watch, struct looker, watch);
    bool           table = step == POPULATE_TABLE_TAKEN || step == POPULATE_CHUNK_LINKED;

    l->steps++;
    assert_true(frame_owner(frame) == (table ? OWNER_TABLES : OWNER_USER));
    switch (step) {
    case POPULATE_PAGE_TAKEN:
        assert_int_equal(page, l->next);
        assert_true(!l->mapped);
        assert_int_equal(entry_of(page).raw, 0);                /* taken, and not mapped yet */
        l->taken  = frame;
        l->mapped = true;
        break;
    case POPULATE_PAGE_MAPPED:
        assert_true(l->mapped && page == l->next && frame_is(frame, l->taken));
        assert_true(frame_is(entry_frame(entry_of(page)), frame));
        l->mapped = false;
        l->pages++;
        l->next++;
        break;
    case POPULATE_TABLE_TAKEN:
        assert_int_equal(page, l->next);
        assert_false(root_leads_on(page));
        assert_int_equal(filled(frame), 0);
        l->table = frame;
        break;
    case POPULATE_CHUNK_PAGE:
        assert_int_equal(page, l->next);
        assert_false(root_leads_on(page));                      /* the directory knows nothing of it */
        assert_int_equal(filled(l->table), page % MMU_ENTRIES + 1);
        l->next++;
        break;
    case POPULATE_CHUNK_LINKED:
        assert_true(frame_is(frame, l->table) && page + MMU_ENTRIES == l->next);
        assert_true(root_leads_on(page));
        assert_int_equal(filled(frame), MMU_ENTRIES);
        l->chunks++;
        break;
    }
}

static struct looker looker_from(page_t first) { return (struct looker){ .watch = { look }, .next = first }; }

/* ---- Tests ---------------------------------------------------------------------------------------------- */

static void pages_are_taken_and_mapped_one_by_one_from_the_base_up(void **state)
{
    static const char image[] = "a flat image, a little longer than nothing";
    struct span    span = span_of(USER_PAGE(0x4FE), 7);         /* across the border of two tables */
    struct looker  looker = looker_from(span.first);
    uint32_t       word;
    struct machine_fault fault;

    (void)state;
    start();
    assert_int_equal(populate_span(&space, span, program, (struct populate_image){ image, sizeof image },
                                   &looker.watch), 0);
    assert_int_equal(looker.steps, 14);
    assert_int_equal(looker.pages, 7);
    assert_int_equal(space.resident, 7);
    for (size_t i = 0; i + 4 <= sizeof image; i += 4) {
        assert_true(machine_load(&space, page_address(span.first) + i, true, &word, &fault));
        assert_memory_equal(&word, image + i, 4);
    }
    for (page_t page = span.first + 1; page < span.end; page++) {
        assert_true(machine_load(&space, page_address(page), true, &word, &fault));
        assert_int_equal(word, 0);
    }
    assert_clean();
    end();
}

static void a_chunk_is_complete_before_the_directory_leads_to_it(void **state)
{
    static uint8_t image[3 * PAGE_SIZE + 100];
    page_t         first = USER_PAGE(0x400);
    struct looker  looker = looker_from(first);
    struct machine_fault fault;
    uint32_t       word;

    (void)state;
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)(i * 7);
    start();
    assert_int_equal(populate_chunk(&space, first, program, (struct populate_image){ image, sizeof image },
                                    &looker.watch), 0);
    assert_int_equal(looker.steps, 1 + MMU_ENTRIES + 1);
    assert_int_equal(looker.chunks, 1);
    assert_int_equal(space.resident, MMU_ENTRIES);
    assert_int_equal(space.table_frames, 2 + tables_from_the_start());
    for (size_t i = 0; i < sizeof image; i += 4) {
        assert_true(machine_load(&space, page_address(first) + i, true, &word, &fault));
        assert_memory_equal(&word, image + i, 4);
    }
    assert_true(machine_load(&space, page_address(first + MMU_ENTRIES) - 4, true, &word, &fault) && word == 0);
    assert_clean();
    end();
}

static void a_long_span_is_chunks_with_pages_around_them(void **state)
{
    struct span   span = span_of(USER_PAGE(0x7FE), 2 + MMU_ENTRIES + 3);
    struct looker looker = looker_from(span.first);

    (void)state;
    start();
    assert_int_equal(populate_span(&space, span, program, (struct populate_image){ NULL, 0 }, &looker.watch), 0);
    assert_int_equal(looker.pages, 5);
    assert_int_equal(looker.chunks, 1);
    assert_int_equal(looker.next, span.end);
    assert_int_equal(space.resident, span_pages(span));
    assert_int_equal(space.table_frames, 4 + tables_from_the_start());
    assert_clean();
    end();
}

/* Let allocation k fail, for k = 1, 2, ... until the call gets through; in the middle of the chunk not each of them. */
static void every_step_made_to_fail_leaks_nothing(void **state)
{
    struct span span = span_of(USER_PAGE(0x7FE), 2 + MMU_ENTRIES + 3);
    uint32_t    needed = 2 + MMU_ENTRIES + 3 + 3, failures = 0, step;
    int         err = -ENOMEM;

    (void)state;
    start();
    for (uint32_t k = 1; err == -ENOMEM; k += step) {
        struct frame_sums before, after;

        frames_sums(&before);
        frame_fail_at(k);
        err = populate_span(&space, span, program, (struct populate_image){ NULL, 0 }, NULL);
        frame_fail_at(0);
        if (err == 0) {
            assert_int_equal(k, needed + 1);
            break;
        }
        frames_sums(&after);
        assert_memory_equal(before.owned, after.owned, sizeof before.owned);
        assert_int_equal(space.resident, 0);
        assert_int_equal(space.table_frames, 1 + tables_from_the_start());
        assert_clean();
        failures++;
        step = k > 8 && k + 43 < needed - 4 ? 43 : 1;
    }
    assert_int_equal(err, 0);
    assert_true(failures > 24);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_taken_and_mapped_one_by_one_from_the_base_up),
        cmocka_unit_test(a_chunk_is_complete_before_the_directory_leads_to_it),
        cmocka_unit_test(a_long_span_is_chunks_with_pages_around_them),
        cmocka_unit_test(every_step_made_to_fail_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
