/*
 * named.c - sockets with names: in no folder, and in one; who was accepted has the listener's name and is not found by
 * it; a name in a folder that another thread replaces meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *answer(long result)
{
    static char number[24];

    if (result < 0)
        return strerrorname_np(errno);
    sprintf(number, "%ld", result);
    return number;
}

static struct sockaddr_un name_of(const char *text, size_t length)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    memcpy(at.sun_path, text, length);
    return at;
}

static int call_at(int (*call)(int, const struct sockaddr *, socklen_t), int socket, const char *text, size_t length)
{
    struct sockaddr_un at = name_of(text, length);

    return call(socket, (struct sockaddr *)&at, (socklen_t)(sizeof at.sun_family + length));
}

static int bytes_of_name(int socket)
{
    struct sockaddr_un at;
    socklen_t          length = sizeof at;

    return getsockname(socket, (struct sockaddr *)&at, &length) == 0 ? (int)(length - sizeof at.sun_family) : -1;
}

/* The one that was accepted is closed before the listener, and behind it; after that the name is free. */
static void listen_and_accept(const char *what, const char *text, size_t length, int type)
{
    for (int late = 0; late < 2; late++) {
        int listener = socket(AF_UNIX, type, 0), client = socket(AF_UNIX, type, 0), other = socket(AF_UNIX, type, 0);
        int accepted;

        printf("%s: bind %s", what, answer(call_at(bind, listener, text, length)));
        printf(", again %s", answer(call_at(bind, listener, text, length)));
        printf(", another %s", answer(call_at(bind, other, text, length)));
        listen(listener, 4);
        printf(", connect %s", answer(call_at(connect, client, text, length)));
        accepted = accept(listener, NULL, NULL);
        printf(", name of %d and %d bytes", bytes_of_name(accepted), bytes_of_name(client));
        if (late)
            close(listener);
        close(accepted);
        printf(", then connect %s", answer(call_at(connect, other, text, length)));
        if (!late)
            close(listener);
        close(client);
        close(other);
        if (text[0] != '\0')
            unlink(text);
        printf(", gone: %s\n", answer(call_at(connect, client = socket(AF_UNIX, type, 0), text, length)));
        close(client);
    }
}

/* ---- A name that another thread replaces ------------------------------------------------------------ */

static volatile int stop;
static const char raced[] = "/tmp/named.raced";

static void *replace(void *none)
{
    char bytes[4];

    while (!stop) {
        int fifo;

        unlink(raced);
        mkfifo(raced, 0600);
        fifo = open(raced, O_RDWR | O_NONBLOCK);
        if (fifo >= 0 && write(fifo, "abcd", 4) == 4 && read(fifo, bytes, 4) != 4)
            printf("a pipe lost its bytes\n");
        close(fifo);
        unlink(raced);
    }
    return none;
}

/* bind() gives the name of what it has made, whatever has that name a moment later. */
static void race(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, replace, NULL);
    for (int i = 0; i < 20000; i++) {
        int one = socket(AF_UNIX, SOCK_STREAM, 0);

        if (call_at(bind, one, raced, sizeof raced) == 0 && i % 2 == 0)
            unlink(raced);
        call_at(bind, one, raced, sizeof raced);                /* has a name by now, or not */
        close(one);
    }
    stop = 1;
    pthread_join(thread, NULL);
    unlink(raced);
    printf("raced\n");
}

int main(void)
{
    mkdir("/tmp", 0777);
    listen_and_accept("no folder", "\0named", 6, SOCK_STREAM);
    listen_and_accept("no folder, packets", "\0named", 6, SOCK_SEQPACKET);
    listen_and_accept("a folder", "/tmp/named.socket", sizeof "/tmp/named.socket", SOCK_STREAM);
    race();
    return 0;
}
