/*
 * test_buffer_document.c - bytes to and from frames that the kernel does not see all the time, and those that it does.
 */
#include "process_world.h"

#include "memory/spaces/buffer.h"
#include "memory/tables/slot.h"
#include "own_document.h"

enum { AT_ONCE = 256 };

#define AT  PROGRAM_PAGE
#define END (PROGRAM_PAGE + PAGE_SIZE)

static char    pattern[PAGE_SIZE], back_again[PAGE_SIZE];
static frame_t frame;
static bool    ran;

static char *contents(void) { return (char *)&machine_ram[frame_address(frame)]; }

static void make_pattern(void)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        pattern[i] = (char)(i * 7 + i / 251);
}

static struct buffer of_kernel(char *memory, size_t bytes)
{
    return (struct buffer){ .kernel = true, .memory = memory, .bytes = bytes };
}

static struct buffer of_program(vaddr_t at, size_t bytes) { return (struct buffer){ .user = at, .bytes = bytes }; }

/* Sizes around that of the block by way of which frames without an address are copied. */
static const size_t sizes[] = { 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE, PAGE_SIZE - 8 };

static void copies_with_the_kernel(void)
{
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        struct buffer from = of_kernel(pattern, sizes[i] + 5), to = of_kernel(back_again, sizes[i] + 5);

        memset(contents(), 0, PAGE_SIZE);
        memset(back_again, 0, PAGE_SIZE);
        assert_int_equal(buffer_get_frame(&from, frame, 8, sizes[i]), sizes[i]);
        assert_int_equal(from.bytes, 5);
        assert_ptr_equal(from.memory, pattern + sizes[i]);
        assert_memory_equal(contents() + 8, pattern, sizes[i]);
        assert_int_equal(contents()[7], 0);
        assert_true(sizes[i] == PAGE_SIZE - 8 || contents()[8 + sizes[i]] == 0);
        assert_int_equal(buffer_put_frame(&to, frame, 8, sizes[i]), sizes[i]);
        assert_int_equal(to.bytes, 5);
        assert_ptr_equal(to.memory, back_again + sizes[i]);
        assert_memory_equal(back_again, pattern, sizes[i]);
        assert_true(sizes[i] == PAGE_SIZE - 8 || back_again[sizes[i]] == 0);
    }
}

static void copies_with_a_program(void)
{
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        struct buffer from = of_program(AT + 3, sizes[i]), to = of_program(AT, sizes[i] + 1);

        assert_int_equal(user_write(AT, pattern, PAGE_SIZE), 0);
        memset(contents(), 0, PAGE_SIZE);
        assert_int_equal(buffer_get_frame(&from, frame, 0, sizes[i]), sizes[i]);
        assert_int_equal(from.bytes, 0);
        assert_int_equal(from.user, AT + 3 + sizes[i]);
        assert_memory_equal(contents(), pattern + 3, sizes[i]);
        assert_int_equal(buffer_put_frame(&to, frame, 0, sizes[i]), sizes[i]);
        assert_int_equal(to.bytes, 1);
        assert_int_equal(to.user, AT + sizes[i]);
        assert_int_equal(user_read(back_again, AT, PAGE_SIZE), 0);
        assert_memory_equal(back_again, pattern + 3, sizes[i]);
        assert_memory_equal(back_again + sizes[i], pattern + sizes[i], PAGE_SIZE - sizes[i]);
    }
}

/* The program's memory ends in the middle: what was copied until then counts. */
static void runs_out_of_memory(void)
{
    struct buffer from = of_program(END - 300, 1000), to = of_program(END - 300, 1000);

    assert_int_equal(user_write(AT, pattern, PAGE_SIZE), 0);
    memset(contents(), 0, PAGE_SIZE);
    assert_int_equal(buffer_get_frame(&from, frame, 0, 1000), 300);
    assert_int_equal(from.bytes, 700);
    assert_memory_equal(contents(), pattern + PAGE_SIZE - 300, 300);
    assert_int_equal(contents()[300], 0);
    assert_int_equal(buffer_put_frame(&to, frame, 100, 1000), 300);
    assert_int_equal(to.user, END);
}

static void ends_with_the_buffer(void)
{
    struct buffer kernel = of_kernel(back_again, 700), program = of_program(AT, 600);

    assert_int_equal(user_write(AT, pattern, PAGE_SIZE), 0);
    memset(back_again, 'x', sizeof back_again);
    assert_int_equal(buffer_clear(&kernel, 1000), 700);         /* no more than there is */
    assert_int_equal(kernel.bytes, 0);
    for (unsigned i = 0; i < 700; i++)
        assert_int_equal(back_again[i], 0);
    assert_int_equal(back_again[700], 'x');
    assert_int_equal(buffer_put(&kernel, pattern, 1), 0);
    assert_int_equal(buffer_clear(&program, 300), 300);
    assert_int_equal(program.bytes, 300);
    assert_int_equal(buffer_put(&program, "abc", 3), 3);
    assert_int_equal(user_read(back_again, AT, PAGE_SIZE), 0);
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(back_again[i], 0);
    assert_memory_equal(back_again + 300, "abc", 3);
    assert_memory_equal(back_again + 303, pattern + 303, PAGE_SIZE - 303);
    assert_int_equal(buffer_get(&program, back_again, 1000), 297);
    assert_memory_equal(back_again, pattern + 303, 297);
    program = of_program(END - 100, 1000);
    assert_int_equal(buffer_clear(&program, 1000), 100);        /* there the program's memory ends */
    assert_int_equal(program.bytes, 900);
    assert_int_equal(buffer_put_frame(&(struct buffer){ .kernel = true, .memory = back_again, .bytes = 9 }, frame,
                                      PAGE_SIZE - 4, 4), 4);
}

/* Nothing was written there yet: the copy stops at once, a block brings the page in, and the rest goes as one. */
static void brings_in_a_page(void)
{
    struct buffer to = of_program(AT, PAGE_SIZE - 8);

    memcpy(contents(), pattern, PAGE_SIZE);
    {
        unsigned long interrupts = interrupts_off();

        assert_int_equal(user_write_held(AT, pattern, 1), 0);
        interrupts_restore(interrupts);
    }
    assert_int_equal(buffer_put_frame(&to, frame, 8, PAGE_SIZE - 8), PAGE_SIZE - 8);
    assert_int_equal(to.bytes, 0);
    assert_int_equal(user_read(back_again, AT, PAGE_SIZE), 0);
    assert_memory_equal(back_again, pattern + 8, PAGE_SIZE - 8);
}

/* The page is another's as well: the fault copies it, and needs for that what showed the frame. */
static void goes_into_a_page_that_is_shared(void)
{
    struct buffer to = of_program(AT, PAGE_SIZE - 8);

    memcpy(contents(), pattern, PAGE_SIZE);
    assert_int_equal(buffer_put_frame(&to, frame, 8, PAGE_SIZE - 8), PAGE_SIZE - 8);
    assert_int_equal(user_read(back_again, AT, PAGE_SIZE), 0);
    assert_memory_equal(back_again, pattern + 8, PAGE_SIZE - 8);
}

static void moves_bytes(void)
{
    make_pattern();
    brings_in_a_page();
    assert_int_equal(user_write(AT, back_again, 100), 0);
    assert_true(wait_for(fork_into(goes_into_a_page_that_is_shared), 0) > 0);
    copies_with_the_kernel();
    copies_with_a_program();
    runs_out_of_memory();
    ends_with_the_buffer();
    ran = true;
}

static bool is_seen(void) { return physical_pointer(frame_address(frame), PAGE_SIZE) != NULL; }

static void run_with_frame(void)
{
    ran = false;
    run_program(moves_bytes);
    frame_put(frame);
    assert_true(ran);
}

static void a_frame_that_is_always_seen(void)
{
    assert_int_equal(frame_get(OWNER_TEST, FRAME_LOW, &frame), 0);
    assert_true(is_seen());
    run_with_frame();
}

static void a_frame_that_is_seen_in_a_slot_alone(void)
{
    assert_int_equal(frame_run_get(OWNER_TEST, 1, 2048, 0, 0, &frame), 0);      /* from a multiple of 8 MiB on */
    if (is_seen()) {                                    /* another row of the document shows it */
        assert_true(document.access != ACCESS_DIRECT);
        frame_put(frame);
        return;
    }
    run_with_frame();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_frame_that_is_always_seen),
        in_world(a_frame_that_is_seen_in_a_slot_alone),
    };

    read_document();
    if (own_row(PURPOSE_DIRECT) == NULL)
        return 0;
    own_row_cut(PURPOSE_DIRECT, 4 * MiB / PAGE_SIZE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
