/*
 * support.h - support for pure tests of the frame pool, without a machine.
 *
 * The map, the pool and the frames run here on plain memory: blocks of exactly the asked size (so that
 * the address sanitizer sees one byte too far), and the frames' contents in one stretch of pages
 * that costs only what is touched. Included once by each test program: it shows frames and
 * answers audit_fail() itself, so that neither slots nor the rest of the auditor are linked.
 */
#ifndef QUIRE_TESTS_SUPPORT_H
#define QUIRE_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/print.h"
#include "cpu.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/slot.h"

/* cmocka's fail() and friends are macros; the kernel's functions have the same names. */
_Thread_local unsigned host_cpu;
_Thread_local unsigned long host_interrupts_off;
char *host_mirror;

/* ---- Contents of frames ----------------------------------------------------------------- */

static char    *test_contents;
static uint64_t test_contents_bytes;

/* No frame has a permanent address, so each is shown here. */
uint32_t direct_frames;

void *frame_view_in_slot(frame_t frame, enum slot slot)
{
    (void)slot;
    assert_true(test_contents != NULL && frame_address(frame) < test_contents_bytes);
    return test_contents + frame_address(frame);
}

static inline uint32_t *frame_words(frame_t frame) { return frame_view(frame, SLOT_INSPECT); }

/* ---- Audit reports ---------------------------------------------------------------------- */

void audit_fail(struct audit_report *report, const char *id, const char *format, ...)
{
    va_list list;

    if (report->failed < AUDIT_FAILURES) {
        struct audit_failure *failure = &report->failures[report->failed];

        failure->id = id;
        va_start(list, format);
        vsnprintf(failure->text, sizeof failure->text, format, list);
        va_end(list);
    }
    report->failed++;
}

static inline void report_show(const struct audit_report *report)
{
    for (uint32_t i = 0; i < report->failed && i < AUDIT_FAILURES; i++)
        fprintf(stderr, "%s: %s\n", report->failures[i].id, report->failures[i].text);
}

static inline bool report_names(const struct audit_report *report, const char *id)
{
    for (uint32_t i = 0; i < report->failed && i < AUDIT_FAILURES; i++)
        if (strcmp(report->failures[i].id, id) == 0)
            return true;
    report_show(report);
    return false;
}

/* ---- What the kernel prints ------------------------------------------------------------- */

static char   test_printed[1024];
static size_t test_printed_length;

static inline void test_sink(const char *text, size_t length)
{
    size_t room = sizeof test_printed - 1 - test_printed_length;

    length = length < room ? length : room;
    memcpy(test_printed + test_printed_length, text, length);
    test_printed_length += length;
    test_printed[test_printed_length] = '\0';
}

static inline const char *printed(void)
{
    return test_printed;
}

static inline void printed_forget(void)
{
    static bool listening;

    if (!listening)
        print_to(test_sink);
    listening = true;
    test_printed[test_printed_length = 0] = '\0';
}

/* ---- Random numbers that repeat --------------------------------------------------------- */

static uint64_t test_seed = 0x9E3779B97F4A7C15ull;

static inline uint64_t test_random64(void)
{
    test_seed ^= test_seed << 13;
    test_seed ^= test_seed >> 7;
    test_seed ^= test_seed << 17;
    return test_seed;
}

static inline uint32_t test_random(uint32_t limit)
{
    return (uint32_t)((test_random64() >> 32) * limit >> 32);
}

/* ---- A pool ----------------------------------------------------------------------------- */

static struct {
    void *bitmap, *summary;
    struct frame_record *records;
} test_blocks;

static inline void close_frames(void)
{
    free(test_blocks.bitmap);
    free(test_blocks.summary);
    free(test_blocks.records);
    if (test_contents != NULL)
        munmap(test_contents, test_contents_bytes);
    test_contents = NULL;
    memset(&test_blocks, 0, sizeof test_blocks);
}

/* Junk first: the pool must not trust what the blocks or the frames hold. */
static inline void *junk(size_t bytes)
{
    void *at = aligned_alloc(16, (bytes + 15) / 16 * 16);

    assert_non_null(at);
    memset(at, 0x5A, bytes);
    return at;
}

static inline void open_frames(const struct memmap *map, const struct layout_policy *policy, uint32_t low_end)
{
    uint32_t end = memmap_end(map);

    close_frames();
    test_contents_bytes = ((uint64_t)end + 1) << PAGE_SHIFT;
    test_contents = mmap(NULL, test_contents_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(test_contents != MAP_FAILED);
    test_blocks.bitmap = junk(frames_bitmap_bytes(policy, end));
    test_blocks.summary = junk(frames_summary_bytes(end));
    test_blocks.records = junk(frames_record_bytes(end));
    frames_open(map, policy, low_end, test_blocks.bitmap, test_blocks.summary, test_blocks.records);
    printed_forget();
}

/* One run of RAM from frame 0, nothing of it low unless said. */
static inline void open_frames_flat(const struct layout_policy *policy, uint32_t count)
{
    struct memmap map;

    memmap_start(&map, UINT32_MAX - 1);
    memmap_add(&map, 0, (uint64_t)count << PAGE_SHIFT, true);
    open_frames(&map, policy, count);
}

static inline void check_frames(void)
{
    struct audit_report report = { 0 };

    frames_audit(&report);
    report_show(&report);
    assert_int_equal(report.failed, 0);
    assert_false(host_interrupts_off);
}

#endif
