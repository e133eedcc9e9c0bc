/*
 * socket_passed.c - open files in flight, in messages.
 *
 * A socket may lie in a message that waits in its own queue, or two in each other's: then no program can reach them
 * any more, and yet each is held. That can happen only when a socket that carries sockets loses its last reference from
 * outside of messages: it is a suspect then. The search is made among the sockets that can be reached from the
 * suspects: count for each the references that the others' messages explain. A socket that has more is alive, and so
 * are all that it carries; the others are garbage. One search does for all suspects, and who closes many files puts it
 * off to their end, so that it is not made for each.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/ipc/socket_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"
#include "process/user_account.h"

/* ---- Rights ---------------------------------------------------------------------------------------- */

struct passed *passed_make(uint32_t count)
{
    struct passed *passed = heap_alloc(sizeof *passed + count * sizeof passed->files[0], HEAP_ZERO);

    assert(count <= RIGHTS_MOST);
    if (passed != NULL) {
        passed->count   = count;
        passed->account = credentials_acting()->account;
        user_account_hold(passed->account);
    }
    return passed;
}

static void free_passed(struct passed *passed)
{
    user_account_put(passed->account);
    heap_free(passed);
}

void passed_set(struct passed *passed, uint32_t which, struct file *file)
{
    assert(which < passed->count && passed->files[which] == NULL && !passed->in_flight);
    passed->files[which] = file;
    passed->sockets += socket_is(file);
}

struct passed *passed_extend(struct passed *passed, uint32_t more)
{
    struct passed *longer = passed_make(passed->count + more);

    assert(!passed->in_flight);
    if (longer == NULL)
        return NULL;
    for (uint32_t i = 0; i < passed->count; i++)
        longer->files[i] = passed->files[i];
    longer->sockets = passed->sockets;
    free_passed(passed);
    return longer;
}

uint32_t     passed_count(const struct passed *passed)                { return passed == NULL ? 0 : passed->count; }
struct file *passed_file(const struct passed *passed, uint32_t which) { return passed->files[which]; }

static void release_files(struct passed *passed)
{
    for (uint32_t i = 0; i < passed->count; i++)
        if (passed->files[i] != NULL)
            file_release(passed->files[i]);
    free_passed(passed);
}

/*
 * The last reference to a socket drops its messages, whose rights may be the last references to sockets, and so on, as
 * deep as a program likes. So a call within another one of the same thread only leaves its messages there. (By one list
 * for all threads others could keep the one that is at it for ever.)
 */
void passed_release_all(struct passed *chain)
{
    struct thread  *thread = current_thread();
    struct passed **outer  = thread->releasing, **end = &chain, *next;
    bool            put_off;

    may_sleep();
    if (chain == NULL)
        return;
    if (outer != NULL) {
        while (*end != NULL)                    /* bound: the packets that a socket has room for */
            end = &(*end)->next;
        *end   = *outer;
        *outer = chain;
        return;
    }
    put_off = sockets_put_off();
    thread->releasing = &chain;
    while ((next = chain) != NULL) {
        chain = next->next;
        release_files(next);
        point_of_rest();
    }
    thread->releasing = NULL;
    sockets_search(put_off);
}

void passed_release(struct passed *passed)
{
    may_sleep();
    if (passed == NULL)
        return;
    assert(!passed->in_flight);
    passed->next = NULL;
    passed_release_all(passed);
}

/* ---- In flight: the lock is held ------------------------------------------------------------------------ */

/*
 * How many files of a user's may be on their way. FLYING_MOST, and one message more, is what the search below goes over
 * twice with the lock held: some 15 ms. Root's limit is only that.
 */
enum { FLYING_MOST = 65536 };

int passed_admit(const struct passed *passed, uint64_t limit)
{
    deep_assert(mutex_held(&sockets_lock));
    if (passed == NULL)
        return 0;
    if (passed->account->uid == 0 || limit > FLYING_MOST)
        limit = FLYING_MOST;
    return passed->account->in_flight > limit ? -ETOOMANYREFS : 0;
}

void passed_enter(struct passed *passed, struct socket *carrier)
{
    deep_assert(mutex_held(&sockets_lock));
    assert(!passed->in_flight);
    passed->in_flight = true;
    carrier->carries += passed->sockets;
    passed->account->in_flight += passed->count;
    for (uint32_t i = 0; i < passed->count; i++)
        __atomic_add_fetch(&passed->files[i]->in_flight, 1, __ATOMIC_RELAXED);
}

void passed_leave(struct passed *passed, struct socket *carrier)
{
    deep_assert(mutex_held(&sockets_lock));
    assert(passed->in_flight && carrier->carries >= passed->sockets);
    passed->in_flight = false;
    carrier->carries -= passed->sockets;
    passed->account->in_flight -= passed->count;
    for (uint32_t i = 0; i < passed->count; i++)
        __atomic_sub_fetch(&passed->files[i]->in_flight, 1, __ATOMIC_RELAXED);
}

/* ---- What only messages hold. The lock is held. --------------------------------------------------------- */

/* The sockets found so far, in order, and those of them that are alive and have not told what they carry. */
struct lost_search {
    struct socket *first, **end, *living;
};
typedef void (*visit)(struct lost_search *search, struct socket *carried);

static void visit_packets(struct lost_search *search, const struct socket *self, visit each)
{
    for (const struct packet *packet = self->carries > 0 ? self->first : NULL; packet != NULL; packet = packet->next) {
        for (uint32_t i = 0; i < passed_count(packet->passed) && packet->passed->sockets > 0; i++)
            if (socket_is(packet->passed->files[i]))
                each(search, socket_of(packet->passed->files[i]->node));
        point_of_rest();                        /* no message comes or goes meanwhile, and no reference that it has */
    }
}

/* The sockets in its messages, and in those of the connections that wait to be accepted. */
static void visit_carried(struct lost_search *search, const struct socket *self, visit each)
{
    visit_packets(search, self, each);
    for (const struct socket *child = self->waiting; child != NULL; child = child->next_waiting)
        visit_packets(search, child, each);
}

static void find_socket(struct lost_search *search, struct socket *self)
{
    const struct file *file = self->file;

    deep_assert(mutex_held(&sockets_lock) && file != NULL);
    self->found      = true;
    self->alive      = false;
    self->outside    = __atomic_load_n(&file->references, __ATOMIC_RELAXED);
    self->next_found = NULL;
    *search->end = self;
    search->end  = &self->next_found;
}

/* A reference that a message explains; a socket seen for the first time is looked into later. */
static void explain_reference(struct lost_search *search, struct socket *carried)
{
    if (!carried->found)
        find_socket(search, carried);
    assert(carried->outside > 0);
    carried->outside--;
}

static void keep_alive(struct lost_search *search, struct socket *carried)
{
    deep_assert(mutex_held(&sockets_lock));
    if (carried->alive)
        return;
    carried->alive      = true;
    carried->next_alive = search->living;
    search->living      = carried;
}

/* What has references from elsewhere is alive, and keeps alive what it carries. */
static void spread_life(struct lost_search *search)
{
    deep_assert(mutex_held(&sockets_lock));
    for (struct socket *self = search->first; self != NULL; self = self->next_found)
        if (self->outside > 0)
            keep_alive(search, self);
    while (search->living != NULL) {
        struct socket *self = search->living;

        search->living = self->next_alive;
        visit_carried(search, self, keep_alive);
    }
}

static void take_passed(struct socket *self, struct passed **dropped)
{
    for (struct packet *packet = self->carries > 0 ? self->first : NULL; packet != NULL; packet = packet->next) {
        point_of_rest();
        if (packet->passed != NULL) {
            passed_leave(packet->passed, self);
            packet->passed->next = *dropped;
            *dropped = packet->passed;
            packet->passed = NULL;
        }
    }
}

static struct socket *suspects;                 /* [sockets_lock] */

static void suspect(struct socket *self)
{
    deep_assert(mutex_held(&sockets_lock));
    if (self->to_suspect != NULL)
        return;
    self->next_suspect = suspects;
    self->to_suspect   = &suspects;
    if (suspects != NULL)
        suspects->to_suspect = &self->next_suspect;
    suspects = self;
}

void passed_forget(struct socket *self)
{
    deep_assert(mutex_held(&sockets_lock));
    if (self->to_suspect == NULL)
        return;
    *self->to_suspect = self->next_suspect;
    if (self->next_suspect != NULL)
        self->next_suspect->to_suspect = self->to_suspect;
    self->to_suspect = NULL;
}

/*
 * O(what can be reached from the suspects: their messages, those of what is in them, and so on), with rests. Bound: the
 * sockets that there are, and the files that users have on their way (FLYING_MOST).
 */
static struct passed *take_garbage(void)
{
    struct lost_search  search  = { .end = &search.first };
    struct passed *dropped = NULL;

    assert(mutex_held(&sockets_lock));
    while (suspects != NULL) {
        find_socket(&search, suspects);
        passed_forget(suspects);
    }
    for (struct socket *self = search.first; self != NULL; self = self->next_found)
        visit_carried(&search, self, explain_reference);
    spread_life(&search);
    for (struct socket *self = search.first; self != NULL; self = self->next_found) {
        self->found = false;
        if (self->alive)
            continue;
        take_passed(self, &dropped);
        for (struct socket *child = self->waiting; child != NULL; child = child->next_waiting)
            take_passed(child, &dropped);
    }
    return dropped;
}

bool sockets_put_off(void)
{
    struct thread *thread = current_thread();
    bool           before = thread->searches_later;

    thread->searches_later = true;
    return before;
}

/* What is found is released with the search put off: there may be new suspects. */
void sockets_search(bool put_off)
{
    struct passed *garbage;

    may_sleep();
    while (!put_off && __atomic_load_n(&suspects, __ATOMIC_RELAXED) != NULL) {
        mutex_take(&sockets_lock);
        garbage = take_garbage();
        mutex_drop(&sockets_lock);
        passed_release_all(garbage);
    }
    current_thread()->searches_later = put_off;
}

bool socket_release_in_flight(struct file *file)
{
    struct socket *self = socket_is(file) ? socket_of(file->node) : NULL;
    uint32_t       left, in_flight;

    may_sleep();
    mutex_take(&sockets_lock);
    in_flight = __atomic_load_n(&file->in_flight, __ATOMIC_RELAXED);
    if (in_flight == 0) {
        mutex_drop(&sockets_lock);
        return false;
    }
    left = __atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL);
    if (left == in_flight && self != NULL && (self->carries > 0 || self->waiting != NULL))
        suspect(self);
    mutex_drop(&sockets_lock);
    sockets_search(sockets_put_off());
    return true;
}
