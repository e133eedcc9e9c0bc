/*
 * claims.c - the claims of layouts/firmware/layout.md, G1 to G27, each looked at; G7 to G14 are in claims_rights.c.
 *
 * The addresses in here are the claims' own, or the linker's, and are not taken from the document's tables: if the
 * document were changed, these probes would notice. The number of pages that the system sets for heap and stack is a
 * choice of the document (G24), and is found by trying.
 */
#include "layouts/firmware/claims.h"

#include "layouts/firmware/apps/apps.h"
#include "base/check.h"
#include "base/string.h"
#include "console/show.h"
#include "cpu.h"
#include "descriptor.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap.h"
#include "layouts/firmware/shared.h"
#include "memory/spaces/user.h"
#include "memory/tables/slot.h"
#include "memory/tables/table.h"
#include "layouts/firmware/builtin.h"
#include "process/process.h"
#include "trap.h"

/* The linker script's. */
extern char image_text_start[], image_text_end[], image_rodata_start[], image_rodata_end[], image_data_start[];
extern char image_original_start[], image_original_end[], image_stack_start[], image_stack_end[];
extern char image_shared_start[], image_shared_end[];

enum { SPARE_FRAMES = 64 };             /* for the rest of a process, and the heap's own needs */

static vaddr_t  linked(const char *symbol)  { return (vaddr_t)(uintptr_t)symbol; }
static struct app_arguments with(uint32_t a, uint32_t b) { return (struct app_arguments){ a, b }; }

/* ---- Looking at processes ------------------------------------------------------------------------- */

/* Start an application, which runs when the caller gives way. False without memory: *result says so. */
static bool claim_start(struct claim_result *result, struct builtin *b, const char *name,
                        struct app_arguments arguments)
{
    *b = (struct builtin){ .quiet = true };
    if (builtin_start(b, builtin_find(name), arguments) == 0)
        return true;
    claim_saw(result, false, "no memory for a process");
    return false;
}

static bool claim_run(struct claim_result *result, struct builtin *b, const char *name, struct app_arguments arguments)
{
    if (!claim_start(result, b, name, arguments))
        return false;
    builtin_wait(b);
    return true;
}

static struct space *space_of(const struct builtin *b) { return &b->process->memory->space; }

static entry_t entry_in(struct space *space, page_t page)
{
    lock_state state = lock_take(&space->tables_lock);
    unsigned   level;
    entry_t    e = table_lookup(space, page, &level);

    lock_drop(&space->tables_lock, state);
    return entry_kind(e, level) == ENTRY_PRESENT && level == 1 ? e : entry_empty();
}

static uint32_t present_in(struct space *space, struct span span)
{
    uint32_t present = 0;

    for (page_t page = span.first; page < span.end; page++)
        present += entry_present(entry_in(space, page));
    return present;
}

static bool ended_well(const struct builtin *b) { return b->status == 0; }
static bool was_killed(const struct builtin *b) { return (b->status & 0x7F) == SIGSEGV; }
static bool builtin_did(const struct builtin *b, int what) { return b->status == what << 8; }

/* ---- Spaces ------------------------------------------------------------------------------------------ */

static void g1_own_tables(struct claim_result *result)
{
    struct builtin one, two;
    frame_t        a, b;
    bool           apart;

    if (!claim_start(result, &one, "recursion", with(3, 0)))
        return;
    if (!claim_start(result, &two, "recursion", with(4, 0)))
        return builtin_wait(&one);
    a = entry_frame(entry_in(space_of(&one), page_of(one.place.shared)));
    b = entry_frame(entry_in(space_of(&two), page_of(two.place.shared)));
    apart = !frame_is(space_of(&one)->root, space_of(&two)->root) && one.place.shared == two.place.shared &&
            !frame_is(a, b);
    builtin_wait(&one);
    builtin_wait(&two);
    claim_saw(result, apart && ended_well(&one) && ended_well(&two),
              "two processes at once had their page at %s in frames %u and %u; they ended with %d and %d",
              show_address(one.place.shared).text, a.no, b.no, one.status, two.status);
}

/* All mapped pages of kernel space lie below those of a program. */
static void g2_kernel_below(struct claim_result *result)
{
    page_t               highest = 0;
    struct builtin       b;
    const struct region *lowest;
    vaddr_t              from;
    entry_t              e;

    for (page_t page = 0; next_present(&page, &e); page++)
        highest = page;
    if (!claim_start(result, &b, "recursion", with(3, 0)))
        return;
    lowest = region_at_or_above(&space_of(&b)->map, 0);
    from   = page_address(lowest->span.first);
    builtin_wait(&b);
    claim_saw(result, page_address(highest) < G_USER && from >= G_USER,
              "the kernel's highest page is at %s, a process has its lowest region at %s",
              show_address(page_address(highest)).text, show_address(from).text);
}

/* An application with a smaller heap has fewer tables when it uses all that it may have. */
static void g3_tables_vary(struct claim_result *result)
{
    const struct app *probe = builtin_find("probe");
    struct app        small = *probe;
    struct builtin    less = { .quiet = true }, more;
    size_t            most = span_pages(application_place(0, 0).heap), first = layout.application.heap_first;

    small.heap_pages = small.stack_pages = 1;
    if (!claim_has_frames(result, most + SPARE_FRAMES))
        return;
    if (builtin_start(&less, &small, with(PROBE_HEAP, 1)) != 0)
        return claim_saw(result, false, "no memory for a process");
    builtin_wait(&less);
    if (!claim_run(result, &more, "probe", with(PROBE_HEAP, (uint32_t)(most - first))))
        return;
    if (!builtin_did(&less, PROBE_DONE) || !builtin_did(&more, PROBE_DONE) || less.tables >= more.tables)
        return claim_saw(result, false, "a heap of 1 page took %u tables, one of %u pages %u", less.tables,
                         (unsigned)most, more.tables);
    claim_differs(result, "tables come in steps of 4 MiB: %u for a process with a heap of 1 page, %u with %u pages",
                  less.tables, more.tables, (unsigned)most);
}

/* ---- Applications -------------------------------------------------------------------------------------- */

static void g4_linked_in(struct claim_result *result)
{
    struct builtin b;
    unsigned       regions = 0;

    for (uint32_t i = 0; i < app_count; i++)
        if ((uintptr_t)apps[i].main < linked(image_text_start) || (uintptr_t)apps[i].main >= linked(image_text_end))
            return claim_saw(result, false, "%s is no code of the image", apps[i].name);
    if (!claim_start(result, &b, "hello", with(0, 0)))
        return;
    for (const struct region *r = region_at_or_above(&space_of(&b)->map, 0); r != NULL; r = region_next(r), regions++)
        if (r->object != NULL || (r->rights.user & MAY_EXECUTE)) {
            builtin_wait(&b);
            return claim_saw(result, false, "a process has a region of its own with code, or of a file");
        }
    builtin_wait(&b);
    claim_saw(result, ended_well(&b) && regions > 0,
              "%u applications lie in the image's code; a process has %u regions, none executable or of a file",
              app_count, regions);
}

/* First page of [start, end) that a process does not see as the kernel does, or may not use; end if none. */
static page_t first_unshared(struct space *space, vaddr_t start, vaddr_t end)
{
    page_t page = page_of(start) + (start == 0);        /* page 0 has no rights */

    while (page < page_of(end + PAGE_SIZE - 1)) {
        entry_t mine = entry_in(space, page), kernels = leaf_of(page);

        if (!entry_present(mine) || !frame_is(entry_frame(mine), entry_frame(kernels)) || entry_rights(mine).user == 0)
            break;
        page++;
    }
    return page;
}

static void g5_shared_pages(struct claim_result *result)
{
    struct builtin one, two;
    page_t text = page_of(linked(image_text_end) + PAGE_SIZE - 1),
           rodata = page_of(linked(image_rodata_end) + PAGE_SIZE - 1);
    page_t         found[4];

    if (!claim_start(result, &one, "hello", with(0, 0)))
        return;
    if (!claim_start(result, &two, "recursion", with(2, 0)))
        return builtin_wait(&one);
    found[0] = first_unshared(space_of(&one), linked(image_text_start), linked(image_text_end));
    found[1] = first_unshared(space_of(&two), linked(image_text_start), linked(image_text_end));
    found[2] = first_unshared(space_of(&one), linked(image_rodata_start), linked(image_rodata_end));
    found[3] = first_unshared(space_of(&two), linked(image_rodata_start), linked(image_rodata_end));
    builtin_wait(&one);
    builtin_wait(&two);
    if (found[0] != text || found[1] != text)
        return claim_saw(result, false, "code differs at %s",
                         show_address(page_address(found[0] != text ? found[0] : found[1])).text);
    if (found[2] != rodata || found[3] != rodata)
        return claim_saw(result, false, "constants differ at %s",
                         show_address(page_address(found[2] != rodata ? found[2] : found[3])).text);
    claim_saw(result, ended_well(&one) && ended_well(&two),
              "%u pages of code and %u of constants have one frame each in kernel and two processes",
              (unsigned)(text - 1), (unsigned)(rodata - page_of(linked(image_rodata_start))));
}

/* One wild write into each region of the kernel, while another process goes on with its work. */
static void g6_kernel_is_safe(struct claim_result *result)
{
    uint32_t      *block = heap_alloc(sizeof *block, HEAP_ZERO);
    const vaddr_t targets[] = {
        linked(image_text_start) + PAGE_SIZE,
        linked(image_rodata_start),
        linked(image_data_start),
        linked(image_original_start),
        linked(image_stack_start),
        linked(image_shared_start),
        address_of(block),
        0,
    };
    unsigned       killed = 0;

    if (block == NULL)
        return claim_saw(result, false, "no memory on the heap");
    for (unsigned i = 0; i < COUNT_OF(targets); i++) {
        struct builtin other, wild;
        uint32_t       before = 0, after = 0;
        bool           seen = probe_read(targets[i], &before);

        if (!claim_start(result, &other, "recursion", with(8, 0)))
            break;
        if (!claim_run(result, &wild, "wild", with(targets[i] != 0 ? (uint32_t)targets[i] : PAGE_SIZE - 4, 0))) {
            builtin_wait(&other);
            break;
        }
        builtin_wait(&other);
        if (seen)
            probe_read(targets[i], &after);
        if (!was_killed(&wild) || before != after || !ended_well(&other)) {
            claim_saw(result, false,
                      "a write to %s: status %d, the word was %08x and is %08x; another process ended with %d",
                      show_address(targets[i]).text, wild.status, before, after, other.status);
            break;
        }
        killed++;
    }
    heap_free(block);
    if (killed == COUNT_OF(targets))
        claim_saw(
            result, true,
            "%u processes wrote into the kernel's regions and were killed; nothing changed, and %u others ended well",
            killed, killed);
}

/* ---- The original -------------------------------------------------------------------------------------- */

static struct span original_pages(void)
{
    return (struct span){ page_of(linked(image_original_start)), page_of(linked(image_original_end) + PAGE_SIZE - 1) };
}

static void g15_original_closed(struct claim_result *result)
{
    struct span span = original_pages();
    uint32_t    word;

    for (page_t page = span.first; page < span.end; page++)
        if (entry_present(leaf_of(page)) || probe_read(page_address(page), &word) || probe_write(page_address(page), 0))
            return claim_saw(result, false, "the kernel can reach %s", show_address(page_address(page)).text);
    claim_saw(result, span.end > span.first,
              "reading and writing fault in each of %u pages from %s on, which keep their frames",
              (unsigned)span_pages(span), show_address(page_address(span.first)).text);
}

static unsigned openings;
static bool     readable, writable;

static void look_while_open(void)
{
    vaddr_t  at = linked(image_original_start);
    uint32_t word = 0;

    openings++;
    readable = probe_read(at, &word);
    writable = probe_write(at, word);
}

static void g16_opened_for_a_copy(struct claim_result *result)
{
    struct builtin b;
    uint32_t       word;
    bool           after;

    openings = 0;
    shared_watch = look_while_open;
    if (!claim_run(result, &b, "recursion", with(2, 0))) {
        shared_watch = NULL;
        return;
    }
    shared_watch = NULL;
    after = probe_read(linked(image_original_start), &word);
    claim_saw(result, openings == 1 && readable && !writable && !after && ended_well(&b),
              "while a process was made the original was open %u time(s): %sreadable, %swritable; afterwards "
              "%sreadable",
              openings, readable ? "" : "not ", writable ? "" : "not ", after ? "" : "not ");
}

/* Called in the kernel's own segment. */
static void count_own(void *to)
{
    app_counted += 7;
    *(int *)to = app_counted;
}

/* A byte of the original, which no address shows. */
static uint8_t original_byte(vaddr_t at)
{
    lock_state state = interrupts_off();
    unsigned   level;
    entry_t    e    = look_up(&kernel_space, page_of(at), &level);
    uint8_t    byte = ((const uint8_t *)frame_view(entry_frame(e), SLOT_INSPECT))[at % PAGE_SIZE];

    interrupts_restore(state);
    return byte;
}

static uint32_t equal, other;           /* bytes of copies, and of the original */

/* Each process before it runs: all of its copy, but for the word that the kernel writes into it. */
static void compare_copy(struct builtin *b)
{
    vaddr_t base = (vaddr_t)(uintptr_t)&app_base;

    for (vaddr_t at = linked(image_original_start); at < linked(image_original_end); at++) {
        uint8_t byte = 0;

        if (at >= base && at < base + sizeof(uint32_t))
            continue;
        if (user_read_in(space_of(b), &byte, at + shared_distance(b->place.shared), 1) == 0 &&
            byte == original_byte(at))
            equal++;
        else
            other++;
    }
}

static void g17_pristine(struct claim_result *result)
{
    void         (*watch)(struct builtin *) = builtin_watch;
    struct builtin first, second;
    int           *own = shared_own((vaddr_t)(uintptr_t)&app_counted), before = *own, counted = 0;
    bool           ran;

    segment_with_shared(shared_distance(linked(image_shared_start)), count_own, &counted);
    equal = other = 0;
    builtin_watch = compare_copy;
    ran = claim_run(result, &first, "counter", with(5, 0)) && claim_run(result, &second, "counter", with(6, 0));
    builtin_watch = watch;
    if (ran)
        claim_saw(
            result, ended_well(&first) && ended_well(&second) && counted == before + 7 && *own == counted &&
                        equal > 0 && other == 0,
            "the kernel counted from %d to %d in its copy; two processes, with %u bytes as in the original and %u "
            "other, counted 5 and 6 from %d and ended with %d and %d",
            before, *own, equal, other, APP_COUNTER_FIRST, first.status, second.status);
    *own = before;
}

/* ---- Packing --------------------------------------------------------------------------------------------- */

/* Below the stack lies the original's last page, which is not present; a test in tests/system overflows the stack. */
static void g18_below_the_stack(struct claim_result *result)
{
    vaddr_t  below = linked(image_stack_start) - sizeof(uint32_t);
    uint32_t word;
    bool     here = below >= linked(image_original_start) && page_of(below) == original_pages().end - 1;

    claim_saw(result, here && !probe_read(below, &word) && !probe_write(below, 0),
              "the stack begins at %s, and the word below, in the original, cannot be reached",
              show_address(linked(image_stack_start)).text);
}

static void g19_packed(struct claim_result *result)
{
    vaddr_t stack = linked(image_stack_start), shared = linked(image_shared_start), end = linked(image_shared_end);
    size_t         head, kept, pages = 0, packed, parts;
    struct builtin b;

    if (!claim_run(result, &b, "hello", with(0, 0)))          /* its output is kept in the head of the heap */
        return;
    kept = heap_kept(&head);
    for (page_t page = page_of(stack); page < page_of(end + head); page++)
        pages += entry_present(leaf_of(page));
    packed = (end + head - stack + PAGE_SIZE - 1) / PAGE_SIZE;
    parts = (shared - stack + PAGE_SIZE - 1) / PAGE_SIZE + (end - shared + PAGE_SIZE - 1) / PAGE_SIZE +
            (head + PAGE_SIZE - 1) / PAGE_SIZE;
    claim_saw(
        result,
        shared == linked(image_stack_end) && shared % PAGE_SIZE != 0 && end % PAGE_SIZE != 0 && kept > 0 &&
            (end + head) % PAGE_SIZE == 0 && pages == packed && packed < parts && b.place.shared % PAGE_SIZE != 0 &&
            page_of(b.place.shared) == b.place.stack.end - 1,
        "%u B of stack, %u of variables, %u of heap (%u in use) share %u pages, not %u; a process's variables begin "
        "at %s",
        (unsigned)(shared - stack), (unsigned)(end - shared), (unsigned)head, (unsigned)kept, (unsigned)pages,
        (unsigned)parts, show_address(b.place.shared).text);
}

/* ---- A process's stack ---------------------------------------------------------------------------------------- */

static void g20_one_page(struct claim_result *result)
{
    struct builtin b;
    uint32_t       present;

    if (!claim_start(result, &b, "recursion", with(2, 0)))
        return;
    present = present_in(space_of(&b), b.place.stack);
    builtin_wait(&b);
    claim_saw(result, present == 1 && ended_well(&b), "before its first instruction a process had %u page of %u",
              present, (unsigned)span_pages(b.place.stack));
}

/* Writes grow the stack to its last page and not beyond; reads do not grow it. */
static void g21_grows(struct claim_result *result)
{
    struct builtin all, more, read;
    uint32_t       most;

    if (!claim_run(result, &all, "probe", with(PROBE_REFUSED, 0)))
        return;
    most = (uint32_t)span_pages(all.place.stack);
    if (most == layout.application.stack_first)
        return claim_unseen(result, "a stack has all that it may have, %u pages, from the start", most);
    if (!claim_run(result, &all, "probe", with(PROBE_STACK, most - 1)) ||
        !claim_run(result, &more, "probe", with(PROBE_STACK, most)) ||
        !claim_run(result, &read, "probe", with(PROBE_READ, (uint32_t)page_address(all.place.stack.first))))
        return;
    claim_saw(result,
              builtin_did(&all, PROBE_DONE) && all.stack_pages == most && was_killed(&more) &&
                  more.stack_pages == most &&
                  was_killed(&read) && read.stack_pages < most,
              "by writing a stack became %u pages of %u; one more was fatal, at %u; reading left it at %u",
              (unsigned)all.stack_pages, most, (unsigned)more.stack_pages, (unsigned)read.stack_pages);
}

static bool text_says(const char *text, const char *words)
{
    for (size_t length = strlen(words); *text != '\0'; text++)
        if (strncmp(text, words, length) == 0)
            return true;
    return false;
}

static void g22_guard(struct claim_result *result)
{
    struct builtin look, touch;
    uint32_t       present;
    bool           named;

    if (!claim_start(result, &look, "recursion", with(2, 0)))
        return;
    present = present_in(space_of(&look), look.place.guard);
    builtin_wait(&look);
    if (!claim_run(result, &touch, "wild", with((uint32_t)page_address(look.place.guard.end) - 4, 0)))
        return;
    named = text_says(touch.reason, "stack overflow");
    claim_saw(result, present == 0 && !span_empty(look.place.guard) && was_killed(&touch) && named,
              "%u of %u pages mapped; who wrote there was killed: %s", present, (unsigned)span_pages(look.place.guard),
              named ? "stack overflow" : touch.reason);
}

/* ---- A process's heap ----------------------------------------------------------------------------------------- */

static void g23_nothing_at_first(struct claim_result *result)
{
    struct builtin look, touch;
    uint32_t       present;
    vaddr_t        bytes;

    if (!claim_start(result, &look, "recursion", with(2, 0)))
        return;
    present = present_in(space_of(&look), look.place.heap);
    bytes   = space_of(&look)->limits.break_end - page_address(look.place.heap.first);
    builtin_wait(&look);
    if (!claim_run(result, &touch, "wild", with((uint32_t)page_address(look.place.heap.first), 0)))
        return;
    claim_saw(result, present == 0 && bytes == 0 && was_killed(&touch),
              "%u pages mapped, the break %u bytes up; a write there is fatal", present, (unsigned)bytes);
}

static void g24_limit(struct claim_result *result)
{
    struct builtin first, all, more;
    uint32_t       most = (uint32_t)span_pages(application_place(0, 0).heap), left;

    if (!claim_has_frames(result, most + SPARE_FRAMES) ||
        !claim_run(result, &first, "probe", with(PROBE_REFUSED, 0)))
        return;
    left = most - (uint32_t)first.heap_pages;                       /* what the document gives it at first is there */
    if (!claim_run(result, &all, "probe", with(PROBE_HEAP, left)) ||
        !claim_run(result, &more, "probe", with(PROBE_HEAP, left + 1)))
        return;
    claim_saw(result,
              builtin_did(&all, PROBE_DONE) && all.heap_pages == most && builtin_did(&more, PROBE_REFUSED) &&
                  more.heap_pages == first.heap_pages,
              "a process got %u pages; another asked for %u, was refused and had %u as before",
              (unsigned)all.heap_pages, most + 1, (unsigned)more.heap_pages);
}

/* ---- Devices ---------------------------------------------------------------------------------------------------- */

enum { ROM = 0xFFFF0000, ROM_END = 0xFFFFF000 };        /* the machine's firmware: memory that is no RAM */

static uint32_t word_at(const struct region *region)
{
    return *(const volatile uint32_t *)pointer_to(page_address(region->span.first));
}

static bool map_rom(struct region *region, vaddr_t at)
{
    return kernel_map_device(region, "firmware's claim", at, PAGE_SIZE, CACHE_OFF) == 0;
}

static void g25_holes(struct claim_result *result)
{
    struct region one, two, three, four;
    uint32_t      before, word;
    page_t        stayed, hole;
    bool          empty, good;

    if (!map_rom(&one, ROM) || !map_rom(&two, ROM + PAGE_SIZE) || !map_rom(&three, ROM_END))
        return claim_saw(result, false, "no room for three devices");
    before = word_at(&three);
    stayed = three.span.first;
    hole   = two.span.first;
    kernel_unmap(&two);
    empty = !probe_read(page_address(hole), &word);
    good  = word_at(&three) == before && map_rom(&four, ROM + 2 * PAGE_SIZE);
    good = good && word_at(&three) == before && three.span.first == stayed &&
           probe_read(page_address(four.span.first), &word);
    kernel_unmap(&one);
    kernel_unmap(&three);
    if (good)
        kernel_unmap(&four);
    claim_saw(result, empty && good, "a device left a hole at %s, one came later at %s, and a third stayed at %s",
              show_address(page_address(hole)).text, show_address(page_address(four.span.first)).text,
              show_address(page_address(stayed)).text);
}

/* Device memory is taken and given back like other memory; no caller computes addresses, and none is used up. */
static void g27_like_the_heap(struct claim_result *result)
{
    enum { ROUNDS = 4096 };
    struct frame_sums before, after;
    struct region     region;
    page_t            lowest = layout.space_end, highest = 0;

    if (!map_rom(&region, ROM))                             /* the window's table is kept    */
        return claim_saw(result, false, "no room for a device");
    kernel_unmap(&region);
    frames_sums(&before);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!map_rom(&region, ROM))
            return claim_saw(result, false, "no room after %u devices had come and gone", i);
        lowest  = region.span.first < lowest ? region.span.first : lowest;
        highest = region.span.first > highest ? region.span.first : highest;
        kernel_unmap(&region);
    }
    frames_sums(&after);
    if (before.owned[OWNER_FREE] != after.owned[OWNER_FREE])
        return claim_saw(result, false, "%u devices came and went, and %d frames are gone", ROUNDS,
                         (int)(before.owned[OWNER_FREE] - after.owned[OWNER_FREE]));
    claim_differs(result,
                  "%u times a device's memory was asked for and given back, in a region of its own and not the heap's: "
                  "from %s to %s",
                  ROUNDS, show_address(page_address(lowest)).text, show_address(page_address(highest + 1)).text);
}

const struct claim_probe firmware_probes[] = {
    { "G1",  g1_own_tables },        { "G2",  g2_kernel_below },      { "G3",  g3_tables_vary },
    { "G4",  g4_linked_in },         { "G5",  g5_shared_pages },      { "G6",  g6_kernel_is_safe },
    { "G7",  g7_code },              { "G8",  g8_constants },         { "G9",  g9_variables },
    { "G10", g10_original },         { "G11", g11_stack },            { "G12", g12_own_shared },
    { "G13", g13_heap },             { "G14", g14_devices },          { "G15", g15_original_closed },
    { "G16", g16_opened_for_a_copy }, { "G17", g17_pristine },        { "G18", g18_below_the_stack },
    { "G19", g19_packed },           { "G20", g20_one_page },         { "G21", g21_grows },
    { "G22", g22_guard },            { "G23", g23_nothing_at_first }, { "G24", g24_limit },
    { "G25", g25_holes },            { "G27", g27_like_the_heap },
    { 0 },
};
