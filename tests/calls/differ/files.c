/* files.c - operations on names: files, folders, links, their metadata. No times, no inode numbers. */
#include "differ.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl; struct stat64: arch/x86/include/uapi/asm/stat.h. */
enum {
    CALL_LINK = 9, CALL_CHMOD = 15, CALL_ACCESS = 33, CALL_RENAME = 38, CALL_READLINK = 85, CALL_TRUNCATE = 92,
    CALL_FCHDIR = 133, CALL_GETCWD = 183, CALL_STAT64 = 195, CALL_LSTAT64 = 196, CALL_FSTAT64 = 197, CALL_CHOWN32 = 212,
    CALL_MKDIRAT = 296, CALL_FSTATAT64 = 300, CALL_LINKAT = 303, CALL_FACCESSAT = 307, CALL_UTIMENSAT = 320,
    CALL_RENAMEAT2 = 353,
};
struct status {
    uint64_t device;
    uint32_t pad, short_number, mode, links, user, group;
    uint64_t special;
    uint32_t pad2, size, size_high, block;
    uint64_t blocks;
    uint32_t times[6];
    uint64_t number;
} __attribute__((packed));
enum { S_IFMT = 0170000, S_IFDIR = 0040000 };

static struct status status;

/* A folder's size and links are a file system's own business. */
static void tell_status(long result)
{
    if (answer(result) != 0)
        return;
    tell(" mode %x user %u group %u", status.mode, status.user, status.group);
    if ((status.mode & S_IFMT) != S_IFDIR)
        tell(" links %u size %u", status.links, status.size);
}

static void op_stat(void)
{
    long        call = PICK(CALL_STAT64, CALL_LSTAT64);
    const char *path = any_path();

    tell("%s %s", call == CALL_STAT64 ? "stat" : "lstat", path);
    tell_status(KERNEL(call, (long)path, (long)&status));
}

static void op_fstat(void)
{
    long file = any_descriptor();

    tell("fstat %d", (int)file);
    tell_status(KERNEL(CALL_FSTAT64, file, (long)&status));
}

static void op_fstatat(void)
{
    long        file = one_in(2) ? AT_FDCWD : any_descriptor(), flags = PICK(0, 0x100, 0x1000, 0x1100, 0x800, 0x10);
    const char *path = any_path();

    tell("fstatat %d %s %x", (int)file, path, (unsigned)flags);
    tell_status(KERNEL(CALL_FSTATAT64, file, (long)path, (long)&status, flags));
}

/* Never without O_NONBLOCK: a named pipe would wait for its other end. */
static void op_open(void)
{
    long flags = PICK(O_RDONLY, O_WRONLY, O_RDWR, O_RDWR) | PICK(0, O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_CREAT |
        O_TRUNC) |
                 PICK(0, 0, 0, O_APPEND, O_CLOEXEC, O_TRUNC, O_DIRECTORY, 0400000, 010000000, 020200000) | O_NONBLOCK;
    long        mode = PICK(0644, 0600, 0777, 0, 07777);
    const char *path = any_path();

    tell("open %s %x %x", path, (unsigned)flags, (unsigned)mode);
    answer(KERNEL(CALL_OPEN, (long)path, flags, mode));
}

static void op_openat(void)
{
    long        file = any_descriptor(), flags = PICK(O_RDONLY, O_RDWR | O_CREAT, O_DIRECTORY, 010000000) | O_NONBLOCK;
    const char *path = any_path();

    tell("openat %d %s %x", (int)file, path, (unsigned)flags);
    answer(KERNEL(CALL_OPENAT, file, (long)path, flags, 0640));
}

static void one_path(const char *name, long call, long second)
{
    const char *path = any_path();

    tell("%s %s %x", name, path, (unsigned)second);
    answer(KERNEL(call, (long)path, second, second));
}

static void op_unlink(void)   { one_path("unlink", CALL_UNLINK, 0); }
static void op_rmdir(void)    { one_path("rmdir", CALL_RMDIR, 0); }
static void op_chdir(void)    { one_path("chdir", CALL_CHDIR, 0); }
static void op_mkdir(void)    { one_path("mkdir", CALL_MKDIR, PICK(0755, 0777, 0, 07777)); }
static void op_chmod(void)    { one_path("chmod", CALL_CHMOD, PICK(0644, 0, 07777, 0755, 0177777)); }
static void op_access(void)   { one_path("access", CALL_ACCESS, PICK(0, 1, 2, 4, 7, 8, -1)); }
static void op_truncate(void) { one_path("truncate", CALL_TRUNCATE, any_offset()); }
static void op_chown(void)    { one_path("chown", CALL_CHOWN32, PICK(0, 5, -1)); }

static void op_mknod(void)
{
    const char *path = any_path();
    long        mode = PICK(S_IFIFO, 0100000, 0140000, 0, 0040000, 0120000) | PICK(0600, 0666);

    tell("mknod %s %x", path, (unsigned)mode);
    answer(KERNEL(CALL_MKNOD, (long)path, mode, 0));
}

static void two_paths(const char *name, long call)
{
    const char *from = any_path(), *to = any_path();

    tell("%s %s %s", name, from, to);
    answer(KERNEL(call, (long)from, (long)to));
}

static void op_link(void)    { two_paths("link", CALL_LINK); }
static void op_rename(void)  { two_paths("rename", CALL_RENAME); }
static void op_symlink(void) { two_paths("symlink", CALL_SYMLINK); }

static void op_renameat2(void)
{
    long        old = one_in(4) ? any_descriptor() : AT_FDCWD, flags = PICK(0, 1, 2, 3, 4, 8);
    const char *from = any_path(), *to = any_path();

    tell("renameat2 %d %s %s %x", (int)old, from, to, (unsigned)flags);
    answer(KERNEL(CALL_RENAMEAT2, old, (long)from, AT_FDCWD, (long)to, flags));
}

static void op_linkat(void)
{
    long        old = one_in(3) ? any_descriptor() : AT_FDCWD, flags = PICK(0, 0x400, 0x1000, 0x100);
    const char *from = any_path(), *to = any_path();

    tell("linkat %d %s %s %x", (int)old, from, to, (unsigned)flags);
    answer(KERNEL(CALL_LINKAT, old, (long)from, AT_FDCWD, (long)to, flags));
}

static void op_unlinkat(void)
{
    long        file = one_in(2) ? any_descriptor() : AT_FDCWD, flags = PICK(0, 0x200, 0x100);
    const char *path = any_path();

    tell("unlinkat %d %s %x", (int)file, path, (unsigned)flags);
    answer(KERNEL(CALL_UNLINKAT, file, (long)path, flags));
}

static void op_faccessat(void)
{
    long        file = one_in(2) ? any_descriptor() : AT_FDCWD, mode = PICK(0, 2, 4, 7, 16);
    const char *path = any_path();

    tell("faccessat %d %s %x", (int)file, path, (unsigned)mode);
    answer(KERNEL(CALL_FACCESSAT, file, (long)path, mode));
}

static void op_readlink(void)
{
    const char *path = any_path();
    long        size = PICK(0, 1, 3, 100, -1);

    tell("readlink %s %d", path, (int)size);
    size = answer(KERNEL(CALL_READLINK, (long)path, (long)buffer, size));
    if (size > 0)
        tell_digest(buffer, size);
}

static void op_fchmod(void)
{
    long file = any_descriptor(), mode = PICK(0600, 04755, 0);

    tell("fchmod %d %x", (int)file, (unsigned)mode);
    answer(KERNEL(CALL_FCHMOD, file, mode));
}

static void op_fchdir(void)
{
    long file = any_descriptor();

    tell("fchdir %d", (int)file);
    answer(KERNEL(CALL_FCHDIR, file));
}

static void op_getcwd(void)
{
    long size = PICK(0, 1, 2, 4, 100);

    tell("getcwd %d", (int)size);
    if (answer(KERNEL(CALL_GETCWD, (long)buffer, size)) > 0)
        tell(" %s", buffer);
}

/* Names in any order: their digests are added up. */
static void op_folder(void)
{
    struct entry { uint64_t number, offset; uint16_t length; uint8_t type; char name[]; } __attribute__((packed));
    long     file = one_in(2) ? KERNEL(CALL_OPEN, (long)any_path(), O_DIRECTORY) : any_descriptor(), size = PICK(24,
        100, 4096, 4096);
    unsigned names = 0, sum = 0;
    long     got;

    tell("getdents %d %d", (int)file, (int)size);
    while ((got = KERNEL(CALL_GETDENTS64, file, (long)buffer, size)) > 0)
        for (long at = 0; at < got; at += ((struct entry *)(buffer + at))->length, names++)
            for (const char *name = ((struct entry *)(buffer + at))->name; *name != '\0'; name++)
                sum += (unsigned)*name * 31 + ((struct entry *)(buffer + at))->type;
    answer(got);
    if (size > 300)
        tell(" names %u #%x", names, sum);
    KERNEL(CALL_CLOSE, file);
}

static void op_times(void)
{
    const char   *path  = any_path();
    const int32_t times[4] = { 1000000, (int32_t)PICK(5, 0x3FFFFFFF, 0x3FFFFFFE, 1000000000), 2000000,
        (int32_t)PICK(7, 0x3FFFFFFE, -1) };

    tell("utimensat %s %x %x", path, (unsigned)times[1], (unsigned)times[3]);
    if (answer(KERNEL(CALL_UTIMENSAT, AT_FDCWD, (long)path, (long)times, 0)) == 0 && KERNEL(CALL_STAT64, (long)path,
        (long)&status) == 0 &&
        times[3] == 7)
        tell(" modified %u.%u", status.times[2], status.times[3]);
}

static void op_umask(void)
{
    long mask = PICK(0, 022, 077, 0777, 01777);

    tell("umask %x", (unsigned)mask);
    answer(KERNEL(CALL_UMASK, mask));
}

static void op_bad_path(void)
{
    long path = PICK(0, 1, 0xC0000000, 0xFFFFFFFF), call = PICK(CALL_OPEN, CALL_STAT64, CALL_CHDIR, CALL_UNLINK,
    CALL_READLINK, CALL_MKDIR);

    tell("bad path %x for %d", (unsigned)path, (int)call);
    answer(KERNEL(call, path, call == CALL_OPEN ? 0 : (long)buffer, 100));
}

static operation *const operations[] = {
    op_stat, op_stat, op_fstat, op_fstat, op_fstatat, op_open, op_open, op_open, op_open, op_open, op_openat,
        op_unlink, op_rmdir, op_chdir, op_mkdir,
    op_mkdir, op_chmod, op_access, op_truncate, op_chown, op_mknod, op_link, op_link, op_rename, op_rename,
        op_symlink, op_renameat2,
    op_linkat, op_unlinkat, op_faccessat, op_readlink, op_fchmod, op_fchdir, op_getcwd, op_folder, op_times, op_umask,
        op_bad_path,
};
const struct family files = { operations, COUNT_OF(operations) };
