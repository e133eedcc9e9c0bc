/*
 * claims.c - the claims of layouts/quire/layout.md, Q1 to Q12, each looked at.
 *
 * As in layouts/higher-half/claims.c the numbers are the claims' own, not the document's tables'.
 */
#include "claims/made.h"
#include "claims/probe.h"

#include "base/error.h"
#include "base/string.h"
#include "console/show.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap.h"
#include "memory/spaces/map.h"
#include "memory/tables/slot.h"
#include "memory/heap/stack.h"
#include "memory/start.h"
#include "trap.h"

enum {
    Q_NULL_PAGES    = 16,               /* Q3: 64 KiB                       */
    Q_HARDWARE      = 0xA0,             /* Q1, in frames                    */
    Q_HARDWARE_END  = 0x100,
    Q_DIRECT_FRAMES = 0x10000,          /* Q5, 256 MiB                      */
    Q_FRAMES        = 32,               /* how many are tried where not all */
    Q_STACKS        = 4096,             /* Q8: more than the window has      */
};
#define Q_KERNEL    0xE0000000u         /* Q4, Q5                           */
#define Q_HEAP      0xF0000000u         /* Q7                               */
#define Q_HEAP_LAST 0xF7FFFFFFu
#define Q_DEVICES   0xF8000000u
#define Q_DEVICES_LAST 0xFB7FFFFFu
#define Q_SLOTS     0xFF000000u
#define Q_SLOTS_LAST 0xFF3FFFFFu
#define Q_LAST_WORD 0xFFFFFFFCu         /* Q9                               */
#define Q_VIDEO     0xB8000u            /* device memory any PC has         */

extern char image_physical_end[];                               /* the linker script's */
extern char image_text_first_page[], image_rodata_end_page[];

static struct span pages_between(vaddr_t start, vaddr_t last)
{
    return (struct span){ page_of(start), page_of(last) + 1 };
}

static bool range_inside(vaddr_t start, size_t bytes, vaddr_t first, vaddr_t last)
{
    return start >= first && bytes > 0 && last - start >= bytes - 1;
}

/* ---- Frames -------------------------------------------------------------------------------- */

static bool is_hardware(uint32_t frame)
{
    return frame == 0 || (frame >= Q_HARDWARE && frame < Q_HARDWARE_END);
}

static bool frame_is_reserved(frame_t frame) { return is_hardware(frame.no) || is_device_or_hole(frame); }

/* Such frames never have an owner, not even before the pool opens; the same holds on a made machine. */
static void q1_never_handed_out(struct claim_result *result)
{
    static const enum told kinds[] = { TOLD_UNLISTED, TOLD_RESERVED, TOLD_DEVICE };
    frame_t  bad;
    uint32_t taken;

    for (uint32_t n = 0; n < Q_HARDWARE_END; n++) {
        enum owner owner = frame_owner((frame_t){ n });

        if (is_hardware(n) && owner != OWNER_HELD && owner != OWNER_ABSENT)
            return claim_saw(result, false, "frame %u belongs to %s", n, owner_names[owner]);
    }
    for (unsigned i = 0; i < COUNT_OF(kinds); i++)
        if (made_wrong(kinds[i]) != NULL)
            return claim_saw(result, false, "%s", made_wrong(kinds[i]));
    taken = take_all_frames(frame_is_reserved, &bad);
    if (frame_exists(bad))
        return claim_saw(result, false, "frame %u was handed out", bad.no);
    claim_saw(result, taken > 0,
              "took all %u free frames: not frame 0, no hardware's, no device's, none unlisted", taken);
}

/* Between the image and the first free frame lie only frames that the pool itself has taken. */
static void q2_pool_follows_image(struct claim_result *result)
{
    uint32_t end = frame_of((paddr_t)(uintptr_t)image_physical_end + PAGE_SIZE - 1).no;

    for (uint32_t n = end; n < frames_end(); n++) {
        enum owner owner = frame_owner((frame_t){ n });

        if (owner == OWNER_HELD || owner == OWNER_IMAGE)
            return claim_saw(result, false, "frame %u behind the image is kept as %s", n, owner_names[owner]);
        if (owner == OWNER_FREE)
            return claim_saw(
                result, true,
                "the image ends below frame %u; the first free one is %u, and none is kept between", end, n);
    }
    claim_saw(result, false, "no free frame behind the image");
}

static void q10_bitmap_follows_image(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bitmap = frames_bitmap(&bytes);
    uint32_t       end    = frame_of((paddr_t)(uintptr_t)image_physical_end + PAGE_SIZE - 1).no;
    uint32_t       zeroes, free;
    paddr_t        at     = 0;

    if (!physical_of(address_of(bitmap), &at) || at < frame_address((frame_t){ end }))
        return claim_saw(result, false, "the bitmap is at physical 0x%llx, and the image ends at 0x%x000",
                         (unsigned long long)at, end);
    if (bytes * 8 < frames_end() || bytes * 8 >= (uint64_t)frames_end() + 8 * PAGE_SIZE)
        return claim_saw(result, false, "%u bytes of bitmap for %u frames", (unsigned)bytes, frames_end());
    frames_drain();
    free   = frames_free();
    zeroes = (uint32_t)bytes * 8 - ones_in(bitmap, bytes);
    if (zeroes != free)
        return claim_saw(result, false, "%u zeroes in the bitmap, and %u free frames", zeroes, free);
    claim_saw(result, true, "physical 0x%llx, %u bytes for %u frames; %u zeroes and as many free frames",
              (unsigned long long)at, (unsigned)bytes, frames_end(), zeroes);
}

/* Fill frames with a pattern, give them back, and check that no zeroed frame holds it. */
static void frame_dirty(frame_t frame)
{
    lock_state state = interrupts_off();

    page_fill(frame_view(frame, SLOT_INSPECT), 0xDEADBEEF);
    interrupts_restore(state);
}

static bool is_zero(frame_t frame)
{
    lock_state state = interrupts_off();
    bool       zero  = page_holds(frame_view(frame, SLOT_INSPECT), 0);

    interrupts_restore(state);
    return zero;
}

static uint32_t frames_take(frame_t *frames, unsigned flags)
{
    uint32_t count = 0;

    while (count < Q_FRAMES && frame_get(OWNER_TEST, flags, &frames[count]) == 0)
        count++;
    return count;
}

static void frames_give(const frame_t *frames, uint32_t count)
{
    while (count > 0)
        frame_put(frames[--count]);
}

static bool is_among(frame_t frame, const frame_t *frames, uint32_t count)
{
    while (count > 0)
        if (frame_is(frame, frames[--count]))
            return true;
    return false;
}

/* Frames that a program's writes map, page after page. Returns their number; *zero: those that hold zeros. */
static uint32_t program_take(struct space *space, vaddr_t from, frame_t *frames, uint32_t *zero)
{
    uint32_t count = 0;

    for (*zero = 0; count < Q_FRAMES; count++) {
        frames[count] = program_write(space, from + count * PAGE_SIZE);
        if (!frame_exists(frames[count]))
            break;
        *zero += is_zero(frames[count]);
    }
    return count;
}

/* What a program gets when it writes to pages one after the other. False without memory. */
static bool give_to_program(frame_t *frames, uint32_t *given, uint32_t *zero)
{
    const struct map_request request = {
        .address = page_address(layout.user.first) + MiB, .bytes = Q_FRAMES * PAGE_SIZE, .flags = MAP_IS_FIXED,
        .rights = MAY_READ | MAY_WRITE, .may = MAY_READ | MAY_WRITE, .name = "claim Q11",
    };
    struct space space;
    vaddr_t      at;

    if (!program_start(&space))
        return false;
    *given = map_create(&space, &request, &at) == 0 ? program_take(&space, at, frames, zero) : 0;
    program_end(&space);
    return *given > 0;
}

static bool leave_dirty(frame_t frame)
{
    frame_dirty(frame);
    return false;
}

/*
 * Frames that were left dirty come back to a program: a few, or, where the search goes on elsewhere, all that are free.
 */
static void q11_zeroed(struct claim_result *result)
{
    frame_t  dirty[Q_FRAMES], frames[Q_FRAMES], none;
    uint32_t count = frames_take(dirty, 0), given, zero = 0, again = 0;

    for (uint32_t i = 0; i < count; i++)
        frame_dirty(dirty[i]);
    frames_give(dirty, count);
    if (!give_to_program(frames, &given, &zero))
        return claim_saw(result, false, "no memory for a program");
    for (uint32_t i = 0; i < given; i++)
        again += is_among(frames[i], dirty, count);
    if (again == 0) {
        count = take_all_frames(leave_dirty, &none);
        if (!give_to_program(frames, &given, &zero))
            return claim_saw(result, false, "no memory for a program");
        again = given;
    }
    claim_saw(result, zero == given,
              "%u frames were left dirty, %u came back to a program, which got %u: %u of these are zero", count, again,
              given, zero);
}

static bool nothing_forbidden(frame_t frame)
{
    (void)frame;
    return false;
}

/* While every frame is taken: ask for one more, in each way. */
static int ask_in_vain(frame_t *untouched)
{
    struct region region;
    frame_t       frame = *untouched;
    int           err   = frame_get(OWNER_TEST, 0, &frame);

    if (err == 0 || !frame_is(frame, *untouched))
        return 0;
    if (kernel_map(&region, PURPOSE_HEAP, "in vain", 4, 0, OWNER_TEST) == 0)
        return 0;
    return err;
}

static void q12_exhaustion(struct claim_result *result)
{
    frame_t  untouched = { 12345 }, last = NO_FRAME, frame, bad;
    uint32_t before = frames_free(), taken = 0;
    int      err;

    while (frame_get(OWNER_TEST, FRAME_SPARE, &frame) == 0) {
        frame_set_link(frame, last.no);
        last = frame;
        taken++;
    }
    err = ask_in_vain(&untouched);
    while (frame_exists(last)) {
        frame = last;
        last  = (frame_t){ frame_link(frame) };
        frame_put(frame);
    }
    if (err != -ENOMEM)
        return claim_saw(result, false, "with every frame taken one more was asked for: error %d", -err);
    claim_saw(result, frames_free() == before && take_all_frames(nothing_forbidden, &bad) == taken,
              "with all %u frames taken, asking gave error %d; afterwards %u are free, as before", taken,
              -err, frames_free());
}

/* ---- Addresses ----------------------------------------------------------------------------- */

static void q3_null_faults(struct claim_result *result)
{
    struct span null = { 0, Q_NULL_PAGES };
    page_t      page = first_readable(null);

    claim_saw(result, page == null.end,
              page == null.end ? "reading each of %u pages from 0 on faults" : "page %u can be read",
              (unsigned)page);
}

static void q4_user_end(struct claim_result *result)
{
    entry_t e;

    for (page_t page = page_of(Q_KERNEL); next_present(&page, &e); page++)
        if (entry_rights(e).user != 0)
            return claim_saw(result, false, "programs may use %s", show_address(page_address(page)).text);
    claim_saw(result, page_address(layout.user.end) == Q_KERNEL,
              "user space ends at %s, and programs may use nothing from there on",
              show_address(page_address(layout.user.end)).text);
}

/* A page of the heap's window that shows a frame of the direct map. False: there is no memory. */
static bool map_low_frame(struct region *region, frame_t *low)
{
    struct cursor c;

    if (frame_get(OWNER_TEST, FRAME_LOW, low) != 0)
        return false;
    if (kernel_map(region, PURPOSE_HEAP, "direct map's claim", 1, 0, OWNER_TEST) == 0) {
        if (cursor_open(&c, &kernel_space, region->span, 0) == 0) {
            frame_put(cursor_replace(&c, region->span.first, *low, region->rights));
            cursor_close(&c);
            return true;
        }
        kernel_unmap(region);
    }
    frame_put(*low);
    return false;
}

/* Bytes written through the one page are read through the other. */
static bool seen_twice(void)
{
    struct region      region;
    frame_t            low;
    volatile uint32_t *here;
    vaddr_t            there;
    uint32_t           word;
    bool               same;

    if (!map_low_frame(&region, &low))
        return false;
    here  = pointer_to(page_address(region.span.first));
    there = Q_KERNEL + (vaddr_t)frame_address(low);
    *here = 0x600DF00D;
    same  = probe_read(there, &word) && word == 0x600DF00D;
    *here = 0x0BADF00D;
    same  = same && probe_read(there, &word) && word == 0x0BADF00D;
    kernel_unmap(&region);
    return same;
}

static void q5_direct(struct claim_result *result)
{
    uint32_t frames = frames_end() < Q_DIRECT_FRAMES ? frames_end() : Q_DIRECT_FRAMES;

    for (uint32_t n = 0; n < frames; n++) {
        paddr_t physical;

        if (!frame_is_ram((frame_t){ n }))
            continue;
        if (!physical_of(Q_KERNEL + n * PAGE_SIZE, &physical) || physical != frame_address((frame_t){ n }))
            return claim_saw(result, false, "%s does not lead to frame %u",
                             show_address(Q_KERNEL + n * PAGE_SIZE).text, n);
    }
    if (!seen_twice())
        return claim_saw(result, false,
                         "what is written through another window is not what the direct map shows");
    claim_saw(result, true,
              "all RAM of the first %u frames shows from %s on; a frame written elsewhere reads the same",
              frames, show_address(Q_KERNEL).text);
}

static void q6_not_writable(struct claim_result *result)
{
    struct span span = { (page_t)image_text_first_page, (page_t)image_rodata_end_page };
    page_t      page = first_writable(span);

    if (page != span.end)
        return claim_saw(result, false, "%s can be written", show_address(page_address(page)).text);
    claim_saw(result, !span_empty(span), "writing to each of the %u pages of code and constants faults",
              (unsigned)span_pages(span));
}

static bool heap_keeps_inside(void)
{
    static const size_t sizes[] = { 16, 500, 2048, 5000, 70000 };

    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        char   *block = heap_alloc(sizes[i], 0);
        vaddr_t first = address_of(block);

        heap_free(block);
        if (block == NULL || !range_inside(first, sizes[i], Q_HEAP, Q_HEAP_LAST))
            return false;
    }
    return true;
}

static bool window_keeps_inside(void)
{
    struct region region;
    bool          keeps;

    if (kernel_map_device(&region, "window's claim", Q_VIDEO, PAGE_SIZE, CACHE_OFF) != 0)
        return false;
    keeps = span_covers(pages_between(Q_DEVICES, Q_DEVICES_LAST), region.span);
    kernel_unmap(&region);
    return keeps;
}

/* All slots are mapped in the slots' region: none lies outside. */
static bool slots_keep_inside(void)
{
    frame_t frame;
    vaddr_t at;

    if (frame_get(OWNER_TEST, 0, &frame) != 0)
        return false;
    at = address_of(frame_view(frame, SLOT_INSPECT));
    frame_put(frame);
    return range_inside(at, PAGE_SIZE, Q_SLOTS, Q_SLOTS_LAST) || at == Q_KERNEL + (vaddr_t)frame_address(frame);
}

static void q7_windows(struct claim_result *result)
{
    bool heap = heap_keeps_inside(), window = window_keeps_inside(), slots = slots_keep_inside();

    claim_saw(result, heap && window && slots, "heap %s, device window %s, view of a frame %s",
              heap ? "inside" : "OUTSIDE", window ? "inside" : "OUTSIDE",
              slots ? "inside or direct" : "OUTSIDE");
}

/* Stacks until two of them are neighbours, as they are when there are many. Returns how many. */
static uint32_t take_neighbours(struct stack *stacks)
{
    uint32_t count = 0;

    while (count < Q_STACKS && stack_get(&kernel_space, &stacks[count]) == 0) {
        count++;
        if (count > 1 && stacks[count - 1].slot < stacks[count - 2].slot)
            break;                              /* the odd ones are all taken: this one lies between two of them */
    }
    return count;
}

static bool has_guard(const struct stack *stack)
{
    vaddr_t      below = stack->bottom - PAGE_SIZE;
    struct stack named;

    return first_readable(span_of(page_of(below), 1)) != page_of(below) &&
           stack_guarding(stack->bottom - sizeof(uint32_t), &named) && named.slot == stack->slot;
}

static void q8_stack_guards(struct claim_result *result)
{
    struct stack *stacks = heap_alloc(Q_STACKS * sizeof *stacks, 0);
    uint32_t      count, guarded = 0, slot = 0;
    bool          close;

    if (stacks == NULL)
        return claim_saw(result, false, "no memory for a list of stacks");
    count = take_neighbours(stacks);
    close = count > 1 && stacks[count - 1].slot < stacks[count - 2].slot;
    for (uint32_t i = 0; i < count; i++) {
        if (has_guard(&stacks[i]))
            guarded++;
        else
            slot = stacks[i].slot;
    }
    for (uint32_t i = count; i > 0; i--)
        stack_put(&stacks[i - 1]);
    heap_free(stacks);
    if (guarded < count)
        return claim_saw(result, false, "the page below stack %u can be read, or is not known as its guard", slot);
    claim_saw(result, count > 0, "the page below each of %u stacks%s faults, and is known as the guard of that stack",
              count, close ? ", neighbours among them," : "");
}

static void q9_last_page(struct claim_result *result)
{
    uint32_t word;
    bool     readable = probe_read(Q_LAST_WORD, &word);

    claim_saw(result, !readable && !entry_present(leaf_of(page_of(Q_LAST_WORD))), "reading at %s %s",
              show_address(Q_LAST_WORD).text, readable ? "SUCCEEDS" : "faults");
}

const struct claim_probe quire_probes[] = {
    { "Q1",  q1_never_handed_out },
    { "Q2",  q2_pool_follows_image },
    { "Q3",  q3_null_faults },
    { "Q4",  q4_user_end },
    { "Q5",  q5_direct },
    { "Q6",  q6_not_writable },
    { "Q7",  q7_windows },
    { "Q8",  q8_stack_guards },
    { "Q9",  q9_last_page },
    { "Q10", q10_bitmap_follows_image },
    { "Q11", q11_zeroed },
    { "Q12", q12_exhaustion },
    { 0 },
};
