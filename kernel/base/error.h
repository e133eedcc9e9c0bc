/*
 * error.h - errno values, numbered as Linux numbers them on i386 and x86-64.
 *
 * Calls that can fail return 0 or a negative one of these, so that a system call
 * can hand the number on untranslated. Source: Linux man-pages, errno(3).
 */
#ifndef QUIRE_BASE_ERROR_H
#define QUIRE_BASE_ERROR_H

#ifdef __STDC_HOSTED__
#if __STDC_HOSTED__
#include <errno.h>
#define QUIRE_HOST_ERRNO
#endif
#endif

#ifndef QUIRE_HOST_ERRNO
enum {
    ENODATA = 61, ENOTSOCK = 88, EDESTADDRREQ = 89, EMSGSIZE = 90, EPROTOTYPE = 91, ENOPROTOOPT = 92,
    EPROTONOSUPPORT = 93, ESOCKTNOSUPPORT = 94, EOPNOTSUPP = 95, EAFNOSUPPORT = 97, EADDRINUSE = 98,
    ECONNABORTED = 103, ECONNRESET = 104, ENOBUFS = 105, EISCONN = 106, ENOTCONN = 107,
    ECONNREFUSED = 111, ETOOMANYREFS = 109,
    EINPROGRESS = 115,
};
enum {
    EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, ENXIO = 6, E2BIG = 7,
    ENOEXEC = 8, EBADF = 9, ECHILD = 10, EAGAIN = 11, ENOMEM = 12, EACCES = 13,
    EFAULT = 14, EBUSY = 16, EEXIST = 17, EXDEV = 18, ENODEV = 19, ENOTDIR = 20,
    EISDIR = 21, EINVAL = 22, ENFILE = 23, EMFILE = 24, ENOTTY = 25, ETXTBSY = 26,
    EFBIG = 27, ENOSPC = 28, ESPIPE = 29, EROFS = 30, EMLINK = 31, EPIPE = 32,
    EDOM = 33, ERANGE = 34, EDEADLK = 35, ENAMETOOLONG = 36, ENOLCK = 37,
    ENOSYS = 38, ENOTEMPTY = 39, ELOOP = 40, EOVERFLOW = 75, ELIBBAD = 80, ETIMEDOUT = 110, EALREADY = 114,
};
#endif

#endif
