/*
 * test_region.c - the region tree against a plain array of pages.
 *
 * A picture is a universe: one letter a region, one column a page, a dot for nothing.
 * Neighbouring regions need different letters; a region is known by its letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "memory/audit.h"
#include "memory/spaces/region.h"

enum { WORLD_PAGES = 64, WORLD_FIRST = 0x100 };     /* page 0 of a picture is page 0x100 of the space */

/* A tree and its nodes in one block, so that a copy of the bytes is a copy of the world. */
struct world {
    struct region_tree tree;
    struct region      nodes[26];                   /* by letter; in use while height > 0 */
    char               names[26][2];
};
static struct world world;

static struct region *node_of(char letter) { return &world.nodes[letter - 'A']; }

static struct span columns(size_t first, size_t pages) { return span_of(WORLD_FIRST + first, pages); }

static void assert_sound(void)
{
    struct audit_report report = { 0 };

    region_tree_audit(&world.tree, &report);
    if (report.failed)
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
    assert_true(region_tree_ok(&world.tree));
}

static int insert(char letter, size_t first, size_t pages)
{
    struct region *node = node_of(letter);

    snprintf(world.names[letter - 'A'], 2, "%c", letter);
    node->name = world.names[letter - 'A'];
    node->span = columns(first, pages);
    return region_insert(&world.tree, node);
}

static void world_of_size(size_t pages)
{
    memset(&world, 0, sizeof world);
    region_tree_start(&world.tree, columns(0, pages));
}

static void world_of(const char *picture)
{
    world_of_size(strlen(picture));
    for (size_t i = 0; picture[i]; ) {
        size_t run = strspn(picture + i, (char[]){ picture[i], 0 });

        if (picture[i] != '.')
            assert_int_equal(insert(picture[i], i, run), 0);
        i += run;
    }
    assert_sound();
}

static void draw(char *picture)
{
    size_t pages = span_pages(world.tree.limits);

    memset(picture, '.', pages);
    picture[pages] = 0;
    for (int i = 0; i < 26; i++)
        if (world.nodes[i].height > 0)
            memset(picture + (world.nodes[i].span.first - WORLD_FIRST), 'A' + i,
                   span_pages(world.nodes[i].span));
}

static void assert_world(const char *expected)
{
    char picture[WORLD_PAGES + 1];

    draw(picture);
    assert_string_equal(picture, expected);
    assert_sound();
}

/* ---- Inserting, removing, moving borders ---------------------------------------------- */

static void an_empty_tree_is_all_gap(void **state)
{
    page_t first;

    (void)state;
    world_of("........");
    assert_null(region_find(&world.tree, WORLD_FIRST));
    assert_null(region_at_or_above(&world.tree, 0));
    assert_true(region_gap(&world.tree, 8, 1, columns(0, 8), false, &first));
    assert_int_equal(first, WORLD_FIRST);
    assert_false(region_gap(&world.tree, 9, 1, columns(0, 9), false, &first));
}

static void insert_refuses_what_meets_another(void **state)
{
    (void)state;
    world_of("..AAA..BB.");
    assert_int_equal(insert('C', 1, 2), -EEXIST);
    assert_int_equal(insert('C', 3, 1), -EEXIST);
    assert_int_equal(insert('C', 4, 9 - 4), -EEXIST);
    assert_int_equal(insert('C', 0, 10), -EEXIST);
    assert_world("..AAA..BB.");
    assert_int_equal(insert('C', 5, 2), 0);
    assert_world("..AAACCBB.");
}

static void insert_refuses_what_is_empty_or_outside(void **state)
{
    (void)state;
    world_of("..AA..");
    assert_int_equal(insert('B', 5, 2), -EINVAL);
    assert_int_equal(insert('B', 6, 1), -EINVAL);
    assert_int_equal(insert('B', (size_t)-1, 2), -EINVAL);
    assert_int_equal(insert('B', 4, 0), -EINVAL);
    node_of('B')->span = (struct span){ WORLD_FIRST + 5, WORLD_FIRST + 4 };
    assert_int_equal(region_insert(&world.tree, node_of('B')), -EINVAL);
    assert_world("..AA..");
}

static void remove_gives_the_room_to_the_gap_above(void **state)
{
    (void)state;
    world_of("A.BB.C.");
    region_remove(&world.tree, node_of('B'));
    assert_world("A....C.");
    assert_int_equal(node_of('C')->gap, 4);
    region_remove(&world.tree, node_of('C'));
    region_remove(&world.tree, node_of('A'));
    assert_world(".......");
    assert_null(world.tree.root);
}

static void resize_moves_either_border(void **state)
{
    (void)state;
    world_of("AA..BB..CC");
    assert_int_equal(region_resize(&world.tree, node_of('B'), columns(2, 6)), 0);
    assert_world("AABBBBBBCC");
    assert_int_equal(region_resize(&world.tree, node_of('B'), columns(3, 1)), 0);
    assert_world("AA.B....CC");
    assert_int_equal(node_of('C')->gap, 4);
}

static void resize_refuses_and_changes_nothing(void **state)
{
    (void)state;
    world_of("AA..BB..CC");
    assert_int_equal(region_resize(&world.tree, node_of('B'), columns(1, 4)), -EEXIST);
    assert_int_equal(region_resize(&world.tree, node_of('B'), columns(4, 5)), -EEXIST);
    assert_int_equal(region_resize(&world.tree, node_of('B'), columns(4, 0)), -EINVAL);
    assert_int_equal(region_resize(&world.tree, node_of('C'), columns(8, 3)), -EINVAL);
    assert_world("AA..BB..CC");
}

/* ---- Finding ---------------------------------------------------------------------------- */

static void find_answers_for_every_page(void **state)
{
    static const char picture[] = ".AA.B..CCCD..E";

    (void)state;
    world_of(picture);
    for (size_t i = 0; picture[i]; i++) {
        struct region *found = region_find(&world.tree, WORLD_FIRST + i);
        struct region *above = region_at_or_above(&world.tree, WORLD_FIRST + i);
        size_t         next = i + strspn(picture + i, ".");

        assert_ptr_equal(found, picture[i] == '.' ? NULL : node_of(picture[i]));
        assert_ptr_equal(above, picture[next] ? node_of(picture[next]) : NULL);
    }
}

static void next_and_before_walk_in_order(void **state)
{
    static const char order[] = "ABCDEFGHIJ";

    (void)state;
    world_of("AABB.CDDE.FF..GHI..J");
    for (int i = 0; order[i]; i++) {
        assert_ptr_equal(region_next(node_of(order[i])), order[i + 1] ? node_of(order[i + 1]) : NULL);
        assert_ptr_equal(region_before(node_of(order[i])), i ? node_of(order[i - 1]) : NULL);
    }
}

/* ---- Gaps --------------------------------------------------------------------------------- */

/* The marks say where the run must be found: lowest and highest. A picture without marks: nowhere. */
static void expect_gap(size_t pages, size_t align, const char *within, const char *lowest,
                       const char *highest)
{
    size_t      from = strspn(within, " "), to = from + strspn(within + from, "-");
    struct span bounds = { WORLD_FIRST + from, WORLD_FIRST + to };

    for (int top = 0; top < 2; top++) {
        const char *marks = top ? highest : lowest;
        bool        wanted = strchr(marks, '^') != NULL;
        page_t      first = 0;

        assert_int_equal(region_gap(&world.tree, pages, align, bounds, top, &first), wanted);
        if (wanted)
            assert_int_equal(first - WORLD_FIRST, strspn(marks, " "));
    }
}

static void gap_is_the_lowest_or_the_highest(void **state)
{
    (void)state;
    world_of("A..BB...C....DD.");
    expect_gap(1, 1, "----------------", " ^", "               ^");
    expect_gap(3, 1, "----------------", "     ^^^", "          ^^^");
    expect_gap(4, 1, "----------------", "         ^^^^", "         ^^^^");
    expect_gap(5, 1, "----------------", "", "");
}

static void gap_stays_within_its_bounds(void **state)
{
    (void)state;
    world_of("A..BB...C....DD.");
    expect_gap(2, 1, "      -----     ", "      ^^", "         ^^");
    expect_gap(3, 1, "      ----      ", "", "");
    expect_gap(1, 1, "   --           ", "", "");
    expect_gap(1, 1, "               -", "               ^", "               ^");
}

/* A gap may be wide enough and yet too narrow once its start is rounded up. */
static void gap_with_alignment_misses_none_that_fits(void **state)
{
    (void)state;
    world_of("A...B..C.......D..E");
    expect_gap(2, 2, "-------------------", "  ^^", "                ^^");
    expect_gap(2, 4, "-------------------", "        ^^", "                ^^");
    expect_gap(4, 8, "-------------------", "        ^^^^", "        ^^^^");
    expect_gap(8, 8, "-------------------", "", "");
    world_of("A..B..C..D..E..F....");
    expect_gap(2, 4, "--------------------", "    ^^", "                ^^");
    expect_gap(4, 4, "--------------------", "                ^^^^", "                ^^^^");
}

static void gap_at_the_edges_of_arithmetic(void **state)
{
    struct span all = { 0, (page_t)-1 };
    page_t      first;

    (void)state;
    world_of("A..B....");
    assert_true(region_gap(&world.tree, 4, 1, all, true, &first));
    assert_int_equal(first, WORLD_FIRST + 4);
    assert_false(region_gap(&world.tree, SIZE_MAX, 1, all, false, &first));
    assert_false(region_gap(&world.tree, 1, SIZE_MAX / 2 + 1, all, false, &first));
    assert_false(region_gap(&world.tree, 1, 1, (struct span){ 0, 0 }, true, &first));
    assert_false(region_gap(&world.tree, 1, 1, (struct span){ WORLD_FIRST + 2, WORLD_FIRST }, false, &first));
}

/* The model: look at every place, in the order asked for. */
static bool model_gap(const char *picture, size_t pages, size_t align, size_t from, size_t to, bool top,
                      size_t *first)
{
    for (size_t i = 0; i + pages <= to - from; i++) {
        size_t at = top ? to - pages - i : from + i;

        if ((WORLD_FIRST + at) % align == 0 && strspn(picture + at, ".") >= pages) {
            *first = at;
            return true;
        }
    }
    return false;
}

static void assert_gap_as_model(const char *picture, size_t pages, size_t align, size_t from, size_t to)
{
    for (int top = 0; top < 2; top++) {
        size_t expected = 0;
        page_t first = WORLD_FIRST;
        bool   there = model_gap(picture, pages, align, from, to, top, &expected);

        if (region_gap(&world.tree, pages, align, columns(from, to - from), top, &first) != there ||
            first - WORLD_FIRST != expected)
            fail_msg("%s: %zu pages at %zu in [%zu, %zu): expected %d at %zu, got %zu", picture, pages, align,
                     from, to, there, expected, (size_t)first - WORLD_FIRST);
    }
}

/* ---- Every tree there can be over a few pages ------------------------------------------------ */

enum { SMALL = 8, MOST_STATES = 1 << 14 };

static struct world *states;            /* each found once, in the order found                */
static char        (*keys)[3 * SMALL + 1];
static uint32_t     *shelf;             /* hash table of state numbers + 1, twice MOST_STATES */
static size_t        state_count;

/* Borders and shape in one text; which node object plays which part does not matter. */
static char *write_key(char *out, const struct region *node)
{
    if (node == NULL)
        return out;
    *out++ = (char)('0' + node->span.first - WORLD_FIRST);
    *out++ = (char)('0' + node->span.end - WORLD_FIRST);
    *out++ = (char)('0' + node->height);
    return write_key(write_key(out, node->child[0]), node->child[1]);
}

static void note_state(void)
{
    char     key[3 * SMALL + 1];
    uint32_t at = 2166136261u;

    assert_sound();
    *write_key(key, world.tree.root) = 0;
    for (const char *c = key; *c; c++)
        at = (at ^ (uint8_t)*c) * 16777619u;
    for (at %= 2 * MOST_STATES; shelf[at] != 0; at = (at + 1) % (2 * MOST_STATES))
        if (strcmp(keys[shelf[at] - 1], key) == 0)
            return;
    assert_true(state_count < MOST_STATES);
    states[state_count] = world;
    strcpy(keys[state_count++], key);
    shelf[at] = (uint32_t)state_count;
}

/* The free columns around [first, ...) that belong to nobody but `own`: as far as a border may move. */
static struct span elbow_room(const char *picture, char own, size_t first)
{
    char        mine[3] = { '.', own, 0 };
    struct span room = { first, first + strspn(picture + first, mine) };

    while (room.first > 0 && strchr(mine, picture[room.first - 1]))
        room.first--;
    return room;
}

static void try_insert(const struct world *before, const char *picture, char letter, size_t from, size_t to)
{
    world = *before;
    assert_int_equal(insert(letter, from, to - from), strspn(picture + from, ".") >= to - from ? 0 : -EEXIST);
    note_state();
}

static void try_resize(const struct world *before, const char *picture, char letter, size_t from, size_t to)
{
    struct span room = elbow_room(picture, letter, node_of(letter)->span.first - WORLD_FIRST);
    int         expected = from >= room.first && to <= room.end ? 0 : -EEXIST;

    world = *before;
    assert_int_equal(region_resize(&world.tree, node_of(letter), columns(from, to - from)), expected);
    note_state();
}

/* Everything that can be done to one tree. */
static void go_on_from(const struct world *before)
{
    char picture[WORLD_PAGES + 1], spare = 'A';

    world = *before;
    draw(picture);
    while (strchr(picture, spare))
        spare++;
    for (size_t from = 0; from < SMALL; from++)
        for (size_t to = from + 1; to <= SMALL; to++) {
            try_insert(before, picture, spare, from, to);
            for (char c = 'A'; c < 'A' + SMALL; c++) {
                world = *before;
                if (strchr(picture, c))
                    try_resize(before, picture, c, from, to);
            }
        }
    for (char c = 'A'; c < 'A' + SMALL; c++) {
        world = *before;
        if (strchr(picture, c)) {
            region_remove(&world.tree, node_of(c));
            note_state();
        }
    }
}

static void every_sequence_over_eight_pages(void **state)
{
    (void)state;
    states = malloc(sizeof *states * MOST_STATES);
    keys = malloc(sizeof *keys * MOST_STATES);
    shelf = calloc(2 * MOST_STATES, sizeof *shelf);
    state_count = 0;
    world_of_size(SMALL);
    note_state();
    for (size_t i = 0; i < state_count; i++)
        go_on_from(&states[i]);
    print_message("%zu trees are reachable over %d pages\n", state_count, SMALL);

    for (size_t i = 0; i < state_count; i++) {
        char picture[WORLD_PAGES + 1];

        world = states[i];
        draw(picture);
        for (size_t from = 0; from < SMALL; from++)
            for (size_t to = from + 1; to <= SMALL; to++)
                for (size_t pages = 1; pages <= SMALL; pages++)
                    for (size_t align = 1; align <= SMALL; align *= 2)
                        assert_gap_as_model(picture, pages, align, from, to);
    }
    free(states);
    free(keys);
    free(shelf);
}

/* ---- Thousands of regions, at random ---------------------------------------------------------- */

enum { MANY = 4096, BIG_PAGES = 1 << 15, STEPS = 30000 };

static struct region_tree big_tree;
static struct region      many[MANY];
static char               big_picture[BIG_PAGES + 1];
static uint64_t           seed = 0x9E3779B97F4A7C15u;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

static void paint(struct span span, char colour)
{
    memset(big_picture + span.first, colour, span_pages(span));
}

static void one_random_step(struct region *region)
{
    size_t      first = any(BIG_PAGES), pages = 1 + any(12);
    struct span span = span_of(first, first + pages > BIG_PAGES ? BIG_PAGES - first : pages);

    if (region->height == 0) {
        bool fits = strspn(big_picture + first, ".") >= span_pages(span);

        region->span = span;
        assert_int_equal(region_insert(&big_tree, region), fits ? 0 : -EEXIST);
        if (fits)
            paint(span, 'X');
    } else if (any(3) == 0) {
        struct span old = region->span, new = { old.first + any(3), old.end + any(5) };
        int         expected;

        paint(old, '.');
        new.end = new.end > BIG_PAGES ? BIG_PAGES : new.end;
        expected = strspn(big_picture + old.first, ".") >= new.end - old.first ? 0 : -EEXIST;
        if (span_empty(new))
            expected = -EINVAL;
        assert_int_equal(region_resize(&big_tree, region, new), expected);
        paint(region->span, 'X');
    } else {
        paint(region->span, '.');
        region_remove(&big_tree, region);
    }
}

static void one_random_question(void)
{
    size_t a = any(BIG_PAGES), b = any(BIG_PAGES);
    size_t pages = 1 + any(any(8) ? 24 : 300), align = (size_t)1 << any(7);
    size_t from = a < b ? a : b, to = (a < b ? b : a) + 1, expected = 0;

    for (int top = 0; top < 2; top++) {
        page_t first = 0;
        bool   there = false;

        for (size_t i = 0; i + pages <= to - from && !there; i++) {
            size_t at = top ? to - pages - i : from + i;

            there = at % align == 0 && big_picture[at] == '.' && strspn(big_picture + at, ".") >= pages;
            expected = there ? at : 0;
        }
        assert_int_equal(region_gap(&big_tree, pages, align, (struct span){ from, to }, top, &first), there);
        assert_int_equal(first, expected);
    }
}

static void thousands_at_random_agree_with_the_model(void **state)
{
    size_t most = 0;

    (void)state;
    memset(many, 0, sizeof many);
    memset(big_picture, '.', BIG_PAGES);
    region_tree_start(&big_tree, (struct span){ 0, BIG_PAGES });
    for (int i = 0; i < STEPS; i++) {
        one_random_step(&many[any(MANY)]);
        most = big_tree.count > most ? big_tree.count : most;
        if (i % 16 == 0)
            one_random_question();
        if (i % 64 == 0)
            assert_true(region_tree_ok(&big_tree));
    }
    assert_true(most > 1000);
    assert_true(big_tree.root->height < 18);
    for (int i = 0; i < MANY; i++)
        if (many[i].height > 0)
            region_remove(&big_tree, &many[i]);
    assert_null(big_tree.root);
    assert_int_equal(big_tree.count, 0);
}

/* In order and in reverse, where an unbalanced tree would be a list. */
static void regions_in_order_stay_balanced(void **state)
{
    (void)state;
    for (int reverse = 0; reverse < 2; reverse++) {
        memset(many, 0, sizeof many);
        region_tree_start(&big_tree, (struct span){ 0, BIG_PAGES });
        for (size_t i = 0; i < MANY; i++) {
            many[i].span = span_of((reverse ? MANY - 1 - i : i) * 8, 7);
            assert_int_equal(region_insert(&big_tree, &many[i]), 0);
        }
        assert_true(region_tree_ok(&big_tree));
        assert_true(big_tree.root->height <= 17);       /* 1.44 log2(4096) */
    }
}

/* ---- Each invariant broken on purpose ----------------------------------------------------------- */

static void expect_named(const char *id)
{
    struct audit_report report = { 0 };

    region_tree_audit(&world.tree, &report);
    assert_true(report.failed > 0);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        if (strcmp(report.failures[i].id, id) == 0)
            return;
    fail_msg("wanted %s, got %s: %s", id, report.failures[0].id, report.failures[0].text);
}

static void r1_regions_out_of_order_are_named(void **state)
{
    (void)state;
    world_of("A.B.C.D.E.F.");
    node_of('C')->span.end += 3;                                /* over D */
    expect_named("R1");
    world_of("A.B.C.D.E.F.");
    node_of('C')->span.end = node_of('C')->span.first;          /* empty */
    expect_named("R1");
    world_of("A.B.C.D.E.F.");
    node_of('F')->span.end += 5;                                /* outside */
    expect_named("R1");
}

static void r2_a_wrong_height_is_named(void **state)
{
    (void)state;
    world_of("A.B.C.D.E.F.");
    node_of('C')->height++;
    expect_named("R2");
    world_of("A.B.");
    node_of('C')->span = columns(3, 1);                         /* hung below B by hand: a list of three */
    *node_of('C') = (struct region){ .parent = node_of('B'), .span = columns(3, 1), .height = 1 };
    node_of('B')->child[1] = node_of('C');
    node_of('B')->height = 2;
    node_of('A')->height = 3;
    world.tree.count = 3;
    expect_named("R2");
}

static void r3_a_wrong_gap_is_named(void **state)
{
    (void)state;
    world_of("A.B.C.D.E.F.");
    node_of('E')->gap++;
    expect_named("R3");
    world_of("A.B.C.D.E.F.");
    world.tree.root->widest--;
    expect_named("R3");
}

static void r4_a_wrong_link_or_count_is_named(void **state)
{
    (void)state;
    world_of("A.B.C.D.E.F.");
    world.tree.count++;
    expect_named("R4");
    world.tree.count -= 2;
    expect_named("R4");
    world_of("A.B.C.D.E.F.");
    node_of('C')->parent = node_of('F');
    expect_named("R4");
    world_of("A.B.C.D.E.F.");
    node_of('A')->parent = node_of('B'), node_of('A')->child[0] = world.tree.root;      /* a cycle */
    expect_named("R4");
    world_of("A.B.C.D.E.F.");
    world.tree.root->parent = node_of('A');
    expect_named("R4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_tree_is_all_gap),
        cmocka_unit_test(insert_refuses_what_meets_another),
        cmocka_unit_test(insert_refuses_what_is_empty_or_outside),
        cmocka_unit_test(remove_gives_the_room_to_the_gap_above),
        cmocka_unit_test(resize_moves_either_border),
        cmocka_unit_test(resize_refuses_and_changes_nothing),
        cmocka_unit_test(find_answers_for_every_page),
        cmocka_unit_test(next_and_before_walk_in_order),
        cmocka_unit_test(gap_is_the_lowest_or_the_highest),
        cmocka_unit_test(gap_stays_within_its_bounds),
        cmocka_unit_test(gap_with_alignment_misses_none_that_fits),
        cmocka_unit_test(gap_at_the_edges_of_arithmetic),
        cmocka_unit_test(every_sequence_over_eight_pages),
        cmocka_unit_test(thousands_at_random_agree_with_the_model),
        cmocka_unit_test(regions_in_order_stay_balanced),
        cmocka_unit_test(r1_regions_out_of_order_are_named),
        cmocka_unit_test(r2_a_wrong_height_is_named),
        cmocka_unit_test(r3_a_wrong_gap_is_named),
        cmocka_unit_test(r4_a_wrong_link_or_count_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
