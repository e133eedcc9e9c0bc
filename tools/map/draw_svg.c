/*
 * draw_svg.c - a picture of memory on sheets of A4. See draw.h.
 *
 * A unit is a quarter of a millimetre, so a sheet is 840 by 1188, and the smallest letters are 10 units, 7 points.
 * Boxes flow down lanes and on to the next lane or sheet; every box is as tall as its words need and a little taller
 * the larger it is, and the rest of a lane is shared among its boxes. All items are placed before one is drawn.
 */
#include "draw.h"

#include "layout/quantity.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHEET_WIDTH = 840, SHEET_HEIGHT = 1188, MARGIN = 40,
    FIRST_TOP = 138, TOP = 80, BOTTOM = SHEET_HEIGHT - 72,      /* top and bottom of lanes */
    LABEL = 72, HALF = 298, RIGHT_HALF = SHEET_WIDTH / 2 + 10,  /* addresses beside a column; a column of two */
    SHARE = 36,                                     /* a line of the table of owners                    */
    PAD = 7, TITLE_LINE = 15, LINE = 13, STRIP = 11, STRIP_LINE = STRIP + 5, HEADING = 19, LEAST = 30,
    EDGE = 9,                                       /* the bar at a box's left                          */
    SWATCH = 15,
    TEXT_IN = EDGE + 8, RIGHT_IN = 8,               /* where words begin and end in a box               */
    STRETCH = 60,                                   /* percent by which a lane may be stretched at most */
};

/* Upper estimates of a letter's average width: sans, bold, fixed. */
static const double sans = 5.9, bold = 8.0, fixed = 6.1;

struct lane { double x, width, first_top; };      /* x of boxes, left of it labels; top on sheet 1 */

/* A box or a line of words, and its place on a sheet. */
struct item {
    const struct box *box;
    const char *class, *text;                       /* box NULL: a line of words                */
    int    sheet;
    double x, y, width, height;
    bool   lowest;                                  /* in its lane: the lower border has a label */
};

struct layout {
    struct source *source;
    struct item   *items;
    size_t         count;
    int            sheet;                           /* of the next item */
    const struct lane *lanes;
    size_t         lane_count, lane;
    double         y;
    const char    *row;                             /* the heading of the next item's row */
    size_t         lane_start;                    /* the first item of the current lane */
};

/* ---- Measuring ----------------------------------------------------------------------------- */

static int letters_in(double width, double letter) { return (int)((width - TEXT_IN - RIGHT_IN) / letter); }

static int box_doublings(const struct box *box)
{
    int count = 0;

    for (uint64_t pages = (box->end - box->start) / PAGE; pages > 1; pages >>= 1)
        count++;
    return count;
}

static double height_of(const struct box *box, double width)
{
    double height = 2 * PAD + TITLE_LINE + box_doublings(box) * 0.9 + (box->strip.count > 0 ? STRIP_LINE : 0);

    for (size_t i = 0; i < box->fact_count; i++)
        height += LINE * (box->facts[i].table ? 1 : line_count(box->facts[i].text, letters_in(width, sans)));
    return height > LEAST ? height : LEAST;
}

/* ---- Placing ------------------------------------------------------------------------------- */

static struct item *add_item(struct layout *l)
{
    if ((l->count & (l->count - 1)) == 0) {
        struct item *more = source_keep(l->source, (l->count == 0 ? 1 : l->count * 2) * sizeof(*more));

        if (l->count > 0)
            memcpy(more, l->items, l->count * sizeof(*more));
        l->items = more;
    }
    l->items[l->count] = (struct item){ .sheet = l->sheet, .y = l->y };
    return &l->items[l->count++];
}

static void add_words(struct layout *l, double x, double line, const char *class, const char *text)
{
    struct item *item = add_item(l);

    item->class = class;
    item->text  = text;
    item->x     = x;
    item->y     = l->y += line;
}

static void add_paragraph(struct layout *l, double x, double width, const char *class, const char *text)
{
    while (*text != '\0') {
        int length = line_length(text, (int)(width / sans));

        add_words(l, x, LINE, class, source_text(l->source, text, (size_t)length));
        text += length;
        text += strspn(text, " ");
    }
}

/* The room below the last box is divided among all boxes of the lane; larger ones get more. */
static void finish_lane(struct layout *l)
{
    double content = 0, weights = 0, spare = BOTTOM - l->y, moved = 0;

    for (size_t i = l->lane_start; i < l->count; i++)
        if (l->items[i].box != NULL) {
            content += l->items[i].height;
            weights += 1 + box_doublings(l->items[i].box);
        }
    if (spare > content * STRETCH / 100)
        spare = content * STRETCH / 100;
    for (size_t i = l->lane_start; i < l->count && spare > 0 && weights > 0; i++) {
        l->items[i].y += moved;
        if (l->items[i].box != NULL) {
            double more = spare * (1 + box_doublings(l->items[i].box)) / weights;

            l->items[i].height += more;
            moved += more;
        }
    }
    if (l->count > l->lane_start)
        l->items[l->count - 1].lowest = l->items[l->count - 1].box != NULL;
    l->lane_start = l->count;
}

static void next_lane(struct layout *l)
{
    finish_lane(l);
    if (++l->lane == l->lane_count) {
        l->lane = 0;
        l->sheet++;
    }
    l->y = l->sheet == 1 ? l->lanes[l->lane].first_top : TOP;
}

/* Finish the current lane, and begin the next sheet with these lanes. */
static void begin_sheet(struct layout *l, const struct lane *lanes, size_t count)
{
    finish_lane(l);
    l->sheet++;
    l->lanes      = lanes;
    l->lane_count = count;
    l->lane       = 0;
    l->y            = TOP;
}

static void place_title(struct layout *l, const struct column *column, bool again)
{
    const struct lane *lane = &l->lanes[l->lane];
    double x = lane->x - LABEL;

    add_words(l, x, 14, "heading", again ? source_print(l->source, "%s (continued)", column->title) : column->title);
    l->y += 3;
    if (!again)
        add_paragraph(l, x, lane->width + LABEL, "note", column->subtitle);
    l->y += 12;
    l->lane_start = l->count;
}

static void place_row(struct layout *l, const char *heading)
{
    add_words(l, l->lanes[l->lane].x, HEADING - 5, "row", heading);
    l->y += 5;
}

static void place_box(struct layout *l, const struct column *column, const struct box *box)
{
    double height = height_of(box, l->lanes[l->lane].width), heading = box->heading != NULL ? HEADING : 0;
    struct item *item;

    if (l->y + heading + height > BOTTOM && l->count > l->lane_start) {
        next_lane(l);
        place_title(l, column, true);
        if (box->heading == NULL && l->row != NULL)
            place_row(l, source_print(l->source, "%s, continued", l->row));
    }
    if (box->heading != NULL)
        place_row(l, l->row = box->heading);
    item = add_item(l);
    item->box    = box;
    item->x      = l->lanes[l->lane].x;
    item->width  = l->lanes[l->lane].width;
    item->height = height;
    l->y += height;
}

static void place_column(struct layout *l, const struct column *column)
{
    l->row = NULL;
    place_title(l, column, false);
    for (size_t i = 0; i < column->count; i++)
        place_box(l, column, &column->boxes[i]);
}

static double shares_bottom(const struct picture *p) { return FIRST_TOP + 66 + SHARE * (double)p->share_count; }

/* The second lane of physical memory begins below the table of owners. */
static void place_all(struct layout *l, const struct picture *p)
{
    const struct lane halves[] = { { MARGIN + LABEL, HALF, FIRST_TOP },
                                   { RIGHT_HALF + LABEL, HALF, shares_bottom(p) + 26 } };
    static const struct lane kernel[] = { { MARGIN + LABEL, SHEET_WIDTH - 2 * MARGIN - LABEL, TOP } };

    l->lanes = halves;
    l->lane_count = 2;
    l->y = FIRST_TOP;
    place_column(l, &p->physical);
    begin_sheet(l, kernel, 1);
    place_column(l, &p->kernel);
    begin_sheet(l, halves, 2);
    for (size_t i = 0; i < p->process_count; i++) {
        if (i > 0)
            next_lane(l);
        place_column(l, &p->processes[i]);
    }
    finish_lane(l);
}

/* ---- Drawing a box ----------------------------------------------------------------------------- */

static void draw_strip(FILE *out, const struct strip *strip, double x, double y, double width)
{
    double at = x, unit = strip->pages > 0 ? width / (double)strip->pages : 0;

    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"#fff\"/>\n", x, y, width, STRIP);
    for (size_t i = 0; i < strip->count; at += unit * (double)strip->parts[i++].pages)
        if (strip->parts[i].owner != NULL)
            fprintf(out,
                    "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" fill=\"url(#o-%s)\"><title>%s, %" PRIu64
                    " page%s</title></rect>\n",
                    at, y, unit * (double)strip->parts[i].pages > 0.8 ? unit * (double)strip->parts[i].pages : 0.8,
                    STRIP, owner_look(strip->parts[i].owner)->owner, owner_look(strip->parts[i].owner)->owner,
                    strip->parts[i].pages, strip->parts[i].pages == 1 ? "" : "s");
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" class=\"strip\"/>\n", x, y, width, STRIP);
}

/* A name that is too long is drawn as its end, from a slash on if that fits. */
static const char *fitting(struct source *source, const char *name, size_t letters)
{
    size_t length = strlen(name);
    const char *rest;

    if (length <= letters)
        return name;
    rest = strchr(name + (length - letters + 3), '/');
    return source_print(source, "...%s", rest != NULL ? rest : name + (length - letters + 3));
}

/* Draw name and rights on the left, size on the right. */
static void draw_title(FILE *out, struct source *source, const struct item *item, double y)
{
    const struct box *box = item->box;
    double room = item->width - TEXT_IN - RIGHT_IN - 14 - fixed * (double)strlen(box->rights) -
                  sans * (double)strlen(box->size);
    size_t letters = room > 4 * bold ? (size_t)(room / bold) : 4;
    const char *name = fitting(source, box->name, letters);

    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"><tspan class=\"name\">", item->x + TEXT_IN, y);
    svg_escaped(out, name, (int)strlen(name));
    fputs("</tspan>", out);
    if (*box->rights != '\0') {
        fputs("<tspan class=\"rights\" dx=\"9\">", out);
        svg_escaped(out, box->rights, (int)strlen(box->rights));
        fputs("</tspan>", out);
    }
    fputs("</text>\n", out);
    if (*box->size != '\0')
        svg_text(out, item->x + item->width - RIGHT_IN, y, "size end", box->size);
}

static double draw_fact(FILE *out, const struct item *item, const struct fact *fact, double y)
{
    const char *text = fact->text;

    if (fact->table) {
        svg_text_part(out, item->x + TEXT_IN, y, "table", text, letters_in(item->width, fixed));
        return y + LINE;
    }
    while (*text != '\0') {
        int length = line_length(text, letters_in(item->width, sans));

        svg_text_part(out, item->x + TEXT_IN, y, "note", text, length);
        text += length;
        text += strspn(text, " ");
        y += LINE;
    }
    return y;
}

static void draw_label(FILE *out, double x, double y, uint64_t address)
{
    char label[16];

    snprintf(label, sizeof(label), address == SPACE_END ? "4 GiB" : "0x%08" PRIX64, address);
    fprintf(out, "<path d=\"M%.1f %.1fh-6\" class=\"tick\"/>\n", x, y);
    svg_text(out, x - 9, y + 3.5, "address end", label);
}

/*
 * The <title> of a box, which a browser shows under the pointer: all that is known of the box, also what there is no
 * room to draw. And the row of the document that web/ links it to.
 */
static void begin_part(FILE *out, struct source *source, const struct box *box)
{
    const char *row = box->row != NULL ? box->row : "";
    const char *about = source_print(source, "%s%s%s, %s%s%s, 0x%08" PRIX64 " to 0x%08" PRIX64 "%s%s", box->name,
                                     *box->rights != '\0' ? " " : "", box->rights,
                                     *box->size != '\0' ? box->size : short_size(source, box->end - box->start),
                                     box->owner != NULL ? ", owner " : "", box->owner != NULL ? box->owner : "",
                                     box->start, box->end - 1, *row != '\0' ? ", row " : "", row);

    for (size_t i = 0; i < box->fact_count; i++)        /* who has its pages, with which rights */
        about = source_print(source, "%s%s%s", about, i == 0 ? ": " : "; ", box->facts[i].text);
    fprintf(out, "<g class=\"part\" data-table=\"%s\" data-row=\"", box->of_physical ? "physical" : "virtual");
    svg_escaped(out, row, (int)strlen(row));
    fputs("\"><title>", out);
    svg_escaped(out, about, (int)strlen(about));
    fputs("</title>\n", out);
}

static void draw_box(FILE *out, struct source *source, const struct item *item)
{
    static const char *const classes[] = { [BOX_THERE] = "box", [BOX_HOLE] = "box hole", [BOX_ALIAS] = "box" };
    const struct box *box = item->box;
    double content = height_of(box, item->width) - 2 * PAD - box_doublings(box) * 0.9,
           y = item->y + (item->height - content) / 2 + 11;

    begin_part(out, source, box);
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" class=\"%s\"/>\n", item->x,
            item->y, item->width, item->height, box->look.fill, classes[box->kind]);
    if (box->owner != NULL)
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"url(#o-%s)\" class=\"box\"/>\n",
                item->x, item->y, EDGE, item->height, owner_look(box->owner)->owner);
    else if (box->kind == BOX_THERE)
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"/>\n", item->x, item->y,
                EDGE - 2, item->height, box->look.edge);
    draw_title(out, source, item, y);
    y += TITLE_LINE;
    for (size_t i = 0; i < box->fact_count; i++)
        y = draw_fact(out, item, &box->facts[i], y);
    if (box->strip.count > 0)
        draw_strip(out, &box->strip, item->x + TEXT_IN, y - 8, item->width - TEXT_IN - RIGHT_IN);
    draw_label(out, item->x, item->y, box->end);
    if (item->lowest)
        draw_label(out, item->x, item->y + item->height, box->start);
    fputs("</g>\n", out);
}

/* ---- The table of owners -------------------------------------------------------------------------- */

static void draw_swatch(FILE *out, double x, double y, const char *owner)
{
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"11\" fill=\"url(#o-%s)\" class=\"box\"/>\n", x, y,
            SWATCH, owner_look(owner)->owner);
}

static void draw_share(FILE *out, struct source *source, const struct picture *p, const struct share *share, double x,
                       double y, double right)
{
    double part = p->ram == 0 ? 0 : (double)share->frames / (double)p->ram;

    draw_swatch(out, x, y - 9, share->owner);
    svg_text(out, x + 28, y, "name", share->owner);
    svg_text(out, x + 190, y, "table end", source_print(source, "%" PRIu64, share->frames));
    svg_text(out, x + 278, y, "table end", source_print(source, "%" PRIu64 " KiB", share->frames * (PAGE / 1024)));
    svg_text(out, right, y, "table end", source_print(source, "%.1f %%", 100 * part));
    svg_text_part(out, x + 28, y + 13, "note", share->text, (int)((right - x - 28) / sans));
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"5\" class=\"bar\"/>\n", x + 28, y + 17,
            part * (right - x - 28) > 2 ? part * (right - x - 28) : 2);
}

static void draw_shares(FILE *out, struct source *source, const struct picture *p)
{
    const double x = RIGHT_HALF, right = SHEET_WIDTH - MARGIN;
    double y = FIRST_TOP + 14;

    svg_text(out, x, y, "heading", "Who has physical memory");
    y += 26;
    for (size_t i = 0; i < p->share_count; i++, y += SHARE)
        draw_share(out, source, p, &p->shares[i], x, y, right);
    fprintf(out, "<path d=\"M%.1f %.1fH%.1f\" class=\"rule\"/>\n", x, y - 10, right);
    svg_text(out, x + 28, y + 6, "name", "sum");
    svg_text(out, x + 190, y + 6, "table end", source_print(source, "%" PRIu64, p->sum));
    svg_text(out, x + 278, y + 6, "table end", source_print(source, "%" PRIu64 " KiB", p->sum * (PAGE / 1024)));
    svg_text(out, x + 28, y + 20, "note", p->verdict);
}

/* ---- Sheets ----------------------------------------------------------------------------------------- */

static const char style[] =
    "<style>\n"
    "text{font-family:'DejaVu Sans',Helvetica,Arial,sans-serif;font-size:10.5px;fill:#1c1c1c}\n"
    ".title{font-size:23px;font-weight:bold}.subtitle{font-size:13px;fill:#333}\n"
    ".heading{font-size:15px;font-weight:bold}.name{font-size:12px;font-weight:bold}.row{font-weight:bold}\n"
    ".rights,.address,.table{font-family:'DejaVu Sans Mono',monospace;font-size:10px}\n"
    ".note{fill:#333}.end{text-anchor:end}\n"
    ".box{stroke:#555;stroke-width:1}.hole{stroke-dasharray:4 3}.strip{fill:none;stroke:#333;stroke-width:1}\n"
    ".tick{stroke:#333;stroke-width:1;fill:none}.rule{stroke:#333;stroke-width:1.2;fill:none}.bar{fill:#4d4d4d}\n"
    ".full{fill:currentColor}.thick{stroke-width:2.2}\n"
    "</style>\n";

static void draw_patterns(FILE *out)
{
    fprintf(out, "<defs>\n%s", svg_patterns);
    for (size_t i = 0; i < owner_look_count; i++) {
        const struct owner_look *look = &owner_looks[i];

        fprintf(
            out,
            "<pattern id=\"o-%s\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect width=\"6\" "
            "height=\"6\" "
            "fill=\"%s\"/><g color=\"%s\" stroke=\"currentColor\" stroke-width=\"1\" fill=\"none\">%s</g></pattern>\n",
            look->owner, strncmp(look->look.fill, "url", 3) == 0 ? "#fff" : look->look.fill, look->look.edge,
            look->pattern);
    }
    fprintf(out, "</defs>\n");
}

/* The foot of a sheet: the meaning of the patterns, and the sheet's number. */
static void draw_foot(FILE *out, struct source *source, const struct picture *p, int sheet, int sheets)
{
    double x = MARGIN, y = SHEET_HEIGHT - 34;
    const char *number = source_print(source, "%d / %d", sheet, sheets);

    fprintf(out, "<path d=\"M%d %.1fH%d\" class=\"rule\"/>\n", MARGIN, y - 16, SHEET_WIDTH - MARGIN);
    for (size_t i = 0; i < p->share_count; i++) {
        double width = SWATCH + 5 + sans * (double)strlen(p->shares[i].owner);

        if (x + width > SHEET_WIDTH - MARGIN)
            break;
        draw_swatch(out, x, y - 9, p->shares[i].owner);
        svg_text(out, x + SWATCH + 5, y, "note", p->shares[i].owner);
        x += width + 8;
    }
    svg_text(out, SHEET_WIDTH - MARGIN, y + 16, "note end", number);
    svg_text(
        out, MARGIN, y + 16, "note",
        "Highest address on top. Rights: r read, w write, x execute, of the kernel unless they say user. Heights are "
        "logarithms.");
}

static void draw_sheet(FILE *out, const struct layout *l, const struct picture *p, int sheet, int sheets)
{
    fprintf(out,
            "<view id=\"sheet-%d-view\" viewBox=\"0 %d %d %d\"/>\n<g id=\"sheet-%d\" transform=\"translate(0 %d)\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
            sheet, (sheet - 1) * SHEET_HEIGHT, SHEET_WIDTH, SHEET_HEIGHT, sheet, (sheet - 1) * SHEET_HEIGHT,
            SHEET_WIDTH, SHEET_HEIGHT);
    if (sheet == 1) {
        svg_text(out, MARGIN, 62, "title", p->title);
        svg_text_part(out, MARGIN, 86, "subtitle", p->subtitle, 104);
        svg_text_part(out, MARGIN, 106, "subtitle", p->moment, 104);
        draw_shares(out, l->source, p);
    } else {
        svg_text_part(out, MARGIN, 52, "note", source_print(l->source, "%s: %s", p->title, p->moment), 126);
        fprintf(out, "<path d=\"M%d 60H%d\" class=\"rule\"/>\n", MARGIN, SHEET_WIDTH - MARGIN);
    }
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].sheet == sheet && l->items[i].box != NULL)
            draw_box(out, l->source, &l->items[i]);
        else if (l->items[i].sheet == sheet)
            svg_text(out, l->items[i].x, l->items[i].y, l->items[i].class, l->items[i].text);
    draw_foot(out, l->source, p, sheet, sheets);
    fprintf(out, "</g>\n");
}

void draw_svg(const struct picture *picture, struct source *source, unsigned refresh_ms, FILE *out)
{
    struct layout l = { .source = source, .sheet = 1 };
    int sheets;

    place_all(&l, picture);
    sheets = l.sheet;
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:space=\"preserve\" width=\"210mm\" height=\"%dmm\" "
        "viewBox=\"0 0 %d %d\">\n",
        297 * sheets, SHEET_WIDTH, SHEET_HEIGHT * sheets);
    fprintf(out, "<title>Memory as it is</title>\n");
    if (refresh_ms > 0)
        fprintf(out, "<script>setTimeout(function () { location.reload(); }, %u);</script>\n", refresh_ms);
    fputs(style, out);
    draw_patterns(out);
    for (int sheet = 1; sheet <= sheets; sheet++)
        draw_sheet(out, &l, picture, sheet, sheets);
    fprintf(out, "</svg>\n");
}
