/*
 * torn.c - a turn ends in the middle of a copy that the kernel makes for a program.
 *
 * One process sends itself messages of many words, all of a message the same number, and receives them into memory that
 * the other one sees: each message is copied there in one call, without a fault. The other one looks whenever it has
 * its turn. Where the first word is of another message than the last, the kernel was interrupted while it copied, and
 * this program ran before the copy was done. The first one looks at each word of what it has received.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 50000, ENOUGH = 5, SECONDS = 60 };

static uint32_t sent[WORDS];
static volatile struct { uint32_t words[WORDS], done; } *shared;

/* Returns the status: 1 where the message was not copied whole, in the end. */
static int copy(int to, int from)
{
    for (uint32_t number = 1; !shared->done; number++) {
        for (unsigned i = 0; i < WORDS; i++)
            sent[i] = number;
        if (send(to, sent, sizeof sent, 0) != sizeof sent ||
            recv(from, (void *)shared->words, sizeof sent, 0) != sizeof sent)
            return 2;
        for (unsigned i = 0; i < WORDS; i++)
            if (shared->words[i] != number)
                return 1;
    }
    return 0;
}

int main(void)
{
    unsigned  torn = 0, looks = 0;
    uint32_t  seen = 0;
    time_t    end  = time(NULL) + SECONDS;
    int       ends[2], status;
    cpu_set_t first;
    pid_t     child;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);         /* both take turns on one processor */
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0 || (child = fork()) < 0)
        return 1;
    if (child == 0)
        _exit(copy(ends[0], ends[1]));
    while (torn < ENOUGH && time(NULL) < end) {
        uint32_t now = shared->words[0];

        if (now == seen)
            continue;
        looks++;
        torn += now != shared->words[WORDS - 1];
        seen  = now;
    }
    shared->done = 1;
    if (waitpid(child, &status, 0) != child)
        return 1;
    printf("%u looks, %u into a copy; status %x\n", looks, torn, status);
    return 0;
}
