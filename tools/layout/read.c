/* read.c - from tables of text to a struct document, row by row. */
#include "cells.h"
#include "markdown.h"
#include "quantity.h"
#include "words.h"

#include <string.h>
#include <strings.h>

union any_row {
    struct region     region;
    struct physical   physical;
    struct structure  structure;
    struct part       part;
    struct boot_map   boot_map;
    struct policy_row policy;
    struct claim      claim;
};

/* A table under a known heading: its columns, and where a complete row goes. */
struct kind {
    const char          *heading;
    bool                 required;
    const struct column *columns;
    void               (*take)(struct document *d, uint32_t line, union any_row *row, bool broken);
};

/* Arrays double when their count is a power of two; the old half stays with the source. */
static void *grown(struct document *d, void *array, uint32_t count, size_t bytes)
{
    void *bigger;

    if ((count & (count - 1)) != 0)
        return array;
    bigger = source_keep(d->source, (count == 0 ? 1 : 2 * (size_t)count) * bytes);
    if (count > 0)
        memcpy(bigger, array, count * bytes);
    return bigger;
}

static void finish_region(struct region *region, uint32_t line, bool broken)
{
    const struct word *purpose = word_find(purpose_words, region->place.name);

    region->place.line = line;
    region->place.broken = broken;
    region->purpose = purpose != NULL ? (enum purpose)purpose->value : PURPOSE_PLAIN;
}

static void take_region(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    finish_region(&row->region, line, broken);
    d->regions = grown(d, d->regions, d->region_count, sizeof(*d->regions));
    d->regions[d->region_count++] = row->region;
}

static void take_own_region(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    finish_region(&row->region, line, broken);
    d->own = grown(d, d->own, d->own_count, sizeof(*d->own));
    d->own[d->own_count++] = row->region;
}

/* The two tables of regions become one list, whichever came first in the document. */
static void append_own_regions(struct document *d)
{
    d->common_count = d->region_count;
    for (uint32_t i = 0; i < d->own_count; i++) {
        d->regions = grown(d, d->regions, d->region_count, sizeof(*d->regions));
        d->regions[d->region_count++] = d->own[i];
    }
}

static void resolve_border(const struct document *d, struct border *b)
{
    if (b->floats && b->after == SECTION_LAST)
        b->after = d->last;
}

/* The last section of the image is known after all regions have been read. */
static void resolve_image_end(struct document *d)
{
    d->last = SECTION_DATA;
    for (uint32_t i = 0; i < d->region_count; i++)
        if (d->regions[i].backing == BACKING_IMAGE && d->regions[i].section > d->last)
            d->last = d->regions[i].section;
    for (uint32_t i = 0; i < d->region_count; i++) {
        resolve_border(d, &d->regions[i].place.start);
        resolve_border(d, &d->regions[i].place.end);
        resolve_border(d, &d->regions[i].physical);
    }
    for (uint32_t i = 0; i < d->physical_count; i++) {
        resolve_border(d, &d->physical[i].place.start);
        resolve_border(d, &d->physical[i].place.end);
    }
}

static void take_physical(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    row->physical.place.line = line;
    row->physical.place.broken = broken;
    d->physical = grown(d, d->physical, d->physical_count, sizeof(*d->physical));
    d->physical[d->physical_count++] = row->physical;
}

static void take_structure(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    row->structure.place.line = line;
    row->structure.place.broken = broken;
    d->structures = grown(d, d->structures, d->structure_count, sizeof(*d->structures));
    d->structures[d->structure_count++] = row->structure;
}

static void take_part(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    row->part.line = line;
    row->part.broken = broken;
    d->parts = grown(d, d->parts, d->part_count, sizeof(*d->parts));
    d->parts[d->part_count++] = row->part;
}

static void take_boot_map(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    row->boot_map.line = line;
    row->boot_map.broken = broken;
    d->boot_maps = grown(d, d->boot_maps, d->boot_map_count, sizeof(*d->boot_maps));
    d->boot_maps[d->boot_map_count++] = row->boot_map;
}

static void take_claim(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    row->claim.line = line;
    d->claim_unknown = d->claim_unknown || broken;
    d->claims = grown(d, d->claims, d->claim_count, sizeof(*d->claims));
    d->claims[d->claim_count++] = row->claim;
}

/* The words a policy may choose; NULL for a number. */
static const struct word *const policy_choices[POLICY_COUNT] = {
    [POLICY_POLARITY] = polarity_words,  [POLICY_BITMAP] = bitmap_words,
    [POLICY_UNLISTED] = unlisted_words,  [POLICY_SEARCH] = search_words,
    [POLICY_ZEROING]  = zeroing_words,   [POLICY_EXHAUSTION] = exhaustion_words,
    [POLICY_MAGAZINE]    = NULL,            [POLICY_ACCESS] = access_words,
    [POLICY_START]    = NULL,
};

static void set_policy(struct policies *p, enum policy_key key, int value)
{
    switch (key) {
    case POLICY_POLARITY:   p->polarity   = (enum polarity)value;     break;
    case POLICY_BITMAP:     p->bitmap_at  = (enum bitmap_at)value;    break;
    case POLICY_UNLISTED:   p->unlisted   = (enum unlisted)value;     break;
    case POLICY_SEARCH:     p->search     = (enum search)value;       break;
    case POLICY_ZEROING:    p->zeroing    = (enum zeroing)value;      break;
    case POLICY_EXHAUSTION: p->exhaustion = (enum exhaustion)value;   break;
    case POLICY_ACCESS:     p->access     = (enum table_access)value; break;
    case POLICY_MAGAZINE:
    case POLICY_START:
    case POLICY_COUNT:                                                break;
    }
}

static void take_policy(struct document *d, uint32_t line, union any_row *row, bool broken)
{
    const struct policy_row *policy = &row->policy;
    const char *name;
    int value;

    d->policy_unknown = d->policy_unknown || broken;
    if (policy->key < 0)
        return;
    name = word_of(policy_words, policy->key)->text;
    if (d->policy_line[policy->key] != 0) {
        complain(d->source, line, "policy `%s` a second time; the first is at line %u", name,
                 d->policy_line[policy->key]);
        return;
    }
    d->policy_line[policy->key] = line;
    d->policy_claims[policy->key] = policy->claims;
    if (policy->key == POLICY_MAGAZINE) {
        if (!read_count(policy->choice, &d->policy.magazine) || d->policy.magazine > MAGAZINE_FRAMES_MOST)
            complain(d->source, line, "magazine is `%s`; expected a number of frames, at most %d",
                     policy->choice, MAGAZINE_FRAMES_MOST);
    } else if (policy->key == POLICY_START) {
        if (!read_address(policy->choice, &d->policy.start)) {
            complain(d->source, line, "start address is `%s`; expected an address such as 0x40000000", policy->choice);
            d->policy_line[POLICY_START] = 0;           /* later checks leave it out */
        }
    } else if (word_read(d->source, line, name, policy_choices[policy->key], policy->choice, &value)) {
        set_policy(&d->policy, (enum policy_key)policy->key, value);
    }
}

static const struct kind kinds[] = {
    { "Physical memory",   true,  physical_columns,  take_physical },
    { "Kernel structures", false, structure_columns, take_structure },
    { "Virtual memory",    true,  region_columns,    take_region },
    { "Kernel space",      false, region_columns,    take_own_region },
    { "Applications",      false, part_columns,      take_part },
    { "Policies",          true,  policy_columns,    take_policy },
    { "Boot mappings",     true,  boot_map_columns,  take_boot_map },
    { "Claims",            true,  claim_columns,     take_claim },
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]), COLUMN_LIMIT = 16 };

/* The kind of a table, by its heading; NULL for an unknown heading, about which one complaint is made. */
static const struct kind *kind_of(struct document *d, const struct md_table *table, const char **unknown)
{
    const char *all = "";

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (table->heading != NULL && strcasecmp(kinds[i].heading, table->heading) == 0)
            return &kinds[i];
        all = source_print(d->source, "%s%s`%s`", all,
                           i == 0 ? "" : i + 1 == KIND_COUNT ? " or " : ", ", kinds[i].heading);
    }
    if (table->heading != NULL && table->heading == *unknown)
        return NULL;
    *unknown = table->heading;
    complain(d->source, table->header.line, "a table under the heading `%s`%s; expected %s",
             table->heading == NULL ? "" : table->heading,
             table->heading == NULL ? "" : source_print(d->source, " (line %u)", table->heading_line), all);
    return NULL;
}

static const char *column_titles(struct document *d, const struct column *column)
{
    const char *all = "";

    for (; column->title != NULL; column++)
        all = source_print(d->source, "%s%s%s", all, *all == '\0' ? "" : ", ", column->title);
    return all;
}

/*
 * For each column of the kind, which cell of a row holds it: cell_at[i], or -1. Columns may
 * stand in any order. False when a header is wrong; its rows then cannot be read.
 */
static bool match_columns(struct document *d, const struct md_table *table, const struct column *columns,
                          int *cell_at)
{
    const struct md_row *header = &table->header;
    bool good = true;

    for (size_t i = 0; columns[i].title != NULL; i++)
        cell_at[i] = -1;
    for (uint32_t cell = 0; cell < header->count; cell++) {
        size_t i = 0;

        while (columns[i].title != NULL && strcasecmp(columns[i].title, header->cells[cell]) != 0)
            i++;
        if (columns[i].title != NULL && cell_at[i] < 0) {
            cell_at[i] = (int)cell;
            continue;
        }
        complain(d->source, header->line, columns[i].title == NULL ?
                 "unknown column `%s` under `%s` (line %u); expected %s" :
                 "column `%s` a second time under `%s` (line %u); expected %s",
                 header->cells[cell], table->heading, table->heading_line, column_titles(d, columns));
        good = false;
    }
    for (size_t i = 0; columns[i].title != NULL; i++)
        if (columns[i].required && cell_at[i] < 0) {
            complain(d->source, header->line, "no column `%s` under `%s` (line %u); expected %s", columns[i].title,
                     table->heading, table->heading_line, column_titles(d, columns));
            good = false;
        }
    return good;
}

static bool read_table(struct document *d, const struct kind *kind, const struct md_table *table)
{
    int cell_at[COLUMN_LIMIT];

    if (!match_columns(d, table, kind->columns, cell_at))
        return false;
    for (uint32_t n = 0; n < table->row_count; n++) {
        const struct md_row *row = &table->rows[n];
        unsigned errors = d->source->errors;
        union any_row any;

        memset(&any, 0, sizeof(any));
        for (size_t i = 0; kind->columns[i].title != NULL; i++)
            kind->columns[i].read(d, row->line, &any, cell_at[i] < 0 ? "" : row->cells[cell_at[i]]);
        kind->take(d, row->line, &any, d->source->errors > errors);
    }
    return true;
}

/* `name: title` */
static void read_title(struct document *d, const struct md_outline *outline)
{
    const char *colon = outline->title == NULL ? NULL : strchr(outline->title, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - outline->title);

    d->name = d->title = "";
    if (length == 0 || length > 31 ||
        strspn(outline->title, "abcdefghijklmnopqrstuvwxyz0123456789-") != length) {
        complain(d->source, outline->title_line, "%s%s%s; expected `# name: title`, the name in "
                 "small letters, digits and dashes", outline->title == NULL ? "no title" : "the title is `",
                 outline->title == NULL ? "" : outline->title, outline->title == NULL ? "" : "`");
        return;
    }
    d->name = source_text(d->source, outline->title, length);
    d->title = colon + 1 + strspn(colon + 1, " ");
}

bool document_read(struct document *d, struct source *s)
{
    bool seen[KIND_COUNT] = { false }, whole;
    const char *unknown = NULL;
    struct md_outline outline;

    *d = (struct document){ .source = s };
    markdown_read(s, &outline);
    whole = s->errors == 0;
    read_title(d, &outline);
    for (const struct md_table *table = outline.tables; table != NULL; table = table->next) {
        const struct kind *kind = kind_of(d, table, &unknown);

        if (kind == NULL || !read_table(d, kind, table))
            whole = false;
        else
            seen[kind - kinds] = true;
    }
    append_own_regions(d);
    resolve_image_end(d);
    for (size_t i = 0; whole && i < KIND_COUNT; i++)
        if (kinds[i].required && !seen[i])
            complain(s, 0, "no table under `## %s`; expected one", kinds[i].heading);
    for (size_t i = 0; i < KIND_COUNT; i++)
        whole = whole && (seen[i] || !kinds[i].required);
    return whole;
}
