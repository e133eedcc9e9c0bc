/*
 * snapshot.c - the state of all memory at one moment, in lines of text. See snapshot.h.
 */
#include "init/snapshot.h"

#include "base/check.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "devices/channel_link.h"
#include "files/path/path.h"
#include "memory/frames/frame.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/space.h"
#include "memory/start.h"
#include "memory/tables/run.h"
#include "process/family.h"
#include "process/tour.h"

enum { FORM = 1, LINE_LONGEST = 512, WHERE_LONGEST = 384, LAST_LINE = 24, PIECE = 2048 };

/* ---- Lines --------------------------------------------------------------------------------- */

struct writer {
    struct snapshot_sink *sink;
    size_t                used;         /* bytes written                         */
    uint32_t              lines, cut;   /* written; left out for lack of room    */
};

static void put_line(struct writer *w, const char *line, size_t length)
{
    if (w->sink->put != NULL)
        w->sink->put(w->sink, line, length);
    w->used += length;
    w->lines++;
}

/* After the first line that has no room no line is written: only the end is missing. */
static void write_text(struct writer *w, const char *format, ...) PRINTF_LIKE(2, 3);
static void write_text(struct writer *w, const char *format, ...)
{
    static char line[LINE_LONGEST];     /* one snapshot at a time, and a kernel stack is small */
    va_list     list;
    size_t      length;

    va_start(list, format);
    length = (size_t)format_list(line, sizeof line - 1, format, list);
    va_end(list);
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    for (size_t i = 0; i < length; i++)
        if (line[i] < ' ' || line[i] > '~')
            line[i] = '?';              /* a file's name may hold any byte */
    line[length++] = '\n';
    w->sink->bytes += length;
    if (w->cut > 0 || w->used + length + LAST_LINE > w->sink->room)
        w->cut++;
    else
        put_line(w, line, length);
}

static void write_last_line(struct writer *w)
{
    char line[LAST_LINE];
    int  length = format_text(line, sizeof line, w->cut > 0 ? "cut %u\n" : "end %u\n", w->cut > 0 ? w->cut : w->lines);

    w->sink->bytes += (size_t)length;
    if (w->used + (size_t)length <= w->sink->room)
        put_line(w, line, (size_t)length);
}

struct letters snapshot_letters(unsigned rights)
{
    return (struct letters){ { rights & MAY_READ ? 'r' : '-', rights & MAY_WRITE ? 'w' : '-',
                               rights & MAY_EXECUTE ? 'x' : '-', '\0' } };
}

/* ---- Physical memory ------------------------------------------------------------------------- */

static void write_sums(struct writer *w)
{
    struct frame_sums sums;

    frames_sums(&sums);
    write_text(w, "ram %u", (unsigned)sums.ram);
    for (unsigned owner = 0; owner < OWNER_COUNT; owner++)
        if (owner != OWNER_ABSENT && sums.owned[owner] != 0)
            write_text(w, "owned %s %u %s", owner_names[owner], (unsigned)sums.owned[owner], owner_texts[owner]);
}

static void write_rows(struct writer *w)
{
    static const char *const uses[] = {
        [PHYSICAL_KERNEL] = "kernel", [PHYSICAL_HARDWARE] = "hardware", [PHYSICAL_BOOT] = "boot",
        [PHYSICAL_IMAGE] = "image", [PHYSICAL_BITMAP] = "bitmap", [PHYSICAL_POOL] = "pool",
        [PHYSICAL_MASTER] = "master",
    };
    const struct { const char *name; paddr_t at; } structures[] = {
        { "tss", layout.tss }, { "gdt", layout.gdt }, { "idt", layout.idt },
    };

    for (uint32_t i = 0; i < layout.physical_count; i++) {
        const struct layout_physical *row = &layout.physical[i];

        if (row->first < row->end)
            write_text(w, "row %llx %llx %s %s", (unsigned long long)row->first << PAGE_SHIFT,
                ((unsigned long long)row->end << PAGE_SHIFT) - 1, uses[row->use], row->name);
    }
    for (size_t i = 0; i < COUNT_OF(structures); i++)
        if (structures[i].at != 0)
            write_text(w, "structure %s %llx", structures[i].name, (unsigned long long)structures[i].at);
}

static void write_firmware(struct writer *w)
{
    const struct memmap *map = memory_map();

    for (uint32_t i = 0; i < map->count; i++)
        write_text(w, "firmware %llx %u %s", (unsigned long long)frame_address(map->ranges[i].first),
            map->ranges[i].end.no - map->ranges[i].first.no, map->ranges[i].ram ? "ram" : "reserved");
}

static void write_frames(struct writer *w)
{
    for (uint32_t first = 0, end; first < frames_end(); first = end) {
        enum owner owner = frame_owner((frame_t){ first });

        end = first + 1;
        while (end < frames_end() && frame_owner((frame_t){ end }) == owner)
            end++;
        write_text(w, "frames %llx %u %s", (unsigned long long)first << PAGE_SHIFT, end - first, owner_names[owner]);
    }
}

/* ---- Virtual memory -------------------------------------------------------------------------- */

/* Rows behind the common ones belong to kernel space only, also those without memory, which have no scope. */
static const char *scope_word(uint32_t row)
{
    return row >= layout.common_count ? "kernel" : layout.regions[row].scope == SCOPE_PROCESS ? "process" : "all";
}

static const char *backing_word(enum backing backing)
{
    static const char *const words[] = {
        [BACKING_NONE] = "none", [BACKING_FIXED] = "physical", [BACKING_IMAGE] = "image", [BACKING_DEMAND] = "demand",
        [BACKING_DEVICE] = "device", [BACKING_TABLES] = "tables", [BACKING_SLOTS] = "slots", [BACKING_ALIAS] = "alias:",
        [BACKING_USER] = "program", [BACKING_WINDOW] = "window", [BACKING_OBJECTS] = "objects",
    };

    return words[backing];
}

static void write_document(struct writer *w)
{
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *row   = &layout.regions[i];
        bool                        alias = row->backing == BACKING_ALIAS;

        if (!span_empty(row->span))
            write_text(w, "region %lx %lu %s %s %s%s %s %lu %lu %s", (unsigned long)page_address(row->span.first),
                (unsigned long)span_pages(row->span), snapshot_letters(row->rights.kernel).text,
                snapshot_letters(row->rights.user).text,
                backing_word(row->backing), alias ? layout_region_of(row->alias)->name : "",
                scope_word(i), (unsigned long)row->unit, (unsigned long)row->guard, row->name);
    }
}

static const char *kind_word(enum entry_kind kind)
{
    switch (kind) {
    case ENTRY_SWAP:     return "swap";
    case ENTRY_GUARD:    return "guard";
    case ENTRY_TRANSIT:  return "transit";
    case ENTRY_IDENTITY: return "identity";
    case ENTRY_BLOCKED:  return "blocked";
    default:             return "present";
    }
}

static void write_run(struct writer *w, const struct page_run *run, const char *name)
{
    static const char *const caches[] = {
        [CACHE_BACK] = "back", [CACHE_THROUGH] = "through", [CACHE_COMBINE] = "combine", [CACHE_OFF] = "off",
    };
    char frame[16] = "-";

    if (run->in_a_row)
        format_text(frame, sizeof frame, "%llx", (unsigned long long)frame_address(run->frame));
    write_text(w, "run %lx %lu %s %s %s %s %s %lu %s %s", (unsigned long)page_address(run->span.first),
        (unsigned long)span_pages(run->span), kind_word(run->kind), snapshot_letters(run->rights.kernel).text,
        snapshot_letters(run->rights.user).text, caches[run->cache],
        run->owner < OWNER_COUNT ? owner_names[run->owner] : "several", (unsigned long)run->shared, frame, name);
}

static void write_runs(struct writer *w, struct space *space, struct span span, unsigned flags)
{
    struct page_run run;
    page_t          end = span.end;

    while (page_run_below(space, span.first, &end, flags, &run))
        write_run(w, &run, run.region != NULL && run.region->name != NULL ? run.region->name : "-");
}

/*
 * Write runs row by row, so that no run crosses a border of the document. An alias has no entries of its own. In the
 * part of programs kernel space may have rows of its own, which come after all others.
 */
static void write_kernel_space(struct writer *w)
{
    write_text(w, "space %u", (unsigned)kernel_space.table_frames);
    for (uint32_t i = layout.region_count; i-- > 0; ) {
        const struct layout_region *row = &layout.regions[i];

        if (row->backing != BACKING_ALIAS && !(row->purpose == PURPOSE_USER && layout_kernel_has_own()))
            write_runs(w, &kernel_space, row->span, 0);
    }
}

/* ---- Processes --------------------------------------------------------------------------------- */

/* Copy the lowest region that ends after a page; its file gets a reference. */
static bool next_region(struct space *space, page_t from, struct region *out)
{
    lock_state           state  = space_look(space);
    const struct region *region = region_at_or_above(&space->map, from);

    if (region != NULL) {
        *out = *region;
        if (region->file != NULL)
            node_hold(region->file);
    }
    space_look_end(space, state);
    return region != NULL;
}

/* The region's name in /proc/PID/maps. Files have the paths that the running process sees, if one runs. */
static void name_region(const struct process *process, const struct region *region, char name[WHERE_LONGEST])
{
    const struct space   *space = &process->memory->space;
    const struct process *looks = current_process() != NULL ? current_process() : process;
    vaddr_t start = page_address(region->span.first), end = page_address(region->span.end);
    bool    heap  = region->object == NULL && start < space->limits.break_end && end > space->limits.break_start;

    text_copy(name, region->name != NULL ? region->name : heap ? "[heap]" : "-", WHERE_LONGEST);
    if (region->file != NULL && (looks->fs == NULL || path_describe(looks->fs, region->file, name, WHERE_LONGEST) < 0))
        text_copy(name, "(a file)", WHERE_LONGEST);
}

static void write_region(struct writer *w, const struct process *process, const struct region *region)
{
    struct space *space = &process->memory->space;
    static char   name[WHERE_LONGEST];
    size_t most = region->grows & REGION_GROWS_DOWN ? space->limits.stack / PAGE_SIZE : 0;

    name_region(process, region, name);
    write_text(w, "map %lx %lu %s%c %lu %lu %s", (unsigned long)page_address(region->span.first),
        (unsigned long)span_pages(region->span), snapshot_letters(region->rights.user).text, region->shared ? 's' : 'p',
        (unsigned long)most, most > 0 ? (unsigned long)STACK_GAP : 0, name);
    write_runs(w, space, region->span, RUNS_BY_OWNER);
}

/* Write the rows that the document gives each space beside the program's part: stacks, the view of its own tables. */
static void write_parts(struct writer *w, struct space *space)
{
    for (uint32_t i = layout.region_count; i-- > 0; ) {
        const struct layout_region *row = &layout.regions[i];

        if (row->scope != SCOPE_PROCESS || row->purpose == PURPOSE_USER || row->backing == BACKING_ALIAS)
            continue;
        write_text(w, "part %s", row->name);
        write_runs(w, space, row->span, RUNS_BY_OWNER);
    }
}

/* The process with the lowest number, from one on, that has this space, or (NULL) any. */
static struct process *lowest_process(int32_t from, const struct shared_space *memory)
{
    lock_state      state = lock_take(&process_lock);
    struct process *process;

    while ((process = process_beyond(from - 1, &state)) != NULL &&
           (memory != NULL ? process->memory != memory : process->memory == NULL)) {    /* bound: rests */
        from = process->id + 1;
        process_lock_rest(&state);
    }
    lock_drop(&process_lock, state);
    return process;
}

/* No other thread runs, so the process and its space stay; current_process() itself may be ending. */
static void write_process(struct writer *w, const struct process *process)
{
    struct space         *space = &process->memory->space;
    bool                  alone = process->memory->references == 1;     /* after vfork two have one */
    const struct process *owner = alone ? process : lowest_process(0, process->memory);
    struct region         region;

    assert(process->memory != NULL);
    write_text(w, "process %d %d %u %u %u %s", process->id, process->parent != NULL ? process->parent->id : 0,
        (unsigned)process->thread_count, (unsigned)space->table_frames, (unsigned)space->resident, process->name);
    if (owner != process) {
        write_text(w, "shares %d", owner->id);
        return;
    }
    for (page_t page = 0; next_region(space, page, &region); page = region.span.end) {
        write_region(w, process, &region);
        if (region.file != NULL)
            node_release(region.file);
    }
    write_parts(w, space);
}

/* ---- All of it ----------------------------------------------------------------------------------- */

void snapshot_write(struct snapshot_sink *sink, const char *moment)
{
    struct writer   w = { .sink = sink };
    struct process *process;

    write_text(&w, "quire-map %d", FORM);
    write_text(&w, "layout %s %s", layout.name, layout.title);
    write_text(&w, "moment %s", moment);
    write_sums(&w);
    write_rows(&w);
    write_firmware(&w);
    write_frames(&w);
    write_document(&w);
    write_kernel_space(&w);
    for (int32_t from = 0; (process = lowest_process(from, NULL)) != NULL; from = process->id + 1)
        write_process(&w, process);
    write_last_line(&w);
}

/* ---- To the host ----------------------------------------------------------------------------------- */

static bool   ordered;
static char   piece[PIECE];             /* lines to be sent */
static size_t in_piece;

/*
 * Send one page to the host, and return when the host has taken it: so the channel needs no second page, and takes none
 * from the pool while the pool is being read. Other threads do not run meanwhile.
 */
static void send_piece(void)
{
    size_t done = 0;

    while (done < in_piece) {
        done += channel_try(CHANNEL_MAP, piece + done, in_piece - done);
        channel_flush();
        channel_drain();
    }
    in_piece = 0;
}

static void put_piece(struct snapshot_sink *sink __attribute__((unused)), const char *line, size_t length)
{
    if (in_piece + length > sizeof piece)
        send_piece();
    memcpy(piece + in_piece, line, length);
    in_piece += length;
}

void snapshot_request(void) { ordered = true; }

bool snapshot_send(const char *moment)
{
    struct snapshot_sink sink = { .put = put_piece, .room = SIZE_MAX };

    if (!ordered || !channel_is_there())
        return false;
    ordered = false;
    channel_drain();                    /* the output of programs comes first, and its pages are free again */
    snapshot_write(&sink, moment);
    send_piece();
    return true;
}
