/*
 * transfer.c - frames through which pages go to the swap device and back. See transfer.h.
 */
#include "memory/pageout/transfer.h"

#include "base/block.h"
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap_parts.h"
#include "memory/tables/slot.h"

/* [swap_lock], but for the request, which is the device's until it is done; its frames are the transfer's for good. */
struct transfer {
    struct block_request request;
    uint32_t             slot;          /* of the first page                                           */
    uint32_t             held;          /* bits of pages to whose slots it has a reference; free: none */
    uint32_t             users;         /* 0: it is free                                               */
    const void          *whose;         /* the space or object whose page is written; NULL: it reads */
    uint64_t             page;
};

enum { FRAMES = TRANSFERS * TRANSFER_PAGES, NEAR = 2 * TRANSFER_PAGES };

static struct transfer   transfers[TRANSFERS];
static struct wait_queue freed;
static uint32_t          wanted_last;   /* [swap_lock] the slot that was read last                    */
static bool              singly;        /* the device has failed: it is asked for one page at a time */

/* A free transfer, unless no more than `kept` are. The lock is held. */
static struct transfer *find_free(unsigned kept)
{
    deep_assert(lock_held(&swap_lock) && kept < TRANSFERS);
    for (unsigned i = 0; i < TRANSFERS && swap.pages > 0; i++)          /* bound: TRANSFERS */
        if (transfers[i].users == 0 && kept-- == 0)
            return &transfers[i];
    return NULL;
}

/* The request is not made yet. */
static void __attribute__((noinline)) begin_transfer(struct transfer *t, uint32_t slot, const void *whose,
                                                     uint64_t page)
{
    deep_assert(lock_held(&swap_lock) && t->users == 0 && slot_is_on_device(slot));
    deep_assert(slot - SLOT_DEVICE < swap.pages);
    t->slot    = slot;
    t->held    = 1;
    t->users   = 1;
    t->whose   = whose;
    t->page    = page;
    t->request.write  = whose != NULL;
    t->request.page   = slot - SLOT_DEVICE + 1;
    t->request.count  = 1;
    t->request.result = 0;
    t->request.done   = (struct completion){ 0 };
}

int transfer_write(const void *whose, uint64_t page, const void *bytes, struct transfer **out)
{
    lock_state       state = lock_take(&swap_lock);
    struct transfer *t     = find_free(TRANSFERS_IN);
    uint32_t         slot  = t != NULL ? swap_take_on_device() : NO_SLOT;
    int              err   = t == NULL && swap.pages > 0 ? -EBUSY : slot == NO_SLOT ? -ENOSPC : 0;

    deep_assert(whose != NULL && bytes != NULL);
    if (err == 0) {
        begin_transfer(t, slot, whose, page);
        memcpy(frame_view(t->request.frames[0], SLOT_TO), bytes, PAGE_SIZE);
    }
    lock_drop(&swap_lock, state);
    if (err == 0)
        block_device.start(&t->request);
    *out = t;
    return err;
}

bool transfer_is_of(const void *whose, uint64_t page)
{
    lock_state state = lock_take(&swap_lock);
    bool       found = false;

    for (unsigned i = 0; i < TRANSFERS; i++)    /* bound: TRANSFERS */
        found |= transfers[i].users > 0 && transfers[i].whose == whose && transfers[i].page == page;
    lock_drop(&swap_lock, state);
    return found;
}

uint32_t transfer_take_slot(struct transfer *t)
{
    lock_state state = lock_take(&swap_lock);
    uint32_t   slot  = t->slot;

    deep_assert(t->whose != NULL && completion_happened(&t->request.done) && t->request.result == 0 && t->held != 0);
    t->held = 0;
    swap.out++;
    lock_drop(&swap_lock, state);
    return slot;
}

/* A group that could not be read says nothing of each of its slots. */
bool transfer_is_for(const struct transfer *t, uint32_t slot)
{
    uint32_t at = slot - t->slot;

    return t->whose == NULL && at < TRANSFER_PAGES && (t->held >> at & 1) &&
           (t->request.result == 0 || t->request.count == 1);
}

/* The transfer that reads a slot. The lock is held. */
static struct transfer *find_reader(uint32_t slot)
{
    deep_assert(lock_held(&swap_lock));
    for (unsigned i = 0; i < TRANSFERS; i++)    /* bound: TRANSFERS */
        if (transfer_is_for(&transfers[i], slot))
            return &transfers[i];
    return NULL;
}

/* Whether the device may have yet to write a slot: what is read there is of before. The lock is held. */
static bool is_being_written(uint32_t slot)
{
    for (unsigned i = 0; i < TRANSFERS; i++)    /* bound: TRANSFERS */
        if (transfers[i].whose != NULL && transfers[i].held != 0 && transfers[i].slot == slot)
            return true;
    return false;
}

/*
 * The slot, or its group: where the slot that was wanted last lies near, others will be wanted as well. What the group
 * has beside slots in use, or in those that are being written, is read too, and nobody's.
 */
static void begin_read(struct transfer *t, uint32_t slot, bool group)
{
    uint32_t last = slot | (TRANSFER_PAGES - 1);

    deep_assert(lock_held(&swap_lock));
    group = group && !singly && slot - wanted_last + NEAR <= 2 * NEAR && last - SLOT_DEVICE < swap.pages;
    wanted_last = slot;
    begin_transfer(t, group ? last - (TRANSFER_PAGES - 1) : slot, NULL, 0);
    t->request.count = group ? TRANSFER_PAGES : 1;
    t->held          = 0;
    for (unsigned at = 0; at < t->request.count; at++) {        /* bound: TRANSFER_PAGES */
        struct swap_slot *s = swap_slot_at(t->slot + at);

        if (s->references > 0 && !is_being_written(t->slot + at)) {
            s->references++;
            t->held |= 1u << at;
            swap.in++;
        }
    }
}

struct transfer *transfer_read(uint32_t slot, bool group)
{
    lock_state       state  = lock_take(&swap_lock);
    struct transfer *t      = find_reader(slot);
    bool             starts = t == NULL && (t = find_free(0)) != NULL;

    deep_assert(slot_is_on_device(slot) && swap_slot_at(slot)->references > 0);
    if (starts)
        begin_read(t, slot, group);
    else if (t != NULL)
        t->users++;
    lock_drop(&swap_lock, state);
    if (starts)
        block_device.start(&t->request);
    return t;
}

bool transfer_is_single(const struct transfer *t) { return t->request.count == 1; }

int transfer_wait(struct transfer *t)
{
    int err;

    may_sleep();
    deep_assert(t->users > 0);
    err = block_wait(&t->request);
    if (err != 0)
        singly = true;
    return err;
}

int transfer_result(const struct transfer *t)
{
    deep_assert(completion_happened(&t->request.done));
    return t->request.result;
}

frame_t transfer_frame(const struct transfer *t, uint32_t slot)
{
    deep_assert(transfer_is_for(t, slot) && t->users > 0);
    return t->request.frames[slot - t->slot];
}

/* The last slot first: it is the one that is taken last. */
static void end_transfer(struct transfer *t)
{
    bool failed = t->whose != NULL && t->request.result != 0;

    assert(completion_happened(&t->request.done));      /* the device is done with the frame */
    for (unsigned at = TRANSFER_PAGES; at-- > 0;)       /* bound: TRANSFER_PAGES */
        if (t->held >> at & 1)
            (failed ? swap_give_bad : swap_put_locked)(t->slot + at);
    t->held = 0;
}

void transfer_put(struct transfer *t)
{
    lock_state state = lock_take(&swap_lock);
    bool       last;

    assert(t->users > 0);
    last = --t->users == 0;
    if (last)
        end_transfer(t);
    lock_drop(&swap_lock, state);
    if (last)
        condition_changed(&freed);
}

static bool some_is_free(void)
{
    lock_state state = lock_take(&swap_lock);
    bool       is    = swap.pages == 0 || find_free(0) != NULL;

    lock_drop(&swap_lock, state);
    return is;
}

void transfer_await_free(void)
{
    may_sleep();
    condition_wait(&freed, some_is_free);
}

void transfers_each(void (*visit)(void *data, uint32_t slot), void *data)
{
    lock_state state = lock_take(&swap_lock);

    for (unsigned i = 0; i < TRANSFERS; i++)    /* bound: TRANSFERS */
        for (unsigned at = 0; at < TRANSFER_PAGES; at++)
            if (transfers[i].held >> at & 1)
                visit(data, transfers[i].slot + at);
    lock_drop(&swap_lock, state);
}

/* ---- The device as a whole -------------------------------------------------------------------------------- */

/* What mkswap writes into the first page, as far as it matters here. */
enum { HEADER_VERSION = 1024, HEADER_LAST = 1028, HEADER_BAD = 1032, HEADER_MAGIC = PAGE_SIZE - 10 };

static uint32_t header_word(const uint8_t *page, unsigned at)
{
    uint32_t word;

    memcpy(&word, page + at, sizeof word);
    return word;
}

/* The pages behind the header; 0: it is no swap area, or one that says more than there is. */
static uint32_t pages_said(const uint8_t *page)
{
    uint32_t last = header_word(page, HEADER_LAST);

    if (memcmp(page + HEADER_MAGIC, "SWAPSPACE2", 10) != 0 || header_word(page, HEADER_VERSION) != 1 ||
        header_word(page, HEADER_BAD) != 0 || last >= block_device.pages)
        return 0;
    return last < SWAP_TABLES * SLOTS_A_FRAME ? last : SWAP_TABLES * SLOTS_A_FRAME;
}

static int read_header(frame_t frame, uint32_t *pages)
{
    struct block_request request = { .frames = { frame }, .count = 1 };
    lock_state           state;
    int                  err;

    block_device.start(&request);
    err    = block_wait(&request);
    state  = lock_take(&swap_lock);
    *pages = err == 0 ? pages_said(frame_view(frame, SLOT_FROM)) : 0;
    lock_drop(&swap_lock, state);
    return err != 0 ? err : *pages == 0 ? -EINVAL : 0;
}

static frame_t *frame_number(unsigned i)
{
    return &transfers[i / TRANSFER_PAGES].request.frames[i % TRANSFER_PAGES];
}

/* While the device is not in use. The lock is taken anew for each: a checked kernel looks at all of a frame. */
static void drop_frames(unsigned count)
{
    deep_assert(!swap_device_is_on() && count <= FRAMES);
    while (count-- > 0) {                       /* bound: FRAMES, each by itself */
        lock_state state = lock_take(&swap_lock);

        swap_give_frame(*frame_number(count));
        lock_drop(&swap_lock, state);
    }
}

/* Without memory for all there are none. */
static int take_frames(void)
{
    deep_assert(!swap_device_is_on() && swap.device.tables == 0);
    for (unsigned i = 0; i < FRAMES; i++) {     /* bound: FRAMES, each by itself */
        lock_state state = lock_take(&swap_lock);
        int        err   = swap_take_frame(frame_number(i));

        lock_drop(&swap_lock, state);
        if (err != 0) {
            drop_frames(i);
            return err;
        }
    }
    return 0;
}

static int put_to_use(uint32_t pages)
{
    int        err = take_frames();
    lock_state state;

    deep_assert(pages > 0 && pages <= SWAP_TABLES * SLOTS_A_FRAME);
    if (err != 0)
        return err;
    state        = lock_take(&swap_lock);
    swap.pages   = pages;
    swap.leaving = singly = false;
    lock_drop(&swap_lock, state);
    return 0;
}

int swap_device_on(void)
{
    frame_t  frame;
    uint32_t pages;
    int      err;

    may_sleep();
    if (block_device.pages == 0)
        return -EINVAL;
    if (swap_device_is_on())
        return -EBUSY;
    if (frame_get(OWNER_PROCESS, 0, &frame) != 0)
        return -ENOMEM;
    err = read_header(frame, &pages);
    frame_put(frame);
    return err != 0 ? err : put_to_use(pages);
}

uint32_t swap_room(void) { return __atomic_load_n(&swap.pages, __ATOMIC_RELAXED); }

bool swap_device_is_on(void) { return __atomic_load_n(&swap.pages, __ATOMIC_RELAXED) > 0; }

void swap_device_leave(bool leaving)
{
    lock_state state = lock_take(&swap_lock);

    swap.leaving = leaving;
    lock_drop(&swap_lock, state);
}

bool swap_device_off(void)
{
    lock_state state = lock_take(&swap_lock);
    bool       off   = swap.pages > 0 && swap.device.used == 0;

    for (unsigned i = 0; i < TRANSFERS; i++)    /* bound: TRANSFERS */
        off = off && transfers[i].users == 0;
    if (off) {
        swap.pages = swap.bad = 0;
        swap_drop_tables();
    }
    lock_drop(&swap_lock, state);
    if (off)
        drop_frames(FRAMES);
    return off;
}
