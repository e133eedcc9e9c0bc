/*
 * pages.c - the pat layout's mmap (memory/spaces/map_pages.h), called as a program would, and as it should not.
 *
 *   pages            every case below; one line each
 *   pages share      two processes map pages at the same place and never see each other's
 *   pages wild       a child writes where nothing is, and its parent waits for it
 *   pages spin N     two children make N system calls each
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALL = 0x51000000, PAGE = 4096, PLACE = 0x40000000, SCREEN = 0xB8000 };

static uint32_t map(uint32_t start, uint32_t physical, uint32_t bytes, int *status)
{
    return (uint32_t)syscall(CALL, start, physical, bytes, status);
}

static void say(const char *what, uint32_t start, uint32_t physical, uint32_t bytes)
{
    int      status = 77;
    uint32_t got = map(start, physical, bytes, &status);

    printf("%s: %s, status %d\n", what, got == 0 ? "null" : got == start ? "there" : "elsewhere", status);
}

static int is_zero(uint32_t start, uint32_t bytes)
{
    for (uint32_t at = start; at < start + bytes; at += 4)
        if (*(volatile uint32_t *)(uintptr_t)at != 0)
            return 0;
    return 1;
}

static void fill(uint32_t start, uint32_t bytes) { memset((void *)(uintptr_t)start, 0x5A, bytes); }

static void good(void)
{
    say("three pages", PLACE, 0, 3 * PAGE);
    printf("zero: %d\n", is_zero(PLACE, 3 * PAGE));
    fill(PLACE, 3 * PAGE);
    say("there already", PLACE + PAGE, 0, PAGE);
    printf("kept: %d\n", !is_zero(PLACE, 3 * PAGE));
    munmap((void *)PLACE, 3 * PAGE);
    say("again", PLACE, 0, 2 * PAGE + 1);
    printf("zero: %d\n", is_zero(PLACE, 3 * PAGE));
    say("the screen", PLACE + 16 * PAGE, SCREEN, 4000);
    *(volatile uint16_t *)(PLACE + 16 * PAGE) = 0x1F50;
    printf("seen: %x\n", *(volatile uint16_t *)(PLACE + 16 * PAGE));
    printf("no rights: %d\n", mprotect((void *)(PLACE + 16 * PAGE), PAGE, PROT_NONE));
    printf("rights: %d\n", mprotect((void *)(PLACE + 16 * PAGE), PAGE, PROT_READ));
    munmap((void *)(PLACE + 16 * PAGE), PAGE);
    say("the screen again", PLACE + 16 * PAGE, SCREEN, 4000);
    printf("still: %x\n", *(volatile uint16_t *)(PLACE + 16 * PAGE));
    printf("no status wanted: %d\n", map(PLACE + 32 * PAGE, 0, PAGE, NULL) == PLACE + 32 * PAGE);
}

static void bad(void)
{
    static const uint32_t places[] = { 0, 0x1000, 0x100000, 0x3FF000, 0xFFC00000u, 0xFFFFF000u };
    static const uint32_t frames[] = { 0x1000, 0x7C00000, 0x100000, 0x110000, 0x400000, 0x200000, 0xFEE00000u,
                                       0xFEC00000u, 0x7FFFF000, 0x9F000, 0xFFFFF000u };

    say("start not aligned", PLACE + 0x100001, 0, PAGE);
    say("physical not aligned", PLACE + 0x100000, SCREEN + 2, PAGE);
    say("no bytes", PLACE + 0x100000, 0, 0);
    say("all bytes", PLACE + 0x100000, 0, UINT32_MAX);
    say("past the end", 0xFFBFF000u, 0, 2 * PAGE);
    say("more than there is", 0x60000000, 0, 0x40000000);
    say("from the screen on", PLACE + 0x100000, SCREEN, 0x100000);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        say("no place", places[i], 0, PAGE);
    for (unsigned i = 0; i < sizeof frames / sizeof *frames; i++)
        say("no frame", PLACE + 0x100000, frames[i], PAGE);
    errno = 0;
    printf("status nowhere: %d, ", (int)map(PLACE + 0x100000, 0, PAGE, (int *)8));
    printf("%s\n", strerror(errno));
    printf("nothing came of it: %d\n", msync((void *)(PLACE + 0x100000), PAGE, MS_ASYNC) == -1 && errno == ENOMEM);
}

/* Pages are private to a space; a mapping of physical memory is not inherited. */
static void family(void)
{
    int status;

    fflush(stdout);
    if (fork() == 0) {
        printf("child: its pages %d, the screen %d\n", is_zero(PLACE, PAGE),
               msync((void *)(PLACE + 16 * PAGE), PAGE, MS_ASYNC) == 0);
        fill(PLACE, PAGE);
        fflush(stdout);
        _exit(0);
    }
    wait(&status);
    printf("parent: its pages %d\n", is_zero(PLACE, PAGE));
}

static void share(void)
{
    for (int child = 0; child < 2; child++)
        if (fork() == 0) {
            int status, sound = map(PLACE, 0, 4 * PAGE, &status) == PLACE;

            for (int round = 0; round < 200 && sound; round++) {
                memset((void *)PLACE, child + 1, 4 * PAGE);
                sched_yield();
                for (uint8_t *at = (uint8_t *)PLACE; at < (uint8_t *)PLACE + 4 * PAGE; at++)
                    sound &= *at == child + 1;
            }
            _exit(sound ? 0 : 1);
        }
    for (int child = 0; child < 2; child++) {
        int status;

        wait(&status);
        printf("own pages only: %d\n", status == 0);
    }
}

/* A child with a bad access is killed, and its parent goes on and gets its status. */
static void wild(void)
{
    int status;

    fflush(stdout);
    if (fork() == 0) {
        *(volatile int *)(PLACE + 0x123450) = 1;
        _exit(0);
    }
    wait(&status);
    printf("killed by %d; the others go on\n", WTERMSIG(status));
}

static void spin(unsigned rounds)
{
    volatile unsigned sum = 0;

    fflush(stdout);
    for (int child = 0; child < 2; child++)
        if (fork() == 0) {
            for (unsigned i = 0; i < rounds; i++)
                sum += i, getppid();
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    printf("spun\n");
}

int main(int count, char **words)
{
    const char *what = count > 1 ? words[1] : "";

    if (strcmp(what, "share") == 0)
        share();
    else if (strcmp(what, "wild") == 0)
        wild();
    else if (strcmp(what, "spin") == 0)
        spin((unsigned)atoi(words[2]));
    else {
        good();
        family();
        bad();
    }
    return 0;
}
