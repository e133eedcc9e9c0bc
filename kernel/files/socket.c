/*
 * socket.c - making, naming and connecting sockets.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/socket_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { SOCKET_MAGIC = 0x534F434B };

struct mutex sockets_lock = MUTEX("sockets");

static struct socket *abstract;                 /* [sockets_lock] those with abstract names */

/* ---- Nodes ---------------------------------------------------------------------------------------- */

static void drop_packets(struct socket *self)
{
    while (self->first != NULL)
        socket_drop_packet(self);
}

static void socket_release(struct node *node)
{
    struct socket *self = socket_of(node);

    drop_packets(self);
    heap_free_sized(self, sizeof *self);
}

static void unname(struct socket *self)
{
    struct socket **at = &abstract;

    if (self->place != NULL) {
        self->place->own = NULL;
        node_release(self->place);
        self->place = NULL;
    }
    while (*at != NULL && *at != self)
        at = &(*at)->next_abstract;
    if (*at == self)
        *at = self->next_abstract;
}

/* Let go of the peer, and it of us. A datagram socket's peer need not know us. */
static void part(struct socket *self)
{
    struct socket *peer = self->peer;

    if (peer == NULL)
        return;
    self->peer = NULL;
    if (peer->peer == self) {
        peer->peer = NULL;
        if (self->type != SOCKET_DATAGRAM) {
            peer->hung_up = true;
            if (self->first != NULL)
                peer->error = ECONNRESET;
        }
        node_release(&self->node);
    }
    node_tell(&peer->node);
    node_release(&peer->node);
}

static void socket_close(struct file *file)
{
    struct socket *self = socket_of(file->node);

    mutex_take(&sockets_lock);
    self->closed = true;
    unname(self);
    part(self);
    while (self->waiting != NULL) {             /* nobody will accept them */
        struct socket *child = self->waiting;

        self->waiting = child->next_waiting;
        part(child);
        node_release(&child->node);
    }
    drop_packets(self);
    mutex_drop(&sockets_lock);
}

static int socket_describe(struct node *node, char *to, size_t size)
{
    int length = format_text(to, size, "socket:[%llu]", (unsigned long long)node->inode);

    return (size_t)length < size ? length : -ERANGE;
}

static unsigned socket_poll(struct file *file, struct wait_queue **queue)
{
    const struct socket *self = socket_of(file->node);
    unsigned             bits = 0;

    *queue = &file->node->ready;
    if (self->first != NULL || self->waiting != NULL || self->hung_up || self->shut_read)
        bits |= POLL_IN | POLL_RDNORM;
    if (self->hung_up || self->shut_read)
        bits |= POLL_RDHUP;
    if (self->hung_up || (self->type != SOCKET_DATAGRAM && self->peer == NULL && !self->listening) ||
        (self->shut_read && self->shut_write))
        bits |= POLL_HUP;
    if (self->error != 0)
        bits |= POLL_ERR;
    if (!self->listening && (self->peer == NULL || self->peer->bytes < SOCKET_ROOM / 2))
        bits |= POLL_OUT | POLL_WRNORM;
    return bits;
}

static long socket_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    bool cut;

    return socket_receive(file, to, 1, 0, NULL, &cut);
}

static long socket_write(struct file *file, struct buffer *from, uint64_t at __attribute__((unused)))
{
    return socket_send(file, from, 1, NULL, 0);
}

static long socket_control(struct file *file, unsigned request, user_t argument)
{
    const struct socket *self = socket_of(file->node);
    int32_t              left = 0;

    if (request != 0x541B)                      /* FIONREAD */
        return -ENOTTY;
    if (self->first != NULL)
        left = (int32_t)(self->type == SOCKET_STREAM ? self->bytes : self->first->bytes - self->first->at);
    return user_write(argument, &left, sizeof left);
}

static const struct node_operations socket_operations = {
    .traits = NODE_STREAM, .read = socket_read, .write = socket_write, .poll = socket_poll, .control = socket_control,
    .close = socket_close, .release = socket_release, .describe = socket_describe,
};

bool socket_is(const struct file *file) { return file->operations == &socket_operations && !(file->flags & O_PATH); }

static struct socket *socket_new(int type)
{
    static struct file_system sockets;
    struct socket            *self = heap_alloc(sizeof *self, HEAP_ZERO);

    if (self == NULL)
        return NULL;
    if (sockets.type == NULL)
        system_start(&sockets, "sockfs", SOCKET_MAGIC);
    node_start(&self->node, &socket_operations, &sockets, S_SOCKET | 0777);
    self->node.links = 1;
    self->type    = type;
    self->process = current_process()->id;
    self->user    = user_acting();
    self->group   = group_acting();
    return self;
}

int socket_make(int type, uint32_t flags, struct file **out)
{
    struct socket *self = socket_new(type);

    if (self == NULL)
        return -ENOMEM;
    *out = file_make(&self->node, &socket_operations, O_RDWR | flags);
    if (*out == NULL)
        node_release(&self->node);
    return *out != NULL ? 0 : -ENOMEM;
}

static void join(struct socket *a, struct socket *b)
{
    node_hold(&a->node);
    node_hold(&b->node);
    a->peer = b;
    b->peer = a;
}

int socket_pair(int type, uint32_t flags, struct file **one, struct file **other)
{
    int err = socket_make(type, flags, one);

    if (err != 0)
        return err;
    err = socket_make(type, flags, other);
    if (err != 0) {
        file_release(*one);
        return err;
    }
    join(socket_of((*one)->node), socket_of((*other)->node));
    return 0;
}

/* ---- Names -------------------------------------------------------------------------------------------- */

static bool is_abstract(const struct socket_name *name) { return name->length > 0 && name->text[0] == '\0'; }

static bool same_name(const struct socket_name *a, const struct socket_name *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static struct socket *find_abstract(const struct socket_name *name)
{
    struct socket *at = abstract;

    while (at != NULL && !same_name(&at->name, name))
        at = at->next_abstract;
    return at;
}

static int bind_path(struct socket *self, const char *path)
{
    struct place *place = current_process()->place;
    int           err   = path_make_node(place, NULL, path, S_SOCKET | 0777, 0);

    if (err == 0)
        err = path_find(place, NULL, path, PATH_NO_FOLLOW, &self->place);
    if (err == 0)
        self->place->own = self;
    return err == -EEXIST ? -EADDRINUSE : err;
}

/* A socket that binds without a name gets an abstract one of five hexadecimal digits. */
static int bind_some(struct socket *self, struct socket_name *name)
{
    for (uint32_t tries = 0; tries < 0x100000; tries++) {
        name->length  = 6;
        name->text[0] = '\0';
        format_text(name->text + 1, 6, "%05x", (unsigned)tries);
        if (find_abstract(name) == NULL) {
            self->next_abstract = abstract;
            abstract = self;
            return 0;
        }
    }
    return -EADDRINUSE;
}

static int bind_locked(struct socket *self, struct socket_name *name)
{
    int err = 0;

    if (self->name.length != 0)
        return -EINVAL;
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

    mutex_take(&sockets_lock);
    err = bind_locked(socket_of(file->node), &copy);
    mutex_drop(&sockets_lock);
    return err;
}

/* The socket of a name, with a reference. The lock is held. */
int socket_find(const struct socket_name *name, struct socket **out)
{
    struct node   *place;
    struct socket *found;
    int            err;

    if (is_abstract(name)) {
        found = find_abstract(name);
        if (found == NULL)
            return -ECONNREFUSED;
    } else {
        err = path_find(current_process()->place, NULL, name->text, 0, &place);
        if (err != 0)
            return err;
        err   = (place->mode & S_FMT) != S_SOCKET ? -ECONNREFUSED : node_allows(place, 2);
        found = err == 0 ? place->own : NULL;
        node_release(place);
        if (found == NULL)
            return err != 0 ? err : -ECONNREFUSED;
    }
    node_hold(&found->node);
    *out = found;
    return 0;
}

void socket_own_name(struct file *file, struct socket_name *out) { *out = socket_of(file->node)->name; }

int socket_peer_name(struct file *file, struct socket_name *out)
{
    const struct socket *self = socket_of(file->node);

    if (self->peer == NULL)
        return -ENOTCONN;
    *out = self->peer->name;
    return 0;
}

/* ---- Connecting ------------------------------------------------------------------------------------------ */

int socket_listen(struct file *file, int backlog)
{
    struct socket *self = socket_of(file->node);

    if (self->type == SOCKET_DATAGRAM)
        return -EOPNOTSUPP;
    if (self->name.length == 0 || self->peer != NULL)
        return -EINVAL;
    self->listening = true;
    self->backlog   = backlog < 0 || backlog > SOCKET_BACKLOG ? SOCKET_BACKLOG : (uint32_t)backlog;
    return 0;
}

int socket_wait(struct socket *self)
{
    int err;

    wait_start(&self->node.ready);
    mutex_drop(&sockets_lock);
    err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    mutex_take(&sockets_lock);
    return err == -EINTR ? -ERESTARTSYS : 0;
}

/* A new socket at the listener's side, connected to the caller's, waits to be accepted. */
static int knock(struct socket *self, struct socket *listener, bool patient)
{
    struct socket *child, **at;

    if (self->peer != NULL)
        return -EISCONN;
    if (self->listening)
        return -EINVAL;
    while (listener->listening && !listener->closed && listener->waiting_count > listener->backlog) {
        int err = patient ? socket_wait(listener) : -EAGAIN;

        if (err != 0)
            return err;
    }
    if (!listener->listening || listener->closed || listener->shut_read)
        return -ECONNREFUSED;
    if (listener->type != self->type)
        return -EPROTOTYPE;
    child = socket_new(self->type);
    if (child == NULL)
        return -ENOMEM;
    child->name    = listener->name;
    child->process = listener->process;
    child->user    = listener->user;
    child->group   = listener->group;
    self->hung_up  = false;
    join(self, child);
    for (at = &listener->waiting; *at != NULL; at = &(*at)->next_waiting)
        ;
    *at = child;
    listener->waiting_count++;
    node_tell(&listener->node);
    return 0;
}

static int connect_locked(struct socket *self, const struct socket_name *name, bool patient)
{
    struct socket *other;
    int            err;

    if (name == NULL) {
        if (self->type != SOCKET_DATAGRAM)
            return -EINVAL;
        part(self);
        return 0;
    }
    err = socket_find(name, &other);
    if (err != 0)
        return err;
    if (self->type != SOCKET_DATAGRAM) {
        err = knock(self, other, patient);
    } else if (other->type != SOCKET_DATAGRAM) {
        err = -EPROTOTYPE;
    } else {
        part(self);
        node_hold(&other->node);
        self->peer = other;
    }
    node_release(&other->node);
    return err;
}

int socket_connect(struct file *file, const struct socket_name *name)
{
    int err;

    mutex_take(&sockets_lock);
    err = connect_locked(socket_of(file->node), name, !(file->flags & O_NONBLOCK));
    mutex_drop(&sockets_lock);
    return err;
}

static int accept_locked(struct socket *self, bool patient, struct socket **out)
{
    while (self->waiting == NULL) {
        int err = patient ? socket_wait(self) : -EAGAIN;

        if (err != 0)
            return err;
        if (self->shut_read)
            return -EINVAL;
    }
    *out = self->waiting;
    self->waiting = (*out)->next_waiting;
    self->waiting_count--;
    node_tell(&self->node);
    return 0;
}

int socket_accept(struct file *file, uint32_t flags, struct file **out)
{
    struct socket *self = socket_of(file->node), *child;
    int            err;

    if (self->type == SOCKET_DATAGRAM)
        return -EOPNOTSUPP;
    if (!self->listening)
        return -EINVAL;
    mutex_take(&sockets_lock);
    err = accept_locked(self, !(file->flags & O_NONBLOCK), &child);
    mutex_drop(&sockets_lock);
    if (err != 0)
        return err;
    *out = file_make(&child->node, &socket_operations, O_RDWR | flags);
    if (*out != NULL)
        return 0;
    mutex_take(&sockets_lock);
    part(child);
    mutex_drop(&sockets_lock);
    node_release(&child->node);
    return -ENOMEM;
}

int socket_shut(struct file *file, bool reading, bool writing)
{
    struct socket *self = socket_of(file->node);

    if (self->peer == NULL && self->type != SOCKET_DATAGRAM && !self->listening)
        return -ENOTCONN;
    mutex_take(&sockets_lock);
    self->shut_read  |= reading;
    self->shut_write |= writing;
    if (self->peer != NULL && self->type != SOCKET_DATAGRAM) {
        self->peer->shut_write |= reading;
        self->peer->shut_read  |= writing;
        node_tell(&self->peer->node);
    }
    node_tell(&self->node);
    mutex_drop(&sockets_lock);
    return 0;
}

void socket_facts(struct file *file, struct socket_facts *out)
{
    struct socket       *self = socket_of(file->node);
    const struct socket *peer = self->peer;

    *out = (struct socket_facts){ .type = self->type, .error = self->error, .listening = self->listening,
                                  .peer_process = peer != NULL ? peer->process : 0,
                                  .peer_user = peer != NULL ? peer->user : UINT32_MAX,
                                  .peer_group = peer != NULL ? peer->group : UINT32_MAX };
    self->error = 0;
}
