/*
 * page_out.c - pages that go: blocked, copied, packed or written to the swap device, and their entries exchanged if
 * nobody has touched them meanwhile; and pages that come back.
 */
#include "memory/pageout/page_out.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/page_coder.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/transfer.h"
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

/*
 * The frame of a page that others show as well does not come free with its slot, for which a frame may be taken: the
 * last ones are for pages that give one back. The device's slots take none.
 */
static bool is_to_wait(entry_t entry)
{
    return frame_references(entry_frame(entry)) > 1 && frames_free() <= FRAMES_A_SLOT && !swap_device_is_on();
}

/* Block the page, so that it cannot change, and copy it. False where it stays. */
static bool begin_out(struct space *space, const struct region *region, page_t page, entry_t *blocked)
{
    struct cursor_touch t;

    deep_assert(rwlock_held_to_write(&coder_lock));
    if (!cursor_touch(&t, space, page))
        return false;
    if (!page_may_go(t.entry) || is_to_wait(t.entry) || (swap_device_is_on() && transfer_is_of(space, page))) {
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

/* The entry is as it was left: t is open. Nothing but a touch of the page, or a truncation, can have changed it. */
static bool is_untouched(struct cursor_touch *t, struct space *space, page_t page, entry_t blocked)
{
    deep_assert(rwlock_held(&space->map_lock) && entry_kind(blocked, 1) == ENTRY_BLOCKED);
    if (!cursor_touch(t, space, page))
        return false;
    if (t->entry.raw == blocked.raw)
        return true;
    cursor_touch_leave(t);
    return false;
}

/* The slot is taken where the entry is written, so that no reference to it is ever without its entry (X5). */
static enum page_out end_packed(struct space *space, page_t page, entry_t blocked, size_t bytes)
{
    struct cursor_touch t;
    uint32_t            slot;

    assert(bytes > 0 && bytes <= SWAP_MOST);
    if (!is_untouched(&t, space, page, blocked))
        return PAGE_OUT_STAYS;
    if (swap_store(coder.packed, bytes, &slot) != 0) {
        cursor_touch_leave(&t);
        return PAGE_OUT_FULL;
    }
    frame_put(cursor_touch_put_away(&t, slot));
    return PAGE_OUT_DONE;
}

/* The page stays after all. What others show as well cannot be written to. */
static void undo_out(struct space *space, const struct region *region, page_t page, entry_t blocked)
{
    struct rights       rights = mmu_allow(region->rights);
    struct cursor_touch t;

    if (!is_untouched(&t, space, page, blocked))
        return;
    if (frame_references(entry_frame(blocked)) > 1)
        rights = (struct rights){ .kernel = rights.kernel & ~MAY_WRITE, .user = rights.user & ~MAY_WRITE };
    cursor_touch_allow(&t, rights);
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

/* Begin to write the page that was copied. */
static enum page_out write_out(struct space *space, page_t page, entry_t blocked, struct writes *writes)
{
    struct transfer *transfer;
    int              err = transfer_write(space, page, coder.page, &transfer);

    if (err != 0)
        return err == -EBUSY ? PAGE_OUT_BUSY : PAGE_OUT_FULL;
    assert(writes->count < TRANSFERS_OUT);
    writes->under_way[writes->count++] = (struct page_write){ page, blocked, transfer };
    return PAGE_OUT_WRITES;
}

/* Where packed pages have all the frames that they may have, and there is a device, packing is left out. */
static enum page_out out_locked(struct space *space, const struct region *region, page_t page, struct writes *writes)
{
    bool          device = swap_device_is_on(), packs = !device || !swap_is_full(), shrinks;
    entry_t       blocked;
    size_t        bytes = 0;
    enum page_out result;

    if (!begin_out(space, region, page, &blocked))
        return PAGE_OUT_STAYS;
    if (packs)
        bytes = coder_pack();
    shrinks = bytes > 0 && is_won(blocked, bytes);
    result  = shrinks ? end_packed(space, page, blocked, bytes) : PAGE_OUT_FULL;
    if (result == PAGE_OUT_FULL && device)
        result = write_out(space, page, blocked, writes);
    if (result == PAGE_OUT_DONE || result == PAGE_OUT_WRITES)
        return result;
    undo_out(space, region, page, blocked);
    if (result != PAGE_OUT_FULL || shrinks || !packs)
        return result;
    note_refused(space, page);
    return PAGE_OUT_STAYS;
}

/* Busy: others have the transfers. Those of the caller are free again after its own have ended. */
static enum page_out begin_page_out(struct space *space, const struct region *region, page_t page,
                                    struct writes *writes)
{
    enum page_out result;

    may_sleep();
    assert(rwlock_held(&space->map_lock) && span_has(region->span, page));
    if (!region_may_go(region))
        return PAGE_OUT_STAYS;
    rwlock_write(&coder_lock);
    result = out_locked(space, region, page, writes);
    rwlock_write_drop(&coder_lock);
    return result;
}

static bool end_write(struct space *space, const struct region *region, const struct page_write *write)
{
    struct cursor_touch t;
    bool                gone = transfer_wait(write->transfer) == 0 &&
                               is_untouched(&t, space, write->page, write->blocked);

    if (gone)
        frame_put(cursor_touch_put_away(&t, transfer_take_slot(write->transfer)));
    else
        undo_out(space, region, write->page, write->blocked);
    transfer_put(write->transfer);
    return gone;
}

size_t page_out_end(struct space *space, const struct region *region, struct writes *writes)
{
    size_t gone = 0;

    may_sleep();
    for (unsigned i = 0; i < writes->count; i++)
        gone += end_write(space, region, &writes->under_way[i]);
    writes->count = 0;
    return gone;
}

enum page_out page_out_begin(struct space *space, const struct region *region, page_t page, struct writes *writes,
                             size_t *gone)
{
    enum page_out result;

    may_sleep();
    assert(writes->count <= TRANSFERS_OUT);
    if (writes->count == TRANSFERS_OUT)
        *gone += page_out_end(space, region, writes);
    result = begin_page_out(space, region, page, writes);
    if (result == PAGE_OUT_BUSY && writes->count > 0) {
        *gone += page_out_end(space, region, writes);
        result = begin_page_out(space, region, page, writes);
    }
    *gone += result == PAGE_OUT_DONE;
    return result;
}

enum page_out page_out(struct space *space, const struct region *region, page_t page)
{
    struct writes writes = { .count = 0 };
    enum page_out result;

    may_sleep();
    result = begin_page_out(space, region, page, &writes);
    if (result == PAGE_OUT_WRITES)
        result = page_out_end(space, region, &writes) > 0 ? PAGE_OUT_DONE : PAGE_OUT_STAYS;
    return result;
}

size_t pages_out(struct space *space, const struct region *region, struct span span)
{
    struct writes writes = { .count = 0 };
    size_t        gone   = 0;

    may_sleep();
    deep_assert(span_covers(region->span, span));
    for (page_t page = span.first; page < span.end && !caller_is_ending(); page++) {
        if (page_out_begin(space, region, page, &writes, &gone) == PAGE_OUT_FULL)
            break;
        point_of_rest();
    }
    return gone + page_out_end(space, region, &writes);
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
    is_out = entry_kind(t.entry, 1) == ENTRY_SWAP && !slot_is_on_device(entry_slot_number(t.entry));
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

/* What was read is the page's as long as its entry names the slot, to which the transfer has a reference. */
static int show_read(struct space *space, const struct region *region, page_t page, struct transfer *transfer)
{
    struct cursor_touch t;
    frame_t             frame;
    int                 err = 0;

    deep_assert(rwlock_held(&space->map_lock) && span_has(region->span, page));
    if (!cursor_touch(&t, space, page))
        return 0;
    if (entry_kind(t.entry, 1) != ENTRY_SWAP || !transfer_is_for(transfer, entry_slot_number(t.entry)) ||
        (err = transfer_result(transfer)) != 0 || (err = frame_get(OWNER_USER, 0, &frame)) != 0) {
        cursor_touch_leave(&t);
        return err;
    }
    frame_copy(frame, transfer_frame(transfer, entry_slot_number(t.entry)));
    cursor_touch_bring_in(&t, frame, region->rights);
    return 0;
}

/* What else the transfer has read lies no farther away, if it is this region's. */
int page_in_read(struct space *space, const struct region *region, page_t page, struct transfer *transfer)
{
    page_t near = page - (TRANSFER_PAGES - 1);
    int    err  = show_read(space, region, page, transfer);

    deep_assert(span_has(region->span, page));
    if (err == 0 && !transfer_is_single(transfer))
        for (; near != page + TRANSFER_PAGES && !(frames_wanted & FRAMES_LOW); near++)  /* bound: 2 * TRANSFER_PAGES */
            if (span_has(region->span, near) && show_read(space, region, near, transfer) != 0)
                break;
    return err;
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
