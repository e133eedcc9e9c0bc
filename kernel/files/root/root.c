/*
 * root.c - the first file systems, and what every program expects to find in them.
 */
#include "files/root/root.h"

#include "base/block.h"
#include "base/check.h"
#include "base/error.h"
#include "files/core/block_file.h"
#include "files/core/devices.h"
#include "files/proc/proc.h"
#include "files/proc/sys.h"
#include "files/tmpfs/tmpfs.h"
#include "memory/spaces/map.h"

/* A mapping uses its file's system like an open file does. */
static void hold_file(void *file)    { node_use(file); }
static void release_file(void *file) { node_unuse(file); }

struct fs_context *files_start(void)
{
    struct file_system *root = tmpfs_new(0755);

    if (root == NULL)
        return NULL;
    map_file_hold    = hold_file;
    map_file_release = release_file;
    devices_start();
    path_mount_root(root->root);
    return fs_context_new(root->root);
}

static int make_root_folder(struct fs_context *fs, const char *path, uint32_t mode)
{
    int err = path_make_folder(fs, NULL, path, mode);

    return err == -EEXIST ? 0 : err;
}

static int mount_system(struct fs_context *fs, const char *path, struct file_system *system)
{
    struct node *folder;
    int          err;

    if (system == NULL)
        return -ENOMEM;
    err = path_find(fs, NULL, path, PATH_MUST_BE_FOLDER, &folder);
    if (err != 0)
        return err;
    err = path_mount(folder, system->root);
    node_release(folder);
    return err;
}

static const struct {
    const char *path;
    uint32_t    mode, device;
} nodes[] = {
    { "/dev/null",    0666, DEVICE(1, 3) }, { "/dev/zero",    0666, DEVICE(1, 5) }, { "/dev/full", 0666, DEVICE(1, 7) },
    { "/dev/random",  0666, DEVICE(1, 8) }, { "/dev/urandom", 0666, DEVICE(1, 9) },
    { "/dev/tty",     0666, DEVICE(5, 0) }, { "/dev/console", 0600, DEVICE(5, 1) },
};
static const char *const links[][2] = {
    { "/dev/fd", "/proc/self/fd" }, { "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
    { "/dev/stderr", "/proc/self/fd/2" },
};

static int populate_root(struct fs_context *fs)
{
    int err = make_root_folder(fs, "/dev", 0755);

    if (err == 0)
        err = make_root_folder(fs, "/proc", 0555);
    if (err == 0)
        err = make_root_folder(fs, "/tmp", 01777);
    if (err == 0)
        err = mount_system(fs, "/dev", tmpfs_new(0755));
    if (err == 0)
        err = make_root_folder(fs, "/dev/shm", 0755);
    if (err == 0)
        err = mount_system(fs, "/dev/shm", tmpfs_new(01777));
    if (err == 0)
        err = mount_system(fs, "/proc", proc_new());
    if (err == 0)
        err = make_root_folder(fs, "/sys", 0555);
    if (err == 0)
        err = mount_system(fs, "/sys", sys_new());
    for (unsigned i = 0; i < COUNT_OF(nodes) && err == 0; i++)
        err = path_make_node(fs, NULL, nodes[i].path, S_CHARACTER | nodes[i].mode, nodes[i].device, NULL);
    if (err == 0 && block_device.pages > 0)
        err = path_make_node(fs, NULL, BLOCK_NAME, S_BLOCK | 0660, BLOCK_NUMBER, NULL);
    for (unsigned i = 0; i < COUNT_OF(links) && err == 0; i++)
        err = path_symlink(fs, NULL, links[i][0], links[i][1]);
    return err;
}

int files_populate(struct fs_context *fs)
{
    uint32_t umask = fs->umask;
    int      err;

    fs->umask = 0;
    err = populate_root(fs);
    fs->umask = umask;
    return err;
}
