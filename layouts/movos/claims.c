/*
 * claims.c - the claims of layouts/movos/layout.md about frames, tables and bookkeeping, each looked at; and the list
 * of all.
 */
#include "layouts/movos/claims.h"
#include "claims/probe.h"

#include "base/error.h"
#include "base/string.h"
#include "console/show.h"
#include "cpu.h"
#include "layouts/movos/tables.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap.h"
#include "memory/tables/table.h"

enum { M_SPACES = 5, M_PAGES = 6, M_BLOCKS = 12 };

/* The frame that a page of kernel space shows, NO_FRAME where there is none. */
static frame_t m_shown(vaddr_t address)
{
    paddr_t physical;

    return physical_of(address, &physical) ? frame_of(physical) : NO_FRAME;
}

entry_t m_root_entry(const struct space *space, page_t page)
{
    lock_state state = lock_take((struct lock *)&space->tables_lock);
    entry_t    e     = entry_read(entry_at(space, page, MMU_LEVELS));

    lock_drop((struct lock *)&space->tables_lock, state);
    return e;
}

/* ---- The pool ---------------------------------------------------------------------------------- */

static bool is_kernels(frame_t frame) { return frame.no < M_KERNEL_END / PAGE_SIZE; }

/* Owners of what the kernel keeps; all others had it from the pool. */
static bool is_kept(enum owner owner)
{
    return owner == OWNER_ABSENT || owner == OWNER_HELD || owner == OWNER_IMAGE || owner == OWNER_BOOT ||
           owner == OWNER_BITMAP || owner == OWNER_RECORDS || owner == OWNER_TABLES;
}

static void m5_pool_from_8_mib(struct claim_result *result)
{
    frame_t    first = { M_KERNEL_END / PAGE_SIZE }, bad;
    uint32_t   kept  = 0, taken;
    enum owner owner;

    for (uint32_t n = 0; n < first.no; n++) {
        owner = frame_owner((frame_t){ n });
        if (!is_kept(owner))
            return claim_saw(result, false, "frame %u, below 8 MiB, belongs to %s", n, owner_names[owner]);
        kept += n >= M_KERNEL / PAGE_SIZE;
    }
    taken = take_all_frames(is_kernels, &bad);
    if (frame_exists(bad))
        return claim_saw(result, false, "frame %u was handed out", bad.no);
    owner = frame_owner(first);
    claim_saw(result, kept == M_KERNEL_FRAMES && taken > 0 && owner != OWNER_HELD && owner != OWNER_ABSENT,
              "took all %u free frames, none below frame %u, which is %s; %u frames from 1 to 8 MiB are kept", taken,
              first.no, owner_names[owner], kept);
}

/* One frame is taken and given back: its bit changes, and no other. */
static void m6_bitmap(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bitmap = frames_bitmap(&bytes);
    uint32_t       ones   = ones_in(bitmap, bytes), free = frames_free(), later;
    paddr_t        at;
    frame_t        frame;
    bool           out, in;

    if (!physical_of(address_of(bitmap), &at) || at < M_KERNEL || at + bytes > M_KERNEL_END || bytes * 8 < frames_end())
        return claim_saw(result, false, "a bitmap of %u bytes at physical 0x%llx, for %u frames", (unsigned)bytes,
                         (unsigned long long)at, frames_end());
    if (bytes * 8 - ones != free)
        return claim_saw(result, false, "%u zeroes in the bitmap, and %u free pages", (uint32_t)bytes * 8 - ones, free);
    if (frame_get(OWNER_TEST, 0, &frame) != 0)
        return claim_saw(result, false, "no frame is free");
    out   = bit_in(bitmap, frame);
    later = ones_in(bitmap, bytes);
    frame_put(frame);
    in = !bit_in(bitmap, frame) && ones_in(bitmap, bytes) == ones;
    claim_saw(
        result, out && in && later == ones + 1,
        "%u bytes at physical 0x%llx; %u zeroes and as many free pages; a page taken is a %s, and returned a %s",
        (unsigned)bytes, (unsigned long long)at, free, out ? "one" : "ZERO", in ? "zero" : "ONE");
}

/* ---- Directories -------------------------------------------------------------------------------- */

/* The frame shown as far from a space's structure as the two places are apart. The window's address is M13's. */
static frame_t directory_of(const struct space *space)
{
    const struct bookkeeping *structure = space->home.structure;

    return m_shown(address_of(structure) + ((vaddr_t)structure->directory - structure->structure) * PAGE_SIZE);
}

/* Read from the processor, while a space is in use. */
static void m9_cr3(struct claim_result *result)
{
    struct space space;
    uint32_t     alive = 0, right = 0;
    frame_t      directory, loaded;

    if (space_create(&space) != 0)
        return claim_saw(result, false, "no memory for a space");
    directory = directory_of(&space);
    space_activate(&space);
    loaded = mmu_active();
    space_activate(&kernel_space);
    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
        const struct bookkeeping *structure = s->home.structure;

        alive++;
        right += structure->registers.root == (uint32_t)frame_address(s->root) &&
                 frame_is(directory_of(s), s->root);
    }
    space_destroy(&space);
    claim_saw(
        result, frame_is(loaded, directory) && right == alive,
        "in use, CR3 leads to frame %u, the directory that the window shows; so does the kept CR3 of %u of %u spaces",
        loaded.no, right, alive);
}

static void m11_first_entry_shared(struct claim_result *result)
{
    struct space spaces[M_SPACES];
    frame_t      table = entry_frame(m_root_entry(&kernel_space, 0));
    uint32_t     made = 0, same = 0, alive = 0;
    bool         shows = frame_is(m_shown(M_KERNEL), (frame_t){ M_KERNEL / PAGE_SIZE });

    while (made < M_SPACES && space_create(&spaces[made]) == 0)
        made++;
    for (const struct space *s = space_after(NULL); s != NULL; s = space_after(s)) {
        entry_t e = m_root_entry(s, 0);

        alive++;
        same += entry_kind(e, MMU_LEVELS) == ENTRY_TABLE && frame_is(entry_frame(e), table);
    }
    for (uint32_t i = 0; i < made; i++)
        space_destroy(&spaces[i]);
    claim_saw(
        result, made == M_SPACES && same == alive && shows,
        "entry 0 of %u of %u directories, %u of them new, leads to the table in frame %u, which shows the kernel at "
        "1 MiB",
        same, alive, made, table.no);
}

/* ---- The window ----------------------------------------------------------------------------------- */

/* All that one space has in the window: each where it says, and of the owner it should be. Returns how many pages. */
static uint32_t pages_in_window(const struct space *space)
{
    const struct bookkeeping *structure = space->home.structure;
    frame_t  directory = m_shown(M_WINDOW + (structure->directory - 1) * PAGE_SIZE);
    uint32_t pages = 0;

    pages += address_of(structure) >= M_WINDOW && address_of(structure) < M_WINDOW_END &&
             frame_owner(m_shown(address_of(structure))) == OWNER_PROCESS;
    pages += frame_is(directory, space->root);
    for (page_t page = layout.user.first; page < layout.user.end; page += MMU_ENTRIES) {
        entry_t e = m_root_entry(space, page);

        if (entry_kind(e, MMU_LEVELS) == ENTRY_TABLE)
            pages += frame_is(m_shown(M_WINDOW + (structure->tables[mmu_index(page, MMU_LEVELS)] - 1) * PAGE_SIZE),
                              entry_frame(e));
    }
    return pages;
}

static int map_pages(struct space *space, page_t first, uint32_t count, page_t stride)
{
    for (uint32_t i = 0; i < count; i++) {
        page_t        page = first + i * stride;
        struct cursor c;
        frame_t       frame;

        if (!page_is_users(page))
            return -EFAULT;             /* another document's kernel: programs are elsewhere */
        if (frame_get(OWNER_TEST, 0, &frame) != 0)
            return -ENOMEM;
        if (cursor_open(&c, space, span_of(page, 1), CURSOR_BUILD) != 0) {
            frame_put(frame);
            return -ENOMEM;
        }
        cursor_map(&c, page, frame, (struct rights){ MAY_READ, MAY_READ }, CACHE_BACK);
        cursor_close(&c);
    }
    return 0;
}

static void m13_window(struct claim_result *result)
{
    struct space space;
    uint32_t     mapped = 0, claimed = 0, expected = 0, spaces = 0;

    if (space_create(&space) != 0)
        return claim_saw(result, false, "no memory for a space");
    if (map_pages(&space, page_of(M_START), 3, MMU_ENTRIES) == 0)
        for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
            spaces++;
            expected += 1 + s->table_frames;
            claimed  += pages_in_window(s);
        }
    for (vaddr_t at = M_WINDOW; at < M_WINDOW_END; at += PAGE_SIZE)
        mapped += frame_exists(m_shown(at));
    space_destroy(&space);
    claim_saw(
        result, spaces > 0 && mapped == expected && claimed == expected,
        "%u pages are mapped from 0x00400000 to 0x007FFFFF: structures, directories and tables of %u process%s, %u "
        "of %u found",
        mapped, spaces, spaces == 1 ? "" : "es", claimed, expected);
}

static void m14_cost(struct claim_result *result)
{
    struct space space;
    uint32_t     before = frames_free(), places = table_window_free(), taken[2] = { 0, 0 }, in_use = 0;
    const uint32_t tables[2] = { 1, 1 + M_PAGES };
    bool         good;

    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s))
        in_use += 1 + s->table_frames;
    if (space_create(&space) != 0)
        return claim_saw(result, false, "no memory for a space");
    good = map_pages(&space, page_of(M_START), M_PAGES, 1) == 0;                        /* all in one table  */
    taken[0] = before - frames_free();
    /* each in its own */
    good = good && map_pages(&space, page_of(M_START) + MMU_ENTRIES, M_PAGES, MMU_ENTRIES) == 0;
    taken[1] = before - frames_free();
    space_destroy(&space);
    good = good && frames_free() == before && table_window_free() == places &&
           places + in_use == (M_WINDOW_END - M_WINDOW) / PAGE_SIZE;
    for (uint32_t i = 0; i < 2; i++)
        good = good && taken[i] == 2 + tables[i] + M_PAGES * (i + 1);
    claim_saw(
        result, good,
        "%u pages in one table took %u frames, %u more in %u tables %u; all came back; %u of the window's %u pages "
        "are free",
        (unsigned)M_PAGES, taken[0], (unsigned)M_PAGES, (unsigned)M_PAGES, taken[1], places,
        (M_WINDOW_END - M_WINDOW) / PAGE_SIZE);
}

/* ---- Memory of any size ---------------------------------------------------------------------------- */

static bool holds_only(const uint8_t *block, size_t bytes, uint8_t value)
{
    for (size_t i = 0; i < bytes; i++)
        if (block[i] != value)
            return false;
    return true;
}

/* Blocks of the same sizes, filled and given back: the next owner of their memory must not see the contents. */
static void leave_dirty(void)
{
    uint8_t *blocks[M_BLOCKS];
    size_t   bytes = 1;

    for (uint32_t i = 0; i < M_BLOCKS; i++, bytes = bytes * 5 / 2 + 3)
        if ((blocks[i] = heap_alloc(bytes, 0)) != NULL)
            memset(blocks[i], 0xD1, bytes);
    for (uint32_t i = 0; i < M_BLOCKS; i++)
        heap_free(blocks[i]);
}

static void m17_malloc(struct claim_result *result)
{
    uint8_t *blocks[M_BLOCKS];
    size_t   bytes = 1, most = 0;
    uint32_t good = 0, pages, live;
    struct heap_sums sums;

    heap_drain();
    heap_sums(&sums);
    pages = frames_owned(OWNER_HEAP);
    live  = sums.live_blocks;
    leave_dirty();
    for (uint32_t i = 0; i < M_BLOCKS; i++, bytes = bytes * 5 / 2 + 3) {
        blocks[i] = heap_alloc(bytes, HEAP_ZERO);
        if (blocks[i] == NULL)
            continue;
        good += holds_only(blocks[i], bytes, 0);
        memset(blocks[i], (int)(i + 1), bytes);
        most = bytes;
    }
    bytes = 1;
    for (uint32_t i = 0; i < M_BLOCKS; i++, bytes = bytes * 5 / 2 + 3)
        good += blocks[i] != NULL && holds_only(blocks[i], bytes, (uint8_t)(i + 1));
    for (uint32_t i = 0; i < M_BLOCKS; i++)
        heap_free(blocks[i]);
    heap_drain();
    heap_sums(&sums);
    claim_saw(result, good == 2 * M_BLOCKS && sums.live_blocks == live && frames_owned(OWNER_HEAP) <= pages,
              "%u blocks of 1 to %u bytes came zeroed, kept what was written, and went: %u frames of heap, as before",
              (unsigned)M_BLOCKS, (unsigned)most, frames_owned(OWNER_HEAP));
}

const struct claim_probe movos_probes[] = {
    { "M1", m1_boot_sector },           { "M2", m2_padding },       { "M3", m3_relocator },
    { "M4", m4_relocated },             { "M5", m5_pool_from_8_mib }, { "M6", m6_bitmap },
    { "M7", m7_nothing_left },          { "M8", m8_registers_and_tables }, { "M9", m9_cr3 },
    { "M10", m10_page_by_page },        { "M11", m11_first_entry_shared }, { "M12", m12_start_address },
    { "M13", m13_window },              { "M14", m14_cost },        { "M15", m15_chunk_order },
    { "M16", m16_kernel_unseen },       { "M17", m17_malloc },
    { 0 },
};
