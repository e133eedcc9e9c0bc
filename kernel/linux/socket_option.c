/*
 * socket_option.c - getsockopt and setsockopt.
 *
 * Source: Linux, include/uapi/asm-generic/socket.h; socket(7).
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/socket_calls.h"
#include "process/process.h"

enum {
    SO_DEBUG = 1, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
    SO_OOBINLINE, SO_PRIORITY = 12, SO_LINGER = 13, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17,
    SO_RCVLOWAT = 18, SO_SNDLOWAT = 19, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_TIMESTAMP = 29, SO_ACCEPTCONN = 30,
    SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_MARK = 36, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_RCVTIMEO_WIDE = 66,
    SO_SNDTIMEO_WIDE = 67,
};
enum { SEND_ROOM_LEAST = 4608, RECEIVE_ROOM_LEAST = 2304 };

/* The member of an option that is on or off; NULL for any other option. */
static bool *option_flag(struct socket_options *options, int option)
{
    static const uint8_t numbers[SOCKET_FLAGS] = {
        [FLAG_DEBUG] = SO_DEBUG, [FLAG_REUSE] = SO_REUSEADDR, [FLAG_NO_ROUTE] = SO_DONTROUTE,
        [FLAG_BROADCAST] = SO_BROADCAST, [FLAG_KEEP_ALIVE] = SO_KEEPALIVE, [FLAG_INLINE] = SO_OOBINLINE,
        [FLAG_TIMESTAMP] = SO_TIMESTAMP, [FLAG_CREDENTIALS] = SO_PASSCRED,
    };

    deep_assert(options != NULL);
    for (unsigned i = 0; i < SOCKET_FLAGS; i++)
        if (numbers[i] == option)
            return &options->flags[i];
    return NULL;
}

/* The member of an option that is a number; NULL for any other option. */
static int32_t *option_number(struct socket_options *options, int option)
{
    deep_assert(options != NULL);
    switch (option) {
    case SO_SNDBUF:   return &options->send_room;
    case SO_RCVBUF:   return &options->receive_room;
    case SO_PRIORITY: return &options->priority;
    case SO_RCVLOWAT: return &options->least_to_read;
    case SO_MARK:     return &options->mark;
    default:          return NULL;
    }
}

/* The member of an option that limits a wait; NULL for any other option. */
static uint64_t *option_limit(struct socket_options *options, int option)
{
    deep_assert(options != NULL);
    return option == SO_RCVTIMEO || option == SO_RCVTIMEO_WIDE ? &options->receive_limit
         : option == SO_SNDTIMEO || option == SO_SNDTIMEO_WIDE ? &options->send_limit : NULL;
}

static int read_option_limit(uint64_t limit, bool wide, int32_t value[4])
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

/* The value of an option that is a state of the socket. */
static int read_socket_fact(struct file *file, int option, int32_t value[4])
{
    struct socket_facts facts;

    deep_assert(file != NULL);
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
static int read_option(struct file *file, int option, int32_t value[4])
{
    struct socket_options *options;

    deep_assert(file != NULL);
    options = socket_options(file);
    if (option_flag(options, option) != NULL)
        value[0] = *option_flag(options, option);
    else if (option_number(options, option) != NULL)
        value[0] = *option_number(options, option);
    else if (option_limit(options, option) != NULL)
        return read_option_limit(*option_limit(options, option), option >= SO_RCVTIMEO_WIDE, value);
    else if (option == SO_SNDLOWAT)
        value[0] = 1;
    else if (option == SO_LINGER) {
        memcpy(value, options->linger, sizeof options->linger);
        return sizeof options->linger;
    } else if (option != SO_PROTOCOL && option != SO_REUSEPORT)
        return read_socket_fact(file, option, value);
    return 4;
}

SYSTEM_CALL(getsockopt, int, descriptor, int, level, int, option, user_t, value_at, user_t, length_at)
{
    int32_t      value[4] = { 0 }, room, size;
    struct file *file;
    int          err = socket_file_of(descriptor, &file);

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

static int set_option_limit(uint64_t *limit, bool wide, user_t from, uintptr_t size)
{
    int64_t both[2];
    int32_t narrow[2];

    deep_assert(limit != NULL);
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

/* Set a buffer's size: twice the value, as Linux counts its own costs, and within limits. */
static int32_t room_for(int32_t wish, int32_t least)
{
    if (wish < 0 || wish > SOCKET_ROOM)
        wish = SOCKET_ROOM;
    return 2 * wish > least ? 2 * wish : least;
}

static int set_option_number(struct socket_options *options, int option, int32_t value)
{
    bool *flag;

    deep_assert(options != NULL);
    flag = option_flag(options, option);
    if (flag != NULL)
        *flag = value != 0;
    else if (option == SO_SNDBUF || option == SO_SNDBUFFORCE)
        options->send_room = room_for(value, SEND_ROOM_LEAST);
    else if (option == SO_RCVBUF || option == SO_RCVBUFFORCE)
        options->receive_room = room_for(value, RECEIVE_ROOM_LEAST);
    else if (option == SO_RCVLOWAT)
        options->least_to_read = value < 0 ? INT32_MAX : value > 0 ? value : 1;
    else if (option_number(options, option) != NULL)
        *option_number(options, option) = value;
    else
        return option == SO_REUSEPORT ? -EOPNOTSUPP : -ENOPROTOOPT;
    return 0;
}

static int set_option(struct socket_options *options, int option, user_t from, uintptr_t size)
{
    int32_t value[2];

    deep_assert(options != NULL);
    if (option_limit(options, option) != NULL)
        return set_option_limit(option_limit(options, option), option >= SO_RCVTIMEO_WIDE, from, size);
    if (size < sizeof value[0])
        return -EINVAL;
    if (user_read(value, from, sizeof value[0]) != 0)
        return -EFAULT;
    if (option != SO_LINGER)
        return set_option_number(options, option, value[0]);
    if (size < sizeof value)
        return -EINVAL;
    if (user_read(value, from, sizeof value) != 0)
        return -EFAULT;
    options->linger[0] = value[0] != 0;
    options->linger[1] = value[1];
    return 0;
}

/* Options that matter only for networks are stored and have no effect. */
SYSTEM_CALL(setsockopt, int, descriptor, int, level, int, option, user_t, value_at, int32_t, length)
{
    struct file *file;
    int          err = socket_file_of(descriptor, &file);

    if (err != 0)
        return err;
    if (length < 0)
        err = -EINVAL;
    else
        err = level != LEVEL_SOCKET ? -EOPNOTSUPP : set_option(socket_options(file), option, value_at, length);
    file_release(file);
    return err;
}
