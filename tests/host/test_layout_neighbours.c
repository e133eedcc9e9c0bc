/*
 * test_layout_neighbours.c - documents one change away from good ones, and all that the compiler says about them.
 *
 * Each document of tests/host/layouts is changed in every place where a writer could: a border moves by a page or by
 * 4 MiB, with the sizes beside it; a cell gets another word of its column; a row is left out, is there twice, becomes a
 * hole, gets another name, or changes places with the next. What is said is compared with neighbours.txt:
 * neighbours.h.
 */
#include "neighbours.h"

enum { PAIRS = 300 };

/* ---- Columns, headings, and what is no table -------------------------------------------------------------------- */

/* One column of all rows and of the header is left out, is there twice, or has another title. */
static void change_column(const struct md_table *table, unsigned column, unsigned times, const char *title)
{
    for (uint32_t i = 0; i <= table->row_count; i++) {
        struct table_row from = row_of(i == 0 ? &table->header : &table->rows[i - 1]), to = from;

        to.count = 0;
        for (unsigned cell = 0; cell < from.count; cell++)
            for (unsigned n = cell == column ? times : 1; n > 0; n--) {
                assert_true(to.count < CELLS);
                to.cells[to.count++] = i == 0 && cell == column && title != NULL ? (char *)title : from.cells[cell];
            }
        put_row(&to);
    }
}

static void change_columns(const struct md_table *table, struct record *record)
{
    for (unsigned column = 0; column < table->header.count; column++) {
        const char *title = table->header.cells[column];

        change_column(table, column, 0, NULL);
        judge(record, change_text(table->heading, source_print(&document.source, "no column `%s`", title)));
        change_column(table, column, 2, NULL);
        judge(record, change_text(table->heading, source_print(&document.source, "`%s` twice", title)));
        change_column(table, column, 1, "Colour");
        judge(record, change_text(table->heading, source_print(&document.source, "`Colour` for `%s`", title)));
    }
    put_line(table->header.line + 1, NULL);
    judge(record, change_text(table->heading, "no line of dashes"));
    put_line(table->header.line + 1, "| --- | - x | --- |");
    judge(record, change_text(table->heading, "a word among the dashes"));
    put_line(table->header.line, source_print(&document.source, "```\n%s", document.lines[table->header.line - 1]));
    judge(record, change_text(table->heading, "a fence before it"));
    put_line(table->header.line, source_print(&document.source, "~~~\n| x |\n~~~\n\t%s",
                                              document.lines[table->header.line - 1]));
    judge(record, change_text(table->heading, "another table in a fence before it"));
    for (uint32_t i = 0; i < rows_of(table) && i < CLAIMS; i++) {
        unsigned line = table->rows[i].line;

        put_line(line, source_print(&document.source, "%s x |", document.lines[line - 1]));
        judge(record, change_text(table->heading, "a cell more"));
        put_line(line, source_print(&document.source, "%s \x7F", document.lines[line - 1]));
        judge(record, change_text(table->heading, "a byte that cannot be printed"));
        put_line(line, source_print(&document.source, "\t%.*s\t|", (int)strlen(document.lines[line - 1]) - 1,
                                    document.lines[line - 1]));
        judge(record, change_text(table->heading, "tabs before a row and in its last cell"));
        put_line(line, source_print(&document.source, "  %.*s", (int)strlen(document.lines[line - 1]) - 1,
                                    document.lines[line - 1]));
        judge(record, change_text(table->heading, "no bar at the end of a row"));
    }
}

/* Each heading and the title becomes another. */
static void change_headings(struct record *record)
{
    static const char *const titles[] = {
        "# no colon", "# Capital: x", "# : x", "#name: x", "# a-name-of-thirty-one-small-letters: x",
        "# a-name-of-just-thirty-1-letters: x", "# two: x\n# titles: y", "# \x01: x", "# two words: x",
        "# many:   blanks",
    };

    for (unsigned line = 1; line <= document.line_count; line++) {
        const char *was = document.lines[line - 1];

        if (strncmp(was, "## ", 3) == 0) {
            put_line(line, "## Weather");
            judge(record, change_text(was, "`## Weather`"));
            put_line(line, source_print(&document.source, "#%s", was));
            judge(record, change_text(was, "one level deeper"));
            put_line(line, source_print(&document.source, "## **%s**", was + 3));
            judge(record, change_text(was, "emphasized"));
        }
        for (size_t i = 0; line == 1 && i < COUNT_OF(titles); i++) {
            put_line(line, titles[i]);
            judge(record, change_text("title", titles[i]));
        }
    }
}

/* ---- Two at once ------------------------------------------------------------------------------------------------- */

static uint32_t chance;

static uint32_t any_of(uint32_t count)
{
    chance = chance * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)chance * count) >> 32);
}

/* Replaces one cell somewhere by a word of its column. NULL where that was no change; else what was changed. */
static const char *change_anywhere(void)
{
    const struct md_table *table = document.outline.tables;
    size_t at = any_of(COUNT_OF(columns)), words = 0;
    struct table_row row;
    int column, name;

    for (uint32_t skipped = any_of(8); skipped > 0 && table->next != NULL; skipped--)
        table = table->next;
    column = column_of(table, columns[at].title);
    if (table->heading == NULL || table->row_count == 0 || column < 0)
        return NULL;
    while (words < COUNT_OF(columns[at].words) && columns[at].words[words] != NULL)
        words++;
    row = row_of(&table->rows[any_of(table->row_count)]);
    if (document.changed[row.line - 1] != document.lines[row.line - 1])
        return NULL;
    name = column_of(table, "Name");
    row.cells[column] = (char *)columns[at].words[any_of((uint32_t)words)];
    put_row(&row);
    return source_print(&document.source, "%s of %s is `%s`", columns[at].title,
                        table->rows[row.line - table->rows[0].line].cells[name < 0 ? 0 : name], row.cells[column]);
}

/* What only a second mistake shows; always the same ones. */
static void change_pairs(void)
{
    struct record record = begin_record("pairs");

    for (chance = 1; record.changes < PAIRS;) {
        const char *first = change_anywhere(), *second = first == NULL ? NULL : change_anywhere();

        if (second == NULL)
            begin_record("");
        else
            judge(&record, change_text(first, second));
    }
    end_record(&record);
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

static void change_tables(const char *title, void (*change)(const struct md_table *table, struct record *record))
{
    struct record record = begin_record(title);

    for (const struct md_table *table = document.outline.tables; table != NULL; table = table->next)
        if (table->heading != NULL)
            change(table, &record);
    end_record(&record);
}

static void all_borders(const struct md_table *table, struct record *record)
{
    if (column_of(table, "End") >= 0)
        move_borders(table, table->next, record);
}

static void all_moves(const struct md_table *table, struct record *record)
{
    if (column_of(table, "End") >= 0)
        move_rows(table, record);
}

static void all_numbers(const struct md_table *table, struct record *record)
{
    if (column_of(table, "Kept") >= 0 || column_of(table, "At first") >= 0) {
        change_numbers(table, "Virtual", "", record);
        change_numbers(table, "Physical", "", record);
        change_numbers(table, "At first", "", record);
        change_numbers(table, "Size", "", record);
    }
    change_numbers(table, "Backing", "physical ", record);
}

static void all_ranges(const struct md_table *table, struct record *record)
{
    if (column_of(table, "End") >= 0)
        change_ranges(table, record);
}

/* Columns are read alike in all documents: one that has applications stands for the others, one that has structures. */
static void change_shapes(void)
{
    struct record record = begin_record("headings");

    change_headings(&record);
    end_record(&record);
    if (strcmp(document.name, FW) == 0 || strcmp(document.name, HH) == 0)
        change_tables("columns", change_columns);
}

static void change_document(const char *name)
{
    char path[128], *text;

    snprintf(path, sizeof path, FOLDER "%s.md", name);
    text = kept_text(path);
    open_text(name, text, text);
    free(text);
    fprintf(book.out, "\n");
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        struct record record = begin_record(columns[i].title);

        for (const struct md_table *table = document.outline.tables; table != NULL; table = table->next)
            if (table->heading != NULL)
                change_words(table, columns[i].title, columns[i].words, COUNT_OF(columns[i].words), &record);
        end_record(&record);
    }
    change_tables("borders", all_borders);
    change_tables("moves", all_moves);
    change_tables("numbers", all_numbers);
    change_tables("rows", change_rows);
    change_tables("ranges", all_ranges);
    change_pairs();
    change_shapes();
    close_document();
}

static void change_all(void)
{
    static const char *const names[] = { QU, HH, MO, FW, PT, TR };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        change_document(names[i]);
}

static void every_document_one_change_away_is_judged_as_before(void **state)
{
    (void)state;
    compare_book("neighbours", change_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_document_one_change_away_is_judged_as_before) };

    return cmocka_run_group_tests_name("layout_neighbours", tests, NULL, NULL);
}
