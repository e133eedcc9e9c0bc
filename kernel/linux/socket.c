/*
 * socket.c - the socket calls, directly and through socketcall.
 *
 * Source: Linux, net/socket.c, include/uapi/linux/{net,un,socket}.h; socket(2), unix(7).
 */
#include "files/socket.h"

#include "base/error.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { FAMILY_NONE = 0, FAMILY_UNIX = 1, TYPE_MASK = 15, NAME_OFFSET = 2, NAME_MOST = NAME_OFFSET + SOCKET_NAME };

struct address { uint16_t family; char text[SOCKET_NAME]; };           /* struct sockaddr_un */
_Static_assert(sizeof(struct address) == NAME_MOST, "struct sockaddr_un");

/* The open file of a socket's descriptor, with a reference. */
static int socket_file(uintptr_t descriptor, struct file **out)
{
    *out = file_of(descriptor);
    if (*out == NULL)
        return -EBADF;
    if (socket_is(*out))
        return 0;
    file_release(*out);
    return -ENOTSOCK;
}

/* ---- Addresses ------------------------------------------------------------------------------------- */

/* Returns 0; 1 for an address of family AF_UNSPEC; or an errno. */
static int read_name(user_t from, uintptr_t bytes, struct socket_name *out)
{
    struct address address;

    if (bytes < NAME_OFFSET || bytes > sizeof address)
        return -EINVAL;
    if (user_read(&address, from, bytes) != 0)
        return -EFAULT;
    if (address.family == FAMILY_NONE)
        return 1;
    if (address.family != FAMILY_UNIX)
        return -EINVAL;
    out->length = bytes - NAME_OFFSET;
    memcpy(out->text, address.text, out->length);
    if (out->length > 0 && out->text[0] != '\0')
        out->length = strnlen(out->text, out->length);
    out->text[out->length] = '\0';
    return 0;
}

/* Whatever the program's room, the true length is told. */
static int write_name(user_t to, user_t size, const struct socket_name *name)
{
    struct address address = { .family = FAMILY_UNIX };
    int32_t        room, length = NAME_OFFSET + (int32_t)name->length;

    if (to == 0)
        return 0;
    if (user_read(&room, size, sizeof room) != 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    memcpy(address.text, name->text, name->length);
    if (name->length > 0 && name->length < SOCKET_NAME && name->text[0] != '\0')
        length++;                               /* a path's NUL belongs to it */
    if (user_write(to, &address, room < length ? (size_t)room : (size_t)length) != 0)
        return -EFAULT;
    return user_write(size, &length, sizeof length);
}

/* ---- Making ------------------------------------------------------------------------------------------ */

static int check_kind(uintptr_t family, uintptr_t type, uintptr_t protocol)
{
    unsigned kind = type & TYPE_MASK;

    if (type & ~(uintptr_t)(TYPE_MASK | O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    if (family != FAMILY_UNIX)
        return -EAFNOSUPPORT;
    if (protocol != 0 && protocol != FAMILY_UNIX)
        return -EPROTONOSUPPORT;
    return kind == SOCKET_STREAM || kind == SOCKET_DATAGRAM || kind == SOCKET_PACKETS ? 0 : -ESOCKTNOSUPPORT;
}

SYSTEM_CALL(socket)
{
    struct file *file;
    int          err = check_kind(a, b, c);

    if (err == 0)
        err = socket_make((int)(b & TYPE_MASK), b & O_NONBLOCK, &file);
    return err != 0 ? err : new_descriptor(file, b & O_CLOEXEC);
}

SYSTEM_CALL(socketpair)
{
    struct files *files = current_process()->files;
    struct file  *one, *other;
    int32_t       pair[2];
    int           err = check_kind(a, b, c);

    if (err == 0)
        err = socket_pair((int)(b & TYPE_MASK), b & O_NONBLOCK, &one, &other);
    if (err != 0)
        return err;
    pair[0] = (int32_t)new_descriptor(one, b & O_CLOEXEC);
    if (pair[0] < 0) {
        file_release(other);
        return pair[0];
    }
    pair[1] = (int32_t)new_descriptor(other, b & O_CLOEXEC);
    err = pair[1] < 0 ? pair[1] : user_write(d, pair, sizeof pair);
    if (err != 0) {
        descriptor_close(files, pair[0]);
        if (pair[1] >= 0)
            descriptor_close(files, pair[1]);
    }
    return err;
}

/* ---- Naming and connecting ------------------------------------------------------------------------------ */

SYSTEM_CALL(bind)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file(a, &file);

    if (err != 0)
        return err;
    err = read_name(b, c, &name);
    if (err == 0)
        err = socket_bind(file, &name);
    file_release(file);
    return err > 0 ? -EINVAL : err;
}

SYSTEM_CALL(connect)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file(a, &file);

    if (err != 0)
        return err;
    err = read_name(b, c, &name);
    if (err == 0)
        err = name.length == 0 ? -EINVAL : socket_connect(file, &name);
    else if (err > 0)
        err = socket_connect(file, NULL);
    file_release(file);
    return err;
}

SYSTEM_CALL(listen)
{
    struct file *file;
    int          err = socket_file(a, &file);

    if (err != 0)
        return err;
    err = socket_listen(file, (int)b);
    file_release(file);
    return err;
}

SYSTEM_CALL(accept4)
{
    struct socket_name name;
    struct file       *file, *new;
    long               err = socket_file(a, &file);

    if (err != 0)
        return err;
    err = d & ~(uintptr_t)(O_NONBLOCK | O_CLOEXEC) ? -EINVAL : socket_accept(file, d & O_NONBLOCK, &new);
    file_release(file);
    if (err != 0)
        return err;
    if (socket_peer_name(new, &name) != 0)
        name.length = 0;
    err = write_name(b, c, &name);
    if (err != 0) {
        file_release(new);
        return err;
    }
    return new_descriptor(new, d & O_CLOEXEC);
}

SYSTEM_CALL(shutdown)
{
    struct file *file;
    int          err = socket_file(a, &file);

    if (err != 0)
        return err;
    err = b > 2 ? -EINVAL : socket_shut(file, b != 1, b != 0);
    file_release(file);
    return err;
}

SYSTEM_CALL(getsockname)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file(a, &file);

    if (err != 0)
        return err;
    socket_own_name(file, &name);
    err = write_name(b, c, &name);
    file_release(file);
    return err;
}

SYSTEM_CALL(getpeername)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file(a, &file);

    if (err != 0)
        return err;
    err = socket_peer_name(file, &name);
    if (err == 0)
        err = write_name(b, c, &name);
    file_release(file);
    return err;
}

/* ---- Options -------------------------------------------------------------------------------------------------- */

enum { LEVEL_SOCKET = 1 };
enum {
    SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_LINGER = 13,
    SO_PASSCRED = 16, SO_PEERCRED = 17, SO_ACCEPTCONN = 30, SO_PROTOCOL = 38, SO_DOMAIN = 39,
};

static int read_option(struct file *file, uintptr_t option, int32_t value[3])
{
    struct socket_facts facts;

    if (option == SO_REUSEADDR || option == SO_BROADCAST || option == SO_KEEPALIVE || option == SO_LINGER ||
        option == SO_PASSCRED || option == SO_PROTOCOL)
        return 4;
    if (option != SO_TYPE && option != SO_ERROR && option != SO_SNDBUF && option != SO_RCVBUF && option != SO_PEERCRED &&
        option != SO_ACCEPTCONN && option != SO_DOMAIN)
        return -ENOPROTOOPT;
    socket_facts(file, &facts);
    switch (option) {
    case SO_TYPE:       value[0] = facts.type; return 4;
    case SO_ERROR:      value[0] = facts.error; return 4;
    case SO_ACCEPTCONN: value[0] = facts.listening; return 4;
    case SO_DOMAIN:     value[0] = FAMILY_UNIX; return 4;
    case SO_PEERCRED:
        value[0] = facts.peer_process;
        value[1] = (int32_t)facts.peer_user;
        value[2] = (int32_t)facts.peer_group;
        return 12;
    default:            value[0] = SOCKET_ROOM; return 4;
    }
}

SYSTEM_CALL(getsockopt)
{
    int32_t      value[3] = { 0 }, room, size;
    struct file *file;
    int          err = socket_file(a, &file);

    if (err != 0)
        return err;
    size = b != LEVEL_SOCKET ? -EOPNOTSUPP : read_option(file, c, value);
    file_release(file);
    if (size < 0)
        return size;
    if (user_read(&room, e, sizeof room) != 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    if (size > room)
        size = room;
    return user_write(d, value, (size_t)size) != 0 ? -EFAULT : user_write(e, &size, sizeof size);
}

/* Options that only the network would notice are taken and change nothing. */
SYSTEM_CALL(setsockopt)
{
    struct file *file;
    int32_t      value;
    int          err = socket_file(a, &file);

    if (err != 0)
        return err;
    file_release(file);
    if (b != LEVEL_SOCKET)
        return -EOPNOTSUPP;
    if ((int32_t)e < (int32_t)sizeof value)
        return -EINVAL;
    if (user_read(&value, d, sizeof value) != 0)
        return -EFAULT;
    switch (c) {
    case SO_REUSEADDR: case SO_BROADCAST: case SO_SNDBUF: case SO_RCVBUF: case SO_KEEPALIVE: case SO_LINGER:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* ---- Sending and receiving ---------------------------------------------------------------------------------------- */

static struct buffer one_piece(user_t memory, size_t bytes)
{
    return (struct buffer){ .user = memory, .bytes = bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL };
}

SYSTEM_CALL(sendto)
{
    struct buffer      piece = one_piece(b, c);
    struct socket_name name;
    struct file       *file;
    long               done = socket_file(a, &file);

    if (done != 0)
        return done;
    if (e != 0)
        done = read_name(e, f, &name);
    if (done == 0 && !user_range(b, c))
        done = -EFAULT;
    if (done == 0)
        done = socket_send(file, &piece, 1, e != 0 ? &name : NULL, (unsigned)d);
    file_release(file);
    return done;
}

SYSTEM_CALL(recvfrom)
{
    struct buffer      piece = one_piece(b, c);
    struct socket_name name;
    struct file       *file;
    bool               cut;
    long               done = socket_file(a, &file);

    if (done != 0)
        return done;
    done = user_range(b, c) ? socket_receive(file, &piece, 1, (unsigned)d, &name, &cut) : -EFAULT;
    if (done >= 0 && e != 0) {
        int err = write_name(e, f, &name);

        if (err != 0)
            done = err;
    }
    file_release(file);
    return done;
}

struct message { uint32_t name; int32_t name_bytes; uint32_t pieces, count, control, control_bytes, flags; };  /* struct msghdr */
struct piece   { uint32_t memory, bytes; };

/* The pieces of a message, on the heap. */
static int read_pieces(const struct message *message, struct buffer **out)
{
    struct piece *pieces;
    int           err = 0;

    if (message->count > BUFFERS_A_CALL)
        return -EMSGSIZE;
    pieces = heap_alloc((message->count + 1) * sizeof *pieces, 0);
    *out   = heap_alloc((message->count + 1) * sizeof **out, 0);
    if (pieces == NULL || *out == NULL)
        err = -ENOMEM;
    else if (user_read(pieces, message->pieces, message->count * sizeof *pieces) != 0)
        err = -EFAULT;
    for (uint32_t i = 0; i < message->count && err == 0; i++) {
        if ((int32_t)pieces[i].bytes < 0)
            err = -EINVAL;
        else if (!user_range(pieces[i].memory, pieces[i].bytes))
            err = -EFAULT;
        (*out)[i] = one_piece(pieces[i].memory, pieces[i].bytes);
    }
    if (err == 0 && message->count == 0)
        (*out)[0] = one_piece(0, 0);
    heap_free(pieces);
    if (err != 0)
        heap_free(*out);
    return err;
}

static size_t piece_count(const struct message *message) { return message->count > 0 ? message->count : 1; }

static long send_message(struct file *file, const struct message *message, unsigned flags)
{
    struct socket_name name;
    struct buffer     *pieces;
    long               done = 0;

    if (message->control_bytes != 0)
        return -EOPNOTSUPP;
    if (message->name != 0)
        done = read_name(message->name, (uintptr_t)message->name_bytes, &name);
    if (done == 0)
        done = read_pieces(message, &pieces);
    if (done != 0)
        return done > 0 ? -EINVAL : done;
    done = socket_send(file, pieces, piece_count(message), message->name != 0 ? &name : NULL, flags);
    heap_free(pieces);
    return done;
}

SYSTEM_CALL(sendmsg)
{
    struct message message;
    struct file   *file;
    long           done = socket_file(a, &file);

    if (done != 0)
        return done;
    done = user_read(&message, b, sizeof message) != 0 ? -EFAULT : send_message(file, &message, (unsigned)c);
    file_release(file);
    return done;
}

static long receive_message(struct file *file, user_t at, struct message *message, unsigned flags)
{
    struct socket_name name;
    struct buffer     *pieces;
    bool               cut;
    long               done = read_pieces(message, &pieces);

    if (done != 0)
        return done;
    done = socket_receive(file, pieces, piece_count(message), flags, &name, &cut);
    heap_free(pieces);
    if (done < 0)
        return done;
    if (message->name != 0 && write_name(message->name, at + offsetof(struct message, name_bytes), &name) != 0)
        return -EFAULT;
    message->flags         = cut ? MSG_TRUNC : 0;
    message->control_bytes = 0;
    if (user_write(at + offsetof(struct message, control_bytes), &message->control_bytes, 4) != 0 ||
        user_write(at + offsetof(struct message, flags), &message->flags, 4) != 0)
        return -EFAULT;
    return done;
}

SYSTEM_CALL(recvmsg)
{
    struct message message;
    struct file   *file;
    long           done = socket_file(a, &file);

    if (done != 0)
        return done;
    done = user_read(&message, b, sizeof message) != 0 ? -EFAULT : receive_message(file, b, &message, (unsigned)c);
    file_release(file);
    return done;
}

/* ---- All in one ------------------------------------------------------------------------------------------------------ */

enum { CALLS = 19 };

SYSTEM_CALL(socketcall)
{
    static const uint8_t arguments[CALLS] = { 0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4 };
    uint32_t x[6] = { 0 };

    if (a == 0 || a >= CALLS)
        return -EINVAL;
    if (user_read(x, b, arguments[a] * sizeof x[0]) != 0)
        return -EFAULT;
    switch (a) {
    case 1:  return sys_socket(x[0], x[1], x[2], 0, 0, 0);
    case 2:  return sys_bind(x[0], x[1], x[2], 0, 0, 0);
    case 3:  return sys_connect(x[0], x[1], x[2], 0, 0, 0);
    case 4:  return sys_listen(x[0], x[1], 0, 0, 0, 0);
    case 5:  return sys_accept4(x[0], x[1], x[2], 0, 0, 0);
    case 6:  return sys_getsockname(x[0], x[1], x[2], 0, 0, 0);
    case 7:  return sys_getpeername(x[0], x[1], x[2], 0, 0, 0);
    case 8:  return sys_socketpair(x[0], x[1], x[2], x[3], 0, 0);
    case 9:  return sys_sendto(x[0], x[1], x[2], x[3], 0, 0);
    case 10: return sys_recvfrom(x[0], x[1], x[2], x[3], 0, 0);
    case 11: return sys_sendto(x[0], x[1], x[2], x[3], x[4], x[5]);
    case 12: return sys_recvfrom(x[0], x[1], x[2], x[3], x[4], x[5]);
    case 13: return sys_shutdown(x[0], x[1], 0, 0, 0, 0);
    case 14: return sys_setsockopt(x[0], x[1], x[2], x[3], x[4], 0);
    case 15: return sys_getsockopt(x[0], x[1], x[2], x[3], x[4], 0);
    case 16: return sys_sendmsg(x[0], x[1], x[2], 0, 0, 0);
    case 17: return sys_recvmsg(x[0], x[1], x[2], 0, 0, 0);
    default: return sys_accept4(x[0], x[1], x[2], x[3], 0, 0);
    }
}
