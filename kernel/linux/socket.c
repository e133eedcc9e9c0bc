/*
 * socket.c - the socket calls, directly and through socketcall.
 *
 * Source: Linux, net/socket.c, include/uapi/linux/{net,un,socket}.h; socket(2), unix(7).
 */
#include "files/ipc/socket.h"

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

/* A message from a socket without a name has none, not even a family. */
static int write_sender(user_t to, user_t size, const struct socket_name *name)
{
    int32_t none = 0;

    if (name->length > 0 || to == 0)
        return write_name(to, size, name);
    return user_write(size, &none, sizeof none);
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

SYSTEM_CALL(socket, int, domain, unsigned, type, int, protocol)
{
    struct file *file;
    int          err = check_kind(domain, type, protocol);

    if (err == 0)
        err = socket_make((int)(type & TYPE_MASK), type & O_NONBLOCK, &file);
    return err != 0 ? err : new_descriptor(file, type & O_CLOEXEC);
}

SYSTEM_CALL(socketpair, int, domain, unsigned, type, int, protocol, user_t, to)
{
    struct files *files = current_process()->files;
    struct file  *one, *other;
    int32_t       pair[2];
    int           err = check_kind(domain, type, protocol);

    if (err == 0)
        err = socket_pair((int)(type & TYPE_MASK), type & O_NONBLOCK, &one, &other);
    if (err != 0)
        return err;
    pair[0] = (int32_t)new_descriptor(one, type & O_CLOEXEC);
    if (pair[0] < 0) {
        file_release(other);
        return pair[0];
    }
    pair[1] = (int32_t)new_descriptor(other, type & O_CLOEXEC);
    err = pair[1] < 0 ? pair[1] : user_write(to, pair, sizeof pair);
    if (err != 0) {
        descriptor_close(files, pair[0]);
        if (pair[1] >= 0)
            descriptor_close(files, pair[1]);
    }
    return err;
}

/* ---- Naming and connecting ------------------------------------------------------------------------------ */

SYSTEM_CALL(bind, int, descriptor, user_t, name_at, int, length)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file(descriptor, &file);

    if (err != 0)
        return err;
    err = read_name(name_at, length, &name);
    if (err == 0)
        err = socket_bind(file, &name);
    file_release(file);
    return err > 0 ? -EINVAL : err;
}

SYSTEM_CALL(connect, int, descriptor, user_t, name_at, int, length)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file(descriptor, &file);

    if (err != 0)
        return err;
    err = read_name(name_at, length, &name);
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
    int          err = socket_file(descriptor, &file);

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
    long               err = socket_file(descriptor, &file);

    if (err != 0)
        return err;
    err = flags & ~(uintptr_t)(O_NONBLOCK | O_CLOEXEC) ? -EINVAL : socket_accept(file, flags & O_NONBLOCK, &new);
    file_release(file);
    if (err != 0)
        return err;
    if (socket_peer_name(new, &name) != 0)
        name.length = 0;
    err = write_name(name_at, length_at, &name);
    if (err != 0) {
        file_release(new);
        return err;
    }
    return new_descriptor(new, flags & O_CLOEXEC);
}

SYSTEM_CALL(shutdown, int, descriptor, unsigned, how)
{
    struct file *file;
    int          err = socket_file(descriptor, &file);

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
    int                err = socket_file(descriptor, &file);

    if (err != 0)
        return err;
    socket_own_name(file, &name);
    err = write_name(name_at, length_at, &name);
    file_release(file);
    return err;
}

SYSTEM_CALL(getpeername, int, descriptor, user_t, name_at, user_t, length_at)
{
    struct socket_name name;
    struct file       *file;
    int                err = socket_file(descriptor, &file);

    if (err != 0)
        return err;
    err = socket_peer_name(file, &name);
    if (err == 0)
        err = write_name(name_at, length_at, &name);
    file_release(file);
    return err;
}

/* ---- Options -------------------------------------------------------------------------------------------------- */

enum { LEVEL_SOCKET = 1 };
enum {
    SO_DEBUG = 1, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
    SO_OOBINLINE, SO_PRIORITY = 12, SO_LINGER = 13, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17,
    SO_RCVLOWAT = 18, SO_SNDLOWAT = 19, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_TIMESTAMP = 29, SO_ACCEPTCONN = 30,
    SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_MARK = 36, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_RCVTIMEO_WIDE = 66,
    SO_SNDTIMEO_WIDE = 67,
};
enum { SEND_ROOM_LEAST = 4608, RECEIVE_ROOM_LEAST = 2304 };

/* Where an option that is on or off is kept; NULL for another. */
static bool *flag_of(struct socket_options *options, uintptr_t option)
{
    static const uint8_t numbers[SOCKET_FLAGS] = {
        [FLAG_DEBUG] = SO_DEBUG, [FLAG_REUSE] = SO_REUSEADDR, [FLAG_NO_ROUTE] = SO_DONTROUTE,
        [FLAG_BROADCAST] = SO_BROADCAST, [FLAG_KEEP_ALIVE] = SO_KEEPALIVE, [FLAG_INLINE] = SO_OOBINLINE,
        [FLAG_TIMESTAMP] = SO_TIMESTAMP, [FLAG_CREDENTIALS] = SO_PASSCRED,
    };

    for (unsigned i = 0; i < SOCKET_FLAGS; i++)
        if (numbers[i] == option)
            return &options->flags[i];
    return NULL;
}

/* And a number. */
static int32_t *number_of(struct socket_options *options, uintptr_t option)
{
    switch (option) {
    case SO_SNDBUF:   return &options->send_room;
    case SO_RCVBUF:   return &options->receive_room;
    case SO_PRIORITY: return &options->priority;
    case SO_RCVLOWAT: return &options->least_to_read;
    case SO_MARK:     return &options->mark;
    default:          return NULL;
    }
}

/* How long a call may wait. */
static uint64_t *limit_of(struct socket_options *options, uintptr_t option)
{
    return option == SO_RCVTIMEO || option == SO_RCVTIMEO_WIDE ? &options->receive_limit
         : option == SO_SNDTIMEO || option == SO_SNDTIMEO_WIDE ? &options->send_limit : NULL;
}

static int read_limit(uint64_t limit, bool wide, int32_t value[4])
{
    uint64_t microseconds = limit == UINT64_MAX ? 0 : limit / 1000;
    uint64_t seconds      = microseconds / 1000000;
    int64_t  both[2]      = { (int64_t)seconds, (int64_t)(microseconds - seconds * 1000000) };

    if (wide) {
        memcpy(value, both, sizeof both);
        return sizeof both;
    }
    value[0] = (int32_t)both[0];
    value[1] = (int32_t)both[1];
    return 8;
}

/* What the socket itself knows. */
static int read_fact(struct file *file, uintptr_t option, int32_t value[4])
{
    struct socket_facts facts;

    if (option != SO_TYPE && option != SO_ERROR && option != SO_PEERCRED && option != SO_ACCEPTCONN &&
        option != SO_DOMAIN)
        return -ENOPROTOOPT;
    socket_facts(file, &facts);
    switch (option) {
    case SO_TYPE:       value[0] = facts.type; return 4;
    case SO_ERROR:      value[0] = facts.error; return 4;
    case SO_ACCEPTCONN: value[0] = facts.listening; return 4;
    case SO_DOMAIN:     value[0] = FAMILY_UNIX; return 4;
    default:
        value[0] = facts.peer.process;
        value[1] = (int32_t)facts.peer.user;
        value[2] = (int32_t)facts.peer.group;
        return 12;
    }
}

/* The bytes of an option's value, or -ENOPROTOOPT. */
static int read_option(struct file *file, uintptr_t option, int32_t value[4])
{
    struct socket_options *options = socket_options(file);

    if (flag_of(options, option) != NULL)
        value[0] = *flag_of(options, option);
    else if (number_of(options, option) != NULL)
        value[0] = *number_of(options, option);
    else if (limit_of(options, option) != NULL)
        return read_limit(*limit_of(options, option), option >= SO_RCVTIMEO_WIDE, value);
    else if (option == SO_SNDLOWAT)
        value[0] = 1;
    else if (option == SO_LINGER) {
        memcpy(value, options->linger, sizeof options->linger);
        return sizeof options->linger;
    } else if (option != SO_PROTOCOL && option != SO_REUSEPORT)
        return read_fact(file, option, value);
    return 4;
}

SYSTEM_CALL(getsockopt, int, descriptor, int, level, int, option, user_t, value_at, user_t, length_at)
{
    int32_t      value[4] = { 0 }, room, size;
    struct file *file;
    int          err = socket_file(descriptor, &file);

    if (err != 0)
        return err;
    size = user_read(&room, length_at, sizeof room) != 0 ? -EFAULT : room < 0 ? -EINVAL : 0;
    if (size == 0)
        size = level != LEVEL_SOCKET ? -EOPNOTSUPP : read_option(file, option, value);
    file_release(file);
    if (size < 0)
        return size;
    if (size > room)
        size = room;
    return user_write(value_at, value, (size_t)size) != 0 ? -EFAULT : user_write(length_at, &size, sizeof size);
}

static int set_limit(uint64_t *limit, bool wide, user_t from, uintptr_t size)
{
    int64_t both[2];
    int32_t narrow[2];

    if (size < (wide ? sizeof both : sizeof narrow))
        return -EINVAL;
    if (wide ? user_read(both, from, sizeof both) : user_read(narrow, from, sizeof narrow))
        return -EFAULT;
    if (!wide) {
        both[0] = narrow[0];
        both[1] = narrow[1];
    }
    if (both[1] < 0 || both[1] >= 1000000)
        return -EDOM;
    if (both[0] < 0)
        *limit = UINT64_MAX;                    /* the program's wish not to wait at all */
    else
        *limit = both[0] < INT32_MAX ? (uint64_t)both[0] * 1000000000 + (uint64_t)both[1] * 1000 : 0;
    return 0;
}

/* A buffer's size is a wish: twice as much, as Linux counts what keeping it costs, and within limits. */
static int32_t room_for(int32_t wish, int32_t least)
{
    if (wish < 0 || wish > SOCKET_ROOM)
        wish = SOCKET_ROOM;
    return 2 * wish > least ? 2 * wish : least;
}

static int set_number(struct socket_options *options, uintptr_t option, int32_t value)
{
    bool *flag = flag_of(options, option);

    if (flag != NULL)
        *flag = value != 0;
    else if (option == SO_SNDBUF || option == SO_SNDBUFFORCE)
        options->send_room = room_for(value, SEND_ROOM_LEAST);
    else if (option == SO_RCVBUF || option == SO_RCVBUFFORCE)
        options->receive_room = room_for(value, RECEIVE_ROOM_LEAST);
    else if (option == SO_RCVLOWAT)
        options->least_to_read = value < 0 ? INT32_MAX : value > 0 ? value : 1;
    else if (number_of(options, option) != NULL)
        *number_of(options, option) = value;
    else
        return option == SO_REUSEPORT ? -EOPNOTSUPP : -ENOPROTOOPT;
    return 0;
}

static int set_option(struct socket_options *options, uintptr_t option, user_t from, uintptr_t size)
{
    int32_t value[2];

    if (limit_of(options, option) != NULL)
        return set_limit(limit_of(options, option), option >= SO_RCVTIMEO_WIDE, from, size);
    if (size < sizeof value[0])
        return -EINVAL;
    if (user_read(value, from, sizeof value[0]) != 0)
        return -EFAULT;
    if (option != SO_LINGER)
        return set_number(options, option, value[0]);
    if (size < sizeof value)
        return -EINVAL;
    if (user_read(value, from, sizeof value) != 0)
        return -EFAULT;
    options->linger[0] = value[0] != 0;
    options->linger[1] = value[1];
    return 0;
}

/* Options that only the network would notice are kept and change nothing. */
SYSTEM_CALL(setsockopt, int, descriptor, int, level, int, option, user_t, value_at, int32_t, length)
{
    struct file *file;
    int          err = socket_file(descriptor, &file);

    if (err != 0)
        return err;
    if (length < 0)
        err = -EINVAL;
    else
        err = level != LEVEL_SOCKET ? -EOPNOTSUPP : set_option(socket_options(file), option, value_at, length);
    file_release(file);
    return err;
}

/* ---- Sending and receiving ------------------------------------------------------------------------------- */

static struct buffer one_piece(user_t memory, size_t bytes)
{
    return (struct buffer){ .user = memory, .bytes = bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL };
}

SYSTEM_CALL(sendto, int, descriptor, user_t, from, size_t, count, unsigned, flags, user_t, name_at, int, length)
{
    struct buffer      piece = one_piece(from, count);
    struct socket_name name;
    struct sending     sending = { .to = name_at != 0 ? &name : NULL };
    struct file       *file;
    long               done = socket_file(descriptor, &file);

    if (done != 0)
        return done;
    if (name_at != 0)
        done = read_name(name_at, length, &name);
    if (done > 0)
        done = -EINVAL;
    if (done == 0 && !user_range(from, count))
        done = -EFAULT;
    if (done == 0)
        done = socket_send(file, &piece, 1, &sending, flags);
    file_release(file);
    return done;
}

SYSTEM_CALL(recvfrom, int, descriptor, user_t, to, size_t, count, unsigned, flags, user_t, name_at, user_t, length_at)
{
    struct buffer   piece = one_piece(to, count);
    struct received received;
    struct file    *file;
    long            done = socket_file(descriptor, &file);

    if (done != 0)
        return done;
    done = -EFAULT;
    if (user_range(to, count)) {
        done = socket_receive(file, &piece, 1, flags, &received);
        passed_release(received.passed);        /* nobody asked for them */
    }
    if (done >= 0 && name_at != 0) {
        int err = write_sender(name_at, length_at, &received.from);

        if (err != 0)
            done = err;
    }
    file_release(file);
    return done;
}

/* struct msghdr */
struct message { uint32_t name; int32_t name_bytes; uint32_t pieces, count, control, control_bytes, flags; };
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

/* ---- What is sent beside the bytes: a row of headers, each with its data, each beginning at a word ------- */

struct control { uint32_t bytes; int32_t level, type; };                /* struct cmsghdr */
enum { CONTROL_RIGHTS = 1, CONTROL_CREDENTIALS = 2, CONTROL_MOST = 20480 };

static size_t control_space(size_t bytes) { return (bytes + 3) & ~(size_t)3; }

/* The open files of descriptors, all or none. A second row of files goes behind the first. */
static int pass_files(const int32_t *descriptors, uint32_t count, struct sending *sending)
{
    uint32_t       before = passed_count(sending->passed);
    struct passed *passed;

    if (count == 0)
        return 0;
    if (count > RIGHTS_MOST - before)
        return -EINVAL;
    passed = before > 0 ? passed_extend(sending->passed, count) : passed_make(count);
    if (passed == NULL)
        return -ENOMEM;
    sending->passed = passed;
    for (uint32_t i = 0; i < count; i++) {
        struct file *file = file_of((uintptr_t)descriptors[i]);

        if (file == NULL)
            return -EBADF;
        passed_set(passed, before + i, file);
    }
    return 0;
}

/* Who is not root may name only himself. */
static int sign(const struct credentials *who, struct sending *sending)
{
    const struct process *process = current_process();

    if (process->euid != 0 &&
        (who->process != process->id ||
         (who->user != process->uid && who->user != process->euid && who->user != process->suid) ||
         (who->group != process->gid && who->group != process->egid && who->group != process->sgid)))
        return -EPERM;
    if (who->process != process->id && process_find(who->process) == NULL)
        return -ESRCH;
    sending->signs  = true;
    sending->sender = *who;
    return 0;
}

static int read_one(const struct control *control, struct sending *sending)
{
    uint32_t bytes = control->bytes - (uint32_t)sizeof *control;

    if (control->level != LEVEL_SOCKET)
        return 0;
    if (control->type == CONTROL_RIGHTS)
        return pass_files((const int32_t *)(control + 1), bytes / sizeof(int32_t), sending);
    if (control->type == CONTROL_CREDENTIALS && bytes == sizeof(struct credentials))
        return sign((const struct credentials *)(control + 1), sending);
    return -EINVAL;
}

/* `room` begins at a word, and so does each header in it. */
static int read_row(const char *room, size_t bytes, struct sending *sending)
{
    size_t at  = 0;
    int    err = bytes < sizeof(struct control) ? -EINVAL : 0;

    while (err == 0 && at < bytes && bytes - at >= sizeof(struct control)) {
        const struct control *control = (const struct control *)(const void *)(room + at);

        if (control->bytes < sizeof *control || control->bytes > bytes - at)
            return -EINVAL;
        err = read_one(control, sending);
        at += control_space(control->bytes);
    }
    return err;
}

static int read_control(const struct message *message, struct sending *sending)
{
    size_t bytes = message->control_bytes;
    char  *room;
    int    err;

    if (bytes == 0)
        return 0;
    if (bytes > CONTROL_MOST)
        return -ENOBUFS;
    room = heap_alloc(bytes, 0);
    if (room == NULL)
        return -ENOBUFS;
    err = user_read(room, message->control, bytes) != 0 ? -EFAULT : read_row(room, bytes, sending);
    heap_free(room);
    return err;
}

static long send_message(struct file *file, const struct message *message, unsigned flags)
{
    struct socket_name name;
    struct sending     sending = { .to = message->name != 0 ? &name : NULL };
    struct buffer     *pieces;
    long               done = 0;

    if (message->name != 0)
        done = read_name(message->name, (uintptr_t)message->name_bytes, &name);
    if (done == 0)
        done = read_pieces(message, &pieces);
    if (done != 0)
        return done > 0 ? -EINVAL : done;
    done = read_control(message, &sending);
    if (done == 0)
        done = socket_send(file, pieces, piece_count(message), &sending, flags);
    passed_release(sending.passed);
    heap_free(pieces);
    return done;
}

SYSTEM_CALL(sendmsg, int, descriptor, user_t, message_at, unsigned, flags)
{
    struct message message;
    struct file   *file;
    long           done = socket_file(descriptor, &file);

    if (done != 0)
        return done;
    done = user_read(&message, message_at, sizeof message) != 0 ? -EFAULT : send_message(file, &message, flags);
    file_release(file);
    return done;
}

/* ---- What is received beside the bytes: as much as there is room for, and the flag says if that was not all  */

enum { MSG_CTRUNC = 8, MSG_CMSG_CLOEXEC = 0x40000000 };

/* The part of a message's control room that is used up; `flags` of the message. */
struct row {
    user_t   at;
    size_t   left;
    uint32_t flags;
};

static void row_advance(struct row *row, size_t bytes)
{
    size_t space = control_space(bytes);

    if (space > row->left)
        space = row->left;
    row->at   += space;
    row->left -= space;
}

/* A room that cannot be written loses what it would have held; the call itself has succeeded. */
static void put_sender(struct row *row, const struct credentials *sender)
{
    struct { struct control head; struct credentials who; } out = {
        { sizeof out, LEVEL_SOCKET, CONTROL_CREDENTIALS }, *sender,
    };

    if (row->left < sizeof out.head) {
        row->flags |= MSG_CTRUNC;
        return;
    }
    if (row->left < sizeof out) {
        row->flags |= MSG_CTRUNC;
        out.head.bytes = (uint32_t)row->left;
    }
    if (user_write(row->at, &out, out.head.bytes) == 0)
        row_advance(row, out.head.bytes);
}

/* A descriptor for a passed file, told to the program before it is open. */
static bool put_file(struct file *file, user_t to, bool close_on_exec)
{
    int32_t number;

    file_hold(file);
    number = (int32_t)new_descriptor(file, close_on_exec);
    if (number < 0)
        return false;
    if (user_write(to, &number, sizeof number) == 0)
        return true;
    descriptor_close(current_process()->files, number);
    return false;
}

/* As many files as there are room and free numbers for; the others are closed. */
static void put_files(struct row *row, const struct passed *passed, bool close_on_exec)
{
    uint32_t       count = passed_count(passed), done = 0;
    struct control head  = { 0, LEVEL_SOCKET, CONTROL_RIGHTS };
    uint32_t       room  = row->left > sizeof head ? (uint32_t)((row->left - sizeof head) / sizeof(int32_t)) : 0;

    while (done < count && done < room &&
           put_file(passed_file(passed, done), row->at + sizeof head + done * sizeof(int32_t), close_on_exec))
        done++;
    if (done < count)
        row->flags |= MSG_CTRUNC;
    head.bytes = (uint32_t)(sizeof head + done * sizeof(int32_t));
    if (done > 0 && user_write(row->at, &head, sizeof head) == 0)
        row_advance(row, head.bytes);
}

static void put_beside(struct row *row, const struct received *received, bool close_on_exec)
{
    if (row->at == 0) {
        if (received->signed_ || received->passed != NULL)
            row->flags |= MSG_CTRUNC;
        return;
    }
    if (received->signed_)
        put_sender(row, &received->sender);
    if (received->passed != NULL)
        put_files(row, received->passed, close_on_exec);
}

static int finish_message(user_t at, struct message *message, const struct received *received, unsigned flags)
{
    struct row row = { message->control, message->control_bytes,
                       (received->cut ? MSG_TRUNC : 0) | (flags & MSG_CMSG_CLOEXEC) };

    if (message->name != 0 &&
        write_sender(message->name, at + offsetof(struct message, name_bytes), &received->from) != 0)
        return -EFAULT;
    put_beside(&row, received, flags & MSG_CMSG_CLOEXEC);
    message->control_bytes -= (uint32_t)row.left;
    if (user_write(at + offsetof(struct message, control_bytes), &message->control_bytes, 4) != 0 ||
        user_write(at + offsetof(struct message, flags), &row.flags, 4) != 0)
        return -EFAULT;
    return 0;
}

static long receive_message(struct file *file, user_t at, struct message *message, unsigned flags)
{
    struct received received;
    struct buffer  *pieces;
    long            done = read_pieces(message, &pieces);
    int             err  = 0;

    if (done != 0)
        return done;
    done = socket_receive(file, pieces, piece_count(message), flags, &received);
    heap_free(pieces);
    if (done >= 0)
        err = finish_message(at, message, &received, flags);
    passed_release(received.passed);
    return err != 0 ? err : done;
}

SYSTEM_CALL(recvmsg, int, descriptor, user_t, message_at, unsigned, flags)
{
    struct message message;
    struct file   *file;
    long           done = socket_file(descriptor, &file);

    if (done != 0)
        return done;
    done = user_read(&message, message_at, sizeof message) != 0 ? -EFAULT :
           receive_message(file, message_at, &message, flags);
    file_release(file);
    return done;
}
