/*
 * claims_spaces.c - the probes of the claims K13 to K22 of layouts/pat/layout.md, about spaces.
 *
 * Claims that need a running program (K17 in full, K23) are tested from outside, in tests/system/test_pat.py.
 */
#include "layouts/pat/claims.h"

#include "base/error.h"
#include "base/string.h"
#include "claims/probe.h"
#include "descriptor.h"
#include "inspect.h"
#include "memory/spaces/map.h"
#include "memory/spaces/map_pages.h"
#include "memory/frames/next_page.h"
#include "memory/frames/frame_magazine.h"
#include "memory/tables/table.h"
#include "trap.h"

enum {
    K_FIRST   = 0x400,              /* K16: 4 MiB, in pages                        */
    K_TOP     = 0x80000,            /* as far as the kernel uses memory, in pages  */
    K_SPACES  = 4,
    K_TAKEN   = 8,                  /* K20                                         */
    K_VECTORS = 256,
};
#define K_PLACE      0x40000000u    /* somewhere in user space                     */
#define K_SCREEN     0xB8000u       /* device memory that every PC has             */
#define K_DEVICE     0xFEC00000u    /* device memory where no RAM is               */
#define K_PROTECTION 1u             /* CR0: PE and PG                              */
#define K_PAGING     0x80000000u

extern uint32_t trap_kernel_root, trap_program_root;    /* entry.S loads them into CR3 */

/* ---- The kernel's space ----------------------------------------------------------------------- */

/* The first page below `end` that is memory and not mapped to itself; end if there is none. */
static page_t first_not_itself(page_t end)
{
    for (page_t page = 0; page < end; page++) {
        paddr_t physical;

        if (page >= K_FIRST && !frame_is_ram((frame_t){ (uint32_t)page }))
            continue;
        if (!physical_of(page_address(page), &physical) || physical != page_address(page))
            return page;
    }
    return end;
}

void k13_identity(struct claim_result *result)
{
    struct region window;
    page_t        end  = frames_end() < K_TOP ? frames_end() : K_TOP, bad = first_not_itself(end);
    enum owner    owner = frame_owner(kernel_space.root);
    bool          same;

    if (bad < end)
        return claim_saw(result, false, "page 0x%lx000 does not show itself", (unsigned long)bad);
    if (kernel_map_device(&window, "claim K13", K_DEVICE, PAGE_SIZE, CACHE_OFF) != 0)
        return claim_saw(result, false, "no window onto a device");
    same = page_address(window.span.first) == K_DEVICE;
    kernel_unmap(&window);
    claim_saw(result, same && frame_is(mmu_active(), kernel_space.root) && owner == OWNER_TABLES,
              "%u pages and a device at 0x%x show themselves; CR3 is page 0x%x000, of the pool: %s", (unsigned)end,
              K_DEVICE, mmu_active().no, owner_names[owner]);
}

static bool in_first_part(vaddr_t address) { return address != 0 && page_of(address) < K_FIRST; }

void k14_handler_first(struct claim_result *result)
{
    vaddr_t now = inspect_gate(TRAP_PAGE_FAULT);

    claim_saw(result, taken_over.handler != 0 && taken_over.handler == now && taken_over.came_back,
              "before the change gate 14 led to 0x%08lx, as it does now; a page fault right after it %s",
              (unsigned long)taken_over.handler, taken_over.came_back ? "came back" : "did not happen");
}

void k15_cr3_then_cr0(struct claim_result *result)
{
    uint32_t cr0 = inspect_cr0(), both = K_PROTECTION | K_PAGING;

    claim_saw(result,
              !frame_is(taken_over.from, kernel_space.root) && frame_is(mmu_active(), kernel_space.root) &&
                  frame_is(taken_over.cr0_root, kernel_space.root) && (taken_over.cr0 & both) == both &&
                  (cr0 & both) == both,
              "CR3 went from page 0x%x000 to 0x%x000; with 0x%x000 in it CR0 was written, 0x%08x, with PG and PE",
              taken_over.from.no, mmu_active().no, taken_over.cr0_root.no, taken_over.cr0);
}

/* ---- Processes' spaces -------------------------------------------------------------------------- */

static entry_t entry_look(const struct space *space, page_t page, unsigned *level)
{
    lock_state state = lock_take((struct lock *)&space->tables_lock);
    entry_t    e     = table_lookup(space, page, level);

    lock_drop((struct lock *)&space->tables_lock, state);
    return e;
}

/* The first page below 4 MiB that is not mapped to itself for the kernel only, or K_FIRST. */
static page_t first_not_shown(const struct space *space)
{
    for (page_t page = 0; page < K_FIRST; page++) {
        unsigned level;
        entry_t  e = entry_look(space, page, &level);

        if (!entry_present(e) || entry_frame(e).no + page % mmu_reach(level) != page || entry_rights(e).user != 0)
            return page;
    }
    return K_FIRST;
}

/* The first page from 4 MiB on that is mapped; the end of all if none is. */
static page_t first_else(const struct space *space)
{
    for (page_t page = K_FIRST; page < layout.space_end; page += mmu_reach(MMU_LEVELS)) {
        unsigned level;

        if (entry_kind(entry_look(space, page, &level), level) != ENTRY_EMPTY)
            return page;
    }
    return layout.space_end;
}

void k16_first_entry_only(struct claim_result *result)
{
    struct space spaces[K_SPACES];
    uint32_t     made = 0, shown = 0, empty = 0;

    while (made < K_SPACES && space_create(&spaces[made]) == 0)
        made++;
    for (uint32_t i = 0; i < made; i++) {
        shown += first_not_shown(&spaces[i]) == K_FIRST;
        empty += first_else(&spaces[i]) == layout.space_end;
        space_destroy(&spaces[i]);
    }
    claim_saw(
        result, made == K_SPACES && shown == made && empty == made && space_of_program() == &kernel_space,
        "%u new spaces: %u show the first 4 MiB one to one and closed to programs, %u nothing else; the kernel's own"
        " processes have the identity space",
        made, shown, empty);
}

/* All that the entry from a program and the return use is mapped in every space. */
static bool way_is_shared(void)
{
    for (unsigned v = 0; v < K_VECTORS; v++)
        if (v != TRAP_DOUBLE_FAULT && !in_first_part(inspect_gate(v)))
            return false;
    return in_first_part(inspect_gates().start) && in_first_part(inspect_segments().start) &&
           in_first_part(inspect_task().start) && in_first_part(kernel_task()->esp0) &&
           in_first_part(address_of(&trap_kernel_root)) && in_first_part(address_of(&trap_program_root));
}

void k17_changes_on_traps(struct claim_result *result)
{
    struct space space;
    uint32_t     back;
    frame_t      during;

    if (space_create(&space) != 0)
        return claim_saw(result, false, "no space");
    space_activate(&space);
    back   = trap_program_root;
    during = mmu_active();
    space_activate(&kernel_space);
    claim_saw(
        result,
        way_is_shared() && trap_kernel_root == kernel_space.root.no << PAGE_SHIFT &&
            back == space.root.no << PAGE_SHIFT && frame_is(during, kernel_space.root),
        "gates, tables and the entry stack at 0x%08x below 4 MiB; the way in loads 0x%x, the way out 0x%x, with "
        "0x%x000 in"
        " use meanwhile",
        kernel_task()->esp0, trap_kernel_root, back, during.no);
    space_destroy(&space);
}

/* ---- The mmap call -------------------------------------------------------------------------------- */

/* A program's space with K_PLACE in it: in another document's kernel programs may be elsewhere. */
static bool space_with_place(struct space *space, struct claim_result *result)
{
    if (!page_is_users(page_of(K_PLACE)) || !page_is_users(page_of(K_PLACE) + K_TAKEN))
        claim_saw(result, false, "0x%08lx is no program's here", (unsigned long)K_PLACE);
    else if (!program_start(space))
        claim_saw(result, false, "no space");
    else
        return true;
    return false;
}

void k18_empty_until_mapped(struct claim_result *result)
{
    struct space space;
    page_t       before;
    vaddr_t      got;
    int          status;

    if (!space_with_place(&space, result))
        return;
    before = first_else(&space);
    got    = map_pages(&space, K_PLACE, 0, 3 * PAGE_SIZE, &status);
    claim_saw(result, before == layout.space_end && got == K_PLACE && status == 0 && space.resident == 3 &&
              frame_exists(program_frame(&space, K_PLACE + 2 * PAGE_SIZE)),
              "nothing from 4 MiB on; then three pages at 0x%08lx, status %d", (unsigned long)got, status);
    program_end(&space);
}

/* Each page's owner and references, and the pool's bits: only those of the space's own pages may change. */
struct marks {
    enum owner        owner;
    struct frame_sums sums;
    uint32_t          ones;
};

static struct marks marks_now(frame_t frame)
{
    const uint8_t *bits;
    size_t         bytes;
    struct marks   now = { .owner = frame_owner(frame) };

    bits     = frames_bitmap(&bytes);
    now.ones = ones_in(bits, bytes);
    frames_sums(&now.sums);
    return now;
}

static bool marks_same(const struct marks *a, const struct marks *b)
{
    return a->owner == b->owner && a->ones == b->ones &&
           memcmp(a->sums.owned, b->sums.owned, sizeof a->sums.owned) == 0;
}

void k19_physical_not_marked(struct claim_result *result)
{
    struct marks before, during, after;
    struct space space;
    frame_t      shown, screen = frame_of(K_SCREEN);
    vaddr_t      got;
    int          status;

    if (!space_with_place(&space, result))
        return;
    (void)map_pages(&space, K_PLACE + PAGE_SIZE, 0, PAGE_SIZE, &status);        /* so that there is a table */
    before = marks_now(screen);
    got    = map_pages(&space, K_PLACE, K_SCREEN, PAGE_SIZE, &status);
    during = marks_now(screen);
    shown  = program_frame(&space, K_PLACE);
    (void)!map_remove(&space, K_PLACE, PAGE_SIZE);
    after = marks_now(screen);
    program_end(&space);
    claim_saw(result, got == K_PLACE && frame_is(shown, screen) && marks_same(&before, &during) &&
              marks_same(&before, &after),
              "0x%08lx showed physical 0x%x000, which is %s before, then and afterwards; %u bits are set all the while",
              (unsigned long)got, shown.no, owner_names[during.owner], during.ones);
}

/* Each page is the one that get_next_page() would have returned, although a lower page is free. */
void k20_next_available(struct claim_result *result)
{
    struct space space;
    uint32_t     right = 0;
    paddr_t      below, above;
    int          status;

    if (!space_with_place(&space, result))
        return;
    (void)map_pages(&space, K_PLACE, 0, PAGE_SIZE, &status);                    /* so that there is a table */
    below = get_next_page();
    above = get_next_page();
    free_page(below);
    for (uint32_t i = 1; i <= K_TAKEN; i++) {
        paddr_t next = get_next_page();
        frame_t frame;

        free_page(next);                        /* the search then finds it again */
        (void)map_pages(&space, K_PLACE + i * PAGE_SIZE, 0, PAGE_SIZE, &status);
        frame  = program_frame(&space, K_PLACE + i * PAGE_SIZE);
        right += status == 0 && frame.no == frame_of(next).no && frame_owner(frame) == OWNER_USER &&
                 frame_references(frame) == 1;
    }
    program_end(&space);
    free_page(above);
    claim_saw(result, right == K_TAKEN,
              "%u of %u pages are those that get_next_page had returned just before; each the space's alone", right,
              (unsigned)K_TAKEN);
}

void k21_unaligned_fails(struct claim_result *result)
{
    static const struct { vaddr_t start; paddr_t physical; size_t bytes; } bad[] = {
        { K_PLACE + 1, 0, 1 },       { K_PLACE + PAGE_SIZE - 1, 0, 1 }, { K_PLACE, K_SCREEN + 1, 1 },
        { K_PLACE, K_SCREEN + 8, 1 }, { K_PLACE + 4, K_SCREEN + 4, 1 },  { K_PLACE, 0, 0 }, { K_PLACE, 0, SIZE_MAX },
    };
    struct space space;
    uint32_t     refused = 0;
    vaddr_t      got;
    int          status;

    if (!space_with_place(&space, result))
        return;
    for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
        got = map_pages(&space, bad[i].start, bad[i].physical, bad[i].bytes, &status);
        refused += got == 0 && status == -EINVAL && space.resident == 0;
    }
    got = map_pages(&space, K_PLACE, 0, PAGE_SIZE + 1, &status);
    claim_saw(
        result, refused == COUNT_OF(bad) && got == K_PLACE && space.resident == 2,
        "%u of %u calls with bad numbers gave null and a status, and mapped nothing; one byte more than a page is %u "
        "pages",
        refused, (unsigned)COUNT_OF(bad), space.resident);
    program_end(&space);
}

/* A host test, which the document names, checks that the kernel stops when it does this itself. */
void k22_not_there(struct claim_result *result)
{
    static const struct { vaddr_t start; size_t bytes; } bad[] = {
        { 0, PAGE_SIZE }, { 0x1000, PAGE_SIZE }, { 0x3FF000, PAGE_SIZE }, { 0x3FF000, 2 * PAGE_SIZE }, { 0xFFFFF000u,
          PAGE_SIZE },
    };
    struct space space;
    uint32_t     refused = 0;
    int          own, status;

    if (!space_with_place(&space, result))
        return;
    for (uint32_t i = 0; i < COUNT_OF(bad); i++)
        refused += try_map_pages(&space, bad[i].start, 0, bad[i].bytes, &status) == 0 && status == -EFAULT;
    (void)try_map_pages(&kernel_space, K_PLACE, 0, PAGE_SIZE, &own);
    claim_saw(result, refused == COUNT_OF(bad) && own == -EFAULT && space.resident == 0,
              "%u of %u ranges below 4 MiB or past user space and the identity space itself were refused to a program",
              refused, (unsigned)COUNT_OF(bad));
    program_end(&space);
}
