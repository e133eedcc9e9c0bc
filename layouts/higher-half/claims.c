/*
 * claims.c - the claims of layouts/higher-half/layout.md about physical memory, A1 to A9, each looked at.
 *
 * The addresses in here are the claims' own and are not taken from the document's tables: if the
 * document were changed, these probes would notice. claims_spaces.c has the claims about addresses.
 */
#include "claims/made.h"
#include "claims/probe.h"

#include "arch/contract.h"
#include "layouts/higher-half/claims.h"
#include "console/show.h"
#include "cpu.h"
#include "inspect.h"

extern char image_physical_start[], image_physical_end[];       /* the linker script's */

/* ---- Physical memory ----------------------------------------------------------------------- */

static void a1_low_memory_shows(struct claim_result *result)
{
    struct span span = span_of(page_of(A_KERNEL), page_of(A_LOW));
    page_t      page = first_page_elsewhere(span, (frame_t){ 0 });
    uint32_t    word;

    if (page != span.end)
        return claim_saw(result, false, "%s does not lead to the same address less 3 GiB",
                         show_address(page_address(page)).text);
    for (page = span.first; page < span.end; page++)
        if (!probe_read(page_address(page), &word))
            return claim_saw(result, false, "reading at %s faults", show_address(page_address(page)).text);
    claim_saw(result, true, "%u pages from %s on lead to physical 0 on, and each can be read",
              (unsigned)span_pages(span), show_address(A_KERNEL).text);
}

static bool below_512_kib(frame_t frame) { return frame.no < A_STRUCTURES_END; }
static bool in_hardware(frame_t frame)   { return frame.no >= A_STRUCTURES_END && frame.no < A_HARDWARE_END; }
static bool in_image(frame_t frame)      { return frame.no >= A_HARDWARE_END && frame.no < A_IMAGE_END; }

/* No frame of [first, end) belongs to the pool, and none of them is among all frames that can be taken. */
static void never_handed_out(struct claim_result *result, uint32_t first, uint32_t end,
                             bool (*forbidden)(frame_t))
{
    frame_t  bad;
    uint32_t taken;

    for (uint32_t n = first; n < end; n++)
        if (!was_never_pooled((frame_t){ n }))
            return claim_saw(result, false, "frame %u belongs to %s", n,
                             owner_names[frame_owner((frame_t){ n })]);
    taken = take_all_frames(forbidden, &bad);
    if (frame_exists(bad))
        return claim_saw(result, false, "frame %u was handed out", bad.no);
    claim_saw(result, taken > 0, "took all %u free frames, none of them from %u to %u", taken, first,
              end - 1);
}

static void a2_structures_stay(struct claim_result *result)
{
    never_handed_out(result, 0, A_STRUCTURES_END, below_512_kib);
}

static void a3_hardware_stays(struct claim_result *result)
{
    never_handed_out(result, A_STRUCTURES_END, A_HARDWARE_END, in_hardware);
}

/* By the loader's own report, not by the kernel's map. */
static bool in_image_or_module(frame_t frame) { return in_image(frame) || told_of(frame) == TOLD_MODULE; }

static uint32_t modules_frames(void)
{
    uint32_t count = 0;

    for (frame_t frame = { 0 }; frame.no < frames_end(); frame.no++)
        count += told_of(frame) == TOLD_MODULE;
    return count;
}

static void a4_image_and_modules(struct claim_result *result)
{
    uint32_t start = (uint32_t)(uintptr_t)image_physical_start, end = (uint32_t)(uintptr_t)image_physical_end;

    if (start < A_HARDWARE_END * PAGE_SIZE || end > A_IMAGE_END * PAGE_SIZE)
        return claim_saw(result, false, "the image lies from 0x%x to 0x%x", start, end - 1);
    if (made_wrong(TOLD_MODULE) != NULL)
        return claim_saw(result, false, "%s", made_wrong(TOLD_MODULE));
    never_handed_out(result, A_HARDWARE_END, frames_end() < A_IMAGE_END ? frames_end() : A_IMAGE_END,
                     in_image_or_module);
    if (result->verdict == CLAIM_HOLDS)
        claim_saw(result, true, "took all free frames, none from 256 to 1023, none of the %u of modules, here or in a "
                  "made machine", modules_frames());
}

static void a5_devices_and_holes(struct claim_result *result)
{
    frame_t  bad;
    uint32_t taken;

    for (enum told kind = 0; kind < TOLD_KINDS; kind++)
        if (kind != TOLD_MODULE && made_wrong(kind) != NULL)
            return claim_saw(result, false, "%s", made_wrong(kind));
    taken = take_all_frames(is_device_or_hole, &bad);
    if (frame_exists(bad))
        return claim_saw(result, false, "frame %u was handed out, and is %s", bad.no, told_names[told_of(bad)]);
    claim_saw(result, taken > 0,
              "took all %u free frames, none of a device and none that is not listed; nor would a made machine's be",
              taken);
}

static void a6_task_state(struct claim_result *result)
{
    struct table_place task = inspect_task();
    paddr_t            physical = 0;
    bool               there    = physical_of(task.start, &physical);
    bool               fits     = task.bytes >= A_TASK_NEEDS && physical + task.bytes - 1 <= A_TASK_LAST;

    claim_saw(result, there && physical == A_TASK && fits,
              "the task register leads to physical 0x%llx, %u bytes", (unsigned long long)physical,
              task.bytes);
}

static void a7_tables_are_low(struct claim_result *result)
{
    paddr_t gdt = UINT64_MAX, idt = UINT64_MAX;

    physical_of(inspect_segments().start, &gdt);
    physical_of(inspect_gates().start, &idt);
    claim_saw(result, gdt < A_STRUCTURES_END * PAGE_SIZE && idt < A_STRUCTURES_END * PAGE_SIZE,
              "GDT at physical 0x%llx, IDT at physical 0x%llx", (unsigned long long)gdt,
              (unsigned long long)idt);
}

/* ---- The bitmap ---------------------------------------------------------------------------- */

static void a8_place_of_bitmap(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *bitmap = frames_bitmap(&bytes);
    struct span    span   = span_of(page_of(address_of(bitmap)), pages_for(bytes));
    page_t         page   = first_page_elsewhere(span, frame_of(A_BITMAP));

    if (page != span.end || address_of(bitmap) % PAGE_SIZE != 0)
        return claim_saw(result, false, "the pool's bitmap at %s is not physical 0x60000",
                         show_address(address_of(bitmap)).text);
    claim_saw(result, bytes == A_BITMAP_BYTES, "the pool's bitmap is physical 0x60000, %u bytes",
              (unsigned)bytes);
}

/* The bitmap's raw bytes, at any place: the place is claim A8. */
static void a9_one_is_free(struct claim_result *result)
{
    size_t         bytes;
    const uint8_t *raw    = frames_bitmap(&bytes);
    uint32_t       before = ones_in(raw, bytes), during, after, free = frames_free();
    bool           taken_bit, given_bit;
    frame_t        frame;

    if (before != free)
        return claim_saw(result, false, "%u ones in the bitmap, %u free frames", before, free);
    if (frame_get(OWNER_TEST, 0, &frame) != 0)
        return claim_saw(result, false, "no frame to be had");
    during    = ones_in(raw, bytes);
    taken_bit = bit_in(raw, frame);
    frame_put(frame);
    after     = ones_in(raw, bytes);
    given_bit = bit_in(raw, frame);
    claim_saw(
        result, !taken_bit && given_bit && during == before - 1 && after == before,
        "%u ones and as many free frames; taking frame %u: bit %u, %u ones; giving it back: bit %u, %u ones",
        before, frame.no, taken_bit, during, given_bit, after);
}

const struct claim_probe higher_half_probes[] = {
    { "A1",  a1_low_memory_shows },
    { "A2",  a2_structures_stay },
    { "A3",  a3_hardware_stays },
    { "A4",  a4_image_and_modules },
    { "A5",  a5_devices_and_holes },
    { "A6",  a6_task_state },
    { "A7",  a7_tables_are_low },
    { "A8",  a8_place_of_bitmap },
    { "A9",  a9_one_is_free },
    { "A10", a10_three_to_one },
    { "A11", a11_kernel_is_shared },
    { "A12", a12_both_windows },
    { "A13", a13_core_again },
    { "A14", a14_heap_window },
    { "A15", a15_stacks },
    { "A16", a16_self_map },
    { "A18", a18_identity_is_gone },
    { 0 },
};
