/*
 * rights.c - answers of Linux about capabilities, users and groups, what prctl() keeps, niceness and limits.
 *
 * Each line is a question and its answer, a result and an errno. Nothing depends on numbers of processes, on the time
 * or on the machine.
 */
#include "answers.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static volatile int got, got_code, got_status;
static void count(int number) { (void)number; got++; }
static void note(int number, siginfo_t *info, void *context)
{
    got++;
    got_code = info->si_code;
    got_status = info->si_status;
}

/* ---- Rights ------------------------------------------------------------------------------------------- */

static void show_capabilities(const char *when)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   data[2];

    syscall(SYS_capget, &header, data);
    printf("%s: effective %d, permitted %d, inheritable %d\n", when, data[0].effective != 0, data[0].permitted != 0,
           data[0].inheritable != 0);
}

static void capabilities(void)
{
    struct __user_cap_header_struct header = { 0, 0 };
    struct __user_cap_data_struct   data[2];

    SAY(syscall(SYS_capget, &header, data));
    SAY(header.version);
    header.version = 0;
    SAY(syscall(SYS_capget, &header, NULL));
    SAY(syscall(SYS_capget, NULL, data));
    header.version = _LINUX_CAPABILITY_VERSION_1;
    memset(data, 0x55, sizeof data);
    SAY(syscall(SYS_capget, &header, data));
    SAY(data[1].effective);
    SAY(data[0].inheritable);
    header.version = _LINUX_CAPABILITY_VERSION_3;
    header.pid = -1;
    SAY(syscall(SYS_capget, &header, data));
    header.pid = 0x3FFFFFFF;
    SAY(syscall(SYS_capget, &header, data));
    SAY(syscall(SYS_capset, &header, data));
    header.pid = 0;
    SAY(syscall(SYS_capget, &header, (void *)16));
    SAY(syscall(SYS_capset, &header, (void *)16));
    SAY(syscall(SYS_capget, &header, data));
    data[0].effective &= ~(1u << CAP_KILL);
    SAY(syscall(SYS_capset, &header, data));
    data[0].permitted &= ~(1u << CAP_KILL);
    data[0].effective |= 1u << CAP_KILL;
    SAY(syscall(SYS_capset, &header, data));
    data[0].effective &= ~(1u << CAP_KILL);
    SAY(syscall(SYS_capset, &header, data));
    data[0].permitted |= 1u << CAP_KILL;
    SAY(syscall(SYS_capset, &header, data));
    SAY(prctl(PR_CAPBSET_READ, 5));
    SAY(prctl(PR_CAPBSET_DROP, 5));
    SAY(prctl(PR_CAPBSET_READ, 5));
    SAY(prctl(PR_CAPBSET_READ, 100));
    SAY(prctl(PR_CAPBSET_DROP, 100));
    SAY(prctl(47, 1, 7, 0, 0));
    SAY(prctl(47, 2, 7, 0, 0));
    SAY(prctl(47, 4, 0, 0, 0));
    SAY(prctl(47, 4, 1, 0, 0));
    SAY(prctl(47, 9, 1, 0, 0));
    SAY(prctl(PR_GET_SECUREBITS));
    SAY(prctl(PR_SET_SECUREBITS, 0x100));
    SAY(prctl(PR_SET_SECUREBITS, 0x30));
    SAY(prctl(PR_SET_SECUREBITS, 0x20));
    SAY(prctl(PR_SET_KEEPCAPS, 0));
    SAY(prctl(PR_GET_KEEPCAPS));
}

static void users(void)
{
    uid_t real, effective, saved;

    SAY(setuid(-1));
    SAY(setresuid(1000, 1001, 1002));
    show_capabilities("after setresuid");
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(setuid(0));
    SAY(setuid(1001));
    SAY(setuid(1002));
    getresuid(&real, &effective, &saved);
    printf("%d %d %d\n", real, effective, saved);
    SAY(setreuid(-1, 1000));
    SAY(setreuid(1002, -1));
    getresuid(&real, &effective, &saved);
    printf("%d %d %d\n", real, effective, saved);
    SAY(setresuid(1000, 1000, 1000));
    SAY(setresuid(-1, 1002, -1));
    SAY(kill(1, 0));
    SAY(kill(getppid(), SIGCONT));
    SAY(kill(getppid(), 0));
    SAY(setgid(5));
    SAY(setpriority(PRIO_PROCESS, 0, -1));
    SAY(setpriority(PRIO_PROCESS, 0, 5));
    SAY(setpriority(PRIO_PROCESS, 0, 4));
    SAY(nice(-1));
    SAY(setpriority(PRIO_PROCESS, getppid(), 4));
}

static void show_groups(void)
{
    gid_t list[8];
    int   count = getgroups(8, list);
    char  line[256];
    FILE *status = fopen("/proc/self/status", "r");

    printf("%d groups:", count);
    for (int i = 0; i < count; i++)
        printf(" %u", list[i]);
    while (fgets(line, sizeof line, status))
        if (strncmp(line, "Groups:", 7) == 0)
            printf("; %s", line);
    fclose(status);
    fflush(stdout);
}

/* Many descriptors, in the worst order; printed in ascending order. */
static void many_groups(void)
{
    static gid_t list[65536];
    int          wrong = 0;

    for (int i = 0; i < 65536; i++)
        list[i] = (i * 40503u + 7) % 65536 + 1;
    SAY(setgroups(65536, list));
    SAY(getgroups(65535, list));
    SAY(getgroups(65536, list));
    for (int i = 0; i < 65536; i++)
        wrong += list[i] != i + 1;
    printf("%d out of order\n", wrong);
}

static void groups(void)
{
    gid_t    some[] = { 70000, 30, 10, 20, 10 }, none[] = { 5, -1 };
    uint16_t narrow[8] = { 7, 3, 65535 };

    setgroups(0, NULL);
    show_groups();
    SAY(setgroups(5, some));
    show_groups();
    SAY(getgroups(0, NULL));
    SAY(getgroups(0, (gid_t *)1));
    SAY(getgroups(4, some));
    SAY(getgroups(-1, some));
    SAY(getgroups(5, (gid_t *)1));
    SAY(getgroups(5, (gid_t *)-4096));
    SAY(setgroups(65537, some));
    SAY(setgroups(-1, some));
    SAY(setgroups(2, (gid_t *)1));
    SAY(setgroups(2, (gid_t *)-4096));
    SAY(setgroups(2, none));
    show_groups();
    SAY(syscall(SYS_getgroups, 8, narrow));
    printf("%u %u %u %u %u\n", narrow[0], narrow[1], narrow[2], narrow[3], narrow[4]);
    narrow[0] = 7, narrow[1] = 3, narrow[2] = 65535;
    SAY(syscall(SYS_setgroups, 3, narrow));
    SAY(syscall(SYS_setgroups, 2, narrow));
    show_groups();
    many_groups();
    SAY(setgroups(5, (gid_t[]){ 70000, 30, 10, 20, 10 }));
    close(open("/tmp/of-group", O_CREAT | O_WRONLY, 0));
    SAY(chown("/tmp/of-group", 0, 20));
    SAY(chmod("/tmp/of-group", 0040));
    close(open("/tmp/own", O_CREAT | O_WRONLY, 0));
    SAY(chown("/tmp/own", 1000, 1000));
    if (fork() == 0) {
        SAY(setresgid(1000, 1000, 1000));
        SAY(setresuid(1000, 1000, 1000));
        show_groups();
        SAY(open("/tmp/of-group", O_RDONLY) >= 0);
        SAY(open("/tmp/of-group", O_WRONLY));
        SAY(access("/tmp/of-group", R_OK));
        SAY(chown("/tmp/own", -1, 30));
        SAY(chown("/tmp/own", -1, 40));
        SAY(setgroups(0, NULL));
        _exit(0);
    }
    wait(NULL);
    SAY(setgroups(0, NULL));
    show_groups();
}

static pid_t made_by_thread;

static void *make_child(void *end)
{
    made_by_thread = fork();
    if (made_by_thread == 0)
        _exit(5);
    waitid(P_PID, made_by_thread, NULL, WEXITED | WNOWAIT);
    sem_post(end);
    sem_wait((sem_t *)end + 1);
    return NULL;
}

/* __WNOTHREAD: only children of the thread that asks. A thread that ends leaves its children to the eldest. */
static void children_of_threads(void)
{
    static sem_t turns[2];
    pthread_t    thread;
    int          status = 0;
    pid_t        own;

    sem_init(&turns[0], 0, 0);
    sem_init(&turns[1], 0, 0);
    pthread_create(&thread, NULL, make_child, turns);
    sem_wait(&turns[0]);
    SAY(waitpid(-1, NULL, __WNOTHREAD | WNOHANG));
    SAY(waitpid(made_by_thread, NULL, __WNOTHREAD | WNOHANG));
    own = fork();
    if (own == 0)
        _exit(6);
    SAY(waitpid(-1, &status, __WNOTHREAD) == own);
    SAY(status >> 8);
    sem_post(&turns[1]);
    pthread_join(thread, NULL);
    SAY(waitpid(-1, &status, __WNOTHREAD) == made_by_thread);
    SAY(status >> 8);
    SAY(waitpid(-1, NULL, __WNOTHREAD));
}

static void keeping(void)
{
    SAY(prctl(PR_SET_KEEPCAPS, 2));
    SAY(prctl(PR_SET_KEEPCAPS, 1));
    SAY(prctl(PR_GET_KEEPCAPS));
    SAY(setuid(1000));
    show_capabilities("kept");
    SAY(prctl(PR_GET_KEEPCAPS));
}

static void says(void)
{
    int value = 77;

    SAY(prctl(PR_SET_PDEATHSIG, 65));
    SAY(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    SAY(prctl(PR_GET_PDEATHSIG, &value));
    SAY(value);
    SAY(prctl(PR_GET_PDEATHSIG, 16));
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(prctl(PR_SET_DUMPABLE, 2));
    SAY(prctl(PR_SET_DUMPABLE, 0));
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SAY(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SAY(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SAY(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
    SAY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SAY(prctl(PR_SET_CHILD_SUBREAPER, 5));
    SAY(prctl(PR_GET_CHILD_SUBREAPER, &value));
    SAY(value);
    SAY(prctl(PR_GET_CHILD_SUBREAPER, 16));
    SAY(prctl(PR_GET_TIMERSLACK));
    SAY(prctl(PR_SET_TIMERSLACK, 100));
    SAY(prctl(PR_GET_TIMERSLACK));
    SAY(prctl(PR_GET_TIMING));
    SAY(prctl(PR_SET_TIMING, 1));
    SAY(prctl(PR_SET_NAME, 16));
    SAY(prctl(9999, 0, 0, 0, 0));
    SAY(personality(0xffffffff));
    SAY(personality(ADDR_NO_RANDOMIZE | PER_BSD));
    SAY(personality(0xffffffff));
    SAY(personality(0));
}

/* ---- Niceness and limits ----------------------------------------------------------------------------------- */

static void niceness(void)
{
    SAY(nice(3));
    SAY(getpriority(PRIO_PROCESS, 0));
    SAY(nice(100));
    SAY(getpriority(PRIO_PROCESS, getpid()));
    SAY(setpriority(PRIO_PROCESS, 0, -100));
    SAY(getpriority(PRIO_PROCESS, 0));
    SAY(setpriority(PRIO_PROCESS, 0x3FFFFFFF, 0));
    SAY(getpriority(PRIO_PGRP, 0x3FFFFFFF));
    SAY(getpriority(PRIO_USER, 4711));
    SAY(getpriority(3, 0));
    SAY(setpriority(-1, 0, 0));
    if (fork() == 0) {
        SAY(getpriority(PRIO_PROCESS, 0));
        _exit(0);
    }
    wait(NULL);
}

static void sizes(void)
{
    struct rlimit limit = { 1000, 2000 };
    char          bytes[600] = { 0 };
    int           fd = open("/tmp/processes-file", O_CREAT | O_RDWR | O_TRUNC, 0600);

    signal(SIGXFSZ, count);
    SAY(setrlimit(RLIMIT_FSIZE, &limit));
    got = 0;
    SAY(write(fd, bytes, 600));
    SAY(write(fd, bytes, 600));
    SAY(got);
    SAY(write(fd, bytes, 600));
    SAY(got);
    SAY(ftruncate(fd, 1001));
    SAY(got);
    SAY(ftruncate(fd, 999));
    SAY(truncate("/tmp/processes-file", 5000));
    SAY(got);
    SAY(syscall(SYS_fallocate, fd, 0, 0, 0, 1001, 0));
    SAY(got);
    SAY(pwrite(fd, bytes, 10, 5000));
    SAY(got);
    limit.rlim_cur = 3000;
    SAY(setrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_max = 4000;
    SAY(setrlimit(RLIMIT_FSIZE, &limit));
    SAY(getrlimit(99, &limit));
    SAY(getrlimit(RLIMIT_FSIZE, (void *)16));
    SAY(setrlimit(99, &limit));
    SAY(prlimit(0x3FFFFFFF, RLIMIT_FSIZE, NULL, &limit));
    SAY(prlimit(getppid(), RLIMIT_FSIZE, NULL, &limit));
    close(fd);
    unlink("/tmp/processes-file");
}

static void hard_limits(void)
{
    struct rlimit limit = { 100, 100 }, more = { 100, 200 };

    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    SAY(dup2(0, 99));
    SAY(dup2(0, 100));
    SAY(fcntl(0, F_DUPFD, 100));
    setuid(1000);
    SAY(setrlimit(RLIMIT_NOFILE, &more));
    SAY(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static void process_limit(void)
{
    struct rlimit limit = { 3, 3 };
    int           made = 0;

    setuid(4000);
    setrlimit(RLIMIT_NPROC, &limit);
    while (made < 10) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);                           /* a zombie counts, too */
        if (child < 0)
            break;
        made++;
    }
    printf("made %d, errno %d\n", made, errno);
    while (wait(NULL) > 0)
        ;
    made = fork();
    if (made == 0)
        _exit(0);
    SAY(made > 0);
}

static void cpu_time(void)
{
    struct rlimit limit = { 1, 2 };

    signal(SIGXCPU, count);
    setrlimit(RLIMIT_CPU, &limit);
    for (got = 0; got == 0;)
        ;
    printf("SIGXCPU came\n");
    fflush(stdout);
    for (;;)
        ;
}

static void turns(void)
{
    struct sched_param param = { 5 }, none = { 0 };
    struct timespec    slice;
    unsigned           mask = 1;

    SAY(syscall(SYS_sched_getscheduler, 0));
    SAY(syscall(SYS_sched_getscheduler, -1));
    SAY(syscall(SYS_sched_getscheduler, 0x3FFFFFFF));
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
    SAY(syscall(SYS_sched_getscheduler, 0));
    SAY(syscall(SYS_sched_getparam, 0, &none));
    SAY(none.sched_priority);
    SAY(syscall(SYS_sched_rr_get_interval, 0, &slice));
    SAY(slice.tv_nsec);
    param.sched_priority = 100;
    SAY(syscall(SYS_sched_setparam, 0, &param));
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param));
    param.sched_priority = 1;
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param));
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_RR | 0x40000000, &param));
    SAY(syscall(SYS_sched_getscheduler, 0));
    if (fork() == 0) {
        SAY(syscall(SYS_sched_getscheduler, 0));
        _exit(0);
    }
    wait(NULL);
    none.sched_priority = 0;
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 4, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 6, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 99, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, -1, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 0, NULL));
    SAY(syscall(SYS_sched_setscheduler, 0, 0, (void *)16));
    SAY(syscall(SYS_sched_setscheduler, 0x3FFFFFFF, 0, &none));
    SAY(syscall(SYS_sched_setparam, 0, NULL));
    SAY(syscall(SYS_sched_getparam, 0, NULL));
    SAY(syscall(SYS_sched_getparam, 0, (void *)16));
    SAY(syscall(SYS_sched_getparam, -1, &none));
    SAY(syscall(SYS_sched_get_priority_max, SCHED_FIFO));
    SAY(syscall(SYS_sched_get_priority_min, SCHED_RR));
    SAY(syscall(SYS_sched_get_priority_max, SCHED_OTHER));
    SAY(syscall(SYS_sched_get_priority_max, 4));
    SAY(syscall(SYS_sched_get_priority_max, -1));
    SAY(syscall(SYS_sched_rr_get_interval, -1, &slice));
    SAY(syscall(SYS_sched_rr_get_interval, 0, (void *)16));
    SAY(syscall(SYS_sched_setaffinity, 0, 4, &mask));
    SAY(syscall(SYS_sched_setaffinity, 0, 0, &mask));
    SAY(syscall(SYS_sched_setaffinity, 0, 4, (void *)16));
    SAY(syscall(SYS_sched_setaffinity, 0x3FFFFFFF, 4, &mask));
    mask = 0;
    SAY(syscall(SYS_sched_setaffinity, 0, 4, &mask));
    SAY(syscall(SYS_sched_getaffinity, 0, 3, &mask));
    setuid(1000);
    param.sched_priority = 1;
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
    SAY(syscall(SYS_sched_setscheduler, getppid(), SCHED_OTHER, &none));
    SAY(syscall(SYS_sched_setaffinity, getppid(), 4, &mask));
    SAY(syscall(SYS_get_robust_list, getppid(), &slice, &mask));
}

int main(int argc, char **argv)
{
    static const struct part parts[] = {
        { "capabilities", capabilities }, { "users", users }, { "keeping", keeping }, { "groups", groups },
        { "children of threads", children_of_threads }, { "says", says }, { "niceness", niceness }, { "turns", turns },
        { "sizes", sizes }, { "hard limits", hard_limits }, { "process limit", process_limit },
        { "cpu time", cpu_time },
    };

    answer_parts(parts, sizeof parts / sizeof parts[0], argc > 1 ? argv[1] : NULL);
    return 0;
}
