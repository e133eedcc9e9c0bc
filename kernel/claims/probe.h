/*
 * probe.h - functions that probes of several layouts share.
 *
 * All of these look at the machine as it is: tables are walked, bytes read, frames really taken.
 */
#ifndef QUIRE_CLAIMS_PROBE_H
#define QUIRE_CLAIMS_PROBE_H

#include "claims/claims.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"

/* The physical address behind a kernel address, by walking kernel space's tables; false if there is none. */
bool physical_of(vaddr_t address, paddr_t *out);

/* The present last entry that leads to a page; entry_empty() if there is none. A large page counts. */
entry_t leaf_of(page_t page);

/* First page of a span that is not mapped to first_frame and the frames after it; span.end if all are. */
page_t first_page_elsewhere(struct span span, frame_t first_frame);

/* First page of a span that can be read (or written, with the value it has already); span.end if none. */
page_t first_readable(struct span span);
page_t first_writable(struct span span);

/*
 * Take every frame that the pool has, look at each, give all back. Returns the number of frames; *bad is the first for
 * which `forbidden` returns true, NO_FRAME if there is none.
 */
uint32_t take_all_frames(bool (*forbidden)(frame_t), frame_t *bad);

/* True where so many frames are free. Else the claim is unseen: that memory is short does not make it untrue. */
bool claim_has_frames(struct claim_result *result, size_t needed) MUST_CHECK;

/* True if a device decodes some of the frame, or the boot loader did not list it as usable memory (claims/told.h). */
bool is_device_or_hole(frame_t frame);

/*
 * The first page from *page on that kernel space maps, and its entry: a table's worth without any is passed over in one
 * step. False: there is none.
 */
bool next_present(page_t *page, entry_t *out);

/* Owners that had their frames before the pool was open, or never were in it. Tables are such as well. */
bool was_never_pooled(frame_t frame);

/*
 * program_start() makes an empty space of a program, without limits; false without memory. program_end() gives back all
 * that is mapped there. program_frame() is the frame behind one of its addresses, NO_FRAME if there is none.
 */
bool    program_start(struct space *space);
void    program_end(struct space *space);
frame_t program_frame(const struct space *space, vaddr_t address);

/* The frame that a program's first write to an address maps; the address is in a region. NO_FRAME: none. */
frame_t program_write(struct space *space, vaddr_t address);

/* Ones in the pool's bitmap, seen as bytes at `bitmap`. */
uint32_t ones_in(const uint8_t *bitmap, size_t bytes);

/* The bit of a frame in the bitmap. */
bool bit_in(const uint8_t *bitmap, frame_t frame);

#endif
