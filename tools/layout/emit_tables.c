/* emit_tables.c - layout.c: the document as the kernel reads it (kernel/memory/layout.h). See emit.h. */
#include "emit.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

/* A C string. Cells are printable ASCII, so only two characters need care. */
static void emit_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text == '\t' ? ' ' : *text, out);
    }
    fputc('"', out);
}

/* The first byte of what follows a border; packed borders are exact, the others lie between pages. */
static const char *byte_text(const struct document *d, struct border b, const char *less)
{
    if (b.floats)
        return source_print(d->source, "(uintptr_t)(image_%s_border%s)", word_of(section_words, b.after)->text, less);
    return source_print(d->source, "0x%08" PRIX64, b.at - (*less != '\0'));
}

/* A border as a page number; a floating one is a symbol of the linker script. */
static const char *page_text(const struct document *d, struct border b)
{
    if (b.floats)
        return source_print(d->source, "(page_t)image_%s_end_page", word_of(section_words, b.after)->text);
    return source_print(d->source, "0x%05" PRIX64, b.at / PAGE);
}

static const char *frame_text(const struct document *d, struct border b)
{
    if (b.floats)
        return source_print(d->source, "(uintptr_t)image_%s_end_frame",
                            word_of(section_words, b.after)->text);
    return source_print(d->source, "0x%05" PRIX64, b.at / PAGE);
}

static const char *rights_constant(unsigned rights)
{
    static const char *const names[8] = {
        "0", "MAY_READ", "MAY_WRITE", "MAY_READ | MAY_WRITE", "MAY_EXECUTE", "MAY_READ | MAY_EXECUTE",
        "MAY_WRITE | MAY_EXECUTE", "MAY_READ | MAY_WRITE | MAY_EXECUTE",
    };

    return names[rights & 7];
}

static void emit_words(FILE *out, const char *claims, const char *note, uint32_t line)
{
    fprintf(out, "      .claims = ");
    emit_string(out, claims);
    fprintf(out, ", .line = %u,\n      .note = ", line);
    emit_string(out, note);
    fprintf(out, " },\n");
}

static void emit_region(const struct document *d, FILE *out, const struct region *r)
{
    const struct place *p = &r->place;

    fprintf(out, "    { .name = \"%s\", .span = { %s, %s },\n", p->name, page_text(d, p->start),
            page_text(d, p->end));
    fprintf(out, "      .first_byte = %s, .last_byte = %s,\n", byte_text(d, p->start, ""),
            byte_text(d, p->end, " - 1"));
    fprintf(out, "      .rights = { %s, %s },\n", rights_constant(r->kernel), rights_constant(r->user));
    fprintf(out, "      .purpose = %s, .scope = %s, .backing = %s,\n",
            r->purpose == PURPOSE_PLAIN ? "PURPOSE_PLAIN" : word_of(purpose_words, r->purpose)->c,
            word_of(scope_words, r->scope)->c, word_of(backing_words, r->backing)->c);
    if (r->backing == BACKING_FIXED)
        fprintf(out, "      .frame = %s,\n", frame_text(d, r->physical));
    if (r->backing == BACKING_IMAGE)
        fprintf(out, "      .section = \"%s\", .frame = %s,\n", word_of(section_words, r->section)->text,
                frame_text(d, border_physical(d, p->start)));
    if (r->backing == BACKING_ALIAS)
        fprintf(out, "      .alias = %s,\n", page_text(d, r->aliased->place.start));
    if (r->purpose != PURPOSE_STACK && (r->unit > 0 || r->maximum > 0 || r->guard > 0))
        fprintf(out, "      .unit = %" PRIu64 ", .maximum = %" PRIu64 ", .guard = %" PRIu64 ",\n",
                r->unit / PAGE, r->maximum / PAGE, r->guard / PAGE);
    emit_words(out, p->claims, p->note, p->line);
}

static void emit_regions(const struct document *d, FILE *out)
{
    fprintf(out, "static const struct layout_region regions[] = {\n");
    for (uint32_t i = 0; i < d->region_count; i++)
        emit_region(d, out, &d->regions[i]);
    fprintf(out, "};\n\n");
}

static void emit_physical(const struct document *d, FILE *out)
{
    fprintf(out, "static const struct layout_physical physical[] = {\n");
    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct place *p = &d->physical[i].place;

        fprintf(out, "    { .name = \"%s\", .first = %s, .end = %s, .use = %s,\n", p->name,
                frame_text(d, p->start), frame_text(d, p->end), word_of(use_words, d->physical[i].use)->c);
        emit_words(out, p->claims, p->note, p->line);
    }
    fprintf(out, "};\n\n");
}

static void emit_boot_maps(const struct document *d, FILE *out)
{
    fprintf(out, "static const struct layout_boot_map boot_maps[] = {\n");
    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];

        fprintf(out, "    { .span = { 0x%05" PRIX64 ", 0x%05" PRIX64 " }, .physical = 0x%08" PRIX64
                ", .keep = %s },\n", m->virtual / PAGE, (m->virtual + m->size) / PAGE, m->physical,
                m->keep ? "true" : "false");
    }
    fprintf(out, "};\n\n");
}

static void emit_claims(const struct document *d, FILE *out)
{
    fprintf(out, "static const struct layout_claim claims[] = {\n");
    for (uint32_t i = 0; i < d->claim_count; i++) {
        fprintf(out, "    { .id = \"%s\", .where = %s, .shown = \"%s\", .line = %u,\n      .text = ", d->claims[i].id,
                word_of(where_words, d->claims[i].where)->c, d->claims[i].shown, d->claims[i].line);
        emit_string(out, d->claims[i].text);
        fprintf(out, " },\n");
    }
    fprintf(out, "};\n\n");
}

static void emit_policy(const struct document *d, FILE *out)
{
    const struct policies *p = &d->policy;

    fprintf(out, "    .policy = {\n        .polarity = %s, .bitmap_at = %s,\n",
            word_of(polarity_words, p->polarity)->c, word_of(bitmap_words, p->bitmap_at)->c);
    if (d->bitmap != NULL)
        fprintf(out, "        .bitmap_start = 0x%08" PRIX64 ", .bitmap_bytes = %" PRIu64 ",\n",
                d->bitmap->place.start.at, d->bitmap->place.end.at - d->bitmap->place.start.at);
    fprintf(out, "        .unlisted = %s, .search = %s,\n        .zeroing = %s, .exhaustion = %s,\n"
            "        .magazine = %" PRIu64 ",\n    },\n", word_of(unlisted_words, p->unlisted)->c,
            word_of(search_words, p->search)->c, word_of(zeroing_words, p->zeroing)->c,
            word_of(exhaustion_words, p->exhaustion)->c, p->magazine);
}

static void emit_layout(const struct document *d, FILE *out)
{
    fprintf(out, "const struct layout layout = {\n    .name = \"%s\", .title = ", d->name);
    emit_string(out, d->title);
    fprintf(out, ", .file = ");
    emit_string(out, d->source->path);
    fprintf(
        out,
        ",\n    .regions = regions, .physical = physical, .boot_maps = boot_maps, .claims = claims,\n"
        "    .region_count = %u, .common_count = %u, .physical_count = %u, .boot_map_count = %u, .claim_count = %u,\n"
        "    .purpose = {\n",
        d->region_count, d->common_count, d->physical_count, d->boot_map_count, d->claim_count);
    for (int purpose = PURPOSE_PLAIN + 1; purpose < PURPOSE_COUNT; purpose++)
        if (d->purpose[purpose] != NULL)
            fprintf(out, "        [%s] = &regions[%d],\n", word_of(purpose_words, purpose)->c,
                    (int)(d->purpose[purpose] - d->regions));
    fprintf(out, "    },\n");
    emit_policy(d, out);
    fprintf(out, "    .access = %s,\n", word_of(access_words, d->policy.access)->c);
    if (d->policy_line[POLICY_START] != 0)
        fprintf(out, "    .start_address = 0x%08" PRIX64 ",\n", d->policy.start);
    if (d->master != NULL)
        fprintf(out, "    .master = 0x%08" PRIX64 ",\n", d->master->place.start.at);
    for (uint32_t i = 0; i < d->structure_count; i++)
        fprintf(out, "    .%s = 0x%08" PRIX64 ",\n", d->structures[i].place.name,
                d->structures[i].place.start.at);
    if (d->part_count > 0)
        fprintf(out, "    .application = { .heap_first = %" PRIu64 ", .heap_most = %" PRIu64 ", .guard = %" PRIu64
                ", .stack_first = %" PRIu64 ", .stack_most = %" PRIu64 " },\n",
                d->parts[PART_HEAP].first / PAGE, d->parts[PART_HEAP].size / PAGE, d->parts[PART_GUARD].size / PAGE,
                d->parts[PART_STACK].first / PAGE, d->parts[PART_STACK].size / PAGE);
    fprintf(out,
            "    .kernel_offset = (vaddr_t)%s, .user = { 0x%05" PRIX64 ", 0x%05" PRIX64 " }, .space_end = 0x%05" PRIX64
            ",\n};\n",
            distance_text(d), d->purpose[PURPOSE_USER]->place.start.at / PAGE,
            d->purpose[PURPOSE_USER]->place.end.at / PAGE, SPACE_END / PAGE);
}

void emit_tables(const struct document *d, FILE *out)
{
    fprintf(out,
            "/* Made from %s. The document, as the kernel reads it: see memory/layout.h. */\n"
            "#include \"memory/layout.h\"\n\n"
            "_Static_assert(STANDING_REGIONS == %d && SLOT_PAGES_LEAST == %d && MAGAZINE_FRAMES_MOST == %d &&\n"
            "               PHYSICAL_ROWS_MOST == %d, \"what documents are measured by is what the kernel has\");\n\n",
            d->source->path, STANDING_MOST, PROCESSORS_MOST * SLOTS_EACH, MAGAZINE_FRAMES_MOST,
            PHYSICAL_ROWS_MOST);
    fprintf(out, "/* Borders that float: page and frame numbers, set by kernel.ld. */\nextern char\n");
    for (int section = 0; section <= (int)d->last; section++) {
        const char *name = word_of(section_words, section)->text;

        fprintf(out, "    image_%s_end_page[], image_%s_end_frame[], image_%s_border[]%s\n", name, name, name,
                section < (int)d->last ? "," : ";");
    }
    fprintf(out, "\n");
    emit_regions(d, out);
    emit_physical(d, out);
    emit_boot_maps(d, out);
    emit_claims(d, out);
    emit_layout(d, out);
}
