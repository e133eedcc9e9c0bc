/*
 * prompt.c - a signal that comes while a program waits for its turn is handled before the program takes another step.
 *
 * One process counts as fast as it can, without a call; the other wakes now and then, reads the count and sends a
 * signal. In the handler the count must still be what it was: the kernel comes back to the first one with the signal
 * pending, on its way out of the interrupt that ended its turn (trap_leave() looks again after schedule_preempt()).
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS = 40, NAP = 3000000 };

static volatile struct { unsigned count, handled, seen[SIGNALS]; } *shared;

static void on_signal(int number)
{
    (void)number;
    shared->seen[shared->handled] = shared->count;
    shared->handled++;
}

static void count_until_all_came(void)
{
    while (shared->handled < SIGNALS)
        shared->count++;
    _exit(0);
}

static void nap(void)
{
    struct timespec some = { 0, NAP };

    nanosleep(&some, NULL);
}

int main(void)
{
    struct sigaction handler = { .sa_handler = on_signal };
    unsigned         sent[SIGNALS], late = 0, stood = 0;
    cpu_set_t        first;
    pid_t            counts;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);         /* both take turns on one processor */
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || sigaction(SIGUSR1, &handler, NULL) != 0 || (counts = fork()) < 0)
        return 1;
    if (counts == 0)
        count_until_all_came();
    for (unsigned i = 0; i < SIGNALS; i++) {
        nap();
        sent[i] = shared->count;
        stood  += i > 0 && sent[i] == sent[i - 1];
        if (kill(counts, SIGUSR1) != 0)
            return 1;
        while (shared->handled <= i)
            nap();
    }
    waitpid(counts, NULL, 0);
    for (unsigned i = 0; i < SIGNALS; i++)
        late += shared->seen[i] - sent[i] > 1;
    printf("%d signals: %u after a further step, %u while nothing was counted\n", SIGNALS, late, stood);
    return 0;
}
