/*
 * check_needs.c - the needs of the kernel that hold for every document. See check.h.
 *
 * A document that passes has nothing in it that the kernel would ignore, and nothing that it could only answer by
 * stopping: each number here is one that some table, some loop or some first allocation of the kernel depends on.
 * layout.c repeats those that are constants of the kernel's as assertions, so neither can change alone.
 */
#include "check.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

/* Least sizes: with less the kernel does not start, or cannot run a program. */
#define DEVICES_LEAST MIB
#define USER_LEAST    (16 * MIB)

enum { STACKS_LEAST = 16 };

/* ---- Rights and scopes ------------------------------------------------------------------- */

/* The regions that the kernel reads and writes, besides those that check_regions() has checked. */
static void check_kernel_rights(struct document *d, const struct region *r)
{
    static const bool written[PURPOSE_COUNT] = {
        [PURPOSE_BOOT] = true, [PURPOSE_DIRECT] = true, [PURPOSE_RECORDS] = true, [PURPOSE_DEVICES] = true,
        [PURPOSE_SLOTS] = true, [PURPOSE_TABLES] = true, [PURPOSE_BOOKKEEPING] = true,
    };

    if (written[r->purpose] && !region_is_read_and_written(r))
        complain(d->source, r->place.line, "%s has the rights %s; the kernel must be able to read and write it",
                 r->place.name, rights_text(r->kernel));
    if ((r->purpose == PURPOSE_RODATA || r->purpose == PURPOSE_ORIGINAL) && (r->kernel & MAY_READ) == 0)
        complain(d->source, r->place.line, "%s has the rights %s; the kernel must be able to read it", r->place.name,
                 rights_text(r->kernel));
    if (r->purpose == PURPOSE_USER &&
        (r->user != (MAY_READ | MAY_WRITE | MAY_EXECUTE) || r->kernel != (MAY_READ | MAY_WRITE)))
        complain(d->source, r->place.line,
                 "user has the rights %s for the kernel and %s for programs; expected rw- and rwx: "
                 "programs decide about their own pages",
                 rights_text(r->kernel), rights_text(r->user));
}

static void check_scope(struct document *d, const struct region *r)
{
    bool own = r->purpose == PURPOSE_USER || r->purpose == PURPOSE_TABLES;

    if (r->backing != BACKING_NONE && r->scope == SCOPE_NOTHING)
        complain(d->source, r->place.line,
                 "%s is backed by `%s`, but its scope is -; that is for where nothing is mapped", r->place.name,
                 word_of(backing_words, r->backing)->text);
    else if (own && r->scope != SCOPE_PROCESS)
        complain(d->source, r->place.line, "%s has the scope `%s`; expected `process`: each has its own", r->place.name,
                 word_of(scope_words, r->scope)->text);
}

/* The kernel takes memory from regions that it knows; in any other the
 * document's words would have no effect. */
static void check_used(struct document *d, const struct region *r)
{
    if (r->backing == BACKING_DEMAND && r->purpose == PURPOSE_PLAIN)
        complain(d->source, r->place.line,
                 "%s is backed by `demand`, but the kernel takes memory from heap, records, stacks "
                 "and trackers alone; expected one of these names, or `none`",
                 r->place.name);
}

/* ---- Growth -------------------------------------------------------------------------------- */

/* The Growth cells that are valid for a region of this purpose. */
enum growth { GROWS_NOT, GROWS_BY_PAGES, GROWS_UP_TO, GROWS_EACH, GROWS_EACH_PAGE };

static enum growth growth_of(const struct region *r)
{
    switch (r->purpose) {
    case PURPOSE_HEAP: case PURPOSE_DEVICES:                           return GROWS_UP_TO;
    case PURPOSE_RECORDS: case PURPOSE_TRACKERS: case PURPOSE_OBJECTS: return GROWS_BY_PAGES;
    case PURPOSE_STACKS: case PURPOSE_STACK:                           return GROWS_EACH;
    case PURPOSE_SLOTS:                                                return GROWS_EACH_PAGE;
    default:                                                           return GROWS_NOT;
    }
}

static const char *growth_text(enum growth growth)
{
    static const char *const texts[] = {
        [GROWS_NOT] = "`-`: it does not grow", [GROWS_BY_PAGES] =
            "`by 4 KiB` or `-`: it grows page by page, in all its range",
        [GROWS_UP_TO] = "`by 4 KiB`, perhaps with `, at most SIZE`: it grows page by page",
        [GROWS_EACH] = "`SIZE each`, perhaps with `, at most SIZE`", [GROWS_EACH_PAGE] = "`4 KiB each` or `-`",
    };

    return texts[growth];
}

static bool growth_fits(enum growth growth, const struct region *r)
{
    if (r->unit == 0)
        return r->maximum == 0;
    switch (growth) {
    case GROWS_NOT:       break;
    case GROWS_BY_PAGES:  return !r->each && r->unit == PAGE && r->maximum == 0;
    case GROWS_UP_TO:     return !r->each && r->unit == PAGE;
    case GROWS_EACH:      return r->each;
    case GROWS_EACH_PAGE: return r->each && r->unit == PAGE && r->maximum == 0;
    }
    return false;
}

static void check_growth(struct document *d, const struct region *r)
{
    enum growth growth = growth_of(r);

    if (!growth_fits(growth, r))
        complain(d->source, r->place.line, "%s has a growth of %s%s%s%s%s; expected %s", r->place.name,
                 r->each ? "" : "by ", size_text(d->source, r->unit), r->each ? " each" : "",
                 r->maximum > 0 ? ", at most " : "", r->maximum > 0 ? size_text(d->source, r->maximum) : "",
                 growth_text(growth));
    else if (r->purpose != PURPOSE_STACKS && r->purpose != PURPOSE_STACK && (r->guard > 0 || r->no_guard != NULL))
        complain(d->source, r->place.line, "%s has a guard; expected `-`: stacks alone have guards", r->place.name);
}

/* ---- Sizes --------------------------------------------------------------------------------- */

/* The most bytes that a region uses of its range. */
static uint64_t most_of(const struct region *r) { return r->maximum > 0 ? r->maximum : place_size(&r->place); }

static void check_least(struct document *d, enum purpose purpose, uint64_t least, const char *why)
{
    const struct region *r = d->purpose[purpose];

    if (r == NULL || !place_is_fixed(&r->place) || most_of(r) >= least)
        return;
    complain(d->source, r->place.line, "%s has %s%s; expected at least %s, %s", r->place.name,
             r->maximum > 0 ? "at most " : "", size_text(d->source, most_of(r)), size_text(d->source, least), why);
}

static void check_stacks(struct document *d)
{
    const struct region *r = d->purpose[PURPOSE_STACKS];
    uint64_t fit;

    if (r != NULL && r->scope == SCOPE_PROCESS && d->region_count > d->common_count)
        complain(d->source, r->place.line,
                 "stacks has the scope `process`, but kernel space has regions of its own (line %u), and the kernel "
                 "would run where no process's stacks are; expected `all`", d->regions[d->common_count].place.line);
    if (r == NULL || !place_is_fixed(&r->place) || !r->each || r->unit == 0 || (r->unit | r->guard) % PAGE != 0)
        return;
    fit = place_size(&r->place) / (r->unit + r->guard);
    if (r->maximum > 0 && r->maximum / r->unit < fit)
        fit = r->maximum / r->unit;
    if (fit < STACKS_LEAST)
        complain(d->source, r->place.line,
                 "stacks has room for %" PRIu64 " of them; expected at least %d: each thread has one", fit,
                 STACKS_LEAST);
    if (r->unit > STACK_MOST)
        complain(d->source, r->place.line, "stacks has a growth of %s each; expected at most %s",
                 size_text(d->source, r->unit), size_text(d->source, STACK_MOST));
}

/* The slots: some for each processor, all in one page table. */
static void check_slots(struct document *d)
{
    const struct region *r = d->purpose[PURPOSE_SLOTS];
    uint64_t least = PROCESSORS_MOST * SLOTS_EACH * PAGE;

    if (r == NULL || !place_is_fixed(&r->place))
        return;
    if (place_size(&r->place) < least)
        complain(d->source, r->place.line, "slots has %s; expected at least %s, %d pages for each of %d processors",
                 size_text(d->source, place_size(&r->place)), size_text(d->source, least), SLOTS_EACH, PROCESSORS_MOST);
    if (r->place.start.at / TABLE != (r->place.end.at - 1) / TABLE)
        complain(d->source, r->place.line,
                 "slots lies across a multiple of 4 MiB; expected the entries of one table: at most "
                 "4 MiB, and no border of 4 MiB inside");
}

/* Each region that kernel space has from the start on takes an element of an array of fixed size. */
static bool stands(const struct region *r)
{
    switch (r->backing) {
    case BACKING_FIXED: case BACKING_IMAGE: case BACKING_TABLES: case BACKING_SLOTS: case BACKING_WINDOW:
    case BACKING_ALIAS: case BACKING_OBJECTS:
        return true;
    default:
        return r->purpose == PURPOSE_RECORDS || r->purpose == PURPOSE_TRACKERS;
    }
}

static void check_counts(struct document *d)
{
    uint32_t standing = 0;

    if (d->physical_count > PHYSICAL_ROWS_MOST)
        complain(d->source, d->physical[PHYSICAL_ROWS_MOST].place.line,
                 "%s is row number %d of physical memory; the kernel's map of it has room for %d, and for what "
                 "firmware says",
                 d->physical[PHYSICAL_ROWS_MOST].place.name, PHYSICAL_ROWS_MOST + 1, PHYSICAL_ROWS_MOST);
    for (uint32_t i = 0; i < d->region_count; i++)
        if (stands(&d->regions[i]) && ++standing == STANDING_MOST + 1)
            complain(d->source, d->regions[i].place.line,
                     "%s is region number %d that is there from the start; the kernel's table "
                     "has %d places",
                     d->regions[i].place.name, STANDING_MOST + 1, STANDING_MOST);
}

/* ---- The ends of the address space ----------------------------------------------------------- */

/* The last page holds no memory: an address past it would be 0, and error values would be valid pointers. */
static void check_top(struct document *d)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (place_is_fixed(&r->place) && r->place.end.at == SPACE_END && r->backing != BACKING_NONE &&
            r->backing != BACKING_TABLES)
            complain(d->source, r->place.line,
                     "%s has the last page of the address space; expected it to be in a region backed by "
                     "`none` or `tables`, so that error values are no pointers",
                     r->place.name);
    }
}

static void check_first_page(struct document *d)
{
    const struct region *user = d->purpose[PURPOSE_USER];

    if (user != NULL && place_is_fixed(&user->place) && user->place.start.at == 0)
        complain(d->source, user->place.line,
                 "user starts at 0x00000000; expected 0x00001000 or more, so that null pointers are "
                 "none of a program's");
}

/* Only the region after the image may start where the image ends. */
static void check_floating_start(struct document *d, const struct region *r)
{
    if (r->place.start.floats && r->backing != BACKING_IMAGE && r->backing != BACKING_FIXED &&
        r->backing != BACKING_NONE && r->purpose != PURPOSE_HEAP)
        complain(d->source, r->place.line,
                 "%s starts at %s; expected an address: heap alone may follow the image like that", r->place.name,
                 border_text(d->source, r->place.start));
}

/* ---- Directory entries ------------------------------------------------------------------------------ */

static bool meets_entries(const struct region *r, uint64_t start, uint64_t end)
{
    return place_is_fixed(&r->place) && r->place.start.at / TABLE <= (end - 1) / TABLE &&
           start / TABLE <= (r->place.end.at - 1) / TABLE;
}

/* The directory's entry for itself, and entries that repeat others, cannot have boot tables. */
static void check_boot_entries(struct document *d)
{
    for (uint32_t i = 0; i < d->boot_map_count; i++)
        for (uint32_t k = 0; k < d->region_count; k++) {
            const struct boot_map *m = &d->boot_maps[i];
            const struct region *r = &d->regions[k];

            if (m->broken || m->size == 0 || (r->backing != BACKING_TABLES && r->backing != BACKING_ALIAS) ||
                !meets_entries(r, m->virtual, m->virtual + m->size))
                continue;
            complain(d->source, m->line,
                     "this boot mapping and %s (line %u) share a directory entry (4 MiB); expected %s to have its "
                     "own",
                     r->place.name, r->place.line, r->place.name);
        }
}

/* An alias repeats entries that are the same in every space and never change. */
static void check_alias_target(struct document *d, const struct region *alias)
{
    uint64_t start, end;

    if (alias->aliased == NULL || !place_is_fixed(&alias->place))
        return;
    start = region_base(d, alias->aliased);
    end = start + place_size(&alias->place);
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->backing == BACKING_NONE || r->place.broken || region_base(d, r) >= end || region_limit(d, r) <= start)
            continue;
        if (r->backing == BACKING_FIXED || r->backing == BACKING_IMAGE)
            continue;
        complain(d->source, alias->place.line,
                 "%s repeats the entries of %s (line %u), which is backed by `%s`; expected `physical` or "
                 "`image`",
                 alias->place.name, r->place.name, r->place.line, word_of(backing_words, r->backing)->text);
        return;
    }
}

/* ---- Table access ------------------------------------------------------------------------------------- */

static void check_access_needs(struct document *d)
{
    const struct region *direct = d->purpose[PURPOSE_DIRECT];
    const struct region *first = d->purpose[d->boot != NULL ? PURPOSE_TEXT : PURPOSE_BOOT];
    uint32_t line = d->policy_line[POLICY_ACCESS];
    bool own = d->region_count > d->common_count;

    if (d->policy.access == ACCESS_SLOTS && direct != NULL)
        complain(d->source, line,
                 "table access is `slots`, but direct (line %u) shows tables for good; expected `direct`",
                 direct->place.line);
    if (d->policy.access == ACCESS_IDENTITY && direct == NULL)
        complain(d->source, line, "table access is `identity`, but there is no region `direct`; expected one, and the "
                 "image at its physical address");
    else if (d->policy.access == ACCESS_IDENTITY && d->kernel_offset != 0)
        complain(d->source, line,
                 "table access is `identity`, but the image (line %u) lies %s its physical address (%s, line %u); "
                 "expected it there, and a region `direct`",
                 d->image->place.line, distance_words(d->source, d->kernel_offset), first->place.name,
                 first->place.line);
    if (own && d->policy.access != ACCESS_IDENTITY && d->policy.access != ACCESS_DIRECT)
        complain(d->source, line,
                 "table access is `%s`, but kernel space has regions of its own (line %u); expected `identity` or "
                 "`direct`", word_of(access_words, d->policy.access)->text, d->regions[d->common_count].place.line);
}

/* Access at a table's physical address needs all memory of the pool mapped there. */
static void check_identity(struct document *d)
{
    uint64_t below = shown_end(d);

    for (uint32_t i = 0; d->policy.access == ACCESS_IDENTITY && i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];

        if (row->use == PHYSICAL_POOL && row->place.end.at > below)
            complain(d->source, row->place.line,
                     "%s is handed out up to 0x%08" PRIX64 ", but direct (line %u) ends at 0x%08" PRIX64 "; expected "
                     "all of it to show, because table access is `identity` (line %u)",
                     row->place.name, row->place.end.at - 1, d->purpose[PURPOSE_DIRECT]->place.line, below - 1,
                     d->policy_line[POLICY_ACCESS]);
    }
}

void check_needs(struct document *d)
{
    if (d->source->errors > 0)
        return;                 /* the checks below rely on an image, on rows that meet and on valid regions */
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        check_kernel_rights(d, r);
        check_scope(d, r);
        check_used(d, r);
        check_growth(d, r);
        check_floating_start(d, r);
        if (r->backing == BACKING_ALIAS)
            check_alias_target(d, r);
    }
    check_least(d, PURPOSE_HEAP, HEAP_LEAST, "or no program could start");
    check_least(d, PURPOSE_DEVICES, DEVICES_LEAST, "or no device could be shown");
    check_least(d, PURPOSE_USER, USER_LEAST, "or no program would fit");
    check_least(d, PURPOSE_RECORDS, RECORDS_LEAST, "8 bytes for each frame of 4 GiB");
    check_stacks(d);
    check_slots(d);
    check_counts(d);
    check_top(d);
    check_first_page(d);
    check_structure_rows(d);
    check_boot_entries(d);
    check_direct(d);
    check_rows(d);
    check_access_needs(d);
    if (d->source->errors == 0)
        check_identity(d);
    if (d->source->errors == 0)
        check_shown(d);
}
