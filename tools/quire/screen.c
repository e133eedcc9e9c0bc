/* screen.c - see screen.h. */
#include "screen.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned line_count(const struct screen *screen)
{
    unsigned count = 0;

    for (size_t i = 0; i < screen->length; i++)
        count += screen->text[i] == '\n';
    return count;
}

/* The number of lines of text that fit: the terminal's last line shows the position. */
static unsigned room(void)
{
    uint16_t columns, rows;

    return terminal_size(&columns, &rows) && rows > 1 ? rows - 1u : 23;
}

static const char *skip_lines(const struct screen *screen, unsigned count)
{
    const char *at = screen->text, *end = screen->text + screen->length;

    while (count-- > 0 && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        at = stop != NULL ? stop + 1 : end;
    }
    return at;
}

static void screen_draw(struct screen *screen)
{
    unsigned lines = line_count(screen), rows = room(), most = lines > rows ? lines - rows : 0;
    const char *at, *end = screen->text + screen->length;
    uint16_t columns = 80, height;

    (void)terminal_size(&columns, &height);
    if (screen->first > most)
        screen->first = most;
    at = skip_lines(screen, screen->first);
    fputs("\033[H", stdout);
    for (unsigned row = 0; row < rows; row++) {
        size_t length = (size_t)(end - at);
        const char *stop = memchr(at, '\n', length);

        length = stop != NULL ? (size_t)(stop - at) : length;
        fwrite(at, 1, length < columns ? length : columns, stdout);
        fputs("\033[K\r\n", stdout);
        at = stop != NULL ? stop + 1 : end;
    }
    printf("\033[7m lines %u to %u of %u: arrows, space, b, g, G; Ctrl-C ends the program \033[0m\033[K",
           screen->first + 1, screen->first + rows < lines ? screen->first + rows : lines, lines);
    fflush(stdout);
}

void screen_show(struct screen *screen, char *text, size_t length)
{
    free(screen->text);
    screen->text   = text;
    screen->length = length;
    screen_draw(screen);
}

/* The steps of keys; `named`: the last letter of an escape sequence. */
static int step_of(char key, bool named)
{
    int page = (int)room() - 1;

    switch (key) {
    case 'A':  return named ? -1 : 0;
    case 'B':  return named ? 1 : 0;
    case '5':  return named ? -page : 0;
    case '6':  return named ? page : 0;
    case 'k':  return -1;
    case 'j':
    case '\n': return 1;
    case 'b':  return -page;
    case ' ':  return page;
    case 'g':  return -1000000;
    case 'G':  return 1000000;
    default:   return 0;
    }
}

void screen_keys(struct screen *screen, const char *keys, size_t count)
{
    long first = screen->first;

    for (size_t i = 0; i < count; i++) {
        bool named = i + 2 < count && keys[i] == '\033' && (keys[i + 1] == '[' || keys[i + 1] == 'O');

        i += named ? 2 : 0;
        first += step_of(keys[i], named);
        first = first < 0 ? 0 : first;
    }
    screen->first = (unsigned)first;
    if (screen->text != NULL)
        screen_draw(screen);
}

void screen_free(struct screen *screen)
{
    free(screen->text);
    *screen = (struct screen){ 0 };
}
