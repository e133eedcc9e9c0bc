/*
 * snapshot.h - all of memory as it is at one moment, in lines of text: what `./quire map` draws.
 *
 * Nothing is drawn here and nothing is judged: the lines say what the tables, the region trees and the frame records
 * say. A line is words with blanks between them; the last word of a line may have blanks in it. Addresses are bytes in
 * hexadecimal without 0x, counts are decimal and in pages or frames. Lines of one kind follow each other:
 *
 *   quire-map 1                                            the form of what follows
 *   layout NAME TITLE                                      the document
 *   moment TEXT                                            when this was
 *   ram FRAMES                                             all RAM
 *   owned OWNER FRAMES TEXT                                the pool's own sums
 *   row FIRST LAST USE NAME                                physical memory in the document; addresses, rising
 *   structure NAME ADDRESS                                 the processor's tables, where the document says where
 *   firmware FIRST FRAMES ram|reserved                     the memory map the pool was opened with
 *   frames FIRST FRAMES OWNER                              runs of frames of one owner, without gaps, rising; the last
 *                                                          ends where the highest RAM ends
 *   region FIRST PAGES RIGHTS RIGHTS BACKING SCOPE UNIT GUARD NAME
 *                                                          virtual memory in the document, rising: the kernel's rights,
 *                                                          the programs'; BACKING may be alias:NAME; those of SCOPE
 *                                                          kernel come last, and stand in kernel space in the place of
 *                                                          user; UNIT pages a piece, GUARD pages below each never
 *                                                          mapped
 *   space TABLES                                           kernel space; its page tables
 *   run FIRST PAGES KIND RIGHTS RIGHTS CACHE OWNER SHARED FRAME NAME
 *                                                          what is mapped there, falling row by row
 *                                                          (memory/tables/run.h); OWNER is `several`, FRAME is - where
 *                                                          frames are not in a row; NAME is the region of kernel space,
 *                                                          - if there is none
 *   process ID PARENT THREADS TABLES RESIDENT NAME         then, of its space:
 *   shares ID                                                it is that process's, shown there; or
 *   map FIRST PAGES RIGHTS MOST GAP NAME                     a region, rising, RIGHTS as in /proc/PID/maps; MOST pages
 *                                                            is how long one that grows downwards may become, 0 that it
 *                                                            does not, and GAP how far it stays away from what lies
 *                                                            below
 *   run ...                                                  what is mapped in it, by owner, falling
 *   part NAME                                                a row of the document that each space has its own of
 *   run ...                                                  what is mapped in it
 *   end LINES                                              all lines but this one; or
 *   cut LINES                                              that many lines had no room and are missing
 *
 * Moment   nothing here sleeps or switches threads, and kernel code is not preempted, so everything stands still while
 *          the lines are written. What is written into memory of its own (/proc/quire/map) has room made for it before.
 * Cost     a look at every frame record and every entry of every space. No allocation.
 */
#ifndef QUIRE_INIT_SNAPSHOT_H
#define QUIRE_INIT_SNAPSHOT_H

#include "files/proc/reports.h"

/* Rights as the lines have them: rw-. */
struct letters { char text[4]; };
struct letters snapshot_letters(unsigned rights);

/* Write all lines to the sink, whose `bytes` is 0. */
void snapshot_write(struct snapshot_sink *sink, const char *moment);

/*
 * The host has ordered a snapshot (devices/channel.h): snapshot_send() sends one through the channel, the first
 * time it is called after that, and otherwise does nothing. Returns whether it did.
 */
void snapshot_request(void);
bool snapshot_send(const char *moment);

#endif
