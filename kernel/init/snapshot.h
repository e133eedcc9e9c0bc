/*
 * snapshot.h - the state of all memory at one moment, in lines of text, which `./quire map` draws.
 *
 * The lines say what the tables, the region trees and the frame records say; nothing is checked here.
 * A line is words with blanks between them; the last word of a line may have blanks in it, and a process's name may be
 * empty. All is printable ASCII, with ? for other bytes of names; no line is longer than 511 bytes. Addresses are bytes
 * in hexadecimal without 0x, counts are decimal and in pages or frames. Lines of one kind follow each other:
 *
 *   quire-map 1                                            the form of what follows
 *   layout NAME TITLE                                      the document
 *   moment TEXT                                            when the snapshot was taken
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
 *                                                          kernel come last, and lie in kernel space where others lie
 *                                                          in user space; UNIT pages a piece, GUARD pages below each
 *                                                          never mapped
 *   space TABLES                                           kernel space; its page tables
 *   run FIRST PAGES KIND RIGHTS RIGHTS CACHE OWNER SHARED FRAME NAME
 *                                                          what is mapped there, falling, row by row
 *                                                          (memory/tables/run.h); OWNER is `several`, FRAME is - where
 *                                                          frames are not in a row; NAME is the region of kernel space,
 *                                                          - if there is none
 *   process ID PARENT THREADS TABLES RESIDENT NAME         then, of its space:
 *   shares ID                                                the space is also that process's, the first that has it,
 *                                                            and written there; or
 *   map FIRST PAGES RIGHTS MOST GAP NAME                     a region, rising, RIGHTS as in /proc/PID/maps; MOST pages
 *                                                            is how long a region that grows downwards may become (0:
 *                                                            it does not grow), GAP how far it stays from the region
 *                                                            below it
 *   run ...                                                  what is mapped in the region, by owner, falling
 *   part NAME                                                a row of the document that each space has its own of
 *   run ...                                                  what is mapped in that row
 *   end LINES                                              the number of all other lines; or
 *   cut LINES                                              the number of lines that had no room and are missing
 *
 * Moment   no function here sleeps, switches threads, or copies from or to a program, where alone kernel code is
 *          preempted: so memory does not change while the lines are written. The room for lines in memory
 *          (/proc/quire/map) is allocated before.
 * Locking  the caller holds no spin lock. process_lock is taken inside, to find each process.
 * Cost     every frame record and every entry of every space is read; for a space that several processes have, each of
 *          them looks for the first one, from the lowest number on. No allocation.
 */
#ifndef QUIRE_INIT_SNAPSHOT_H
#define QUIRE_INIT_SNAPSHOT_H

#include "files/proc/reports.h"

/* Rights as they stand in the lines: rw-. */
struct letters { char text[4]; };
struct letters snapshot_letters(unsigned rights);

/* Write all lines to the sink, whose `bytes` is 0. */
void snapshot_write(struct snapshot_sink *sink, const char *moment);

/*
 * snapshot_request() notes that the host wants a snapshot (devices/channel.h). The next snapshot_send() then sends one
 * through the channel; every other call does nothing. Returns whether it sent one.
 */
void snapshot_request(void);
bool snapshot_send(const char *moment);

#endif
