/*
 * wide_files.c - files, folders, names, descriptors, and /proc.
 */
#include "wide.h"

enum { BUFFER = 65536, COPIED = 320, MANY = 10000, RESOURCE_FILES = 7, O_APPEND = 02000 };
enum { SET_LOCK = 13, LOCK_WRITE = 1, LOCK_NONE = 2 };

static char buffer[BUFFER];
static char names[256];         /* what the kernel writes of a file, a folder or itself */

static const char path[] = "/wide.file";

/* A file of BUFFER bytes. */
static int full_file(void)
{
    int fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC);

    must(call(SYS_WRITE, (word)fd, (word)buffer, BUFFER, 0) == BUFFER, "write");
    return fd;
}

static void drop_file(int fd)
{
    close_file(fd);
    good(call(SYS_UNLINK, (word)path, 0, 0, 0), "unlink");
}

static count open_close_loop(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        close_file(open_file(path, O_RDWR));
    return now() - start;
}

count open_close(word times)
{
    int fd = full_file();
    count cost = open_close_loop(times);

    drop_file(fd);
    return cost;
}

/* The same with MANY descriptors open. */
count open_close_crowded(word times)
{
    word limits[2] = { MANY + 100, MANY + 100 };
    int fd = full_file(), last = fd;
    count cost;

    good(call(SYS_SETRLIMIT, RESOURCE_FILES, (word)limits, 0, 0), "setrlimit");
    while (last < MANY)
        last = good(call(SYS_DUP, (word)fd, 0, 0, 0), "dup");
    cost = open_close_loop(times);
    for (int i = fd + 1; i <= last; i++)
        call(SYS_CLOSE, (word)i, 0, 0, 0);
    drop_file(fd);
    return cost;
}

/* `times` calls of read, write or pread64 on a full file, whose position is put back before each. */
static count move_bytes(int number, word bytes, word times)
{
    int fd = full_file();
    count cost = 0;

    for (word i = 0; i < times; i++) {
        count start;

        call(SYS_LSEEK, (word)fd, 0, 0, 0);
        start = now();
        must(call5(number, (word)fd, (word)buffer, bytes, 0, 0) == (int)bytes, "read or write");
        cost += now() - start;
    }
    drop_file(fd);
    return cost;
}

count read_byte(word times)
{
    return move_bytes(SYS_READ, 1, times);
}

count read_64k(word times)
{
    return move_bytes(SYS_READ, BUFFER, times);
}

count write_64k(word times)
{
    return move_bytes(SYS_WRITE, BUFFER, times);
}

count read_page_at(word times)
{
    return move_bytes(SYS_PREAD, PAGE, times);
}

static void move(int number, int fd)
{
    must(call(number, (word)fd, (word)buffer, BUFFER, 0) == BUFFER, "read or write");
}

/* COPIED buffers, 20 MiB, from a file to a new one. */
count copy_20m(word times)
{
    static const char copy[] = "/wide.copy";
    int from = full_file();
    count cost = 0;

    for (word i = 1; i < COPIED; i++)
        move(SYS_WRITE, from);
    for (word n = 0; n < times; n++) {
        count start;
        int to;

        call(SYS_LSEEK, (word)from, 0, 0, 0);
        start = now();
        to = open_file(copy, O_RDWR | O_CREAT | O_TRUNC);
        for (word i = 0; i < COPIED; i++) {
            move(SYS_READ, from);
            move(SYS_WRITE, to);
        }
        close_file(to);
        cost += now() - start;
        good(call(SYS_UNLINK, (word)copy, 0, 0, 0), "unlink");
    }
    drop_file(from);
    return cost;
}

count append_byte(word times)
{
    int fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
    count start = now(), cost;

    for (word i = 0; i < times; i++)
        must(call(SYS_WRITE, (word)fd, (word)buffer, 1, 0) == 1, "write");
    cost = now() - start;
    drop_file(fd);
    return cost;
}

count seek(word times)
{
    int fd = full_file();
    count start = now(), cost;

    for (word i = 0; i < times; i++)
        call(SYS_LSEEK, (word)fd, i, 0, 0);
    cost = now() - start;
    drop_file(fd);
    return cost;
}

/* A call with a path and a buffer, on a file that is there. */
static count ask_path(int number, const char *at, word argument, word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        call(number, (word)at, argument, sizeof names, 0);
    return now() - start;
}

count stat_short(word times)
{
    int fd = full_file();
    count cost = ask_path(SYS_STAT, path, (word)names, times);

    drop_file(fd);
    return cost;
}

count access_absent(word times)
{
    return ask_path(SYS_ACCESS, "/wide.absent", 0, times);
}

/* A file below eight folders. */
count stat_deep(word times)
{
    static char deep[] = "/wd/wd/wd/wd/wd/wd/wd/wd/f";
    count cost;

    for (word end = 3; end <= 24; end += 3) {
        deep[end] = '\0';
        good(call(SYS_MKDIR, (word)deep, 0700, 0, 0), "mkdir");
        deep[end] = '/';
    }
    close_file(open_file(deep, O_RDWR | O_CREAT));
    cost = ask_path(SYS_STAT, deep, (word)names, times);
    good(call(SYS_UNLINK, (word)deep, 0, 0, 0), "unlink");
    for (word end = 24; end >= 3; end -= 3) {
        deep[end] = '\0';
        good(call(SYS_RMDIR, (word)deep, 0, 0, 0), "rmdir");
    }
    for (word end = 3; end <= 24; end += 3)
        deep[end] = '/';
    return cost;
}

count stat_descriptor(word times)
{
    int fd = full_file();
    count start = now(), cost;

    for (word i = 0; i < times; i++)
        call(SYS_FSTAT, (word)fd, (word)names, 0, 0);
    cost = now() - start;
    drop_file(fd);
    return cost;
}

count create_unlink(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        drop_file(open_file(path, O_RDWR | O_CREAT));
    return now() - start;
}

count make_folder(word times)
{
    count start = now();

    for (word i = 0; i < times; i++) {
        good(call(SYS_MKDIR, (word)"/wide.folder", 0700, 0, 0), "mkdir");
        good(call(SYS_RMDIR, (word)"/wide.folder", 0, 0, 0), "rmdir");
    }
    return now() - start;
}

count rename_pair(word times)
{
    int fd = full_file();
    count start = now(), cost;

    for (word i = 0; i < times; i++) {
        good(call(SYS_RENAME, (word)path, (word)"/wide.other", 0, 0), "rename");
        good(call(SYS_RENAME, (word)"/wide.other", (word)path, 0, 0), "rename");
    }
    cost = now() - start;
    drop_file(fd);
    return cost;
}

count symlink_cycle(word times)
{
    count start = now();

    for (word i = 0; i < times; i++) {
        good(call(SYS_SYMLINK, (word)"a/b/c", (word)path, 0, 0), "symlink");
        must(call(SYS_READLINK, (word)path, (word)names, sizeof names, 0) == 5, "readlink");
        good(call(SYS_UNLINK, (word)path, 0, 0, 0), "unlink");
    }
    return now() - start;
}

/* A folder of a hundred files read from its start to its end. */
count list_100(word times)
{
    static char name[] = "/wide.list/f00";
    count start, cost;
    int fd;

    good(call(SYS_MKDIR, (word)"/wide.list", 0700, 0, 0), "mkdir");
    for (word i = 0; i < 100; i++) {
        name[12] = (char)('0' + i / 10);
        name[13] = (char)('0' + i % 10);
        close_file(open_file(name, O_RDWR | O_CREAT));
    }
    fd    = open_file("/wide.list", 0);
    start = now();
    for (word i = 0; i < times; i++) {
        call(SYS_LSEEK, (word)fd, 0, 0, 0);
        while (good(call(SYS_GETDENTS, (word)fd, (word)buffer, BUFFER, 0), "getdents64") > 0)
            continue;
    }
    cost = now() - start;
    close_file(fd);
    for (word i = 0; i < 100; i++) {
        name[12] = (char)('0' + i / 10);
        name[13] = (char)('0' + i % 10);
        good(call(SYS_UNLINK, (word)name, 0, 0, 0), "unlink");
    }
    good(call(SYS_RMDIR, (word)"/wide.list", 0, 0, 0), "rmdir");
    return cost;
}

count dup_close(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        close_file(call(SYS_DUP, 1, 0, 0, 0));
    return now() - start;
}

count lock_cycle(word times)
{
    struct { short type, whence; long long from, bytes; int owner; } __attribute__((packed)) lock =
        { LOCK_WRITE, 0, 16, 16, 0 };
    int fd = full_file();
    count start = now(), cost;

    for (word i = 0; i < times; i++) {
        lock.type = LOCK_WRITE;
        good(call(SYS_FCNTL64, (word)fd, SET_LOCK, (word)&lock, 0), "lock");
        lock.type = LOCK_NONE;
        good(call(SYS_FCNTL64, (word)fd, SET_LOCK, (word)&lock, 0), "unlock");
    }
    cost = now() - start;
    drop_file(fd);
    return cost;
}

/* A file that loses its second half, and has it back as a hole. */
count truncate_pair(word times)
{
    int fd = full_file();
    count start = now(), cost;

    for (word i = 0; i < times; i++) {
        good(call(SYS_FTRUNCATE, (word)fd, BUFFER / 2, 0, 0), "ftruncate");
        good(call(SYS_FTRUNCATE, (word)fd, BUFFER, 0, 0), "ftruncate");
    }
    cost = now() - start;
    drop_file(fd);
    return cost;
}

/* ---- /proc, which Linux's first process mounts itself ------------------------------------ */

static void have_proc(void)
{
    static int had;

    if (!had && call(SYS_ACCESS, (word)"/proc/meminfo", 0, 0, 0) != 0) {
        call(SYS_MKDIR, (word)"/proc", 0755, 0, 0);
        good(call5(SYS_MOUNT, (word)"proc", (word)"/proc", (word)"proc", 0, 0), "mount");
    }
    had = 1;
}

/* Opened, read to its end and closed. */
static count read_proc(const char *name, word times)
{
    count start;

    have_proc();
    start = now();
    for (word i = 0; i < times; i++) {
        int fd = open_file(name, 0);

        while (good(call(SYS_READ, (word)fd, (word)buffer, BUFFER, 0), "read") > 0)
            continue;
        close_file(fd);
    }
    return now() - start;
}

count proc_stat(word times)
{
    return read_proc("/proc/self/stat", times);
}

count proc_status(word times)
{
    return read_proc("/proc/self/status", times);
}

count proc_meminfo(word times)
{
    return read_proc("/proc/meminfo", times);
}

/* 200 regions beside the program's own, of rights that differ. */
count proc_maps(word times)
{
    char *at = map_private(400);
    count cost;

    for (word i = 0; i < 200; i += 2)
        good(call(SYS_MPROTECT, (word)at + 2 * i * PAGE, 2 * PAGE, PROT_READ, 0), "mprotect");
    cost = read_proc("/proc/self/maps", times);
    unmap(at, 400);
    return cost;
}
