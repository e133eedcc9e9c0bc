/*
 * claims.c - the claims of layouts/pat/layout.md about the table of pages, K1 to K12, each looked at.
 *
 * The numbers in here are the claims' own and are not taken from the document's tables: if the document were
 * changed, these probes would notice. K13 and those after it are in claims_spaces.c.
 */
#include "layouts/pat/claims.h"

#include "base/string.h"
#include "boot/info.h"
#include "claims/made.h"
#include "claims/probe.h"
#include "cpu.h"
#include "memory/frames/next_page.h"
#include "memory/tables/slot.h"
#include "memory/start.h"
#include "memory/frames/frame_magazine.h"

enum {
    K_LOW_END = 0x100,              /* K3, K5: the low megabyte, in frames  */
    K_E820    = 0xE820,             /* K1                                   */
    K_WORDS   = PAGE_SIZE / sizeof(uint32_t),
};
#define K_DIRT 0xD1D1D1D1u

extern char image_boot_start[], image_boot_end[];               /* the linker script's */

/* ---- The table ------------------------------------------------------------------------------ */

/* The first page of which the kernel's map says something else than the loader did; frames_end() if there is none. */
static uint32_t first_misread(void)
{
    for (uint32_t n = 0; n < frames_end(); n++) {
        const struct memmap_range *range = memmap_find(memory_map(), (frame_t){ n });
        enum told told = told_of((frame_t){ n });

        if (told != TOLD_DEVICE && told != TOLD_MODULE && (range != NULL && range->ram) != (told == TOLD_USABLE))
            return n;
    }
    return frames_end();
}

static void k1_map_from_bios(struct claim_result *result)
{
    const struct boot_path *way = boot_path();

    if (way->map_call == 0)
        return claim_unseen(result, "a loader brought the kernel and asked the BIOS itself");
    if (first_misread() != frames_end())
        return claim_saw(result, false, "page 0x%x000 is %s, and the kernel's map says something else", first_misread(),
                         told_names[told_of((frame_t){ first_misread() })]);
    claim_saw(result, way->map_call == K_E820 && way->map_entries > 0 && way->map_rest == 0,
              "int 0x15 with 0x%X gave %u segments, to %s, before the kernel was moved; the kernel's map says the same",
              way->map_call, way->map_entries, way->map_rest == 0 ? "its end" : "somewhere in between");
}

static const uint8_t *table(size_t *bytes)
{
    frames_drain();
    return frames_bitmap(bytes);
}

static void k2_set_is_in_use(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bits = table(&bytes);
    uint32_t       used = 0;

    if (bytes * 8 < frames_end())
        return claim_saw(result, false, "%u bytes for %u pages", (unsigned)bytes, frames_end());
    for (uint32_t n = K_LOW_END; n < frames_end(); n++) {
        enum owner owner = frame_owner((frame_t){ n });

        if (owner == OWNER_FREE || owner == OWNER_ABSENT)
            continue;
        if (!bit_in(bits, (frame_t){ n }))
            return claim_saw(result, false, "page 0x%x000 is in use (%s) and its bit is not set", n,
                             owner_names[owner]);
        used++;
    }
    claim_saw(result, used > 0, "a bit for each of %u pages in %u bytes; all %u pages in use have theirs set",
              frames_end(), (unsigned)bytes, used);
}

/* The table's bit for a page: the meaning of its values is claim K2. */
static bool is_in_use(const uint8_t *bits, uint32_t n)
{
    return bit_in(bits, (frame_t){ n }) == (frames.pool.used & 1);
}

/* The frame was usable, without an owner when the table was placed. Frames of boot joined the pool later. */
static bool was_to_be_had(uint32_t n)
{
    paddr_t at = frame_address((frame_t){ n });

    return told_of((frame_t){ n }) == TOLD_USABLE && !was_never_pooled((frame_t){ n }) &&
           !(at >= (uintptr_t)image_boot_start && at < (uintptr_t)image_boot_end);
}

/* The first run of so many such pages from a page on that ends below another; POOL_NONE if there is none. */
static uint32_t run_before(uint32_t from, uint32_t end, size_t pages)
{
    size_t run = 0;

    for (uint32_t n = from; n < end; n++) {
        run = was_to_be_had(n) ? run + 1 : 0;
        if (run == pages)
            return n + 1 - (uint32_t)pages;
    }
    return POOL_NONE;
}

static void k3_in_first_segment(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bits = table(&bytes);
    uint32_t       earlier;
    paddr_t        at;

    if (!physical_of(address_of(bits), &at) || frame_of(at).no < K_LOW_END)
        return claim_saw(result, false, "the table is nowhere, or in the low megabyte");
    earlier = run_before(K_LOW_END, frame_of(at).no, pages_for(bytes));
    if (earlier != POOL_NONE)
        return claim_saw(result, false, "the table is at 0x%llx, though 0x%x000 had room for it",
                         (unsigned long long)at, earlier);
    claim_saw(result, told_of(frame_of(at)) == TOLD_USABLE,
              "the table is at 0x%llx, usable memory; from 1 MiB to there nothing had room for its %u bytes",
              (unsigned long long)at, (unsigned)bytes);
}

/* The number of free bits before the first was marked is noted; only bits of frames in use are set, as by zeroing. */
static void k4_zeroed_first(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bits = table(&bytes);
    uint32_t       free = 0;

    for (uint32_t n = 0; n < frames_end(); n++) {
        if (frame_owner((frame_t){ n }) != OWNER_FREE)
            continue;
        if (is_in_use(bits, n))
            return claim_saw(result, false, "page 0x%x000 is nobody's, yet its bit is set", n);
        free++;
    }
    claim_saw(result, free > 0 && frames.free_at_first == frames_end(),
              "before the first was marked %u of %u pages were free; the bits of all %u that nobody has are zero",
              frames.free_at_first, frames_end(), free);
}

static void k5_marked(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bits = table(&bytes);
    paddr_t        at   = 0;
    uint32_t       own, unusable = 0;

    if (!physical_of(address_of(bits), &at))
        return claim_saw(result, false, "the table is nowhere");
    own = frame_of(at).no;
    for (enum told kind = 0; kind < TOLD_KINDS; kind++)
        if (made_wrong(kind) != NULL)
            return claim_saw(result, false, "%s", made_wrong(kind));
    for (uint32_t n = 0; n < frames_end(); n++) {
        enum told told = told_of((frame_t){ n });
        bool      low = n < K_LOW_END, its = n >= own && n < own + pages_for(bytes), none = told != TOLD_USABLE;

        if ((low || its || none) && !is_in_use(bits, n))
            return claim_saw(result, false, "page 0x%x000 is %s and not marked", n,
                             low ? "in the low megabyte" : its ? "the table's own" : told_names[told]);
        unusable += none && !low;
    }
    claim_saw(result, true, "256 pages of the low megabyte, %u of the table, %u unusable ones beyond: all marked, as a "
              "made machine's would be", (unsigned)pages_for(bytes), unusable);
}

/* ---- Taking and giving back --------------------------------------------------------------------- */

/* Pages taken hang together by their links, so that no memory is needed to remember them. */
struct taken {
    frame_t  last;
    uint32_t count, twice;              /* pages; and how often a page came that was taken      */
    frame_t  bad;                       /* the first that should not have been handed out       */
    bool     all_zero;
};

static bool frame_is_forbidden(frame_t frame)
{
    size_t         bytes;
    paddr_t        at = 0;
    const uint8_t *bits = frames_bitmap(&bytes);

    return frame.no < K_LOW_END || is_device_or_hole(frame) ||
           (physical_of(address_of(bits), &at) && frame.no >= frame_of(at).no &&
            frame.no < frame_of(at).no + pages_for(bytes));
}

static uint32_t *bytes_of(paddr_t page) { return physical_pointer(page, PAGE_SIZE); }

static bool is_zero(paddr_t page)
{
    const uint32_t *word = bytes_of(page);

    for (uint32_t i = 0; i < K_WORDS; i++)
        if (word[i] != 0)
            return false;
    return true;
}

/* A page that was taken has a link, to the one before or to none; a page that is handed out anew has no link. */
static bool taken_note(struct taken *t, paddr_t page)
{
    frame_t frame = frame_of(page);

    if (frame_link(frame) != 0) {
        t->twice++;
        return false;
    }
    t->all_zero &= is_zero(page);
    if (!frame_exists(t->bad) && frame_is_forbidden(frame))
        t->bad = frame;
    frame_set_link(frame, t->last.no);
    t->last = frame;
    t->count++;
    return true;
}

/*
 * To the last one that the search finds: get_next_page() may use the reserve, and does not panic while there is one.
 * Each is filled with `dirt`, unless that is 0. Frame 0 has no owner, so that a link is never 0.
 */
static struct taken take_every_page(uint32_t dirt)
{
    struct taken t = { .last = NO_FRAME, .bad = NO_FRAME, .all_zero = true };

    while (pool_peek(&frames.pool, false) != POOL_NONE) {
        paddr_t page = get_next_page();

        if (taken_note(&t, page) && dirt != 0)
            words_fill(bytes_of(page), dirt, K_WORDS);
    }
    return t;
}

static void frames_give_back(struct taken *t)
{
    while (frame_exists(t->last)) {
        frame_t frame = t->last;

        t->last = (frame_t){ frame_link(frame) };
        free_page(frame_address(frame));
    }
}

/* How many pages the table calls in use. */
static uint32_t ones_now(void)
{
    size_t         bytes;
    const uint8_t *bits = frames_bitmap(&bytes);
    uint32_t       ones = ones_in(bits, bytes);

    return (frames.pool.used & 1) ? ones : (uint32_t)bytes * 8 - ones;
}

static void k6_never_one_twice(struct claim_result *result)
{
    uint32_t     before = ones_now(), during;
    struct taken t = take_every_page(0);

    during = ones_now();
    frames_give_back(&t);
    if (frame_exists(t.bad))
        return claim_saw(result, false, "page 0x%x000 was handed out", t.bad.no);
    if (during != before + t.count || ones_now() != before)
        return claim_saw(result, false, "%u pages taken and returned: %u bits were set, then %u, then %u", t.count,
                         before, during, ones_now());
    claim_saw(result, t.count > 0 && t.twice == 0,
              "%u pages taken, as many bits set: %u twice, none of the low megabyte, the table, or unusable",
              t.count, t.twice);
}

static void k7_goes_on(struct claim_result *result)
{
    paddr_t page[3] = { 0, 0, 0 }, next = 0;
    bool    rising;

    for (unsigned i = 0; i < 3; i++)
        page[i] = get_next_page();
    rising = page[0] < page[1] && page[1] < page[2];
    if (!rising) {                      /* here the search began at the bottom again; then it rises */
        for (unsigned i = 0; i < 3; i++)
            free_page(page[i]);
        for (unsigned i = 0; i < 3; i++)
            page[i] = get_next_page();
    }
    free_page(page[0]);
    next = get_next_page();
    free_page(page[1]);
    free_page(page[2]);
    free_page(next);
    claim_saw(result, next > page[2], "took 0x%llx, 0x%llx and 0x%llx, gave the first back, and got 0x%llx",
              (unsigned long long)page[0], (unsigned long long)page[1], (unsigned long long)page[2],
              (unsigned long long)next);
}

static void k8_all_zero(struct claim_result *result)
{
    struct taken dirty = take_every_page(K_DIRT), clean;

    frames_give_back(&dirty);
    clean = take_every_page(0);
    frames_give_back(&clean);
    claim_saw(result, clean.all_zero && dirty.count > 0 && clean.count > 0,
              "%u pages filled and given back; of %u taken then each word was %s", dirty.count, clean.count,
              clean.all_zero ? "zero" : "NOT zero");
}

/* The highest page of those taken, out of their row. */
static paddr_t taken_highest(struct taken *t)
{
    frame_t highest = t->last, before = NO_FRAME;

    for (frame_t f = t->last; frame_exists(f); f = (frame_t){ frame_link(f) })
        highest = f.no > highest.no ? f : highest;
    for (frame_t f = t->last; !frame_is(f, highest); f = (frame_t){ frame_link(f) })
        before = f;
    if (frame_exists(before))
        frame_set_link(before, frame_link(highest));
    else
        t->last = (frame_t){ frame_link(highest) };
    return frame_address(highest);
}

/* What the search finds next, 0 if nothing. */
static paddr_t next_if_any(void) { return pool_peek(&frames.pool, false) != POOL_NONE ? get_next_page() : 0; }

/*
 * Of all pages only the highest is free: it is found, and the search is at the end of the table. Then another is free
 * instead, which lies below.
 */
static void k9_wraps(struct claim_result *result)
{
    struct taken t = take_every_page(0);
    paddr_t      end = taken_highest(&t), low = frame_address(t.last), first, then;

    t.last = (frame_t){ frame_link(t.last) };
    free_page(end);
    first = next_if_any();
    free_page(low);
    then = next_if_any();
    if (first != 0)
        free_page(first);
    if (then != 0)
        free_page(then);
    frames_give_back(&t);
    claim_saw(result, first == end && then == low && low < end,
              "with all others taken the search found 0x%llx, the highest of %u pages, and then 0x%llx below it: %s",
              (unsigned long long)end, t.count, (unsigned long long)low, then == low ? "so it did" : "it DID NOT");
}

static void k11_free_page_succeeds(struct claim_result *result)
{
    paddr_t page = get_next_page();
    bool    was  = frame_owner(frame_of(page)) == OWNER_PAGES, said = free_page(page);

    claim_saw(result, was && said && frame_owner(frame_of(page)) == OWNER_FREE,
              "page 0x%llx: taken, given back with %s, free", (unsigned long long)page, said ? "success" : "failure");
}

static void k12_fails_only_unaligned(struct claim_result *result)
{
    struct frame_sums before, after;
    paddr_t           page = get_next_page();
    uint32_t          ones = ones_now(), refused = 0, harmless = 0;

    frames_sums(&before);
    for (paddr_t off = 1; off < PAGE_SIZE; off += off)
        refused += !free_page(page + off);
    refused += !free_page(page + PAGE_SIZE - 1);
    if (refused != 13 || ones_now() != ones || frame_owner(frame_of(page)) != OWNER_PAGES)
        return claim_saw(result, false, "%u of 13 addresses inside page 0x%llx were refused", refused,
                         (unsigned long long)page);
    free_page(page);
    ones = ones_now();
    harmless += free_page(page);                                /* a second time                 */
    harmless += free_page(0);                                   /* the low megabyte              */
    harmless += free_page((paddr_t)frames_end() << PAGE_SHIFT); /* past all memory               */
    harmless += free_page(~(paddr_t)(PAGE_SIZE - 1));           /* the last page of all          */
    frames_sums(&after);
    claim_saw(
        result, harmless == 4 && ones_now() == ones && after.misuses == before.misuses + 4,
        "13 unaligned addresses failed; a second time, never given, and past memory succeeded, changed nothing, and "
        "were"
        " counted: %u",
        after.misuses - before.misuses);
}

const struct claim_probe pat_probes[] = {
    { "K1",  k1_map_from_bios },     { "K2",  k2_set_is_in_use },    { "K3",  k3_in_first_segment },
    { "K4",  k4_zeroed_first },      { "K5",  k5_marked },           { "K6",  k6_never_one_twice },
    { "K7",  k7_goes_on },           { "K8",  k8_all_zero },         { "K9",  k9_wraps },
    { "K11", k11_free_page_succeeds }, { "K12", k12_fails_only_unaligned },
    { "K13", k13_identity },         { "K14", k14_handler_first },   { "K15", k15_cr3_then_cr0 },
    { "K16", k16_first_entry_only }, { "K17", k17_changes_on_traps }, { "K18", k18_empty_until_mapped },
    { "K19", k19_physical_not_marked }, { "K20", k20_next_available }, { "K21", k21_unaligned_fails },
    { "K22", k22_not_there },
    { 0 },
};
