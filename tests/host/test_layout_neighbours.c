/*
 * test_layout_neighbours.c - documents one change away from good ones, and all that the compiler says about them.
 *
 * Each document of tests/host/layouts is changed in every place where a writer could: a border moves by a page or by
 * 4 MiB, with the sizes beside it; a cell gets another word of its column; a row is left out, is there twice, becomes a
 * hole, gets another name, or changes places with the next. What is said is compared with neighbours.txt, where it lies
 * in two forms: each complaint of a kind that no line before it has is there in full, with the change that caused it,
 * to be read; and of all changes in a column, how many there are, how many were accepted, and a sum of every letter
 * that was said, or made of an accepted document, so that nothing becomes other unnoticed. QUIRE_RECORD=1 writes the
 * file anew, and beside it neighbours.all with every change and every complaint, to be compared with that of another
 * compiler.
 */
#include "layout_text.h"

#include "layout/compare.h"
#include "layout/emit.h"
#include "layout/facts.h"
#include "layout/markdown.h"
#include "layout/picture.h"
#include "layout/quantity.h"

#include <inttypes.h>

#define FOLDER "tests/host/layouts/"

/* Ten thousand documents are compiled and freed: half of the time would go into memory that is kept back. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "quarantine_size_mb=1:malloc_context_size=2"; }

enum { LINES = 256, CELLS = 16, SKELETONS = 4096, PAIRS = 300, CLAIMS = 4 };

/* ---- A document in lines, and its tables in cells ------------------------------------------------------------ */

struct table_row { unsigned line; char *cells[CELLS]; unsigned count; };

static struct {
    const char       *name;
    char             *lines[LINES], *changed[LINES];
    unsigned          line_count;
    struct source     source;               /* owns what markdown_read() finds */
    struct md_outline outline;
    struct source     compiled;
    struct document   original;
} document;

static void open_document(const char *name)
{
    char  path[128], *text = calloc(1, BYTES_LIMIT);
    FILE *file;

    snprintf(path, sizeof path, FOLDER "%s.md", name);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s: not found; this test runs at the top of the tree", path);
    assert_non_null(text);
    assert_true(fread(text, 1, BYTES_LIMIT - 1, file) > 0);
    fclose(file);
    document.name = name;
    document.line_count = 0;
    assert_true(source_from(&document.source, path, text, strlen(text), stderr));
    markdown_read(&document.source, &document.outline);
    assert_true(source_from(&document.compiled, "mine.md", text, strlen(text), stderr));
    assert_true(document_compile(&document.original, &document.compiled));
    for (char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        assert_true(document.line_count < LINES);
        document.lines[document.line_count++] = strndup(at, strcspn(at, "\n"));
    }
    free(text);
}

static void close_document(void)
{
    for (unsigned i = 0; i < document.line_count; i++)
        free(document.lines[i]);
    source_free(&document.source);
    source_free(&document.compiled);
}

static struct table_row row_of(const struct md_row *from)
{
    struct table_row row = { .line = from->line, .count = from->count };

    assert_true(from->count <= CELLS);
    for (unsigned i = 0; i < from->count; i++)
        row.cells[i] = from->cells[i];
    return row;
}

static int column_of(const struct md_table *table, const char *title)
{
    for (unsigned i = 0; i < table->header.count; i++)
        if (strcmp(table->header.cells[i], title) == 0)
            return (int)i;
    return -1;
}

/* Claims are all alike: the first few stand for the others. */
static uint32_t rows_of(const struct md_table *table)
{
    return column_of(table, "Id") >= 0 && table->row_count > CLAIMS ? CLAIMS : table->row_count;
}

static const char *row_text(const struct table_row *row)
{
    const char *text = "|";

    for (unsigned i = 0; i < row->count; i++)
        text = source_print(&document.source, "%s %s |", text, row->cells[i]);
    return text;
}

/* ---- Changes, and what is said of them ----------------------------------------------------------------------- */

struct record {                             /* of one column of one document */
    const char *title;
    unsigned    changes, accepted;
    uint32_t    sum;
};

static struct {
    FILE     *out, *all;
    char     *skeletons[SKELETONS];         /* of the complaints that are in the file already */
    unsigned  skeleton_count;
} book;

/* Replaces one line in the changed document: NULL leaves it out. */
static void put_line(unsigned line, const char *text) { document.changed[line - 1] = (char *)text; }

static void put_row(const struct table_row *row) { put_line(row->line, row_text(row)); }

/* A complaint without its row, its numbers, and what is in quotes or parentheses: of what kind it is. */
static char *skeleton_of(const char *complaint)
{
    char *skeleton = strdup(complaint), *to = skeleton;
    const char *from = complaint + strcspn(complaint, " ");
    bool inside = false;

    while (*from == ' ')
        from++;
    for (from += strcspn(from, " "); *from != '\0'; from++) {
        if (strchr("`()", *from) != NULL)
            inside = *from == '(' || (*from == '`' && !inside);
        else if (!inside && strchr("0123456789ABCDEFxrw- ", *from) == NULL)
            *to++ = *from;
    }
    *to = '\0';
    return skeleton;
}

static bool is_new(const char *complaint)
{
    char *skeleton = skeleton_of(complaint);

    for (unsigned i = 0; i < book.skeleton_count; i++)
        if (strcmp(book.skeletons[i], skeleton) == 0) {
            free(skeleton);
            return false;
        }
    assert_true(book.skeleton_count < SKELETONS);
    book.skeletons[book.skeleton_count++] = skeleton;
    return true;
}

static void add_text(uint32_t *sum, const char *text)
{
    for (; *text != '\0'; text++)
        *sum = (*sum ^ (uint8_t)*text) * 16777619u;
}

/* One line for each complaint: `12: null ...`, or `: no region ...` where it names no line. */
static void note_complaints(const char *change, char *said)
{
    static const char file[] = "mine.md:";
    bool told = false;

    for (char *line = strtok(said, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        const char *words = strncmp(line, file, sizeof file - 1) == 0 ? line + sizeof file - 1 : line;
        bool        fresh = is_new(words);

        fprintf(book.all, "%s\n    %s\n", change, words);
        if (fresh && !told)
            fprintf(book.out, "%s\n", change);
        if (fresh)
            fprintf(book.out, "    %s\n", words);
        told = told || fresh;
    }
}

/* Everything that is made of a document, in one text. */
static char *made_of(const struct document *d)
{
    static void (*const makers[])(const struct document *, FILE *) = {
        emit_constants, emit_tables, emit_linker_script, emit_boot_tables, facts_text, picture_text, picture_svg,
    };
    char  *made;
    size_t bytes;
    FILE  *out = open_memstream(&made, &bytes);

    for (size_t i = 0; i < COUNT_OF(makers); i++)
        makers[i](d, out);
    picture_svg_against(d, &document.original, out);
    compare_text(d, &document.original, out);
    fclose(out);
    return made;
}

static char *changed_text(size_t *bytes)
{
    char *text;
    FILE *out = open_memstream(&text, bytes);

    for (unsigned i = 0; i < document.line_count; i++) {
        if (document.changed[i] != NULL)
            fprintf(out, "%s\n", document.changed[i]);
        document.changed[i] = document.lines[i];
    }
    fclose(out);
    return text;
}

/* Compiles the changed document, and forgets the change. */
static void judge(struct record *record, const char *change)
{
    struct document neighbour;
    struct source   source;
    size_t bytes, length;
    char  *text = changed_text(&bytes), *said, *made;
    FILE  *out = open_memstream(&said, &length);
    bool   good = source_from(&source, "mine.md", text, bytes, out) && document_compile(&neighbour, &source);

    fclose(out);
    record->changes++;
    record->accepted += good;
    add_text(&record->sum, change);
    add_text(&record->sum, said);
    if (good) {
        made = made_of(&neighbour);
        add_text(&record->sum, made);
        fprintf(book.all, "%s: accepted, %zu characters are made of it\n", change, strlen(made));
        free(made);
    }
    note_complaints(change, said);
    source_free(&source);
    free(said);
    free(text);
}

static const char *change_text(const char *row, const char *what)
{
    return source_print(&document.source, "%s, %s: %s", document.name, row, what);
}

static struct record begin_record(const char *title)
{
    for (unsigned i = 0; i < document.line_count; i++)
        document.changed[i] = document.lines[i];
    return (struct record){ .title = title, .sum = 2166136261u };
}

static void end_record(const struct record *record)
{
    if (record->changes > 0)
        fprintf(book.out, "%s, %s: %u changes, %u accepted, sum %08" PRIX32 "\n", document.name, record->title,
                record->changes, record->accepted, record->sum);
}

/* ---- Words ---------------------------------------------------------------------------------------------------- */

static const struct { const char *title, *words[12]; } columns[] = {
    { "Kernel", { "---", "r--", "rw-", "r-x", "--x", "rwx", "same" } },
    { "User", { "---", "r--", "rw-", "--x", "rwx", "same" } },
    { "Scope", { "all", "process", "kernel", "-" } },
    { "Backing", { "none", "demand", "device", "tables", "slots", "window", "objects", "program", "image rodata",
                   "physical 0x00000000", "physical end of image", "alias of low" } },
    { "Growth", { "-", "by 4 KiB", "by 8 KiB", "4 KiB each", "8 KiB each", "128 KiB each", "by 2 KiB",
                  "by 4 KiB, at most 512 KiB", "8 KiB each, at most 128 KiB", "8 KiB each, at most 120 KiB",
                  "8 KiB each, at most 1 GiB" } },
    { "Guard", { "-", "4 KiB below each", "2 KiB below each", "none: it is not needed" } },
    { "Use", { "kernel", "hardware", "boot", "image", "bitmap", "master", "pool" } },
    { "Kept", { "yes", "removed once paging is on" } },
    { "Choice", { "identity", "self-map", "window", "tracked", "direct", "slots", "fixed", "first fit",
                  "after the image", "64", "0x08000000", "0xBFC00000" } },
    { "At first", { "0 B", "4 KiB", "64 KiB", "68 KiB", "2 KiB", "floats" } },
    { "Start", { "end of data", "end of image", "nowhere" } },
    { "End", { "0xFFFFFFFF", "end of data", "end of image" } },
    { "Size", { "floats", "0 B", "4 KiB", "some" } },
    { "Virtual", { "0x00000000", "0x00000800", "0x08000000", "0xFFFFF000", "nowhere" } },
    { "Physical", { "0x00000000", "0x00000800", "0x08000000", "0xFFFFF000", "nowhere" } },
    { "Name", { "text", "direct", "tables", "gdt", "physical-low", "last-", "a-name-just-as-it-may-be" } },
    { "Policy", { "search", "magazine", "start address", "luck" } },
    { "Claims", { "Z1", "A1, 1A" } },
    { "Id", { "A1", "1A", "A", "a1", "A0", "A12345", "A1B" } },
    { "Shown by", { "later", "kernel x", "host", "host one_test", "host one two", "build a-b", "nobody",
                    "system a, host b, kernel" } },
    { "Claim", { "" } },
};

static void change_words(const struct md_table *table, const char *title, const char *const *words, size_t most,
                         struct record *record)
{
    int column = column_of(table, title), name = column_of(table, "Name");

    for (uint32_t i = 0; column >= 0 && i < rows_of(table); i++)
        for (size_t k = 0; k < most && words[k] != NULL; k++) {
            struct table_row row = row_of(&table->rows[i]);
            const char *label = row.cells[name < 0 ? 0 : name], *was = row.cells[column];

            if (strcmp(was, words[k]) == 0)
                continue;
            row.cells[column] = (char *)words[k];
            put_row(&row);
            judge(record, change_text(label, source_print(&document.source, "%s `%s` becomes `%s`", title, was,
                                                          words[k])));
        }
}

/* ---- Addresses and sizes ---------------------------------------------------------------------------------------- */

static const int64_t steps[] = { -(int64_t)TABLE, -(int64_t)PAGE, -8, 8, (int64_t)PAGE, (int64_t)TABLE };

/* The size of a row whose borders are numbers. */
static void right_size(struct table_row *row)
{
    uint64_t start, last;

    if (read_address(row->cells[0], &start) && read_address(row->cells[1], &last) && last >= start)
        row->cells[2] = (char *)size_text(&document.source, last - start + 1);
}

static char *address_text(uint64_t address) { return (char *)source_print(&document.source, "0x%08" PRIX64, address); }

static const char *step_text(int64_t step)
{
    return source_print(&document.source, "%s %s", size_text(&document.source, (uint64_t)(step < 0 ? -step : step)),
                        step < 0 ? "down" : "up");
}

/* The border of a row and the next goes up or down, and both sizes follow. */
static void move_borders(const struct md_table *table, const struct md_table *next, struct record *record)
{
    for (uint32_t i = 0; i < rows_of(table); i++)
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            const struct md_row *after = i + 1 < rows_of(table) ? &table->rows[i + 1] :
                                         next != NULL && next->row_count > 0 ? &next->rows[0] : NULL;
            struct table_row low = row_of(&table->rows[i]), high = { 0 };
            uint64_t last, start, to;

            if (!read_address(low.cells[1], &last) || steps[k] % (int64_t)PAGE != 0)
                continue;
            to = last + (uint64_t)steps[k];
            low.cells[1] = address_text(to);
            right_size(&low);
            put_row(&low);
            if (after != NULL && read_address(after->cells[0], &start) && start == last + 1) {
                high = row_of(after);
                high.cells[0] = address_text(to + 1);
                right_size(&high);
                put_row(&high);
            }
            judge(record, change_text(low.cells[3], source_print(&document.source, "the end of it goes %s",
                                                                 step_text(steps[k]))));
        }
}

/* A row with both its borders goes up or down. */
static void move_rows(const struct md_table *table, struct record *record)
{
    for (uint32_t i = 0; i < rows_of(table); i++)
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            struct table_row row = row_of(&table->rows[i]);
            uint64_t start, last;

            if (!read_address(row.cells[0], &start) || !read_address(row.cells[1], &last))
                continue;
            row.cells[0] = address_text((start + (uint64_t)steps[k]) % SPACE_END);
            row.cells[1] = address_text((last + (uint64_t)steps[k]) % SPACE_END);
            put_row(&row);
            judge(record, change_text(row.cells[3], source_print(&document.source, "it goes %s", step_text(steps[k]))));
        }
}

/* One number alone is more or less: in boot mappings, in applications, and after `physical`. */
static void change_numbers(const struct md_table *table, const char *title, const char *before, struct record *record)
{
    int column = column_of(table, title), name = column_of(table, "Name");

    for (uint32_t i = 0; column >= 0 && i < rows_of(table); i++)
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            struct table_row row = row_of(&table->rows[i]);
            const char *label = row.cells[name < 0 ? 0 : name], *text = row.cells[column];
            uint64_t value;

            if (strncmp(text, before, strlen(before)) != 0)
                continue;
            text += strlen(before);
            if (read_address(text, &value))
                text = address_text((value + (uint64_t)steps[k]) % SPACE_END);
            else if (read_size(text, &value) && (int64_t)value + steps[k] >= 0)
                text = size_text(&document.source, value + (uint64_t)steps[k]);
            else
                continue;
            row.cells[column] = (char *)source_print(&document.source, "%s%s", before, text);
            put_row(&row);
            judge(record, change_text(label, source_print(&document.source, "%s is %s", title, row.cells[column])));
        }
}

/* ---- Whole rows -------------------------------------------------------------------------------------------------- */

static void change_rows(const struct md_table *table, struct record *record)
{
    int name = column_of(table, "Name");

    for (uint32_t i = 0; i < rows_of(table); i++) {
        struct table_row row = row_of(&table->rows[i]), next;
        const char *label = row.cells[name < 0 ? 0 : name];

        put_line(row.line, NULL);
        judge(record, change_text(label, "the row is left out"));
        put_line(row.line, source_print(&document.source, "%s\n%s", row_text(&row), row_text(&row)));
        judge(record, change_text(label, "the row is there twice"));
        if (i + 1 < rows_of(table)) {
            next = row_of(&table->rows[i + 1]);
            put_line(row.line, row_text(&next));
            put_line(next.line, row_text(&row));
            judge(record, change_text(label, "the row changes places with the next"));
        }
        if (name < 0)
            continue;
        row.cells[name] = (char *)"other";
        put_row(&row);
        judge(record, change_text(label, "the name becomes `other`"));
    }
}

/* What a row covered becomes a hole, or a part of the row before it. */
static void change_ranges(const struct md_table *table, struct record *record)
{
    int kernel = column_of(table, "Kernel"), scope = column_of(table, "Scope"), name = column_of(table, "Name");

    for (uint32_t i = 0; i < rows_of(table); i++) {
        struct table_row row = row_of(&table->rows[i]), low;
        const char *label = row.cells[name];

        if (i > 0) {
            low = row_of(&table->rows[i - 1]);
            low.cells[1] = row.cells[1];
            right_size(&low);
            put_row(&low);
            put_line(row.line, NULL);
            judge(record, change_text(label, "its place belongs to the row before it"));
        }
        if (kernel < 0)
            continue;
        for (int column = kernel; column <= scope + 3; column++)
            row.cells[column] = (char *)(column < scope ? "---" : column == scope + 1 ? "none" : "-");
        put_row(&row);
        judge(record, change_text(label, "it becomes a hole"));
        row.cells[name] = (char *)"hole";
        put_row(&row);
        judge(record, change_text(label, "it becomes a hole with another name"));
    }
}

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
    open_document(name);
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

static char *kept_text(void)
{
    char *text = calloc(1, BYTES_LIMIT);
    FILE *file = fopen(FOLDER "neighbours.txt", "r");

    if (file == NULL)
        fail_msg(FOLDER "neighbours.txt: not found; this test runs at the top of the tree");
    assert_non_null(text);
    assert_true(fread(text, 1, BYTES_LIMIT - 1, file) > 0);
    fclose(file);
    return text;
}

/* The first line that differs is printed, both as it was and as it is. */
static void compare_lines(const char *made, const char *kept)
{
    unsigned line = 1;

    for (;; made++, kept++) {
        size_t length = strcspn(made, "\n"), was = strcspn(kept, "\n");

        if (length != was || strncmp(made, kept, length) != 0)
            fail_msg(FOLDER "neighbours.txt:%u: `%.*s` was `%.*s` (where that is meant: QUIRE_RECORD=1 and this "
                     "program)", line, (int)length, made, (int)was, kept);
        made += length;
        kept += was;
        if (*made == '\0' || *kept == '\0')
            break;
        line++;
    }
    assert_true(*made == *kept);
}

static void every_document_one_change_away_is_judged_as_before(void **state)
{
    static const char *const names[] = { QU, HH, MO, FW, PT, TR };
    bool   records = getenv("QUIRE_RECORD") != NULL;
    size_t bytes;
    char  *made, *kept;

    (void)state;
    book.out = open_memstream(&made, &bytes);
    book.all = fopen(records ? FOLDER "neighbours.all" : "/dev/null", "w");
    assert_true(book.out != NULL && book.all != NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        change_document(names[i]);
    fclose(book.out);
    fclose(book.all);
    if (records) {
        FILE *file = fopen(FOLDER "neighbours.txt", "w");

        assert_non_null(file);
        fputs(made, file);
        fclose(file);
    }
    kept = kept_text();
    compare_lines(made, kept);
    for (unsigned i = 0; i < book.skeleton_count; i++)
        free(book.skeletons[i]);
    free(kept);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_document_one_change_away_is_judged_as_before) };

    return cmocka_run_group_tests_name("layout_neighbours", tests, NULL, NULL);
}
