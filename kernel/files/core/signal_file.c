/*
 * signal_file.c - signalfd: signals that are read and waited for.
 */
#include "files/core/signal_file.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "memory/heap/heap.h"
#include "process/process.h"

struct signal_file {
    struct node node;
    uint64_t    signals;                /* whole in its changes, as there is one CPU and no preemption in the kernel */
};

/* Linux's struct signalfd_siginfo. */
struct signal_record {
    uint32_t number;
    int32_t  error, code;
    uint32_t sender, user;
    int32_t  descriptor;
    uint32_t timer, band, overrun, trap;
    int32_t  status, value;
    uint64_t pointer, user_time, system_time, address;
    uint8_t  rest[48];
};
_Static_assert(sizeof(struct signal_record) == 128, "struct signalfd_siginfo");

static struct signal_file *signals_of(struct node *node) { return CONTAINER_OF(node, struct signal_file, node); }

/* Which of its members a signal has is what siginfo_t has of it: sigaction(2). */
static struct signal_record record_of(const struct signal_info *info)
{
    struct signal_record record = { .number = (uint32_t)info->number, .error = info->error, .code = info->code };

    if (info->code == SI_TIMER) {
        record.timer   = (uint32_t)info->timer;
        record.overrun = info->overrun;
    } else {
        record.sender  = (uint32_t)info->sender;
        record.user    = info->uid;
    }
    if (info->number == SIGCHLD && info->code > 0) {
        record.status  = info->status;
    } else if (info->code < 0 && info->code != SI_TKILL) {
        record.value   = (int32_t)info->value;
        record.pointer = (uint32_t)info->value;
    }
    return record;
}

/* The first may be waited for; 1 when there was one, 0 when there is no other, or a negative errno. */
static int take_record(struct file *file, bool may_wait, struct signal_info *info)
{
    const struct signal_file *self = signals_of(file->node);
    bool                      got  = signal_take(self->signals, info);
    int                       err  = 0;

    if (got || !may_wait)
        return got;
    if (file->flags & O_NONBLOCK)
        return -EAGAIN;
    while (err == 0 && !got) {
        wait_start(&signals_kept);
        got = signal_take(self->signals, info);
        if (!got)
            err = wait_linked(NEVER, WAIT_SIGNALS);
        wait_end();
    }
    return got ? 1 : -ERESTARTSYS;
}

static long signal_file_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    struct signal_info info;
    long               done = 0;
    int                got  = 1;

    if (to->bytes < sizeof(struct signal_record))
        return -EINVAL;
    while (to->bytes >= sizeof(struct signal_record)) {
        struct signal_record record;

        got = take_record(file, done == 0, &info);
        if (got <= 0)
            break;
        record = record_of(&info);
        if (buffer_put(to, &record, sizeof record) != sizeof record) {
            got = -EFAULT;
            break;
        }
        done += (long)sizeof record;
    }
    return done > 0 ? done : got;
}

static unsigned signal_file_poll(struct file *file, struct wait_queue **queue)
{
    *queue = &signals_kept;
    return signals_waiting(current_thread()) & signals_of(file->node)->signals ? POLL_IN : 0;
}

static void signal_file_release(struct node *node)
{
    heap_free_sized(signals_of(node), sizeof(struct signal_file));
}

static void signal_file_facts(struct file *file, struct fact_lines *to)
{
    char line[40];
    int  length = format_text(line, sizeof line, "sigmask:\t%016llx\n",
                              (unsigned long long)signals_of(file->node)->signals);

    to->add(to, line, (size_t)length);
}

static const struct node_operations signal_file_operations = {
    .traits = NODE_STREAM | NODE_STANDS, .read = signal_file_read, .poll = signal_file_poll,
    .release = signal_file_release, .describe = unnamed_describe, .kind = "signalfd", .facts = signal_file_facts,
};

struct file *signal_file_make(uint64_t signals, uint32_t flags)
{
    struct signal_file       *self = heap_alloc(sizeof *self, HEAP_ZERO);

    if (self == NULL)
        return NULL;
    self->signals    = signals;
    return unnamed_make(&self->node, &signal_file_operations, flags);
}

bool file_is_signal(const struct file *file) { return file->operations == &signal_file_operations; }

void signal_file_set(struct file *file, uint64_t signals)
{
    assert(file_is_signal(file));
    signals_of(file->node)->signals = signals;
    (void)wake_for(&signals_kept, POLL_IN);
}
