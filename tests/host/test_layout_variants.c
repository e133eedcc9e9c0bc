/*
 * test_layout_variants.c - good documents that ask for what none of the six asks for, with several changes at once.
 *
 * Each variant is a document of tests/host/layouts with something in it that a writer may ask for: `at most`, no guard,
 * a kernel space of its own, rows and mappings in other places. In each of them one, two or three random changes are
 * made, always the same ones, and what is said of them, and made of what is accepted, is compared with variants.txt
 * (neighbours.h). Complaints of a kind that neighbours.txt has are not there in full a second time.
 */
#include "neighbours.h"

enum { CHANGES = 160, PARTS = 8 };

static const struct variant {
    const char *name, *document;
    struct { const char *from, *to; } parts[PARTS];
} variants[] = {
    { "quire with limits", QU, {
        { "| by 4 KiB | - | Q7 | What the kernel", "| by 4 KiB, at most 32 MiB | - | Q7 | What the kernel" },
        { "| by 4 KiB | - | Q7 | Windows", "| by 4 KiB, at most 8 MiB | - | Q7 | Windows" },
        { "| 8 KiB each | 4 KiB below each |", "| 12 KiB each, at most 3 MiB | 8 KiB below each |" },
        { "| 0x00001000 | 0x0009FFFF | 636 KiB | low | pool |",
          "| 0x00001000 | 0x00007FFF | 28 KiB | tables | kernel | | Tables |\n"
          "| 0x00008000 | 0x0009FFFF | 608 KiB | low | pool |" },
        { "| end of image | 0xFFFFFFFF | floats | memory | pool |",
          "| end of image | 0x3FFFFFFF | floats | memory | pool | | Memory |\n"
          "| 0x40000000 | 0x7FFFFFFF | 1 GiB | devices | hardware | | Devices |\n"
          "| 0x80000000 | 0xFFFFFFFF | 2 GiB | more | pool |" },
        { "| 64 |", "| 7 |" } } },
    { "quire with a space of its own", QU, {
        { "\n## Policies\n", "\n## Kernel space\n\n"
          "| Start | End | Size | Name | Kernel | User | Scope | Backing | Growth | Guard | Claims | What lives "
          "there |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
          "| 0x00010000 | 0x3FFFFFFF | 1 GiB less 64 KiB | own | --- | --- | - | none | - | - | | Nothing |\n"
          "| 0x40000000 | 0x4FFFFFFF | 256 MiB | heap | rw- | --- | kernel | demand | by 4 KiB | - | | Heap |\n"
          "| 0x50000000 | 0xDFFFFFFF | 2304 MiB | rest | --- | --- | - | none | - | - | | Nothing |\n\n## Policies\n" },
        { "| heap | rw- | --- | all | demand | by 4 KiB | - | Q7 | What the kernel",
          "| free | --- | --- | - | none | - | - | Q7 | What the kernel" } } },
    { "quire without records", QU, {
        { "| 0xF8000000 | 0xFB7FFFFF | 56 MiB | devices |", "| 0xF8000000 | 0xFBFFFFFF | 64 MiB | devices |" },
        { "| 0xFB800000 | 0xFBFFFFFF | 8 MiB | records | rw- | --- | all | demand | by 4 KiB | - | | Who owns each "
          "frame, where the direct window has no room for it |\n", "" },
        { "4 KiB below each", "none: threads are few" },
        { "| after the image |", "| first fit |" } } },
    { "higher-half with other rows", HH, {
        { "| 0x00000000 | 0x0005FFFF | 384 KiB | structures | kernel |",
          "| 0x00000000 | 0x0000FFFF | 64 KiB | structures | kernel | A2 | Tables |\n"
          "| 0x00010000 | 0x0005FFFF | 320 KiB | low | pool |" },
        { "| 0xC0400000 | 0xEFFFFFFF | 764 MiB | unused | --- | --- | - | none | - | - | | Nothing yet |",
          "| 0xC0400000 | 0xC07FFFFF | 4 MiB | far | rw- | --- | all | physical 0x00C00000 | - | - | | Elsewhere |\n"
          "| 0xC0800000 | 0xEFFFFFFF | 760 MiB | unused | --- | --- | - | none | - | - | | Nothing yet |" },
        { "| 4 KiB each | none: 1024 stacks of one page fill the window |", "| 8 KiB each, at most 1 MiB | 4 KiB below "
          "each |" },
        { "| 0xC0000000 | 0x00000000 | 4 MiB | yes |",
          "| 0xC0000000 | 0x00000000 | 4 MiB | yes |\n"
          "| 0xC0400000 | 0x00C00000 | 4 KiB | removed once paging is on |" } } },
    { "movos with a row for its bitmap", MO, {
        { "| 0x00100000 | 0x007FFFFF | 7 MiB | image | image | M4 M5 |",
          "| 0x00100000 | 0x007FFFFF | 7 MiB | image | image | M4 M5 | Image |\n"
          "| 0x00800000 | 0x0081FFFF | 128 KiB | bitmap | bitmap | | Bits |\n"
          "| 0x00820000 | 0x008FFFFF | 896 KiB | between | kernel | M4 M5 |" },
        { "| 0x00800000 | 0xFFFFFFFF | 4088 MiB | pool | pool |",
          "| 0x00900000 | 0xFFFFFFFF | 4087 MiB | pool | pool |" },
        { "| after the image |", "| fixed |" },
        { "| end of data | 0x003FFFFF | floats | pages |", "| end of data | 0x00FFFFFF | floats | pages |" },
        { "| 0x00400000 | 0x007FFFFF | 4 MiB | bookkeeping |", "| 0x01000000 | 0x013FFFFF | 4 MiB | bookkeeping |" },
        { "| 0x00800000 | 0x047FFFFF | 64 MiB | heap |", "| 0x01400000 | 0x047FFFFF | 52 MiB | heap |" },
        { "| 0x00000000 | 0x00000000 | 4 MiB | yes |", "| 0x00000000 | 0x00000000 | 16 MiB | yes |" } } },
    { "firmware with other applications", FW, {
        { "| 0x00100000 | 0x0013FFFF | 256 KiB | structures | kernel |",
          "| 0x00100000 | 0x00127FFF | 160 KiB | structures | kernel | | Structures |\n"
          "| 0x00128000 | 0x0013FFFF | 96 KiB | spare | pool |" },
        { "| heap | 0 B | 6 MiB |", "| heap | 64 KiB | 3 MiB |" },
        { "| guard | 0 B | 4 KiB |", "| guard | 0 B | 8 KiB |" },
        { "| stack | 4 KiB | 64 KiB |", "| stack | 12 KiB | 12 KiB |" },
        { "| by 4 KiB | - | G13 G19 |", "| by 4 KiB, at most 24 MiB | - | G13 G19 |" } } },
    { "pat with a small direct map", PT, {
        { "| end of image | 0x7FFFFFFF | floats | memory | pool |",
          "| end of image | 0x0FFFFFFF | floats | memory | pool | | Memory |\n"
          "| 0x10000000 | 0x7FFFFFFF | 1792 MiB | more | hardware |" },
        { "| 0x00400000 | 0x7FFFFFFF | 2 GiB less 4 MiB | direct | rw- | --- | kernel | physical 0x00400000 |",
          "| 0x00400000 | 0x0FFFFFFF | 252 MiB | direct | rw- | --- | kernel | physical 0x00400000 | - | - | | All |\n"
          "| 0x10000000 | 0x7FFFFFFF | 1792 MiB | hole | --- | --- | - | none |" } } },
    { "tracker with small objects", TR, {
        { "| 0x08000000 | 0x7FFFFFFF | 1920 MiB | user | rw- | rwx | process | program | - | - | T3 | The program: its "
          "code, heap, mappings and stack |",
          "| 0x08000000 | 0xEFFFFFFF | 3712 MiB | user | rw- | rwx | process | program | - | - | T3 | The program |" },
        { "| 0x80000000 | 0xFFBFFFFF | 2 GiB less 4 MiB | objects |",
          "| 0xF0000000 | 0xFFBFFFFF | 252 MiB | objects |" },
        { "| 0x00501000 | 0x0057FFFF | 508 KiB | structures | kernel |",
          "| 0x00501000 | 0x00540FFF | 256 KiB | structures | kernel | | Structures |\n"
          "| 0x00541000 | 0x0057FFFF | 252 KiB | spare | pool |" } } },
};

/* ---- Changes by chance --------------------------------------------------------------------------------------- */

static uint32_t chance;

static uint32_t any_of(uint32_t count)
{
    chance = chance * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)chance * count) >> 32);
}

static const struct md_table *any_table(void)
{
    const struct md_table *table = document.outline.tables;

    for (uint32_t skipped = any_of(9); skipped > 0 && table->next != NULL; skipped--)
        table = table->next;
    return table;
}

static bool is_changed(unsigned line) { return document.changed[line - 1] != document.lines[line - 1]; }

static const char *label_of(const struct md_table *table, const struct table_row *row)
{
    int name = column_of(table, "Name");

    return row->cells[name < 0 ? 0 : name];
}

static const char *say(const char *label, const char *what)
{
    return source_print(&document.source, "%s: %s", label, what);
}

/* A cell gets a word of its column. NULL from each of these: nothing was changed. */
static const char *other_word(const struct md_table *table, struct table_row *row)
{
    size_t at = any_of(COUNT_OF(columns)), words = 0;
    int column = column_of(table, columns[at].title);
    const char *label = label_of(table, row);

    if (column < 0)
        return NULL;
    while (words < COUNT_OF(columns[at].words) && columns[at].words[words] != NULL)
        words++;
    row->cells[column] = (char *)columns[at].words[any_of((uint32_t)words)];
    put_row(row);
    return say(label, source_print(&document.source, "%s is `%s`", columns[at].title, row->cells[column]));
}

/* So far borders move: from what one structure needs to what half of the space has. */
static uint64_t any_step(void)
{
    static const uint64_t units[] = { 8, PAGE, 16 * PAGE, 256 * PAGE, TABLE, 16 * TABLE };
    uint64_t step = units[any_of(COUNT_OF(units))] * (1 + any_of(3));

    return any_of(2) == 0 ? step : -step;
}

/* The border of a row and the next moves, and their sizes with it. */
static const char *other_border(const struct md_table *table, struct table_row *row)
{
    const struct md_row *after = row->line - table->rows[0].line + 1 < table->row_count
                                     ? &table->rows[row->line - table->rows[0].line + 1] : NULL;
    uint64_t last, start;

    if (column_of(table, "End") != 1 || !read_address(row->cells[1], &last))
        return NULL;
    if (after != NULL && is_changed(after->line))
        return NULL;
    last = (last + any_step()) % SPACE_END;
    row->cells[1] = address_text(last);
    right_size(row);
    put_row(row);
    if (after != NULL && read_address(after->cells[0], &start)) {
        struct table_row high = row_of(after);

        high.cells[0] = address_text(last + 1);
        right_size(&high);
        put_row(&high);
    }
    return say(label_of(table, row), source_print(&document.source, "it ends at %s", row->cells[1]));
}

/* A number that stands alone, or behind `physical` or `by`, is another. */
static const char *other_number(const struct md_table *table, struct table_row *row)
{
    static const char *const befores[] = { "physical ", "by ", "" };
    unsigned cell = any_of(row->count);
    const char *before = "", *text = row->cells[cell], *label = label_of(table, row);
    uint64_t value;

    for (size_t i = 0; i < COUNT_OF(befores) && *before == '\0'; i++)
        if (strncmp(text, befores[i], strlen(befores[i])) == 0)
            before = befores[i];
    text += strlen(before);
    if (read_address(text, &value))
        text = address_text((value + any_step()) % SPACE_END);
    else if (read_size(text, &value))
        text = size_text(&document.source, (value + any_step()) % SPACE_END);
    else
        return NULL;
    row->cells[cell] = (char *)source_print(&document.source, "%s%s", before, text);
    put_row(row);
    return say(label, source_print(&document.source, "%s is %s", table->header.cells[cell], row->cells[cell]));
}

static const char *other_row(const struct md_table *table, struct table_row *row)
{
    const char *label = label_of(table, row);

    if (any_of(2) == 0) {
        put_line(row->line, NULL);
        return say(label, "the row is left out");
    }
    put_line(row->line, source_print(&document.source, "%s\n%s", row_text(row), row_text(row)));
    return say(label, "the row is there twice");
}

/* Two cells of a column change places, in rows that follow each other. */
static const char *other_order(const struct md_table *table, struct table_row *row)
{
    const struct md_row *after = row->line - table->rows[0].line + 1 < table->row_count
                                     ? &table->rows[row->line - table->rows[0].line + 1] : NULL;
    unsigned cell = any_of(row->count);
    struct table_row next;

    if (after == NULL || is_changed(after->line))
        return NULL;
    next = row_of(after);
    if (next.count != row->count)
        return NULL;
    row->cells[cell] = after->cells[cell];
    next.cells[cell] = table->rows[row->line - table->rows[0].line].cells[cell];
    put_row(row);
    put_row(&next);
    return say(label_of(table, row), source_print(&document.source, "%s changes places with the next row's",
                                                  table->header.cells[cell]));
}

static const char *any_change(void)
{
    static const char *(*const changes[])(const struct md_table *, struct table_row *) = {
        other_word, other_word, other_border, other_border, other_border, other_number, other_number, other_row,
        other_order,
    };
    const struct md_table *table = any_table();
    struct table_row row;

    if (table->heading == NULL || rows_of(table) == 0)
        return NULL;
    row = row_of(&table->rows[any_of(rows_of(table))]);
    return is_changed(row.line) ? NULL : changes[any_of(COUNT_OF(changes))](table, &row);
}

/* ---- The variants --------------------------------------------------------------------------------------------- */

static char *variant_text(const struct variant *variant, char *text)
{
    for (size_t i = 0; i < PARTS && variant->parts[i].from != NULL; i++) {
        char *next = replaced(text, variant->parts[i].from, variant->parts[i].to);

        free(text);
        text = next;
    }
    return text;
}

static void change_variant(const struct variant *variant)
{
    char   path[128], *like, *text, *said;
    struct record record;
    unsigned errors;

    snprintf(path, sizeof path, FOLDER "%s.md", variant->document);
    like = kept_text(path);
    text = variant_text(variant, strdup(like));
    said = complaints_about(text, strlen(text), &errors);
    if (errors != 0)
        fail_msg("%s is not accepted:\n%s", variant->name, said);
    open_text(variant->name, text, like);
    fprintf(book.out, "\n");
    for (unsigned count = 1; count <= 3; count++) {
        record = begin_record(source_print(&document.source, "%u at a time", count));
        while (record.changes < (count == 1 ? CHANGES / 2 : CHANGES)) {
            const char *what = "", *change = "";

            for (unsigned n = 0; n < count && change != NULL; n++) {
                change = any_change();
                if (change != NULL)
                    what = source_print(&document.source, "%s%s%s", what, n > 0 ? "; " : "", change);
            }
            if (change == NULL) {
                begin_record("");
                continue;
            }
            judge(&record, change_text("changed", what));
        }
        end_record(&record);
    }
    close_document();
    free(said);
    free(text);
    free(like);
}

/* What neighbours.txt has in full is not there a second time. */
static void know_neighbours(void)
{
    char *kept = kept_text(FOLDER "neighbours.txt");

    for (char *line = strtok(kept, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strncmp(line, "    ", 4) == 0)
            is_new(line + 4);
    free(kept);
}

static void change_all(void)
{
    know_neighbours();
    chance = 1;
    for (size_t i = 0; i < COUNT_OF(variants); i++)
        change_variant(&variants[i]);
}

static void every_variant_is_judged_as_before(void **state)
{
    (void)state;
    compare_book("variants", change_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_variant_is_judged_as_before) };

    return cmocka_run_group_tests_name("layout_variants", tests, NULL, NULL);
}
