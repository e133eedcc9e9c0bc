/*
 * column_physical.c - physical memory by owner.
 *
 * The borders of the document's rows are borders of boxes. In a row, a long run of frames of one owner is a box, and so
 * is each part with a place of its own (image, bitmap, records, holes); the short runs between are one box together, in
 * whose strip each of them is to be seen. See column.h.
 */
#include "column.h"

#include "layout/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_BOX = 32, BOXES_OF_RAM = 128 };    /* frames that are a box at least; and a share of RAM that is one */

/* A piece of a row: frames of one owner. */
struct piece { uint64_t start, end; const char *owner; };

struct maker {
    struct source         *source;
    const struct snapshot *snapshot;
    struct column          *column;
    const struct physical_row *row;
};

static struct box *physical_add(struct maker *m, uint64_t start, uint64_t end, const char *owner, const char *name)
{
    struct box *box = column_add(m->source, m->column);

    box->start = start;
    box->end   = end;
    box->owner = owner;
    box->row   = m->row->name;
    box->of_physical = true;
    box->look  = owner_look(owner)->look;
    box->name  = name;
    box->size = source_print(m->source, "%" PRIu64 " frame%s, %s", (end - start) / PAGE, end - start == PAGE ? "" : "s",
                             short_size(m->source, end - start));
    return box;
}

/* ---- Where no RAM is --------------------------------------------------------------------- */

/* The kind of an address without RAM: a device's window, reserved by firmware, or unused. */
struct place_kind { const char *name, *fact; uint64_t end; };

static void nearer(struct place_kind *kind, uint64_t at, uint64_t start)
{
    if (start > at && start < kind->end)
        kind->end = start;
}

static struct place_kind kind_at(struct maker *m, uint64_t at, uint64_t end)
{
    const struct snapshot *s = m->snapshot;
    struct place_kind kind = { "no RAM", NULL, end };

    for (size_t i = 0; i < s->firmware_count; i++) {
        const struct firmware *range = &s->firmware[i];
        uint64_t stop = range->start + range->frames * PAGE;

        nearer(&kind, at, range->start);
        if (!range->ram && range->start <= at && at < stop)
            kind = (struct place_kind){ "reserved", "kept by firmware or a device", stop < end ? stop : end };
    }
    for (size_t i = 0; i < s->run_count; i++) {
        const struct run *run = &s->runs[i];
        uint64_t stop = run->frame + run->pages * PAGE;

        if (run->frame == NO_ADDRESS || strcmp(run->cache, "back") == 0)
            continue;
        nearer(&kind, at, run->frame);
        if (run->frame <= at && at < stop)
            kind = (struct place_kind){ run->name,
                                        source_print(m->source, "a device's, seen at 0x%08" PRIX64 " by the kernel",
                                                     run->start + (at - run->frame)),
                                        stop < end ? stop : end };
    }
    return kind;
}

static void add_absent(struct maker *m, uint64_t start, uint64_t end)
{
    while (start < end) {
        struct place_kind kind = kind_at(m, start, end);
        struct box *box = physical_add(m, start, kind.end, "absent", kind.name);

        box->kind = BOX_HOLE;
        if (kind.fact != NULL) {
            box->kind = BOX_THERE;
            box->look = look_of_use(PHYSICAL_HARDWARE);
            box->owner = NULL;
            box_say(m->source, box, "%s", kind.fact);
        }
        start = kind.end;
    }
}

/* ---- Where RAM is ------------------------------------------------------------------------- */

static const char *text_of(const struct snapshot *s, const char *owner)
{
    for (size_t i = 0; i < s->owner_count; i++)
        if (strcmp(s->owners[i].owner, owner) == 0)
            return s->owners[i].text;
    return "";
}

static const char *backing_at(const struct snapshot *s, uint64_t address)
{
    for (size_t i = 0; i < s->region_count; i++)
        if (s->regions[i].start <= address && address - s->regions[i].start < s->regions[i].pages * PAGE)
            return s->regions[i].backing;
    return "";
}

/* Say which sections of the image the frames hold, and at which addresses the kernel maps them. */
static void say_sections(struct maker *m, struct box *box)
{
    const struct snapshot *s = m->snapshot;

    for (size_t i = 0; i < s->run_count; i++) {
        const struct run *run = &s->runs[i];
        uint64_t end = run->frame + run->pages * PAGE;

        if (run->frame == NO_ADDRESS || end <= box->start || run->frame >= box->end ||
            strcmp(backing_at(s, run->start), "image") != 0)
            continue;
        box_list(m->source, box, "0x%08" PRIX64 " %4" PRIu64 " %s %s", run->frame, run->pages, run->kernel, run->name);
    }
}

static void say_structures(struct maker *m, struct box *box)
{
    const char *all = "";

    for (size_t i = 0; i < m->snapshot->structure_count; i++) {
        const struct processor_table *structure = &m->snapshot->structures[i];

        if (box->start <= structure->at && structure->at < box->end)
            all = source_print(m->source, "%s%s%s at 0x%" PRIX64, all, *all == '\0' ? "" : ", ", structure->name,
                               structure->at);
    }
    if (*all != '\0')
        box_say(m->source, box, "%s", all);
}

static void add_owned(struct maker *m, const struct piece *piece)
{
    struct box *box = physical_add(m, piece->start, piece->end, piece->owner, piece->owner);

    box_say(m->source, box, "%s", text_of(m->snapshot, piece->owner));
    if (strcmp(piece->owner, "image") == 0)
        say_sections(m, box);
    say_structures(m, box);
}

/* "heap 26, user 9, tables 8: 14 runs" */
static void say_parts(struct maker *m, struct box *box, size_t runs)
{
    const char *all = "";

    for (size_t look = 0; look < owner_look_count; look++) {
        uint64_t frames = 0;

        for (size_t i = 0; i < box->strip.count; i++)
            if (owner_look(box->strip.parts[i].owner) == &owner_looks[look])
                frames += box->strip.parts[i].pages;
        if (frames > 0)
            all = source_print(m->source, "%s%s%s %" PRIu64, all, *all == '\0' ? "" : ", ", owner_looks[look].owner,
                               frames);
    }
    box_say(m->source, box, "%s: %zu runs", all, runs);
}

static void add_mixed(struct maker *m, const struct piece *pieces, size_t count)
{
    struct box *box;

    if (count == 1) {
        add_owned(m, pieces);
        return;
    }
    box = physical_add(m, pieces[0].start, pieces[count - 1].end, "several", "several owners");
    for (size_t i = 0; i < count; i++)
        strip_add(m->source, &box->strip, (pieces[i].end - pieces[i].start) / PAGE, pieces[i].owner);
    say_parts(m, box, count);
    say_structures(m, box);
}

/* A run that is a box of its own even when it is short. */
static bool stands_alone(const struct snapshot *s, const struct piece *piece)
{
    static const char *const places[] = { "image", "bitmap", "records", "held", "absent" };
    uint64_t frames = (piece->end - piece->start) / PAGE, share = s->ram / BOXES_OF_RAM;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strcmp(places[i], piece->owner) == 0)
            return true;
    return frames >= (share > LEAST_BOX ? share : LEAST_BOX);
}

static void add_pieces(struct maker *m, const struct piece *pieces, size_t count)
{
    for (size_t i = 0, mixed = 0; i < count; i++) {
        bool alone = stands_alone(m->snapshot, &pieces[i]);

        if (!alone && i + 1 < count)
            continue;
        if (alone && i > mixed)
            add_mixed(m, &pieces[mixed], i - mixed);
        if (!alone)
            add_mixed(m, &pieces[mixed], i + 1 - mixed);
        else if (strcmp(pieces[i].owner, "absent") == 0)
            add_absent(m, pieces[i].start, pieces[i].end);
        else
            add_owned(m, &pieces[i]);
        mixed = i + 1;
    }
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* The runs of frames that lie in a row, cut at its borders; no run lies above the highest RAM. */
static size_t pieces_of(const struct snapshot *s, const struct physical_row *row, struct piece *out)
{
    uint64_t at = row->start;
    size_t count = 0;

    for (size_t i = 0; i < s->frames_count; i++) {
        uint64_t start = s->frames[i].start, end = start + s->frames[i].frames * PAGE;

        if (end <= at || start >= row->end)
            continue;
        end = end < row->end ? end : row->end;
        out[count++] = (struct piece){ at, end, s->frames[i].owner };
        at = end;
    }
    if (at < row->end)
        out[count++] = (struct piece){ at, row->end, "absent" };
    return count;
}

static void add_row(struct maker *m, const struct physical_row *row)
{
    struct piece *pieces = source_keep(m->source, (m->snapshot->frames_count + 1) * sizeof(*pieces));
    size_t before = m->column->count, count = pieces_of(m->snapshot, row, pieces);

    m->row = row;
    add_pieces(m, pieces, count);
    if (m->column->count > before)
        m->column->boxes[m->column->count - 1].heading = source_print(m->source, "%s (%s)", row->name, row->use);
}

struct column column_physical(struct source *source, const struct snapshot *s)
{
    struct column column = { .title = "Physical memory, by owner" };
    struct maker maker = { .source = source, .snapshot = s, .column = &column };

    for (size_t i = 0; i < s->row_count; i++)
        add_row(&maker, &s->rows[i]);
    column_turn(&column);
    column.subtitle = "Headings: the rows of the document. Boxes: runs of frames of one owner; short runs share a box, "
                     "and are told apart in its strip.";
    return column;
}
