/*
 * test_user.c - copies to and from the running program: as far as the pages allow, and no further.
 */
#include "process_world.h"

#define AT   PROGRAM_PAGE
#define END  (PROGRAM_PAGE + PAGE_SIZE)

static void copies(void)
{
    char bytes[16] = "abcdefgh";

    assert_int_equal(user_write(AT + 8, bytes, 8), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(user_read(bytes, AT + 9, 7), 0);
    assert_string_equal(bytes, "bcdefgh");
    assert_int_equal(user_write(END - 4, bytes, 4), 0);
    assert_int_equal(user_write(END - 4, bytes, 5), -EFAULT);
    assert_int_equal(user_read(bytes, END - 4, 5), -EFAULT);
    assert_int_equal(user_read(bytes, END, 1), -EFAULT);
    assert_int_equal(user_read(bytes, END, 0), 0);
    assert_int_equal(user_read_some(bytes, END - 4, 10), 4);
    assert_int_equal(user_write_some(END - 4, bytes, 10), 4);
    assert_int_equal(user_read_some(bytes, END, 10), 0);
}

static void bytes_are_copied_as_far_as_there_is_memory(void) { run_program(copies); }

static void reaches_out(void)
{
    vaddr_t top = page_address(layout.user.end), below = page_address(layout.user.first);
    char    bytes[16];

    map_pages_at(&current_process()->memory->space, top - PAGE_SIZE, 1);
    assert_int_equal(user_write(top - 4, "abc", 4), 0);
    assert_int_equal(user_write(top - 4, "abcd", 5), -EFAULT);
    assert_int_equal(user_read(bytes, top - 4, 5), -EFAULT);
    assert_int_equal(user_read_some(bytes, top - 4, 16), 4);    /* the kernel's memory is cut off */
    assert_int_equal(user_write_some(top - 4, bytes, 16), 4);
    assert_int_equal(user_read_some(bytes, top, 4), 0);
    assert_int_equal(user_write_some(top, bytes, 4), 0);
    if (below > 0) {
        assert_int_equal(user_read_some(bytes, below - 4, 4), 0);
        assert_int_equal(user_write(below - 4, bytes, 4), -EFAULT);
    }
    assert_int_equal(user_read(bytes, UINTPTR_MAX - 3, 8), -EFAULT);
    assert_int_equal(user_write(UINTPTR_MAX - 3, bytes, 8), -EFAULT);
    assert_int_equal(user_read_text(bytes, top - 4, 16), 3);
    assert_int_equal(user_write(top - 4, "abcd", 4), 0);
    assert_int_equal(user_read_text(bytes, top - 4, 16), -EFAULT);      /* text that runs out of user space */
    assert_int_equal(user_read_text(bytes, top, 4), -EFAULT);
}

static void nothing_outside_of_user_space_is_touched(void) { run_program(reaches_out); }

static void reads_text(void)
{
    char text[8];

    assert_int_equal(user_write(AT, "hello", 6), 0);
    assert_int_equal(user_read_text(text, AT, 8), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(user_read_text(text, AT, 6), 5);
    assert_int_equal(user_read_text(text, AT, 5), -ENAMETOOLONG);
    assert_int_equal(user_write(END - 3, "xyz", 3), 0);
    assert_int_equal(user_read_text(text, END - 3, 8), -EFAULT);
    assert_int_equal(user_read_text(text, END - 3, 3), -ENAMETOOLONG);
}

static void text_ends_within_its_limit(void) { run_program(reads_text); }

static void uses_words(void)
{
    uint32_t seen = 0;

    set_word(AT, 5);
    assert_int_equal(user_load_word(AT, &seen), 0);
    assert_int_equal(seen, 5);
    assert_int_equal(user_exchange_word(AT, 6, 7, &seen), 0);
    assert_int_equal(seen, 5);
    assert_int_equal(word_at(AT), 5);
    assert_int_equal(user_exchange_word(AT, 5, 7, &seen), 0);
    assert_int_equal(seen, 5);
    assert_int_equal(word_at(AT), 7);
    assert_int_equal(user_load_word(END, &seen), -EFAULT);
    assert_int_equal(user_exchange_word(END, 0, 0, &seen), -EFAULT);
    assert_int_equal(user_load_word(page_address(layout.user.end), &seen), -EFAULT);
    assert_int_equal(user_exchange_word(page_address(layout.user.end), 0, 0, &seen), -EFAULT);
}

static void words_are_loaded_and_exchanged(void) { run_program(uses_words); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(bytes_are_copied_as_far_as_there_is_memory),
        in_world(nothing_outside_of_user_space_is_touched),
        in_world(text_ends_within_its_limit),
        in_world(words_are_loaded_and_exchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
