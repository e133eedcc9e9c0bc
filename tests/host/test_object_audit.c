/*
 * test_object_audit.c - what the auditor says of pages that a pager brings just now: nothing, while each of them is
 * away, has no frame, and is in one filling of a sound size.
 */
#include "map_world.h"

#include "memory/spaces/object.h"
#include "memory/spaces/object_parts.h"

enum { PAGES = 100 };

static struct object *object;
static void         (*meanwhile)(struct filling *filling);

static long fill(struct object *from, uint64_t page, const frame_t *frames, size_t count)
{
    (void)page;
    (void)frames;
    if (count == FILL_MOST)
        meanwhile(from->fillings);
    return (long)count;
}

static const struct object_operations operations = { .fill = fill };

/* Complaints of objects alone: one for each page that is wrong. */
static unsigned complaints(void)
{
    struct audit_report report = { 0 };

    objects_audit(&report);
    for (unsigned i = 0; i < report.failed && i < COUNT_OF(report.failures); i++) {
        assert_string_equal(report.failures[i].id, "O4");
        assert_non_null(strstr(report.failures[i].text, "is being filled, and should not be"));
    }
    return report.failed;
}

static void break_a_filling(struct filling *filling)
{
    struct filling  other = { .page = filling->page + 3, .count = 2, .slot = NO_SLOT, .references = 1 };
    struct filling *next  = filling->next;
    uint64_t        pages = object->pages, paged = object->paged;

    assert_int_equal(filling->count, FILL_MOST);
    assert_int_equal(complaints(), 0);          /* as large as a filling may be */
    filling->count = FILL_MOST + 1;
    assert_int_equal(complaints(), FILL_MOST + 1);
    filling->count = FILL_MOST;
    filling->references = 0;
    assert_int_equal(complaints(), FILL_MOST);
    filling->references = 1;
    filling->next = &other;                     /* two of its pages come a second time */
    assert_int_equal(complaints(), 2);
    other.cut = true;
    assert_int_equal(complaints(), 0);          /* what is cut off may be anything */
    other.references = 0;
    assert_int_equal(complaints(), 2);          /* but freed */
    filling->next = next;
    filling->page -= 1;                         /* the page before it is there */
    assert_int_equal(complaints(), 1);
    filling->page += 1;
    object->paged = filling->page + FILL_MOST - 1;
    assert_int_equal(complaints(), 1);          /* behind what the pager has */
    object->paged = paged;
    assert_int_equal(object->pages, pages);
    assert_int_equal(complaints(), 0);
}

static void each_part_of_a_filling_is_checked(void)
{
    object = object_create_paged(OWNER_FILE, PAGES, &operations, NULL);
    assert_non_null(object);
    meanwhile = break_a_filling;
    for (uint64_t page = 0; page < 2 + 4 + 8; page = object->expected)
        assert_int_equal(object_bring_in(object, page), 0);
    assert_int_equal(object_bring_in(object, object->expected), 0);
    assert_int_equal(object->resident, 2 + 4 + 8 + FILL_MOST);
    assert_clean();
    object_release(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = { on_machine(each_part_of_a_filling_is_checked) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
