/*
 * arena.h - what a call of the library holds, and how it speaks: memory, things to be closed, words.
 *
 * The library may not end the process that uses it, and has no standard error. So each object (and the command itself)
 * has a arena, and a thread is in one arena at a time. When memory runs out, arena_fail() goes back to where the arena
 * was entered; the owner of the arena then ends it, and with it everything that was taken in it.
 *
 * State    the only variable is the thread's pointer to the arena that it is in: NULL outside of the library's calls.
 * Threads  a arena may be used by one thread at a time; several threads may be in several arenas.
 * Cost     two pointers more for each block; no call of the system.
 */
#ifndef QUIRE_ARENA_H
#define QUIRE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

struct held;

struct arena {
    struct held *ends, *blocks;     /* what is to be ended, and memory: each the newest first */

    /* Takes a line of words, without its end; a detail of the line before it begins with a blank. */
    void  (*say)(void *context, const char *line);
    void   *context;
    jmp_buf no_memory;              /* set by the owner before it enters the arena */
};

/* Be in a arena from here on; returns the arena before, for arena_leave(). */
struct arena *arena_enter(struct arena *arena);
void arena_leave(struct arena *before);

/* End what is held, the newest first; then give back all memory, which what was ended may have dropped itself. */
void arena_end(struct arena *arena);

/* Memory has run out: back to where this thread's arena was entered. */
void arena_fail(void) __attribute__((noreturn));

/*
 * Text or memory of this thread's arena, which drop() gives back; `block` of grown() may be NULL. They do not return
 * without memory.
 */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *text_from(const char *format, va_list values) __attribute__((format(printf, 1, 0), returns_nonnull));
void *grown(void *block, size_t count, size_t size) __attribute__((returns_nonnull));
void drop(void *block);             /* NULL: nothing */

/* A text that malloc(3) gave, as one of this arena; NULL stays NULL. */
char *adopted(char *plain);

/*
 * Have `end` called with `what` when the arena ends, unless let_go() has done so before. On failure `end` is called at
 * once. hold_fd() does that for close(2), and takes -1 as well: then it returns NULL, which let_go() ignores.
 */
struct held *hold(void (*end)(void *what), void *what);
struct held *hold_fd(int fd);
void hold_by(struct held *held, void (*end)(void *what));       /* from here on another function ends it */
void let_go(struct held *held);     /* calls `end` */
void keep(struct held *held);       /* does not: somebody else ends it */

/*
 * Say a line of words, in which names may have any bytes: what could move a cursor or begin another line is made
 * visible (visible.h; a line's end is ^J). Returns `status`.
 */
int tell(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
