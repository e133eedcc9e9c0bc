/*
 * stop.c - where the kernel would panic, a test ends, or goes on if it expects the panic.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

static bool       expected;
static sigjmp_buf jump;
static char       words[256];

sigjmp_buf *machine_expect_stop(bool on)
{
    expected = on;
    return &jump;
}

const char *machine_stopped(void) { return words; }

static void stop_here(void) NORETURN;
static void stop_here(void)
{
    if (expected) {
        expected = false;
        siglongjmp(jump, 1);
    }
    fprintf(stderr, "%s\n", words);
    abort();
}

void stop(const char *file, int line, const char *why)
{
    snprintf(words, sizeof words, "%s:%d: %s", file, line, why);
    stop_here();
}

void stop_by_assertion(const char *file, int line, const char *what)
{
    snprintf(words, sizeof words, "%s:%d: assertion failed: %s", file, line, what);
    stop_here();
}

/* The host measures nothing. */
void leg_begins(void) {}
void leg_ends(void) {}
