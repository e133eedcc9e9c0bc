/* picture_text.c - boxes of characters, 80 columns, as the design documents draw them. See picture.h. */
#include "picture.h"
#include "drawing.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

enum { BOX = 62 };          /* characters between the bars */

/* A border line, labelled with the border's address, or with the section that it follows. */
static void border_line(FILE *out, struct border b, const char *image)
{
    char label[32] = "4 GiB";

    if (b.floats)
        snprintf(label, sizeof(label), "end of %s", image != NULL ? image : word_of(section_words, b.after)->text);
    else if (b.at != SPACE_END)
        snprintf(label, sizeof(label), "0x%08" PRIX64, b.at);
    character_border(out, BOX, "", label);
}

static void paragraph(FILE *out, const char *text) { character_paragraph(out, BOX, '|', text); }

/* Name and facts on the left, size on the right, the document's words below. */
static void box(const struct document *d, FILE *out, const struct place *p, const char *facts)
{
    const char *left = source_print(d->source, "%-12s %s", p->name, facts);
    int gap = BOX - 2 - (int)strlen(left) - (int)strlen(p->size_words);

    character_line(out, BOX, '|', source_print(d->source, "%s%*s%s", left, gap < 1 ? 1 : gap, "", p->size_words),
                   BOX - 2);
    paragraph(out, p->note);
}

static const char *region_facts(const struct document *d, const struct region *r)
{
    if (r->backing == BACKING_NONE)
        return "never mapped";
    if (r->backing == BACKING_ALIAS)
        return source_print(d->source, "the entries of %s", r->alias);
    return source_print(d->source, "kernel %s  user %s", rights_text(r->kernel), rights_text(r->user));
}

/* A second line for stacks, and for regions that grow to a maximum or have guards. */
static void region_limits(const struct document *d, FILE *out, const struct region *r)
{
    struct source *s = d->source;

    if (r->guard > 0)
        paragraph(out, source_print(s, "(%s each, and below each %s that is never mapped)",
                                    size_text(s, r->unit), size_text(s, r->guard)));
    else if (r->no_guard != NULL)
        paragraph(out, source_print(s, "(%s each, without a guard: %s)", size_text(s, r->unit), r->no_guard));
    if (r->maximum > 0)
        paragraph(out, source_print(s, "(grows to at most %s)", size_text(s, r->maximum)));
}

/* Regions [first, end), the highest address on top. */
static void text_column(const struct document *d, FILE *out, uint32_t first, uint32_t end)
{
    for (uint32_t i = end; i-- > first;) {
        const struct region *r = &d->regions[i];

        border_line(out, r->place.end, NULL);
        box(d, out, &r->place, region_facts(d, r));
        region_limits(d, out, r);
    }
    border_line(out, d->regions[first].place.start, NULL);
}

void picture_text(const struct document *d, FILE *out)
{
    fprintf(out, "%s: %s\n\nVirtual memory\n\n", d->name, d->title);
    text_column(d, out, 0, d->common_count);
    if (d->region_count > d->common_count) {
        fprintf(out, "\nKernel space, where programs have theirs\n\n");
        text_column(d, out, d->common_count, d->region_count);
    }
    fprintf(out, "\nPhysical memory\n\n");
    for (uint32_t i = d->physical_count; i-- > 0;) {
        const struct physical *p = &d->physical[i];

        border_line(out, p->place.end, "image");
        box(d, out, &p->place, word_of(use_words, p->use)->text);
    }
    border_line(out, d->physical[0].place.start, "image");
}
