/*
 * picture_svg.c - the drawing for paper and browsers. See picture.h.
 *
 * Two columns, highest address on top: virtual memory on the left, physical memory on the
 * right, and between them a band from each run of regions that show physical memory at a
 * constant distance to what they show. Where kernel space has regions of its own they are a third
 * column, right of physical memory, with bands of its own. Heights grow with the logarithm of the size, so
 * that 4 KiB can be read next to 3 GiB. Colours are light and each box has a darker edge:
 * the drawing survives a black-and-white printer.
 */
#include "picture.h"
#include "compare.h"
#include "drawing.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARGIN = 40, LABEL = 110,                       /* outer border; column of addresses  */
    VIRTUAL_WIDTH = 480, GAP = 110, PHYSICAL_WIDTH = 330,
    VIRTUAL_X = MARGIN + LABEL, PHYSICAL_X = VIRTUAL_X + VIRTUAL_WIDTH + GAP,
    WIDTH = PHYSICAL_X + PHYSICAL_WIDTH + LABEL + MARGIN,
    OWN_WIDTH = 400, OWN_X = PHYSICAL_X + PHYSICAL_WIDTH + LABEL + GAP,
    WIDE = OWN_X + OWN_WIDTH + LABEL + MARGIN,      /* with kernel space's own regions    */
    TOP = 132,                                      /* title and headings                 */
    LINE = 17, PAD = 11,                            /* a line of a note; above and below  */
    NAME_LINE = 20,
    CHARACTER = 7,                                  /* average width of a note's letter, generously */
    FOOT = 118,
};

/* One box of a column. */
struct box {
    const struct place *place;
    struct look look;
    const char *rights, *detail;    /* detail: the second line of facts, or "" */
    const char *below;              /* the address at its lower border  */
    bool differs;                   /* the row differs from the other document's */
    double y, height;
};

struct column {
    struct box *boxes;
    uint32_t count;
    double x, width, top, bottom;
    const char *end;                /* the address at the upper border  */
    bool labels_right;
};

static bool has_own(const struct document *d) { return d->region_count > d->common_count; }

/* ---- Choosing ------------------------------------------------------------------------ */

static const char *region_rights(const struct document *d, const struct region *r)
{
    if (r->backing == BACKING_NONE)
        return "never mapped";
    if (r->backing == BACKING_ALIAS)
        return source_print(d->source, "the entries of %s", r->alias);
    if (r->user == 0)
        return rights_text(r->kernel);
    return source_print(d->source, "%s, user %s", rights_text(r->kernel), rights_text(r->user));
}

static const char *region_detail(const struct document *d, const struct region *r)
{
    const char *detail = "";
    struct source *s = d->source;

    if (r->purpose == PURPOSE_STACKS || r->guard > 0 || r->maximum > 0) {
        if (r->unit > 0)
            detail = source_print(s, r->each ? "%s each" : "by %s", size_text(s, r->unit));
        if (r->maximum > 0)
            detail = source_print(s, "%s, at most %s", detail, size_text(s, r->maximum));
        if (r->guard > 0)
            detail = source_print(s, "%s, a guard of %s below each", detail, size_text(s, r->guard));
        if (r->no_guard != NULL)
            detail = source_print(s, "%s, no guard", detail);
    }
    if (r->scope == SCOPE_PROCESS)
        detail = source_print(s, "%s%sof each process its own", detail, *detail == '\0' ? "" : "; ");
    return detail;
}

/* The processor's tables that a physical range holds. */
static const char *structures_in(const struct document *d, const struct place *p)
{
    const char *all = "";

    for (uint32_t i = 0; i < d->structure_count; i++) {
        const struct place *s = &d->structures[i].place;

        if (!p->start.floats && !p->end.floats && p->start.at <= s->start.at && s->start.at < p->end.at)
            all = source_print(d->source, "%s%s%s at 0x%" PRIX64, all, *all == '\0' ? "" : ", ", s->name,
                               s->start.at);
    }
    return all;
}

static bool structures_differ(const struct document *d, const struct document *other, const struct place *p)
{
    return strcmp(structures_in(d, p), structures_in(other, p)) != 0;
}

static const char *border_below(const struct document *d, struct border b)
{
    if (b.floats)
        return source_print(d->source, "end of %s", word_of(section_words, b.after)->text);
    return source_print(d->source, "0x%08" PRIX64, b.at);
}

/* ---- Measuring ----------------------------------------------------------------------- */

static int note_limit(const struct column *t)
{
    return ((int)t->width - 34) / CHARACTER;
}

/* The logarithm, to base 2, of the box's size in pages; 7 where its end floats. */
static int column_doublings(const struct column *t, uint32_t box)
{
    uint64_t end = t->boxes[box].place->end.at, size;
    int count = 0;

    if (t->boxes[box].place->end.floats)
        return 7;
    while (t->boxes[box].place->start.floats)
        box--;
    for (size = (end - t->boxes[box].place->start.at) / PAGE; size > 1; size >>= 1)
        count++;
    return count;
}

/* Every box has room for its words; the rest of `least` is divided among the boxes by their logarithms. */
static void measure_column(struct column *t, double least)
{
    double height = 0, weights = 0, y = TOP, spare;

    for (uint32_t i = 0; i < t->count; i++) {
        struct box *b = &t->boxes[i];

        b->height = 2 * PAD + NAME_LINE + 2 * column_doublings(t, i) +
                    LINE * (line_count(b->place->note, note_limit(t)) + (*b->detail != '\0'));
        height += b->height;
        weights += 1 + column_doublings(t, i);
    }
    spare = least > height ? least - height : 0;
    t->top = TOP;
    t->bottom = TOP + height + spare;
    for (uint32_t i = t->count; i-- > 0;) {
        struct box *b = &t->boxes[i];

        b->height += spare * (1 + column_doublings(t, i)) / weights;
        b->y = y;
        y += b->height;
    }
}

/* The boxes of a column of regions, from `first` on. */
static void fill_column(const struct document *d, const struct document *other, struct column *t,
                        const struct region *first)
{
    t->boxes = source_keep(d->source, t->count * sizeof(*t->boxes));
    for (uint32_t i = 0; i < t->count; i++) {
        const struct region *r = &first[i];

        t->boxes[i] = (struct box){ .place = &r->place,
                                    .look = look_of_region(r->purpose, r->backing),
                                    .rights = region_rights(d, r),
                                    .detail = region_detail(d, r),
                                    .below = border_below(d, r->place.start),
                                    .differs = other != NULL && region_differs(other, r) };
    }
}

static struct column virtual_column(const struct document *d, const struct document *other)
{
    struct column t = { .x = VIRTUAL_X, .width = VIRTUAL_WIDTH, .count = d->common_count, .end = "4 GiB" };

    fill_column(d, other, &t, d->regions);
    return t;
}

/* The boxes of kernel space's own regions, at the addresses of programs. */
static struct column own_column(const struct document *d, const struct document *other)
{
    struct column t = { .x = OWN_X,
                        .width = OWN_WIDTH,
                        .count = d->region_count - d->common_count,
                        .labels_right = true };

    fill_column(d, other, &t, &d->regions[d->common_count]);
    t.end = border_below(d, d->purpose[PURPOSE_USER]->place.end);
    return t;
}

static struct column physical_column(const struct document *d, const struct document *other)
{
    struct column t = { .x = PHYSICAL_X, .width = PHYSICAL_WIDTH, .count = d->physical_count,
                       .end = "4 GiB", .labels_right = true };

    t.boxes = source_keep(d->source, t.count * sizeof(*t.boxes));
    for (uint32_t i = 0; i < t.count; i++) {
        const struct physical *p = &d->physical[i];

        t.boxes[i] =
            (struct box){ .place = &p->place,
                          .look = look_of_use(p->use),
                          .detail = structures_in(d, &p->place),
                          .rights = word_of(use_words, p->use)->text,
                          .differs = other != NULL &&
                                     (physical_differs(other, p) || structures_differ(d, other, &p->place)),
                          .below = p->place.start.floats ? "end of image" : border_below(d, p->place.start) };
    }
    return t;
}

/* ---- Drawing ------------------------------------------------------------------------- */

static void draw_label(FILE *out, const struct column *t, double y, const char *text)
{
    static const char *const classes[2][2] = { { "address end", "address" }, { "floating end", "floating" } };
    double edge = t->labels_right ? t->x + t->width : t->x;
    double away = t->labels_right ? 1 : -1;

    fprintf(out, "<path d=\"M%.1f %.1f h%.1f\" class=\"tick\"/>\n", edge, y, away * 8);
    svg_text(out, edge + away * 13, y + 4, classes[strncmp(text, "end", 3) == 0][t->labels_right], text);
}

static void draw_box(FILE *out, const struct column *t, const struct box *b)
{
    const char *note = b->place->note, *size = b->place->size_floats ? "" : b->place->size_words;
    double lines = line_count(note, note_limit(t)) + (*b->detail != '\0');
    double y = b->y + (b->height - NAME_LINE - lines * LINE) / 2 + 15;

    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" class=\"box\"/>\n",
            t->x, b->y, t->width, b->height, b->look.fill);
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"7\" height=\"%.1f\" fill=\"%s\"/>\n", t->x, b->y,
            b->height, b->look.edge);
    if (b->differs)
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"differs\"/>\n", t->x + 2,
                b->y + 2, t->width - 4, b->height - 4);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"><tspan class=\"name\">%s</tspan>"
            "<tspan class=\"rights\" dx=\"12\">%s</tspan></text>\n", t->x + 20, y, b->place->name, b->rights);
    svg_text(out, t->x + t->width - 14, y, "size end", size);
    for (y += LINE + 2; *note != '\0'; y += LINE) {
        int length = line_length(note, note_limit(t));

        svg_text_part(out, t->x + 20, y, "note", note, length);
        note += length;
        note += strspn(note, " ");
    }
    if (*b->detail != '\0')
        svg_text(out, t->x + 20, y, "detail", b->detail);
}

static void draw_column(FILE *out, const struct column *t, const char *heading)
{
    svg_text(out, t->x, t->top - 22, "heading", heading);
    for (uint32_t i = 0; i < t->count; i++)
        draw_box(out, t, &t->boxes[i]);
    for (uint32_t i = 0; i < t->count; i++)
        draw_label(out, t, t->boxes[i].y + t->boxes[i].height, t->boxes[i].below);
    draw_label(out, t, t->top, t->end);
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"frame\"/>\n", t->x,
            t->top, t->width, t->bottom - t->top);
}

/* The height in the physical column of an address; inside a box, in proportion to its size. */
static double physical_y(const struct document *d, const struct column *t, uint64_t at)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct place *p = &d->physical[i].place;
        double bottom = t->boxes[i].y + t->boxes[i].height;

        if (!p->start.floats && at == p->start.at)
            return bottom;
        if (p->start.floats && (p->end.floats || at < p->end.at))   /* somewhere behind the image: half of that box */
            return bottom - t->boxes[i].height / 2;
        if (!p->end.floats && at < p->end.at)
            return bottom -
                   t->boxes[i].height * (double)(at - p->start.at) / (double)(p->end.at - p->start.at);
    }
    return t->top;
}

static bool shows_physical(const struct region *r)
{
    return r->backing == BACKING_FIXED || r->backing == BACKING_IMAGE;
}

/* How far a region that shows physical memory lies above it. */
static uint64_t distance(const struct document *d, const struct region *r)
{
    if (r->backing == BACKING_IMAGE || r->physical.floats)
        return d->kernel_offset;
    return r->place.start.at - r->physical.at;
}

/* Where bands begin and end: at the edges of the columns that face each other. */
struct gap { double from, to; };

/* A band from boxes [first, last] of a column, whose regions are `row` and those after it, to the memory they show. */
static void draw_band(const struct document *d, FILE *out, const struct column *v, const struct region *row,
                      const struct column *p, struct gap gap, uint32_t first, uint32_t last)
{
    uint64_t away = distance(d, &row[first]);
    uint64_t start = row[first].place.start.at - away, end = region_limit(d, &row[last]) - away;
    double middle = (gap.from + gap.to) / 2;
    double top = v->boxes[last].y, bottom = v->boxes[first].y + v->boxes[first].height;
    double to_top = physical_y(d, p, end), to_bottom = physical_y(d, p, start);

    fprintf(out, "<path class=\"band\" d=\"M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f L%.1f %.1f "
            "C%.1f %.1f %.1f %.1f %.1f %.1f Z\"/>\n", gap.from, top, middle, top, middle, to_top, gap.to, to_top,
            gap.to, to_bottom, middle, to_bottom, middle, bottom, gap.from, bottom);
}

static void draw_bands(const struct document *d, FILE *out, const struct column *v, const struct region *row,
                       const struct column *p, struct gap gap)
{
    for (uint32_t first = 0, last; first < v->count; first = last + 1) {
        const struct region *r = &row[first];

        last = first;
        if (!shows_physical(r))
            continue;
        while (last + 1 < v->count && shows_physical(&row[last + 1]) && distance(d, &row[last + 1]) == distance(d, r))
            last++;
        draw_band(d, out, v, row, p, gap, first, last);
    }
}

static void draw_user_border(FILE *out, const struct column *t, double y, const char *above, const char *below)
{
    fprintf(out, "<path d=\"M%.1f %.1f H%.1f\" stroke=\"#222\" stroke-width=\"2.6\"/>\n", t->x - 8, y,
            t->x + t->width + 8);
    svg_text(out, t->x - 13, y - 12, "side end", above);
    svg_text(out, t->x - 13, y + 20, "side end", below);
}

/* The borders between the program and the kernel, as the "user space" arrow of the design documents. */
static void draw_user_borders(const struct document *d, FILE *out, const struct column *t)
{
    const struct region *user = d->purpose[PURPOSE_USER];
    const double top = t->boxes[user - d->regions].y, height = t->boxes[user - d->regions].height;

    draw_user_border(out, t, top, "kernel", "program");      /* the last page is never the program's: check_top() */
    for (const struct region *r = d->regions; r < user; r++)
        if (r->backing != BACKING_NONE) {
            draw_user_border(out, t, top + height, "program", "kernel");
            break;
        }
}

/* One line with all policies; those that differ from the other document's are marked. */
static void draw_policies(const struct document *d, const struct document *other, FILE *out, double y)
{
    static const struct { enum policy_key key; const char *before, *behind; } all[] = {
        { POLICY_ACCESS, "Table access: ", ".  " },    { POLICY_POLARITY, "Bitmap: ", ", " },
        { POLICY_BITMAP, "", ".  " },                  { POLICY_SEARCH, "Search: ", ".  " },
        { POLICY_UNLISTED, "Unlisted memory: ", ".  " }, { POLICY_ZEROING, "Zeroed: ", ".  " },
        { POLICY_EXHAUSTION, "Exhaustion: ", ".  " },  { POLICY_MAGAZINE, "Magazine: ", " frames." },
    };

    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"note\">", (double)MARGIN, y);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        bool differs = other != NULL && policy_differs(other, d, all[i].key);

        fprintf(out, "%s%s%s%s%s", all[i].before, differs ? "<tspan class=\"other\">" : "",
                policy_choice(d, all[i].key), differs ? "</tspan>" : "", all[i].behind);
    }
    fprintf(out, "</text>\n");
}

static void draw_foot(const struct document *d, const struct document *other, FILE *out, double y, int width)
{
    fprintf(out, "<path d=\"M%d %.1f H%d\" class=\"tick\"/>\n", MARGIN, y, width - MARGIN);
    svg_text(out, MARGIN, y + 26, "note", "Rights are the kernel's unless they say user: r read, w write, "
             "x execute. Hatched: never mapped. Heights grow with the logarithm of the size.");
    draw_policies(d, other, out, y + 52);
    if (other != NULL)
        svg_text(out, MARGIN, y + 74, "note",
                 source_print(d->source, "In a thick frame, or in red: what %s says otherwise, or does not have.",
                              other->name));
}

static const char style[] =
    "<style>\n"
    "text{font-family:'DejaVu Sans',Helvetica,Arial,sans-serif;font-size:12.5px;fill:#222}\n"
    ".title{font-size:25px;font-weight:bold}.subtitle{font-size:15px;fill:#555}\n"
    ".heading{font-size:16px;font-weight:bold;fill:#333}\n"
    ".name{font-size:14.5px;font-weight:bold}.rights,.address{font-family:'DejaVu Sans "
    "Mono',monospace;fill:#333}\n"
    ".rights{font-size:12px;fill:#555}.address{font-size:11.5px}.floating{font-style:italic;font-size:11.5px;"
    "fill:#666}\n"
    ".size{font-size:12.5px;fill:#333}.note{fill:#444}.detail{font-style:italic;fill:#666}.end{text-anchor:"
    "end}\n"
    ".box{stroke:#8a8a8a;stroke-width:.7}.frame{fill:none;stroke:#444;stroke-width:1.4}\n"
    ".differs{fill:none;stroke:#b3261e;stroke-width:3.2}.other{fill:#b3261e;font-weight:bold}\n"
    ".side{font-size:12px;font-weight:bold}.tick{stroke:#777;stroke-width:.8;fill:none}.band{fill:#7d93a5;"
    "fill-opacity:.16;stroke:#7d93a5;"
    "stroke-opacity:.55;stroke-width:.8}\n"
    "</style>\n";

static void draw_own(const struct document *d, FILE *out, const struct column *own, const struct column *p)
{
    draw_bands(d, out, own, &d->regions[d->common_count], p, (struct gap){ OWN_X, PHYSICAL_X + PHYSICAL_WIDTH });
    draw_column(out, own, "Kernel space, in place of the program");
}

struct size { double width, height; };

/* A whole drawing of one document, without the <svg> element around it. Returns its size. */
static struct size draw_picture(const struct document *d, const struct document *other, FILE *out)
{
    struct column v = virtual_column(d, other), p = physical_column(d, other), own = { .bottom = TOP };
    int width = has_own(d) ? WIDE : WIDTH;
    double bottom;

    measure_column(&v, 0);
    if (has_own(d)) {
        own = own_column(d, other);
        measure_column(&own, v.bottom - TOP);
    }
    measure_column(&p, (own.bottom > v.bottom ? own.bottom : v.bottom) - TOP);
    bottom = p.bottom;                  /* the shorter columns stretch to the tallest */
    measure_column(&v, bottom - TOP);
    if (has_own(d))
        measure_column(&own, bottom - TOP);
    svg_text(out, MARGIN, 52, "title", d->name);
    svg_text(out, MARGIN, 76, "subtitle", d->title);
    draw_bands(d, out, &v, d->regions, &p, (struct gap){ VIRTUAL_X + VIRTUAL_WIDTH, PHYSICAL_X });
    draw_column(out, &v, "Virtual memory");
    draw_column(out, &p, "Physical memory");
    draw_user_borders(d, out, &v);
    if (has_own(d))
        draw_own(d, out, &own, &p);
    draw_foot(d, other, out, bottom + 40, width);
    return (struct size){ width, bottom + FOOT };
}

/* The drawing is kept in memory until its size is known. The caller frees it. */
static char *drawn(const struct document *d, const struct document *other, struct size *size)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return NULL;
    *size = draw_picture(d, other, out);
    fclose(out);
    return text;
}

static void begin_svg(FILE *out, struct size all)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n",
            all.width, all.height, all.width, all.height);
    fputs(style, out);
    fprintf(out, "<defs>\n%s</defs>\n", svg_patterns);
    fprintf(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
}

void picture_svg(const struct document *d, FILE *out)
{
    struct size size = { 0, 0 };
    char *text = drawn(d, NULL, &size);

    begin_svg(out, size);
    fprintf(out, "%s</svg>\n", text != NULL ? text : "");
    free(text);
}

void picture_svg_against(const struct document *d, const struct document *other, FILE *out)
{
    struct size left = { 0, 0 }, right = { 0, 0 };
    char *one = drawn(d, other, &left), *two = drawn(other, d, &right);

    begin_svg(out, (struct size){ left.width + right.width, left.height > right.height ? left.height : right.height });
    fprintf(out, "%s<g transform=\"translate(%.0f 0)\">\n%s</g>\n</svg>\n", one != NULL ? one : "", left.width,
            two != NULL ? two : "");
    free(one);
    free(two);
}
