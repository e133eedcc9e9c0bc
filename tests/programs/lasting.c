/*
 * lasting.c - what calls leave, and what they keep others waiting for: an open file's number comes before a file is
 * made or a connection taken; a splice that waits keeps nobody from being killed; and a new program finds nothing of
 * what its process had promised for the old one.
 *
 *   lasting             what Linux answers, too
 *   lasting beside      SIGKILL beside a splice that waits
 *   lasting linked      sockets in each other's messages end with their process at once
 *   lasting terminal    on a terminal: who waits behind a write that is stopped can be killed
 */
#include "answers.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>

enum { STEP_MS = 20, PATIENCE_MS = 10000, MOMENT_MS = 150 };

static void pause_for(int milliseconds)
{
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

/* How a child ended, as waitpid() says; -1 when it does not. */
static int patient_end(pid_t child)
{
    int status;

    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        pause_for(STEP_MS);
    }
    return -1;
}

/* ---- A number first ----------------------------------------------------------------------------------- */

#define MADE "/tmp/lasting.made"
#define THERE "/tmp/lasting.there"

static int listen_at(struct sockaddr_un *name, socklen_t *length)
{
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    *name   = (struct sockaddr_un){ .sun_family = AF_UNIX, .sun_path = "\0lasting" };
    *length = offsetof(struct sockaddr_un, sun_path) + 8;
    if (bind(listener, (struct sockaddr *)name, *length) != 0 || listen(listener, 4) != 0)
        _exit(1);
    return listener;
}

/* Without a free number nothing is made or emptied, and a connection stays where it is. */
static void a_number_first(void)
{
    struct sockaddr_un name;
    socklen_t          length;
    struct rlimit      few = { 32, 32 };
    struct stat        is;
    int                listener = listen_at(&name, &length), client = socket(AF_UNIX, SOCK_STREAM, 0), last = -1;
    int                there = open(THERE, O_CREAT | O_TRUNC | O_WRONLY, 0600), next;
    char               byte = 0;

    unlink(MADE);
    SAY(write(there, "text", 4));
    SAY(connect(client, (struct sockaddr *)&name, length));
    setrlimit(RLIMIT_NOFILE, &few);
    while ((next = open("/dev/null", O_RDWR)) >= 0)
        last = next;
    SAY(open(MADE, O_CREAT | O_EXCL | O_RDWR, 0600));
    SAY(access(MADE, F_OK));
    SAY(open(THERE, O_TRUNC | O_WRONLY));
    SAY(stat(THERE, &is));
    SAY(is.st_size);
    SAY(accept(listener, NULL, NULL));
    close(last);
    SAY((next = accept(listener, NULL, NULL)) == last);
    SAY(write(client, "x", 1));
    SAY(read(next, &byte, 1));
    SAY(byte);
    unlink(THERE);
}

static int listening;

static void *take_connection(void *unused)
{
    return (void *)(long)accept(listening, NULL, unused);
}

/* The number is kept for who will have the open file, and to everybody else it is closed. */
static void a_number_that_is_kept(void)
{
    struct sockaddr_un name;
    socklen_t          length;
    pthread_t          thread;
    void              *got;
    int                status, client, kept;

    listening = listen_at(&name, &length);
    kept      = dup(0);
    close(kept);
    pthread_create(&thread, NULL, take_connection, NULL);
    pause_for(MOMENT_MS);
    SAY(fcntl(kept, F_GETFD));
    SAY(close(kept));
    SAY(dup2(0, kept));
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    SAY(client == kept + 1);
    if (fork() == 0) {
        SAY(dup(0) == kept);                    /* a child of its own has no such call */
        _exit(0);
    }
    wait(&status);
    SAY(connect(client, (struct sockaddr *)&name, length));
    pthread_join(thread, &got);
    SAY((long)got == kept);
    SAY(fcntl(kept, F_GETFD));
}

/* ---- What an old program has promised --------------------------------------------------------------------- */

/* Ends at once: a new program. */
static void execute(void)
{
    execl("/proc/self/exe", "lasting", "nothing", NULL);
    _exit(1);
}

/* A lock of a program that goes, in memory that others have, too: they are told when it goes, not when it ends. */
static void promises_of_the_old_program(void)
{
    static struct { struct robust_list_head head; } robust;
    struct { struct robust_list entry; uint32_t word; } *lock;
    static volatile int cleared = 1;
    pid_t               child;

    lock  = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child = fork();
    if (child == 0) {
        lock->word       = (uint32_t)getpid();
        lock->entry.next = &robust.head.list;
        robust.head      = (struct robust_list_head){ { &lock->entry }, (char *)&lock->word - (char *)lock, NULL };
        syscall(SYS_set_robust_list, &robust.head, sizeof robust.head);
        execute();
    }
    waitpid(child, NULL, 0);
    SAY(lock->word == FUTEX_OWNER_DIED);
    child = vfork();
    if (child == 0) {
        syscall(SYS_set_tid_address, &cleared);
        execute();
    }
    waitpid(child, NULL, 0);
    SAY(cleared);
}

/* ---- SIGKILL beside a splice that waits ------------------------------------------------------------------ */

/* Linux holds the pipe's lock while a splice waits for a socket, and no signal ends the wait for that lock. */

static int ends[2], sockets[2];

static void splice_to_a_full_socket(void)   { splice(ends[0], NULL, sockets[0], NULL, 4096, 0); }
static void splice_from_a_dumb_socket(void) { splice(sockets[0], NULL, ends[1], NULL, 4096, 0); }

static void read_it(void)     { char byte[8]; read(ends[0], byte, sizeof byte); }
static void write_it(void)    { write(ends[1], "more", 4); }
static void ask_it(void)      { int bytes; ioctl(ends[0], FIONREAD, &bytes); }
static void size_it(void)     { fcntl(ends[0], F_SETPIPE_SZ, 1 << 17); }
static void close_it(void)    { close(ends[0]); close(ends[1]); }
static void splice_from(void) { splice(ends[0], NULL, open("/dev/null", O_WRONLY), NULL, 8, 0); }
static void splice_to(void)   { splice(open("/proc/self/exe", O_RDONLY), NULL, ends[1], NULL, 8, 0); }
static void open_it(void)     { char path[40]; sprintf(path, "/proc/self/fd/%d", ends[0]); open(path, O_RDWR); }

static void tee_it(void)
{
    int other[2];

    if (pipe(other) == 0)
        tee(ends[0], other[1], 8, 0);
}

static pid_t child_that(void (*does)(void))
{
    pid_t child = fork();

    if (child == 0) {
        does();
        _exit(0);
    }
    return child;
}

/* Each is given a moment, and SIGKILL; then it has ended, by that or because it was done. */
static void kill_beside(void (*splices)(void))
{
    static void (*const ways[])(void) = { read_it, write_it, ask_it, size_it, close_it, splice_from, splice_to, open_it,
                                          tee_it };
    pid_t splicer = child_that(splices);
    int   left = 0;

    pause_for(MOMENT_MS);
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        pid_t child = child_that(ways[i]);
        int   end;

        pause_for(MOMENT_MS);
        kill(child, SIGKILL);
        end = patient_end(child);
        if (end != 0 && end != SIGKILL)
            printf("way %u: %x\n", i, end);
        left += end == -1;
    }
    SAY(left);
    kill(splicer, SIGKILL);
    SAY(patient_end(splicer));
}

static void fill_socket(int socket)
{
    static char bytes[4096];

    while (send(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
    while (send(socket, bytes, 1, MSG_DONTWAIT) > 0)
        ;
}

static void beside_a_splice_out_of_a_pipe(void)
{
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
        return;
    fill_socket(sockets[0]);
    SAY(write(ends[1], "some text", 9));
    kill_beside(splice_to_a_full_socket);
}

static void beside_a_splice_into_a_pipe(void)
{
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
        return;
    SAY(write(ends[1], "some text", 9));
    kill_beside(splice_from_a_dumb_socket);
}

/* What a splice that was waiting has at last, and what a reader that waited behind it. */
static void in_order(void)
{
    char  text[16] = "";
    pid_t splicer, reader;

    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
        return;
    splicer = child_that(splice_from_a_dumb_socket);
    pause_for(MOMENT_MS);
    reader = child_that(write_it);
    pause_for(MOMENT_MS);
    SAY(write(sockets[1], "first ", 6));
    SAY(patient_end(splicer));
    SAY(patient_end(reader));
    SAY(read(ends[0], text, sizeof text - 1));
    printf("%s\n", text);
    fill_socket(sockets[0]);
    SAY(write(ends[1], "a page", 6));
    splicer = child_that(splice_to_a_full_socket);
    pause_for(MOMENT_MS);
    SAY(write(ends[1], " and more", 9));
    reader = child_that(read_it);
    pause_for(MOMENT_MS);
    SAY(kill(splicer, SIGKILL));
    SAY(patient_end(splicer));
    SAY(patient_end(reader));
    memset(text, 0, sizeof text);
    SAY(read(ends[0], text, sizeof text - 1));
    printf("%s\n", text);
}

/* ---- Sockets in each other's messages -------------------------------------------------------------------- */

enum { LINKED = 24, AT_ONCE = 253 };

/* Each socket's queue is filled with messages that carry all sockets, several times over. */
static void link_sockets(int linked[LINKED][2])
{
    union { struct cmsghdr head; char room[CMSG_SPACE(AT_ONCE * sizeof(int))]; } control;
    char          byte = 0;
    struct iovec  piece = { &byte, 1 };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control };

    control.head = (struct cmsghdr){ CMSG_LEN(AT_ONCE * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
    for (int i = 0; i < LINKED; i++)
        socketpair(AF_UNIX, SOCK_DGRAM, 0, linked[i]);
    for (int i = 0; i < AT_ONCE; i++)
        memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &linked[i % LINKED][0], sizeof(int));
    for (int i = 0; i < LINKED; i++)
        while (sendmsg(linked[i][1], &message, MSG_DONTWAIT) == 1)
            ;
}

static long milliseconds_since(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - begin->tv_sec) * 1000 + (now.tv_nsec - begin->tv_nsec) / 1000000;
}

/* The time that the first close of one takes, in the parent's page; then the process ends with all others open. */
static void end_with_linked_sockets(long *one, struct timespec *ends_at)
{
    static int      linked[LINKED][2];
    struct timespec begin;

    link_sockets(linked);
    for (int i = 0; i < LINKED; i++)
        close(linked[i][1]);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    close(linked[0][0]);
    *one = milliseconds_since(&begin);
    clock_gettime(CLOCK_MONOTONIC, ends_at);
    _exit(0);
}

/* All are found to be lost once, not the ones that are left each time that one more is. */
static void linked_sockets(void)
{
    struct { long one; struct timespec ends_at; } *shared;
    long  all;
    pid_t child;

    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child  = fork();
    if (child == 0)
        end_with_linked_sockets(&shared->one, &shared->ends_at);
    waitpid(child, NULL, 0);
    all = milliseconds_since(&shared->ends_at);
    printf("one close: %ld ms, the end of %d sockets: %ld ms\n", shared->one, LINKED, all);
    printf("%s\n", all < 8 * (shared->one + 10) ? "at once" : "one after the other");
}

/* ---- A write that a terminal has stopped ------------------------------------------------------------------- */

static void write_a_line(void)  { write(1, "kept\n", 5); }
static void write_at_once(void) { fcntl(1, F_SETFL, O_NONBLOCK); write_a_line(); _exit(errno == EAGAIN ? 0 : 1); }

static void behind_a_stopped_write(void)
{
    pid_t first, second, third;
    int   ends_of[3];

    tcflow(1, TCOOFF);
    first = child_that(write_a_line);
    pause_for(MOMENT_MS);
    second = child_that(write_a_line);
    pause_for(MOMENT_MS);
    kill(second, SIGKILL);
    ends_of[1] = patient_end(second);
    third      = child_that(write_at_once);
    ends_of[2] = patient_end(third);
    fcntl(1, F_SETFL, 0);
    tcflow(1, TCOON);
    ends_of[0] = patient_end(first);
    printf("first %d, second %d, third %d\n", ends_of[0], ends_of[1], ends_of[2]);
}

int main(int count, char **words)
{
    static const struct part parts[] = {
        { "a number first", a_number_first },
        { "a number that is kept", a_number_that_is_kept },
        { "promises of the old program", promises_of_the_old_program },
    };
    static const struct part beside[] = {
        { "a splice out of a pipe", beside_a_splice_out_of_a_pipe },
        { "a splice into a pipe", beside_a_splice_into_a_pipe },
        { "in order", in_order },
    };
    const char *which = count > 1 ? words[1] : "";

    if (strcmp(which, "nothing") == 0)
        return 0;
    if (strcmp(which, "terminal") == 0)
        behind_a_stopped_write();
    else if (strcmp(which, "linked") == 0)
        linked_sockets();
    else if (strcmp(which, "beside") == 0)
        answer_parts(beside, sizeof beside / sizeof beside[0], NULL);
    else
        answer_parts(parts, sizeof parts / sizeof parts[0], NULL);
    return 0;
}
