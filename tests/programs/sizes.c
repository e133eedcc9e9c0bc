/*
 * sizes.c - how large files may become, holes, seals, files without names, and reading and writing with flags.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int signals;

static void count(int number) { (void)number; signals++; }

static const char *answer(long long result)
{
    static char number[4][24];
    static int  next;

    if (result < 0)
        return strerrorname_np(errno);
    sprintf(number[next = (next + 1) % 4], "%lld", result);
    return number[next];
}

static long long size(int file)
{
    struct stat s;

    fstat(file, &s);
    return s.st_size;
}

/* Where data and holes are, from the front. */
static void show(const char *when, int file)
{
    off_t at = 0, end = size(file);

    printf("%s:", when);
    while (at < end) {
        off_t data = lseek(file, at, SEEK_DATA), hole;

        if (data < 0) {
            printf(" %s", strerrorname_np(errno));
            break;
        }
        hole = lseek(file, data, SEEK_HOLE);
        printf(" [%lld, %lld)", (long long)data, (long long)hole);
        at = hole;
    }
    printf(" of %lld\n", (long long)end);
}

static void holes(void)
{
    int   file = memfd_create("holes", 0), empty = memfd_create("empty", 0);
    char *shared, *private, c = 'x';

    puts("-- holes");
    show("empty", file);
    ftruncate(file, 10 * PAGE), show("nothing written", file);
    pwrite(file, &c, 1, 3 * PAGE + 5), show("one byte", file);
    pwrite(file, &c, 1, 9 * PAGE + 5), pwrite(file, &c, 1, 4 * PAGE), show("more", file);
    ftruncate(file, 9 * PAGE + 10), show("shorter", file);
    printf("inside: %s", answer(lseek(file, 3 * PAGE + 100, SEEK_DATA))),
        printf(" %s", answer(lseek(file, 3 * PAGE + 100, SEEK_HOLE)));
    printf(" in a hole: %s", answer(lseek(file, 6 * PAGE + 100, SEEK_HOLE))),
        printf(" %s\n", answer(lseek(file, 6 * PAGE + 100, SEEK_DATA)));
    printf("at the end: %s", answer(lseek(file, 9 * PAGE + 10, SEEK_HOLE))),
        printf(" before the start: %s", answer(lseek(file, -1, SEEK_DATA)));
    printf(" in nothing: %s\n", answer(lseek(empty, 0, SEEK_HOLE)));
    ftruncate(file, 1ll << 40), pwrite(file, &c, 1, 1ll << 39), show("a large one", file);
    ftruncate(file, 10 * PAGE);
    shared = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    private = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    shared[7 * PAGE] = 'm', show("by a mapping", file);
    memset(shared, 's', 5 * PAGE);
    private[PAGE] = 'p', c = private[2 * PAGE];
    printf("punch: %s\n",
           answer(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE / 2, 2 * PAGE + PAGE)));
    show("punched", file);
    printf("shared: %c %d %d %d %c; private: %c %d\n", shared[0], shared[PAGE / 2], shared[PAGE], shared[3 * PAGE],
           shared[4 * PAGE], private[PAGE], private[2 * PAGE]);
    shared[2 * PAGE] = 'n', printf("seen in the other: %c\n", private[2 * PAGE]);
    printf("beyond the end: %s", answer(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 20 * PAGE, PAGE)));
    printf(" without keeping: %s", answer(fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, PAGE)));
    printf(" no bytes: %s", answer(fallocate(file, 0, 0, 0))),
        printf(" negative: %s\n", answer(fallocate(file, 0, -1, 5)));
    printf("more: %s %lld", answer(fallocate(file, 0, 11 * PAGE, 10)), size(file));
    printf(" kept: %s %lld", answer(fallocate(file, FALLOC_FL_KEEP_SIZE, 20 * PAGE, 10)), size(file));
    printf(" unknown: %s\n", answer(fallocate(file, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE)));
    munmap(shared, 10 * PAGE), munmap(private, 10 * PAGE), close(file), close(empty);
}

static void limits(void)
{
    struct rlimit limit = { 3 * PAGE + 10, RLIM_INFINITY };
    int           file = memfd_create("limits", 0);
    static char   block[4 * PAGE];

    puts("-- a limit");
    signal(SIGXFSZ, count);
    ftruncate(file, 5 * PAGE);
    setrlimit(RLIMIT_FSIZE, &limit);
    printf("write up to it: %s %d", answer(write(file, block, sizeof block)), signals),
        printf(" on: %s %d\n", answer(write(file, block, 1)), signals);
    printf("beyond: %s", answer(pwrite(file, block, 1, 4 * PAGE))), printf(" %d\n", signals);
    printf("smaller: %s", answer(ftruncate(file, 4 * PAGE))), printf(" %d", signals);
    printf(" larger: %s", answer(ftruncate(file, 4 * PAGE + 1))), printf(" %d", signals);
    printf(" below: %s", answer(ftruncate(file, 10))), printf(" %d", signals);
    printf(" up to it: %s", answer(ftruncate(file, 3 * PAGE + 10))), printf(" %d", signals);
    printf(" and on: %s", answer(ftruncate(file, 3 * PAGE + 11))), printf(" %d\n", signals);
    printf("allocate: %s", answer(fallocate(file, 0, 0, 4 * PAGE))), printf(" %d", signals);
    printf(" keep: %s", answer(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE))), printf(" %d\n", signals);
    limit.rlim_cur = RLIM_INFINITY, setrlimit(RLIMIT_FSIZE, &limit);
    close(file);
}

static void seals(void)
{
    int   file = memfd_create("seals", MFD_ALLOW_SEALING), plain = memfd_create("plain", 0), reader, p[2];
    char *shown, path[40], c[2 * PAGE] = "x";

    puts("-- seals");
    pipe(p);
    printf("plain: %s %s", answer(fcntl(plain, F_GET_SEALS)), answer(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW)));
    printf(" a pipe: %s %s\n", answer(fcntl(p[0], F_GET_SEALS)), answer(fcntl(p[0], F_ADD_SEALS, F_SEAL_GROW)));
    ftruncate(file, PAGE + 10);
    printf("none: %s unknown: %s\n", answer(fcntl(file, F_GET_SEALS)), answer(fcntl(file, F_ADD_SEALS, 1 << 20)));
    sprintf(path, "/proc/self/fd/%d", file), reader = open(path, O_RDONLY);
    printf("by a reader: %s\n", answer(fcntl(reader, F_ADD_SEALS, F_SEAL_GROW)));
    printf("no growing: %s %s\n", answer(fcntl(file, F_ADD_SEALS, F_SEAL_GROW)), answer(fcntl(file, F_GET_SEALS)));
    printf("larger: %s", answer(ftruncate(file, PAGE + 11))), printf(" smaller: %s", answer(ftruncate(file, PAGE + 9)));
    printf(" write inside: %s", answer(pwrite(file, c, 9, PAGE))),
        printf(" over the end: %s", answer(pwrite(file, c, 10, PAGE)));
    printf(" a page first: %s", answer(pwrite(file, c, 2 * PAGE, 0))),
        printf(" allocate: %s\n", answer(fallocate(file, 0, 0, 2 * PAGE)));
    printf("no shrinking: %s", answer(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK))),
        printf(" smaller: %s", answer(ftruncate(file, PAGE)));
    printf(" the same: %s\n", answer(ftruncate(file, PAGE + 9)));
    shown = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    printf("no writing, a mapping may: %s", answer(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE))), munmap(shown, PAGE);
    shown = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    printf(" a reader's: %s\n", answer(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE))), munmap(shown, PAGE);
    printf("write: %s", answer(pwrite(file, c, 1, 0))),
        printf(" punch: %s", answer(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE)));
    printf(" map to write: %s", mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED
           ? strerrorname_np(errno) : "ok");
    shown = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    printf(" to read: %s", shown == MAP_FAILED ? strerrorname_np(errno) : "ok"),
        printf(" and then write: %s", answer(mprotect(shown, PAGE, PROT_READ | PROT_WRITE)));
    munmap(shown, PAGE);
    shown = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    printf(" privately: %s\n", shown == MAP_FAILED ? strerrorname_np(errno) : (*shown = 'p', "ok")),
        munmap(shown, PAGE);
    printf("no sealing: %s", answer(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL))),
        printf(" %s %s\n", answer(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL)), answer(fcntl(file, F_GET_SEALS)));
    close(file), close(reader);
    file = memfd_create("future", MFD_ALLOW_SEALING), ftruncate(file, PAGE);
    shown = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    printf("no writing from now on: %s", answer(fcntl(file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE)));
    *shown = 'f', printf(" the mapping: %s", answer(pread(file, c, 1, 0))),
        printf(" %c write: %s", c[0], answer(pwrite(file, c, 1, 0)));
    printf(" map: %s\n", mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED
           ? strerrorname_np(errno) : "ok");
    printf("names: %s", answer(memfd_create(path, 0x100))), memset(c, 'n', 250), c[250] = 0;
    printf(" %s", answer(memfd_create(c, 0))), c[249] = 0,
        printf(" %s\n", memfd_create(c, 0) >= 0 ? "ok" : strerrorname_np(errno));
    close(file), close(plain), close(p[0]), close(p[1]);
}

static void nameless(void)
{
    int         file = open("/tmp", O_TMPFILE | O_RDWR, 0640), other;
    struct stat s;
    char        path[40], link[100] = "", c[10] = "";

    puts("-- without a name");
    fstat(file, &s);
    printf("made: %s, links %d, mode %o\n", file >= 0 ? "ok" : strerrorname_np(errno), (int)s.st_nlink, s.st_mode);
    sprintf(path, "/proc/self/fd/%d", file), readlink(path, link, sizeof link - 1);
    printf("where: %.6s, %s\n", link, strstr(link, " (deleted)") != NULL ? "deleted" : "not deleted");
    write(file, "hello", 5);
    unlink("/tmp/sizes-a"), unlink("/tmp/sizes-b");
    printf("named: %s", answer(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/sizes-a", AT_SYMLINK_FOLLOW)));
    printf(" again: %s", answer(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/sizes-a", AT_SYMLINK_FOLLOW)));
    printf(" by descriptor: %s\n", answer(linkat(file, "", AT_FDCWD, "/tmp/sizes-b", AT_EMPTY_PATH)));
    fstat(file, &s), printf("links: %d\n", (int)s.st_nlink);
    other = open("/tmp/sizes-b", O_RDONLY), read(other, c, 5), printf("holds: %s\n", c), close(other);
    unlink("/tmp/sizes-a"), unlink("/tmp/sizes-b"), fstat(file, &s), printf("unlinked: %d", (int)s.st_nlink);
    memset(link, 0, sizeof link), readlink(path, link, sizeof link - 1),
        printf(" %s", strstr(link, "(deleted)") != NULL ? "deleted" : "not deleted");
    printf(" named again: %s\n", answer(linkat(file, "", AT_FDCWD, "/tmp/sizes-a", AT_EMPTY_PATH)));
    close(file);
    file = open("/tmp", O_TMPFILE | O_WRONLY | O_EXCL, 0600);
    printf("for good: %s", answer(linkat(file, "", AT_FDCWD, "/tmp/sizes-a", AT_EMPTY_PATH))), close(file);
    printf(" read only: %s", answer(open("/tmp", O_TMPFILE | O_RDONLY, 0600)));
    printf(" no folder: %s", answer(open("/proc/self/exe", O_TMPFILE | O_RDWR, 0600)));
    printf(" nowhere: %s", answer(open("/tmp/no-such", O_TMPFILE | O_RDWR, 0600)));
    printf(" in /proc: %s\n", answer(open("/proc", O_TMPFILE | O_RDWR, 0600)));
}

static void flagged(void)
{
    int          file = memfd_create("flags", 0), p[2], s[2];
    char         text[20] = "abcdef", got[20] = "";
    struct iovec v[2] = { { text, 3 }, { text + 3, 3 } }, r = { got, 10 };

    puts("-- with flags");
    pipe(p), socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    printf("write: %s at %s", answer(pwritev2(file, v, 2, -1, 0)), answer(lseek(file, 0, SEEK_CUR)));
    printf(" appended: %s at %s size %lld", answer(pwritev2(file, v, 1, 0, RWF_APPEND)),
           answer(lseek(file, 0, SEEK_CUR)), size(file));
    printf(" synchronously: %s\n", answer(pwritev2(file, v, 1, 0, RWF_SYNC | RWF_DSYNC)));
    printf("read: %s", answer(preadv2(file, &r, 1, 2, 0))), printf(" %s", got);
    lseek(file, 6, SEEK_SET), printf(" where it stands: %s", answer(preadv2(file, &r, 1, -1, RWF_HIPRI))),
        printf(" then %s\n", answer(lseek(file, 0, SEEK_CUR)));
    printf("before the start: %s", answer(preadv2(file, &r, 1, -2, 0))),
        printf(" unknown: %s", answer(preadv2(file, &r, 1, 0, 1 << 20)));
    printf(" a pipe at 0: %s", answer(preadv2(p[0], &r, 1, 0, 0))),
        printf(" empty: %s", answer(preadv2(p[0], &r, 1, -1, RWF_NOWAIT)));
    write(p[1], "xy", 2), printf(" filled: %s", answer(preadv2(p[0], &r, 1, -1, RWF_NOWAIT)));
    printf(" a socket: %s\n", answer(preadv2(s[0], &r, 1, -1, RWF_NOWAIT)));
    fcntl(file, F_SETFL, O_APPEND), lseek(file, 0, SEEK_SET);
    printf("append where: %s at %s\n", answer(pwritev2(file, v, 1, 0, 0)), answer(lseek(file, 0, SEEK_CUR)));
    printf("closed: %s", answer(preadv2(99, &r, 1, 0, 0))), printf(" many: %s", answer(preadv2(file, &r, 1025, 0, 0)));
    printf(" nowhere: %s\n", answer(preadv2(file, (struct iovec *)8, 1, 0, 0)));
    close(file), close(p[0]), close(p[1]), close(s[0]), close(s[1]);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    holes();
    limits();
    seals();
    nameless();
    flagged();
    return 0;
}
