/*
 * epoll.c - a set of watched files.
 */
#include "files/epoll.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/watch.h"
#include "memory/heap/heap.h"

#define EDGE     0x80000000u
#define ONE_SHOT 0x40000000u
enum { EPOLL_MAGIC = 0x09041934 };

struct epoll_item {
    struct epoll_item *next;                    /* of the epoll                    */
    struct epoll_item *next_of_file;
    struct epoll      *epoll;
    struct file       *file;                    /* no reference                    */
    int                number;
    struct epoll_event event;
    bool               spent;                   /* one-shot, and it has fired      */
    unsigned           last_bits;
    uint32_t           last_news;
};

/* All on node.lock of the epoll. */
struct epoll {
    struct node        node;
    struct epoll_item *items;
    size_t             count;
};

static void epoll_release(struct node *node)
{
    struct epoll *self = CONTAINER_OF(node, struct epoll, node);

    assert(self->items == NULL);
    heap_free_sized(self, sizeof *self);
}

/* ---- Items -------------------------------------------------------------------------------------- */

static void drop_item(struct epoll_item *item)
{
    struct epoll_item **at = &item->epoll->items;

    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    item->epoll->count--;
    at = &item->file->watchers;
    while (*at != item)
        at = &(*at)->next_of_file;
    *at = item->next_of_file;
    heap_free_sized(item, sizeof *item);
}

void epoll_forget(struct file *file)
{
    while (file->watchers != NULL) {
        struct node *node = &file->watchers->epoll->node;

        node_hold(node);
        mutex_take(&node->lock);
        drop_item(file->watchers);
        mutex_drop(&node->lock);
        node_release(node);
    }
}

static void epoll_close(struct file *file)
{
    struct epoll *self = CONTAINER_OF(file->node, struct epoll, node);

    mutex_take(&self->node.lock);
    while (self->items != NULL)
        drop_item(self->items);
    mutex_drop(&self->node.lock);
}

static unsigned bits_of(const struct epoll_item *item, unsigned bits)
{
    return item->spent ? 0 : bits & ((item->event.events & 0xFFFF) | POLL_ERR | POLL_HUP);
}

static unsigned epoll_poll(struct file *file, struct wait_queue **queue)
{
    struct epoll *self = CONTAINER_OF(file->node, struct epoll, node);

    for (struct epoll_item *item = self->items; item != NULL; item = item->next)
        if (bits_of(item, file_poll(item->file, queue)) != 0)
            return POLL_IN | POLL_RDNORM;
    *queue = &self->node.ready;
    return 0;
}

static int epoll_describe(struct node *node __attribute__((unused)), char *to, size_t size)
{
    int length = format_text(to, size, "anon_inode:[eventpoll]");

    return (size_t)length < size ? length : -ERANGE;
}

static const struct node_operations epoll_operations = {
    .traits = NODE_STREAM, .poll = epoll_poll, .close = epoll_close, .release = epoll_release, .describe = epoll_describe,
};

struct file *epoll_make(void)
{
    static struct file_system epolls;
    struct epoll             *self = heap_alloc(sizeof *self, HEAP_ZERO);
    struct file              *file;

    if (self == NULL)
        return NULL;
    if (epolls.type == NULL)
        system_start(&epolls, "anon_inodefs", EPOLL_MAGIC);
    node_start(&self->node, &epoll_operations, &epolls, 0600);
    self->node.links = 1;
    file = file_make(&self->node, &epoll_operations, O_RDWR);
    if (file == NULL)
        node_release(&self->node);
    return file;
}

/* ---- Changing the set ------------------------------------------------------------------------------- */

static struct epoll_item *find(const struct epoll *self, int number, const struct file *file)
{
    struct epoll_item *item = self->items;

    while (item != NULL && (item->number != number || item->file != file))
        item = item->next;
    return item;
}

static void set_event(struct epoll_item *item, const struct epoll_event *event)
{
    item->event     = *event;
    item->spent     = false;
    item->last_bits = 0;
}

static int add(struct epoll *self, int number, struct file *file, const struct epoll_event *event)
{
    struct epoll_item *item = heap_alloc(sizeof *item, HEAP_ZERO);

    if (item == NULL)
        return -ENOMEM;
    item->epoll  = self;
    item->file   = file;
    item->number = number;
    set_event(item, event);
    item->next         = self->items;
    self->items        = item;
    item->next_of_file = file->watchers;
    file->watchers     = item;
    self->count++;
    return 0;
}

static int change(struct epoll *self, int what, int number, struct file *file, const struct epoll_event *event)
{
    struct epoll_item *item = find(self, number, file);

    if (what == EPOLL_ADD)
        return item != NULL ? -EEXIST : add(self, number, file, event);
    if (item == NULL)
        return -ENOENT;
    if (what == EPOLL_DELETE)
        drop_item(item);
    else
        set_event(item, event);
    return 0;
}

int epoll_control(struct file *epoll, int what, int number, struct file *file, const struct epoll_event *event)
{
    struct epoll *self;
    int           err;

    if (epoll->operations != &epoll_operations || file->operations == &epoll_operations ||
        (what != EPOLL_ADD && what != EPOLL_DELETE && what != EPOLL_MODIFY))
        return -EINVAL;
    if (file->operations->poll == NULL)
        return -EPERM;                          /* what is always ready cannot be watched */
    self = CONTAINER_OF(epoll->node, struct epoll, node);
    mutex_take(&self->node.lock);
    err = change(self, what, number, file, event);
    mutex_drop(&self->node.lock);
    if (err == 0)
        wake_all(&self->node.ready);            /* those who wait look at the new set */
    return err;
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

/* What an entry has to report; by edge only once. */
static unsigned report(struct epoll_item *item)
{
    struct wait_queue *queue;
    uint32_t           news = item->file->node->news;
    unsigned           bits = bits_of(item, file_poll(item->file, &queue)), fresh = bits;

    if ((item->event.events & EDGE) && news != 0 && news == item->last_news)
        fresh = bits & ~item->last_bits;
    item->last_bits = bits;
    item->last_news = news;
    if (fresh != 0 && (item->event.events & ONE_SHOT))
        item->spent = true;
    return fresh != 0 ? bits : 0;
}

static long collect(struct epoll *self, struct epoll_event *out, size_t most)
{
    size_t count = 0;

    for (struct epoll_item *item = self->items; item != NULL && count < most; item = item->next) {
        unsigned bits = report(item);

        if (bits != 0)
            out[count++] = (struct epoll_event){ bits, item->event.data };
    }
    return (long)count;
}

/* Entries to the back, so that those beyond `most` have their turn next time. */
static void rotate(struct epoll *self)
{
    struct epoll_item *first = self->items, **at = &self->items;

    if (first == NULL || first->next == NULL)
        return;
    self->items = first->next;
    while (*at != NULL)
        at = &(*at)->next;
    first->next = NULL;
    *at = first;
}

/* One who waits, and what he waits for: a reference, as the file may be closed meanwhile. */
struct link {
    struct waiter waiter;
    struct node  *node;
};

static void link_to(struct link *link, struct node *node, struct wait_queue *queue)
{
    node_hold(link->node = node);
    wait_link(&link->waiter, queue);
}

/* Link to all that is watched, look once more, sleep. The lock is held, and dropped meanwhile. */
static int sleep(struct epoll *self, struct link *links, struct epoll_event *out, size_t most, uint64_t deadline, long *got)
{
    size_t linked = 0;
    int    err    = 0;

    wait_prepare();
    link_to(&links[linked++], &self->node, &self->node.ready);
    for (struct epoll_item *item = self->items; item != NULL; item = item->next) {
        struct wait_queue *queue = NULL;

        (void)file_poll(item->file, &queue);
        if (queue != NULL)
            link_to(&links[linked++], item->file->node, queue);
    }
    *got = collect(self, out, most);
    mutex_drop(&self->node.lock);
    if (*got == 0)
        err = wait_linked(deadline, WAIT_SIGNALS);
    while (linked > 0) {
        wait_unlink(&links[--linked].waiter);
        node_release(links[linked].node);
    }
    mutex_take(&self->node.lock);
    return err;
}

static long wait_locked(struct epoll *self, struct epoll_event *out, size_t most, uint64_t deadline)
{
    for (;;) {
        long         got = collect(self, out, most);
        struct link *links;
        int          err;

        if (got > 0 || deadline == 0)
            return got;
        links = heap_alloc((self->count + 1) * sizeof *links, 0);
        if (links == NULL)
            return -ENOMEM;
        err = sleep(self, links, out, most, deadline, &got);
        heap_free(links);
        if (got > 0)
            return got;
        if (err != 0) {
            got = collect(self, out, most);
            return got > 0 || err != -EINTR ? got : -EINTR;
        }
    }
}

long epoll_wait_for(struct file *epoll, struct epoll_event *out, size_t most, uint64_t deadline)
{
    struct epoll *self;
    long          got;

    if (epoll->operations != &epoll_operations)
        return -EINVAL;
    self = CONTAINER_OF(epoll->node, struct epoll, node);
    mutex_take(&self->node.lock);
    got = wait_locked(self, out, most, deadline);
    if (got == (long)most)
        rotate(self);
    mutex_drop(&self->node.lock);
    return got;
}
