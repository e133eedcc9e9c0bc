/* large.c - allocates memory (programs.c), writes to all of it, and checks what it reads back. */
#include "system.h"

enum { PAGE = 4096, STRIDE = PAGE / sizeof(unsigned long), FIRST = 16, PAGES = 1024 };

extern unsigned long start[];

int run(void)
{
    unsigned long wrong = 0;
    struct text   text;

    for (unsigned long page = FIRST; page < PAGES; page++) {
        wrong += start[page * STRIDE] != 0;             /* fresh pages are zero */
        start[page * STRIDE] = page;
    }
    for (unsigned long page = FIRST; page < PAGES; page++)
        wrong += start[page * STRIDE] != page;
    begin(&text, "large");
    put_number(&text, PAGES - FIRST);
    put(&text, " pages written and read, wrong: ");
    put_number(&text, wrong);
    say(&text);
    return wrong == 0 ? 0 : 1;
}
