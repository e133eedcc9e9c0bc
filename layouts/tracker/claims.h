/*
 * claims.h - what the claims of layouts/tracker/layout.md have in common: the document's own numbers, typed once more.
 */
#ifndef QUIRE_CLAIMS_TRACKER_H
#define QUIRE_CLAIMS_TRACKER_H

#include "claims/claims.h"
#include "memory/spaces/space.h"

#define T_MASTER    0x00100000u         /* the master table; its entries a page further     */
#define T_TRACKERS  0x07C00000u         /* pages of trackers, 512 of them at most           */
#define T_LIST      0x07E00000u         /* pages of the list                                */
#define T_USER      0x08000000u
#define T_USER_END  0x80000000u
#define T_OBJECTS   0x80000000u
#define T_OBJECTS_END 0xFFC00000u

enum { T_DIRECTORY = 0x1000, T_PLACE = 0x2000, T_A_PAGE = 512, T_POINTERS = 1024, T_MANY = 2000 };

/* The frame that kernel space shows at an address; NO_FRAME if none. */
frame_t t_shown(vaddr_t address);

/* A word of kernel memory. */
uint32_t t_word(vaddr_t address);

/* claims_master.c */
void t5_known_place(struct claim_result *result);
void t6_identity(struct claim_result *result);
void t7_firmware_present(struct claim_result *result);
void t8_structures_present(struct claim_result *result);
void t18_order(struct claim_result *result);

/* claims_many.c: claims about many spaces at once */
void t10_pins(struct claim_result *result);
void t11_thousands(struct claim_result *result);
void t16_a_page_of_trackers(struct claim_result *result);
void t17_further_pages(struct claim_result *result);

/*
 * A word of a program's memory, as the processor finds it while that space is in use: no reading that could sleep.
 * Where the kernel is kept from programs' pages, by the space's tables. 0: nothing is there.
 */
uint32_t t_program_word(struct space *space, vaddr_t user);

#endif
