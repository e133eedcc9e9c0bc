/*
 * test_layout.c - the layout compiler: whole documents, and the pieces it is made of.
 *
 * What it refuses, case by case, is in test_layout_refusals.c; what it emits in
 * test_layout_output.c.
 */
#include "layout_text.h"

#include "layout/drawing.h"
#include "layout/markdown.h"
#include "layout/quantity.h"

#include <unistd.h>

/* ---- Whole documents ------------------------------------------------------------------- */

static void shipped_documents_are_good(void **state)
{
    const char *names[] = { HH, QU, MO, TR };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unsigned errors;
        char *text = document_text(names[i]), *said = complaints_about(text, strlen(text), &errors);

        assert_string_equal(said, "");
        assert_int_equal(errors, 0);
        free(said);
        free(text);
    }
}

static void all_mistakes_are_named(void **state)
{
    char *text = document_text(HH), *one = replaced(text, "224 MiB", "225 MiB");
    char *two = replaced(one, "first-fit", "worst-fit"),
         *three = replaced(two, "| text | r-x", "| text | rwx");
    unsigned errors;
    char *said = complaints_about(three, strlen(three), &errors);

    (void)state;
    assert_int_equal(errors, 3);
    assert_non_null(strstr(said, "225 MiB"));
    assert_non_null(strstr(said, "worst-fit"));
    assert_non_null(strstr(said, "writable and executable"));
    free(said), free(three), free(two), free(one), free(text);
}

static void twenty_complaints_are_shown(void **state)
{
    char text[8192] = "# many: mistakes\n## Claims\n| Id | Shown by | Claim |\n|---|---|---|\n", *said;
    unsigned errors, lines = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        strcat(text, "| a | kernel | So |\n");
    said = complaints_about(text, strlen(text), &errors);
    assert_true(errors >= 100);
    for (const char *at = said; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, COMPLAINTS_SHOWN + 1);
    assert_non_null(strstr(said, "mine.md: more errors follow"));
    free(said);
}

static void missing_tables_are_named(void **state)
{
    const char *headings[] = { "Physical memory", "Virtual memory", "Policies", "Boot mappings", "Claims" };
    unsigned errors;
    char *said = complaints_about("# a: b\n", 7, &errors);

    (void)state;
    assert_int_equal(errors, COUNT_OF(headings));
    for (size_t i = 0; i < COUNT_OF(headings); i++)
        assert_non_null(strstr(said, headings[i]));
    free(said);
}

static void empty_text_is_refused(void **state)
{
    unsigned errors;
    char *said = complaints_about("", 0, &errors);

    (void)state;
    assert_true(errors > 0);
    free(said);
}

static void nul_bytes_are_refused(void **state)
{
    unsigned errors;
    char *said = complaints_about("# a: b\n\nx\0y\n", 12, &errors);

    (void)state;
    assert_string_equal(said, "mine.md:3: a NUL byte; expected text\n");
    free(said);
}

/* Some editors write one: it is not seen, and was taken for a part of the title. */
static void a_byte_order_mark_is_no_part_of_the_title(void **state)
{
    static const char marked[] = "\xEF\xBB\xBF# a: b\n", *plain = marked + 3;
    unsigned errors, plain_errors;
    char *said = complaints_about(marked, sizeof(marked) - 1, &errors);
    char *plainly = complaints_about(plain, strlen(plain), &plain_errors);

    (void)state;
    assert_null(strstr(said, "title"));
    assert_string_equal(said, plainly);
    free(said);
    free(plainly);
}

static void a_missing_title_is_not_quoted(void **state)
{
    unsigned errors;
    char *said = complaints_about("prose\n", 6, &errors);

    (void)state;
    assert_non_null(strstr(said, "mine.md: no title; expected `# name: title`, the name in small letters"));
    free(said);
}

static void a_mebibyte_is_refused(void **state)
{
    char *text = malloc(BYTES_LIMIT), *said;
    unsigned errors;

    (void)state;
    assert_non_null(text);
    memset(text, '\n', BYTES_LIMIT);
    said = complaints_about(text, BYTES_LIMIT, &errors);
    assert_string_equal(said, "mine.md: the document has at least 1048576 bytes; expected fewer\n");
    free(said);
    free(text);
}

static void long_lines_are_refused(void **state)
{
    char text[LINE_LIMIT + 16] = "# a: b\n", *said;
    unsigned errors;

    (void)state;
    memset(text + 7, 'x', LINE_LIMIT + 1);
    said = complaints_about(text, strlen(text), &errors);
    assert_non_null(strstr(said, "mine.md:2: this line has 1001 characters; at most 1000 make sense"));
    free(said);
}

/*
 * The kernel's map of physical memory has a place for each row, and for what firmware says. With 300 rows that were
 * accepted it gave up RAM, found too little of it, and asked for more without end.
 */
static void more_rows_than_the_kernels_map_has_are_refused(void **state)
{
    char *text = document_text(QU), *rows, *many, *said;
    size_t size;
    FILE *out = open_memstream(&rows, &size);
    unsigned errors;

    (void)state;
    for (unsigned page = 1; page <= 45; page++)
        fprintf(out, "| 0x000%02X000 | 0x000%02XFFF | 4 KiB | p%u | %s | | A page |\n", page, page, page,
                page % 2 == 0 ? "hardware" : "pool");
    fprintf(out, "| 0x0002E000 | 0x0009FFFF | 456 KiB | low | pool |");
    fclose(out);
    many = replaced(text, "| 0x00001000 | 0x0009FFFF | 636 KiB | low | pool |", rows);
    said = complaints_about(many, strlen(many), &errors);
    assert_int_equal(errors, 1);
    assert_non_null(strstr(said, "image is row number 49 of physical memory; the kernel's map of it has room for 48"));
    free(said), free(many), free(rows), free(text);
}

/* The kernel's table of regions that are there from the start has 32 places. */
static void more_regions_than_the_kernels_table_has_are_refused(void **state)
{
    char *text = document_text(QU), *said, *rows, *many;
    size_t size;
    unsigned errors;

    (void)state;
    for (unsigned pages = 24; pages <= 25; pages++) {
        FILE *out = open_memstream(&rows, &size);

        for (unsigned page = 0; page < pages; page++)
            fprintf(out, "| 0xE00%02X000 | 0xE00%02XFFF | 4 KiB | p%u | rw- | --- | all | physical 0x000%02X000 | - | "
                    "- | | A page |\n", page, page, page, page);
        fprintf(out, "| 0xE00%02X000 | 0xE00FFFFF | %u KiB | low | rw- | --- | all | physical 0x000%02X000 |", pages,
                1024 - 4 * pages, pages);
        fclose(out);
        many = replaced(text, "| 0xE0000000 | 0xE00FFFFF | 1 MiB | low | rw- | --- | all | physical 0x00000000 |",
                        rows);
        said = complaints_about(many, strlen(many), &errors);
        if (pages == 24)
            assert_string_equal(said, "");
        else
            assert_non_null(strstr(said, "slots is region number 33 that is there from the start; the kernel's table "
                                         "has 32 places"));
        assert_int_equal(errors, pages - 24);
        free(said), free(many), free(rows);
    }
    free(text);
}

/* Where the kernel looks for the first megabyte, a region shows another: no other place counts instead. */
static void a_region_at_another_distance_shows_nothing_that_the_kernel_looks_for(void **state)
{
    char *text = document_text(QU), *said, *elsewhere, *wrong;
    unsigned errors;

    (void)state;
    elsewhere = replaced(text, "| 0xE0000000 | 0x00000000 | 4 MiB | yes |",
                         "| 0xE0100000 | 0x00100000 | 3 MiB | yes |");
    wrong = replaced(elsewhere, "physical 0x00000000", "physical 0x10000000");
    said = complaints_about(elsewhere, strlen(elsewhere), &errors);
    assert_string_equal(said, "");
    free(said);
    said = complaints_about(wrong, strlen(wrong), &errors);
    assert_int_equal(errors, 1);
    assert_non_null(strstr(said, "low (rw-, backed by `physical`) lies where the kernel looks for physical memory from "
                                 "0x00001000 on, and that is low"));
    free(said), free(wrong), free(elsewhere), free(text);
}

/* With stacks of each process a kernel with a space of its own ran where they are not: a double fault. */
static void stacks_of_each_process_and_a_kernel_elsewhere_are_refused(void **state)
{
    char *text = document_text(QU), *said, *own, *wrong;
    unsigned errors;

    (void)state;
    own = replaced(text, "\n## Policies\n", "\n## Kernel space\n\n"
                   "| Start | End | Size | Name | Kernel | User | Scope | Backing | What lives there |\n"
                   "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
                   "| 0x00010000 | 0xDFFFFFFF | 3.5 GiB less 64 KiB | own | --- | --- | - | none | Nothing |\n\n"
                   "## Policies\n");
    wrong = replaced(own, "| stacks | rw- | --- | all |", "| stacks | rw- | --- | process |");
    said = complaints_about(own, strlen(own), &errors);
    assert_int_equal(errors, 0);
    free(said);
    said = complaints_about(wrong, strlen(wrong), &errors);
    assert_int_equal(errors, 1);
    assert_non_null(strstr(said, "stacks has the scope `process`, but kernel space has regions of its own (line "));
    free(said), free(wrong), free(own), free(text);
}

/* A document that is read leaves no file open; one that cannot be read is named, with the reason. */
static void files_that_cannot_be_read_are_named(void **state)
{
    static const struct { const char *path, *complaint; } all[] = {
        { "layouts/nowhere.md", "layouts/nowhere.md: No such file or directory\n" },
        { "layouts", "layouts: Is a directory\n" },
        { "layouts/quire/layout.md", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct source source;
        size_t size;
        char *said;
        FILE *out = open_memstream(&said, &size);
        int before = dup(STDIN_FILENO), after;

        close(before);
        assert_int_equal(source_open(&source, all[i].path, out), *all[i].complaint == '\0');
        after = dup(STDIN_FILENO);
        close(after);
        assert_int_equal(after, before);
        assert_int_equal(source.errors, *all[i].complaint != '\0');
        source_free(&source);
        fclose(out);
        assert_string_equal(said, all[i].complaint);
        free(said);
    }
}

/* What a writer with another machine's line ends, or with aligned columns, gets: the same layout. */
static void line_ends_do_not_matter(void **state)
{
    char *text = document_text(QU), *dos = calloc(1, 2 * strlen(text) + 1), *said;
    unsigned errors;

    (void)state;
    assert_non_null(dos);
    for (char *in = text, *out = dos; *in != '\0'; *out++ = *in++)
        if (*in == '\n')
            *out++ = '\r';
    said = complaints_about(dos, strlen(dos), &errors);
    assert_string_equal(said, "");
    free(said), free(dos), free(text);
}

/* ---- Pieces ------------------------------------------------------------------------------ */

static void addresses(void **state)
{
    static const char *const wrong[] = {
        "", "0x", "0x_", "0x1_", "0x1__0", "12", "0x100000000", "0xG", "0x 1", "-0x1", "0xFFFFFFFFFFFFFFFFF",
    };
    uint64_t address;

    (void)state;
    assert_true(read_address("0x0006_0000", &address) && address == 0x60000);
    assert_true(read_address("0xffffFFFF", &address) && address == 0xFFFFFFFF);
    assert_true(read_address("0X0", &address) && address == 0);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (read_address(wrong[i], &address))
            fail_msg("`%s` was read as an address", wrong[i]);
}

static void sizes(void **state)
{
    static const struct { const char *text; uint64_t bytes;
    } right[] = {
        { "0 B", 0 },
        { "104 B", 104 },
        { "128 KiB", 131072 },
        { "128KiB", 131072 },
        { "4 GiB", SPACE_END },
        { "0.0078125 MiB", 8192 },
        { "0.0009765625 KiB", 1 },
        { "0.5000000000 GiB", 512ull << 20 },
        { "3.5 GiB less 64 KiB", 3758030848 },
        { "1 KiB and 1 B", 1025 },
        { "0.5 KiB", 512 },
        { "1.25 MiB", 1310720 },
    };
    static const char *const wrong[] = {
        "",
        "KiB",
        "1",
        "1 kiB",
        "1 KiBs",
        "-1 B",
        "5 GiB",
        "4 GiB and 1 B",
        "1 B less 2 B",
        "0.3 B",
        "1. KiB",
        "18446744073709551616 B",
        "1 KiB and",
        "1 KiB  and 1 B",
        "0.0000001 GiB",
        "0.00048828125 KiB",
        "0.50000000000 GiB",
    };
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(right); i++)
        if (!read_size(right[i].text, &bytes) || bytes != right[i].bytes)
            fail_msg("`%s` is not %llu", right[i].text, (unsigned long long)right[i].bytes);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (read_size(wrong[i], &bytes))
            fail_msg("`%s` was read as a size", wrong[i]);
}

/* What size_text() writes, read_size() reads back: around every power of two, and at random. */
static void sizes_survive_writing(void **state)
{
    struct source s;
    uint64_t random = 1, bytes;

    (void)state;
    assert_true(source_from(&s, "", "", 0, stderr));
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t size = i < 33 * 64 ? (1ull << (i / 64)) + i % 64 - 32 : random % (SPACE_END + 1);

        random = random * 6364136223846793005 + 1442695040888963407;
        if (size > SPACE_END)
            continue;
        if (!read_size(size_text(&s, size), &bytes) || bytes != size)
            fail_msg("%llu became `%s`", (unsigned long long)size, size_text(&s, size));
    }
    source_free(&s);
}

static void tables_are_found(void **state)
{
    static const char text[] =
        "# t: title\nprose | with a pipe\n| no | table |\n\n## One\n```\n| in | a fence |\n```\n"
        "| A | `B` |\n|:--|--:|\n| a\\|b | **c** |\n|d|\n  | e | f\n\n### prose\n\n|G|\n|-|\n\n## "
        "Two\n|H|\n|-|\n|h|\n";
    struct md_outline outline;
    struct md_table *table;
    struct source s;
    FILE *quiet = fopen("/dev/null", "w");

    (void)state;
    assert_true(source_from(&s, "", text, sizeof(text) - 1, quiet));
    markdown_read(&s, &outline);
    assert_string_equal(outline.title, "t: title");
    assert_int_equal(s.errors, 2);              /* the table without dashes, the row with one cell */

    table = outline.tables->next;
    assert_string_equal(table->heading, "One");
    assert_int_equal(table->header.line, 9);
    assert_string_equal(table->header.cells[1], "B");
    assert_int_equal(table->row_count, 2);
    assert_string_equal(table->rows[0].cells[0], "a|b");
    assert_string_equal(table->rows[0].cells[1], "c");
    assert_string_equal(table->rows[1].cells[1], "f");

    table = table->next;
    assert_string_equal(table->heading, "One");
    assert_int_equal(table->row_count, 0);
    assert_string_equal(table->next->heading, "Two");
    assert_string_equal(table->next->rows[0].cells[0], "h");
    assert_null(table->next->next);
    source_free(&s);
    fclose(quiet);
}

static char *drawn(void (*draw)(FILE *out, const char *text, int length), const char *text, int length)
{
    size_t size;
    char *lines;
    FILE *out = open_memstream(&lines, &size);

    draw(out, text, length);
    fclose(out);
    return lines;
}

static void draw_line(FILE *out, const char *text, int length)   { character_line(out, 10, '|', text, length); }
static void draw_border(FILE *out, const char *text, int length) { character_border(out, length, text, "end"); }

static void draw_paragraph(FILE *out, const char *text, int length) { character_paragraph(out, length, '!', text); }

/* Ten columns, of which two are blank, are between two bars. */
static void lines_are_cut_or_broken_to_their_width(void **state)
{
    static const struct { void (*draw)(FILE *, const char *, int); const char *text; int length; const char *lines;
    } all[] = {
        { draw_line, "01234567", 8, "| 01234567 |\n" },
        { draw_line, "012345678", 9, "| 01234567 |\n" },
        { draw_line, "0123456789AB", 12, "| 01234567 |\n" },
        { draw_line, "0123456789AB", 3, "| 012      |\n" },
        { draw_border, "", 8, "+--------+ end\n" },
        { draw_border, "a", 8, "+-- a ---+ end\n" },
        { draw_border, "abcdefgh", 8, "+-- abcd + end\n" },
        { draw_paragraph, "01 345 789", 10, "! 01 345   !\n! 789      !\n" },
        { draw_paragraph, "01234567 9", 10, "! 01234567 !\n! 9        !\n" },
        { draw_paragraph, "0123456789", 10, "! 01234567 !\n! 89       !\n" },
        { draw_paragraph, "", 10, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        char *lines = drawn(all[i].draw, all[i].text, all[i].length);

        assert_string_equal(lines, all[i].lines);
        free(lines);
    }
    assert_int_equal(line_count("", 8), 0);
    assert_int_equal(line_count("01 345 789", 8), 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_documents_are_good), cmocka_unit_test(all_mistakes_are_named),
        cmocka_unit_test(twenty_complaints_are_shown), cmocka_unit_test(missing_tables_are_named),
        cmocka_unit_test(empty_text_is_refused), cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(empty_text_is_refused), cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_title),
        cmocka_unit_test(empty_text_is_refused), cmocka_unit_test(a_missing_title_is_not_quoted),
        cmocka_unit_test(a_mebibyte_is_refused), cmocka_unit_test(long_lines_are_refused),
        cmocka_unit_test(more_rows_than_the_kernels_map_has_are_refused),
        cmocka_unit_test(more_regions_than_the_kernels_table_has_are_refused),
        cmocka_unit_test(a_region_at_another_distance_shows_nothing_that_the_kernel_looks_for),
        cmocka_unit_test(stacks_of_each_process_and_a_kernel_elsewhere_are_refused),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(line_ends_do_not_matter), cmocka_unit_test(addresses), cmocka_unit_test(sizes),
        cmocka_unit_test(sizes_survive_writing), cmocka_unit_test(tables_are_found),
        cmocka_unit_test(lines_are_cut_or_broken_to_their_width),
    };

    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
