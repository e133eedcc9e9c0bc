/*
 * ranges.c - copy_file_range() and sendfile(): the copies that are allowed, and the refusals.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

static const char one_path[] = "/tmp/ranges-one", other_path[] = "/tmp/ranges-other";

static void say(const char *what, long long result)
{
    if (result < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %lld\n", what, result);
}

static long long range(int from, off_t from_at, int to, off_t to_at, size_t bytes)
{
    return copy_file_range(from, &from_at, to, &to_at, bytes, 0);
}

static long long send_at(int to, int from, off_t at, size_t bytes) { return sendfile(to, from, &at, bytes); }

/* More than a pipe holds: the call ends when it is full. (The alarm ends a call that waits for a reader.) */
static void fill_a_pipe(int file)
{
    static char taken[1 << 17];
    int         p[2];

    alarm(10), pipe(p), ftruncate(file, 1 << 20), lseek(file, 0, SEEK_SET);
    say("send nothing to a pipe", sendfile(p[1], file, NULL, 0));
    say("send more than a pipe holds", sendfile(p[1], file, NULL, 1 << 20)), say("at", lseek(file, 0, SEEK_CUR));
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    say("send to a full pipe", sendfile(p[1], file, NULL, 1 << 20)), say("at", lseek(file, 0, SEEK_CUR));
    say("taken", read(p[0], taken, sizeof taken)), say("send again", send_at(p[1], file, 0, 1 << 20));
    alarm(0), close(p[0]), close(p[1]);
}

int main(void)
{
    int   one = open(one_path, O_RDWR | O_CREAT | O_TRUNC, 0600),
        other = open(other_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    int   reader = open(one_path, O_RDONLY), writer = open(other_path, O_WRONLY),
        end = open(other_path, O_WRONLY | O_APPEND);
    int   folder = open("/tmp", O_RDONLY), p[2];
    off_t at = 0, to = 0;
    char  text[50] = "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    pipe(p), write(one, "0123456789", 10);
    say("from the end", copy_file_range(one, NULL, other, NULL, 10, 0));
    say("copied", copy_file_range(one, &at, other, &to, 5, 0)), say("from", at), say("to", to);
    say("flags", copy_file_range(one, NULL, other, NULL, 1, 1));
    say("over itself", range(one, 2, one, 0, 5)), say("beside itself", range(one, 0, one, 5, 5));
    say("behind itself", range(one, 0, one, 10, 10));
    say("to a reader", copy_file_range(one, NULL, reader, NULL, 5, 0)),
        say("from a writer", copy_file_range(writer, NULL, other, NULL, 5, 0));
    say("to who appends", copy_file_range(one, NULL, end, NULL, 5, 0)),
        say("from a pipe", copy_file_range(p[0], NULL, other, NULL, 5, 0));
    say("from a folder", copy_file_range(folder, NULL, other, NULL, 5, 0)),
        say("before the start", range(one, -1, other, 0, 5));
    say("beyond the end", range(one, 100, other, 0, 5)), say("nothing", range(one, 0, other, 0, 0));
    say("more than there is", range(one, 0, other, 0, (size_t)1 << 30));
    say("send to who appends", send_at(end, one, 0, 5)), say("send", send_at(other, one, 0, 5));
    say("send from a pipe", sendfile(other, p[0], NULL, 5)),
        say("send from before the start", send_at(other, one, -1, 5));
    say("send to a reader", sendfile(reader, one, NULL, 5)),
        say("send from a writer", sendfile(other, writer, NULL, 5));
    say("send from a folder", sendfile(other, folder, NULL, 5)), say("send to nothing", sendfile(99, one, NULL, 5));
    say("send to a pipe", send_at(p[1], one, 0, 100)), say("send from beyond", send_at(p[1], one, 1000, 100));
    say("read", read(p[0], text, 40)), puts(text);
    fill_a_pipe(one);
    unlink(one_path), unlink(other_path);
    return 0;
}
