/*
 * mutations.h - ways to make a claim untrue on purpose, so that its probe can be seen to notice.
 *
 * Only what the machine survives: the probes of the other claims run meanwhile and still hold. Each has a way back; one
 * at a time. What is about one layout alone is in layouts/NAME/mutations.c.
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

/* Or for that of the kernel's first 4 MiB: it becomes a program's as well. */
bool open_low_page(void);

/* A frame is owned by a test, which should not hold it, until take_back_frame(). */
bool hand_out_frame(frame_t frame);
void take_back_frame(void);

/* A free frame is marked used in the bitmap, and has no owner. False when no frame is free. */
bool hide_free_frame(void);
void show_hidden_frame(void);

/* A page of kernel space where nothing should be. False without memory. */
bool map_extra_page(page_t page);
void unmap_extra_page(void);

/* Page 0, where programs are and kernel space has no table of its own. */
bool map_null_page(void);
void unmap_null_page(void);

#endif
