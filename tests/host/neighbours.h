/*
 * neighbours.h - documents that are changed somewhere, what the compiler says about them, and what it makes of them.
 *
 * Whoever includes this opens a document, changes it, and has it judged; what is said goes to a file in two forms: each
 * complaint of a kind that no line before it has is there in full, with the change that caused it, to be read; and of
 * all changes of one sort, how many there are, how many were accepted, and a sum of every letter that was said, or made
 * of an accepted document, so that nothing becomes other unnoticed. QUIRE_RECORD=1 writes the file anew, and beside it
 * one with every change and every complaint, to be compared with that of another compiler.
 *
 * Included once by each test program.
 */
#ifndef QUIRE_TESTS_NEIGHBOURS_H
#define QUIRE_TESTS_NEIGHBOURS_H

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

enum { LINES = 256, CELLS = 16, SKELETONS = 4096, CLAIMS = 4 };

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

/* What is said and made of it is compared with what was made of `like`, a good one. */
static inline void open_text(const char *name, const char *text, const char *like)
{
    document.name = name;
    document.line_count = 0;
    assert_true(source_from(&document.source, name, text, strlen(text), stderr));
    markdown_read(&document.source, &document.outline);
    assert_true(source_from(&document.compiled, "mine.md", like, strlen(like), stderr));
    assert_true(document_compile(&document.original, &document.compiled));
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        assert_true(document.line_count < LINES);
        document.lines[document.line_count++] = strndup(at, strcspn(at, "\n"));
    }
}

static inline void close_document(void)
{
    for (unsigned i = 0; i < document.line_count; i++)
        free(document.lines[i]);
    source_free(&document.source);
    source_free(&document.compiled);
}

static inline struct table_row row_of(const struct md_row *from)
{
    struct table_row row = { .line = from->line, .count = from->count };

    assert_true(from->count <= CELLS);
    for (unsigned i = 0; i < from->count; i++)
        row.cells[i] = from->cells[i];
    return row;
}

static inline int column_of(const struct md_table *table, const char *title)
{
    for (unsigned i = 0; i < table->header.count; i++)
        if (strcmp(table->header.cells[i], title) == 0)
            return (int)i;
    return -1;
}

/* Claims are all alike: the first few stand for the others. */
static inline uint32_t rows_of(const struct md_table *table)
{
    return column_of(table, "Id") >= 0 && table->row_count > CLAIMS ? CLAIMS : table->row_count;
}

static inline const char *row_text(const struct table_row *row)
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
static inline void put_line(unsigned line, const char *text) { document.changed[line - 1] = (char *)text; }

static inline void put_row(const struct table_row *row) { put_line(row->line, row_text(row)); }

/* A complaint without its row, its numbers, and what is in quotes or parentheses: of what kind it is. */
static inline char *skeleton_of(const char *complaint)
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

static inline bool is_new(const char *complaint)
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

static inline void add_text(uint32_t *sum, const char *text)
{
    for (; *text != '\0'; text++)
        *sum = (*sum ^ (uint8_t)*text) * 16777619u;
}

/* One line for each complaint: `12: null ...`, or `: no region ...` where it names no line. */
static inline void note_complaints(const char *change, char *said)
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
static inline char *made_of(const struct document *d)
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

static inline char *changed_text(size_t *bytes)
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
static inline void judge(struct record *record, const char *change)
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

static inline const char *change_text(const char *row, const char *what)
{
    return source_print(&document.source, "%s, %s: %s", document.name, row, what);
}

static inline struct record begin_record(const char *title)
{
    for (unsigned i = 0; i < document.line_count; i++)
        document.changed[i] = document.lines[i];
    return (struct record){ .title = title, .sum = 2166136261u };
}

static inline void end_record(const struct record *record)
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

static inline void change_words(const struct md_table *table, const char *title, const char *const *words,
                                size_t most, struct record *record)
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
static inline void right_size(struct table_row *row)
{
    uint64_t start, last;

    if (read_address(row->cells[0], &start) && read_address(row->cells[1], &last) && last >= start)
        row->cells[2] = (char *)size_text(&document.source, last - start + 1);
}

static inline char *address_text(uint64_t address)
{
    return (char *)source_print(&document.source, "0x%08" PRIX64, address);
}

static inline const char *step_text(int64_t step)
{
    return source_print(&document.source, "%s %s", size_text(&document.source, (uint64_t)(step < 0 ? -step : step)),
                        step < 0 ? "down" : "up");
}

/* The border of a row and the next goes up or down, and both sizes follow. */
static inline void move_borders(const struct md_table *table, const struct md_table *next, struct record *record)
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
static inline void move_rows(const struct md_table *table, struct record *record)
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
static inline void change_numbers(const struct md_table *table, const char *title, const char *before,
                                  struct record *record)
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

static inline void change_rows(const struct md_table *table, struct record *record)
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
static inline void change_ranges(const struct md_table *table, struct record *record)
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

/* ---- The file --------------------------------------------------------------------------------------------------- */

/* The first line that differs is printed, both as it was and as it is. */
static inline void compare_lines(const char *path, const char *made, const char *kept)
{
    unsigned line = 1;

    for (;; made++, kept++) {
        size_t length = strcspn(made, "\n"), was = strcspn(kept, "\n");

        if (length != was || strncmp(made, kept, length) != 0)
            fail_msg("%s:%u: `%.*s` was `%.*s` (where that is meant: QUIRE_RECORD=1 and this program)", path, line,
                     (int)length, made, (int)was, kept);
        made += length;
        kept += was;
        if (*made == '\0' || *kept == '\0')
            break;
        line++;
    }
    assert_true(*made == *kept);
}

/* All that `judge_all` has judged, against the file NAME.txt; or for it. */
static inline void compare_book(const char *name, void (*judge_all)(void))
{
    bool   records = getenv("QUIRE_RECORD") != NULL;
    char   path[128], all[128], *made, *kept;
    size_t bytes;

    snprintf(path, sizeof path, FOLDER "%s.txt", name);
    snprintf(all, sizeof all, FOLDER "%s.all", name);
    book.out = open_memstream(&made, &bytes);
    book.all = fopen(records ? all : "/dev/null", "w");
    assert_true(book.out != NULL && book.all != NULL);
    judge_all();
    fclose(book.out);
    fclose(book.all);
    if (records) {
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(made, file);
        fclose(file);
    }
    kept = kept_text(path);
    compare_lines(path, made, kept);
    for (unsigned i = 0; i < book.skeleton_count; i++)
        free(book.skeletons[i]);
    free(kept);
    free(made);
}

#endif
