/*
 * socket.c - the socket calls: making, naming, connecting. Options are socket_option.c's, messages socket_message.c's.
 *
 * Source: Linux, net/socket.c, include/uapi/linux/{net,un,socket}.h; socket(2), unix(7).
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/socket_calls.h"
#include "process/process.h"

enum { TYPE_MASK = 15, NAME_OFFSET = 2, NAME_MOST = NAME_OFFSET + SOCKET_NAME };

struct address { uint16_t family; char text[SOCKET_NAME]; };           /* struct sockaddr_un */
_Static_assert(sizeof(struct address) == NAME_MOST, "struct sockaddr_un");

int socket_file_of(int descriptor, struct file **out)
{
    *out = whole_file_of(descriptor);
    if (*out == NULL)
        return -EBADF;
    if (socket_is(*out))
        return 0;
    file_release(*out);
    return -ENOTSOCK;
}

/* ---- Addresses ------------------------------------------------------------------------------------- */

int socket_name_read(user_t from, int bytes, struct socket_name *out)
{
    struct address address;

    deep_assert(out != NULL);
    if (bytes < NAME_OFFSET || bytes > NAME_MOST)
        return -EINVAL;
    if (user_read(&address, from, (size_t)bytes) != 0)
        return -EFAULT;
    if (address.family == FAMILY_NONE)
        return 1;
    if (address.family != FAMILY_UNIX)
        return -EINVAL;
    out->length = (size_t)bytes - NAME_OFFSET;
    memcpy(out->text, address.text, out->length);
    if (out->length > 0 && out->text[0] != '\0')
        out->length = strnlen(out->text, out->length);
    out->text[out->length] = '\0';
    return 0;
}

int socket_name_write(user_t to, user_t size, const struct socket_name *name)
{
    struct address address = { .family = FAMILY_UNIX };
    int32_t        room, length;

    deep_assert(name != NULL);
    length = NAME_OFFSET + (int32_t)name->length;
    if (to == 0)
        return 0;
    if (user_read(&room, size, sizeof room) != 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    memcpy(address.text, name->text, name->length);
    if (name->length > 0 && name->length < SOCKET_NAME && name->text[0] != '\0')
        length++;                               /* the NUL counts for the length of a path */
    if (user_write(to, &address, room < length ? (size_t)room : (size_t)length) != 0)
        return -EFAULT;
    return user_write(size, &length, sizeof length);
}

/* ---- Making ------------------------------------------------------------------------------------------ */

enum { SOCKET_RAW = 3 };

/* A raw socket of this family is one of datagrams. */
static int kind_of(unsigned type)
{
    return (type & TYPE_MASK) == SOCKET_RAW ? SOCKET_DATAGRAM : (int)(type & TYPE_MASK);
}

static int check_socket_kind(int family, unsigned type, int protocol)
{
    int kind = kind_of(type);

    if (type & ~(unsigned)(TYPE_MASK | O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    if (family != FAMILY_UNIX)
        return -EAFNOSUPPORT;
    if (protocol != 0 && protocol != FAMILY_UNIX)
        return -EPROTONOSUPPORT;
    return kind == SOCKET_STREAM || kind == SOCKET_DATAGRAM || kind == SOCKET_PACKETS ? 0 : -ESOCKTNOSUPPORT;
}

SYSTEM_CALL(socket, int, domain, unsigned, type, int, protocol)
{
    struct file *file;
    int          err = check_socket_kind(domain, type, protocol);

    if (err == 0)
        err = socket_make(kind_of(type), type & O_NONBLOCK, &file);
    return err != 0 ? err : new_descriptor(file, type & O_CLOEXEC);
}

SYSTEM_CALL(socketpair, int, domain, unsigned, type, int, protocol, user_t, to)
{
    struct file *one, *other;
    int          err = check_socket_kind(domain, type, protocol);

    if (err == 0)
        err = socket_pair(kind_of(type), type & O_NONBLOCK, &one, &other);
    return err != 0 ? err : new_descriptor_pair(one, other, type & O_CLOEXEC, to);
}

/* ---- Naming and connecting ------------------------------------------------------------------------------ */

SYSTEM_CALL(bind, int, descriptor, user_t, name_at, int, length)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file_of(descriptor, &file);

    if (err != 0)
        return err;
    err = socket_name_read(name_at, length, &name);
    if (err == 0)
        err = socket_bind(file, &name);
    file_release(file);
    return err > 0 ? -EINVAL : err;
}

/* connect() copies its address before it looks at what sort of file it has: 0, -EINVAL or -EFAULT. */
static int check_address(user_t at, int length)
{
    uint8_t bytes[ADDRESS_MOST];

    if (length < 0 || length > ADDRESS_MOST)
        return -EINVAL;
    return user_read(bytes, at, (size_t)length);
}

SYSTEM_CALL(connect, int, descriptor, user_t, name_at, int, length)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file_of(descriptor, &file), wrong = 0;

    if (err == -ENOTSOCK)
        wrong = check_address(name_at, length);
    if (err != 0)
        return wrong != 0 ? wrong : err;
    err = socket_name_read(name_at, length, &name);
    if (err == 0)
        err = name.length == 0 ? -EINVAL : socket_connect(file, &name);
    else if (err > 0)
        err = socket_connect(file, NULL);
    file_release(file);
    return err;
}

SYSTEM_CALL(listen, int, descriptor, int, backlog)
{
    struct file *file;
    int          err = socket_file_of(descriptor, &file);

    if (err != 0)
        return err;
    err = socket_listen(file, backlog);
    file_release(file);
    return err;
}

SYSTEM_CALL(accept4, int, descriptor, user_t, name_at, user_t, length_at, unsigned, flags)
{
    struct socket_name name;
    struct file       *file, *new;
    long               number, err = socket_file_of(descriptor, &file);

    if (err != 0)
        return err;
    number = flags & ~(uintptr_t)(O_NONBLOCK | O_CLOEXEC) ? -EINVAL : reserve_descriptor();
    err    = number < 0 ? number : socket_accept(file, flags & O_NONBLOCK, &new);
    file_release(file);
    if (number < 0)
        return number;
    if (err == 0) {
        if (socket_peer_name(new, &name) != 0)
            name.length = 0;
        err = socket_name_write(name_at, length_at, &name);
        if (err != 0)
            file_release(new);
    }
    return settle_descriptor(number, err, new, flags & O_CLOEXEC);
}

SYSTEM_CALL(shutdown, int, descriptor, unsigned, how)
{
    struct file *file;
    int          err = socket_file_of(descriptor, &file);

    if (err != 0)
        return err;
    err = how > 2 ? -EINVAL : socket_shut(file, how != 1, how != 0);
    file_release(file);
    return err;
}

SYSTEM_CALL(getsockname, int, descriptor, user_t, name_at, user_t, length_at)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file_of(descriptor, &file);

    if (err != 0)
        return err;
    socket_own_name(file, &name);
    err = socket_name_write(name_at, length_at, &name);
    file_release(file);
    return err;
}

SYSTEM_CALL(getpeername, int, descriptor, user_t, name_at, user_t, length_at)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file_of(descriptor, &file);

    if (err != 0)
        return err;
    err = socket_peer_name(file, &name);
    if (err == 0)
        err = socket_name_write(name_at, length_at, &name);
    file_release(file);
    return err;
}
