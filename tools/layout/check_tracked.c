/*
 * check_tracked.c - what a document needs whose page tables are tracked objects. See check.h.
 *
 * Kernel space's own tables, the master table, lie in a row of physical memory of exactly their size, at the same
 * virtual address. The tables of processes lie in the region `objects`, and records of their places in the
 * region `trackers`: eight bytes for each object, and a pointer for each two pages of `objects`, in whole pages.
 */
#include "check.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>

enum { TRACKERS_A_PAGE = 512, POINTERS_A_PAGE = 1024, PAGES_A_PLACE = 2 };

#define MASTER (TABLE + PAGE)           /* a directory and its 1024 tables */

static uint64_t size_of(const struct place *p) { return p->end.at - p->start.at; }

static uint64_t divide_up(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/* Regions that only this access needs are refused without it. */
static void refuse_without(struct document *d, const char *name, uint32_t line)
{
    complain(d->source, d->policy_line[POLICY_ACCESS], "table access is `%s`, but there is %s (line %u); expected "
             "`tracked`", word_of(access_words, d->policy.access)->text, name, line);
}

static bool has_all(struct document *d)
{
    const char *missing = d->master == NULL ? "row of physical memory with the use `master`" :
                          d->purpose[PURPOSE_TRACKERS] == NULL ? "region `trackers`" :
                          d->purpose[PURPOSE_OBJECTS] == NULL ? "region `objects`" : NULL;

    if (missing != NULL)
        complain(d->source, d->policy_line[POLICY_ACCESS], "table access is `tracked`, but there is no %s", missing);
    return missing == NULL;
}

/* Some region shows the row at its own address, so that an entry's address follows from its page alone. */
static bool is_shown_in_place(const struct document *d, const struct place *row)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->backing == BACKING_FIXED && place_is_fixed(&r->place) && !r->physical.floats &&
            r->physical.at == r->place.start.at && (r->kernel & MAY_WRITE) != 0 &&
            r->place.start.at <= row->start.at && row->end.at <= r->place.end.at)
            return true;
    }
    return false;
}

static bool is_mapped_at_boot(const struct document *d, const struct place *row)
{
    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];

        if (!m->broken && m->keep && m->virtual == m->physical && m->virtual <= row->start.at &&
            row->end.at <= m->virtual + m->size)
            return true;
    }
    return false;
}

/* For the message: the region that lies there instead. */
static const char *at_its_address(const struct document *d, const struct place *row)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct place *p = &d->regions[i].place;

        if (place_is_fixed(p) && p->start.at < row->end.at && row->start.at < p->end.at)
            return source_print(d->source, "; %s is there (line %u)", p->name, p->line);
    }
    return "";
}

static void check_master(struct document *d)
{
    const struct region *boot = d->purpose[d->boot != NULL ? PURPOSE_TEXT : PURPOSE_BOOT];
    const struct place *row = &d->master->place;
    struct source *s = d->source;

    if (!place_is_fixed(row))
        return;
    if (size_of(row) != MASTER)
        complain(s, row->line, "%s has %s; expected %s, a directory and 1024 tables", row->name,
                 size_text(s, size_of(row)), size_text(s, MASTER));
    else if (!is_shown_in_place(d, row))
        complain(s, row->line, "no writable region backed by `physical` shows %s at its own address; the entry of a "
                 "page could not be found%s", row->name, at_its_address(d, row));
    else if (!is_mapped_at_boot(d, row))
        complain(s, row->line, "no boot mapping that is kept shows %s at its own address; it could not be filled",
                 row->name);
    if (d->image != NULL && d->kernel_offset != 0)
        complain(s, d->image->place.line, "the image is linked %s where it lies%s; expected the same address, because "
                 "table access is `tracked` (line %u) and the master table is identity",
                 distance_words(s, d->kernel_offset),
                 boot == NULL ? "" : source_print(s, " (%s, line %u)", boot->place.name, boot->place.line),
                 d->policy_line[POLICY_ACCESS]);
}

static void check_objects(struct document *d)
{
    const struct place *objects = &d->purpose[PURPOSE_OBJECTS]->place, *trackers = &d->purpose[PURPOSE_TRACKERS]->place;
    const struct region *user = d->purpose[PURPOSE_USER], *stacks = d->purpose[PURPOSE_STACKS];
    struct source *s = d->source;
    uint64_t places, needed;

    if (!place_is_fixed(objects) || !place_is_fixed(trackers) || user == NULL || !place_is_fixed(&user->place))
        return;
    places = size_of(objects) / PAGE / PAGES_A_PLACE;
    needed = (divide_up(places + 1, TRACKERS_A_PAGE) + divide_up(places, POINTERS_A_PAGE)) * PAGE;
    if (size_of(trackers) < needed)
        complain(s, trackers->line, "trackers has %s; expected at least %s for the objects that fit in %s (line %u)",
                 size_text(s, size_of(trackers)), size_text(s, needed), size_text(s, size_of(objects)), objects->line);
    needed = 2 * (1 + divide_up(size_of(&user->place), TABLE)) * PAGE;
    if (size_of(objects) < needed)
        complain(s, objects->line, "objects has %s; expected at least %s, two of the largest object that user (line "
                 "%u) can need: one is moved while the other is there", size_text(s, size_of(objects)),
                 size_text(s, needed), user->place.line);
    if (user->place.start.at % TABLE != 0)
        complain(s, user->place.line, "user starts at 0x%08" PRIX64 "; expected a multiple of 4 MiB, because table "
                 "access is `tracked` and a process's first table begins there", user->place.start.at);
    if (stacks != NULL && stacks->scope == SCOPE_PROCESS)
        complain(s, stacks->place.line, "stacks has the scope `process`, but table access is `tracked` (line %u), and "
                 "an object has tables of user alone; expected `all`", d->policy_line[POLICY_ACCESS]);
}

void check_tracked(struct document *d)
{
    const struct region *trackers = d->purpose[PURPOSE_TRACKERS], *objects = d->purpose[PURPOSE_OBJECTS];

    find_physical(d, PHYSICAL_MASTER, &d->master);
    if (d->policy_line[POLICY_ACCESS] == 0)
        return;
    if (d->policy.access != ACCESS_TRACKED) {
        if (d->master != NULL)
            refuse_without(d, "a row of physical memory with the use `master`", d->master->place.line);
        else if (trackers != NULL || objects != NULL)
            refuse_without(d, trackers != NULL ? "a region trackers" : "a region objects",
                           (trackers != NULL ? trackers : objects)->place.line);
    } else if (d->purpose[PURPOSE_TABLES] == NULL && has_all(d)) {
        check_master(d);
        check_objects(d);
    }
}
