/*
 * proc_memory.c - what a process maps: maps and smaps, and reading another's memory.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "files/path/path.h"
#include "files/proc/proc_node.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/space.h"
#include "memory/tables/slot.h"
#include "memory/tables/table.h"
#include "memory/tables/tables_out.h"
#include "process/family.h"

/* The name of a mapping begins in this column, as Linux pads it for 32-bit addresses. */
enum { NAME_COLUMN = 49, KILOBYTES = PAGE_SIZE / 1024 };

/* Pages of regions that are there. Shares of pages are in 4096ths of a page, as Linux reckons. */
enum { SHARE_SHIFT = 12 };
struct counts {
    uint32_t resident, out, shared_clean, shared_dirty, own_clean, own_dirty, accessed, anonymous;
    uint64_t share, share_dirty, share_anonymous, share_file, share_memory, share_locked, share_out;
};

/* One region, remembered so that no lock is held while text is made. */
struct seen {
    vaddr_t     start, end;
    uint8_t     rights, may, locked;
    bool        shared, grows, heap, not_forked, uncharged, memory;
    uint16_t    told;
    uint32_t    number;                 /* of shared memory without a file */
    uint64_t    offset;
    uint32_t    out;                    /* pages of its object that are out: in no entry */
    const char *name;
    struct node *file;                  /* a reference, or NULL */
};

static void describe(const struct space *space, const struct region *region, struct seen *out)
{
    out->start      = page_address(region->span.first);
    out->end        = page_address(region->span.end);
    out->rights     = region->rights.user;
    out->may        = region->may;
    out->locked     = region->locked;
    out->shared     = region->shared;
    out->grows      = region->grows & REGION_GROWS_DOWN;
    out->not_forked = region->not_forked;
    out->uncharged  = region->uncharged;
    out->told       = region->told;
    out->name       = region->name;
    out->file       = region->file;
    out->memory     = region->object != NULL && region->object->owner == OWNER_SHARED;
    out->number     = region->object != NULL ? region->object->number : 0;
    out->out        = region->object != NULL && region->object->out > 0
                    ? (uint32_t)object_residency(region->object, region->offset, span_pages(region->span), NULL) : 0;
    out->offset     = region->file != NULL || out->number != 0 ? region->offset : 0;
    out->heap       = region->object == NULL && region->file == NULL && out->start < space->limits.break_end &&
                      out->end > space->limits.break_start;
}

/* The vDSO's pages are one region, which neither a file nor a number names; each has a line of its own, as on Linux. */
static void describe_page_of_vdso(const struct region *region, page_t from, struct seen *out)
{
    page_t page = from > region->span.first ? from : region->span.first;

    out->start = page_address(page);
    out->end   = page_address(page + 1);
    out->name  = region->offset + (page - region->span.first) == 0 ? "[vvar]" : "[vdso]";
}

static bool next_seen_region(struct space *space, page_t from, struct seen *out)
{
    /* A process may have very many regions, each of them many pages. */
    bool           ends = point_of_rest() && signal_kills(current_thread());
    struct region *region;

    rwlock_read(&space->map_lock);
    region = ends ? NULL : region_at_or_above(&space->map, from);
    if (region != NULL) {
        describe(space, region, out);
        if (region->object != NULL && region->name != NULL)
            describe_page_of_vdso(region, from, out);
        if (region->file != NULL)
            node_hold(region->file);
    }
    rwlock_read_drop(&space->map_lock);
    return region != NULL;
}

/* ---- A line of maps ----------------------------------------------------------------------------- */

static void add_file_name(struct text *text, struct node *file)
{
    char *path = heap_alloc(PATH_LONGEST, 0);

    if (path == NULL) {
        text->failed = true;
        return;
    }
    if (path_describe(current_process()->fs, file, path, PATH_LONGEST) >= 0)
        text_add_escaped(text, path, "\n");
    heap_free(path);
}

static void add_region_name(struct text *text, const struct seen *seen, size_t line)
{
    if (seen->file == NULL && seen->name == NULL && !seen->heap && seen->number == 0)
        return;
    text_pad(text, line, NAME_COLUMN);
    if (seen->file != NULL)
        add_file_name(text, seen->file);
    else
        text_add(text, "%s", seen->name != NULL ? seen->name : seen->heap ? "[heap]" : "/dev/zero (deleted)");
}

static unsigned region_device(const struct seen *seen)
{
    if (seen->file == NULL)
        return seen->number != 0 ? OBJECT_DEVICE : 0;
    return seen->file->system != NULL ? (unsigned)seen->file->system->device : 0;
}

/* Written in place, without a format: a process may have tens of thousands of such lines. */
static void add_line(struct text *text, const struct seen *seen)
{
    enum { NUMBERS = 6 };
    size_t line = text->length;
    char  *at;

    if (!text_reserve(text, NUMBERS * NUMBER_MOST))
        return;
    at    = format_number(text->bytes + line, seen->start, 16, 8);
    *at++ = '-';
    at    = format_number(at, seen->end, 16, 8);
    *at++ = ' ';
    *at++ = seen->rights & MAY_READ ? 'r' : '-';
    *at++ = seen->rights & MAY_WRITE ? 'w' : '-';
    *at++ = seen->rights & MAY_EXECUTE ? 'x' : '-';
    *at++ = seen->shared ? 's' : 'p';
    *at++ = ' ';
    at    = format_number(at, seen->offset << PAGE_SHIFT, 16, 8);
    memcpy(at, " 00:", 4);
    at    = format_number(at + 4, region_device(seen), 16, 2);
    *at++ = ' ';
    at    = format_number(at, seen->file != NULL ? seen->file->inode : seen->number, 10, 1);
    *at++ = ' ';
    text->length = (size_t)(at - text->bytes);
    add_region_name(text, seen, line);
    text_add_bytes(text, "\n", 1);
}

/* ---- What is there of it -------------------------------------------------------------------------- */

static void count_share(struct counts *counts, const struct seen *seen, bool own, unsigned shown, bool dirty)
{
    uint32_t share = (1u << SHARE_SHIFT) / shown;

    counts->share += share;
    if (dirty)
        counts->share_dirty += share;
    if (seen->locked != 0)
        counts->share_locked += share;
    if (own)
        counts->share_anonymous += share;
    else if (seen->memory)
        counts->share_memory += share;
    else
        counts->share_file += share;
}

/* A page of an object has a reference by the object; files are kept nowhere but in memory, so their pages are dirty. */
static void count_page(struct counts *counts, const struct seen *seen, entry_t entry)
{
    frame_t  frame = entry_frame(entry);
    bool     own   = frame_owner(frame) == OWNER_USER, dirty = !own || entry_dirty(entry);
    unsigned shown = frame_references(frame) - (own ? 0 : 1);

    assert(entry_present(entry));
    if (is_zero_frame(frame))
        return;                                 /* shared by all, owned by none */
    if (shown == 0)
        shown = 1;
    counts->resident++;
    counts->accessed  += entry_accessed(entry);
    counts->anonymous += own;
    if (shown > 1)
        *(dirty ? &counts->shared_dirty : &counts->shared_clean) += 1;
    else
        *(dirty ? &counts->own_dirty : &counts->own_clean) += 1;
    count_share(counts, seen, own, shown, dirty);
}

/* A page that is out: other entries may name its slot since a fork. */
static void count_out(struct counts *counts, entry_t entry)
{
    uint32_t named = swap_references(entry_slot_number(entry));

    assert(named > 0);
    counts->out++;
    counts->share_out += (1u << SHARE_SHIFT) / named;
}

static void count_out_page(page_t page, entry_t entry, void *counts)
{
    (void)page;
    count_out(counts, entry);
}

enum { STRETCH = 64 };
_Static_assert(MMU_ENTRIES % STRETCH == 0, "a stretch lies in one table");

/* Pages from `page` on; one lock for STRETCH of them, or one missing table, at the most. Returns where to go on. */
static page_t count_stretch(struct space *space, const struct seen *seen, struct counts *counts, page_t page,
                            page_t end)
{
    lock_state     state = lock_take(&space->tables_lock);
    page_t         border = (page | (MMU_ENTRIES - 1)) + 1, until = (page | (STRETCH - 1)) + 1;
    const entry_t *at = entry_at(space, page, 1);

    assert(page < end);
    if (at == NULL && table_home_look(space, page, until < end ? until : end, count_out_page, counts))
        page = until;
    else if (at == NULL)
        page = border;                          /* no table: nothing up to the end of what it would map */
    for (; page < until && page < end; page++, at++) {          /* bound: STRETCH, which lie in one table */
        entry_t entry = entry_read(at);

        if (entry_present(entry))
            count_page(counts, seen, entry);
        else if (entry_kind(entry, 1) == ENTRY_SWAP)
            count_out(counts, entry);
    }
    lock_drop(&space->tables_lock, state);
    return page;
}

static void count_pages(struct space *space, const struct seen *seen, struct counts *counts)
{
    counts->out += seen->out;
    for (page_t page = page_of(seen->start), end = page_of(seen->end); page < end; )
        page = count_stretch(space, seen, counts, page, end);
}

static void add_pages(struct text *text, const char *name, uint32_t pages)
{
    text_add_kilobytes(text, name, pages * KILOBYTES);
}

static void add_share(struct text *text, const char *name, uint64_t share)
{
    text_add_kilobytes(text, name, (unsigned long)(share * KILOBYTES >> SHARE_SHIFT));
}

static void add_counts(struct text *text, const struct counts *c, bool all)
{
    static const char *const nothing[] = { "LazyFree:", "AnonHugePages:", "ShmemPmdMapped:", "FilePmdMapped:",
                                           "Shared_Hugetlb:", "Private_Hugetlb:" };

    add_pages(text, "Rss:", c->resident);
    add_share(text, "Pss:", c->share);
    add_share(text, "Pss_Dirty:", c->share_dirty);
    if (all) {
        add_share(text, "Pss_Anon:", c->share_anonymous);
        add_share(text, "Pss_File:", c->share_file);
        add_share(text, "Pss_Shmem:", c->share_memory);
    }
    add_pages(text, "Shared_Clean:", c->shared_clean);
    add_pages(text, "Shared_Dirty:", c->shared_dirty);
    add_pages(text, "Private_Clean:", c->own_clean);
    add_pages(text, "Private_Dirty:", c->own_dirty);
    add_pages(text, "Referenced:", c->accessed);
    add_pages(text, "Anonymous:", c->anonymous);
    for (unsigned i = 0; i < COUNT_OF(nothing); i++)
        add_pages(text, nothing[i], 0);
    add_pages(text, "Swap:", c->out);
    add_share(text, "SwapPss:", c->share_out);
    add_share(text, "Locked:", c->share_locked);
}

/* Linux's two letters, in its order (fs/proc/task_mmu.c). */
static void add_flags(struct text *text, const struct seen *seen)
{
    const struct { const char *name; bool set; } flags[] = {
        { "rd", seen->rights & MAY_READ }, { "wr", seen->rights & MAY_WRITE }, { "ex", seen->rights & MAY_EXECUTE },
        { "sh", seen->shared && (seen->may & MAY_WRITE) }, { "mr", seen->may & MAY_READ },
        { "mw", seen->may & MAY_WRITE }, { "me", seen->may & MAY_EXECUTE }, { "ms", seen->shared },
        { "gd", seen->grows }, { "lo", seen->locked != 0 }, { "sr", seen->told & REGION_TOLD_SEQUENTIAL },
        { "rr", seen->told & REGION_TOLD_RANDOM }, { "dc", seen->not_forked },
        { "ac", !seen->shared && !seen->uncharged && (seen->rights & MAY_WRITE) }, { "nr", seen->uncharged },
        { "wf", seen->told & REGION_TOLD_WIPED }, { "dd", seen->told & REGION_TOLD_NO_DUMP },
        { "hg", seen->told & REGION_TOLD_HUGE }, { "nh", seen->told & REGION_TOLD_NO_HUGE },
        { "mg", seen->told & REGION_TOLD_MERGEABLE },
    };

    text_add_literal(text, "VmFlags: ");
    for (unsigned i = 0; i < COUNT_OF(flags); i++)
        if (flags[i].set)
            text_add(text, "%s ", flags[i].name);
    text_add_literal(text, "\n");
}

static void add_details(struct text *text, const struct seen *seen, const struct counts *counts)
{
    text_add_kilobytes(text, "Size:", (seen->end - seen->start) / 1024);
    add_pages(text, "KernelPageSize:", 1);
    add_pages(text, "MMUPageSize:", 1);
    add_counts(text, counts, false);
    text_add_literal(text, "THPeligible:    0\n");
    add_flags(text, seen);
}

/* ---- The files ---------------------------------------------------------------------------------------- */

struct shared_space *proc_memory(const struct proc_node *node, int *err)
{
    struct process      *process = proc_process(node);
    struct shared_space *memory  = process != NULL ? process->memory : NULL;

    *err = process == NULL ? -ESRCH : 0;
    if (memory != NULL)
        memory_hold(memory);
    return memory;
}

static int add_regions(struct text *text, struct proc_node *node, bool details)
{
    int                  err;
    struct shared_space *memory = proc_memory(node, &err);
    struct seen          seen;

    if (memory == NULL)
        return err;
    for (page_t page = 0; !text->failed && next_seen_region(&memory->space, page, &seen); page = page_of(seen.end)) {
        add_line(text, &seen);
        if (details) {
            struct counts counts = { 0 };

            count_pages(&memory->space, &seen, &counts);
            add_details(text, &seen, &counts);
        }
        if (seen.file != NULL)
            node_release(seen.file);
    }
    memory_release(memory);
    return 0;
}

int proc_maps(struct text *text, struct proc_node *node)  { return add_regions(text, node, false); }
int proc_smaps(struct text *text, struct proc_node *node) { return add_regions(text, node, true); }

static void add_resident(const struct seen *seen, const struct counts *counts, struct proc_resident *out)
{
    out->anonymous += counts->anonymous;
    *(seen->memory ? &out->memory : &out->file) += counts->resident - counts->anonymous;
}

void proc_count_resident(struct space *space, struct proc_resident *out)
{
    struct seen seen;

    may_sleep();
    *out = (struct proc_resident){ 0 };
    for (page_t page = 0; next_seen_region(space, page, &seen); page = page_of(seen.end)) {
        struct counts counts = { 0 };

        count_pages(space, &seen, &counts);
        add_resident(&seen, &counts, out);
        if (seen.file != NULL)
            node_release(seen.file);
    }
}

/* All regions' counts in one: of each page on its own, so that halves of pages add up. */
int proc_smaps_rollup(struct text *text, struct proc_node *node)
{
    int                  err;
    struct shared_space *memory = proc_memory(node, &err);
    struct seen          seen, all = { .start = 0, .end = 0 };
    struct counts        counts = { 0 };

    may_sleep();
    if (memory == NULL)
        return err != 0 ? err : -ESRCH;
    for (page_t page = 0; next_seen_region(&memory->space, page, &seen); page = page_of(seen.end)) {
        if (all.end == 0)
            all.start = seen.start;
        all.end = seen.end;
        count_pages(&memory->space, &seen, &counts);
        if (seen.file != NULL)
            node_release(seen.file);
    }
    memory_release(memory);
    all.name = "[rollup]";
    add_line(text, &all);
    add_counts(text, &counts, true);
    return 0;
}

size_t proc_read_space(const struct space *space, vaddr_t from, char *to, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {                      /* bound: a page under the lock, and a page with interrupts off */
        size_t        skew = from % PAGE_SIZE, part = PAGE_SIZE - skew;
        unsigned long interrupts;
        unsigned      level;
        lock_state    state = lock_take((struct lock *)&space->tables_lock);
        entry_t       entry = table_lookup(space, page_of(from), &level);
        bool          there = level == 1 && entry_present(entry);

        if (there)
            frame_share(entry_frame(entry));
        lock_drop((struct lock *)&space->tables_lock, state);
        if (!there)
            break;
        if (part > bytes - done)
            part = bytes - done;
        interrupts = interrupts_off();
        memcpy(to + done, (const char *)frame_view(entry_frame(entry), SLOT_FROM) + skew, part);
        interrupts_restore(interrupts);
        frame_put(entry_frame(entry));
        from += part;
        done += part;
    }
    return done;
}
