/*
 * selects.c - select: which bits are set, over the words of three sets; closed files, waiting, and numbers beyond.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 4, FAR = 70, NOW = 0, SOON = 20000, LATE = 5000000 };

static unsigned sets[3][WORDS];

static void set_bit(int set, int number) { sets[set][number / 32] |= 1u << number % 32; }

/* Ask, print the answer, and clear the sets. `which`: a bit for each set that is given. */
static void ask(const char *what, int count, int which, long microseconds)
{
    struct timeval time = { microseconds / 1000000, microseconds % 1000000 };
    long           ready = syscall(SYS__newselect, count, which & 1 ? sets[0] : NULL, which & 2 ? sets[1] : NULL,
                                   which & 4 ? sets[2] : NULL, microseconds >= 0 ? &time : NULL);

    printf("%s: ", what);
    if (ready < 0)
        printf("%s", strerrorname_np(errno));
    else
        printf("%ld", ready);
    for (int set = 0; set < 3; set++)
        printf("%s %08x %08x %08x %08x", set > 0 ? "," : "", sets[set][0], sets[set][1], sets[set][2], sets[set][3]);
    printf("\n");
    memset(sets, 0, sizeof sets);
}

/* A pipe whose ends have these numbers. */
static void make_pipe(int from, int to)
{
    int ends[2];

    if (pipe(ends) != 0 || dup2(ends[0], from) < 0 || dup2(ends[1], to) < 0)
        exit(1);
    close(ends[0]);
    close(ends[1]);
}

static void *write_later(void *to)
{
    usleep(SOON);
    if (write(*(int *)to, "x", 1) != 1)
        exit(1);
    return NULL;
}

/* The sets that are there in most questions: an empty pipe, a full word's last bit, and one in the third word. */
static void choose(void)
{
    set_bit(0, 20);
    set_bit(0, 31);
    set_bit(0, FAR);
    set_bit(1, 21);
    set_bit(1, 63);
    set_bit(2, 20);
}

static void ask_of_pipes(void)
{
    char byte;

    choose();
    ask("nothing to read", 128, 7, NOW);
    write(63, "a", 1);
    choose();
    ask("one to read", 128, 7, NOW);
    choose();
    ask("fewer numbers", 31, 7, NOW);
    choose();
    ask("one number more", 32, 7, NOW);
    choose();
    ask("to read alone", 128, 1, NOW);
    choose();
    ask("no sets", 128, 0, SOON);
    choose();
    ask("no numbers", 0, 7, SOON);
    read(31, &byte, 1);
    set_bit(0, 20);
    set_bit(0, FAR);
    ask("in vain", 128, 7, SOON);
    set_bit(2, 31);
    ask("exceptions in vain", 128, 7, SOON);
}

static void ask_of_ends(void)
{
    make_pipe(90, 91);
    close(91);
    set_bit(0, 90);
    set_bit(2, 90);
    ask("no writer", 128, 5, NOW);
    make_pipe(90, 91);
    close(90);
    set_bit(0, 91);
    set_bit(1, 91);
    ask("no reader", 128, 3, NOW);
    close(91);
}

static void ask_of_closed(void)
{
    choose();
    set_bit(1, 100);
    ask("closed", 128, 7, NOW);
    choose();
    set_bit(1, 100);
    ask("closed and waited for", 128, 7, LATE);
    choose();
    set_bit(1, 100);
    ask("closed beyond", 100, 7, NOW);
    choose();
    ask("negative", -1, 7, NOW);
    printf("bad address: %s\n", syscall(SYS__newselect, 128, 16, 0, 0, NULL) < 0 ? strerrorname_np(errno) : "ok");
}

static void ask_while_others_write(void)
{
    pthread_t thread;
    int       to = 71;
    pid_t     child = fork();

    if (child == 0) {
        write_later(&to);
        _exit(0);
    }
    set_bit(0, 20);
    set_bit(0, FAR);
    ask("written by a child", 128, 1, LATE);
    waitpid(child, NULL, 0);
    to = 21;
    pthread_create(&thread, NULL, write_later, &to);
    set_bit(0, 20);
    ask("written by a thread", 128, 1, -1);
    set_bit(0, 20);
    set_bit(0, 31);
    set_bit(0, FAR);
    ask("of two threads", 128, 1, NOW);
    pthread_join(thread, NULL);
}

/* A file is always ready, without exceptions. */
static void ask_of_files(void)
{
    int file = open("/dev/null", O_RDWR), pair[2];

    dup2(file, 95);
    set_bit(0, 95);
    set_bit(1, 95);
    set_bit(2, 95);
    ask("a file", 96, 7, NOW);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    dup2(pair[0], 96);
    dup2(pair[1], 97);
    close(pair[0]);
    close(pair[1]);
    set_bit(0, 96);
    set_bit(1, 96);
    set_bit(0, 97);
    set_bit(1, 97);
    ask("a pair", 128, 7, LATE);
    close(97);
    set_bit(0, 96);
    set_bit(1, 96);
    ask("one of a pair", 128, 7, LATE);
}

/* Numbers beyond 65536, which a process may be allowed; and of numbers that it has no room for, none is looked at. */
static void ask_of_high_numbers(void)
{
    enum { HIGH = 200000, NO_ROOM = 900000 };
    static unsigned high[NO_ROOM / 32 + 1];
    struct rlimit   limit = { 1 << 20, 1 << 20 };
    struct timeval  soon  = { 0, SOON };

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || dup2(21, HIGH) != HIGH)
        exit(1);
    high[HIGH / 32] |= 1u << HIGH % 32;
    printf("a high number: %ld", syscall(SYS__newselect, HIGH + 1, NULL, high, NULL, &soon));
    printf(" %08x\n", high[HIGH / 32]);
    high[NO_ROOM / 32] |= 1u << NO_ROOM % 32;
    printf("no room: %ld", syscall(SYS__newselect, NO_ROOM + 1, NULL, high, NULL, &soon));
    printf(" %08x\n", high[HIGH / 32]);
}

int main(int count, char **words)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    make_pipe(20, 21);
    if (count > 1 && strcmp(words[1], "high") == 0) {
        ask_of_high_numbers();
        return 0;
    }
    make_pipe(31, 63);
    make_pipe(FAR, 71);
    ask_of_pipes();
    ask_of_ends();
    ask_of_closed();
    ask_while_others_write();
    ask_of_files();
    return 0;
}
