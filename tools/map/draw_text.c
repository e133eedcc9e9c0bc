/* draw_text.c - a picture of memory in characters. See draw.h. */
#include "draw.h"

#include <inttypes.h>
#include <string.h>

enum { BOX = DRAW_COLUMNS - 13, BAR = 12 };     /* between the bars; the longest bar of the table */

static void label_of(char label[16], uint64_t address)
{
    snprintf(label, 16, address == SPACE_END ? "4 GiB" : "0x%08" PRIX64, address);
}

/* A paragraph of the width of the page. */
static void say_text(FILE *out, const char *text)
{
    while (*text != '\0') {
        int length = line_length(text, DRAW_COLUMNS);

        fprintf(out, "%.*s\n", length, text);
        text += length;
        text += strspn(text, " ");
    }
}

/* At least one character for a count above 0. */
static int bar_of(uint64_t part, uint64_t whole) { return whole == 0 ? 0 : (int)((part * BAR + whole - 1) / whole); }

/* The bar is cut at the width of the page: in a contradictory snapshot a share may be more than the whole. */
static void draw_share(FILE *out, const struct picture *p, const struct share *share)
{
    static const char bar[] = "############";
    char line[DRAW_COLUMNS + 1];

    snprintf(line, sizeof(line), "  %c  %-8.8s %8" PRIu64 " %10" PRIu64 " %5.1f  %-*.*s  %.45s",
             owner_look(share->owner)->letter, share->owner, share->frames, share->frames * (PAGE / 1024),
             p->ram == 0 ? 0 : 100.0 * (double)share->frames / (double)p->ram, BAR, bar_of(share->frames, p->ram), bar,
             share->text);
    fprintf(out, "%s\n", line);
}

static void draw_shares(FILE *out, const struct picture *p)
{
    fprintf(out, "Who has physical memory\n-----------------------\n\n     owner      frames        KiB     %%\n");
    for (size_t i = 0; i < p->share_count; i++)
        draw_share(out, p, &p->shares[i]);
    fprintf(out, "     sum      %8" PRIu64 " %10" PRIu64 "         %s\n\n", p->sum, p->sum * (PAGE / 1024), p->verdict);
    say_text(out,
             "Below, a line of letters is what is in a box, from its lowest address up: a letter for each page, or, "
             "where there are more than fit, one for as many as it takes; a dot is free, or not there.");
}

/* A name that is too long loses its beginning: the end is the more telling part. */
static const char *end_of(const char *name, size_t room)
{
    size_t length = strlen(name);

    return length > room ? name + (length - room) : name;
}

static int shorter(const char *text, int limit) { return (int)strlen(text) < limit ? (int)strlen(text) : limit; }

static void draw_title(FILE *out, const struct box *box, char bar)
{
    const int room = BOX - 2, size = shorter(box->size, room / 2), rights = shorter(box->rights, room / 3);
    const int left = room - size - rights - (rights > 0 ? 3 : 1);
    char line[BOX];
    int used = snprintf(line, sizeof(line), "%s%s%.*s", end_of(box->name, (size_t)left), rights > 0 ? "  " : "", rights,
                        box->rights);

    fprintf(out, "%c %s%*.*s %c\n", bar, line, room - used, size, box->size, bar);
}

static void draw_box(FILE *out, const struct box *box)
{
    char bar = box->kind == BOX_HOLE ? ':' : '|', label[16], letters[BOX];

    label_of(label, box->end);
    character_border(out, BOX, box->heading != NULL ? box->heading : "", label);
    draw_title(out, box, bar);
    for (size_t i = 0; i < box->fact_count; i++)
        if (box->facts[i].table)
            character_line(out, BOX, bar, box->facts[i].text, BOX);
        else
            character_paragraph(out, BOX, bar, box->facts[i].text);
    if (box->strip.count > 0) {
        strip_letters(&box->strip, letters, BOX - 2);
        character_line(out, BOX, bar, letters, BOX);
    }
}

static void draw_column(FILE *out, const struct column *column)
{
    char label[16];

    fprintf(out, "\n\n%.*s\n", DRAW_COLUMNS, column->title);
    for (size_t i = 0; i < DRAW_COLUMNS && column->title[i] != '\0'; i++)
        fputc('-', out);
    fputc('\n', out);
    say_text(out, column->subtitle);
    fputc('\n', out);
    for (size_t i = 0; i < column->count; i++)
        draw_box(out, &column->boxes[i]);
    label_of(label, column->count > 0 ? column->boxes[column->count - 1].start : 0);
    character_border(out, BOX, "", label);
}

void draw_text(const struct picture *p, FILE *out)
{
    say_text(out, p->title);
    say_text(out, p->subtitle);
    say_text(out, p->moment);
    fputc('\n', out);
    draw_shares(out, p);
    draw_column(out, &p->physical);
    draw_column(out, &p->kernel);
    for (size_t i = 0; i < p->process_count; i++)
        draw_column(out, &p->processes[i]);
}
