/*
 * test_audit_steps.c - the audit in slices comes to every frame, and round again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "clean.h"
#include "cpu.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/frames/frame_magazine.h"

enum { RAM = 24 << 20, STEPS = 4000 };

static void boot(void)
{
    const char *wrong = machine_boot(RAM);

    if (wrong != NULL)
        fail_msg("%s", wrong);
    assert_clean();
}

/* True when some step of a round fails, with such words; the steps before it have not. */
static bool is_found(const char *id, const char *words)
{
    struct audit_report report;

    for (unsigned step = 0; step < STEPS; step++)
        if (!audit_step(&report)) {
            assert_string_equal(report.failures[0].id, id);
            if (strstr(report.failures[0].text, words) == NULL)
                fail_msg("\"%s\" is not in \"%s\"", words, report.failures[0].text);
            return true;
        }
    return false;
}

/* One in each area of frames: a frame that somebody has has no references. */
static void steps_come_to_frames_of_every_area(void **state)
{
    static frame_t held[RAM / PAGE_SIZE];
    size_t         count = 0;
    unsigned       areas = 0;

    (void)state;
    boot();
    while (frame_get(OWNER_TEST, 0, &held[count]) == 0)
        count++;
    for (size_t n = 0; n < count; n++)
        if (held[n].no % 512 == 300) {
            struct frame_record *record = &frames.records[held[n].no];
            uint32_t             was = record->state;
            char                 words[32];

            snprintf(words, sizeof words, "0x%x", held[n].no);
            record->state = state_of(0, OWNER_TEST);
            assert_true(is_found("F1", words));
            record->state = was;
            assert_false(is_found("", ""));
            areas++;
        }
    assert_true(areas > 0);                             /* as far as the document hands them out */
    while (count > 0)
        frame_put(held[--count]);
    assert_clean();
    machine_stop();
}

/* A count that is wrong is found in each round again. */
static void steps_go_round_and_round(void **state)
{
    frame_t frame;

    (void)state;
    boot();
    assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
    for (unsigned round = 0; round < 3; round++) {
        uint32_t was = frames.records[frame.no].state;

        frames.records[frame.no].state = state_of(0, OWNER_TEST);
        assert_true(is_found("F1", ""));
        frames.records[frame.no].state = was;
        assert_false(is_found("", ""));
    }
    frame_put(frame);
    machine_stop();
}

static unsigned steps_until_it_fails(void)
{
    struct audit_report report;
    unsigned            steps = 1;

    while (audit_step(&report)) {
        steps++;
        assert_true(steps < STEPS);
    }
    return steps;
}

/* An audit beside other work holds nobody up: of kernel space's tables a step looks at one, of frames at an area. */
static void a_round_has_a_step_for_each_table_and_each_area(void **state)
{
    uint32_t tables = layout.space_end / (uint32_t)mmu_reach(MMU_LEVELS), areas = (RAM / PAGE_SIZE) / 512, was;
    frame_t  frame;

    (void)state;
    boot();
    assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
    was = frames.records[frame.no].state;
    frames.records[frame.no].state = state_of(0, OWNER_TEST);
    steps_until_it_fails();
    assert_true(steps_until_it_fails() > tables + areas);
    frames.records[frame.no].state = was;
    frame_put(frame);
    assert_clean();
    machine_stop();
}

/* What an audit says that it has looked at is no smaller than all records, and the memory map beside each. */
static void looks_across_all_parts_are_counted(void **state)
{
    struct audit_report report = { 0 };

    (void)state;
    boot();
    audit_cross(&report);
    assert_int_equal(report.failed, 0);
    assert_true(report.checked > 2 * (uint64_t)frames_end());
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_come_to_frames_of_every_area),
        cmocka_unit_test(steps_go_round_and_round),
        cmocka_unit_test(a_round_has_a_step_for_each_table_and_each_area),
        cmocka_unit_test(looks_across_all_parts_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
