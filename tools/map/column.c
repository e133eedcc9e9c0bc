/* column.c - boxes, strips, owners, and the table of owners of physical memory. See column.h. */
#include "column.h"

#include "layout/quantity.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- Owners --------------------------------------------------------------------------- */

/* Patterns differ in form, not only in colour: printers are often black and white. */
const struct owner_look owner_looks[] = {
    { "free",    '.', { "#ffffff", "#9a9a9a" }, "" },
    { "held",    'x', { "#ececec", "#777777" }, "<path d=\"M0 0L6 6M6 0L0 6\"/>" },
    { "image",   'I', { "#d7e5f7", "#2f5f9c" }, "<rect width=\"6\" height=\"6\" class=\"full\"/>" },
    { "boot",    'B', { "#ececec", "#777777" }, "<path d=\"M0 3H6\"/>" },
    { "bitmap",  'b', { "#f8efd6", "#a5813a" }, "<path d=\"M0 1.5H6M0 4.5H6\"/>" },
    { "records", 'R', { "#f8efd6", "#a5813a" }, "<path d=\"M1.5 0V6M4.5 0V6\"/>" },
    { "tables",  'T', { "#dcd4ef", "#5b4796" }, "<path d=\"M3 0V6M0 3H6\"/>" },
    { "trackers", 'k', { "#e9e2f6", "#6f5aae" }, "<path d=\"M0 1.5H6M1.5 3V6M4.5 3V6\"/>" },
    { "heap",    'H', { "#fdf0c8", "#a47f17" }, "<circle cx=\"3\" cy=\"3\" r=\"1.6\" class=\"full\"/>" },
    { "stacks",  'S', { "#fbe3cd", "#b06a2a" }, "<path d=\"M0 6L3 0L6 6\"/>" },
    { "process", 'P', { "#f7dedb", "#a1483f" }, "<rect x=\"1.2\" y=\"1.2\" width=\"3.6\" height=\"3.6\"/>" },
    { "user",    'u', { "#e4f1df", "#4d7d3a" }, "<path d=\"M-1 7L7 -1M-1 1L1 -1M5 7L7 5\"/>" },
    { "shared",  's', { "#d9efe9", "#2f7f72" }, "<path d=\"M-1 -1L7 7M-1 5L1 7M5 -1L7 1\" class=\"thick\"/>" },
    { "files",   'f', { "#dbeaf0", "#3f7890" }, "<path d=\"M-1 -1L7 7M-1 5L1 7M5 -1L7 1\"/>" },
    { "packed",  'z', { "#e6eef2", "#46697a" }, "<path d=\"M0 1H6M0 2.5H6M0 4H6M0 5.5H6\"/>" },
    { "cache",   'c', { "#eef3e0", "#7f8f3f" }, "<path d=\"M1 1H2V2H1zM4 4H5V5H4z\" class=\"full\"/>" },
    { "pages",   'p', { "#e8e4d8", "#6e6650" }, "<path d=\"M0 1.5H6M3 3V6\"/>" },
    { "test",    't', { "#f3e0f0", "#8f3f84" }, "<circle cx=\"3\" cy=\"3\" r=\"2\"/>" },
    { "absent",  ' ', { "url(#hole)", "#bbbbbb" }, "" },
    { "several", '*', { "#eef1f3", "#5f6f7c" }, "<path d=\"M0 0H3V3H0ZM3 3H6V6H3Z\" class=\"full\"/>" },
};
const size_t owner_look_count = sizeof(owner_looks) / sizeof(owner_looks[0]);

const struct owner_look *owner_look(const char *owner)
{
    for (size_t i = 0; i < owner_look_count; i++)
        if (strcmp(owner_looks[i].owner, owner) == 0)
            return &owner_looks[i];
    return &owner_looks[owner_look_count - 1];
}

/* ---- Strips --------------------------------------------------------------------------- */

void strip_add(struct source *source, struct strip *strip, uint64_t pages, const char *owner)
{
    struct strip_part *last = strip->count > 0 ? &strip->parts[strip->count - 1] : NULL;
    bool same = last != NULL && (last->owner == owner ||
                                 (last->owner != NULL && owner != NULL && strcmp(last->owner, owner) == 0));

    strip->pages += pages;
    if (same) {
        last->pages += pages;
        return;
    }
    if ((strip->count & (strip->count - 1)) == 0) {
        struct strip_part *more = source_keep(source, (strip->count == 0 ? 1 : strip->count * 2) * sizeof(*more));

        if (strip->count > 0)
            memcpy(more, strip->parts, strip->count * sizeof(*more));
        strip->parts = more;
    }
    strip->parts[strip->count++] = (struct strip_part){ pages, owner };
}

/* The owner of the most of pages [from, to); any page present counts more than absent pages, so a single page shows. */
static char letter_of(const struct strip *strip, uint64_t from, uint64_t to)
{
    uint64_t at = 0, most = 0, of_look[64] = { 0 };
    char letter = '.';

    for (size_t i = 0; i < strip->count && at < to; at += strip->parts[i++].pages) {
        const struct strip_part *part = &strip->parts[i];
        uint64_t low = at > from ? at : from, high = at + part->pages < to ? at + part->pages : to;
        const struct owner_look *look = part->owner != NULL ? owner_look(part->owner) : NULL;

        if (high <= low || look == NULL)
            continue;
        of_look[look - owner_looks] += high - low;
        if (of_look[look - owner_looks] > most) {
            most   = of_look[look - owner_looks];
            letter = look->letter;
        }
    }
    return letter;
}

void strip_letters(const struct strip *strip, char *to, size_t width)
{
    size_t cells = strip->pages < width ? (size_t)strip->pages : width;

    for (size_t i = 0; i < cells; i++)
        to[i] = letter_of(strip, strip->pages * i / cells, strip->pages * (i + 1) / cells);
    to[cells] = '\0';
}

/* ---- Boxes ----------------------------------------------------------------------------- */

struct box *column_add(struct source *source, struct column *column)
{
    if ((column->count & (column->count - 1)) == 0) {
        struct box *more = source_keep(source, (column->count == 0 ? 1 : column->count * 2) * sizeof(*more));

        if (column->count > 0)
            memcpy(more, column->boxes, column->count * sizeof(*more));
        column->boxes = more;
    }
    column->boxes[column->count] = (struct box){ .name = "", .rights = "", .size = "" };
    return &column->boxes[column->count++];
}

void column_turn(struct column *column)
{
    for (size_t low = 0, high = column->count; low + 1 < high; low++) {
        struct box box = column->boxes[low];

        column->boxes[low]    = column->boxes[--high];
        column->boxes[high]   = box;
    }
}

static void add_fact(struct source *source, struct box *box, bool table, const char *format, va_list values)
{
    struct fact *facts = source_keep(source, (box->fact_count + 1) * sizeof(*facts));
    char *text;

    if (vasprintf(&text, format, values) < 0)
        abort();
    if (box->fact_count > 0)
        memcpy(facts, box->facts, box->fact_count * sizeof(*facts));
    facts[box->fact_count++] = (struct fact){ source_text(source, text, strlen(text)), table };
    box->facts = facts;
    free(text);
}

void box_say(struct source *source, struct box *box, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    add_fact(source, box, false, format, values);
    va_end(values);
}

void box_list(struct source *source, struct box *box, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    add_fact(source, box, true, format, values);
    va_end(values);
}

const char *pages_text(struct source *source, uint64_t pages)
{
    return pages == 1 ? "1 page" : source_print(source, "%" PRIu64 " pages", pages);
}

const char *short_size(struct source *source, uint64_t bytes)
{
    const char *exact = size_text(source, bytes), *unit = bytes >> 30 != 0 ? "GiB" : bytes >> 20 != 0 ? "MiB" : "KiB";
    unsigned shift = bytes >> 30 != 0 ? 30 : bytes >> 20 != 0 ? 20 : 10;

    if (strstr(exact, " and ") == NULL && strstr(exact, " less ") == NULL)
        return exact;
    return source_print(source, "%.1f %s", (double)bytes / (double)(UINT64_C(1) << shift), unit);
}

const char *rights_of_run(struct source *source, const struct run *run)
{
    if (strcmp(run->kind, "present") != 0)
        return run->kind;
    return strcmp(run->user, "---") == 0 ? run->kernel : source_print(source, "%s user %s", run->kernel, run->user);
}

/* ---- The table of owners ----------------------------------------------------------------- */

static int by_frames(const void *one, const void *other)
{
    const struct share *a = one, *b = other;

    return a->frames != b->frames ? (a->frames < b->frames ? 1 : -1) : strcmp(a->owner, b->owner);
}

/* The shares are counted from the runs of frames, and compared with the pool's own sums. */
static void count_shares(struct picture *p, struct source *source, const struct snapshot *s)
{
    bool agree = true;

    p->shares = source_keep(source, (s->owner_count + 1) * sizeof(*p->shares));
    for (size_t i = 0; i < s->owner_count; i++) {
        struct share *share = &p->shares[p->share_count++];

        *share = (struct share){ s->owners[i].owner, s->owners[i].text, 0 };
        for (size_t n = 0; n < s->frames_count; n++)
            if (strcmp(s->frames[n].owner, share->owner) == 0)
                share->frames += s->frames[n].frames;
        agree = agree && share->frames == s->owners[i].frames;
        p->sum += share->frames;
    }
    p->ram = s->ram;
    p->sound   = p->sum == p->ram && agree;
    p->verdict = p->sum != p->ram ? "DIFFERS from all RAM" : agree ? "equals all RAM: every frame has an owner"
                                  : "equals all RAM, but the pool's own sums differ";
    qsort(p->shares, p->share_count, sizeof(*p->shares), by_frames);
}

void picture_make(struct picture *out, struct source *source, const struct snapshot *s)
{
    *out = (struct picture){ .title = source_print(source, "Memory of layout %s, as it is", s->layout),
                             .subtitle = s->title };
    out->moment = source_print(source, "%s; %" PRIu64 " frames of RAM, %s%s", s->moment, s->ram,
                               short_size(source, s->ram * PAGE),
                               s->cut > 0 ? "; the end of the snapshot is missing" : "");
    count_shares(out, source, s);
    out->physical  = column_physical(source, s);
    out->kernel    = column_kernel(source, s);
    out->processes = source_keep(source, (s->process_count + 1) * sizeof(*out->processes));
    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].shares == 0)
            out->processes[out->process_count++] = column_process(source, s, &s->processes[i]);
}
