/* compare.c - two documents side by side. See compare.h. */
#include "compare.h"
#include "drawing.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

enum { SIDE = 64, FURTHER_IN = 28 };        /* characters of a column; where its third part begins */

/* ---- Rows ------------------------------------------------------------------------------ */

static bool borders_differ(struct border a, struct border b)
{
    return a.floats != b.floats || (a.floats ? a.after != b.after : a.at != b.at);
}

/* Of physical memory: where such a border floats it is the image's end, whatever section that has last. */
static bool physical_borders_differ(struct border a, struct border b)
{
    return a.floats != b.floats || (!a.floats && a.at != b.at);
}

static bool places_differ(const struct place *a, const struct place *b)
{
    return strcmp(a->name, b->name) != 0 || borders_differ(a->start, b->start) || borders_differ(a->end, b->end);
}

/* The row of another document that is this one; NULL: there is none. */
static const struct region *region_in(const struct document *other, const struct region *r)
{
    if (r->purpose != PURPOSE_PLAIN)
        return other->purpose[r->purpose];
    for (uint32_t i = 0; i < other->region_count; i++)
        if (strcmp(other->regions[i].place.name, r->place.name) == 0)
            return &other->regions[i];
    return NULL;
}

static const struct physical *physical_in(const struct document *other, const struct physical *p)
{
    for (uint32_t i = 0; i < other->physical_count; i++)
        if (strcmp(other->physical[i].place.name, p->place.name) == 0)
            return &other->physical[i];
    return NULL;
}

static bool texts_differ(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

bool region_differs(const struct document *other, const struct region *r)
{
    const struct region *o = region_in(other, r);

    return o == NULL || places_differ(&r->place, &o->place) || r->kernel != o->kernel || r->user != o->user ||
           r->scope != o->scope || r->backing != o->backing ||
           (r->backing == BACKING_FIXED && physical_borders_differ(r->physical, o->physical)) ||
           (r->backing == BACKING_ALIAS && texts_differ(r->alias, o->alias)) || r->unit != o->unit ||
           r->maximum != o->maximum || r->guard != o->guard;
}

bool physical_differs(const struct document *other, const struct physical *p)
{
    const struct physical *o = physical_in(other, p);

    return o == NULL || physical_borders_differ(p->place.start, o->place.start) ||
           physical_borders_differ(p->place.end, o->place.end) || p->use != o->use;
}

bool policy_differs(const struct document *other, const struct document *d, enum policy_key key)
{
    return strcmp(policy_choice(other, key), policy_choice(d, key)) != 0;
}

/* ---- Words for a row --------------------------------------------------------------------- */

static const char *border_words(struct source *s, struct border b)
{
    if (b.floats)
        return source_print(s, "end of %s", word_of(section_words, b.after)->text);
    return b.at == SPACE_END ? "4 GiB" : source_print(s, "0x%08" PRIX64, b.at);
}

/* In physical memory a floating border is the image's end. */
static const char *physical_border_words(struct source *s, struct border b)
{
    return b.floats ? "end of image" : border_words(s, b);
}

/* The size; where that floats and the end does not, the end. */
static const char *extent_words(struct source *s, const struct place *p)
{
    if (!p->start.floats || p->end.floats)
        return p->size_words;
    return source_print(s, "to 0x%08" PRIX64, p->end.at - 1);
}

static const char *region_words(struct source *s, const struct region *r)
{
    const char *words;

    if (r == NULL)
        return "";
    words = source_print(s, "%-15s %-11s %s", border_words(s, r->place.start), r->place.name,
                         extent_words(s, &r->place));
    if (r->backing == BACKING_ALIAS)
        return source_print(s, "%s, alias of %s", words, r->alias);
    if (r->backing != BACKING_NONE)
        words = source_print(s, "%s %s", words, rights_text(r->kernel));
    if (r->user != 0)
        words = source_print(s, "%s/%s", words, rights_text(r->user));
    words = source_print(s, "%s %s", words, word_of(backing_words, r->backing)->text);
    if (r->backing == BACKING_FIXED)
        words = source_print(s, "%s %s", words, physical_border_words(s, r->physical));
    if (r->unit > 0)
        words = source_print(s, r->each ? "%s, %s each" : "%s, by %s", words, size_text(s, r->unit));
    if (r->maximum > 0)
        words = source_print(s, "%s, at most %s", words, size_text(s, r->maximum));
    if (r->guard > 0)
        words = source_print(s, "%s, guard %s", words, size_text(s, r->guard));
    if (r->scope == SCOPE_PROCESS && r->backing == BACKING_DEMAND)
        words = source_print(s, "%s, of each process", words);
    if (r->scope == SCOPE_KERNEL)
        words = source_print(s, "%s, in kernel space", words);
    return words;
}

static const char *physical_words(struct source *s, const struct physical *p)
{
    if (p == NULL)
        return "";
    return source_print(s, "%-15s %-11s %s, %s", physical_border_words(s, p->place.start), p->place.name,
                        extent_words(s, &p->place), word_of(use_words, p->use)->text);
}

/* A text that is too long for its column goes on in the next line, further in, and without a second mark. */
static void side_by_side(FILE *out, const char *left, const char *right, bool differs)
{
    char mark = differs ? '*' : ' ';
    int  in   = 0;

    do {
        int a = line_length(left, SIDE - in), b = line_length(right, SIDE - in);

        fprintf(out, "%c %*s%-*.*s | %*s%.*s\n", mark, in, "", SIDE - in, a, left, b > 0 ? in : 0, "", b, right);
        left += a + (int)strspn(left + a, " ");
        right += b + (int)strspn(right + b, " ");
        mark = ' ';
        in   = FURTHER_IN;
    } while (*left != '\0' || *right != '\0');
}

/* ---- Tables -------------------------------------------------------------------------------- */

/* Rows of the first from the highest address down, each beside the other's; then the rows that only the other has. */
static unsigned compare_regions(const struct document *a, const struct document *b, FILE *out)
{
    unsigned count = 0;

    for (uint32_t i = a->region_count; i-- > 0;) {
        const struct region *r = &a->regions[i];
        bool differs = region_differs(b, r);

        count += differs;
        side_by_side(out, region_words(a->source, r), region_words(b->source, region_in(b, r)), differs);
    }
    for (uint32_t i = b->region_count; i-- > 0;)
        if (region_in(a, &b->regions[i]) == NULL) {
            count++;
            side_by_side(out, "", region_words(b->source, &b->regions[i]), true);
        }
    return count;
}

static unsigned compare_physical(const struct document *a, const struct document *b, FILE *out)
{
    unsigned count = 0;

    for (uint32_t i = a->physical_count; i-- > 0;) {
        const struct physical *p = &a->physical[i];
        bool differs = physical_differs(b, p);

        count += differs;
        side_by_side(out, physical_words(a->source, p), physical_words(b->source, physical_in(b, p)), differs);
    }
    for (uint32_t i = b->physical_count; i-- > 0;)
        if (physical_in(a, &b->physical[i]) == NULL) {
            count++;
            side_by_side(out, "", physical_words(b->source, &b->physical[i]), true);
        }
    return count;
}

const char *policy_choice(const struct document *d, enum policy_key key)
{
    const struct policies *p = &d->policy;

    if (d->policy_line[key] == 0)
        return "-";
    switch (key) {
    case POLICY_POLARITY:   return word_of(polarity_words, p->polarity)->text;
    case POLICY_BITMAP:     return word_of(bitmap_words, p->bitmap_at)->text;
    case POLICY_UNLISTED:   return word_of(unlisted_words, p->unlisted)->text;
    case POLICY_SEARCH:     return word_of(search_words, p->search)->text;
    case POLICY_ZEROING:    return word_of(zeroing_words, p->zeroing)->text;
    case POLICY_EXHAUSTION: return word_of(exhaustion_words, p->exhaustion)->text;
    case POLICY_MAGAZINE:   return source_print(d->source, "%" PRIu64, p->magazine);
    case POLICY_ACCESS:     return word_of(access_words, p->access)->text;
    case POLICY_START:      return source_print(d->source, "0x%08" PRIX64, p->start);
    case POLICY_COUNT:      break;
    }
    return "-";
}

static unsigned compare_policies(const struct document *a, const struct document *b, FILE *out)
{
    unsigned count = 0;

    for (int key = 0; key < POLICY_COUNT; key++) {
        const char *name = word_of(policy_words, key)->text;
        const char *left = policy_choice(a, (enum policy_key)key), *right = policy_choice(b, (enum policy_key)key);
        bool differs = strcmp(left, right) != 0;

        count += differs;
        side_by_side(out, source_print(a->source, "%-24s %s", name, left),
                     source_print(b->source, "%-24s %s", name, right), differs);
    }
    return count;
}

static const char *map_words(const struct document *d, uint32_t i)
{
    const struct boot_map *m = &d->boot_maps[i];

    if (i >= d->boot_map_count)
        return "";
    return source_print(d->source, "0x%08" PRIX64 " shows 0x%08" PRIX64 ", %s%s", m->virtual, m->physical,
                        size_text(d->source, m->size), m->keep ? ", kept" : "");
}

static unsigned compare_boot_maps(const struct document *a, const struct document *b, FILE *out)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < a->boot_map_count || i < b->boot_map_count; i++) {
        const char *left = map_words(a, i), *right = map_words(b, i);
        bool differs = strcmp(left, right) != 0;

        count += differs;
        side_by_side(out, left, right, differs);
    }
    return count;
}

/* ---- The processor's tables, and what an application has ---- */

static const char *structure_text(const struct document *d, enum structure_of which)
{
    for (uint32_t i = 0; i < d->structure_count; i++) {
        const struct structure *t = &d->structures[i];

        if (t->which == which)
            return source_print(d->source, "0x%08" PRIX64 "      %-11s %s", t->place.start.at, t->place.name,
                                t->place.size_words);
    }
    return "";
}

static const char *part_text(const struct document *d, enum part_of which)
{
    for (uint32_t i = 0; i < d->part_count; i++) {
        const struct part *p = &d->parts[i];

        if (p->which == which && p->floats)
            return source_print(d->source, "%-15s floats, %s", word_of(part_words, which)->text, rights_text(p->user));
        if (p->which == which)
            return source_print(d->source, "%-15s %s at first, %s in all, %s", word_of(part_words, which)->text,
                                size_text(d->source, p->first), size_text(d->source, p->size), rights_text(p->user));
    }
    return "";
}

/* Rows that have a kind and no name; nothing for kinds that neither document has. */
static unsigned compare_kinds(const struct document *a, const struct document *b, FILE *out, int kinds,
                              const char *(*text)(const struct document *d, int kind))
{
    unsigned count = 0;

    for (int kind = 0; kind < kinds; kind++) {
        const char *left = text(a, kind), *right = text(b, kind);

        if (*left == '\0' && *right == '\0')
            continue;
        count += strcmp(left, right) != 0;
        side_by_side(out, left, right, strcmp(left, right) != 0);
    }
    return count;
}

static const char *structure_words_of(const struct document *d, int kind)
{
    return structure_text(d, (enum structure_of)kind);
}

static const char *part_words_of(const struct document *d, int kind) { return part_text(d, (enum part_of)kind); }

static unsigned compare_structures(const struct document *a, const struct document *b, FILE *out)
{
    return compare_kinds(a, b, out, STRUCTURE_COUNT, structure_words_of);
}

static unsigned compare_parts(const struct document *a, const struct document *b, FILE *out)
{
    return compare_kinds(a, b, out, PART_COUNT, part_words_of);
}

unsigned compare_text(const struct document *a, const struct document *b, FILE *out)
{
    const struct {
        const char *heading;
        unsigned  (*compare)(const struct document *a, const struct document *b, FILE *out);
        bool        is_there;
    } tables[] = {
        { "Virtual memory", compare_regions, true }, { "Physical memory", compare_physical, true },
        { "Kernel structures", compare_structures, a->structure_count + b->structure_count > 0 },
        { "Applications", compare_parts, a->part_count + b->part_count > 0 },
        { "Policies", compare_policies, true }, { "Boot mappings", compare_boot_maps, true },
    };
    unsigned count = 0;

    side_by_side(out, a->name, b->name, false);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (!tables[i].is_there)
            continue;
        fprintf(out, "\n%s\n\n", tables[i].heading);
        count += tables[i].compare(a, b, out);
    }
    fprintf(out, "\n%u rows differ; each is marked with *\n", count);
    return count;
}
