/*
 * document.c - what the layout's document says, told by the kernel that obeys it.
 */
#include "console/commands.h"

#include "base/print.h"
#include "console/show.h"

static void print_backing(const struct layout_region *region)
{
    switch (region->backing) {
    case BACKING_NONE:   print("nothing, ever");                                            break;
    case BACKING_FIXED:  print("physical %s up", show_address(region->frame << PAGE_SHIFT).text);  break;
    case BACKING_IMAGE:  print("%s of the image", region->section);                         break;
    case BACKING_DEMAND: print("frames as needed");                                         break;
    case BACKING_DEVICE: print("devices");                                                  break;
    case BACKING_TABLES: print("the page tables");                                          break;
    case BACKING_WINDOW: print("structures and tables of processes");                       break;
    case BACKING_OBJECTS: print("page tables of processes");                                break;
    case BACKING_SLOTS:  print("single frames for a moment");                               break;
    case BACKING_ALIAS:  print("%s again", layout_region_of(region->alias)->name);          break;
    case BACKING_USER:   print("what programs ask for");                                    break;
    }
    if (region->purpose == PURPOSE_STACKS)
        print(", %s each", show_size((uint64_t)region->unit << PAGE_SHIFT).text);
    if (region->guard != 0)
        print(", guard %s", show_size((uint64_t)region->guard << PAGE_SHIFT).text);
    if (region->scope == SCOPE_PROCESS)
        print(", per process");
    print("\n");
}

static void print_regions(uint32_t first, uint32_t end)
{
    for (uint32_t i = end; i-- > first; ) {
        const struct layout_region *region = &layout.regions[i];

        if (span_empty(region->span))
            continue;
        print("%s  %s  %-10s  %-10s  %-13s  ", show_address(page_address(region->span.first)).text,
              show_address(page_address(region->span.end - 1) | (PAGE_SIZE - 1)).text,
              show_size((uint64_t)span_pages(region->span) << PAGE_SHIFT).text, region->name,
              show_rights(region->rights).text);
        print_backing(region);
    }
}

static void print_spaces(void)
{
    print("virtual      to           size        name        kernel / user  backed by\n");
    print_regions(0, layout.common_count);
    if (!layout_kernel_has_own())
        return;
    print("\nin kernel space, where programs have theirs:\n");
    print_regions(layout.common_count, layout.region_count);
}

static void print_physical(void)
{
    static const char *const uses[] = {
        [PHYSICAL_KERNEL] = "the kernel's structures", [PHYSICAL_HARDWARE] = "hardware, never handed out",
        [PHYSICAL_IMAGE]  = "kernel image and modules", [PHYSICAL_BITMAP]  = "frame bitmap",
        [PHYSICAL_BOOT]   = "what ran before paging",
        [PHYSICAL_MASTER] = "master page table", [PHYSICAL_POOL]   = "frame pool",
    };

    print("\nphysical     to           size        name        for\n");
    for (uint32_t i = layout.physical_count; i-- > 0; ) {
        const struct layout_physical *row = &layout.physical[i];

        if (row->first >= row->end)
            continue;
        print("%s  %s  %-10s  %-10s  %s\n", show_address(row->first << PAGE_SHIFT).text,
              show_address((row->end - 1) << PAGE_SHIFT | (PAGE_SIZE - 1)).text,
              show_size((uint64_t)(row->end - row->first) << PAGE_SHIFT).text, row->name, uses[row->use]);
    }
}

static void print_policies(void)
{
    static const char *const searches[] = { "first fit", "next fit", "fullest area first" };
    static const char *const accesses[] = { "identity", "self-map", "a window", "tracked objects", "direct map",
                                            "slots" };
    static const char *const zeroing[]  = { "for programs", "always" };
    static const char *const empty[]    = { "an error", "a panic" };
    static const char *const places[]   = { "at", "in the first memory that fits", "after the image" };
    const struct layout_policy *policy = &layout.policy;

    print("\nframe bitmap    %s%s%s, 1 = %s\n", places[policy->bitmap_at],
          policy->bitmap_at == BITMAP_FIXED ? " " : "",
          policy->bitmap_at == BITMAP_FIXED ? show_address((vaddr_t)policy->bitmap_start).text : "",
          policy->polarity == ONE_IS_FREE ? "free" : "used");
    print("unlisted memory %s\n", policy->unlisted == UNLISTED_USED ? "used" : "free at first, then marked");
    print("search          %s, up to %u frames at hand\n", searches[policy->search], policy->magazine);
    print("zeroed          %s\n", zeroing[policy->zeroing]);
    print("none left       %s\n", empty[policy->exhaustion]);
    print("page tables     reached by %s\n", accesses[layout.access]);
    print("user space      from %s to %s\n", show_address(page_address(layout.user.first)).text,
          show_address(page_address(layout.user.end) - 1).text);
}

int run_layout(int count, char **words)
{
    (void)count, (void)words;
    print("%s: %s (%s)\n\n", layout.name, layout.title, layout.file);
    print_spaces();
    print_physical();
    print_policies();
    return 0;
}
