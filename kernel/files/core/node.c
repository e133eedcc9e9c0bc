/*
 * node.c - nodes and open files: counted, and read and written through one door.
 *
 * What all file systems have in common is done here once: positions, appending, the program's limit on
 * the size of files, times, and who may do what.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "files/core/epoll.h"
#include "files/core/file.h"
#include "files/core/lock.h"
#include "files/ipc/socket.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { SET_USER_ID = 04000, SET_GROUP_ID = 02000 };

/* ---- Nodes ---------------------------------------------------------------------------------- */

void system_start(struct file_system *system, const char *type, uint32_t magic)
{
    static uint32_t last_device = OBJECT_DEVICE;

    *system = (struct file_system){ .type = type, .source = type, .magic = magic, .moves = MUTEX("moves"), .nodes = 1,
                                    .device = __atomic_add_fetch(&last_device, 1, __ATOMIC_RELAXED) };
}

void node_start(struct node *node, const struct node_operations *operations, struct file_system *system, uint32_t mode)
{
    uint64_t now = clock_wall();

    *node = (struct node){ .operations = operations, .system = system, .references = 1, .mode = mode,
                           .lock = MUTEX("node"), .seals = SEAL_NEVER, .accessed = now, .modified = now,
                           .changed = now };
    if (system != NULL) {
        node->inode = ++system->last_inode;
        __atomic_add_fetch(&system->nodes, 1, __ATOMIC_RELAXED);
    }
}

void system_enter(struct file_system *system)
{
    if (system != NULL)
        __atomic_add_fetch(&system->users, 1, __ATOMIC_RELAXED);
}

/* The last user of what was unmounted while it was busy ends it. */
void system_leave(struct file_system *system)
{
    if (system != NULL && __atomic_sub_fetch(&system->users, 1, __ATOMIC_ACQ_REL) == 0 && system->gone)
        system->end(system);
}

void node_use(struct node *node)
{
    node_hold(node);
    system_enter(node->system);
}

void node_unuse(struct node *node)
{
    struct file_system *system = node->system;

    node_release(node);
    system_leave(system);
}

static void leave_node(struct file_system *system)
{
    if (__atomic_sub_fetch(&system->nodes, 1, __ATOMIC_ACQ_REL) == 0)
        heap_free_sized(system, sizeof *system);
}

/* `nodes` counts one more than there are, so that nobody frees it twice. */
void system_free(struct file_system *system) { leave_node(system); }

void node_hold(struct node *node)
{
    uint32_t before = __atomic_fetch_add(&node->references, 1, __ATOMIC_RELAXED);

    assert(before > 0);
}

void node_release(struct node *node)
{
    uint32_t before = __atomic_fetch_sub(&node->references, 1, __ATOMIC_ACQ_REL);

    assert(before > 0);
    assert(before > 1 || node->writers == 0);
    if (before == 1) {
        struct file_system *system = node->system;

        if (node->operations->release != NULL)
            node->operations->release(node);
        if (system != NULL)
            leave_node(system);
    }
}

void node_notify(struct node *node)                      { wake_all(&node->ready); }
void node_notify_of(struct node *node, unsigned bits)    { (void)wake_for(&node->ready, bits); }

int node_wait(struct node *node)
{
    int err;

    wait_start(&node->ready);
    mutex_drop(&node->lock);
    err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    mutex_take(&node->lock);
    return err == -EINTR ? -ERESTARTSYS : 0;
}

/* ---- Writers and runners ------------------------------------------------------------------------ */

/* One more of those that count upwards (1) or downwards (-1), unless some of the others are there. */
static int count_in(struct node *node, int32_t step)
{
    int32_t now = __atomic_load_n(&node->writers, __ATOMIC_RELAXED);

    do
        if (step > 0 ? now < 0 : now > 0)
            return -ETXTBSY;
    while (!__atomic_compare_exchange_n(&node->writers, &now, now + step, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return 0;
}

static void count_out(struct node *node, int32_t step)
{
    int32_t before = __atomic_fetch_sub(&node->writers, step, __ATOMIC_ACQ_REL);

    assert(step > 0 ? before > 0 : before < 0);
}

int node_add_writer(struct node *node)
{
    int err = node_is_read_only(node) ? -EROFS : count_in(node, 1);

    if (err == 0 && node->system != NULL)
        __atomic_add_fetch(&node->system->writers, 1, __ATOMIC_RELAXED);
    return err;
}

void node_end_writer(struct node *node)
{
    count_out(node, 1);
    if (node->system != NULL)
        __atomic_sub_fetch(&node->system->writers, 1, __ATOMIC_RELAXED);
}

int  node_add_runner(struct node *node) { return count_in(node, -1); }
void node_end_runner(struct node *node) { count_out(node, -1); }

/* An open file ends that counts as a writer or a runner. */
static void count_file_out(struct file *file)
{
    if (file->counts > 0)
        node_end_writer(file->node);
    else if (file->counts < 0)
        node_end_runner(file->node);
}

int file_run(struct file *file)
{
    int err = node_add_runner(file->node);

    assert(file->counts == 0);
    if (err == 0)
        file->counts = -1;
    return err;
}

/* ---- Who acts ------------------------------------------------------------------------------------- */

/* Before the first process the kernel itself acts, as root. */
uint32_t user_acting(void)
{
    const struct process *process = current_thread()->process;

    return process != NULL ? process->euid : 0;
}

uint32_t group_acting(void)
{
    const struct process *process = current_thread()->process;

    return process != NULL ? process->egid : 0;
}

bool acts_in_group(uint32_t gid)
{
    const struct process *process = current_thread()->process;

    return gid == group_acting() || (process != NULL && groups_have(process->groups, gid));
}

bool node_is_read_only(const struct node *node)
{
    uint32_t type = node->mode & S_FMT;

    return node->system != NULL && (node->system->flags & MOUNT_READ_ONLY) &&
           (type == S_REGULAR || type == S_FOLDER || type == S_LINK);
}

/* Root may read and write all, search every folder, and execute what anybody may execute. */
int node_allows(const struct node *node, unsigned wanted)
{
    unsigned granted = node->mode & 7;

    if ((wanted & 2) && node_is_read_only(node))
        return -EROFS;
    if (user_acting() == 0) {
        bool searchable = (node->mode & S_FMT) == S_FOLDER || (node->mode & 0111);

        return (wanted & 1) && !searchable ? -EACCES : 0;
    }
    if (user_acting() == node->uid)
        granted = node->mode >> 6 & 7;
    else if (acts_in_group(node->gid))
        granted = node->mode >> 3 & 7;
    return (wanted & ~granted) != 0 ? -EACCES : 0;
}

/* ---- Contents of regular files --------------------------------------------------------------------- */

/* How large the files may become that the process writes. */
static uint64_t size_limit(void)
{
    const struct process *process = current_thread()->process;

    return process != NULL ? process->limits[RLIMIT_FSIZE].soft : LIMIT_NONE;
}

static int beyond_limit(void)
{
    struct signal_info info = { .number = SIGXFSZ };

    signal_thread(current_thread(), &info);
    return -EFBIG;
}

static int may_grow_to(const struct node *node, uint64_t bytes)
{
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

    if (err == 0)
        err = node->operations->resize(node, bytes);
    if (err == 0)
        node->modified = node->changed = clock_wall();
    return err;
}

int node_resize(struct node *node, uint64_t bytes)
{
    int err;

    if ((node->mode & S_FMT) == S_FOLDER)
        return -EISDIR;
    if ((node->mode & S_FMT) != S_REGULAR || node->operations->resize == NULL)
        return -EINVAL;
    mutex_take(&node->lock);
    err = resize_locked(node, bytes);
    mutex_drop(&node->lock);
    return err;
}

/* Zeros in [from, end): whole pages become holes. */
static void clear(struct object *contents, uint64_t from, uint64_t end)
{
    uint64_t first = (from + PAGE_SIZE - 1) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

    if (first >= last) {
        object_zero(contents, from, end);
        return;
    }
    object_zero(contents, from, first << PAGE_SHIFT);
    object_punch(contents, first, last);
    object_zero(contents, last << PAGE_SHIFT, end);
}

static int clear_locked(struct node *node, const struct allocation *what)
{
    uint64_t       end = what->end < node->bytes ? what->end : node->bytes;
    struct object *contents;

    if (node->seals & SEALS_OF_WRITING)
        return -EPERM;
    if (what->from >= end)
        return 0;
    contents = node->operations->object(node);
    if (contents == NULL)
        return -ENOMEM;
    clear(contents, what->from, end);
    node->modified = node->changed = clock_wall();
    return 0;
}

static int allocate_locked(struct node *node, const struct allocation *what)
{
    int err = what->punch ? 0 : may_grow_to(node, what->end);

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

    assert(what->from < what->end && (node->mode & S_FMT) == S_REGULAR);
    mutex_take(&node->lock);
    err = allocate_locked(node, what);
    mutex_drop(&node->lock);
    return err;
}

static int seal_locked(struct node *node, unsigned seals)
{
    struct object *contents;

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
        seals |= SEAL_SHRINK | SEAL_GROW | SEALS_OF_WRITING;    /* what runs is whole, then */
    node->seals |= (uint8_t)seals;
    return 0;
}

int node_seal(struct node *node, unsigned seals)
{
    int err;

    if ((node->seals & SEAL_NEVER) || (seals & ~(unsigned)SEALS_ALL))
        return -EINVAL;
    mutex_take(&node->lock);
    err = seal_locked(node, seals);
    mutex_drop(&node->lock);
    return err;
}

/* ---- Open files ------------------------------------------------------------------------------- */

struct file *file_make(struct node *node, const struct node_operations *operations, uint32_t flags)
{
    struct file *file = heap_alloc(sizeof *file, 0);

    if (file != NULL) {
        *file = (struct file){ .references = 1, .node = node, .operations = operations, .flags = flags,
                               .lock = MUTEX("file") };
        system_enter(node->system);
    }
    return file;
}

/* The open file is no more. Its node's system may end with it. */
static void drop_file(struct file *file)
{
    struct file_system *system = file->node->system;

    count_file_out(file);
    node_release(file->node);
    heap_free_sized(file, sizeof *file);
    system_leave(system);
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

static bool is_regular(const struct file *file) { return (file->node->mode & S_FMT) == S_REGULAR; }

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

    if (!is_regular(file))
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
    long got = may_read(file);

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
    int err = may_read(file);

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

/* A program may have a limit on how large the files become that it writes; running into it is a signal. */
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

    if (node->seals & SEALS_OF_WRITING)
        return -EPERM;
    if (!(node->seals & SEAL_GROW) || (at <= node->bytes && from->bytes <= node->bytes - at))
        return 0;
    if (at >= whole)
        return -EPERM;
    from->bytes = (size_t)(whole - at);
    return 0;
}

/* Who writes to a program takes its borrowed rights away. */
static void drop_set_id(struct node *node)
{
    if (user_acting() == 0)
        return;
    node->mode &= ~(uint32_t)SET_USER_ID;
    if (node->mode & 0010)
        node->mode &= ~(uint32_t)SET_GROUP_ID;
}

/*
 * The regular file's part: where it is written is known once the lock is held. *at becomes the end of what was written.
 */
static long write_node(struct file *file, struct buffer *from, uint64_t *at)
{
    struct node *node = file->node;
    long         put;

    if (!is_regular(file))
        return file->operations->write(file, from, *at);
    if (from->bytes == 0)
        return 0;
    mutex_take(&node->lock);
    if (file->flags & O_APPEND)
        *at = node->bytes;
    put = cut_to_limit(from, *at);
    if (put == 0)
        put = cut_to_seals(node, from, *at);
    if (put == 0)
        put = file->operations->write(file, from, *at);
    if (put > 0) {
        drop_set_id(node);
        node->modified = node->changed = clock_wall();
    }
    mutex_drop(&node->lock);
    return put;
}

long file_write(struct file *file, struct buffer *from)
{
    uint64_t at = 0;
    long     put = may_write(file);

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
    int err = may_write(file);

    if (err != 0)
        return err;
    if (file->operations->traits & NODE_STREAM)
        return -ESPIPE;
    return write_node(file, from, &at);
}

/* ---- Positions -------------------------------------------------------------------------------------------- */

enum { SEEK_FROM_START, SEEK_FROM_HERE, SEEK_FROM_END, SEEK_DATA, SEEK_HOLE };

/* Holes are whole pages that were never written. A file without pages of its own is data; behind each begins a hole. */
static long seek_data(const struct file *file, int64_t offset, int whence, uint64_t *out)
{
    struct node   *node     = file->node;
    uint64_t       at       = (uint64_t)offset, page;
    bool           paged    = is_regular(file) && node->operations->object != NULL && node->operations->resize != NULL;
    struct object *contents = paged ? node->operations->object(node) : NULL;

    if (offset < 0 || at >= node->bytes)
        return -ENXIO;
    if (contents == NULL) {
        *out = whence == SEEK_DATA ? at : node->bytes;
        return paged ? -ENOMEM : 0;
    }
    page = object_next(contents, at >> PAGE_SHIFT, whence == SEEK_DATA);
    if (page > at >> PAGE_SHIFT)
        at = page << PAGE_SHIFT;
    if (whence == SEEK_DATA && at >= node->bytes)
        return -ENXIO;
    *out = at < node->bytes ? at : node->bytes;
    return 0;
}

static long seek(struct file *file, int64_t offset, int whence, uint64_t *out)
{
    int64_t from = 0;

    if (whence == SEEK_DATA || whence == SEEK_HOLE)
        return seek_data(file, offset, whence, out);
    if (whence == SEEK_FROM_HERE)
        from = (int64_t)file->at;
    else if (whence == SEEK_FROM_END)
        from = (int64_t)file->node->bytes;
    else if (whence != SEEK_FROM_START)
        return -EINVAL;
    if (__builtin_add_overflow(from, offset, &from))
        return -EOVERFLOW;
    if (from < 0 || (uint64_t)from > FILE_LARGEST)
        return -EINVAL;
    *out = (uint64_t)from;
    return 0;
}

long file_seek(struct file *file, int64_t offset, int whence, uint64_t *out)
{
    long err;

    if (file->flags & O_PATH)
        return -EBADF;
    if (file->operations->traits & NODE_STREAM)
        return -ESPIPE;
    *out = 0;
    if (file->operations->traits & NODE_SEEKLESS)
        return 0;
    mutex_take(&file->lock);
    err = seek(file, offset, whence, out);
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
