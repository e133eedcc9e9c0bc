/*
 * torture.c - pages leave, frames move, entries go, allocations fail, all the time. See torture.h.
 */
#include "process/torture.h"

#include "base/check.h"
#include "base/error.h"
#include "base/number.h"
#include "base/rwlock.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/pageout/page_out.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/map.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"
#include "process/process.h"

/* ---- The words ------------------------------------------------------------------------------------------ */

enum { EVICT, MOVE, TABLES, FAIL, SWITCHES };
static const char *const switch_names[SWITCHES] = { "evict", "move", "tables", "fail" };

static uint32_t every[SWITCHES];            /* [c] at each so manieth event; 0: never                      */
static uint32_t events[SWITCHES];           /* [a]                                                         */
static bool     may_order;                  /* [c]                                                         */

static struct torture_done done;            /* [a] */

/* One switch, up to a comma or the word's end; NULL: it is none. */
static const char *note_switch(const char *at)
{
    unsigned which = 0;
    uint64_t number = 1;
    size_t   length;

    while (which < SWITCHES && strncmp(at, switch_names[which], strlen(switch_names[which])) != 0)
        which++;
    if (which == SWITCHES)
        return NULL;
    length = strlen(switch_names[which]);
    if (at[length] == ':') {
        at = number_parse(at + length + 1, &number);
        if (at == NULL || number == 0 || number > UINT32_MAX)
            return NULL;
        every[which] = (uint32_t)number;
        return at;
    }
    if (which == FAIL)
        may_order = true;
    else
        every[which] = 1;
    return at + length;
}

const char *torture_note(const char *command_line)
{
    static const char name[] = "torture=";

    for (const char *at = command_line; *at != '\0'; at++) {
        if ((at != command_line && at[-1] != ' ') || strncmp(at, name, sizeof name - 1) != 0)
            continue;
        if (!IS_CHECKED)
            return "torture= is for checked kernels, which `make CHECKED=1` builds";
        at += sizeof name - 2;
        do                                      /* from the = or a comma on */
            at = note_switch(at + 1);
        while (at != NULL && *at == ',');
        return at != NULL && (*at == ' ' || *at == '\0') ? NULL : "torture= knows evict, move, tables and fail, with "
                                                                  "`:` and a number, and commas between them";
    }
    return NULL;
}

static bool is_due(unsigned which)
{
    return every[which] != 0 && __atomic_add_fetch(&events[which], 1, __ATOMIC_RELAXED) % every[which] == 0;
}

/* ---- Which page ------------------------------------------------------------------------------------------ */

/* More than an instruction needs at once: its own bytes, two operands and the stack, each across a border. */
enum { RECENT = 8, LOOKS = 256 };

static struct { const struct space *space; page_t page; } recent[RECENT];      /* [a] */
static uint32_t recent_next;                                                    /* [a] */

static void note_recent(const struct space *space, page_t page)
{
    uint32_t at = __atomic_fetch_add(&recent_next, 1, __ATOMIC_RELAXED) % RECENT;

    recent[at].space = space;
    recent[at].page  = page;
}

static bool is_recent(const struct space *space, page_t page)
{
    for (unsigned i = 0; i < RECENT; i++)
        if (recent[i].space == space && recent[i].page == page)
            return true;
    return false;
}

/* The first page of a region, from *page on, that may go; *looks are left. False: none. */
static bool find_in_region(struct space *space, const struct region *region, page_t *page, unsigned *looks)
{
    struct cursor c;
    bool          found = false;
    int           err;

    if (*page < region->span.first)
        *page = region->span.first;
    err = cursor_open(&c, space, (struct span){ *page, region->span.end }, 0);
    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    while (!found && *page < region->span.end && *looks > 0) {  /* bound: LOOKS */
        --*looks;
        if (!cursor_next_near(&c, page))
            continue;
        found = page_may_go(cursor_read(&c, *page)) && !is_recent(space, *page);
        *page += !found;
    }
    cursor_close(&c);
    return found;
}

/* The next page that may go, from *page on, and around once. NULL: none was found. The map is locked. */
static const struct region *find_page(struct space *space, page_t *page)
{
    unsigned looks = LOOKS;

    for (unsigned round = 0; round < 2; round++) {
        const struct region *region = region_at_or_above(&space->map, *page);

        for (; region != NULL && looks > 0; region = region_next(region))
            if (region_may_go(region) && find_in_region(space, region, page, &looks))
                return region;
        if (region == NULL)
            *page = 0;
    }
    return NULL;
}

/* ---- What is done to it ------------------------------------------------------------------------------------ */

/*
 * The steps of a page that goes (docs/pageout.md), without packing: blocked and flushed, it does not change while it is
 * copied; a touch in between makes it present again, and it stays. The frame is taken where the entry is written (X2).
 */
static bool block_page(struct space *space, const struct region *region, page_t page, entry_t *blocked)
{
    struct cursor_touch t;
    bool                may;

    if (!cursor_touch(&t, space, page))
        return false;
    may = page_may_go(t.entry);
    if (may)
        *blocked = cursor_touch_block(&t, region->rights);
    cursor_touch_leave(&t);
    return may;
}

static bool move_page(struct space *space, const struct region *region, page_t page)
{
    struct cursor c;
    entry_t       blocked, old;
    frame_t       to;
    bool          moves;

    if (!block_page(space, region, page, &blocked) || cursor_open(&c, space, span_of(page, 1), CURSOR_BUILD) != 0)
        return false;
    moves = cursor_read(&c, page).raw == blocked.raw && frame_get(OWNER_USER, 0, &to) == 0;
    if (moves) {
        frame_copy(to, entry_frame(blocked));
        old = cursor_remove(&c, page);
        cursor_map(&c, page, to, region->rights, CACHE_BACK);
    }
    cursor_close(&c);
    if (moves)
        frame_put(entry_frame(old));
    return moves;
}

static void evict_some(struct space *space)
{
    static page_t        at;
    page_t               page = __atomic_load_n(&at, __ATOMIC_RELAXED);
    const struct region *region;

    rwlock_read(&space->map_lock);
    region = find_page(space, &page);
    if (region != NULL && page_out(space, region, page) == PAGE_OUT_DONE)
        __atomic_add_fetch(&done.evicted, 1, __ATOMIC_RELAXED);
    rwlock_read_drop(&space->map_lock);
    __atomic_store_n(&at, page + 1, __ATOMIC_RELAXED);
}

static void move_some(struct space *space)
{
    static page_t        at;
    page_t               page = __atomic_load_n(&at, __ATOMIC_RELAXED);
    const struct region *region;

    rwlock_read(&space->map_lock);
    region = find_page(space, &page);
    if (region != NULL && move_page(space, region, page))
        __atomic_add_fetch(&done.moved, 1, __ATOMIC_RELAXED);
    rwlock_read_drop(&space->map_lock);
    __atomic_store_n(&at, page + 1, __ATOMIC_RELAXED);
}

/* A fault makes the entry again, with the same frame behind it: that of the region's object, or the one of zeros. */
static bool comes_again(page_t page __attribute__((unused)), entry_t entry, const void *how)
{
    const struct region *region = how;

    if (!entry_present(entry))
        return false;
    if (is_zero_frame(entry_frame(entry)))
        return true;
    return region->object != NULL && frame_exists(entry_frame(entry)) && frame_owner(entry_frame(entry)) != OWNER_USER;
}

static void drop_entries(struct space *space)
{
    rwlock_read(&space->map_lock);
    for (const struct region *region = region_at_or_above(&space->map, 0); region != NULL; region = region_next(region)) {
        struct span span = region->span;

        while (region->locked == 0 && !map_is_physical(region) && !span_empty(span)) {
            span.first = pages_discard_some(space, span, comes_again, region);
            point_of_rest();
        }
    }
    rwlock_read_drop(&space->map_lock);
    __atomic_add_fetch(&done.dropped, 1, __ATOMIC_RELAXED);
}

static void happen(struct space *space)
{
    if (is_due(EVICT))
        evict_some(space);
    if (is_due(MOVE))
        move_some(space);
    if (is_due(TABLES))
        drop_entries(space);
}

void torture_fault(struct space *space, vaddr_t address)
{
    note_recent(space, page_of(address));
    happen(space);
}

/* ---- Failures ----------------------------------------------------------------------------------------------- */

enum failing { FRAME, BLOCK, FRAME_AGAIN };

/* An order, and the call that it is about: one at a time. */
static struct {
    const struct thread *thread;            /* whose call; NULL: there is none             */
    enum failing         what;
    uint32_t             count;
    bool                 ordered;           /* the call that wrote the order has not ended */
    bool                 active;            /* the call has begun                          */
    bool                 answered;          /* room was asked for, for the refused frame   */
} order;                                    /* [the thread's own, but for another's order] */

static uint32_t left(void) { return order.what == BLOCK ? heap_fail_left() : frame_fail_left(); }

static void begin_failing(void)
{
    order.active   = true;
    order.answered = false;
    (order.what == BLOCK ? heap_fail_at : frame_fail_at)(order.count);
}

static void end_failing(void)
{
    done.hit = left() == 0;
    done.failed += done.hit;
    frame_fail_at(0);
    heap_fail_at(0);
    order.thread = NULL;
    order.active = false;
}

int torture_order(const char *text)
{
    static const char *const names[] = { [FRAME] = "frame ", [BLOCK] = "heap ", [FRAME_AGAIN] = "again " };
    uint64_t                 count;

    if (!may_order)
        return -EPERM;
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        if (strncmp(text, names[i], strlen(names[i])) != 0)
            continue;
        if (number_parse(text + strlen(names[i]), &count) == NULL || count == 0 || count > UINT32_MAX)
            return -EINVAL;
        frame_fail_at(0);
        heap_fail_at(0);
        order.what    = (enum failing)i;
        order.count   = (uint32_t)count;
        order.ordered = true;
        order.active  = false;
        order.thread  = current_thread();
        return 0;
    }
    return -EINVAL;
}

void torture_call_begins(void)
{
    if (every[FAIL] != 0 && order.thread == NULL) {
        order.thread  = current_thread();
        order.what    = FRAME_AGAIN;
        order.count   = every[FAIL];
        order.ordered = false;
    }
    if (order.thread == current_thread() && !order.ordered)
        begin_failing();
}

void torture_call_ends(void)
{
    struct process *self = current_process();

    if (order.thread == current_thread()) {
        if (order.active)
            end_failing();
        order.ordered = false;
    }
    if (self->memory != NULL)
        happen(&self->memory->space);
}

bool torture_answers(bool *made)
{
    if (order.thread != current_thread() || !order.active || order.answered || order.what == BLOCK || left() != 0)
        return false;
    order.answered = true;
    *made          = order.what == FRAME_AGAIN;
    return true;
}

struct torture_done torture_done(void) { return done; }
