/*
 * x87.c - where a process has used the x87 last is its own secret: FXSAVE and FXRSTOR may leave that in the processor.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LAST_INSTRUCTION = 3, LAST_OPERAND = 5, WORDS = 7 };         /* of what FNSTENV stores */

static double   operand = 1.5, result;
static uint32_t place;

static void use(void)
{
    __asm__ volatile("movl $1f, %0\n1:\tfldl %1\n\tfstpl %2" : "=m"(place), "+m"(operand), "=m"(result));
}

int main(void)
{
    uint32_t seen[WORDS];
    int      done[2], stay[2], child;
    char     byte = 0;

    if (pipe(done) != 0 || pipe(stay) != 0)
        return 1;
    child = fork();
    if (child == 0) {
        use();
        write(done[1], &byte, 1);
        read(stay[0], &byte, 1);
        _exit(0);
    }
    read(done[0], &byte, 1);
    __asm__ volatile("fnstenv %0" : "=m"(seen));
    write(stay[1], &byte, 1);
    waitpid(child, NULL, 0);
    use();                                      /* what the child's place was: it has the same program */
    printf("the child's instruction: %d, its operand: %d\n",
           seen[LAST_INSTRUCTION] - place < 16, seen[LAST_OPERAND] == (uint32_t)(uintptr_t)&operand ||
           seen[LAST_OPERAND] == (uint32_t)(uintptr_t)&result);
    return 0;
}
