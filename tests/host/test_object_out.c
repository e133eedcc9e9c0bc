/*
 * test_object_out.c - pages of objects that leave memory and come back: whoever shows them sees what was written last,
 * and nothing is lost.
 */
#include "map_world.h"

#include "base/rwlock.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/object_out.h"
#include "memory/pageout/page_coder.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/object_parts.h"

enum { WILL_NEED = 3, DONT_NEED = 4, REMOVE = 9, COLD = 20, PAGE_OUT = 21, PAGES = 64 };

/* An object of PAGES pages that `program` shows from column 0 on, writable and shared. */
static struct object *object;

static struct swap_sums swap_now(void)
{
    struct swap_sums sums;

    swap_sums(&sums);
    return sums;
}

static uint32_t used(void) { return swap_now().used; }

static void show(struct space *space, size_t first, uint32_t flags)
{
    struct map_request wanted = request(column(first), PAGES, R | W, MAP_IS_FIXED | flags);
    vaddr_t            at;

    wanted.object = object;
    assert_int_equal(map_create(space, &wanted, &at), 0);
}

static void hide(struct space *space, size_t first)
{
    assert_int_equal(map_remove(space, column(first), PAGES * PAGE_SIZE), 0);
}

static void begin(void)
{
    object = object_create(OWNER_SHARED, PAGES);
    assert_non_null(object);
    show(&program, 0, MAP_IS_SHARED);
}

static void end(void)
{
    assert_clean();
    hide(&program, 0);
    object_release(object);
    assert_int_equal(used(), 0);
    assert_int_equal(objects_out, 0);
    assert_int_equal(frames_owned(OWNER_COMPRESSED), 0);
    assert_int_equal(frames_owned(OWNER_SHARED), 0);
}

static int advise(size_t first, size_t count, int advice)
{
    return map_advise(&program, column(first), count * PAGE_SIZE, advice);
}

/* Whoever shows them: all that can go. */
static void let_go(size_t first, size_t count)
{
    for (size_t n = first; n < first + count; n++)
        (void)object_page_out(object, n, UINT32_MAX);
}

/* Contents that shrink, and are no other page's. */
static void fill(size_t first, size_t count)
{
    for (size_t n = first; n < first + count; n++)
        for (unsigned word = 0; word < 64; word++)
            assert_true(writes(&program, column(n) + 4 * word * 3, (uint32_t)(n * 1000 + word)));
}

/* The space shows page 0 at `at`. */
static void look(struct space *space, size_t at, size_t first, size_t count)
{
    uint32_t value;

    for (size_t n = first; n < first + count; n++)
        for (unsigned word = 0; word < 64; word += 9) {
            assert_true(reads(space, column(at + n) + 4 * word * 3, &value));
            assert_int_equal(value, n * 1000 + word);
        }
}

/* A word of a page as read() finds it. */
static uint32_t word_of(size_t page)
{
    frame_t  frame;
    uint32_t word;

    assert_int_equal(object_page(object, page, false, &frame), 0);
    if (!frame_exists(frame))
        return 0;
    word = *(uint32_t *)&machine_ram[frame_address(frame)];
    frame_put(frame);
    return word;
}

/* As write() changes it. */
static void set_word_of(size_t page, uint32_t word)
{
    frame_t frame;

    assert_int_equal(object_page(object, page, true, &frame), 0);
    *(uint32_t *)&machine_ram[frame_address(frame)] = word;
    frame_put(frame);
}

static void a_page_that_two_show_goes_once(void)
{
    struct space other;
    uint32_t     free;

    begin();
    assert_int_equal(space_create(&other), 0);
    set_limits(&other);
    show(&other, 100, MAP_IS_SHARED);
    fill(0, PAGES);
    space_activate(&other);
    look(&other, 100, 0, PAGES);
    space_activate(&program);
    free = frames_free();
    let_go(0, PAGES);
    assert_int_equal(used(), PAGES);
    assert_int_equal(object->out, PAGES);
    assert_int_equal(object->resident, 0);
    assert_int_equal(objects_out, PAGES);
    assert_int_equal(program.resident + other.resident, 0);
    assert_int_equal(program.swapped, 0);
    assert_true(frames_free() > free + PAGES * 3 / 4);
    assert_clean();
    space_activate(&other);
    look(&other, 100, 0, PAGES / 2);
    assert_int_equal(used(), PAGES / 2);
    space_activate(&program);
    look(&program, 0, 0, PAGES);                                /* the frames that the other has brought back */
    assert_int_equal(used(), 0);
    assert_int_equal(frames_owned(OWNER_SHARED), PAGES + frames_owned(OWNER_COMPRESSED));
    assert_clean();
    space_activate(&other);
    map_clear(&other);
    space_activate(&program);
    space_destroy(&other);
    end();
}

static void read_and_write_bring_pages_back(void)
{
    begin();
    fill(0, 8);
    let_go(0, 8);
    assert_int_equal(word_of(3), 3000);
    set_word_of(4, 77);
    assert_int_equal(word_at(column(4)), 77);
    assert_int_equal(word_at(column(4) + 12), 4001);
    assert_int_equal(object->out, 6);
    assert_int_equal(object_next(object, 0, false), 8);         /* what is out is data */
    assert_int_equal(object_next(object, 5, true), 5);
    let_go(0, 8);
    assert_int_equal(object_zero(object, 5 * PAGE_SIZE, 5 * PAGE_SIZE + 4), 0);
    assert_int_equal(word_at(column(5)), 0);
    assert_int_equal(word_at(column(5) + 12), 5001);
    look(&program, 0, 6, 2);
    end();
}

/* A pipe, say, or a call that copies. */
static void a_page_that_somebody_holds_stays(void)
{
    frame_t frame;

    begin();
    fill(0, 3);
    assert_int_equal(object_page(object, 1, false, &frame), 0);
    let_go(0, 3);
    assert_int_equal(object->out, 2);
    *(uint32_t *)&machine_ram[frame_address(frame)] = 5;
    frame_put(frame);
    assert_int_equal(word_at(column(1)), 5);
    let_go(1, 1);
    assert_int_equal(object->out, 3);
    assert_int_equal(word_at(column(1)), 5);
    object->stays = true;                                       /* the kernel itself uses its frames */
    let_go(1, 1);
    assert_int_equal(object->out, 2);
    end();
}

static void a_page_that_some_program_has_locked_stays(void)
{
    struct space other;

    begin();
    fill(0, 4);
    assert_int_equal(space_create(&other), 0);
    set_limits(&other);
    show(&other, 100, MAP_IS_SHARED);
    assert_int_equal(map_lock(&other, column(101), 2 * PAGE_SIZE, false), 0);
    let_go(0, 4);
    assert_int_equal(object->out, 2);
    assert_int_equal(object->resident, 2);
    map_unlock_all(&other);
    let_go(0, 4);
    assert_int_equal(object->out, 4);
    assert_int_equal(map_lock(&program, column(0), 4 * PAGE_SIZE, false), 0);       /* brings them back */
    assert_int_equal(object->out, 0);
    assert_int_equal(advise(0, 4, PAGE_OUT), -EINVAL);
    map_unlock_all(&program);
    map_clear(&other);
    space_destroy(&other);
    look(&program, 0, 0, 4);
    end();
}

static void private_mappings_see_what_is_out_and_keep_their_copies(void)
{
    struct space child;
    uint32_t     value;

    begin();
    show(&program, 100, 0);
    fill(0, 6);
    look(&program, 100, 0, 6);
    assert_true(writes(&program, column(102), 9));
    let_go(0, 6);
    assert_int_equal(object->out, 6);
    assert_clean();
    assert_int_equal(word_at(column(102)), 9);                  /* without asking for the page behind it */
    assert_int_equal(object->out, 6);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_clean();
    assert_true(writes(&program, column(103), 8));              /* brought, then copied */
    assert_int_equal(word_at(column(3)), 3000);
    space_activate(&child);
    look(&child, 100, 3, 3);
    assert_true(reads(&child, column(102), &value));
    assert_int_equal(value, 9);
    let_go(0, 6);
    look(&child, 0, 0, 6);
    map_clear(&child);
    space_activate(&program);
    space_destroy(&child);
    hide(&program, 100);
    look(&program, 0, 0, 6);
    end();
}

static void what_is_cut_off_while_it_is_out_is_gone(void)
{
    begin();
    fill(0, 32);
    let_go(0, 32);
    object_punch(object, 4, 8);
    assert_int_equal(used(), 28);
    assert_int_equal(object->out, 28);
    assert_int_equal(word_at(column(5)), 0);
    assert_int_equal(advise(8, 4, REMOVE), 0);
    assert_int_equal(used(), 24);
    assert_int_equal(word_at(column(9)), 0);
    object_resize(object, 16);
    assert_int_equal(used(), 8);
    assert_false(reads(&program, column(20), &(uint32_t){ 0 }));
    object_resize(object, PAGES);
    assert_int_equal(word_at(column(20)), 0);
    look(&program, 0, 0, 4);
    look(&program, 0, 12, 4);
    assert_int_equal(advise(12, 4, DONT_NEED), 0);              /* the object keeps them */
    look(&program, 0, 12, 4);
    end();
}

static void rights_and_places_change_while_pages_are_out(void)
{
    vaddr_t to;

    begin();
    fill(0, 10);
    let_go(0, 10);
    assert_int_equal(map_protect(&program, column(0), 4 * PAGE_SIZE, R), 0);
    assert_int_equal(word_at(column(1)), 1000);
    assert_false(writes(&program, column(1), 5));
    assert_int_equal(map_protect(&program, column(1), PAGE_SIZE, 0), 0);    /* blocked, and goes all the same */
    let_go(1, 1);
    assert_int_equal(object->out, 10);
    assert_int_equal(map_protect(&program, column(0), PAGES * PAGE_SIZE, R | W), 0);
    assert_int_equal(map_move(&program, column(0), PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, 3, column(200), &to), 0);
    look(&program, 200, 0, 10);
    assert_int_equal(map_move(&program, column(200), PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, 3, column(0), &to), 0);
    end();
}

/* ---- Advice -------------------------------------------------------------------------------------------- */

static void advice_means_what_it_says(void)
{
    struct space other;
    uint8_t      there[8];

    begin();
    fill(0, 8);
    assert_int_equal(space_create(&other), 0);
    set_limits(&other);
    show(&other, 100, MAP_IS_SHARED);
    space_activate(&other);
    look(&other, 100, 0, 2);
    space_activate(&program);
    assert_int_equal(advise(0, 8, PAGE_OUT), 0);                /* the other shows them: the neighbours too */
    assert_int_equal(object->out, 0);
    map_clear(&other);
    space_destroy(&other);
    assert_int_equal(advise(0, 8, PAGE_OUT), 0);
    assert_int_equal(object->out, 8);
    assert_int_equal(map_residency(&program, span_of(page_of(column(0)), 8), there), 0);
    for (unsigned n = 0; n < 8; n++)
        assert_int_equal(there[n], 0);
    assert_int_equal(word_at(column(3)), 3000);
    assert_int_equal(map_residency(&program, span_of(page_of(column(0)), 8), there), 0);
    for (unsigned n = 0; n < 8; n++)
        assert_int_equal(there[n], n == 3);
    assert_int_equal(advise(0, 6, WILL_NEED), 0);
    assert_int_equal(object->out, 2);
    look(&program, 0, 0, 8);
    assert_int_equal(map_fixed(100, 20, R | W), 0);             /* private memory that is out */
    for (size_t n = 0; n < 20; n++)
        assert_true(writes(&program, column(100 + n), (uint32_t)n));
    assert_int_equal(advise(100, 20, PAGE_OUT), 0);
    assert_int_equal(program.swapped, 20);
    assert_int_equal(advise(105, 100, WILL_NEED), -ENOMEM);     /* with a hole behind it, as on Linux */
    assert_int_equal(program.swapped, 5);
    assert_int_equal(unmap(100, 20), 0);
    end();
}

/* ---- The hand -------------------------------------------------------------------------------------------- */

static struct hand hand;

/* Once over all objects; how many pages have gone. */
static size_t once_round(void)
{
    size_t gone = hand.gone;

    hand.full = false;
    while (hand_look_at_objects(&hand))
        assert_true(hand.looked < 10000);
    hand.looked = 0;
    return hand.gone - gone;
}

static void a_used_page_gets_a_second_chance(void)
{
    begin();
    fill(0, 50);
    assert_int_equal(once_round(), 0);                          /* all were used */
    look(&program, 0, 10, 10);                                  /* by a program */
    assert_int_equal(word_of(30), 30000);                       /* by read() */
    assert_int_equal(once_round(), 39);
    assert_clean();
    assert_int_equal(once_round(), 11);
    look(&program, 0, 0, 50);
    end();
}

static void what_a_program_calls_cold_goes_first(void)
{
    begin();
    fill(0, 20);
    assert_int_equal(map_fixed(100, 20, R | W), 0);
    for (size_t n = 0; n < 20; n++)
        assert_true(writes(&program, column(100 + n), (uint32_t)n));
    assert_int_equal(advise(5, 10, COLD), 0);
    assert_int_equal(once_round(), 10);
    look(&program, 0, 0, 20);
    assert_int_equal(advise(103, 4, COLD), 0);
    hand.window = (struct span){ page_of(column(96)), page_of(column(112)) };
    hand.gone   = 0;
    hand_look(&hand, &program);
    assert_int_equal(hand.gone, 4);
    assert_int_equal(advise(0, 200, COLD), -ENOMEM);
    assert_int_equal(unmap(100, 20), 0);
    end();
}

static void the_hand_goes_on_where_objects_go(void)
{
    struct object *others[3];

    begin();
    fill(0, 40);
    for (unsigned n = 0; n < 3; n++)
        others[n] = object_create(OWNER_SHARED, 10);
    assert_true(hand_look_at_objects(&hand));                   /* empty: on to the next */
    object_release(others[1]);
    assert_true(hand_look_at_objects(&hand));
    assert_true(hand_look_at_objects(&hand));                   /* the first window of the object */
    object_release(others[0]);
    object_release(others[2]);
    while (hand_look_at_objects(&hand))
        ;
    hand.looked = 0;
    assert_int_equal(once_round(), 40);
    end();
    assert_false(hand_look_at_objects(&hand));
}

static void noise_is_packed_once(void)
{
    uint64_t before;

    begin();
    before = swap_now().refused;
    for (unsigned n = 0; n < PAGE_SIZE / 4; n++)
        assert_true(writes(&program, column(5) + 4 * n, (n + 1) * 2654435761u ^ (n * n * 40503u << 7)));
    for (unsigned n = 0; n < 10; n++)
        assert_int_equal(once_round(), 0);
    assert_int_equal(swap_now().refused - before, 1);
    assert_int_equal(word_at(column(5)), 2654435761u);
    fill(5, 1);
    for (unsigned n = 200; n < PAGE_SIZE / 4; n++)
        assert_true(writes(&program, column(5) + 4 * n, 1));
    assert_int_equal(once_round(), 0);
    assert_int_equal(once_round(), 1);
    look(&program, 0, 5, 1);
    end();
}

/* ---- While a page is on its way ------------------------------------------------------------------------------- */

static unsigned rests, touch_at;
static bool     touch_writes;

/* Somebody asks for page 0 while it is packed: the object's lock is free then, the coder's is not. */
static void touch(void)
{
    assert_clean();
    if (!rwlock_held(&object->lock) && rwlock_held(&coder_lock) && ++rests == touch_at) {
        if (touch_writes)
            set_word_of(0, 1234);
        else
            assert_int_equal(word_of(0), 0);
    }
}

static void a_page_that_is_asked_for_while_it_is_packed_stays(void)
{
    begin();
    for (unsigned writes_to = 0; writes_to < 2; writes_to++) {
        fill(0, 1);
        touch_writes = writes_to;
        rests        = 0;
        touch_at     = 1;
        machine_at_rest(touch);
        let_go(0, 1);
        machine_at_rest(NULL);
        assert_int_equal(rests, 1);
        assert_int_equal(object->out, 0);
        assert_int_equal(word_at(column(0)), writes_to ? 1234 : 0);
        assert_int_equal(word_at(column(0) + 12), 1);
    }
    let_go(0, 1);
    assert_int_equal(object->out, 1);
    assert_int_equal(word_at(column(0)), 1234);
    end();
}

static void cut(void)
{
    if (!rwlock_held(&object->lock) && rwlock_held(&coder_lock) && ++rests == touch_at) {
        object_resize(object, 0);
        object_resize(object, PAGES);
    }
}

static void a_page_that_is_cut_off_while_it_is_packed_is_gone(void)
{
    begin();
    fill(0, 1);
    rests    = 0;
    touch_at = 1;
    machine_at_rest(cut);
    let_go(0, 1);
    machine_at_rest(NULL);
    assert_int_equal(used(), 0);
    assert_int_equal(word_at(column(0) + 12), 0);
    end();
}

/* The k-th frame or block is not to be had, on the way out and on the way in. */
static void without_memory_pages_stay_where_they_are(void)
{
    unsigned refused = 0;

    begin();
    for (uint32_t k = 1; k < 6; k++) {
        fill(0, 8);
        frame_fail_at(k);
        let_go(0, 8);
        frame_fail_at(0);
        assert_clean();
        look(&program, 0, 0, 8);
        assert_int_equal(used(), 0);
    }
    let_go(0, 8);
    for (uint32_t k = 1; k < 8; k++) {
        int err;

        if (k % 2 == 0)
            heap_fail_at(k / 2);
        else
            frame_fail_at((k + 1) / 2);
        err = space_fault(&program, column(k), MAY_READ, &verdict);
        heap_fail_at(0);
        frame_fail_at(0);
        assert_true(err == 0 || err == -ENOMEM);
        refused += err != 0;
        assert_clean();
        assert_null(object->fillings);
    }
    assert_true(refused > 1);
    look(&program, 0, 0, 8);
    end();
}

/* ---- At random ------------------------------------------------------------------------------------------------- */

static uint64_t seed;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 16) % below;
}

static uint32_t model[PAGES];                   /* the first word of each page */

/* At some points of rest somebody else asks for a page. */
static void interfere(void)
{
    size_t n = any(PAGES);

    if (rests++ % 16 == 0)
        assert_clean();
    if (any(4) != 0 || rwlock_held(&object->lock) || n >= object->pages)
        return;
    if (rwlock_held(&coder_lock)) {             /* what is out cannot come back now: that thread would wait */
        frame_t frame;

        if (object_page_here(object, n, false, &frame) != 0)
            return;
        if (frame_exists(frame)) {
            assert_int_equal(*(uint32_t *)&machine_ram[frame_address(frame)], model[n]);
            *(uint32_t *)&machine_ram[frame_address(frame)] = ++model[n];
            frame_put(frame);
        }
    }
}

static void step(struct space *space, size_t at)
{
    static const int advices[] = { PAGE_OUT, COLD, WILL_NEED };
    size_t n = any(PAGES), count = 1 + any(8);

    if (n + count > PAGES)
        count = PAGES - n;
    switch (any(9)) {
    case 0: case 1:
        model[n] = (uint32_t)seed;
        assert_true(writes(space, column(at + n), model[n]));
        break;
    case 2:
        assert_int_equal(word_of(n), model[n]);
        break;
    case 3:
        set_word_of(n, model[n] = (uint32_t)seed);
        break;
    case 4:
        let_go(n, count);
        break;
    case 5:
        hand.full = false;
        (void)hand_look_at_objects(&hand);
        break;
    case 6:
        if (any(8) == 0) {
            object_punch(object, n, n + count);
            memset(&model[n], 0, count * sizeof *model);
        }
        break;
    case 7:
        assert_int_equal(map_advise(space, column(at + n), count * PAGE_SIZE, advices[any(3)]), 0);
        break;
    default: {
        uint32_t value;

        assert_true(reads(space, column(at + n), &value));
        assert_int_equal(value, model[n]);
    }
    }
}

static void thousands_at_random(void)
{
    struct space other;

    begin();
    assert_int_equal(space_create(&other), 0);
    set_limits(&other);
    show(&other, 100, MAP_IS_SHARED);
    seed = 88172645463325252ull;
    machine_at_rest(interfere);
    for (unsigned turn = 0; turn < 100; turn++) {
        struct space *space = turn % 2 ? &other : &program;

        space_activate(space);
        for (unsigned n = 0; n < 30; n++)
            step(space, turn % 2 ? 100 : 0);
    }
    machine_at_rest(NULL);
    assert_true(swap_now().in > 150 && swap_now().out > swap_now().in);
    space_activate(&program);
    for (size_t n = 0; n < PAGES; n++)
        assert_int_equal(word_at(column(n)), model[n]);
    map_clear(&other);
    space_destroy(&other);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_page_that_two_show_goes_once),
        on_machine(read_and_write_bring_pages_back),
        on_machine(a_page_that_somebody_holds_stays),
        on_machine(a_page_that_some_program_has_locked_stays),
        on_machine(private_mappings_see_what_is_out_and_keep_their_copies),
        on_machine(what_is_cut_off_while_it_is_out_is_gone),
        on_machine(rights_and_places_change_while_pages_are_out),
        on_machine(advice_means_what_it_says),
        on_machine(a_used_page_gets_a_second_chance),
        on_machine(what_a_program_calls_cold_goes_first),
        on_machine(the_hand_goes_on_where_objects_go),
        on_machine(noise_is_packed_once),
        on_machine(a_page_that_is_asked_for_while_it_is_packed_stays),
        on_machine(a_page_that_is_cut_off_while_it_is_packed_is_gone),
        on_machine(without_memory_pages_stay_where_they_are),
        on_machine(thousands_at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
