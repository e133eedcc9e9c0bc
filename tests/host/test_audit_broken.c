/*
 * test_audit_broken.c - the auditor's parts for spaces, objects and swap slots: one field wrong each, and it is named.
 */
#include "map_world.h"

#include "base/range.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/swap_parts.h"
#include "memory/spaces/object.h"
#include "memory/spaces/object_parts.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"

enum { PAGE_OUT = 21 };

static struct object *object;
static vaddr_t        out;

/* The audit fails with the invariant, and with such words in one of its texts. */
static void assert_named(const char *id, const char *words, int line)
{
    struct audit_report report;

    audit_full(&report);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        if (strcmp(report.failures[i].id, id) == 0 && strstr(report.failures[i].text, words) != NULL)
            return;
    fail_msg("line %d: %u failures, none of %s with \"%s\"; the first: %s: %s", line, report.failed, id, words,
             report.failed > 0 ? report.failures[0].id : "-", report.failed > 0 ? report.failures[0].text : "-");
}

/* While `field` is `wrong`; then as it was. */
#define NAMES(field, wrong, id, words)          \
    do {                                        \
        __typeof__(field) right_ = (field);     \
                                                \
        assert_clean();                         \
        (field) = (wrong);                      \
        assert_named(id, words, __LINE__);      \
        (field) = right_;                       \
        assert_clean();                         \
    } while (0)

static void fill(size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
}

/* ---- Counts of a space -------------------------------------------------------------------------------- */

static void each_count_of_a_space_is_checked(void)
{
    paint("wwww..rr");
    fill(0, 4);
    assert_int_equal(map_advise(&program, column(1), PAGE_SIZE, PAGE_OUT), 0);
    assert_int_equal(map_lock(&program, column(6), PAGE_SIZE, true), 0);
    NAMES(program.resident, 4, "S4", "4 resident pages counted, 3 walked");
    NAMES(program.resident, 2, "S4", "2 resident pages counted, 3 walked");
    NAMES(program.swapped, 0, "S4", "0 pages that are out counted, 1 walked");
    NAMES(program.swapped, 2, "S4", "2 pages that are out counted, 1 walked");
    NAMES(program.locked, 0, "S4", "0 locked pages counted, regions have 1");
    NAMES(program.table_frames, program.table_frames + 1, "S4", "table frames counted");
}

static void each_right_of_an_entry_is_checked(void)
{
    struct region *region;

    paint("ww..rr");
    fill(0, 2);
    region = region_find(&program.map, page_of(column(0)));
    NAMES(region->rights, map_rights(R), "S3", "page 0x20000000 allows");
    NAMES(region->rights, map_rights(0), "S3", "page 0x20001000 allows");
    NAMES(region->span.end, region->span.end - 1, "S3", "0x20001000");
}

/* ---- Objects ------------------------------------------------------------------------------------------- */

static void map_object(size_t first, uint32_t flags, uint8_t rights)
{
    struct map_request wanted = request(column(first), 3, rights, MAP_IS_FIXED | flags);

    wanted.object = object;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

static void each_part_of_an_object_is_checked(void)
{
    struct region *first, *second;
    uintptr_t     *leaf;
    frame_t        mine;

    object = object_create(OWNER_FILE, 200);
    assert_non_null(object);
    map_object(0, MAP_IS_SHARED, R | W);
    map_object(8, 0, R);
    fill(0, 3);
    first  = region_find(&program.map, page_of(column(0)));
    second = region_find(&program.map, page_of(column(8)));
    leaf   = object_leaf(object, 1);
    assert_non_null(leaf);
    NAMES(object->resident, 2, "O2", "an object counts 2 resident pages and has 3");
    NAMES(object->out, 1, "O2", "an object counts 1 pages that are out and has 0");
    NAMES(*leaf, LEAF_OUT | 7, "O1", "page 1 of an object of 200 pages has swap slot 7");
    NAMES(*leaf, LEAF_OUT | 7, "O2", "an object counts 0 pages that are out and has 1");
    NAMES(object->index->used, object->index->used + 1, "O1", "children and has");
    NAMES(object->pages, 2, "O1", "page 2 of an object of 2 pages");
    NAMES(object->owner, OWNER_SHARED, "O1", "has a frame of owner file");
    NAMES(object->writers, 0, "O3", "an object counts 0 mappings that may write and has 1");
    NAMES(object->writers, 2, "O3", "an object counts 2 mappings that may write and has 1");
    NAMES(object->mappings, object->mappings->next_mapping, "O3", "maps an object that does not list it");
    NAMES(first->object, NULL, "O3", "that does not map it");
    NAMES(second->object, NULL, "O3", "that does not map it");
    assert_int_equal(frame_get(OWNER_TEST, 0, &mine), 0);
    NAMES(*leaf, (uintptr_t)mine.no + 1, "O1", "page 1 of an object of 200 pages has a frame of owner test");
    frame_put(mine);
    assert_int_equal(unmap(0, 20), 0);
    object_release(object);
}

/* ---- Swap slots ------------------------------------------------------------------------------------------ */

static void each_part_of_a_swap_slot_is_checked(void)
{
    struct swap_slot *slot;
    struct parts     *parts;
    uint32_t          place;

    paint("wwwwww");
    fill(0, 6);
    assert_int_equal(map_advise(&program, column(0), 6 * PAGE_SIZE, PAGE_OUT), 0);
    assert_int_equal(swap.packed.used, 6);
    NAMES(swap.packed.used, 5, "G2", "5 swap slots and");
    NAMES(swap.frames, swap.frames + 1, "G2", "6 swap slots and");
    NAMES(swap.packed.first_free, NO_SLOT, "G1", "are in use, and 0 are listed as free");
    NAMES(swap.packed.first_free, 0, "G1", "swap slot 0 is listed as free and is not");
    NAMES(swap.packed.first_free, swap.packed.tables * SLOTS_A_FRAME, "G1", "is listed as free and is not");
    slot  = swap_slot_at(2);
    place = slot->place;
    NAMES(slot->references, slot->references + 1, "X5", "");
    slot = swap_slot_at(2);
    NAMES(slot->place, (uint32_t)frames_end() * SWAP_PARTS, "G1", "swap slot 2 has no part of a frame");
    slot = swap_slot_at(2);
    NAMES(slot->place, place + SWAP_PARTS * 4000, "G1", "swap slot 2 has no part of a frame");
    slot = swap_slot_at(2);
    NAMES(slot->place, round_down(place, SWAP_PARTS) + SWAP_PARTS - 1, "G1", "swap slot 2 has no part of a frame");
    parts = frame_view(swap_place_frame(place), SLOT_TO);
    NAMES(parts->used, parts->used & ~(1u << swap_place_part(place)), "G1", "has no part of a frame");
    NAMES(parts->count, 1, "G1", "has no part of a frame");
    NAMES(parts->count, SWAP_PARTS + 1, "G1", "has no part of a frame");
    assert_int_equal(unmap(0, 6), 0);
}

/* A slot that a page of an object names. */
static void each_reference_of_a_page_that_is_out_is_checked(void)
{
    uintptr_t *leaf;

    object = object_create(OWNER_FILE, 200);
    assert_non_null(object);
    map_object(0, MAP_IS_SHARED, R | W);
    fill(0, 3);
    assert_int_equal(map_advise(&program, column(0), 2 * PAGE_SIZE, PAGE_OUT), 0);
    assert_int_equal(object->out, 2);
    leaf = object_leaf(object, 1);
    assert_true(leaf_is_out(*leaf));
    NAMES(*leaf, object_leaf(object, 0)[0], "X5", "entries hold 2 references to swap slots");
    NAMES(*leaf, 0, "X5", "entries hold 1 references to swap slots, the slots count 2");
    NAMES(*leaf, LEAF_OUT | 99, "O1", "page 1 of an object of 200 pages has swap slot 99");
    NAMES(object->out, 1, "O2", "an object counts 1 pages that are out and has 2");
    NAMES(object->pages, 1, "O1", "page 1 of an object of 1 pages has swap slot");
    assert_int_equal(unmap(0, 20), 0);
    object_release(object);
    assert_int_equal(swap.packed.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(each_count_of_a_space_is_checked),
        on_machine(each_right_of_an_entry_is_checked),
        on_machine(each_part_of_an_object_is_checked),
        on_machine(each_part_of_a_swap_slot_is_checked),
        on_machine(each_reference_of_a_page_that_is_out_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
