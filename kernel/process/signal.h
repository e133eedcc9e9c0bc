/*
 * signal.h - signals: sent, queued, delivered.
 *
 * Numbers, default actions and the meaning of flags are Linux's (signal(7), sigaction(2)).
 * The frames a handler finds on its stack are the interface's (process/abi.h; kernel/linux/i386/signal_frame.c).
 *
 * A signal is delivered when its thread is about to return to the program. A system call
 * that a signal has cut short returns -ERESTART* inside the kernel; delivery turns that into -EINTR or
 * makes the program repeat the call, by SA_RESTART and the call's nature.
 *
 * Locking  one spin lock for all queues (RANK_SIGNALS), taken inside: calls that send may be made with locks of lower
 *          ranks held, but signal_group() and signal_forget() take process_lock. signal_deliver() may sleep: while the
 *          process is stopped, and in faults of the program's memory where a handler's frame goes.
 */
#ifndef QUIRE_PROCESS_SIGNAL_H
#define QUIRE_PROCESS_SIGNAL_H

#include "base/types.h"

enum { SIGNALS = 64 };

/* Linux's signal numbers on x86. */
enum {
    SIGHUP = 1, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
    SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU,
    SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS,
};

enum {
    SA_EXPOSE_TAGBITS = 0x800, SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4,
    SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000,
    SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000,
};
#define SA_RESETHAND 0x80000000u
#define SIG_DFL 0u
#define SIG_IGN 1u

/* Inside the kernel only; never seen by programs. Numbers as Linux's. */
enum {
    ERESTARTSYS = 512,              /* restart if SA_RESTART, or if no handler runs        */
    ERESTARTNOINTR = 513,           /* always restart                                      */
    ERESTARTNOHAND = 514,           /* restart only if no handler runs                     */
    ERESTART_RESTARTBLOCK = 516,    /* through restart_syscall() if no handler runs        */
};

struct signal_info {
    int32_t  number, code, error;
    int32_t  sender;                /* process number                                       */
    uint32_t uid;
    int32_t  status;                /* SIGCHLD                                              */
    vaddr_t  address;               /* faults                                               */
    uint64_t value;                 /* sigqueue, timers                                     */
    int32_t  timer;
    uint32_t overrun;               /* timers: expiries without a signal of their own       */
    bool     from_timer;            /* sent by a timer, not by a program                    */
};

struct signal_action {
    vaddr_t  handler, restorer;
    uint64_t mask;
    uint32_t flags;
};

struct signal_actions {
    uint32_t             references;
    struct signal_action action[SIGNALS + 1];
};

/*
 * Ordinary signals are kept once each; real-time ones and those of timers queue, for all processes of a user at most
 * RLIMIT_SIGPENDING, and of timers TIMERS_A_PROCESS more. Taking, sending and dropping take as many steps as there are
 * signal numbers, however many are queued.
 */
struct signal_queued;
struct signal_queue {
    uint64_t              pending;      /* bit n-1 for signal n, whether or not its details are kept */
    struct signal_queued *chains;       /* the details, oldest first for each number (signal.c) */
};
enum { SIGNALS_QUEUED = 4096 };             /* what that limit is at first */
enum { SI_USER = 0, SI_QUEUE = -1, SI_TIMER = -2, SI_TKILL = -6, SI_KERNEL = 0x80 };

struct process;
struct thread;

/* Woken whenever a signal becomes pending: for the waiters of a signalfd (signal_file.h). */
extern struct wait_queue signals_kept;

/*
 * These return 0; -EAGAIN: a real-time signal that was not sent by a mere kill() found the limit reached, or no memory
 * for its entry. Others come without their details then. signal_group() does not tell that: it returns 0, or -ESRCH
 * when the group has no member.
 */
int  signal_process(struct process *process, const struct signal_info *info);
int  signal_thread(struct thread *thread, const struct signal_info *info);
/*
 * From the kernel, with any lock below RANK_SIGNALS but process_lock held, and from interrupts. Of many members the
 * last hear of it before a program goes on (errand.h).
 */
int  signal_group(int32_t group, int number);
/*
 * A timer's signal, always queued with its details, also beside others of its number. Returns true when it is queued,
 * so that process_timer_taken() follows; false where it is ignored, or there is no room or no memory.
 */
bool signal_timer(struct process *process, struct thread *thread, const struct signal_info *info);
int signal_lowest(uint64_t numbers);                        /* of a set with bit n-1 for signal n, not empty */
/* Send the current thread the signal of a fault: delivered even if blocked or ignored. */
void signal_fault(const struct signal_info *info);
/* Whether no handler takes that signal of the current thread: it has none, or it is blocked or ignored. */
bool signal_fault_ends(int number);
/* Send the current thread the signal of what it has asked for in vain, such as SIGPIPE, as if it had sent it itself. */
void signal_self(int number);

void signal_set_mask(uint64_t mask);                        /* of the current thread; KILL and STOP stay open */
bool signal_take(uint64_t wanted, struct signal_info *out); /* sigtimedwait                             */
bool signal_kills(const struct thread *thread);             /* SIGKILL waits for it                   */
/*
 * Before returning to the program: deliver, stop, or end; what is to be killed does not stop. Where a handler's frame
 * has no place the program gets SIGSEGV; if no handler of that can be entered it ends, with words about the place.
 * `frame` is the processor's trap frame.
 */
struct trap_frame;
void signal_deliver(struct trap_frame *frame);

/* Drop what is queued, with points of rest. May sleep. */
void signal_queue_clear(struct signal_queue *queue);
/*
 * Signals of these numbers that wait for the current process and its threads are dropped, as sigaction(2) with SIG_IGN
 * does; timers go on whose signals these were. May sleep.
 */
void signal_forget(struct process *process, uint64_t numbers);

#endif
