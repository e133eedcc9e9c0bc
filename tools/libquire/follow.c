/* follow.c - asking for snapshots, and finding them in the guest's text. See follow.h. */
#include "follow.h"
#include "arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 5000,             /* a snapshot later than this is asked for again        */
    START_MS    = 100,              /* before the first: the kernel may not listen yet      */
    MOST        = 64 << 20,         /* the most text of a snapshot                    */
};

void follow_start(struct follow *follow, int fd, uint64_t now_ms)
{
    follow->fd      = fd;
    follow->next_ms = now_ms;
}

void follow_end(struct follow *follow)
{
    drop(follow->bytes);
    follow->bytes  = NULL;
    follow->length = follow->room = 0;
}

void follow_look(struct follow *follow, uint64_t now_ms)
{
    if (now_ms < follow->next_ms)
        return;
    follow->next_ms = now_ms + (follow->heard ? PATIENCE_MS : START_MS);
    if (send(follow->fd, "m", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        follow->next_ms = UINT64_MAX;
}

uint64_t follow_patience(const struct follow *follow, uint64_t now_ms)
{
    return follow->next_ms == UINT64_MAX ? UINT64_MAX : follow->next_ms > now_ms ? follow->next_ms - now_ms : 0;
}

/* The last line of a snapshot begins at `line`. */
static bool is_last(const char *line, const char *end)
{
    return end - line > 4 && (memcmp(line, "end ", 4) == 0 || memcmp(line, "cut ", 4) == 0);
}

/* A whole snapshot in the bytes, from its first line to its last; the rest stays. */
static void take_lines(struct follow *follow, size_t fresh, uint64_t now_ms)
{
    static const char first[] = "quire-map ";
    char *begin = follow->bytes, *end = follow->bytes + follow->length, *at = end - fresh, *stop;

    while ((stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        char *line = memrchr(begin, '\n', (size_t)(stop - begin));

        line = line != NULL ? line + 1 : begin;
        at = stop + 1;
        if (memcmp(line, first,
                   (size_t)(stop - line) < sizeof(first) - 1 ? (size_t)(stop - line) : sizeof(first) - 1) == 0)
            begin = line;
        if (!is_last(line, stop))
            continue;
        follow->heard   = true;
        follow->next_ms = now_ms + follow->every_ms;
        follow->taken(follow, begin, (size_t)(at - begin));
        begin = at;
    }
    follow->length = (size_t)(end - begin);
    memmove(follow->bytes, begin, follow->length);
}

bool follow_read(struct follow *follow, uint64_t now_ms)
{
    ssize_t got;

    if (follow->room - follow->length < 4096) {
        follow->room  = 2 * follow->room + 65536;
        follow->bytes = grown(follow->bytes, follow->room, 1);
    }
    got = recv(follow->fd, follow->bytes + follow->length, follow->room - follow->length, MSG_DONTWAIT);
    if (got > 0) {
        follow->length += (size_t)got;
        take_lines(follow, (size_t)got, now_ms);
    }
    if (follow->length > MOST)
        follow->length = 0;
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}
