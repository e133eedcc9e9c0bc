/*
 * walk_firmware.c - what the firmware design document's machine does on a TLB miss: one table, rights, keys.
 *
 * Written from the description of that machine with numbers of its own, not with format_firmware.h.
 *
 * Source   claims G1, G3, G5, G7 to G16.
 */
#include "machine.h"

#ifdef MMU_FORMAT_FIRMWARE

enum { R = 1, W = 2, X = 4, A = 8, D = 16, KEY_SHIFT = 5, KEYS = 127, KEY_KERNEL = 1, KEY_USER = 2 };

static uint8_t rights_with(uint32_t entry, uint32_t context)
{
    return (entry >> KEY_SHIFT & KEYS & context) != 0 ? entry & (R | W | X) : 0;
}

bool mmu_walk(page_t page, const struct access *access, struct translation *out, bool *present)
{
    uint32_t *table = (uint32_t *)&machine_ram[frame_address(mmu_active())];
    uint32_t *entry = &table[1 + page];
    uint32_t  right = access == NULL ? 0 : access->write ? W : access->fetch ? X : R;

    *present = false;
    if (page >= table[0] || (*entry & (R | W | X)) == 0)
        return false;
    *present = true;
    if (access != NULL) {
        if (!(rights_with(*entry, access->user ? KEY_USER : KEY_KERNEL) & right))
            return false;
        *entry |= A | (access->write ? D : 0);
    }
    *out = (struct translation){ .frame = { *entry >> PAGE_SHIFT }, .kernel = rights_with(*entry, KEY_KERNEL),
                                 .user = rights_with(*entry, KEY_USER), .dirty = *entry & D };
    return true;
}

/* There are no upper entries to cache. */
void mmu_walk_forget(void) { }
void mmu_walk_audit(struct audit_report *report) { (void)report; }

#endif
