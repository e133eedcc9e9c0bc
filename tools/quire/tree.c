/* tree.c - a guest's files, ordered by path. See tree.h. */
#include "tree.h"
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_AT_MOST = 40 };        /* followed on the way to one path, as in Linux */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct tree_node *)a)->path, ((const struct tree_node *)b)->path);
}

static void free_node(void *node)
{
    free(((struct tree_node *)node)->path);
    free(((struct tree_node *)node)->content);
    free(node);
}

void tree_free(struct tree *tree)
{
    tdestroy(tree->by_path, free_node);
    *tree = (struct tree){ 0 };
}

static struct tree_node *find(const struct tree *tree, const char *path)
{
    struct tree_node key = { .path = (char *)path };
    struct tree_node **found = tfind(&key, &tree->by_path, by_path);

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
    free(whole);
    return plain;
}

/* Put a node where its path says, in place of what may be there. The node takes `path` and `content`. */
static void put(struct tree *tree, struct tree_node node)
{
    struct tree_node *old = find(tree, node.path), *fresh;

    if (old == NULL) {
        fresh = grown(NULL, 1, sizeof(*fresh));
        *fresh = node;
        if (tsearch(fresh, &tree->by_path, by_path) == NULL)
            exit(tell(SEAL_FAILED, "out of memory"));
        tree->count++;
        return;
    }
    free(old->content);
    free(node.path);
    node.path = old->path;
    *old = node;
}

/*
 * The place of `path` in the tree: links on the way followed, missing folders made. The
 * caller frees it. A ring of links ends in a folder where the last of them was.
 */
static char *place(struct tree *tree, const char *path)
{
    char *at = plain_path("/", path);

    for (int links = 0; links < LINKS_AT_MOST; links++) {
        const struct tree_node *node = NULL;
        char *slash = at, *target;

        while ((slash = strchr(slash + 1, '/')) != NULL) {
            *slash = '\0';
            node = find(tree, at);
            if (node != NULL && node->kind == TREE_LINK)
                break;
            if (node == NULL || node->kind != TREE_FOLDER)
                put(tree, (struct tree_node){ .path = text("%s", at), .kind = TREE_FOLDER, .mode = 0755 });
            *slash = '/';
        }
        if (slash == NULL)
            return at;
        target = text("%.*s/%s", (int)(strrchr(at, '/') - at), at, node->content);
        slash = text("%s/%s", node->content[0] == '/' ? node->content : target, slash + 1);
        free(target);
        free(at);
        at = plain_path("/", slash);
        free(slash);
    }
    return at;
}

void tree_add_folder(struct tree *tree, const char *path, mode_t mode)
{
    char *at = place(tree, path);
    const struct tree_node *there = find(tree, at);

    if (strcmp(at, "/") == 0 || (there != NULL && there->kind == TREE_LINK))
        free(at);
    else
        put(tree, (struct tree_node){ .path = at, .kind = TREE_FOLDER, .mode = mode });
}

void tree_add_bytes(struct tree *tree, const char *path, const void *bytes, size_t size, mode_t mode)
{
    char *copy = grown(NULL, size + 1, 1);

    if (size > 0)
        memcpy(copy, bytes, size);
    put(tree, (struct tree_node){ .path = place(tree, path), .kind = TREE_BYTES, .mode = mode, .content = copy,
                                  .size = size });
}

void tree_add_link(struct tree *tree, const char *path, const char *target)
{
    char *at = place(tree, path);
    const struct tree_node *there = find(tree, at);

    /* A folder that already has something in it cannot become a link. */
    if (there != NULL && there->kind == TREE_FOLDER)
        free(at);
    else
        put(tree, (struct tree_node){ .path = at, .kind = TREE_LINK, .mode = 0777, .content = text("%s", target),
                                      .size = strlen(target) });
}

int tree_add_file(struct tree *tree, const char *path, const char *host)
{
    struct stat status;

    if (stat(host, &status) != 0 || access(host, R_OK) != 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    put(tree, (struct tree_node){ .path = place(tree, path), .kind = TREE_FILE, .mode = status.st_mode & 07777,
                                  .time = status.st_mtime, .content = text("%s", host),
                                  .size = (uint64_t)status.st_size });
    return 0;
}

static int add_link_to(struct tree *tree, const char *path, const char *host)
{
    char target[4096];
    ssize_t length = readlink(host, target, sizeof(target) - 1);

    if (length < 0)
        return errno;
    target[length] = '\0';
    tree_add_link(tree, path, target);
    return 0;
}

/* Sockets, pipes and devices are passed over: the guest has its own. */
static int add_found(struct tree *tree, const char *path, const FTSENT *found)
{
    switch (found->fts_info) {
    case FTS_D:
        tree_add_folder(tree, path, found->fts_statp->st_mode & 07777);
        return 0;
    case FTS_F:
        return tree_add_file(tree, path, found->fts_path);
    case FTS_SL:
    case FTS_SLNONE:
        return add_link_to(tree, path, found->fts_path);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return found->fts_errno;
    default:
        return 0;
    }
}

int tree_add_all(struct tree *tree, const char *path, const char *host)
{
    char *start[] = { (char *)host, NULL };
    struct stat status;
    FTS *walk;
    int err = 0;

    if (stat(host, &status) != 0)
        return errno;
    if (!S_ISDIR(status.st_mode))
        return tree_add_file(tree, path, host);
    walk = fts_open(start, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    if (walk == NULL)
        return errno;
    errno = 0;
    for (FTSENT *found; err == 0 && (found = fts_read(walk)) != NULL; errno = 0) {
        char *at = text("%s/%s", path, found->fts_path + strlen(host));

        err = add_found(tree, at, found);
        free(at);
    }
    if (err == 0)
        err = errno;
    fts_close(walk);
    return err;
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

void tree_walk(const struct tree *tree, void (*visit)(const struct tree_node *node, void *with), void *with)
{
    struct visit closure = { visit, with };

    twalk_r(tree->by_path, visit_one, &closure);
}
