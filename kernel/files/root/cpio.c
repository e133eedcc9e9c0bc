/*
 * cpio.c - from the bytes of an archive to files.
 */
#include "files/root/cpio.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/tmpfs/tmpfs.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"

/* NAME_USUAL, BLOCK: of the small kind, which costs less code than whole pages. */
enum { BLOCK = 2048, NAME_USUAL = 256, NAME_MOST = 2 * PATH_LONGEST };
enum { HEADER = 110, FIELDS = 13, CRC_FORMAT = 2, NANOSECONDS = 1000000000 };

struct entry {
    uint32_t inode, mode, uid, gid, links, modified, bytes, device_major, device_minor, major, minor, name_bytes, sum;
};

/* A file with several names: where the first one went. */
struct seen {
    struct seen *next;
    uint32_t     inode, major, minor;
    struct node *node;
};

struct unpacking {
    struct source *source;
    struct fs_context  *fs;
    const char    *why;
    uint64_t       at;                  /* bytes of the archive read so far */
    bool           checked;             /* the entry has a sum              */
    struct entry   entry;
    struct seen   *seen;
    char          *name, *block;
    uint32_t       name_room;
};

static int refuse_archive(struct unpacking *u, const char *why)
{
    u->why = u->source->problem != NULL ? u->source->problem : why;
    return -EINVAL;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

static int take_bytes(struct unpacking *u, void *to, size_t bytes)
{
    if (!source_read_all(u->source, to, bytes))
        return refuse_archive(u, "the archive ends too early");
    u->at += bytes;
    return 0;
}

/* Names and contents end on a multiple of four bytes. */
static int skip_padding(struct unpacking *u)
{
    char none[4];

    return take_bytes(u, none, (size_t)(-u->at & 3));
}

static bool read_field(const char *text, uint32_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < 8; i++) {
        char c = text[i];

        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *out = *out << 4 | (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            *out = *out << 4 | (uint32_t)(c - 'A' + 10);
        else
            return false;
    }
    return true;
}

static int read_entry_header(struct unpacking *u, const char *text)
{
    uint32_t *field = (uint32_t *)&u->entry;

    _Static_assert(sizeof(struct entry) == FIELDS * sizeof(uint32_t), "an entry is its fields in order");
    if (memcmp(text, "07070", 5) != 0 || (text[5] != '1' && text[5] != '2'))
        return refuse_archive(u, "no header of a newc entry where one should be");
    u->checked = text[5] == '2';
    for (unsigned i = 0; i < FIELDS; i++)
        if (!read_field(text + 6 + 8 * i, &field[i]))
            return refuse_archive(u, "a header with a damaged number");
    if (u->entry.name_bytes == 0 || u->entry.name_bytes > NAME_MOST)
        return refuse_archive(u, "a name of impossible length");
    return 0;
}

/* Memory for the longest name there may be, when one comes that is longer than usual. */
static int make_room_for_name(struct unpacking *u)
{
    if (u->entry.name_bytes <= u->name_room)
        return 0;
    heap_free(u->name);
    u->name      = heap_alloc(NAME_MOST, 0);
    u->name_room = u->name != NULL ? NAME_MOST : 0;
    return u->name != NULL ? 0 : -ENOMEM;
}

/* The name; what pads it to a page boundary is more NULs than one. */
static int read_name(struct unpacking *u)
{
    int err = make_room_for_name(u);

    if (err == 0)
        err = take_bytes(u, u->name, u->entry.name_bytes);
    if (err == 0)
        err = skip_padding(u);
    if (err != 0)
        return err;
    if (u->name[u->entry.name_bytes - 1] != '\0')
        return refuse_archive(u, "a name without an end");
    if (strlen(u->name) >= PATH_LONGEST || u->name[0] == '\0')
        return refuse_archive(u, "a name of impossible length");
    for (const char *at = u->name; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || at[2] == '\0'))
            return refuse_archive(u, "a name with \"..\" in it");
    }
    return 0;
}

/* ---- Making ---------------------------------------------------------------------------------------- */

/* Whether the folder of the name is there, as it is in archives that name folders first. */
static bool has_parent(struct unpacking *u)
{
    char        *slash = strrchr(u->name + 1, '/');
    struct node *parent;
    int          err;

    if (slash == NULL)
        return true;
    *slash = '\0';
    err = path_find(u->fs, NULL, u->name, 0, &parent);
    *slash = '/';
    if (err == 0)
        node_release(parent);
    return err == 0;
}

/* The folders on the way to the name, those that are missing. Going over all each time would be cubic in the depth. */
static int make_parents(struct unpacking *u)
{
    if (has_parent(u))
        return 0;
    for (char *slash = strchr(u->name + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        int err;

        *slash = '\0';
        err = path_make_folder(u->fs, NULL, u->name, 0755);
        *slash = '/';
        if (err != 0 && err != -EEXIST)
            return err;
    }
    return 0;
}

/* What the name named before goes, but for a folder where a folder is to be. */
static int make_way(struct unpacking *u, bool folder)
{
    struct node *old;
    bool         is_folder;
    int          err = path_find(u->fs, NULL, u->name, PATH_NO_FOLLOW, &old);

    if (err == -ENOENT)
        return make_parents(u);
    if (err != 0)
        return err;
    is_folder = (old->mode & S_FMT) == S_FOLDER;
    node_release(old);
    return is_folder && folder ? 0 : path_remove(u->fs, NULL, u->name, is_folder);
}

static void set_attributes(const struct unpacking *u, struct node *node)
{
    node->mode     = (node->mode & S_FMT) | (u->entry.mode & 07777);
    node->uid      = u->entry.uid;
    node->gid      = u->entry.gid;
    node->accessed = node->modified = node->changed = (uint64_t)u->entry.modified * NANOSECONDS;
}

/* As much of the contents as are pages of their own. */
static int take_file_pages(struct unpacking *u, struct file *file, uint32_t *left, uint64_t *at)
{
    frame_t frame;

    while (*left >= PAGE_SIZE && !u->checked && u->source->take_frame != NULL &&
           u->source->take_frame(u->source, &frame)) {
        int err = tmpfs_adopt(file->node, *at >> PAGE_SHIFT, frame);

        if (err != 0) {
            frame_put(frame);
            return err;
        }
        u->at += PAGE_SIZE;
        *at   += PAGE_SIZE;
        *left -= PAGE_SIZE;
    }
    return 0;
}

static int copy_rest(struct unpacking *u, struct file *file, uint32_t left, uint64_t at)
{
    uint32_t sum = 0;

    while (left > 0) {
        uint32_t      part   = left < BLOCK ? left : BLOCK;
        struct buffer buffer = { .kernel = true, .memory = u->block, .bytes = part };
        int           err    = take_bytes(u, u->block, part);
        long          put    = err == 0 ? file_write_at(file, &buffer, at) : err;

        if (put != (long)part)
            return put < 0 ? (int)put : -ENOSPC;
        for (uint32_t i = 0; i < part && u->checked; i++)
            sum += (uint8_t)u->block[i];
        at   += part;
        left -= part;
    }
    return u->checked && sum != u->entry.sum ? refuse_archive(u, "a file whose checksum does not match") : 0;
}

static int fill_file(struct unpacking *u, struct node *node)
{
    uint64_t     at   = 0;
    uint32_t     left = u->entry.bytes;
    struct file *file;
    int          err;

    node_hold(node);
    file = file_make(node, node->operations, O_WRONLY);
    if (file == NULL) {
        node_release(node);
        return -ENOMEM;
    }
    err = node_resize(node, left);
    if (err == 0)
        err = take_file_pages(u, file, &left, &at);
    if (err == 0)
        err = copy_rest(u, file, left, at);
    file_release(file);
    return err != 0 ? err : skip_padding(u);
}

/* Remember the first name of a file that has more than one. */
static int remember_linked(struct unpacking *u, struct node *node)
{
    struct seen *seen = heap_alloc(sizeof *seen, 0);

    if (seen == NULL)
        return -ENOMEM;
    *seen = (struct seen){ u->seen, u->entry.inode, u->entry.device_major, u->entry.device_minor, node };
    node_hold(node);
    u->seen = seen;
    return 0;
}

static struct node *seen_before(const struct unpacking *u)
{
    for (const struct seen *at = u->seen; at != NULL; at = at->next)
        if (at->inode == u->entry.inode && at->major == u->entry.device_major && at->minor == u->entry.device_minor &&
            at->node->links > 0)                /* else all its names have been replaced */
            return at->node;
    return NULL;
}

/* One more name of a node that is there. */
static int add_name(struct unpacking *u, struct node *node)
{
    struct node *folder;
    const char  *name;
    size_t       length;
    int          err = path_parent(u->fs, NULL, u->name, &folder, &name, &length);

    if (err != 0)
        return err;
    mutex_take(&folder->lock);
    err = folder->operations->link != NULL ? folder->operations->link(folder, name, length, node) : -EPERM;
    mutex_drop(&folder->lock);
    node_release(folder);
    return err;
}

static int unpack_file(struct unpacking *u)
{
    struct node *node = u->entry.links > 1 ? seen_before(u) : NULL;
    int          err;

    if (node != NULL) {
        err = add_name(u, node);
        if (err == 0 && u->entry.bytes > 0)
            err = fill_file(u, node);
        if (err == 0)
            set_attributes(u, node);
        return err;
    }
    err = path_make_node(u->fs, NULL, u->name, S_REGULAR | 0600, 0, &node);
    if (err != 0)
        return err;
    if (u->entry.links > 1)
        err = remember_linked(u, node);
    if (err == 0)
        err = fill_file(u, node);
    if (err == 0)
        set_attributes(u, node);
    node_release(node);
    return err;
}

static int unpack_link(struct unpacking *u)
{
    char *target;
    int   err;

    if (u->entry.bytes == 0 || u->entry.bytes >= PATH_LONGEST)
        return refuse_archive(u, "a symbolic link of impossible length");
    target = heap_alloc(u->entry.bytes + 1, 0);
    if (target == NULL)
        return -ENOMEM;
    err = take_bytes(u, target, u->entry.bytes);
    target[u->entry.bytes] = '\0';
    if (err == 0)
        err = skip_padding(u);
    if (err == 0)
        err = path_symlink(u->fs, NULL, u->name, target);
    heap_free(target);
    return err;
}

/* What has no contents: folders, devices, fifos, sockets. */
static int unpack_other(struct unpacking *u)
{
    uint32_t     type = u->entry.mode & S_FMT, device = u->entry.minor & 0xFF;
    struct node *node;
    int          err;

    if (u->entry.bytes != 0)
        return refuse_archive(u, "contents where there can be none");
    device |= (u->entry.major & 0xFFF) << 8 | (u->entry.minor & 0xFFF00) << 12;
    err = type == S_FOLDER ? path_make_folder(u->fs, NULL, u->name, 0755)
                           : path_make_node(u->fs, NULL, u->name, type | 0600, device, NULL);
    if (err != 0 && !(err == -EEXIST && type == S_FOLDER))
        return err;
    err = path_find(u->fs, NULL, u->name, PATH_NO_FOLLOW, &node);
    if (err != 0)
        return err;
    set_attributes(u, node);
    node_release(node);
    return 0;
}

/* What only fills the space before contents that are to begin on a page. */
static int skip_filling(struct unpacking *u)
{
    uint32_t left = u->entry.bytes;

    while (left > 0) {
        uint32_t part = left < BLOCK ? left : BLOCK;
        int      err  = take_bytes(u, u->block, part);

        if (err != 0)
            return err;
        left -= part;
    }
    return skip_padding(u);
}

static int unpack_entry(struct unpacking *u)
{
    uint32_t type = u->entry.mode & S_FMT;
    int      err;

    if (type == S_REGULAR && strcmp(u->name, CPIO_FILLING) == 0)
        return skip_filling(u);
    err = make_way(u, type == S_FOLDER);
    if (err != 0)
        return err;
    if (type == S_REGULAR)
        return unpack_file(u);
    return type == S_LINK ? unpack_link(u) : unpack_other(u);
}

/* ---- The archive ------------------------------------------------------------------------------------------ */

/* Behind a trailer: zeros up to the end, or another archive. Returns 1 for a header, 0 at the end. */
static int skip_to_next(struct unpacking *u, char *header)
{
    long got;

    do
        got = u->source->read(u->source, header, 1);
    while (got == 1 && header[0] == '\0');
    if (got == 0)
        return 0;
    if (got < 0)
        return refuse_archive(u, "what follows the archive cannot be read");
    u->at = 1;
    got   = take_bytes(u, header + 1, HEADER - 1);
    return got != 0 ? (int)got : 1;
}

static int unpack_entries(struct unpacking *u)
{
    char header[HEADER];
    int  err = take_bytes(u, header, HEADER);

    while (err == 0) {
        err = read_entry_header(u, header);
        if (err == 0)
            err = read_name(u);
        if (err != 0)
            return err;
        if (strcmp(u->name, "TRAILER!!!") == 0 && u->entry.mode == 0) {
            err = skip_to_next(u, header);
            if (err <= 0)
                return err;
            err = 0;
            continue;
        }
        err = unpack_entry(u);
        if (err == 0)
            err = take_bytes(u, header, HEADER);
    }
    return err;
}

static const char *reason_of(int err)
{
    switch (err) {
    case -ENOMEM: case -ENOSPC: return "no memory for its files";
    case -ENOTDIR:              return "a file lies where a folder must be";
    case -ENOTEMPTY:            return "a folder with files lies where a file must be";
    case -ELOOP:                return "too many symbolic links";
    default:                    return "one of its files cannot be made";
    }
}

int cpio_unpack(struct source *source, struct fs_context *fs, const char **why)
{
    struct unpacking u = { .source = source, .fs = fs };
    int err = -ENOMEM;

    may_sleep();
    assert(source != NULL && fs != NULL);
    u.name      = heap_alloc(NAME_USUAL, 0);
    u.name_room = NAME_USUAL;
    u.block     = heap_alloc(BLOCK, 0);
    if (u.name != NULL && u.block != NULL)
        err = unpack_entries(&u);
    while (u.seen != NULL) {
        struct seen *next = u.seen->next;

        node_release(u.seen->node);
        heap_free_sized(u.seen, sizeof *u.seen);
        u.seen = next;
    }
    heap_free(u.name);
    heap_free(u.block);
    *why = err == 0 ? NULL : u.why != NULL ? u.why : reason_of(err);
    return err;
}
