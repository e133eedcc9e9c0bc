/*
 * socket.c - making, naming and connecting sockets.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/ipc/socket_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { SOCKET_MAGIC = 0x534F434B };

struct mutex sockets_lock = MUTEX("sockets");

static struct socket *abstract;                 /* [sockets_lock] those with abstract names */

/* ---- Nodes ---------------------------------------------------------------------------------------- */

static void drop_packets(struct socket *self, struct passed **dropped)
{
    while (self->first != NULL)
        socket_drop_packet(self, dropped);
}

static void socket_release(struct node *node)
{
    struct socket *self = socket_of(node);

    assert(self->first == NULL);
    heap_free_sized(self, sizeof *self);
}

static void unname(struct socket *self)
{
    struct socket **at = &abstract;

    if (self->name_node != NULL) {
        self->name_node->own = NULL;
        node_release(self->name_node);
        self->name_node = NULL;
    }
    if (self->name.length == 0 || self->name.text[0] != '\0')
        return;
    while (*at != self)
        at = &(*at)->next_abstract;
    *at = self->next_abstract;
}

void socket_notify_room(struct socket *self)
{
    wake_all(&self->room);
    if (self->peer != NULL && self->type != SOCKET_DATAGRAM)
        node_notify_of(&self->peer->node, POLL_OUT | POLL_WRNORM);
    for (struct socket *client = self->clients; client != NULL; client = client->next_client)
        node_notify_of(&client->node, POLL_OUT | POLL_WRNORM);
}

/* Something that all want to know: who reads, who sends, who polls. */
static void notify_all(struct socket *self)
{
    node_notify(&self->node);
    wake_all(&self->room);
}

static void leave_clients(struct socket *self)
{
    struct socket **at = &self->peer->clients;

    while (*at != self)
        at = &(*at)->next_client;
    *at = self->next_client;
}

/* A datagram socket lets go of its peer, which need not know it. */
static void let_go(struct socket *self)
{
    struct socket *peer = self->peer;

    if (peer == NULL)
        return;
    leave_clients(self);
    self->peer = NULL;
    node_release(&peer->node);
}

/* Let go of the peer, and it of us: its end has come. */
static void part(struct socket *self)
{
    struct socket *peer = self->peer;

    if (self->type == SOCKET_DATAGRAM || peer == NULL) {
        let_go(self);
        return;
    }
    self->peer    = NULL;
    peer->peer    = NULL;
    peer->hung_up = true;
    if (self->first != NULL)
        peer->error = ECONNRESET;
    notify_all(peer);
    node_release(&self->node);
    node_release(&peer->node);
}

/* Nobody will accept them. */
static void drop_waiting(struct socket *self, struct passed **dropped)
{
    while (self->waiting != NULL) {
        struct socket *child = self->waiting;

        self->waiting = child->next_waiting;
        self->waiting_count--;
        part(child);
        drop_packets(child, dropped);
        node_release(&child->node);
    }
}

static void socket_close(struct file *file)
{
    struct socket *self    = socket_of(file->node);
    struct passed *dropped = NULL;

    mutex_take(&sockets_lock);
    self->closed = true;
    unname(self);
    part(self);
    while (self->clients != NULL) {             /* their next message is refused */
        struct socket *client = self->clients;

        let_go(client);
        client->refused = true;
        node_notify(&client->node);
    }
    drop_waiting(self, &dropped);
    drop_packets(self, &dropped);
    wake_all(&self->room);
    mutex_drop(&sockets_lock);
    passed_release_all(dropped);
}

static int socket_describe(struct node *node, char *to, size_t size)
{
    int length = format_text(to, size, "socket:[%llu]", (unsigned long long)node->inode);

    return (size_t)length < size ? length : -ERANGE;
}

bool socket_writable(const struct socket *self)
{
    return !self->listening && (self->peer == NULL || self->peer->held < SOCKET_ROOM / 2);
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
    if (socket_writable(self))
        bits |= POLL_OUT | POLL_WRNORM | POLL_WRBAND;
    return bits;
}

static long socket_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    struct received received;
    long            got = socket_receive(file, to, 1, 0, &received);

    passed_release(received.passed);            /* nobody asked for them */
    return got;
}

static long socket_write(struct file *file, struct buffer *from, uint64_t at __attribute__((unused)))
{
    struct sending sending = { .to = NULL };

    return socket_send(file, from, 1, &sending, 0);
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
    self->type  = type;
    self->maker = (struct credentials){ current_process()->id, user_acting(), group_acting() };
    self->options.send_room = self->options.receive_room = SOCKET_ROOM;
    self->options.least_to_read = 1;
    return self;
}

/* A socket has one open file at most: it cannot be opened by a path. */
static int open_socket(struct socket *self, uint32_t flags, struct file **out)
{
    *out = file_make(&self->node, &socket_operations, O_RDWR | flags);
    self->node.own = *out;
    return *out != NULL ? 0 : -ENOMEM;
}

int socket_make(int type, uint32_t flags, struct file **out)
{
    struct socket *self = socket_new(type);
    int            err  = self == NULL ? -ENOMEM : open_socket(self, flags, out);

    if (err != 0 && self != NULL)
        node_release(&self->node);
    return err;
}

static void join(struct socket *a, struct socket *b)
{
    node_hold(&a->node);
    node_hold(&b->node);
    a->peer = b;
    b->peer = a;
}

/* A datagram socket's messages go to the peer from now on. */
static void be_client(struct socket *self, struct socket *peer)
{
    node_hold(&peer->node);
    self->peer        = peer;
    self->next_client = peer->clients;
    peer->clients     = self;
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
    if (type != SOCKET_DATAGRAM) {
        join(socket_of((*one)->node), socket_of((*other)->node));
    } else {
        be_client(socket_of((*one)->node), socket_of((*other)->node));
        be_client(socket_of((*other)->node), socket_of((*one)->node));
    }
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
    struct fs_context *fs = current_process()->fs;
    int                err = path_make_node(fs, NULL, path, S_SOCKET | 0777, 0);

    if (err == 0)
        err = path_find(fs, NULL, path, PATH_NO_FOLLOW, &self->name_node);
    if (err == 0)
        self->name_node->own = self;
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
    struct node   *found_node;
    struct socket *found;
    int            err;

    if (is_abstract(name)) {
        found = find_abstract(name);
        if (found == NULL)
            return -ECONNREFUSED;
    } else {
        err = path_find(current_process()->fs, NULL, name->text, 0, &found_node);
        if (err != 0)
            return err;
        err   = (found_node->mode & S_FMT) != S_SOCKET ? -ECONNREFUSED : node_allows(found_node, 2);
        found = err == 0 ? found_node->own : NULL;
        node_release(found_node);
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

/* A new socket at the listener's side, connected to the caller's, waits to be accepted. */
static int knock(struct socket *self, struct socket *listener, uint64_t deadline)
{
    struct socket *child, **at;

    if (self->peer != NULL)
        return -EISCONN;
    if (self->listening)
        return -EINVAL;
    while (listener->listening && !listener->closed && listener->waiting_count > listener->backlog) {
        int err = socket_wait(&listener->room, deadline);

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
    child->maker   = listener->maker;
    child->options.flags[FLAG_CREDENTIALS] = listener->options.flags[FLAG_CREDENTIALS];
    self->hung_up  = false;
    join(self, child);
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

    if (name == NULL) {
        if (self->type != SOCKET_DATAGRAM)
            return -EINVAL;
        let_go(self);
        return 0;
    }
    err = socket_find(name, &other);
    if (err != 0)
        return err;
    if (self->type != SOCKET_DATAGRAM) {
        err = knock(self, other, deadline);
    } else if (other->type != SOCKET_DATAGRAM) {
        err = -EPROTOTYPE;
    } else {
        let_go(self);
        be_client(self, other);
    }
    node_release(&other->node);
    return err;
}

int socket_connect(struct file *file, const struct socket_name *name)
{
    struct socket *self     = socket_of(file->node);
    uint64_t       deadline = file->flags & O_NONBLOCK ? 0 : socket_deadline(self->options.send_limit);
    int            err;

    mutex_take(&sockets_lock);
    err = connect_locked(self, name, deadline);
    mutex_drop(&sockets_lock);
    return err;
}

static int accept_locked(struct socket *self, uint64_t deadline, struct socket **out)
{
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

/* A connection that nobody has opened ends. */
static void abandon(struct socket *child)
{
    struct passed *dropped = NULL;

    mutex_take(&sockets_lock);
    part(child);
    drop_packets(child, &dropped);
    mutex_drop(&sockets_lock);
    node_release(&child->node);
    passed_release_all(dropped);
}

int socket_accept(struct file *file, uint32_t flags, struct file **out)
{
    struct socket *self     = socket_of(file->node), *child;
    uint64_t       deadline = file->flags & O_NONBLOCK ? 0 : socket_deadline(self->options.receive_limit);
    int            err;

    if (self->type == SOCKET_DATAGRAM)
        return -EOPNOTSUPP;
    if (!self->listening)
        return -EINVAL;
    mutex_take(&sockets_lock);
    err = accept_locked(self, deadline, &child);
    if (err == 0)
        err = open_socket(child, flags, out);
    else
        child = NULL;
    mutex_drop(&sockets_lock);
    if (err != 0 && child != NULL)
        abandon(child);
    return err;
}

int socket_shut(struct file *file, bool reading, bool writing)
{
    struct socket *self = socket_of(file->node);

    mutex_take(&sockets_lock);
    self->shut_read  |= reading;
    self->shut_write |= writing;
    if (self->peer != NULL && self->type != SOCKET_DATAGRAM) {
        self->peer->shut_write |= reading;
        self->peer->shut_read  |= writing;
        notify_all(self->peer);
    }
    notify_all(self);
    mutex_drop(&sockets_lock);
    return 0;
}

void socket_facts(struct file *file, struct socket_facts *out)
{
    static const struct credentials nobody = { 0, UINT32_MAX, UINT32_MAX };
    struct socket                  *self   = socket_of(file->node);

    mutex_take(&sockets_lock);
    *out = (struct socket_facts){ .type = self->type, .error = self->error, .listening = self->listening,
                                  .peer = self->peer != NULL ? self->peer->maker : nobody };
    self->error = 0;
    mutex_drop(&sockets_lock);
}

struct socket_options *socket_options(struct file *file) { return &socket_of(file->node)->options; }

/* ---- Checking ------------------------------------------------------------------------------------------------ */

static bool packets_ok(const struct socket *self)
{
    const struct packet *last = NULL;
    size_t               bytes = 0, held = 0;
    uint32_t             packets = 0, carries = 0;

    for (const struct packet *packet = self->first; packet != NULL; last = packet, packet = packet->next) {
        bytes += packet->bytes - packet->at;
        held  += packet->bytes + PACKET_COST;
        packets++;
        for (uint32_t i = 0; i < passed_count(packet->passed); i++)
            carries += socket_is(passed_file(packet->passed, i));
    }
    return last == self->last && bytes == self->bytes && held == self->held && packets == self->packets &&   /* S1 */
           carries == self->carries;                                                                          /* S2 */
}

static bool peer_ok(const struct socket *self)
{
    const struct socket *client;

    if (self->peer == NULL || self->type != SOCKET_DATAGRAM)
        return self->peer == NULL || self->peer->peer == self;
    for (client = self->peer->clients; client != NULL && client != self; client = client->next_client)
        ;
    return client == self;
}

bool socket_ok(struct file *file)
{
    const struct socket *self = socket_of(file->node);
    uint32_t             waiting = 0;

    for (const struct socket *child = self->waiting; child != NULL; child = child->next_waiting, waiting++)
        if (child->node.own != NULL || !packets_ok(child) || !peer_ok(child))
            return false;                                                                                     /* S4 */
    return packets_ok(self) && peer_ok(self) && waiting == self->waiting_count;  /* S1..S4 */
}
