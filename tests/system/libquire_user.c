/*
 * libquire_user.c - a program that uses libquire as a program would: several machines at once, in one poll and in
 * threads, callbacks, every error, and nothing left of fifty machines. Also a C++ program, when it is compiled as one.
 */
#include "libquire.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#undef assert
#define assert(x) ((x) ? (void)0 : (fprintf(stderr, "line %d: %s\n", __LINE__, #x), exit(1)))

struct text { char bytes[64]; size_t length; };

static void take(void *context, const void *bytes, size_t length)
{
    struct text *text = (struct text *)context;

    assert(text->length + length < sizeof(text->bytes));
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static struct quire *machine(const char *script)
{
    const char *argv[] = { "busybox", "sh", "-c", script, NULL };

    return quire_new(argv);
}

static void two_at_once(void)
{
    struct text texts[2] = { { { 0 }, 0 }, { { 0 }, 0 } };
    struct quire *machines[2] = { machine("read x; echo got $x; exit 3"), machine("echo other >&2; exit 4") };
    struct pollfd on[2];
    int left = 2;

    assert(quire_input(machines[0], "word\n", 5) == 0);
    assert(quire_output(machines[0], QUIRE_OUTPUT, take, &texts[0]) == 0);
    assert(quire_output(machines[1], QUIRE_ERRORS, take, &texts[1]) == 0);
    assert(quire_output(machines[0], QUIRE_INPUT, take, NULL) == -1);
    for (int i = 0; i < 2; i++) {
        assert(quire_memory(machines[i], 16 << 20) == 0);
        assert(quire_status(machines[i]) == -1 && quire_step(machines[i]) == -1);
        assert(quire_start(machines[i]) == 0);
        assert(quire_start(machines[i]) == -1 && quire_memory(machines[i], 16 << 20) == -1);
        on[i].fd = quire_fd(machines[i]);
        on[i].events = POLLIN;
    }
    while (left > 0) {
        assert(poll(on, 2, 60000) > 0);
        for (int i = 0; i < 2; i++)
            if (on[i].fd >= 0 && on[i].revents != 0 && quire_step(machines[i]) == 1) {
                on[i].fd = -1;
                left--;
            }
    }
    assert(quire_status(machines[0]) == 3 && strcmp(texts[0].bytes, "got word\n") == 0);
    assert(quire_status(machines[1]) == 4 && strcmp(texts[1].bytes, "other\n") == 0);
    assert(quire_error(machines[0])[0] == '\0' && quire_report(machines[0]) == NULL);
    for (int i = 0; i < 2; i++)
        quire_free(machines[i]);
}

/* A run that fails has a status of quire's, and words. */
static void fails(struct quire *q, int status, const char *words)
{
    assert(quire_start(q) == 0 && quire_wait(q, -1) == 1);
    if (quire_status(q) != status || strstr(quire_error(q), words) == NULL) {
        fprintf(stderr, "%d: %s\n", quire_status(q), quire_error(q));
        exit(1);
    }
    assert(quire_wait(q, -1) == 1 && quire_step(q) == 1);
    quire_free(q);
}

static uint64_t times_of(const struct quire_count *counts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(counts[i].name, name) == 0)
            return counts[i].times;
    return 0;
}

/* What a run had, as numbers: the owners' frames add up to all RAM, and each list has what the script did. */
static void a_report_adds_up(void)
{
    struct quire *q = machine("cat /no/such/file; cat /no/such/file; kill -SEGV $$");
    const struct quire_report *report;
    uint64_t peak = 0, end = 0;
    const struct quire_owner *sum;

    assert(quire_memory(q, 16 << 20) == 0 && quire_ask_report(q) == 0 && quire_report(q) == NULL);
    assert(quire_start(q) == 0 && quire_wait(q, -1) == 1);
    report = quire_report(q);
    assert(report != NULL && report->status == 128 + SIGSEGV && quire_status(q) == report->status);
    assert(report->audited && report->clean && report->checks > 10000 && report->failure_count == 0);
    assert(report->owner_count > 5);
    sum = &report->owners[report->owner_count - 1];
    for (const struct quire_owner *owner = report->owners; owner < sum; owner++) {
        assert(owner->name[0] != '\0' && owner->purpose[0] != '\0');
        peak += owner->peak;
        end  += owner->end;
    }
    assert(strcmp(sum->name, "sum") == 0 && peak == sum->peak && end == sum->end && peak <= (16 << 20) / 4096);
    assert(times_of(report->faults, report->fault_count, "zero") > 10);
    assert(times_of(report->paths, report->path_count, "/no/such/file") == 2 && report->more_paths == 0);
    assert(strstr(quire_report_json(q), "\"/no/such/file\", \"times\": 2") != NULL);
    quire_free(q);
}

/* The system, or the caller, has taken the status of the child. What went wrong is known nevertheless. */
static void statuses_are_taken(void)
{
    struct quire *q = machine("exit 9");

    signal(SIGCHLD, SIG_IGN);
    assert(quire_start(q) == 0 && quire_wait(q, -1) == 1 && quire_status(q) == 9);
    quire_free(q);
    q = machine("exit 9");
    assert(quire_memory(q, 2560 << 10) == 0);
    fails(q, 120, "too little memory");
    setenv("QUIRE_QEMU", "/no/such/qemu", 1);
    fails(machine("true"), 122, "no QEMU: /no/such/qemu: no such program");
    setenv("QUIRE_QEMU", "/bin/false", 1);
    fails(machine("true"), 122, "QEMU refuses to start this machine:");
    unsetenv("QUIRE_QEMU");
    signal(SIGCHLD, SIG_DFL);
    assert(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

/* ---- Threads -------------------------------------------------------------------------------- */

static void *start_it(void *q)
{
    assert(quire_start((struct quire *)q) == 0);
    return NULL;
}

/* The machine ends with the process, not with the thread that has started it. */
static void a_machine_outlives_its_thread(void)
{
    struct quire *q = machine("sleep 1; exit 6");
    pthread_t thread;

    assert(pthread_create(&thread, NULL, start_it, q) == 0 && pthread_join(thread, NULL) == 0);
    assert(quire_wait(q, -1) == 1 && quire_status(q) == 6);
    quire_free(q);
}

static void *run_it(void *number)
{
    char script[64];
    struct text text = { { 0 }, 0 };
    struct quire *q;

    snprintf(script, sizeof(script), "echo thread %d; exit %d", *(int *)number, *(int *)number);
    q = machine(script);
    assert(quire_output(q, QUIRE_OUTPUT, take, &text) == 0 && quire_start(q) == 0 && quire_wait(q, -1) == 1);
    assert(quire_status(q) == *(int *)number && strncmp(script + 5, text.bytes, strlen("thread 1")) == 0);
    quire_free(q);
    return NULL;
}

static void each_thread_has_one(void)
{
    pthread_t threads[3];
    int numbers[3] = { 1, 2, 3 };

    for (int i = 0; i < 3; i++)
        assert(pthread_create(&threads[i], NULL, run_it, &numbers[i]) == 0);
    for (int i = 0; i < 3; i++)
        assert(pthread_join(threads[i], NULL) == 0);
}

/* ---- Streams and signals ----------------------------------------------------------------------- */

/*
 * A pipe that the program writes to: its reader sees the end when the run ends, and a reader that has gone is SIGPIPE
 * in the guest, not here.
 */
static void pipes_end(void)
{
    struct quire *q = machine("echo x");
    char bytes[8];
    int ends[2];

    assert(pipe(ends) == 0 && quire_stream(q, QUIRE_OUTPUT, ends[1]) == 0);
    close(ends[1]);
    assert(quire_start(q) == 0 && quire_wait(q, -1) == 1 && quire_status(q) == 0);
    assert(read(ends[0], bytes, sizeof(bytes)) == 2 && read(ends[0], bytes, sizeof(bytes)) == 0);
    close(ends[0]);
    quire_free(q);
    q = machine("while :; do echo x; done");
    assert(pipe(ends) == 0 && quire_stream(q, QUIRE_OUTPUT, ends[1]) == 0);
    close(ends[1]);
    close(ends[0]);
    assert(quire_start(q) == 0 && quire_wait(q, -1) == 1 && quire_status(q) == 128 + SIGPIPE);
    quire_free(q);
}

struct ender { struct quire *q; int times; };

static void end_it(void *context, const void *bytes, size_t length)
{
    struct ender *ender = (struct ender *)context;

    (void)bytes, (void)length;
    ender->times++;
    assert(quire_signal(ender->q, SIGKILL) == 0 && quire_memory(ender->q, 1 << 20) == -1);
    assert(quire_step(ender->q) == -1 && quire_wait(ender->q, -1) == -1);
    assert(strcmp(quire_error(ender->q), "not inside a function that this object calls") == 0);
}

/* The function that takes output may use the object. */
static void output_ends_it(void)
{
    struct ender ender = { machine("while :; do echo x; done"), 0 };

    assert(quire_output(ender.q, QUIRE_OUTPUT, end_it, &ender) == 0 && quire_start(ender.q) == 0);
    assert(quire_wait(ender.q, -1) == 1 && quire_status(ender.q) == 128 + SIGKILL && ender.times == 1);
    quire_free(ender.q);
}

/* A program that does not read: the end of the pipe sends this process no signal. */
static void nobody_reads(void)
{
    struct quire *q = machine("exit 0");
    char *much = (char *)calloc(1, 1 << 20);

    assert(quire_input(q, much, 1 << 20) == 0 && quire_start(q) == 0);
    assert(quire_wait(q, -1) == 1 && quire_status(q) == 0);
    quire_free(q);
    free(much);
}

static void signals_and_limits(void)
{
    struct quire *q = machine("sleep 100");

    assert(quire_timeout(q, 0) == -1 && strstr(quire_error(q), "no time limit") != NULL);
    assert(quire_start(q) == 0 && quire_wait(q, 100) == 0);
    assert(quire_signal(q, SIGKILL) == 0 && quire_wait(q, -1) == 1);
    assert(quire_status(q) == 128 + SIGKILL && quire_signal(q, SIGTERM) == -1);
    quire_free(q);
    q = machine("sleep 100");
    assert(quire_start(q) == 0);
    quire_free(q);                                  /* at once */
    quire_free(NULL);
}

static void note(void *context, const void *bytes, size_t length)
{
    (void)bytes;
    *(size_t *)context += length;
}

/* A machine that has been sent input and a signal is ended in the middle, and leaves its memory in order. */
static void ended_in_the_middle(void)
{
    struct quire *q = machine("trap '' TERM; read x; while :; do echo $x; done");
    size_t length = 0;

    assert(quire_input(q, "word\n", 5) == 0 && quire_output(q, QUIRE_OUTPUT, note, &length) == 0);
    assert(quire_start(q) == 0);
    while (length == 0)
        assert(quire_wait(q, 10) == 0);
    assert(quire_signal(q, SIGTERM) == 0 && quire_wait(q, 0) == 0);
    quire_free(q);
}

/* ---- Errors ------------------------------------------------------------------------------------- */

static void misuse_is_refused(void)
{
    const char *nothing[] = { NULL };
    struct quire *q = quire_new(nothing);

    assert(quire_start(q) == -1 && strcmp(quire_error(q), "which program?") == 0);
    assert(quire_wait(q, 0) == -1 && quire_signal(q, SIGTERM) == -1 && quire_window(q, 80, 25) == -1);
    quire_free(q);
    q = machine("true");
    assert(quire_memory(q, 0) == -1 && quire_memory(q, UINT64_MAX) == -1);
    assert(strstr(quire_error(q), "18446744073709551615 bytes are no size of a machine's memory") != NULL);
    assert(quire_timeout(q, UINT64_MAX) == -1 && quire_environment(q, "=x") == -1);
    assert(quire_machine(q, "mainframe") == -1 && strstr(quire_error(q), "`mainframe`") != NULL);
    assert(quire_stream(q, QUIRE_OUTPUT, 999) == -1 && strstr(quire_error(q), "descriptor 999: Bad file") != NULL);
    assert(quire_stream(q, (enum quire_stream)7, 0) == -1 && quire_pause(q, 1) == -1);
    quire_free(q);
}

static void nothing_is_there(void)
{
    const char *absent[] = { "no-such-program", NULL };
    struct quire *q = quire_new(absent);

    assert(quire_ask_report(q) == 0);
    fails(q, 127, "there is no program `no-such-program`");
    q = machine("true");
    assert(quire_file(q, "/no/such/file", NULL) == 0);
    fails(q, 125, "--file /no/such/file: No such file or directory");
    q = machine("true");
    assert(quire_root(q, "/no/such/root") == 0);
    fails(q, 125, "--root /no/such/root: No such file or directory");
    q = machine("true");
    assert(quire_kernels(q, "/no/such/folder") == 0);
    fails(q, 121, "there is no kernel of the layout quire in /no/such/folder");
    q = machine("true");
    assert(quire_layout(q, "nosuch") == 0);
    fails(q, 121, "nosuch");
    setenv("QUIRE_QEMU", "/no/such/qemu", 1);
    fails(machine("true"), 122, "no QEMU: /no/such/qemu: no such program");
    setenv("QUIRE_QEMU", "/bin/false", 1);
    fails(machine("true"), 122, "QEMU refuses to start this machine:");
    setenv("QUIRE_QEMU", "/bin/true", 1);
    fails(machine("true"), 119, "the machine ended before the program did");
    unsetenv("QUIRE_QEMU");
}

static void there_is_too_little(void)
{
    struct rlimit before, few;
    struct quire *q = machine("echo x");
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    assert(quire_memory(q, 256 << 10) == 0);
    fails(q, 120, "too little memory");
    q = machine("echo x");
    assert(quire_stream(q, QUIRE_OUTPUT, full) == 0);
    close(full);
    fails(q, 125, "standard output: No space left on device");
    assert(getrlimit(RLIMIT_NOFILE, &before) == 0);
    for (rlim_t number = 3; number < 24; number++) {        /* from none at all to nearly enough */
        q = machine("exit 3");
        few = (struct rlimit){ number, before.rlim_max };
        assert(setrlimit(RLIMIT_NOFILE, &few) == 0);
        if (quire_start(q) == 0) {
            assert(quire_wait(q, -1) == 1 && (quire_status(q) == 3 || quire_error(q)[0] != '\0'));
        } else {
            assert(strstr(quire_error(q), "Too many open files") != NULL);
        }
        quire_free(q);
        assert(setrlimit(RLIMIT_NOFILE, &before) == 0);
    }
}

/* ---- Many ---------------------------------------------------------------------------------------- */

static size_t children(void)
{
    char bytes[4096], path[64];
    FILE *file;
    size_t count;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    file = fopen(path, "r");
    assert(file != NULL);
    count = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    return count;
}

static void fifty_leave_nothing(void)
{
    int before = open_descriptors();

    for (int i = 0; i < 25; i++) {
        struct quire *pair[2] = { machine("echo a; exit 1"), machine("sleep 100") };
        struct text text = { { 0 }, 0 };

        assert(quire_output(pair[0], QUIRE_OUTPUT, take, &text) == 0);
        assert(quire_start(pair[0]) == 0 && quire_start(pair[1]) == 0);
        assert(quire_wait(pair[0], -1) == 1 && quire_status(pair[0]) == 1 && strcmp(text.bytes, "a\n") == 0);
        quire_free(pair[1]);
        quire_free(pair[0]);
        assert(open_descriptors() == before && children() == 0);
    }
}

/* With an argument, many as well: once is enough for both languages. */
int main(int argc, char **argv)
{
    int before = open_descriptors();

    two_at_once();
    a_report_adds_up();
    statuses_are_taken();
    a_machine_outlives_its_thread();
    each_thread_has_one();
    nobody_reads();
    pipes_end();
    output_ends_it();
    signals_and_limits();
    ended_in_the_middle();
    misuse_is_refused();
    nothing_is_there();
    there_is_too_little();
    (void)argv;
    if (argc > 1)
        fifty_leave_nothing();
    assert(open_descriptors() == before && children() == 0);
    puts("good");
    return 0;
}
