/*
 * out.c - tables of programs that are packed into swap slots.
 */
#include "layouts/tracker/out.h"

#include "base/check.h"
#include "base/range.h"
#include "base/string.h"
#include "layouts/tracker/object.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/space.h"
#include "memory/tables/slot.h"
#include "memory/tables/table_home.h"
#include "memory/tables/watch.h"

/* Entries dropped at once; the bits of a packed table; the most that the difference of two slots takes. */
enum { DROPPED_AT_ONCE = 16, BITS = MMU_ENTRIES / 8, STEP_MOST = 3 };

static uint8_t  packed[SWAP_MOST];      /* [trackers_lock] working memory                                          */
static uint32_t needed;                 /* [trackers_lock] a hint: the entry that kept the table looked at last     */

static inline __attribute__((always_inline)) entry_t out_entry(uint32_t slot)
{
    return entry_absent(ENTRY_SWAP, slot, (struct rights){ 0, 0 });
}

/* ---- Packing. The lock is held. --------------------------------------------------------------------------- */

static __attribute__((noinline)) uint8_t *write_step(uint8_t *to, uint32_t step)
{
    uint32_t rest = step << 1 ^ (uint32_t)-(step >> 31);        /* the sign is bit 0 */

    for (; rest > 0x7F; rest >>= 7)         /* bound: STEP_MOST */
        *to++ = (uint8_t)(rest | 0x80);
    *to++ = (uint8_t)rest;
    return to;
}

static uint32_t read_step(const uint8_t **from)
{
    uint32_t rest = 0, shift = 0;

    do                                      /* bound: STEP_MOST */
        rest |= (uint32_t)(**from & 0x7F) << shift;
    while (shift += 7, *(*from)++ & 0x80);
    return rest >> 1 ^ (uint32_t)-(rest & 1);
}

/* How many bytes the entries take; 0 where one is neither SWAP nor EMPTY, or they are too many: they stay. */
static size_t pack_entries(const entry_t *entries)
{
    uint8_t *to   = packed + BITS;
    uint32_t last = 0;

    if (entry_present(entry_read(&entries[needed])))
        return 0;
    memset(packed, 0, BITS);
    /* bound: MMU_ENTRIES */
    for (uint32_t i = 0; i < MMU_ENTRIES; i++) {
        entry_t  e    = entry_read(&entries[i]);
        uint32_t slot = entry_slot_number(e);

        if (e.raw == entry_empty().raw)
            continue;
        if (e.raw != out_entry(slot).raw || to > packed + SWAP_MOST - STEP_MOST) {
            needed = i;
            return 0;
        }
        packed[i / 8] |= (uint8_t)(1u << i % 8);
        to   = write_step(to, slot - last);
        last = slot;
    }
    return (size_t)(to - packed);
}

/* One entry after the other of the packed table. */
struct unpacking {
    uint32_t       in;                  /* the slot that the table is in                                       */
    const uint8_t *from, *end;
    uint32_t       next, slot;          /* the entry that was read last lies before `next`, and names the slot */
};

static __attribute__((noinline)) void unpack(struct unpacking *u, const struct space *space, page_t page)
{
    u->in   = entry_slot_number(entry_read(object_directory(space, page)));
    u->from = packed + BITS;
    u->end  = packed + swap_peek(u->in, packed);
    u->next = u->slot = 0;
    deep_assert(u->end >= u->from);
}

/* False: there are no more. */
static bool unpack_next(struct unpacking *u)
{
    /* bound: MMU_ENTRIES */
    while (u->next < MMU_ENTRIES) {
        uint32_t i = u->next++;

        if (packed[i / 8] == 0) {
            u->next = i + 8 - i % 8;
        } else if (packed[i / 8] >> i % 8 & 1) {
            u->slot += read_step(&u->from);
            return true;
        }
    }
    return false;
}

/* ---- Out and in ------------------------------------------------------------------------------------------- */

static page_t first_of(page_t page) { return round_down(page, MMU_ENTRIES); }

/* A program has no large pages: what is present in its directory leads to a table. */
bool table_home_is_out(const struct space *space, page_t page)
{
    return entry_kind(entry_read(object_directory(space, page)), 1) == ENTRY_SWAP;
}

bool table_home_go(struct space *space, page_t page)
{
    lock_state tables, trackers;
    entry_t    e;
    uint32_t   slot;
    bool       goes = false;

    if (!page_is_users(page) || space_is_current(space))
        return false;
    tables   = lock_take(&space->tables_lock);
    trackers = lock_take(&trackers_lock);
    e        = entry_read(object_directory(space, page));
    if (entry_present(e)) {
        size_t bytes = pack_entries(table_home_entries(space, page, 1));

        goes = bytes > 0 && swap_store(packed, bytes, &slot) == 0;
        if (goes)
            object_table_out(space, page, out_entry(slot));
    }
    lock_drop(&trackers_lock, trackers);
    lock_drop(&space->tables_lock, tables);
    if (goes)
        frame_put(entry_frame(e));
    return goes;
}

uint32_t table_home_bring_in(struct space *space, page_t page, frame_t table)
{
    lock_state       state  = lock_take(&trackers_lock);
    entry_t         *view   = frame_view(table, SLOT_TABLE);
    uint32_t         filled = 0;
    struct unpacking u;

    unpack(&u, space, page);
    for (; unpack_next(&u); filled++)       /* bound: MMU_ENTRIES */
        entry_write(&view[u.next - 1], out_entry(u.slot));
    swap_put(u.in);
    object_table_back(space, page);
    lock_drop(&trackers_lock, state);
    return filled;
}

/* ---- Looking, and dropping ---------------------------------------------------------------------------------- */

bool table_home_look(const struct space *space, page_t first, page_t end, page_visitor visit, void *with)
{
    lock_state       state;
    struct unpacking u;

    if (!table_home_is_out(space, first))
        return false;
    state = lock_take(&trackers_lock);
    unpack(&u, space, first);
    while (unpack_next(&u)) {               /* bound: MMU_ENTRIES */
        page_t page = first_of(first) + u.next - 1;

        if (page >= first && page < end)
            visit(page, out_entry(u.slot), with);
    }
    lock_drop(&trackers_lock, state);
    return true;
}

static void note_entry(page_t page, entry_t entry, void *with)
{
    (void)page;
    *(entry_t *)with = entry;
}

entry_t table_home_entry(const struct space *space, page_t page)
{
    entry_t entry = entry_empty();

    (void)table_home_look(space, page, page + 1, note_entry, &entry);
    return entry;
}

/* One entry of a table that is out goes. */
static void drop_entry(struct space *space, page_t page, uint32_t slot)
{
    packed[page % MMU_ENTRIES / 8] &= (uint8_t)~(1u << page % 8);
    swap_put(slot);
    space->swapped--;
    entry_changed(space, page, out_entry(slot), entry_empty());
}

/*
 * What is kept moves to the front, behind what was kept before. Behind `end` all is kept: there only the first
 * difference is another. Returns whether anything is kept.
 */
static bool drop_entries(struct space *space, struct unpacking *u, page_t from, page_t *end,
                           const struct page_choice *choice)
{
    page_t   first = first_of(from);
    uint8_t *to    = packed + BITS;
    uint32_t kept  = 0, left = DROPPED_AT_ONCE;

    while (unpack_next(u)) {                /* bound: MMU_ENTRIES */
        page_t page = first + u->next - 1;

        if (page >= from && page < *end && (choice == NULL || choice->is(page, out_entry(u->slot), choice->how))) {
            drop_entry(space, page, u->slot);
            if (--left == 0)
                *end = page + 1;
            continue;
        }
        to   = write_step(to, u->slot - kept);
        kept = u->slot;
        if (page >= *end) {
            memmove(to, u->from, (size_t)(u->end - u->from));
            break;
        }
    }
    return to > packed + BITS;
}

page_t table_home_drop(struct space *space, page_t first, page_t end, const struct page_choice *choice)
{
    lock_state       state = lock_take(&trackers_lock);
    struct unpacking u;

    deep_assert(lock_held(&space->tables_lock) && first_of(first) == first_of(end - 1));
    unpack(&u, space, first);
    if (drop_entries(space, &u, first, &end, choice) || table_home_stays(first, MMU_LEVELS)) {
        swap_rewrite(u.in, packed);
    } else {
        swap_put(u.in);
        object_table_gone(space, first);
    }
    lock_drop(&trackers_lock, state);
    return end;
}
