/*
 * claims.h - what the files with the probes of layouts/firmware/layout.md share.
 */
#ifndef QUIRE_CLAIMS_FIRMWARE_H
#define QUIRE_CLAIMS_FIRMWARE_H

#include "claims/probe.h"

struct builtin;

/* The design document's regions 1 to 8, bottom to top. */
enum g_region { G_TEXT, G_RODATA, G_DATA, G_ORIGINAL, G_STACK, G_SHARED, G_HEAP, G_DEVICES };

#define G_USER      0x08000000u             /* G2: programs from here up, the kernel below */

/* Words that the probes of G8 and G9 try, in pages that mutations change. */
vaddr_t        firmware_constant(void);
extern uint8_t firmware_variable[];

/* claims_rights.c */
void g7_code(struct claim_result *result);
void g8_constants(struct claim_result *result);
void g9_variables(struct claim_result *result);
void g10_original(struct claim_result *result);
void g11_stack(struct claim_result *result);
void g12_own_shared(struct claim_result *result);
void g13_heap(struct claim_result *result);
void g14_devices(struct claim_result *result);

#endif
