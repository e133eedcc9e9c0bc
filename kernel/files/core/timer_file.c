/*
 * timer_file.c - timerfd: a timer whose expiries are read and waited for.
 *
 * A timer fires once, and then no more until it is read: how often it would have fired by then is arithmetic, so an
 * interval of a nanosecond costs no more than one of an hour.
 */
#include "files/core/timer_file.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/range.h"
#include "memory/heap/heap.h"
#include "process/schedule.h"
#include "process/signal.h"

enum { SECOND = 1000000000 };

/* Guards: [n] node.lock. */
struct timer_file {
    struct node  node;
    struct timer timer;                 /* armed for `due`, unless that is past */
    uint64_t     due, interval;         /* [n] due: of the first expiry that has not been read, 0: there is none */
    int          clock;
    bool         wall;                  /* [c] absolute times are the wall clock's                */
    uint64_t     ahead;                 /* [n] `due` less its time by clock_now(), since it was set */
    unsigned     flags;                 /* [n] of the call that set it  */
};

static struct timer_file *timer_of(struct node *node) { return CONTAINER_OF(node, struct timer_file, node); }

static void timer_file_fires(struct timer *timer)
{
    node_notify_of(&CONTAINER_OF(timer, struct timer_file, timer)->node, POLL_IN);
}

static uint64_t now_of(const struct timer_file *self) { return self->ahead + clock_now(); }

static bool has_expired(const struct timer_file *self) { return self->due != 0 && self->due <= now_of(self); }

/* The node's lock is held. */
static void arm_for_due(struct timer_file *self)
{
    uint64_t now = now_of(self), due;

    deep_assert(mutex_held(&self->node.lock) && self->due != 0);
    if (!checked_add(clock_now(), self->due > now ? self->due - now : 0, &due) || due >= NEVER)
        due = NEVER - 1;
    timer_arm(&self->timer, due);
}

/* The timer fires without the node's lock: it may have done so since the caller looked. 0 or -ERESTARTSYS. */
static int wait_for_expiry(struct timer_file *self)
{
    int err = 0;

    may_sleep();
    wait_start(&self->node.ready);
    if (!has_expired(self)) {
        mutex_drop(&self->node.lock);
        err = wait_linked(NEVER, WAIT_SIGNALS);
        mutex_take(&self->node.lock);
    }
    wait_end();
    return err == -EINTR ? -ERESTARTSYS : 0;
}

/* Expiries up to now, which are read with this. */
static long take_expiries(struct file *file, uint64_t *out)
{
    struct timer_file *self = timer_of(file->node);

    deep_assert(mutex_held(&file->node->lock));
    while (!has_expired(self)) {
        int err = file->flags & O_NONBLOCK ? -EAGAIN : wait_for_expiry(self);

        if (err != 0)
            return err;
    }
    *out = 1;
    if (self->interval == 0) {
        self->due = 0;
        return 0;
    }
    *out = interval_pass(&self->due, self->interval, now_of(self));
    arm_for_due(self);
    return 0;
}

static long timer_file_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    uint64_t expiries;
    long     err;

    if (to->bytes < sizeof expiries)
        return -EINVAL;
    mutex_take(&file->node->lock);
    err = take_expiries(file, &expiries);
    mutex_drop(&file->node->lock);
    if (err != 0)
        return err;
    return buffer_put(to, &expiries, sizeof expiries) == sizeof expiries ? (long)sizeof expiries : -EFAULT;
}

static unsigned timer_file_poll(struct file *file, struct wait_queue **queue)
{
    struct node *node = file->node;
    bool         expired;

    *queue = &node->ready;
    mutex_take(&node->lock);
    expired = has_expired(timer_of(node));
    mutex_drop(&node->lock);
    return expired ? POLL_IN : 0;
}

static void timer_file_release(struct node *node)
{
    timer_disarm(&timer_of(node)->timer);
    heap_free_sized(timer_of(node), sizeof(struct timer_file));
}

static void timer_file_facts(struct file *file, struct fact_lines *to)
{
    const struct timer_file   *self  = timer_of(file->node);
    const struct timer_setting state = timer_file_state(file);
    uint64_t                   due   = self->due, ticks = 0;
    char                       line[192];
    int                        length;

    if (has_expired(self))
        ticks = self->interval == 0 ? 1 : interval_pass(&due, self->interval, now_of(self));
    length = format_text(line, sizeof line, "clockid: %d\nticks: %llu\nsettime flags: 0%d\nit_value: (%llu, %llu)\n"
                         "it_interval: (%llu, %llu)\n", self->clock, (unsigned long long)ticks, (int)self->flags,
                         (unsigned long long)(state.value / SECOND), (unsigned long long)(state.value % SECOND),
                         (unsigned long long)(state.interval / SECOND), (unsigned long long)(state.interval % SECOND));
    to->add(to, line, (size_t)length);
}

static const struct node_operations timer_file_operations = {
    .traits = NODE_STREAM | NODE_STANDS, .read = timer_file_read, .poll = timer_file_poll,
    .release = timer_file_release, .describe = unnamed_describe, .kind = "timerfd", .facts = timer_file_facts,
};

struct file *timer_file_make(int clock, bool wall, uint32_t flags)
{
    struct timer_file        *self = heap_alloc(sizeof *self, HEAP_ZERO);

    if (self == NULL)
        return NULL;
    self->clock      = clock;
    self->wall       = wall;
    self->timer.fire = timer_file_fires;
    return unnamed_make(&self->node, &timer_file_operations, flags);
}

bool file_is_timer(const struct file *file) { return file->operations == &timer_file_operations; }

void timer_file_set(struct file *file, const struct timer_setting *setting, unsigned flags)
{
    struct timer_file *self = timer_of(file->node);

    may_sleep();
    assert(file_is_timer(file));
    mutex_take(&file->node->lock);
    self->ahead    = self->wall ? clock_wall() : 0;
    self->ahead   -= self->wall ? clock_now() : 0;
    self->flags    = flags;
    self->interval = setting->interval;
    if (setting->value == 0 || (flags & TIMER_FILE_ABSOLUTE))
        self->due = setting->value;
    else if (!checked_add(now_of(self), setting->value, &self->due))
        self->due = NEVER - 1;
    if (self->due != 0)
        arm_for_due(self);
    else
        timer_disarm(&self->timer);
    mutex_drop(&file->node->lock);
}

struct timer_setting timer_file_state(struct file *file)
{
    struct timer_file   *self = timer_of(file->node);
    struct timer_setting state;
    uint64_t             due, now;

    may_sleep();
    assert(file_is_timer(file));
    mutex_take(&file->node->lock);
    now   = now_of(self);
    due   = self->due;
    state = (struct timer_setting){ .interval = self->interval };
    if (due != 0 && due <= now && self->interval != 0)
        (void)interval_pass(&due, self->interval, now);
    if (due > now)
        state.value = due - now;
    mutex_drop(&file->node->lock);
    return state;
}
