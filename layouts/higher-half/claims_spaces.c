/*
 * claims_spaces.c - the claims of layouts/higher-half/layout.md about addresses, A10 to A18: kernel space and the
 * others, its windows, and the tables that show themselves.
 */
#include "claims/probe.h"

#include "base/error.h"
#include "layouts/higher-half/claims.h"
#include "console/show.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "memory/heap/stack.h"
#include "trap.h"

/* Where no page is mapped the claim does not hold, and its probe must not crash the kernel. */
static uint32_t word_at(vaddr_t address)
{
    uint32_t word;

    return probe_read(address, &word) ? word : 0;
}

/* The directory entry for an address, in any space. */
static entry_t directory_entry(const struct space *space, vaddr_t address)
{
    lock_state state = lock_take((struct lock *)&space->tables_lock);
    entry_t    e     = entry_read(entry_at(space, page_of(address), MMU_LEVELS));

    lock_drop((struct lock *)&space->tables_lock, state);
    return e;
}

/* ---- Kernel space and the others ----------------------------------------------------------- */

/* Every page from 3 GiB on is the kernel's alone. That the kernel has none below is claim A18. */
void a10_three_to_one(struct claim_result *result)
{
    entry_t e;

    for (page_t page = page_of(A_KERNEL); next_present(&page, &e); page++)
        if (entry_rights(e).user != 0)
            return claim_saw(result, false, "programs may use %s", show_address(page_address(page)).text);
    claim_saw(result, page_address(layout.user.end) == A_KERNEL,
              "user space ends at %s, and programs may use nothing from there on",
              show_address(page_address(layout.user.end)).text);
}

static bool belongs_to_process(vaddr_t at) { return at >= A_STACKS; }

/* Directory entries 768 to 1023 but for stacks and tables. Accessed bits may differ. */
static bool kernel_part_equal(const struct space *space, vaddr_t *differs)
{
    for (vaddr_t at = A_KERNEL; !belongs_to_process(at); at += A_TABLE) {
        entry_t mine = directory_entry(space, at), kernels = directory_entry(&kernel_space, at);

        if (entry_kind(mine, MMU_LEVELS) != entry_kind(kernels, MMU_LEVELS) ||
            !frame_is(entry_frame(mine), entry_frame(kernels))) {
            *differs = at;
            return false;
        }
    }
    return true;
}

/*
 * Give kernel space a table it did not have, in a part of the heap without one. *grown: the address it is for, 0 where
 * every table is there already. False without memory.
 */
static bool grow_kernel_space(vaddr_t *grown)
{
    *grown = 0;
    for (vaddr_t at = A_HEAP_LAST + 1 - A_TABLE; at >= A_HEAP; at -= A_TABLE) {
        struct cursor c;

        if (page_is_users(page_of(at)) || entry_kind(directory_entry(&kernel_space, at), MMU_LEVELS) != ENTRY_EMPTY)
            continue;
        if (cursor_open(&c, &kernel_space, span_of(page_of(at), 1), CURSOR_BUILD) != 0)
            return false;
        cursor_close(&c);
        *grown = at;
        return true;
    }
    return true;
}

/* Kernel space never gives a table back; this table has not been used before. */
static void shrink_kernel_space(vaddr_t grown)
{
    lock_state state = lock_take(&kernel_space.tables_lock);
    entry_t   *at    = entry_at(&kernel_space, page_of(grown), MMU_LEVELS);
    frame_t    table = entry_frame(entry_read(at));

    entry_write(at, entry_empty());
    space_share_entry(page_of(grown));
    kernel_space.table_frames--;
    mmu_flush_all();
    lock_drop(&kernel_space.tables_lock, state);
    frame_put(table);
}

/* The first space, if any, whose kernel entries are not kernel space's: those of one not in use, when it is used. */
static const struct space *space_that_differs(vaddr_t *differs)
{
    struct space *space = space_after(NULL);

    while (space != NULL) {
        if (space != space_of_program())
            space_catch_up(space);
        if (!kernel_part_equal(space, differs))
            break;
        space = space_after(space);
    }
    return space;
}

/* Every space there is, and one made for this: it has a stack, and sees kernel space grow. */
void a11_kernel_is_shared(struct claim_result *result)
{
    static struct space space;
    struct stack        stack;
    vaddr_t             differs = 0, grown;
    bool                equal = false, still = false;

    if (space_create(&space) != 0)
        return claim_saw(result, false, "no memory for a second space");
    if (stack_get(&space, &stack) == 0) {
        equal = space_that_differs(&differs) == NULL;
        if (equal && grow_kernel_space(&grown)) {
            still = space_that_differs(&differs) == NULL;
            if (grown != 0)
                shrink_kernel_space(grown);
        }
        stack_put(&stack);
    }
    space_destroy(&space);
    if (!equal || !still)
        return claim_saw(result, false, "a space differs at %s%s", show_address(differs).text,
                         equal ? " once the kernel has grown" : "");
    claim_saw(result, true, "directory entries 768 to 1021 of every space are the kernel's, also after it has grown");
}

/* A word that changes, so that two windows onto it can be compared. */
static volatile uint32_t witness;

/* The address in the last 256 MiB at which the first four megabytes begin again; 0: there is none. */
static vaddr_t second_window(void)
{
    entry_t low = directory_entry(&kernel_space, A_KERNEL);

    for (vaddr_t at = A_CORE; at < A_STACKS; at += A_TABLE) {
        entry_t e = directory_entry(&kernel_space, at);

        if (entry_present(e) && frame_is(entry_frame(e), entry_frame(low)))
            return at;
    }
    return 0;
}

/* The kernel's other regions are in the last 256 MiB. */
void a12_both_windows(struct claim_result *result)
{
    vaddr_t code = address_of((const void *)a12_both_windows), second = second_window();
    vaddr_t again = code - A_KERNEL + second;
    page_t  elsewhere = page_of(A_KERNEL + A_LOW);
    entry_t e;

    if (code < A_KERNEL || code >= A_KERNEL + A_LOW)
        return claim_saw(result, false, "this code is at %s", show_address(code).text);
    if (second == 0)
        return claim_saw(result, false, "the code's four megabytes do not show in the last 256");
    if (next_present(&elsewhere, &e) && page_address(elsewhere) < A_CORE)
        return claim_saw(result, false, "the kernel has %s, and not in the last 256 MiB",
                         show_address(page_address(elsewhere)).text);
    claim_saw(result, word_at(code) == word_at(again), "this code is at %s and reads the same at %s; all else is above",
              show_address(code).text, show_address(again).text);
}

void a13_core_again(struct claim_result *result)
{
    vaddr_t other = address_of((const void *)&witness) - A_KERNEL + A_CORE;
    entry_t low   = directory_entry(&kernel_space, A_KERNEL), core = directory_entry(&kernel_space, A_CORE);

    if (!entry_present(core) || !frame_is(entry_frame(low), entry_frame(core)))
        return claim_saw(result, false, "directory entries 768 and 960 name different tables");
    witness = 0x600DF00D;
    if (word_at(other) != witness)
        return claim_saw(result, false, "a variable changed below 4 MiB did not change at %s",
                         show_address(other).text);
    witness = ~witness;
    claim_saw(result, word_at(other) == witness,
              "entries 768 and 960 name one table; a variable changes at %s as well",
              show_address(other).text);
}

/* Regions that show frames of any owner: the first four megabytes and their alias, and short views. */
static bool shows_others(page_t page)
{
    vaddr_t second = second_window();

    return (second != 0 && span_has(span_of(page_of(second), page_of(A_LOW)), page)) ||
           span_has(layout.purpose[PURPOSE_SLOTS]->span, page);
}

/* The first page outside the window that the heap has; the end of all if there is none. */
static page_t heap_page_outside(struct span window)
{
    page_t  page = page_of(A_KERNEL + A_LOW);
    entry_t e;

    for (; next_present(&page, &e); page++)
        if (frame_owner(entry_frame(e)) == OWNER_HEAP && !span_has(window, page) && !shows_others(page))
            return page;
    return MMU_SPACE_END;
}

/* The window's first page and its last one are the heap's: what is carved out of it lies anywhere between. */
static bool is_heaps(vaddr_t at)
{
    const struct layout_region *home = layout_kernel_region_of(page_of(at));

    return home->purpose == PURPOSE_HEAP && home == layout_kernel_region_of(page_of(A_HEAP));
}

/* Blocks small and big, all inside; a region wider than the window is refused. */
void a14_heap_window(struct claim_result *result)
{
    static const size_t sizes[] = { 16, 500, 2048, 5000, 70000 };
    struct span         window  = span_of(page_of(A_HEAP), page_of(A_HEAP_LAST + 1 - A_HEAP));
    struct region       region;

    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        char   *block = heap_alloc(sizes[i], 0);
        vaddr_t first = address_of(block);

        heap_free(block);
        if (block == NULL)
            return claim_saw(result, false, "no memory for a block of %u bytes", (unsigned)sizes[i]);
        if (!span_has(window, page_of(first)) || !span_has(window, page_of(first + sizes[i] - 1)))
            return claim_saw(result, false, "a block of %u bytes is at %s", (unsigned)sizes[i],
                             show_address(first).text);
    }
    if (kernel_map(&region, PURPOSE_HEAP, "too wide", span_pages(window) + 1, 0, OWNER_TEST) == 0) {
        kernel_unmap(&region);
        return claim_saw(result, false, "a region wider than 224 MiB found a place");
    }
    if (heap_page_outside(window) != MMU_SPACE_END)
        return claim_saw(result, false, "the heap has a page at %s",
                         show_address(page_address(heap_page_outside(window))).text);
    if (!is_heaps(A_HEAP) || !is_heaps(A_HEAP_LAST) || is_heaps(A_HEAP - 1) || is_heaps(A_HEAP_LAST + 1))
        return claim_saw(result, false, "the heap's window has a border elsewhere; what it has lies inside");
    claim_saw(result, true,
              "blocks of 16 to 70000 bytes and all pages of the heap lie inside; nothing wider than the window fits");
}

static void note_place(void *seen)
{
    volatile char here = 0;

    *(vaddr_t *)seen = address_of((const void *)&here);
}

/* Every stack of a space. Returns how many there were. */
static uint32_t take_stacks(struct space *space, struct stack *stacks)
{
    uint32_t count = 0;

    while (count < A_STACK_COUNT && stack_get(space, &stacks[count]) == 0)
        count++;
    return count;
}

static bool lies_in_window(const struct stack *stack)
{
    return stack->bottom >= A_STACKS && stack->top <= A_TABLES && stack->top - stack->bottom == PAGE_SIZE;
}

/* Code runs on a stack, in the space that it is of. */
static bool runs_on(struct space *space, const struct stack *stack)
{
    lock_state state = interrupts_off();
    vaddr_t    seen  = 0;

    space_activate(space);
    stack_call(stack->top, note_place, &seen);
    space_activate(&kernel_space);
    interrupts_restore(state);
    return seen >= stack->bottom && seen < stack->top;
}

/* One space with all its stacks taken: they lie where they should, the last one works, and one more is refused. */
static bool full_space_holds(struct claim_result *result, struct space *space, const struct stack *stacks,
                             uint32_t count)
{
    struct stack more;
    int          err;

    for (uint32_t i = 0; i < count; i++)
        if (!lies_in_window(&stacks[i])) {
            claim_saw(result, false, "stack %u is at %s", i, show_address(stacks[i].bottom).text);
            return false;
        }
    if (count != A_STACK_COUNT || !runs_on(space, &stacks[count - 1])) {
        claim_saw(result, false, "%u stacks in one space%s", count,
                  count == A_STACK_COUNT ? ", and no code runs on the last" : "");
        return false;
    }
    err = stack_get(space, &more);
    if (err == 0)
        stack_put(&more);
    if (err != -EAGAIN)
        claim_saw(result, false, "one stack more than %u: error %d", count, -err);
    return err == -EAGAIN;
}

/* The table for the window is a space's own: no space has kernel space's. */
static bool windows_differ(void)
{
    entry_t kernels = directory_entry(&kernel_space, A_STACKS);

    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
        entry_t mine = directory_entry(s, A_STACKS);

        if (entry_present(mine) && frame_is(entry_frame(mine), entry_frame(kernels)))
            return false;
    }
    return true;
}

enum { SPARE_FRAMES = 64 };             /* for spaces, their tables, and the heap's own needs */

/* Two spaces full at the same time, beside kernel space with a stack of its own. */
static void look_at_two_spaces(struct claim_result *result, struct space spaces[2], struct stack *stacks)
{
    struct stack of_kernel;
    uint32_t     counts[2];
    bool         holds = true;

    if (stack_get(&kernel_space, &of_kernel) != 0)
        return claim_saw(result, false, "no stack for kernel space");
    for (unsigned i = 0; i < 2; i++)
        counts[i] = take_stacks(&spaces[i], stacks + i * A_STACK_COUNT);
    for (unsigned i = 0; i < 2 && holds; i++)
        holds = full_space_holds(result, &spaces[i], stacks + i * A_STACK_COUNT, counts[i]);
    if (holds)
        claim_saw(result, windows_differ(),
                  "1024 stacks of 4 KiB in each of two spaces, code runs on the last, one more is refused; %s",
                  windows_differ() ? "no space has kernel space's" : "a space HAS KERNEL SPACE'S");
    for (unsigned i = 0; i < 2; i++)
        while (counts[i] > 0)
            stack_put(&stacks[i * A_STACK_COUNT + --counts[i]]);
    stack_put(&of_kernel);
}

void a15_stacks(struct claim_result *result)
{
    static struct space spaces[2];
    uint32_t            before = frames_owned(OWNER_STACK), made = 0;
    struct stack       *stacks;

    if (!claim_has_frames(result, 2 * A_STACK_COUNT + pages_for(2 * A_STACK_COUNT * sizeof *stacks) + SPARE_FRAMES))
        return;
    stacks = heap_alloc(2 * A_STACK_COUNT * sizeof *stacks, 0);
    if (stacks == NULL)
        return claim_saw(result, false, "no memory for a list of stacks");
    while (made < 2 && space_create(&spaces[made]) == 0)
        made++;
    if (made == 2)
        look_at_two_spaces(result, spaces, stacks);
    else
        claim_saw(result, false, "no memory for two spaces");
    while (made > 0)
        space_destroy(&spaces[--made]);
    heap_free(stacks);
    if (result->verdict == CLAIM_HOLDS && frames_owned(OWNER_STACK) != before)
        claim_saw(result, false, "%u frames of stacks before, %u after", before, frames_owned(OWNER_STACK));
}

/* ---- Tables -------------------------------------------------------------------------------- */

/* A table's entry, read by way of the frame that holds it and not by way of the self-map. */
static uint32_t entry_in_frame(frame_t table, unsigned index)
{
    lock_state      state = interrupts_off();
    const uint32_t *words = frame_view(table, SLOT_INSPECT);
    uint32_t        word  = words[index];

    interrupts_restore(state);
    return word;
}

/* The window and the frame show the same entry. Both are read twice: reading may set an accessed bit. */
static bool same_entry(frame_t table, unsigned index, vaddr_t in_window)
{
    (void)entry_in_frame(table, index);
    (void)word_at(in_window);
    return entry_in_frame(table, index) == word_at(in_window);
}

/* Every 73rd entry of a table (a prime, so that all columns are met). */
static bool same_table(frame_t table, page_t first, page_t *differs)
{
    for (unsigned k = 0; k < MMU_ENTRIES; k += 73) {
        *differs = first + k;
        if (!same_entry(table, k, A_TABLES + 4 * (first + k)))
            return false;
    }
    return true;
}

/* The first space, if any, whose last directory entry names another directory. */
static const struct space *space_without_self(void)
{
    const struct space *space = space_after(NULL);

    while (space != NULL && frame_is(entry_frame(directory_entry(space, A_TABLES)), space->root))
        space = space_after(space);
    return space;
}

/* The root in use, word by word; false, and said, where the window shows something else. *tables: how many it has. */
static bool root_shows(struct claim_result *result, frame_t root, unsigned *tables)
{
    *tables = 0;
    for (unsigned i = 0; i < MMU_ENTRIES; i++) {
        entry_t entry = { entry_in_frame(root, i) };
        page_t  differs;

        if (!same_entry(root, i, A_DIRECTORY + 4 * i)) {
            claim_saw(result, false, "directory entry %u is not at %s", i, show_address(A_DIRECTORY + 4 * i).text);
            return false;
        }
        if (entry_kind(entry, MMU_LEVELS) != ENTRY_TABLE)
            continue;
        if (!same_table(entry_frame(entry), (page_t)i * MMU_ENTRIES, &differs)) {
            claim_saw(result, false, "the entry of %s is not in its place", show_address(page_address(differs)).text);
            return false;
        }
        ++*tables;
    }
    return true;
}

/* For the space in use, and for one that is made here; the last entry tells whether a directory shows itself. */
void a16_self_map(struct claim_result *result)
{
    static struct space space;
    frame_t             root = mmu_active();
    unsigned            tables;
    bool                others;

    if (!root_shows(result, root, &tables))
        return;
    if (space_create(&space) != 0)
        return claim_saw(result, false, "no memory for a second space");
    others = space_without_self() == NULL;
    space_destroy(&space);
    if (!others)
        return claim_saw(result, false, "the last directory entry of a space names another space's directory");
    claim_saw(result, frame_is(entry_frame((entry_t){ word_at(A_DIRECTORY + 4 * (MMU_ENTRIES - 1)) }), root),
              "the directory and %u tables read the same in the window and in their frames", tables);
}

void a18_identity_is_gone(struct claim_result *result)
{
    uint32_t word;

    for (vaddr_t at = 0; at < A_KERNEL; at += A_TABLE)
        if (entry_present((entry_t){ word_at(A_DIRECTORY + 4 * (at / A_TABLE)) }))
            return claim_saw(result, false, "the directory still has an entry for %s", show_address(at).text);
    if (probe_read(0, &word))
        return claim_saw(result, false, "address 0 can be read");
    claim_saw(result, !probe_write(0, 0),
              "no directory entry below 3 GiB; reading and writing address 0 faults");
}
