/* picture_text.c - boxes of characters, 80 columns, as the seeds draw them. See picture.h. */
#include "picture.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

enum { BOX = 62 };          /* characters between the bars */

static void border_line(const struct document *d, FILE *out, struct border b)
{
    for (int i = 0; i < BOX + 2; i++)
        fputc(i == 0 || i == BOX + 1 ? '+' : '-', out);
    if (b.floats)
        fprintf(out, " end of %s\n", word_of(section_words, b.after)->text);
    else
        fprintf(out, " %09" PRIX64 "\n", b.at);
    (void)d;
}

static void text_line(FILE *out, const char *text, int length)
{
    fprintf(out, "| %-*.*s |\n", BOX - 2, length, text);
}

/* A paragraph, broken at blanks. */
static void paragraph(FILE *out, const char *text)
{
    while (*text != '\0') {
        int length = (int)strlen(text);

        if (length > BOX - 2) {
            length = BOX - 2;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = BOX - 2;
        }
        text_line(out, text, length);
        text += length;
        text += strspn(text, " ");
    }
}

static const char *place_size(const struct document *d, const struct place *p)
{
    return p->size_floats ? "floats" : size_text(d->source, p->size);
}

static void region_box(const struct document *d, FILE *out, const struct region *r)
{
    const char *rights = r->same_rights ? source_print(d->source, "as %s", r->alias) :
        r->backing == BACKING_NONE ? "never mapped" :
        source_print(d->source, "kernel %s  user %s", rights_text(r->kernel), rights_text(r->user));
    const char *left = source_print(d->source, "%-12s %s", r->place.name, rights);
    const char *size = place_size(d, &r->place);
    int gap = BOX - 2 - (int)strlen(left) - (int)strlen(size);

    text_line(out, source_print(d->source, "%s%*s%s", left, gap < 1 ? 1 : gap, "", size), BOX - 2);
    paragraph(out, r->place.note);
}

static void physical_box(const struct document *d, FILE *out, const struct physical *p)
{
    const char *left = source_print(d->source, "%-12s %s", p->place.name, word_of(use_words, p->use)->text);
    const char *size = place_size(d, &p->place);
    int gap = BOX - 2 - (int)strlen(left) - (int)strlen(size);

    text_line(out, source_print(d->source, "%s%*s%s", left, gap < 1 ? 1 : gap, "", size), BOX - 2);
    paragraph(out, p->place.note);
}

void picture_text(const struct document *d, FILE *out)
{
    fprintf(out, "%s: %s\n\nVirtual memory\n\n", d->name, d->title);
    for (uint32_t i = d->region_count; i-- > 0;) {
        border_line(d, out, d->regions[i].place.end);
        region_box(d, out, &d->regions[i]);
    }
    border_line(d, out, d->regions[0].place.start);
    fprintf(out, "\nPhysical memory\n\n");
    for (uint32_t i = d->physical_count; i-- > 0;) {
        border_line(d, out, d->physical[i].place.end);
        physical_box(d, out, &d->physical[i]);
    }
    border_line(d, out, d->physical[0].place.start);
}
