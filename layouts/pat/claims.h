/*
 * claims.h - the probes of the claims K1 to K23, which are in two files: pages, and spaces.
 */
#ifndef QUIRE_CLAIMS_PAT_H
#define QUIRE_CLAIMS_PAT_H

#include "claims/claims.h"

/* pat_spaces.c */
void k13_identity(struct claim_result *result);
void k14_handler_first(struct claim_result *result);
void k15_cr3_then_cr0(struct claim_result *result);
void k16_first_entry_only(struct claim_result *result);
void k17_changes_on_traps(struct claim_result *result);
void k18_empty_until_mapped(struct claim_result *result);
void k19_physical_not_marked(struct claim_result *result);
void k20_next_available(struct claim_result *result);
void k21_unaligned_fails(struct claim_result *result);
void k22_not_there(struct claim_result *result);

/* pat_mutations.c: by the claim's number; false without memory. */
bool k_corrupt_2(void);
void k_restore_2(void);
bool k_corrupt_5(void);
void k_restore_5(void);
bool k_corrupt_7(void);
void k_restore_7(void);
bool k_corrupt_13(void);
void k_restore_13(void);
bool k_corrupt_16(void);
bool k_corrupt_17(void);
void k_restore_17(void);

#endif
