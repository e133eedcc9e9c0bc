/*
 * pieces.c - readv() and writev() of files of which a read or a write is one message, and of streams.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *answer(long result)
{
    static char numbers[4][24];
    static int  next;

    if (result < 0)
        return strerrorname_np(errno);
    next = (next + 1) % 4;
    sprintf(numbers[next], "%ld", result);
    return numbers[next];
}

/* What was written in pieces and at once, read in pieces and at once. */
static void both(const char *what, int reader, int writer)
{
    char         a[4], b[20], c[8];
    struct iovec out[3] = { { "one", 3 }, { "", 0 }, { "second", 6 } }, in[3] = { { a, 4 }, { b, 0 }, { b, 20 } };
    long         got;

    memset(a, '.', sizeof a);
    memset(b, '.', sizeof b);
    printf("%s: writev %s", what, answer(writev(writer, out, 3)));
    printf(" write %s", answer(write(writer, "last", 4)));
    printf(" readv %s", answer(readv(reader, in, 3)));
    printf(" %.4s %.20s", a, b);
    got = read(reader, c, sizeof c);
    printf(" read %s %.*s", answer(got), (int)(got > 0 ? got : 0), c);
    printf(" nothing %s", answer(writev(writer, (struct iovec[]){ { a, 0 }, { b, 0 } }, 2)));
    printf(" bad %s\n", answer(writev(writer, (struct iovec[]){ { a, 4 }, { NULL, 4 } }, 2)));
    close(reader);
    close(writer);
}

static void sockets(const char *what, int type)
{
    int ends[2];

    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends);
    both(what, ends[0], ends[1]);
}

static void pipes(const char *what, int flags)
{
    int ends[2];

    pipe2(ends, flags | O_NONBLOCK);
    both(what, ends[0], ends[1]);
}

static char waited[64];

/* A reader that waits does not know yet that a packet will come. */
static void *read_pieces(void *end)
{
    char         a[4] = "....", b[8] = "........";
    struct iovec in[2] = { { a, 4 }, { b, 8 } };
    const char  *got   = answer(readv(*(int *)end, in, 2));

    snprintf(waited, sizeof waited, "%s %.4s %.8s", got, a, b);
    return NULL;
}

static void waiting_reader(void)
{
    int       ends[2];
    pthread_t thread;

    pipe2(ends, O_DIRECT);
    pthread_create(&thread, NULL, read_pieces, &ends[0]);
    usleep(50000);
    printf("written: %s, ", write(ends[1], "packet", 6) == 6 ? "6" : "not");
    pthread_join(thread, NULL);
    printf("waited: %s\n", waited);
}

static void events(void)
{
    unsigned long long one = 1;
    char               a[3], b[9];
    struct iovec       in[2] = { { a, 3 }, { b, 9 } }, small[2] = { { a, 3 }, { b, 4 } };
    struct iovec       out[2] = { { &one, 4 }, { (char *)&one + 4, 4 } };
    int                event = eventfd(5, EFD_NONBLOCK);

    printf("event: readv %s", answer(readv(event, in, 2)));
    printf(" again %s", answer(readv(event, in, 2)));
    printf(" small %s", answer(readv(event, small, 2)));
    printf(" writev %s\n", answer(writev(event, out, 2)));
}

static void only_a_path(void)
{
    char         a[3];
    struct iovec in[2] = { { a, 3 }, { a, (size_t)-1 } };
    int          path = open("/", O_PATH);

    printf("path: readv %s", answer(readv(path, in, 2)));
    printf(" preadv2 %s", answer(preadv2(path, in, 2, 0, RWF_HIPRI)));
    printf(" vmsplice %s\n", answer(vmsplice(path, in, 2, 0)));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    sockets("stream", SOCK_STREAM);
    sockets("datagrams", SOCK_DGRAM);
    sockets("packets", SOCK_SEQPACKET);
    pipes("pipe", 0);
    pipes("packet pipe", O_DIRECT);
    waiting_reader();
    events();
    only_a_path();
    return 0;
}
