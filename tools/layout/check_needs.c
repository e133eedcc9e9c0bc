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
#define HEAP_LEAST    MIB
#define DEVICES_LEAST MIB
#define POOL_LEAST    MIB
#define USER_LEAST    (16 * MIB)
#define BITMAP_ROOM   (160 * KIB)       /* the bitmap of 4 GiB, and its summary                                    */
#define SUMMARY_ROOM  (16 * KIB)
#define IMAGE_MOST    MIB               /* memory for the image, before the linker knows its size                   */
#define RECORDS_SHOWN (16 * MIB)        /* memory with an address of its own, where frame records have no window  */

enum { STACKS_LEAST = 16 };

/* Where every PC has video memory and ROMs, whatever else it has. */
#define LEGACY_START UINT64_C(0xA0000)
#define LEGACY_END   UINT64_C(0x100000)

static uint64_t size_of(const struct place *p) { return p->end.at - p->start.at; }

static bool may_read_and_write(const struct region *r)
{
    return (r->kernel & (MAY_READ | MAY_WRITE)) == (MAY_READ | MAY_WRITE);
}

/* The regions of kernel space alone, if there are any, lie at the addresses of programs. */
static bool is_kernels_view(const struct document *d, const struct region *r)
{
    return r->backing != BACKING_USER || d->region_count == d->common_count;
}

/* ---- Rights and scopes ------------------------------------------------------------------- */

/* The regions that the kernel reads and writes, besides those that check_regions() has checked. */
static void check_kernel_rights(struct document *d, const struct region *r)
{
    static const bool written[PURPOSE_COUNT] = {
        [PURPOSE_BOOT] = true, [PURPOSE_DIRECT] = true, [PURPOSE_RECORDS] = true, [PURPOSE_DEVICES] = true,
        [PURPOSE_SLOTS] = true, [PURPOSE_TABLES] = true, [PURPOSE_BOOKKEEPING] = true,
    };

    if (written[r->purpose] && !may_read_and_write(r))
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
    case GROWS_NOT:       return false;
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
static uint64_t most_of(const struct region *r) { return r->maximum > 0 ? r->maximum : size_of(&r->place); }

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
    fit = size_of(&r->place) / (r->unit + r->guard);
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
    if (size_of(&r->place) < least)
        complain(d->source, r->place.line, "slots has %s; expected at least %s, %d pages for each of %d processors",
                 size_text(d->source, size_of(&r->place)), size_text(d->source, least), SLOTS_EACH, PROCESSORS_MOST);
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

/* ---- Physical memory that the kernel sees ------------------------------------------------------- */

/*
 * How far a frame's address follows from its number: the end of `direct`, or of what boot mappings that are kept show
 * from 0 up at the image's distance. Below it the kernel does not ask whether a frame is shown.
 */
static uint64_t shown_end(const struct document *d)
{
    const struct region *direct = d->purpose[PURPOSE_DIRECT];
    uint64_t end = 0;
    bool more = true;

    if (direct != NULL)
        return region_limit(d, direct) - d->kernel_offset;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < d->boot_map_count; i++) {
            const struct boot_map *m = &d->boot_maps[i];

            if (!m->broken && m->keep && m->virtual - m->physical == d->kernel_offset && m->physical <= end &&
                m->physical + m->size > end) {
                end = m->physical + m->size;
                more = true;
            }
        }
    }
    return end;
}

/*
 * The end of what a region shows from a physical address on at the image's distance, writable where it is not the
 * image.
 */
static uint64_t shown_from(const struct document *d, const struct region *r, uint64_t at)
{
    uint64_t start = region_base(d, r) - d->kernel_offset, end = region_limit(d, r) - d->kernel_offset;
    bool image = r->backing == BACKING_IMAGE || r->physical.floats;

    if (r->place.broken || (r->backing != BACKING_FIXED && r->backing != BACKING_IMAGE) || at < start || at >= end)
        return at;
    if (!image && r->place.start.at - r->physical.at != d->kernel_offset)
        return at;
    return r->backing == BACKING_IMAGE || may_read_and_write(r) ? end : at;
}

/*
 * The last of the regions that share floating borders decides how the memory from the image's end to the next address
 * is used.
 */
static const struct region *last_of_group(const struct document *d, const struct region *r)
{
    while (r->place.end.floats && r + 1 < d->regions + d->region_count)
        r++;
    return r;
}

static uint64_t shown_by_any(const struct document *d, uint64_t at)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i], *last = last_of_group(d, r);
        uint64_t end = is_kernels_view(d, r) ? shown_from(d, last, at) : at;

        if (end > at)
            return end;
    }
    return at;
}

static const struct region *region_at(const struct document *d, uint64_t virtual)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (is_kernels_view(d, r) && !r->place.broken && virtual >= region_base(d, r) && virtual < region_limit(d, r))
            return last_of_group(d, r);
    }
    return NULL;
}

static bool is_handed_out(enum physical_use use) { return use != PHYSICAL_HARDWARE && use != PHYSICAL_MASTER; }

/* Each frame of a row below that end is shown. A row that floats lies behind the image, in one region with the next. */
static void check_row_shown(struct document *d, const struct physical *row, uint64_t below)
{
    uint64_t start = row->place.start.floats ? d->image->place.start.at : row->place.start.at;
    uint64_t end = row->place.end.floats ? d->image->place.start.at : row->place.end.at, next;

    for (uint64_t at = start; at < end && at < below; at = next) {
        const struct region *r;

        next = shown_by_any(d, at);
        if (next > at)
            continue;
        r = region_at(d, at + d->kernel_offset);
        if (r != NULL)
            complain(d->source, r->place.line,
                     "%s (%s, backed by `%s`) lies where the kernel looks for physical memory from "
                     "0x%08" PRIX64
                     " on, and that is %s (line %u); expected a writable region that shows it, or the use "
                     "`hardware`",
                     r->place.name, rights_text(r->kernel), word_of(backing_words, r->backing)->text, at,
                     row->place.name, row->place.line);
        return;
    }
}

static bool is_settled(const struct document *d)
{
    if (d->image == NULL || d->policy_line[POLICY_ACCESS] == 0)
        return false;
    for (uint32_t i = 0; i < d->region_count; i++)
        if (d->regions[i].place.broken)
            return false;
    for (uint32_t i = 0; i < d->physical_count; i++)
        if (d->physical[i].place.broken)
            return false;
    return true;
}

static void check_direct(struct document *d)
{
    const struct region *direct = d->purpose[PURPOSE_DIRECT];

    if (direct == NULL || direct->physical.floats || !place_is_fixed(&direct->place) ||
        direct->place.start.at - direct->physical.at == d->kernel_offset)
        return;
    complain(d->source, direct->place.line,
             "direct lies %s the memory it shows, the image (line %u) %s where it was loaded; expected one distance "
             "for both",
             distance_words(d->source, direct->place.start.at - direct->physical.at), d->image->place.line,
             distance_words(d->source, d->kernel_offset));
}

/* Bytes of [start, end) below a border. */
static uint64_t below_of(uint64_t start, uint64_t end, uint64_t border)
{
    if (end > border)
        end = border;
    return end > start ? end - start : 0;
}

/* How many bytes of a row, of those that the kernel sees, the pool's own data may have. */
static uint64_t room_in(const struct document *d, const struct physical *row, uint64_t below)
{
    uint64_t behind = d->image->place.start.at + IMAGE_MOST;

    switch (row->use) {
    case PHYSICAL_KERNEL:
        return place_is_fixed(&row->place) ? size_of(&row->place) : 0;
    case PHYSICAL_POOL:
        return below_of(row->place.start.floats ? behind : row->place.start.at, row->place.end.at, below);
    case PHYSICAL_IMAGE:
        return d->policy.bitmap_at == BITMAP_AFTER_IMAGE && !row->place.end.floats
                   ? below_of(behind, row->place.end.at, below)
                   : 0;
    default:
        return 0;
    }
}

/* For the message: the row that has too little, or has addresses and is not the kernel's. */
static const char *where_room_could_be(const struct document *d)
{
    const struct region *direct = d->purpose[PURPOSE_DIRECT];
    const struct physical *found = NULL;

    if (direct != NULL && region_limit(d, direct) - d->kernel_offset <= d->image->place.start.at)
        return source_print(d->source, "; direct (line %u) ends before the image", direct->place.line);
    if (d->policy.bitmap_at == BITMAP_AFTER_IMAGE)
        return source_print(d->source, "; the image (line %u) has too little behind it", d->image->place.line);
    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];
        bool handed_out = row->use == PHYSICAL_HARDWARE || row->use == PHYSICAL_POOL;

        if (place_is_fixed(&row->place) && row->place.start.at != LEGACY_START &&
            (row->use == PHYSICAL_KERNEL || (found == NULL && handed_out)) &&
            physical_is_shown(d, row->place.start.at, row->place.end.at))
            found = row;
    }
    if (found == NULL)
        return "";
    return source_print(d->source, "; %s has addresses, the use `%s` and %s (line %u)", found->place.name,
                        word_of(use_words, found->use)->text, size_text(d->source, size_of(&found->place)),
                        found->place.line);
}

/*
 * The bitmap, where the document gives it no row, and its summary lie where they have addresses before there is a pool.
 */
static void check_room(struct document *d, uint64_t below)
{
    bool fixed = d->policy.bitmap_at == BITMAP_FIXED;
    uint64_t room = 0, needed = fixed ? SUMMARY_ROOM : BITMAP_ROOM;

    for (uint32_t i = 0; i < d->physical_count; i++)
        room += room_in(d, &d->physical[i], below);
    if (room < needed)
        complain(d->source, fixed ? d->bitmap->place.line : d->policy_line[POLICY_BITMAP],
                 "%s of rows with the uses `kernel` and "
                 "`pool` have addresses before there is a pool; expected at least %s, for %s%s",
                 size_text(d->source, room), size_text(d->source, needed),
                 fixed ? "the bitmap's summary" : "the bitmap, whose place is not `fixed`", where_room_could_be(d));
}

static void check_shown(struct document *d)
{
    uint64_t below = shown_end(d);
    unsigned errors = d->source->errors;

    for (uint32_t i = 0; i < d->physical_count && d->source->errors == errors; i++)
        if (is_handed_out(d->physical[i].use))
            check_row_shown(d, &d->physical[i], below);
    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];

        if (row->use == PHYSICAL_KERNEL && place_is_fixed(&row->place) && row->place.end.at > below &&
            !physical_is_shown(d, row->place.start.at, row->place.end.at))
            complain(d->source, row->place.line,
                     "no writable region backed by `physical` shows %s; the kernel could not use "
                     "it%s",
                     row->place.name, shown_instead(d, &row->place));
    }
    check_room(d, below);
    if (d->purpose[PURPOSE_RECORDS] == NULL && below < d->image->place.start.at + RECORDS_SHOWN)
        complain(d->source, 0,
                 "no region `records`, and memory has addresses of its own only below 0x%08" PRIX64 "; expected one of "
                 "8 MiB, or a region `direct` that reaches 0x%08" PRIX64,
                 below, d->image->place.start.at + RECORDS_SHOWN);
}

/* ---- Rows of physical memory ---------------------------------------------------------------------- */

/* Before linking, a floating border is known to be at least the image's start. */
static uint64_t row_size(const struct document *d, const struct physical *row)
{
    uint64_t start = row->place.start.floats ? d->image->place.start.at : row->place.start.at;

    return row->place.end.floats ? 0 : row->place.end.at - start;
}

/* For the message: the largest row that is not the pool's. */
static const char *largest_other(const struct document *d)
{
    const struct physical *largest = NULL;

    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];

        if (row->use != PHYSICAL_POOL && (largest == NULL || row_size(d, row) > row_size(d, largest)))
            largest = row;
    }
    return largest == NULL ? "" : source_print(d->source, "; %s has the use `%s` (line %u)", largest->place.name,
                                               word_of(use_words, largest->use)->text, largest->place.line);
}

/* A row that must be RAM on any machine cannot lie where no PC has RAM. */
static void check_rows(struct document *d)
{
    uint64_t pool = 0;
    uint32_t line = 0;

    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];
        uint64_t start = row->place.start.at, end = row->place.end.floats ? start + PAGE : row->place.end.at;

        if (row->use == PHYSICAL_POOL && line == 0)
            line = row->place.line;
        if (row->use == PHYSICAL_POOL)
            pool += row->place.start.floats || row->place.end.floats ? POOL_LEAST : size_of(&row->place);
        else if (row->use != PHYSICAL_HARDWARE && row->use != PHYSICAL_KERNEL && !row->place.start.floats &&
                 start < LEGACY_END && LEGACY_START < end)
            complain(d->source, row->place.line,
                     "%s has the use `%s`, which needs RAM, and reaches into 0x%08" PRIX64 " to 0x%08" PRIX64
                     ", where every PC has video memory and ROMs",
                     row->place.name, word_of(use_words, row->use)->text, LEGACY_START, LEGACY_END - 1);
    }
    if (line == 0)
        complain(d->source, 0,
                 "no row of physical memory has the use `pool`; expected one, or there is nothing to hand out");
    else if (pool < POOL_LEAST)
        complain(d->source, line, "the rows of physical memory with the use `pool` have %s; expected at least %s, or "
                 "there is nothing to hand out%s", size_text(d->source, pool), size_text(d->source, POOL_LEAST),
                 largest_other(d));
}

/* Whether the kernel may write to [start, end) at the image's distance, once it has page tables of its own. */
static bool is_shown_at_distance(const struct document *d, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->backing == BACKING_FIXED && place_is_fixed(&r->place) && !r->physical.floats &&
            (r->kernel & MAY_WRITE) != 0 && r->physical.at <= start &&
            end - r->physical.at <= r->place.end.at - r->place.start.at &&
            (r->place.start.at - r->physical.at) % SPACE_END == d->kernel_offset % SPACE_END)
            return true;
    }
    return false;
}

/* The same for the boot tables. */
static bool is_mapped_at_distance(const struct document *d, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];

        if (!m->broken && m->physical <= start && end <= m->physical + m->size &&
            (m->virtual - m->physical) % SPACE_END == d->kernel_offset % SPACE_END)
            return true;
    }
    return false;
}

/* The processor is told where its tables are before the kernel has its own page tables, and the places stay. */
static void check_structure_view(struct document *d, const struct place *p)
{
    uint64_t start = p->start.at, end = p->end.at;
    const char *lacks = !is_shown_at_distance(d, start, end)  ? "writable region backed by `physical`" :
                        !is_mapped_at_distance(d, start, end) ? "boot mapping" : NULL;

    if (lacks != NULL && physical_is_shown(d, start, end))      /* otherwise check_structures() has said it */
        complain(d->source, p->line,
                 "no %s shows %s at 0x%08" PRIX64 ", its address at the image's distance; "
                 "the kernel could not reach it", lacks, p->name, (start + d->kernel_offset) % SPACE_END);
}

static void check_structure_rows(struct document *d)
{
    for (uint32_t i = 0; i < d->structure_count; i++) {
        const struct place *p = &d->structures[i].place;

        if (!p->broken)
            check_structure_view(d, p);
        if (!p->broken && p->start.at < LEGACY_END && LEGACY_START < p->end.at)
            complain(d->source, p->line,
                     "%s lies in 0x%08" PRIX64 " to 0x%08" PRIX64 ", where every PC has video memory and ROMs", p->name,
                     LEGACY_START, LEGACY_END - 1);
    }
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
    end = start + size_of(&alias->place);
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
    if (d->source->errors > 0 || !is_settled(d))
        return;                 /* the checks below rely on rows that meet and on valid regions */
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
