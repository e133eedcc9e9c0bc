/*
 * mount.c - mount(2) and umount(2): mounting and unmounting tmpfs, proc and sysfs, and their flags.
 *
 * A file system is mounted in one place: MS_BIND is refused (-EINVAL). A tmpfs is limited by memory only, so options
 * that limit it are read and ignored.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/proc/proc.h"
#include "files/proc/sys.h"
#include "files/tmpfs/tmpfs.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "process/credentials.h"
#include "memory/heap/heap.h"

enum {
    MS_REMOUNT = 32, MS_BIND = 4096, MS_MOVE = 8192, MS_PROPAGATION = 0x1E0000, /* shared, private, slave, unbindable */
};
enum { UMOUNT_FORCE = 1, UMOUNT_NOFOLLOW = 8,
       UMOUNT_KNOWN = UMOUNT_FORCE | UNMOUNT_LAZILY | UNMOUNT_EXPIRED | UMOUNT_NOFOLLOW };

/* ---- What is mounted ------------------------------------------------------------------------------ */

struct options { uint32_t mode, user, group; };

/* Read a number, at most `most`; the text may contain nothing else. */
static int read_option_number(const char *text, uint32_t base, uint32_t most, uint32_t *out)
{
    uint64_t value = 0;

    deep_assert(text != NULL && out != NULL);
    if (*text == '\0')
        return -EINVAL;
    for (; *text != '\0'; text++) {
        if (*text < '0' || (uint32_t)(*text - '0') >= base)
            return -EINVAL;
        value = value * base + (uint32_t)(*text - '0');
        if (value > most)
            return -EINVAL;
    }
    *out = (uint32_t)value;
    return 0;
}

static int read_option_word(char *word, struct options *out)
{
    static const char *const ignored[] = { "size", "nr_blocks", "nr_inodes", "huge", "mpol", "noswap", "inode32",
                                           "inode64" };
    char *value;

    deep_assert(word != NULL && out != NULL);
    value = strchr(word, '=');
    if (value != NULL)
        *value++ = '\0';
    for (unsigned i = 0; i < COUNT_OF(ignored); i++)
        if (strcmp(word, ignored[i]) == 0)
            return 0;
    if (value == NULL)
        return -EINVAL;
    if (strcmp(word, "mode") == 0)
        return read_option_number(value, 8, 07777, &out->mode);
    if (strcmp(word, "uid") == 0)
        return read_option_number(value, 10, INT32_MAX, &out->user);
    return strcmp(word, "gid") == 0 ? read_option_number(value, 10, INT32_MAX, &out->group) : -EINVAL;
}

/* Read words with commas between them; writes NULs into the text. */
static int read_mount_options(char *text, struct options *out)
{
    int err = 0;

    deep_assert(out != NULL);
    while (err == 0 && text != NULL && *text != '\0') {
        char *comma = strchr(text, ',');

        if (comma != NULL)
            *comma++ = '\0';
        err  = read_option_word(text, out);
        text = comma;
    }
    return err;
}

/* /proc and /sys: as on Linux, there is one of each, however often it is mounted. */
static bool is_single(const char *type) { return strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0; }

static int make_system(const char *type, char *data, struct file_system **out)
{
    struct options options = { .mode = 01777 };
    int            err;

    deep_assert(type != NULL);
    if (is_single(type)) {
        *out = type[0] == 'p' ? proc_new() : sys_new();
        return *out != NULL ? 0 : -ENOMEM;
    }
    if (strcmp(type, "tmpfs") != 0 && strcmp(type, "ramfs") != 0)
        return -ENODEV;
    err = read_mount_options(data, &options);
    if (err != 0)
        return err;
    *out = tmpfs_new(options.mode);
    if (*out == NULL)
        return -ENOMEM;
    (*out)->root->uid = options.user;
    (*out)->root->gid = options.group;
    return 0;
}

/* ---- Mounting --------------------------------------------------------------------------------------- */

/* Takes over the source when it succeeds. */
static int mount_new(struct node *folder, char *source, const char *type, char *data, uint32_t flags)
{
    struct file_system *system;
    int                 err;

    deep_assert(folder != NULL && type != NULL);
    if (is_single(type) && folder == folder->system->root && strcmp(type, folder->system->type) == 0)
        return -EBUSY;                          /* it is mounted there already */
    err = make_system(type, data, &system);
    if (err != 0)
        return err;
    err = path_mount(folder, system->root);
    if (err != 0) {
        system->end(system);
        return err;
    }
    system->flags = flags & MOUNT_KEPT;
    system->named = source;
    if (source != NULL)
        system->source = source;
    return 0;
}

/* A mount with a file open for writing cannot become read-only. */
static int mount_again(struct node *root, uint32_t flags)
{
    struct file_system *system;

    deep_assert(root != NULL);
    system = root->system;
    if (root != system->root)
        return -EINVAL;
    if ((flags & MOUNT_READ_ONLY) && !(system->flags & MOUNT_READ_ONLY) && system->writers > 0)
        return -EBUSY;
    system->flags = flags & MOUNT_KEPT;
    return 0;
}

static int mount_typed(struct node *folder, user_t source_at, user_t type_at, user_t data_at, uint32_t flags)
{
    char *source = NULL, *type = NULL, *data = NULL;
    int   err    = type_at == 0 ? -EINVAL : text_in(type_at, &type);

    deep_assert(folder != NULL);
    if (err == 0 && source_at != 0)
        err = text_in(source_at, &source);
    if (err == 0 && data_at != 0)
        err = text_in(data_at, &data);
    if (err == 0)
        err = mount_new(folder, source, type, data, flags);
    if (err != 0)
        heap_free(source);
    heap_free(type);
    heap_free(data);
    return err;
}

static int move_mount(struct node *folder, user_t source)
{
    struct node *root;
    int          err = source == 0 ? -EINVAL : node_of(AT_FDCWD, source, 0, &root);

    deep_assert(folder != NULL);
    if (err != 0)
        return err;
    err = path_move_mount(root, folder);
    node_release(root);
    return err;
}

/* Mounts do not propagate here, so a change of propagation has no effect and succeeds. */
static int mount_on(struct node *folder, user_t source, user_t type, user_t data, uint32_t flags)
{
    deep_assert(folder != NULL);
    if (flags & MS_REMOUNT)
        return mount_again(folder, flags);
    if (flags & MS_BIND)
        return -EINVAL;
    if (flags & MS_PROPAGATION)
        return folder == folder->system->root ? 0 : -EINVAL;
    if (flags & MS_MOVE)
        return move_mount(folder, source);
    return (folder->mode & S_FMT) != S_FOLDER ? -ENOTDIR : mount_typed(folder, source, type, data, flags);
}

SYSTEM_CALL(mount, user_t, source, user_t, path, user_t, type, uint32_t, flags, user_t, data)
{
    struct node *folder;
    int          err = node_of(AT_FDCWD, path, 0, &folder);

    if (err != 0)
        return err;
    err = !has_capability(CAP_SYS_ADMIN) ? -EPERM : mount_on(folder, source, type, data, flags);
    node_release(folder);
    return err;
}

/* ---- Unmounting ----------------------------------------------------------------------------------------- */

static long unmount_path(user_t path, unsigned flags)
{
    struct node *root;
    int          err;

    if ((flags & ~(uintptr_t)UMOUNT_KNOWN) || ((flags & UNMOUNT_EXPIRED) && (flags & (UMOUNT_FORCE | UNMOUNT_LAZILY))))
        return -EINVAL;
    err = node_of(AT_FDCWD, path, flags & UMOUNT_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &root);
    if (err != 0)
        return err;
    err = !has_capability(CAP_SYS_ADMIN) ? -EPERM : path_unmount(root, (unsigned)flags);
    node_release(root);
    return err;
}

SYSTEM_CALL(umount, user_t, path) { return unmount_path(path, 0); }
SYSTEM_CALL(umount2, user_t, path, unsigned, flags) { return unmount_path(path, flags); }
