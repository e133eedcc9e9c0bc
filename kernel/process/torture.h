/*
 * torture.h - what a machine in need does now and then, done all the time: a checked kernel's switches.
 *
 * A word on the kernel's command line turns them on, several with commas between them:
 *
 *     torture=evict:N         after each N-th fault or call of a program one of its private pages leaves (page_out.h)
 *     torture=hand:N          after each N-th the hand looks at one window: what is cold leaves, be it an object's or
 *                             a sleeping program's; under `tracker` tables follow (make_room.h)
 *     torture=move:N          as evict, but the page gets another frame
 *     torture=tables:N        after each N-th, all entries are dropped that a fault can make again: pages of objects,
 *                             and of zeros; with them go the tables that are empty then
 *     torture=switch:N        at each N-th place in the kernel where a thread may sleep, another one runs that is
 *                             ready: may_sleep(), may_fault() (base/lock.h); and turns are short
 *     torture=fail:N          the N-th frame that each call takes is refused to it, once: no program may notice
 *     torture=fail            programs may order failures, one at a time, by /proc/quire/torture
 *
 * N is 1 where it is left out, but for fail. A kernel that is not a checked one refuses to start with such a word, and
 * the one that only runs programs has no part of this (sources.mk: whole).
 *
 * Orders, written to /proc/quire/torture: `frame K`, `heap K`: in the writing thread's next call the K-th frame or
 * block that is taken is refused, and no room is made for a second try; `again K`: the K-th frame, and room is made.
 * Reading the file tells whether the last order came to its K-th, and what the switches have done. What other threads
 * take meanwhile is not counted; what interrupts take is.
 *
 * A page that was asked for lately does not leave, and keeps its entry: an instruction may need eight pages at once.
 *
 * Locking  none held by the caller but mutexes; map locks are taken as a reader, and inside them those of page_out.h.
 *          torture_fault() and torture_call_ends() may sleep.
 * Cost     that of a page that goes, or moves; tables: that of unmapping all of the space.
 */
#ifndef QUIRE_PROCESS_TORTURE_H
#define QUIRE_PROCESS_TORTURE_H

#include "base/types.h"

struct space;

/* Read the command line. Returns what is wrong with its word in words, or NULL. */
const char *torture_note(const char *command_line);

/* A fault of a program, or of a copy for it, is about to be handled. */
void torture_fault(struct space *space, vaddr_t address);

/* Around a system call, in the calling thread. */
void torture_call_begins(void);
void torture_call_ends(void);

/* An order. Returns 0, -EPERM without the word, -EINVAL where it is none. */
int  torture_order(const char *text);

/* Since the start, but `hit`: whether the last order has come to its K-th. */
struct torture_done {
    uint32_t evicted, cold, moved, dropped, switched, failed;
    bool     hit;
};
struct torture_done torture_done(void);

#endif
