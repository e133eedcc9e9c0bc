/* check_regions.c - each region's name, rights, backing and guard. See check.h. */
#include "check.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

/* What backs a region with a known name; PLAIN regions may have any backing but these names'. */
static const enum backing backing_of[PURPOSE_COUNT] = {
    [PURPOSE_USER] = BACKING_USER,      [PURPOSE_BOOT] = BACKING_IMAGE,  [PURPOSE_TEXT] = BACKING_IMAGE,
    [PURPOSE_RODATA] = BACKING_IMAGE,   [PURPOSE_DATA] = BACKING_IMAGE,  [PURPOSE_ORIGINAL] = BACKING_IMAGE,
    [PURPOSE_STACK] = BACKING_IMAGE,    [PURPOSE_SHARED] = BACKING_IMAGE, [PURPOSE_DIRECT] = BACKING_FIXED,
    [PURPOSE_RECORDS] = BACKING_DEMAND, [PURPOSE_HEAP] = BACKING_DEMAND, [PURPOSE_DEVICES] = BACKING_DEVICE,
    [PURPOSE_STACKS] = BACKING_DEMAND,  [PURPOSE_SLOTS] = BACKING_SLOTS, [PURPOSE_TABLES] = BACKING_TABLES,
    [PURPOSE_BOOKKEEPING] = BACKING_WINDOW,
    [PURPOSE_TRACKERS] = BACKING_DEMAND, [PURPOSE_OBJECTS] = BACKING_OBJECTS,
};

/* Sections follow each other in the image, so the purposes do too. */
static enum purpose purpose_of(enum section section)
{
    return (enum purpose)(PURPOSE_BOOT + (int)section);
}

static const char *backing_text(enum backing backing)
{
    return word_of(backing_words, backing)->text;
}

/* Where a backing serves one purpose only, its region has that purpose's name. */
static enum purpose purpose_expected(const struct region *r)
{
    switch (r->backing) {
    case BACKING_IMAGE:  return purpose_of(r->section);
    case BACKING_USER:   return PURPOSE_USER;
    case BACKING_DEVICE: return PURPOSE_DEVICES;
    case BACKING_SLOTS:  return PURPOSE_SLOTS;
    case BACKING_TABLES: return PURPOSE_TABLES;
    case BACKING_WINDOW: return PURPOSE_BOOKKEEPING;
    case BACKING_OBJECTS: return PURPOSE_OBJECTS;
    default:             return PURPOSE_PLAIN;
    }
}

/* A region of a known name or backing counts as present even with errors: no second complaint that it is missing. */
static bool check_purpose(struct document *d, struct region *r)
{
    enum purpose expected = purpose_expected(r);

    if (r->purpose != PURPOSE_PLAIN)
        d->purpose[r->purpose] = r;
    if (r->place.broken)
        return false;
    if (r->purpose != PURPOSE_PLAIN && r->backing != backing_of[r->purpose]) {
        complain(d->source, r->place.line, "%s is backed by `%s`; a region of this name expects `%s`",
                 r->place.name, backing_text(r->backing), backing_text(backing_of[r->purpose]));
    } else if (expected != PURPOSE_PLAIN && expected != r->purpose) {
        d->purpose[expected] = r;
        complain(d->source, r->place.line, "%s is backed by `%s%s%s`; such a region is called `%s`",
                 r->place.name, backing_text(r->backing), r->backing == BACKING_IMAGE ? " " : "",
                 r->backing == BACKING_IMAGE ? word_of(section_words, r->section)->text : "",
                 word_of(purpose_words, expected)->text);
    } else {
        return true;
    }
    return false;
}

/* Programs decide about their own pages, so only their region may allow everything to users. */
static void check_rights(struct document *d, const struct region *r)
{
    unsigned writers = r->kernel | (r->backing == BACKING_USER ? 0 : r->user);
    struct source *s = d->source;

    if ((writers & MAY_WRITE) != 0 && (writers & MAY_EXECUTE) != 0)
        complain(s, r->place.line, "%s is writable and executable (kernel %s, user %s); expected at most one "
                 "of them", r->place.name, rights_text(r->kernel), rights_text(r->user));
    if (r->same_rights != (r->backing == BACKING_ALIAS))
        complain(s, r->place.line, r->same_rights ? "%s has the rights `same`, but is no alias" :
                 "%s is an alias; expected `same` as its rights", r->place.name);
    if (r->backing == BACKING_NONE && (r->kernel | r->user) != 0)
        complain(s, r->place.line,
                 "%s is backed by `none`, but has rights (kernel %s, user %s); expected ---", r->place.name,
                 rights_text(r->kernel), rights_text(r->user));
    if (r->backing != BACKING_NONE && r->backing != BACKING_ALIAS && (r->kernel | r->user) == 0)
        complain(s, r->place.line, "%s is backed by `%s`, but nobody has a right to it", r->place.name,
                 backing_text(r->backing));
    if (r->purpose == PURPOSE_TEXT && (r->kernel & MAY_EXECUTE) == 0)
        complain(s, r->place.line, "text has the rights %s; the kernel's code must be executable",
                 rights_text(r->kernel));
    if (r->purpose == PURPOSE_ORIGINAL && ((r->kernel | r->user) & (MAY_WRITE | MAY_EXECUTE)) != 0)
        complain(s, r->place.line, "original has the rights %s for the kernel and %s for programs; what every process "
                 "gets a copy of is only ever read", rights_text(r->kernel), rights_text(r->user));
    if ((r->purpose == PURPOSE_DATA || r->purpose == PURPOSE_HEAP || r->purpose == PURPOSE_STACKS ||
         r->purpose == PURPOSE_STACK || r->purpose == PURPOSE_SHARED || r->purpose == PURPOSE_TRACKERS ||
         r->purpose == PURPOSE_OBJECTS) &&
        (r->kernel & (MAY_READ | MAY_WRITE)) != (MAY_READ | MAY_WRITE))
        complain(s, r->place.line, "%s has the rights %s; the kernel must be able to read and write it",
                 r->place.name, rights_text(r->kernel));
}

static void check_pages(struct document *d, const struct region *r, const char *what, uint64_t bytes)
{
    if (bytes % PAGE != 0)
        complain(d->source, r->place.line, "%s has a %s of %s; expected whole pages of 4 KiB", r->place.name,
                 what, size_text(d->source, bytes));
    else if (!r->place.start.floats && !r->place.end.floats && bytes > r->place.end.at - r->place.start.at)
        complain(d->source, r->place.line, "%s has a %s of %s, more than its whole range of %s",
                 r->place.name, what, size_text(d->source, bytes),
                 size_text(d->source, r->place.end.at - r->place.start.at));
}

/* The kernel's first stack need not be whole pages, and the region `original` right below is its guard. */
static void check_first_stack(struct document *d, const struct region *r)
{
    enum { LEAST = 8192, WORDS = 16 };

    if (r->unit < LEAST || r->unit % WORDS != 0 || r->maximum > 0)
        complain(d->source, r->place.line,
                 "stack has a growth of %s; expected its size, such as `10 KiB each`: at least "
                 "%d bytes, a multiple of %d",
                 size_text(d->source, r->unit), LEAST, WORDS);
    if (r->guard > 0)
        complain(d->source, r->place.line, "stack has a guard of %s; what guards it is `original`, right below",
                 size_text(d->source, r->guard));
}

static void check_growth(struct document *d, const struct region *r)
{
    if (r->purpose == PURPOSE_STACK) {
        check_first_stack(d, r);
        return;
    }
    check_pages(d, r, "growth", r->unit);
    check_pages(d, r, "maximum", r->maximum);
    check_pages(d, r, "guard", r->guard);
    if (r->purpose != PURPOSE_STACKS) {
        if (r->guard > 0 && r->unit == 0)
            complain(d->source, r->place.line, "%s has a guard below each, but Growth does not say each what",
                     r->place.name);
        return;
    }
    if (r->unit == 0)
        complain(d->source, r->place.line,
                 "stacks does not say how big a stack is; expected a Growth such as "
                 "`8 KiB each`");
    if (r->guard == 0 && r->no_guard == NULL)
        complain(d->source, r->place.line, "stacks has no guard; expected `4 KiB below each`, or "
                 "`none: REASON` to do without");
}

static const struct region *region_named(const struct document *d, const char *name)
{
    for (uint32_t i = 0; i < d->region_count; i++)
        if (strcmp(d->regions[i].place.name, name) == 0)
            return &d->regions[i];
    return NULL;
}

/* An alias repeats directory entries, so its addresses and size are multiples of 4 MiB. */
static void check_alias(struct document *d, struct region *r)
{
    const struct place *p = &r->place;
    const struct region *of = region_named(d, r->alias);
    struct source *s = d->source;

    if (of == NULL || of == r || of->backing == BACKING_ALIAS || of->backing == BACKING_NONE) {
        complain(s, p->line, "%s is an alias of `%s`%s; expected another region that is neither alias nor hole",
                 p->name, r->alias, of == NULL || of == r ? "" : source_print(s, " (line %u)", of->place.line));
        return;
    }
    if (p->broken || of->place.broken)
        return;
    if (p->start.floats || p->end.floats || of->place.start.floats || p->start.at % TABLE != 0 ||
        p->end.at % TABLE != 0 || of->place.start.at % TABLE != 0)
        complain(s, p->line, "%s is an alias of %s (line %u), which repeats directory entries; expected the "
                 "start and end of %s and the start of %s at multiples of 4 MiB", p->name, r->alias,
                 of->place.line, p->name, r->alias);
    else if (of->place.start.at + (p->end.at - p->start.at) > SPACE_END)
        complain(s, p->line, "%s is longer than what is left from %s (line %u) on", p->name, r->alias,
                 of->place.line);
    r->aliased = of;
}

/* For the message: a region that may be meant, of the same backing, with a name that the kernel does not know. */
static const char *region_meant(const struct document *d, enum purpose purpose)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->purpose == PURPOSE_PLAIN && !r->place.broken && r->backing == backing_of[purpose])
            return source_print(d->source, "; %s (line %u) is backed by `%s`, and the kernel does not know its name",
                                r->place.name, r->place.line, backing_text(r->backing));
    }
    return "";
}

static void check_required(struct document *d)
{
    static const enum purpose required[] = {
        PURPOSE_USER, PURPOSE_TEXT, PURPOSE_RODATA, PURPOSE_DATA, PURPOSE_HEAP, PURPOSE_DEVICES,
        PURPOSE_STACKS, PURPOSE_SLOTS,
    };

    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
        if (d->purpose[required[i]] == NULL)
            complain(d->source, 0, "no region `%s` in virtual memory; expected one%s",
                     word_of(purpose_words, required[i])->text, region_meant(d, required[i]));
}

/* Programs may have the kernel's code and constants too, with the kernel's own rights. */
static bool may_be_shared(const struct region *r)
{
    return (r->purpose == PURPOSE_TEXT || r->purpose == PURPOSE_RODATA) && (r->user & ~r->kernel) == 0;
}

/* A directory entry belongs to programs or to the kernel; one of programs may have holes. */
static bool shares_entry(const struct document *d, const struct region *r, const struct region *user)
{
    uint64_t first = user->place.start.at / TABLE * TABLE, end = (user->place.end.at + TABLE - 1) / TABLE * TABLE;

    return r != user && r->backing != BACKING_NONE && region_base(d, r) < end && first < region_limit(d, r);
}

/* Only kernel space has such regions. */
static void check_scope(struct document *d, uint32_t index)
{
    const struct region *r = &d->regions[index];
    bool own = index >= d->common_count;

    if (r->backing != BACKING_NONE && own != (r->scope == SCOPE_KERNEL))
        complain(d->source, r->place.line, own ? "%s is a region of kernel space alone; expected the scope `kernel`"
                 : "%s has the scope `kernel`; such regions stand under `## Kernel space`", r->place.name);
    if (own && (r->backing == BACKING_USER || r->backing == BACKING_IMAGE || r->backing == BACKING_ALIAS))
        complain(d->source, r->place.line, "%s is backed by `%s`; every space has such a region, or none",
                 r->place.name, backing_text(r->backing));
}

/* A process's own regions are whole directory entries: its memory, the view of its tables, its stacks. */
static void check_of_process(struct document *d, const struct region *r)
{
    const struct place *p = &r->place;

    if (r->scope != SCOPE_PROCESS || r->backing == BACKING_USER || r->backing == BACKING_TABLES)
        return;
    if (r != d->purpose[PURPOSE_STACKS])
        complain(d->source, p->line, "%s has the scope `process`; expected that of user, stacks and tables alone",
                 p->name);
    else if (!p->broken && (p->start.floats || p->end.floats || p->start.at % TABLE != 0 || p->end.at % TABLE != 0))
        complain(d->source, p->line,
                 "stacks of the scope `process` have directory entries of their own; expected start and end "
                 "at multiples of 4 MiB");
}

static void check_user(struct document *d)
{
    const struct region *user = d->purpose[PURPOSE_USER];

    if (user == NULL || user->place.broken)
        return;
    if (user->place.start.floats) {             /* an end that floats is refused with its row */
        complain(d->source, user->place.line, "user has a floating border; expected addresses");
        return;
    }
    for (uint32_t i = 0; i < d->common_count; i++)
        if (!d->regions[i].place.broken && shares_entry(d, &d->regions[i], user))
            complain(d->source, d->regions[i].place.line, "%s, a region of the kernel, and user space (line %u) have "
                     "a directory entry (4 MiB) in common; expected a border at a multiple of 4 MiB, or `none` as "
                     "its backing", d->regions[i].place.name, user->place.line);
    for (uint32_t i = 0; i < d->region_count; i++)
        if (&d->regions[i] != user && d->regions[i].user != 0 && !may_be_shared(&d->regions[i]))
            complain(d->source, d->regions[i].place.line, "%s, a region of the kernel, has user rights %s; "
                     "expected ---", d->regions[i].place.name, rights_text(d->regions[i].user));
}

/* In layout.h a region's numbers, a physical row's and a structure's stand beside each other, told apart by name. */
static void check_name(struct document *d, const struct region *r)
{
    static const char physical[] = "physical-";

    if (word_find(structure_words, r->place.name) != NULL)
        complain(d->source, r->place.line, "a region with the name %s; expected another: that is a structure of the "
                 "processor's", r->place.name);
    if (strncmp(r->place.name, physical, sizeof(physical) - 1) == 0)
        complain(d->source, r->place.line, "a region with the name %s; expected another: so begin the names that rows "
                 "of physical memory have in layout.h", r->place.name);
}

void check_regions(struct document *d)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        struct region *r = &d->regions[i];

        if (!r->place.broken)
            check_name(d, r);
        if (!check_purpose(d, r))
            continue;
        check_rights(d, r);
        check_scope(d, i);
        check_of_process(d, r);
        check_growth(d, r);
        if (r->backing == BACKING_ALIAS)
            check_alias(d, r);
    }
    check_required(d);
    check_user(d);
}
