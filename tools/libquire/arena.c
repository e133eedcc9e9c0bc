/* arena.c - memory that belongs to a call, and words. See arena.h. */
#include "arena.h"
#include "visible.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In front of a block, or alone: then `what` is to be ended, and `end` is not NULL. */
struct held {
    struct held *next, **link;          /* *link is this one */
    void       (*end)(void *what);
    void        *what;
};

_Static_assert(sizeof(struct held) % _Alignof(max_align_t) == 0, "a block is aligned as malloc(3) aligns");

static _Thread_local struct arena *here;

struct arena *arena_enter(struct arena *arena)
{
    struct arena *before = here;

    here = arena;
    return before;
}

void arena_leave(struct arena *before) { here = before; }

void arena_fail(void)
{
    longjmp(here->no_memory, 1);
}

static void link_in(struct held *held, struct held **first)
{
    held->next = *first;
    held->link = first;
    if (held->next != NULL)
        held->next->link = &held->next;
    *first = held;
}

static void link_out(struct held *held)
{
    *held->link = held->next;
    if (held->next != NULL)
        held->next->link = held->link;
}

void arena_end(struct arena *arena)
{
    while (arena->ends != NULL)
        let_go(arena->ends);
    while (arena->blocks != NULL)
        drop(arena->blocks + 1);
}

/* ---- Memory -------------------------------------------------------------------------- */

void *grown(void *block, size_t count, size_t size)
{
    struct held *old = block != NULL ? (struct held *)block - 1 : NULL, *held = NULL;
    size_t bytes;

    if (old != NULL)
        link_out(old);
    if (!__builtin_mul_overflow(count, size, &bytes) && !__builtin_add_overflow(bytes, sizeof(*held), &bytes))
        held = realloc(old, bytes);
    if (held == NULL) {
        if (old != NULL)
            link_in(old, &here->blocks);
        arena_fail();
    }
    held->end = NULL;
    link_in(held, &here->blocks);
    return held + 1;
}

void drop(void *block)
{
    if (block == NULL)
        return;
    link_out((struct held *)block - 1);
    free((struct held *)block - 1);
}

char *text_from(const char *format, va_list values)
{
    va_list again;
    int length;
    char *result;

    va_copy(again, values);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        arena_fail();
    result = grown(NULL, (size_t)length + 1, 1);
    vsnprintf(result, (size_t)length + 1, format, values);
    return result;
}

char *text(const char *format, ...)
{
    va_list values;
    char *result;

    va_start(values, format);
    result = text_from(format, values);
    va_end(values);
    return result;
}

/* While the copy is made the text itself is held, so that it is not lost when there is no memory for the copy. */
char *adopted(char *plain)
{
    struct held *held = plain != NULL ? hold(free, plain) : NULL;
    char *copy = plain != NULL ? text("%s", plain) : NULL;

    let_go(held);
    return copy;
}

/* ---- What is to be ended ---------------------------------------------------------------- */

struct held *hold(void (*end)(void *what), void *what)
{
    struct held *held = malloc(sizeof(*held));

    if (held == NULL) {
        end(what);
        arena_fail();
    }
    held->end  = end;
    held->what = what;
    link_in(held, &here->ends);
    return held;
}

void hold_by(struct held *held, void (*end)(void *what)) { held->end = end; }

static void close_fd(void *what) { close((int)(intptr_t)what); }

struct held *hold_fd(int fd)
{
    return fd >= 0 ? hold(close_fd, (void *)(intptr_t)fd) : NULL;
}

void keep(struct held *held)
{
    if (held == NULL)
        return;
    link_out(held);
    free(held);
}

void let_go(struct held *held)
{
    void (*end)(void *what) = held != NULL ? held->end : NULL;
    void *what = held != NULL ? held->what : NULL;

    keep(held);
    if (end != NULL)
        end(what);
}

/* ---- Words ------------------------------------------------------------------------------- */

/* A line's end in the words is a name's: it is shown, too, so that a name cannot pretend to be a line of ours. */
int tell(int status, const char *format, ...)
{
    va_list values;
    char *words, *line, *end;

    va_start(values, format);
    words = text_from(format, values);
    va_end(values);
    line = end = grown(NULL, strlen(words) * VISIBLE_MOST + 1, 1);
    for (const char *rest = words; ; rest++) {
        size_t length = strcspn(rest, "\n");

        end += visible(rest, length, end);
        rest += length;
        if (*rest == '\0')
            break;
        end = stpcpy(end, "^J");
    }
    *end = '\0';
    here->say(here->context, line);
    drop(line);
    drop(words);
    return status;
}
