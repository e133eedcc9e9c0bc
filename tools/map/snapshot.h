/*
 * snapshot.h - reading a snapshot of a guest's memory: the lines of kernel/init/snapshot.h.
 *
 * Addresses and counts have the units of the lines: bytes, and pages or frames of PAGE bytes. All memory belongs to the
 * source (layout/source.h); text points into the lines.
 */
#ifndef QUIRE_MAP_SNAPSHOT_H
#define QUIRE_MAP_SNAPSHOT_H

#include "layout/source.h"

#define NO_ADDRESS UINT64_MAX

/* A list that grows; `count` things of one kind. */
struct frames_run { uint64_t start, frames; const char *owner; };
struct owner_sum  { const char *owner, *text; uint64_t frames; };
struct physical_row { uint64_t start, end; const char *use, *name; };
struct processor_table { const char *name; uint64_t at; };
struct firmware   { uint64_t start, frames; bool ram; };
struct virtual_row { uint64_t start, pages, unit, guard; const char *kernel, *user, *backing, *scope, *name; };

struct run {
    uint64_t start, pages, shared, frame;               /* frame: NO_ADDRESS when they are not in a row */
    const char *kind, *kernel, *user, *cache, *owner, *name;
};

/* A region of a process, or (rights NULL) a row of the document that each space has its own of. */
struct mapping {
    uint64_t    start, pages, most, gap;                /* 0 pages: a row of the document */
    const char *rights, *name;
    struct run *runs;                                   /* falling */
    size_t      run_count;
};

struct process {
    uint64_t        id, parent, threads, tables, resident, shares;      /* shares: 0, or the space's process */
    const char     *name;
    struct mapping *mappings;                           /* regions rising, then rows */
    size_t          mapping_count;
};

struct snapshot {
    const char *layout, *title, *moment;
    uint64_t    ram, kernel_tables, cut;                /* cut: lines that had no room */
    struct owner_sum    *owners;        size_t owner_count;
    struct physical_row *rows;          size_t row_count;
    struct processor_table *structures; size_t structure_count;
    struct firmware     *firmware;      size_t firmware_count;
    struct frames_run   *frames;        size_t frames_count;
    struct virtual_row  *regions;       size_t region_count;
    struct run          *runs;          size_t run_count;               /* the runs of kernel space */
    struct process      *processes;     size_t process_count;
};

/*
 * Read the lines; `text` is cut in place and must be kept. False when a line is invalid: source->complaints then names
 * the first invalid line.
 */
bool snapshot_read(struct snapshot *out, struct source *source, char *text, size_t length);

#endif
