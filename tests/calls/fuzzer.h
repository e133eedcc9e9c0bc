/*
 * fuzzer.h - the parts of the fuzzer of system calls.
 *
 * A *run* has a seed and consists of *batches*. Each batch is a process of its own with a seed of its own, made from
 * the run's and the batch's number, and so can be repeated alone. The supervisor (calls.c) starts one, waits for it
 * with a limit, kills everything that is left of it, removes its files (clean.c), and goes on; it does no call that is
 * not its own.
 *
 * What happens in a batch depends on nothing but its seed as long as one thread does the calls; the kinds with several
 * threads or processes repeat their calls, but not the order.
 */
#ifndef QUIRE_TESTS_CALLS_FUZZER_H
#define QUIRE_TESTS_CALLS_FUZZER_H

#include "guest.h"

/*
 * The kinds of batches: calls of one thread, of several threads, of processes, of threads while another one changes
 * their structures, or of threads about processes that end meanwhile; or attempts of one of three special kinds.
 */
enum { PLAIN = 1, THREADS, PROCESSES, FRAMES, PROGRAMS, INSTRUCTIONS, CORRUPTED, ENDINGS, KINDS };

/* Memory that supervisor and batches share: the only memory of a batch that outlives it. */
struct shared {
    uint32_t calls;             /* done in all batches of this run                              */
    uint32_t progress;          /* grows while a batch lives                                    */
    uint32_t refused;           /* not 0: a batch could not begin                               */
    uint32_t by_kind[KINDS];    /* calls, by kind of batch                                      */
    uint32_t failing;           /* not 0: failures of allocations can be ordered (docs/torture.md) */
    int32_t  ending;            /* a process that ends in a moment: of a batch of ENDINGS       */
};
extern struct shared *shared;
extern int supervisor;          /* its process number                                           */
extern bool may_mount;          /* the batch's mounts can be unmounted again                       */
extern bool telling;            /* each call is printed before it is made                          */

/* For whole files of /proc, by the supervisor alone. */
enum { MANY = 64 * 1024 };
extern char text[MANY];

/* ---- Cleaning up (clean.c) ------------------------------------------------------------------------- */

/* What getdents64() gives. */
struct entry { uint64_t inode, offset; uint16_t length; uint8_t type; char name[]; } __attribute__((packed));

/* The root of each batch. make_folder() is called once; false: the names that there are could not be noted. */
extern const char folder[];
bool make_folder(void);
/* Remove all that a batch has left. None of its processes is there any more. */
void clean_up(void);

/* ---- A thread that does calls (worker.c) ---------------------------------------------------------- */

enum { STACK_BYTES = 32 * 1024, WORKERS = 48, SHAKER = 6, CORRUPTER = 7 };

struct worker {
    struct chance chance;
    uint32_t left;              /* calls that it still does                                     */
    uint32_t kind;              /* of the batch                                                 */
    uint32_t number;            /* its place                                                    */
    uint32_t room_used;         /* bytes of its page of structures                              */
};
struct worker *worker_here(void);
void worker_start(unsigned number, uint64_t seed, uint32_t calls, unsigned kind);
/* Do its calls on its own stack, and end the thread. */
void worker_run(unsigned number) __attribute__((noreturn));
/* A thread of this process that does calls. */
long worker_thread(unsigned number);
/* One call, counted; with dangerous targets changed as worker.c says. */
long worker_call(struct worker *worker, struct call *call);

/* ---- Values (values.c, structures.c) ---------------------------------------------------------------- */

/* Memory, files and descriptors of every kind; false: the batch cannot begin. */
bool arena_make(void);
uintptr_t any_address(struct worker *worker);
uintptr_t any_word(struct worker *worker);
uintptr_t any_descriptor(struct worker *worker);
const char *any_path(struct worker *worker);
/* The value that a letter of a template stands for. */
uintptr_t value_of(struct worker *worker, char letter);
uintptr_t structure_of(struct worker *worker, char letter);
/* Bytes of the worker's page of structures, which other threads may change. */
void *room(struct worker *worker, size_t bytes);
/* Changes the structures of the batch's workers for ever. */
void corrupt_structures(struct worker *worker) __attribute__((noreturn));
/* Takes the lock of the process's map again and again, for long: who faults meanwhile waits. */
void shake_map(void) __attribute__((noreturn));
/* Makes processes that end at once, one after the other, and shows their numbers. */
void make_endings(void) __attribute__((noreturn));

/* Number and arguments of the next call. */
void next_call(struct worker *worker, struct call *call);
/* Calls that belong together (sequences.c), with others by chance in between. */
void some_sequence(struct worker *worker);

/* ---- Batches of their own kind: each does about `count` attempts ------------------------------------- */

void batch_frames(struct worker *worker, uint32_t count);       /* frames.c: forged signal frames           */
void batch_programs(struct worker *worker, uint32_t count);     /* programs.c: crafted files for execve      */
void batch_instructions(struct worker *worker, uint32_t count); /* instructions.c: vectors, flags, selectors */

/* A child that has a moment for something, then is killed; 0 in the child. The parent comes back when it has ended. */
long attempt(void);

#endif
