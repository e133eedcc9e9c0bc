/*
 * fcntl.c - fcntl, record locks, flock, and ioctl.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/core/lock.h"
#include "files/ipc/pipe.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "process/process.h"

enum {
    F_DUPFD = 0, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_SETOWN, F_GETOWN, F_SETSIG, F_GETSIG,
    F_GETLK64, F_SETLK64, F_SETLKW64, F_GETOWN_EX = 16, F_OFD_GETLK = 36, F_OFD_SETLK, F_OFD_SETLKW, F_GETLEASE = 1025,
    F_DUPFD_QUERY = 1027, F_DUPFD_CLOEXEC = 1030,
    F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
};
enum { F_RDLCK, F_WRLCK, F_UNLCK };
enum { FLAGS_CHANGEABLE = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME };

/* ---- Record locks -------------------------------------------------------------------------------- */

struct lock32 { int16_t type, whence; int32_t start, length, process; };
struct lock64 { int16_t type, whence; int64_t start, length; int32_t process; } __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct lock32) == 16 && sizeof(struct lock64) == 24, "struct flock, struct flock64");

static int read_lock(user_t from, bool wide, struct lock64 *out)
{
    struct lock32 narrow;

    deep_assert(out != NULL);
    if (wide)
        return user_read(out, from, sizeof *out);
    if (user_read(&narrow, from, sizeof narrow) != 0)
        return -EFAULT;
    *out = (struct lock64){ narrow.type, narrow.whence, narrow.start, narrow.length, narrow.process };
    return 0;
}

static int write_lock(user_t to, bool wide, const struct lock64 *lock)
{
    struct lock32 narrow;

    deep_assert(lock != NULL);
    if (wide)
        return user_write(to, lock, sizeof *lock);
    if (lock->start > INT32_MAX || lock->length > INT32_MAX - lock->start + 1)      /* the last byte must fit, too */
        return -EOVERFLOW;
    narrow = (struct lock32){ lock->type, lock->whence, (int32_t)lock->start, (int32_t)lock->length, lock->process };
    return user_write(to, &narrow, sizeof narrow);
}

/* The bytes of a lock: from the start, the position or the end of the file; a negative length lies before that. */
static int lock_range(struct file *file, const struct lock64 *lock, struct lock_request *out)
{
    int64_t start, from = 0;

    deep_assert(file != NULL && lock != NULL && out != NULL);
    if (lock->whence == 1)
        from = (int64_t)file->at;
    else if (lock->whence == 2)
        from = (int64_t)file->node->bytes;
    else if (lock->whence != 0)
        return -EINVAL;
    if (__builtin_add_overflow(from, lock->start, &start))
        return -EOVERFLOW;
    if (lock->length < 0) {
        int64_t end = start - 1;

        if (__builtin_add_overflow(start, lock->length, &start))
            return -EINVAL;
        out->last = (uint64_t)end;
    } else {
        out->last = UINT64_MAX;
        if (lock->length > 0) {
            int64_t end;

            if (__builtin_add_overflow(start, lock->length - 1, &end))
                return -EOVERFLOW;
            out->last = end == INT64_MAX ? UINT64_MAX : (uint64_t)end;
        }
    }
    if (start < 0)
        return -EINVAL;
    out->first = (uint64_t)start;
    return 0;
}

static int lock_kind(struct file *file, int type, struct lock_request *out)
{
    deep_assert(file != NULL && out != NULL);
    if (type == F_UNLCK)
        out->kind = LOCK_NONE;
    else if (type == F_RDLCK)
        out->kind = LOCK_SHARED;
    else if (type == F_WRLCK)
        out->kind = LOCK_EXCLUSIVE;
    else
        return -EINVAL;
    if ((type == F_RDLCK && !file_reads(file)) || (type == F_WRLCK && !file_writes(file)))
        return -EBADF;
    return 0;
}

enum { LOCK_GET, LOCK_TRY, LOCK_WAIT };

static long find_lock(struct file *file, const struct lock_request *request, user_t argument, bool wide,
                      struct lock64 *lock)
{
    struct lock_request found;

    deep_assert(file != NULL && request != NULL && lock != NULL);
    lock->type = F_UNLCK;
    if (request->kind == LOCK_NONE)
        return -EINVAL;
    if (lock_find(file->node, request, &found)) {
        lock->type    = found.kind == LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK;
        lock->whence  = 0;
        lock->start   = (int64_t)found.first;
        lock->length  = found.last == UINT64_MAX ? 0 : (int64_t)(found.last - found.first + 1);
        lock->process = found.process;
    }
    return write_lock(argument, wide, lock);
}

/*
 * Take or drop a lock. A process has its locks until it closes the file, and another thread may have done so while this
 * one waited: then nothing would drop the lock any more. Who is alone with the table as the wait begins stays alone.
 */
static long change_lock(struct file *file, int descriptor, const struct lock_request *request, bool wait)
{
    const struct process *process = current_process();
    bool                  alone   = process->thread_count == 1 && files_are_own(process->files);
    long                  err     = lock_set(file->node, request, wait);
    struct file          *now;

    if (err != 0 || request->process < 0 || alone)
        return err;
    now = file_of(descriptor);
    if (now != file || process->files != request->owner) {
        locks_drop_owner(file->node, request->owner);
        err = -EBADF;
    }
    if (now != NULL)
        file_release(now);
    return err;
}

static long record_lock(struct file *file, int descriptor, int what, user_t argument, bool wide, bool of_file)
{
    struct process     *process = current_process();
    struct lock_request request = { .owner = of_file ? (const void *)file : process->files, .world = LOCKS_OF_RECORDS,
                                    .process = of_file ? -1 : process->id };
    struct lock64       lock;
    int                 err = read_lock(argument, wide, &lock);

    deep_assert(file != NULL);
    if (err == 0 && of_file && lock.process != 0)
        err = -EINVAL;
    if (err == 0)
        err = lock_range(file, &lock, &request);
    if (err == 0)
        err = what == LOCK_GET ? (lock.type == F_RDLCK || lock.type == F_WRLCK ? 0 : -EINVAL) :
              lock_kind(file, lock.type, &request);
    if (err != 0)
        return err;
    if (what != LOCK_GET)
        return change_lock(file, descriptor, &request, what == LOCK_WAIT);
    request.kind = lock.type == F_WRLCK ? LOCK_EXCLUSIVE : LOCK_SHARED;
    return find_lock(file, &request, argument, wide, &lock);
}

enum { FLOCK_SHARED = 1, FLOCK_EXCLUSIVE = 2, FLOCK_NOW = 4, FLOCK_NONE = 8 };

static long lock_whole(struct file *file, uintptr_t what, bool wait)
{
    struct lock_request request = { .owner = file, .world = LOCKS_OF_FLOCK, .first = 0, .last = UINT64_MAX,
                                    .process = current_process()->id };

    deep_assert(file != NULL);
    if (file->flags & O_PATH)
        return -EBADF;
    request.kind = what == FLOCK_SHARED ? LOCK_SHARED : what == FLOCK_EXCLUSIVE ? LOCK_EXCLUSIVE : LOCK_NONE;
    return lock_set(file->node, &request, wait);
}

SYSTEM_CALL(flock, int, descriptor, unsigned, operation)
{
    uintptr_t    what = operation & ~(uintptr_t)FLOCK_NOW;
    struct file *file;
    long         err;

    if (what != FLOCK_SHARED && what != FLOCK_EXCLUSIVE && what != FLOCK_NONE)
        return -EINVAL;
    file = file_of(descriptor);
    if (file == NULL)
        return -EBADF;
    err = lock_whole(file, what, !(operation & FLOCK_NOW));
    file_release(file);
    return err;
}

/* ---- fcntl ------------------------------------------------------------------------------------------- */

static long duplicate_from(struct file *file, uintptr_t from, bool close_on_exec)
{
    struct process *process = current_process();
    uint32_t        limit   = (uint32_t)process->limits[RLIMIT_NOFILE].soft;
    int             number  = -EINVAL;

    deep_assert(file != NULL);
    if (from < limit) {
        file_hold(file);
        number = descriptor_add(process->files, file, (int)from, close_on_exec, limit);
        if (number < 0)
            file_release(file);
    }
    return number;
}

static long set_file_flags(struct file *file, unsigned flags)
{
    deep_assert(file != NULL);
    if ((flags & O_DIRECT) && !pipe_is(file))   /* a pipe whose writes are packets */
        return -EINVAL;
    file->flags = (file->flags & ~(uint32_t)FLAGS_CHANGEABLE) | ((uint32_t)flags & FLAGS_CHANGEABLE);
    return 0;
}

static long seal_file(struct file *file, uintptr_t seals)
{
    return !file_writes(file) ? -EPERM : node_seal(file->node, (unsigned)seals);
}

static long seals_of_file(const struct file *file)
{
    return file->node->seals & SEAL_NEVER ? -EINVAL : file->node->seals;
}

/* True when another descriptor's open file is this one. */
static long is_same_file(const struct file *file, int descriptor)
{
    struct file *other = file_of(descriptor);
    bool         same;

    deep_assert(file != NULL);
    same = other == file;
    if (other == NULL)
        return -EBADF;
    file_release(other);
    return same;
}

/* The commands that also work for an open file that is only a path (O_PATH). */
static long control_descriptor(struct file *file, int descriptor, uintptr_t command, uintptr_t argument)
{
    struct files *files = current_process()->files;

    deep_assert(file != NULL);
    switch (command) {
    case F_DUPFD:         return duplicate_from(file, argument, false);
    case F_DUPFD_CLOEXEC: return duplicate_from(file, argument, true);
    case F_GETFD:         return descriptor_flag(files, descriptor);
    case F_SETFD:         return descriptor_set_flag(files, descriptor, argument & 1);
    case F_GETFL:         return (long)file->flags;
    case F_DUPFD_QUERY:   return is_same_file(file, argument);
    default:              return file->flags & O_PATH ? -EBADF : -ENOSYS;
    }
}

static long control_file(struct file *file, int descriptor, uintptr_t command, uintptr_t argument)
{
    static const uint64_t nobody;               /* two words: of which kind, and who */

    deep_assert(file != NULL);
    switch (command) {
    case F_SETFL:        return set_file_flags(file, argument);
    case F_GETLK:        return record_lock(file, descriptor, LOCK_GET, argument, false, false);
    case F_SETLK:        return record_lock(file, descriptor, LOCK_TRY, argument, false, false);
    case F_SETLKW:       return record_lock(file, descriptor, LOCK_WAIT, argument, false, false);
    case F_GETLK64:      return record_lock(file, descriptor, LOCK_GET, argument, true, false);
    case F_SETLK64:      return record_lock(file, descriptor, LOCK_TRY, argument, true, false);
    case F_SETLKW64:     return record_lock(file, descriptor, LOCK_WAIT, argument, true, false);
    case F_OFD_GETLK:    return record_lock(file, descriptor, LOCK_GET, argument, true, true);
    case F_OFD_SETLK:    return record_lock(file, descriptor, LOCK_TRY, argument, true, true);
    case F_OFD_SETLKW:   return record_lock(file, descriptor, LOCK_WAIT, argument, true, true);
    case F_GETPIPE_SZ:   return pipe_capacity(file);
    case F_SETPIPE_SZ:   return pipe_set_capacity(file, argument);
    case F_ADD_SEALS:    return seal_file(file, argument);
    case F_GET_SEALS:    return seals_of_file(file);
    case F_GETLEASE:     return F_UNLCK;        /* there are no leases */
    case F_GETOWN:
    case F_GETSIG:       return 0;              /* no process gets a signal */
    case F_GETOWN_EX:    return user_write(argument, &nobody, sizeof nobody);
    default:             return -EINVAL;
    }
}

SYSTEM_CALL(fcntl64, int, descriptor, unsigned, command, uintptr_t, argument)
{
    struct file *file = file_of(descriptor);
    long         result;

    if (file == NULL)
        return -EBADF;
    result = control_descriptor(file, descriptor, command, argument);
    if (result == -ENOSYS)
        result = control_file(file, descriptor, command, argument);
    file_release(file);
    return result;
}

/* The old call has only locks of 32 bits. */
SYSTEM_CALL(fcntl, int, descriptor, unsigned, command, uintptr_t, argument)
{
    if (command == F_GETLK64 || command == F_SETLK64 || command == F_SETLKW64)
        return -EINVAL;
    return call_fcntl64(descriptor, command, argument);
}

/* ---- ioctl ------------------------------------------------------------------------------------------------ */

enum { FIONREAD = 0x541B, FIONBIO = 0x5421, FIONCLEX = 0x5450, FIOCLEX = 0x5451 };

static long set_nonblocking(struct file *file, user_t argument)
{
    int32_t on;

    deep_assert(file != NULL);
    if (user_read(&on, argument, sizeof on) != 0)
        return -EFAULT;
    file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~(uint32_t)O_NONBLOCK;
    return 0;
}

/* Write the number of bytes from the position to the end. */
static long regular_left(struct file *file, user_t argument)
{
    int32_t left;

    deep_assert(file != NULL);
    left = (int32_t)(file->node->bytes - file->at);
    return user_write(argument, &left, sizeof left);
}

static long request_of_file(struct file *file, int descriptor, unsigned number, user_t argument)
{
    deep_assert(file != NULL);
    if (file->flags & O_PATH)
        return -EBADF;
    switch (number) {
    case FIOCLEX:  return descriptor_set_flag(current_process()->files, descriptor, true);
    case FIONCLEX: return descriptor_set_flag(current_process()->files, descriptor, false);
    case FIONBIO:  return set_nonblocking(file, argument);
    case FIONREAD:
        if ((file->node->mode & S_FMT) == S_REGULAR)
            return regular_left(file, argument);
        break;
    }
    return file->operations->control != NULL ? file->operations->control(file, number, argument) : -ENOTTY;
}

SYSTEM_CALL(ioctl, int, descriptor, unsigned, command, uintptr_t, argument)
{
    struct file *file = file_of(descriptor);
    long         result;

    if (file == NULL)
        return -EBADF;
    result = request_of_file(file, descriptor, command, argument);
    file_release(file);
    return result;
}
