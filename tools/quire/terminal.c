/* terminal.c - raw mode, and back. See terminal.h. */
#include "terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool lent, will_give_back;

bool terminal_is_here(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

void terminal_lend(void)
{
    struct termios raw;

    if (lent || tcgetattr(STDIN_FILENO, &before) != 0)
        return;
    if (!will_give_back)
        will_give_back = atexit(terminal_give_back) == 0;
    raw = before;
    cfmakeraw(&raw);
    lent = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_give_back(void)
{
    if (lent)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    lent = false;
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
