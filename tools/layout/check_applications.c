/* check_applications.c - the memory of built-in applications. See check.h. */
#include "check.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>

static const char *part_text(enum part_of which) { return word_of(part_words, which)->text; }

/* Check each area of an application: the pages mapped at first, its room, and its rights. */
static void check_part(struct document *d, const struct part *p)
{
    unsigned rights = p->which == PART_GUARD ? 0 : MAY_READ | MAY_WRITE;
    const char *name = part_text(p->which);
    struct source *s = d->source;

    if (p->floats != (p->which == PART_SHARED))
        complain(s, p->line, p->floats ? "%s floats; only shared is as long as the linker makes it" :
                 "%s has a size of its own; it floats, as long as the linker makes it", name);
    if (p->user != rights)
        complain(s, p->line, "%s has the rights %s; expected %s", name, rights_text(p->user), rights_text(rights));
    if (p->floats)
        return;
    if (p->first % PAGE != 0 || p->size % PAGE != 0)
        complain(s, p->line, "%s has %s at first, %s in all; expected whole pages", name, size_text(s, p->first),
                 size_text(s, p->size));
    else if (p->first > p->size)
        complain(s, p->line, "%s has %s at first, more than all of its %s", name, size_text(s, p->first),
                 size_text(s, p->size));
    if (p->which == PART_GUARD && (p->first != 0 || p->size == 0))
        complain(s, p->line, "guard has %s at first, %s in all; expected at least a page that is never mapped",
                 size_text(s, p->first), size_text(s, p->size));
    if (p->which == PART_STACK && p->first == 0)
        complain(s, p->line, "stack has nothing at first; an application could not even begin");
}

void check_applications(struct document *d)
{
    const struct region *user = d->purpose[PURPOSE_USER], *original = d->purpose[PURPOSE_ORIGINAL];
    struct source *s = d->source;
    const struct part *most = d->parts;
    uint64_t sum = 0;

    if (d->part_count == 0)
        return;
    for (uint32_t i = 0; i < d->part_count; i++) {
        const struct part *p = &d->parts[i];

        if (p->broken)
            return;
        if (i >= PART_COUNT || p->which != (enum part_of)i) {
            complain(s, p->line, "%s is row %" PRIu32 " of an application; expected heap, guard, stack, shared in this "
                     "order", part_text(p->which), i + 1);
            return;
        }
        check_part(d, p);
        sum += p->size;
        if (p->size > most->size)
            most = p;
    }
    if (d->part_count < PART_COUNT)
        complain(s, d->parts[d->part_count - 1].line,
                 "no row `%s` of an application; expected heap, guard, stack, shared",
                 part_text((enum part_of)d->part_count));
    if (d->policy_line[POLICY_START] != 0)
        complain(s, d->policy_line[POLICY_START],
                 "a start address for flat programs, and applications (line %u); the console "
                 "starts one kind",
                 d->parts[0].line);
    if (original == NULL)
        complain(s, d->parts[0].line,
                 "applications have copies of shared variables, but there is no region `original`");
    if (user != NULL && !user->place.broken && sum > user->place.end.at - user->place.start.at)
        complain(s, most->line, "an application takes %s, more than user (line %u) has", size_text(s, sum),
                 user->place.line);
}
