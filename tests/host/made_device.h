/*
 * made_device.h - a swap device in memory, which answers its requests in any order, fails when it is told to, and may
 * never answer; and pages that do not shrink.
 */
#ifndef QUIRE_TESTS_MADE_DEVICE_H
#define QUIRE_TESTS_MADE_DEVICE_H

#include "map_world.h"

#include "base/block.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/transfer.h"

enum { DEVICE_PAGES = 300, SLOTS = DEVICE_PAGES - 1, WORDS = PAGE_SIZE / 4 };

static uint8_t               stored[DEVICE_PAGES][PAGE_SIZE];
static struct block_request *waiting[BLOCK_REQUESTS];
static unsigned              waiting_count, most_waiting, given_up, reads_made, writes_made, pages_read;
static bool                  reads_fail, writes_fail, silent;
static uint32_t              fails_at;                  /* the page that cannot be written; 0: none */
static uint32_t              lost_at;                   /* the page that cannot be read; 0: none    */
static void                 (*while_waiting)(void);     /* NULL, or what others do while somebody waits */
static uint64_t              chance = 88172645463325252ull;

static inline uint32_t at_random(uint32_t below)
{
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    return (uint32_t)(chance >> 16) % below;
}

static inline void answer(struct block_request *request, bool good)
{
    request->result = good ? 0 : -EIO;
    for (unsigned i = 0; i < request->count; i++) {
        uint8_t *memory = &machine_ram[frame_address(request->frames[i])], *there = stored[request->page + i];

        if (request->write && good)
            memcpy(there, memory, PAGE_SIZE);
        else if (!request->write)
            memcpy(memory, good ? there : stored[0], PAGE_SIZE);    /* what is read in vain is wrong */
    }
    completion_happen(&request->done);
}

static inline void device_start(struct block_request *request)
{
    assert_true(request->page < DEVICE_PAGES && waiting_count < BLOCK_REQUESTS && request->count > 0);
    assert_true(request->count <= BLOCK_PAGES && request->page + request->count <= DEVICE_PAGES);
    pages_read += request->write ? 0 : request->count;
    waiting[waiting_count++] = request;
    most_waiting = waiting_count > most_waiting ? waiting_count : most_waiting;
    *(request->write ? &writes_made : &reads_made) += 1;
}

static inline void device_give_up(void)
{
    given_up++;
    while (waiting_count > 0)
        answer(waiting[--waiting_count], false);
}

/* Whoever waits lets the device work: on any of its requests. */
bool completion_wait_for(struct completion *completion, uint64_t nanoseconds)
{
    (void)nanoseconds;
    if (while_waiting != NULL && !completion_happened(completion))
        while_waiting();
    while (!silent && !completion_happened(completion)) {
        unsigned              at      = at_random(waiting_count);
        struct block_request *request = waiting[at];

        waiting[at] = waiting[--waiting_count];
        answer(request, request->write ? !writes_fail && request->page != fails_at
                                       : !reads_fail && (lost_at == 0 || lost_at - request->page >= request->count));
    }
    return completion_happened(completion);
}

static inline void make_header(uint32_t last)
{
    const uint32_t words[3] = { 1, last, 0 };

    memset(stored, 0, sizeof stored);
    memcpy(&stored[0][1024], words, sizeof words);
    memcpy(&stored[0][PAGE_SIZE - 10], "SWAPSPACE2", 10);
}

static inline void begin_device(void)
{
    block_device = (struct block_device){ DEVICE_PAGES, device_start, device_give_up };
    waiting_count = most_waiting = given_up = reads_made = writes_made = pages_read = fails_at = lost_at = 0;
    reads_fail = writes_fail = silent = false;
    while_waiting = NULL;
    make_header(SLOTS);
    assert_int_equal(swap_device_on(), 0);
}

static inline bool never(void) { return false; }

static inline void end_device(void)
{
    assert_true(swap_device_off());
    assert_int_equal(frames_owned(OWNER_COMPRESSED), 0);
    assert_clean();
    block_device = (struct block_device){ .pages = 0 };
}

/* ---- Pages ----------------------------------------------------------------------------------------------- */

static inline struct swap_sums sums(void)
{
    struct swap_sums out;

    swap_sums(&out);
    return out;
}

static inline uint32_t noise(size_t page, unsigned word)
{
    uint32_t x = (uint32_t)(page * WORDS + word + 1) * 2654435761u;

    x = (x ^ x >> 15) * 2246822519u;
    return x ^ x >> 13;
}

#endif
