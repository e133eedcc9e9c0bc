/*
 * socket_data.c - sending and receiving.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/socket_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* A stream's packets are cut to what the small heap has blocks for. */
enum { STREAM_PIECE = 1800 };

void socket_drop_packet(struct socket *self)
{
    struct packet *packet = self->first;

    self->first = packet->next;
    if (self->first == NULL)
        self->last = NULL;
    self->bytes -= packet->bytes - packet->at;
    heap_free(packet);
}

static size_t total(const struct buffer *pieces, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += pieces[i].bytes;
    return sum;
}

/* ---- Sending ------------------------------------------------------------------------------------- */

/* A packet with the next `bytes` of the pieces. It may sleep, so the lock is not held. */
static int gather(struct buffer **pieces, size_t *count, size_t bytes, const struct socket *from, struct packet **out)
{
    struct packet *packet = heap_alloc(sizeof *packet + bytes, 0);

    if (packet == NULL)
        return -ENOMEM;
    *packet = (struct packet){ .from = from->name };
    while (packet->bytes < bytes) {
        size_t part = bytes - packet->bytes, got;

        if (part > (*pieces)->bytes)
            part = (*pieces)->bytes;
        got = buffer_get(*pieces, packet->data + packet->bytes, part);
        packet->bytes += got;
        if (got < part) {
            heap_free(packet);
            return -EFAULT;
        }
        if ((*pieces)->bytes == 0 && *count > 1) {
            (*pieces)++;
            (*count)--;
        }
    }
    *out = packet;
    return 0;
}

static long broken(unsigned flags)
{
    struct signal_info info = { .number = SIGPIPE, .sender = current_process()->id };

    if (!(flags & MSG_NOSIGNAL))
        signal_thread(current_thread(), &info);
    return -EPIPE;
}

static void append(struct socket *to, struct packet *packet)
{
    packet->next = NULL;
    if (to->last != NULL)
        to->last->next = packet;
    else
        to->first = packet;
    to->last   = packet;
    to->bytes += packet->bytes;
    node_tell(&to->node);
}

/* Whom a message goes to: the peer, or for datagrams whoever has the name. A reference. */
static int receiver(struct socket *self, const struct socket_name *name, struct socket **out)
{
    int err;

    if (name == NULL || self->type != SOCKET_DATAGRAM) {
        if (self->peer == NULL)
            return self->hung_up ? -EPIPE : -ENOTCONN;
        node_hold(&(*out = self->peer)->node);
        return 0;
    }
    err = socket_find(name, out);
    if (err == 0 && (*out)->type != SOCKET_DATAGRAM) {
        node_release(&(*out)->node);
        err = -EPROTOTYPE;
    }
    return err;
}

/* Wait until the receiver has room, then hand the packet over. The lock is held. */
static int deliver(struct socket *self, struct socket *to, struct packet *packet, bool patient)
{
    for (;;) {
        int err;

        if (self->shut_write || to->shut_read)
            return -EPIPE;
        if (to->closed || (self->type != SOCKET_DATAGRAM && self->peer != to))
            return self->type == SOCKET_DATAGRAM ? -ECONNREFUSED : -EPIPE;
        if (to->bytes == 0 || to->bytes + packet->bytes <= SOCKET_ROOM)
            break;
        err = patient ? socket_wait(to) : -EAGAIN;
        if (err != 0)
            return err;
    }
    append(to, packet);
    return 0;
}

static int send_packet(struct socket *self, struct packet *packet, const struct socket_name *name, bool patient)
{
    struct socket *to;
    int            err;

    mutex_take(&sockets_lock);
    err = receiver(self, name, &to);
    if (err == 0) {
        err = deliver(self, to, packet, patient);
        node_release(&to->node);
    }
    mutex_drop(&sockets_lock);
    return err;
}

static long send_stream(struct socket *self, struct buffer *pieces, size_t count, size_t left, bool patient)
{
    long done = 0;

    while (left > 0) {
        size_t         part = left < STREAM_PIECE ? left : STREAM_PIECE;
        struct packet *packet;
        int            err = gather(&pieces, &count, part, self, &packet);

        if (err != 0)
            return done > 0 ? done : err;
        err = send_packet(self, packet, NULL, patient);
        if (err != 0) {
            heap_free(packet);
            return done > 0 ? done : err;
        }
        done += (long)part;
        left -= part;
    }
    return done;
}

long socket_send(struct file *file, struct buffer *pieces, size_t count, const struct socket_name *to, unsigned flags)
{
    struct socket *self    = socket_of(file->node);
    size_t         bytes   = total(pieces, count);
    bool           patient = !((file->flags & O_NONBLOCK) || (flags & MSG_DONTWAIT));
    struct packet *packet;
    long           err;

    if (self->type == SOCKET_STREAM) {
        if (to != NULL)
            return self->peer != NULL ? -EISCONN : -EOPNOTSUPP;
        if (self->peer == NULL && !self->hung_up)
            return -ENOTCONN;
        err = self->peer == NULL || self->shut_write ? -EPIPE : send_stream(self, pieces, count, bytes, patient);
        return err == -EPIPE ? broken(flags) : err;
    }
    if (bytes > SOCKET_ROOM)
        return -EMSGSIZE;
    err = gather(&pieces, &count, bytes, self, &packet);
    if (err != 0)
        return err;
    err = send_packet(self, packet, to, patient);
    if (err != 0)
        heap_free(packet);
    if (err == -EPIPE)
        return broken(flags);
    return err != 0 ? err : (long)bytes;
}

/* ---- Receiving -------------------------------------------------------------------------------------------- */

/* Wait for something to read. Returns 1, 0 at the end of a stream, or an errno. The lock is held. */
static int await(struct socket *self, bool patient)
{
    while (self->first == NULL) {
        int err = -self->error;

        self->error = 0;
        if (err != 0)
            return err;
        if (self->hung_up || self->shut_read)
            return 0;
        if (self->type != SOCKET_DATAGRAM && self->peer == NULL)
            return self->listening ? -EINVAL : -ENOTCONN;
        err = patient ? socket_wait(self) : -EAGAIN;
        if (err != 0)
            return err;
    }
    return 1;
}

/* Copy from a packet to the pieces; *at counts on through it. Returns the bytes copied, or -EFAULT. */
static long scatter(const struct packet *packet, size_t at, struct buffer **pieces, size_t *count)
{
    size_t left = packet->bytes - at;
    long   done = 0;

    while (left > 0 && *count > 0) {
        size_t part = left < (*pieces)->bytes ? left : (*pieces)->bytes;
        size_t put  = buffer_put(*pieces, packet->data + at, part);

        done += (long)put;
        at   += put;
        left -= put;
        if (put < part)
            return done > 0 ? done : -EFAULT;
        if ((*pieces)->bytes == 0) {
            (*pieces)++;
            (*count)--;
        }
    }
    return done;
}

/* A stream: packets run together. The lock is a mutex, so copying under it may sleep. */
static long receive_stream(struct socket *self, struct buffer *pieces, size_t count, unsigned flags, bool patient)
{
    size_t wanted = total(pieces, count);
    long   done   = 0;

    if (wanted == 0)
        return 0;
    for (;;) {
        int  err = await(self, patient && (done == 0 || (flags & MSG_WAITALL)));
        long got;

        if (err <= 0)
            return done > 0 ? done : err;
        got = scatter(self->first, self->first->at, &pieces, &count);
        if (got < 0)
            return done > 0 ? done : got;
        done += got;
        if (flags & MSG_PEEK)
            return done;
        self->first->at += (size_t)got;
        self->bytes     -= (size_t)got;
        if (self->first->at == self->first->bytes)
            socket_drop_packet(self);
        if ((size_t)done == wanted || (self->first == NULL && !(flags & MSG_WAITALL)))
            return done;
    }
}

static long receive_packet(struct socket *self, struct buffer *pieces, size_t count, unsigned flags, bool patient,
                           struct socket_name *from, bool *cut)
{
    struct packet *packet;
    size_t         bytes;
    long           got = await(self, patient);

    if (got <= 0)
        return got;
    packet = self->first;
    bytes  = packet->bytes;
    got    = scatter(packet, 0, &pieces, &count);
    if (got < 0)
        return got;
    *cut = (size_t)got < bytes;
    if (from != NULL)
        *from = packet->from;
    if (!(flags & MSG_PEEK))
        socket_drop_packet(self);
    return flags & MSG_TRUNC ? (long)bytes : got;
}

long socket_receive(struct file *file, struct buffer *pieces, size_t count, unsigned flags, struct socket_name *from, bool *cut)
{
    struct socket *self    = socket_of(file->node);
    bool           patient = !((file->flags & O_NONBLOCK) || (flags & MSG_DONTWAIT));
    long           got;

    *cut = false;
    if (from != NULL)
        from->length = 0;
    mutex_take(&sockets_lock);
    if (self->type == SOCKET_STREAM)
        got = receive_stream(self, pieces, count, flags, patient);
    else
        got = receive_packet(self, pieces, count, flags, patient, from, cut);
    if (got > 0)
        node_tell(&self->node);                 /* there is room: senders wait on the receiver's queue */
    if (got > 0 && self->peer != NULL)
        node_tell(&self->peer->node);           /* and who polls the other end for writing */
    mutex_drop(&sockets_lock);
    return got;
}
