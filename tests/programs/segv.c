/* segv.c - prints one line, then writes to an address that is not mapped. */
#include <stdio.h>

int main(void)
{
    puts("before");
    fflush(stdout);
    *(volatile int *)0x10 = 1;
    puts("after");
    return 0;
}
