/*
 * test_layout_limits.c - limits of the layout compiler, to the page: what is just enough is accepted, one step less is
 * not; and ways out that only a full disk or a second mistake shows.
 */
#include "layout_text.h"

#include "layout/emit.h"
#include "layout/markdown.h"

#include <errno.h>
#include <unistd.h>

static const struct limit {
    const char *test, *document, *from, *enough, *not_enough;
    const char *complaint;          /* somewhere in what is said of what is not enough */
} limits[] = {
    { "heap_of_a_mebibyte", QU, "| by 4 KiB | - | Q7 | What", "| by 4 KiB, at most 1 MiB | - | Q7 | What",
      "| by 4 KiB, at most 1020 KiB | - | Q7 | What",
      "heap has at most 1020 KiB; expected at least 1 MiB, or no program could start" },
    { "heap_as_long_as_its_range", QU, "| by 4 KiB | - | Q7 | What", "| by 4 KiB, at most 128 MiB | - | Q7 | What",
      "| by 4 KiB, at most 131076 KiB | - | Q7 | What",
      "heap has a maximum of 128 MiB and 4 KiB, more than its whole range of 128 MiB" },
    { "devices_of_a_mebibyte", QU, "| by 4 KiB | - | Q7 | Windows", "| by 4 KiB, at most 1 MiB | - | Q7 | Windows",
      "| by 4 KiB, at most 1020 KiB | - | Q7 | Windows", "devices has at most 1020 KiB; expected at least 1 MiB" },
    { "sixteen_stacks_by_their_maximum", QU, "8 KiB each |", "8 KiB each, at most 128 KiB |",
      "8 KiB each, at most 124 KiB |", "stacks has room for 15 of them; expected at least 16: each thread has one" },
    { "sixteen_stacks_in_their_range", QU, "| 0xFC000000 | 0xFEFFFFFF | 48 MiB | stacks |",
      "| 0xFC000000 | 0xFEFCFFFF | 48 MiB less 192 KiB | gap | --- | --- | - | none | - | - | | Nothing |\n"
      "| 0xFEFD0000 | 0xFEFFFFFF | 192 KiB | stacks |",
      "| 0xFC000000 | 0xFEFD0FFF | 48 MiB less 188 KiB | gap | --- | --- | - | none | - | - | | Nothing |\n"
      "| 0xFEFD1000 | 0xFEFFFFFF | 188 KiB | stacks |", "stacks has room for 15 of them" },
    { "stacks_of_sixteen_pages", QU, "8 KiB each |", "64 KiB each |", "68 KiB each |",
      "stacks has a growth of 68 KiB each; expected at most 64 KiB" },
    { "slots_for_four_processors", QU,
      "| 0xFF000000 | 0xFF3FFFFF | 4 MiB | slots |",
      "| 0xFF000000 | 0xFF3E3FFF | 3984 KiB | gap | --- | --- | - | none | - | - | | Nothing |\n"
      "| 0xFF3E4000 | 0xFF3FFFFF | 112 KiB | slots |",
      "| 0xFF000000 | 0xFF3E4FFF | 3988 KiB | gap | --- | --- | - | none | - | - | | Nothing |\n"
      "| 0xFF3E5000 | 0xFF3FFFFF | 108 KiB | slots |",
      "slots has 108 KiB; expected at least 112 KiB, 7 pages for each of 4 processors" },
    { "slots_in_one_table", MO, "| 0x06C00000 | 0x07BFFFFF | 16 MiB | stacks | rw- | --- | all | demand | 8 KiB each "
      "| 4 KiB "
      "below each | | Kernel stacks |\n| 0x07C00000 | 0x07FFFFFF | 4 MiB | slots |",
      "| 0x06C00000 | 0x07BFEFFF | 16 MiB less 4 KiB | stacks | rw- | --- | all | demand | 8 KiB each | 4 KiB below "
      "each | | "
      "Stacks |\n| 0x07BFF000 | 0x07BFFFFF | 4 KiB | gap | --- | --- | - | none | - | - | | Nothing |\n"
      "| 0x07C00000 | 0x07FFFFFF | 4 MiB | slots |",
      "| 0x06C00000 | 0x07BFEFFF | 16 MiB less 4 KiB | stacks | rw- | --- | all | demand | 8 KiB each | 4 KiB below "
      "each | | "
      "Stacks |\n| 0x07BFF000 | 0x07FFFFFF | 4 MiB and 4 KiB | slots |",
      "slots lies across a multiple of 4 MiB; expected the entries of one table" },
    { "user_of_sixteen_mebibytes", TR,
      "| 0x08000000 | 0x7FFFFFFF | 1920 MiB | user | rw- | rwx | process | program | - | - | T3 | The program: its "
      "code, "
      "heap, mappings and stack |",
      "| 0x08000000 | 0x3FFFFFFF | 896 MiB | gap | --- | --- | - | none | - | - | | Nothing |\n"
      "| 0x40000000 | 0x40FFFFFF | 16 MiB | user | rw- | rwx | process | program | - | - | T3 | The program |\n"
      "| 0x41000000 | 0x7FFFFFFF | 1008 MiB | hole | --- | --- | - | none | - | - | | Nothing |",
      "| 0x08000000 | 0x3FFFFFFF | 896 MiB | gap | --- | --- | - | none | - | - | | Nothing |\n"
      "| 0x40000000 | 0x40FFEFFF | 16 MiB less 4 KiB | user | rw- | rwx | process | program | - | - | T3 | The "
      "program |\n"
      "| 0x40FFF000 | 0x7FFFFFFF | 1008 MiB and 4 KiB | hole | --- | --- | - | none | - | - | | Nothing |",
      "user has 16 MiB less 4 KiB; expected at least 16 MiB, or no program would fit" },
    { "pool_of_a_mebibyte", HH, "| 0x00400000 | 0xFFFFFFFF | 4092 MiB | memory | pool |",
      "| 0x00400000 | 0x004FFFFF | 1 MiB | memory | pool | A5 | The pool |\n"
      "| 0x00500000 | 0xFFFFFFFF | 4091 MiB | rest | hardware |",
      "| 0x00400000 | 0x004FEFFF | 1020 KiB | memory | pool | A5 | The pool |\n"
      "| 0x004FF000 | 0xFFFFFFFF | 4 GiB less 5116 KiB | rest | hardware |",
      "the rows of physical memory with the use `pool` have 1020 KiB; expected at least 1 MiB, or there is nothing to "
      "hand out; rest has the use `hardware`" },
    { "trackers_for_all_objects", TR,
      "| 0x07C00000 | 0x07FFFFFF | 4 MiB | trackers | rw- | --- | all | demand | by 4 KiB | - | T9 T16 | Pages of "
      "trackers, "
      "and behind them pages that list page tables |",
      "| 0x07C00000 | 0x07EFFFFF | 3 MiB | trackers | rw- | --- | all | demand | by 4 KiB | - | T9 T16 | Pages |\n"
      "| 0x07F00000 | 0x07FFFFFF | 1 MiB | gap | --- | --- | - | none | - | - | | Nothing |",
      "| 0x07C00000 | 0x07EFEFFF | 3068 KiB | trackers | rw- | --- | all | demand | by 4 KiB | - | T9 T16 | Pages |\n"
      "| 0x07EFF000 | 0x07FFFFFF | 1028 KiB | gap | --- | --- | - | none | - | - | | Nothing |",
      "trackers has 3 MiB less 4 KiB; expected at least 3 MiB for the objects that fit in 2 GiB less 4 MiB" },
    { "objects_for_two_whole_programs", TR,
      "| 0x80000000 | 0xFFBFFFFF | 2 GiB less 4 MiB | objects | rw- | --- | all | objects | by 4 KiB | - | T2 T11 T12 "
      "| The page "
      "tables of each process, in a row |",
      "| 0x80000000 | 0x803C1FFF | 3848 KiB | objects | rw- | --- | all | objects | by 4 KiB | - | T2 T11 T12 | "
      "Tables |\n"
      "| 0x803C2000 | 0xFFBFFFFF | 2 GiB less 7944 KiB | gap | --- | --- | - | none | - | - | | Nothing |",
      "| 0x80000000 | 0x803C0FFF | 3844 KiB | objects | rw- | --- | all | objects | by 4 KiB | - | T2 T11 T12 | "
      "Tables |\n"
      "| 0x803C1000 | 0xFFBFFFFF | 2 GiB less 7940 KiB | gap | --- | --- | - | none | - | - | | Nothing |",
      "objects has 4 MiB less 252 KiB; expected at least 4 MiB less 248 KiB, two of the largest object that user" },
    { "magazine_of_64", QU, "| 64 |", "| 0 |", "| 65 |", "magazine is `65`; expected" },
    { "bitmap_up_to_video_memory", HH,
      "| 0x00060000 | 0x0007FFFF | 128 KiB | bitmap | bitmap | A2 A8 A9 | One bit for each frame of 4 GiB |\n"
      "| 0x00080000 | 0x000FFFFF | 512 KiB | hardware | hardware |",
      "| 0x00060000 | 0x0007FFFF | 128 KiB | load | hardware | | A loader's |\n"
      "| 0x00080000 | 0x0009FFFF | 128 KiB | bitmap | bitmap | A2 A8 A9 | Bits |\n"
      "| 0x000A0000 | 0x000FFFFF | 384 KiB | hardware | hardware |",
      "| 0x00060000 | 0x00080FFF | 132 KiB | load | hardware | | A loader's |\n"
      "| 0x00081000 | 0x000A0FFF | 128 KiB | bitmap | bitmap | A2 A8 A9 | Bits |\n"
      "| 0x000A1000 | 0x000FFFFF | 380 KiB | hardware | hardware |",
      "bitmap has the use `bitmap`, which needs RAM, and reaches into 0x000A0000 to 0x000FFFFF" },
    { "bitmap_and_summary_have_room", FW,
      "| 0x00100000 | 0x0013FFFF | 256 KiB | structures | kernel |",
      "| 0x00100000 | 0x00127FFF | 160 KiB | structures | kernel | | Structures |\n"
      "| 0x00128000 | 0x0013FFFF | 96 KiB | spare | hardware |",
      "| 0x00100000 | 0x00126FFF | 156 KiB | structures | kernel | | Structures |\n"
      "| 0x00127000 | 0x0013FFFF | 100 KiB | spare | hardware |",
      "156 KiB of rows with the uses `kernel` and `pool` have addresses before there is a pool; expected at least 160 "
      "KiB" },
    { "records_in_sight", QU,
      "| end of data | 0xEFFFFFFF | floats | direct | rw- | --- | all | physical end of image | - | - | Q5 | The rest "
      "of the "
      "first 256 MiB of memory |",
      "| end of data | 0xE10FFFFF | floats | direct | rw- | --- | all | physical end of image | - | - | Q5 | The rest "
      "|\n"
      "| 0xE1100000 | 0xEFFFFFFF | 239 MiB | hole | --- | --- | - | none | - | - | | Nothing |",
      "| end of data | 0xE10FEFFF | floats | direct | rw- | --- | all | physical end of image | - | - | Q5 | The rest "
      "|\n"
      "| 0xE10FF000 | 0xEFFFFFFF | 239 MiB and 4 KiB | hole | --- | --- | - | none | - | - | | Nothing |",
      "no region `records`, and memory has addresses of its own only below 0x010FF000, where direct ends" },
    { "name_of_24_letters", QU, "| top | --- |", "| a-name-of-24-letters-now | --- |", "| a-name-of-25-letters-here | "
      "--- |",
      "Name is `a-name-of-25-letters-here`; expected at most 24 small letters, digits and dashes" },
    { "claim_of_three_digits", QU, "| Q9 | kernel |", "| Q9 | later |", "| Q9999 | later |",
      "Id is `Q9999`; expected a capital letter and a number" },
};

/* The row for records of a document is a part of what is below it, in tests of memory that is in sight. */
static char *without_records(char *text)
{
    char *less = replaced(text, "| 0xFB800000 | 0xFBFFFFFF | 8 MiB | records | rw- | --- | all | demand | by 4 KiB | "
        "- | | Who "
                          "owns each frame, where the direct window has no room for it |",
                          "| 0xFB800000 | 0xFBFFFFFF | 8 MiB | spare | --- | --- | - | none | - | - | | Nothing |");

    free(text);
    return less;
}

static char *said_about(const struct limit *limit, const char *to, unsigned *errors)
{
    char *text = document_text(limit->document), *changed, *said;

    if (strcmp(limit->test, "records_in_sight") == 0)
        text = without_records(text);
    changed = replaced(text, limit->from, to);
    said = complaints_about(changed, strlen(changed), errors);
    free(changed);
    free(text);
    return said;
}

static void just_enough_is_enough(void **state)
{
    const struct limit *limit = *state;
    unsigned errors;
    char *said = said_about(limit, limit->enough, &errors);

    if (errors != 0)
        fail_msg("it should be enough, but:\n%s", said);
    free(said);
    said = said_about(limit, limit->not_enough, &errors);
    if (errors != 1 || strstr(said, limit->complaint) == NULL)
        fail_msg("expected only `%s`, got:\n%s", limit->complaint, said);
    free(said);
}

/* ---- What only a second mistake shows ------------------------------------------------------------------------ */

static void assert_said(const char *document, const char *from, const char *to, unsigned wanted, const char *complaint)
{
    char *text = document_text(document), *changed = replaced(text, from, to), *said;
    unsigned errors;

    said = complaints_about(changed, strlen(changed), &errors);
    if (errors != wanted || strstr(said, complaint) == NULL)
        fail_msg("expected %u, with `%s`; got %u:\n%s", wanted, complaint, errors, said);
    free(said);
    free(changed);
    free(text);
}

/* The first wrong word of a cell is named, and what is behind it is not looked at. */
static void one_wrong_word_of_a_cell_is_named(void **state)
{
    (void)state;
    assert_said(QU, "| Q9 | kernel |", "| Q9 | host one two, nobody |", 1, "Shown by is `host one two`");
    assert_said(QU, "| Q9 | kernel |", "| Q9 | kernel too, nobody |", 1, "Shown by is `kernel too`; expected nothing "
        "after");
    assert_said(QU, "| Q9 | kernel |", "| Q9 | later, nobody |", 1, "Shown by is `nobody`");
    assert_said(QU, "| Q9 | kernel |", "| Q9 | host a, system b_2 , build c |", 1, "Shown by is");
    assert_said(QU, "| Q9 | kernel |", "| Q9 | host a,  system b_2 |", 0, "");
}

/* What is wrong with how a region grows is said once, whatever its size would be. */
static void a_growth_that_does_not_fit_is_said_once(void **state)
{
    (void)state;
    assert_said(QU, "8 KiB each |", "by 128 KiB |", 1, "stacks");
    assert_said(QU, "8 KiB each |", "by 8 KiB, at most 64 KiB |", 1, "stacks");
    assert_said(QU, "8 KiB each |", "6 KiB each |", 1, "stacks");
    assert_said(QU, "| by 4 KiB | - | Q7 | What", "| 4 KiB each | - | Q7 | What", 1, "heap");
    assert_said(QU, "| null | --- | --- | - | none | - |", "| null | --- | --- | - | none | by 4 KiB |", 1, "null");
}

static void a_structure_may_end_where_video_memory_begins(void **state)
{
    char *text = document_text(HH), *all = replaced(text, "| hardware | hardware |", "| hardware | kernel |"), *said;
    char *below = replaced(all, "| 0x00001000 | 0x000017FF |", "| 0x0009F800 | 0x0009FFFF |");
    char *inside = replaced(all, "| 0x00001000 | 0x000017FF |", "| 0x0009F808 | 0x000A0007 |");
    unsigned errors;

    (void)state;
    said = complaints_about(below, strlen(below), &errors);
    assert_string_equal(said, "");
    free(said);
    said = complaints_about(inside, strlen(inside), &errors);
    assert_int_equal(errors, 1);
    assert_non_null(strstr(said, "idt lies in 0x000A0000 to 0x000FFFFF, where every PC has video memory and ROMs"));
    free(said), free(inside), free(below), free(all), free(text);
}

/* Where no row has room for the bitmap, the message names what would have some, were it to be written to. */
static void what_lacks_a_right_is_named_where_there_is_no_room(void **state)
{
    char *text = document_text(FW), *changed, *said;
    unsigned errors;

    (void)state;
    changed = replaced(text, "| structures | rw- | --- | all | physical", "| structures | r-- | --- | all | physical");
    free(text);
    text = changed;
    changed = replaced(text, "| structures | kernel |", "| structures | pool |");
    said = complaints_about(changed, strlen(changed), &errors);
    assert_int_equal(errors, 1);
    assert_non_null(strstr(said, "0 B of rows with the uses `kernel` and `pool` have addresses"));
    assert_non_null(strstr(said, "; structures, with the rights r--, shows it (line "));
    free(said), free(changed), free(text);
}

/* ---- Tables that nothing separates from what follows ------------------------------------------------------------ */

static void a_table_ends_where_its_lines_do(void **state)
{
    static const char text[] = "# t: title\n## One\n| A |\n|-|\n| a |\n## Two\n| B |\n|-|\n| b |\n```\n| in | a fence "
        "|\n```\n"
                               "| C |\n|-|\n| c |\n# second: title\n";
    struct md_outline outline;
    struct md_table *table;
    struct source s;
    size_t bytes;
    char *said;
    FILE *out = open_memstream(&said, &bytes);

    (void)state;
    assert_true(source_from(&s, "mine.md", text, sizeof text - 1, out));
    markdown_read(&s, &outline);
    fclose(out);
    assert_string_equal(said, "mine.md:16: a second title; the first is at line 1\n");
    table = outline.tables;
    assert_string_equal(table->heading, "One");
    assert_int_equal(table->heading_line, 2);
    assert_int_equal(table->row_count, 1);
    table = table->next;
    assert_string_equal(table->heading, "Two");
    assert_int_equal(table->heading_line, 6);
    assert_string_equal(table->rows[0].cells[0], "b");
    table = table->next;
    assert_string_equal(table->header.cells[0], "C");
    assert_int_equal(table->row_count, 1);
    assert_null(table->next);
    source_free(&s);
    free(said);
}

static void the_longest_line_is_read(void **state)
{
    char text[LINE_LIMIT + 16] = "# a: b\n", *said;
    unsigned errors;

    (void)state;
    memset(text + 7, 'x', LINE_LIMIT);
    said = complaints_about(text, strlen(text), &errors);
    assert_null(strstr(said, "characters; at most"));
    free(said);
}

/* ---- Output ------------------------------------------------------------------------------------------------------ */

static const char *path_in(const char *folder, const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Each of the files in turn lies on a disk that is full: the first that does not fit ends it, and says why. */
static void a_full_disk_is_an_error(void **state)
{
    static const char *const names[] = { "layout.h", "layout.c", "kernel.ld", "tables.S", "layout.txt" };
    char folder[] = "/tmp/test_layout_limits.XXXXXX", *text = document_text(QU);
    struct document document;
    struct source source;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_true(source_from(&source, "mine.md", text, strlen(text), stderr));
    assert_true(document_compile(&document, &source));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(symlink("/dev/full", path_in(folder, names[i])), 0);
        assert_int_equal(emit_all(&document, folder), ENOSPC);
        for (size_t k = 0; k < COUNT_OF(names); k++)
            assert_int_equal(access(path_in(folder, names[k]), F_OK) == 0, k <= i);
        for (size_t k = 0; k <= i; k++)
            assert_int_equal(unlink(path_in(folder, names[k])), 0);
    }
    assert_int_equal(emit_all(&document, folder), 0);
    for (size_t k = 0; k < COUNT_OF(names); k++)
        assert_int_equal(unlink(path_in(folder, names[k])), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(emit_all(&document, folder), ENOENT);
    source_free(&source);
    free(text);
}

int main(void)
{
    enum { OTHERS = 7 };
    static const struct CMUnitTest others[OTHERS] = {
        cmocka_unit_test(one_wrong_word_of_a_cell_is_named),
        cmocka_unit_test(a_growth_that_does_not_fit_is_said_once),
        cmocka_unit_test(a_structure_may_end_where_video_memory_begins),
        cmocka_unit_test(what_lacks_a_right_is_named_where_there_is_no_room),
        cmocka_unit_test(a_table_ends_where_its_lines_do),
        cmocka_unit_test(the_longest_line_is_read),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    struct CMUnitTest tests[COUNT_OF(limits) + OTHERS];

    for (size_t i = 0; i < COUNT_OF(limits); i++)
        tests[i] = (struct CMUnitTest){ .name = limits[i].test, .test_func = just_enough_is_enough,
                                        .initial_state = (void *)&limits[i] };
    memcpy(tests + COUNT_OF(limits), others, sizeof others);
    return cmocka_run_group_tests_name("limits of layouts", tests, NULL, NULL);
}
