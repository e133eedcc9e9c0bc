/* tree.c - a guest's files, ordered by path. See tree.h. */
#include "tree.h"
#include "arena.h"
#include "beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_AT_MOST = 40 };        /* links followed on the way to one path, as in Linux */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct tree_node *)a)->path, ((const struct tree_node *)b)->path);
}

static void free_node(void *node)
{
    drop(((struct tree_node *)node)->path);
    drop(((struct tree_node *)node)->content);
    drop(node);
}

void tree_free(struct tree *tree)
{
    if (tree->by_path != NULL) {
        tdestroy(*tree->by_path, free_node);
        keep(tree->order);
        drop(tree->by_path);
    }
    while (tree->sources != NULL) {
        struct tree_source *next = tree->sources->next;

        let_go(tree->sources->held);
        drop(tree->sources->name);
        drop(tree->sources);
        tree->sources = next;
    }
    drop(tree->culprit);
    *tree = (struct tree){ 0 };
}

static struct tree_node *find(const struct tree *tree, const char *path)
{
    struct tree_node key = { .path = (char *)path };
    struct tree_node **found = tree->by_path != NULL ? tfind(&key, tree->by_path, by_path) : NULL;

    return found != NULL ? *found : NULL;
}

const struct tree_node *tree_find(const struct tree *tree, const char *path)
{
    return find(tree, path);
}

char *plain_path(const char *from, const char *path)
{
    char *whole = path[0] == '/' ? text("%s", path) : text("%s/%s", from, path);
    char *plain = text("%s/", whole), *end = plain, *rest = whole;

    for (char *name; (name = strsep(&rest, "/")) != NULL;) {
        if (strcmp(name, "..") == 0) {
            while (end > plain && *--end != '/')
                ;
        } else if (name[0] != '\0' && strcmp(name, ".") != 0) {
            *end = '/';
            end = stpcpy(end + 1, name);
        }
    }
    if (end == plain)
        *end++ = '/';
    *end = '\0';
    drop(whole);
    return plain;
}

static void leave_node(void *node) { (void)node; }

/* When the arena ends the nodes of tsearch(3) are freed; those of the tree are the arena's. */
static void end_order(void *root)
{
    tdestroy(*(void **)root, leave_node);
}

static void begin_order(struct tree *tree)
{
    tree->by_path = grown(NULL, 1, sizeof(*tree->by_path));
    *tree->by_path = NULL;
    tree->order = hold(end_order, tree->by_path);
}

/* Put a node where its path says, in place of what may be there. The node takes `path` and `content`. */
static void tree_put(struct tree *tree, struct tree_node node)
{
    struct tree_node *old = find(tree, node.path), *fresh;

    if (old == NULL) {
        if (tree->by_path == NULL)
            begin_order(tree);
        fresh = grown(NULL, 1, sizeof(*fresh));
        *fresh = node;
        if (tsearch(fresh, tree->by_path, by_path) == NULL)
            arena_fail();
        tree->count++;
        return;
    }
    drop(old->content);
    drop(node.path);
    node.path = old->path;
    *old = node;
}

/* The path to which a link leads: its target, relative to the link's folder, with `rest` behind it. Frees neither. */
static char *behind_link(const struct tree_node *link, const char *rest)
{
    char *folder = text("%.*s", (int)(strrchr(link->path, '/') - link->path), link->path);
    char *whole = text("%s/%s/%s", link->content[0] == '/' ? "" : folder, link->content, rest);
    char *plain = plain_path("/", whole);

    drop(whole);
    drop(folder);
    return plain;
}

const struct tree_node *tree_follow(const struct tree *tree, const char *path)
{
    const struct tree_node *node = NULL;
    char *at = plain_path("/", path);

    for (int links = 0; links <= LINKS_AT_MOST; links++) {
        char *slash = at, *next;

        do {
            slash = strchrnul(slash + 1, '/');
            next  = text("%.*s", (int)(slash - at), at);
            node  = find(tree, next);
            drop(next);
        } while (*slash != '\0' && node != NULL && node->kind == TREE_FOLDER);
        if (node == NULL || node->kind != TREE_LINK) {
            node = *slash == '\0' ? node : NULL;
            break;
        }
        next = behind_link(node, slash);
        drop(at);
        at   = next;
        node = NULL;
    }
    drop(at);
    return node;
}

/* The place of `path` in the tree: links on the way followed, missing folders made. The caller frees it. */
static char *tree_place(struct tree *tree, const char *path)
{
    char *at = plain_path("/", path);

    for (int links = 0;; links++) {
        const struct tree_node *node = NULL;
        char *slash = at, *next;

        while ((slash = strchr(slash + 1, '/')) != NULL) {
            *slash = '\0';
            node = find(tree, at);
            if (node != NULL && node->kind == TREE_LINK && links < LINKS_AT_MOST)
                break;
            if (node == NULL || node->kind != TREE_FOLDER)
                tree_put(tree, (struct tree_node){ .path = text("%s", at), .kind = TREE_FOLDER, .mode = 0755 });
            *slash = '/';
        }
        if (slash == NULL)
            return at;
        next = behind_link(node, slash + 1);
        drop(at);
        at = next;
    }
}

static void put_folder(struct tree *tree, const char *path, mode_t mode, time_t time)
{
    char *at = tree_place(tree, path);
    const struct tree_node *there = find(tree, at);

    if (strcmp(at, "/") == 0 || (there != NULL && there->kind == TREE_LINK))
        drop(at);
    else
        tree_put(tree, (struct tree_node){ .path = at, .kind = TREE_FOLDER, .mode = mode, .time = time });
}

void tree_add_folder(struct tree *tree, const char *path, mode_t mode)
{
    put_folder(tree, path, mode, 0);
}

void tree_add_bytes(struct tree *tree, const char *path, const void *bytes, size_t size, mode_t mode)
{
    char *copy = grown(NULL, size + 1, 1);

    if (size > 0)
        memcpy(copy, bytes, size);
    tree_put(tree, (struct tree_node){ .path = tree_place(tree, path), .kind = TREE_BYTES, .mode = mode,
                                       .content = copy, .size = size });
}

void tree_add_link(struct tree *tree, const char *path, const char *target)
{
    char *at = tree_place(tree, path);
    const struct tree_node *there = find(tree, at);

    /* A folder that already has something in it cannot become a link. */
    if (there != NULL && there->kind == TREE_FOLDER)
        drop(at);
    else
        tree_put(tree, (struct tree_node){ .path = at, .kind = TREE_LINK, .mode = 0777, .content = text("%s", target),
                                           .size = strlen(target) });
}

/* ---- Files of the host -------------------------------------------------------------- */

/* Record which file an error is about; returns the error. */
static int blame(struct tree *tree, int err, const struct tree_source *source, const char *here)
{
    const struct tree_node node = { .kind = TREE_FILE, .source = source, .content = (char *)here };

    if (err != 0) {
        drop(tree->culprit);
        tree->culprit = tree_origin(&node);
    }
    return err;
}

const struct tree_source *tree_hold(struct tree *tree, const char *folder)
{
    struct tree_source *source;
    struct held *held;
    int fd;

    for (source = tree->sources; source != NULL; source = source->next)
        if (strcmp(source->name, folder) == 0)
            return source;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        errno = blame(tree, errno, NULL, folder);
        return NULL;
    }
    held = hold_fd(fd);
    source = grown(NULL, 1, sizeof(*source));
    *source = (struct tree_source){ tree->sources, fd, held, text("%s", folder) };
    tree->sources = source;
    return source;
}

static void put_file(struct tree *tree, const char *path, const struct tree_source *source, const char *here,
                     const struct stat *status)
{
    tree_put(tree, (struct tree_node){ .path = tree_place(tree, path), .kind = TREE_FILE,
                                       .mode = status->st_mode & 07777, .time = status->st_mtime,
                                       .content = text("%s", here),
                                       .size = (uint64_t)status->st_size, .source = source });
}

int tree_open(const struct tree_node *node, struct stat *status)
{
    return node->source != NULL ? beneath_open_file(node->source->folder, node->content, status)
                                : named_open_file(node->content, status);
}

char *tree_origin(const struct tree_node *node)
{
    if (node->source == NULL)
        return text("%s", node->content);
    return text("%s%s%s", node->source->name, node->content[0] != '\0' ? "/" : "", node->content);
}

int tree_add_file(struct tree *tree, const char *path, const struct tree_source *source, const char *here)
{
    const struct tree_node node = { .source = source, .content = (char *)here };
    struct stat status;
    int fd = tree_open(&node, &status);

    if (fd < 0)
        return blame(tree, errno, source, here);
    close(fd);
    put_file(tree, path, source, here, &status);
    return 0;
}

/* ---- Folders of the host -------------------------------------------------------------- */

/* Folders that are still to be read. */
struct to_read {
    char **below;
    size_t count;
};

static void read_later(struct to_read *list, char *below)
{
    list->below = grown(list->below, list->count + 1, sizeof(*list->below));
    list->below[list->count++] = below;
}

static int add_link_below(struct tree *tree, const char *path, const struct tree_source *source, const char *below,
                          const struct stat *status)
{
    char target[4096], *at;

    if (beneath_read_link(source->folder, below, target, sizeof(target)) != 0)
        return errno;
    at = tree_place(tree, path);
    tree_put(tree, (struct tree_node){ .path = at, .kind = TREE_LINK, .mode = 0777, .time = status->st_mtime,
                                       .content = text("%s", target), .size = strlen(target) });
    return 0;
}

/* Add a file that was found in a folder; takes over `below`. */
static int add_found(struct tree *tree, const char *path, const struct tree_source *source, char *below,
                     const struct stat *status, struct to_read *list)
{
    int err = 0;

    switch (status->st_mode & S_IFMT) {
    case S_IFDIR:
        put_folder(tree, path, status->st_mode & 07777, status->st_mtime);
        read_later(list, below);
        return 0;
    case S_IFREG:
        put_file(tree, path, source, below, status);
        break;
    case S_IFLNK:
        err = add_link_below(tree, path, source, below, status);
        break;
    default:
        break;
    }
    err = blame(tree, err, source, below);
    drop(below);
    return err;
}

static int add_entry(struct tree *tree, const char *start, const struct tree_source *source, const char *below,
                     DIR *folder, const char *name, struct to_read *list)
{
    struct stat status;
    char *at, *entry;
    int err;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    entry = text("%s%s%s", below, below[0] != '\0' ? "/" : "", name);
    if (fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        err = errno == ENOENT ? 0 : blame(tree, errno, source, entry);      /* ENOENT: removed meanwhile */
        drop(entry);
        return err;
    }
    at  = text("%s/%s", start, entry);
    err = add_found(tree, at, source, entry, &status, list);
    drop(at);
    return err;
}

static void end_folder(void *folder) { closedir(folder); }

/* Add all files of one folder; the folders in it are put on the list. */
static int add_folder(struct tree *tree, const char *start, const struct tree_source *source, const char *below,
                      struct to_read *list)
{
    int fd = beneath_open(source->folder, below, O_RDONLY | O_DIRECTORY), err = 0;
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    struct held *held;
    struct dirent *entry;

    if (folder == NULL) {
        err = blame(tree, errno, source, below);
        if (fd >= 0)
            close(fd);
        return err;
    }
    held = hold(end_folder, folder);
    while (err == 0 && (errno = 0, entry = readdir(folder)) != NULL)
        err = add_entry(tree, start, source, below, folder, entry->d_name, list);
    if (err == 0)
        err = blame(tree, errno, source, below);
    let_go(held);
    return err;
}

/* One folder is open at a time, at any depth. */
int tree_add_below(struct tree *tree, const char *start, const struct tree_source *source, const char *below)
{
    struct to_read list = { 0 };
    char *path = text("%s/%s", start, below);
    struct stat status;
    int fd = beneath_open(source->folder, below, O_RDONLY | O_DIRECTORY), err = 0;

    if (fd < 0 || fstat(fd, &status) != 0)
        err = blame(tree, errno, source, below);
    if (fd >= 0)
        close(fd);
    if (err == 0)
        err = add_found(tree, path, source, text("%s", below), &status, &list);
    while (err == 0 && list.count > 0) {
        char *next = list.below[--list.count];

        err = add_folder(tree, start, source, next, &list);
        drop(next);
    }
    while (list.count > 0)
        drop(list.below[--list.count]);
    drop(list.below);
    drop(path);
    return err;
}

int tree_add_all(struct tree *tree, const char *path, const char *here)
{
    const struct tree_source *source;
    struct stat status;

    if (stat(here, &status) != 0)
        return blame(tree, errno, NULL, here);
    if (!S_ISDIR(status.st_mode))
        return tree_add_file(tree, path, NULL, here);
    source = tree_hold(tree, here);
    return source != NULL ? tree_add_below(tree, path, source, "") : errno;
}

struct visit {
    void (*visit)(const struct tree_node *node, void *with);
    void *with;
};

static void visit_one(const void *node, VISIT order, void *closure)
{
    const struct visit *visit = closure;

    if (order == postorder || order == leaf)
        visit->visit(*(const struct tree_node *const *)node, visit->with);
}

static void add_size(const struct tree_node *node, void *sum)
{
    *(uint64_t *)sum += node->size;
}

uint64_t tree_size(const struct tree *tree)
{
    uint64_t sum = 0;

    tree_walk(tree, add_size, &sum);
    return sum;
}

void tree_walk(const struct tree *tree, void (*visit)(const struct tree_node *node, void *with), void *with)
{
    struct visit closure = { visit, with };

    if (tree->by_path != NULL)
        twalk_r(*tree->by_path, visit_one, &closure);
}
