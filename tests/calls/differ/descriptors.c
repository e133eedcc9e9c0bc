/* descriptors.c - operations on open files: contents, offsets, numbers, flags, locks. */
#include "differ.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum {
    CALL_LSEEK = 19, CALL_FSYNC = 118, CALL_LLSEEK = 140, CALL_FLOCK = 143, CALL_READV = 145, CALL_WRITEV = 146,
    CALL_PREAD64 = 180,
    CALL_PWRITE64 = 181, CALL_FTRUNCATE64 = 194, CALL_FADVISE64 = 250, CALL_FALLOCATE = 324, CALL_DUP3 = 330,
    CALL_COPY_FILE_RANGE = 377,
    CALL_CLOSE_RANGE = 436,
};
enum { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10,
    F_GETSIG = 11,
       F_DUPFD_CLOEXEC = 1030, F_ADD_SEALS = 1033, F_GET_SEALS = 1034 };

static void op_read(void)
{
    long file = any_descriptor(), size = any_size();

    tell("read %d %d", (int)file, (int)size);
    size = answer(KERNEL(CALL_READ, file, (long)buffer, size));
    if (size > 0)
        tell_digest(buffer, size);
}

static void op_write(void)
{
    long file = any_descriptor(), size = any_size();

    tell("write %d %d", (int)file, (int)size);
    answer(KERNEL(CALL_WRITE, file, (long)any_bytes(size), size));
}

static void op_pread(void)
{
    long file = any_descriptor(), size = any_size(), offset = any_offset();

    tell("pread %d %d %d", (int)file, (int)size, (int)offset);
    size = answer(KERNEL(CALL_PREAD64, file, (long)buffer, size, offset, offset < 0 ? -1 : 0));
    if (size > 0)
        tell_digest(buffer, size);
}

static void op_pwrite(void)
{
    long file = any_descriptor(), size = any_size(), offset = any_offset();

    tell("pwrite %d %d %d", (int)file, (int)size, (int)offset);
    answer(KERNEL(CALL_PWRITE64, file, (long)any_bytes(size), size, offset, offset < 0 ? -1 : 0));
}

static void op_vector(void)
{
    long       file = any_descriptor(), call = PICK(CALL_READV, CALL_WRITEV), count = PICK(1, 2, 3, 0, -1, 1025);
    const long vector[6] = { (long)buffer, PICK(0, 3, 4096), (long)buffer + 5000, PICK(5, 0, 100, -1), one_in(10) ?
        0 : (long)buffer + 9000, 50 };

    tell("%s %d, %d: %d %d %d", call == CALL_READV ? "readv" : "writev", (int)file, (int)count, (int)vector[1],
        (int)vector[3], vector[4] != 0);
    memcpy(buffer, any_bytes(BUFFER), BUFFER);
    answer(KERNEL(call, file, (long)vector, count));
    tell_digest(buffer, BUFFER);
}

static void op_bad_buffer(void)
{
    long file = any_descriptor(), call = PICK(CALL_READ, CALL_WRITE), at = PICK(0, 0xC0000000, 0xFFFFF000),
        size = PICK(0, 1, 5000, -1);

    tell("bad buffer %d %d %x %d", (int)call, (int)file, (unsigned)at, (int)size);
    answer(KERNEL(call, file, at, size));
}

static void op_seek(void)
{
    long file = any_descriptor(), offset = any_offset(), whence = PICK(0, 0, 1, 2, 3, 4, 5, -1);

    tell("lseek %d %d %d", (int)file, (int)offset, (int)whence);
    answer(KERNEL(CALL_LSEEK, file, offset, whence));
}

static void op_llseek(void)
{
    long     file = any_descriptor(), high = PICK(0, 1, -1, 0x7FFFFFFF), whence = PICK(0, 1, 2);
    uint64_t where = 0;

    tell("llseek %d %d %d", (int)file, (int)high, (int)whence);
    if (answer(KERNEL(CALL_LLSEEK, file, high, 100, (long)&where, whence)) == 0)
        tell(" at %llu", (unsigned long long)where);
}

static void op_ftruncate(void)
{
    long file = any_descriptor(), size = any_offset();

    tell("ftruncate %d %d", (int)file, (int)size);
    answer(KERNEL(CALL_FTRUNCATE64, file, size, size < 0 ? -1 : 0));
}

static void op_fallocate(void)
{
    long file = any_descriptor(), mode = PICK(0, 1, 3, 3, 0x10, 0x20, 8, 2), offset = any_offset(), size = PICK(0, 1,
        4096, 5000, 20000, -1);

    tell("fallocate %d %x %d %d", (int)file, (unsigned)mode, (int)offset, (int)size);
    answer(KERNEL(CALL_FALLOCATE, file, mode, offset, offset < 0 ? -1 : 0, size, size < 0 ? -1 : 0));
}

static void one_file(const char *name, long call, long second, long third)
{
    long file = any_descriptor();

    tell("%s %d %x %x", name, (int)file, (unsigned)second, (unsigned)third);
    answer(KERNEL(call, file, second, third));
}

static void op_close(void)   { one_file("close", CALL_CLOSE, 0, 0); }
static void op_dup(void)     { one_file("dup", CALL_DUP, 0, 0); }
static void op_dup2(void)    { one_file("dup2", CALL_DUP2, PICK(0, 3, 5, 12, -1, 256, 100000), 0); }
static void op_dup3(void)    { one_file("dup3", CALL_DUP3, PICK(0, 1, 4, 13, -1, 256), PICK(0, O_CLOEXEC, O_APPEND)); }
static void op_fsync(void)   { one_file("fsync", CALL_FSYNC, 0, 0); }
static void op_flock(void)   { one_file("flock", CALL_FLOCK, PICK(1, 2, 8, 3, 0, 8 | 2) | 4, 0); }
static void op_dupfd(void)   { one_file("dupfd", CALL_FCNTL64, PICK(F_DUPFD, F_DUPFD_CLOEXEC), PICK(0, 3, 10, 255,
    256, -1)); }
static void op_flags(void)   { one_file("flags", CALL_FCNTL64, PICK(F_GETFD, F_GETFL, F_GETFL, F_GETOWN, F_GETSIG,
    9999, 1031, F_GET_SEALS), 0); }
static void op_setfd(void)   { one_file("setfd", CALL_FCNTL64, F_SETFD, PICK(0, 1, 2, -1)); }
/* No descriptor here may wait: O_NONBLOCK stays set. */
static void op_setfl(void)   { one_file("setfl", CALL_FCNTL64, F_SETFL, PICK(0, O_APPEND, O_RDWR, O_CREAT, 020000,
    01000000, 040000) | O_NONBLOCK); }
static void op_seal(void)    { one_file("seal", CALL_FCNTL64, F_ADD_SEALS, PICK(1, 2, 4, 8, 16, 64)); }
static void op_setsig(void)  { one_file("setsig", CALL_FCNTL64, F_SETSIG, PICK(0, 10, 65, -1)); }
static void op_advise(void)  { one_file("fadvise", CALL_FADVISE64, 0, 0); }

/* Where the buffer is, is the compiler's affair. */
static void op_ioctl(void)
{
    long request = PICK(0x5450, 0x5451, 0x5401, 0x1234, 0x5410), file = any_descriptor();

    tell("ioctl %d %x", (int)file, (unsigned)request);
    answer(KERNEL(CALL_IOCTL, file, request, (long)buffer));
}

static void op_unread(void)
{
    long file = any_descriptor();
    int  count = -5;

    tell("FIONREAD %d", (int)file);
    answer(KERNEL(CALL_IOCTL, file, 0x541B, (long)&count));
    tell(" %d", count);
}

static void op_lock(void)
{
    struct { int16_t type, whence; int32_t start, length, process; } lock =
        { (int16_t)PICK(0, 1, 2, 3), (int16_t)PICK(0, 1, 2, 3), (int32_t)PICK(0, 10, 100, -5), (int32_t)PICK(0, 10,
            50, -10), 0 };
    long file = any_descriptor(), command = PICK(F_GETLK, F_SETLK);

    tell("%s %d %d %d %d %d", command == F_GETLK ? "getlk" : "setlk", (int)file, lock.type, lock.whence, lock.start,
        lock.length);
    if (answer(KERNEL(CALL_FCNTL, file, command, (long)&lock)) == 0 && command == F_GETLK) {
        tell(" type %d %d %d %d", lock.type, lock.whence, lock.start, lock.length);
        tell_process(lock.process);
    }
}

static void op_memfd(void)
{
    long flags = PICK(0, 1, 2, 3, 4, 8, 0x100);

    tell("memfd %x", (unsigned)flags);
    answer(KERNEL(CALL_MEMFD_CREATE, (long)"m", flags));
}

static void op_copy(void)
{
    long     from = any_descriptor(), to = any_descriptor(), size = any_size();
    uint64_t offset = (uint64_t)PICK(0, 100, 4096);
    bool     whole = one_in(2);

    tell("copy_file_range %d %d %d from %d", (int)from, (int)to, (int)size, whole ? -1 : (int)offset);
    answer(KERNEL(CALL_COPY_FILE_RANGE, from, whole ? 0 : (long)&offset, to, 0, size, 0));
    tell(" at %u", (unsigned)offset);
}

static void op_sendfile(void)
{
    long    to = any_descriptor(), from = any_descriptor(), size = any_size();
    int32_t offset = (int32_t)any_offset();
    bool    whole = one_in(2);

    tell("sendfile %d %d %d from %d", (int)to, (int)from, (int)size, whole ? -1 : offset);
    answer(KERNEL(CALL_SENDFILE, to, from, whole ? 0 : (long)&offset, size));
    tell(" at %d", offset);
}

static void op_close_range(void)
{
    long first = PICK(3, 8, 12, 100), last = PICK(4, 8, 13, 2), flags = PICK(0, 0, 4, 1);

    tell("close_range %d %d %x", (int)first, (int)last, (unsigned)flags);
    answer(KERNEL(CALL_CLOSE_RANGE, first, last, flags));
}

static operation *const operations[] = {
    op_read, op_read, op_read, op_write, op_write, op_write, op_write, op_pread, op_pread, op_pwrite, op_pwrite,
        op_vector, op_bad_buffer, op_seek,
    op_seek, op_llseek, op_ftruncate, op_fallocate, op_close, op_dup, op_dup2, op_dup3, op_fsync, op_flock, op_flock,
        op_dupfd, op_flags,
    op_setfd, op_setfl, op_seal, op_setsig, op_ioctl, op_advise, op_unread, op_lock, op_lock, op_memfd, op_copy,
        op_sendfile, op_close_range,
};
const struct family descriptors = { operations, COUNT_OF(operations) };
