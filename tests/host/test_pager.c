/*
 * test_pager.c - objects whose pages a pager brings: one that delays, reorders and fails, as the test tells it.
 *
 * Each page that the pager brings has its number in its first word. A fill waits until the test lets it end, and the
 * threads that want its pages wait with it; all others go on.
 */
#include "process_world.h"

#include "base/completion.h"
#include "clean.h"
#include "memory/spaces/object.h"

enum { PAGES = 64, AT_ONCE = 16 };
#define SHOWN   (PROGRAM_PAGE + 16 * PAGE_SIZE)
#define PRIVATE (PROGRAM_PAGE + 128 * PAGE_SIZE)
#define shown(n) (SHOWN + (vaddr_t)(n) * PAGE_SIZE)

/* ---- The pager ---------------------------------------------------------------------------------------- */

static struct object    *object;
static struct completion gates[8];              /* the n-th fill ends when the n-th gate has happened, if `gated` */
static bool              gated;
static uint64_t          bad = UINT64_MAX;      /* a page that cannot be brought                    */
static unsigned          fills, under_way, most_under_way, ended;
static uint64_t          filled_first[32];
static size_t            filled_count[32];
static size_t            brings_at_most;        /* pages of a fill, 0: all                          */

static long fill(struct object *from, uint64_t page, const frame_t *frames, size_t count)
{
    unsigned mine = fills++;

    assert_ptr_equal(from->with, gates);
    assert_true(rwlock_none_held() && count > 0 && count <= AT_ONCE && mine < 32);
    filled_first[mine] = page;
    filled_count[mine] = count;
    under_way++;
    most_under_way = under_way > most_under_way ? under_way : most_under_way;
    assert_clean();                             /* X2 and O4 in the middle of a fill */
    if (gated)
        completion_wait(&gates[mine]);
    under_way--;
    if (page == bad)
        return -EIO;
    if (brings_at_most != 0 && count > brings_at_most)
        count = brings_at_most;
    for (size_t i = 0; i < count; i++) {
        if (page + i == bad)
            return (long)i;
        memset(&machine_ram[frame_address(frames[i])], 0, PAGE_SIZE);
        *(uint32_t *)&machine_ram[frame_address(frames[i])] = (uint32_t)(page + i);
    }
    return (long)count;
}

static void end(struct object *from)
{
    assert_ptr_equal(from, object);
    ended++;
}

static const struct object_operations operations = { .fill = fill, .end = end };

static void new_pager(void)
{
    memset(gates, 0, sizeof gates);
    memset(filled_count, 0, sizeof filled_count);
    fills = under_way = most_under_way = ended = 0;
    brings_at_most = 0;
    gated = false;
    bad   = UINT64_MAX;
    object = object_create_paged(OWNER_SHARED, PAGES, &operations, gates);
    assert_non_null(object);
}

static void show(vaddr_t at, uint32_t flags)
{
    struct map_request wanted = { .address = at, .bytes = PAGES * PAGE_SIZE, .rights = MAY_READ | MAY_WRITE,
                                  .may = MAY_READ | MAY_WRITE, .flags = MAP_IS_FIXED | flags, .object = object };
    vaddr_t            out;

    assert_int_equal(map_create(&current_process()->memory->space, &wanted, &out), 0);
}

static void hide(vaddr_t at)
{
    assert_int_equal(map_remove(&current_process()->memory->space, at, PAGES * PAGE_SIZE), 0);
}

static void run_with_pager(void (*program)(void))
{
    run_program(program);
    assert_int_equal(ended, 1);
    assert_int_equal(frames_owned(OWNER_SHARED), 0);
}

/* ---- Threads that read one page each ---------------------------------------------------------------------- */

static char    order[64];
static vaddr_t page_of_next;
static bool    write_next;
static char    letter_of_next;

static void note(char letter)
{
    size_t length = strlen(order);

    assert_true(length + 1 < sizeof order);
    order[length]     = letter;
    order[length + 1] = 0;
}

/* Its letter when the page was there with the right contents, else '!'. */
static void toucher(void)
{
    vaddr_t  at     = page_of_next;
    char     letter = letter_of_next;
    bool     write  = write_next;
    uint32_t value  = 0xBADBAD;
    bool     there  = access_own(at, write, &value);

    if (!write && value != (at % (128 * PAGE_SIZE) >> PAGE_SHIFT) - 16)
        there = false;
    note(there ? letter : '!');
    thread_exit(0);
}

static void touch(char letter, vaddr_t at, bool write)
{
    letter_of_next = letter;
    page_of_next   = at;
    write_next     = write;
    thread_into(toucher);
    give_way();
}

/* The n-th fill ends, and all that have waited for it go on as far as they can. */
static void let(unsigned nth)
{
    completion_happen(&gates[nth]);
    while (schedule_ready() > 0)
        give_way();
}

/* ---- The tests ------------------------------------------------------------------------------------------- */

static void reads_and_writes(void)
{
    frame_t frame;

    new_pager();
    show(SHOWN, MAP_IS_SHARED);
    assert_int_equal(word_at(shown(5)), 5);
    assert_int_equal(word_at(shown(6)), 6);
    set_word(shown(5), 55);
    assert_int_equal(object_page(object, 5, false, &frame), 0);     /* as read() does */
    assert_int_equal(*(uint32_t *)&machine_ram[frame_address(frame)], 55);
    frame_put(frame);
    show(PRIVATE, 0);
    assert_int_equal(word_at(PRIVATE + 5 * PAGE_SIZE), 55);
    set_word(PRIVATE + 40 * PAGE_SIZE, 99);                         /* brought, then copied */
    assert_int_equal(word_at(shown(40)), 40);
    assert_int_equal(word_at(PRIVATE + 40 * PAGE_SIZE), 99);
    assert_int_equal(object_next(object, 3, true), 3);              /* all of it is data */
    assert_int_equal(object_next(object, 3, false), PAGES);
    hide(SHOWN);
    hide(PRIVATE);
    object_release(object);
}

static void a_pagers_pages_are_read_and_written(void) { run_with_pager(reads_and_writes); }

static void reads_in_sequence(void)
{
    unsigned before;

    new_pager();
    show(SHOWN, MAP_IS_SHARED);
    for (unsigned n = 0; n < PAGES; n++)
        assert_int_equal(word_at(shown(n)), n);
    assert_true(fills < 8);
    for (unsigned i = 1; i + 1 < fills; i++)
        assert_true(filled_count[i] >= filled_count[i - 1] && filled_count[i] <= AT_ONCE);
    assert_int_equal(filled_count[fills - 2], AT_ONCE);
    hide(SHOWN);
    object_release(object);

    new_pager();
    show(SHOWN, MAP_IS_SHARED);
    for (unsigned n = 60; n > 0; n -= 20)
        assert_int_equal(word_at(shown(n)), n);
    before = fills;
    assert_int_equal(before, 3);
    for (unsigned i = 0; i < before; i++)
        assert_int_equal(filled_count[i], 2);
    ended = 0;
    hide(SHOWN);
    object_release(object);
}

static void who_reads_in_sequence_gets_more_at_once(void) { run_with_pager(reads_in_sequence); }

static void goes_on_meanwhile(void)
{
    order[0] = 0;
    new_pager();
    gated = true;
    show(SHOWN, MAP_IS_SHARED);
    touch('a', shown(10), false);                       /* fill 0: pages 10 and 11 */
    touch('b', shown(11), false);                       /* waits for the same fill */
    touch('c', shown(10), true);
    touch('d', shown(30), false);                       /* fill 1 */
    assert_string_equal(order, "");
    assert_int_equal(fills, 2);
    assert_int_equal(most_under_way, 2);
    set_word(PROGRAM_PAGE, 7);                          /* other faults of the same program go on, */
    map_pages_at(&current_process()->memory->space, PROGRAM_PAGE + PAGE_SIZE, 4);     /* and changes of its map */
    set_word(PROGRAM_PAGE + 2 * PAGE_SIZE, 8);
    let(1);                                             /* in another order than asked */
    assert_string_equal(order, "d");
    let(0);
    assert_int_equal(strlen(order), 4);
    assert_null(strchr(order, '!'));
    assert_int_equal(fills, 2);
    hide(SHOWN);
    object_release(object);
}

static void while_one_thread_waits_for_a_page_others_go_on(void) { run_with_pager(goes_on_meanwhile); }

static void cannot_be_brought(void)
{
    struct fault_verdict verdict;
    struct space        *space = &current_process()->memory->space;
    frame_t              frame;

    new_pager();
    show(SHOWN, MAP_IS_SHARED);
    show(PRIVATE, 0);
    bad = 21;
    assert_int_equal(word_at(shown(20)), 20);           /* its neighbour is not harmed */
    assert_int_equal(space_fault(space, shown(21), MAY_READ, &verdict), -EFAULT);
    assert_int_equal(verdict.signal, SIGBUS);
    assert_int_equal(verdict.address, shown(21));
    assert_int_equal(space_fault(space, PRIVATE + 21 * PAGE_SIZE, MAY_WRITE, &verdict), -EFAULT);
    assert_int_equal(verdict.signal, SIGBUS);
    assert_int_equal(object_page(object, 21, false, &frame), -EIO);
    assert_int_equal(object_page(object, 21, true, &frame), -EIO);
    assert_int_equal(object_zero(object, 21 * PAGE_SIZE + 8, 21 * PAGE_SIZE + 16), -EIO);
    assert_int_equal(word_at(shown(22)), 22);
    bad = UINT64_MAX;                                   /* and is tried again */
    assert_int_equal(word_at(shown(21)), 21);
    set_word(PRIVATE + 21 * PAGE_SIZE, 1);
    bad = 21;                                           /* who has a copy does not ask the pager any more */
    assert_int_equal(word_at(PRIVATE + 21 * PAGE_SIZE), 1);
    hide(SHOWN);
    hide(PRIVATE);
    object_release(object);
}

static void a_page_that_cannot_be_brought_harms_nobody_else(void) { run_with_pager(cannot_be_brought); }

static void fails_with_waiters(void)
{
    order[0] = 0;
    new_pager();
    gated = true;
    bad   = 21;
    show(SHOWN, MAP_IS_SHARED);
    touch('a', shown(21), false);
    touch('b', shown(21), false);                       /* learns of the error without a fill of its own */
    touch('c', shown(22), false);                       /* was to be brought along; has a fill of its own then */
    let(0);
    assert_string_equal(order, "!!");
    assert_int_equal(fills, 2);
    let(1);
    assert_string_equal(order, "!!c");
    hide(SHOWN);
    object_release(object);
}

static void those_who_wait_for_a_page_learn_that_it_does_not_come(void) { run_with_pager(fails_with_waiters); }

static void brings_fewer(void)
{
    new_pager();
    brings_at_most = 1;
    show(SHOWN, MAP_IS_SHARED);
    for (unsigned n = 0; n < 8; n++)
        assert_int_equal(word_at(shown(n)), n);
    assert_int_equal(object->resident, 8);
    hide(SHOWN);
    object_release(object);
}

static void a_pager_may_bring_fewer_pages_than_it_was_asked_for(void) { run_with_pager(brings_fewer); }

static void cuts_what_is_filled(void)
{
    order[0] = 0;
    new_pager();
    gated = true;
    show(SHOWN, MAP_IS_SHARED);
    touch('a', shown(40), false);
    touch('b', shown(41), false);
    object_resize(object, 30);                          /* does not wait for the pager */
    object_resize(object, PAGES);
    assert_int_equal(under_way, 1);
    let(0);                                             /* both look again, and find zeros */
    assert_string_equal(order, "!!");
    assert_int_equal(word_at(shown(40)), 0);
    assert_int_equal(word_at(shown(41)), 0);
    gated = false;
    assert_int_equal(word_at(shown(29)), 29);           /* what was not cut off is as it was */
    assert_int_equal(object_next(object, 5, false), 30);
    hide(SHOWN);
    object_release(object);
}

static void what_is_cut_off_while_it_is_filled_does_not_come_back(void) { run_with_pager(cuts_what_is_filled); }

static void unmaps_what_is_awaited(void)
{
    order[0] = 0;
    new_pager();
    gated = true;
    show(SHOWN, MAP_IS_SHARED);
    touch('a', shown(10), false);
    hide(SHOWN);                                        /* and nobody but the thread that waits has the object */
    object_release(object);
    assert_int_equal(ended, 0);
    let(0);
    assert_string_equal(order, "!");
    assert_int_equal(ended, 1);
}

static void an_object_stays_while_a_thread_waits_for_its_page(void) { run_with_pager(unmaps_what_is_awaited); }

static void adopts(void)
{
    frame_t frame, other;

    order[0] = 0;
    new_pager();
    show(SHOWN, MAP_IS_SHARED);
    assert_int_equal(frame_get(OWNER_SHARED, FRAME_ZERO, &frame), 0);
    assert_int_equal(object_adopt(object, 50, frame), 0);           /* the pager is not asked */
    assert_int_equal(fills, 0);
    assert_int_equal(word_at(shown(50)), 0);
    gated = true;
    touch('a', shown(10), false);
    completion_happen(&gates[0]);
    assert_int_equal(frame_get(OWNER_SHARED, FRAME_ZERO, &other), 0);
    assert_int_equal(object_adopt(object, 10, other), -EEXIST);     /* waits for what is on its way */
    frame_put(other);
    give_way();
    assert_string_equal(order, "a");
    hide(SHOWN);
    object_release(object);
}

static void a_whole_page_is_put_in_place_without_asking(void) { run_with_pager(adopts); }

/* The k-th frame or block is not to be had: an error, or fewer pages at once; and it works the next time. */
static void runs_out(void)
{
    struct space *space = &current_process()->memory->space;
    unsigned      refused = 0;

    new_pager();
    show(SHOWN, MAP_IS_SHARED);
    for (unsigned k = 1; k < 12; k++) {
        struct fault_verdict verdict;
        int                  err;

        if (k % 2 == 0)
            heap_fail_at(k / 2);
        else
            frame_fail_at((k + 1) / 2);
        err = space_fault(space, shown(k * 4), MAY_READ, &verdict);
        heap_fail_at(0);
        frame_fail_at(0);
        assert_true(err == 0 || err == -ENOMEM);
        refused += err != 0;
        assert_clean();
        assert_null(object->fillings);
        assert_int_equal(word_at(shown(k * 4)), k * 4);
    }
    assert_true(refused > 0);
    hide(SHOWN);
    object_release(object);
}

static void without_memory_a_page_stays_with_the_pager(void) { run_with_pager(runs_out); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_pagers_pages_are_read_and_written),
        in_world(who_reads_in_sequence_gets_more_at_once),
        in_world(while_one_thread_waits_for_a_page_others_go_on),
        in_world(a_page_that_cannot_be_brought_harms_nobody_else),
        in_world(those_who_wait_for_a_page_learn_that_it_does_not_come),
        in_world(a_pager_may_bring_fewer_pages_than_it_was_asked_for),
        in_world(what_is_cut_off_while_it_is_filled_does_not_come_back),
        in_world(an_object_stays_while_a_thread_waits_for_its_page),
        in_world(a_whole_page_is_put_in_place_without_asking),
        in_world(without_memory_a_page_stays_with_the_pager),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
