/*
 * futex.c - FUTEX_WAKE_OP, which changes a second word: with words that are mapped, unaligned, and not
 * mapped.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t words[4];

static void wake_op(const char *what, void *first, void *second, uint32_t operation)
{
    long got;

    words[1] = 5;
    errno = 0;
    got = syscall(SYS_futex, first, FUTEX_WAKE_OP, 1, 1, second, operation);
    printf("%s: %ld, %s; the second word is %u\n", what, got, strerror(errno), words[1]);
}

int main(void)
{
    uint32_t add = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5);

    wake_op("added to", &words[0], &words[1], add);
    wake_op("set", &words[0], &words[1], FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_GT, 0));
    wake_op("an operation that is none", &words[0], &words[1], 0x7FFFFFFF);
    wake_op("first word askew", (char *)words + 1, &words[1], add);
    wake_op("second word askew", &words[0], (char *)words + 5, add);
    wake_op("second word across the end", &words[0], (void *)-3L, add);
    wake_op("second word nowhere", &words[0], NULL, add);
    wake_op("second word of the kernel's", &words[0], (void *)-4096L, add);
    wake_op("second word that may only be read", &words[0], (void *)((uintptr_t)main & ~3ul), add);
    return 0;
}
