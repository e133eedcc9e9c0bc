/*
 * socket_node.h - the structure of a socket. Internal to socket*.c.
 *
 * Invariants (socket_ok):
 *   S1  a socket's `held` and `bytes` are the sums over its packets, `packets` counts them, `last` is the last of them
 *   S2  `carries` counts the sockets' open files in its packets
 *   S3  of two connected streams each is the other's peer; a datagram socket is in its peer's list of clients
 *   S4  `waiting_count` sockets wait to be accepted, and have no open file
 */
#ifndef QUIRE_FILES_SOCKET_NODE_H
#define QUIRE_FILES_SOCKET_NODE_H

#include "files/ipc/socket.h"
#include "memory/frames/frame.h"

/* Open files on their way, a reference to each. */
struct passed {
    struct passed *next;                        /* of those to be released                                */
    uint32_t       count, sockets;              /* of them that are sockets                               */
    struct user_account *account;               /* the sender's, a reference                              */
    bool           in_flight;                   /* in a packet                                            */
    struct file   *files[];
};

/* A message that is not read yet: bytes [at, bytes) of data; behind them the sender's name. */
struct packet {
    struct packet     *next;
    struct passed     *passed;                  /* NULL: none                                             */
    struct sender_numbers sender;
    size_t             at, bytes;
    frame_t            frame;                   /* where the bytes are, or NO_FRAME: in data[]            */
    uint8_t            name_length;
    char               data[];                  /* the bytes, unless a frame has them; the sender's name  */
};

/* A packet's overhead, counted against the receiver's room, so that many small packets fill it, too. */
enum { PACKET_COST = 768 };

static inline size_t packet_cost(const struct packet *packet)
{
    return (frame_exists(packet->frame) ? PAGE_SIZE : packet->bytes) + PACKET_COST;
}

/* All on sockets_lock. */
struct socket {
    struct node        node;
    struct file       *file;                    /* its open file, no reference; NULL: none yet */
    int                type;
    struct socket     *peer;                    /* a reference                                */
    struct packet     *first, *last;            /* received                                   */
    size_t             bytes, held;             /* of them all; with what each costs          */
    uint32_t           packets;
    bool               listening, hung_up, shut_read, shut_write, closed;
    int                error;                   /* returned once                              */
    bool               refused;                 /* a datagram's peer has gone: the next message fails */
    uint32_t           backlog, waiting_count;
    struct socket     *waiting, *next_waiting;  /* connected, to be accepted                  */
    struct socket_name name;
    struct node       *name_node;               /* the name's node in the file system, a reference */
    struct socket     *next_abstract;
    struct socket     *clients, *next_client;   /* datagram sockets whose peer this is; no references */
    struct sender_numbers maker;                   /* the process that made it                   */
    struct wait_queue  room;  /* senders that wait for room in this; connect() that waits to be queued     */
    struct socket_options options;
    /* For the search for sockets that only messages hold, socket_passed.c. */
    uint32_t           carries;                 /* sockets' open files in its packets         */
    uint32_t           outside;                 /* references that the search has not explained */
    struct socket     *next_found, *next_alive;
    struct socket     *next_suspect, **to_suspect;  /* to_suspect NULL: is none                */
    bool               found, alive;
};

extern struct mutex sockets_lock;

static inline struct socket *socket_of(struct node *node) { return CONTAINER_OF(node, struct socket, node); }

/*
 * Sleep on one of the socket's queues until it is woken; the lock is dropped meanwhile. 0, -ERESTARTSYS, -EINTR,
 * -EAGAIN.
 */
int  socket_wait(struct wait_queue *queue, uint64_t deadline) MUST_CHECK;
uint64_t socket_deadline(uint64_t limit);       /* of a wait that begins now; limit 0: NEVER */
int  socket_find(const struct socket_name *name, struct socket **out) MUST_CHECK;

/* socket.c: all with sockets_lock held. A socket without an open file, with a reference; NULL without memory. */
struct socket *socket_new(int type) MUST_CHECK;
/* Its open file, in `room` (file_make_in), of which it has one at most: no path opens it. Takes the reference. */
struct file *socket_open(struct socket *self, struct file *room, uint32_t flags);
/* Two streams become each other's peer; a datagram socket's messages go to its peer from now on. */
void socket_join(struct socket *a, struct socket *b);
void socket_be_client(struct socket *self, struct socket *peer);
/* A datagram socket drops its peer, if it has one; the peer is not told. */
void socket_let_go(struct socket *self);
/* socket_connect.c: a socket that ends loses its name. The lock is held. */
void socket_unname(struct socket *self);
/* Drop the first packet; the files that it still has go to the chain. */
void socket_drop_packet(struct socket *self, struct passed **dropped);
/* There is room again: senders that wait go on, and polls for room are answered. */
void socket_notify_room(struct socket *self);

/* Whether this user may have more files in flight: 0 or -ETOOMANYREFS. The lock is held. */
int  passed_admit(const struct passed *passed, uint64_t limit) MUST_CHECK;
/* Rights enter and leave a packet of a socket. */
void passed_enter(struct passed *passed, struct socket *carrier);
void passed_leave(struct passed *passed, struct socket *carrier);
/* Release a chain of passed files. No lock is held. */
void passed_release_all(struct passed *chain);
/* A socket that ends need not be searched for. The lock is held. */
void passed_forget(struct socket *self);

#endif
