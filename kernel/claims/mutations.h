/*
 * mutations.h - ways to make a claim untrue on purpose, so that its probe can be seen to notice.
 *
 * Only changes that the machine survives: the probes of the other claims run meanwhile and must hold. Each change can
 * be undone; one is made at a time. Changes for one layout alone are in layouts/NAME/mutations.c.
 */
#ifndef QUIRE_CLAIMS_MUTATIONS_H
#define QUIRE_CLAIMS_MUTATIONS_H

#include "claims/claims.h"
#include "memory/spaces/space.h"

/* The last entry for a page of kernel space; no large page covers it. */
entry_t get_entry(page_t page);

/* Put another entry there until restore_entry(). */
bool change_entry(page_t page, entry_t to);
void restore_entry(void);

/* The same for the last of the first 4 MiB from a page of the kernel on: it shows the frame below its own. */
bool shift_low_page(page_t kernel);

/* The same for the last page of the kernel's first 4 MiB: programs get rights to it. */
bool open_low_page(void);

/* A frame is owned by a test, which should not hold it, until take_back_frame(). */
bool hand_out_frame(frame_t frame);
void take_back_frame(void);

/* A free frame is marked used in the bitmap, and has no owner. False when no frame is free. */
bool hide_free_frame(void);
void show_hidden_frame(void);

/* Map a page of kernel space that must be empty. False without memory. */
bool map_extra_page(page_t page);
void unmap_extra_page(void);

/* Map page 0, in the part of programs, where kernel space has no table of its own. False without memory. */
bool map_null_page(void);
void unmap_null_page(void);

#endif
