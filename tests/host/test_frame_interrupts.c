/*
 * test_frame_interrupts.c - frames are taken and given back by interrupts as well, whenever one may come.
 */
#include "frame_world.h"

#include "cpu.h"

enum { FRAMES = 4096, MAGAZINE = 64, HELD = 600 };

static void (*on_interrupt)(void);

/* None within another. */
void host_interrupts_on(void)
{
    void (*act)(void) = on_interrupt;

    on_interrupt = NULL;
    if (act != NULL)
        act();
}

static frame_t mine[HELD], theirs[HELD];
static size_t  my_count, their_count;

static void take_three(void)
{
    for (int i = 0; i < 3; i++)
        theirs[their_count++] = get(OWNER_TEST, 0);
}

/* The ring is full, so that a frame would go to the bitmap; an interrupt makes room just then. */
static void room_that_an_interrupt_makes_is_used(void **state)
{
    uint32_t free_before;
    frame_t  last;

    (void)state;
    open_frames_flat(&with_magazine, FRAMES);
    my_count = their_count = 0;
    while (my_count < 2 * MAGAZINE)
        mine[my_count++] = get(OWNER_TEST, 0);
    while (frame_magazine_count(&frame_magazines[0]) < MAGAZINE)
        frame_put(mine[--my_count]);
    free_before = frames_free();
    last = mine[--my_count];
    on_interrupt = take_three;
    assert_true(frame_put(last));
    assert_int_equal(their_count, 3);
    assert_int_equal(frames_free(), free_before + 1 - 3);
    check_frames();
    assert_int_equal(get(OWNER_TEST, 0).no, last.no);           /* the one given last is the next */
    frame_put(last);
    while (their_count > 0)
        frame_put(theirs[--their_count]);
    while (my_count > 0)
        frame_put(mine[--my_count]);
    assert_int_equal(owned(OWNER_TEST), 0);
    check_frames();
    close_frames();
}

static void take_or_give(frame_t *held, size_t *count, uint32_t word)
{
    if (test_random(2) == 0 && *count < HELD) {
        frame_t frame;

        if (frame_get(OWNER_TEST, test_random(4) == 0 ? FRAME_ZERO : 0, &frame) == 0) {
            assert_int_equal(frame_references(frame), 1);
            *frame_words(frame) = word;
            held[(*count)++] = frame;
        }
    } else if (*count > 0) {
        size_t  n     = test_random((uint32_t)*count);
        frame_t frame = held[n];

        assert_int_equal(*frame_words(frame), word);            /* nobody else was given it */
        held[n] = held[--*count];
        assert_true(frame_put(frame));
    }
}

static void they_take_or_give(void)
{
    take_or_give(theirs, &their_count, 0x7BE12E5u);
    on_interrupt = they_take_or_give;
}

static void frames_belong_to_one_whoever_interrupts_whom(void **state)
{
    (void)state;
    for (unsigned magazine = 0; magazine < 2; magazine++) {
        open_frames_flat(magazine ? &with_magazine : &bare, 900);
        my_count = their_count = 0;
        on_interrupt = they_take_or_give;
        for (unsigned step = 0; step < 20000; step++)
            take_or_give(mine, &my_count, 0x3133u);
        on_interrupt = NULL;
        assert_int_equal(owned(OWNER_TEST), my_count + their_count);
        check_frames();
        while (their_count > 0)
            frame_put(theirs[--their_count]);
        while (my_count > 0)
            frame_put(mine[--my_count]);
        assert_int_equal(owned(OWNER_TEST), 0);
        assert_int_equal(misuses(), 0);
        check_frames();
        close_frames();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_that_an_interrupt_makes_is_used),
        cmocka_unit_test(frames_belong_to_one_whoever_interrupts_whom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
