/*
 * within.c - openat2(): paths that may not lead everywhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct how { uint64_t flags, mode, resolve, more[2]; };
enum { CALL = 437, SAME_MOUNT = 1, NO_MAGIC = 2, NO_LINKS = 4, BENEATH = 8, IN_ROOT = 16, CACHED = 32 };

static int folder;

static const char *answer(long result)
{
    if (result < 0)
        return strerrorname_np(errno);
    close((int)result);
    return "ok";
}

static long open_how(int from, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct how how = { flags, mode, resolve };

    return syscall(CALL, from, path, &how, 24);
}

static void each(const char *path)
{
    printf("%-16s", path);
    for (int resolve = 0; resolve <= 16; resolve = resolve == 0 ? NO_MAGIC : 2 * resolve)
        printf(" %s", answer(open_how(folder, path, O_RDONLY, 0, (uint64_t)resolve)));
    puts("");
}

int main(void)
{
    static const char *const paths[] = {
        "file", "sub/file", "sub/../file", "sub/../../out", "..", "../in/file", "/file", "/tmp/within/out", "to-file",
        "to-sub/file", "to-out", "to-root", "absolute", "sub/up", "around", "/sub/../../file", "proc-file", "no-such",
        "file/x", ".", "/",
    };
    struct how how = { O_RDONLY, 0, 0, { 0, 0 } };
    int        dangling;

    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir("/tmp/within", 0755), mkdir("/tmp/within/in", 0755), mkdir("/tmp/within/in/sub", 0755),
        chdir("/tmp/within/in");
    close(open("file", O_CREAT | O_WRONLY, 0600)), close(open("sub/file", O_CREAT | O_WRONLY, 0600)),
        close(open("../out", O_CREAT | O_WRONLY, 0600));
    symlink("file", "to-file"), symlink("sub", "to-sub"), symlink("../out", "to-out"), symlink("/", "to-root"),
        symlink("/file", "absolute");
    symlink("../file", "sub/up"), symlink("around", "around"), symlink("/proc/self/exe", "proc-file");
    folder = open(".", O_RDONLY | O_DIRECTORY);
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++)
        each(paths[i]);
    puts("-- other refusals");
    printf("magic: %s %s\n", answer(open_how(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, NO_MAGIC)),
           answer(open_how(AT_FDCWD, "/proc/self/cwd/file", O_RDONLY, 0, NO_MAGIC)));
    printf("another mount: %s\n", answer(open_how(AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, SAME_MOUNT)));
    printf("both: %s\n", answer(open_how(folder, "file", O_RDONLY, 0, BENEATH | IN_ROOT)));
    printf("unknown way: %s\n", answer(open_how(folder, "file", O_RDONLY, 0, 1 << 20)));
    printf("unknown flag: %s\n", answer(open_how(folder, "file", 1ull << 40, 0, 0)));
    printf("a mode for nothing: %s\n", answer(open_how(folder, "file", O_RDONLY, 0600, 0)));
    printf("too much mode: %s\n", answer(open_how(folder, "new", O_CREAT | O_WRONLY, 0100000, 0)));
    printf("a path to write: %s\n", answer(open_how(folder, "file", O_PATH | O_WRONLY, 0, 0)));
    printf("short: %s\n", answer(syscall(CALL, folder, "file", &how, 23)));
    printf("longer: %s\n", answer(syscall(CALL, folder, "file", &how, 40)));
    how.more[1] = 1, printf("longer, with something: %s\n", answer(syscall(CALL, folder, "file", &how, 40)));
    printf("long: %s\n", answer(syscall(CALL, folder, "file", &how, 5000)));
    printf("nowhere: %s\n", answer(syscall(CALL, folder, "file", 8, 24)));
    printf("no folder: %s\n", answer(open_how(99, "file", O_RDONLY, 0, BENEATH)));
    printf("made within: %s", answer(open_how(folder, "/new", O_CREAT | O_EXCL | O_WRONLY, 0640, IN_ROOT)));
    printf(" %s", answer(open_how(folder, "../new", O_CREAT | O_EXCL | O_WRONLY, 0640, IN_ROOT)));
    dangling = unlink("new"), printf(" there: %s\n", dangling == 0 ? "yes" : "no");
    printf("not cached, as it makes: %s\n", answer(open_how(folder, "new", O_CREAT | O_WRONLY, 0600, CACHED)));
    return 0;
}
