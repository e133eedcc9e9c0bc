/*
 * socket.h - sockets between programs of this machine (AF_UNIX): streams, datagrams, sequences of packets.
 *
 * Messages wait as packets at the receiver; a stream's packets lose their borders when they are read. A receiver holds
 * SOCKET_ROOM bytes, the overhead of each packet included, then senders wait; those of datagrams that are not its peer
 * also while more than SOCKET_QUEUE messages are there. Names are paths of the file system, or abstract (a first byte
 * of 0).
 *
 * Messages may carry open files (struct passed, SCM_RIGHTS) and name their sender (SCM_CREDENTIALS). Sockets that
 * only messages in each other's queues refer to are found and closed as soon as the last other reference goes.
 *
 * Owning   two connected sockets hold a reference to each other's node until one of them is closed; a datagram socket
 *          holds its peer, which knows it, and a listener those that wait to be accepted. A name in the file system
 *          points at its socket and is no reference; the socket holds the name's node. A packet holds its passed, and
 *          they their files.
 * Locking  one mutex for all sockets, outside of the locks of folders: names are looked up and made under it, and what
 *          is received is copied to programs. A thread that must wait sleeps on a queue of the socket's without it.
 *          Files are released without it. Polls, ioctls, options, and the first look of a send or an accept go without
 *          it, which is sound while one processor runs the kernel. The end of a listener with many connections, what is
 *          told to the many clients of a datagram socket, and the search for sockets that only messages hold, have
 *          points of rest with it.
 * Errors   0 or a negative errno, as Linux gives for the call of that name. All calls may sleep; each that takes a file
 *          trusts that it is a socket's (socket_is()). A file that is handed out carries a reference for the caller.
 * Limits   no families but AF_UNIX (-EAFNOSUPPORT), no urgent data (-EOPNOTSUPP; -EINVAL to receive it from a stream).
 *          A (real) user whose files in messages are more than the sender's RLIMIT_NOFILE, or than 65 536 (of root:
 *          only that) sends no more of them (-ETOOMANYREFS).
 * Source   unix(7), socket(7), send(2), recv(2), cmsg(3).
 */
#ifndef QUIRE_FILES_SOCKET_H
#define QUIRE_FILES_SOCKET_H

#include "files/path/path.h"

enum { SOCKET_STREAM = 1, SOCKET_DATAGRAM = 2, SOCKET_PACKETS = 5 };
enum { SOCKET_ROOM = 212992, SOCKET_QUEUE = 10, SOCKET_BACKLOG = 4096, SOCKET_NAME = 108, RIGHTS_MOST = 253 };

/* length 0: no name. Behind `length` there is a NUL, which is not part of it; abstract names start with one. */
struct socket_name {
    size_t length;
    char   text[SOCKET_NAME + 1];
};

/* Flags of send and receive, as Linux numbers them. */
enum { MSG_OOB = 1, MSG_PEEK = 2, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000 };

/* The sender of a message. */
struct sender_numbers {
    int32_t  process;
    uint32_t user, group;
};

/*
 * Open files that a message carries: an array of `count` places, a reference in each that is set. NULL without memory.
 */
struct passed;
struct passed *passed_make(uint32_t count);
void passed_set(struct passed *passed, uint32_t which, struct file *file);     /* takes over the reference */
/* NULL: nothing. What was not set is not released. Within such a release of the same thread: that does this one too. */
void passed_release(struct passed *passed);
struct passed *passed_extend(struct passed *passed, uint32_t more);  /* with places behind; NULL: nothing has changed */
uint32_t     passed_count(const struct passed *passed);
struct file *passed_file(const struct passed *passed, uint32_t which);         /* borrowed */

int socket_make(int type, uint32_t flags, struct file **out) MUST_CHECK;
int socket_pair(int type, uint32_t flags, struct file **one, struct file **other) MUST_CHECK;
bool socket_is(const struct file *file);
bool socket_is_datagram(const struct file *file);       /* of a socket's */

/* Without a name: an abstract one of five hexadecimal digits that nobody has. */
int socket_bind(struct file *file, const struct socket_name *name) MUST_CHECK;
int socket_listen(struct file *file, int backlog) MUST_CHECK;
int socket_accept(struct file *file, uint32_t flags, struct file **out) MUST_CHECK;
int socket_connect(struct file *file, const struct socket_name *name) MUST_CHECK;  /* NULL: a datagram socket lets go */
int socket_shut(struct file *file, bool reading, bool writing) MUST_CHECK;

/* The parts of a message beside its bytes. */
struct sending {
    const struct socket_name *to;       /* NULL: the peer                                                   */
    struct passed            *passed;   /* NULL: none. Taken over, and set to NULL, once they are on their way */
    bool                      signs;    /* the receiver learns `sender` instead of the process's own        */
    struct sender_numbers        sender;
};
struct received {
    struct socket_name from;
    bool               cut;             /* a packet did not fit                                             */
    struct passed     *passed;          /* NULL: none; the caller releases them                             */
    bool               signed_;         /* this socket wants to know senders                                */
    struct sender_numbers sender;
};

/* One message of several pieces. Returns the bytes sent. -EPIPE of a stream comes with SIGPIPE (MSG_NOSIGNAL: not). */
long socket_send(struct file *file, struct buffer *pieces, size_t count, struct sending *what, unsigned flags);
/*
 * Bytes received (with MSG_TRUNC in flags: of the whole packet, where it is no stream). MSG_PEEK: -ENOMEM where there
 * is none to show the files with.
 */
long socket_receive(struct file *file, struct buffer *pieces, size_t count, unsigned flags, struct received *out);
/* What read() and write() do: one message, or bytes of a stream; what comes beside them is let go. */
long socket_move(struct file *file, bool writing, struct buffer *pieces, size_t count);

void socket_own_name(struct file *file, struct socket_name *out);
int  socket_peer_name(struct file *file, struct socket_name *out) MUST_CHECK;

struct socket_facts {
    int                type, error;     /* the error is taken: the next time it is 0 */
    bool               listening;
    struct sender_numbers peer;            /* process 0 when there is none              */
};
void socket_facts(struct file *file, struct socket_facts *out);

/* Options that a program has set; most have an effect on a network only. */
enum socket_flag {
    FLAG_DEBUG, FLAG_REUSE, FLAG_NO_ROUTE, FLAG_BROADCAST, FLAG_KEEP_ALIVE, FLAG_INLINE, FLAG_TIMESTAMP,
    FLAG_CREDENTIALS, SOCKET_FLAGS
};
struct socket_options {
    bool     flags[SOCKET_FLAGS];
    int32_t  priority, least_to_read, mark, linger[2], send_room, receive_room;
    uint64_t send_limit, receive_limit;  /* nanoseconds that a call may wait; 0: for ever; UINT64_MAX: not at all */
};
struct socket_options *socket_options(struct file *file);      /* words that are read and written alone: no lock */

/* S1 to S4 (socket_node.h), while no other thread changes the socket. */
bool socket_ok(struct file *file);

/*
 * An open file that messages hold, too, loses a reference (file_release()): if messages of sockets that only messages
 * hold are all that is left, those are taken out and the files in them released. Returns false when nothing in flight
 * was left by the time the lock was taken, and the caller has the reference still. Cost: O(the messages that can be
 * reached from the file) where it is a socket with sockets in its messages, or with connections that wait.
 */
bool socket_release_in_flight(struct file *file);
/*
 * The current thread is about to release many files: the search for sockets that only messages hold, which goes over
 * all that are in their messages, is made once at the end, by sockets_search() of what sockets_put_off() has returned.
 */
bool sockets_put_off(void);
void sockets_search(bool put_off);

#endif
