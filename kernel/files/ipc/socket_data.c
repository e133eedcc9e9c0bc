/*
 * socket_data.c - sending and receiving.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/ipc/socket_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* Of a stream, what is too large for the small heap's blocks goes in frames, a page in each packet. */
enum { HEAP_PIECE = 1800 };

/* The sender's name in a packet. */
static char *packet_name(struct packet *packet)
{
    return packet->data + (frame_exists(packet->frame) ? 0 : packet->bytes);
}

static void packet_free(struct packet *packet)
{
    if (frame_exists(packet->frame))
        frame_put(packet->frame);
    heap_free(packet);
}

void socket_drop_packet(struct socket *self, struct passed **dropped)
{
    struct packet *packet = self->first;

    deep_assert(mutex_held(&sockets_lock) && self->first != NULL);
    self->first = packet->next;
    if (self->first == NULL)
        self->last = NULL;
    self->bytes -= packet->bytes - packet->at;
    self->held  -= packet_cost(packet);
    self->packets--;
    if (packet->passed != NULL) {
        passed_leave(packet->passed, self);
        packet->passed->next = *dropped;
        *dropped = packet->passed;
    }
    packet_free(packet);
}

/* The first packet has been read. */
static void finish_packet(struct socket *self, struct passed **dropped)
{
    socket_drop_packet(self, dropped);
    if (self->held < SOCKET_ROOM / 2)
        socket_notify_room(self);
    else
        wake_all(&self->room);
}

static size_t pieces_total(const struct buffer *pieces, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += pieces[i].bytes;
    return sum;
}

/* ---- Sending ------------------------------------------------------------------------------------- */

/* A packet for so many bytes of a stream or of a message, and for its sender's name; NULL without memory. */
static struct packet *packet_make(const struct socket *from, size_t bytes)
{
    bool           in_frame = from->type == SOCKET_STREAM && bytes > HEAP_PIECE;
    struct packet *packet   = heap_alloc(sizeof *packet + (in_frame ? 0 : bytes) + from->name.length, 0);
    frame_t        frame    = NO_FRAME;

    if (packet == NULL || (in_frame && frame_get(OWNER_FILE, 0, &frame) != 0)) {
        heap_free(packet);
        return NULL;
    }
    *packet = (struct packet){ .name_length = (uint8_t)from->name.length, .frame = frame, .bytes = bytes };
    memcpy(packet_name(packet), from->name.text, from->name.length);
    return packet;
}

/* A packet with the next `bytes` of the pieces. It may sleep, so the lock is not held. */
static int gather_packet(struct buffer **pieces, size_t *count, size_t bytes, const struct socket *from,
                         struct packet **out)
{
    struct packet *packet = packet_make(from, bytes);
    size_t         done   = 0;

    if (packet == NULL)
        return -ENOMEM;
    while (done < bytes) {
        size_t part = bytes - done, got;

        if (part > (*pieces)->bytes)
            part = (*pieces)->bytes;
        got = frame_exists(packet->frame) ? buffer_get_frame(*pieces, packet->frame, done, part)
                                          : buffer_get(*pieces, packet->data + done, part);
        done += got;
        if (got < part) {
            packet_free(packet);
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

/* Only the writer of a stream is told by a signal. */
static long stream_broken(const struct socket *self, unsigned flags)
{
    if (self->type == SOCKET_STREAM && !(flags & MSG_NOSIGNAL))
        signal_self(SIGPIPE);
    return -EPIPE;
}

static struct sender_numbers own_credentials(void)
{
    const struct credentials *c = credentials_acting();

    return (struct sender_numbers){ current_process()->id, c->user.real, c->group.real };
}

/* The sender of a message: named by the message, or wanted by one of the two sockets, or unknown. */
static struct sender_numbers packet_signature(const struct socket *from, const struct socket *to,
                                           const struct sending *what)
{
    static const struct sender_numbers nobody = { 0, 65534, 65534 };

    if (what->signs)
        return what->sender;
    return from->options.flags[FLAG_CREDENTIALS] || to->options.flags[FLAG_CREDENTIALS] ? own_credentials() : nobody;
}

/* Takes over the packet, and the rights of `what`. */
static void append_packet(struct socket *to, struct packet *packet, struct sending *what)
{
    deep_assert(mutex_held(&sockets_lock));
    packet->next   = NULL;
    packet->passed = what->passed;
    what->passed   = NULL;
    if (packet->passed != NULL)
        passed_enter(packet->passed, to);
    if (to->last != NULL)
        to->last->next = packet;
    else
        to->first = packet;
    to->last   = packet;
    to->bytes += packet->bytes;
    to->held  += packet_cost(packet);
    to->packets++;
    node_notify_of(&to->node, POLL_IN | POLL_RDNORM);
}

/* The socket that a message goes to: the peer, or for datagrams the one of that name. A reference. */
static int find_receiver(struct socket *self, const struct socket_name *name, struct socket **out)
{
    int err;

    deep_assert(mutex_held(&sockets_lock));
    if (name == NULL || self->type != SOCKET_DATAGRAM) {
        if (self->refused) {
            self->refused = false;
            return -ECONNREFUSED;
        }
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

/* A datagram socket keeps few messages of strangers, whatever their size. */
static bool receiver_has_room(const struct socket *self, const struct socket *to, const struct packet *packet)
{
    if (self->type == SOCKET_DATAGRAM && to->peer != self && to->packets > SOCKET_QUEUE)
        return false;
    return to->held == 0 || to->held + packet_cost(packet) <= SOCKET_ROOM;
}

/* An error that came in meanwhile is told once. */
static int take_error(struct socket *self)
{
    int err = -self->error;

    self->error = 0;
    return err;
}

/* Wait until the receiver has room, then hand the packet over. The lock is held. */
static int deliver_packet(struct socket *self, struct socket *to, struct packet *packet, struct sending *what,
                          uint64_t deadline)
{
    deep_assert(mutex_held(&sockets_lock));
    for (;;) {
        int err;

        if (self->shut_write || to->shut_read)
            return -EPIPE;
        if (to->closed || (self->type != SOCKET_DATAGRAM && self->peer != to))
            return self->type == SOCKET_DATAGRAM ? -ECONNREFUSED : -EPIPE;
        if (receiver_has_room(self, to, packet))
            break;
        err = socket_wait(&to->room, deadline);
        if (err == 0)
            err = take_error(self);             /* a peer that goes without reading all is told so */
        if (err != 0)
            return err;
    }
    if (passed_admit(what->passed, current_process()->limits[RLIMIT_NOFILE].soft) != 0)
        return -ETOOMANYREFS;
    packet->sender = packet_signature(self, to, what);
    append_packet(to, packet, what);
    return 0;
}

static int send_packet(struct socket *self, struct packet *packet, struct sending *what, uint64_t deadline)
{
    struct socket *to;
    int            err;

    mutex_take(&sockets_lock);
    err = find_receiver(self, what->to, &to);
    if (err == 0) {
        err = deliver_packet(self, to, packet, what, deadline);
        node_release(&to->node);
    }
    mutex_drop(&sockets_lock);
    return err;
}

/* What the message carries goes with its first piece. */
static long send_stream(struct socket *self, struct buffer *pieces, size_t count, struct sending *what,
                        uint64_t deadline)
{
    size_t left = pieces_total(pieces, count);
    long   done = 0;

    while (left > 0) {
        size_t         part = left < PAGE_SIZE ? left : PAGE_SIZE;
        struct packet *packet;
        int            err = gather_packet(&pieces, &count, part, self, &packet);

        if (err != 0)
            return done > 0 ? done : err;
        err = send_packet(self, packet, what, deadline);
        if (err != 0) {
            packet_free(packet);
            return done > 0 ? done : err;
        }
        done += (long)part;
        left -= part;
    }
    return done;
}

static long send_whole(struct socket *self, struct buffer *pieces, size_t count, struct sending *what,
                       uint64_t deadline)
{
    size_t         bytes = pieces_total(pieces, count);
    struct packet *packet;
    long           err;

    if (bytes > SOCKET_ROOM - PACKET_COST)
        return -EMSGSIZE;
    err = gather_packet(&pieces, &count, bytes, self, &packet);
    if (err != 0)
        return err;
    err = send_packet(self, packet, what, deadline);
    if (err != 0)
        packet_free(packet);
    return err != 0 ? err : (long)bytes;
}

static bool may_wait(const struct file *file, unsigned flags)
{
    return !((file->flags & O_NONBLOCK) || (flags & MSG_DONTWAIT));
}

static int may_send_message(const struct socket *self, const struct sending *what, unsigned flags)
{
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (self->type == SOCKET_DATAGRAM)
        return what->to == NULL && self->peer == NULL && !self->refused && !self->hung_up ? -ENOTCONN : 0;
    if (what->to != NULL && self->type == SOCKET_STREAM)
        return self->peer != NULL ? -EISCONN : -EOPNOTSUPP;
    if (self->peer == NULL && !self->hung_up)
        return -ENOTCONN;
    return self->peer == NULL || self->shut_write ? -EPIPE : 0;
}

long socket_send(struct file *file, struct buffer *pieces, size_t count, struct sending *what, unsigned flags)
{
    struct socket *self     = socket_of(file->node);
    uint64_t       deadline = may_wait(file, flags) ? socket_deadline(self->options.send_limit) : 0;
    long           done     = may_send_message(self, what, flags);

    may_sleep();
    deep_assert(socket_is(file) && count > 0);
    if (done == 0 && self->type == SOCKET_STREAM)
        done = send_stream(self, pieces, count, what, deadline);
    else if (done == 0)
        done = send_whole(self, pieces, count, what, deadline);
    return done == -EPIPE ? stream_broken(self, flags) : done;
}

/* ---- Receiving -------------------------------------------------------------------------------------------- */

/* A socket that was never connected has nothing to read; the errors are Linux's. */
static int may_receive(const struct socket *self)
{
    if (self->type == SOCKET_DATAGRAM || self->peer != NULL || self->hung_up)
        return 0;
    return self->type == SOCKET_STREAM ? -EINVAL : -ENOTCONN;
}

/*
 * Wait for something to read. Returns 1, 0 at the end of a stream, or an errno. A datagram socket that was shut ends
 * the calls that would wait; others get EAGAIN as before. The lock is held.
 */
static int await_packet(struct socket *self, uint64_t deadline)
{
    deep_assert(mutex_held(&sockets_lock));
    while (self->first == NULL) {
        int err = take_error(self);

        if (err != 0)
            return err;
        if (self->hung_up || (self->shut_read && !(self->type == SOCKET_DATAGRAM && deadline == 0)))
            return 0;
        err = socket_wait(&self->node.ready, deadline);
        if (err != 0)
            return err;
    }
    return 1;
}

/* Copy from a packet to the pieces; *at counts on through it. Returns the bytes copied, or -EFAULT. */
static long scatter_packet(const struct packet *packet, size_t at, struct buffer **pieces, size_t *count)
{
    size_t left = packet->bytes - at;
    long   done = 0;

    while (left > 0 && *count > 0) {
        size_t part = left < (*pieces)->bytes ? left : (*pieces)->bytes;
        size_t put  = frame_exists(packet->frame) ? buffer_put_frame(*pieces, packet->frame, at, part)
                                                  : buffer_put(*pieces, packet->data + at, part);

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

static bool same_sender(const struct sender_numbers *a, const struct sender_numbers *b)
{
    return a->process == b->process && a->user == b->user && a->group == b->group;
}

/*
 * What the first packet carries beside its bytes; a reader that only peeks gets the files as well, or -ENOMEM, and
 * nothing has changed.
 */
static int take_beside(struct socket *self, unsigned flags, struct received *out)
{
    struct packet *packet = self->first;

    deep_assert(self->first != NULL);
    out->sender      = packet->sender;
    out->from.length = packet->name_length;
    memcpy(out->from.text, packet_name(packet), packet->name_length);
    if (packet->passed == NULL)
        return 0;
    if (flags & MSG_PEEK) {
        out->passed = passed_make(passed_count(packet->passed));
        if (out->passed == NULL)
            return -ENOMEM;
        for (uint32_t i = 0; i < passed_count(out->passed); i++) {
            file_hold(passed_file(packet->passed, i));
            passed_set(out->passed, i, passed_file(packet->passed, i));
        }
    } else {
        passed_leave(packet->passed, self);
        out->passed    = packet->passed;
        packet->passed = NULL;
    }
    return 0;
}

/*
 * Whether reading on would mix what must be told apart: files come with the last bytes of a read, and senders do not
 * mix.
 */
static bool stream_ends(const struct socket *self, const struct received *out)
{
    return out->passed != NULL || (out->signed_ && !same_sender(&out->sender, &self->first->sender));
}

/* A look goes on through the packets behind the first one, up to files, or to another sender where that matters. */
static long peek_on(const struct socket *self, struct buffer **pieces, size_t *count, long done,
                    const struct received *out)
{
    const struct packet *packet = self->first->next;

    deep_assert(mutex_held(&sockets_lock));
    if (out->passed != NULL)
        return done;
    while (packet != NULL && *count > 0 && packet->passed == NULL &&
           !(out->signed_ && !same_sender(&out->sender, &packet->sender))) {
        long more = scatter_packet(packet, packet->at, pieces, count);

        if (more < 0)
            break;
        done  += more;
        packet = packet->next;
    }
    return done;
}

/* Copy on from the stream's first packet, which is dropped once it is read. */
static long take_stream(struct socket *self, struct buffer **pieces, size_t *count, unsigned flags,
                        struct received *out, struct passed **dropped)
{
    long got;
    int  err;

    deep_assert(mutex_held(&sockets_lock) && self->first != NULL);
    got = scatter_packet(self->first, self->first->at, pieces, count);
    if (got < 0)
        return got;
    err = take_beside(self, flags, out);
    if (err != 0)
        return err;
    if (flags & MSG_PEEK)
        return peek_on(self, pieces, count, got, out);
    self->first->at += (size_t)got;
    self->bytes     -= (size_t)got;
    if (self->first->at == self->first->bytes)
        finish_packet(self, dropped);
    return got;
}

/* A stream: packets run together. The lock is a mutex, so copying under it may sleep. */
static long receive_stream(struct socket *self, struct buffer *pieces, size_t count, unsigned flags, uint64_t deadline,
                           struct received *out, struct passed **dropped)
{
    size_t wanted = pieces_total(pieces, count);
    long   done   = 0;

    if (wanted == 0) {
        done = await_packet(self, deadline);
        return done > 0 ? 0 : done;
    }
    for (;;) {
        int  err = await_packet(self, done == 0 || (flags & MSG_WAITALL) ? deadline : 0);
        long got;

        if (err <= 0)
            return done > 0 ? done : err;
        if (done > 0 && stream_ends(self, out))
            return done;
        got = take_stream(self, &pieces, &count, flags, out, dropped);
        if (got < 0)
            return done > 0 ? done : got;
        done += got;
        if ((flags & MSG_PEEK) || (size_t)done == wanted || out->passed != NULL ||
            (self->first == NULL && !(flags & MSG_WAITALL)))
            return done;
    }
}

static long receive_packet(struct socket *self, struct buffer *pieces, size_t count, unsigned flags, uint64_t deadline,
                           struct received *out, struct passed **dropped)
{
    size_t bytes;
    long   got = await_packet(self, deadline);
    int    err;

    if (got <= 0)
        return got;
    bytes = self->first->bytes;
    got   = scatter_packet(self->first, 0, &pieces, &count);
    if (got < 0)
        return got;
    out->cut = (size_t)got < bytes;
    err = take_beside(self, flags, out);
    if (err != 0)
        return err;
    if (!(flags & MSG_PEEK))
        finish_packet(self, dropped);
    return flags & MSG_TRUNC ? (long)bytes : got;
}

long socket_receive(struct file *file, struct buffer *pieces, size_t count, unsigned flags, struct received *out)
{
    struct socket *self     = socket_of(file->node);
    uint64_t       deadline = may_wait(file, flags) ? socket_deadline(self->options.receive_limit) : 0;
    struct passed *dropped  = NULL;
    long           got;

    may_sleep();
    deep_assert(socket_is(file) && count > 0);
    *out = (struct received){ .signed_ = self->options.flags[FLAG_CREDENTIALS] };
    if (flags & MSG_OOB)
        return self->type == SOCKET_STREAM ? -EINVAL : -EOPNOTSUPP;
    mutex_take(&sockets_lock);
    got = may_receive(self);
    if (got == 0 && self->type == SOCKET_STREAM)
        got = receive_stream(self, pieces, count, flags, deadline, out, &dropped);
    else if (got == 0)
        got = receive_packet(self, pieces, count, flags, deadline, out, &dropped);
    mutex_drop(&sockets_lock);
    passed_release_all(dropped);
    return got;
}
