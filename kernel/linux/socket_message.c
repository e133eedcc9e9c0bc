/*
 * socket_message.c - messages through sockets: sendto, recvfrom, sendmsg, recvmsg.
 *
 * Source: Linux, include/uapi/linux/socket.h; send(2), recv(2), cmsg(3), unix(7).
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/socket_calls.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* ---- Sending and receiving ------------------------------------------------------------------------------- */

/* A message from a socket without a name has an address of length 0. */
static int write_sender_name(user_t to, user_t size, const struct socket_name *name)
{
    int32_t none = 0;

    deep_assert(name != NULL);
    if (name->length > 0 || to == 0)
        return socket_name_write(to, size, name);
    return user_write(size, &none, sizeof none);
}

static struct buffer one_piece(user_t memory, size_t bytes)
{
    return (struct buffer){ .user = memory, .bytes = bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL };
}

/* To whom: connected kinds of sockets say themselves what they think of an address, whatever is in it. */
static long read_target(const struct file *file, user_t from, int bytes, struct socket_name *out)
{
    long err = socket_name_read(from, bytes, out);

    if (err == -EFAULT || bytes < 0 || bytes > ADDRESS_MOST || socket_is_datagram(file))
        return err > 0 ? -EINVAL : err;
    if (err != 0)
        out->length = 0;
    return 0;
}

SYSTEM_CALL(sendto, int, descriptor, user_t, from, size_t, count, unsigned, flags, user_t, name_at, int, length)
{
    struct buffer      piece = one_piece(from, count);
    struct socket_name name;
    struct sending     sending = { .to = name_at != 0 && length != 0 ? &name : NULL };
    struct file       *file;
    long               done = socket_file_of(descriptor, &file);

    if (done != 0)
        return done;
    if (sending.to != NULL)
        done = read_target(file, name_at, length, &name);
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
    long            done = socket_file_of(descriptor, &file);

    if (done != 0)
        return done;
    done = -EFAULT;
    if (user_range(to, count)) {
        done = socket_receive(file, &piece, 1, flags, &received);
        passed_release(received.passed);        /* this call cannot receive files */
    }
    if (done >= 0 && name_at != 0) {
        int err = write_sender_name(name_at, length_at, &received.from);

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

    deep_assert(message != NULL);
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

/* ---- Control messages that are sent: a row of headers, each with its data, each beginning at a word ------- */

struct control { uint32_t bytes; int32_t level, type; };                /* struct cmsghdr */
enum { CONTROL_RIGHTS = 1, CONTROL_CREDENTIALS = 2, CONTROL_MOST = 20480 };

static size_t control_space(size_t bytes) { return (bytes + 3) & ~(size_t)3; }

/* Find the open files of descriptors, all or none. A second row of files is appended to the first. */
static int pass_descriptors(const int32_t *descriptors, uint32_t count, struct sending *sending)
{
    uint32_t       before;
    struct passed *passed;

    deep_assert(descriptors != NULL && sending != NULL);
    before = passed_count(sending->passed);
    if (count == 0)
        return 0;
    if (count > RIGHTS_MOST - before)
        return -EINVAL;
    passed = before > 0 ? passed_extend(sending->passed, count) : passed_make(count);
    if (passed == NULL)
        return -ENOMEM;
    sending->passed = passed;
    for (uint32_t i = 0; i < count; i++) {
        struct file *file = file_of(descriptors[i]);

        if (file == NULL)
            return -EBADF;
        passed_set(passed, before + i, file);
    }
    return 0;
}

static bool has_number(const struct user_numbers *numbers, uint32_t id)
{
    return id == numbers->real || id == numbers->effective || id == numbers->saved;
}

/* A process that may not change its user may name only itself as the sender. */
static int sign_message(const struct sender_numbers *who, struct sending *sending)
{
    const struct process     *process = current_process();
    const struct credentials *c       = credentials_acting();

    deep_assert(who != NULL && sending != NULL);
    if ((who->process != process->id && !has_capability(CAP_SYS_ADMIN)) ||
        (!has_number(&c->user, who->user) && !has_capability(CAP_SETUID)) ||
        (!has_number(&c->group, who->group) && !has_capability(CAP_SETGID)))
        return -EPERM;
    if (who->process != process->id && process_find(who->process) == NULL)
        return -ESRCH;
    sending->signs  = true;
    sending->sender = *who;
    return 0;
}

static int read_control_row(const struct control *control, struct sending *sending)
{
    uint32_t bytes;

    deep_assert(control != NULL && sending != NULL);
    bytes = control->bytes - (uint32_t)sizeof *control;
    if (control->level != LEVEL_SOCKET)
        return 0;
    if (control->type == CONTROL_RIGHTS)
        return pass_descriptors((const int32_t *)(control + 1), bytes / sizeof(int32_t), sending);
    if (control->type == CONTROL_CREDENTIALS && bytes == sizeof(struct sender_numbers))
        return sign_message((const struct sender_numbers *)(control + 1), sending);
    return -EINVAL;
}

/* `room` begins at a word, as does each header in it. */
static int read_control_rows(const char *room, size_t bytes, struct sending *sending)
{
    size_t at  = 0;
    int    err = bytes < sizeof(struct control) ? -EINVAL : 0;

    deep_assert(room != NULL && sending != NULL);
    while (err == 0 && at < bytes && bytes - at >= sizeof(struct control)) {
        const struct control *control = (const struct control *)(const void *)(room + at);

        if (control->bytes < sizeof *control || control->bytes > bytes - at)
            return -EINVAL;
        err = read_control_row(control, sending);
        at += control_space(control->bytes);
    }
    return err;
}

static int read_controls(const struct message *message, struct sending *sending)
{
    size_t bytes;
    char  *room;
    int    err;

    deep_assert(message != NULL && sending != NULL);
    bytes = message->control_bytes;
    if (bytes == 0)
        return 0;
    if (bytes > CONTROL_MOST)
        return -ENOBUFS;
    room = heap_alloc(bytes, 0);
    if (room == NULL)
        return -ENOBUFS;
    err = user_read(room, message->control, bytes) != 0 ? -EFAULT : read_control_rows(room, bytes, sending);
    heap_free(room);
    return err;
}

static long send_message(struct file *file, const struct message *message, unsigned flags)
{
    struct socket_name name;
    struct sending     sending = { .to = NULL };
    struct buffer     *pieces;
    long               done = 0;

    deep_assert(file != NULL && message != NULL);
    if (message->name != 0 && message->name_bytes != 0)
        sending.to = &name;
    if (sending.to != NULL)
        done = read_target(file, message->name, message->name_bytes, &name);
    if (done == 0)
        done = read_pieces(message, &pieces);
    if (done != 0)
        return done;
    done = read_controls(message, &sending);
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
    long           done = socket_file_of(descriptor, &file);

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

    deep_assert(row != NULL);
    if (space > row->left)
        space = row->left;
    row->at   += space;
    row->left -= space;
}

/* A control message that cannot be written is lost; the call succeeds. */
static void put_row_sender(struct row *row, const struct sender_numbers *sender)
{
    struct { struct control head; struct sender_numbers who; } out = {
        { sizeof out, LEVEL_SOCKET, CONTROL_CREDENTIALS }, *sender,
    };

    deep_assert(row != NULL);
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

/* Make a descriptor for a passed file and write its number to the program; where that fails, it is closed again. */
static bool put_row_file(struct file *file, user_t to, bool close_on_exec)
{
    int32_t number;

    deep_assert(file != NULL);
    file_hold(file);
    number = (int32_t)new_descriptor(file, close_on_exec);
    if (number < 0)
        return false;
    if (user_write(to, &number, sizeof number) == 0)
        return true;
    descriptor_withdraw(current_process()->files, number, file);
    return false;
}

/* Receive as many files as there are room and free numbers for; the others are closed. */
static void put_row_files(struct row *row, const struct passed *passed, bool close_on_exec)
{
    struct control head = { 0, LEVEL_SOCKET, CONTROL_RIGHTS };
    uint32_t       count, room, done = 0;

    deep_assert(row != NULL && passed != NULL);
    count = passed_count(passed);
    room  = row->left > sizeof head ? (uint32_t)((row->left - sizeof head) / sizeof(int32_t)) : 0;
    while (done < count && done < room &&
           put_row_file(passed_file(passed, done), row->at + sizeof head + done * sizeof(int32_t), close_on_exec))
        done++;
    if (done < count)
        row->flags |= MSG_CTRUNC;
    head.bytes = (uint32_t)(sizeof head + done * sizeof(int32_t));
    if (done > 0 && user_write(row->at, &head, sizeof head) == 0)
        row_advance(row, head.bytes);
}

static void put_rows(struct row *row, const struct received *received, bool close_on_exec)
{
    deep_assert(row != NULL && received != NULL);
    if (row->at == 0) {
        if (received->signed_ || received->passed != NULL)
            row->flags |= MSG_CTRUNC;
        return;
    }
    if (received->signed_)
        put_row_sender(row, &received->sender);
    if (received->passed != NULL)
        put_row_files(row, received->passed, close_on_exec);
}

static int finish_message(user_t at, struct message *message, const struct received *received, unsigned flags)
{
    struct row row = { .flags = flags & MSG_CMSG_CLOEXEC };

    deep_assert(message != NULL && received != NULL);
    row.at   = message->control;
    row.left = message->control_bytes;
    if (received->cut)
        row.flags |= MSG_TRUNC;
    if (message->name != 0 &&
        write_sender_name(message->name, at + offsetof(struct message, name_bytes), &received->from) != 0)
        return -EFAULT;
    put_rows(&row, received, flags & MSG_CMSG_CLOEXEC);
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
    long            done;
    int             err  = 0;

    deep_assert(file != NULL && message != NULL);
    done = read_pieces(message, &pieces);
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
    long           done = socket_file_of(descriptor, &file);

    if (done != 0)
        return done;
    done = user_read(&message, message_at, sizeof message) != 0 ? -EFAULT :
           receive_message(file, message_at, &message, flags);
    file_release(file);
    return done;
}
