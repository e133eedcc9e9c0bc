/*
 * test_layout_cells.c - a cell that is nonsense is said once: its row is left out of what is compared after that.
 */
#include "layout_text.h"

static const struct { const char *from, *to, *said; } cells[] = {
    { "| 128 MiB | heap |", "| lots | heap |", "Size is `lots`; expected a size such as `128 KiB`, or `floats`" },
    { "| 56 MiB | devices |", "| 56 | devices |", "Size is `56`; expected a size such as `128 KiB`, or `floats`" },
    { "| 384 KiB | hardware |", "| all | hardware |", "Size is `all`; expected a size such as `128 KiB`" },
    { "| 0xF7FFFFFF | 128 MiB |", "| there | 128 MiB |", "End is `there`; expected" },
    { "| end of image | 0xFFFFFFFF |", "| end of books | 0xFFFFFFFF |",
      "the section after `end of` is `books`; expected boot, text," },
    { "| end of text | end of rodata |", "| end of text | end of books |",
      "the section after `end of` is `books`; expected boot, text," },
    { "| end of data | 0xEFFFFFFF |", "| end of books | 0xEFFFFFFF |",
      "the section after `end of` is `books`; expected boot, text," },
    { "| 0xF0000000 | 0xF7FFFFFF |", "| here | 0xF7FFFFFF |", "Start is `here`; expected" },
};

static void nonsense_in_a_cell_is_said_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cells); i++) {
        char    *before = document_text(QU), *text = replaced(before, cells[i].from, cells[i].to), *said, *expected;
        unsigned errors;

        said = complaints_about(text, strlen(text), &errors);
        assert_true(asprintf(&expected, "mine.md:%u: %s", line_of(text, cells[i].to), cells[i].said) > 0);
        if (errors != 1 || strstr(said, expected) != said)
            fail_msg("%u complaints instead of \"%s\":\n%s", errors, expected, said);
        free(expected);
        free(said);
        free(text);
        free(before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nonsense_in_a_cell_is_said_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
