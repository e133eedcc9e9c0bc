/*
 * claims.h - what the layout's document claims, looked at on the running machine.
 *
 * The document lists claims and where each is shown. For those shown by the kernel there is a probe,
 * found by its id: it looks at tables, registers and bytes, never at the constants from which
 * they were made, and says what it saw. A claim without a probe fails.
 *
 * Report, one line a claim, for people and for programs:
 *
 *     claim A9 holds 15992 ones in the bitmap and 15992 free frames; ...
 *     claim A9 fails frame 1234 was taken and its bit is 1
 *     claim G7 differs programs can read what they may execute
 *     claim M1 unseen no boot sector ran: a loader that speaks Multiboot brought the kernel
 *     claim A17 elsewhere build a17_boot_directory_shows_four_mebibytes_twice
 *
 * "differs": this processor cannot do what the claim says, or a wish of the design document is fulfilled in another
 * way. The probe has checked all that the processor can do, and names the rest; a test on the software MMU must show
 * the claim as it stands, unless it is a wish. "unseen": another boot of the same kernel must show it, such as one from
 * the disk image. tools/claims-table sees to both.
 *
 * A mutation makes one claim untrue on purpose, and its probe must notice.
 *
 * Locking  none held; probes take frames, stacks and spaces and give them back.
 */
#ifndef QUIRE_CLAIMS_CLAIMS_H
#define QUIRE_CLAIMS_CLAIMS_H

#include "base/rows.h"

enum { CLAIM_SAW = 160 };

enum claim_verdict { CLAIM_FAILS, CLAIM_HOLDS, CLAIM_DIFFERS, CLAIM_UNSEEN, CLAIM_VERDICTS };

struct claim_result {
    enum claim_verdict verdict;
    char               saw[CLAIM_SAW];
};

struct claim_probe {
    const char *id;
    void      (*probe)(struct claim_result *);
};

/* A way to make a claim untrue, and to make it true again. */
struct claim_mutation {
    const char *id;
    bool      (*mutate)(void);      /* false: there is no memory to do it with */
    void      (*restore)(void);
    const char *how;
};

/*
 * Sets (rows.h), one for each design document of whose claims the layout's document makes any (by the letter that
 * their ids begin with). The ids of one design document differ from those of others.
 */
extern const struct claim_probe    *const claim_probes[];
extern const struct claim_mutation *const claim_mutations[];

/*
 * Set by a machine that lacks something (tests/claims): why it cannot show a claim, NULL where it can. The claim is
 * then unseen, and its probe is not run. Every kernel leaves it NULL: what is unseen there, the probe itself says.
 */
extern const char *(*claim_lacks)(const char *id);

/* For probes: what was seen, and whether the claim holds. A later call replaces an earlier one. */
void claim_saw(struct claim_result *result, bool holds, const char *format, ...) PRINTF_LIKE(3, 4);

/* For probes: all that the processor can do is as claimed, and this is what it cannot do. */
void claim_differs(struct claim_result *result, const char *format, ...) PRINTF_LIKE(2, 3);

/* For probes: this boot cannot show the claim, for this reason. */
void claim_unseen(struct claim_result *result, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
