/* brief.c - counts to three and ends with status 7. */
#include "system.h"

int run(void)
{
    struct text text;

    for (unsigned long count = 1; count <= 3; count++) {
        begin(&text, "brief");
        put_number(&text, count);
        say(&text);
        sleep_milliseconds(100);
    }
    return 7;
}
