/* ticker.c - writes a count twice a second, until it is killed. */
#include "system.h"

int run(void)
{
    static unsigned long count;         /* at the same address in every ticker, and each has its own */
    struct text          text;

    for (;;) {
        begin(&text, "ticker");
        put(&text, "tick ");
        put_number(&text, ++count);
        say(&text);
        sleep_milliseconds(500);
    }
}
