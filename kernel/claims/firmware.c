/*
 * firmware.c - the claims of layouts/firmware.md, G1 to G27, each looked at.
 *
 * The addresses in here are the claims' own and are not taken from the document's tables: if the
 * document were changed, these probes would notice.
 */
#include <layout.h>

#ifdef LAYOUT_CLAIMS_G

#include "claims/looking.h"

#include "console/show.h"

#define G_USER      0x08000000u             /* G2: programs from here to the top */

/* G2: whatever kernel space shows lies below everything that a program can have. */
static void g2_kernel_below(struct claim_result *result)
{
    page_t highest = 0;

    for (page_t page = 0; page < layout.space_end; page++)
        if (entry_present(leaf_of(page)))
            highest = page;
    if (page_address(highest) >= G_USER)
        return claim_saw(result, false, "kernel space shows a page at %s", show_address(page_address(highest)).text);
    claim_saw(result, true, "the kernel's highest page is at %s", show_address(page_address(highest)).text);
}

const struct claim_probe firmware_probes[] = {
    { "G2", g2_kernel_below },
};
const uint32_t firmware_probe_count = COUNT_OF(firmware_probes);

#endif
