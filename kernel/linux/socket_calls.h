/*
 * socket_calls.h - functions of several families of socket calls: descriptors of sockets, names copied in and out.
 */
#ifndef QUIRE_LINUX_SOCKET_CALLS_H
#define QUIRE_LINUX_SOCKET_CALLS_H

#include "files/ipc/socket.h"
#include "memory/spaces/user.h"

enum { FAMILY_NONE = 0, FAMILY_UNIX = 1, LEVEL_SOCKET = 1 };     /* AF_*, SOL_SOCKET */
enum { ADDRESS_MOST = 128 };                                    /* struct sockaddr_storage */

/* Find the open file of a socket's descriptor, with a reference. Returns 0, -EBADF, -ENOTSOCK. */
int socket_file_of(int descriptor, struct file **out) MUST_CHECK;

/* Read a program's struct sockaddr of so many bytes. Returns 0; 1 for family AF_UNSPEC; -EINVAL, -EFAULT. */
int socket_name_read(user_t from, int bytes, struct socket_name *out) MUST_CHECK;

/*
 * Write a name into a program's struct sockaddr, cut to the room that the word at `size` says. The name's whole length
 * is then written to that word. `to` of 0: nothing is written. Returns 0, -EINVAL, -EFAULT.
 */
int socket_name_write(user_t to, user_t size, const struct socket_name *name) MUST_CHECK;

#endif
