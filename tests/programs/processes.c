/*
 * processes.c - answers of Linux about families of processes: clones, siblings, adoption, waits, and what was used.
 *
 * Each line is a question and its answer, a result and an errno. Nothing depends on numbers of processes, on the time
 * or on the machine.
 */
#include "answers.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static volatile int got, got_code, got_status;
static void count(int number) { (void)number; got++; }
static void note(int number, siginfo_t *info, void *context)
{
    got++;
    got_code = info->si_code;
    got_status = info->si_status;
}

/* ---- Families ------------------------------------------------------------------------------------------------ */

static void crash(void) { raise(SIGSEGV); }

static long clone_with(unsigned long flags) { return syscall(SYS_clone, flags, 0, 0, 0, 0); }

static void clone_children(void)
{
    int   status;
    pid_t child;

    child = (pid_t)clone_with(0);               /* no signal at its end */
    if (child == 0)
        _exit(3);
    SAY(waitpid(-1, &status, 0));
    SAY(waitpid(-1, &status, __WCLONE) == child);
    SAY(status);
    signal(SIGUSR2, count);                     /* before: the child may be the first to run */
    got = 0;
    child = (pid_t)clone_with(SIGUSR2);
    if (child == 0)
        _exit(4);
    SAY(waitpid(child, &status, __WALL) == child || errno == EINTR);
    while (got == 0)
        usleep(1000);
    SAY(status == 0x400 || waitpid(child, &status, __WALL) == child);
    SAY(clone_with(CLONE_THREAD | SIGCHLD));
    SAY(clone_with(CLONE_SIGHAND | SIGCHLD));
    SAY(clone_with(CLONE_THREAD | CLONE_SIGHAND | SIGCHLD));
}

/* The child of CLONE_PARENT is its maker's sibling, and ends with the signal its maker will end with. */
static void siblings(void)
{
    int   status, count = 0;
    pid_t maker = fork();

    if (maker == 0) {
        pid_t made = (pid_t)clone_with(CLONE_PARENT | SIGUSR1);

        if (made == 0)
            _exit(5);
        _exit(waitpid(made, &status, __WALL) == -1 && errno == ECHILD ? 6 : 7);
    }
    while (wait(&status) > 0)
        count += WEXITSTATUS(status);
    printf("siblings end with %d\n", count);
}

static void adopted(void)
{
    int   status, ends[2];
    pid_t middle;
    char  byte = 'n';

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (pipe(ends) != 0)
        return;
    middle = fork();
    if (middle == 0) {
        pid_t above = getpid();

        if (fork() == 0) {
            while (getppid() == above)
                usleep(1000);
            byte = 'y';
            if (write(ends[1], &byte, 1) != 1)
                _exit(1);
            _exit(9);
        }
        _exit(0);
    }
    waitpid(middle, &status, 0);
    if (read(ends[0], &byte, 1) != 1)
        return;
    printf("new parent: %c\n", byte);
    SAY(wait(&status) > 0);
    SAY(WEXITSTATUS(status));
    SAY(wait(&status));
}

static void waits_of_all_kinds(void)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO };
    siginfo_t        info;
    struct rusage    usage;
    int              status;
    pid_t            first, second;

    action.sa_sigaction = note;
    sigaction(SIGCHLD, &action, NULL);
    got = 0;
    first = fork();
    if (first == 0)
        _exit(11);
    while (got == 0)
        usleep(1000);
    SAY(got_code == CLD_EXITED);
    SAY(got_status);
    second = fork();
    if (second == 0) {
        pause();
        _exit(12);
    }
    memset(&info, 0x55, sizeof info);
    SAY(waitid(P_PID, second, &info, WEXITED | WNOHANG));
    SAY(info.si_signo);
    SAY(info.si_pid);
    SAY(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
    SAY(info.si_pid == first);
    SAY(waitid(P_ALL, 0, &info, WEXITED));
    SAY(info.si_pid == first);
    SAY(info.si_status);
    kill(second, SIGSTOP);
    SAY(waitid(P_PID, second, &info, WSTOPPED | WNOWAIT));
    SAY(info.si_code == CLD_STOPPED);
    SAY(info.si_status);
    SAY(waitpid(second, &status, WUNTRACED) == second);
    SAY(status);
    SAY(waitpid(second, &status, WUNTRACED | WNOHANG));
    kill(second, SIGCONT);
    SAY(waitpid(second, &status, WCONTINUED) == second);
    SAY(status);
    SAY(waitpid(second, &status, WCONTINUED | WNOHANG));
    kill(second, SIGQUIT);
    SAY(syscall(SYS_wait4, -getpgrp(), &status, 0, &usage) == second);
    SAY(status);
    SAY(waitpid(-1, &status, 0));
    SAY(waitpid(-0x3FFFFFFF, &status, 0));
    SAY(waitid(P_ALL, 0, &info, 0));
    SAY(waitid(9, 0, &info, WEXITED));
    SAY(syscall(SYS_waitid, 3, 99, &info, WEXITED, NULL));
    SAY(syscall(SYS_waitid, 3, -1, &info, WEXITED, NULL));
    SAY(waitid(P_PID, 0, &info, WEXITED));
    SAY(waitid(P_ALL, 0, &info, WEXITED | 0x100));
    SAY(syscall(SYS_wait4, -1, &status, 0x100, NULL));
    SAY(syscall(SYS_wait4, -1, &status, WNOWAIT, NULL));
    SAY(syscall(SYS_wait4, 0x80000000, &status, 0, NULL));
}

/* Children are reported in the order in which they were made, not that of their ends. */
static void order_of_ends(void)
{
    int   status, go[2];
    pid_t children[4];
    char  byte;

    if (pipe(go) != 0)
        return;
    for (int i = 0; i < 4; i++)
        if ((children[i] = fork()) == 0) {
            pause();
            _exit(0);
        }
    for (int i = 3; i >= 0; i--) {
        siginfo_t info;

        kill(children[i], SIGKILL);
        waitid(P_PID, children[i], &info, WEXITED | WNOWAIT);
    }
    for (int i = 0; i < 4; i++)
        printf("%d", wait(&status) == children[i]);
    printf("\n");
}

static void used(void)
{
    struct rusage  usage;
    volatile char *memory = malloc(24 << 20);

    for (int i = 0; i < 24 << 20; i += 4096)
        memory[i] = 1;
    getrusage(RUSAGE_SELF, &usage);
    SAY(usage.ru_maxrss > 24000 && usage.ru_maxrss < 60000);
    SAY(usage.ru_minflt >= 6000);
    getrusage(RUSAGE_THREAD, &usage);
    SAY(usage.ru_maxrss > 24000);
    free((void *)memory);
    if (fork() == 0) {
        memory = malloc(40 << 20);
        for (int i = 0; i < 40 << 20; i += 4096)
            memory[i] = 1;
        _exit(0);
    }
    getrusage(RUSAGE_CHILDREN, &usage);
    SAY(usage.ru_maxrss);
    wait(NULL);
    getrusage(RUSAGE_CHILDREN, &usage);
    SAY(usage.ru_maxrss > 40000);
    SAY(usage.ru_minflt >= 10000);
    usleep(1000);
    getrusage(RUSAGE_SELF, &usage);
    SAY(usage.ru_nvcsw > 0);
    SAY(getrusage(5, &usage));
    SAY(syscall(SYS_getrusage, RUSAGE_SELF, (void *)16));
}

int main(int argc, char **argv)
{
    static const struct part parts[] = {
        { "crash", crash }, { "clone children", clone_children }, { "siblings", siblings }, { "adopted", adopted },
        { "waits", waits_of_all_kinds }, { "order", order_of_ends }, { "used", used },
    };

    answer_parts(parts, sizeof parts / sizeof parts[0], argc > 1 ? argv[1] : NULL);
    return 0;
}
