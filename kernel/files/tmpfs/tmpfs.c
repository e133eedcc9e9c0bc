/*
 * tmpfs.c - nodes of files in memory, and the contents of regular ones.
 */
#include "files/tmpfs/tmpfs.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/core/devices.h"
#include "files/tmpfs/tmpfs_node.h"
#include "memory/frames/frame.h"
#include "memory/pageout/hand.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "process/signal.h"

enum { TMPFS_MAGIC = 0x01021994 };

/* ---- Contents -------------------------------------------------------------------------------- */

/* The contents, made when they are first needed. */
static struct object *contents_of(struct tmpfs_node *file)
{
    assert((file->node.mode & S_FMT) == S_REGULAR);
    if (file->contents == NULL)
        file->contents = object_create(OWNER_FILE, (file->node.bytes + PAGE_SIZE - 1) >> PAGE_SHIFT);
    return file->contents;
}

static struct object *tmpfs_object(struct node *node) { return contents_of(tmpfs_of(node)); }

static uint64_t tmpfs_pages(struct node *node)
{
    const struct object *contents = tmpfs_of(node)->contents;

    return contents != NULL ? contents->resident + contents->out : 0;
}

/*
 * object_page() has ended with `err`: where frames were lacking, for a hole to be filled or a page that is out, others
 * leave, and it is tried again.
 */
static int page_with_room(int err, struct object *contents, uint64_t page, bool make, frame_t *out)
{
    while (room_was_made(err))                  /* bound: programs' pages go in each step */
        err = object_page(contents, page, make, out);
    return err;
}

static size_t smaller_part(uint64_t a, size_t b) { return a < b ? (size_t)a : b; }

static long tmpfs_read(struct file *file, struct buffer *to, uint64_t at)
{
    struct tmpfs_node *self = tmpfs_of(file->node);
    uint64_t           size = file->node->bytes;
    size_t             left = at < size ? smaller_part(size - at, to->bytes) : 0;
    long               done = 0;

    deep_assert(mutex_held(&file->node->lock));
    while (left > 0 && !signal_kills(current_thread())) {
        size_t  skew = (size_t)(at % PAGE_SIZE), part = smaller_part(PAGE_SIZE - skew, left), got;
        frame_t frame = NO_FRAME;
        int     err   = self->contents == NULL ? 0 : object_page(self->contents, at >> PAGE_SHIFT, false, &frame);

        if (err != 0 && (err = page_with_room(err, self->contents, at >> PAGE_SHIFT, false, &frame)) != 0)
            return done > 0 ? done : err;
        if (frame_exists(frame)) {
            got = buffer_put_frame(to, frame, skew, part);
            frame_put(frame);
        } else {
            got = buffer_clear(to, part);
        }
        done += (long)got;
        if (got < part)
            return done > 0 ? done : -EFAULT;
        at   += part;
        left -= part;
        if (left > 0)                           /* holes are read into the same memory a thousand times by one call */
            point_of_rest();
    }
    return done;
}

/*
 * A whole page into a hole: a frame is filled first and becomes part of the file only then, so it need not
 * be cleared. Returns the bytes copied, or an errno.
 */
static long write_new_page(struct object *contents, uint64_t page, struct buffer *from)
{
    frame_t frame, there;
    size_t  got;
    int     err;

    deep_assert(from->bytes >= PAGE_SIZE);
    do                                          /* bound: programs' pages go in each step */
        err = frame_get(OWNER_FILE, 0, &frame);
    while (room_was_made(err));
    if (err != 0)
        return err;
    got = buffer_get_frame(from, frame, 0, PAGE_SIZE);
    if (got < PAGE_SIZE)
        frame_clear_part(frame, got, PAGE_SIZE - got);
    err = got > 0 ? object_adopt(contents, page, frame) : -EFAULT;
    if (err == 0)
        return (long)got;
    if (err == -EEXIST)
        err = page_with_room(object_page(contents, page, true, &there), contents, page, true, &there);
    if (err == 0) {
        frame_copy(there, frame);               /* a mapping filled the hole while the bytes were copied */
        frame_put(there);
    }
    frame_put(frame);
    return err != 0 ? err : (long)got;
}

static long write_page(struct object *contents, uint64_t at, struct buffer *from, size_t part)
{
    uint64_t page = at >> PAGE_SHIFT;
    frame_t  frame;
    size_t   got;
    int      err;

    assert(part > 0 && part <= PAGE_SIZE - at % PAGE_SIZE);
    err = object_page(contents, page, part < PAGE_SIZE, &frame);
    if (err != 0 && (err = page_with_room(err, contents, page, part < PAGE_SIZE, &frame)) != 0)
        return err;
    if (!frame_exists(frame))
        return write_new_page(contents, page, from);
    got = buffer_get_frame(from, frame, (size_t)(at % PAGE_SIZE), part);
    frame_put(frame);
    return got > 0 ? (long)got : -EFAULT;
}

static long tmpfs_write(struct file *file, struct buffer *from, uint64_t at)
{
    struct tmpfs_node *self     = tmpfs_of(file->node);
    struct object     *contents = contents_of(self);
    uint64_t           end      = at + from->bytes, pages = (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
    long               done = 0, got = 0;

    deep_assert(mutex_held(&file->node->lock) && from->bytes > 0);
    if (contents == NULL)
        return -ENOMEM;
    if (pages > contents->pages)
        object_resize(contents, pages);
    while (from->bytes > 0) {
        size_t part = smaller_part(PAGE_SIZE - at % PAGE_SIZE, from->bytes);

        got = write_page(contents, at, from, part);
        if (got <= 0)
            break;
        done += got;
        at   += (uint64_t)got;
        if ((size_t)got < part)
            break;
        if (from->bytes > 0)
            point_of_rest();
    }
    if (done > 0 && at > self->node.bytes)
        self->node.bytes = at;
    pages = (self->node.bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    if (pages < contents->pages)                /* it came to less than was hoped for */
        object_resize(contents, pages);
    return done > 0 ? done : got;
}

static int tmpfs_resize(struct node *node, uint64_t bytes)
{
    struct object *contents = tmpfs_of(node)->contents;
    uint64_t       pages    = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    int            err      = 0;

    assert(mutex_held(&node->lock) && bytes <= FILE_LARGEST);
    if (contents != NULL && bytes <= node->bytes && bytes % PAGE_SIZE != 0)
        err = object_zero(contents, bytes, pages << PAGE_SHIFT);        /* of all this only it can fail */
    if (err != 0)
        return err;
    if (contents != NULL)
        object_resize(contents, pages);
    node->bytes = bytes;
    return 0;
}

int tmpfs_adopt(struct node *node, uint64_t page, frame_t frame)
{
    struct object *contents = contents_of(tmpfs_of(node));

    deep_assert(frame_owner(frame) == OWNER_FILE);
    return contents == NULL ? -ENOMEM : object_adopt(contents, page, frame);
}

/* ---- Links, devices, fifos ------------------------------------------------------------------------ */

static long tmpfs_read_link(struct node *node, char *to, size_t size)
{
    const char *target = tmpfs_of(node)->target;
    size_t      length = strlen(target);

    assert((node->mode & S_FMT) == S_LINK);
    if (length > size)
        length = size;
    memcpy(to, target, length);
    return (long)length;
}

/* Opening a device's node opens the device. */
static int open_special(struct node *node, struct file *file)
{
    const struct node_operations *operations = device_operations(node->mode, node->device);

    if (operations == NULL)
        return -ENXIO;
    file->operations = operations;
    return operations->open != NULL ? operations->open(node, file) : 0;
}

/* ---- Nodes -------------------------------------------------------------------------------------------- */

static const struct node_operations regular_operations = {
    .read = tmpfs_read, .write = tmpfs_write, .resize = tmpfs_resize, .object = tmpfs_object,
    .pages = tmpfs_pages, .release = tmpfs_release, .whereabouts = tmpfs_whereabouts,
};
static const struct node_operations link_operations = {
    .read_link = tmpfs_read_link, .release = tmpfs_release, .whereabouts = tmpfs_whereabouts,
};
static const struct node_operations special_operations = {
    .open = open_special, .release = tmpfs_release, .whereabouts = tmpfs_whereabouts,
};

static const struct node_operations *tmpfs_operations_of(uint32_t mode)
{
    switch (mode & S_FMT) {
    case S_REGULAR: return &regular_operations;
    case S_FOLDER:  return &tmpfs_folder_operations;
    case S_LINK:    return &link_operations;
    default:        return &special_operations;
    }
}

struct tmpfs_node *tmpfs_make(struct file_system *system, uint32_t mode, uint32_t device)
{
    struct tmpfs_node *self = heap_alloc(sizeof *self, HEAP_ZERO);

    if (self == NULL)
        return NULL;
    node_start(&self->node, tmpfs_operations_of(mode), system, mode);
    self->node.device = device;
    if ((mode & S_FMT) == S_REGULAR)
        self->node.seals = SEAL_SEAL;           /* as on Linux: only memfd_create() makes what can be sealed */
    if ((mode & S_FMT) == S_FOLDER) {
        self->node.links = 1;                   /* its own "." */
        self->folder.last_age = 2;
    }
    return self;
}

/* Where the name is, or was, whose entry came last. */
struct node *tmpfs_whereabouts(struct node *node, const char **name, size_t *length)
{
    struct tmpfs_entry *entry = tmpfs_of(node)->names;

    if (entry == NULL)
        return NULL;
    *name   = entry->name;
    *length = entry->length;
    return &entry->folder->node;
}

void tmpfs_release(struct node *node)
{
    struct tmpfs_node *self = tmpfs_of(node);

    switch (node->mode & S_FMT) {
    case S_REGULAR:
        if (self->contents != NULL)
            object_release(self->contents);
        break;
    case S_FOLDER:
        tmpfs_folder_free(self);
        break;
    case S_LINK:
        heap_free(self->target);
        break;
    default:
        break;
    }
    tmpfs_forget_name(self->names);
    heap_free_sized(self, sizeof *self);
}

/* ---- File systems ----------------------------------------------------------------------------------------- */

static void tmpfs_usage(struct file_system *system, struct usage *out)
{
    struct frame_sums sums;

    frames_sums(&sums);
    *out = (struct usage){ .blocks = sums.ram + objects_out, .blocks_free = sums.owned[OWNER_FREE], .files = sums.ram,
                           .files_free = sums.ram > system->last_inode ? sums.ram - system->last_inode : 0 };
}

struct file_system *tmpfs_new(uint32_t mode)
{
    struct file_system *system = heap_alloc(sizeof *system, 0);
    struct tmpfs_node  *root;

    assert((mode & S_FMT) == 0);
    if (system == NULL)
        return NULL;
    system_start(system, "tmpfs", TMPFS_MAGIC);
    system->usage = tmpfs_usage;
    system->end   = tmpfs_destroy;
    root = tmpfs_make(system, S_FOLDER | mode, 0);
    if (root == NULL) {
        system_free(system);
        return NULL;
    }
    root->node.links = 2;
    system->root = &root->node;
    return system;
}

/* ---- Files in no folder --------------------------------------------------------------------------------------- */

struct unnamed {
    struct tmpfs_node file;
    char              name[NAME_LONGEST + 1];
};

static int describe_unnamed(struct node *node, char *to, size_t size)
{
    static const char before[] = "/memfd:", after[] = " (deleted)";
    const char       *name     = ((struct unnamed *)node)->name;
    size_t            length   = strlen(name);

    if (sizeof before - 1 + length + sizeof after > size)
        return -ERANGE;
    memcpy(to, before, sizeof before - 1);
    memcpy(to + sizeof before - 1, name, length);
    memcpy(to + sizeof before - 1 + length, after, sizeof after);
    return (int)(sizeof before - 1 + length + sizeof after - 1);
}

static void release_unnamed(struct node *node)
{
    struct unnamed *self = (struct unnamed *)node;

    if (self->file.contents != NULL)
        object_release(self->file.contents);
    heap_free_sized(self, sizeof *self);
}

static const struct node_operations unnamed_operations = {
    .read = tmpfs_read, .write = tmpfs_write, .resize = tmpfs_resize, .object = tmpfs_object,
    .pages = tmpfs_pages, .release = release_unnamed, .describe = describe_unnamed,
};

struct node *tmpfs_unnamed(const char *name)
{
    static struct file_system nowhere;
    struct unnamed           *self = heap_alloc(sizeof *self, HEAP_ZERO);

    assert(strlen(name) <= NAME_LONGEST);
    if (self == NULL)
        return NULL;
    if (nowhere.type == NULL)
        system_start(&nowhere, "tmpfs", TMPFS_MAGIC);
    nowhere.device = OBJECT_DEVICE;
    node_start(&self->file.node, &unnamed_operations, &nowhere, S_REGULAR | 0777);
    self->file.node.inode = object_new_number();
    node_own(&self->file.node);
    text_copy(self->name, name, sizeof self->name);
    return &self->file.node;
}
