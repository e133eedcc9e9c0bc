/*
 * test_page_out.c - pages that leave memory and come back: what a program sees never changes, and nothing is lost.
 */
#include "map_world.h"

#include "base/rwlock.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/page_out.h"
#include "memory/pageout/swap.h"
#include "memory/tables/cursor.h"

enum { ADVICE_PAGE_OUT = 21, DONT_NEED = 4, MAY_MOVE = 1 };

static struct swap_sums swap_now(void)
{
    struct swap_sums sums;

    swap_sums(&sums);
    return sums;
}

static uint32_t used(void) { return swap_now().used; }

static int let_go(size_t first, size_t count)
{
    return map_advise(&program, column(first), count * PAGE_SIZE, ADVICE_PAGE_OUT);
}

/* Contents that shrink, and are no other page's. */
static void fill(size_t first, size_t count)
{
    for (size_t n = first; n < first + count; n++)
        for (unsigned word = 0; word < 64; word++)
            assert_true(writes(&program, column(n) + 4 * word * 3, (uint32_t)(n * 1000 + word)));
}

static void look(struct space *space, size_t first, size_t count)
{
    uint32_t value;

    for (size_t n = first; n < first + count; n++)
        for (unsigned word = 0; word < 64; word += 9) {
            assert_true(reads(space, column(n) + 4 * word * 3, &value));
            assert_int_equal(value, n * 1000 + word);
        }
}

static void assert_all_is_back(void)
{
    assert_int_equal(used(), 0);
    assert_int_equal(frames_owned(OWNER_COMPRESSED), 0);
    assert_int_equal(program.swapped, 0);
}

static void pages_go_and_come_back(void)
{
    uint32_t free;

    assert_int_equal(map_fixed(0, 100, R | W), 0);
    fill(0, 100);
    free = frames_free();
    assert_int_equal(let_go(0, 100), 0);
    assert_int_equal(used(), 100);
    assert_int_equal(program.swapped, 100);
    assert_int_equal(program.resident, 0);
    assert_true(frames_free() > free + 80);
    assert_clean();
    look(&program, 0, 50);
    assert_int_equal(used(), 50);
    assert_int_equal(program.resident, 50);
    assert_clean();
    assert_true(writes(&program, column(50) + 2048, 7));        /* a write brings back all of the page */
    look(&program, 50, 50);
    assert_all_is_back();
    assert_int_equal(frames_free(), free);
    assert_int_equal(unmap(0, 100), 0);
}

/* madvise() refuses locked memory before it asks for a page. */
static void a_locked_page_stays_whoever_asks(void)
{
    struct region *region;

    assert_int_equal(map_fixed(0, 2, R | W), 0);
    fill(0, 2);
    assert_int_equal(map_lock(&program, column(0), 2 * PAGE_SIZE, false), 0);
    rwlock_read(&program.map_lock);
    region = region_find(&program.map, page_of(column(0)));
    assert_int_equal(page_out(&program, region, page_of(column(0))), PAGE_OUT_STAYS);
    assert_int_equal(pages_out(&program, region, region->span), 0);
    rwlock_read_drop(&program.map_lock);
    assert_int_equal(used(), 0);
    assert_int_equal(map_unlock(&program, column(0), 2 * PAGE_SIZE), 0);
    assert_int_equal(let_go(0, 2), 0);
    assert_int_equal(used(), 2);
    look(&program, 0, 2);
    assert_int_equal(unmap(0, 2), 0);
}

static void a_page_that_is_out_goes_with_its_mapping(void)
{
    assert_int_equal(map_fixed(0, 20, R | W), 0);
    fill(0, 20);
    assert_int_equal(let_go(0, 20), 0);
    assert_int_equal(map_advise(&program, column(0), 5 * PAGE_SIZE, DONT_NEED), 0);
    assert_int_equal(used(), 15);
    assert_int_equal(word_at(column(2)), 0);
    assert_int_equal(unmap(5, 5), 0);
    assert_int_equal(used(), 10);
    assert_clean();
    look(&program, 10, 10);
    assert_int_equal(let_go(10, 10), 0);
    map_clear(&program);                                        /* an exit */
    assert_all_is_back();
}

static void a_fork_shares_what_is_out(void)
{
    struct space child;
    uint32_t     value;

    assert_int_equal(map_fixed(0, 30, R | W), 0);
    fill(0, 30);
    assert_int_equal(let_go(0, 20), 0);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(used(), 20);
    assert_int_equal(child.swapped, 20);
    assert_clean();
    space_activate(&child);
    look(&child, 0, 30);
    assert_true(writes(&child, column(3), 77));
    space_activate(&program);
    assert_int_equal(used(), 20);                               /* the parent's are still out */
    assert_int_equal(let_go(20, 10), 0);                        /* each goes by itself */
    assert_int_equal(program.swapped, 30);
    assert_int_equal(child.swapped, 0);
    look(&program, 20, 5);
    assert_true(writes(&program, column(21), 5));               /* a frame of its own now */
    assert_true(writes(&program, column(21), 21000));
    assert_int_equal(word_at(column(3)), 3000);
    look(&program, 0, 30);
    assert_clean();
    assert_true(reads(&child, column(3), &value));
    assert_int_equal(value, 77);
    map_clear(&child);
    space_activate(&program);
    space_destroy(&child);
    assert_all_is_back();
}

static void a_fork_without_memory_gives_back_its_references(void)
{
    unsigned failed = 0;

    assert_int_equal(map_fixed(0, 600, R | W), 0);
    fill(0, 600);
    assert_int_equal(let_go(0, 600), 0);
    for (uint32_t nth = 1; nth < 6; nth++) {
        struct space child;
        int          err;

        assert_int_equal(space_create(&child), 0);
        frame_fail_at(nth);
        err = map_copy(&child, &program);
        frame_fail_at(0);
        failed += err != 0;
        map_clear(&child);
        space_destroy(&child);
        assert_int_equal(used(), 600);
        assert_clean();
    }
    assert_true(failed > 0);
    look(&program, 0, 600);
    assert_all_is_back();
}

static void rights_and_places_change_while_pages_are_out(void)
{
    vaddr_t to;

    assert_int_equal(map_fixed(0, 20, R | W), 0);
    fill(0, 20);
    assert_int_equal(let_go(0, 20), 0);
    assert_int_equal(map_protect(&program, column(0), 10 * PAGE_SIZE, R), 0);
    assert_int_equal(map_protect(&program, column(10), 5 * PAGE_SIZE, 0), 0);
    assert_clean();
    assert_int_equal(word_at(column(1)), 1000);
    assert_false(writes(&program, column(1), 5));               /* with the rights of now */
    assert_false(writes(&program, column(2), 5));
    assert_false(reads(&program, column(10), &(uint32_t){ 0 }));
    assert_int_equal(map_protect(&program, column(0), 20 * PAGE_SIZE, R | W), 0);
    assert_true(writes(&program, column(1), 1000));
    assert_int_equal(map_move(&program, column(0), 20 * PAGE_SIZE, 20 * PAGE_SIZE, MAY_MOVE | 2, column(200), &to), 0);
    assert_int_equal(to, column(200));
    assert_clean();
    for (size_t n = 0; n < 20; n++)
        assert_int_equal(word_at(column(200 + n)), n * 1000);
    assert_all_is_back();
    assert_int_equal(unmap(200, 20), 0);
}

static void mincore_says_what_is_out(void)
{
    uint8_t there[16];

    assert_int_equal(map_fixed(0, 16, R | W), 0);
    fill(0, 16);
    assert_int_equal(let_go(4, 4), 0);
    assert_int_equal(map_residency(&program, span_of(page_of(column(0)), 16), there), 0);
    for (unsigned n = 0; n < 16; n++)
        assert_int_equal(there[n], n < 4 || n >= 8);
    look(&program, 0, 16);
}

static void what_may_not_go_stays(void)
{
    assert_int_equal(map_fixed(0, 8, R | W), 0);
    (void)word_at(column(0));                                   /* the frame of zeros */
    fill(1, 7);
    assert_int_equal(map_lock(&program, column(1), 2 * PAGE_SIZE, false), 0);
    assert_int_equal(let_go(1, 2), -EINVAL);                    /* locked */
    assert_int_equal(let_go(0, 1), 0);
    assert_int_equal(used(), 0);
    for (unsigned n = 0; n < PAGE_SIZE / 4; n++)                /* noise does not shrink */
        assert_true(writes(&program, column(5) + 4 * n, (n + 1) * 2654435761u ^ (n * n * 40503u << 7)));
    assert_int_equal(let_go(5, 1), 0);
    assert_int_equal(used(), 0);
    assert_int_equal(swap_now().refused, 1);
    assert_int_equal(word_at(column(5) + 4), 2 * 2654435761u ^ 40503u << 7);
    assert_true(writes(&program, column(5), 3));                /* and may be written to as before */
    assert_clean();
    map_unlock_all(&program);
    assert_int_equal(unmap(0, 8), 0);
}

/* The k-th frame is not to be had, on the way out and on the way in. */
static void without_memory_pages_stay_where_they_are(void)
{
    assert_int_equal(map_fixed(0, 8, R | W), 0);
    for (uint32_t k = 1; k < 5; k++) {
        fill(0, 8);
        frame_fail_at(k);
        assert_int_equal(let_go(0, 8), 0);
        frame_fail_at(0);
        assert_clean();
        look(&program, 0, 8);
        assert_all_is_back();
    }
    assert_int_equal(let_go(0, 8), 0);
    frame_fail_at(1);
    assert_int_equal(space_fault(&program, column(0), MAY_READ, &verdict), -ENOMEM);
    frame_fail_at(0);
    assert_int_equal(used(), 8);
    assert_clean();
    look(&program, 0, 8);
    assert_all_is_back();
}

/* Noise that two show, and many show, stays, and can still not be written to through one of them. */
static void what_others_show_goes_only_where_that_wins(void)
{
    struct space child;
    uint32_t     value;

    assert_int_equal(map_fixed(0, 2, R | W), 0);
    fill(1, 1);
    for (unsigned n = 0; n < 450; n++)                          /* shrinks to more than a quarter */
        assert_true(writes(&program, column(0) + 4 * n, (n + 1) * 2654435761u));
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(let_go(0, 2), 0);
    assert_int_equal(program.swapped, 1);
    assert_clean();
    assert_true(writes(&program, column(0), 9));
    space_activate(&child);
    assert_true(reads(&child, column(0), &value));
    assert_int_equal(value, 2654435761u);
    look(&child, 1, 1);
    space_activate(&program);
    look(&program, 1, 1);
    map_clear(&child);
    space_destroy(&child);
    assert_clean();
    assert_int_equal(let_go(0, 1), 0);                          /* nobody else shows it now */
    assert_int_equal(program.swapped, 1);
    assert_int_equal(unmap(0, 2), 0);
    assert_all_is_back();
}

/* ---- The hand -------------------------------------------------------------------------------------------- */

static struct hand hand;

/* Once over all of the space; how many pages have gone. */
static size_t once_round(struct space *space)
{
    hand = (struct hand){ .window = { 0, HAND_WINDOW }, .next = HAND_NONE };
    do
        hand_look(&hand, space);
    while (hand_advance(&hand));
    return hand.gone;
}

static void a_used_page_gets_a_second_chance(void)
{
    assert_int_equal(map_fixed(0, 50, R | W), 0);
    fill(0, 50);
    assert_int_equal(once_round(&program), 0);                  /* all were used */
    look(&program, 10, 10);
    assert_int_equal(once_round(&program), 40);
    assert_int_equal(program.swapped, 40);
    assert_clean();
    assert_int_equal(once_round(&program), 10);
    look(&program, 0, 50);
    assert_all_is_back();
    assert_int_equal(unmap(0, 50), 0);
}

static void the_hand_passes_over_what_is_empty(void)
{
    assert_int_equal(map_fixed(0, 3, R | W), 0);
    map_overcommit = 1;
    assert_int_equal(map_fixed(200, 40000, R | W), 0);
    fill(0, 3);
    fill(30000, 2);
    assert_int_equal(once_round(&program), 0);
    assert_int_equal(once_round(&program), 5);
    assert_true(hand.looked < 1000);                            /* of 40 003 pages */
    look(&program, 30000, 2);
    look(&program, 0, 3);
    assert_int_equal(unmap(0, 3), 0);
    assert_int_equal(unmap(200, 40000), 0);
    assert_all_is_back();
}

static void the_hand_leaves_what_is_locked(void)
{
    assert_int_equal(map_fixed(0, 20, R | W), 0);
    fill(0, 20);
    assert_int_equal(map_lock(&program, column(4), 8 * PAGE_SIZE, false), 0);
    (void)once_round(&program);
    assert_int_equal(once_round(&program), 12);
    assert_int_equal(program.resident, 8);
    assert_int_equal(once_round(&program), 0);
    map_unlock_all(&program);
    assert_int_equal(once_round(&program), 0);                  /* used when they were locked */
    assert_int_equal(once_round(&program), 8);
    look(&program, 0, 20);
    assert_int_equal(unmap(0, 20), 0);
    assert_all_is_back();
}

static uint64_t refused(void) { return swap_now().refused; }

static void make_noise(size_t page, uint32_t seed)
{
    for (unsigned n = 0; n < PAGE_SIZE / 4; n++)
        assert_true(writes(&program, column(page) + 4 * n, (n + seed) * 2654435761u ^ (n * n * 40503u << 7)));
}

static void noise_is_not_packed_each_time_round(void)
{
    uint64_t before = refused();

    assert_int_equal(map_fixed(0, 10, R | W), 0);
    for (size_t n = 0; n < 10; n++)
        make_noise(n, (uint32_t)n * 77 + 1);
    for (unsigned n = 0; n < 20; n++)
        assert_int_equal(once_round(&program), 0);
    assert_int_equal(refused() - before, 10);                   /* once each: nobody has touched them since */
    fill(3, 1);
    for (size_t n = 0; n < PAGE_SIZE / 4; n += 8)               /* most of it is the same word now */
        for (size_t i = n; i < n + 7; i++)
            if (i % 3 != 0 || i / 3 >= 64)
                assert_true(writes(&program, column(3) + 4 * i, 1));
    for (unsigned n = 0; n < PAGE_REFUSED; n++) {
        (void)word_at(column(3));
        assert_int_equal(once_round(&program), 0);
    }
    assert_int_equal(once_round(&program), 1);
    look(&program, 3, 1);
    assert_int_equal(unmap(0, 10), 0);
    assert_all_is_back();
}

/* The window goes over both spaces before it moves on, so frames that both show come free. */
static void what_a_fork_shares_goes_out_of_both(void)
{
    struct space child;
    uint32_t     user;

    assert_int_equal(map_fixed(0, 64, R | W), 0);
    fill(0, 64);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    user = frames_owned(OWNER_USER);
    (void)once_round(&program);
    (void)once_round(&child);
    hand = (struct hand){ .window = { page_of(column(16)), page_of(column(32)) }, .next = HAND_NONE };
    hand_look(&hand, &program);
    assert_int_equal(frames_owned(OWNER_USER), user);
    hand_look(&hand, &child);
    assert_int_equal(hand.gone, 32);
    assert_int_equal(frames_owned(OWNER_USER), user - 16);
    assert_clean();
    space_activate(&child);
    look(&child, 0, 64);
    space_activate(&program);
    look(&program, 0, 64);
    map_clear(&child);
    space_destroy(&child);
    assert_int_equal(unmap(0, 64), 0);
    assert_all_is_back();
}

/* The k-th frame is not to be had while the hand goes round. */
static void without_frames_the_hand_ends(void)
{
    assert_int_equal(map_fixed(0, 40, R | W), 0);
    for (uint32_t k = 1; k < 8; k++) {
        fill(0, 40);
        (void)once_round(&program);
        frame_fail_at(k);
        (void)once_round(&program);
        frame_fail_at(0);
        assert_true(hand.full || k > 3);                        /* the directory, a table, the first parts */
        assert_clean();
        look(&program, 0, 40);
        assert_all_is_back();
    }
    assert_int_equal(unmap(0, 40), 0);
}

/* Leave so many frames. */
static frame_t held[4096];
static size_t  holding;

static void hold_frames_but(uint32_t left)
{
    while (frames_free() > left)
        assert_int_equal(frame_get(OWNER_TEST, 0, &held[holding++]), 0);
}

static void release_frames(void)
{
    while (holding > 0)
        frame_put(held[--holding]);
}

/* More pages than there are frames: each fault that finds none lets the hand make room. */
static size_t asked;

bool make_room(size_t want)
{
    size_t gone = hand.gone;

    asked++;
    hand.full = false;
    for (unsigned rounds = 0; rounds < 3 && hand.gone - gone < want && !hand.full; rounds += !hand_advance(&hand))
        hand_look(&hand, &program);
    return hand.gone > gone;
}

static void write_with_room(size_t n)
{
    assert_int_equal(fault_with_room(&program, column(n), MAY_WRITE, &verdict), 0);
    assert_true(writes(&program, column(n), (uint32_t)n + 1));
}

static void a_program_may_hold_more_than_there_is(void)
{
    enum { PAGES = 1500, FRAMES = 500 };

    hold_frames_but(FRAMES);
    asked = 0;
    hand = (struct hand){ .window = { 0, HAND_WINDOW }, .next = HAND_NONE };
    map_overcommit = 1;
    assert_int_equal(map_fixed(0, PAGES, R | W), 0);
    for (size_t n = 0; n < PAGES; n++)
        write_with_room(n);
    assert_true(asked > 10 && program.swapped > PAGES - FRAMES);
    assert_clean();
    for (size_t n = 0; n < PAGES; n++) {
        assert_int_equal(fault_with_room(&program, column(n), MAY_READ, &verdict), 0);
        assert_int_equal(word_at(column(n)), n + 1);
    }
    assert_true(frames_owned(OWNER_COMPRESSED) <= 3 * (frames_owned(OWNER_USER) + frames_free()) + 3);
    assert_clean();
    assert_int_equal(unmap(0, PAGES), 0);
    assert_all_is_back();
    release_frames();
}

static void where_nothing_shrinks_no_room_is_made(void)
{
    size_t n = 0;
    int    err;

    hold_frames_but(250);
    hand = (struct hand){ .window = { 0, HAND_WINDOW }, .next = HAND_NONE };
    assert_int_equal(map_fixed(0, 4000, R | W), 0);
    while ((err = fault_with_room(&program, column(n), MAY_WRITE, &verdict)) == 0) {
        make_noise(n, (uint32_t)n * 31 + 1);
        n++;
    }
    assert_int_equal(err, -ENOMEM);
    assert_true(n > 200 && used() < 20);
    assert_clean();
    assert_int_equal(unmap(0, 4000), 0);
    assert_all_is_back();
    release_frames();
}

/* Pages of very different sizes, at random, against what each should hold. */
static void thousands_at_random(void)
{
    enum { PAGES = 300 };
    static uint32_t first[PAGES], many[PAGES];
    uint64_t        random = 88172645463325252ull;

    assert_int_equal(map_fixed(0, PAGES, R | W), 0);
    for (unsigned step = 0; step < 12000; step++) {
        size_t n;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        n = (random >> 8) % PAGES;
        switch (random % 4) {
        case 0:
            first[n] = (uint32_t)(random >> 32) | 1;
            many[n]  = (uint32_t)(random >> 20) % 500;
            for (uint32_t i = 0; i < many[n]; i++)
                assert_true(writes(&program, column(n) + 4 * i, first[n] * (i + 1)));
            break;
        case 1:
            if (many[n] > 0)
                assert_int_equal(word_at(column(n) + 4 * (many[n] - 1)), first[n] * many[n]);
            break;
        default:
            assert_int_equal(let_go(n, n + 3 <= PAGES ? 3 : 1), 0);
        }
        if (step % 1000 == 0)
            assert_clean();
    }
    assert_true(swap_now().in > 500 && swap_now().out > swap_now().in);
    assert_int_equal(unmap(0, PAGES), 0);
    assert_all_is_back();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(pages_go_and_come_back),
        on_machine(a_locked_page_stays_whoever_asks),
        on_machine(a_page_that_is_out_goes_with_its_mapping),
        on_machine(a_fork_shares_what_is_out),
        on_machine(a_fork_without_memory_gives_back_its_references),
        on_machine(rights_and_places_change_while_pages_are_out),
        on_machine(mincore_says_what_is_out),
        on_machine(what_may_not_go_stays),
        on_machine(without_memory_pages_stay_where_they_are),
        on_machine(what_others_show_goes_only_where_that_wins),
        on_machine(a_used_page_gets_a_second_chance),
        on_machine(the_hand_passes_over_what_is_empty),
        on_machine(the_hand_leaves_what_is_locked),
        on_machine(noise_is_not_packed_each_time_round),
        on_machine(what_a_fork_shares_goes_out_of_both),
        on_machine(without_frames_the_hand_ends),
        on_machine(a_program_may_hold_more_than_there_is),
        on_machine(where_nothing_shrinks_no_room_is_made),
        on_machine(thousands_at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
