/*
 * proc_memory.c - what a process maps: maps and smaps, and reading another's memory.
 */
#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "files/path.h"
#include "files/proc_node.h"
#include "memory/spaces/fault.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"
#include "process/family.h"

/* The name of a mapping begins in this column, as Linux pads it for 32-bit addresses. */
enum { NAME_COLUMN = 49 };

/* One region, remembered so that no lock is held while text is made. */
struct seen {
    vaddr_t     start, end;
    uint8_t     rights;
    bool        shared, heap;
    uint64_t    offset;
    const char *name;
    struct node *file;                  /* a reference, or NULL */
    uint32_t    resident, shared_pages, dirty_pages, anonymous;
};

static bool next_region(struct space *space, page_t from, struct seen *out)
{
    lock_state     state  = lock_take(&space->map_lock);
    struct region *region = region_at_or_above(&space->map, from);

    if (region != NULL) {
        *out = (struct seen){ .start = page_address(region->span.first), .end = page_address(region->span.end),
                              .rights = region->rights.user, .shared = region->shared, .offset = region->offset,
                              .name = region->name, .file = region->file };
        if (region->file != NULL)
            node_hold(region->file);
        out->heap = region->object == NULL && out->start < space->limits.break_end && out->end > space->limits.break_start;
    }
    lock_drop(&space->map_lock, state);
    return region != NULL;
}

static void add_name(struct text *text, const struct seen *seen, size_t line)
{
    char *path;

    if (seen->file != NULL) {
        path = heap_alloc(PATH_LONGEST, 0);
        if (path == NULL) {
            text->failed = true;
            return;
        }
        text_pad(text, line, NAME_COLUMN);
        if (path_describe(current_process()->place, seen->file, path, PATH_LONGEST) >= 0)
            text_add_bytes(text, path, strlen(path));
        heap_free(path);
    } else if (seen->name != NULL || seen->heap) {
        text_pad(text, line, NAME_COLUMN);
        text_add(text, "%s", seen->name != NULL ? seen->name : "[heap]");
    }
}

static void add_line(struct text *text, const struct seen *seen)
{
    const struct node *file = seen->file;
    size_t             line = text->length;

    text_add(text, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long)seen->start, (unsigned long)seen->end,
             seen->rights & MAY_READ ? 'r' : '-', seen->rights & MAY_WRITE ? 'w' : '-', seen->rights & MAY_EXECUTE ? 'x' : '-',
             seen->shared ? 's' : 'p', file != NULL ? (unsigned long long)seen->offset << PAGE_SHIFT : 0ull, 0u,
             file != NULL && file->system != NULL ? (unsigned)file->system->device : 0u,
             file != NULL ? (unsigned long long)file->inode : 0ull);
    add_name(text, seen, line);
    text_add(text, "\n");
}

/* Count the pages of the region that are there. */
static void count_pages(struct space *space, struct seen *seen)
{
    lock_state state = lock_take(&space->tables_lock);

    for (page_t page = page_of(seen->start); page < page_of(seen->end); page++) {
        unsigned level;
        entry_t  entry = table_lookup(space, page, &level);
        frame_t  frame;

        if (level > 1) {                        /* no table: nothing up to the end of what it would map */
            page |= MMU_ENTRIES - 1;
            continue;
        }
        if (!entry_present(entry))
            continue;
        frame = entry_frame(entry);
        seen->resident++;
        seen->shared_pages += frame_references(frame) > 1;
        seen->dirty_pages  += entry_dirty(entry);
        seen->anonymous    += frame_owner(frame) == OWNER_USER;
    }
    lock_drop(&space->tables_lock, state);
}

static void add_counts(struct text *text, const struct seen *seen)
{
    enum { KILOBYTES = PAGE_SIZE / 1024 };
    unsigned rss = seen->resident * KILOBYTES, shared = seen->shared_pages * KILOBYTES;
    unsigned dirty = seen->dirty_pages * KILOBYTES, own = rss - shared;
    unsigned own_dirty = dirty < own ? dirty : own;

    text_add(text, "Size:           %8lu kB\nKernelPageSize: %8u kB\nMMUPageSize:    %8u kB\n",
             (unsigned long)(seen->end - seen->start) / 1024, KILOBYTES, KILOBYTES);
    text_add(text, "Rss:            %8u kB\nPss:            %8u kB\nPss_Dirty:      %8u kB\n", rss, own + shared / 2, own_dirty);
    text_add(text, "Shared_Clean:   %8u kB\nShared_Dirty:   %8u kB\n", shared - (dirty - own_dirty), dirty - own_dirty);
    text_add(text, "Private_Clean:  %8u kB\nPrivate_Dirty:  %8u kB\n", own - own_dirty, own_dirty);
    text_add(text, "Referenced:     %8u kB\nAnonymous:      %8u kB\n", rss, seen->anonymous * KILOBYTES);
    text_add(text, "Swap:           %8u kB\nSwapPss:        %8u kB\nLocked:         %8u kB\n", 0u, 0u, 0u);
}

static int add_regions(struct text *text, struct proc_node *node, bool counts)
{
    struct process      *process = proc_process(node);
    struct shared_space *memory  = process != NULL ? process->memory : NULL;
    struct seen          seen;

    if (process == NULL)
        return -ESRCH;
    if (memory == NULL)
        return 0;
    memory_hold(memory);
    for (page_t page = 0; next_region(&memory->space, page, &seen); page = page_of(seen.end)) {
        add_line(text, &seen);
        if (counts) {
            count_pages(&memory->space, &seen);
            add_counts(text, &seen);
        }
        if (seen.file != NULL)
            node_release(seen.file);
    }
    memory_release(memory);
    return 0;
}

int proc_maps(struct text *text, struct proc_node *node)  { return add_regions(text, node, false); }
int proc_smaps(struct text *text, struct proc_node *node) { return add_regions(text, node, true); }

size_t proc_read_space(const struct space *space, vaddr_t from, char *to, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
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
