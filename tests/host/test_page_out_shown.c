/*
 * test_page_out_shown.c - which pages go out: those that few show, that a program has a right to, that shrink enough,
 * and each by itself.
 */
#include "map_world.h"

#include "base/compress.h"
#include "memory/pageout/page_out.h"
#include "memory/pageout/swap.h"

enum { ADVICE_PAGE_OUT = 21, CHILDREN = PAGE_SHOWN_MOST };

static struct space children[CHILDREN];

static uint32_t used(void)
{
    struct swap_sums sums;

    swap_sums(&sums);
    return sums.used;
}

static int let_go(size_t first, size_t count)
{
    return map_advise(&program, column(first), count * PAGE_SIZE, ADVICE_PAGE_OUT);
}

static void make_children(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(space_create(&children[i]), 0);
        assert_int_equal(map_copy(&children[i], &program), 0);
    }
}

static void end_children(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        map_clear(&children[i]);
        space_destroy(&children[i]);
    }
}

/* A page that is all but empty shrinks to next to nothing: it goes where eight show it, and not where nine do. */
static void a_page_that_many_show_stays(void)
{
    uint32_t value;

    paint("ww");
    assert_true(writes(&program, column(0), 5));
    make_children(CHILDREN);
    assert_int_equal(let_go(0, 2), 0);
    assert_int_equal(used(), 0);
    assert_int_equal(program.resident, 1);
    end_children(CHILDREN);
    make_children(CHILDREN - 1);
    assert_int_equal(let_go(0, 2), 0);
    assert_int_equal(used(), 1);
    assert_int_equal(program.resident, 0);
    assert_int_equal(program.swapped, 1);
    assert_int_equal(children[0].resident, 1);
    space_activate(&children[0]);
    assert_true(reads(&children[0], column(0), &value));
    assert_int_equal(value, 5);
    space_activate(&program);
    assert_int_equal(word_at(column(0)), 5);
    assert_int_equal(used(), 0);
    end_children(CHILDREN - 1);
}

/* What a program may not look at now is kept for when it may again. */
static void a_page_without_rights_stays(void)
{
    paint("www");
    for (size_t n = 0; n < 3; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
    assert_int_equal(protect(1, 1, 0), 0);
    assert_int_equal(let_go(0, 3), 0);
    assert_int_equal(used(), 2);
    assert_int_equal(frames_owned(OWNER_USER), 1);
    assert_int_equal(protect(1, 1, R), 0);
    assert_int_equal(word_at(column(1)), 2);
    assert_int_equal(let_go(1, 1), 0);
    assert_int_equal(used(), 3);
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(word_at(column(n)), n + 1);
    assert_int_equal(used(), 0);
}

/* Only pages of the span, whatever is beside them. */
static void only_what_is_asked_for_goes(void)
{
    paint("wwwwww");
    for (size_t n = 0; n < 6; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
    assert_int_equal(let_go(2, 3), 0);
    assert_int_equal(used(), 3);
    for (size_t n = 0; n < 6; n++)
        assert_int_equal(entry_present(entry_at_page(&program, column(n))), n < 2 || n > 4);
    assert_int_equal(let_go(2, 3), 0);          /* they are out already */
    assert_int_equal(used(), 3);
    for (size_t n = 0; n < 6; n++)
        assert_int_equal(word_at(column(n)), n + 1);
    assert_int_equal(program.resident, 6);
    assert_int_equal(program.swapped, 0);
    assert_int_equal(used(), 0);
}

/* Noise at the page's start that makes what is packed of it just so many bytes long. */
static void fill_to_pack_as(vaddr_t at, size_t bytes)
{
    static uint8_t  page[PAGE_SIZE], packed[PAGE_SIZE];
    static uint16_t table[PACK_TABLE];
    size_t          came = 0;

    memset(page, 0, sizeof page);
    for (size_t n = 0; n < PAGE_SIZE && came < bytes; n++) {
        page[n] = (uint8_t)((n + 1) * 2654435761u >> 24);
        came = pack_bytes(page, PAGE_SIZE, packed, sizeof packed, table);
    }
    assert_int_equal(came, bytes);
    for (size_t n = 0; n < PAGE_SIZE; n += 4) {
        uint32_t word;

        memcpy(&word, page + n, 4);
        assert_true(writes(&program, at + n, word));
    }
}

/* SWAP_MOST bytes are won, one more is not; for each that shows the page as many are taken. */
static void a_page_goes_that_shrinks_to_just_enough(void)
{
    assert_int_equal(map_fixed(0, 4, R | W), 0);
    fill_to_pack_as(column(0), SWAP_MOST);
    fill_to_pack_as(column(1), SWAP_MOST + 1);
    assert_int_equal(let_go(0, 2), 0);
    assert_int_equal(program.swapped, 1);
    assert_false(entry_present(entry_at_page(&program, column(0))));
    fill_to_pack_as(column(2), SWAP_MOST / 2);
    fill_to_pack_as(column(3), SWAP_MOST / 2 + 1);
    make_children(1);
    assert_int_equal(let_go(2, 2), 0);
    assert_int_equal(program.swapped, 2);
    assert_false(entry_present(entry_at_page(&program, column(2))));
    end_children(1);
    assert_int_equal(unmap(0, 4), 0);
    assert_int_equal(used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_page_that_many_show_stays),
        on_machine(a_page_without_rights_stays),
        on_machine(only_what_is_asked_for_goes),
        on_machine(a_page_goes_that_shrinks_to_just_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
