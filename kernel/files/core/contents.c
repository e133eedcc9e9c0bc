/*
 * contents.c - the contents of regular files: size, room, holes, seals, and checks of writes.
 */
#include "files/core/contents.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/frames/frame.h"
#include "process/process.h"

enum { SET_USER_ID = 04000, SET_GROUP_ID = 02000 };

/* ---- Size ---------------------------------------------------------------------------------------- */

/* The process's limit on the size of files that it writes. */
static uint64_t size_limit(void)
{
    const struct process *process = current_thread()->process;

    return process != NULL ? process->limits[RLIMIT_FSIZE].soft : LIMIT_NONE;
}

static int beyond_limit(void)
{
    signal_self(SIGXFSZ);
    return -EFBIG;
}

static int may_grow_to(const struct node *node, uint64_t bytes)
{
    deep_assert(mutex_held(&node->lock));
    if (bytes <= node->bytes)
        return 0;
    if (node->seals & SEAL_GROW)
        return -EPERM;
    if (bytes > size_limit())
        return beyond_limit();
    return bytes > FILE_LARGEST ? -EFBIG : 0;
}

static int resize_locked(struct node *node, uint64_t bytes)
{
    int err = bytes < node->bytes && (node->seals & SEAL_SHRINK) ? -EPERM : may_grow_to(node, bytes);

    assert(mutex_held(&node->lock) && node->operations->resize != NULL);
    if (err == 0)
        err = node->operations->resize(node, bytes);
    if (err == 0)
        contents_written(node);
    return err;
}

int node_resize(struct node *node, uint64_t bytes)
{
    int err;

    may_sleep();
    if ((node->mode & S_FMT) == S_FOLDER)
        return -EISDIR;
    if ((node->mode & S_FMT) != S_REGULAR || node->operations->resize == NULL)
        return -EINVAL;
    mutex_take(&node->lock);
    err = resize_locked(node, bytes);
    mutex_drop(&node->lock);
    return err;
}

/* Clear [from, end): whole pages become holes. */
static int clear_range(struct object *contents, uint64_t from, uint64_t end)
{
    uint64_t first = (from + PAGE_SIZE - 1) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
    int      err;

    assert(from < end);
    if (first >= last)
        return object_zero(contents, from, end);
    err = object_zero(contents, from, first << PAGE_SHIFT);
    if (err != 0)
        return err;
    object_punch(contents, first, last);
    return object_zero(contents, last << PAGE_SHIFT, end);
}

static int clear_locked(struct node *node, const struct allocation *what)
{
    uint64_t       end = what->end < node->bytes ? what->end : node->bytes;
    struct object *contents;
    int            err;

    assert(mutex_held(&node->lock) && node->operations->object != NULL);
    if (node->seals & SEALS_OF_WRITING)
        return -EPERM;
    if (what->from >= end)
        return 0;
    contents = node->operations->object(node);
    if (contents == NULL)
        return -ENOMEM;
    if (!object_can_punch(contents, what->from >> PAGE_SHIFT))
        return -EOPNOTSUPP;
    err = clear_range(contents, what->from, end);
    if (err == 0)
        contents_written(node);
    return err;
}

static int allocate_locked(struct node *node, const struct allocation *what)
{
    int err = what->punch ? 0 : may_grow_to(node, what->end);

    assert(mutex_held(&node->lock));
    if (err == 0 && !what->punch && !what->clear && (what->end - what->from) >> PAGE_SHIFT > frames_owned(OWNER_FREE))
        return -ENOSPC;
    if (err == 0 && (what->punch || what->clear))
        err = clear_locked(node, what);
    if (err == 0 && !what->keep && what->end > node->bytes)
        err = resize_locked(node, what->end);
    return err;
}

int node_allocate(struct node *node, const struct allocation *what)
{
    int err;

    may_sleep();
    assert(what->from < what->end && (node->mode & S_FMT) == S_REGULAR);
    mutex_take(&node->lock);
    err = allocate_locked(node, what);
    mutex_drop(&node->lock);
    return err;
}

static int seal_locked(struct node *node, unsigned seals)
{
    struct object *contents;

    assert(mutex_held(&node->lock));
    if (node->seals & SEAL_SEAL)
        return -EPERM;
    if ((seals & SEAL_WRITE) && !(node->seals & SEAL_WRITE)) {
        contents = node->operations->object(node);
        if (contents == NULL)
            return -ENOMEM;
        if (object_is_writable(contents))
            return -EBUSY;
    }
    if ((seals & SEAL_EXECUTE) && (node->mode & 0111))
        seals |= SEAL_SHRINK | SEAL_GROW | SEALS_OF_WRITING;    /* a program that runs does not change */
    node->seals |= (uint8_t)seals;
    return 0;
}

int node_seal(struct node *node, unsigned seals)
{
    int err;

    may_sleep();
    if ((node->seals & SEAL_NEVER) || (seals & ~(unsigned)SEALS_ALL))
        return -EINVAL;
    mutex_take(&node->lock);
    err = seal_locked(node, seals);
    mutex_drop(&node->lock);
    return err;
}

/* ---- Writing ------------------------------------------------------------------------------------- */

/* At the process's limit on the size of files the write is cut; one that begins there is SIGXFSZ and -EFBIG. */
static int cut_to_limit(struct buffer *from, uint64_t at)
{
    uint64_t limit = size_limit();

    if (at >= limit)
        return beyond_limit();
    if (at >= FILE_LARGEST)
        return -EFBIG;
    if (limit > FILE_LARGEST)
        limit = FILE_LARGEST;
    if (from->bytes > limit - at)
        from->bytes = (size_t)(limit - at);
    return 0;
}

/* A file that may not grow is written page by page up to the one with its end. */
static int cut_to_seals(const struct node *node, struct buffer *from, uint64_t at)
{
    uint64_t whole = node->bytes & ~(uint64_t)(PAGE_SIZE - 1);

    deep_assert(mutex_held(&node->lock));
    if (node->seals & SEALS_OF_WRITING)
        return -EPERM;
    if (!(node->seals & SEAL_GROW) || (at <= node->bytes && from->bytes <= node->bytes - at))
        return 0;
    if (at >= whole)
        return -EPERM;
    from->bytes = (size_t)(whole - at);
    return 0;
}

/* A program that is written to by another user loses set-user-ID and set-group-ID. */
static void drop_set_id(struct node *node)
{
    if (has_capability(CAP_FSETID))
        return;
    node->mode &= ~(uint32_t)SET_USER_ID;
    if (node->mode & 0010)
        node->mode &= ~(uint32_t)SET_GROUP_ID;
}

int contents_admit(const struct node *node, struct buffer *from, uint64_t at)
{
    int err;

    assert(mutex_held(&node->lock) && from->bytes > 0);
    err = cut_to_limit(from, at);
    return err == 0 ? cut_to_seals(node, from, at) : err;
}

void contents_written(struct node *node)
{
    deep_assert(mutex_held(&node->lock));
    drop_set_id(node);
    node->modified = node->changed = clock_wall();
}
