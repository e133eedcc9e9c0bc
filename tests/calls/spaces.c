/*
 * spaces.c - very many processes, each with as little as a process can have beside its memory: none loses a word.
 *
 *   spaces PROCESSES KIB KIND     so many, with so many KiB each, all there at once
 *
 * A process whose stack lies at the top of memory has tables far apart. Here each lives in the 4 MiB that the program
 * was linked to: what lies elsewhere (the first stack, the vDSO) is unmapped before any is made. Each writes all its
 * memory and stops; when all have, each is sent on, looks at its memory and ends. KIND is what they write:
 *
 *   alike      pages that shrink to a few bytes, each another
 *   noise      pages that do not shrink
 *
 * Printed is how many there were, how many found all their words, how many were killed; and before, when all were
 * asleep, /proc/quire/frames.
 */
#include "guest.h"

enum { SIGCONT = 18, SIGSTOP = 19, WUNTRACED = 2 };
enum { MOST = 4096, MOST_KIB = 2048, STACK = 8192, ADDRESS_END = 0x7FFFF000, LINKED = 4 << 20 };

static uint32_t memory[MOST_KIB * 1024 / sizeof(uint32_t)] __attribute__((aligned(PAGE)));
static uint8_t  stack[STACK] __attribute__((aligned(16)));
static char     text[32768];
static long     children[MOST];

static struct { uint32_t processes, pages; bool noise; } asked;

static uint32_t word_of(uint32_t process, uint32_t page, uint32_t i)
{
    uint32_t word = process << 12 | page;

    if (asked.noise) {
        word = (word * 1024 + i) * 0x9E3779B1u;
        return (word ^ word >> 15) * 0x85EBCA6Bu;
    }
    return i % 512 == 0 ? word : 0x01010101u;
}

/* ---- A process of many ---------------------------------------------------------------------------------- */

static int live(uint32_t process)
{
    for (uint32_t page = 0; page < asked.pages; page++)
        for (uint32_t i = 0; i < PAGE / 4; i++)
            memory[page * (PAGE / 4) + i] = word_of(process, page, i);
    if (KERNEL(CALL_KILL, KERNEL(CALL_GETPID), SIGSTOP) != 0)
        return 3;
    for (uint32_t page = 0; page < asked.pages; page++)
        for (uint32_t i = 0; i < PAGE / 4; i++)
            if (memory[page * (PAGE / 4) + i] != word_of(process, page, i))
                return 1;
    return 0;
}

/* ---- The first ------------------------------------------------------------------------------------------ */

/* What was mapped elsewhere goes, from behind the linked program to where no kernel has programs. */
static void leave_the_rest(void)
{
    uint32_t at = ((uint32_t)(uintptr_t)memory & -(uint32_t)LINKED) + LINKED;

    KERNEL(CALL_MUNMAP, at, ADDRESS_END - at);
}

static uint32_t make_all(void)
{
    for (uint32_t made = 0; made < asked.processes; made++) {
        int status;

        children[made] = split();
        if (children[made] == 0)
            leave(live(made));
        if (children[made] < 0) {
            say("fork %u: %d\n", made, (int)children[made]);
            return made;
        }
        if (KERNEL(CALL_WAIT4, children[made], (long)&status, WUNTRACED, 0) < 0)
            return made;
    }
    return asked.processes;
}

void child_main(void)
{
    uint32_t made, right = 0, killed = 0;
    int      status;

    leave_the_rest();
    made = make_all();
    if (file_text("/proc/quire/frames", text, sizeof text) > 0)
        KERNEL(CALL_WRITE, 1, (long)text, (long)strlen(text));
    for (uint32_t i = 0; i < made; i++) {
        KERNEL(CALL_KILL, children[i], SIGCONT);
        if (KERNEL(CALL_WAIT4, children[i], (long)&status, 0, 0) < 0)
            break;
        right  += status == 0;
        killed += (status & 0x7F) != 0;
    }
    say("%u processes, %u right, %u killed\n", made, right, killed);
    leave(right == asked.processes ? 0 : 1);
}

/* On a stack of its own the program goes on as a child, since the first stack is to go. */
int program(int count, char **words)
{
    int  status = -1;
    long child;

    if (count != 4)
        return 2;
    asked.processes = (uint32_t)number_of(words[1]);
    asked.pages     = (uint32_t)number_of(words[2]) * 1024 / PAGE;
    asked.noise     = text_same(words[3], "noise");
    if (asked.processes == 0 || asked.processes > MOST || asked.pages == 0 || asked.pages > MOST_KIB * 1024 / PAGE)
        return 2;
    child = kernel_call_twice(&(struct call){ CALL_CLONE, { SIGCHLD } }, stack + STACK - 16);
    if (child < 0 || KERNEL(CALL_WAIT4, child, (long)&status, 0, 0) != child)
        return 2;
    return status >> 8;
}
