/*
 * streams.c - standard input, output and errors through the channel. See streams.h.
 *
 * To programs they look like pipes whose other end is elsewhere, which is what they are.
 */
#include "files/terminal/streams.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "devices/channel_link.h"
#include "process/process.h"

enum { PIPE_MAGIC = 0x50495045, FIONREAD = 0x541B };

static struct file_system system;
static struct node        nodes[3];             /* input, output, errors */
static uint32_t           outputs;              /* [a] open files of output and errors */
static void             (*outputs_gone)(void);

static bool stream_waits(const struct file *file) { return !(file->flags & O_NONBLOCK); }

static enum channel_kind stream_kind(const struct file *file)
{
    return file->node == &nodes[1] ? CHANNEL_OUTPUT : CHANNEL_ERRORS;
}

static long stream_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    return channel_read(to, stream_waits(file));
}

static long stream_write(struct file *file, struct buffer *from, uint64_t at __attribute__((unused)))
{
    long done = channel_write(stream_kind(file), from, stream_waits(file));

    if (done == -EPIPE)
        signal_self(SIGPIPE);
    return done;
}

static int stream_open_output(struct node *node __attribute__((unused)), struct file *file __attribute__((unused)))
{
    __atomic_add_fetch(&outputs, 1, __ATOMIC_RELAXED);
    return 0;
}

static void stream_close_output(struct file *file __attribute__((unused)))
{
    if (__atomic_sub_fetch(&outputs, 1, __ATOMIC_ACQ_REL) == 0)
        outputs_gone();
}

bool streams_are_held(void) { return __atomic_load_n(&outputs, __ATOMIC_ACQUIRE) > 0; }

static void notify_streams(void)
{
    for (int i = 0; i < 3; i++)
        node_notify(&nodes[i]);
}

static unsigned stream_poll_input(struct file *file, struct wait_queue **queue)
{
    *queue = &file->node->ready;
    return channel_poll_input();
}

static unsigned stream_poll_output(struct file *file, struct wait_queue **queue)
{
    *queue = &file->node->ready;
    return channel_poll_output(stream_kind(file));
}

static long stream_control(struct file *file __attribute__((unused)), unsigned request, user_t argument)
{
    uint32_t waiting = channel_waiting();

    return request == FIONREAD ? user_write(argument, &waiting, sizeof waiting) : -ENOTTY;
}

static int stream_describe(struct node *node, char *to, size_t size)
{
    int length = format_text(to, size, "pipe:[%llu]", (unsigned long long)node->inode);

    return (size_t)length < size ? length : -ERANGE;
}

static const struct node_operations input_operations = {
    .traits = NODE_STREAM, .read = stream_read, .poll = stream_poll_input, .control = stream_control,
    .describe = stream_describe,
};
static const struct node_operations output_operations = {
    .traits = NODE_STREAM, .write = stream_write, .poll = stream_poll_output, .describe = stream_describe,
    .open = stream_open_output, .close = stream_close_output,
};

int streams_open(struct file *files[3], void (*free)(void))
{
    assert(free != NULL && outputs == 0);
    outputs_gone = free;
    system_start(&system, "pipefs", PIPE_MAGIC);
    channel_on_change(notify_streams);
    for (int i = 0; i < 3; i++) {
        const struct node_operations *operations = i == 0 ? &input_operations : &output_operations;

        node_start(&nodes[i], operations, &system, S_PIPE | 0600);
        node_hold(&nodes[i]);                   /* static: they are never freed */
        files[i] = file_make(&nodes[i], operations, i == 0 ? O_RDONLY : O_WRONLY);
        if (files[i] != NULL && i > 0)
            stream_open_output(&nodes[i], files[i]);
        if (files[i] != NULL)
            continue;
        while (--i >= 0)
            file_release(files[i]);
        return -ENOMEM;
    }
    return 0;
}
