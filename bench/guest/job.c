/*
 * job.c - a real job, from its start to its end: bench/jobs.py puts it into an archive, with the files it needs.
 *
 * `/bin/sh /job` runs as a child, in /home, with its output in /tmp/output; then what it took is said, and a sum of
 * that output, so that two systems' can be compared without printing it. Lines beside those of bench.h:
 *
 *     status STATUS                  as wait4() has it
 *     user US, kernel US             time of the job's processes, as the system counts it
 *     most KIB                       the largest resident set of one of them
 *     output BYTES SUM               and the output itself where the status is not 0
 *
 * If there is a script /before, it runs first, as a child of its own whose output is seen, and its instructions do not
 * count; so does /after, when the job has ended.
 *
 * As init under Linux it finds neither /dev nor /proc, and mounts them before the clock is read; and it waits until the
 * kernel has gathered enough randomness, which takes Linux a second where the machine has no source of it, and of which
 * the job would otherwise have the cost as soon as it asks for some.
 */
#include "bench.h"

enum { SYS_CHDIR = 12, SYS_MOUNT = 21, SYS_ACCESS = 33, SYS_DUP2 = 63, SYS_GETRANDOM = 355 };
enum { O_WRONLY = 1 };

const word usual_rounds = 1;

static char *const words[]  = { "sh", "/job", 0 };
static char *const before[] = { "sh", "/before", 0 };
static char *const after[]  = { "sh", "/after", 0 };
static char *const variables[] = {
    "PATH=/usr/bin:/bin", "HOME=/root", "LC_ALL=C", "TZ=UTC", "TMPDIR=/tmp", 0,
};
static const char output[] = "/tmp/output";

static void begin_script(char *of)
{
    char *const *script = (char *const *)(void *)of;

    call(SYS_EXECVE, (word)"/bin/sh", (word)script, (word)variables, 0);
    must(0, "execve");
}

static void run_script(char *const *script)
{
    if (call(SYS_ACCESS, (word)script[1], 0, 0, 0) == 0)
        wait_for(fork_and(begin_script, (char *)(word)script));
}

static void begin(char *unused)
{
    int in  = call(SYS_OPEN, (word)"/dev/null", 0, 0, 0);
    int out = call(SYS_OPEN, (word)output, O_WRONLY | O_CREAT, 0644, 0);

    (void)unused;
    must(in >= 0 && out >= 0, "the job's files");
    call(SYS_DUP2, (word)in, 0, 0, 0);
    call(SYS_DUP2, (word)out, 1, 0, 0);
    call(SYS_DUP2, (word)out, 2, 0, 0);
    call(SYS_CLOSE, (word)in, 0, 0, 0);
    call(SYS_CLOSE, (word)out, 0, 0, 0);
    must(call(SYS_CHDIR, (word)"/home", 0, 0, 0) == 0, "chdir");
    call(SYS_EXECVE, (word)"/bin/sh", (word)words, (word)variables, 0);
    must(0, "execve");
}

static void say_line(const char *name, count number)
{
    say(name);
    say(" ");
    say_number(number);
    say("\n");
}

/* Length and FNV-1a sum of the output; all of it is printed where the job failed. */
static void say_output(int failed)
{
    static unsigned char piece[64 * 1024];
    int fd = call(SYS_OPEN, (word)output, 0, 0, 0), length;
    count bytes = 0;
    word sum = 2166136261u;

    while ((length = call(SYS_READ, (word)fd, (word)piece, sizeof(piece), 0)) > 0) {
        for (int i = 0; i < length; i++)
            sum = (sum ^ piece[i]) * 16777619u;
        bytes += (word)length;
        if (failed)
            call(SYS_WRITE, 1, (word)piece, (word)length, 0);
    }
    say("output ");
    say_number(bytes);
    say_line("", sum);
}

static count run_job(word times)
{
    int usage[18], status = -1, pid;
    word random;
    count began, ended;

    (void)times;
    call5(SYS_MOUNT, (word)"proc", (word)"/proc", (word)"proc", 0, 0);
    call5(SYS_MOUNT, (word)"devtmpfs", (word)"/dev", (word)"devtmpfs", 0, 0);
    must(call(SYS_GETRANDOM, (word)&random, sizeof(random), 0, 0) == sizeof(random), "getrandom");
    run_script(before);
    began = now();
    pid = fork_and(begin, 0);
    must(call(SYS_WAIT4, (word)pid, (word)&status, 0, (word)usage) == pid, "wait");
    ended = now();
    run_script(after);
    say_line("status", (word)status);
    say_line("user", (count)usage[0] * 1000000 + (word)usage[1]);       /* ru_utime, ru_stime, ru_maxrss */
    say_line("kernel", (count)usage[2] * 1000000 + (word)usage[3]);
    say_line("most", (word)usage[4]);
    say_output(status != 0);
    return ended - began;
}

const struct operation operations[] = { { "job", run_job, 1 }, { 0 } };
