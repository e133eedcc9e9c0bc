/*
 * memory.c - mmap, munmap, mprotect, mremap, brk, madvise, msync, mlock, mincore and the calls around them.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "files/core/descriptor.h"
#include "linux/calls.h"
#include "memory/spaces/map.h"
#include "process/process.h"

enum {
    PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_SEM = 8, PROT_GROWSDOWN = 0x01000000, PROT_GROWSUP = 0x02000000,
};
enum {
    LINUX_SHARED = 1, LINUX_PRIVATE = 2, LINUX_SHARED_VALIDATE = 3, LINUX_TYPE = 15, LINUX_FIXED = 0x10,
    LINUX_ANONYMOUS = 0x20, LINUX_32BIT = 0x40, LINUX_ABOVE4G = 0x80, LINUX_GROWSDOWN = 0x100, LINUX_DENYWRITE = 0x800,
    LINUX_EXECUTABLE = 0x1000, LINUX_LOCKED = 0x2000, LINUX_NORESERVE = 0x4000, LINUX_POPULATE = 0x8000,
    LINUX_NONBLOCK = 0x10000, LINUX_STACK = 0x20000, LINUX_HUGETLB = 0x40000, LINUX_FIXED_NOREPLACE = 0x100000,
    LINUX_UNINITIALIZED = 0x4000000,
};

/* The flags that MAP_SHARED_VALIDATE allows; it refuses other flags (for example MAP_SYNC), MAP_SHARED ignores them. */
enum {
    LINUX_KNOWN = LINUX_TYPE | LINUX_FIXED | LINUX_ANONYMOUS | LINUX_32BIT | LINUX_ABOVE4G | LINUX_GROWSDOWN |
                  LINUX_DENYWRITE | LINUX_EXECUTABLE | LINUX_LOCKED | LINUX_NORESERVE | LINUX_POPULATE |
                  LINUX_NONBLOCK | LINUX_STACK | LINUX_HUGETLB | LINUX_UNINITIALIZED,
};
#define LINUX_HUGE_SIZES ((uintptr_t)(21u << 26 | 30u << 26))

static struct space *own_space(void) { return &current_process()->memory->space; }

/* The current space, its limit of locked memory set from RLIMIT_MEMLOCK; with CAP_IPC_LOCK there is no limit. */
static struct space *space_to_lock(void)
{
    const struct process *p    = current_process();
    uint64_t              soft = p->limits[RLIMIT_MEMLOCK].soft;

    p->memory->space.limits.locked = has_capability(CAP_IPC_LOCK) || soft > SIZE_MAX ? SIZE_MAX : (size_t)soft;
    return &p->memory->space;
}

/* Whether new memory may be locked matters only where it is going to be. */
static struct space *space_to_map(bool locked)
{
    struct space *s = own_space();

    return locked || s->lock_future != 0 ? space_to_lock() : s;
}

static uint8_t rights_asked(uintptr_t protection)
{
    return (protection & PROT_READ ? MAY_READ : 0) | (protection & PROT_WRITE ? MAY_WRITE : 0) |
           (protection & PROT_EXEC ? MAY_EXECUTE : 0);
}

static uint32_t map_flags_of(unsigned flags)
{
    return (flags & LINUX_FIXED ? MAP_IS_FIXED : 0) |
           (flags & LINUX_FIXED_NOREPLACE ? MAP_IS_FIXED | MAP_NO_REPLACE : 0) |
           (flags & LINUX_GROWSDOWN ? MAP_GROWS_DOWN : 0) | (flags & LINUX_NORESERVE ? MAP_NO_RESERVE : 0) |
           ((flags & (LINUX_POPULATE | LINUX_NONBLOCK)) == LINUX_POPULATE ? MAP_POPULATE_NOW : 0) |
           (flags & LINUX_LOCKED ? MAP_IS_LOCKED : 0) | ((flags & LINUX_TYPE) != LINUX_PRIVATE ? MAP_IS_SHARED : 0);
}

/* A device of zeros gives anonymous memory: shared as MAP_SHARED | MAP_ANONYMOUS, private under the device's name. */
static int attach_node(struct map_request *request, const struct file *file, bool shared)
{
    struct node *node;

    deep_assert(request != NULL && file != NULL);
    node = file->node;
    if (file->operations->traits & NODE_ZEROS) {
        request->file = shared ? NULL : node;
        return 0;
    }
    if (node->operations->object == NULL)
        return -ENODEV;
    request->object = node->operations->object(node);
    request->file   = node;
    return request->object != NULL ? 0 : -ENODEV;
}

/* Linux asks a socket whether it can be mapped, and last of all. */
static bool refuses_itself(const struct file *file) { return (file->node->mode & S_FMT) == S_SOCKET; }

/* Check the file's rights: reading, and also writing for a shared mapping that may be written. */
static int attach_file(struct map_request *request, struct file *file, unsigned flags)
{
    unsigned mode;
    bool     shared;
    int      err;

    deep_assert(request != NULL && file != NULL);
    mode   = file->flags & O_ACCMODE;
    if ((file->node->mode & S_FMT) != S_REGULAR && !refuses_itself(file) &&
        request->offset > (UINT32_MAX - request->bytes) / PAGE_SIZE)
        return -EOVERFLOW;
    shared = request->flags & MAP_IS_SHARED;
    if ((flags & LINUX_TYPE) == LINUX_SHARED_VALIDATE && flags & ~(LINUX_KNOWN | LINUX_HUGE_SIZES))
        return -EOPNOTSUPP;
    if (!file_reads(file) || (shared && (request->rights & MAY_WRITE) && mode != O_RDWR))
        return -EACCES;
    if (shared && (mode != O_RDWR || (file->node->seals & SEALS_OF_WRITING)))
        request->may &= ~MAY_WRITE;
    if (file->node->system != NULL && (file->node->system->flags & MOUNT_NO_EXECUTE)) {
        if (request->rights & MAY_EXECUTE)
            return -EPERM;
        request->may &= ~MAY_EXECUTE;
    }
    err = attach_node(request, file, shared);
    if ((err == 0 || refuses_itself(file)) && (request->flags & MAP_GROWS_DOWN))
        return -EINVAL;
    return err == 0 && shared && (request->rights & ~request->may & MAY_WRITE) ? -EPERM : err;
}

static int attach_nothing(struct map_request *request, unsigned flags)
{
    deep_assert(request != NULL);
    if ((flags & LINUX_TYPE) == LINUX_SHARED_VALIDATE)
        return -EINVAL;
    request->offset = 0;
    return (request->flags & MAP_IS_SHARED) && (request->flags & MAP_GROWS_DOWN) ? -EINVAL : 0;
}

/* The file of a mapping, with a reference, or NULL for anonymous memory. */
static int mapped_file(unsigned flags, int descriptor, struct file **out)
{
    *out = NULL;
    if (flags & LINUX_ANONYMOUS)
        return flags & LINUX_HUGETLB ? -ENOMEM : 0;         /* there is no pool of huge pages */
    *out = descriptor_file(current_process()->files, descriptor);
    if (*out == NULL)
        return -EBADF;
    if (!((*out)->flags & O_PATH) && !(flags & LINUX_HUGETLB))
        return 0;
    file_release(*out);
    return flags & LINUX_HUGETLB ? -EINVAL : -EBADF;
}

static int attach_any(struct map_request *request, struct file *file, unsigned flags)
{
    unsigned type = flags & LINUX_TYPE;

    deep_assert(request != NULL);
    if (type < LINUX_SHARED || type > LINUX_SHARED_VALIDATE)
        return -EINVAL;
    return file != NULL ? attach_file(request, file, flags) : attach_nothing(request, flags);
}

/*
 * The answer to a request that is refused for its file or its flags: what is wrong with its place comes first. When
 * Linux asks a socket, the place is empty already.
 */
static int refuse_mapping(const struct map_request *request, const struct file *file, int err)
{
    int place = map_refusal(space_to_map(request->flags & MAP_IS_LOCKED), request);

    deep_assert(request != NULL && err != 0);
    if (place != 0)
        return place;
    if (err == -ENODEV && file != NULL && refuses_itself(file) && (request->flags & MAP_IS_FIXED))
        return map_remove(own_space(), request->address, request->bytes) != 0 ? -ENOMEM : err;
    return err;
}

/* A file in memory that can still be sealed is not, between the look at its seals and the mapping that they forbid. */
static struct mutex *lock_of_seals(const struct file *file)
{
    return file != NULL && !(file->node->seals & (SEAL_NEVER | SEAL_SEAL)) ? &file->node->lock : NULL;
}

static long map_memory(vaddr_t address, size_t bytes, uintptr_t protection, unsigned flags, int descriptor,
                       uint64_t page)
{
    struct map_request request = { .address = address, .bytes = bytes, .rights = rights_asked(protection),
                                   .may = MAY_READ | MAY_WRITE | MAY_EXECUTE, .flags = map_flags_of(flags),
                                   .offset = page };
    struct mutex *seals;
    struct file  *file;
    vaddr_t       out = 0;
    int           err = mapped_file(flags, descriptor, &file);

    if (err != 0)
        return err;
    seals = lock_of_seals(file);
    if (seals != NULL)
        mutex_take(seals);
    err = attach_any(&request, file, flags);
    err = err != 0 ? refuse_mapping(&request, file, err) :
          map_create(space_to_map(flags & LINUX_LOCKED), &request, &out);
    if (seals != NULL)
        mutex_drop(seals);
    if (file != NULL)
        file_release(file);
    return err != 0 ? err : (long)out;
}

SYSTEM_CALL(mmap2, user_t, address, size_t, bytes, unsigned, rights, unsigned, flags, int, descriptor,
            size_t, first_page)
{
    return map_memory(address, bytes, rights, flags, descriptor, first_page);
}

/* The old call: six words in memory, the offset in bytes. */
SYSTEM_CALL(mmap, user_t, from)
{
    uint32_t words[6];
    int      err = user_read(words, from, sizeof words);

    if (err != 0)
        return err;
    if (!is_aligned(words[5], PAGE_SIZE))
        return -EINVAL;
    return map_memory(words[0], words[1], words[2], words[3], (int)words[4], words[5] / PAGE_SIZE);
}

SYSTEM_CALL(munmap, user_t, address, size_t, bytes) { return map_remove(own_space(), address, bytes); }
SYSTEM_CALL(brk, user_t, end) { return (long)map_break(space_to_map(false), end); }

SYSTEM_CALL(madvise, user_t, address, size_t, bytes, int, advice)
{
    return map_advise(own_space(), address, bytes, advice);
}

SYSTEM_CALL(msync, user_t, address, size_t, bytes, int, flags) { return map_sync(own_space(), address, bytes, flags); }

/* No region grows upwards, so PROT_GROWSUP is refused. */
SYSTEM_CALL(mprotect, user_t, address, size_t, bytes, uintptr_t, wanted)
{
    uintptr_t grows = wanted & (PROT_GROWSDOWN | PROT_GROWSUP), rights = wanted & ~grows;

    if ((wanted & ~(uintptr_t)(PROT_READ | PROT_WRITE | PROT_EXEC)) == 0)
        return map_protect(own_space(), address, bytes, rights_asked(wanted));
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || !is_aligned(address, PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (rights & ~(uintptr_t)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    if (grows == PROT_GROWSUP)
        return -EINVAL;
    return grows == PROT_GROWSDOWN ? map_protect_growing(own_space(), address, bytes, rights_asked(wanted)) :
                                     map_protect(own_space(), address, bytes, rights_asked(wanted));
}

SYSTEM_CALL(mremap, user_t, address, size_t, old_bytes, size_t, new_bytes, uint32_t, flags, user_t, to)
{
    vaddr_t out;
    int     err = map_move(space_to_lock(), address, old_bytes, new_bytes, flags, to, &out);

    return err != 0 ? err : (long)out;
}

/* Flags beside MAP_NONBLOCK are ignored, as Linux ignores them. */
SYSTEM_CALL(remap_file_pages, user_t, address, size_t, bytes, unsigned, rights, size_t, first_page, unsigned, flags)
{
    return rights != 0 ? -EINVAL : map_show_other(own_space(), address, bytes, first_page);
}

/* ---- mlock ------------------------------------------------------------------------------------ */

enum { MLOCK_ONFAULT = 1, MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 };

SYSTEM_CALL(mlock, user_t, address, size_t, bytes) { return map_lock(space_to_lock(), address, bytes, false); }

SYSTEM_CALL(mlock2, user_t, address, size_t, bytes, unsigned, flags)
{
    return flags & ~(uintptr_t)MLOCK_ONFAULT ? -EINVAL :
           map_lock(space_to_lock(), address, bytes, flags & MLOCK_ONFAULT);
}

SYSTEM_CALL(munlock, user_t, address, size_t, bytes) { return map_unlock(own_space(), address, bytes); }

SYSTEM_CALL(mlockall, unsigned, flags)
{
    if (flags == 0 || (flags & ~(uintptr_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    return map_lock_all(space_to_lock(), flags & MCL_CURRENT, flags & MCL_FUTURE, flags & MCL_ONFAULT);
}

SYSTEM_CALL(munlockall)
{
    map_unlock_all(own_space());
    return 0;
}

/* ---- mincore ------------------------------------------------------------------------------------ */

enum { MINCORE_STEP = 256 };                /* pages read in one hold of the map lock */

SYSTEM_CALL(mincore, user_t, address, size_t, bytes, user_t, to)
{
    uint8_t     there[MINCORE_STEP];
    struct span span;

    if (!is_aligned(address, PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!checked_span(address, bytes, layout.user.end, &span))
        return -ENOMEM;
    if (!user_range(to, span_pages(span)))
        return -EFAULT;
    for (page_t page = span.first; page < span.end; page += MINCORE_STEP) {
        size_t count = span.end - page < MINCORE_STEP ? span.end - page : MINCORE_STEP;
        int    err   = map_residency(own_space(), span_of(page, count), there);

        if (err == 0)
            err = user_write(to + (page - span.first), there, count);
        if (err != 0)
            return err;
    }
    return 0;
}

/* ---- membarrier ------------------------------------------------------------------------------------- */

enum {
    BARRIER_QUERY = 0, BARRIER_GLOBAL = 1, BARRIER_GLOBAL_EXPEDITED = 2, BARRIER_REGISTER_GLOBAL = 4,
    BARRIER_PRIVATE = 8, BARRIER_REGISTER_PRIVATE = 16, BARRIER_PRIVATE_SYNC = 32, BARRIER_REGISTER_PRIVATE_SYNC = 64,
    BARRIERS = 127,
};

/* A private barrier needs its registration, whose bit is the next. */
static long private_barrier(unsigned which)
{
    if (!(own_space()->barriers & which << 1))
        return -EPERM;
    __sync_synchronize();
    return 0;
}

/* One processor runs programs: between one thread's write and another's read lies a switch of threads. */
SYSTEM_CALL(membarrier, unsigned, command, unsigned, flags)
{
    if (flags != 0)
        return -EINVAL;
    switch (command) {
    case BARRIER_QUERY:
        return BARRIERS;
    case BARRIER_GLOBAL: case BARRIER_GLOBAL_EXPEDITED:
        __sync_synchronize();
        return 0;
    case BARRIER_PRIVATE: case BARRIER_PRIVATE_SYNC:
        return private_barrier(command);
    case BARRIER_REGISTER_GLOBAL: case BARRIER_REGISTER_PRIVATE: case BARRIER_REGISTER_PRIVATE_SYNC:
        own_space()->barriers |= (uint8_t)command;
        return 0;
    default:
        return -EINVAL;
    }
}
