/*
 * claims.h - the probes of pat's claims are in two files: those about spaces, K13 to K22, are declared here for the
 * table in claims.c, which has the others.
 */
#ifndef QUIRE_CLAIMS_PAT_H
#define QUIRE_CLAIMS_PAT_H

#include "claims/claims.h"

/* claims_spaces.c */
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

#endif
