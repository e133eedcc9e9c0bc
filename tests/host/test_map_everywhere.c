/*
 * test_map_everywhere.c - every call about a program's memory at every place of one picture: test_map_everywhere.txt.
 *
 * The picture has a region of each kind, with pages in every state. Each call is made from each page on, over several
 * lengths; a line says what it returned each time, and a sum of all that there is afterwards: regions with all that
 * they say, entries, frames' references, and what is counted. So nothing becomes other unnoticed, also where a block
 * or a frame is refused on the way.
 */
#include "map_world.h"

#include "kept_lines.h"
#include "map_sum.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/map_pages.h"
#include "memory/spaces/map_region.h"
#include "memory/spaces/object.h"

enum { COLUMNS = 26, PAGE_OUT = 21, MAY_MOVE = 1, FIXED = 2, KEEP_OLD = 4 };

static struct object *object;
static vaddr_t        out;

/* ---- The picture --------------------------------------------------------------------------------------- */

static void enter(size_t first, size_t pages, uint8_t rights, uint32_t flags, uint64_t offset)
{
    struct map_request wanted = request(column(first), pages, rights, MAP_IS_FIXED | flags);

    if (offset != UINT64_MAX) {
        wanted.object = object;
        wanted.offset = offset;
    }
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

/*
 *   0         5         10        15        20        25
 *   wwww|ww r|S S S s s|-|P P|ll|g . . x N N .          see below
 */
static void draw_all(void)
{
    int status;

    object = object_create(OWNER_SHARED, 9);
    assert_non_null(object);
    program.limits.locked = 6 * PAGE_SIZE;
    enter(0, 4, R | W, 0, UINT64_MAX);                  /* private: written, out, read, not there */
    enter(4, 2, R, 0, UINT64_MAX);
    enter(6, 4, R | W, MAP_IS_SHARED, 2);
    enter(10, 3, R | W, 0, 4);                          /* private, of the same object, which ends in it */
    enter(13, 2, 0, 0, UINT64_MAX);
    map_pages(&program, column(15), 0xA0000, 2 * PAGE_SIZE, &status);
    assert_int_equal(status, 0);
    enter(17, 2, R | W, MAP_IS_LOCKED, UINT64_MAX);
    enter(21, 2, R | W, MAP_GROWS_DOWN, UINT64_MAX);
    enter(23, 1, R | X, 0, UINT64_MAX);
    enter(24, 1, R | W, MAP_NO_RESERVE, UINT64_MAX);
    for (size_t n = 0; n < 3; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 7));
    assert_int_equal(map_advise(&program, column(1), PAGE_SIZE, PAGE_OUT), 0);
    (void)word_at(column(4));
    assert_true(writes(&program, column(7), 1));
    assert_true(writes(&program, column(10), 2));
    (void)word_at(column(11));
    assert_true(writes(&program, column(22), 3));
}

static void wipe_out(void)
{
    map_clear(&program);
    program.lock_future = 0;
    set_limits(&program);
    program.most_pages = 0;
    program.peak       = 0;
    object_release(object);
}

static uint32_t sum_of_all(void)
{
    begin_sum();
    add_space(&program, COLUMNS);
    add_object(object);
    return sum;
}

/* ---- The calls ----------------------------------------------------------------------------------------- */

static uint8_t residents[64];

static int call(unsigned which, size_t first, size_t pages)
{
    vaddr_t at = column(first);
    size_t  bytes = pages * PAGE_SIZE;
    struct map_request wanted = request(at, pages, R | W, 0);

    switch (which) {
    case 0:  return map_remove(&program, at, bytes);
    case 1:  return map_protect(&program, at, bytes, R);
    case 2:  return map_protect(&program, at, bytes, R | W);
    case 3:  return map_protect(&program, at, bytes, 0);
    case 4:  return map_protect(&program, at, bytes, R | X);
    case 5:  return map_protect_growing(&program, at, bytes, R);
    case 6:  return map_lock(&program, at, bytes, false);
    case 7:  return map_lock(&program, at, bytes, true);
    case 8:  return map_unlock(&program, at, bytes);
    case 9:  return map_sync(&program, at, bytes, 4);
    case 10: return map_sync(&program, at, bytes, 2);
    case 11: return map_show_other(&program, at, bytes, 3);
    case 12: return map_move(&program, at, bytes, bytes + PAGE_SIZE, 0, 0, &out);
    case 13: return map_move(&program, at, bytes, bytes + PAGE_SIZE, MAY_MOVE, 0, &out);
    case 14: return map_move(&program, at, bytes, bytes > PAGE_SIZE ? bytes - PAGE_SIZE : bytes, MAY_MOVE, 0, &out);
    case 15: return map_move(&program, at, bytes, bytes, MAY_MOVE | KEEP_OLD, 0, &out);
    case 16: return map_move(&program, at, bytes, bytes, MAY_MOVE | FIXED, column(40), &out);
    case 17: return map_move(&program, at, bytes, 2 * PAGE_SIZE, MAY_MOVE | FIXED, column(12), &out);
    case 18: return map_move(&program, at, 0, bytes, MAY_MOVE, 0, &out);
    case 19: wanted.flags = MAP_IS_FIXED;                       return map_create(&program, &wanted, &out);
    case 20: wanted.flags = MAP_NO_REPLACE;                     return map_create(&program, &wanted, &out);
    case 21: wanted.flags = MAP_IS_SHARED;                      return map_create(&program, &wanted, &out);
    case 22: wanted.flags = MAP_IS_FIXED | MAP_IS_LOCKED;       return map_create(&program, &wanted, &out);
    case 23: wanted.flags = MAP_IS_FIXED | MAP_POPULATE_NOW;    return map_create(&program, &wanted, &out);
    case 24: return map_refusal(&program, &wanted);
    case 25: return pages > COUNT_OF(residents) ? 0 : map_residency(&program, span_of(page_of(at), pages), residents);
    default: return map_advise(&program, at, bytes, (int)which - 26);
    }
}

enum { CALLS = 26 + 26 };

static const char *const names[] = {
    "unmap", "protect r", "protect rw", "protect -", "protect rx", "protect down", "lock", "lock on fault", "unlock",
    "sync", "sync and invalidate", "show other", "grow", "grow or move", "shrink", "move, keep", "move", "move into",
    "show again", "map fixed", "map where free", "map shared", "map locked", "map populated", "ask", "which are there",
};

static const size_t lengths[] = { 0, 1, 3, 8 };

static void each_call_at_each_place(void)
{
    for (unsigned which = 0; which < CALLS; which++)
        for (size_t first = 0; first < COLUMNS; first++) {
            char     text[300];
            int      used = 0;
            uint32_t all  = 0;

            for (size_t i = 0; i < COUNT_OF(lengths); i++) {
                int err;

                draw_all();
                err   = call(which, first, lengths[i]);
                used += snprintf(text + used, sizeof text - (size_t)used, " %d", err);
                all   = all * 31 + sum_of_all() + (which == 25 && err == 0 ? residents[0] * 3u + residents[2] : 0);
                wipe_out();
            }
            kept_line("%s %d, from page %zu:%s; %08x", which < COUNT_OF(names) ? names[which] : "advise",
                      which < COUNT_OF(names) ? 0 : (int)which - 26, first, text, all);
        }
}

/* The n-th block or frame is refused: the call fails, and what it had begun is as Linux would leave it. */
static void each_call_without_memory(void)
{
    static const size_t places[] = { 0, 1, 3, 5, 7, 11, 14, 17, 22 };

    for (unsigned which = 0; which < CALLS; which++)
        for (unsigned frames = 0; frames < 2; frames++) {
            char     text[300];
            int      used = 0;
            uint32_t all  = 0;

            for (size_t i = 0; i < COUNT_OF(places); i++)
                for (uint32_t nth = 1; nth < 4; nth++) {
                    int err;

                    draw_all();
                    heap_drain();
                    if (frames)
                        frame_fail_at(nth);
                    else
                        heap_fail_at(nth);
                    err = call(which, places[i], 3);
                    frame_fail_at(0);
                    heap_fail_at(0);
                    used += snprintf(text + used, sizeof text - (size_t)used, " %d", -err);
                    all   = all * 31 + sum_of_all();
                    if (nth == 1 && i % 4 == 0)
                        assert_clean();
                    wipe_out();
                }
            kept_line("%s %d without %s:%s; %08x", which < COUNT_OF(names) ? names[which] : "advise",
                      which < COUNT_OF(names) ? 0 : (int)which - 26, frames ? "frames" : "blocks", text, all);
        }
}

/* A child of the picture, and both of them after each has written to all that it may. */
static void a_fork_of_all(void)
{
    struct space child;
    uint32_t     parents;

    draw_all();
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    parents = sum_of_all();
    kept_line("fork: parent %08x, child: %zu regions, %zu pages, %zu charged, %zu locked, %u resident, %u out", parents,
              child.map.count, child.pages, child.charged, child.locked, child.resident, child.swapped);
    for (size_t n = 0; n < COLUMNS; n++) {
        bool in_parent = writes(&program, column(n), 77);

        space_activate(&child);
        kept_line("page %zu: %s written by the parent, %s by the child", n, in_parent ? "is" : "is not",
                  writes(&child, column(n), 78) ? "is" : "is not");
        space_activate(&program);
    }
    kept_line("then: parent %08x, child: %u resident, %u out", sum_of_all(), child.resident, child.swapped);
    assert_clean();
    map_clear(&child);
    space_destroy(&child);
    kept_line("and without the child: %08x", sum_of_all());
    wipe_out();
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(each_call_at_each_place),
        on_machine(each_call_without_memory),
        on_machine(a_fork_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have programs elsewhere. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_map_everywhere", run_all) : 0; }
