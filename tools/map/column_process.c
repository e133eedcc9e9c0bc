/*
 * column_process.c - the space of one process: its regions, their present pages, and the room between. See column.h.
 */
#include "column.h"

#include <inttypes.h>
#include <string.h>

struct maker {
    struct source         *source;
    const struct snapshot *snapshot;
    const struct process  *process;
    struct column          *column;
    uint64_t               at;          /* where the next box begins */
    const char             *row;        /* the document's row that `at` lies in, or NULL */
};

static struct box *process_add(struct maker *m, uint64_t end, enum box_kind kind, struct look look, const char *name)
{
    struct box *box = column_add(m->source, m->column);

    box->start = m->at;
    box->end   = end;
    box->kind  = kind;
    box->look  = look;
    box->name  = name;
    box->row   = m->row;
    box->size  = short_size(m->source, end - m->at);
    m->at = end;
    return box;
}

static void add_hole(struct maker *m, uint64_t end, const char *name)
{
    if (end > m->at)
        process_add(m, end, BOX_HOLE, look_of_region(PURPOSE_PLAIN, BACKING_NONE), name);
}

/* ---- Regions ------------------------------------------------------------------------------ */

static struct look look_of(const struct mapping *map)
{
    if (strcmp(map->name, "[heap]") == 0)
        return look_of_region(PURPOSE_HEAP, BACKING_DEMAND);
    if (map->most > 0)
        return look_of_region(PURPOSE_STACKS, BACKING_DEMAND);
    if (strchr(map->rights, 'x') != NULL)
        return look_of_region(PURPOSE_TEXT, BACKING_DEMAND);
    if (map->name[0] == '/')
        return look_of_region(strchr(map->rights, 'w') != NULL ? PURPOSE_DATA : PURPOSE_RODATA, BACKING_DEMAND);
    return look_of_region(PURPOSE_USER, BACKING_DEMAND);
}

static bool is_there(const struct run *run) { return strcmp(run->kind, "present") == 0; }

static uint64_t resident_of(const struct mapping *map)
{
    uint64_t pages = 0;

    for (size_t i = 0; i < map->run_count; i++)
        pages += is_there(&map->runs[i]) ? map->runs[i].pages : 0;
    return pages;
}

/* The strip of a region's pages. Runs are sorted downwards, the strip goes upwards. */
static void add_to_strip(struct maker *m, const struct mapping *map, struct strip *strip)
{
    uint64_t at = map->start;

    for (size_t i = map->run_count; i-- > 0;) {
        const struct run *run = &map->runs[i];

        if (run->start > at)
            strip_add(m->source, strip, (run->start - at) / PAGE, NULL);
        strip_add(m->source, strip, run->pages, is_there(run) ? run->owner : NULL);
        at = run->start + run->pages * PAGE;
    }
    if (at < map->start + map->pages * PAGE)
        strip_add(m->source, strip, (map->start + map->pages * PAGE - at) / PAGE, NULL);
}

/* "files 258, user 2; 258 seen by others too" */
static const char *owners_of(struct maker *m, const struct mapping *maps, size_t count)
{
    const char *all = "";
    uint64_t shared = 0;

    for (size_t look = 0; look < owner_look_count; look++) {
        uint64_t pages = 0;

        for (size_t n = 0; n < count; n++)
            for (size_t i = 0; i < maps[n].run_count; i++)
                if (is_there(&maps[n].runs[i]) && owner_look(maps[n].runs[i].owner) == &owner_looks[look])
                    pages += maps[n].runs[i].pages;
        if (pages > 0)
            all = source_print(m->source, "%s%s%s %" PRIu64, all, *all == '\0' ? "" : ", ", owner_looks[look].owner,
                               pages);
    }
    for (size_t n = 0; n < count; n++)
        for (size_t i = 0; i < maps[n].run_count; i++)
            shared += maps[n].runs[i].shared;
    return *all == '\0' ? "nothing of it is there yet"
           : shared > 0 ? source_print(m->source, "%s; %" PRIu64 " shared", all, shared) : all;
}

/* Regions of one file that meet are one box with a line for each. */
static size_t belong_together(const struct mapping *maps, size_t count)
{
    size_t n = 1;

    while (n < count && maps[n].pages > 0 && maps[0].name[0] == '/' && strcmp(maps[n].name, maps[0].name) == 0 &&
           maps[n].start == maps[n - 1].start + maps[n - 1].pages * PAGE)
        n++;
    return n;
}

static void add_regions(struct maker *m, const struct mapping *maps, size_t count)
{
    const struct mapping *last = &maps[count - 1];
    uint64_t pages = 0, resident = 0;
    struct strip strip = { 0 };
    struct look look = look_of(&maps[0]);
    struct box *box;

    for (size_t i = 0; i < count; i++) {
        add_to_strip(m, &maps[i], &strip);
        pages    += maps[i].pages;
        resident += resident_of(&maps[i]);
        if (strchr(maps[i].rights, 'x') != NULL)
            look = look_of(&maps[i]);
    }
    box = process_add(m, last->start + last->pages * PAGE, BOX_THERE, look,
                      strcmp(maps[0].name, "-") == 0 ? "anonymous" : maps[0].name);
    box->rights = count == 1 ? maps[0].rights : "";
    box->size   = source_print(m->source, "%" PRIu64 " of %s", resident, pages_text(m->source, pages));
    if (strncmp(maps[0].rights, "---", 3) == 0 && count == 1) {
        box->kind = BOX_HOLE;
        box->look = look_of_region(PURPOSE_PLAIN, BACKING_NONE);
        box_say(m->source, box, "a guard: no access is allowed");
        return;
    }
    for (size_t i = count; count > 1 && i-- > 0;)
        box_list(m->source, box, "0x%08" PRIX64 " %s %" PRIu64 " of %" PRIu64, maps[i].start, maps[i].rights,
                 resident_of(&maps[i]), maps[i].pages);
    box_say(m->source, box, "%s", owners_of(m, maps, count));
    if (resident > 0)
        box->strip = strip;
}

/* The room that a stack may grow into: down to its limit, or to a guard above the next region. */
static void add_below(struct maker *m, const struct mapping *map)
{
    uint64_t room = map->most > map->pages ? (map->most - map->pages) * PAGE : 0;
    uint64_t free = map->start > m->at ? map->start - m->at : 0;
    uint64_t gap = m->column->count > 0 && m->column->boxes[m->column->count - 1].kind == BOX_THERE ? map->gap * PAGE
                                                                                                    : 0;
    bool limited = free > room + gap;                   /* the stack's limit lies above the guard */

    if (limited)
        add_hole(m, map->start - room, "nothing");
    else if (gap > 0)
        add_hole(m, m->at + (gap < free ? gap : free), "guard: the stack stays away");
    if (map->start > m->at)
        process_add(m, map->start, BOX_HOLE, look_of_region(PURPOSE_PLAIN, BACKING_NONE), "room for it to grow");
}

/* ---- The kernel's part ---------------------------------------------------------------------- */

/* A line for each row of the document that each space has its own of, inside [start, end). */
static void say_parts(struct maker *m, struct box *box)
{
    for (size_t i = 0; i < m->process->mapping_count; i++) {
        const struct mapping *part = &m->process->mappings[i];
        uint64_t pages = 0;

        for (size_t n = 0; n < part->run_count; n++)
            pages += part->runs[n].pages;
        if (part->pages == 0 && part->run_count > 0 && part->runs[0].start >= box->start &&
            part->runs[0].start < box->end)
            box_say(m->source, box, "its own: %s, %s", part->name, pages_text(m->source, pages));
    }
}

static void add_kernel(struct maker *m, uint64_t end)
{
    struct box *box;

    if (end <= m->at)
        return;
    box = process_add(m, end, BOX_ALIAS, look_of_region(PURPOSE_PLAIN, BACKING_ALIAS), "kernel space");
    box_say(m->source, box, "as in every process");
    say_parts(m, box);
}

/* Rows of the document beside the programs' part: holes by their names, all others together. */
static void add_others(struct maker *m, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < m->snapshot->region_count; i++) {
        const struct virtual_row *row = &m->snapshot->regions[i];

        if (row->start < start || row->start >= end || strcmp(row->scope, "kernel") == 0 ||
            strcmp(row->backing, "none") != 0)
            continue;
        add_kernel(m, row->start);
        m->row = row->name;
        add_hole(m, row->start + row->pages * PAGE, row->name);
        m->row = NULL;
    }
    add_kernel(m, end);
}

static const struct virtual_row *programs_row(const struct snapshot *s)
{
    for (size_t i = 0; i < s->region_count; i++)
        if (strcmp(s->regions[i].backing, "program") == 0)
            return &s->regions[i];
    return NULL;
}

static const char *sharers(struct source *source, const struct snapshot *s, uint64_t id)
{
    const char *all = "";

    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].shares == id)
            all = source_print(source, "%s, also process %" PRIu64 "'s", all, s->processes[i].id);
    return all;
}

struct column column_process(struct source *source, const struct snapshot *s, const struct process *process)
{
    const struct virtual_row *user = programs_row(s);
    struct column column = { .title = source_print(source, "Process %" PRIu64 ": %s", process->id, process->name) };
    struct maker m = { source, s, process, &column, 0, NULL };
    uint64_t start = user != NULL ? user->start : 0, end = user != NULL ? start + user->pages * PAGE : SPACE_END;

    add_others(&m, 0, start);
    m.row = user != NULL ? user->name : NULL;
    for (size_t i = 0, n; i < process->mapping_count && process->mappings[i].pages > 0; i += n) {
        const struct mapping *map = &process->mappings[i];

        n = belong_together(map, process->mapping_count - i);
        if (map->most > 0)
            add_below(&m, map);
        else
            add_hole(&m, map->start, "nothing");
        add_regions(&m, map, n);
    }
    add_hole(&m, end, "nothing");
    m.row = NULL;
    add_others(&m, end, SPACE_END);
    column_turn(&column);
    column.subtitle = source_print(source, "child of %" PRIu64 ", %s there, %" PRIu64 " page tables%s", process->parent,
                                   pages_text(source, process->resident), process->tables,
                                   sharers(source, s, process->id));
    return column;
}
