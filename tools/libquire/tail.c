/* tail.c - keeping the end of a text. See tail.h. */
#include "tail.h"
#include "arena.h"
#include "names.h"
#include "visible.h"

#include <string.h>

static const char mark[] = "panic: ";

enum { ROOM = sizeof(((struct tail *)0)->bytes) - 1, MARK = sizeof(mark) - 1 };

void tail_keep(struct tail *tail, const void *bytes, size_t length)
{
    if (length > ROOM / 2) {
        bytes = (const char *)bytes + (length - ROOM / 2);
        length = ROOM / 2;
    }
    if (tail->length + length > ROOM) {
        memmove(tail->bytes, tail->bytes + tail->length - ROOM / 2, ROOM / 2);
        tail->length = ROOM / 2;
    }
    memcpy(tail->bytes + tail->length, bytes, length);
    tail->length += length;
    tail->bytes[tail->length] = '\0';
}

/* True when this letter completes the mark at the beginning of a line. */
static bool completes(struct tail *tail, char letter)
{
    if (letter == '\n')
        tail->matched = 0;
    else if (tail->matched >= 0 && letter == mark[tail->matched])
        tail->matched++;
    else
        tail->matched = -1;
    return tail->matched == MARK;
}

static void begin_last_words(struct tail *tail)
{
    memcpy(tail->bytes, mark, sizeof(mark));
    tail->length = MARK;
    tail->last_words = true;
}

void tail_keep_words(struct tail *tail, const void *bytes, size_t length)
{
    const char *from = bytes;
    size_t room, before = 0;

    while (!tail->last_words && before < length)
        if (completes(tail, from[before++]))
            begin_last_words(tail);
    if (!tail->last_words) {
        tail_keep(tail, bytes, length);
        return;
    }
    room = ROOM - tail->length < length - before ? ROOM - tail->length : length - before;
    memcpy(tail->bytes + tail->length, from + before, room);
    tail->length += room;
    tail->bytes[tail->length] = '\0';
}

/* The start of the last `lines` lines before `end`. */
static size_t beginning(const struct tail *tail, size_t end, int lines)
{
    size_t start = end;

    for (; start > 0; start--)
        if (tail->bytes[start - 1] == '\n' && --lines == 0)
            break;
    return start;
}

static void tell_shown(const char *begin, const char *line, size_t length)
{
    char *shown = grown(NULL, length * VISIBLE_MOST + 1, 1);

    shown[visible(line, length, shown)] = '\0';
    tell(0, "%s%s", begin, shown);
    drop(shown);
}

void tell_visibly(const char *line, size_t length) { tell_shown("", line, length); }
void tell_detail(const char *line, size_t length)  { tell_shown("  | ", line, length); }

static void show_line(const char *line, size_t length, const struct names *names)
{
    size_t at;
    char *name, *named;

    while (length > 0 && line[length - 1] == '\r')
        length--;
    name = names != NULL ? names_for_line(names, line, length, &at) : NULL;
    if (name == NULL) {
        tell_detail(line, length);
        return;
    }
    named = text("%.*s%s%.*s", (int)at, line, name, (int)(length - at), line + at);
    tell_detail(named, strlen(named));
    drop(named);
    drop(name);
}

void tail_show(const struct tail *tail, int lines, const struct names *names)
{
    size_t end = tail->length, start;

    while (end > 0 && strchr("\r\n", tail->bytes[end - 1]) != NULL)
        end--;
    start = tail->last_words ? 0 : beginning(tail, end, lines);
    while (start < end && strchr("\r\n", tail->bytes[start]) != NULL)
        start++;
    while (start < end) {
        const char *line = tail->bytes + start, *stop = memchr(line, '\n', end - start);
        size_t length = stop != NULL ? (size_t)(stop - line) : end - start;

        show_line(line, length, names);
        start += length + 1;
    }
}
