/* hello.c - the smallest program with something to say: one line, then the end. Also as an init, which restarts. */

static int call(int number, unsigned a, unsigned b, unsigned c, unsigned d)
{
    int result;

    __asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return result;
}

void _start(void)
{
    static const char line[] = "hello\n";

    call(4, 1, (unsigned)line, sizeof(line) - 1, 0);        /* write */
    if (call(20, 0, 0, 0, 0) == 1)                          /* getpid: init may not end */
        call(88, 0xfee1dead, 672274793, 0x01234567, 0);     /* reboot, which ends the emulator */
    for (;;)
        call(1, 0, 0, 0, 0);                                /* exit */
}
