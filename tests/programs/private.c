/*
 * private.c - what of a process is none of others' business: its memory and its files through /proc, also where its
 * number comes again; the mode of a sealed file; and questions about very many things, which give way to others.
 */
#include "answers.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { STRANGER = 1000, MANY = 2000, POLLED = 4000, NUMBERS = 40000, RESERVED = 300, NOEXEC_SEAL = 8 };

static char secret[32] = "root's";

static void become_stranger(void)
{
    if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0)
        _exit(1);
}

static int open_of(pid_t process, const char *what, int flags)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, what);
    return open(path, flags);
}

/* Until told by a byte, or by its end. */
static void wait_for(int from)
{
    char byte;

    while (read(from, &byte, 1) < 0)
        ;
}

/* ---- Others' files of /proc -------------------------------------------------------------------------- */

static void ask_about(pid_t process)
{
    static const char *const files[] = { "mem", "maps", "smaps", "smaps_rollup", "environ", "auxv", "pagemap",
                                         "cwd/file", "cwd", "root", "exe", "fd", "fdinfo/0" };
    char path[64], target[64];

    for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
        printf("%s: ", files[i]);
        SAY(open_of(process, files[i], O_RDONLY) < 0 ? errno : 0);
    }
    SAY(open_of(process, "mem", O_RDWR) < 0);
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)process);
    SAY(readlink(path, target, sizeof target));
    SAY(open_of(process, "status", O_RDONLY) >= 0);
}

static int lists(pid_t process, const char *folder)
{
    char bytes[1024];
    int  of = open_of(process, folder, O_RDONLY);

    return of >= 0 && syscall(SYS_getdents64, of, bytes, sizeof bytes) > 0;
}

/* A process of root's in a folder that others do not come to, and one that acts as another user for a while. */
static void what_strangers_see(void)
{
    int   ends[2], file;
    pid_t victims[2];

    mkdir("/tmp/private", 0700);
    mkdir("/tmp/private/in", 0755);
    file = open("/tmp/private/in/file", O_CREAT | O_WRONLY, 0644);
    SAY(file >= 0);
    SAY(pipe(ends));
    for (int i = 0; i < 2; i++)
        if ((victims[i] = fork()) == 0) {
            close(ends[1]);
            if (chdir("/tmp/private/in") != 0 || (i == 1 && seteuid(STRANGER) != 0))
                _exit(1);
            wait_for(ends[0]);
            _exit(0);
        }
    usleep(100000);
    if (fork() == 0) {
        become_stranger();
        ask_about(victims[0]);
        SAY(lists(victims[0], "fdinfo"));
        ask_about(victims[1]);
        fflush(stdout);
        _exit(0);
    }
    close(ends[0]);
    SAY(wait(NULL) > 0);
    close(ends[1]);
    while (wait(NULL) > 0)
        ;
    SAY(unlink("/tmp/private/in/file") | rmdir("/tmp/private/in") | rmdir("/tmp/private"));
}

/* Who is another user for a while is so for a program that it starts: root is still who it is really. */
static void a_program_that_is_root_really(void)
{
    int   ends[2], told[2];
    pid_t victim;
    char  byte;

    SAY(pipe(ends) | pipe(told));
    victim = fork();
    if (victim == 0) {
        char in[12], out[12];

        close(ends[1]);
        snprintf(in, sizeof in, "%d", ends[0]);
        snprintf(out, sizeof out, "%d", told[1]);
        if (seteuid(STRANGER) == 0)
            execl("/proc/self/exe", "private", "-", in, out, NULL);
        _exit(1);
    }
    close(told[1]);
    SAY(read(told[0], &byte, 1));
    if (fork() == 0) {
        become_stranger();
        SAY(open_of(victim, "mem", O_RDWR));
        _exit(0);
    }
    close(ends[0]);
    SAY(wait(NULL) > 0);
    close(ends[1]);
    SAY(wait(NULL) == victim);
}

static void own_files(void)
{
    char target[64];

    become_stranger();
    SAY(open("/proc/self/maps", O_RDONLY) >= 0);
    SAY(open("/proc/self/cwd", O_RDONLY) >= 0);
    SAY(open("/proc/self/root", O_RDONLY) >= 0);
    SAY(readlink("/proc/self/fd/0", target, sizeof target) > 0);
}

/* ---- A number that comes again ---------------------------------------------------------------------------- */

static void past_the_reserved(void)
{
    pid_t child;

    do {
        child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    } while (child > 0 && child < RESERVED);
}

/* Until the next process has this number; not where there are more numbers than anybody has patience for. */
static void go_round_to(pid_t number)
{
    char  most[16] = "";
    pid_t child;

    if (read(open("/proc/sys/kernel/pid_max", O_RDONLY), most, sizeof most - 1) < 0 || atoi(most) > NUMBERS)
        return;
    for (int i = 0; i < NUMBERS; i++) {
        child = vfork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
        if (child == number - 1)
            return;
    }
}

/* A stranger who had a file of a process open does not have it of the next one with its number. */
static void a_number_that_comes_again(void)
{
    int   ends[2], mem, folder;
    pid_t victim;
    char  got[sizeof secret];

    past_the_reserved();
    SAY(pipe(ends));
    victim = fork();
    if (victim == 0) {
        close(ends[1]);
        wait_for(ends[0]);
        _exit(0);
    }
    mem    = open_of(victim, "mem", O_RDWR);
    folder = open_of(victim, "", O_RDONLY);
    close(ends[1]);
    SAY(waitpid(victim, NULL, 0) == victim);
    go_round_to(victim);
    SAY(pipe(ends));
    victim = fork();
    if (victim == 0) {
        close(ends[1]);
        wait_for(ends[0]);
        _exit(strcmp(secret, "root's") != 0);
    }
    SAY(pread(mem, got, sizeof got, (long)secret) > 0);
    SAY(pwrite(mem, "stolen", sizeof "stolen", (long)secret) > 0);
    SAY(openat(folder, "maps", O_RDONLY) >= 0);
    SAY(openat(folder, "fd/0", O_RDONLY) >= 0);
    close(ends[1]);
    SAY(waitpid(victim, &ends[0], 0) == victim);
    SAY(ends[0]);
}

/* ---- Seals ------------------------------------------------------------------------------------------------- */

static void mode_of_a_sealed_file(void)
{
    int         file = (int)syscall(SYS_memfd_create, "sealed", NOEXEC_SEAL);
    struct stat state;

    SAY(fcntl(file, F_GET_SEALS));
    SAY(fchmod(file, 0777));
    SAY(fchmod(file, 0600));
    SAY(fstat(file, &state));
    SAY(state.st_mode & 0777);
}

/* ---- Very many --------------------------------------------------------------------------------------------- */

/* A socket gets a name that is free where a row of names is taken. */
static void names_in_a_row(void)
{
    struct rlimit      limit = { MANY + 100, MANY + 100 };
    struct sockaddr_un name  = { .sun_family = AF_UNIX };
    int                bound = 0;

    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < MANY; i++) {
        snprintf(name.sun_path + 1, 6, "%05x", (unsigned)i);
        bound += bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&name, sizeof name.sun_family + 6) == 0;
    }
    SAY(bound == MANY);
    SAY(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&name, sizeof name.sun_family));
}

static void a_long_poll_of_epolls(void)
{
    struct rlimit      limit  = { POLLED + 10, POLLED + 10 };
    struct pollfd     *asked  = calloc(POLLED, sizeof *asked);
    struct epoll_event event  = { .events = EPOLLIN };
    int                inner  = eventfd(1, 0), outer;

    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < 4; i++, inner = outer) {
        outer = epoll_create1(0);
        SAY(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
    }
    for (int i = 0; i < POLLED; i++)
        asked[i] = (struct pollfd){ .fd = outer, .events = POLLIN };
    SAY(poll(asked, POLLED, 0));
}

static void text_of_a_large_epoll(void)
{
    struct rlimit      limit = { MANY + 10, MANY + 10 };
    struct epoll_event event = { .events = EPOLLIN };
    int                epoll = epoll_create1(0), counter = eventfd(0, 0), lines = 0, text, another;
    char               path[64], piece[4096];
    long               got;

    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll);
    text = open(path, O_RDONLY);
    for (int i = 0; i < MANY && (another = dup(counter)) >= 0; i++)
        lines -= epoll_ctl(epoll, EPOLL_CTL_ADD, another, &event) == 0;
    while ((got = read(text, piece, sizeof piece)) > 0)
        for (long i = 0; i + 4 <= got; i++)
            lines += memcmp(piece + i, "sdev", 4) == 0;
    SAY(lines >= -20 && lines <= 0);            /* a word may lie across two reads */
}

int main(int count, char **words)
{
    static const struct part parts[] = {
        { "what strangers see", what_strangers_see },
        { "a program that is root really", a_program_that_is_root_really },
        { "own files", own_files },
        { "a number that comes again", a_number_that_comes_again },
        { "mode of a sealed file", mode_of_a_sealed_file },
        { "names in a row", names_in_a_row },
        { "a long poll of epolls", a_long_poll_of_epolls },
        { "text of a large epoll", text_of_a_large_epoll },
    };

    if (count > 3) {
        if (write(atoi(words[3]), "", 1) == 1)
            wait_for(atoi(words[2]));
        return 0;
    }
    SAY(chmod("/", 0755));                      /* strangers come in, wherever the root is */
    answer_parts(parts, sizeof parts / sizeof parts[0], count > 1 ? words[1] : NULL);
    return 0;
}
