/*
 * column_kernel.c - kernel space: the boxes are the document's regions, and the pages mapped in them now.
 * See column.h.
 */
#include "column.h"

#include "layout/words.h"

#include <inttypes.h>
#include <string.h>

enum { RUNS_SHOWN = 8 };                /* of one region */

static bool starts_with(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static struct look look_of(const struct virtual_row *row)
{
    const struct word *purpose = word_find(purpose_words, row->name);
    enum backing backing = strcmp(row->backing, "none") == 0 ? BACKING_NONE
                         : starts_with(row->backing, "alias:") ? BACKING_ALIAS : BACKING_FIXED;

    return look_of_region(purpose != NULL ? (enum purpose)purpose->value : PURPOSE_PLAIN, backing);
}

static bool lies_in(const struct virtual_row *row, const struct run *run)
{
    return row->start <= run->start && run->start - row->start < row->pages * PAGE;
}

static const char *frames_of(struct source *source, const struct run *run)
{
    if (run->frame != NO_ADDRESS)
        return source_print(source, "at 0x%08" PRIX64 " %s", run->frame,
                            strcmp(run->owner, "absent") == 0 ? "no RAM" : run->owner);
    return source_print(source, "scattered     %s", run->owner);
}

static void say_run(struct source *source, struct box *box, const struct virtual_row *row, const struct run *run)
{
    const char *cache = strcmp(run->cache, "back") == 0 ? "" : source_print(source, ", cache %s", run->cache);
    const char *name = strcmp(run->name, "-") == 0 ? ", IN NO REGION"
                     : strcmp(run->name, row->name) == 0 ? "" : source_print(source, ", %s", run->name);

    box_list(source, box, "0x%08" PRIX64 " %6" PRIu64 " %-7s %s%s%s", run->start, run->pages,
             rights_of_run(source, run), frames_of(source, run), name, cache);
}

/* The runs of a row, highest first: the first few, and how many there are besides. Returns the pages of all runs. */
static uint64_t say_runs(struct source *source, const struct snapshot *s, struct box *box,
                         const struct virtual_row *row)
{
    uint64_t pages = 0, rest_pages = 0;
    size_t count = 0, shown = 0;

    for (size_t i = 0; i < s->run_count; i++)
        count += lies_in(row, &s->runs[i]);
    for (size_t i = 0; i < s->run_count; i++) {
        const struct run *run = &s->runs[i];

        if (!lies_in(row, run))
            continue;
        pages += run->pages;
        if (shown < RUNS_SHOWN - (count > RUNS_SHOWN)) {
            say_run(source, box, row, run);
            shown++;
        } else {
            rest_pages += run->pages;
        }
    }
    if (count > shown)
        box_list(source, box, "and %zu runs more, %s", count - shown, pages_text(source, rest_pages));
    return pages;
}

static const char *rights_of_row(struct source *source, const struct virtual_row *row)
{
    if (strcmp(row->backing, "none") == 0)
        return "never mapped";
    if (starts_with(row->backing, "alias:"))
        return source_print(source, "the entries of %s", row->backing + strlen("alias:"));
    return strcmp(row->user, "---") == 0 ? row->kernel : source_print(source, "%s user %s", row->kernel, row->user);
}

static void add_row(struct source *source, const struct snapshot *s, struct column *column,
                    const struct virtual_row *row)
{
    struct box *box = column_add(source, column);
    bool alias = starts_with(row->backing, "alias:"), user = strcmp(row->backing, "program") == 0;
    const char *size = short_size(source, row->pages * PAGE);
    uint64_t pages;

    box->start  = row->start;
    box->end    = row->start + row->pages * PAGE;
    box->look   = look_of(row);
    box->name   = row->name;
    box->row    = row->name;
    box->rights = rights_of_row(source, row);
    pages = say_runs(source, s, box, row);
    box->kind = alias ? BOX_ALIAS : pages == 0 && (user || strcmp(row->backing, "none") == 0) ? BOX_HOLE : BOX_THERE;
    if (row->guard > 0)
        box_say(source, box, "%s each; below each, %s never mapped: a guard", pages_text(source, row->unit),
                row->guard == 1 ? "1 page is" : source_print(source, "%" PRIu64 " pages are", row->guard));
    if (user && pages == 0)
        box_say(source, box, "The programs' part: each process has its own, drawn further on.");
    if (alias || box->kind == BOX_HOLE)
        box->size = size;
    else if (pages == row->pages)
        box->size = source_print(source, "all of %s, %s", pages_text(source, pages), size);
    else
        box->size = source_print(source, "%" PRIu64 " of %s, %s", pages, pages_text(source, row->pages), size);
}

/* Rows of kernel space alone stand at the addresses of programs. */
static void add_own_rows(struct source *source, const struct snapshot *s, struct column *column)
{
    for (size_t i = 0; i < s->region_count; i++)
        if (strcmp(s->regions[i].scope, "kernel") == 0)
            add_row(source, s, column, &s->regions[i]);
}

static bool has_own_rows(const struct snapshot *s)
{
    return s->region_count > 0 && strcmp(s->regions[s->region_count - 1].scope, "kernel") == 0;
}

struct column column_kernel(struct source *source, const struct snapshot *s)
{
    struct column column = { .title = "Kernel space" };
    uint64_t pages = 0;

    for (size_t i = 0; i < s->region_count && strcmp(s->regions[i].scope, "kernel") != 0; i++)
        if (strcmp(s->regions[i].backing, "program") == 0 && has_own_rows(s))
            add_own_rows(source, s, &column);
        else
            add_row(source, s, &column, &s->regions[i]);
    column_turn(&column);
    for (size_t i = 0; i < s->run_count; i++)
        pages += s->runs[i].pages;
    column.subtitle = source_print(
        source,
        "%s mapped, by %" PRIu64 " tables. Boxes: the document's regions with its rights. "
        "Lines: what is mapped now, with the rights of the entries (address, pages, rights, frames, owner).",
        pages_text(source, pages), s->kernel_tables);
    return column;
}
