/*
 * edges.c - answers of Linux where two rules meet: a running program and its mappings, a place that is its own source,
 * sizes past the largest, file systems that may not be changed, names in /proc.
 *
 * Each line is a question and its answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/tmp/edges"
#define ASK(expression) tell(#expression, (errno = 0, (long long)(expression)))

static void tell(const char *question, long long answer)
{
    if (answer == -1 && errno != 0)
        printf("%s: %s\n", question, strerrorname_np(errno));
    else
        printf("%s: %lld\n", question, answer);
}

static void *anywhere(int protection, int flags, int fd) { return mmap(NULL, 4096, protection, flags, fd, 0); }

/* What exec of the file answers in a child: 0 when it ran. */
static int runs(const char *path)
{
    int status;

    fflush(stdout);
    if (fork() == 0) {
        execl(path, path, "nothing", NULL);
        _exit(errno);
    }
    wait(&status);
    return WEXITSTATUS(status);
}

static void copy_self(const char *to)
{
    static char block[65536];
    int         in = open("/proc/self/exe", O_RDONLY), out = open(to, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    ssize_t     got;

    while ((got = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)got) != got)
            abort();
    close(in), close(out);
}

/* A file that a shared mapping may write cannot run, also when nobody has it open for writing. */
static void written_by_a_mapping(void)
{
    struct { const char *what; int protection, flags, mode; } ways[] = {
        { "shared, writable", PROT_READ | PROT_WRITE, MAP_SHARED, O_RDWR },
        { "shared, may become writable", PROT_READ, MAP_SHARED, O_RDWR },
        { "shared, only to be read", PROT_READ, MAP_SHARED, O_RDONLY },
        { "private, writable", PROT_READ | PROT_WRITE, MAP_PRIVATE, O_RDONLY },
    };

    copy_self("program");
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        int   fd = open("program", ways[i].mode);
        void *at = anywhere(ways[i].protection, ways[i].flags, fd);

        close(fd);
        printf("it runs while mapped (%s): %s\n", ways[i].what, runs("program") == ETXTBSY ? "ETXTBSY" : "yes");
        munmap(at, 4096);
    }
    printf("it runs afterwards: %d\n", runs("program"));
}

static void moves_onto_itself(void)
{
    char *at = mmap((void *)0x20000000, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    strcpy(at + 8192, "still there");
    ASK((long)mremap(at, 0, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at - 4096));
    printf("seen twice: %s\n", (at[0] = 'x', at[-4096]) == 'x' ? "yes" : "no");
    ASK((long)mremap(at + 8192, 0, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, at + 4096));
    printf("the source: %s\n", at + 8192);
    ASK((long)mremap(at + 8192, 0, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at + 8192));
    ASK(syscall(SYS_mmap2, 0, 8192, PROT_READ, MAP_PRIVATE, open("program", O_RDONLY), 0xFFFFFFFF));
}

static void seeks(void)
{
    int file = open("file", O_CREAT | O_RDWR, 0600), folder = open(".", O_RDONLY), text = open("/proc/self/stat", 0);

    if (ftruncate(file, 100000) != 0)
        abort();
    ASK(lseek64(file, INT64_MAX, SEEK_END));
    ASK(lseek64(folder, 0, SEEK_DATA));
    ASK(lseek64(folder, 0, SEEK_HOLE));
    ASK(lseek64(text, 0, SEEK_DATA));
    ASK(fallocate64(file, 0, INT64_MAX - 255, 255));
    ASK(fallocate64(file, 0, INT64_MAX - 255, 256));
    ASK(fallocate64(file, 0, INT64_MAX, INT64_MAX));
}

/* The lengths of pieces together may be more than a call moves. */
static void long_vectors(void)
{
    char        *at = mmap((void *)0x10000000, 65536, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    struct iovec pieces[] = { { at, 0x6FFFFFFF }, { at, 0x6FFFFFFF }, { at, 4 } };
    int          null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);

    ASK(writev(null, pieces, 2));
    ASK(writev(null, pieces, 3));
    pieces[2].iov_len = (size_t)-1;
    ASK(writev(null, pieces, 3));
    pieces[0].iov_len = 65536;
    pieces[1].iov_base = (void *)0xFFFFF000;
    ASK(readv(zero, pieces, 2));
}

static void read_only(void)
{
    struct rlimit limit;
    struct stat   found;

    mkdir("fixed", 0755);
    ASK(mount("none", "fixed", "tmpfs", 0, NULL));
    copy_self("fixed/program");
    ASK(mount(NULL, "fixed", NULL, MS_REMOUNT | MS_RDONLY | MS_NOEXEC, NULL));
    ASK(rename("fixed/none", "fixed/new"));
    ASK(rename("fixed/program", "fixed/program"));
    ASK(access("fixed/program", X_OK));
    ASK(access("fixed/program", R_OK));
    ASK(access("fixed", X_OK));
    ASK(umount("fixed"));
    ASK(mkdir("/proc/new", 0700));
    ASK(open("/proc/new", O_CREAT | O_RDWR, 0600));
    ASK(symlink("self", "/proc/new"));
    ASK(link("/proc/version", "/proc/new"));
    ASK(mkdir("/proc/version", 0700));
    lstat("/proc/self/fd/0", &found);
    printf("a descriptor's link: %ld bytes\n", (long)found.st_size);
    ASK(prlimit(1, RLIMIT_NOFILE, NULL, &limit));
}

static void names(void)
{
    struct utsname seen;
    char           line[64] = "", file[64] = "";
    FILE          *text;

    text = fopen("/proc/interrupts", "r");
    printf("interrupts of%s", fgets(line, sizeof line, text) + 10);
    printf("and some: %d\n", fgets(line, sizeof line, text) != NULL && strchr(line, ':') != NULL);
    fclose(text);
    ASK(sethostname("a-machine", 9));
    ASK(setdomainname("its-domain", 10));
    uname(&seen);
    printf("%s, %s\n", seen.nodename, seen.domainname);
    text = fopen("/proc/sys/kernel/hostname", "r+");
    printf("/proc has: %s", fgets(line, sizeof line, text));
    rewind(text);
    fputs("another\nrest", text);
    fclose(text);
    uname(&seen);
    printf("and then: %s\n", seen.nodename);
    ASK(sethostname("x", -1));
    ASK(sethostname(NULL, 1));
    ASK(sethostname(NULL, 0));
    ASK(sethostname(seen.nodename, 65));
    ASK(syscall(SYS_socket, AF_UNIX, SOCK_RAW, 5));
    ASK(mount((char *)8, "fixed", "tmpfs", 0, NULL));
    ASK(mount("its-source", "fixed", "tmpfs", 0, NULL));
    text = fopen("/proc/mounts", "r");
    while (fgets(file, sizeof file, text) != NULL)
        if (strncmp(file, "its-source", 10) == 0)
            printf("%.30s\n", file);
    fclose(text);
    ASK(umount("fixed"));
    if (setuid(1000) != 0)
        abort();
    ASK(sethostname("x", 1));
    ASK(setdomainname(NULL, -1));
}

/* A raw local socket is one of datagrams. */
static void raw_socket(void)
{
    int       ends[2], kind = 0;
    socklen_t size = sizeof kind;
    char      got[8] = "";

    ASK(socketpair(AF_UNIX, SOCK_RAW, 0, ends));
    getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &kind, &size);
    printf("it is of datagrams: %d\n", kind == SOCK_DGRAM);
    ASK(write(ends[0], "one", 3));
    ASK(write(ends[0], "two", 3));
    ASK(read(ends[1], got, sizeof got));
}

/* Who is not root and changes a program, also by cutting it or making room, takes its set-id bits away. */
static void set_id_bits(void)
{
    static const char *const ways[] = { "written", "cut", "cut by name", "cut when opened", "given room" };
    struct stat found;

    fflush(stdout);
    if (fork() != 0) {
        wait(NULL);
        return;
    }
    if (setresgid(5, 5, 5) != 0 || setresuid(5, 5, 5) != 0 || chdir("/tmp") != 0)
        _exit(1);
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        int file = open("set-id", O_CREAT | O_RDWR | O_TRUNC, 0700);

        fchmod(file, 06771);
        if ((i == 0 ? write(file, "x", 1) : i == 1 ? ftruncate(file, 7) : i == 2 ? truncate("set-id", 9) :
             i == 3 ? open("set-id", O_WRONLY | O_TRUNC) : fallocate(file, 0, 0, 5)) < 0)
            abort();
        fstat(file, &found);
        printf("a program that is %s: %o\n", ways[i], found.st_mode);
        close(file);
    }
    unlink("set-id");
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return 0;
    mkdir(FOLDER, 0755);
    if (chdir(FOLDER) != 0)
        return 1;
    written_by_a_mapping();
    moves_onto_itself();
    seeks();
    long_vectors();
    read_only();
    raw_socket();
    set_id_bits();
    names();
    return 0;
}
