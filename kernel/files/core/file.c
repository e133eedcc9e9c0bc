/*
 * file.c - open files: their references, and reading and writing.
 *
 * Positions, appending and times are handled here once, for all file systems.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "files/core/contents.h"
#include "files/core/epoll.h"
#include "files/core/file.h"
#include "files/core/lock.h"
#include "files/ipc/socket.h"
#include "memory/heap/heap.h"

/* ---- Open files ------------------------------------------------------------------------------- */

/* An open file ends that counts as a writer or a runner. */
static void count_file_out(struct file *file)
{
    if (file->counts > 0)
        node_end_writer(file->node);
    else if (file->counts < 0)
        node_end_runner(file->node);
}

/* A shared mapping may still write what no open file may write any more. */
static bool is_written_by_a_mapping(struct node *node)
{
    struct object *contents = (node->mode & S_FMT) == S_REGULAR && node->operations->object != NULL
                                  ? node->operations->object(node) : NULL;

    return contents != NULL && object_is_writable(contents);
}

/* No mapping that may write is added once there is a runner: it would need an open file that may. */
int file_run(struct file *file)
{
    int err;

    assert(file->counts == 0);
    err = node_add_runner(file->node);
    if (err == 0 && is_written_by_a_mapping(file->node)) {
        node_end_runner(file->node);
        err = -ETXTBSY;
    }
    if (err == 0)
        file->counts = -1;
    return err;
}

enum { UNNAMED_MAGIC = 0x09041934 };

struct file *file_make(struct node *node, const struct node_operations *operations, uint32_t flags)
{
    return file_make_in(heap_alloc(sizeof(struct file), 0), node, operations, flags);
}

struct file *file_make_in(struct file *room, struct node *node, const struct node_operations *operations,
                          uint32_t flags)
{
    deep_assert(operations != NULL && node->references > 0);
    if (room != NULL) {
        *room = (struct file){ .references = 1, .node = node, .operations = operations, .flags = flags,
                               .lock = MUTEX("file") };
        system_enter(node->system);
    }
    return room;
}

struct file *unnamed_make(struct node *node, const struct node_operations *operations, uint32_t flags)
{
    static struct file_system unnamed;
    struct file              *file;

    assert((flags & ~(uint32_t)O_NONBLOCK) == 0);
    if (unnamed.type == NULL)
        system_start(&unnamed, "anon_inodefs", UNNAMED_MAGIC);
    node_start(node, operations, &unnamed, 0600);
    node->links = 1;
    file = file_make(node, operations, O_RDWR | flags);
    if (file == NULL)
        node_release(node);
    return file;
}

int unnamed_describe(struct node *node, char *to, size_t size)
{
    int length = format_text(to, size, "anon_inode:[%s]", node->operations->kind);

    return (size_t)length < size ? length : -ERANGE;
}

/* Free an open file. Its node's system may end with it. */
static void drop_file(struct file *file)
{
    assert(file->references <= 1);
    count_file_out(file);
    node_unuse(file->node);
    heap_free_sized(file, sizeof *file);
}

void file_abandon(struct file *file) { drop_file(file); }

void file_hold(struct file *file)
{
    uint32_t before = __atomic_fetch_add(&file->references, 1, __ATOMIC_RELAXED);

    assert(before > 0);
}

void file_release(struct file *file)
{
    uint32_t before;

    if (__atomic_load_n(&file->in_flight, __ATOMIC_RELAXED) != 0 && socket_release_in_flight(file))
        return;
    before = __atomic_fetch_sub(&file->references, 1, __ATOMIC_ACQ_REL);
    assert(before > 0);
    if (before > 1)
        return;
    locks_drop_file(file);
    if (file->watchers != NULL)
        epoll_forget(file);
    if (file->operations->close != NULL && !(file->flags & O_PATH))
        file->operations->close(file);
    drop_file(file);
}

static bool is_regular_file(const struct file *file) { return (file->node->mode & S_FMT) == S_REGULAR; }

static bool has_position(const struct file *file)
{
    return (file->operations->traits & (NODE_STREAM | NODE_SEEKLESS)) == 0;
}

/* ---- Reading ---------------------------------------------------------------------------------------- */

static int may_read(const struct file *file)
{
    if ((file->flags & O_PATH) || !file_reads(file))
        return -EBADF;
    if ((file->node->mode & S_FMT) == S_FOLDER)
        return -EISDIR;
    return file->operations->read == NULL ? -EINVAL : 0;
}

static long read_node(struct file *file, struct buffer *to, uint64_t at)
{
    struct node *node = file->node;
    long         got;

    deep_assert(file->operations->read != NULL);
    if (!is_regular_file(file))
        return file->operations->read(file, to, at);
    mutex_take(&node->lock);
    got = file->operations->read(file, to, at);
    if (got > 0 && !(file->flags & O_NOATIME) && (node->accessed <= node->modified || node->accessed <= node->changed))
        node->accessed = clock_wall();          /* as Linux's relatime: enough to tell what was read since it changed */
    mutex_drop(&node->lock);
    return got;
}

long file_read(struct file *file, struct buffer *to)
{
    long got;

    may_sleep();
    got = may_read(file);
    if (got != 0)
        return got;
    if (!has_position(file))
        return read_node(file, to, 0);
    mutex_take(&file->lock);
    got = read_node(file, to, file->at);
    if (got > 0)
        file->at += (uint64_t)got;
    mutex_drop(&file->lock);
    return got;
}

long file_read_at(struct file *file, struct buffer *to, uint64_t at)
{
    int err;

    may_sleep();
    err = may_read(file);
    if (err != 0)
        return err;
    if (file->operations->traits & NODE_STREAM)
        return -ESPIPE;
    return read_node(file, to, at);
}

/* ---- Writing ------------------------------------------------------------------------------------------ */

static int may_write(const struct file *file)
{
    if ((file->flags & O_PATH) || !file_writes(file))
        return -EBADF;
    return file->operations->write == NULL ? -EINVAL : 0;
}

int file_may_move(const struct file *file, bool writing) { return writing ? may_write(file) : may_read(file); }

/*
 * Write to a regular file. With O_APPEND the position is known once the lock is held. *at becomes the end of the write.
 */
static long write_node(struct file *file, struct buffer *from, uint64_t *at)
{
    struct node *node = file->node;
    long         put;

    deep_assert(file->operations->write != NULL);
    if (!is_regular_file(file))
        return file->operations->write(file, from, *at);
    if (from->bytes == 0)
        return 0;
    mutex_take(&node->lock);
    if (file->flags & O_APPEND)
        *at = node->bytes;
    put = contents_admit(node, from, *at);
    if (put == 0)
        put = file->operations->write(file, from, *at);
    if (put > 0)
        contents_written(node);
    mutex_drop(&node->lock);
    return put;
}

long file_write(struct file *file, struct buffer *from)
{
    uint64_t at = 0;
    long     put;

    may_sleep();
    put = may_write(file);
    if (put != 0)
        return put;
    if (!has_position(file))
        return write_node(file, from, &at);
    mutex_take(&file->lock);
    at  = file->at;
    put = write_node(file, from, &at);
    if (put > 0)
        file->at = at + (uint64_t)put;
    mutex_drop(&file->lock);
    return put;
}

long file_write_at(struct file *file, struct buffer *from, uint64_t at)
{
    int err;

    may_sleep();
    err = may_write(file);
    if (err != 0)
        return err;
    if (file->operations->traits & NODE_STREAM)
        return -ESPIPE;
    return write_node(file, from, &at);
}

/* ---- Positions -------------------------------------------------------------------------------------------- */

enum { SEEK_FROM_START, SEEK_FROM_HERE, SEEK_FROM_END, SEEK_DATA, SEEK_HOLE };

/* Holes are whole pages that were never written. A folder, and a file whose text is made to be read, have neither. */
static long seek_data(const struct file *file, int64_t offset, int whence, uint64_t *out)
{
    struct node   *node     = file->node;
    uint64_t       at       = (uint64_t)offset, page;
    bool           paged    = is_regular_file(file) && node->operations->object != NULL &&
                              node->operations->resize != NULL;
    struct object *contents = paged ? node->operations->object(node) : NULL;

    assert(whence == SEEK_DATA || whence == SEEK_HOLE);
    if (!paged)
        return -EINVAL;
    if (offset < 0 || at >= node->bytes)
        return -ENXIO;
    if (contents == NULL)
        return -ENOMEM;
    page = object_next(contents, at >> PAGE_SHIFT, whence == SEEK_DATA);
    if (page > at >> PAGE_SHIFT)
        at = page << PAGE_SHIFT;
    if (whence == SEEK_DATA && at >= node->bytes)
        return -ENXIO;
    *out = at < node->bytes ? at : node->bytes;
    return 0;
}

static long seek_open_file(struct file *file, int64_t offset, int whence, uint64_t *out)
{
    int64_t from = 0;

    deep_assert(mutex_held(&file->lock));
    if (whence == SEEK_DATA || whence == SEEK_HOLE)
        return seek_data(file, offset, whence, out);
    if (whence == SEEK_FROM_HERE)
        from = (int64_t)file->at;
    else if (whence == SEEK_FROM_END)
        from = (int64_t)file->node->bytes;
    else if (whence != SEEK_FROM_START)
        return -EINVAL;
    if (__builtin_add_overflow(from, offset, &from) || from < 0 || (uint64_t)from > FILE_LARGEST)
        return -EINVAL;
    *out = (uint64_t)from;
    return 0;
}

long file_seek(struct file *file, int64_t offset, int whence, uint64_t *out)
{
    long err;

    may_sleep();
    if (file->flags & O_PATH)
        return -EBADF;
    if ((file->operations->traits & (NODE_STREAM | NODE_STANDS)) == NODE_STREAM)
        return -ESPIPE;
    *out = 0;
    if (file->operations->traits & (NODE_SEEKLESS | NODE_STANDS))
        return 0;
    mutex_take(&file->lock);
    err = seek_open_file(file, offset, whence, out);
    if (err == 0)
        file->at = *out;
    mutex_drop(&file->lock);
    return err;
}

unsigned file_poll(struct file *file, struct wait_queue **queue)
{
    *queue = NULL;
    if (file->operations->poll != NULL)
        return file->operations->poll(file, queue);
    return POLL_IN | POLL_OUT | POLL_RDNORM | POLL_WRNORM;
}
