/* check_ranges.c - rows meet, cover all addresses, and have right sizes. See check.h. */
#include "check.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

const char *border_text(struct source *s, struct border b)
{
    if (b.floats)
        return source_print(s, "the end of %s", word_of(section_words, b.after)->text);
    return source_print(s, "0x%08" PRIX64, b.at);
}

/* An inclusive end, as documents write it. */
static const char *last_text(struct source *s, struct border b)
{
    return b.floats ? border_text(s, b) : source_print(s, "0x%08" PRIX64, b.at - 1);
}

static bool border_same(struct border a, struct border b)
{
    return a.floats == b.floats && (a.floats ? a.after == b.after : a.at == b.at);
}

static bool place_floats(const struct place *p)
{
    return p->start.floats || p->end.floats;
}

static void check_size(struct source *s, const struct place *p)
{
    if (place_floats(p)) {
        if (!p->size_floats)
            complain(s, p->line, "%s has a floating border, but its Size is %s; expected `floats`", p->name,
                     size_text(s, p->size));
    } else if (p->size_floats) {
        complain(s, p->line, "%s says its size floats, but both borders are fixed; expected %s", p->name,
                 size_text(s, p->end.at - p->start.at));
    } else if (p->size != p->end.at - p->start.at) {
        complain(s, p->line, "%s says %s, but 0x%08" PRIX64 " to 0x%08" PRIX64 " is %s", p->name,
                 size_text(s, p->size), p->start.at, p->end.at - 1, size_text(s, p->end.at - p->start.at));
    }
}

/* Check one row: start before end, whole pages, its size. False when it cannot be compared with others. */
static bool check_place(struct source *s, const struct place *p, uint64_t unit)
{
    if (p->broken)
        return false;
    if (!place_floats(p) && p->end.at <= p->start.at) {
        complain(s, p->line, "%s ends at %s, before it starts at %s", p->name, last_text(s, p->end),
                 border_text(s, p->start));
        return false;
    }
    if (!p->start.floats && p->start.at % unit != 0) {
        complain(s, p->line, "%s starts at 0x%08" PRIX64 ", inside a page; expected 0x%08" PRIX64 " or 0x%08"
                 PRIX64, p->name, p->start.at, p->start.at & ~(unit - 1), (p->start.at | (unit - 1)) + 1);
        return false;
    }
    if (!p->end.floats && p->end.at % unit != 0) {
        complain(s, p->line, "%s ends at 0x%08" PRIX64 ", inside a page; expected 0x%08" PRIX64, p->name,
                 p->end.at - 1, p->end.at | (unit - 1));
        return false;
    }
    check_size(s, p);
    return true;
}

static void check_meeting(struct source *s, const struct place *low, const struct place *high)
{
    if (border_same(low->end, high->start))
        return;
    if (low->end.floats || high->start.floats)
        complain(s, high->line, "%s starts at %s, but %s (line %u) ends at %s; they must meet", high->name,
                 border_text(s, high->start), low->name, low->line, last_text(s, low->end));
    else if (high->start.at < low->end.at)
        complain(s, high->line, "%s starts at 0x%08" PRIX64 ", but %s (line %u) ends at 0x%08" PRIX64
                 ": they overlap by %s", high->name, high->start.at, low->name, low->line, low->end.at - 1,
                 size_text(s, low->end.at - high->start.at));
    else
        complain(s, high->line, "%s starts at 0x%08" PRIX64 ", but %s (line %u) ends at 0x%08" PRIX64
                 ": a gap of %s; expected them to meet", high->name, high->start.at, low->name, low->line,
                 low->end.at - 1, size_text(s, high->start.at - low->end.at));
}

static void check_names(struct source *s, struct place *const *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(places[i]->name, places[k]->name) == 0) {
                complain(s, places[i]->line, "the name %s a second time; the first is at line %u",
                         places[i]->name, places[k]->line);
                break;
            }
}

/* The sections of the image have one order; the fixed borders around them rise. */
static void check_floating(struct source *s, struct place *const *places, uint32_t count)
{
    const struct place *fixed = NULL, *floating = NULL;

    for (uint32_t i = 0; i < count; i++) {
        struct border end = places[i]->end;

        if (places[i]->broken)
            continue;
        if (!places[i]->start.floats)
            fixed = places[i];
        if (end.floats && floating != NULL && floating->end.after >= end.after)
            complain(s, places[i]->line,
                     "%s ends at %s, after %s (line %u) ended at %s; expected the order "
                     "boot, text, rodata, data, original, stack, shared",
                     places[i]->name, border_text(s, end), floating->name, floating->line,
                     border_text(s, floating->end));
        if (end.floats)
            floating = places[i];
        if (!end.floats && places[i]->start.floats && fixed != NULL && end.at <= fixed->start.at)
            complain(s, places[i]->line, "%s ends at %s, before %s (line %u) starts at %s", places[i]->name,
                     last_text(s, end), fixed->name, fixed->line, border_text(s, fixed->start));
    }
}

/* Rows in the wrong order get one complaint, not one about each border. */
static bool check_order(struct source *s, struct place *const *places, uint32_t count)
{
    const struct place *low = NULL;

    for (uint32_t i = 0; i < count; i++) {
        const struct place *p = places[i];

        if (p->broken || place_floats(p) || p->end.at <= p->start.at)
            continue;
        if (low != NULL && p->end.at <= low->start.at) {
            complain(s, p->line, "%s lies below %s (line %u); expected the rows by rising address", p->name,
                     low->name, low->line);
            return false;
        }
        low = p;
    }
    return true;
}

/* Every byte from `start` to `end` is in exactly one row. */
static void check_cover(struct document *d, const char *what, const char *why, struct place *const *places,
                        uint32_t count, uint64_t start, uint64_t end)
{
    struct source *s = d->source;
    const struct place *low = NULL;
    bool whole = true;

    if (count == 0 || !check_order(s, places, count))
        return;
    if (!places[0]->broken && (places[0]->start.floats || places[0]->start.at != start))
        complain(s, places[0]->line, "%s starts at %s; the first row of %s starts at 0x%08" PRIX64 "%s",
                 places[0]->name, border_text(s, places[0]->start), what, start, why);
    for (uint32_t i = 0; i < count; i++) {
        bool good = check_place(s, places[i], PAGE);

        if (good && low != NULL)
            check_meeting(s, low, places[i]);
        low = good ? places[i] : NULL;
        whole = whole && good;
    }
    if (low != NULL && (low->end.floats || low->end.at != end))
        complain(s, low->line, "%s ends at %s; the last row of %s ends at 0x%08" PRIX64 "%s", low->name,
                 last_text(s, low->end), what, end - 1, why);
    if (whole)
        check_floating(s, places, count);
}

void check_physical_ranges(struct document *d)
{
    struct place **places = source_keep(d->source, (d->physical_count + 1) * sizeof(*places));

    for (uint32_t i = 0; i < d->physical_count; i++) {
        places[i] = &d->physical[i].place;
        if (places[i]->end.floats && (places[i]->end.after != d->last ||
                                      d->physical[i].use != PHYSICAL_IMAGE)) {
            complain(d->source, places[i]->line,
                     "%s ends at %s; in physical memory only the row whose Use is "
                     "`image` may float, and it ends at the `end of image`",
                     places[i]->name, border_text(d->source, places[i]->end));
            places[i]->broken = true;
        }
    }
    check_cover(d, "physical memory", "", places, d->physical_count, 0, SPACE_END);
    check_names(d->source, places, d->physical_count);
}

/* The regions of kernel space in the part of programs cover exactly that part. */
static void check_own_cover(struct document *d, struct place *const *places)
{
    const struct place *user = NULL;

    for (uint32_t i = 0; i < d->common_count; i++)
        if (d->regions[i].purpose == PURPOSE_USER)
            user = &d->regions[i].place;
    if (user != NULL && !user->broken && !place_floats(user))
        check_cover(d, "kernel space", source_print(d->source, ", as user (line %u) does", user->line), places,
                    d->region_count - d->common_count, user->start.at, user->end.at);
}

void check_region_ranges(struct document *d)
{
    struct place **places = source_keep(d->source, (d->region_count + 1) * sizeof(*places));

    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        places[i] = &d->regions[i].place;
        if (!r->place.broken && r->place.end.floats &&
            (r->backing != BACKING_IMAGE || r->section != r->place.end.after)) {
            complain(d->source, r->place.line, "%s ends at %s; only the row backed by `image %s` does",
                     r->place.name, border_text(d->source, r->place.end),
                     word_of(section_words, r->place.end.after)->text);
            places[i]->broken = true;
        }
    }
    check_cover(d, "virtual memory", "", places, d->common_count, 0, SPACE_END);
    check_own_cover(d, places + d->common_count);
    check_names(d->source, places, d->region_count);
}

/* Structures lie anywhere in the kernel's physical rows, but not in each other. */
void check_structure_ranges(struct document *d)
{
    struct place **places = source_keep(d->source, (d->structure_count + 1) * sizeof(*places));

    for (uint32_t i = 0; i < d->structure_count; i++) {
        struct place *place = places[i] = &d->structures[i].place;

        if (!place->broken && place_floats(place)) {
            complain(d->source, place->line, "%s has a floating border; expected an address", place->name);
            place->broken = true;
        }
        if (!check_place(d->source, place, 1)) {
            place->broken = true;
            continue;
        }
        for (uint32_t k = 0; k < i; k++)
            if (!places[k]->broken && place->start.at < places[k]->end.at &&
                places[k]->start.at < place->end.at)
                complain(d->source, place->line, "%s overlaps %s (line %u)", place->name, places[k]->name,
                         places[k]->line);
    }
    check_names(d->source, places, d->structure_count);
}
