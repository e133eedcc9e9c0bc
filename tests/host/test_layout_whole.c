/*
 * test_layout_whole.c - all that the compiler makes of six documents, to the letter.
 *
 * The documents are in tests/host/layouts: those that shipped once, without their prose, so that what ships may change.
 * What is made of NAME.md lies beside it, in NAME.made and NAME.svg. Where a change of the compiler is meant,
 * QUIRE_RECORD=1 writes these anew, and the difference is there to be read before it is kept.
 */
#include "layout_text.h"

#include "layout/compare.h"
#include "layout/emit.h"
#include "layout/facts.h"
#include "layout/picture.h"

#define FOLDER "tests/host/layouts/"

struct read { char path[128]; struct source source; struct document document; };

static void open_document(struct read *read, const char *name)
{
    snprintf(read->path, sizeof read->path, FOLDER "%s.md", name);
    assert_true(source_open(&read->source, read->path, stderr));
    assert_true(document_compile(&read->document, &read->source));
}

static void close_document(struct read *read) { source_free(&read->source); }

/* ---- What is made, and what was -------------------------------------------------------------------------- */

static void write_made(const char *path, const char *made)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(made, file);
    assert_int_equal(fclose(file), 0);
}

static char *read_made(const char *path)
{
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(path, "r");

    if (file == NULL)
        fail_msg("%s: not found; this test runs at the top of the tree", path);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

/* The first line that differs is printed: in two long texts it is hard to find. */
static void compare_lines(const char *path, const char *made, const char *was)
{
    unsigned line = 1;

    for (; *made != '\0' && *made == *was; made++, was++)
        line += *made == '\n';
    if (*made == *was)
        return;
    while (made[-1] != '\n' && line > 1)
        made--, was--;
    fail_msg("%s:%u: `%.*s` was `%.*s` (where that is meant: QUIRE_RECORD=1 and this program)", path, line,
             (int)strcspn(made, "\n"), made, (int)strcspn(was, "\n"), was);
}

static void check_made(const char *name, const char *ending, char *made)
{
    char path[128], *was;

    snprintf(path, sizeof path, FOLDER "%s.%s", name, ending);
    if (getenv("QUIRE_RECORD") != NULL)
        write_made(path, made);
    was = read_made(path);
    compare_lines(path, made, was);
    free(was);
    free(made);
}

/* ---- The tests ---------------------------------------------------------------------------------------------- */

static void (*const makers[])(const struct document *, FILE *) = {
    emit_constants, emit_tables, emit_linker_script, emit_boot_tables, facts_text, picture_text,
};

static void check_document(const char *name)
{
    struct read read;
    char       *made;
    size_t      bytes;
    FILE       *out = open_memstream(&made, &bytes);

    open_document(&read, name);
    for (size_t i = 0; i < COUNT_OF(makers); i++)
        makers[i](&read.document, out);
    fclose(out);
    check_made(name, "made", made);
    close_document(&read);
}

static void check_drawing(const char *name, const char *against)
{
    struct read read, other;
    char       *made;
    size_t      bytes;
    FILE       *out = open_memstream(&made, &bytes);

    open_document(&read, name);
    open_document(&other, against);
    picture_svg(&read.document, out);
    picture_svg_against(&read.document, &other.document, out);
    fclose(out);
    check_made(name, "svg", made);
    close_document(&read);
    close_document(&other);
}

/* Each beside the next, and the last beside the first. */
static void check_comparisons(const char *const *names, size_t count)
{
    char  *made;
    size_t bytes;
    FILE  *out = open_memstream(&made, &bytes);

    for (size_t i = 0; i < count; i++) {
        struct read a, b;

        open_document(&a, names[i]);
        open_document(&b, names[(i + 1) % count]);
        fprintf(out, "%u\n", compare_text(&a.document, &b.document, out));
        assert_int_equal(compare_text(&a.document, &a.document, out), 0);
        close_document(&a);
        close_document(&b);
    }
    fclose(out);
    check_made("side-by-side", "txt", made);
}

static void what_is_made_of_higher_half(void **state) { (void)state; check_document(HH); }
static void what_is_made_of_firmware(void **state)    { (void)state; check_document(FW); }
static void what_is_made_of_tracker(void **state)     { (void)state; check_document(TR); }
static void what_is_made_of_pat(void **state)         { (void)state; check_document(PT); }
static void the_drawing_of_firmware(void **state)     { (void)state; check_drawing(FW, QU); }
static void the_drawing_of_tracker(void **state)      { (void)state; check_drawing(TR, MO); }

static void documents_side_by_side(void **state)
{
    static const char *const names[] = { HH, FW, QU, MO, TR, PT };

    (void)state;
    check_comparisons(names, COUNT_OF(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_of_higher_half),
        cmocka_unit_test(what_is_made_of_firmware),
        cmocka_unit_test(what_is_made_of_tracker),
        cmocka_unit_test(what_is_made_of_pat),
        cmocka_unit_test(the_drawing_of_firmware),
        cmocka_unit_test(the_drawing_of_tracker),
        cmocka_unit_test(documents_side_by_side),
    };

    return cmocka_run_group_tests_name("layout_whole", tests, NULL, NULL);
}
