/*
 * family.h - how processes are put together and taken apart. Internal to kernel/process.
 *
 * process_lock guards the lists, the tree, groups, sessions and states of processes.
 */
#ifndef QUIRE_PROCESS_FAMILY_H
#define QUIRE_PROCESS_FAMILY_H

#include "process/numbers.h"
#include "process/process.h"

extern struct lock process_lock;

/* With process_lock held. */
struct process *process_numbered(int32_t id);
struct thread  *thread_numbered(int32_t id);
/* The process with the next higher number than this, or NULL. The lock is dropped now and then. */
struct process *process_beyond(int32_t id, lock_state *state);
struct thread  *thread_beyond(int32_t process, int32_t id, lock_state *state);  /* of this process */
void process_delist(struct process *process);
void process_join_group(struct process *process, struct number *group);         /* leaves the one it was in */
void process_join_session(struct process *process, struct number *session);
/* Its state changed: a parent that is to hear of it may find it. The lock is dropped now and then. */
void process_note_change(struct process *child, lock_state *state);
void process_forget_change(struct process *child);               /* its parent heard of it */
void thread_become_first(struct thread *thread);  /* its process's number, whose thread is gone, is its own */
void thread_delist(struct thread *thread);
/* the first of T1 to T3 (process.c) that does not hold; NULL */
const char *process_broken(const struct process *process);
void process_adopt(struct process *parent, struct process *child);                 /* parent NULL: none */

struct process *process_new(void);                  /* root's, zeroed, in no list; NULL without memory */
struct process *process_new_like_this(void);        /* with the current thread's credentials               */
/*
 * Number a process and enter it everywhere: as a child of `parent`, in the group and session of `like`; NULL: of its
 * own, and the first such process is number 1. Returns 0, or -EAGAIN when no number is free.
 */
int  process_enlist(struct process *process, struct process *parent, const struct process *like) MUST_CHECK;
void process_let_go(struct process *process);       /* drop its references                          */
void process_free(struct process *process);        /* its memory stays while its number is used */

/* The process needs the space of its vfork caller no more: the caller goes on. With process_lock held. */
void process_return_memory(struct process *process);

/* Called before a process releases its memory: keeps the peak of it for its usage. */
void usage_keep_peak(struct process *process);

/*
 * Once a process has had a limit of processor time (cpu_due), and so usage_limits is true, schedule.c tells of each
 * turn, with its lock held: the process (NULL: none) that has had the processor for so many nanoseconds, and whose turn
 * comes.
 */
extern bool usage_limits;
void usage_change_turn(struct process *from, uint64_t nanoseconds, const struct process *to);

/* cpu_ticks() since the current thread was switched to: they are not in its `ran` yet. */
uint64_t schedule_turn(void);

/*
 * For a parent without threads, which cannot wait: take a child that has ended, and free it; `which` is its number, or
 * -1 for any. False when there is none.
 */
bool process_collect(struct process *parent, int32_t which, struct process_end *out);

/*
 * With a stack in the memory of its process. Returns 0; -ENOMEM; -EAGAIN when all places for stacks are in use. The
 * thread is the caller's, for thread_free(), until schedule_add(). thread_enlist() numbers it: 0, or -EAGAIN when no
 * number is free, or the current thread is to be killed: its new thread would not hear of that. A thread is freed where
 * it does not run and its stack is not in use.
 */
int  thread_new(struct process *process, struct thread **out) MUST_CHECK;
int  thread_enlist(struct thread *thread) MUST_CHECK;
void thread_free(struct thread *thread);

struct shared_space *memory_new(void);
void memory_hold(struct shared_space *memory);
void memory_release(struct shared_space *memory);
/* The space runs this file, whose writers are kept away until the space is released. 0 or -ETXTBSY. */
int  memory_set_executable(struct shared_space *memory, struct node *node) MUST_CHECK;
void memory_hold_tables(struct shared_space *memory);        /* a thread has its stack there                 */
void memory_release_tables(struct shared_space *memory);     /* and has not any more                         */

struct signal_actions *actions_new(const struct signal_actions *like);
void actions_hold(struct signal_actions *actions);
void actions_forget_handlers(struct signal_actions *actions);    /* what is not ignored is as at first  */
void actions_release(struct signal_actions *actions);

/* The threads that wait for their turn, as schedule.c has them. */
struct run_queue {
    struct thread *first, *last;
    uint32_t       count;
};
extern struct run_queue run_queue;

/* The first of Y1 to Y4 (schedule.c, wait.c) that does not hold, Y3 for one waiter; NULL when they do. */
const char *schedule_broken(void);
const char *wakes_broken(void);
const char *waiter_broken(const struct waiter *waiter);

/* schedule.c: stop, continue or end a thread; wake one for a signal. */
void schedule_stop_here(void);         /* returns at once where the process has been set going meanwhile */
void schedule_resume(struct thread *thread);
void schedule_end(void) NORETURN;
void wake_thread(struct thread *thread);

/*
 * As signal_group(), with process_lock held already. Zombies count as members, as under Linux. Before a process leaves
 * a group members_leave() tells it.
 */
void signal_members(struct number *group, int number);
void members_leave(struct process *process);

/* Lists of threads change with process_lock and this one held, so either suffices to read them. */
extern struct lock signals_lock;
void signals_leave_thread(struct thread *thread);   /* before it leaves the list; with that lock held */
/* All threads of a process but one are to end: waits are cut short, stops too. */
void signal_end_threads(struct process *process, struct thread *spared);

#endif
