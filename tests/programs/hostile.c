/*
 * hostile.c - system calls with bad pointers, descriptors, numbers and flags.
 *
 * Each line of the table is a call and what its arguments are, a letter each:
 *
 *   f  an open file            p  the end of a pipe       d  a folder's descriptor
 *   F  every bad descriptor    P  every bad pointer       Q  those that cannot be read
 *   W  as P without `crossing`: how much of a torn write arrives is no promise
 *   s  a path of a file        b  a good buffer           n  16, its length
 *   e  this program's path
 *   0 1 2  that number         m  -1                      x  nonsense: 0x7FFFFFF1
 *   a  MAP_PRIVATE | MAP_ANONYMOUS
 *   i  an array of one good iovec, I of one whose base is each bad pointer
 *
 * One line comes out for each combination: the error that Linux gives, or no error.
 * Three processes do all of it at the same time, and one of them prints.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const struct {
    const char *name;
    int         number;
    const char *arguments;
} calls[] = {
    { "read", SYS_read, "Fbn" }, { "read", SYS_read, "fPn" }, { "write", SYS_write, "Fbn" },
    { "write", SYS_write, "fPn" }, { "write-pipe", SYS_write, "pWn" }, { "readv", SYS_readv, "fP1" },
    { "readv", SYS_readv, "fI1" }, { "readv", SYS_readv, "fim" }, { "readv", SYS_readv, "fix" },
    { "writev", SYS_writev, "fP1" }, { "writev", SYS_writev, "fI1" }, { "writev", SYS_writev, "fim" },
    { "pread64", SYS_pread64, "fPn00" }, { "pread64", SYS_pread64, "fbnmm" }, { "pwrite64", SYS_pwrite64, "fPn00" },
    { "pwrite64", SYS_pwrite64, "pbn00" }, { "open", SYS_open, "P00" }, { "openat", SYS_openat, "dP00" },
    { "openat", SYS_openat, "Fs00" }, { "close", SYS_close, "F" }, { "creat", SYS_creat, "P0" },
    { "link", SYS_link, "Ps" }, { "link", SYS_link, "sP" }, { "unlink", SYS_unlink, "P" },
    { "rename", SYS_rename, "Ps" }, { "rename", SYS_rename, "sP" }, { "symlink", SYS_symlink, "Ps" },
    { "symlink", SYS_symlink, "sP" }, { "readlink", SYS_readlink, "Pbn" }, { "readlink", SYS_readlink, "sbn" },
    { "readlink", SYS_readlink, "sb0" }, { "readlink", SYS_readlink, "sbm" }, { "mkdir", SYS_mkdir, "P0" },
    { "mkdir", SYS_mkdir, "s0" }, { "rmdir", SYS_rmdir, "P" }, { "rmdir", SYS_rmdir, "s" }, { "chdir", SYS_chdir, "P" },
    { "chdir", SYS_chdir, "s" }, { "fchdir", SYS_fchdir, "F" }, { "fchdir", SYS_fchdir, "f" },
    { "chmod", SYS_chmod, "P0" }, { "access", SYS_access, "P0" }, { "access", SYS_access, "sx" },
    { "truncate", SYS_truncate, "P0" }, { "truncate", SYS_truncate, "sm" }, { "ftruncate", SYS_ftruncate, "F0" },
    { "ftruncate", SYS_ftruncate, "fm" }, { "ftruncate", SYS_ftruncate, "p0" }, { "stat64", SYS_stat64, "Pb" },
    { "stat64", SYS_stat64, "sP" }, { "lstat64", SYS_lstat64, "sP" }, { "fstat64", SYS_fstat64, "fP" },
    { "fstat64", SYS_fstat64, "Fb" }, { "fstatat64", SYS_fstatat64, "dsPx" }, { "statx", SYS_statx, "dsx0b" },
    { "statx", SYS_statx, "ds00P" }, { "statfs64", SYS_statfs64, "Pxb" }, { "statfs64", SYS_statfs64, "s0b" },
    { "getdents64", SYS_getdents64, "fbn" }, { "getdents64", SYS_getdents64, "Fbn" },
    { "getdents64", SYS_getdents64, "db0" }, { "_llseek", SYS__llseek, "f00P0" }, { "_llseek", SYS__llseek, "fmmb0" },
    { "_llseek", SYS__llseek, "f00bx" }, { "_llseek", SYS__llseek, "p00b0" }, { "dup", SYS_dup, "F" },
    { "dup2", SYS_dup2, "F0" }, { "dup2", SYS_dup2, "fm" }, { "dup3", SYS_dup3, "ffx" }, { "dup3", SYS_dup3, "ff0" },
    { "pipe", SYS_pipe, "P" }, { "pipe2", SYS_pipe2, "P0" }, { "pipe2", SYS_pipe2, "bx" },
    { "fcntl64", SYS_fcntl64, "F30" }, { "fcntl64", SYS_fcntl64, "fx0" }, { "fcntl64", SYS_fcntl64, "f0m" },
    { "getcwd", SYS_getcwd, "Pn" }, { "getcwd", SYS_getcwd, "b1" }, { "poll", SYS_poll, "P10" },
    { "poll", SYS_poll, "bm0" }, { "select", SYS__newselect, "1P00b" }, { "select", SYS__newselect, "m000b" },
    { "pselect6", SYS_pselect6, "1P00b0" }, { "sendfile", SYS_sendfile, "Ff0n" }, { "sendfile", SYS_sendfile, "pfPn" },
    { "utimensat", SYS_utimensat, "dPb0" }, { "utimensat", SYS_utimensat, "dsP0" }, { "umask", SYS_umask, "0" },
    { "memfd_create", SYS_memfd_create, "P0" }, { "memfd_create", SYS_memfd_create, "sx" },
    { "epoll_create1", SYS_epoll_create1, "x" }, { "epoll_ctl", SYS_epoll_ctl, "F1fb" },
    { "epoll_wait", SYS_epoll_wait, "Fb10" }, { "eventfd2", SYS_eventfd2, "0x" }, { "time", SYS_time, "P" },
    { "gettimeofday", SYS_gettimeofday, "P0" }, { "clock_gettime", SYS_clock_gettime, "0P" },
    { "clock_gettime", SYS_clock_gettime, "xb" }, { "clock_gettime64", SYS_clock_gettime64, "0P" },
    { "clock_gettime64", SYS_clock_gettime64, "xb" }, { "clock_getres", SYS_clock_getres, "xb" },
    { "nanosleep", SYS_nanosleep, "Q0" }, { "clock_nanosleep", SYS_clock_nanosleep, "00Q0" },
    { "clock_nanosleep", SYS_clock_nanosleep, "x0b0" }, { "setitimer", SYS_setitimer, "xbb" },
    { "setitimer", SYS_setitimer, "0Q0" }, { "getitimer", SYS_getitimer, "0P" }, { "getitimer", SYS_getitimer, "xb" },
    { "times", SYS_times, "P" }, { "rt_sigaction", SYS_rt_sigaction, "2Q08" },
    { "rt_sigaction", SYS_rt_sigaction, "20P8" }, { "rt_sigaction", SYS_rt_sigaction, "9b08" },
    { "rt_sigaction", SYS_rt_sigaction, "0008" }, { "rt_sigaction", SYS_rt_sigaction, "x008" },
    { "rt_sigaction", SYS_rt_sigaction, "2001" }, { "rt_sigprocmask", SYS_rt_sigprocmask, "0Q08" },
    { "rt_sigprocmask", SYS_rt_sigprocmask, "00P8" }, { "rt_sigprocmask", SYS_rt_sigprocmask, "xb08" },
    { "rt_sigprocmask", SYS_rt_sigprocmask, "0b01" }, { "rt_sigpending", SYS_rt_sigpending, "P8" },
    { "rt_sigtimedwait", SYS_rt_sigtimedwait, "Q008" }, { "rt_sigsuspend", SYS_rt_sigsuspend, "Q8" },
    { "rt_sigsuspend", SYS_rt_sigsuspend, "b1" }, { "sigaltstack", SYS_sigaltstack, "Q0" },
    { "sigaltstack", SYS_sigaltstack, "0P" }, { "kill", SYS_kill, "x0" }, { "kill", SYS_kill, "0x" },
    { "tgkill", SYS_tgkill, "mm0" }, { "tgkill", SYS_tgkill, "xx0" }, { "tkill", SYS_tkill, "0m" },
    { "wait4", SYS_wait4, "mP10" }, { "wait4", SYS_wait4, "xb10" }, { "wait4", SYS_wait4, "0bx0" },
    { "waitid", SYS_waitid, "x0b40" }, { "waitid", SYS_waitid, "00b00" }, { "execve", SYS_execve, "P00" },
    { "execve", SYS_execve, "eP0" }, { "execve", SYS_execve, "e0P" }, { "execve", SYS_execve, "s00" },
    { "getpgid", SYS_getpgid, "x" }, { "setpgid", SYS_setpgid, "0m" }, { "setpgid", SYS_setpgid, "x0" },
    { "getsid", SYS_getsid, "x" }, { "getrlimit", SYS_ugetrlimit, "0P" }, { "getrlimit", SYS_ugetrlimit, "xb" },
    { "setrlimit", SYS_setrlimit, "0Q" }, { "prlimit64", SYS_prlimit64, "03Q0" },
    { "prlimit64", SYS_prlimit64, "030P" }, { "prlimit64", SYS_prlimit64, "0x00" },
    { "getrusage", SYS_getrusage, "0P" }, { "getrusage", SYS_getrusage, "xb" }, { "uname", SYS_uname, "P" },
    { "sysinfo", SYS_sysinfo, "P" }, { "getgroups32", SYS_getgroups32, "mb" },
    { "getresuid32", SYS_getresuid32, "Pbb" }, { "getresuid32", SYS_getresuid32, "bPb" },
    { "prctl", SYS_prctl, "x0000" }, { "sched_getaffinity", SYS_sched_getaffinity, "0nP" },
    { "sched_getaffinity", SYS_sched_getaffinity, "01b" }, { "sched_getaffinity", SYS_sched_getaffinity, "xnb" },
    { "getrandom", SYS_getrandom, "Wn0" }, { "getrandom", SYS_getrandom, "bnx" },
    { "set_thread_area", SYS_set_thread_area, "Q" }, { "set_robust_list", SYS_set_robust_list, "b0" },
    { "futex", SYS_futex, "P1100" }, { "futex", SYS_futex, "bx100" }, { "mmap2", SYS_mmap2, "003am0" },
    { "mmap2", SYS_mmap2, "0m3am0" }, { "mmap2", SYS_mmap2, "0n32F0" }, { "munmap", SYS_munmap, "Pn" },
    { "munmap", SYS_munmap, "10" }, { "mprotect", SYS_mprotect, "1n1" }, { "mprotect", SYS_mprotect, "0n1" },
    { "mprotect", SYS_mprotect, "0nx" }, { "msync", SYS_msync, "0nx" }, { "msync", SYS_msync, "1n1" },
    { "madvise", SYS_madvise, "0nx" }, { "madvise", SYS_madvise, "1n4" }, { "mremap", SYS_mremap, "0nn1" },
    { "mremap", SYS_mremap, "1nn1" }, { "mremap", SYS_mremap, "0nnx" }, { "mincore", SYS_mincore, "0nb" },
    { "socketcall", SYS_socketcall, "1P" }, { "socketcall", SYS_socketcall, "xb" },
    { "getxattr", SYS_getxattr, "Psbn" }, { "getxattr", SYS_getxattr, "sPbn" },
};

static char *good, *edge;               /* a buffer; the last two bytes before an unreadable page */
static int file, folder, ends[2];
static int quiet;

static const char path[] = "/tmp/hostile-file";

enum { CROSSING = 5, CLASSES = 7 };

/* The bad values of a kind of argument, in order; the name tells which. */
static long bad(char kind, int which, const char **name)
{
    static const char *const pointers[CLASSES] = { "low", "unmapped", "kernel", "top", "minus-one", "crossing",
                                                   "read-only" };
    static const char *const descriptors[CLASSES] = { "-1", "999", "2G-1", "-2G", "100000", "closed", "-100" };

    switch (kind) {
    case 'P':
    case 'Q':
    case 'W':
    case 'I':
        *name = pointers[which];
        return (long[]){ 8, 0x40001000, (long)0xFFFFE000ul, (long)0xFFFFF000ul, -1, (long)edge, (long)path }[which];
    default:
        *name = descriptors[which];
        return (long[]){ -1, 999, 0x7FFFFFFF, (long)0x80000000ul, 100000, 77, -100 }[which];
    }
}

static long value(char letter, int which, const char **name)
{
    static struct iovec one;

    switch (letter) {
    case 'f': return file;
    case 'p': return ends[1];
    case 'd': return folder;
    case 's': return (long)path;
    case 'e': return (long)"/proc/self/exe";
    case 'b': return (long)good;
    case 'n': return 16;
    case 'm': return -1;
    case 'x': return 0x7FFFFFF1;
    case 'a': return MAP_PRIVATE | MAP_ANONYMOUS;
    case 'i': one = (struct iovec){ good, 16 };                                  return (long)&one;
    case 'I': one = (struct iovec){ (void *)bad('P', which, name), 16 };         return (long)&one;
    case 'P': case 'Q': case 'W': case 'F': return bad(letter, which, name);
    default:  return letter - '0';
    }
}

static void try_call(int index, int which, const char *varied)
{
    const char *arguments = calls[index].arguments, *name = "";
    long a[6] = { 0 };
    long result;

    for (int i = 0; arguments[i] != '\0'; i++)
        a[i] = value(arguments[i], which, &name);
    memset(good, 0, PAGE);
    memset(edge, 'e', 2);
    errno = 0;
    result = syscall(calls[index].number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (!quiet)
        printf("%s(%s) %s: %s\n", calls[index].name, arguments, varied[0] != '\0' ? name : "",
               result < 0 && errno != 0 ? strerrorname_np(errno) : "ok");
}

static void open_all(void)
{
    file = open(path, O_RDWR | O_CREAT, 0600);
    folder = open("/tmp", O_RDONLY | O_DIRECTORY);
    if (file < 0 || folder < 0 || pipe(ends) != 0 || write(file, path, sizeof(path)) < 0)
        exit(1);
    lseek(file, 0, SEEK_SET);
    close(77);
}

static void close_all(void)
{
    close(file), close(folder), close(ends[0]), close(ends[1]);
}

static void attack(void)
{
    good = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(edge + PAGE, PAGE, PROT_NONE);            /* unmapped, it would be the next mapping's place */
    memset(edge, 'e', PAGE);
    edge += PAGE - 2;
    for (int i = 0; i < (int)(sizeof(calls) / sizeof(calls[0])); i++) {
        const char *varied = strpbrk(calls[i].arguments, "FPQWI");

        for (int which = 0; which < (varied == NULL ? 1 : *varied == 'Q' ? CLASSES - 1 : CLASSES); which++) {
            if (varied != NULL && *varied == 'W' && which == CROSSING)
                continue;
            open_all();
            try_call(i, which, varied != NULL ? varied : "");
            close_all();
        }
    }
}

int main(void)
{
    pid_t others[2];
    int status;

    signal(SIGPIPE, SIG_IGN);
    if (chdir("/") != 0)
        return 1;
    for (int i = 0; i < 2; i++) {
        others[i] = fork();
        if (others[i] == 0) {
            quiet = 1;
            attack();
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        if (waitpid(others[i], &status, 0) != others[i] || status != 0)
            printf("another attacker ended with %x\n", status);
    attack();
    return 0;
}
