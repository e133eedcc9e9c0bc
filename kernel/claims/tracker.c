/*
 * tracker.c - the claims of layouts/tracker.md, T1 to T18, each looked at.
 */
#include <layout.h>

#ifdef LAYOUT_CLAIMS_T

#include "claims/looking.h"

#include "memory/master.h"

static void t5_master(struct claim_result *result)
{
    claim_saw(result, mmu_active().no == 0x100, "CR3 names frame 0x%x", mmu_active().no);
}

const struct claim_probe tracker_probes[] = {
    { "T5", t5_master },
};
const uint32_t tracker_probe_count = COUNT_OF(tracker_probes);

#endif
