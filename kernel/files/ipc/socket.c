/*
 * socket.c - sockets as nodes and open files: made, polled, closed.
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

/* ---- Nodes ---------------------------------------------------------------------------------------- */

static void drop_packets(struct socket *self, struct passed **dropped)
{
    deep_assert(mutex_held(&sockets_lock));
    while (self->first != NULL)
        socket_drop_packet(self, dropped);
}

static void socket_release(struct node *node)
{
    struct socket *self = socket_of(node);

    assert(self->first == NULL);
    heap_free_sized(self, sizeof *self);
}

void socket_notify_room(struct socket *self)
{
    may_sleep();
    deep_assert(mutex_held(&sockets_lock));
    wake_all(&self->room);
    if (self->peer != NULL && self->type != SOCKET_DATAGRAM)
        node_notify_of(&self->peer->node, POLL_OUT | POLL_WRNORM);
    for (struct socket *client = self->clients; client != NULL; client = client->next_client) {
        node_notify_of(&client->node, POLL_OUT | POLL_WRNORM);
        point_of_rest();                        /* clients stay while the lock is held */
    }
}

/* A change that readers, senders and polls all wait for. */
static void notify_everybody(struct socket *self)
{
    deep_assert(mutex_held(&sockets_lock));
    node_notify(&self->node);
    wake_all(&self->room);
}

static void leave_clients(struct socket *self)
{
    struct socket **at = &self->peer->clients;

    assert(mutex_held(&sockets_lock) && self->type == SOCKET_DATAGRAM);
    while (*at != self)
        at = &(*at)->next_client;
    *at = self->next_client;
}

/* A datagram socket lets go of its peer, which need not know it. */
void socket_let_go(struct socket *self)
{
    struct socket *peer = self->peer;

    deep_assert(mutex_held(&sockets_lock));
    if (peer == NULL)
        return;
    leave_clients(self);
    self->peer = NULL;
    node_release(&peer->node);
}

/* Let go of the peer, and it of us: its end has come. What waits for room here is not waited for any more. */
static void part_from_peer(struct socket *self)
{
    struct socket *peer = self->peer;

    assert(mutex_held(&sockets_lock));
    wake_all(&self->room);
    if (self->type == SOCKET_DATAGRAM || peer == NULL) {
        socket_let_go(self);
        return;
    }
    self->peer    = NULL;
    peer->peer    = NULL;
    peer->hung_up = true;
    if (self->first != NULL)
        peer->error = ECONNRESET;
    notify_everybody(peer);
    node_release(&self->node);
    node_release(&peer->node);
}

/* Connections that will not be accepted any more. */
static void drop_waiting_children(struct socket *self, struct passed **dropped)
{
    assert(mutex_held(&sockets_lock));
    while (self->waiting != NULL) {
        struct socket *child = self->waiting;

        self->waiting = child->next_waiting;
        self->waiting_count--;
        part_from_peer(child);
        drop_packets(child, dropped);
        node_release(&child->node);
        point_of_rest();
    }
}

static void socket_close(struct file *file)
{
    struct socket *self    = socket_of(file->node);
    struct passed *dropped = NULL;

    mutex_take(&sockets_lock);
    passed_forget(self);
    self->closed = true;
    socket_unname(self);
    part_from_peer(self);
    while (self->clients != NULL) {             /* their next message is refused */
        struct socket *client = self->clients;

        socket_let_go(client);
        client->refused = true;
        node_notify(&client->node);
        point_of_rest();
    }
    drop_waiting_children(self, &dropped);
    drop_packets(self, &dropped);
    mutex_drop(&sockets_lock);
    passed_release_all(dropped);
}

static int socket_describe(struct node *node, char *to, size_t size)
{
    int length = format_text(to, size, "socket:[%llu]", (unsigned long long)node->inode);

    return (size_t)length < size ? length : -ERANGE;
}

static bool socket_writable(const struct socket *self)
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

long socket_move(struct file *file, bool writing, struct buffer *pieces, size_t count)
{
    struct sending  sending = { .to = NULL };
    struct received received;
    long            got;

    if (writing)
        return socket_send(file, pieces, count, &sending, 0);
    got = socket_receive(file, pieces, count, 0, &received);
    passed_release(received.passed);            /* read() has no use for them */
    return got;
}

/* Without bytes nothing is asked, unlike by recv(). */
static long socket_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    return to->bytes > 0 ? socket_move(file, false, to, 1) : 0;
}

static long socket_write(struct file *file, struct buffer *from, uint64_t at __attribute__((unused)))
{
    return socket_move(file, true, from, 1);
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

bool socket_is_datagram(const struct file *file) { return socket_of(file->node)->type == SOCKET_DATAGRAM; }

struct socket *socket_new(int type)
{
    static struct file_system sockets;
    struct socket            *self = heap_alloc(sizeof *self, HEAP_ZERO);

    assert(type == SOCKET_STREAM || type == SOCKET_DATAGRAM || type == SOCKET_PACKETS);
    if (self == NULL)
        return NULL;
    if (sockets.type == NULL)
        system_start(&sockets, "sockfs", SOCKET_MAGIC);
    node_start(&self->node, &socket_operations, &sockets, S_SOCKET | 0777);
    self->node.links = 1;
    node_own(&self->node);
    self->type  = type;
    self->maker = (struct sender_numbers){ current_process()->id, credentials_acting()->user.effective,
                                           credentials_acting()->group.effective };
    self->options.send_room = self->options.receive_room = SOCKET_ROOM;
    self->options.least_to_read = 1;
    return self;
}

/* A socket has one open file at most: it cannot be opened by a path. */
struct file *socket_open(struct socket *self, struct file *room, uint32_t flags)
{
    return self->file = file_make_in(room, &self->node, &socket_operations, O_RDWR | flags);
}

int socket_make(int type, uint32_t flags, struct file **out)
{
    struct socket *self = socket_new(type);

    if (self == NULL)
        return -ENOMEM;
    *out = socket_open(self, heap_alloc(sizeof(struct file), 0), flags);
    if (*out != NULL)
        return 0;
    node_release(&self->node);
    return -ENOMEM;
}

void socket_join(struct socket *a, struct socket *b)
{
    assert(a != b && a->peer == NULL && b->peer == NULL);
    node_hold(&a->node);
    node_hold(&b->node);
    a->peer = b;
    b->peer = a;
}

/* A datagram socket's messages go to the peer from now on. */
void socket_be_client(struct socket *self, struct socket *peer)
{
    assert(self->type == SOCKET_DATAGRAM && self->peer == NULL);
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
        socket_join(socket_of((*one)->node), socket_of((*other)->node));
    } else {
        socket_be_client(socket_of((*one)->node), socket_of((*other)->node));
        socket_be_client(socket_of((*other)->node), socket_of((*one)->node));
    }
    return 0;
}

int socket_shut(struct file *file, bool reading, bool writing)
{
    struct socket *self = socket_of(file->node);

    may_sleep();
    assert(socket_is(file));
    mutex_take(&sockets_lock);
    self->shut_read  |= reading;
    self->shut_write |= writing;
    if (self->peer != NULL && self->type != SOCKET_DATAGRAM) {
        self->peer->shut_write |= reading;
        self->peer->shut_read  |= writing;
        notify_everybody(self->peer);
    }
    notify_everybody(self);
    mutex_drop(&sockets_lock);
    return 0;
}

void socket_facts(struct file *file, struct socket_facts *out)
{
    static const struct sender_numbers nobody = { 0, UINT32_MAX, UINT32_MAX };
    struct socket                  *self   = socket_of(file->node);

    may_sleep();
    assert(socket_is(file));
    mutex_take(&sockets_lock);
    *out = (struct socket_facts){ .type = self->type, .error = self->error, .listening = self->listening,
                                  .peer = self->peer != NULL ? self->peer->maker : nobody };
    self->error = 0;
    mutex_drop(&sockets_lock);
}

struct socket_options *socket_options(struct file *file)
{
    deep_assert(socket_is(file));
    return &socket_of(file->node)->options;
}

/* ---- Checking ------------------------------------------------------------------------------------------------ */

static bool packets_ok(const struct socket *self)
{
    const struct packet *last = NULL;
    size_t               bytes = 0, held = 0;
    uint32_t             packets = 0, carries = 0;

    for (const struct packet *packet = self->first; packet != NULL; last = packet, packet = packet->next) {
        bytes += packet->bytes - packet->at;
        held  += packet_cost(packet);
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
        if (child->file != NULL || !packets_ok(child) || !peer_ok(child))
            return false;                                                                                     /* S4 */
    return packets_ok(self) && peer_ok(self) && waiting == self->waiting_count;  /* S1..S4 */
}
