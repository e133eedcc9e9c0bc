/*
 * mount.c - mount(2): another tmpfs somewhere.
 *
 * /proc and /sys are mounted at start and there is one of each, so mounting it again is -EBUSY as on a Linux that has it mounted
 * there. Nothing is ever unmounted.
 */
#include "base/error.h"
#include "base/string.h"
#include "files/tmpfs.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "memory/heap/heap.h"

static int mount_on(struct node *folder, const char *type)
{
    struct file_system *system;
    int                 err;

    if (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0 || strcmp(type, "devtmpfs") == 0)
        return -EBUSY;
    if (strcmp(type, "tmpfs") != 0)
        return -ENODEV;
    if ((folder->mode & S_FMT) != S_FOLDER)
        return -ENOTDIR;
    system = tmpfs_new(01777);
    if (system == NULL)
        return -ENOMEM;
    err = path_mount(folder, system->root);
    if (err != 0)
        tmpfs_destroy(system);
    return err;
}

SYSTEM_CALL(mount)
{
    struct node *folder;
    char        *type;
    int          err;

    if (user_acting() != 0)
        return -EPERM;
    err = text_in(c, &type);
    if (err != 0)
        return err;
    err = node_of(AT_FDCWD, b, 0, &folder);
    if (err == 0) {
        err = mount_on(folder, type);
        node_release(folder);
    }
    heap_free(type);
    return err;
}
