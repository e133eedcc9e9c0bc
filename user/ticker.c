/* ticker.c - says twice a second how often it has done so; it ends when somebody ends it. */
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
