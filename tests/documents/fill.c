/*
 * fill.c - the program that each changed document's kernel runs: all memory taken, and given back.
 *
 *   fill                one line for each thing done; the last is `fill: done`
 *
 * Whatever ends first, a child's memory or the machine's, the child dies of it or is told, and nothing else does.
 */
#include "tests/calls/guest.h"

enum { MAP_LOCKED = 0x2000 };
enum { CHUNK = 256 * 1024, FORKS = 400, NAMES = 400 };

/* The auditor's words, on one line. */
static void audit(const char *when)
{
    char text[256];
    long audit = KERNEL(CALL_OPEN, (long)"/proc/quire/audit", O_RDONLY, 0);
    long got   = audit < 0 ? audit : KERNEL(CALL_READ, audit, (long)text, sizeof text - 1);

    text[got > 0 ? got : 0] = 0;
    for (long i = 0; i < got; i++)
        if (text[i] == '\n')
            text[i] = ' ';
    say("fill: %s, audit %s\n", when, got > 0 ? text : "cannot be read");
    KERNEL(CALL_CLOSE, audit);
}

/*
 * Locked pages until there are none: others would leave memory, packed, and ever more would take their place. The
 * kernel brings in as many of a piece at once as there is memory for, and says nothing where that ends; the first page
 * that is touched then does.
 */
static void take_memory(void)
{
    for (;;) {
        long at = KERNEL(CALL_MMAP2, 0, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

        if (at < 0 && at > -4096)
            leave(1);
        for (long i = 0; i < CHUNK; i += PAGE)
            *(volatile uint32_t *)(at + i) = (uint32_t)(at + i);
    }
}

/* Processes until there are none: each has tables, a stack, and a place in whatever the layout keeps of them. */
static void take_processes(void)
{
    int  ends[2];
    char byte;
    long made = 0, err = KERNEL(CALL_PIPE, (long)ends);

    while (err == 0 && made < FORKS) {
        long child = split();

        if (child < 0)
            break;
        if (child == 0) {
            KERNEL(CALL_CLOSE, ends[1]);
            KERNEL(CALL_READ, ends[0], (long)&byte, 1);     /* until the parent has made the last */
            leave(0);
        }
        made++;
    }
    KERNEL(CALL_CLOSE, ends[1]);
    while (KERNEL(CALL_WAIT4, -1, 0, 0, 0) > 0)
        ;
    leave(made > 0 ? 0 : 1);
}

/* The kernel's own memory: an open file, with a name, is some. */
static void take_names(void)
{
    for (unsigned n = 0; n < NAMES; n++) {
        struct line name = { .length = 0 };

        line_put(&name, "/tmp/fill-%u", n);
        name.text[name.length] = 0;
        if (KERNEL(CALL_OPEN, (long)name.text, O_RDWR | O_CREAT, 0600) < 0)
            break;
    }
    for (unsigned n = 0; n < NAMES; n++) {
        struct line name = { .length = 0 };

        line_put(&name, "/tmp/fill-%u", n);
        name.text[name.length] = 0;
        KERNEL(CALL_UNLINK, (long)name.text);
    }
    leave(0);
}

/* Whoever must end when there is no memory left is a child, or one of its own. */
static void end_before_others(void)
{
    long score = KERNEL(CALL_OPEN, (long)"/proc/self/oom_score_adj", O_WRONLY, 0);

    KERNEL(CALL_WRITE, score, (long)"1000", 4);
    KERNEL(CALL_CLOSE, score);
}

/* A child that does it, and how the child ended; without one, that. */
static void take(const char *what, void (*all)(void))
{
    int  status = -1;
    long child  = split();

    if (child == 0) {
        end_before_others();
        all();
    }
    if (child > 0)
        KERNEL(CALL_WAIT4, child, (long)&status, 0, 0);
    say("fill: %s %s, status %x\n", what, child > 0 ? "taken" : "not taken", (unsigned)status);
}

void child_main(void) { leave(0); }

int program(int argc, char **argv);
int program(int argc, char **argv)
{
    (void)argc, (void)argv;
    audit("at first");
    take("memory", take_memory);
    take("processes", take_processes);
    take("names", take_names);
    audit("in the end");
    say("fill: done\n");
    return 0;
}
