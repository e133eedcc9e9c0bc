/*
 * stubborn.c - exec and SIGKILL come to their end: whatever file is named as a program's interpreter, whoever makes
 * threads meanwhile or has ended before, and whatever else is sent to a process that is to die. And what has ended
 * while a call about it slept is not looked at.
 *
 *   stubborn            one line for each
 *   stubborn grow       a stack that grows by 200 MiB, where that is more than the machine has: only its process ends
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "/tmp/stubborn/"

enum { IMAGE = 0x200, NAME_AT = 0x180, CODE_AT = 0x100, INTERPRETED = 0x20000000, INTERPRETER = 0x30000000 };
enum { PATIENCE_MS = 20000, STEP_MS = 20 };

static const char *self;                        /* this program's file */

/* How a child ended; NULL when it did not, and had to be left. */
static const char *end_of(pid_t child)
{
    static char text[32];
    int         status;

    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        if (waitpid(child, &status, WNOHANG) == child) {
            if (WIFSIGNALED(status))
                snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
            else
                snprintf(text, sizeof text, "status %d", WEXITSTATUS(status));
            return text;
        }
        usleep(STEP_MS * 1000);
    }
    return "does not end";
}

/* ---- Interpreters --------------------------------------------------------------------------------- */

/* A program of one page that ends with status 7, or wants an interpreter. */
static void make_image(unsigned char image[IMAGE], unsigned address, const char *interpreter)
{
    static const unsigned char code[] = { 0xB8, 1, 0, 0, 0, 0xBB, 7, 0, 0, 0, 0xCD, 0x80 };
    Elf32_Ehdr header = { .e_ident = "\177ELF\1\1\1", .e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1,
                          .e_entry = address + CODE_AT, .e_phoff = sizeof header, .e_ehsize = sizeof header,
                          .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = interpreter != NULL ? 2 : 1 };
    Elf32_Phdr part[2] = { { PT_LOAD, 0, address, address, IMAGE, IMAGE, PF_R | PF_X, 0x1000 },
                           { PT_INTERP, NAME_AT, 0, 0, 0, 0, PF_R, 1 } };

    memset(image, 0, IMAGE);
    if (interpreter != NULL) {
        part[1].p_filesz = strlen(interpreter) + 1;
        strcpy((char *)image + NAME_AT, interpreter);
    }
    memcpy(image, &header, sizeof header);
    memcpy(image + sizeof header, part, sizeof part);
    memcpy(image + CODE_AT, code, sizeof code);
}

static void write_image(const char *path, unsigned address, const char *interpreter, mode_t mode)
{
    unsigned char image[IMAGE];
    int           file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0700);

    make_image(image, address, interpreter);
    if (write(file, image, sizeof image) != sizeof image || fchmod(file, mode) != 0)
        perror(path);
    close(file);
}

/* The bytes of an image as texts, one after the other as they lie in memory, each with its NUL. */
static void as_texts(unsigned char image[IMAGE], char *texts[IMAGE + 1])
{
    int count = 0;

    for (unsigned at = 0; at < IMAGE; at += strlen((char *)image + at) + 1)
        texts[count++] = (char *)image + at;
    texts[count] = NULL;
}

static void try_interpreter(const char *interpreter)
{
    pid_t child;

    write_image(FOLDER "wants", INTERPRETED, interpreter, 0700);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(PATIENCE_MS / 2000);              /* for a fifo that is waited for */
        execl(FOLDER "wants", "wants", NULL);
        printf("%s, ", strerrorname_np(errno));
        fflush(stdout);
        _exit(1);
    }
    printf("%s\n", end_of(child));
}

/* Run with an image as arguments and environment: /proc shows it as files that begin like programs. */
static int interpreters(void)
{
    static const char *const names[] = {
        FOLDER "good", FOLDER "plain", FOLDER "fifo", FOLDER "wants", FOLDER "missing", FOLDER "link", FOLDER,
        "/dev/null", "/dev/zero", "/proc/self/cmdline", "/proc/self/environ", "/proc/self/mem", "/proc/self/maps",
    };

    write_image(FOLDER "good", INTERPRETER, NULL, 0700);
    write_image(FOLDER "plain", INTERPRETER, NULL, 0600);
    mkfifo(FOLDER "fifo", 0700);
    symlink("good", FOLDER "link");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        printf("interpreter %s: ", names[i]);
        try_interpreter(names[i]);
    }
    return 0;
}

static void begin_interpreters(void)
{
    unsigned char image[IMAGE];
    char         *texts[IMAGE + 1];
    pid_t         child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        make_image(image, INTERPRETER, NULL);
        as_texts(image, texts);
        execve(self, texts, texts);
        _exit(1);
    }
    waitpid(child, NULL, 0);
}

/* ---- exec beside other threads ---------------------------------------------------------------------- */

enum { TRIES = 8, MAPPERS = 3, AREA = 4 << 20, PAGE = 4096 };
enum { THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x80000 };    /* a thread, with SETTLS */

static char        *area;
static volatile int begun;

static void *change_rights(void *unused)
{
    for (;;) {
        mprotect(area, AREA, PROT_READ);
        mprotect(area, AREA, PROT_READ | PROT_WRITE);
    }
    return unused;
}

/* Threads that compute for ever, each made from a description in a page that was just mapped. */
static void *make_threads(void *unused)
{
    for (;;) {
        unsigned *page  = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char     *stack = malloc(PAGE);
        long      made;

        page[0] = 7, page[1] = 0, page[2] = 0xFFFFF, page[3] = 0x51;
        madvise(page, PAGE, MADV_PAGEOUT);
        begun = 1;
        __asm__ volatile("int $0x80\n\ttestl %%eax, %%eax\n\tjnz 1f\n2:\tjmp 2b\n1:"
                         : "=a"(made) : "a"(SYS_clone), "b"(THREAD_FLAGS), "c"(stack + PAGE), "d"(0), "S"(page),
                           "D"(0) : "memory");
    }
    return unused;
}

static void exec_among_them(int yields)
{
    pthread_t thread;

    area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(area, 1, AREA);
    for (int i = 0; i < MAPPERS; i++)
        pthread_create(&thread, NULL, change_rights, NULL);
    pthread_create(&thread, NULL, make_threads, NULL);
    while (!begun)
        sched_yield();
    for (int i = 0; i < yields; i++)
        sched_yield();
    execl(self, "stubborn", "came through", NULL);
    _exit(1);
}

static void exec_beside_clone(void)
{
    const char *end = "";
    int         through = 0;

    for (int i = 0; i < TRIES; i++) {
        pid_t child = fork();

        if (child == 0)
            exec_among_them(i % 7);
        end = end_of(child);
        if (strcmp(end, "status 3") != 0)
            kill(child, SIGKILL);
        through += strcmp(end, "status 3") == 0;
    }
    printf("exec beside threads that make threads: %s\n", through == TRIES ? "each came through" : end);
}

static void *exec_alone(void *unused)
{
    usleep(100000);
    execl(self, "stubborn", "numbers", NULL);
    return unused;
}

static void exec_when_the_first_has_ended(void)
{
    pthread_t thread;
    pid_t     child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        pthread_create(&thread, NULL, exec_alone, NULL);
        syscall(SYS_exit, 0);
    }
    printf("exec when the first thread has ended: %s\n", end_of(child));
}

enum { TEXTS = 4000, TEXT = 400 };

static void *stop_the_process(void *unused)
{
    while (!begun)
        ;
    kill(getpid(), SIGSTOP);
    for (;;)
        pause();
    return unused;
}

/* Its arguments are read for so long that the other thread has its turn meanwhile. */
static void exec_in_a_stopped_process(void)
{
    static char  text[TEXT], *texts[TEXTS + 1] = { "stubborn", "came through" };
    pthread_t    thread;

    memset(text, 'a', TEXT - 1);
    for (int i = 2; i < TEXTS; i++)
        texts[i] = text;
    begun = 0;
    pthread_create(&thread, NULL, stop_the_process, NULL);
    begun = 1;
    execv(self, texts);
    _exit(1);
}

/* The other thread ends, and it alone; the program is stopped, or is not, and goes on. */
static void exec_while_another_thread_stops_it(void)
{
    int through = 0, status = 0;

    fflush(stdout);
    for (int i = 0; i < TRIES; i++) {
        pid_t child = fork();

        if (child == 0)
            exec_in_a_stopped_process();
        while (waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status))
            kill(child, SIGCONT);
        through += WIFEXITED(status) && WEXITSTATUS(status) == 3;
    }
    printf("exec while another thread stops the process: %s\n", through == TRIES ? "each came through" : "not all did");
}

/* ---- SIGKILL ------------------------------------------------------------------------------------------ */

enum { PIECES = 1024, PIECE = 2 << 20 };

/* The last byte of two GiB tells whether the call has come to its end. */
static void kill_in_a_long_call(const char *what, bool of_a_file)
{
    static struct iovec from[PIECES], to[PIECES];
    char *memory = mmap(NULL, 2 * PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *last   = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int   file   = memfd_create("holes", 0);
    pid_t child;

    memset(memory, 1, 2 * PIECE);
    *last = 2;
    for (int i = 0; i < PIECES; i++) {
        from[i] = (struct iovec){ memory, i < PIECES - 1 ? PIECE : 1 };
        to[i]   = (struct iovec){ i < PIECES - 1 ? memory + PIECE : last, from[i].iov_len };
    }
    fflush(stdout);
    if (ftruncate(file, INT32_MAX) != 0 || (child = fork()) == 0) {
        if (of_a_file)
            readv(file, to, PIECES);
        else
            process_vm_readv(getpid(), to, PIECES, from, PIECES, 0);
        _exit(1);
    }
    usleep(50000);
    kill(child, SIGKILL);
    printf("SIGKILL in %s: %s, %s\n", what, end_of(child), *last == 2 ? "at once" : "at its end");
    close(file);
}

/* A timer sends the thread SIGSTOP again as soon as the last one has been taken. */
static void stop_again_and_again(void)
{
    struct sigevent   event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGSTOP };
    struct itimerspec often = { { 0, 1000 }, { 0, 1000 } };
    int               timer;

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) != 0 ||
        syscall(SYS_timer_settime, timer, 0, &often, NULL) != 0)
        _exit(1);
    for (;;)
        ;
}

static void kill_while_it_stops(void)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        stop_again_and_again();
    usleep(200000);
    kill(child, SIGKILL);
    printf("SIGKILL while a timer stops the thread: %s\n", end_of(child));
}

/* Both lie in their queues before the thread looks: the process's SIGKILL, and a SIGSTOP of its own. */
static void kill_and_stop_a_stopped_one(void)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    kill(child, SIGKILL);
    syscall(SYS_tgkill, child, child, SIGSTOP);
    printf("SIGKILL, then SIGSTOP to the thread: %s\n", end_of(child));
}

enum { GROUPS = 12, COPIED = 8 << 20, FORKING_US = 30000, OFTEN = 50 };

/* Makes children, each of which takes a while to copy, until it can make no more. */
static void fork_all_the_time(void)
{
    char *memory = mmap(NULL, COPIED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(memory, 1, COPIED);
    while (fork() > 0)
        ;
    for (;;)
        pause();
}

static bool group_ends(int number)
{
    bool  gone  = false;
    pid_t group = fork();

    if (group == 0) {
        setpgid(0, 0);
        fork_all_the_time();
    }
    setpgid(group, group);
    usleep(FORKING_US + number * 3001);
    kill(-group, SIGKILL);
    for (int i = 0; i < OFTEN && !gone; i++) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        gone = kill(-group, 0) != 0;
        usleep(gone ? 0 : STEP_MS * 1000);
    }
    kill(-group, SIGKILL);
    return gone;
}

/* A child that was being copied when its parent was killed is not left behind. */
static void kill_a_group_that_forks(void)
{
    int gone = 0;

    fflush(stdout);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int i = 0; i < GROUPS; i++)
        gone += group_ends(i);
    printf("SIGKILL to a group that forks: %s\n", gone == GROUPS ? "nobody is left" : "some are left");
}

/* ---- Ends in the middle of calls -------------------------------------------------------------------------- */

enum { ASKING_MS = 3000 };

/* Children that end soon, one after the other; the number of the last is shown. */
static void make_short_lives(volatile int *shown)
{
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            *shown = getpid();
            sched_yield();
            sched_yield();
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

/* Their calls read and write a page that is not there, whose fault waits for threads that change rights. */
static void ask_about_who_ends(void)
{
    volatile int   *shown = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct timespec begin, now;
    pthread_t       thread;
    long            wrong = 0;
    pid_t           maker;

    fflush(stdout);
    maker = fork();
    if (maker == 0)
        make_short_lives(shown);
    area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(area, 1, AREA);
    for (int i = 0; i < MAPPERS; i++)
        pthread_create(&thread, NULL, change_rights, NULL);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        int *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        syscall(SYS_sched_setaffinity, *shown, sizeof *page, page);     /* EINVAL: a set of no processor */
        madvise(page, PAGE, MADV_DONTNEED);
        wrong += syscall(SYS_sched_getparam, *shown, page) == 0 && *page != 0;
        munmap(page, PAGE);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ASKING_MS);
    kill(maker, SIGKILL);
    printf("priorities of processes that end: %s\n", wrong == 0 ? "all are 0" : "some are not 0");
}

/* ---- Whose parent ends while they are made --------------------------------------------------------------- */

enum { FAMILIES = 30, BROTHERS = 3, BROTHER = 0x8000, COPIED_LONGER = 16 << 20, OTHER_SIGNAL = SIGUSR1 };

/* Makes children of its own parent, which say what it says when they end; it is an orphan before all are made. */
static void make_brothers(void)
{
    char *memory = mmap(NULL, COPIED_LONGER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(memory, 1, COPIED_LONGER);
    for (int i = 0; i < BROTHERS; i++)
        if (syscall(SYS_clone, BROTHER, 0, 0, 0, 0) == 0)
            break;
    _exit(0);
}

static int zombies_of(pid_t group)
{
    DIR           *folder = opendir("/proc");
    struct dirent *entry;
    int            zombies = 0;

    while ((entry = readdir(folder)) != NULL) {
        char  path[300], state = 0;
        int   its_group = 0;
        FILE *file;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        file = atoi(entry->d_name) > 0 ? fopen(path, "r") : NULL;
        if (file != NULL && fscanf(file, "%*d (%*[^)]) %c %*d %d", &state, &its_group) == 2)
            zombies += state == 'Z' && its_group == group;
        if (file != NULL)
            fclose(file);
    }
    closedir(folder);
    return zombies;
}

/* Orphans become children of this process, which wants no zombies: only SIGCHLD at their end lets them go. */
static void end_while_brothers_are_made(void)
{
    fflush(stdout);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGCHLD, SIG_IGN);
    signal(OTHER_SIGNAL, SIG_IGN);
    for (int i = 0; i < FAMILIES; i++) {
        pid_t child = fork();

        if (child == 0) {
            if (syscall(SYS_clone, OTHER_SIGNAL, 0, 0, 0, 0) == 0)
                make_brothers();
            usleep(10000 + i * 2000);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    for (int i = 0; i < OFTEN && zombies_of(getpgrp()) > 0; i++)
        usleep(STEP_MS * 1000);
    printf("brothers of orphans: %s\n", zombies_of(getpgrp()) == 0 ? "nobody is left" : "zombies are left");
    signal(SIGCHLD, SIG_DFL);
}

/* ---- Stacks --------------------------------------------------------------------------------------------- */

enum { FAR_BELOW = 200 << 20, TAKEN = 3 << 20 };

static void take_memory_and_sleep(void)
{
    memset(malloc(TAKEN), 1, TAKEN);
    for (;;)
        pause();
}

static int grow_too_far(void)
{
    struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
    pid_t         other, child;

    setrlimit(RLIMIT_STACK, &none);
    other = fork();
    if (other == 0)
        take_memory_and_sleep();
    usleep(200000);
    child = fork();
    if (child == 0)
        *((volatile char *)&none - FAR_BELOW) = 1;
    if (child == 0)
        _exit(1);
    printf("a stack of 200 MiB: %s\n", end_of(child));
    printf("another process: %s\n", waitpid(other, NULL, WNOHANG) == 0 ? "goes on" : "has ended");
    kill(other, SIGKILL);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "grow") == 0)
        return grow_too_far();
    if (argc > 1 && strcmp(argv[1], "came through") == 0)
        return 3;
    if (argc > 1 && strcmp(argv[1], "numbers") == 0)
        return getpid() == syscall(SYS_gettid) ? 4 : 5;
    self = "/proc/self/exe";
    if (strncmp(argv[0], "\177ELF", 4) == 0)
        return interpreters();
    self = realpath(self, NULL);
    mkdir(FOLDER, 0700);
    begin_interpreters();
    exec_beside_clone();
    exec_when_the_first_has_ended();
    exec_while_another_thread_stops_it();
    kill_in_a_long_call("a copy of memory", false);
    kill_in_a_long_call("a read of holes", true);
    kill_while_it_stops();
    kill_and_stop_a_stopped_one();
    end_while_brothers_are_made();
    kill_a_group_that_forks();
    ask_about_who_ends();
    return 0;
}
