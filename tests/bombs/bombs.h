/*
 * bombs.h - what a bomb is made of. A bomb takes one resource until it is refused, and then holds all that it has.
 */
#ifndef QUIRE_TESTS_BOMBS_H
#define QUIRE_TESTS_BOMBS_H

#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PAGE = 4096 };

struct bomb { const char *name; void (*explode)(void); };

/* Each ends with a bomb without a name. */
extern const struct bomb bombs_of_processes[], bombs_of_memory[], bombs_of_files[], bombs_of_waiting[];

/* How many objects a bomb has made, and why it stopped; shared with the supervisor. */
extern struct told { volatile unsigned made; volatile int refused; volatile bool ready, go; } *told;

/* Count one more object if `good`; otherwise the bomb has reached its limit, and holds all until it is killed. */
void count_or_hold(bool good);
#define UNTIL_REFUSED(action) for (;;) count_or_hold(action)

/* The highest limit of descriptors that there is. */
void many_descriptors(void);

void wait_for_ever(void) __attribute__((noreturn));

/* Whether there is a child, which does this and ends. */
bool child_that(void (*does)(void));

/* Something to write. */
extern char block[64 * 1024];

#endif
