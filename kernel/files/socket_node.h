/*
 * socket_node.h - what a socket is. Internal to socket*.c.
 */
#ifndef QUIRE_FILES_SOCKET_NODE_H
#define QUIRE_FILES_SOCKET_NODE_H

#include "files/socket.h"

/* What was sent at once, and is not read yet: bytes [at, bytes) of data. */
struct packet {
    struct packet     *next;
    struct socket_name from;
    size_t             at, bytes;
    char               data[];
};

/* All on sockets_lock. */
struct socket {
    struct node        node;
    int                type;
    struct socket     *peer;                    /* a reference                                */
    struct packet     *first, *last;            /* received                                   */
    size_t             bytes;                   /* of them all                                */
    bool               listening, hung_up, shut_read, shut_write, closed;
    int                error;                   /* to be told once                            */
    uint32_t           backlog, waiting_count;
    struct socket     *waiting, *next_waiting;  /* connected, to be accepted                  */
    struct socket_name name;
    struct node       *place;                   /* the name's node in the file system, a reference */
    struct socket     *next_abstract;
    int32_t            process;                 /* who made it                                */
    uint32_t           user, group;
};

extern struct mutex sockets_lock;

static inline struct socket *socket_of(struct node *node) { return CONTAINER_OF(node, struct socket, node); }

/* Sleep until the socket's node is woken; the lock is dropped meanwhile. 0 or -ERESTARTSYS. */
int  socket_wait(struct socket *self) MUST_CHECK;
int  socket_find(const struct socket_name *name, struct socket **out) MUST_CHECK;
void socket_drop_packet(struct socket *self);   /* the first one */

#endif
