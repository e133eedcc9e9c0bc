/*
 * claims_boot.c - the claims M1 to M4: from the boot sector to the kernel at one megabyte.
 *
 * The relocator's notes (boot/info.h) are compared with the bytes themselves: low memory is never allocated in this
 * layout, so the loaded bytes still lie there.
 */
#include "layouts/movos/claims.h"

#include "base/string.h"
#include "boot/bios.h"
#include "boot/bios/sum.h"
#include "boot/info.h"
#include "claims/probe.h"
#include "cpu.h"

extern char image_text_start[], image_rodata_end[];             /* the linker script's */

/* With another loader these claims are not checked. */
static bool came_from_bios(struct claim_result *result)
{
    if (boot_magic() == BIOS_MAGIC)
        return true;
    claim_unseen(result, "not booted from a disk or floppy image");
    return false;
}

static const uint8_t *low(uint32_t address) { return pointer_to(address); }

/* Whether low memory is mapped at its own address, as in this document. */
static bool shows_low_memory(struct claim_result *result, uint32_t address, size_t bytes)
{
    struct span span = { address / PAGE_SIZE, (address + bytes - 1) / PAGE_SIZE + 1 };

    if (first_page_elsewhere(span, frame_of(address)) == span.end)
        return true;
    claim_saw(result, false, "physical memory from 0x%x on does not show at its own address", address);
    return false;
}

void m1_boot_sector(struct claim_result *result)
{
    const struct boot_path *path = boot_path();
    uint32_t sum;
    unsigned signature;

    if (!came_from_bios(result) || !shows_low_memory(result, M_SECTOR, M_SECTOR_BYTES))
        return;
    sum       = bios_sum(0, low(M_SECTOR), M_SECTOR_BYTES);
    signature = low(M_PADDING - 2)[0] | (unsigned)low(M_PADDING - 1)[0] << 8;
    claim_saw(result, path->sector_at == M_SECTOR && sum == path->sector_built && path->sector_sum == sum &&
              signature == M_SIGNATURE,
              "512 bytes at 0x%04x, still with the sum 0x%08x they were built with, end at 0x7e00 with 0x%04x",
              path->sector_at, sum, signature);
}

/* A sector of what was loaded that lies in the padding as well; the end of it all if there is none. */
static uint32_t sector_in_padding(const struct boot_path *path)
{
    uint32_t end = path->loaded_at + path->image_bytes / M_PADDING_BYTES * M_PADDING_BYTES;
    uint32_t at  = M_RELOCATOR;

    while (at < end && memcmp(low(at), low(M_PADDING), M_PADDING_BYTES) != 0)
        at += M_PADDING_BYTES;
    return at < end ? at : end;
}

static bool is_all_zero(const uint8_t *bytes, size_t count)
{
    while (count > 0 && bytes[count - 1] == 0)
        count--;
    return count == 0;
}

/*
 * On the disk there is a sector of padding that is not zero; in memory only the place for it is left: neither that
 * sector lies there nor another, and what lies there is what the relocator found before it did anything else.
 */
void m2_padding(struct claim_result *result)
{
    const struct boot_path *path = boot_path();
    uint32_t sum;

    if (!came_from_bios(result) || !shows_low_memory(result, M_PADDING, M_PADDING_BYTES))
        return;
    sum = bios_sum(0, low(M_PADDING), M_PADDING_BYTES);
    if (!is_all_zero(low(M_PADDING), M_PADDING_BYTES) &&
        sector_in_padding(path) < path->loaded_at + path->image_bytes / M_PADDING_BYTES * M_PADDING_BYTES)
        return claim_saw(result, false, "what was loaded to 0x%x lies in the padding as well", sector_in_padding(path));
    claim_saw(
        result,
        path->padding_sum != path->padding_built && path->padding_first == path->padding_sum &&
            sum == path->padding_sum,
        "from 0x7e00 to 0x7fff nothing was loaded (sum 0x%08x, of the disk's padding 0x%08x), and nothing written "
        "since",
        sum, path->padding_built);
}

void m3_relocator(struct claim_result *result)
{
    const struct boot_path *path = boot_path();
    uint32_t behind = path->relocator_at + path->relocator_bytes;
    size_t   text   = (size_t)(image_text_start - (char *)pointer_to(M_KERNEL));

    if (!came_from_bios(result) || !shows_low_memory(result, path->loaded_at, text + 64))
        return;
    claim_saw(result, path->relocator_at == M_RELOCATOR && path->loaded_at == behind &&
              memcmp(low(path->loaded_at) + text, image_text_start, 64) == 0,
              "the relocator ran at 0x%04x and has %u bytes; the kernel, %u bytes, was loaded at 0x%x, right behind it",
              path->relocator_at, path->relocator_bytes, path->image_bytes, path->loaded_at);
}

/* Variables have changed since; code and constants must equal the loaded ones, byte by byte. */
void m4_relocated(struct claim_result *result)
{
    const struct boot_path *path = boot_path();
    size_t    text  = (size_t)(image_text_start - (char *)pointer_to(M_KERNEL));
    size_t    bytes = (size_t)(image_rodata_end - image_text_start);
    uintptr_t here;

    if (!came_from_bios(result) || !shows_low_memory(result, path->loaded_at, text + bytes))
        return;
    __asm__ volatile("call 1f\n1: pop %0" : "=r"(here));
    claim_saw(
        result,
        path->moved_to == M_KERNEL && path->sum_loaded == path->sum_built && path->sum_moved == path->sum_built &&
            here >= M_KERNEL && here < M_KERNEL + path->image_bytes &&
            memcmp(low(path->loaded_at) + text, image_text_start, bytes) == 0,
        "sum 0x%08x as built, loaded and moved to 0x%08x; %u bytes of code and constants equal the loaded ones; runs "
        "at 0x%08x",
        path->sum_moved, path->moved_to, (unsigned)bytes, (unsigned)here);
}
