/*
 * bombs.c - programs that take all of one resource, each in a machine of 32 MiB, and who looks after them.
 *
 *   bombs                       the names of all
 *   bombs NAME ...              each in turn; for each a line
 *
 *     bomb NAME: made N, ENDED; peak OWNER FRAMES frames; user 0, stacks 0, ...; blocks N; audit clean; N s
 *
 * A bomb runs in a process group of its own until it is refused (ENDED is the errno's number), is killed, or has had
 * its time. Then everybody else is killed, its files are removed, and what each owner of frames has is compared with
 * before. The figures come from /proc/quire; the bomb counts its objects in memory that it shares with the
 * supervisor.
 */
#include "bombs.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIME_MS = 8000, PATIENCE_MS = 20000, MANY = 1 << 20, KINDS = 4 };

static const struct bomb *const kinds[KINDS] = {
    bombs_of_processes, bombs_of_memory, bombs_of_files, bombs_of_waiting
};

struct told *told;
char         block[64 * 1024];

static uint32_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

void count_or_hold(bool good)
{
    if (good) {
        told->made++;
        return;
    }
    told->refused = errno;
    told->ready   = true;
    for (;;)
        pause();
}

void many_descriptors(void)
{
    struct rlimit limit = { MANY, MANY };

    setrlimit(RLIMIT_NOFILE, &limit);
}

void wait_for_ever(void)
{
    for (;;)
        pause();
}

bool child_that(void (*does)(void))
{
    pid_t child = fork();

    if (child == 0) {
        does();
        _exit(0);
    }
    return child > 0;
}

/* ---- The supervisor ------------------------------------------------------------------------------------ */

enum { OWNERS = 24 };
struct memory { unsigned count; struct { char name[16]; long frames; } of[OWNERS]; long blocks; };

static char text[16 * 1024];

static long read_text(const char *path)
{
    int  file   = open(path, O_RDONLY);
    long length = file < 0 ? -1 : read(file, text, sizeof text - 1);

    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return length;
}

static void drop(void)
{
    int file = open("/proc/sys/vm/drop_caches", O_WRONLY);

    if (file >= 0 && write(file, "3", 1) == 1)
        close(file);
}

/* One row more: pages of files and of shared memory that are out. tmpfs has room for them beside all frames. */
static void note_out(struct memory *memory)
{
    struct statfs system;

    if (memory->count == OWNERS || statfs("/", &system) != 0)
        return;
    strcpy(memory->of[memory->count].name, "out");
    memory->of[memory->count].frames = (long)system.f_blocks;
    for (unsigned i = 0; i < memory->count; i++)
        if (strcmp(memory->of[i].name, "all") == 0)
            memory->of[memory->count].frames -= memory->of[i].frames;
    memory->count++;
}

static bool look(struct memory *memory)
{
    memory->count = 0;
    if (read_text("/proc/quire/frames") <= 0)
        return false;
    for (char *line = strtok(text, "\n"); line != NULL && memory->count < OWNERS; line = strtok(NULL, "\n"))
        if (sscanf(line, "%15s %ld", memory->of[memory->count].name, &memory->of[memory->count].frames) == 2)
            memory->count++;
    note_out(memory);
    memory->blocks = read_text("/proc/quire/heap") > 0 ? strtol(text + strcspn(text, " "), NULL, 10) : -1;
    return true;
}

/* The owner with most of the frames taken since the start. */
static void note_peak(const struct memory *before, char *owner, long *frames)
{
    struct memory now;

    if (!look(&now))
        return;
    for (unsigned i = 0; i < now.count; i++) {
        long more = now.of[i].frames - before->of[i].frames;

        if (strcmp(now.of[i].name, "free") != 0 && strcmp(now.of[i].name, "all") != 0 && more > *frames) {
            *frames = more;
            strcpy(owner, now.of[i].name);
        }
    }
}

static bool end_all(void)
{
    for (uint32_t begin = now_ms(); now_ms() - begin < PATIENCE_MS; sched_yield()) {
        int left = kill(-1, SIGKILL);

        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
            ;
        if (left < 0)
            return true;
    }
    return false;
}

/* A folder that is very deep is removed from below; names are read again after each. */
static void remove_all(void)
{
    unsigned depth = 0;

    if (chdir("/tmp/bomb") != 0)
        return;
    while (umount2("m", 0) == 0)
        ;
    rmdir("m");
    while (chdir("d") == 0)
        depth++;
    for (; depth > 0; depth--)
        if (chdir("..") != 0 || rmdir("d") != 0)
            break;
    for (bool removed = true; removed; ) {
        struct { uint64_t inode, offset; uint16_t length; uint8_t type; char name[]; } __attribute__((packed)) *entry;
        static char part[8192] __attribute__((aligned(8)));
        int  folder = open(".", O_RDONLY | O_DIRECTORY);
        long length;

        removed = false;
        while ((length = syscall(SYS_getdents64, folder, part, sizeof part)) > 0)
            for (long at = 0; at < length; at += entry->length) {
                entry = (void *)(part + at);
                removed |= unlink(entry->name) == 0;
            }
        close(folder);
    }
}

/*
 * The supervisor's pages become its own again after a fork, and stay: it must not be the one that needs a frame when a
 * bomb has taken the last.
 */
static void keep_own_pages(void)
{
    volatile char stack[64 * 1024];

    for (size_t at = 0; at < sizeof stack; at += PAGE)
        stack[at] = 1;
    mlockall(MCL_CURRENT);
}

/* Set which process ends when memory runs out: not the supervisor, which counts. */
static void adjust(const char *by)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);

    if (fd < 0 || write(fd, by, strlen(by)) < 0)
        printf("oom_score_adj cannot be set\n");
    close(fd);
}

static void run(const struct bomb *bomb)
{
    struct memory before, after;
    char     owner[16] = "nobody";
    long     frames = 0;
    int      status = 0;
    bool     ended, killed = false;
    uint32_t begin = now_ms();
    pid_t    child;

    memset((void *)told, 0, sizeof *told);
    keep_own_pages();                           /* the zeroed frames, too, so that they count alike before and after */
    munlockall();
    drop();
    look(&before);
    child = fork();
    if (child == 0) {
        setsid();
        adjust("0");
        while (!told->go)
            usleep(1000);
        if (chdir("/tmp/bomb") == 0)
            bomb->explode();
        _exit(1);
    }
    keep_own_pages();
    told->go = 1;
    while (!told->ready && now_ms() - begin < TIME_MS) {
        if (waitpid(child, &status, WNOHANG) == child) {
            killed = true;
            break;
        }
        note_peak(&before, owner, &frames);
        usleep(20000);
    }
    note_peak(&before, owner, &frames);
    ended = end_all();
    munlockall();
    remove_all();
    drop();
    look(&after);
    printf("bomb %s: made %u, ", bomb->name, told->made);
    if (killed)
        printf("killed by %d", status & 127);
    else
        printf("%s %d", told->ready || told->refused ? "refused" : "stopped", told->refused);
    printf("; peak %s %ld frames;", owner, frames);
    for (unsigned i = 0; i < before.count; i++)
        if (before.of[i].frames != after.of[i].frames)
            printf(" %s %+ld", before.of[i].name, after.of[i].frames - before.of[i].frames);
    printf("; blocks %+ld; ", after.blocks - before.blocks);
    read_text("/proc/quire/audit");
    printf("audit %.5s; all ended %s; %u ms\n", text, ended ? "yes" : "NO", now_ms() - begin);
    fflush(stdout);
}

static void run_named(const char *name)
{
    for (unsigned k = 0; k < KINDS; k++)
        for (const struct bomb *bomb = kinds[k]; bomb->name != NULL; bomb++)
            if (strcmp(name, bomb->name) == 0)
                run(bomb);
}

int main(int argc, char **argv)
{
    volatile char *zeros = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *zeros;                                     /* the frame of zeros that all share is there from the first read on */
    told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mkdir("/tmp/bomb", 0700);
    setpgid(0, 0);
    adjust("-1000");
    for (unsigned k = 0; k < KINDS; k++)
        for (const struct bomb *bomb = kinds[k]; bomb->name != NULL; bomb++)
            if (argc == 1)
                printf("%s\n", bomb->name);
    for (int i = 1; i < argc; i++)
        run_named(argv[i]);
    return 0;
}
