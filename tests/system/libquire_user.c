/*
 * libquire_user.c - a program that uses libquire as a program would: several machines at once, one poll, callbacks,
 * children of its own that it waits for, and no descriptor left. Also a C++ program, when it is compiled as one.
 */
#include "libquire.h"

#include <assert.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The caller waits for every child, the library's too: the status is not lost. */
static void children_are_waited_for(void)
{
    struct quire *q = machine("exit 9");

    assert(quire_start(q) == 0);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    assert(quire_wait(q, -1) == 1 && quire_status(q) == 9);
    quire_free(q);
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

static void errors_are_text(void)
{
    const char *nothing[] = { NULL }, *absent[] = { "no-such-program", NULL };
    struct quire *q = quire_new(nothing);

    assert(quire_start(q) == -1 && strcmp(quire_error(q), "which program?") == 0);
    quire_free(q);
    q = quire_new(absent);
    assert(quire_command(q, "/no/such/quire") == 0 && quire_start(q) == -1);
    assert(strstr(quire_error(q), "/no/such/quire cannot be started: No such file") != NULL);
    quire_free(q);
    q = quire_new(absent);
    assert(quire_command(q, "/bin/true") == 0 && quire_start(q) == 0 && quire_wait(q, -1) == 1);
    assert(quire_status(q) == 125 && strstr(quire_error(q), "without a word") != NULL);
    quire_free(q);
    q = quire_new(absent);
    assert(quire_ask_report(q) == 0 && quire_start(q) == 0 && quire_wait(q, -1) == 1 && quire_status(q) == 127);
    assert(strstr(quire_error(q), "there is no program `no-such-program`") != NULL);
    quire_free(q);
}

int main(void)
{
    int before = open_descriptors();

    two_at_once();
    children_are_waited_for();
    nobody_reads();
    signals_and_limits();
    errors_are_text();
    assert(open_descriptors() == before);
    puts("good");
    return 0;
}
