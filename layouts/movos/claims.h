/*
 * claims.h - the numbers of the claims M1 to M17, and what the files of their probes share.
 *
 * The numbers are the claims' own and are not taken from the document's tables: if the document
 * were changed, the probes would notice. claims.c has the probes about memory and bookkeeping, claims_boot.c those
 * about the way from the BIOS, claims_processes.c those that make processes; mutations.c makes claims untrue.
 */
#ifndef QUIRE_CLAIMS_MOVOS_H
#define QUIRE_CLAIMS_MOVOS_H

#include "claims/claims.h"
#include "memory/spaces/space.h"

#define M_SECTOR        0x7C00u         /* M1                     */
#define M_PADDING       0x7E00u         /* M2                     */
#define M_RELOCATOR     0x8000u         /* M3                     */
#define M_KERNEL        0x00100000u     /* M4                     */
#define M_KERNEL_END    0x00800000u     /* M5, M16                */
#define M_WINDOW        0x00400000u     /* M13                    */
#define M_WINDOW_END    0x00800000u
#define M_START         0x40000000u     /* M12, M15               */
enum {
    M_SECTOR_BYTES = 512, M_PADDING_BYTES = 512, M_SIGNATURE = 0xAA55,
    M_KERNEL_FRAMES = 1792,             /* M5: 7 MiB              */
    M_CHUNK = 1024,                     /* M15: pages             */
};

/* The root's entry for a page, and a last-level entry, as any space has them. */
entry_t m_root_entry(const struct space *space, page_t page);

#define PROBE(name) void name(struct claim_result *result)
/* claims_boot.c */
PROBE(m1_boot_sector); PROBE(m2_padding); PROBE(m3_relocator); PROBE(m4_relocated);
/* claims_processes.c */
PROBE(m7_nothing_left); PROBE(m8_registers_and_tables); PROBE(m10_page_by_page); PROBE(m12_start_address);
PROBE(m15_chunk_order); PROBE(m16_kernel_unseen);
#undef PROBE

#endif
