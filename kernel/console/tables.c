/*
 * tables.c - `entry`: the way the processor goes from an address to memory, step by step.
 */
#include "console/commands.h"

#include "base/error.h"
#include "base/print.h"
#include "console/show.h"
#include "console/words.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"

static const char *const kinds[] = {
    [ENTRY_EMPTY]    = "empty",
    [ENTRY_SWAP]     = "swap slot",
    [ENTRY_GUARD]    = "guard",
    [ENTRY_TRANSIT]  = "in transit",
    [ENTRY_IDENTITY] = "identity, not present",
    [ENTRY_BLOCKED]  = "blocked",
    [ENTRY_PRESENT]  = "page",
    [ENTRY_TABLE]    = "table",
};

static entry_t entry_now(page_t page, unsigned level, bool *there)
{
    lock_state     state = lock_take(&kernel_space.tables_lock);
    const entry_t *at    = entry_at(&kernel_space, page, level);
    entry_t        e     = at != NULL ? entry_read(at) : entry_empty();

    *there = at != NULL;
    lock_drop(&kernel_space.tables_lock, state);
    return e;
}

static void print_memory(frame_t frame)
{
    print(", physical %s, frame %u of %s", show_address((vaddr_t)frame_address(frame)).text, frame.no,
          owner_names[frame.no < frames_end() ? frame_owner(frame) : OWNER_ABSENT]);
}

static void print_entry(page_t page, unsigned level, entry_t e)
{
    enum entry_kind kind = entry_kind(e, level);

    print("  level %u, entry %4u: %08llx  %s", level, mmu_index(page, level), (unsigned long long)e.raw,
          kinds[kind]);
    if (kind == ENTRY_TABLE || kind == ENTRY_PRESENT || kind == ENTRY_BLOCKED)
        print_memory(entry_frame(e));
    if (kind == ENTRY_PRESENT)
        print(", %s, %s%s%s%s", show_rights(entry_rights(e)).text, cache_names[entry_cache(e)],
              entry_global(e) ? ", global" : "", entry_accessed(e) ? ", accessed" : "",
              entry_dirty(e) ? ", dirty" : "");
    print("\n");
}

static void print_region(page_t page)
{
    const struct layout_region *home  = layout_kernel_region_of(page);
    lock_state                  state = lock_take(&kernel_map_lock);
    const struct region        *region = region_find(&kernel_space.map, page);
    const char                 *name   = region != NULL ? region->name : NULL;

    lock_drop(&kernel_map_lock, state);
    print("the document calls it %s: %s, rights %s\n", home->name, home->note,
          show_rights(home->rights).text);
    if (page_is_users(page) && !layout_kernel_has_own())
        print("user space: what it means, each program's own space says\n");
    else if (name == NULL)
        print("no region of kernel space holds it now\n");
    else
        print("region of kernel space: %s\n", name);
}

int run_entry(int count, char **words)
{
    vaddr_t address;
    page_t  page;

    (void)count;
    if (!address_argument(words[1], &address))
        return -EINVAL;
    page = page_of(address);
    print_region(page);
    for (unsigned level = MMU_LEVELS; level > 0; level--) {
        bool    there;
        entry_t e = entry_now(page, level, &there);

        if (!there)
            break;
        print_entry(page, level, e);
    }
    return 0;
}
