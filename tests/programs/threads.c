/* threads.c - POSIX threads that share, wait for one another, and keep some memory to themselves. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, STEPS = 20000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static long counter, onces, destroyed;
static int next_turn;
static char order[THREADS + 1];

static void count_once(void)
{
    onces++;
}

static void destroy(void *value)
{
    pthread_mutex_lock(&lock);
    destroyed += (long)value;
    pthread_mutex_unlock(&lock);
}

static void *work(void *with)
{
    long me = (long)with;
    char *mine = malloc(1000 + (size_t)me);

    memset(mine, 'a' + (int)me, 1000);
    pthread_setspecific(key, (void *)(me + 1));
    pthread_once(&once, count_once);
    for (int i = 0; i < STEPS; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&lock);
    while (next_turn != me)
        pthread_cond_wait(&turn, &lock);
    order[next_turn++] = mine[500];
    pthread_cond_broadcast(&turn);
    pthread_mutex_unlock(&lock);
    free(mine);
    return (void *)(me * me);
}

static void *sleeper(void *with)
{
    (void)with;
    for (;;)
        pause();
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS], sleeping;
    struct timespec soon;
    long squares = 0;
    void *result;

    pthread_barrier_init(&barrier, NULL, THREADS);
    pthread_key_create(&key, destroy);
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        squares += (long)result;
    }
    printf("counter %ld once %ld squares %ld order %s destroyed %ld\n", counter, onces, squares, order, destroyed);

    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    pthread_mutex_lock(&lock);
    printf("timed wait %s\n", pthread_cond_timedwait(&turn, &lock, &soon) == ETIMEDOUT ? "timed out" : "woke");
    pthread_mutex_unlock(&lock);

    pthread_create(&sleeping, NULL, sleeper, NULL);
    pthread_cancel(sleeping);
    pthread_join(sleeping, &result);
    printf("cancelled %s\n", result == PTHREAD_CANCELED ? "yes" : "no");

    /* Many threads one after the other: their stacks come back. */
    for (int i = 0; i < 300; i++) {
        pthread_create(&sleeping, NULL, (void *(*)(void *))destroy, (void *)0);
        pthread_join(sleeping, NULL);
    }
    printf("many done\n");
    fflush(stdout);
    _exit(3);
}
