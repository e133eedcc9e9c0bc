/* prime.c - compiled by tcc inside the guest, and run there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

int main(int argc, char **argv)
{
    int limit = argc > 1 ? atoi(argv[1]) : 100, count = 0, *list = malloc(sizeof(int) * (size_t)limit);
    char *composite = calloc(1, (size_t)limit);

    for (int i = 2; i < limit; i++) {
        if (composite[i])
            continue;
        list[count++] = i;
        for (long long j = (long long)i * i; j < limit; j += i)
            composite[j] = 1;
    }
    qsort(list, (size_t)count, sizeof(int), compare);
    printf("%d primes below %d, the largest %d; root %.6f\n", count, limit, list[0], sqrt(2.0));
    fprintf(stderr, "on standard error\n");
    return count % 256;
}
