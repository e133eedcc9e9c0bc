/*
 * claims_processes.c - the claims of layouts/movos/layout.md about processes: their creation, their state, their end.
 */
#include "layouts/movos/claims.h"
#include "claims/probe.h"

#include "base/error.h"
#include "base/string.h"
#include "console/show.h"
#include "memory/heap/heap.h"
#include "memory/spaces/populate.h"
#include "layouts/movos/tables.h"
#include "memory/tables/table.h"
#include "console/flat.h"
#include "process/abi.h"

enum { PATIENCE_SECONDS = 20, MOST_STEPS = 64, MOST_FRAMES = 4096, NANOSECONDS = 1000000000 };

static const struct rights all_rights = { MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE | MAY_EXECUTE };

/* The newest process has the first of all spaces. */
static const struct space *newest(void) { return space_after(&kernel_space); }

static const struct trap_frame *kept_frame(const struct space *space)
{
    return (const struct trap_frame *)space->home.structure->registers.program;
}

static void no_program(struct claim_result *result, int err)
{
    claim_saw(result, false, "a process could not be made: error %d", -err);
}

static void no_end(struct claim_result *result, int32_t id)
{
    claim_saw(result, false, "process %d does not end", (int)id);
}

/* ---- M7: all memory is returned -------------------------------------------------------------------- */

/* Frames by owner, without those that the heap keeps in reserve, and the blocks that callers of the heap hold. */
struct holdings {
    struct frame_sums frames;
    struct heap_sums  heap;
};

static void holdings_look(struct holdings *out)
{
    heap_drain();
    frames_sums(&out->frames);
    heap_sums(&out->heap);
}

static bool holdings_same(const struct holdings *a, const struct holdings *b)
{
    return memcmp(a->frames.owned, b->frames.owned, sizeof a->frames.owned) == 0 &&
           a->heap.live_blocks == b->heap.live_blocks && a->heap.live_bytes == b->heap.live_bytes;
}

/*
 * Let the k-th allocation fail, for k = 1, 2, 3, ... or, doubling, 1, 2, 4, ... until a process is made. Returns its
 * number; counts failures and leaks.
 */
static int32_t fail_each(const struct flat_program *program, void (*fail_at)(uint32_t), bool doubling,
                         const struct holdings *before, uint32_t *failures, uint32_t *leaks)
{
    struct holdings after;
    int32_t         id = -ENOMEM;

    for (uint32_t k = 1; k < (doubling ? MOST_FRAMES : MOST_STEPS) && id < 0; k += doubling ? k : 1) {
        fail_at(k);
        id = flat_start(program, NULL);
        fail_at(0);
        if (id >= 0)
            break;
        holdings_look(&after);
        *leaks += !holdings_same(before, &after);
        ++*failures;
    }
    return id;
}

static bool frame_is_never_bad(frame_t frame)
{
    (void)frame;
    return false;
}

void m7_nothing_left(struct claim_result *result)
{
    struct holdings            before, after;
    const struct flat_program *program = flat_find("ticker");
    uint32_t                   frames = 0, blocks = 0, chunks = 0, leaks = 0, all;
    int32_t                    id = -ENOMEM;
    frame_t                    none;

    if (flat_begin() != 0 || (id = flat_start(program, NULL)) < 0)
        return no_program(result, id);
    if (flat_kill(id) != 0)
        return no_end(result, id);              /* once, so that permanent memory is allocated */
    holdings_look(&before);
    all = take_all_frames(frame_is_never_bad, &none);
    if ((id = fail_each(program, frame_fail_at, false, &before, &frames, &leaks)) < 0)
        return no_program(result, id);
    if (flat_kill(id) != 0)
        return no_end(result, id);
    if ((id = fail_each(program, heap_fail_at, false, &before, &blocks, &leaks)) < 0)
        return no_program(result, id);
    if (flat_kill(id) != 0)
        return no_end(result, id);
    id = fail_each(flat_find("large"), frame_fail_at, true, &before, &chunks, &leaks);
    if (id >= 0 && flat_kill(id) != 0)
        return no_end(result, id);              /* where less than 4 MiB is free it is never made */
    holdings_look(&after);
    claim_saw(
        result, leaks == 0 && frames > 0 && blocks > 0 && holdings_same(&before, &after) &&
                    take_all_frames(frame_is_never_bad, &none) == all,
        "%u pages taken and returned; creation made to fail at each of %u frames and %u blocks, and %u times in a "
        "chunk, leaked %u times; a life %s",
        all, frames, blocks, chunks, leaks, holdings_same(&before, &after) ? "left nothing" : "left something");
}

/* ---- M8, M12: registers --------------------------------------------------------------------------------- */

static uint32_t tables_of(const struct space *space)
{
    uint32_t tables = 0;

    for (page_t page = layout.user.first; page < layout.user.end; page += MMU_ENTRIES)
        tables += entry_kind(m_root_entry(space, page), MMU_LEVELS) == ENTRY_TABLE;
    return tables;
}

/* A process that was interrupted while it computed. */
void m8_registers_and_tables(struct claim_result *result)
{
    const struct flat_program *program = flat_find("spinner");
    const struct space        *space;
    uint32_t first, later, needed, spaces = 0, agree = 0;
    vaddr_t  counter;
    int32_t  id = flat_begin();

    if (id != 0 || (id = flat_start(program, NULL)) < 0)
        return no_program(result, id);
    space   = newest();
    first   = tables_of(space);
    needed  = 1;                                    /* two pages from the start address on, in one table */
    schedule();
    schedule();
    counter = registers_program_counter(kept_frame(space));
    for (const struct space *s = newest(); s != NULL; s = space_after(s)) {
        spaces++;
        agree += s->home.structure->count == tables_of(s) && s->table_frames == 1 + tables_of(s);
    }
    later = tables_of(space);
    if (flat_kill(id) != 0)
        return no_end(result, id);
    claim_saw(
        result,
        first == needed && later == needed && agree == spaces && counter > layout.start_address &&
            counter < layout.start_address + flat_pages(program) * PAGE_SIZE,
        "interrupted, its registers have EIP 0x%08lx; one directory, %u table for 2 pages; %u of %u structures count "
        "their tables right",
        (unsigned long)counter, later, agree, spaces);
}

void m12_start_address(struct claim_result *result)
{
    const struct flat_program *program = flat_find("ticker");
    vaddr_t  counter;
    uint32_t first_word;
    paddr_t  at = 0;
    unsigned level;
    entry_t  e;
    int32_t  id = flat_begin();

    if (id != 0 || (id = flat_start(program, NULL)) < 0)
        return no_program(result, id);
    counter = registers_program_counter(kept_frame(newest()));
    e       = look_up(newest(), page_of(M_START), &level);
    if (level == 1 && entry_present(e))
        at = frame_address(entry_frame(e));
    memcpy(&first_word, program->start, sizeof first_word);
    if (flat_kill(id) != 0)
        return no_end(result, id);
    if (at == 0)
        return claim_saw(result, false, "a process that has not run yet has EIP 0x%08lx, and no page at 0x%08x",
                         (unsigned long)counter, M_START);
    claim_saw(result, counter == M_START,
              "a process that has not run yet has EIP 0x%08lx; there its image begins, with 0x%08x, in frame %u",
              (unsigned long)counter, first_word, frame_of(at).no);
}

/* ---- M10, M15: the order -------------------------------------------------------------------------------- */

struct witness {
    struct populate_watch watch;
    const struct space *space;          /* NULL: the newest                                       */
    uint32_t steps, wrong, pages;
    page_t   next;
    frame_t  taken, table;
};

static entry_t entry_now(const struct witness *w, page_t page, unsigned *level)
{
    return look_up(w->space != NULL ? w->space : newest(), page, level);
}

static bool is_mapped(const struct witness *w, page_t page, frame_t frame)
{
    unsigned level;
    entry_t  e = entry_now(w, page, &level);

    return level == 1 && entry_present(e) && frame_is(entry_frame(e), frame);
}

static bool is_bare(const struct witness *w, page_t page)
{
    unsigned level;
    entry_t  e = entry_now(w, page, &level);

    return entry_kind(e, level) == ENTRY_EMPTY;
}

static bool root_is_bare(const struct witness *w, page_t page)
{
    return entry_kind(m_root_entry(w->space != NULL ? w->space : newest(), page), MMU_LEVELS) == ENTRY_EMPTY;
}

static void populate_witness(struct populate_watch *watch, enum populate_step step, page_t page, frame_t frame)
{
    struct witness *w = CONTAINER_OF(watch, struct witness, watch);
    bool            good = page == w->next;

    w->steps++;
    switch (step) {
    case POPULATE_PAGE_TAKEN:
        good = good && is_bare(w, page) && frame_owner(frame) == OWNER_USER;
        w->taken = frame;
        break;
    case POPULATE_PAGE_MAPPED:
        good = good && frame_is(frame, w->taken) && is_mapped(w, page, frame);
        w->pages++;
        w->next++;
        break;
    case POPULATE_TABLE_TAKEN:
        good = good && w->pages == 0 && root_is_bare(w, page) && frame_owner(frame) == OWNER_TABLES;
        w->table = frame;
        break;
    case POPULATE_CHUNK_PAGE:
        good = good && frame_exists(w->table) && root_is_bare(w, page);
        w->pages++;
        w->next++;
        break;
    case POPULATE_CHUNK_LINKED:
        good = w->pages == M_CHUNK && frame_is(frame, w->table) && !root_is_bare(w, page);
        break;
    }
    w->wrong += !good;
}

void m10_page_by_page(struct claim_result *result)
{
    const struct flat_program *program = flat_find("ticker");
    struct witness w = { .watch = { populate_witness }, .next = page_of(layout.start_address) };
    size_t  decided = flat_pages(program);
    int32_t id = flat_begin();

    if (id != 0 || (id = flat_start(program, &w.watch)) < 0)
        return no_program(result, id);
    if (flat_kill(id) != 0)
        return no_end(result, id);
    claim_saw(
        result, w.wrong == 0 && w.steps == 2 * decided && w.pages == decided,
        "%u pages were decided on; %u steps from 0x%08lx up, each page first taken, then mapped, before the next; %u "
        "out of order",
        (unsigned)decided, w.steps, (unsigned long)layout.start_address, w.wrong);
}

void m15_chunk_order(struct claim_result *result)
{
    struct space   space;
    struct region  region = { .span = layout.user, .name = "chunk", .rights = all_rights, .backing = BACKING_USER };
    struct witness w = { .watch = { populate_witness }, .space = &space, .next = page_of(M_START), .table = NO_FRAME };
    uint32_t       free = frames_free();
    int            err;

    if (!page_is_users(page_of(M_START)) || !page_is_users(page_of(M_START) + M_CHUNK - 1))
        return claim_saw(result, false, "there are no programs at 0x%08x", M_START);
    if (space_create(&space) != 0)
        return claim_saw(result, false, "no memory for a space");
    err = region_insert(&space.map, &region);
    if (err == 0)
        err = populate_chunk(&space, page_of(M_START), all_rights, (struct populate_image){ NULL, 0 }, &w.watch);
    space_destroy(&space);
    if (err == -ENOMEM)
        return claim_unseen(result, "less than a chunk, 4 MiB, is free");
    claim_saw(
        result, err == 0 && w.wrong == 0 && w.steps == 1 + M_CHUNK + 1 && frames_free() == free,
        "%u steps: the table's page, %u pages mapped in it with the directory entry empty, then the entry; %u out of "
        "order",
        w.steps, w.pages, w.wrong);
}

/* ---- M16: the memory that a process sees -------------------------------------------------------------- */

/* The processor is asked, not the tables: peek runs in ring 3 and tries each access. */
void m16_kernel_unseen(struct claim_result *result)
{
    struct process_end end = { 0 };
    int32_t id = flat_begin();

    if (id != 0 || (id = flat_start(flat_find("peek"), NULL)) < 0)
        return no_program(result, id);
    if (!flat_wait(id, (uint64_t)PATIENCE_SECONDS * NANOSECONDS, &end)) {
        (void)flat_kill(id);
        return claim_saw(result, false, "process %d has not ended after %d seconds", (int)id, PATIENCE_SECONDS);
    }
    claim_saw(result, end.status == 0, "a process read and wrote each of the %u pages below 8 MiB; %s (status 0x%x)",
              M_KERNEL_END / (unsigned)PAGE_SIZE, end.status == 0 ? "each access faulted" : "not each access faulted",
              (unsigned)end.status);
}
