/* check.c - all checks of a document, in order. See check.h. */
#include "check.h"
#include "words.h"

#include <string.h>

static void check_policies(struct document *d)
{
    for (int key = 0; !d->policy_unknown && key < POLICY_COUNT; key++)
        if (key != POLICY_START && d->policy_line[key] == 0)
            complain(d->source, 0, "no policy `%s`; expected one", word_of(policy_words, key)->text);
}

static bool claim_exists(const struct document *d, const char *id, size_t length)
{
    for (uint32_t i = 0; i < d->claim_count; i++)
        if (strlen(d->claims[i].id) == length && strncmp(d->claims[i].id, id, length) == 0)
            return true;
    return false;
}

/* A row may only cite claims that the document makes. */
static void check_citations(struct document *d, uint32_t line, const char *name, const char *claims)
{
    for (const char *id = claims; *id != '\0';) {
        size_t length = strcspn(id, " ");

        if (!claim_exists(d, id, length))
            complain(d->source, line, "%s cites the claim %.*s, which the table of claims does not have",
                     name, (int)length, id);
        id += length;
        id += strspn(id, " ");
    }
}

static void check_place_citations(struct document *d, const struct place *p)
{
    check_citations(d, p->line, p->name, p->claims);
}

static void check_claims(struct document *d)
{
    for (uint32_t i = 0; i < d->claim_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(d->claims[i].id, d->claims[k].id) == 0) {
                complain(d->source, d->claims[i].line, "the claim %s a second time; the first is at line %u",
                         d->claims[i].id, d->claims[k].line);
                d->claim_unknown = true;
                break;
            }
    if (d->claim_unknown)
        return;
    for (uint32_t i = 0; i < d->region_count; i++)
        check_place_citations(d, &d->regions[i].place);
    for (uint32_t i = 0; i < d->physical_count; i++)
        check_place_citations(d, &d->physical[i].place);
    for (uint32_t i = 0; i < d->structure_count; i++)
        check_place_citations(d, &d->structures[i].place);
    for (uint32_t i = 0; i < d->part_count; i++)
        if (d->parts[i].claims != NULL)
            check_citations(d, d->parts[i].line, word_of(part_words, d->parts[i].which)->text, d->parts[i].claims);
    for (int key = 0; key < POLICY_COUNT; key++)
        if (d->policy_line[key] != 0)
            check_citations(d, d->policy_line[key], word_of(policy_words, key)->text, d->policy_claims[key]);
}

/* Find contradictions in what could be read. */
static void document_check(struct document *d)
{
    check_policies(d);
    check_physical_ranges(d);
    check_region_ranges(d);
    check_structure_ranges(d);
    check_regions(d);
    check_image(d);
    check_bitmap(d);
    check_structures(d);
    check_applications(d);
    check_boot_maps(d);
    check_access(d);
    check_tracked(d);
    check_start(d);
    check_needs(d);
    check_claims(d);
}

bool document_compile(struct document *d, struct source *s)
{
    if (document_read(d, s))
        document_check(d);
    return s->errors == 0;
}
