/* find.c - looking for files in the tree, the root and the host, in that order. See find.h. */
#include "find.h"
#include "arena.h"
#include "beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINKS_AT_MOST = 40 };

/* Where systems keep libraries for i386; their names come from the host's administrator. */
static const char *const library_folders[] = {
    "/lib/i386-linux-gnu", "/usr/lib/i386-linux-gnu", "/lib", "/usr/lib", "/lib32", "/usr/lib32",
    "/usr/local/lib/i386-linux-gnu", "/usr/local/lib", "/usr/lib/i386-linux-musl", "/lib/i386-linux-musl",
};

/* ---- The root -------------------------------------------------------------------------------- */

/* The file type of one part of the way, 0 for none, and a link's target. `here` is a plain path of the root. */
static mode_t look(const struct tree_source *root, const char *here, char *target, size_t size)
{
    int fd = beneath_open(root->folder, here + 1, O_PATH);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0)
        status.st_mode = 0;
    if (fd >= 0)
        close(fd);
    if (S_ISLNK(status.st_mode) && beneath_read_link(root->folder, here + 1, target, size) != 0)
        status.st_mode = 0;
    return status.st_mode & S_IFMT;
}

/*
 * Follow `path` inside the root, where absolute links start at the root again. `links` gets each link, unless it is
 * NULL. Returns the plain path of a file or folder and its type, or NULL; the caller frees it.
 */
static char *follow(const struct tree_source *root, const char *path, struct tree *links, mode_t *type)
{
    char *at = plain_path("/", path);

    for (int count = 0; count < LINKS_AT_MOST; count++) {
        char *slash = at, target[PATH_MAX], *here = NULL, *whole;

        do {
            drop(here);
            slash = strchrnul(slash + 1, '/');
            here  = text("%.*s", (int)(slash - at), at);
            *type = look(root, here, target, sizeof(target));
        } while (*slash != '\0' && *type == S_IFDIR);
        if (*type != S_IFLNK) {
            drop(here);
            if (*slash == '\0' && (*type == S_IFREG || *type == S_IFDIR))
                return at;
            break;
        }
        if (links != NULL)
            tree_add_link(links, here, target);
        *strrchr(here, '/') = '\0';
        whole = text("%s/%s%s", target[0] == '/' ? "" : here, target, slash);
        drop(here);
        drop(at);
        at = plain_path("/", whole);
        drop(whole);
    }
    drop(at);
    return NULL;
}

static bool find_in_root(const struct places *places, const char *path, struct found *found)
{
    mode_t type;
    char *inside = places->root != NULL ? follow(places->root, path, NULL, &type) : NULL;
    int fd = inside != NULL ? beneath_open_file(places->root->folder, inside + 1, &found->status) : -1;

    if (fd >= 0) {
        found->from   = FOUND_IN_ROOT;
        found->fd     = fd;
        found->held   = hold_fd(fd);
        found->path   = text("%s", path);
        found->source = places->root;
        found->below  = text("%s", inside + 1);
    }
    drop(inside);
    return fd >= 0;
}

/* ---- The tree and the host ---------------------------------------------------------------- */

static bool find_in_tree(const struct places *places, const char *path, struct found *found)
{
    const struct tree_node *node = tree_follow(places->tree, path);
    int fd = node != NULL && node->kind == TREE_FILE ? tree_open(node, &found->status) : -1;

    if (fd < 0)
        return false;
    found->from   = FOUND_IN_TREE;
    found->fd     = fd;
    found->held   = hold_fd(fd);
    found->path   = text("%s", path);
    found->source = NULL;
    found->below  = text("%s", node->content);
    return true;
}

static bool find_here(const char *path, const char *here, struct found *found)
{
    int fd = named_open_file(here, &found->status);

    if (fd < 0)
        return false;
    found->from   = FOUND_HERE;
    found->fd     = fd;
    found->held   = hold_fd(fd);
    found->path   = text("%s", path);
    found->source = NULL;
    found->below  = text("%s", here);
    return true;
}

/* Whether the folder of a plain path is one of a list, whose parts are separated by colons or semicolons. */
static bool is_in_list(const char *path, const char *list)
{
    size_t length = (size_t)(strrchr(path, '/') - path);
    char *copy = text("%s", list), *rest = copy;
    bool good = false;

    for (char *folder; !good && (folder = strsep(&rest, ":;")) != NULL;) {
        char *plain = plain_path("/", folder);

        good = folder[0] == '/' && strlen(plain) == length && strncmp(plain, path, length) == 0;
        drop(plain);
    }
    drop(copy);
    return good;
}

static bool is_of_system(const char *path)
{
    bool good = false;

    for (size_t i = 0; i < sizeof(library_folders) / sizeof(library_folders[0]) && !good; i++)
        good = is_in_list(path, library_folders[i]);
    return good;
}

/* `path` without `folder` and the slash behind it; NULL when the path lies elsewhere. */
static const char *path_below(const char *folder, const char *path)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* Find a file in the program's folder, or below: there, too, no link leads out. */
static bool find_near(const struct places *places, const char *path, struct found *found)
{
    char *folder = adopted(realpath(places->near, NULL)), *here = adopted(realpath(path, NULL));
    const char *inside = folder != NULL && here != NULL ? path_below(folder, here) : NULL;
    const struct tree_source *source = inside != NULL ? tree_hold(places->tree, folder) : NULL;
    int fd = source != NULL ? beneath_open_file(source->folder, inside, &found->status) : -1;

    if (fd >= 0) {
        found->from   = FOUND_HERE;
        found->fd     = fd;
        found->held   = hold_fd(fd);
        found->path   = text("%s", path);
        found->source = source;
        found->below  = text("%s", inside);
    }
    drop(folder);
    drop(here);
    return fd >= 0;
}

bool find_file(const struct places *places, const char *path, enum reach reach, struct found *found)
{
    if (find_in_tree(places, path, found) || find_in_root(places, path, found))
        return true;
    if (reach == REACH_NAMED)
        return find_here(path, path, found);
    if (reach == REACH_INSIDE || path[0] != '/')
        return false;
    if (is_of_system(path) || (places->library_path != NULL && is_in_list(path, places->library_path)))
        return find_here(path, path, found);
    return places->near != NULL && path_below(places->near, path) != NULL && find_near(places, path, found);
}

bool find_foreign(const char *path, const char *here, struct found *found)
{
    return is_of_system(here) && find_here(path, here, found);
}

void found_free(struct found *found)
{
    let_go(found->held);
    drop(found->path);
    drop(found->below);
}

/* ---- Into the tree ----------------------------------------------------------------------------- */

int provide(const struct places *places, const struct found *found)
{
    char *inside;
    mode_t type;
    int err;

    if (found->from == FOUND_IN_TREE)
        return 0;
    if (found->from == FOUND_HERE)
        return tree_add_file(places->tree, found->path, found->source, found->below);
    inside = follow(places->root, found->path, places->tree, &type);
    err    = inside != NULL ? tree_add_file(places->tree, inside, found->source, found->below) : ENOENT;
    drop(inside);
    return err;
}

static void end_folder(void *names) { closedir(names); }

/* A folder that is read; when it cannot be, its descriptor is closed. */
static struct held *hold_folder(int fd, DIR *names)
{
    if (names == NULL && fd >= 0)
        close(fd);
    return names != NULL ? hold(end_folder, names) : NULL;
}

static int provide_one(const struct places *places, const char *path)
{
    mode_t type = 0;
    char *inside = follow(places->root, path, places->tree, &type);
    int err = ENOENT;

    if (inside != NULL)
        err = type == S_IFDIR ? tree_add_below(places->tree, "", places->root, inside + 1)
                              : tree_add_file(places->tree, inside, places->root, inside + 1);
    drop(inside);
    return err;
}

/* All names of a folder of the root that fit a pattern. */
static int provide_matching(const struct places *places, const char *folder, const char *pattern)
{
    mode_t type = 0;
    char *inside = follow(places->root, folder, places->tree, &type);
    int fd = inside != NULL ? beneath_open(places->root->folder, inside + 1, O_RDONLY | O_DIRECTORY) : -1, err = ENOENT;
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
    struct held *held = hold_folder(fd, names);
    bool good = true;

    for (struct dirent *entry; names != NULL && good && (entry = readdir(names)) != NULL;) {
        char *path;

        if (entry->d_name[0] == '.' || fnmatch(pattern, entry->d_name, 0) != 0)
            continue;
        path = text("%s/%s", inside, entry->d_name);
        err  = provide_one(places, path);
        good = err == 0;
        drop(path);
    }
    let_go(held);
    drop(inside);
    return err;
}

int provide_all(const struct places *places, const char *said)
{
    char *path = plain_path("/", said), *last = strrchr(path, '/');
    int err = places->root != NULL ? provide_one(places, path) : ENOENT;

    if (err == ENOENT && places->root != NULL && strpbrk(last, "*?[") != NULL) {
        *last = '\0';
        err = provide_matching(places, path[0] != '\0' ? path : "/", last + 1);
    }
    drop(path);
    return err;
}

void provide_top_links(const struct places *places)
{
    int fd = places->root != NULL ? beneath_open(places->root->folder, "", O_RDONLY | O_DIRECTORY) : -1;
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
    struct held *held = hold_folder(fd, names);

    for (struct dirent *entry; names != NULL && (entry = readdir(names)) != NULL;) {
        char *path = text("/%s", entry->d_name), target[PATH_MAX], *inside = NULL;
        mode_t type;

        if (look(places->root, path, target, sizeof(target)) == S_IFLNK)
            inside = follow(places->root, path, NULL, &type);
        if (inside != NULL && type == S_IFDIR)
            tree_add_link(places->tree, path, target);
        drop(inside);
        drop(path);
    }
    let_go(held);
}
