/*
 * memory.c - mmap, munmap, mprotect, mremap, brk, madvise, msync and the calls around them.
 */
#include "base/error.h"
#include "base/range.h"
#include "files/descriptor.h"
#include "linux/calls.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/map.h"
#include "process/process.h"

enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_GROWSDOWN = 0x01000000, PROT_GROWSUP = 0x02000000 };
enum {
    LINUX_SHARED = 1, LINUX_PRIVATE = 2, LINUX_SHARED_VALIDATE = 3, LINUX_TYPE = 15, LINUX_FIXED = 0x10,
    LINUX_ANONYMOUS = 0x20, LINUX_GROWSDOWN = 0x100, LINUX_LOCKED = 0x2000, LINUX_NORESERVE = 0x4000,
    LINUX_POPULATE = 0x8000, LINUX_FIXED_NOREPLACE = 0x100000,
};

static struct space *space(void) { return &current_process()->memory->space; }

static uint8_t rights_of(uintptr_t protection)
{
    return (protection & PROT_READ ? MAY_READ : 0) | (protection & PROT_WRITE ? MAY_WRITE : 0) |
           (protection & PROT_EXEC ? MAY_EXECUTE : 0);
}

static uint32_t flags_of(uintptr_t flags)
{
    return (flags & LINUX_FIXED ? MAP_IS_FIXED : 0) | (flags & LINUX_FIXED_NOREPLACE ? MAP_IS_FIXED | MAP_NO_REPLACE : 0) |
           (flags & LINUX_GROWSDOWN ? MAP_GROWS_DOWN : 0) | (flags & LINUX_NORESERVE ? MAP_NO_RESERVE : 0) |
           (flags & (LINUX_POPULATE | LINUX_LOCKED) ? MAP_POPULATE_NOW : 0);
}

/* What the file allows: reading at least, and writing for a shared mapping that may be written. */
static int attach_file(struct map_request *request, struct file *file, bool shared)
{
    unsigned mode = file->flags & O_ACCMODE;

    if (mode == O_WRONLY || (file->flags & O_PATH))
        return file->flags & O_PATH ? -EBADF : -EACCES;
    if (shared && (request->rights & MAY_WRITE) && mode != O_RDWR)
        return -EACCES;
    if (shared && mode != O_RDWR)
        request->may &= ~MAY_WRITE;
    if (file->node->operations->object == NULL)
        return -ENODEV;
    request->object = file->node->operations->object(file->node);
    request->file   = file->node;
    return request->object != NULL ? 0 : -ENODEV;
}

static long map(vaddr_t address, size_t bytes, uintptr_t protection, uintptr_t flags, int descriptor, uint64_t page)
{
    struct map_request request = { .address = address, .bytes = bytes, .rights = rights_of(protection),
                                   .may = MAY_READ | MAY_WRITE | MAY_EXECUTE, .flags = flags_of(flags), .offset = page };
    unsigned     type = flags & LINUX_TYPE;
    struct file *file = NULL;
    vaddr_t      out  = 0;
    int          err  = 0;

    if (type == LINUX_SHARED || type == LINUX_SHARED_VALIDATE)
        request.flags |= MAP_IS_SHARED;
    else if (type != LINUX_PRIVATE)
        return -EINVAL;
    if (!(flags & LINUX_ANONYMOUS)) {
        file = descriptor_file(current_process()->files, descriptor);
        if (file == NULL)
            return -EBADF;
        err = attach_file(&request, file, request.flags & MAP_IS_SHARED);
    } else {
        request.offset = 0;
    }
    if (err == 0)
        err = map_create(space(), &request, &out);
    if (file != NULL)
        file_release(file);
    return err != 0 ? err : (long)out;
}

SYSTEM_CALL(mmap2)
{
    return map(a, b, c, d, (int)e, f);
}

/* The old call: six words in memory, the offset in bytes. */
SYSTEM_CALL(mmap)
{
    uint32_t words[6];
    int      err = user_read(words, a, sizeof words);

    if (err != 0)
        return err;
    if (!is_aligned(words[5], PAGE_SIZE))
        return -EINVAL;
    return map(words[0], words[1], words[2], words[3], (int)words[4], words[5] / PAGE_SIZE);
}

SYSTEM_CALL(munmap)   { return map_remove(space(), a, b); }
SYSTEM_CALL(brk)      { return (long)map_break(space(), a); }
SYSTEM_CALL(madvise)  { return map_advise(space(), a, b, (int)c); }
SYSTEM_CALL(msync)    { return map_sync(space(), a, b, (int)c); }

SYSTEM_CALL(mprotect)
{
    if (c & ~(uintptr_t)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    return map_protect(space(), a, b, rights_of(c));
}

SYSTEM_CALL(mremap)
{
    vaddr_t out;
    int     err = map_move(space(), a, b, c, (uint32_t)d, e, &out);

    return err != 0 ? err : (long)out;
}

/* Nothing is ever paged out, so everything is locked already. */
static long lock_range(vaddr_t start, size_t bytes)
{
    struct span span;

    if (bytes == 0)
        return 0;
    return checked_span(start, bytes, layout.user.end, &span) ? 0 : -ENOMEM;
}

SYSTEM_CALL(mlock)      { return lock_range(a, b); }
SYSTEM_CALL(mlock2)     { return c & ~(uintptr_t)1 ? -EINVAL : lock_range(a, b); }
SYSTEM_CALL(munlock)    { return lock_range(a, b); }
SYSTEM_CALL(mlockall)   { return a == 0 || (a & ~(uintptr_t)7) ? -EINVAL : 0; }
SYSTEM_CALL(munlockall) { return 0; }

/* One byte a page: is it there? Looked up a page at a time; a hole in the range is an error. */
SYSTEM_CALL(mincore)
{
    struct span span;

    if (!is_aligned(a, PAGE_SIZE))
        return -EINVAL;
    if (b == 0)
        return 0;
    if (!checked_span(a, b, layout.user.end, &span))
        return -ENOMEM;
    for (page_t page = span.first; page < span.end; page++) {
        lock_state    state  = lock_take(&space()->map_lock);
        bool          mapped = region_find(&space()->map, page) != NULL;
        uint8_t       there;
        struct cursor cursor;
        int           err;

        lock_drop(&space()->map_lock, state);
        if (!mapped)
            return -ENOMEM;
        err = cursor_open(&cursor, space(), span_of(page, 1), 0);
        if (err != 0)
            return err;
        there = entry_present(cursor_read(&cursor, page));
        cursor_close(&cursor);
        if (user_write(c + (page - span.first), &there, 1) != 0)
            return -EFAULT;
    }
    return 0;
}
