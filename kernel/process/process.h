/*
 * process.h - programs: processes, their threads, and how they begin and end.
 *
 * A process owns a space, descriptors, signal actions and a place in the tree of processes; its threads
 * own registers, a kernel stack and a signal mask. Everything a process holds is counted, and its end
 * gives back every frame (M7): the tests compare sums by owner before and after.
 *
 * Locking  process_lock (a spin lock, RANK_PROCESSES; family.h) guards the lists: numbers, the tree, the lists of
 *          threads, groups, sessions, and states, but that SIGCONT takes a process out of a stop without it. Wait
 *          queues and phases of threads are schedule.c's, signals and their queues signal.c's. A process's other fields
 *          are changed by its own threads, and the pointers to what it shares are NULL once it has ended; others read
 *          numbers of one word without a lock, and pointers only while that process cannot run, which on one CPU is
 *          until they wait. [t] only its own thread changes it; senders of signals read the mask.
 * Source   POSIX.1-2017; Linux man-pages: fork(2), clone(2), execve(2), wait(2), exit_group(2), credentials(7).
 */
#ifndef QUIRE_PROCESS_PROCESS_H
#define QUIRE_PROCESS_PROCESS_H

#include "base/list.h"
#include "memory/spaces/fault_repeat.h"
#include "memory/spaces/map.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"
#include "process/credentials.h"
#include "process/futex.h"
#include "process/numbers.h"
#include "process/schedule.h"
#include "process/signal.h"
#include "process/timers.h"
#include "thread.h"                     /* arch/<port>: struct thread_state, what the processor keeps for a thread */

struct files;  /* files/core/descriptor.h: the descriptor table, counted, shared by CLONE_FILES */
struct fs_context;                      /* files/path/path.h: root, working directory, umask; shared by CLONE_FS */
struct node;
struct terminal;

enum process_state { PROCESS_ALIVE, PROCESS_STOPPED, PROCESS_ZOMBIE };
enum thread_phase  { THREAD_RUNNING, THREAD_READY, THREAD_WAITING, THREAD_STOPPED, THREAD_DEAD };

struct limit { uint64_t soft, hard; };
enum { LIMITS = 16 };
enum { RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE,
       RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO,
       RLIMIT_RTTIME };                         /* Linux's numbers */
#define LIMIT_NONE UINT64_MAX

/*
 * What threads have used, for getrusage(2) and /proc. A process's own is the sum of its threads', dead and alive.
 */
struct resource_usage {
    uint64_t user_time, system_time;            /* nanoseconds; of a living thread: see thread_usage() */
    uint64_t faults_minor, faults_major;
    uint64_t switches_voluntary;                /* it had to wait, or ended                       */
    uint64_t switches_involuntary;              /* another's turn came                            */
    uint64_t reads, bytes_read;                 /* calls that read from files, and their bytes */
    uint64_t writes, bytes_written;
    uint64_t peak;                              /* most pages resident at one time; of many, the largest */
};

/*
 * A space shared by processes (vfork, CLONE_VM) is counted. With the last process its contents go; its tables stay
 * until no thread needs them, for a thread that ends runs in them, on a stack mapped by them, to the last.
 */
struct shared_space {
    struct space      space;
    uint32_t          references;       /* processes                                              */
    uint32_t          holds;            /* threads whose stack is in it, and one for all processes */
    struct node      *executable;       /* /proc/PID/exe */
    bool              dumpable;         /* PR_SET_DUMPABLE: kept and told, as no core is written  */
    vaddr_t           calls_at;         /* where the vDSO that it began with makes calls; 0: it has none */
    vaddr_t           argument_start, argument_end, environment_start, environment_end;
    vaddr_t           auxiliary_start, auxiliary_end;           /* its NULL pair included             */
};

struct process {
    int32_t           id, group, session;
    struct number     number;           /* its own (process/numbers.h), which may outlive it      */
    struct number    *group_number, *session_number;
    struct list       group_link, session_link;         /* in those                                       */
    struct process   *parent;
    struct list       children;         /* in the order they became children                      */
    struct list       changed_children; /* of them, those a wait may tell of (T1 in process.c), in that order */
    struct list       sibling_link, changed_link;
    uint32_t          child_changes;    /* how often one was added to those                       */
    uint64_t          order;            /* higher than that of each earlier child of its parent   */
    int32_t           maker;  /* the parent's thread that made it; when that has ended, the parent's eldest */
    struct thread    *threads, *last_thread;            /* the eldest first                        */
    uint32_t          thread_count;
    enum process_state state;
    int32_t           exit_status;      /* as wait4() reports it                                  */
    int32_t           stop_signal;
    bool              exiting;          /* every thread is to end                                 */
    bool              continued, waited_stop, waited_continue;  /* since a stop; those it has waited for */
    bool              notify_continue;       /* a thread that goes on tells the parent                 */
    int32_t           vfork_caller;     /* the process that waits until this one needs its space no more; 0: none */
    bool              has_executed;     /* exec since fork: its parent may not move it between groups */
    struct thread    *survivor;         /* the thread in exec that waits for all others to end    */
    struct wait_queue thread_ended;
    struct shared_space *memory;
    struct files     *files;
    struct fs_context     *fs;
    struct signal_actions *actions;     /* shared by CLONE_SIGHAND, counted                       */
    struct signal_queue    pending;     /* for the process as a whole                             */
    struct list       rouse_link;       /* [RANK_SIGNALS] while not all its threads have heard of a signal (rouse.c) */
    struct thread    *next_to_rouse;    /* [RANK_SIGNALS] NULL: all have                          */
    unsigned          rouse;            /* [RANK_SIGNALS] what is done with each                  */
    uint64_t          rouse_for;        /* [RANK_SIGNALS] signals for which one is still looked for */
    uint64_t          rouse_undoes;     /* [RANK_SIGNALS] signals that none is to have any more   */
    struct thread    *spared;           /* [RANK_SIGNALS] the one that does not end with the others */
    struct builtin   *builtin;          /* part of the image (builtin.h); NULL: a program from a file */
    struct terminal  *terminal;         /* controlling terminal, NULL if none                     */
    struct wait_queue child_change;     /* it waits here for a child to change                    */
    struct wait_queue vfork_done;       /* a vfork caller waits here, until its child needs the space no more */
    struct limit      limits[LIMITS];
    struct credentials  *credentials;   /* those of its first thread, the one with its number; a reference */
    char              name[16];
    int               exit_signal;      /* to the parent, SIGCHLD mostly                          */
    uint64_t          start_time;
    struct resource_usage      used;  /* of threads that have ended; peak: of programs that exec has replaced */
    uint64_t          cpu_time, cpu_due;        /* of all its threads' turns, where cpu_due is not NEVER: RLIMIT_CPU */
    struct resource_usage      children_used;    /* of children that have been waited for, and theirs      */
    bool              has_waited;       /* for a child that ended: only then is there any         */
    uint32_t          personality;      /* personality(2): kept and told                          */
    int16_t           oom_score_adj;    /* -1000 to 1000: process/out_of_memory.h                 */
    int16_t           oom_score_least;  /* what it may go back to without CAP_SYS_RESOURCE        */
    bool              subreaper;        /* PR_SET_CHILD_SUBREAPER: orphans below become its children */
    struct timer_table *timers;         /* of timer_create(); NULL until there is one             */
    int32_t           parent_death_signal;
    struct timer      alarm;            /* ITIMER_REAL                                            */
    uint64_t          alarm_interval;
};

/*
 * A wait with a limit that a signal without a handler has cut short: it goes on, with the limit it had, by
 * restart_syscall(). A call that returns -ERESTART_RESTARTBLOCK fills all of it in.
 */
struct restart {
    long    (*again)(const struct restart *restart);    /* NULL: there is nothing to go on with */
    uint64_t  deadline;                 /* clock_now() terms                                      */
    uintptr_t arguments[4];             /* those of the call's that `again` needs                 */
};

struct thread {
    struct thread_state machine;        /* [t] saved registers, TLS descriptors, FPU state        */
    struct fault_repeat repeat;         /* [t] its last page fault, should it come back           */
    struct process     *process;        /* NULL: the idle thread, and one that has ended          */
    struct shared_space *stack_memory;  /* the space its stack is mapped in, in which it runs; NULL: any */
    struct thread      *next_in_process, *before_in_process;
    struct thread      *queue_next;     /* run queue                                              */
    int32_t             id;
    struct number      *number;         /* its process's, or its own                              */
    struct number       own_number;
    enum thread_phase   phase;
    struct stack        stack;
    struct credentials *credentials;    /* [t] those it acts by; NULL: the idle thread            */
    uint64_t            mask;           /* [t] blocked signals, bit n-1 for signal n              */
    uint64_t            saved_mask;     /* [t] for sigsuspend, and calls with a mask of their own */
    bool                restore_mask;
    struct signal_queue pending;        /* for this thread alone                                  */
    vaddr_t             alternate_stack;
    size_t              alternate_size;
    uint32_t            alternate_flags;
    vaddr_t             clear_at_exit;  /* CLONE_CHILD_CLEARTID                                   */
    vaddr_t             robust_list;
    uint32_t            memory_gone;    /* of process/out_of_memory.c: the news it asked with last */
    struct restart      restart;        /* how restart_syscall() goes on                          */
    struct waiter       waiter;         /* where it waits; and for a mutex, perhaps meanwhile     */
    struct waiter       mutex_waiter;   /* also for a lock of base/rwlock.h: it never waits for both */
    struct rwlocks_held rwlocks;        /* [t] filled in checked builds                           */
    bool                lock_tried;     /* [RANK_SCHEDULE] it was woken for the lock it waits for, in vain */
    uint32_t            lock_overtaken; /* [RANK_SCHEDULE] attempts of others to overtake it              */
    bool                leads;          /* [RANK_SCHEDULE] it is ready before its turn, for a lock        */
    struct wait_queue   never;          /* is never woken: for waiting for signals and time alone */
    struct futex_waiter futex;
    struct timer        sleep_timer;
    bool                woken, timed_out, interruptible, killable;
    uint64_t            waiting_for;    /* sigtimedwait: signals that end its sleep although blocked */
    uint64_t            ran;            /* cpu_ticks() that went by while it had the CPU, but for its turn now */
    struct resource_usage        used;
    int32_t             policy, priority;       /* sched_setscheduler(2): kept and told, as niceness is     */
    bool                resets_on_fork;         /* SCHED_RESET_ON_FORK: its children start without them     */
    uint16_t            io_priority;            /* ioprio_set(2): kept and told; 0: follows from the niceness */
    int32_t             nice;                   /* -20 to 19, stored only: all turns have the same length   */
    uint64_t            timer_slack;            /* PR_SET_TIMERSLACK: kept and told, nanoseconds            */
    bool                searches_later;         /* [t] it closes many files: files/ipc/socket.h                */
    struct passed      **releasing;             /* [t] what calls within the one that it is in leave to that:  */
    struct tmpfs_entry **forgetting;            /* [t] files/ipc/socket_passed.c, files/tmpfs/tmpfs_folder.c    */
    bool                no_new_privileges;      /* PR_SET_NO_NEW_PRIVS: cannot be taken back                */
    char                name[16];
};

/* The signals that wait for a thread of a process, blocked ones too; whether one waits that is not blocked. */
static inline uint64_t signals_waiting(const struct thread *thread)
{
    return thread->pending.pending | thread->process->pending.pending;
}

bool signal_is_open(const struct thread *thread);       /* the rare part: signals wait; not all are blocked */

static inline bool signal_pending(const struct thread *thread)
{
    return thread->process != NULL && signals_waiting(thread) != 0 && signal_is_open(thread);
}

static inline struct process *current_process(void) { return current_thread()->process; }

/*
 * Numbers are unique among processes and threads; lookups return NULL when there is none. No reference is taken: the
 * process or thread stays until the caller waits, as there is one CPU.
 */
struct process *process_find(int32_t id);
struct thread  *thread_find(int32_t id);
/*
 * Visits run with process_lock held, in the order of the numbers; of a group or session, in the order they joined.
 * Between two visits the lock is dropped: no other spin lock is held. thread_each() visits all threads there are.
 */
typedef void (*process_visit)(struct process *process, void *data);
typedef void (*thread_visit)(struct thread *thread, void *data);
void process_each(process_visit visit, void *data);
void thread_each(thread_visit visit, void *data);
void process_each_in_group(int32_t group, process_visit visit, void *data);
void process_each_in_session(int32_t session, process_visit visit, void *data);

/* Linux's clone flags; registers of the caller are the child's, but for the result and the stack. */
struct clone_request {
    uint64_t flags;
    vaddr_t  stack, parent_tid, child_tid, tls;
    int      exit_signal;
};
/* The child's number, or a negative errno: -EAGAIN also where the caller is to be killed. May sleep. */
int  process_clone(const struct clone_request *request);

/* More threads of this user than RLIMIT_NPROC allows him, who has no right to more: clone fails. */
bool process_is_over_limit(const struct process *process);

void thread_exit(int status) NORETURN;
/*
 * The current thread is about to leave its memory, by its end or by exec: what it has promised to write there then is
 * written now, and nothing later (robust futexes, CLONE_CHILD_CLEARTID).
 */
void thread_leave_memory(struct thread *self);
void process_exit_group(int wait_status) NORETURN;      /* as wait4() reports: status << 8, or a signal's number */

/*
 * wait4 and waitid: selects by `which` as wait4's pid does. Returns a child's number; 0: none has news (WNOHANG);
 * -ECHILD; -ERESTARTSYS. May sleep, but with WNOHANG does not. Cost: the children that have news, or one by its number;
 * where none has, a walk of the children, or of the group's members, to the first that could.
 */
struct wait_result {
    int32_t      id, status;            /* status as wait4() reports it                           */
    uint32_t     uid;
    struct resource_usage usage;                 /* the child's and its own children's                     */
};
enum { WAIT_NO_EXITED = 1 << 27 };      /* waitid() without WEXITED                               */
int  process_wait(int32_t which, int options, struct wait_result *out);

/* PR_SET_CHILD_SUBREAPER of the current process. */
void process_set_subreaper(bool on);

/* What a parent hears of a process that has ended; the status is as wait4() reports it. */
struct process_end {
    int32_t id, status;
    char    name[16];
};

int process_set_group(int32_t id, int32_t group);       /* setpgid(2) */
int process_new_session(void);                          /* setsid(2)  */

/* Whether no member of its group has a parent in another group of the session, which could continue the group. */
bool process_group_is_orphaned(const struct process *process);

/* The process stopped or goes on: tell its parent. process_lock (family.h) is held, and dropped now and then. */
void process_notify_stop(struct process *process, bool stopped, lock_state *state);

/* Note the fault that is about to kill a program; print the line about such a death on the log, in plain characters. */
struct fault_verdict;
void process_note_fault(const struct fault_verdict *verdict, vaddr_t program_counter);
void process_report_death(const struct signal_info *info);

/*
 * exec in a process with threads: the others end, and the caller becomes the process's first, with its number. Sleeps.
 * Returns 0, or -EINTR when another thread ends this one.
 */
int  thread_stay_alone(void) MUST_CHECK;

/* For the report: processes and threads alive. */
uint32_t processes_alive(void), threads_alive(void);

/* Processes and threads made since the start (/proc/stat), and the number given last (/proc/loadavg). */
uint64_t processes_made(void);
int32_t  process_last_number(void);

/* RLIMIT_CPU has been set or inherited: enforce it from now on. */
void process_watch_cpu_limit(struct process *process);

/* What a thread has used up to now. */
void thread_usage(const struct thread *thread, struct resource_usage *out);
/* What a process has used up to now, without its children. Its threads are walked (tour.h), so no spin lock is held. */
void process_usage(struct process *process, struct resource_usage *out);
/* `sum` becomes the usage of both: times and counts add up, of peaks the larger stays. */
void usage_add(struct resource_usage *sum, const struct resource_usage *more);

#endif
