/*
 * object_out.c - pages of objects: hidden from all who show them, copied, packed or written to the swap device, and
 * replaced in the index by a slot if nobody has asked for them meanwhile.
 */
#include "memory/pageout/object_out.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/frames/frame.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/page_coder.h"
#include "memory/pageout/transfer.h"
#include "memory/spaces/object_parts.h"
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"

/* A bit for each page of a window. */
struct look {
    uint32_t used, locked;
};

/* ---- Looking at the entries. The object's lock is held to write. ------------------------------------------ */

/*
 * Entries that were used lose that note. What a private mapping has copied is no page of the object: those only with
 * `all`. They keep their age: what did not shrink is not tried again.
 */
static uint32_t take_notes(const struct region *region, struct span span, uint32_t bit, bool all)
{
    struct cursor c;
    uint32_t      used = 0;
    int           err  = cursor_open(&c, region->space, span, 0);

    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    deep_assert(!span_empty(span) && span_pages(span) <= HAND_WINDOW);
    for (page_t page = span.first; page < span.end; page++, bit <<= 1) {       /* bound: HAND_WINDOW */
        entry_t entry = cursor_read(&c, page);

        if (entry_present(entry) && (all || frame_owner(entry_frame(entry)) != OWNER_USER) &&
            cursor_age(&c, page, entry_age(entry)))
            used |= bit;
    }
    cursor_close(&c);
    return used;
}

/* Regions that lock pages, and those whose entries show one that was used. */
static struct look look_at_regions(const struct object *object, uint64_t from, uint64_t to, size_t *looked)
{
    struct look look = { 0, 0 };

    deep_assert(rwlock_held_to_write(&object->lock) && from < to && to - from <= HAND_WINDOW);
    for (const struct region *r = object->mappings; r != NULL; r = r->next_mapping, ++*looked) {
        struct span span = object_shown(r, from, to);

        if (!span_empty(span)) {
            uint32_t bit = 1u << (r->offset + (span.first - r->span.first) - from);

            if (r->locked != 0)
                look.locked |= ((1u << span_pages(span)) - 1) * bit;
            look.used |= take_notes(r, span, bit, false);
        }
        point_of_rest();
    }
    return look;
}

/* ---- Out ------------------------------------------------------------------------------------------------ */

/* Hide the page from all, mark it, and copy it. False where it stays. */
static bool begin_out(struct object *object, uint64_t page, uint32_t most)
{
    uintptr_t    *leaf;
    size_t        looked = 0;
    unsigned long interrupts;
    bool          goes;

    deep_assert(rwlock_held_to_write(&coder_lock));
    rwlock_write(&object->lock);
    leaf = object_leaf(object, page);
    goes = leaf != NULL && leaf_has_frame(*leaf) && !object->stays && frame_references(leaf_frame(*leaf)) <= most &&
           !(swap_device_is_on() && transfer_is_of(object, page)) &&
           look_at_regions(object, page, page + 1, &looked).locked == 0;
    if (goes) {
        object_unmap(object, page, page + 1, false);
        goes = frame_references(leaf_frame(*leaf)) == 1;
    }
    if (goes) {
        *leaf = (*leaf & LEAF_NUMBER) | LEAF_ASIDE | LEAF_LEAVING;
        interrupts = interrupts_off();
        memcpy(coder.page, frame_view(leaf_frame(*leaf), SLOT_FROM), PAGE_SIZE);
        interrupts_restore(interrupts);
    }
    rwlock_write_drop(&object->lock);
    return goes;
}

/*
 * The leaf of a page that was begun with, if it has its mark still: nobody has had the page, since a mark is set only
 * where none is being packed or written. Else NULL. The lock is held.
 */
static uintptr_t *leaving_leaf(const struct object *object, uint64_t page)
{
    uintptr_t *leaf = object_leaf(object, page);

    deep_assert(rwlock_held_to_write(&object->lock));
    return leaf != NULL && leaf_has_frame(*leaf) && (*leaf & LEAF_LEAVING) ? leaf : NULL;
}

/* The slot's reference is taken where the index is written (X5). */
static enum page_out put_away(struct object *object, uintptr_t *leaf, uint32_t slot)
{
    frame_t frame = leaf_frame(*leaf);

    deep_assert(rwlock_held_to_write(&object->lock) && frame_references(frame) == 1);
    *leaf = LEAF_OUT | slot;
    object->resident--;
    object_count_out(object, +1);
    frame_put(frame);
    return PAGE_OUT_DONE;
}

/* A page that is written keeps its mark. Where packing was not tried, as packed pages have enough, it is no refusal. */
static enum page_out leave(struct object *object, uint64_t page, uintptr_t *leaf, size_t bytes, bool packs,
                           struct transfer **transfer)
{
    uint32_t slot;
    int      err;

    if (bytes > 0 && swap_store(coder.packed, bytes, &slot) == 0)
        return put_away(object, leaf, slot);
    err = transfer_write(object, page, coder.page, transfer);
    if (err == 0)
        return PAGE_OUT_WRITES;
    *leaf ^= LEAF_LEAVING;
    if (err == -EBUSY)
        return PAGE_OUT_BUSY;
    if (bytes > 0 || !packs)
        return PAGE_OUT_FULL;
    *leaf |= LEAF_REFUSED;
    swap_note_refused();
    return PAGE_OUT_STAYS;
}

/* Pack what was copied, and let the page go, or begin to write it. */
static enum page_out pack_out(struct object *object, uint64_t page, struct transfer **transfer)
{
    bool          packs  = !swap_device_is_on() || !swap_is_full();
    size_t        bytes  = packs ? coder_pack() : 0;
    enum page_out result = PAGE_OUT_STAYS;
    uintptr_t    *leaf;

    deep_assert(rwlock_held_to_write(&coder_lock) && bytes <= SWAP_MOST);
    point_of_rest();                            /* packing takes long */
    rwlock_write(&object->lock);
    leaf = leaving_leaf(object, page);
    if (leaf != NULL)
        result = leave(object, page, leaf, bytes, packs, transfer);
    rwlock_write_drop(&object->lock);
    return result;
}

/* What could not be written stays. */
static enum page_out end_write(struct object *object, uint64_t page, struct transfer *transfer)
{
    enum page_out result = PAGE_OUT_STAYS;
    int           err    = transfer_wait(transfer);
    uintptr_t    *leaf;

    deep_assert(object->references > 0 && transfer_is_of(object, page));
    rwlock_write(&object->lock);
    leaf = leaving_leaf(object, page);
    if (leaf != NULL && err == 0)
        result = put_away(object, leaf, transfer_take_slot(transfer));
    else if (leaf != NULL)
        *leaf ^= LEAF_LEAVING;
    rwlock_write_drop(&object->lock);
    transfer_put(transfer);
    return result;
}

enum page_out object_page_out(struct object *object, uint64_t page, uint32_t most)
{
    enum page_out    result = PAGE_OUT_STAYS;
    struct transfer *transfer;

    may_sleep();
    deep_assert(object->references > 0);
    rwlock_write(&coder_lock);
    if (begin_out(object, page, most))
        result = pack_out(object, page, &transfer);
    rwlock_write_drop(&coder_lock);
    return result == PAGE_OUT_WRITES ? end_write(object, page, transfer) : result;
}

void object_pages_out(const struct region *region, struct span span)
{
    enum page_out result = PAGE_OUT_STAYS;

    may_sleep();
    assert(rwlock_held(&region->space->map_lock) && region->locked == 0 && span_covers(region->span, span));
    for (page_t page = span.first; page < span.end && result != PAGE_OUT_FULL && !caller_is_ending(); page++) {
        struct cursor_touch t;

        if (cursor_touch(&t, region->space, page)) {
            cursor_touch_leave(&t);
            if (entry_present(t.entry))
                result = object_page_out(region->object, region->offset + (page - region->span.first), 2);
        }
        point_of_rest();
    }
}

/* ---- The hand ------------------------------------------------------------------------------------------- */

/* Which pages of the window are cold: nobody has used them, or asked for them, since the last look. */
static uint32_t find_cold(struct hand *hand, struct object *object, uint64_t from, uint64_t to)
{
    struct look look = look_at_regions(object, from, to, &hand->looked);
    uintptr_t  *leaf = object_leaf(object, from);           /* and behind it in one node, as windows are aligned */
    uint32_t    cold = 0;

    deep_assert(leaf != NULL);
    for (uint32_t bit = 1; from < to; from++, leaf++, bit <<= 1, hand->looked++) {
        if (!leaf_has_frame(*leaf))
            continue;
        if (leaf_is_plain(*leaf) || ((look.used | look.locked) & bit))
            *leaf = (*leaf & LEAF_NUMBER) | LEAF_ASIDE;
        else if (!(*leaf & (LEAF_REFUSED | LEAF_LEAVING)))
            cold |= bit;
    }
    return cold;
}

bool hand_look_at_object(struct hand *hand, struct object *object)
{
    uint64_t from, to;
    uint32_t cold = 0;
    bool     more;

    may_sleep();
    deep_assert(rwlock_none_held() && object->references > 0);
    rwlock_write(&object->lock);
    from = object->stays ? object->pages : object_index_next(object, object->looked, true);
    more = from < object->pages;
    to   = round_down(from, HAND_WINDOW) + HAND_WINDOW;
    if (more)
        cold = find_cold(hand, object, from, to);
    object->looked = more ? to : 0;
    hand->looked++;
    rwlock_write_drop(&object->lock);
    for (; cold != 0 && !hand->full; cold >>= 1, from++) {
        enum page_out result = cold & 1 ? object_page_out(object, from, UINT32_MAX) : PAGE_OUT_STAYS;

        hand->gone += result == PAGE_OUT_DONE;
        hand->full  = result == PAGE_OUT_FULL;
        point_of_rest();
    }
    return more;
}

/* ---- What programs say ----------------------------------------------------------------------------- */

static void make_cold(struct object *object, uint64_t page, size_t count)
{
    deep_assert(count <= HAND_WINDOW);
    rwlock_write(&object->lock);
    for (; count > 0; count--, page++) {
        uintptr_t *leaf = object_leaf(object, page);

        if (leaf != NULL && leaf_is_plain(*leaf))
            *leaf |= LEAF_ASIDE;
    }
    rwlock_write_drop(&object->lock);
}

void pages_make_cold(const struct region *region, struct span span)
{
    may_sleep();
    assert(rwlock_held(&region->space->map_lock) && span_covers(region->span, span));
    while (!span_empty(span)) {
        size_t count = span_pages(span) < HAND_WINDOW ? span_pages(span) : HAND_WINDOW;

        (void)take_notes(region, span_of(span.first, count), 1, true);
        if (region->shared && region->object != NULL)
            make_cold(region->object, region->offset + (span.first - region->span.first), count);
        span.first += count;
        point_of_rest();
    }
}

/* ---- In ------------------------------------------------------------------------------------------------- */

/* Somebody's group that could not be read says nothing of this slot, which is read alone then. */
static long read_in(uint32_t slot, frame_t frame)
{
    struct transfer *transfer;
    bool             says_nothing;
    int              err;

    deep_assert(slot_is_on_device(slot));
    do {
        while ((transfer = transfer_read(slot, false)) == NULL)    /* bound: sleeps in each turn */
            transfer_await_free();
        err = transfer_wait(transfer);
        if (err == 0)
            frame_copy(frame, transfer_frame(transfer, slot));
        says_nothing = err != 0 && !transfer_is_single(transfer);
        transfer_put(transfer);
    } while (says_nothing);
    return err != 0 ? err : 1;
}

long object_load(uint32_t slot, frame_t frame)
{
    unsigned long interrupts;
    size_t        bytes;

    may_sleep();
    deep_assert(rwlock_none_held() && swap_references(slot) > 0 && frame_exists(frame));
    if (slot_is_on_device(slot))
        return read_in(slot, frame);
    rwlock_write(&coder_lock);
    bytes = swap_load(slot, coder.packed);
    if (!unpack_bytes(coder.packed, bytes, coder.page, PAGE_SIZE))
        stop(__FILE__, __LINE__, "a page that went out has been damaged");
    interrupts = interrupts_off();
    memcpy(frame_view(frame, SLOT_TO), coder.page, PAGE_SIZE);
    interrupts_restore(interrupts);
    rwlock_write_drop(&coder_lock);
    return 1;
}
