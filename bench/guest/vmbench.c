/*
 * vmbench.c - what memory and process operations cost a Linux program, in instructions: the rows that have budgets.
 */
#include "bench.h"

static count getppid(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_GETPPID, 0, 0, 0, 0);
    return now() - start;
}

static count write_fault(word pages)
{
    char *at = map_private(pages);
    count start = now(), cost;

    write_pages(at, pages);
    cost = now() - start;
    unmap(at, pages);
    return cost;
}

static count read_fault(word pages)
{
    char *at = map_private(pages);
    count start = now(), cost;

    read_pages(at, pages);
    cost = now() - start;
    unmap(at, pages);
    return cost;
}

static word pages_of_child;

static void break_copies(char *at)
{
    count start = now();

    write_pages(at, pages_of_child);
    *shared = now() - start;
}

static count copy_on_write(word pages)
{
    char *at = map_private(pages);

    write_pages(at, pages);
    pages_of_child = pages;
    wait_for(fork_and(break_copies, at));
    unmap(at, pages);
    return *shared;
}

static count file_fault(word pages)
{
    static const char path[] = "/vmbench.tmp";
    static char page[PAGE];
    int fd = call(SYS_OPEN, (word)path, O_RDWR | O_CREAT | O_TRUNC, 0600, 0);
    count start, cost;
    char *at;

    must(fd >= 0, "open");
    for (word i = 0; i < pages; i++)
        must(call(SYS_WRITE, (word)fd, (word)page, PAGE, 0) == PAGE, "write");
    at = map(pages, MAP_PRIVATE, fd);
    start = now();
    read_pages(at, pages);
    cost = now() - start;
    unmap(at, pages);
    call(SYS_CLOSE, (word)fd, 0, 0, 0);
    call(SYS_UNLINK, (word)path, 0, 0, 0);
    return cost;
}

static void grow_stack(char *ignored)
{
    char *top = __builtin_frame_address(0);
    count start = now();

    (void)ignored;
    for (word i = 1; i <= pages_of_child; i++)
        *(volatile char *)(top - i * PAGE) = 1;
    *shared = now() - start;
}

/* In a child: a stack stays grown. */
static count stack_growth(word pages)
{
    pages_of_child = pages;
    wait_for(fork_and(grow_stack, 0));
    return *shared;
}

static count map_unmap(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        unmap(map_private(1), 1);
    return now() - start;
}

static count map_touch_unmap(word times)
{
    count start = now();

    for (word i = 0; i < times; i++) {
        char *at = map_private(1);

        write_pages(at, 1);
        unmap(at, 1);
    }
    return now() - start;
}

static count protect_pair(word times)
{
    char *at = map_private(16);
    count start, cost;

    write_pages(at, 16);
    start = now();
    for (word i = 0; i < times; i++) {
        call(SYS_MPROTECT, (word)at + 8 * PAGE, PAGE, PROT_READ, 0);
        call(SYS_MPROTECT, (word)at + 8 * PAGE, PAGE, PROT_READ | PROT_WRITE, 0);
    }
    cost = now() - start;
    unmap(at, 16);
    return cost;
}

static count grow_heap(word times)
{
    word end = (word)call(SYS_BRK, 0, 0, 0, 0);
    count start = now();

    for (word i = 0; i < times; i++) {
        must((word)call(SYS_BRK, end + 16 * PAGE, 0, 0, 0) == end + 16 * PAGE, "brk");
        write_pages((char *)((end + PAGE - 1) & -(word)PAGE), 16);
        call(SYS_BRK, end, 0, 0, 0);
    }
    return now() - start;
}

static void do_nothing(char *ignored)
{
    (void)ignored;
}

static count fork_small(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        wait_for(fork_and(do_nothing, 0));
    return now() - start;
}

static count fork_large(word times)
{
    char *at = map_private(4096);
    count cost;

    write_pages(at, 4096);
    cost = fork_small(times);
    unmap(at, 4096);
    return cost;
}

/* This program again, which ends at once when told `nothing`. */
static void run_nothing(char *ignored)
{
    static char word_nothing[] = "nothing";
    char *again[] = { arguments[0], word_nothing, 0 };

    (void)ignored;
    call(SYS_EXECVE, (word)arguments[0], (word)again, (word)environment, 0);
    call(SYS_EXIT, 1, 0, 0, 0);
}

static count fork_exec(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        wait_for(fork_and(run_nothing, 0));
    return now() - start;
}

static int to_child[2], to_parent[2];
static word round_trips;

static void answer(char *ignored)
{
    char byte;

    (void)ignored;
    for (word i = 0; i < round_trips; i++) {
        call(SYS_READ, (word)to_child[0], (word)&byte, 1, 0);
        call(SYS_WRITE, (word)to_parent[1], (word)&byte, 1, 0);
    }
}

static count pipe_round_trip(word times)
{
    char byte = 'q';
    count start, cost;
    int child;

    must(call(SYS_PIPE, (word)to_child, 0, 0, 0) == 0 && call(SYS_PIPE, (word)to_parent, 0, 0, 0) == 0, "pipe");
    round_trips = times + 1;
    child = fork_and(answer, 0);
    call(SYS_WRITE, (word)to_child[1], (word)&byte, 1, 0);      /* until the child is there */
    call(SYS_READ, (word)to_parent[0], (word)&byte, 1, 0);
    start = now();
    for (word i = 0; i < times; i++) {
        call(SYS_WRITE, (word)to_child[1], (word)&byte, 1, 0);
        call(SYS_READ, (word)to_parent[0], (word)&byte, 1, 0);
    }
    cost = now() - start;
    wait_for(child);
    for (int i = 0; i < 2; i++) {
        call(SYS_CLOSE, (word)to_child[i], 0, 0, 0);
        call(SYS_CLOSE, (word)to_parent[i], 0, 0, 0);
    }
    return cost;
}

const word usual_rounds = 9;

const struct operation operations[] = {
    { "getppid", getppid, 10000 },
    { "write-fault", write_fault, 1024 },
    { "read-fault", read_fault, 1024 },
    { "copy-on-write", copy_on_write, 1024 },
    { "file-fault", file_fault, 1024 },
    { "stack-growth", stack_growth, 1024 },
    { "map-unmap", map_unmap, 1000 },
    { "map-touch-unmap", map_touch_unmap, 1000 },
    { "protect-pair", protect_pair, 1000 },
    { "brk-16-pages", grow_heap, 100 },
    { "fork-small", fork_small, 50 },
    { "fork-16M", fork_large, 8 },
    { "fork-exec", fork_exec, 20 },
    { "pipe-round-trip", pipe_round_trip, 1000 },
    { 0, 0, 0 },
};
