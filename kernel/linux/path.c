/*
 * path.c - the calls that take a path: make, remove, rename, link, and rights and owners of files.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/tmpfs/tmpfs.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "memory/heap/heap.h"
#include "process/process.h"

static struct fs_context *fs(void) { return current_process()->fs; }

/* ---- Making and removing ----------------------------------------------------------------------- */

static long make_folder(int folder, user_t path, uint32_t mode)
{
    struct named named;
    int          err = named_begin(&named, folder, path);

    if (err != 0)
        return err;
    err = path_make_folder(fs(), named.start, named.path, (uint32_t)mode);
    named_end(&named);
    return err;
}

static long make_node(int folder, user_t path, uint32_t mode, uintptr_t device)
{
    struct named named;
    int          err = path_makes_node(mode);

    if (err == 0)
        err = named_begin(&named, folder, path);
    if (err != 0)
        return err;
    err = path_make_node(fs(), named.start, named.path, (uint32_t)mode, (uint32_t)device, NULL);
    named_end(&named);
    return err;
}

static long remove_path(int folder, user_t path, bool is_folder)
{
    struct named named;
    int          err = named_begin(&named, folder, path);

    if (err != 0)
        return err;
    err = path_remove(fs(), named.start, named.path, is_folder);
    named_end(&named);
    return err;
}

SYSTEM_CALL(mkdir, user_t, path, uint32_t, mode) { return make_folder(AT_FDCWD, path, mode); }
SYSTEM_CALL(mkdirat, int, folder, user_t, path, uint32_t, mode) { return make_folder(folder, path, mode); }
SYSTEM_CALL(mknod, user_t, path, uint32_t, mode, uint32_t, device) { return make_node(AT_FDCWD, path, mode, device); }

SYSTEM_CALL(mknodat, int, folder, user_t, path, uint32_t, mode, uint32_t, device)
{
    return make_node(folder, path, mode, device);
}

SYSTEM_CALL(rmdir, user_t, path) { return remove_path(AT_FDCWD, path, true); }
SYSTEM_CALL(unlink, user_t, path) { return remove_path(AT_FDCWD, path, false); }

SYSTEM_CALL(unlinkat, int, folder, user_t, path, unsigned, flags)
{
    if (flags & ~(uintptr_t)AT_REMOVEDIR)
        return -EINVAL;
    return remove_path(folder, path, flags & AT_REMOVEDIR);
}

static long make_symlink(user_t target, int folder, user_t path)
{
    struct named named;
    char        *text;
    int          err = text_in(target, &text);

    if (err != 0)
        return err;
    err = named_begin(&named, folder, path);
    if (err == 0) {
        err = path_symlink(fs(), named.start, named.path, text);
        named_end(&named);
    }
    heap_free(text);
    return err;
}

SYSTEM_CALL(symlink, user_t, target, user_t, path) { return make_symlink(target, AT_FDCWD, path); }
SYSTEM_CALL(symlinkat, user_t, target, int, folder, user_t, path) { return make_symlink(target, folder, path); }

/* ---- Two paths ------------------------------------------------------------------------------------- */

/* What is wrong on the way of the first path is told before what is wrong with the second one itself. */
static int error_of_first(const struct named *from, bool link, unsigned flags)
{
    struct node *node;
    const char  *name;
    size_t       length;
    int          err = link ? path_find(fs(), from->start, from->path, flags, &node) :
                              path_parent(fs(), from->start, from->path, &node, &name, &length);

    if (err == 0)
        node_release(node);
    return link || err != -EEXIST ? err : 0;
}

/* `link`: the first path is to be found with these flags; else only the folder that it leads to matters. */
static long begin_both(struct named *from, int from_folder, user_t from_path, bool link, unsigned flags,
                       struct named *to, int to_folder, user_t to_path)
{
    int err, earlier;

    deep_assert(from != NULL && to != NULL);
    err = named_begin_or_empty(from, from_folder, from_path, flags & PATH_EMPTY_IS_START);
    if (err != 0)
        return err;
    err = named_begin(to, to_folder, to_path);
    if (err == 0)
        return 0;
    earlier = error_of_first(from, link, flags);
    named_end(from);
    return earlier != 0 ? earlier : err;
}

static long make_link(int from_folder, user_t from, int to_folder, user_t to, unsigned flags)
{
    unsigned     how = (flags & AT_SYMLINK_FOLLOW ? 0 : PATH_NO_FOLLOW) |
                       (flags & AT_EMPTY_PATH ? PATH_EMPTY_IS_START : 0);
    struct named old, new;
    long         err;

    if (flags & ~(uintptr_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if ((flags & AT_EMPTY_PATH) && !has_capability(CAP_DAC_READ_SEARCH))
        return -ENOENT;
    err = begin_both(&old, from_folder, from, true, how, &new, to_folder, to);
    if (err != 0)
        return err;
    err = path_link(fs(), old.start, old.path, new.start, new.path, how);
    named_end(&old);
    named_end(&new);
    return err;
}

static long rename_path(int from_folder, user_t from, int to_folder, user_t to, unsigned flags)
{
    struct named old, new;
    long         err;

    if (flags & ~(uintptr_t)RENAMING_KNOWN)
        return -EINVAL;
    if ((flags & RENAMING_EXCHANGE) && flags != RENAMING_EXCHANGE)
        return -EINVAL;
    err = begin_both(&old, from_folder, from, false, 0, &new, to_folder, to);
    if (err != 0)
        return err;
    err = path_rename(fs(), old.start, old.path, new.start, new.path, (unsigned)flags);
    named_end(&old);
    named_end(&new);
    return err;
}

SYSTEM_CALL(link, user_t, old, user_t, new) { return make_link(AT_FDCWD, old, AT_FDCWD, new, 0); }

SYSTEM_CALL(linkat, int, old_folder, user_t, old, int, new_folder, user_t, new, unsigned, flags)
{
    return make_link(old_folder, old, new_folder, new, flags);
}

SYSTEM_CALL(rename, user_t, old, user_t, new) { return rename_path(AT_FDCWD, old, AT_FDCWD, new, 0); }

SYSTEM_CALL(renameat, int, old_folder, user_t, old, int, new_folder, user_t, new)
{
    return rename_path(old_folder, old, new_folder, new, 0);
}

SYSTEM_CALL(renameat2, int, old_folder, user_t, old, int, new_folder, user_t, new, unsigned, flags)
{
    return rename_path(old_folder, old, new_folder, new, flags);
}

/* ---- Links ------------------------------------------------------------------------------------------- */

static long link_text(struct node *node, user_t to, size_t size)
{
    char *text;
    long  length;

    deep_assert(node != NULL);
    if ((node->mode & S_FMT) != S_LINK || node->operations->read_link == NULL)
        return -EINVAL;
    text = heap_alloc(PATH_LONGEST, 0);
    if (text == NULL)
        return -ENOMEM;
    length = node->operations->read_link(node, text, PATH_LONGEST);
    if (length > (long)size)
        length = (long)size;
    if (length > 0 && user_write(to, text, (size_t)length) != 0)
        length = -EFAULT;
    heap_free(text);
    return length;
}

static long read_link(int folder, user_t path, user_t to, intptr_t size)
{
    struct node *node;
    long         length;

    if (size <= 0)
        return -EINVAL;
    length = node_of(folder, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &node);
    if (length != 0)
        return length;
    length = link_text(node, to, (size_t)size);
    node_release(node);
    return length;
}

SYSTEM_CALL(readlink, user_t, path, user_t, to, int, room) { return read_link(AT_FDCWD, path, to, room); }
SYSTEM_CALL(readlinkat, int, folder, user_t, path, user_t, to, int, room) { return read_link(folder, path, to, room); }

/* ---- Working directory and root ---------------------------------------------------------------------------------- */

SYSTEM_CALL(getcwd, user_t, to, size_t, room)
{
    char *text = heap_alloc(PATH_LONGEST, 0);
    long  length;

    if (text == NULL)
        return -ENOMEM;
    length = path_of(fs(), fs()->here, text, PATH_LONGEST);
    if (length >= 0)
        length = (uintptr_t)length + 1 > room ? -ERANGE : length + 1;
    if (length > 0 && user_write(to, text, (size_t)length) != 0)
        length = -EFAULT;
    heap_free(text);
    return length;
}

/* Takes the reference. */
static long go_to_folder(struct node *node)
{
    struct node *old = fs()->here;
    int          err;

    deep_assert(node != NULL);
    err = (node->mode & S_FMT) != S_FOLDER ? -ENOTDIR : node_allows(node, 1);
    if (err != 0) {
        node_release(node);
        return err;
    }
    node_use(node);
    fs()->here = node;
    node_release(node);
    node_unuse(old);
    return 0;
}

SYSTEM_CALL(chdir, user_t, path)
{
    struct node *node;
    int          err = node_of(AT_FDCWD, path, 0, &node);

    return err != 0 ? err : go_to_folder(node);
}

SYSTEM_CALL(fchdir, int, descriptor)
{
    struct file *file = file_of(descriptor);
    struct node *node;

    if (file == NULL)
        return -EBADF;
    node = file->node;
    node_hold(node);
    file_release(file);
    return go_to_folder(node);
}

SYSTEM_CALL(chroot, user_t, path)
{
    struct node *node, *old;
    int          err = node_of(AT_FDCWD, path, 0, &node);

    if (err != 0)
        return err;
    if ((node->mode & S_FMT) != S_FOLDER)
        err = -ENOTDIR;
    else if (!has_capability(CAP_SYS_CHROOT))
        err = -EPERM;
    if (err != 0) {
        node_release(node);
        return err;
    }
    old = fs()->root;
    node_use(node);
    fs()->root = node;
    node_release(node);
    node_unuse(old);
    return 0;
}

SYSTEM_CALL(umask, uint32_t, mask)
{
    uint32_t old = fs()->umask;

    fs()->umask = mask & 0777;
    return (long)old;
}

/*
 * ---- Rights and owners
 * -----------------------------------------------------------------------------------------------
 */

/* access() checks the real user's rights: a set-user-id program asks what its caller may do. */
static long may_access(int folder, user_t path, uintptr_t wanted, unsigned flags)
{
    struct credentials *before = NULL;
    struct node        *node;
    int                 err = 0;

    if ((wanted & ~(uintptr_t)7) || (flags & ~(uintptr_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    if (!(flags & AT_EACCESS))
        err = credentials_act_as_real(&before);
    if (err == 0)
        err = node_of(folder, path, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), &node);
    if (err == 0) {
        err = (wanted & 1) && node_never_executes(node) ? -EACCES : node_allows(node, (unsigned)wanted);
        node_release(node);
    }
    if (before != NULL)
        credentials_act_again(before);
    return err;
}

SYSTEM_CALL(access, user_t, path, unsigned, wanted) { return may_access(AT_FDCWD, path, wanted, 0); }
SYSTEM_CALL(faccessat, int, folder, user_t, path, unsigned, wanted) { return may_access(folder, path, wanted, 0); }

SYSTEM_CALL(faccessat2, int, folder, user_t, path, unsigned, wanted, unsigned, flags)
{
    return may_access(folder, path, wanted, flags);
}

enum { CHANGE_NONE = 0xFFFFFFFFu, SET_ID = 06000, SET_GROUP_ID = 02000, GROUP_EXECUTES = 0010 };

/* Rights and owners of an epoll, a counter and others that were never in a folder do not change. */
static int refuse_change(const struct node *node)
{
    if ((node->mode & S_FMT) == 0)
        return -EOPNOTSUPP;
    return node_is_read_only(node) ? -EROFS : 0;
}

/* Takes the reference. */
static long change_mode(struct node *node, uint32_t mode)
{
    int err = refuse_change(node);

    if (err == 0 && (node->mode & S_FMT) == S_LINK)
        err = -EOPNOTSUPP;
    if (err == 0 && (!acts_as_owner(node) || ((node->seals & SEAL_EXECUTE) && ((node->mode ^ mode) & 0111))))
        err = -EPERM;
    if (err == 0) {
        if (!acts_in_group(node->gid) && !has_capability(CAP_FSETID))
            mode &= ~(uint32_t)SET_GROUP_ID;
        node->mode    = (node->mode & S_FMT) | ((uint32_t)mode & 07777);
        node->changed = clock_wall();
    }
    node_release(node);
    return err;
}

/* Takes the reference to the node. A file that changes its owner loses its set-user-id and set-group-id bits. */
static long change_owner(struct node *node, uint32_t user, uint32_t group)
{
    uint32_t who = user_acting();
    int      err = refuse_change(node);

    if (err == 0 && !has_capability(CAP_CHOWN) && ((user != CHANGE_NONE && (user != node->uid || who != node->uid)) ||
                     (group != CHANGE_NONE && (who != node->uid || (group != node->gid && !acts_in_group(group))))))
        err = -EPERM;
    if (err == 0) {
        if (user != CHANGE_NONE)
            node->uid = user;
        if (group != CHANGE_NONE)
            node->gid = group;
        if ((node->mode & S_FMT) == S_REGULAR && (node->mode & 0111))
            node->mode &= node->mode & GROUP_EXECUTES ? ~(uint32_t)SET_ID : ~(uint32_t)04000;
        node->changed = clock_wall();
    }
    node_release(node);
    return err;
}

/* The node of a descriptor's file; not for an open file that is only a path (O_PATH). */
static int node_of_file(int descriptor, struct node **out)
{
    struct file *file = file_of(descriptor);
    int          err  = 0;

    deep_assert(out != NULL);
    if (file == NULL)
        return -EBADF;
    if (file->flags & O_PATH)
        err = -EBADF;
    else
        node_hold(*out = file->node);
    file_release(file);
    return err;
}

static long change_mode_at(int folder, user_t path, uint32_t mode)
{
    struct node *node;
    int          err = node_of(folder, path, 0, &node);

    return err != 0 ? err : change_mode(node, mode);
}

static long change_owner_at(int folder, user_t path, uint32_t user, uint32_t group, unsigned flags)
{
    struct node *node;
    int          err;

    if (flags & ~(uintptr_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    err = node_of(folder, path, flags, &node);
    return err != 0 ? err : change_owner(node, user, group);
}

SYSTEM_CALL(chmod, user_t, path, uint32_t, mode) { return change_mode_at(AT_FDCWD, path, mode); }
SYSTEM_CALL(fchmodat, int, folder, user_t, path, uint32_t, mode) { return change_mode_at(folder, path, mode); }

SYSTEM_CALL(chown32, user_t, path, uint32_t, user, uint32_t, group)
{
    return change_owner_at(AT_FDCWD, path, user, group, 0);
}

SYSTEM_CALL(lchown32, user_t, path, uint32_t, user, uint32_t, group)
{
    return change_owner_at(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
}

SYSTEM_CALL(chown16, user_t, path, uint32_t, user, uint32_t, group)
{
    return change_owner_at(AT_FDCWD, path, id_widened(user), id_widened(group), 0);
}

SYSTEM_CALL(lchown16, user_t, path, uint32_t, user, uint32_t, group)
{
    return change_owner_at(AT_FDCWD, path, id_widened(user), id_widened(group), AT_SYMLINK_NOFOLLOW);
}

SYSTEM_CALL(fchownat, int, folder, user_t, path, uint32_t, user, uint32_t, group, unsigned, flags)
{
    return change_owner_at(folder, path, user, group, flags);
}

SYSTEM_CALL(fchmod, int, descriptor, uint32_t, mode)
{
    struct node *node;
    int          err = node_of_file(descriptor, &node);

    return err != 0 ? err : change_mode(node, mode);
}

SYSTEM_CALL(fchown32, int, descriptor, uint32_t, user, uint32_t, group)
{
    struct node *node;
    int          err = node_of_file(descriptor, &node);

    return err != 0 ? err : change_owner(node, user, group);
}

SYSTEM_CALL(fchown16, int, descriptor, uint32_t, user, uint32_t, group)
{
    return call_fchown32(descriptor, id_widened(user), id_widened(group));
}
