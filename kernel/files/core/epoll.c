/*
 * epoll.c - a set of watched files: its entries, and how they come and go. epoll_wait.c waits for them.
 */
#include "files/core/epoll_set.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "memory/heap/heap.h"
#include "process/signal.h"

enum { FIRST_TABLE = 8 };

struct mutex epolls_lock = MUTEX("epolls");

/* ---- Entries ---------------------------------------------------------------------------------------- */

/* The events of an entry: those asked for, without those that the file is not open for. */
static uint32_t interest_of(const struct file *file, uint32_t events)
{
    unsigned mode = file->flags & O_ACCMODE;
    uint32_t bits = events & ~MODES;

    if (mode == O_RDONLY)
        bits &= ~(uint32_t)WRITES;
    if (mode == O_WRONLY)
        bits &= ~(uint32_t)READS;
    return bits | ALWAYS;
}

static struct epoll_item **item_slot(const struct epoll *self, int number, const struct file *file)
{
    struct epoll_item **at = &self->table[epoll_item_hash(number, file) & (self->size - 1)];

    while (*at != NULL && ((*at)->number != number || (*at)->file != file))
        at = &(*at)->same_hash;
    return at;
}

/* Double the table when it is full. Without memory it stays as it is. */
static void grow_epoll_table(struct epoll *self)
{
    uint32_t            size = 2 * self->size;
    struct epoll_item **table, **old = self->table;

    deep_assert(mutex_held(&self->node.lock));
    if (self->count <= self->size || (table = heap_alloc(size * sizeof(struct epoll_item *), HEAP_ZERO)) == NULL)
        return;
    for (uint32_t i = 0; i < self->size; i++)
        for (struct epoll_item *item = old[i], *next; item != NULL; item = next) {
            struct epoll_item **at = &table[epoll_item_hash(item->number, item->file) & (size - 1)];

            next = item->same_hash;
            item->same_hash = *at;
            *at = item;
        }
    self->table = table;
    self->size  = size;
    heap_free(old);
}

/* The sets' lock and the node's are held. */
static void drop_item(struct epoll_item *item)
{
    struct epoll *self = item->epoll;

    assert(mutex_held(&epolls_lock) && mutex_held(&item->epoll->node.lock));
    wait_unlink(&item->waiter);                 /* no wake reaches it any more */
    epoll_take_woken(self);
    epoll_ready_remove(self, item);
    *item_slot(self, item->number, item->file) = item->same_hash;
    self->count--;
    *item->to_of_file = item->next_of_file;
    if (item->next_of_file != NULL)
        item->next_of_file->to_of_file = item->to_of_file;
    heap_free_sized(item, sizeof *item);
}

void epoll_forget(struct file *file)
{
    may_sleep();
    mutex_take(&epolls_lock);
    while (file->watchers != NULL) {
        struct epoll *self = file->watchers->epoll;

        mutex_take(&self->node.lock);
        drop_item(file->watchers);
        mutex_drop(&self->node.lock);
        point_of_rest();                        /* nobody comes to watch it any more */
    }
    mutex_drop(&epolls_lock);
}

/* ---- The file ------------------------------------------------------------------------------------------ */

static void epoll_close(struct file *file)
{
    struct epoll *self = epoll_of(file);

    mutex_take(&epolls_lock);
    mutex_take(&self->node.lock);
    for (uint32_t i = 0; i < self->size; i++)
        while (self->table[i] != NULL) {
            drop_item(self->table[i]);
            point_of_rest();
        }
    mutex_drop(&self->node.lock);
    mutex_drop(&epolls_lock);
}

static void epoll_release(struct node *node)
{
    struct epoll *self = CONTAINER_OF(node, struct epoll, node);

    assert(self->count == 0);
    heap_free(self->table);
    heap_free_sized(self, sizeof *self);
}

/* Readable when an entry is ready; entries that turn out not to be leave the list. */
static unsigned epoll_poll(struct file *file, struct wait_queue **queue)
{
    struct epoll *self = epoll_of(file);
    unsigned      bits = 0;

    *queue = &self->node.ready;
    mutex_take(&self->node.lock);
    epoll_take_woken(self);
    while (self->ready != NULL && bits == 0) {
        if (epoll_poll_item(self->ready) != 0)
            bits = READS;
        else
            epoll_ready_remove(self, self->ready);
        point_of_rest();
    }
    mutex_drop(&self->node.lock);
    return bits;
}

static void item_facts(const struct epoll_item *item, struct fact_lines *to)
{
    const struct node *node   = item->file->node;
    uint32_t           spent  = item->interest == 0 ? MODES : ~0u, always = item->interest == 0 ? 0 : ALWAYS;
    char               line[160];
    int                length = format_text(line, sizeof line,
                                            "tfd: %8d events: %8x data: %16llx  pos:%llu ino:%llx sdev:%x\n",
                                            item->number, (unsigned)((item->event.events & spent) | always),
                                            (unsigned long long)item->event.data, (unsigned long long)item->file->at,
                                            (unsigned long long)node->inode,
                                            node->system != NULL ? (unsigned)node->system->device : 0u);

    to->add(to, line, (size_t)length);
    point_of_rest();
}

static void epoll_facts(struct file *file, struct fact_lines *to)
{
    struct epoll *self = epoll_of(file);

    mutex_take(&self->node.lock);
    for (uint32_t i = 0; i < self->size && !signal_kills(current_thread()); i++)
        for (const struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash)
            item_facts(item, to);
    mutex_drop(&self->node.lock);
}

const struct node_operations epoll_operations = {
    .traits = NODE_STREAM | NODE_STANDS, .poll = epoll_poll, .close = epoll_close, .release = epoll_release,
    .describe = unnamed_describe, .kind = "eventpoll", .facts = epoll_facts,
};

static struct epoll *epoll_new(void)
{
    struct epoll       *self  = heap_alloc(sizeof *self, HEAP_ZERO);
    struct epoll_item **table = heap_alloc(FIRST_TABLE * sizeof(struct epoll_item *), HEAP_ZERO);

    if (self == NULL || table == NULL) {
        heap_free(self);
        heap_free(table);
        return NULL;
    }
    self->table     = table;
    self->size      = FIRST_TABLE;
    self->ready_end = &self->ready;
    return self;
}

struct file *epoll_make(void)
{
    struct epoll *self = epoll_new();
    struct file  *file;

    if (self == NULL)
        return NULL;
    file = unnamed_make(&self->node, &epoll_operations, 0);
    if (file != NULL)
        self->node.own = file;                  /* the only one: it cannot be opened again */
    return file;
}

/* ---- Changing the set: the sets' lock and the node's are held ----------------------------------------------- */

/* A new or changed entry that is ready is an event, whatever its mode. */
static void set_event(struct epoll_item *item, const struct epoll_event *event)
{
    struct epoll *self = item->epoll;

    deep_assert(mutex_held(&item->epoll->node.lock));
    item->event = *event;
    __atomic_store_n(&item->interest, interest_of(item->file, event->events), __ATOMIC_RELAXED);
    if (epoll_poll_item(item) != 0) {
        epoll_ready_add(self, item);
        node_notify_of(&self->node, READS);
    }
}

static int add_item(struct epoll *self, struct epoll_item **at, int number, struct file *file,
                    const struct epoll_event *event)
{
    struct epoll_item *item  = heap_alloc(sizeof *item, HEAP_ZERO);
    struct wait_queue *queue = NULL;

    assert(mutex_held(&epolls_lock) && mutex_held(&self->node.lock) && *at == NULL);
    if (item == NULL)
        return -ENOMEM;
    (void)file_poll(file, &queue);
    assert(queue != NULL);                      /* what can be polled says where to wait */
    item->epoll      = self;
    item->file       = file;
    item->number     = number;
    item->to_of_file = &file->watchers;
    item->next_of_file = file->watchers;
    if (file->watchers != NULL)
        file->watchers->to_of_file = &item->next_of_file;
    file->watchers = item;
    *at = item;
    self->count++;
    wait_link_call(&item->waiter, queue, epoll_item_woken, event->events & EXCLUSIVE);
    if ((is_epoll(file) || ((struct file *)self->node.own)->watchers != NULL) && !epoll_few_paths(file)) {
        drop_item(item);
        return -EINVAL;
    }
    grow_epoll_table(self);
    set_event(item, event);
    return 0;
}

static int change_set(struct epoll *self, int what, int number, struct file *file, const struct epoll_event *event)
{
    struct epoll_item **at = item_slot(self, number, file);

    assert(event != NULL || what == EPOLL_DELETE);
    if (what == EPOLL_ADD)
        return *at != NULL ? -EEXIST : add_item(self, at, number, file, event);
    if (*at == NULL)
        return -ENOENT;
    if (what == EPOLL_DELETE)
        drop_item(*at);
    else if ((*at)->event.events & EXCLUSIVE)
        return -EINVAL;
    else
        set_event(*at, event);
    return 0;
}

static bool exclusive_fits(int what, const struct file *file, uint32_t events)
{
    return what == EPOLL_ADD && !is_epoll(file) &&
           !(events & ~(POLL_IN | POLL_OUT | ALWAYS | STAY_UP | EDGE | EXCLUSIVE));
}

int epoll_control(struct file *epoll, int what, int number, struct file *file, const struct epoll_event *event)
{
    struct epoll *self;
    int           err;

    may_sleep();
    deep_assert(event != NULL || what == EPOLL_DELETE || what < EPOLL_ADD || what > EPOLL_MODIFY);
    if (file->operations->poll == NULL)
        return (file->flags & O_PATH) ? -EBADF : -EPERM;        /* what is always ready cannot be watched */
    if (!is_epoll(epoll) || epoll == file || what < EPOLL_ADD || what > EPOLL_MODIFY)
        return -EINVAL;
    if (what != EPOLL_DELETE && (event->events & EXCLUSIVE) && !exclusive_fits(what, file, event->events))
        return -EINVAL;
    self = epoll_of(epoll);
    mutex_take(&epolls_lock);
    err = what == EPOLL_ADD ? epoll_may_nest(epoll, file) : 0;
    if (err == 0) {
        mutex_take(&self->node.lock);
        err = change_set(self, what, number, file, event);
        mutex_drop(&self->node.lock);
    }
    mutex_drop(&epolls_lock);
    return err;
}

/* ---- Checking --------------------------------------------------------------------------------------------- */

static bool item_in_file(const struct epoll_item *item)
{
    const struct epoll_item *at = item->file->watchers;

    while (at != NULL && at != item)
        at = at->next_of_file;
    return at == item && *item->to_of_file == item;
}

static const char *broken_in_table(const struct epoll *self)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < self->size; i++)
        for (const struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash, count++) {
            if (item->epoll != self || (epoll_item_hash(item->number, item->file) & (self->size - 1)) != i ||
                !item_in_file(item))
                return "V1";
            if (item->waiter.queue == NULL)
                return "V2";
        }
    return count == self->count ? NULL : "V1";
}

const char *epoll_broken(const struct file *epoll)
{
    const struct epoll       *self   = epoll_of(epoll);
    struct epoll_item *const *end    = &self->ready;
    const char               *broken = broken_in_table(self);

    if (broken != NULL)
        return broken;
    for (const struct epoll_item *item = self->ready; item != NULL; end = &item->next_ready, item = item->next_ready)
        if (item->to_ready != end || item->epoll != self)
            return "V3";
    if (self->ready_end != end)
        return "V3";
    return epoll_depth_below(epoll_of(epoll), NULL) <= NESTED_DEEPEST ? NULL : "V4";
}
