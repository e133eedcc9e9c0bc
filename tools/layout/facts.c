/* facts.c - a document as lines for programs. See facts.h. */
#include "facts.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>

#define MIB UINT64_C(0x100000)

static void print_place(FILE *out, const char *prefix, const struct place *p)
{
    if (!p->start.floats)
        fprintf(out, "%s%s.start=0x%08" PRIX64 "\n", prefix, p->name, p->start.at);
    if (!p->end.floats)
        fprintf(out, "%s%s.end=0x%08" PRIX64 "\n", prefix, p->name, p->end.at);
    fprintf(out, "%s%s.line=%u\n", prefix, p->name, p->line);
}

static void print_region(FILE *out, const char *prefix, const struct region *r)
{
    const struct place *p = &r->place;

    print_place(out, prefix, p);
    fprintf(out, "%s%s.backing=%s\n", prefix, p->name, word_of(backing_words, r->backing)->text);
    fprintf(out, "%s%s.kernel=%s\n", prefix, p->name, r->same_rights ? "same" : rights_text(r->kernel));
    fprintf(out, "%s%s.user=%s\n", prefix, p->name, r->same_rights ? "same" : rights_text(r->user));
    if (r->unit == 0)
        return;
    fprintf(out, "%s%s.unit=%" PRIu64 "\n%s%s.guard=%" PRIu64 "\n", prefix, p->name, r->unit, prefix, p->name,
            r->guard);
    if (!p->start.floats && !p->end.floats)
        fprintf(out, "%s%s.count=%" PRIu64 "\n", prefix, p->name, (p->end.at - p->start.at) / (r->unit + r->guard));
}

static void policies(const struct document *d, FILE *out)
{
    const struct policies *p = &d->policy;

    fprintf(out, "policy.polarity=%s\npolicy.bitmap=%s\npolicy.unlisted=%s\npolicy.search=%s\npolicy.zeroing=%s\n"
            "policy.exhaustion=%s\npolicy.magazine=%" PRIu64 "\npolicy.access=%s\n",
            word_of(polarity_words, p->polarity)->text, word_of(bitmap_words, p->bitmap_at)->text,
            word_of(unlisted_words, p->unlisted)->text, word_of(search_words, p->search)->text,
            word_of(zeroing_words, p->zeroing)->text, word_of(exhaustion_words, p->exhaustion)->text, p->magazine,
            word_of(access_words, p->access)->text);
    if (d->policy_line[POLICY_START] != 0)
        fprintf(out, "policy.start=0x%08" PRIX64 "\n", p->start);
    if (d->bitmap != NULL)
        fprintf(out, "bitmap.start=0x%08" PRIX64 "\nbitmap.bytes=%" PRIu64 "\n", d->bitmap->place.start.at,
                d->bitmap->place.end.at - d->bitmap->place.start.at);
}

/* The first byte of the pool. The first megabyte is too small to count. */
static void pool(const struct document *d, FILE *out)
{
    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct physical *row = &d->physical[i];

        if (row->use != PHYSICAL_POOL || (!row->place.end.floats && row->place.end.at <= MIB))
            continue;
        if (!row->place.start.floats)
            fprintf(out, "pool.start=0x%08" PRIX64 "\n", row->place.start.at < MIB ? MIB : row->place.start.at);
        return;
    }
}

/* A program's own pages are not counted: a program that wants one at 64 KiB gets it. */
static void print_lowest(const struct document *d, FILE *out)
{
    const struct region *first = &d->regions[0];

    fprintf(out, "lowest.mapped=0x%08" PRIX64 "\n",
            first->backing == BACKING_NONE && !first->place.end.floats ? first->place.end.at : 0);
}

void facts_text(const struct document *d, FILE *out)
{
    fprintf(out, "name=%s\ntitle=%s\nfile=%s\nkernel.offset=0x%08" PRIX64 "\n", d->name, d->title, d->source->path,
            d->kernel_offset);
    for (uint32_t i = 0; i < d->region_count; i++)
        print_region(out, i < d->common_count ? "" : "kernel.", &d->regions[i]);
    for (uint32_t i = 0; i < d->physical_count; i++) {
        print_place(out, "physical.", &d->physical[i].place);
        fprintf(out, "physical.%s.use=%s\n", d->physical[i].place.name, word_of(use_words, d->physical[i].use)->text);
    }
    for (uint32_t i = 0; i < d->structure_count; i++)
        print_place(out, "structure.", &d->structures[i].place);
    policies(d, out);
    pool(d, out);
    print_lowest(d, out);
    for (uint32_t i = 0; i < d->claim_count; i++)
        fprintf(out, "claim.%s.shown=%s\nclaim.%s.text=%s\n", d->claims[i].id, d->claims[i].shown, d->claims[i].id,
                d->claims[i].text);
}
