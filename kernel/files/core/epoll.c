/*
 * epoll.c - a set of watched files.
 */
#include "files/core/epoll.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "memory/heap/heap.h"

/* Modes of an entry, beside the POLL_* that it asks for. */
#define EDGE      0x80000000u
#define ONE_SHOT  0x40000000u
#define STAY_UP   0x20000000u                   /* no machine here sleeps: taken, and means nothing */
#define EXCLUSIVE 0x10000000u
#define MODES     (EDGE | ONE_SHOT | STAY_UP | EXCLUSIVE)

enum {
    EPOLL_MAGIC = 0x09041934, FIRST_TABLE = 8, ALWAYS = POLL_ERR | POLL_HUP,
    READS = POLL_IN | POLL_RDNORM, WRITES = POLL_OUT | POLL_WRNORM,
};

struct epoll_item {
    struct epoll_item  *same_hash;              /* [node.lock]                                       */
    struct epoll_item  *next_ready, **to_ready; /* [node.lock] in the ready list; to_ready NULL: not  */
    struct epoll_item  *next_of_file, **to_of_file;     /* [sets_lock] in file->watchers             */
    struct epoll_item  *next_told;              /* [a] while `told`                                  */
    struct epoll       *epoll;                  /* [c]                                               */
    struct file        *file;                   /* [c] no reference                                  */
    int                 number;                 /* [c]                                               */
    bool                told;                   /* [a] on the epoll's list of those that were woken  */
    uint32_t            interest;               /* [a] POLL_* that matter; 0 when a one-shot is spent */
    struct epoll_event  event;                  /* [node.lock]                                       */
    struct waiter       waiter;
};

struct epoll {
    struct node         node;
    struct epoll_item **table;                  /* [node.lock] by hash, never NULL        */
    uint32_t            size, count;            /* [node.lock] a power of two; entries    */
    struct epoll_item  *ready, **ready_end;     /* [node.lock] may be ready, in order     */
    struct epoll_item  *told;                   /* [a] woken since, the newest first      */
};

static struct mutex sets_lock = MUTEX("epolls");

static const struct node_operations epoll_operations;

static bool          is_epoll(const struct file *file)  { return file->operations == &epoll_operations; }
static struct epoll *epoll_of(const struct file *file)  { return CONTAINER_OF(file->node, struct epoll, node); }

/* ---- The ready list. The node's lock is held. ------------------------------------------------------ */

static void ready_add(struct epoll *self, struct epoll_item *item)
{
    deep_assert(mutex_held(&self->node.lock) && item->epoll == self);
    if (item->to_ready != NULL)
        return;
    item->next_ready = NULL;
    item->to_ready   = self->ready_end;
    *self->ready_end = item;
    self->ready_end  = &item->next_ready;
}

static void ready_remove(struct epoll *self, struct epoll_item *item)
{
    deep_assert(mutex_held(&self->node.lock));
    if (item->to_ready == NULL)
        return;
    *item->to_ready = item->next_ready;
    if (item->next_ready != NULL)
        item->next_ready->to_ready = item->to_ready;
    else
        self->ready_end = item->to_ready;
    item->to_ready = NULL;
}

/* To the front: for an event that could not be handed out. */
static void ready_return(struct epoll *self, struct epoll_item *item)
{
    item->next_ready = self->ready;
    item->to_ready   = &self->ready;
    if (self->ready != NULL)
        self->ready->to_ready = &item->next_ready;
    else
        self->ready_end = &item->next_ready;
    self->ready = item;
}

/* Entries that were woken go to the ready list, the oldest first. */
static void take_told(struct epoll *self)
{
    struct epoll_item *newest = __atomic_exchange_n(&self->told, NULL, __ATOMIC_ACQUIRE), *oldest = NULL;

    deep_assert(mutex_held(&self->node.lock));
    while (newest != NULL) {
        struct epoll_item *next = newest->next_told;

        newest->next_told = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct epoll_item *next = oldest->next_told;

        __atomic_store_n(&oldest->told, false, __ATOMIC_RELEASE);       /* from here on it may be told again */
        ready_add(self, oldest);
        oldest = next;
    }
}

/* ---- Being woken: the run queue's lock is held, and no other may be taken --------------------------- */

/* May be ready. Wakers push onto the list without a lock; it is only ever taken whole. */
static void notify_item(struct epoll_item *item)
{
    struct epoll      *self = item->epoll;
    struct epoll_item *first;

    if (__atomic_exchange_n(&item->told, true, __ATOMIC_ACQ_REL))
        return;
    first = __atomic_load_n(&self->told, __ATOMIC_RELAXED);
    do
        item->next_told = first;
    while (!__atomic_compare_exchange_n(&self->told, &first, item, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static bool item_woken(struct waiter *waiter, unsigned bits)
{
    struct epoll_item *item     = CONTAINER_OF(waiter, struct epoll_item, waiter);
    uint32_t           interest = __atomic_load_n(&item->interest, __ATOMIC_RELAXED);

    if (interest == 0 || (bits != 0 && !(bits & interest)))
        return false;
    notify_item(item);
    return wake_within(&item->epoll->node.ready, READS);
}

/* ---- Entries ---------------------------------------------------------------------------------------- */

/* What of a file's state an entry is about: what was asked for, as far as the file is open for it. */
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

/* What an entry has to report now. */
static unsigned poll_item(const struct epoll_item *item)
{
    struct wait_queue *queue;

    if (item->interest == 0)
        return 0;
    return file_poll(item->file, &queue) & ((item->event.events & ~MODES) | ALWAYS);
}

static uint32_t item_hash(int number, const struct file *file)
{
    return ((uint32_t)number * 2654435761u) ^ (uint32_t)((uintptr_t)file >> 5);
}

static struct epoll_item **item_slot(const struct epoll *self, int number, const struct file *file)
{
    struct epoll_item **at = &self->table[item_hash(number, file) & (self->size - 1)];

    while (*at != NULL && ((*at)->number != number || (*at)->file != file))
        at = &(*at)->same_hash;
    return at;
}

/* Twice the table when it is full. Without memory the old one does. */
static void grow_table(struct epoll *self)
{
    uint32_t            size = 2 * self->size;
    struct epoll_item **table, **old = self->table;

    deep_assert(mutex_held(&self->node.lock));
    if (self->count <= self->size || (table = heap_alloc(size * sizeof(struct epoll_item *), HEAP_ZERO)) == NULL)
        return;
    for (uint32_t i = 0; i < self->size; i++)
        for (struct epoll_item *item = old[i], *next; item != NULL; item = next) {
            struct epoll_item **at = &table[item_hash(item->number, item->file) & (size - 1)];

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

    assert(mutex_held(&sets_lock) && mutex_held(&item->epoll->node.lock));
    wait_unlink(&item->waiter);                 /* no wake reaches it any more */
    take_told(self);
    ready_remove(self, item);
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
    mutex_take(&sets_lock);
    while (file->watchers != NULL) {
        struct epoll *self = file->watchers->epoll;

        mutex_take(&self->node.lock);
        drop_item(file->watchers);
        mutex_drop(&self->node.lock);
    }
    mutex_drop(&sets_lock);
}

/* ---- The file ------------------------------------------------------------------------------------------ */

static void epoll_close(struct file *file)
{
    struct epoll *self = epoll_of(file);

    mutex_take(&sets_lock);
    mutex_take(&self->node.lock);
    for (uint32_t i = 0; i < self->size; i++)
        while (self->table[i] != NULL)
            drop_item(self->table[i]);
    mutex_drop(&self->node.lock);
    mutex_drop(&sets_lock);
}

static void epoll_release(struct node *node)
{
    struct epoll *self = CONTAINER_OF(node, struct epoll, node);

    assert(self->count == 0);
    heap_free(self->table);
    heap_free_sized(self, sizeof *self);
}

/* Readable when an entry is ready; those that turn out not to be leave the list. */
static unsigned epoll_poll(struct file *file, struct wait_queue **queue)
{
    struct epoll *self = epoll_of(file);
    unsigned      bits = 0;

    *queue = &self->node.ready;
    mutex_take(&self->node.lock);
    take_told(self);
    while (self->ready != NULL && bits == 0) {
        if (poll_item(self->ready) != 0)
            bits = READS;
        else
            ready_remove(self, self->ready);
    }
    mutex_drop(&self->node.lock);
    return bits;
}

static int epoll_describe(struct node *node __attribute__((unused)), char *to, size_t size)
{
    int length = format_text(to, size, "anon_inode:[eventpoll]");

    return (size_t)length < size ? length : -ERANGE;
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
}

static void epoll_facts(struct file *file, struct fact_lines *to)
{
    struct epoll *self = epoll_of(file);

    mutex_take(&self->node.lock);
    for (uint32_t i = 0; i < self->size; i++)
        for (const struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash)
            item_facts(item, to);
    mutex_drop(&self->node.lock);
}

static const struct node_operations epoll_operations = {
    .traits = NODE_STREAM, .poll = epoll_poll, .close = epoll_close, .release = epoll_release,
    .describe = epoll_describe, .facts = epoll_facts,
};

static struct epoll *epoll_new(void)
{
    static struct file_system epolls;
    struct epoll             *self  = heap_alloc(sizeof *self, HEAP_ZERO);
    struct epoll_item       **table = heap_alloc(FIRST_TABLE * sizeof(struct epoll_item *), HEAP_ZERO);

    if (self == NULL || table == NULL) {
        heap_free(self);
        heap_free(table);
        return NULL;
    }
    if (epolls.type == NULL)
        system_start(&epolls, "anon_inodefs", EPOLL_MAGIC);
    node_start(&self->node, &epoll_operations, &epolls, 0600);
    self->node.links = 1;
    self->table      = table;
    self->size       = FIRST_TABLE;
    self->ready_end  = &self->ready;
    return self;
}

struct file *epoll_make(void)
{
    struct epoll *self = epoll_new();
    struct file  *file;

    if (self == NULL)
        return NULL;
    file = file_make(&self->node, &epoll_operations, O_RDWR);
    if (file == NULL)
        node_release(&self->node);
    else
        self->node.own = file;                  /* the only one: it cannot be opened again */
    return file;
}

/* ---- Epolls in epolls: the sets' lock is held ------------------------------------------------------------ */

/* How many ways of each length lead from a file up to an epoll that no other watches; Linux's numbers. */
enum { NESTED_LENGTHS = NESTED_DEEPEST + 1 };
static const uint32_t NESTED_PATHS[NESTED_LENGTHS] = { UINT32_MAX, 500, 100, 50, 10 };

/* How deep epolls lie in this one, 0 for none; beyond NESTED_DEEPEST when `stranger` is among them. */
static unsigned depth_below(const struct epoll *self, const struct epoll *stranger, unsigned above)
{
    unsigned deepest = 0;

    deep_assert(mutex_held(&sets_lock) || stranger == NULL);
    if (self == stranger || above > NESTED_DEEPEST)
        return NESTED_DEEPEST + 1;
    for (uint32_t i = 0; i < self->size; i++)
        for (const struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash)
            if (is_epoll(item->file)) {
                unsigned depth = 1 + depth_below(epoll_of(item->file), stranger, above + 1);

                deepest = depth > deepest ? depth : deepest;
            }
    return deepest;
}

/* How deep this open file of an epoll lies in others. */
static unsigned depth_above(const struct file *file)
{
    unsigned deepest = 0;

    deep_assert(mutex_held(&sets_lock));
    for (const struct epoll_item *item = file->watchers; item != NULL; item = item->next_of_file) {
        const struct file *outer = item->epoll->node.own;
        unsigned           depth = 1 + depth_above(outer);

        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

static bool count_paths(const struct file *file, unsigned length, uint32_t counts[NESTED_LENGTHS])
{
    deep_assert(mutex_held(&sets_lock));
    if (length >= NESTED_LENGTHS)
        return false;
    for (const struct epoll_item *item = file->watchers; item != NULL; item = item->next_of_file) {
        const struct file *outer = item->epoll->node.own;

        if (outer->watchers != NULL ? !count_paths(outer, length + 1, counts)
                                    : ++counts[length] > NESTED_PATHS[length])
            return false;
    }
    return true;
}

/* A wake goes up all ways from a file: with this entry there are not too many, from it and from what lies in it. */
static bool few_paths(const struct file *file)
{
    uint32_t            counts[NESTED_LENGTHS] = { 0 };
    const struct epoll *self;

    if (!is_epoll(file))
        return count_paths(file, 0, counts);
    self = epoll_of(file);
    for (uint32_t i = 0; i < self->size; i++)
        for (const struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash)
            if (!few_paths(item->file))
                return false;
    return true;
}

static int may_nest(const struct file *epoll, const struct file *file)
{
    unsigned below;

    if (!is_epoll(file))
        return 0;
    below = depth_below(epoll_of(file), epoll_of(epoll), 0);
    return below > NESTED_DEEPEST || below + 1 + depth_above(epoll) > NESTED_DEEPEST ? -ELOOP : 0;
}

/* ---- Changing the set: the sets' lock and the node's are held ----------------------------------------------- */

/* A new or changed entry that is ready is an event, whatever its mode. */
static void set_event(struct epoll_item *item, const struct epoll_event *event)
{
    struct epoll *self = item->epoll;

    deep_assert(mutex_held(&item->epoll->node.lock));
    item->event = *event;
    __atomic_store_n(&item->interest, interest_of(item->file, event->events), __ATOMIC_RELAXED);
    if (poll_item(item) != 0) {
        ready_add(self, item);
        node_notify_of(&self->node, READS);
    }
}

static int add_item(struct epoll *self, struct epoll_item **at, int number, struct file *file,
                    const struct epoll_event *event)
{
    struct epoll_item *item  = heap_alloc(sizeof *item, HEAP_ZERO);
    struct wait_queue *queue = NULL;

    assert(mutex_held(&sets_lock) && mutex_held(&self->node.lock) && *at == NULL);
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
    wait_link_call(&item->waiter, queue, item_woken, event->events & EXCLUSIVE);
    if ((is_epoll(file) || ((struct file *)self->node.own)->watchers != NULL) && !few_paths(file)) {
        drop_item(item);
        return -EINVAL;
    }
    grow_table(self);
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
    mutex_take(&sets_lock);
    err = what == EPOLL_ADD ? may_nest(epoll, file) : 0;
    if (err == 0) {
        mutex_take(&self->node.lock);
        err = change_set(self, what, number, file, event);
        mutex_drop(&self->node.lock);
    }
    mutex_drop(&sets_lock);
    return err;
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

/* The entry has reported: it stays if it is by level, and is silent if it was for once. */
static void item_reported(struct epoll *self, struct epoll_item *item)
{
    if (item->event.events & ONE_SHOT)
        __atomic_store_n(&item->interest, 0, __ATOMIC_RELAXED);
    else if (!(item->event.events & EDGE))
        ready_add(self, item);
}

/* Each entry on the list has one turn; those by level go to its end, so that the next wait begins with others. */
static long collect_events(struct epoll *self, struct buffer *to, size_t most)
{
    struct epoll_item *item, *first_again = NULL;
    long               count = 0;

    deep_assert(mutex_held(&self->node.lock) && most > 0);
    take_told(self);
    while ((size_t)count < most && (item = self->ready) != NULL && item != first_again) {
        struct epoll_event event = { poll_item(item), item->event.data };

        ready_remove(self, item);
        if (event.events == 0)
            continue;
        if (buffer_put(to, &event, sizeof event) < sizeof event) {
            ready_return(self, item);
            return count > 0 ? count : -EFAULT;
        }
        count++;
        item_reported(self, item);
        if (first_again == NULL && item->to_ready != NULL)
            first_again = item;
    }
    return count;
}

/* Until an entry is woken. The lock is held, and dropped meanwhile. */
static int sleep_on_epoll(struct epoll *self, uint64_t deadline)
{
    int err = 0;

    deep_assert(mutex_held(&self->node.lock));
    wait_start_exclusive(&self->node.ready);
    if (self->ready != NULL || __atomic_load_n(&self->told, __ATOMIC_ACQUIRE) != NULL) {
        wait_end();
        return 0;
    }
    mutex_drop(&self->node.lock);
    err = wait_linked(deadline, WAIT_SIGNALS);
    wait_end();
    mutex_take(&self->node.lock);
    return err;
}

static long wait_locked(struct epoll *self, struct buffer *to, size_t most, uint64_t deadline)
{
    long got = collect_events(self, to, most);

    while (got == 0 && deadline != 0) {
        int err = sleep_on_epoll(self, deadline);

        got = collect_events(self, to, most);
        if (got == 0 && err != 0)
            return err == -EINTR ? -EINTR : 0;
    }
    return got;
}

long epoll_wait_for(struct file *epoll, struct buffer *to, size_t most, uint64_t deadline)
{
    struct epoll *self;
    long          got;

    may_sleep();
    assert(most > 0);
    if (!is_epoll(epoll))
        return -EINVAL;
    self = epoll_of(epoll);
    mutex_take(&self->node.lock);
    got = wait_locked(self, to, most, deadline);
    if (got > 0 && self->ready != NULL)
        wake_one(&self->node.ready);            /* there is something for the next one, too */
    mutex_drop(&self->node.lock);
    return got;
}

/* ---- Checking --------------------------------------------------------------------------------------------- */

static bool item_in_file(const struct epoll_item *item)
{
    const struct epoll_item *at = item->file->watchers;

    while (at != NULL && at != item)
        at = at->next_of_file;
    return at == item && *item->to_of_file == item;
}

bool epoll_ok(struct file *epoll)
{
    struct epoll       *self = epoll_of(epoll);
    struct epoll_item **end  = &self->ready;
    uint32_t            count = 0;

    for (uint32_t i = 0; i < self->size; i++)
        for (struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash, count++) {
            if (item->epoll != self || (item_hash(item->number, item->file) & (self->size - 1)) != i ||
                !item_in_file(item))
                return false;                                                   /* E1 */
            if (item->waiter.queue == NULL)
                return false;                                                   /* E2 */
        }
    for (struct epoll_item *item = self->ready; item != NULL; end = &item->next_ready, item = item->next_ready)
        if (item->to_ready != end || item->epoll != self)
            return false;                                                       /* E3 */
    /* E1, E3, E4 */
    return count == self->count && self->ready_end == end && depth_below(self, NULL, 0) <= NESTED_DEEPEST;
}
