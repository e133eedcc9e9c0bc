/*
 * escapes.c - openat2() within a folder, while another thread moves the folder that the path leads through out of it.
 *
 * So that ".." has to wait in the middle of the path, others list the moving folder into memory that is not there yet,
 * while one changes the map in large steps. Nobody may be led out: once that was refused, or after some seconds, it is
 * enough. What is printed is the same on Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { OPENAT2 = 437, BENEATH = 8, IN_ROOT = 16, EACH = 6, ROOM = 65536, LARGE = 4 << 20, FILES = 50, SECONDS = 8 };

static volatile int stop, led_out, refused, wrong;
static int          in;

static void *open_within(void *way)
{
    struct { uint64_t flags, mode, resolve; } how = { O_RDONLY, 0, (uintptr_t)way };
    struct stat facts;

    while (!stop) {
        int file = (int)syscall(OPENAT2, in, "d/../secret", &how, sizeof how);

        if (file < 0) {
            refused |= errno == EAGAIN;
            wrong   |= errno != EAGAIN && errno != ENOENT;
        } else {
            fstat(file, &facts);
            led_out |= facts.st_size > 0;
            close(file);
        }
    }
    return NULL;
}

static void *move(void *none)
{
    while (!stop) {
        rename("/tmp/in/d", "/tmp/out/d");
        rename("/tmp/out/d", "/tmp/in/d");
    }
    return none;
}

static void *list(void *none)
{
    char *room   = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int   folder = open("/tmp/in/d", O_RDONLY | O_DIRECTORY);

    while (!stop) {
        madvise(room, ROOM, MADV_DONTNEED);
        lseek(folder, 0, SEEK_SET);
        syscall(SYS_getdents64, folder, room, ROOM);
    }
    return none;
}

static void *change_map(void *none)
{
    while (!stop)
        munmap(mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0), LARGE);
    return none;
}

int main(void)
{
    pthread_t threads[2 * EACH + 2];
    char      name[32];
    int       count = 0, secret;

    mkdir("/tmp/in", 0755), mkdir("/tmp/in/d", 0755), mkdir("/tmp/out", 0755);
    for (int i = 0; i < FILES; i++)
        snprintf(name, sizeof name, "/tmp/in/d/%d", i), close(open(name, O_CREAT | O_WRONLY, 0600));
    close(open("/tmp/in/secret", O_CREAT | O_WRONLY, 0600));
    secret = open("/tmp/out/secret", O_CREAT | O_WRONLY, 0600);
    write(secret, "x", 1);
    in = open("/tmp/in", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < EACH; i++) {
        pthread_create(&threads[count++], NULL, list, NULL);
        pthread_create(&threads[count++], NULL, open_within, (void *)(uintptr_t)(i % 2 ? BENEATH : IN_ROOT));
    }
    pthread_create(&threads[count++], NULL, move, NULL);
    pthread_create(&threads[count++], NULL, change_map, NULL);
    for (int i = 0; i < SECONDS * 100 && !refused && !led_out; i++)
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    stop = 1;
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("led out: %s\nwrong: %s\n", led_out ? "yes" : "no", wrong ? "yes" : "no");
    return 0;
}
