/*
 * swap.c - swap slots: a table of them, and frames cut into parts that hold packed pages.
 *
 * The table is a directory of frames with SLOTS_A_FRAME slots each. Its lower part is for slots in packed RAM, its
 * upper one for those on the device; each grows at its end. A free slot's `place` is the
 * next free one. A frame of parts begins with a struct parts, and is in its class's list while a part is free.
 */
#include "memory/pageout/swap.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap_parts.h"
#include "memory/tables/slot.h"

/* Frames of tables that are given back in one hold of the lock. */
enum { TABLES_AT_ONCE = 4 };

struct lock swap_lock = LOCK("swap slots", RANK_SWAP);
struct swap swap;

_Static_assert(sizeof(struct parts) + 2 * (SWAP_MOST + sizeof(uint16_t)) <= PAGE_SIZE, "two parts fit into a frame");
_Static_assert(2 * SWAP_TABLES * sizeof(uint32_t) <= PAGE_SIZE, "the directory is one frame");

void swap_start(void)
{
    swap = (struct swap){ .directory = NO_FRAME, .packed = { .first_free = NO_SLOT },
                          .device = { .first = SLOT_DEVICE, .first_free = NO_SLOT } };
    for (unsigned i = 0; i < COUNT_OF(swap.partly); i++)
        swap.partly[i] = NO_FRAME;
}

/* ---- The table of slots. The lock is held. ----------------------------------------------------------- */

static struct swap_area *area_of(uint32_t slot) { return slot_is_on_device(slot) ? &swap.device : &swap.packed; }

/* The frame with the table of a slot. */
static frame_t table_at(uint32_t slot)
{
    return (frame_t){ ((uint32_t *)frame_view(swap.directory, SLOT_FROM))[slot / SLOTS_A_FRAME] };
}

struct swap_slot *swap_slot_at(uint32_t slot)
{
    deep_assert(slot < area_end(area_of(slot)));
    return (struct swap_slot *)frame_view(table_at(slot), SLOT_FROM) + slot % SLOTS_A_FRAME;
}

/*
 * Of the frames that programs could have, one in four is never packed ones': with fewer a program would do nothing but
 * wait for its pages, each of which another has to leave for.
 */
static bool has_enough(void)
{
    return swap.frames / 3 >
           frames_free() + frames_owned(OWNER_USER) + frames_owned(OWNER_FILE) + frames_owned(OWNER_SHARED);
}

int swap_take_frame(frame_t *out)
{
    int err = frame_get(OWNER_COMPRESSED, FRAME_SPARE, out);

    if (err == 0)
        swap.frames++;
    return err;
}

static int take_frame(frame_t *out) { return has_enough() ? -ENOMEM : swap_take_frame(out); }

void swap_give_frame(frame_t frame)
{
    deep_assert(swap.frames > 0 && frame_owner(frame) == OWNER_COMPRESSED);
    swap.frames--;
    frame_put(frame);
}

/* How many slots an area may have. */
static uint32_t area_most(const struct swap_area *area)
{
    return area == &swap.device ? swap.pages : SWAP_TABLES * SLOTS_A_FRAME;
}

/* A frame for the next table. */
static int add_frame(struct swap_area *area)
{
    frame_t table;

    deep_assert(lock_held(&swap_lock) && area->tables == area->frames);
    if (swap_take_frame(&table) != 0)
        return -ENOMEM;
    ((uint32_t *)frame_view(swap.directory, SLOT_FROM))[area_end(area) / SLOTS_A_FRAME] = table.no;
    area->frames++;
    return 0;
}

/* One more frame of free slots. One in 512 pages of the device is taken even if packed pages have enough. */
static int add_slots(struct swap_area *area)
{
    uint32_t          first = area_end(area), count = area_most(area) - area->tables * SLOTS_A_FRAME;
    struct swap_slot *slots;

    if (area->tables * SLOTS_A_FRAME >= area_most(area) || (area == &swap.packed && has_enough()))
        return -ENOMEM;
    if (!frame_exists(swap.directory) && swap_take_frame(&swap.directory) != 0)
        return -ENOMEM;
    if (area->tables == area->frames && add_frame(area) != 0)
        return -ENOMEM;
    if (count > SLOTS_A_FRAME)
        count = SLOTS_A_FRAME;
    slots = frame_view(table_at(first), SLOT_FROM);
    /* bound: SLOTS_A_FRAME */
    for (uint32_t i = 0; i < SLOTS_A_FRAME; i++)
        slots[i] = (struct swap_slot){ .place = i + 1 < count ? first + i + 1 : area->first_free };
    area->first_free = first;
    area->tables++;
    return 0;
}

/* Give back frames of an area that no table is in, and with the last of all the directory. False: some are left. */
static bool give_some(struct swap_area *area)
{
    deep_assert(lock_held(&swap_lock) && area->tables <= area->frames);
    for (unsigned n = 0; area->frames > area->tables; n++) {    /* bound: TABLES_AT_ONCE */
        if (n == TABLES_AT_ONCE)
            return false;
        area->frames--;
        swap_give_frame(table_at(area->first + area->frames * SLOTS_A_FRAME));
    }
    if (frame_exists(swap.directory) && swap.packed.frames + swap.device.frames == 0) {
        swap_give_frame(swap.directory);
        swap.directory = NO_FRAME;
    }
    return true;
}

/* Where no slot of an area is in use, nor bad, its tables go. */
static void drop_tables(struct swap_area *area)
{
    deep_assert(lock_held(&swap_lock));
    if (area->used > 0 || (area == &swap.device && swap.bad > 0))
        return;
    area->first_free = NO_SLOT;
    area->tables     = 0;
    if (!give_some(area))
        swap_leaves_frames();
}

bool swap_drop_some(void)
{
    lock_state state = lock_take(&swap_lock);
    bool       all   = give_some(&swap.packed) && give_some(&swap.device);

    lock_drop(&swap_lock, state);
    return all;
}

void swap_drop_tables(void) { drop_tables(&swap.device); }

static int take_slot(struct swap_area *area, uint32_t *slot)
{
    if (area->first_free == NO_SLOT && add_slots(area) != 0)
        return -ENOMEM;
    *slot = area->first_free;
    return 0;
}

/* The first free slot, taken before, is in use. */
static void use_slot(struct swap_area *area, uint32_t slot, uint32_t place)
{
    struct swap_slot *s = swap_slot_at(slot);

    deep_assert(lock_held(&swap_lock) && area_of(slot) == area && s->references == 0);
    area->first_free = s->place;
    *s = (struct swap_slot){ .place = place, .references = 1 };
    area->used++;
}

/* ---- Parts of frames. The lock is held. --------------------------------------------------------------- */

static struct parts *parts_of(frame_t frame) { return frame_view(frame, SLOT_TO); }

static uint32_t part_bytes(uint32_t parts)
{
    return (PAGE_SIZE - (uint32_t)sizeof(struct parts)) / parts & ~3u;
}

/* The most parts that a frame may be cut into for so many bytes. */
static uint32_t parts_for(size_t bytes)
{
    uint32_t parts = SWAP_PARTS;

    while (part_bytes(parts) < bytes)      /* bound: SWAP_PARTS */
        parts--;
    deep_assert(parts >= 2);
    return parts;
}

static void list_parts(frame_t frame)
{
    struct parts *parts = parts_of(frame);
    frame_t       next  = swap.partly[parts->count];

    deep_assert(lock_held(&swap_lock) && parts->count >= 2);
    parts->next     = next;
    parts->previous = NO_FRAME;
    swap.partly[parts->count] = frame;
    if (frame_exists(next))
        parts_of(next)->previous = frame;
}

static void unlist_parts(frame_t frame)
{
    struct parts gone = *parts_of(frame);

    deep_assert(lock_held(&swap_lock) && (frame_exists(gone.previous) || frame_is(swap.partly[gone.count], frame)));
    if (frame_exists(gone.previous))
        parts_of(gone.previous)->next = gone.next;
    else
        swap.partly[gone.count] = gone.next;
    if (frame_exists(gone.next))
        parts_of(gone.next)->previous = gone.previous;
}

static int new_parts(uint32_t count)
{
    frame_t frame;

    assert(count >= 2 && count <= SWAP_PARTS);
    if (take_frame(&frame) != 0)
        return -ENOMEM;
    *parts_of(frame) = (struct parts){ .next = NO_FRAME, .previous = NO_FRAME, .count = (uint16_t)count };
    list_parts(frame);
    return 0;
}

static uint16_t all_used(const struct parts *parts) { return (uint16_t)((1u << parts->count) - 1); }

/* A free part of a frame cut into so many, as a place; NO_SLOT where there is no frame. */
static uint32_t take_part(uint32_t count)
{
    frame_t       frame = swap.partly[count];
    struct parts *parts;
    uint32_t      part;

    if (!frame_exists(frame)) {
        if (new_parts(count) != 0)
            return NO_SLOT;
        frame = swap.partly[count];
    }
    parts = parts_of(frame);
    part  = (uint32_t)__builtin_ctz(~(uint32_t)parts->used);
    assert(part < parts->count);
    parts->used |= (uint16_t)(1u << part);
    if (parts->used == all_used(parts))
        unlist_parts(frame);
    return frame.no * SWAP_PARTS + part;
}

static void give_part(uint32_t place)
{
    frame_t       frame = swap_place_frame(place);
    struct parts *parts = parts_of(frame);
    bool          full  = parts->used == all_used(parts);

    assert(parts->used >> swap_place_part(place) & 1);
    parts->used &= (uint16_t)~(1u << swap_place_part(place));
    if (full)
        list_parts(frame);
    if (parts_of(frame)->used == 0) {
        unlist_parts(frame);
        swap_give_frame(frame);
    }
}

/* Where a part's bytes are: their number first. Valid until another frame is looked at. */
static uint8_t *part_at(uint32_t place)
{
    struct parts *parts = parts_of(swap_place_frame(place));

    return (uint8_t *)(parts + 1) + swap_place_part(place) * part_bytes(parts->count);
}

/* ---- The calls ------------------------------------------------------------------------------------------ */

static int store_locked(const void *bytes, size_t count, uint32_t *slot)
{
    uint16_t length = (uint16_t)count;
    uint32_t place;
    uint8_t *at;

    if (take_slot(&swap.packed, slot) != 0)
        return -ENOMEM;
    place = take_part(parts_for(count + sizeof length));
    if (place == NO_SLOT)
        return -ENOMEM;
    at = part_at(place);
    memcpy(at, &length, sizeof length);
    memcpy(at + sizeof length, bytes, count);
    use_slot(&swap.packed, *slot, place);
    swap.bytes += count;
    swap.out++;
    return 0;
}

int swap_store(const void *bytes, size_t count, uint32_t *slot)
{
    lock_state state;
    int        err;

    assert(count > 0 && count <= SWAP_MOST);
    state = lock_take(&swap_lock);
    err = store_locked(bytes, count, slot);
    if (err != 0)
        drop_tables(&swap.packed);
    lock_drop(&swap_lock, state);
    return err;
}

uint32_t swap_take_on_device(void)
{
    uint32_t slot;

    deep_assert(lock_held(&swap_lock));
    if (swap.leaving || take_slot(&swap.device, &slot) != 0)
        return NO_SLOT;
    use_slot(&swap.device, slot, 0);
    return slot;
}

/* Where a slot's bytes are: their number first. */
static uint8_t *bytes_of(uint32_t slot)
{
    assert(!slot_is_on_device(slot) && swap_slot_at(slot)->references > 0);
    return part_at(swap_slot_at(slot)->place);
}

enum how { LOAD, PEEK, REWRITE };

static size_t copy(uint32_t slot, void *bytes, enum how how)
{
    lock_state state = lock_take(&swap_lock);
    uint8_t   *at    = bytes_of(slot);
    uint16_t   length;

    memcpy(&length, at, sizeof length);
    assert(length <= SWAP_MOST);
    at += sizeof length;
    if (how == REWRITE)
        memcpy(at, bytes, length);
    else
        memcpy(bytes, at, length);
    swap.in += how == LOAD;
    lock_drop(&swap_lock, state);
    return length;
}

size_t swap_load(uint32_t slot, void *bytes)    { return copy(slot, bytes, LOAD); }
size_t swap_peek(uint32_t slot, void *bytes)    { return copy(slot, bytes, PEEK); }
void   swap_rewrite(uint32_t slot, void *bytes) { (void)copy(slot, bytes, REWRITE); }

void swap_share(uint32_t slot)
{
    lock_state state = lock_take(&swap_lock);

    assert(swap_slot_at(slot)->references > 0);
    swap_slot_at(slot)->references++;
    lock_drop(&swap_lock, state);
}

static void free_part(uint32_t place)
{
    uint16_t length;

    memcpy(&length, part_at(place), sizeof length);
    deep_assert(swap.bytes >= length);
    swap.bytes -= length;
    give_part(place);
}

static void free_slot(uint32_t slot)
{
    struct swap_area *area = area_of(slot);

    deep_assert(area->used > 0);
    if (area == &swap.packed)
        free_part(swap_slot_at(slot)->place);
    *swap_slot_at(slot) = (struct swap_slot){ .place = area->first_free };
    area->first_free = slot;
    area->used--;
    drop_tables(area);
}

void swap_give_bad(uint32_t slot)
{
    assert(slot_is_on_device(slot) && swap_slot_at(slot)->references == 1 && lock_held(&swap_lock));
    *swap_slot_at(slot) = (struct swap_slot){ .place = PLACE_BAD };
    swap.device.used--;
    swap.bad++;
}

void swap_put_locked(uint32_t slot)
{
    assert(swap_slot_at(slot)->references > 0);
    if (--swap_slot_at(slot)->references == 0)
        free_slot(slot);
}

void swap_put(uint32_t slot)
{
    lock_state state = lock_take(&swap_lock);

    swap_put_locked(slot);
    lock_drop(&swap_lock, state);
}

uint32_t swap_references(uint32_t slot)
{
    lock_state state      = lock_take(&swap_lock);
    uint32_t   references = slot < area_end(area_of(slot)) ? swap_slot_at(slot)->references : 0;

    lock_drop(&swap_lock, state);
    return references;
}

uint32_t swap_after(uint32_t slot)
{
    slot = slot == NO_SLOT ? 0 : slot + 1;
    if (slot == area_end(&swap.packed))
        slot = SLOT_DEVICE;
    return slot < area_end(area_of(slot)) ? slot : NO_SLOT;
}

bool swap_is_full(void)
{
    lock_state state = lock_take(&swap_lock);
    bool       full  = has_enough();

    lock_drop(&swap_lock, state);
    return full;
}

void swap_note_refused(void)
{
    lock_state state = lock_take(&swap_lock);

    swap.refused++;
    lock_drop(&swap_lock, state);
}

void swap_sums(struct swap_sums *out)
{
    lock_state state = lock_take(&swap_lock);

    *out = (struct swap_sums){ .used = swap.packed.used + swap.device.used, .frames = swap.frames, .bytes = swap.bytes,
                               .device = swap.pages - swap.bad, .written = swap.device.used, .bad = swap.bad,
                               .out = swap.out, .in = swap.in, .refused = swap.refused };
    lock_drop(&swap_lock, state);
}
