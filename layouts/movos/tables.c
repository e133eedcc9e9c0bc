/*
 * tables.c - the window that shows processes' structures and tables: its places, and their frames.
 */
#include "layouts/movos/tables.h"
#include "memory/tables/table_home.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/tables/shortage.h"
#include "memory/tables/table.h"

enum { PLACES = MMU_ENTRIES, WORD_BITS = 32 };

_Static_assert(PLACES <= UINT16_MAX && PLACES % WORD_BITS == 0, "a place is written in 16 bits");
_Static_assert(sizeof(struct bookkeeping) <= PAGE_SIZE, "a structure takes one page");

static struct lock lock = LOCK("places of the window", RANK_HOMES);
static uint32_t    taken[PLACES / WORD_BITS];       /* [lock] a bit for each place, from the first on       */
static uint32_t    available;                       /* [lock] places neither taken nor promised             */

static page_t page_of_place(uint32_t place)
{
    return layout.purpose[PURPOSE_BOOKKEEPING]->span.first + place - 1;
}

static void *at_place(uint32_t place) { return pointer_to(page_address(page_of_place(place))); }

static bool place_is_taken(uint32_t place) { return taken[(place - 1) / WORD_BITS] >> (place - 1) % WORD_BITS & 1; }
static void place_turn(uint32_t place) { taken[(place - 1) / WORD_BITS] ^= 1u << (place - 1) % WORD_BITS; }

/* ---- Places -------------------------------------------------------------------------------- */

static int places_promise(size_t places)
{
    lock_state state = lock_take(&lock);
    int        err   = places <= available ? 0 : -ENOMEM;

    if (err == 0)
        available -= (uint32_t)places;
    lock_drop(&lock, state);
    return err;
}

static void take_back_promise(size_t places)
{
    lock_state state = lock_take(&lock);

    available += (uint32_t)places;
    lock_drop(&lock, state);
}

/* Take the lowest free place. A place was promised, so there is one. */
static uint32_t take_place(void)
{
    lock_state state = lock_take(&lock);
    uint32_t   word  = 0, place;

    while (taken[word] == UINT32_MAX) {
        word++;
        assert(word < COUNT_OF(taken));
    }
    place = word * WORD_BITS + (uint32_t)__builtin_ctz(~taken[word]) + 1;
    place_turn(place);
    lock_drop(&lock, state);
    return place;
}

/* Show a frame at a promised place. The window has its table, so this cannot fail. */
static uint32_t window_show(frame_t frame)
{
    uint32_t      place = take_place();
    page_t        page  = page_of_place(place);
    struct cursor c;
    int           err   = cursor_open(&c, &kernel_space, span_of(page, 1), 0);

    assert(err == 0);
    cursor_map(&c, page, frame, layout.purpose[PURPOSE_BOOKKEEPING]->rights, CACHE_BACK);
    cursor_close(&c);
    return place;
}

/*
 * Hide a place. The caller keeps the frame's reference. Afterwards no processor reaches the frame through the window.
 */
static frame_t window_hide(uint32_t place)
{
    page_t        page = page_of_place(place);
    struct cursor c;
    int           err  = cursor_open(&c, &kernel_space, span_of(page, 1), 0);
    entry_t       old;
    lock_state    state;

    assert(err == 0);
    old = cursor_remove(&c, page);
    cursor_close(&c);
    state = lock_take(&lock);
    assert(place_is_taken(place));
    place_turn(place);
    available++;
    lock_drop(&lock, state);
    return entry_frame(old);
}

int table_homes_start(void)
{
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        taken[i] = 0;
    available = PLACES;
    return 0;
}

uint32_t table_window_free(void) { return available; }

/* ---- Functions for the cursor and the spaces (table_home.h) ----------------------------------------- */

int table_home_start(struct space *space)
{
    struct bookkeeping *structure;
    uint32_t            place;
    frame_t             frame;

    if (places_promise(2) != 0)
        return -ENOMEM;
    if (frame_get(OWNER_PROCESS, FRAME_ZERO, &frame) != 0) {
        take_back_promise(2);
        return -ENOMEM;
    }
    place     = window_show(frame);
    structure = at_place(place);
    structure->structure = (uint16_t)place;
    structure->directory = (uint16_t)window_show(space->root);
    structure->space     = space;
    structure->registers.root = (uint32_t)frame_address(space->root);
    space->home.structure = structure;
    return 0;
}

void table_home_end(struct space *space)
{
    struct bookkeeping *structure = space->home.structure;

    assert(structure->count == 0);
    space->home.structure = NULL;
    window_hide(structure->directory);
    frame_put(window_hide(structure->structure));
}

int table_home_reserve(struct space *space, struct span span, size_t tables)
{
    (void)space, (void)span;
    return places_promise(tables);
}

void table_home_enter(struct space *space, page_t page, unsigned level, frame_t table)
{
    struct bookkeeping *structure = space->home.structure;
    uint16_t           *place = &structure->tables[mmu_index(page, level)];

    assert(level == MMU_LEVELS && *place == 0);
    *place = (uint16_t)window_show(table);
    structure->count++;
}

void table_home_leave(struct space *space, page_t page, unsigned level, frame_t table)
{
    struct bookkeeping *structure = space->home.structure;
    uint16_t           *place = &structure->tables[mmu_index(page, level)];
    frame_t             shown = window_hide(*place);

    assert(level == MMU_LEVELS && frame_is(shown, table));
    *place = 0;
    structure->count--;
}

entry_t *table_home_entries(const struct space *space, page_t page, unsigned level)
{
    const struct bookkeeping *structure = space->home.structure;

    return at_place(level == MMU_LEVELS ? structure->directory : structure->tables[mmu_index(page, MMU_LEVELS)]);
}

void table_home_keep(struct space *space, const void *registers, size_t bytes)
{
    struct kept_registers *kept = &space->home.structure->registers;

    assert(bytes <= sizeof kept->program);
    memcpy(kept->program, registers, bytes);
}

frame_t table_home_root(const struct space *space)
{
    return frame_of(space->home.structure->registers.root);
}

/* ---- Audit ------------------------------------------------------------------------------------- */

/* The frame that a place shows, or none. Kernel space's tables lock is held. */
static frame_t shown_at(uint32_t place)
{
    unsigned level;
    entry_t  e = table_lookup(&kernel_space, page_of_place(place), &level);

    return level == 1 && entry_present(e) ? entry_frame(e) : NO_FRAME;
}

struct counting {
    struct audit_report *report;
    uint32_t             seen[PLACES / WORD_BITS];
    uint32_t             count;
};

/* Check a place that a space has: taken, of no other space, and showing this frame. */
static void claim_place(struct counting *counting, uint32_t place, frame_t frame, const char *id, const char *what)
{
    uint32_t bit;

    counting->report->checked++;
    if (place == 0 || place > PLACES || !place_is_taken(place)) {
        audit_fail(counting->report, "W1", "%s says it is at place %u, which is not taken", what, place);
        return;
    }
    bit = 1u << (place - 1) % WORD_BITS;
    if (counting->seen[(place - 1) / WORD_BITS] & bit)
        audit_fail(counting->report, "W1", "place %u belongs to two, one of them %s", place, what);
    counting->seen[(place - 1) / WORD_BITS] |= bit;
    counting->count++;
    if (!frame_is(shown_at(place), frame))
        audit_fail(counting->report, id, "place %u shows frame %u, expected %s, frame %u", place, shown_at(place).no,
                   what, frame.no);
}

static void audit_home(struct counting *counting, const struct space *space)
{
    const struct bookkeeping *structure = space->home.structure;
    const entry_t *directory = at_place(structure->directory);
    uint32_t       tables = 0;

    claim_place(counting, structure->structure, shown_at(structure->structure), "W3", "a structure");
    claim_place(counting, structure->directory, space->root, "W3", "a directory");
    if (structure->space != space || at_place(structure->structure) != structure)
        audit_fail(counting->report, "W3", "the structure at place %u is another space's", structure->structure);
    if (!frame_is(table_home_root(space), space->root))
        audit_fail(counting->report, "W3", "the registers at place %u lead to frame %u, the directory is frame %u",
                   structure->structure, table_home_root(space).no, space->root.no);
    for (uint32_t i = 0; i < MMU_ENTRIES; i++) {
        page_t  page = i * mmu_reach(MMU_LEVELS);
        entry_t e    = entry_read(&directory[i]);
        bool    has  = root_entry_is_own(space, page) && entry_kind(e, MMU_LEVELS) == ENTRY_TABLE;

        if (has)
            claim_place(counting, structure->tables[i], entry_frame(e), "W2", "a table");
        else if (structure->tables[i] != 0)
            audit_fail(counting->report, "W2", "directory entry %u leads to no table, but has place %u", i,
                       structure->tables[i]);
        tables += structure->tables[i] != 0;
    }
    if (tables != structure->count)
        audit_fail(counting->report, "W2", "the structure at place %u counts %u tables and lists %u",
                   structure->structure, structure->count, tables);
}

/* Check the places that no space has: free, not mapped. */
static void audit_rest(struct counting *counting)
{
    for (uint32_t place = 1; place <= PLACES; place++) {
        bool seen = counting->seen[(place - 1) / WORD_BITS] >> (place - 1) % WORD_BITS & 1;

        counting->report->checked++;
        if (!seen && place_is_taken(place))
            audit_fail(counting->report, "W1", "place %u is taken, but no space has it", place);
        if (!place_is_taken(place) && frame_exists(shown_at(place)))
            audit_fail(counting->report, "W1", "place %u is free, but shows frame %u", place, shown_at(place).no);
    }
}

void table_homes_audit(struct audit_report *report)
{
    struct counting counting = { .report = report };
    lock_state      state;

    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
        lock_state kernel;

        state  = lock_take((struct lock *)&s->tables_lock);
        kernel = lock_take(&kernel_space.tables_lock);
        audit_home(&counting, s);
        lock_drop(&kernel_space.tables_lock, kernel);
        lock_drop((struct lock *)&s->tables_lock, state);
    }
    state = lock_take(&kernel_space.tables_lock);
    audit_rest(&counting);
    if (counting.count + available != PLACES)
        audit_fail(report, "W4", "%u places are taken and %u free, of %u", counting.count, available, (uint32_t)PLACES);
    lock_drop(&kernel_space.tables_lock, state);
}

/* Places are counted over all spaces, so the audit has one piece. */
bool table_homes_audit_part(uint32_t n, struct audit_report *report)
{
    (void)n;
    table_homes_audit(report);
    return true;
}

const struct invariant movos_invariants[] = {
    { "W1", "tables.h", "a place of the window is taken if and only if it shows something of one space" },
    { "W2", "tables.h", "the place of a directory entry shows the table that the entry leads to" },
    { "W3", "tables.h", "a space's structure and directory are where it says, and its registers lead to the latter" },
    { "W4", "tables.h", "places taken, free and promised add up to the window" },
    { 0 },
};

/* ---- For people ------------------------------------------------------------------------------ */

enum { PLACES_OF_A_PROCESS = 3 };       /* its structure, its directory, a table */

static bool window_is_full(void) { return table_window_free() < PLACES_OF_A_PROCESS; }

const struct shortage movos_shortages[] = {
    { "no page is left in the window", window_is_full },
    { 0 },
};
