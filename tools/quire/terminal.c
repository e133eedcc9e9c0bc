/* terminal.c - raw mode, and back. See terminal.h. */
#include "terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool changed, shown, will_restore;

/* The sequences of xterm, which all later terminals have. */
static const char other_screen[] = "\033[?1049h\033[?25l", first_screen[] = "\033[?25h\033[?1049l";

bool terminal_is_here(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static bool remember(void)
{
    if (changed || tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    if (!will_restore)
        will_restore = atexit(terminal_restore) == 0;
    return true;
}

static void terminal_say(const char *words, size_t length)
{
    while (length > 0) {
        ssize_t done = write(STDOUT_FILENO, words, length);

        if (done <= 0)
            return;
        words += done;
        length -= (size_t)done;
    }
}

void terminal_set_raw(void)
{
    struct termios raw;

    if (!remember())
        return;
    raw = before;
    cfmakeraw(&raw);
    changed = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_show(void)
{
    struct termios keys;

    if (!remember())
        return;
    keys = before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    changed = shown = tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) == 0;
    if (shown)
        terminal_say(other_screen, sizeof(other_screen) - 1);
}

void terminal_restore(void)
{
    if (shown)
        terminal_say(first_screen, sizeof(first_screen) - 1);
    if (changed)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    changed = shown = false;
}

bool terminal_size(uint16_t *columns, uint16_t *rows)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return false;
    *columns = size.ws_col;
    *rows    = size.ws_row;
    return true;
}
