/*
 * fault_verdict.c - why a fault could not be handled: the region, its neighbour above, the limit of a stack.
 */
#include "memory/spaces/fault_verdict.h"

#include "base/check.h"
#include "base/print.h"
#include "memory/spaces/space.h"

enum { SIGNAL_BUS = 7, SIGNAL_SEGV = 11, CODE_MAPERR = 1, CODE_ACCERR = 2, CODE_ADRERR = 2 };

size_t fault_stack_gap(const struct space *space)
{
    return space->limits.stack_gap != 0 ? space->limits.stack_gap / PAGE_SIZE : STACK_GAP;
}

static int describe_region(char *to, size_t size, const char *word, const struct region *region)
{
    if (region == NULL)
        return format_text(to, size, "%s: none", word);
    return format_text(to, size, "%s: %08lx-%08lx %s", word, (unsigned long)page_address(region->span.first),
                       (unsigned long)page_address(region->span.end), region->name ? region->name : "");
}

/* Just below the most that a stack may become: what an overflow touches first. */
static bool is_in_guard(const struct space *space, const struct region *stack, page_t page)
{
    size_t most = space->limits.stack / PAGE_SIZE, below = stack->span.end - page;

    return below > most && below - most <= fault_stack_gap(space);
}

static bool (*words_wanted)(int signal);        /* NULL: always */

void fault_words_if(bool (*wanted)(int signal)) { words_wanted = wanted; }

static void put_in_words(struct fault_verdict *v, const struct space *space, page_t page, bool none)
{
    const struct region *above = region_at_or_above(&space->map, page);
    size_t               used;

    deep_assert(above == NULL || above->span.end > page);
    used = (size_t)describe_region(v->reason, sizeof v->reason, none ? "no region here; next above" : "region", above);
    if (none && above != NULL && (above->grows & REGION_GROWS_DOWN) && used < sizeof v->reason)
        format_text(v->reason + used, sizeof v->reason - used, ", a stack limited to %lu KiB%s",
                    (unsigned long)(space->limits.stack / KiB),
                    is_in_guard(space, above, page) ? ": stack overflow" : "");
}

void fault_describe(struct fault_verdict *v, const struct space *space, vaddr_t address, enum fault_action action)
{
    bool none = action == FAULT_SEGV_MAP;

    assert(action == FAULT_BUS || action == FAULT_SEGV_ACCESS || none);
    v->address   = address;
    v->signal    = action == FAULT_BUS ? SIGNAL_BUS : SIGNAL_SEGV;
    v->code      = action == FAULT_BUS ? CODE_ADRERR : none ? CODE_MAPERR : CODE_ACCERR;
    v->reason[0] = '\0';
    if (words_wanted == NULL || words_wanted(v->signal))
        put_in_words(v, space, page_of(address), none);
}
