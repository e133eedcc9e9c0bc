/*
 * proc_quire.c - /proc/quire: owners of memory, the layout, the auditor's report, a snapshot, and others.
 */
#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "base/symbol.h"
#include "files/proc/proc_node.h"
#include "files/proc/reports.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/layout.h"
#include "process/process.h"
#include "process/torture.h"

static const struct machine_reports *reports;

void proc_set_reports(const struct machine_reports *of_machine)
{
    assert(reports == NULL && of_machine != NULL);
    reports = of_machine;
}

static int write_frame_sums(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct frame_sums sums;

    frames_sums(&sums);
    for (unsigned owner = 0; owner < OWNER_COUNT; owner++)
        if (owner != OWNER_ABSENT)
            text_add(text, "%-8s %8u frames %10llu KiB  %s\n", owner_names[owner], (unsigned)sums.owned[owner],
                     (unsigned long long)sums.owned[owner] * (PAGE_SIZE / 1024), owner_texts[owner]);
    text_add(text, "%-8s %8u frames %10llu KiB\n", "all", (unsigned)sums.ram,
             (unsigned long long)sums.ram * (PAGE_SIZE / 1024));
    return 0;
}

/* The sums of the kernel's heap by blocks: frames say less, since a page with one block in it stays. */
static int write_heap(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct heap_sums sums;

    heap_sums(&sums);
    text_add(text, "blocks   %8u\nbig      %8u\nbytes    %8llu\n", sums.live_blocks, sums.big_blocks,
             (unsigned long long)sums.live_bytes);
    return 0;
}

/* The heap's blocks by the function that took them: to be compared when blocks do not come back. */
static int write_takers(struct text *text, struct proc_node *node __attribute__((unused)))
{
    enum { ROWS = 256 };
    struct heap_taker *rows = heap_alloc(ROWS * sizeof *rows, 0);
    unsigned           count = rows != NULL ? heap_takers(rows, ROWS) : 0;

    for (unsigned i = 0; i < count; i++) {
        uint32_t    offset = 0;
        const char *name = rows[i].taker != 0 ? symbol_of(rows[i].taker, &offset) : NULL;

        text_add(text, "%8u blocks %8llu bytes, slots for %4u, by %s+0x%x\n", rows[i].blocks,
                 (unsigned long long)rows[i].bytes, rows[i].slot_room, name != NULL ? name : "nobody known", offset);
    }
    heap_free(rows);
    return rows != NULL ? 0 : -ENOMEM;
}

static void add_rights(struct text *text, struct rights rights)
{
    const uint8_t both[2] = { rights.kernel, rights.user };

    for (unsigned i = 0; i < 2; i++)
        text_add(text, "%c%c%c ", both[i] & MAY_READ ? 'r' : '-', both[i] & MAY_WRITE ? 'w' : '-',
                 both[i] & MAY_EXECUTE ? 'x' : '-');
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
    if (reports == NULL || !reports->audit(report))
        text_add(text, "not audited: this kernel has no auditor (quire run --audit boots one that has)\n");
    else if (report->failed == 0)
        text_add(text, "clean: %u checks\n", (unsigned)report->checked);
    else
        text_add(text, "%u failures in %u checks\n", (unsigned)report->failed, (unsigned)report->checked);
    for (uint32_t i = 0; i < report->failed && i < AUDIT_FAILURES; i++)
        text_add(text, "%s: %s\n", report->failures[i].id, report->failures[i].text);
    heap_free_sized(report, sizeof *report);
    return 0;
}

/*
 * Reading `map` gives the snapshot to the reader. Its lines are counted, room is made, and then they are written;
 * making room may have changed what there is to write, by a line or two. A snapshot that is larger than a program may
 * make the kernel hold is cut, and says so.
 */
enum { MAP_MOST = 1024 * 1024, MAP_SPARE = 1024 };

struct map_sink { struct snapshot_sink sink; struct text *text; };

static void put_map_line(struct snapshot_sink *sink, const char *line, size_t length)
{
    text_add_bytes(CONTAINER_OF(sink, struct map_sink, sink)->text, line, length);
}

static void say_moment(char *moment, size_t size, const char *what)
{
    format_text(moment, size, "%s, process %d, %s", current_process()->name, current_process()->id, what);
}

static int write_map(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct map_sink count = { .sink = { .room = SIZE_MAX } }, to = { .sink = { .put = put_map_line }, .text = text };
    char            moment[64];

    if (reports == NULL)
        return 0;
    say_moment(moment, sizeof moment, "looks");
    reports->snapshot_write(&count.sink, moment);
    to.sink.room = count.sink.bytes + MAP_SPARE < MAP_MOST ? count.sink.bytes + MAP_SPARE : MAP_MOST;
    if (!text_reserve(text, to.sink.room))
        return -ENOMEM;
    reports->snapshot_write(&to.sink, moment);
    return 0;
}

/* Writing anything to `map` sends the snapshot that the host has ordered; without an order nothing happens. */
static int ask_map(struct proc_node *node __attribute__((unused)), const char *bytes __attribute__((unused)))
{
    char moment[64];

    say_moment(moment, sizeof moment, "asks");
    if (reports != NULL)
        (void)reports->snapshot_send(moment);
    return 0;
}

/*
 * The longest time that interrupts were off, in ticks (instructions, under QEMU's instruction clock), and the callers.
 * Writing anything begins anew.
 */
static int write_stretch(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct stretch longest;
    char           callers[160];

    if (!stretch_longest(&longest)) {
        text_add(text, "not measured: this kernel is not a checked one\n");
        return 0;
    }
    symbols_in_words(longest.callers, STRETCH_CALLERS, callers, sizeof callers);
    text_add(text, "%llu %s\n", (unsigned long long)longest.ticks, callers);
    return 0;
}

static int forget_stretch(struct proc_node *node __attribute__((unused)), const char *bytes __attribute__((unused)))
{
    stretch_forget();
    return 0;
}

static int write_nothing(struct text *text __attribute__((unused)), struct proc_node *node __attribute__((unused)))
{
    return 0;
}

static int ask_crash(struct proc_node *node __attribute__((unused)), const char *bytes)
{
    char way[16];

    text_copy(way, bytes, sizeof way);
    for (char *at = way; *at != '\0'; at++)
        if (*at == '\n')
            *at = '\0';
    return reports != NULL ? reports->crash(way) : -EPERM;
}

#if IS_CHECKED

static int write_torture(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct torture_done done = torture_done();

    text_add(text, "hit %u\nfailed %u\nevicted %u\ncold %u\nmoved %u\ndropped %u\nswitched %u\n", done.hit,
             (unsigned)done.failed, (unsigned)done.evicted, (unsigned)done.cold, (unsigned)done.moved,
             (unsigned)done.dropped, (unsigned)done.switched);
    return 0;
}

static int order_torture(struct proc_node *node __attribute__((unused)), const char *bytes)
{
    return torture_order(bytes);
}

#endif

const struct proc_entry proc_quire_entries[] = {
    { .name = "frames", .mode = S_REGULAR | 0444, .text = write_frame_sums },
    { .name = "heap",   .mode = S_REGULAR | 0444, .text = write_heap },
    { .name = "takers", .mode = S_REGULAR | 0400, .text = write_takers },
    { .name = "layout", .mode = S_REGULAR | 0444, .text = write_layout },
    { .name = "audit",  .mode = S_REGULAR | 0400, .text = write_audit },
    { .name = "map",    .mode = S_REGULAR | 0600, .text = write_map, .store = ask_map },
    { .name = "stretch", .mode = S_REGULAR | 0600, .text = write_stretch, .store = forget_stretch },
    { .name = "crash", .mode = S_REGULAR | 0600, .text = write_nothing, .store = ask_crash },
#if IS_CHECKED
    { .name = "torture", .mode = S_REGULAR | 0600, .text = write_torture, .store = order_torture },
#endif
    { .name = NULL },
};
