/*
 * builtin.h - running applications that are linked into the image (layouts/firmware/apps/app.h), from the console.
 *
 * The kernel starts them on its first stack, the idle thread's, which gives way until they have ended. A started
 * application is a process with its own space and without a parent: its end is told to its struct builtin alone.
 *
 * An application may make few system calls; one that makes another is killed (SIGSYS): it has no files, signals or
 * children. Its output goes to the kernel's consoles.
 *
 * Errors   -ENOMEM, -EAGAIN: nothing was started, nothing is left.
 */
#ifndef QUIRE_PROCESS_BUILTIN_H
#define QUIRE_PROCESS_BUILTIN_H

#include "layouts/firmware/apps/app.h"
#include "layouts/firmware/application.h"
#include "layouts/firmware/shared.h"

struct process;

/* An application that was started. The structure is the caller's, and must outlive the process. */
struct builtin {
    const struct app    *app;
    struct app_arguments arguments;
    struct application   place;
    struct process      *process;           /* NULL once it has ended                          */
    int32_t              id, status;        /* status as wait4() reports it                    */
    bool                 quiet;             /* its output, and the line on its death, are not printed */
    size_t               stack_pages;       /* of its stack, in its region, when it ended      */
    size_t               heap_pages;
    uint32_t             tables;            /* frames of its tables, then                      */
    char                 reason[160];       /* of the fault that killed it, "" if none did      */
};

/* For probes and mutations of claims: called with each application that is started, before it runs. NULL: none. */
extern void (*builtin_watch)(struct builtin *builtin);

const struct app *builtin_find(const char *name);       /* NULL: there is none */

int  builtin_start(struct builtin *builtin, const struct app *app, struct app_arguments arguments) MUST_CHECK;

/* Give way until it has ended, and every frame it had is free again. */
void builtin_wait(struct builtin *builtin);

/* Give way once, or wait for an interrupt where no thread is ready. */
void builtin_give_way(void);

/* End it, as SIGKILL does; that takes a turn or two. */
void builtin_kill(struct builtin *builtin);

/*
 * Called for the end of each process (exit.c): builtin_note_end() while it still has its memory, builtin_ended() when
 * it has given everything back. They do nothing for a process that is no built-in application.
 */
void builtin_note_end(struct process *process);
void builtin_note_reason(const char *reason);      /* why a fault kills the current process, if it is built in */
void builtin_ended(struct process *process);

/* Whether the current process may make the call with this number; true for every process that is not built in. */
bool builtin_may_call(uint32_t number);

/* True when the current process's output and end are not to be printed. */
bool builtin_is_quiet(void);

#endif
