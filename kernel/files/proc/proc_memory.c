/*
 * proc_memory.c - what a process maps: maps and smaps, and reading another's memory.
 */
#include "base/check.h"
#include "base/error.h"
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
    const char *name;
    struct node *file;                  /* a reference, or NULL */
    struct counts counts;
};

static struct seen describe(const struct space *space, const struct region *region)
{
    struct seen seen = {
        .start = page_address(region->span.first), .end = page_address(region->span.end), .rights = region->rights.user,
        .may = region->may, .locked = region->locked, .shared = region->shared,
        .grows = region->grows & REGION_GROWS_DOWN,
        .not_forked = region->not_forked, .uncharged = region->uncharged, .told = region->told, .name = region->name,
        .offset = region->object != NULL || region->file != NULL ? region->offset : 0, .file = region->file,
        .memory = region->object != NULL && region->object->owner == OWNER_SHARED,
        .number = region->object != NULL ? region->object->number : 0,
    };

    seen.heap = region->object == NULL && region->file == NULL && seen.start < space->limits.break_end &&
                seen.end > space->limits.break_start;
    return seen;
}

static bool next_seen_region(struct space *space, page_t from, struct seen *out)
{
    struct region *region;

    rwlock_read(&space->map_lock);
    region = region_at_or_above(&space->map, from);
    if (region != NULL) {
        *out = describe(space, region);
        if (region->file != NULL)
            node_hold(region->file);
    }
    rwlock_read_drop(&space->map_lock);
    return region != NULL;
}

/* ---- A line of maps ----------------------------------------------------------------------------- */

/* White space would end the name for a program that reads the line: a line's end is written as Linux does, in octal. */
static void add_path(struct text *text, const char *path)
{
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '\n')
            text_add(text, "\\012");
        else
            text_add_bytes(text, c, 1);
    }
}

static void add_file_name(struct text *text, struct node *file)
{
    char *path = heap_alloc(PATH_LONGEST, 0);

    if (path == NULL) {
        text->failed = true;
        return;
    }
    if (path_describe(current_process()->fs, file, path, PATH_LONGEST) >= 0)
        add_path(text, path);
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

static void add_line(struct text *text, const struct seen *seen)
{
    size_t line = text->length;

    text_add(text, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long)seen->start, (unsigned long)seen->end,
             seen->rights & MAY_READ ? 'r' : '-', seen->rights & MAY_WRITE ? 'w' : '-',
             seen->rights & MAY_EXECUTE ? 'x' : '-',
             seen->shared ? 's' : 'p', (unsigned long long)seen->offset << PAGE_SHIFT, 0u, region_device(seen),
             seen->file != NULL ? (unsigned long long)seen->file->inode : (unsigned long long)seen->number);
    add_region_name(text, seen, line);
    text_add(text, "\n");
}

/* ---- What is there of it -------------------------------------------------------------------------- */

static void count_share(struct counts *counts, const struct seen *seen, frame_t frame, unsigned shown, bool dirty)
{
    uint64_t share = (1ull << SHARE_SHIFT) / shown;

    counts->share += share;
    if (dirty)
        counts->share_dirty += share;
    if (seen->locked != 0)
        counts->share_locked += share;
    if (frame_owner(frame) == OWNER_USER)
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
    count_share(counts, seen, frame, shown, dirty);
}

/* A page that is out: other entries may name its slot since a fork. */
static void count_out(struct counts *counts, entry_t entry)
{
    uint32_t named = swap_references(entry_slot_number(entry));

    assert(named > 0);
    counts->out++;
    counts->share_out += (1ull << SHARE_SHIFT) / named;
}

enum { STRETCH = 64 };

/* Pages from `page` on; one lock for STRETCH of them, or one missing table, at the most. Returns where to go on. */
static page_t count_stretch(struct space *space, struct seen *seen, page_t page, page_t end)
{
    lock_state state = lock_take(&space->tables_lock);
    page_t     border = (page | (MMU_ENTRIES - 1)) + 1, until = (page | (STRETCH - 1)) + 1;

    assert(page < end);
    while (page < until && page < end) {        /* bound: STRETCH */
        unsigned level;
        entry_t  entry = table_lookup(space, page, &level);

        page = level > 1 ? border : page + 1;    /* no table: nothing up to the end of what it would map */
        if (level == 1 && entry_present(entry))
            count_page(&seen->counts, seen, entry);
        else if (level == 1 && entry_kind(entry, 1) == ENTRY_SWAP)
            count_out(&seen->counts, entry);
    }
    lock_drop(&space->tables_lock, state);
    return page;
}

static void count_pages(struct space *space, struct seen *seen)
{
    for (page_t page = page_of(seen->start), end = page_of(seen->end); page < end; )
        page = count_stretch(space, seen, page, end);
}

static void add_field_kilobytes(struct text *text, const char *name, uint64_t kilobytes)
{
    text_add(text, "%-16s%8llu kB\n", name, (unsigned long long)kilobytes);
}

static void add_pages(struct text *text, const char *name, uint32_t pages)
{
    add_field_kilobytes(text, name, pages * KILOBYTES);
}

static void add_share(struct text *text, const char *name, uint64_t share)
{
    add_field_kilobytes(text, name, share * KILOBYTES >> SHARE_SHIFT);
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

    text_add(text, "VmFlags: ");
    for (unsigned i = 0; i < COUNT_OF(flags); i++)
        if (flags[i].set)
            text_add(text, "%s ", flags[i].name);
    text_add(text, "\n");
}

static void add_details(struct text *text, struct seen *seen)
{
    add_field_kilobytes(text, "Size:", (seen->end - seen->start) / 1024);
    add_pages(text, "KernelPageSize:", 1);
    add_pages(text, "MMUPageSize:", 1);
    add_counts(text, &seen->counts, false);
    text_add(text, "THPeligible:    0\n");
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
    for (page_t page = 0; next_seen_region(&memory->space, page, &seen); page = page_of(seen.end)) {
        add_line(text, &seen);
        if (details) {
            count_pages(&memory->space, &seen);
            add_details(text, &seen);
        }
        if (seen.file != NULL)
            node_release(seen.file);
    }
    memory_release(memory);
    return 0;
}

int proc_maps(struct text *text, struct proc_node *node)  { return add_regions(text, node, false); }
int proc_smaps(struct text *text, struct proc_node *node) { return add_regions(text, node, true); }

static void add_resident(const struct seen *seen, struct proc_resident *out)
{
    out->anonymous += seen->counts.anonymous;
    *(seen->memory ? &out->memory : &out->file) += seen->counts.resident - seen->counts.anonymous;
}

void proc_count_resident(struct space *space, struct proc_resident *out)
{
    struct seen seen;

    may_sleep();
    *out = (struct proc_resident){ 0 };
    for (page_t page = 0; next_seen_region(space, page, &seen); page = page_of(seen.end)) {
        count_pages(space, &seen);
        add_resident(&seen, out);
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

    may_sleep();
    if (memory == NULL)
        return err != 0 ? err : -ESRCH;
    for (page_t page = 0; next_seen_region(&memory->space, page, &seen); page = page_of(seen.end)) {
        if (all.end == 0)
            all.start = seen.start;
        all.end     = seen.end;
        seen.counts = all.counts;
        count_pages(&memory->space, &seen);
        all.counts = seen.counts;
        if (seen.file != NULL)
            node_release(seen.file);
    }
    memory_release(memory);
    all.name = "[rollup]";
    add_line(text, &all);
    add_counts(text, &all.counts, true);
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
