/*
 * page_out.c - one page at a time: blocked, copied, packed, and its entry exchanged if nobody has touched it meanwhile.
 */
#include "memory/pageout/page_out.h"

#include "base/check.h"
#include "base/lock.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/pageout/page_coder.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/map_region.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"

struct rwlock     coder_lock = RWLOCK("page coder", RWLOCK_CODER);
struct page_coder coder;

/* ---- Out ------------------------------------------------------------------------------------------------ */

bool region_may_go(const struct region *region)
{
    return region->locked == 0 && !region->shared && region->rights.user != 0 && !map_is_physical(region);
}

bool page_may_go(entry_t entry)
{
    frame_t frame = entry_present(entry) ? entry_frame(entry) : NO_FRAME;

    return frame_exists(frame) && frame_owner(frame) == OWNER_USER && frame_references(frame) <= PAGE_SHOWN_MOST &&
           !is_zero_frame(frame);
}

/* Block the page, so that it cannot change, and copy it. False where it stays. */
static bool begin_out(struct space *space, const struct region *region, page_t page, entry_t *blocked)
{
    struct cursor_touch t;

    deep_assert(rwlock_held_to_write(&coder_lock));
    if (!cursor_touch(&t, space, page))
        return false;
    if (!page_may_go(t.entry)) {
        cursor_touch_leave(&t);
        return false;
    }
    *blocked = cursor_touch_block(&t, region->rights);
    memcpy(coder.page, frame_view(entry_frame(*blocked), SLOT_FROM), PAGE_SIZE);
    cursor_touch_leave(&t);
    return true;
}

/* What every entry that shows the frame would take, if all went out, is less than what that frees. */
static bool is_won(entry_t entry, size_t bytes) { return bytes * frame_references(entry_frame(entry)) <= SWAP_MOST; }

/*
 * Nothing but a touch of the page, or a truncation, can have changed the entry since: the map is locked. The slot is
 * taken where the entry is written, so that no reference to it is ever without its entry (X5).
 */
static enum page_out end_out(struct space *space, page_t page, entry_t blocked, size_t bytes)
{
    struct cursor_touch t;
    uint32_t            slot;

    assert(bytes > 0 && bytes <= SWAP_MOST);
    if (!cursor_touch(&t, space, page))
        return PAGE_OUT_STAYS;
    if (t.entry.raw != blocked.raw || swap_store(coder.packed, bytes, &slot) != 0) {
        bool full = t.entry.raw == blocked.raw;

        cursor_touch_leave(&t);
        return full ? PAGE_OUT_FULL : PAGE_OUT_STAYS;
    }
    frame_put(cursor_touch_put_away(&t, slot));
    return PAGE_OUT_DONE;
}

/* The page stays after all. What others show as well cannot be written to. */
static void undo_out(struct space *space, const struct region *region, page_t page, entry_t blocked)
{
    struct rights       rights = mmu_allow(region->rights);
    struct cursor_touch t;

    deep_assert(rwlock_held_to_write(&coder_lock));
    if (!cursor_touch(&t, space, page))
        return;
    if (frame_references(entry_frame(blocked)) > 1)
        rights = (struct rights){ .kernel = rights.kernel & ~MAY_WRITE, .user = rights.user & ~MAY_WRITE };
    if (t.entry.raw == blocked.raw)
        cursor_touch_allow(&t, rights);
    else
        cursor_touch_leave(&t);
}

/* Said in the page's age, which its next use makes less: the hand (hand.h) passes it over meanwhile. */
static void note_refused(struct space *space, page_t page)
{
    struct cursor c;
    int           err = cursor_open(&c, space, span_of(page, 1), 0);

    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    cursor_age(&c, page, PAGE_REFUSED);
    cursor_close(&c);
    swap_note_refused();
}

static enum page_out out_locked(struct space *space, const struct region *region, page_t page)
{
    enum page_out result = PAGE_OUT_STAYS;
    entry_t       blocked;
    size_t        bytes;
    bool          shrinks;

    if (!begin_out(space, region, page, &blocked))
        return PAGE_OUT_STAYS;
    bytes   = coder_pack();
    shrinks = bytes > 0 && is_won(blocked, bytes);
    if (shrinks)
        result = end_out(space, page, blocked, bytes);
    if (result != PAGE_OUT_DONE)
        undo_out(space, region, page, blocked);
    if (!shrinks)
        note_refused(space, page);
    return result;
}

enum page_out page_out(struct space *space, const struct region *region, page_t page)
{
    enum page_out result;

    may_sleep();
    assert(rwlock_held(&space->map_lock) && span_has(region->span, page));
    if (!region_may_go(region))
        return PAGE_OUT_STAYS;
    rwlock_write(&coder_lock);
    result = out_locked(space, region, page);
    rwlock_write_drop(&coder_lock);
    return result;
}

size_t pages_out(struct space *space, const struct region *region, struct span span)
{
    size_t gone = 0;

    may_sleep();
    deep_assert(span_covers(region->span, span));
    for (page_t page = span.first; page < span.end; page++) {
        enum page_out result = page_out(space, region, page);

        gone += result == PAGE_OUT_DONE;
        if (result == PAGE_OUT_FULL)
            break;
        point_of_rest();
    }
    return gone;
}

/* ---- In ------------------------------------------------------------------------------------------------- */

/* The packed bytes of a page that is out. False where it is not out any more. */
static bool load_packed(struct space *space, page_t page, entry_t *entry, size_t *bytes)
{
    struct cursor_touch t;
    bool                is_out;

    if (!cursor_touch(&t, space, page))
        return false;
    *entry = t.entry;
    is_out = entry_kind(t.entry, 1) == ENTRY_SWAP;
    if (is_out)
        *bytes = swap_load(entry_slot_number(t.entry), coder.packed);
    cursor_touch_leave(&t);
    return is_out;
}

/*
 * Whoever brings in or lets go holds the coder's lock: an entry that is as before has been so all the time. The frame
 * is taken where the entry is written, so that it never has a reference without one (X2). Returns 0 or -ENOMEM.
 */
static int show_again(struct space *space, const struct region *region, page_t page, entry_t entry)
{
    struct cursor_touch t;
    frame_t             frame;
    int                 err = 0;

    if (!cursor_touch(&t, space, page))
        return 0;
    if (t.entry.raw != entry.raw || (err = frame_get(OWNER_USER, 0, &frame)) != 0) {
        cursor_touch_leave(&t);
        return err;
    }
    memcpy(frame_view(frame, SLOT_TO), coder.page, PAGE_SIZE);
    cursor_touch_bring_in(&t, frame, region->rights);
    return 0;
}

static int in_locked(struct space *space, const struct region *region, page_t page)
{
    entry_t entry;
    size_t  bytes;

    deep_assert(rwlock_held_to_write(&coder_lock) && !region->shared);
    if (!load_packed(space, page, &entry, &bytes))
        return 0;
    if (!unpack_bytes(coder.packed, bytes, coder.page, PAGE_SIZE))
        stop(__FILE__, __LINE__, "a page that went out has been damaged");
    return show_again(space, region, page, entry);
}

int page_in(struct space *space, const struct region *region, page_t page)
{
    int err;

    may_sleep();
    assert(rwlock_held(&space->map_lock) && span_has(region->span, page));
    rwlock_write(&coder_lock);
    err = in_locked(space, region, page);
    rwlock_write_drop(&coder_lock);
    return err;
}
