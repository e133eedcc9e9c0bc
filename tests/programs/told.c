/*
 * told.c - a process as /proc shows it: numbers of files, memory, descriptors, adjustments; and refusals.
 *
 * Built without large files, as most i386 programs are: numbers past 32 bits would be errors here.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define P 4096

static unsigned long seen[4096];
static size_t        seen_count;
static int           wrong;

/* Two files are never one. */
static void note(unsigned long inode, const char *path)
{
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i] == inode) {
            printf("%s has another's number\n", path);
            wrong++;
        }
    if (seen_count < sizeof seen / sizeof seen[0])
        seen[seen_count++] = inode;
}

/* A folder's listing and stat() agree, twice over. */
static void numbers_of(const char *path)
{
    DIR           *folder = opendir(path);
    struct dirent *entry;
    int            count = 0;

    if (folder == NULL) {
        printf("%s: errno %d\n", path, errno);
        return;
    }
    errno = 0;
    while ((entry = readdir(folder)) != NULL) {
        char        name[512];
        struct stat one, two;

        if (entry->d_name[0] == '.' || (strcmp(path, "/proc") == 0 && entry->d_name[0] <= '9'))
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (lstat(name, &one) != 0 || lstat(name, &two) != 0) {
            if (errno != ENOENT)            /* the descriptor of the folder itself, in another folder */
                printf("%s: errno %d\n", name, errno);
            continue;
        }
        if (one.st_ino != two.st_ino || one.st_ino == 0)
            printf("%s: %lu and %lu\n", name, (unsigned long)one.st_ino, (unsigned long)two.st_ino);
        note(one.st_ino, name);
        count++;
    }
    printf("%s: %s, errno %d\n", path, count > 0 ? "listed" : "empty", errno);
    closedir(folder);
}

static void read_file(const char *path, char *to, size_t size)
{
    int  file = open(path, O_RDONLY);
    long got  = file < 0 ? -1 : read(file, to, size - 1);

    to[got > 0 ? got : 0] = '\0';
    close(file);
}

static void write_file(const char *path, const char *what)
{
    int  file  = open(path, O_WRONLY);
    long wrote = file < 0 ? -1 : write(file, what, strlen(what));
    int  error = errno;
    char now[64];

    read_file(path, now, sizeof now);
    printf("%s <- \"%s\": %ld %d, now %s", path, what, wrote, wrote < 0 ? error : 0, now);
    close(file);
}

static void adjustments(void)
{
    static const char *const values[] = { "500", "-1000", "1000", "1001", "-1001", "abc", "", " 7 ", "7x", "0x10", "+3",
                                          "99999999999", "0" };
    char line[64], *name = "/proc/self/oom_score_adj";

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (values[i][0] != '\0')
            write_file(name, values[i]);
    write_file("/proc/self/oom_adj", "8");
    write_file("/proc/self/oom_adj", "15");
    write_file("/proc/self/oom_adj", "16");
    write_file("/proc/self/oom_adj", "-17");
    read_file("/proc/self/oom_score", line, sizeof line);
    printf("never chosen: %s", line);
    write_file(name, "300");
    fflush(stdout);
    if (fork() == 0) {
        read_file(name, line, sizeof line);
        printf("inherited: %s", line);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    write_file(name, "1000");
    read_file("/proc/self/oom_score", line, sizeof line);
    printf("the first to go: %d\n", atoi(line) >= 1300 && atoi(line) <= 2000);
    write_file(name, "0");
}

static void moved(const char *what, long result)
{
    printf("%s: %ld %d\n", what, result, result < 0 ? errno : 0);
}

static void memory(void)
{
    static char word[16] = "before";
    char        to[3 * P], path[64];
    char       *p = mmap(NULL, 3 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int         mem = open("/proc/self/mem", O_RDWR);
    pid_t       child;

    munmap(p + 2 * P, P);
    moved("open", mem < 0 ? -1 : 0);
    moved("read", pread64(mem, to, 7, (unsigned long)word));
    printf("it says %s\n", to);
    moved("write", pwrite64(mem, "after", 6, (unsigned long)word));
    printf("it says %s\n", word);
    moved("nothing", pread64(mem, to, 0, (unsigned long)word));
    moved("up to a hole", pread64(mem, to, 3 * P, (unsigned long)p));
    moved("in a hole", pread64(mem, to, 1, (unsigned long)p + 2 * P));
    moved("write to a hole", pwrite64(mem, to, 1, (unsigned long)p + 2 * P));
    moved("page zero", pread64(mem, to, 1, 0));
    moved("the kernel's", pread64(mem, to, 1, 0xC0000000ull));
    moved("write to the kernel's", pwrite64(mem, to, 1, 0xC0100000ull));
    moved("the last byte", pread64(mem, to, 1, 0xFFFFFFFFull));
    moved("past 4 GiB", pread64(mem, to, 1, 0x100000000ull));
    moved("far away", pread64(mem, to, 1, 0x7FFFFFFFFFFFFFFFull));
    moved("bad memory here", pread64(mem, (void *)8, 1, (unsigned long)word));
    moved("seek", lseek64(mem, (unsigned long)word, SEEK_SET) == (unsigned long)word ? 0 : -1);
    moved("read there", read(mem, to, 6));
    printf("it says %s\n", to);
    close(mem);

    child = fork();
    if (child == 0) {
        strcpy(word, "child's");
        for (;;)
            pause();
    }
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    mem = open(path, O_RDWR);
    do
        pread64(mem, to, 8, (unsigned long)word);
    while (strcmp(to, "child's") != 0);
    printf("a child has written %s\n", to);
    moved("write to it", pwrite64(mem, "parent", 7, (unsigned long)word));
    pread64(mem, to, 8, (unsigned long)word);
    printf("there %s, here %s\n", to, word);
    kill(child, 9);
    waitpid(child, NULL, 0);
    close(mem);
}

static void page_map(void)
{
    char    *p   = mmap(NULL, 4 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int      map = open("/proc/self/pagemap", O_RDONLY);
    uint64_t words[4], same;
    off64_t  at = (unsigned long)p / P * 8;

    p[P] = p[3 * P] = 1;
    moved("pages", pread64(map, words, sizeof words, at));
    for (int i = 0; i < 4; i++)
        printf("%d", (int)(words[i] >> 63));
    pread64(map, &same, sizeof same, at + 8);
    printf(" the same frame: %d, of its own: %d\n", same == words[1],
           (same & 0x7FFFFFFFFFFFFF) != (words[3] & 0x7FFFFFFFFFFFFF));
    moved("half a word", pread64(map, words, 4, at));
    moved("between words", pread64(map, words, 8, at + 4));
    moved("past the end", pread64(map, words, 8, 0x7FFFFFFFFFF8ull));
    close(map);
}

static void descriptors(void)
{
    static const int ways[] = { O_RDONLY, O_WRONLY, O_RDWR, O_PATH };
    char text[512], path[64];
    int  file = open("/tmp/told", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);

    if (write(file, "12345", 5) != 5)
        exit(1);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file);
    read_file(path, text, sizeof text);
    *strstr(text, "mnt_id") = '\0';
    printf("%s", text);
    close(file);
    unlink("/tmp/told");
    printf("closed: %d\n", open(path, O_RDONLY) < 0 ? errno : 0);
    printf("no number: %d\n", open("/proc/self/fdinfo/x", O_RDONLY) < 0 ? errno : 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct stat link;

        file = open("/dev/null", ways[i]);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        lstat(path, &link);
        printf("opened with %o: a link %o\n", ways[i], link.st_mode);
        close(file);
    }
}

static void auxiliary(const char *whose)
{
    uint32_t words[64];
    int      file = open("/proc/self/auxv", O_RDONLY), right = 0;
    long     bytes = read(file, words, sizeof words);

    for (long i = 0; i + 1 < bytes / 4; i += 2)
        right += (words[i] == AT_PAGESZ && words[i + 1] == P) || (words[i] == AT_NULL && i == bytes / 4 - 2);
    printf("auxiliary vector%s: %d of 2\n", whose, right);
    fflush(stdout);
    close(file);
}

static void start(void)
{
    static const char *const files[] = { "loginuid", "sessionid", "uid_map", "gid_map", "setgroups", "wchan" };
    char  text[256];
    pid_t child;

    auxiliary("");
    child = fork();
    if (child == 0) {
        auxiliary(" of a child");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(text, sizeof text, "/proc/self/%s", files[i]);
        read_file(text, text, sizeof text);
        printf("%s: [%s]\n", files[i], text);
    }
    for (size_t i = 0; i < 2; i++) {
        long length = readlink(i == 0 ? "/proc/self/ns/pid" : "/proc/self/ns/mnt", text, sizeof text - 1);

        text[length > 0 ? length : 0] = '\0';
        printf("%.5s\n", text);
    }
}

/* The names that a file's lines begin with: those that are there on Linux, in its order. */
static void lines(const char *path, const char *const *names)
{
    char  text[8192], *at = text;

    read_file(path, text, sizeof text);
    for (; *names != NULL; names++) {
        char *found = strstr(at, *names);

        if (found == NULL)
            printf("%s lacks %s, or not in its place\n", path, *names);
        else
            at = found;
    }
    printf("%s was looked at\n", path);
}

/* A counter of /proc/self/io, read with one call. */
static long long counted(const char *name)
{
    char  text[512], *line;
    FILE *file = fopen("/proc/self/io", "r");
    size_t got = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;

    text[got] = 0;
    if (file != NULL)
        fclose(file);
    line = strstr(text, name);
    return line != NULL ? atoll(line + strlen(name)) : -1;
}

/* The bytes that calls have moved, and the number of calls; reads of the counters themselves are not checked. */
static void io(void)
{
    char      bytes[5000] = { 0 };
    int       ends[2], zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    long long written = counted("wchar: "), writes = counted("syscw: ");

    if (pipe(ends) != 0 || write(ends[1], bytes, sizeof bytes) != sizeof bytes || write(null, bytes, 10) != 10)
        printf("io: errno %d\n", errno);
    if (write(-1, bytes, 1) == 1 || write(ends[1], (void *)-4096L, 1) == 1)
        printf("io: written what cannot be\n");
    printf("io: %lld bytes in %lld calls\n", counted("wchar: ") - written, counted("syscw: ") - writes);
    if (read(ends[0], bytes, sizeof bytes) != sizeof bytes || read(zero, bytes, 7) != 7)
        printf("io: errno %d\n", errno);
    close(ends[0]), close(ends[1]), close(zero), close(null);
    lines("/proc/self/io", (const char *const[]){ "rchar:", "wchar:", "syscr:", "syscw:", "read_bytes:", "write_bytes:",
                                                  "cancelled_write_bytes:", NULL });
}

/* One line of a status, or "none". */
static void line_of(const char *path, const char *name)
{
    char text[8192], *found;

    read_file(path, text, sizeof text);
    found = strstr(text, name);
    printf("%s %.*s\n", name, found != NULL ? (int)strcspn(found + strlen(name), "\n") : 4,
           found != NULL ? found + strlen(name) : "none");
}

static void told(const char *what, int child, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", child, name);
    read_file(path, path, sizeof path);
    printf("%s of what has ended: %s", what, path);
}

/* What has ended and is not waited for: it has no memory, no files and no place, and counts as a thread. */
static void ended(void)
{
    static const char *const names[] = { "Umask:", "State:", "FDSize:", "VmSize:", "CoreDumping:", "Threads:" };
    siginfo_t info;
    char      path[64], text[512];
    int       child = fork(), field = 0;

    if (child == 0)
        _exit(0);
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    snprintf(path, sizeof path, "/proc/%d/status", child);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        line_of(path, names[i]);
    told("score", child, "oom_score");
    told("pages", child, "statm");
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    read_file(path, text, sizeof text);
    for (char *word = strtok(strrchr(text, ')') + 1, " "); word != NULL; word = strtok(NULL, " "))
        if (++field == 18)
            printf("threads of what has ended: %s\n", word);
    waitpid(child, NULL, 0);
}

/* Who has no capability goes back as far as the last who had one has said. */
static void back_and_forth(void)
{
    const char *name = "/proc/self/oom_score_adj";

    write_file(name, "-500");
    write_file(name, "300");
    fflush(stdout);
    if (fork() == 0) {
        setresuid(1000, 1000, 1000);
        prctl(PR_SET_DUMPABLE, 1);
        write_file(name, "400");
        write_file(name, "300");
        write_file(name, "299");
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    write_file(name, "0");
}

static void room_for_descriptors(void)
{
    char text[8192];

    dup2(0, 1000);
    read_file("/proc/self/status", text, sizeof text);
    printf("room for descriptors: %s\n", atoi(strstr(text, "FDSize:") + 7) > 1000 ? "enough" : "not enough");
    close(1000);
}

int main(void)
{
    static const char *const status[] = {
        "Name:", "Umask:", "State:", "Tgid:", "Ngid:", "Pid:", "PPid:", "TracerPid:", "Uid:", "Gid:", "FDSize:",
        "Groups:", "NStgid:", "NSpid:", "NSpgid:", "NSsid:", "VmPeak:", "VmSize:", "VmLck:", "VmPin:", "VmHWM:",
        "VmRSS:", "RssAnon:", "RssFile:", "RssShmem:", "VmData:", "VmStk:", "VmExe:", "VmLib:", "VmPTE:", "VmSwap:",
        "HugetlbPages:", "CoreDumping:", "THP_enabled:", "Threads:", "SigQ:", "SigPnd:", "ShdPnd:", "SigBlk:",
        "SigIgn:", "SigCgt:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:",
        "Seccomp_filters:", "Cpus_allowed:", "Cpus_allowed_list:", "Mems_allowed:", "Mems_allowed_list:",
        "voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:", NULL,
    };
    static const char *const folders[] = {
        "/proc", "/proc/self", "/proc/self/fd", "/proc/self/fdinfo", "/proc/self/ns", "/proc/sys", "/proc/sys/kernel",
        "/proc/sys/vm",
    };
    char own[64];

    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        numbers_of(folders[i]);
    snprintf(own, sizeof own, "/proc/self/task/%d", (int)getpid());
    if (chdir(own) == 0)
        numbers_of(".");
    printf("numbers that are another's: %d\n", wrong);
    adjustments();
    memory();
    page_map();
    descriptors();
    start();
    lines("/proc/self/status", status);
    io();
    ended();
    back_and_forth();
    room_for_descriptors();
    return 0;
}
