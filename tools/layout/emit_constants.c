/* emit_constants.c - layout.h: numbers that C and assembly can fold. See emit.h. */
#include "emit.h"
#include "words.h"

#include <ctype.h>
#include <inttypes.h>

/* `low-memory` is LOW_MEMORY in C. */
static const char *upper(const struct document *d, const char *name)
{
    char *text = source_print(d->source, "%s", name);

    for (char *at = text; *at != '\0'; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    return text;
}

static void emit_place(const struct document *d, FILE *out, const char *prefix, const struct place *p)
{
    const char *name = upper(d, p->name);

    if (!p->start.floats)
        fprintf(out, "#define LAYOUT_%s%s_START 0x%08" PRIX64 "\n", prefix, name, p->start.at);
    if (!p->start.floats && !p->end.floats)
        fprintf(out, "#define LAYOUT_%s%s_SIZE  0x%08" PRIX64 "\n", prefix, name, p->end.at - p->start.at);
}

/* The policies that code may want to fold: LAYOUT_SEARCH_FIRST and so on, each defined or not. */
static void emit_policies(const struct document *d, FILE *out)
{
    const struct policies *p = &d->policy;

    fprintf(out, "#define LAYOUT_%s 1\n", word_of(access_words, p->access)->c);
    if (p->access == ACCESS_WINDOW || p->access == ACCESS_TRACKED)
        fprintf(out, "#define LAYOUT_TABLE_HOMES 1\n");
    fprintf(out, "#define LAYOUT_%s 1\n", word_of(polarity_words, p->polarity)->c);
    fprintf(out, "#define LAYOUT_%s 1\n", word_of(bitmap_words, p->bitmap_at)->c);
    fprintf(out, "#define LAYOUT_%s 1\n", word_of(unlisted_words, p->unlisted)->c);
    fprintf(out, "#define LAYOUT_%s 1\n", word_of(search_words, p->search)->c);
    fprintf(out, "#define LAYOUT_%s 1\n", word_of(zeroing_words, p->zeroing)->c);
    fprintf(out, "#define LAYOUT_%s 1\n", word_of(exhaustion_words, p->exhaustion)->c);
    fprintf(out, "#define LAYOUT_MAGAZINE %" PRIu64 "\n", p->magazine);
}

/* The groups of claims that the document makes: LAYOUT_CLAIMS_A when some id begins with A. */
static void emit_claim_letters(const struct document *d, FILE *out)
{
    for (char letter = 'A'; letter <= 'Z'; letter++)
        for (uint32_t i = 0; i < d->claim_count; i++)
            if (d->claims[i].id[0] == letter) {
                fprintf(out, "#define LAYOUT_CLAIMS_%c 1\n", letter);
                break;
            }
}

void emit_constants(const struct document *d, FILE *out)
{
    const struct place *user = &d->purpose[PURPOSE_USER]->place;

    fprintf(out, "/* Made from %s. Constants only, for C and for assembly. */\n"
            "#ifndef LAYOUT_NAME\n#define LAYOUT_NAME \"%s\"\n\n", d->source->path, d->name);
    fprintf(out, "#define LAYOUT_KERNEL_OFFSET 0x%08" PRIX64 "\n", d->kernel_offset % SPACE_END);
    fprintf(out, "#define LAYOUT_BOOT_OFFSET   0x%08" PRIX64 "\n", d->boot != NULL ? 0 : d->kernel_offset % SPACE_END);
    fprintf(out, "#define LAYOUT_USER_END      0x%08" PRIX64 "\n", user->end.at);
    if (d->policy_line[POLICY_START] != 0)
        fprintf(out, "#define LAYOUT_START_ADDRESS 0x%08" PRIX64 "\n", d->policy.start);
    if (d->region_count > d->common_count)
        fprintf(out, "#define LAYOUT_KERNEL_HAS_OWN 1\n");
    fprintf(out, "\n");
    if (d->last > SECTION_DATA)
        fprintf(out, "#define LAYOUT_FIRST_STACK   %" PRIu64 "\n", d->purpose[PURPOSE_STACK]->unit);
    if (d->part_count > 0)
        fprintf(out, "#define LAYOUT_APPLICATIONS  1\n");
    emit_policies(d, out);
    emit_claim_letters(d, out);
    fprintf(out, "\n/* virtual */\n");
    for (uint32_t i = 0; i < d->region_count; i++)
        emit_place(d, out, "", &d->regions[i].place);
    fprintf(out, "\n/* physical */\n");
    for (uint32_t i = 0; i < d->physical_count; i++)
        emit_place(d, out, "PHYSICAL_", &d->physical[i].place);
    for (uint32_t i = 0; i < d->structure_count; i++) {
        const struct place *p = &d->structures[i].place;

        fprintf(out, "#define LAYOUT_%s 0x%08" PRIX64 "\n", upper(d, p->name), p->start.at);
        fprintf(out, "#define LAYOUT_%s_SIZE %" PRIu64 "\n", upper(d, p->name), p->end.at - p->start.at);
    }
    fprintf(out, "\n#endif\n");
}
