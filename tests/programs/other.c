/*
 * other.c - process_vm_readv and process_vm_writev: another process's memory in many ranges, and the refusals.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define P 4096
#define SAY(call) (errno = 0, say(#call, (long)(call)))

static void say(const char *what, long result) { printf("%s: %ld %d\n", what, result, result < 0 ? errno : 0); }

int main(void)
{
    char        *p = mmap(NULL, 8 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *to = malloc(8 * P);
    int          ready[2];
    pid_t        child;
    struct iovec here = { to, 8 * P }, there = { p, 8 * P }, none = { to, 0 }, negative = { to, 0x80000000u };
    struct iovec bad_here = { (void *)0xC0000000, 1 }, bad_there = { (void *)0xC0000000, 1 },
        hole = { p + 5 * P - 3, 10 };
    struct iovec low = { (void *)8, 4 }, small[3] = { { to, 3 }, { to + 100, 0 }, { to + 10, 5 } };
    struct iovec far[3] = { { p + P - 2, 4 }, { p + 3 * P, 2 }, { p + 7 * P, 9 } }, read_only = { p + 6 * P, 4 };
    static struct iovec many[1025];

    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (pipe(ready) != 0)
        return 1;
    memset(p, '.', 8 * P);
    munmap(p + 5 * P, P);
    mprotect(p + 6 * P, P, PROT_READ);
    child = fork();
    if (child == 0) {
        memcpy(p + P - 2, "abcd", 4);
        memcpy(p + 3 * P, "ef", 2);
        memcpy(p + 7 * P, "ghijklmno", 9);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    if (read(ready[0], to, 1) != 1)
        return 1;
    memset(to, 0, 8 * P);
    SAY(process_vm_readv(child, small, 3, far, 3, 0));
    printf("%.3s %.5s, here %.2s\n", to, to + 10, p + P - 2);
    SAY(process_vm_readv(child, &here, 1, far, 3, 0));
    printf("%.15s\n", to);
    SAY(process_vm_readv(child, &here, 1, &there, 1, 0));
    SAY(process_vm_readv(child, &here, 1, &hole, 1, 0));
    SAY(process_vm_writev(child, small, 3, far, 3, 0));
    SAY(process_vm_readv(child, &here, 1, far, 3, 0));
    printf("%.15s\n", to);
    SAY(process_vm_writev(child, &here, 1, &read_only, 1, 0));
    SAY(process_vm_writev(child, &here, 1, &bad_there, 1, 0));
    SAY(process_vm_readv(child, &bad_here, 1, far, 1, 0));
    SAY(process_vm_readv(child, &low, 1, far, 1, 0));
    SAY(process_vm_readv(child, &negative, 1, far, 1, 0));
    SAY(process_vm_readv(child, &none, 1, far, 1, 0));
    SAY(process_vm_readv(child, &here, 1, &none, 1, 0));
    SAY(process_vm_readv(child, &here, 0, far, 1, 0));
    SAY(process_vm_readv(child, many, 1025, far, 1, 0));
    SAY(process_vm_readv(child, &here, 1, many, 1025, 0));
    SAY(process_vm_readv(child, (void *)8, 1, far, 1, 0));
    SAY(process_vm_readv(child, &here, 1, (void *)8, 1, 0));
    SAY(process_vm_readv(child, &here, 1, far, 1, 1));
    SAY(process_vm_readv(0, &here, 1, far, 1, 0));
    SAY(process_vm_readv(-1, &here, 1, far, 1, 0));
    SAY(process_vm_readv(32000, &here, 1, far, 1, 0));
    SAY(process_vm_readv(getpid(), &here, 1, far, 1, 0));
    fflush(stdout);
    if (fork() == 0) {
        if (setuid(1000) != 0)
            _exit(1);
        SAY(process_vm_readv(child, &here, 1, far, 1, 0));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    SAY(process_vm_readv(child, &here, 1, far, 1, 0));
    return 0;
}
