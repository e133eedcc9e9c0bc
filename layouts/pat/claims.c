/*
 * claims.c - the claims of layouts/pat/layout.md about the table of pages, K1 to K12, each looked at.
 *
 * The numbers in here are the claims' own and are not taken from the document's tables: if the document were
 * changed, these probes would notice. K13 and those after it are in claims_spaces.c.
 */
#include "layouts/pat/claims.h"

#include "base/string.h"
#include "boot/info.h"
#include "claims/probe.h"
#include "cpu.h"
#include "memory/frames/next_page.h"
#include "memory/tables/slot.h"
#include "memory/start.h"
#include "memory/frames/frame_magazine.h"

enum {
    K_LOW_END = 0x100,              /* K3, K5: the low megabyte, in frames  */
    K_E820    = 0xE820,             /* K1                                   */
    K_FEW     = 48,                 /* pages that are looked at one by one  */
    K_WORDS   = PAGE_SIZE / sizeof(uint32_t),
};
#define K_DIRT 0xD1D1D1D1u

/* ---- The table ------------------------------------------------------------------------------ */

static void k1_map_from_bios(struct claim_result *result)
{
    const struct boot_path *way = boot_path();

    if (way->map_call == 0)
        return claim_unseen(result, "a loader brought the kernel and asked the BIOS itself");
    claim_saw(result, way->map_call == K_E820 && way->map_entries > 0 && memory_map()->count > 0,
              "int 0x15 with 0x%X gave %u segments, before the kernel was moved; the kernel's map has %u ranges",
              way->map_call, way->map_entries, memory_map()->count);
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

/* The next stretch of usable memory from `from` on, whatever it is used for: what the BIOS calls a segment. */
static struct span segment(uint32_t from)
{
    const struct memmap *map = memory_map();
    struct span          got = { 0, 0 };

    for (uint32_t i = 0; i < map->count; i++) {
        const struct memmap_range *range = &map->ranges[i];

        if (!range->ram || range->end.no <= from)
            continue;
        if (!span_empty(got) && range->first.no != got.end)
            break;
        if (span_empty(got))
            got.first = range->first.no > from ? range->first.no : from;
        got.end = range->end.no;
    }
    return got;
}

static void k3_in_first_segment(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bits = table(&bytes);
    uint32_t       passed = 0;
    paddr_t        at;

    if (!physical_of(address_of(bits), &at))
        return claim_saw(result, false, "the table is nowhere");
    for (struct span s = segment(K_LOW_END); !span_empty(s); s = segment((uint32_t)s.end)) {
        if (span_has(s, frame_of(at).no))
            return claim_saw(result, true,
                             "the table is at 0x%llx, in the segment 0x%x000 to 0x%x000; %u before it too small",
                             (unsigned long long)at, (unsigned)s.first, (unsigned)s.end, passed);
        if (span_pages(s) > 4 * pages_for(bytes))       /* more than what else lies there could fill */
            break;
        passed++;
    }
    claim_saw(result, false, "the table is at 0x%llx, not in the first segment above 1 MiB", (unsigned long long)at);
}

/* Nothing is set but what was marked: each free page's bit is as zeroing left it. */
static void k4_zeroed_first(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bits = table(&bytes);
    uint32_t       free = 0;

    for (uint32_t n = 0; n < frames_end(); n++) {
        if (frame_owner((frame_t){ n }) != OWNER_FREE)
            continue;
        if (bit_in(bits, (frame_t){ n }))
            return claim_saw(result, false, "page 0x%x000 is nobody's, yet its bit is set", n);
        free++;
    }
    claim_saw(result, free > 0, "the bits of all %u pages that nobody has are zero", free);
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
    for (uint32_t n = 0; n < frames_end(); n++) {
        const struct memmap_range *range = memmap_find(memory_map(), (frame_t){ n });
        bool low = n < K_LOW_END, its = n >= own && n < own + pages_for(bytes), none = range == NULL || !range->ram;

        if ((low || its || none) && !bit_in(bits, (frame_t){ n }))
            return claim_saw(result, false, "page 0x%x000 is %s and not marked", n,
                             low ? "in the low megabyte" : its ? "the table's own" : "unusable");
        unusable += none && !low;
    }
    claim_saw(result, true, "256 pages of the low megabyte, %u of the table, %u unusable ones beyond: all marked",
              (unsigned)pages_for(bytes), unusable);
}

/* ---- Taking and giving back --------------------------------------------------------------------- */

/* Pages taken hang together by their links, so that no memory is needed to remember them. */
struct taken {
    frame_t  last;
    uint32_t count, falls;              /* how often the address was lower than the one before */
    frame_t  bad;                       /* the first that should not have been handed out       */
    bool     all_zero, met;             /* met: the page looked for came along                  */
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

/* To the last one: get_next_page() may use the reserve, and does not panic while something is free. */
static struct taken take_every_page(paddr_t look_for)
{
    struct taken t = { .last = NO_FRAME, .bad = NO_FRAME, .all_zero = true };

    while (frames.pool.free > 0) {
        paddr_t page  = get_next_page();
        frame_t frame = frame_of(page);

        t.falls    += t.count > 0 && frame.no < t.last.no;
        t.all_zero &= is_zero(page);
        t.met      |= page == look_for;
        if (!frame_exists(t.bad) && frame_is_forbidden(frame))
            t.bad = frame;
        frame_set_link(frame, t.last.no);
        t.last = frame;
        t.count++;
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

static uint32_t ones_now(void)
{
    size_t         bytes;
    const uint8_t *bits = frames_bitmap(&bytes);

    return ones_in(bits, bytes);
}

static void k6_never_one_twice(struct claim_result *result)
{
    uint32_t     before = ones_now(), during;
    struct taken t = take_every_page(0);

    during = ones_now();
    frames_give_back(&t);
    if (frame_exists(t.bad))
        return claim_saw(result, false, "page 0x%x000 was handed out", t.bad.no);
    claim_saw(result, t.count > 0 && during == before + t.count && ones_now() == before,
              "%u pages taken, as many bits set: none twice, none of the low megabyte, the table, or unusable",
              t.count);
}

static void k7_goes_on(struct claim_result *result)
{
    paddr_t page[3] = { 0, 0, 0 }, next = 0;
    bool    rising;

    for (unsigned i = 0; i < 3; i++)
        page[i] = get_next_page();
    rising = page[0] < page[1] && page[1] < page[2];
    if (!rising) {                      /* just then the search came round: from there on it rises */
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
    paddr_t      page[K_FEW];
    struct taken t;

    for (unsigned i = 0; i < K_FEW; i++) {
        page[i] = get_next_page();
        words_fill(bytes_of(page[i]), K_DIRT, K_WORDS);
    }
    for (unsigned i = 0; i < K_FEW; i++)
        free_page(page[i]);
    t = take_every_page(page[0]);
    frames_give_back(&t);
    claim_saw(result, t.all_zero && t.met,
              "%u pages filled and freed; of %u taken then, these among them, each word was zero", (unsigned)K_FEW,
              t.count);
}

static void k9_wraps(struct claim_result *result)
{
    paddr_t      below = get_next_page(), above = get_next_page();
    struct taken t;

    free_page(below);
    t = take_every_page(below);
    frames_give_back(&t);
    free_page(above);
    claim_saw(result, t.met && t.falls <= 1,
              "from 0x%llx on %u pages came, the address fell %u times, and 0x%llx came too", (unsigned long long)above,
              t.count, t.falls, (unsigned long long)below);
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
