/*
 * fail.h - each allocation of each call fails once: the parts of the program that orders it.
 *
 * A call is a row of calls.c: a number and constant arguments, as in the child that makes it everything has a fixed
 * place: descriptors, addresses and names (world.c). The child looks at all that it can see, orders the failure
 * (kernel/process/torture.h), makes the call and looks again.
 */
#ifndef QUIRE_TESTS_CALLS_FAIL_H
#define QUIRE_TESTS_CALLS_FAIL_H

#include "../guest.h"

/* ---- What a child has (world.c) ---------------------------------------------------------------------------- */

enum {
    ORDER = 9,                  /* where failures are ordered: the one place that is not looked at */
    FILE_ = 10, FOLDER, PIPE_OUT, PIPE_IN, STREAM, STREAM_PEER, PACKETS, PACKETS_PEER, EPOLL, EVENT, TIMER, SIGNALS,
    MEMORY_FILE, LISTENER, NEW_SOCKET, TEXT, OTHER_OUT, OTHER_IN, DESCRIPTORS_END
};
/*
 * Sixteen pages each: private, every second one written to; of the file, private and partly written to; shared and
 * written to; never touched. From FREE on there is nothing.
 */
enum { WRITTEN = 0x40000000, COPIED = 0x40100000, SHOWN = 0x40200000, UNTOUCHED = 0x40300000, FREE = 0x40400000,
       PAGES = 16 };

/* In the folder that is the current one; false: it could not be made. */
bool world_make(void);
/* Remove all that a call may have left in the folder. */
void world_clean(void);

/* Digests of what the child can see, each of one kind, so that a difference has a name. */
enum look { LOOK_MAPS, LOOK_DESCRIPTORS, LOOK_FILES, LOOK_CONTENTS, LOOK_SIGNALS, LOOK_PROCESS, LOOKS };
extern const char *const look_names[LOOKS];
struct looks { uint32_t of[LOOKS]; };
void world_look(struct looks *looks);

/* ---- The calls (calls.c) ------------------------------------------------------------------------------------ */

/* An argument that stands for the caller's number. */
enum { SELF = 0x5E1F5E1F };

/* What a row's call does beside returning. */
enum {
    TWICE = 1,              /* it returns twice, the second time on a stack of its own                           */
    REPLACES = 2,           /* with success it does not return; when that is clear already, the process may end  */
    CHANGES = 4,            /* it may fail half done, as Linux's may                                             */
    BREAK = 8,              /* the break: without success it is where it was                                     */
};
struct row {
    const char *name;
    struct call call;
    uint8_t     does;
    uint8_t     error;      /* that it may end with besides ENOMEM; 0: none                                      */
};
extern const struct row rows[];
extern const unsigned row_count;

#endif
