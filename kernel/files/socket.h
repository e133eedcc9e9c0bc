/*
 * socket.h - sockets between programs of this machine (AF_UNIX): streams, datagrams, sequences of packets.
 *
 * What is sent waits as packets with the receiver; a stream's packets lose their borders when they are read. A
 * receiver holds SOCKET_ROOM bytes, then senders wait. Names are paths of the file system, or abstract (a first byte of 0).
 *
 * Owning   two connected sockets hold a reference to each other's node until one of them is closed; a listener holds
 *          those that wait to be accepted. A name in the file system points at its socket and is no reference.
 * Locking  one mutex for all sockets; who must wait sleeps on the node's queue without it.
 * Limits   no passing of descriptors or credentials in messages; other families are -EAFNOSUPPORT.
 * Source   unix(7), socket(7), send(2), recv(2).
 */
#ifndef QUIRE_FILES_SOCKET_H
#define QUIRE_FILES_SOCKET_H

#include "files/path.h"

enum { SOCKET_STREAM = 1, SOCKET_DATAGRAM = 2, SOCKET_PACKETS = 5 };
enum { SOCKET_ROOM = 212992, SOCKET_BACKLOG = 4096, SOCKET_NAME = 108 };

/* length 0: no name. A path need not end in NUL within `length`; abstract names start with NUL. */
struct socket_name {
    size_t length;
    char   text[SOCKET_NAME + 1];
};

/* Flags of send and receive, as Linux numbers them. */
enum { MSG_PEEK = 2, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000 };

int socket_make(int type, uint32_t flags, struct file **out) MUST_CHECK;
int socket_pair(int type, uint32_t flags, struct file **one, struct file **other) MUST_CHECK;
bool socket_is(const struct file *file);

int socket_bind(struct file *file, const struct socket_name *name) MUST_CHECK;
int socket_listen(struct file *file, int backlog) MUST_CHECK;
int socket_accept(struct file *file, uint32_t flags, struct file **out) MUST_CHECK;
int socket_connect(struct file *file, const struct socket_name *name) MUST_CHECK;   /* NULL: a datagram socket lets go */
int socket_shut(struct file *file, bool reading, bool writing) MUST_CHECK;

/* One message of several pieces. `to` may be NULL. Returns the bytes sent. */
long socket_send(struct file *file, struct buffer *pieces, size_t count, const struct socket_name *to, unsigned flags);
/* Bytes received (with MSG_TRUNC in flags: of the whole packet); *cut says that a packet did not fit. */
long socket_receive(struct file *file, struct buffer *pieces, size_t count, unsigned flags, struct socket_name *from, bool *cut);

void socket_own_name(struct file *file, struct socket_name *out);
int  socket_peer_name(struct file *file, struct socket_name *out) MUST_CHECK;

struct socket_facts {
    int      type, error;               /* the error is taken: the next time it is 0 */
    bool     listening;
    int32_t  peer_process;              /* 0 when there is none                       */
    uint32_t peer_user, peer_group;
};
void socket_facts(struct file *file, struct socket_facts *out);

#endif
