/*
 * test_history_map.c - long histories of programs' memory, and a sum of what each has come to: test_history_map.txt.
 *
 * Two programs, one of them forked from the other again and again, with objects that both show: places that are found,
 * regions that are split and joined, the form of the tree, entries and their frames all follow from the calls before.
 */
#include "map_world.h"

#include "kept_lines.h"
#include "map_sum.h"
#include "memory/spaces/map_pages.h"
#include "memory/spaces/object.h"

enum { WIDE = 300, STEPS = 500, PAGE_OUT = 21, MAY_MOVE = 1, MOVE_FIXED = 2, KEEP_OLD = 4 };

static uint64_t       seed;
static struct object *objects[3];
static struct space   child;
static bool           has_child;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * below >> 32);
}

static const uint8_t some_rights[] = { R | W, R | W, R, 0, R | X };

static struct map_request any_request(void)
{
    static const uint32_t flags[] = { 0, 0, MAP_IS_FIXED, MAP_IS_FIXED, MAP_IS_FIXED, MAP_NO_REPLACE, MAP_IS_SHARED,
                                      MAP_IS_FIXED | MAP_GROWS_DOWN, MAP_IS_FIXED | MAP_NO_RESERVE,
                                      MAP_IS_FIXED | MAP_IS_LOCKED, MAP_IS_FIXED | MAP_POPULATE_NOW };
    size_t             first  = any(WIDE), pages = 1 + any(any(3) ? 9 : 120);
    uint8_t            rights = some_rights[any(COUNT_OF(some_rights))];
    struct map_request wanted = request(column(first), pages, rights, flags[any(COUNT_OF(flags))]);

    if (any(4) == 0) {
        wanted.object = objects[any(COUNT_OF(objects))];
        wanted.offset = any(20);
        wanted.flags |= any(2) ? MAP_IS_SHARED : 0;
    }
    return wanted;
}

static void touch(struct space *space)
{
    uint32_t value;

    for (unsigned n = 0; n < 12; n++) {
        vaddr_t at = column(any(WIDE));

        add(any(2) ? reads(space, at, &value) : writes(space, at, any(1000)));
    }
}

static void fork_or_end(void)
{
    if (has_child) {
        add_space(&child, 40);
        map_clear(&child);
        space_destroy(&child);
    } else {
        assert_int_equal(space_create(&child), 0);
        add((uint64_t)map_copy(&child, &program));
    }
    has_child = !has_child;
}

static void step(void)
{
    struct map_request wanted = any_request();
    vaddr_t            at = column(any(WIDE)), out = 0;
    size_t             pages = 1 + any(any(3) ? 7 : 90), bytes = pages * PAGE_SIZE, other = 1 + any(20);
    bool               one = any(2), two = any(2);
    int                err = 0;

    switch (any(23)) {
    case 0: case 1: case 2: case 3: err = map_create(&program, &wanted, &out); break;
    case 4: case 5:         err = map_remove(&program, at, bytes); break;
    case 6: case 7:         err = map_protect(&program, at, bytes, some_rights[any(5)]); break;
    case 8:                 err = map_lock(&program, at, bytes, any(2)); break;
    case 9:                 err = map_unlock(&program, at, bytes); break;
    case 10: case 11:       err = map_advise(&program, at, bytes, (int)any(26)); break;
    case 12:                err = map_move(&program, at, bytes, other * PAGE_SIZE, MAY_MOVE, 0, &out); break;
    case 13:                err = map_move(&program, at, bytes, (other / 2 + 1) * PAGE_SIZE, MAY_MOVE | MOVE_FIXED,
                                           column(any(WIDE)), &out); break;
    case 14:                err = map_move(&program, at, bytes, bytes, MAY_MOVE | KEEP_OLD, 0, &out); break;
    case 15:                err = map_show_other(&program, at, bytes, any(30)); break;
    case 16:                err = map_advise(&program, at, bytes, PAGE_OUT); break;
    case 17:                object_resize(objects[other % 3], 5 + any(60)); break;
    case 18:                fork_or_end(); break;
    case 19:                out = map_break(&program, 0x10000000 + any(90) * 1000); break;
    case 20:                err = map_lock_all(&program, one, two, any(2)); break;
    case 21:                map_unlock_all(&program); break;
    default:                object_punch(objects[other % 3], other, 30 + any(30));
    }
    add((uint64_t)(int64_t)err);
    add(err == 0 ? out : 0);
    touch(&program);
    if (has_child) {
        space_activate(&child);
        touch(&child);
        space_activate(&program);
    }
}

static void history(uint64_t number)
{
    seed = 88172645463325252ull * (number + 1);
    for (size_t n = 0; n < COUNT_OF(objects); n++)
        assert_non_null(objects[n] = object_create(OWNER_SHARED, 40));
    program.limits.locked = 50 * PAGE_SIZE;
    program.limits.data   = 500 * PAGE_SIZE;
    program.limits.whole  = 900 * PAGE_SIZE;
    begin_sum();
    for (unsigned n = 0; n < STEPS; n++) {
        step();
        if (n % 20 == 0)
            add_space(&program, 40);
        if (n % 100 == 0)
            assert_clean();
    }
    add_space(&program, WIDE);
    for (size_t n = 0; n < COUNT_OF(objects); n++)
        add_object(objects[n]);
    kept_line("history %llu: %zu regions, %zu pages, %zu charged, %u resident, %u out, %zu locked; %08x",
              (unsigned long long)number, program.map.count, program.pages, program.charged, program.resident,
              program.swapped, program.locked, sum);
    if (has_child)
        fork_or_end();
    map_clear(&program);
    program.lock_future = 0;
    set_limits(&program);
    for (size_t n = 0; n < COUNT_OF(objects); n++)
        object_release(objects[n]);
    assert_clean();
}

static void histories_of_two_programs(void)
{
    for (uint64_t number = 0; number < 24; number++)
        history(number);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = { on_machine(histories_of_two_programs) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have programs elsewhere. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_history_map", run_all) : 0; }
