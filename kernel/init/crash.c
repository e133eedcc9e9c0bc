/*
 * crash.c - crashes on purpose. See crash.h.
 */
#include "init/crash.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "init/panic.h"
#include "power.h"

enum { WORD_ROOM = 32 };

static char word[WORD_ROOM];            /* what follows crash=, "" without it */

static void die_in_panic(void)  { panic("asked for by the word crash="); }
enum { ASKED_FOR_BY_THE_WORD_CRASH = true };
static void die_by_assert(void) { assert(!ASKED_FOR_BY_THE_WORD_CRASH); }

static void hang_processor(void)
{
    interrupts_off();
    for (;;)
        cpu_relax();
}

/* Interrupts are as they were: on. */
static void loop_for_ever(void)
{
    for (;;)
        cpu_relax();
}

static const struct { const char *name; void (*die)(void); } ways[] = {
    { "panic", die_in_panic }, { "assert", die_by_assert }, { "reset", power_reset }, { "halt", power_halt },
    { "hang", hang_processor },          { "loop", loop_for_ever },
};

void crash_note(const char *command_line)
{
    static const char name[] = "crash=";
    size_t            length = 0;

    for (const char *at = command_line; *at != '\0'; at++) {
        if ((at != command_line && at[-1] != ' ') || strncmp(at, name, sizeof name - 1) != 0)
            continue;
        for (at += sizeof name - 1; at[length] != '\0' && at[length] != ' ' && length < WORD_ROOM - 1; length++)
            word[length] = at[length];
        word[length] = '\0';
        return;
    }
}

static int die_by_way(const char *way)
{
    for (unsigned i = 0; i < COUNT_OF(ways); i++)
        if (strcmp(ways[i].name, way) == 0)
            ways[i].die();
    return -EINVAL;
}

void crash_at(const char *moment)
{
    size_t length = strlen(moment);

    if (strncmp(word, moment, length) == 0 && word[length] == ':')
        (void)!die_by_way(word + length + 1);
}

int crash_by_program(const char *way) { return strcmp(word, "allowed") == 0 ? die_by_way(way) : -EPERM; }
