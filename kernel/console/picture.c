/*
 * picture.c - `map`: kernel space as its page tables have it at this moment, drawn.
 *
 * The boxes are the document's regions, highest address on top. What is written beside them comes
 * from walking the tables (memory/tables/run.h): runs of pages with equal rights, cache and region.
 */
#include "console/commands.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "console/show.h"
#include "memory/tables/run.h"
#include "memory/spaces/space.h"

enum { RUNS_SHOWN = 6 };        /* of one region; `map NAME` shows all */

/* ---- Drawing ------------------------------------------------------------------------------- */

static void draw_border(vaddr_t address)
{
    print(" %s +------------------+\n", show_address(address).text);
}

static void draw_line_side(const char *name, bool hole)
{
    char side = hole ? ':' : '|';

    print("             %c %-16.16s %c ", side, name, side);
}

static const char *kind_word(enum entry_kind kind)
{
    switch (kind) {
    case ENTRY_SWAP:     return "swapped out";
    case ENTRY_GUARD:    return "guard";
    case ENTRY_TRANSIT:  return "in transit";
    case ENTRY_IDENTITY: return "not present, identity";
    case ENTRY_BLOCKED:  return "blocked";
    default:             return "";
    }
}

static void print_frames(const struct page_run *run)
{
    const char *owner = run->owner < OWNER_COUNT ? owner_names[run->owner] : "several owners";

    if (run->in_a_row)
        print("physical %s, %s", show_address((vaddr_t)frame_address(run->frame)).text, owner);
    else
        print("%u scattered frames, %s", (unsigned)span_pages(run->span), owner);
}

static void draw_run(const struct layout_region *home, const struct page_run *run)
{
    draw_line_side("", false);
    print("  %s %8s  %s%s%s  ", show_address(page_address(run->span.first)).text,
          show_size((uint64_t)span_pages(run->span) << PAGE_SHIFT).text,
          run->kind == ENTRY_PRESENT ? show_rights(run->rights).text : kind_word(run->kind),
          run->cache == CACHE_BACK ? "" : " ", run->cache == CACHE_BACK ? "" : cache_names[run->cache]);
    print_frames(run);
    if (run->region == NULL)
        print(", IN NO REGION");
    else if (strcmp(run->region->name, home->name) != 0)
        print(", %s", run->region->name);
    print("\n");
}

struct summary { uint32_t runs; uint64_t pages; };

static struct summary print_summary(const struct layout_region *home)
{
    struct summary  sum = { 0, 0 };
    struct page_run run;
    page_t          end = home->span.end;

    while (page_run_below(&kernel_space, home->span.first, &end, 0, &run)) {
        sum.runs++;
        sum.pages += span_pages(run.span);
    }
    return sum;
}

static void draw_runs(const struct layout_region *home, uint32_t most)
{
    struct summary  rest = { 0, 0 };
    struct page_run run;
    page_t          end = home->span.end;

    for (uint32_t drawn = 0; page_run_below(&kernel_space, home->span.first, &end, 0, &run); drawn++) {
        if (drawn < most) {
            draw_run(home, &run);
        } else {
            rest.runs++;
            rest.pages += span_pages(run.span);
        }
    }
    if (rest.runs != 0) {
        draw_line_side("", false);
        print("  and %u runs more, %s (map %s)\n", rest.runs, show_size(rest.pages << PAGE_SHIFT).text,
              home->name);
    }
}

static void draw_title(const struct layout_region *home, const struct summary *sum)
{
    uint64_t    bytes  = (uint64_t)span_pages(home->span) << PAGE_SHIFT;
    struct text size   = show_size(bytes);
    struct text rights = show_rights(home->rights);

    if (home->backing == BACKING_ALIAS)
        print("%s, the entries of %s again\n", size.text, layout_region_of(home->alias)->name);
    else if (home->backing == BACKING_NONE && sum->pages == 0)
        print("%s, never mapped\n", size.text);
    else if (sum->pages == 0)
        print("%s %s, nothing mapped now\n", size.text, rights.text);
    else if (sum->pages << PAGE_SHIFT == bytes)
        print("%s %s, all mapped:\n", size.text, rights.text);
    else
        print("%s %s, of it %s mapped:\n", size.text, rights.text, show_size(sum->pages << PAGE_SHIFT).text);
}

static void draw_region(const struct layout_region *home, uint32_t most)
{
    bool           alias = home->backing == BACKING_ALIAS;
    struct summary sum   = alias ? (struct summary){ 0, 0 } : print_summary(home);

    draw_line_side(home->name, home->backing == BACKING_NONE);
    draw_title(home, &sum);
    if (!alias)
        draw_runs(home, most);
    draw_border(page_address(home->span.first));
}

static const struct layout_region *region_named(const char *name)
{
    for (uint32_t i = 0; i < layout.region_count; i++)
        if (strcmp(layout.regions[i].name, name) == 0)
            return &layout.regions[i];
    return NULL;
}

static int draw_space(const char *name)
{
    const struct layout_region *home = region_named(name);

    if (home == NULL) {
        print("map: expected the name of a region, as layout lists them, not \"%s\"\n", name);
        return -ENOENT;
    }
    draw_border(page_address(home->span.end - 1) | (PAGE_SIZE - 1));
    draw_region(home, UINT32_MAX);
    return 0;
}

/*
 * Regions [first, end) of the document; in the place of the programs' part those that kernel space has there, if any.
 */
static void draw_regions(uint32_t first, uint32_t end)
{
    for (uint32_t i = end; i-- > first; ) {
        const struct layout_region *home = &layout.regions[i];

        if (home->purpose == PURPOSE_USER && layout_kernel_has_own())
            draw_regions(layout.common_count, layout.region_count);
        else if (!span_empty(home->span))
            draw_region(home, RUNS_SHOWN);
    }
}

int run_map(int count, char **words)
{
    if (count == 2)
        return draw_space(words[1]);

    print("Kernel space of layout %s, highest address on top. The boxes are the document's regions;\n"
          "beside each its size, its rights, and what the page tables map in it now (with what the\n"
          "processor really allows): address, size, rights, memory behind it and that memory's owner.\n\n",
          layout.name);
    draw_border(page_address(layout.space_end - 1) | (PAGE_SIZE - 1));
    draw_regions(0, layout.common_count);
    return 0;
}
