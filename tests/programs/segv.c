/* segv.c - says one line, then writes where nothing is. */
#include <stdio.h>

int main(void)
{
    puts("before");
    fflush(stdout);
    *(volatile int *)0x10 = 1;
    puts("after");
    return 0;
}
