/* memory.c - mappings as programs use them, and the signal, code and address of wrong accesses. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static sigjmp_buf back;
static siginfo_t seen;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    seen = *info;
    siglongjmp(back, 1);
}

/* Try an access; print the signal and its code, and how far from `base` its address was. */
static void attempt(const char *what, volatile char *at, char *base, int write)
{
    if (sigsetjmp(back, 1) == 0) {
        if (write)
            *at = 1;
        else
            (void)*at;
        printf("%s: allowed\n", what);
    } else {
        printf("%s: signal %d code %d offset %ld\n", what, seen.si_signo, seen.si_code,
               (long)((char *)seen.si_addr - base));
    }
}

static int depth(int n)
{
    volatile char frame[1000];

    frame[0] = (char)n;
    return n == 0 ? 0 : 1 + depth(n - 1) + (frame[0] != (char)n);
}

int main(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    stack_t other = { .ss_sp = malloc(65536), .ss_size = 65536 };
    char *at, *file, *old;
    int fd, status;

    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaltstack(&other, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);

    at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    attempt("write", at + 5, at, 1);
    mprotect(at + 4 * PAGE, 4 * PAGE, PROT_READ);
    attempt("write to read-only", at + 4 * PAGE + 7, at, 1);
    attempt("read from read-only", at + 4 * PAGE + 7, at, 0);
    mprotect(at + 8 * PAGE, PAGE, PROT_NONE);
    attempt("read from nothing allowed", at + 8 * PAGE, at, 0);
    munmap(at + 2 * PAGE, PAGE);
    attempt("read from unmapped", at + 2 * PAGE + 1, at, 0);
    attempt("null", (char *)8, NULL, 0);
    attempt("kernel", (char *)0xFFFFF000u, (char *)0xFFFFF000u, 0);
    old = at;
    at = mremap(at + 9 * PAGE, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    printf("mremap: %s, zero %d\n", at != MAP_FAILED && at != old + 9 * PAGE ? "moved" : "stayed", at[63 * PAGE]);

    fd = open("/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < 3 * PAGE + 100; i++)
        status = (int)write(fd, "x", 1);
    file = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    attempt("last page", file + 3 * PAGE + 99, file, 0);
    printf("beyond the end, in the page: %d\n", file[3 * PAGE + 200]);
    attempt("page beyond the end", file + 5 * PAGE + 3, file, 0);
    memcpy(file, "shared", 6);
    old = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    memcpy(old, "own", 3);
    status = (int)pread(fd, at, 6, 0);
    printf("file %.6s private %.6s\n", at, old);
    if (fork() == 0) {
        memcpy(file, "child!", 6);
        memcpy(old, "kid", 3);
        _exit(0);
    }
    wait(&status);
    printf("after fork: shared %.6s private %.6s\n", file, old);
    if (ftruncate(fd, PAGE) == 0)
        attempt("truncated away", file + 2 * PAGE, file, 0);

    printf("madvise %d, zero %d\n", madvise(old, PAGE, MADV_DONTNEED), old[0] == 's');
    at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at[0] = 1;
    madvise(at, PAGE, MADV_DONTNEED);
    printf("dontneed gives zero: %d\n", at[0] == 0);
    printf("errors: %d", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0);
    printf(" %d", mmap((char *)PAGE + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
           ? errno : 0);
    printf(" %d", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED ? errno : 0);
    printf(" %d", munmap((char *)1, PAGE) != 0 ? errno : 0);
    printf(" %d\n", mprotect(NULL, PAGE, PROT_READ) != 0 ? errno : 0);

    printf("depth %d\n", depth(4000));
    if (fork() == 0) {
        struct rlimit small = { 256 * 1024, 256 * 1024 };

        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_STACK, &small);
        _exit(depth(1000000) & 1);
    }
    wait(&status);
    printf("endless recursion: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    for (int i = 0; i < 50; i++) {
        char *block = malloc(3 << 20);

        memset(block, i, 3 << 20);
        free(block);
    }
    printf("brk %d\n", sbrk(1 << 20) != (void *)-1 && sbrk(-(1 << 20)) != (void *)-1);
    return 0;
}
