/*
 * emit_boot.c - tables.S: the page tables that exist when paging comes on. See emit.h.
 *
 * Every entry is a constant of the linker, so that the boot code only loads CR3. A table
 * that the kernel goes on using lies in .data.tables, at a virtual address; one that only
 * serves mappings that are removed lies in .boot.tables and goes with the boot code. Where page tables are tracked
 * objects the kernel fills a master table first thing, so all of these serve only until then.
 */
#include "emit.h"

#include <inttypes.h>

enum { ENTRIES = 1024, PRESENT_WRITABLE = 3, FOR_PROGRAMS = 4 };

/* True when [start, end) uses the directory entry `index`. */
static bool is_touched(uint64_t start, uint64_t end, uint32_t index)
{
    return start / TABLE <= index && index <= (end - 1) / TABLE;
}

enum table_kind { NO_TABLE, BOOT_TABLE, KERNEL_TABLE, SLOT_TABLE, SELF_TABLE, ALIAS_TABLE };

static enum table_kind kind_of(const struct document *d, uint32_t index)
{
    const struct region *slots = d->purpose[PURPOSE_SLOTS], *tables = d->purpose[PURPOSE_TABLES];
    enum table_kind kind = NO_TABLE;

    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];

        if (is_touched(m->virtual, m->virtual + m->size, index))
            kind = m->keep ? KERNEL_TABLE : kind == NO_TABLE ? BOOT_TABLE : kind;
    }
    if (kind == NO_TABLE && is_touched(slots->place.start.at, slots->place.end.at, index))
        kind = SLOT_TABLE;
    if (kind == NO_TABLE && tables != NULL && is_touched(tables->place.start.at, tables->place.end.at, index))
        kind = SELF_TABLE;
    return kind;
}

static const char *table_section(const struct document *d, bool kept)
{
    return kept && d->policy.access != ACCESS_TRACKED ? ".data.tables" : ".boot.tables";
}

/* Which entry an alias at `index` repeats; index itself if none. */
static uint32_t aliased_by(const struct document *d, uint32_t index)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->backing == BACKING_ALIAS && is_touched(r->place.start.at, r->place.end.at, index))
            return (uint32_t)(r->aliased->place.start.at / TABLE) + index -
                   (uint32_t)(r->place.start.at / TABLE);
    }
    return index;
}

/* An upper entry lets programs through where something below it is open to them; the last entry decides. */
static int upper_bits(const struct document *d, uint32_t index)
{
    for (uint32_t i = 0; i < d->common_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->user != 0 && r->backing != BACKING_USER && is_touched(region_base(d, r), region_limit(d, r), index))
            return PRESENT_WRITABLE | FOR_PROGRAMS;
    }
    return PRESENT_WRITABLE;
}

static void emit_directory_entry(const struct document *d, FILE *out, uint32_t index)
{
    const struct region *slots = d->purpose[PURPOSE_SLOTS];
    uint32_t of = aliased_by(d, index);

    switch (kind_of(d, of)) {
    case BOOT_TABLE:
        fprintf(out, "    .long boot_table_%u + %d", of, PRESENT_WRITABLE);
        break;
    case KERNEL_TABLE:
        fprintf(out, "    .long boot_table_%u - KERNEL_OFFSET + %d", of, upper_bits(d, of));
        break;
    case SLOT_TABLE:
        fprintf(out, "    .long boot_slot_table + %" PRIu64 " - KERNEL_OFFSET + %d",
                (of - slots->place.start.at / TABLE) * PAGE, PRESENT_WRITABLE);
        break;
    case SELF_TABLE:
        fprintf(out, "    .long boot_directory - KERNEL_OFFSET + %d", PRESENT_WRITABLE);
        break;
    default:
        fprintf(out, "    .long 0");
    }
    fprintf(out, "   /* %u: 0x%08" PRIX64 " */\n", index, index * TABLE);
}

static void emit_directory(const struct document *d, FILE *out)
{
    uint32_t empty = 0;

    fprintf(out, "    .section %s, \"aw\", @progbits\n    .balign 4096\n"
            "    .global boot_directory\nboot_directory:\n", table_section(d, true));
    for (uint32_t index = 0; index < ENTRIES; index++) {
        bool used = kind_of(d, aliased_by(d, index)) != NO_TABLE;

        if (!used)
            empty++;
        if (empty > 0 && (used || index == ENTRIES - 1))
            fprintf(out, "    .fill %u, 4, 0\n", empty);
        if (used) {
            empty = 0;
            emit_directory_entry(d, out, index);
        }
    }
    fprintf(out, "\n");
}

static const struct boot_map *map_at(const struct document *d, uint64_t virtual)
{
    for (uint32_t i = 0; i < d->boot_map_count; i++)
        if (virtual >= d->boot_maps[i].virtual && virtual - d->boot_maps[i].virtual < d->boot_maps[i].size)
            return &d->boot_maps[i];
    return NULL;
}

/* One table: runs of entries of one mapping, or of none. */
static void emit_table(const struct document *d, FILE *out, uint32_t index)
{
    uint64_t at = index * TABLE, end = at + TABLE;

    fprintf(out, "    .section %s, \"aw\", @progbits\n    .balign 4096\nboot_table_%u:\n",
            table_section(d, kind_of(d, index) == KERNEL_TABLE), index);
    while (at < end) {
        const struct boot_map *m = map_at(d, at);
        uint64_t run = at;

        while (run < end && map_at(d, run) == m)
            run += PAGE;
        if (m == NULL)
            fprintf(out, "    .fill %" PRIu64 ", 4, 0\n", (run - at) / PAGE);
        else
            fprintf(out,
                    "    .set entry, 0x%08" PRIX64 "\n    .rept %" PRIu64 "\n    .long entry\n"
                    "    .set entry, entry + 4096\n    .endr\n",
                    m->physical + (at - m->virtual) + PRESENT_WRITABLE, (run - at) / PAGE);
        at = run;
    }
    fprintf(out, "\n");
}

void emit_boot_tables(const struct document *d, FILE *out)
{
    const struct place *slots = &d->purpose[PURPOSE_SLOTS]->place;
    uint64_t slot_tables = (slots->end.at - 1) / TABLE - slots->start.at / TABLE + 1;

    fprintf(out, "/* Made from %s. Page tables for the moment in which paging comes on. */\n"
            "    .set KERNEL_OFFSET, %s\n\n", d->source->path, distance_text(d));
    emit_directory(d, out);
    for (uint32_t index = 0; index < ENTRIES; index++)
        if (kind_of(d, index) == BOOT_TABLE || kind_of(d, index) == KERNEL_TABLE)
            emit_table(d, out, index);
    /* The slots' tables are zeros, and need not be in the file. */
    fprintf(out,
            "    .section %s\n    .balign 4096\n"
            "    .global boot_slot_table\nboot_slot_table:\n    .fill %" PRIu64 ", 4, 0\n\n"
            "    .section .note.GNU-stack, \"\", @progbits\n",
            d->policy.access != ACCESS_TRACKED ? ".bss.tables, \"aw\", @nobits" : ".boot.tables, \"aw\", @progbits",
            slot_tables * ENTRIES);
}
