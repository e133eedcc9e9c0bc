/*
 * column.h - a snapshot as columns of boxes, independent of their drawing.
 *
 * Physical memory is a column, kernel space is one, each process is one. Boxes come from the top down, each ends where
 * the one above it starts, and together they cover the column's range. Both drawings (draw.h) show the same
 * columns, so they cannot disagree.
 *
 * A strip has the owner of each page of a box: neighbours of one owner are one part. It is drawn as a bar of patterns,
 * or as a line of letters; each owner has a letter.
 */
#ifndef QUIRE_MAP_COLUMN_H
#define QUIRE_MAP_COLUMN_H

#include "layout/drawing.h"
#include "snapshot.h"

/* All owners of frames, and two entries more: no page, and several owners. */
struct owner_look {
    const char *owner;
    char        letter;
    struct look look;
    const char *pattern;                /* the contents of an SVG pattern of 6 by 6; its edge's colour is `stroke` */
};
extern const struct owner_look owner_looks[];
extern const size_t owner_look_count;
const struct owner_look *owner_look(const char *owner);        /* the last entry for an unknown owner */

struct strip_part { uint64_t pages; const char *owner; };       /* owner NULL: no page */
struct strip {
    struct strip_part *parts;           /* from the lowest address up */
    size_t             count;
    uint64_t           pages;
};

/* A strip as `width` letters: '.' for no page, else the letter of the owner with the most pages. */
void strip_letters(const struct strip *strip, char *to, size_t width);

enum box_kind { BOX_THERE, BOX_HOLE, BOX_ALIAS };

struct fact { const char *text; bool table; };                  /* table: the text has columns that must be aligned */

struct box {
    uint64_t      start, end;           /* bytes */
    enum box_kind kind;
    struct look   look;
    const char   *owner;                /* the owner whose pattern the edge has, or NULL */
    const char   *row;                  /* the row of the document it shows, or NULL           */
    bool          of_physical;          /* `row` is one of physical memory                   */
    const char   *heading;              /* the heading of this box and those below; or NULL */
    const char   *name, *rights, *size; /* one line; rights and size may be "" */
    struct fact  *facts;
    size_t        fact_count;
    struct strip  strip;                /* count 0: none */
};

struct column {
    const char *title, *subtitle;
    struct box *boxes;                  /* from the top down */
    size_t      count;
};

/* One line of the table of owners. */
struct share { const char *owner, *text; uint64_t frames; };

struct picture {
    const char    *title, *subtitle, *moment;
    struct share  *shares;              /* by frames, falling; as counted from the runs of frames */
    size_t         share_count;
    uint64_t       sum, ram;            /* of the shares; all RAM, as the pool counts it */
    const char    *verdict;             /* whether shares, their sum and the pool's sums agree */
    bool           sound;               /* they do                                             */
    struct column   physical, kernel, *processes;
    size_t         process_count;
};

/* All memory of the picture belongs to the source. */
void picture_make(struct picture *out, struct source *source, const struct snapshot *snapshot);

/* ---- For the makers of columns: column_*.c ---- */

struct box *column_add(struct source *source, struct column *column);  /* as the highest, until column_turn() */
void column_turn(struct column *column);                               /* boxes were added from the bottom up */
void box_say(struct source *source, struct box *box, const char *format, ...) PRINTF_LIKE(3, 4);
void box_list(struct source *source, struct box *box, const char *format, ...) PRINTF_LIKE(3, 4);
void strip_add(struct source *source, struct strip *strip, uint64_t pages, const char *owner);
const char *pages_text(struct source *source, uint64_t pages);          /* "1 page", "12 pages" */
const char *short_size(struct source *source, uint64_t bytes);          /* exact where that is short, else "3.8 GiB" */
const char *rights_of_run(struct source *source, const struct run *run);

struct column column_physical(struct source *source, const struct snapshot *snapshot);
struct column column_kernel(struct source *source, const struct snapshot *snapshot);
struct column column_process(struct source *source, const struct snapshot *snapshot, const struct process *process);

#endif
