/*
 * libquire.c - a program in a sandbox, run by a child process `quire run`. See libquire.h.
 *
 * --owner names the child's descriptor for the connection to this library. The child ends when the library closes the
 * connection, and writes there how the run ended: a line "STATUS BYTES", complaints in so many bytes, and the report.
 */
#include "libquire.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    STREAMS   = 3,
    OWNER     = STREAMS,            /* the child's descriptor of the connection                  */
    FIRST_OWN = 10,                 /* from here up until the child has its own numbers    */
    RESULT_AT_MOST = 16 << 20,      /* `quire run` writes no longer report                      */
};

struct words {
    char **words;
    size_t count;
};

struct stream {
    int         given;              /* the caller's descriptor, or -1       */
    quire_take *take;
    void       *context;
    int         ours;               /* the library's end of the pipe, or -1 */
};

struct quire {
    struct words  options, program;
    struct stream streams[STREAMS];
    char         *command;
    char         *input;            /* the program's standard input         */
    size_t        input_length, input_given;
    bool          has_input, asked_report, started, killed, ended;
    int           owner, waiting, process;      /* connection, epoll and pidfd, or -1 */
    pid_t         pid;
    char         *result;           /* bytes from the connection, with a NUL behind them */
    size_t        result_length;
    int           status;
    char         *report;           /* in `result`, or NULL                 */
    char         *error;            /* the object's text, or NULL           */
};

/* ---- Errors, memory, words ---------------------------------------------------------------- */

static const char no_memory[] = "out of memory";

static void forget_error(struct quire *q)
{
    if (q->error != no_memory)
        free(q->error);
    q->error = NULL;
}

__attribute__((format(printf, 2, 3)))
static int quire_fail(struct quire *q, const char *format, ...)
{
    va_list values;
    char *said;

    va_start(values, format);
    if (vasprintf(&said, format, values) < 0)
        said = (char *)no_memory;
    va_end(values);
    forget_error(q);
    q->error = said;
    return -1;
}

const char *quire_error(const struct quire *q) { return q->error != NULL ? q->error : ""; }

/* Add a word, which is then owned by the list. A word NULL: no memory. */
static int add_word(struct quire *q, struct words *list, char *word)
{
    char **longer = word != NULL ? reallocarray(list->words, list->count + 2, sizeof(*longer)) : NULL;

    if (longer == NULL) {
        free(word);
        return quire_fail(q, "%s", no_memory);
    }
    longer[list->count++] = word;
    longer[list->count]   = NULL;
    list->words = longer;
    return 0;
}

__attribute__((format(printf, 2, 3)))
static int add_option(struct quire *q, const char *format, ...)
{
    va_list values;
    char *word;

    if (q->started)
        return quire_fail(q, "the machine has been started already");
    va_start(values, format);
    if (vasprintf(&word, format, values) < 0)
        word = NULL;
    va_end(values);
    return add_word(q, &q->options, word);
}

static void free_words(struct words *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->words[i]);
    free(list->words);
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- Before the start --------------------------------------------------------------------- */

struct quire *quire_new(const char *const *argv)
{
    struct quire *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->owner = q->waiting = q->process = q->status = -1;
    for (int i = 0; i < STREAMS; i++)
        q->streams[i].given = q->streams[i].ours = -1;
    for (; argv != NULL && *argv != NULL; argv++)
        if (add_word(q, &q->program, strdup(*argv)) != 0) {
            quire_free(q);
            return NULL;
        }
    return q;
}

int quire_command(struct quire *q, const char *path)
{
    char *copy = strdup(path);

    if (copy == NULL)
        return quire_fail(q, "%s", no_memory);
    free(q->command);
    q->command = copy;
    return 0;
}

/* A colon in a path would be read as the end of the host's part: such a file needs a name of the guest's behind it. */
int quire_file(struct quire *q, const char *host, const char *guest)
{
    return add_option(q, "--file=%s%s%s", host, guest != NULL ? ":" : "", guest != NULL ? guest : "");
}

int quire_environment(struct quire *q, const char *variable)
{
    if (variable[0] == '\0' || variable[0] == '=')
        return quire_fail(q, "`%s` names no variable", variable);
    return add_option(q, "--env=%s", variable);
}

int quire_memory(struct quire *q, uint64_t bytes)
{
    if (bytes < 1024 || bytes / 1024 > 1 << 22)
        return quire_fail(q, "%" PRIu64 " bytes are no size of a machine's memory", bytes);
    return add_option(q, "--memory=%" PRIu64 "K", bytes / 1024);
}

int quire_timeout(struct quire *q, uint64_t milliseconds)
{
    if (milliseconds == 0 || milliseconds > UINT64_C(1000000000000))
        return quire_fail(q, "%" PRIu64 " milliseconds are no time limit", milliseconds);
    return add_option(q, "--timeout=%" PRIu64 ".%03" PRIu64, milliseconds / 1000, milliseconds % 1000);
}

int quire_layout(struct quire *q, const char *name) { return add_option(q, "--layout=%s", name); }
int quire_root(struct quire *q, const char *folder) { return add_option(q, "--root=%s", folder); }

int quire_ask_report(struct quire *q)
{
    if (q->asked_report)
        return 0;
    q->asked_report = true;
    return add_option(q, "--report=json");
}

static int set_stream(struct quire *q, enum quire_stream stream, struct stream how)
{
    if (q->started)
        return quire_fail(q, "the machine has been started already");
    if ((unsigned)stream >= STREAMS)
        return quire_fail(q, "%d is no stream", stream);
    q->streams[stream] = how;
    return 0;
}

int quire_stream(struct quire *q, enum quire_stream stream, int fd)
{
    if (fcntl(fd, F_GETFD) < 0)
        return quire_fail(q, "descriptor %d: %s", fd, strerror(errno));
    if (stream == QUIRE_INPUT)
        q->has_input = false;
    return set_stream(q, stream, (struct stream){ .given = fd, .ours = -1 });
}

int quire_output(struct quire *q, enum quire_stream stream, quire_take *take, void *context)
{
    if (stream == QUIRE_INPUT)
        return quire_fail(q, "the program does not write to its standard input");
    return set_stream(q, stream, (struct stream){ .given = -1, .ours = -1, .take = take, .context = context });
}

int quire_input(struct quire *q, const void *bytes, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy == NULL)
        return quire_fail(q, "%s", no_memory);
    if (set_stream(q, QUIRE_INPUT, (struct stream){ .given = -1, .ours = -1 }) != 0) {
        free(copy);
        return -1;
    }
    if (length > 0)
        memcpy(copy, bytes, length);
    free(q->input);
    q->input        = copy;
    q->input_length = length;
    q->has_input    = true;
    return 0;
}

/* ---- The start ---------------------------------------------------------------------------- */

/* PATH/below for a library that lies in PATH/lib or in the build folder; NULL: there is no such file. */
static char *beside_library(const char *below)
{
    char *path = NULL, *resolved;
    Dl_info here;
    const char *slash;

    if (dladdr((void *)(uintptr_t)&quire_new, &here) == 0 || here.dli_fname == NULL)
        return NULL;
    slash = strrchr(here.dli_fname, '/');
    if (slash == NULL || asprintf(&path, "%.*s/%s", (int)(slash - here.dli_fname), here.dli_fname, below) < 0)
        return NULL;
    resolved = access(path, X_OK) == 0 ? realpath(path, NULL) : NULL;
    free(path);
    return resolved;
}

/* The command's path or name, which the caller frees; NULL: no memory. */
static char *find_command(const struct quire *q)
{
    const char *said = q->command != NULL ? q->command : getenv("QUIRE_COMMAND");
    char *found;

    if (said != NULL)
        return strdup(said);
    found = beside_library("host/quire");
    if (found == NULL)
        found = beside_library("../bin/quire");
    return found != NULL ? found : strdup("quire");
}

/* The child gets the descriptor under a low number, which must not be that of another that is not copied yet. */
static int move_up(int fd)
{
    int moved = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN) : -1, problem = errno;

    if (fd >= 0)
        close(fd);
    errno = problem;
    return moved;
}

/* Returns the child's end of a stream; the library's end, if there is one, goes into the stream. -1: errno says why. */
static int connect_stream(struct quire *q, int number)
{
    struct stream *stream = &q->streams[number];
    bool in = number == QUIRE_INPUT;
    int ends[2];

    if (stream->given >= 0)
        return fcntl(stream->given, F_DUPFD_CLOEXEC, FIRST_OWN);
    if (in ? !q->has_input : stream->take == NULL)
        return move_up(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    stream->ours = move_up(ends[in]);
    if (stream->ours < 0 || fcntl(stream->ours, F_SETFL, O_NONBLOCK) != 0) {
        close(ends[!in]);
        return -1;
    }
    return move_up(ends[!in]);
}

static int watch_for(struct quire *q, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };

    return epoll_ctl(q->waiting, EPOLL_CTL_ADD, fd, &event);
}

/* Make all connections; the result comes over theirs[OWNER]. */
static int connect_all(struct quire *q, int *theirs)
{
    int pair[2];

    q->waiting = epoll_create1(EPOLL_CLOEXEC);
    if (q->waiting < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    q->owner      = move_up(pair[0]);
    theirs[OWNER] = move_up(pair[1]);
    if (q->owner < 0 || theirs[OWNER] < 0 || fcntl(q->owner, F_SETFL, O_NONBLOCK) != 0 ||
        watch_for(q, q->owner, EPOLLIN) != 0)
        return -1;
    for (int i = 0; i < STREAMS; i++) {
        theirs[i] = connect_stream(q, i);
        if (theirs[i] < 0)
            return -1;
        if (q->streams[i].ours >= 0 && watch_for(q, q->streams[i].ours, i == QUIRE_INPUT ? EPOLLOUT : EPOLLIN) != 0)
            return -1;
    }
    return 0;
}

/* "quire run --owner=3 OPTIONS -- PROGRAM ARGUMENTS": pointers to words with other owners. */
static const char **command_line(const struct quire *q, const char *command, const char *owner)
{
    const char **words = calloc(q->options.count + q->program.count + 5, sizeof(*words)), **to = words;

    if (words == NULL)
        return NULL;
    *to++ = command;
    *to++ = "run";
    *to++ = owner;
    for (size_t i = 0; i < q->options.count; i++)
        *to++ = q->options.words[i];
    *to++ = "--";
    for (size_t i = 0; i < q->program.count; i++)
        *to++ = q->program.words[i];
    return words;
}

/* No descriptor but the four, signals as they are at a program's birth, and no signals of the caller's terminal. */
static int spawn(struct quire *q, const char *command, const char **words, const int *theirs)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int problem = posix_spawn_file_actions_init(&actions);

    if (problem != 0)
        return problem;
    problem = posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigfillset(&all);
    for (int i = 0; i <= OWNER && problem == 0; i++)
        problem = posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
    if (problem == 0)
        problem = posix_spawn_file_actions_addclosefrom_np(&actions, OWNER + 1);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    if (problem == 0)
        problem = posix_spawnp(&q->pid, command, &actions, &attributes, (char *const *)(uintptr_t)words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

static int start_process(struct quire *q, const int *theirs)
{
    char *command = find_command(q), owner[24];
    const char **words;
    int problem = ENOMEM;

    snprintf(owner, sizeof(owner), "--owner=%d", OWNER);
    words = command != NULL ? command_line(q, command, owner) : NULL;
    if (words != NULL)
        problem = spawn(q, command, words, theirs);
    if (problem != 0)
        quire_fail(q, "%s cannot be started: %s", command != NULL ? command : "quire", strerror(problem));
    free(words);
    free(command);
    if (problem == 0)
        q->process = (int)syscall(SYS_pidfd_open, q->pid, 0);
    return problem != 0 ? -1 : 0;
}

int quire_start(struct quire *q)
{
    int theirs[OWNER + 1] = { -1, -1, -1, -1 }, done = -1;

    if (q->started)
        return quire_fail(q, "the machine has been started already");
    if (q->program.count == 0)
        return quire_fail(q, "which program?");
    forget_error(q);
    if (connect_all(q, theirs) != 0)
        quire_fail(q, "no connection to a machine: %s", strerror(errno));
    else
        done = start_process(q, theirs);
    for (int i = 0; i <= OWNER; i++)
        close_one(&theirs[i]);
    q->started = true;
    if (done != 0)
        for (int i = 0; i < STREAMS; i++)
            close_one(&q->streams[i].ours);
    return done;
}

/* ---- While it runs ------------------------------------------------------------------------ */

int quire_fd(const struct quire *q) { return q->waiting; }

/* Read the bytes of a stream that have come. False: the stream has ended. */
static bool take_output(struct stream *stream)
{
    char bytes[16384];
    ssize_t got;

    while ((got = read(stream->ours, bytes, sizeof(bytes))) > 0)
        stream->take(stream->context, bytes, (size_t)got);
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/*
 * Write input. When the reader has gone writing ends, without a SIGPIPE to the whole process. False:
 * there is no more input.
 */
static bool give_input(struct quire *q)
{
    int fd = q->streams[QUIRE_INPUT].ours;
    const struct timespec at_once = { 0, 0 };
    sigset_t pipe_signal, before, pending;
    ssize_t done = 0;
    bool was_pending;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    while (q->input_given < q->input_length && done >= 0) {
        done = write(fd, q->input + q->input_given, q->input_length - q->input_given);
        q->input_given += done > 0 ? (size_t)done : 0;
    }
    if (done < 0 && errno == EPIPE && !was_pending) {
        sigtimedwait(&pipe_signal, NULL, &at_once);
        errno = EPIPE;
    }
    done = done < 0 ? -errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return q->input_given < q->input_length && (done == -EAGAIN || done == -EINTR);
}

/* Read the bytes of the result that have come. False: it is complete, or will never be. */
static bool take_result(struct quire *q)
{
    char bytes[16384], *longer;
    ssize_t got;

    while ((got = read(q->owner, bytes, sizeof(bytes))) > 0) {
        if (q->result_length + (size_t)got > RESULT_AT_MOST)
            return false;
        longer = realloc(q->result, q->result_length + (size_t)got + 1);
        if (longer == NULL)
            return false;
        q->result = longer;
        memcpy(q->result + q->result_length, bytes, (size_t)got);
        q->result_length += (size_t)got;
        q->result[q->result_length] = '\0';
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* "STATUS BYTES\n", the complaints, the report. A `quire` that died has said nothing. */
static void read_result(struct quire *q)
{
    size_t length;
    int status, begin = 0;

    forget_error(q);
    if (q->result == NULL || sscanf(q->result, "%d %zu%n", &status, &length, &begin) != 2 || q->result[begin] != '\n' ||
        length > q->result_length - (size_t)begin - 1) {
        q->status = q->killed ? 128 + SIGKILL : 125;
        quire_fail(q, "the quire that held the machine %s", q->killed ? "was killed" : "has ended without a word");
        return;
    }
    q->status = status;
    q->report = q->result + begin + 1 + length;
    if (length > 0)
        quire_fail(q, "%.*s", (int)(q->result[begin + length] == '\n' ? length - 1 : length), q->result + begin + 1);
    if (*q->report == '\0')
        q->report = NULL;
}

/* Wait for the process, unless the caller has done so. */
static void collect_process(struct quire *q)
{
    siginfo_t nothing;

    if (q->process >= 0)
        waitid(P_PIDFD, (id_t)q->process, &nothing, WEXITED);
    close_one(&q->process);
}

/* Handle an event of a descriptor of the object. */
static void act_on(struct quire *q, int fd)
{
    if (fd == q->owner) {
        if (!take_result(q))
            close_one(&q->owner);
        return;
    }
    for (int i = 0; i < STREAMS; i++)
        if (fd == q->streams[i].ours && !(i == QUIRE_INPUT ? give_input(q) : take_output(&q->streams[i])))
            close_one(&q->streams[i].ours);
}

/* The run has ended when the result is complete and the caller has been given all output. */
static int end_if_done(struct quire *q)
{
    if (q->owner >= 0 || q->streams[QUIRE_OUTPUT].ours >= 0 || q->streams[QUIRE_ERRORS].ours >= 0)
        return 0;
    close_one(&q->streams[QUIRE_INPUT].ours);
    read_result(q);
    collect_process(q);
    q->ended = true;
    return 1;
}

static int step(struct quire *q, int milliseconds)
{
    struct epoll_event events[STREAMS + 1];
    int count;

    if (q->ended)
        return 1;
    if (q->pid == 0)
        return quire_fail(q, "the machine has not been started");
    count = epoll_wait(q->waiting, events, STREAMS + 1, milliseconds);
    if (count < 0 && errno != EINTR)
        return quire_fail(q, "waiting for the machine: %s", strerror(errno));
    for (int i = 0; i < count; i++)
        act_on(q, events[i].data.fd);
    return end_if_done(q);
}

int quire_step(struct quire *q) { return step(q, 0); }

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int quire_wait(struct quire *q, int milliseconds)
{
    int64_t end = now_ms() + milliseconds, left = milliseconds;
    int done;

    while ((done = step(q, milliseconds < 0 ? -1 : (int)left)) == 0 && left != 0)
        if (milliseconds >= 0) {
            left = end - now_ms();
            left = left > 0 ? left : 0;
        }
    return done;
}

int quire_signal(struct quire *q, int number)
{
    if (q->pid == 0 || q->ended || q->process < 0)
        return quire_fail(q, "there is no program that a signal could go to");
    if (syscall(SYS_pidfd_send_signal, q->process, number, NULL, 0) != 0)
        return quire_fail(q, "signal %d: %s", number, strerror(errno));
    q->killed |= number == SIGKILL;
    return 0;
}

/* ---- Behind the end ----------------------------------------------------------------------- */

int quire_status(const struct quire *q)         { return q->ended ? q->status : -1; }
const char *quire_report(const struct quire *q) { return q->ended ? q->report : NULL; }

void quire_free(struct quire *q)
{
    if (q == NULL)
        return;
    close_one(&q->owner);
    if (!q->ended && q->process >= 0) {
        syscall(SYS_pidfd_send_signal, q->process, SIGKILL, NULL, 0);
        collect_process(q);
    }
    for (int i = 0; i < STREAMS; i++)
        close_one(&q->streams[i].ours);
    close_one(&q->waiting);
    free_words(&q->options);
    free_words(&q->program);
    free(q->command);
    free(q->input);
    free(q->result);
    forget_error(q);
    free(q);
}
