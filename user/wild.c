/* wild.c - reads the kernel's first instruction through a wild pointer, and is killed. */
#include "system.h"

int run(void)
{
    const volatile unsigned long *stray = (const unsigned long *)0x00100000;
    struct text                   text;

    begin(&text, "wild");
    put(&text, "the kernel's first word is ...");
    say(&text);
    begin(&text, "wild");
    put_number(&text, *stray);
    say(&text);
    return 0;
}
