/*
 * check_shown.c - the physical memory of a document: what the kernel sees of it, and what has room in it. See check.h.
 *
 * The kernel reaches frames, its own tables and the processor's at addresses that regions or boot mappings show; what
 * is in no such place it would touch in vain, at a moment when it can no longer say so.
 */
#include "check.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

#define POOL_LEAST    MIB
#define BITMAP_ROOM   (160 * KIB)       /* the bitmap of 4 GiB, and its summary                                    */
#define SUMMARY_ROOM  (16 * KIB)
#define IMAGE_MOST    MIB               /* memory for the image, before the linker knows its size                   */
#define RECORDS_SHOWN (16 * MIB)        /* memory with an address of its own, where frame records have no window  */

/* The regions of kernel space alone, if there are any, lie at the addresses of programs. */
static bool is_kernels_view(const struct document *d, const struct region *r)
{
    return r->backing != BACKING_USER || d->region_count == d->common_count;
}

/* ---- Physical memory that the kernel sees ------------------------------------------------------- */

uint64_t shown_end(const struct document *d)
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
    return r->backing == BACKING_IMAGE || region_is_read_and_written(r) ? end : at;
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

void check_direct(struct document *d)
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
        return place_is_fixed(&row->place) ? place_size(&row->place) : 0;
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
    for (uint32_t i = 0; found == NULL && i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];
        bool for_this = row->use == PHYSICAL_KERNEL || row->use == PHYSICAL_POOL;

        if (for_this && place_is_fixed(&row->place) && *shown_instead(d, &row->place) != '\0')
            return shown_instead(d, &row->place);
    }
    if (found == NULL)
        return "";
    return source_print(d->source, "; %s has addresses, the use `%s` and %s (line %u)", found->place.name,
                        word_of(use_words, found->use)->text, size_text(d->source, place_size(&found->place)),
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

/* For the message: what shows memory as far as that. */
static const char *what_ends_there(const struct document *d, uint64_t below)
{
    const struct region *direct = d->purpose[PURPOSE_DIRECT];

    if (direct != NULL)
        return source_print(d->source, ", where direct ends (line %u)", direct->place.line);
    for (uint32_t i = 0; i < d->boot_map_count; i++)
        if (d->boot_maps[i].keep && d->boot_maps[i].physical + d->boot_maps[i].size == below)
            return source_print(d->source, ", where a boot mapping ends (line %u)", d->boot_maps[i].line);
    return "";
}

void check_shown(struct document *d)
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
                 "no region `records`, and memory has addresses of its own only below 0x%08" PRIX64 "%s; expected one "
                 "of 8 MiB, or a region `direct` that reaches 0x%08" PRIX64,
                 below, what_ends_there(d, below), d->image->place.start.at + RECORDS_SHOWN);
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
void check_rows(struct document *d)
{
    uint64_t pool = 0;
    uint32_t line = 0;

    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];
        uint64_t start = row->place.start.at, end = row->place.end.floats ? start + PAGE : row->place.end.at;

        if (row->use == PHYSICAL_POOL && line == 0)
            line = row->place.line;
        if (row->use == PHYSICAL_POOL)
            pool += row->place.start.floats || row->place.end.floats ? POOL_LEAST : place_size(&row->place);
        else if (row->use != PHYSICAL_HARDWARE && row->use != PHYSICAL_KERNEL && !row->place.start.floats &&
                 start < LEGACY_END && LEGACY_START < end)
            complain(d->source, row->place.line,
                     "%s has the use `%s`, which needs RAM, and reaches into 0x%08" PRIX64 " to 0x%08" PRIX64
                     ", where every PC has video memory and ROMs",
                     row->place.name, word_of(use_words, row->use)->text, LEGACY_START, LEGACY_END - 1);
    }
    if (line == 0)
        complain(d->source, 0,
                 "no row of physical memory has the use `pool`; expected one, or there is nothing to hand out%s",
                 largest_other(d));
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

        if (region_shows(d, r, start, end) &&
            (r->physical.floats || (r->place.start.at - r->physical.at) % SPACE_END == d->kernel_offset % SPACE_END))
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

void check_structure_rows(struct document *d)
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
