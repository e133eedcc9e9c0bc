/*
 * digest.c - sums over the machine's state. See digest.h.
 */
#include "claims/digest.h"

#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/frames/frame_magazine.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"

static uint32_t mixed(uint32_t sum, uint32_t word) { return (sum ^ word) * 0x01000193u; }

/* Of frames in use, but the heap's: it gives pages back and takes others. */
static uint32_t sum_of_frames(void)
{
    uint32_t sum = 0;

    for (frame_t frame = { 0 }; frame.no < frames_end(); frame.no++) {
        enum owner owner = frame_owner(frame);

        if (owner != OWNER_FREE && owner != OWNER_ABSENT && owner != OWNER_HEAP)
            sum = mixed(mixed(mixed(sum, frame.no), owner), frame_references(frame));
    }
    return sum;
}

/* Pages whose entries may change at any time: the heap's, views, and tables that show themselves. */
static bool is_passing(page_t page)
{
    const struct layout_region *home = layout_kernel_region_of(page);

    return home->purpose == PURPOSE_HEAP || home->purpose == PURPOSE_SLOTS || home->backing == BACKING_TABLES;
}

/* Accessed and dirty bits are the processor's. */
static uint32_t sum_of_table(page_t first, const entry_t *entries)
{
    uint32_t sum = 0;

    for (page_t page = first; page < first + MMU_ENTRIES; page++) {
        entry_t e = entry_read(&entries[page - first]);

        if (entry_kind(e, 1) == ENTRY_EMPTY || is_passing(page))
            continue;
        sum = mixed(mixed(sum, (uint32_t)page), entry_kind(e, 1));
        if (entry_kind(e, 1) == ENTRY_PRESENT)
            sum = mixed(mixed(mixed(sum, entry_frame(e).no), entry_rights(e).kernel), entry_rights(e).user);
    }
    return sum;
}

/* Identity entries of a table that all documents with a master table have are as many as there are pages: each table
 * is looked at in one piece, with its lock. */
static uint32_t sum_of_tables(void)
{
    uint32_t sum = 0;

    for (page_t page = 0; page < layout.space_end; page += MMU_ENTRIES) {
        lock_state     state = lock_take(&kernel_space.tables_lock);
        const entry_t *table = page_is_users(page) ? NULL : entry_at(&kernel_space, page, 1);

        if (table != NULL)
            sum = mixed(sum, sum_of_table(page, table));
        lock_drop(&kernel_space.tables_lock, state);
    }
    return sum;
}

static uint32_t count_spaces(void)
{
    uint32_t count = 0;

    for (const struct space *s = space_after(NULL); s != NULL; s = space_after(s))
        count++;
    return count;
}

void digest_take(struct digest *out)
{
    struct frame_sums frames_now;
    struct heap_sums  heap;

    heap_drain();
    frames_drain();
    frames_sums(&frames_now);
    heap_sums(&heap);
    *out = (struct digest){
        .frames = sum_of_frames(), .tables = sum_of_tables(), .blocks = heap.live_blocks,
        .bytes = (uint32_t)heap.live_bytes, .spaces = count_spaces(), .root = mmu_active().no,
        .program = (uint32_t)address_of(program_space), .search = frames.pool.search, .fail_at = frames.fail_at,
    };
    memcpy(out->owned, frames_now.owned, sizeof out->owned);
}

const char *digest_differs(const struct digest *before, const struct digest *after)
{
    static char text[80];
    const struct { const char *what; uint32_t was, is; } sums[] = {
        { "blocks of the heap", before->blocks, after->blocks }, { "bytes of the heap", before->bytes, after->bytes },
        { "spaces", before->spaces, after->spaces },             { "CR3, frame", before->root, after->root },
        { "the program's space at", before->program, after->program },
        { "the way the pool searches", before->search, after->search },
        { "allocations until one fails", before->fail_at, after->fail_at },
        { "sum of frames", before->frames, after->frames },      { "sum of entries", before->tables, after->tables },
    };

    for (unsigned owner = 0; owner < OWNER_COUNT; owner++)
        if (before->owned[owner] != after->owned[owner]) {
            format_text(text, sizeof text, "%u frames, %s, were %u", after->owned[owner], owner_names[owner],
                        before->owned[owner]);
            return text;
        }
    for (unsigned i = 0; i < COUNT_OF(sums); i++)
        if (sums[i].was != sums[i].is) {
            format_text(text, sizeof text, "%s 0x%x, was 0x%x", sums[i].what, sums[i].is, sums[i].was);
            return text;
        }
    return NULL;
}
