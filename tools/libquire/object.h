/*
 * object.h - the object of libquire.h, for its two halves: what describes a run, and what runs it.
 */
#ifndef LIBQUIRE_OBJECT_H
#define LIBQUIRE_OBJECT_H

#include "arena.h"
#include "libquire.h"
#include "run.h"
#include "sandbox.h"

#include <poll.h>
#include <stdbool.h>

enum { STREAMS = 3 };

struct quire {
    struct arena   arena;           /* memory, descriptors and the machine */
    struct sandbox sandbox;
    struct run     run;
    struct held   *streams[STREAMS];        /* copies of the caller's descriptors */
    bool           started, ended;
    struct arena  *around;          /* of the caller, who may be the command; or NULL */
    unsigned       depth;           /* calls that are under way: more than one inside a callback */
    int            waiting, timer;  /* quire_fd(), and its part for the time; or -1 */
    struct pollfd  watched[RUN_COUNT];      /* what `waiting` waits for */
    unsigned       machines;        /* run.machines at that time */
    char          *words;           /* lines of the run, or NULL */
    const char    *error;           /* words, or a reason; "" */
    char           reason[256];
    quire_say     *say;
    void          *say_context;
    int            status;
};

/* Set the error; returns -1. */
int object_fail(struct quire *q, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Do something in the object's arena, and return what it returns. Without memory a run ends; a description stays as it
 * was; and the call returns -1. Inside a callback only the call fails, as the one around it still uses everything.
 */
int object_call(struct quire *q, int (*work)(struct quire *q, const void *with), const void *with);

/* An object as it begins, without a program; NULL: no memory. */
struct quire *object_new(void);

/* False, and the error is set: it is too late to change the description. */
bool object_may_change(struct quire *q);

#endif
