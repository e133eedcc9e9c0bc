/*
 * test_region.c - the region tree in pictures: what is inserted, moved and found, gaps, and each invariant broken.
 */
#include "region_world.h"

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
        cmocka_unit_test(r1_regions_out_of_order_are_named),
        cmocka_unit_test(r2_a_wrong_height_is_named),
        cmocka_unit_test(r3_a_wrong_gap_is_named),
        cmocka_unit_test(r4_a_wrong_link_or_count_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
