/*
 * socketcall.c (i386) - all socket calls by one: its arguments are a number, and the address of the call's arguments.
 *
 * Source   Linux man-pages, socketcall(2).
 */
#include "base/error.h"
#include "linux/calls.h"
#include "memory/spaces/user.h"

/*
 * By the number: 1 is socket. send and recv are sendto and recvfrom without the last two arguments; accept has no
 * flags.
 */
static const struct { linux_call call; uint8_t arguments; } calls[] = {
    [1] = { sys_socket, 3 },       [2] = { sys_bind, 3 },         [3] = { sys_connect, 3 },
    [4] = { sys_listen, 2 },       [5] = { sys_accept4, 3 },      [6] = { sys_getsockname, 3 },
    [7] = { sys_getpeername, 3 },  [8] = { sys_socketpair, 4 },   [9] = { sys_sendto, 4 },
    [10] = { sys_recvfrom, 4 },    [11] = { sys_sendto, 6 },      [12] = { sys_recvfrom, 6 },
    [13] = { sys_shutdown, 2 },    [14] = { sys_setsockopt, 5 },  [15] = { sys_getsockopt, 5 },
    [16] = { sys_sendmsg, 3 },     [17] = { sys_recvmsg, 3 },     [18] = { sys_accept4, 4 },
};

SYSTEM_CALL(socketcall, unsigned, number, user_t, arguments_at)
{
    struct call_arguments given = { { 0 } };

    if (number == 0 || number >= COUNT_OF(calls))
        return -EINVAL;
    if (user_read(given.word, arguments_at, calls[number].arguments * sizeof given.word[0]) != 0)
        return -EFAULT;
    return calls[number].call(&given);
}
