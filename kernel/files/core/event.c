/*
 * event.c - eventfd: a counter that can be waited for.
 */
#include "files/core/event.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "memory/heap/heap.h"

struct event {
    struct node node;
    uint64_t    value;                  /* [node.lock] at most UINT64_MAX - 1 */
    bool        semaphore;
};

static struct event *event_of(struct node *node) { return CONTAINER_OF(node, struct event, node); }

static long take_value(struct file *file, uint64_t *out)
{
    struct event *self = event_of(file->node);

    deep_assert(mutex_held(&file->node->lock));
    while (self->value == 0) {
        int err = file->flags & O_NONBLOCK ? -EAGAIN : node_wait(&self->node);

        if (err != 0)
            return err;
    }
    *out = self->semaphore ? 1 : self->value;
    self->value -= *out;
    return 0;
}

static long event_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    uint64_t value;
    long     err;

    if (to->bytes < sizeof value)
        return -EINVAL;
    mutex_take(&file->node->lock);
    err = take_value(file, &value);
    mutex_drop(&file->node->lock);
    if (err != 0)
        return err;
    node_notify_of(file->node, POLL_OUT | POLL_WRNORM);
    return buffer_put(to, &value, sizeof value) == sizeof value ? (long)sizeof value : -EFAULT;
}

static long add_value(struct file *file, uint64_t value)
{
    struct event *self = event_of(file->node);

    deep_assert(mutex_held(&file->node->lock) && value < UINT64_MAX);
    while (value >= UINT64_MAX - self->value) {
        int err = file->flags & O_NONBLOCK ? -EAGAIN : node_wait(&self->node);

        if (err != 0)
            return err;
    }
    self->value += value;
    return 0;
}

static long event_write(struct file *file, struct buffer *from, uint64_t at __attribute__((unused)))
{
    uint64_t value;
    long     err;

    if (from->bytes < sizeof value)
        return -EINVAL;
    if (buffer_get(from, &value, sizeof value) != sizeof value)
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    mutex_take(&file->node->lock);
    err = add_value(file, value);
    mutex_drop(&file->node->lock);
    if (err != 0)
        return err;
    node_notify_of(file->node, POLL_IN | POLL_RDNORM);
    return sizeof value;
}

static unsigned event_poll(struct file *file, struct wait_queue **queue)
{
    const struct event *self = event_of(file->node);

    *queue = &file->node->ready;
    return (self->value > 0 ? POLL_IN : 0) | (self->value < UINT64_MAX - 1 ? POLL_OUT : 0);
}

static void event_release(struct node *node) { heap_free_sized(event_of(node), sizeof(struct event)); }

static void event_facts(struct file *file, struct fact_lines *to)
{
    const struct event *self = event_of(file->node);
    char                line[64];
    int                 length = format_text(line, sizeof line, "eventfd-count: %16llx\neventfd-id: %u\n",
                                             (unsigned long long)self->value, (unsigned)self->node.inode);

    to->add(to, line, (size_t)length);
}

static const struct node_operations event_operations = {
    .traits = NODE_STREAM | NODE_STANDS | NODE_WHOLE, .read = event_read, .write = event_write, .poll = event_poll,
    .release = event_release, .describe = unnamed_describe, .kind = "eventfd", .facts = event_facts,
};

struct file *event_make(uint64_t value, uint32_t flags, bool semaphore)
{
    struct event *self = heap_alloc(sizeof *self, HEAP_ZERO);

    assert(value < UINT64_MAX);
    if (self == NULL)
        return NULL;
    self->value     = value;
    self->semaphore = semaphore;
    return unnamed_make(&self->node, &event_operations, flags);
}
