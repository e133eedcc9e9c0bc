/*
 * socket_connect.c - names of sockets, and connections between them.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/random.h"
#include "base/string.h"
#include "files/ipc/socket_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { NAME_TRIES = 100 };                      /* of a million names: none of so many is free only where few are */

static struct socket *abstract;                 /* [sockets_lock] those with abstract names */

/* ---- Names -------------------------------------------------------------------------------------------- */

static bool is_abstract(const struct socket_name *name) { return name->length > 0 && name->text[0] == '\0'; }

static bool same_name(const struct socket_name *a, const struct socket_name *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static struct socket *find_abstract(const struct socket_name *name)
{
    struct socket *at = abstract;

    deep_assert(mutex_held(&sockets_lock));
    while (at != NULL && !same_name(&at->name, name))
        at = at->next_abstract;
    return at;
}

void socket_unname(struct socket *self)
{
    struct socket **at = &abstract;

    assert(mutex_held(&sockets_lock));
    if (self->name_node != NULL) {
        self->name_node->own = NULL;
        node_release(self->name_node);
        self->name_node = NULL;
    }
    while (*at != NULL && *at != self)          /* who was accepted has the listener's name, and is not in the list */
        at = &(*at)->next_abstract;
    if (*at != NULL)
        *at = self->next_abstract;
}

static int bind_path(struct socket *self, const char *path)
{
    int err = path_make_node(current_process()->fs, NULL, path, S_SOCKET | 0777, 0, &self->name_node);

    if (err == 0)
        self->name_node->own = self;
    return err == -EEXIST ? -EADDRINUSE : err;
}

/*
 * A socket that binds without a name gets an abstract one of five hexadecimal digits. Each try is another number: rows
 * that a program has bound itself would be gone through in one stretch.
 */
static int bind_some(struct socket *self, struct socket_name *name)
{
    uint32_t number;

    for (uint32_t tries = 0; tries < NAME_TRIES; tries++) {
        random_bytes(&number, sizeof number);
        name->length  = 6;
        name->text[0] = '\0';
        format_text(name->text + 1, 6, "%05x", (unsigned)(number & 0xFFFFF));
        if (find_abstract(name) == NULL) {
            self->next_abstract = abstract;
            abstract = self;
            return 0;
        }
    }
    return -EADDRINUSE;
}

/*
 * A socket that has a name is asked once more: no name is fine, a path that cannot be is told, and nothing changes in
 * any case.
 */
static int bind_again(const struct socket_name *name)
{
    int err;

    if (name->length == 0)
        return 0;
    if (is_abstract(name))
        return -EINVAL;
    err = path_may_make(current_process()->fs, NULL, name->text);
    return err == 0 ? -EINVAL : err == -EEXIST ? -EADDRINUSE : err;
}

static int bind_locked(struct socket *self, struct socket_name *name)
{
    int err = 0;

    assert(mutex_held(&sockets_lock));
    if (self->name.length != 0)
        return bind_again(name);
    if (name->length == 0) {
        err = bind_some(self, name);
    } else if (!is_abstract(name)) {
        err = bind_path(self, name->text);
    } else if (find_abstract(name) != NULL) {
        err = -EADDRINUSE;
    } else {
        self->next_abstract = abstract;
        abstract = self;
    }
    if (err == 0)
        self->name = *name;
    return err;
}

int socket_bind(struct file *file, const struct socket_name *name)
{
    struct socket_name copy = *name;
    int                err;

    may_sleep();
    assert(socket_is(file));
    mutex_take(&sockets_lock);
    err = bind_locked(socket_of(file->node), &copy);
    mutex_drop(&sockets_lock);
    return err;
}

/* The socket of a name, with a reference. The lock is held. */
int socket_find(const struct socket_name *name, struct socket **out)
{
    struct node   *found_node;
    struct socket *found;
    int            err;

    assert(mutex_held(&sockets_lock));
    if (is_abstract(name)) {
        found = find_abstract(name);
        if (found == NULL)
            return -ECONNREFUSED;
    } else {
        err = path_find(current_process()->fs, NULL, name->text, 0, &found_node);
        if (err != 0)
            return err;
        err   = (found_node->mode & S_FMT) != S_SOCKET ? -ECONNREFUSED : node_allows(found_node, 2);
        found = err == 0 ? found_node->own : NULL;      /* a socket's own node, found through /proc, has none */
        node_release(found_node);
        if (found == NULL)
            return err != 0 ? err : -ECONNREFUSED;
    }
    node_hold(&found->node);
    *out = found;
    return 0;
}

void socket_own_name(struct file *file, struct socket_name *out)
{
    may_sleep();
    deep_assert(socket_is(file));
    mutex_take(&sockets_lock);
    *out = socket_of(file->node)->name;
    mutex_drop(&sockets_lock);
}

int socket_peer_name(struct file *file, struct socket_name *out)
{
    const struct socket *peer;

    may_sleep();
    assert(socket_is(file));
    mutex_take(&sockets_lock);
    peer = socket_of(file->node)->peer;
    if (peer != NULL)
        *out = peer->name;
    mutex_drop(&sockets_lock);
    return peer != NULL ? 0 : -ENOTCONN;
}

/* ---- Connecting ------------------------------------------------------------------------------------------ */

int socket_listen(struct file *file, int backlog)
{
    struct socket *self = socket_of(file->node);
    bool           fits;

    may_sleep();
    assert(socket_is(file));
    if (self->type == SOCKET_DATAGRAM)
        return -EOPNOTSUPP;
    mutex_take(&sockets_lock);
    fits = self->name.length != 0 && self->peer == NULL;
    if (fits) {
        self->listening = true;
        self->backlog   = backlog < 0 || backlog > SOCKET_BACKLOG ? SOCKET_BACKLOG : (uint32_t)backlog;
    }
    mutex_drop(&sockets_lock);
    return fits ? 0 : -EINVAL;
}

uint64_t socket_deadline(uint64_t limit)
{
    uint64_t deadline;

    if (limit == 0)
        return NEVER;
    return limit == UINT64_MAX || __builtin_add_overflow(clock_now(), limit, &deadline) ? 0 : deadline;
}

/* A wait that has a limit does not begin again after a signal: it would have its whole time once more. */
int socket_wait(struct wait_queue *queue, uint64_t deadline)
{
    int err = -ETIMEDOUT;

    may_sleep();
    assert(mutex_held(&sockets_lock));
    if (deadline != 0) {
        wait_start(queue);
        mutex_drop(&sockets_lock);
        err = wait_linked(deadline, WAIT_SIGNALS);
        wait_end();
        mutex_take(&sockets_lock);
    }
    if (err == -EINTR)
        return deadline == NEVER ? -ERESTARTSYS : -EINTR;
    return err == -ETIMEDOUT ? -EAGAIN : 0;
}

static int refuse_connection(const struct socket *self, const struct socket *listener)
{
    if (listener->type != self->type)
        return -EPROTOTYPE;
    if (!listener->listening || listener->closed || listener->shut_read)
        return -ECONNREFUSED;
    if (self->peer != NULL)
        return -EISCONN;
    return self->listening ? -EINVAL : 0;
}

/* A new socket at the listener's side, connected to the caller's, waits to be accepted. */
static int queue_connection(struct socket *self, struct socket *listener, uint64_t deadline)
{
    struct socket *child, **at;
    int            err;

    assert(mutex_held(&sockets_lock) && self->type != SOCKET_DATAGRAM);
    err = refuse_connection(self, listener);
    while (err == 0 && listener->waiting_count > listener->backlog) {
        err = socket_wait(&listener->room, deadline);
        if (err == 0)                           /* another thread may have been here meanwhile */
            err = refuse_connection(self, listener);
    }
    if (err != 0)
        return err;
    child = socket_new(self->type);
    if (child == NULL)
        return -ENOMEM;
    child->name    = listener->name;
    child->maker   = listener->maker;
    child->options.flags[FLAG_CREDENTIALS] = listener->options.flags[FLAG_CREDENTIALS];
    self->hung_up  = false;
    socket_join(self, child);
    for (at = &listener->waiting; *at != NULL; at = &(*at)->next_waiting)
        ;
    *at = child;
    listener->waiting_count++;
    node_notify_of(&listener->node, POLL_IN | POLL_RDNORM);
    return 0;
}

static int connect_locked(struct socket *self, const struct socket_name *name, uint64_t deadline)
{
    struct socket *other;
    int            err;

    assert(mutex_held(&sockets_lock));
    if (name == NULL) {
        if (self->type != SOCKET_DATAGRAM)
            return -EINVAL;
        socket_let_go(self);
        return 0;
    }
    err = socket_find(name, &other);
    if (err != 0)
        return err;
    if (self->type != SOCKET_DATAGRAM) {
        err = queue_connection(self, other, deadline);
    } else if (other->type != SOCKET_DATAGRAM) {
        err = -EPROTOTYPE;
    } else {
        socket_let_go(self);
        socket_be_client(self, other);
    }
    node_release(&other->node);
    return err;
}

int socket_connect(struct file *file, const struct socket_name *name)
{
    struct socket *self     = socket_of(file->node);
    uint64_t       deadline;
    int            err;

    may_sleep();
    assert(socket_is(file));
    deadline = file->flags & O_NONBLOCK ? 0 : socket_deadline(self->options.send_limit);
    mutex_take(&sockets_lock);
    err = connect_locked(self, name, deadline);
    mutex_drop(&sockets_lock);
    return err;
}

static int accept_locked(struct socket *self, uint64_t deadline, struct socket **out)
{
    assert(mutex_held(&sockets_lock));
    while (self->waiting == NULL) {
        int err = socket_wait(&self->node.ready, deadline);

        if (err != 0)
            return err;
        if (self->shut_read)
            return -EINVAL;
    }
    *out = self->waiting;
    self->waiting = (*out)->next_waiting;
    self->waiting_count--;
    wake_all(&self->room);
    return 0;
}

/* All memory is had before a connection is taken: one that is lost for want of it would not come again. */
int socket_accept(struct file *file, uint32_t flags, struct file **out)
{
    struct socket *self = socket_of(file->node), *child;
    struct file   *room;
    uint64_t       deadline;
    int            err;

    may_sleep();
    assert(socket_is(file));
    deadline = file->flags & O_NONBLOCK ? 0 : socket_deadline(self->options.receive_limit);
    if (self->type == SOCKET_DATAGRAM)
        return -EOPNOTSUPP;
    if (!self->listening)
        return -EINVAL;
    room = heap_alloc(sizeof *room, 0);
    if (room == NULL)
        return -ENOMEM;
    mutex_take(&sockets_lock);
    err = accept_locked(self, deadline, &child);
    if (err == 0)
        *out = socket_open(child, room, flags);
    mutex_drop(&sockets_lock);
    if (err != 0)
        heap_free_sized(room, sizeof *room);
    return err;
}
