/*
 * map_world.h - shared parts of the tests of programs' memory: a machine, a program's space, pictures of it.
 *
 * A picture is one letter a page: a region's rights as `r` (read), `w` (read and write), `x` (read and
 * execute), `-` (nothing), a dot where there is no region. A bar marks where two regions meet that look alike.
 */
#ifndef QUIRE_TESTS_MAP_WORLD_H
#define QUIRE_TESTS_MAP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "clean.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/spaces/fault.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/map.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"

#define R MAY_READ
#define W MAY_WRITE
#define X MAY_EXECUTE

static struct space     program;
static struct heap_sums heap_before;

/* Page 0 of a picture: in the middle of what every layout gives to programs. */
#define BASE ((vaddr_t)0x20000000)

static inline vaddr_t column(size_t n) { return BASE + n * PAGE_SIZE; }

static inline void set_limits(struct space *space)
{
    space->limits = (struct map_limits){
        .break_start = 0x10000000, .break_end = 0x10000000, .map_end = 0x30000000,
        .stack = 8 * MiB, .data = SIZE_MAX, .whole = SIZE_MAX, .locked = SIZE_MAX,
    };
}

static inline void start_machine(void)
{
    const char *wrong = machine_boot(16 * MiB);

    if (wrong != NULL)
        fail_msg("%s", wrong);
    heap_sums(&heap_before);
    assert_int_equal(space_create(&program), 0);
    set_limits(&program);
    space_activate(&program);
    map_overcommit = 0;
}

/* All that programs had is given back: frames, and blocks of the heap. */
static inline void stop_machine(void)
{
    struct heap_sums after;

    assert_clean();
    map_clear(&program);
    space_activate(&kernel_space);
    space_destroy(&program);
    assert_int_equal(map_committed, 0);
    assert_int_equal(frames_owned(OWNER_USER), 0);
    heap_sums(&after);
    assert_int_equal(after.live_blocks, heap_before.live_blocks);
    assert_int_equal(after.live_bytes, heap_before.live_bytes);
    assert_clean();
    machine_stop();
}

/* Each test gets a machine from inside the test, because cmocka's handlers come in between. */
static void run_on_machine(void **state)
{
    void (*test)(void) = *state;

    start_machine();
    test();
    stop_machine();
}

/*
 * Instead of cmocka's skip(), which does not come back: the space of a machine that was not stopped would be taken for
 * the one in use by the next machine's kernel.
 */
static inline void skip_on_machine(void)
{
    stop_machine();
    skip();
}

#define on_machine(test) { #test, run_on_machine, NULL, NULL, test }

/* ---- A program's accesses: faults are resolved, or not ---------------------------------------------- */

static struct fault_verdict verdict;

/* True when the access succeeds once its faults are resolved; false when the program gets a signal. */
static inline bool access_word(struct space *space, vaddr_t at, bool write, uint32_t *value, int *err)
{
    struct machine_fault fault;

    for (int tries = 0; tries < 4; tries++) {
        if (write ? machine_store(space, at, true, *value, &fault) : machine_load(space, at, true, value, &fault)) {
            *err = 0;
            return true;
        }
        *err = space_fault(space, at, write ? MAY_WRITE : MAY_READ, &verdict);
        if (*err != 0)
            return false;
    }
    fail_msg("a fault at 0x%lx is resolved again and again", (unsigned long)at);
    return false;
}

static inline bool reads(struct space *space, vaddr_t at, uint32_t *value)
{
    int err;

    return access_word(space, at, false, value, &err);
}

static inline bool writes(struct space *space, vaddr_t at, uint32_t value)
{
    int err;

    return access_word(space, at, true, &value, &err);
}

static inline uint32_t word_at(vaddr_t at)
{
    uint32_t value = 0xBADBAD;

    assert_true(reads(&program, at, &value));
    return value;
}

static inline entry_t entry_at_page(struct space *space, vaddr_t at)
{
    lock_state state = lock_take(&space->tables_lock);
    unsigned   level;
    entry_t    entry = table_lookup(space, page_of(at), &level);

    lock_drop(&space->tables_lock, state);
    return entry;
}

static inline bool is_writable(vaddr_t at) { return entry_rights(entry_at_page(&program, at)).user & W; }

/* ---- Requests ----------------------------------------------------------------------------------------- */

static inline struct map_request request(vaddr_t at, size_t pages, uint8_t rights, uint32_t flags)
{
    return (struct map_request){ .address = at, .bytes = pages * PAGE_SIZE, .rights = rights, .may = R | W | X,
                                 .flags = flags };
}

static inline int map_fixed(size_t first, size_t pages, uint8_t rights)
{
    struct map_request wanted = request(column(first), pages, rights, MAP_IS_FIXED);
    vaddr_t            out;

    return map_create(&program, &wanted, &out);
}

static inline int unmap(size_t first, size_t pages) { return map_remove(&program, column(first), pages * PAGE_SIZE); }

static inline int protect(size_t first, size_t pages, uint8_t rights)
{
    return map_protect(&program, column(first), pages * PAGE_SIZE, rights);
}

/* ---- Pictures ------------------------------------------------------------------------------------------ */

static inline char letter_of(const struct region *region)
{
    uint8_t rights = region->rights.user;

    return rights & W ? 'w' : rights & X ? 'x' : rights & R ? 'r' : '-';
}

static inline void draw(const struct space *space, size_t columns, char *to)
{
    const struct region *before = NULL;

    for (size_t n = 0; n < columns; n++) {
        const struct region *region = region_find(&space->map, page_of(column(n)));

        if (before != NULL && region != NULL && region != before && letter_of(region) == letter_of(before))
            *to++ = '|';
        *to++ = region == NULL ? '.' : letter_of(region);
        before = region;
    }
    *to = 0;
}

static inline size_t columns_of(const char *picture)
{
    size_t columns = 0;

    for (const char *at = picture; *at != 0; at++)
        columns += *at != '|';
    return columns;
}

static inline void assert_picture_of(const struct space *space, const char *picture)
{
    char drawn[256];

    draw(space, columns_of(picture), drawn);
    assert_string_equal(drawn, picture);
}

static inline void assert_picture(const char *picture)
{
    assert_picture_of(&program, picture);
    assert_clean();
}

/* Make a program's memory look like a picture. Bars are not drawn but come of themselves. */
static inline void paint(const char *picture)
{
    size_t columns = strlen(picture);

    for (size_t n = 0; n < columns; ) {
        size_t  run    = strspn(picture + n, (char[]){ picture[n], 0 });
        uint8_t rights = picture[n] == 'w' ? R | W : picture[n] == 'x' ? R | X : picture[n] == 'r' ? R : 0;

        if (picture[n] != '.')
            assert_int_equal(map_fixed(n, run, rights), 0);
        n += run;
    }
}

#endif
