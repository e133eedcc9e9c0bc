/*
 * out_of_memory.h - no frame is left for a program: which process ends, to give its memory back.
 *
 * As on Linux the process that ends is not the one that asks for the next frame but the one that has the most: its
 * score is its pages, resident ones, those that are out and page tables, and oom_score_adj thousandths of all RAM. Of
 * processes that share a space all end. Spared are processes with an adjustment of -1000, and children of vfork, as
 * long as they have the memory of one that waits for them. Where no other may be ended, the one that asks is, whatever
 * its adjustment: the kernel does not stop for want of memory.
 *
 * Locking  process_lock inside, dropped for a moment after each process that is looked at: one that begins or ends
 *          meanwhile may be overlooked. The caller holds no spin lock: others have their turn meanwhile. Interrupts may
 *          be off.
 * Cost     two walks of all processes, by number, for each that is ended.
 * Source   Linux man-pages, proc_pid_oom_score_adj(5).
 */
#ifndef QUIRE_PROCESS_OUT_OF_MEMORY_H
#define QUIRE_PROCESS_OUT_OF_MEMORY_H

#include "base/types.h"

enum { OOM_ADJUST_MOST = 1000 };        /* of oom_score_adj, and its opposite: never */

struct process;
struct thread;

/*
 * Frames that would be freed if the process ended, shared none of them, and had none of its pages out: what is packed
 * takes less, and counts in full, as on Linux, since the process that has it would take as much when it is used.
 */
uint64_t process_pages(const struct process *process);

/* The thread ends, or is about to: no memory is made for it. */
bool thread_is_ending(const struct thread *thread);

/*
 * Called by a thread whose fault found no frame. Ends a process, reports that, and lets others have their turn. Nobody
 * ends while the one chosen last has time to, nor for a thread that has not tried again since that one's memory came
 * back. Returns true when the fault should be tried again; false when it is the current process that ends, so that its
 * fault fails.
 */
bool process_give_memory_back(void);

/*
 * Whether the process that was chosen last has not given all its memory back, and has time to end. Frames come of
 * that, and turns are better its own than spent on pages that are to leave (make_room.h). wait_for_memory() pauses for
 * as long as anybody who waits for it does at a time.
 */
bool memory_is_coming(void);
void wait_for_memory(void);

#endif
