/*
 * init.c - the first process of a Linux that runs one program: /program, with the words of /words.
 *
 * Mounts what programs expect, runs it, and ends the machine; the program's status goes out as `status N`. The program
 * is not process 1, as it would not be under Linux in use.
 */
#include "guest.h"

enum { MOST_WORDS = 4096, WORDS = 64 * 1024 };
static char  text[WORDS];
static char *words[MOST_WORDS + 1];

static void read_words(void)
{
    long length = file_text("/words", text, sizeof text);
    int  count  = 0;

    for (long i = 0; i < length && count < MOST_WORDS; i += (long)strlen(text + i) + 1)
        words[count++] = text + i;
}

int program(int argc, char **argv)
{
    char *environment[] = { "PATH=/", 0 };
    int   status = -1;
    long  child;

    (void)argc, (void)argv;
    KERNEL(CALL_MOUNT, (long)"proc", (long)"/proc", (long)"proc", 0, 0);
    KERNEL(CALL_MOUNT, (long)"tmpfs", (long)"/tmp", (long)"tmpfs", 0, 0);
    read_words();
    child = split();
    if (child == 0) {
        KERNEL(CALL_EXECVE, (long)"/program", (long)words, (long)environment);
        leave(127);
    }
    while (KERNEL(CALL_WAIT4, -1, (long)&status, WAIT_ALL, 0) != child)
        ;
    say("\nstatus %d\n", status);
    for (;;)
        KERNEL(CALL_REBOOT, 0xFEE1DEAD, 672274793, 0x01234567, 0);
}

void child_main(void) { leave(0); }
