/* describe.c - what a run of libquire is to be: program, files, memory, time, streams. See libquire.h. */
#include "swap_file.h"
#include "object.h"
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

enum { FIRST_OWN = 3 };             /* the lowest number of a descriptor of the library's */

static int set_program(struct quire *q, const void *with)
{
    const char *const *argv = with;

    for (; argv != NULL && *argv != NULL; argv++) {
        q->sandbox.argv = grown(q->sandbox.argv, (size_t)q->sandbox.argc + 2, sizeof(char *));
        q->sandbox.argv[q->sandbox.argc] = text("%s", *argv);
        q->sandbox.argv[++q->sandbox.argc] = NULL;
    }
    return 0;
}

struct quire *quire_new(const char *const *argv)
{
    struct quire *q = object_new();

    if (q != NULL && object_call(q, set_program, argv) == 0)
        return q;
    quire_free(q);
    return NULL;
}

/* False, and the error is set: where a text is wanted there is none. */
static bool is_given(struct quire *q, const char *what, const char *text)
{
    if (text != NULL && text[0] != '\0')
        return true;
    object_fail(q, "%s: %s", what, text == NULL ? "NULL" : "an empty text");
    return false;
}

/* A word for one of the description's lists or texts. */
struct word {
    char      ***list;
    size_t      *count;
    const char **single;
    const char  *text, *behind;     /* `behind` after a colon, or NULL */
};

static int add_word(struct quire *q, const void *with)
{
    const struct word *word = with;
    char *copy = text("%s%s%s", word->text, word->behind != NULL ? ":" : "", word->behind != NULL ? word->behind : "");

    (void)q;
    if (word->list != NULL) {
        *word->list = grown(*word->list, *word->count + 1, sizeof(char *));
        (*word->list)[(*word->count)++] = copy;
    } else {
        *word->single = copy;
    }
    return 0;
}

static int set_text(struct quire *q, const char *what, const char **single, const char *text)
{
    if (!is_given(q, what, text))
        return -1;
    return object_may_change(q) ? object_call(q, add_word, &(struct word){ .single = single, .text = text }) : -1;
}

/* A colon in a path would be read as the end of the host's part: such a file needs a name of the guest's behind it. */
int quire_file(struct quire *q, const char *host, const char *guest)
{
    const struct word word = { &q->sandbox.files, &q->sandbox.file_count, NULL, host, guest };

    if (!is_given(q, "a file", host) || (guest != NULL && !is_given(q, "a file's path in the guest", guest)))
        return -1;
    if (guest != NULL && strchr(guest, ':') != NULL)
        return object_fail(q, "`%s`: no colon may be in a file's path in the guest", guest);
    return object_may_change(q) ? object_call(q, add_word, &word) : -1;
}

int quire_environment(struct quire *q, const char *variable)
{
    const struct word word = { &q->sandbox.environment, &q->sandbox.environment_count, NULL, variable, NULL };

    if (variable == NULL || variable[0] == '\0' || variable[0] == '=')
        return object_fail(q, "`%s` names no variable", variable != NULL ? variable : "NULL");
    return object_may_change(q) ? object_call(q, add_word, &word) : -1;
}

int quire_layout(struct quire *q, const char *name)
{
    return set_text(q, "a layout", &q->sandbox.layout, name);
}

int quire_root(struct quire *q, const char *folder)
{
    return set_text(q, "the root", &q->sandbox.root, folder);
}

int quire_kernels(struct quire *q, const char *folder)
{
    return set_text(q, "the kernels' folder", &q->sandbox.kernels, folder);
}

int quire_directory(struct quire *q, const char *folder)
{
    return set_text(q, "the folder to begin in", &q->sandbox.directory, folder);
}

int quire_swap(struct quire *q, uint64_t bytes)
{
    if (bytes < SWAP_LEAST || bytes > SWAP_MOST)
        return object_fail(q, "%" PRIu64 " bytes are no size to swap to", bytes);
    if (!object_may_change(q))
        return -1;
    q->sandbox.swap = bytes;
    return 0;
}

int quire_memory(struct quire *q, uint64_t bytes)
{
    if (bytes < 1024 || bytes / 1024 > UINT64_C(4) << 30)
        return object_fail(q, "%" PRIu64 " bytes are no size of a machine's memory", bytes);
    if (!object_may_change(q))
        return -1;
    q->sandbox.memory = bytes / 1024 * 1024;
    return 0;
}

int quire_timeout(struct quire *q, uint64_t milliseconds)
{
    if (milliseconds == 0 || milliseconds > UINT64_C(1000000000000))
        return object_fail(q, "%" PRIu64 " milliseconds are no time limit", milliseconds);
    if (!object_may_change(q))
        return -1;
    q->sandbox.timeout_ms = milliseconds;
    return 0;
}

int quire_watchdog(struct quire *q, uint64_t milliseconds)
{
    if (!object_may_change(q))
        return -1;
    q->sandbox.watchdog_ms = milliseconds;
    return 0;
}

static int set_flag(struct quire *q, bool *flag)
{
    if (!object_may_change(q))
        return -1;
    *flag = true;
    return 0;
}

int quire_audit(struct quire *q)    { return set_flag(q, &q->sandbox.audit); }
int quire_frozen(struct quire *q)   { return set_flag(q, &q->sandbox.frozen); }
int quire_verbose(struct quire *q)  { return set_flag(q, &q->sandbox.verbose); }
int quire_terminal(struct quire *q) { return set_flag(q, &q->sandbox.terminal); }

int quire_ask_report(struct quire *q)
{
    return set_flag(q, &q->sandbox.report) != 0 ? -1 : set_flag(q, &q->sandbox.keep_report);
}

int quire_machine(struct quire *q, const char *kind)
{
    unsigned machine = 0;

    if (!is_given(q, "a kind of machine", kind))
        return -1;
    while (machine < MACHINE_KINDS && strcmp(machine_name(machine), kind) != 0)
        machine++;
    if (machine == MACHINE_KINDS)
        return object_fail(q, "there is no kind of machine `%s`", kind);
    if (!object_may_change(q))
        return -1;
    q->sandbox.machine = machine;
    return 0;
}

int quire_words(struct quire *q, quire_say *say, void *context)
{
    if (!object_may_change(q))
        return -1;
    q->say         = say;
    q->say_context = context;
    return 0;
}

/* ---- Streams ------------------------------------------------------------------------------------ */

struct connection { int *to; struct held **held; int fd; };

/* The caller may close its descriptor; and two streams of the library never have one number. */
static int copy_descriptor(struct quire *q, const void *with)
{
    const struct connection *connection = with;
    int copy = fcntl(connection->fd, F_DUPFD_CLOEXEC, FIRST_OWN);

    if (copy < 0)
        return object_fail(q, "descriptor %d: %s", connection->fd, strerror(errno));
    let_go(*connection->held);
    *connection->held = NULL;
    *connection->held = hold_fd(copy);
    *connection->to   = copy;
    return 0;
}

static int *descriptor_of(struct quire *q, enum quire_stream stream)
{
    return stream == QUIRE_INPUT ? &q->sandbox.input.fd
         : stream == QUIRE_OUTPUT ? &q->sandbox.output.fd : &q->sandbox.errors.fd;
}

static bool is_stream(struct quire *q, enum quire_stream stream)
{
    if ((unsigned)stream < STREAMS)
        return object_may_change(q);
    object_fail(q, "%d is no stream", stream);
    return false;
}

/* A stream is connected to nothing again. */
static void disconnect(struct quire *q, enum quire_stream stream)
{
    let_go(q->streams[stream]);
    q->streams[stream] = NULL;
    *descriptor_of(q, stream) = -1;
    if (stream == QUIRE_INPUT)
        q->sandbox.input.length = 0;
    else
        (stream == QUIRE_OUTPUT ? &q->sandbox.output : &q->sandbox.errors)->take = NULL;
}

int quire_stream(struct quire *q, enum quire_stream stream, int fd)
{
    struct connection connection = { NULL, NULL, fd };

    if (!is_stream(q, stream))
        return -1;
    if (fcntl(fd, F_GETFD) < 0)
        return object_fail(q, "descriptor %d: %s", fd, strerror(errno));
    disconnect(q, stream);
    connection.to   = descriptor_of(q, stream);
    connection.held = &q->streams[stream];
    return object_call(q, copy_descriptor, &connection);
}

int quire_output(struct quire *q, enum quire_stream stream, quire_take *take, void *context)
{
    struct stream_to *to = stream == QUIRE_OUTPUT ? &q->sandbox.output : &q->sandbox.errors;

    if (stream == QUIRE_INPUT)
        return object_fail(q, "the program does not write to its standard input");
    if (!is_stream(q, stream))
        return -1;
    disconnect(q, stream);
    to->take    = take;
    to->context = context;
    return 0;
}

int quire_closed(struct quire *q, enum quire_stream stream)
{
    if (!is_stream(q, stream))
        return -1;
    q->sandbox.closed |= 1u << stream;
    return 0;
}

static int copy_input(struct quire *q, const void *with)
{
    const struct input *given = with;
    uint8_t *copy = grown(NULL, given->length + 1, 1);

    if (given->length > 0)
        memcpy(copy, given->bytes, given->length);
    disconnect(q, QUIRE_INPUT);
    q->sandbox.input.bytes  = copy;
    q->sandbox.input.length = given->length;
    return 0;
}

int quire_input(struct quire *q, const void *bytes, size_t length)
{
    if ((bytes == NULL && length > 0) || length > PTRDIFF_MAX)
        return object_fail(q, "%zu bytes at %s are no input", length, bytes != NULL ? "an address" : "NULL");
    return is_stream(q, QUIRE_INPUT) ? object_call(q, copy_input, &(struct input){ -1, bytes, length }) : -1;
}

/* The only descriptor that is not copied: it is the caller's until the end, as the report comes late. */
int quire_report_to(struct quire *q, int fd, int whole)
{
    if (q->started)
        return object_fail(q, "the machine has been started already");
    if (fcntl(fd, F_GETFD) < 0)
        return object_fail(q, "descriptor %d: %s", fd, strerror(errno));
    q->sandbox.report_to.fd = fd;
    q->sandbox.keep_report  = false;
    q->sandbox.report       = whole != 0;
    return 0;
}
