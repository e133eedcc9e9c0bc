/*
 * proc_quire.c - /proc/quire: who owns memory, what the document says, and the auditor's word.
 */
#include "base/error.h"
#include "files/proc_node.h"
#include "memory/audit.h"
#include "memory/frame.h"
#include "memory/heap.h"
#include "memory/layout.h"

static int write_frames(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct frame_sums sums;

    frames_sums(&sums);
    for (unsigned owner = 0; owner < OWNER_COUNT; owner++)
        if (owner != OWNER_ABSENT)
            text_add(text, "%-8s %8u frames %10llu KiB  %s\n", owner_names[owner], (unsigned)sums.owned[owner],
                     (unsigned long long)sums.owned[owner] * (PAGE_SIZE / 1024), owner_texts[owner]);
    text_add(text, "%-8s %8u frames %10llu KiB\n", "all", (unsigned)sums.ram, (unsigned long long)sums.ram * (PAGE_SIZE / 1024));
    return 0;
}

static void add_rights(struct text *text, struct rights rights)
{
    const uint8_t both[2] = { rights.kernel, rights.user };

    for (unsigned i = 0; i < 2; i++)
        text_add(text, "%c%c%c ", both[i] & MAY_READ ? 'r' : '-', both[i] & MAY_WRITE ? 'w' : '-', both[i] & MAY_EXECUTE ? 'x' : '-');
}

static int write_layout(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "%s\n", layout.name);
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *region = &layout.regions[i];

        if (span_empty(region->span))
            continue;
        text_add(text, "%08lx-%08lx ", (unsigned long)page_address(region->span.first),
                 (unsigned long)page_address(region->span.end - 1) | (PAGE_SIZE - 1));
        add_rights(text, region->rights);
        text_add(text, "%s\n", region->name);
    }
    return 0;
}

/* Reading it runs a full pass of the auditor: everything else stands still meanwhile. */
static int write_audit(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct audit_report *report = heap_alloc(sizeof *report, HEAP_ZERO);

    if (report == NULL)
        return -ENOMEM;
    if (audit_full(report))
        text_add(text, "clean: %u checks\n", (unsigned)report->checked);
    else
        text_add(text, "%u failures in %u checks\n", (unsigned)report->failed, (unsigned)report->checked);
    for (uint32_t i = 0; i < report->failed && i < AUDIT_FAILURES; i++)
        text_add(text, "%s: %s\n", report->failures[i].id, report->failures[i].text);
    heap_free_sized(report, sizeof *report);
    return 0;
}

const struct proc_entry proc_quire_entries[] = {
    { .name = "frames", .mode = S_REGULAR | 0444, .text = write_frames },
    { .name = "layout", .mode = S_REGULAR | 0444, .text = write_layout },
    { .name = "audit",  .mode = S_REGULAR | 0400, .text = write_audit },
    { .name = NULL },
};
