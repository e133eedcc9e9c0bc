/* spinner.c - never gives up the processor: other programs run because turns end. */
#include "system.h"

enum { TURNS = 2000000 };

int run(void)
{
    static volatile unsigned long turns;
    struct text                   text;

    for (unsigned long round = 1; ; round++) {
        for (unsigned long i = 0; i < TURNS; i++)
            turns++;
        begin(&text, "spinner");
        put(&text, "round ");
        put_number(&text, round);
        say(&text);
    }
}
