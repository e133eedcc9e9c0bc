/*
 * claims.h - the numbers that the claims A1 to A18 name, as the design document writes them, and what the files of
 * their probes share.
 */
#ifndef QUIRE_CLAIMS_HIGHER_HALF_H
#define QUIRE_CLAIMS_HIGHER_HALF_H

#include "claims/claims.h"

#define A_KERNEL            0xC0000000u         /* A1, A10: 3 GiB, where physical 0 shows          */
#define A_LOW               0x00400000u         /* A1: the first 4 MiB                             */
#define A_TABLE             0x00400000u         /* what one directory entry covers                 */

#define A_STRUCTURES_END    0x80u               /* A2, in frames: 512 KiB                          */
#define A_HARDWARE_END      0x100u              /* A3: 1 MiB                                       */
#define A_IMAGE_END         0x400u              /* A4: 4 MiB                                       */

#define A_TASK              0x2000u             /* A6: 0x2000..0x2071; a 32-bit TSS needs 104      */
#define A_TASK_LAST         0x2071u
#define A_TASK_NEEDS        104u

#define A_BITMAP            0x60000u            /* A8: 1024 * 1024 / 8 bytes                       */
#define A_BITMAP_BYTES      0x20000u

#define A_CORE              0xF0000000u         /* A12, A13                                        */
#define A_HEAP              0xF1000000u         /* A14: to 0xFEFFFFFF                              */
#define A_HEAP_LAST         0xFEFFFFFFu
#define A_STACKS            0xFF800000u         /* A15: to 0xFFBFFFFF                              */
#define A_STACK_COUNT       1024u
#define A_TABLES            0xFFC00000u         /* A16                                             */
#define A_DIRECTORY         0xFFFFF000u

#define PROBE(name) void name(struct claim_result *result)
/* claims_spaces.c */
PROBE(a10_three_to_one); PROBE(a11_kernel_is_shared); PROBE(a12_both_windows); PROBE(a13_core_again);
PROBE(a14_heap_window); PROBE(a15_stacks); PROBE(a16_self_map); PROBE(a18_identity_is_gone);
#undef PROBE

#endif
