/* find.c - the tree, the root and this machine, asked in that order. See find.h. */
#include "find.h"
#include "seal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_AT_MOST = 40 };

/*
 * Follow `path` inside `root`, where absolute links start at the root again. `on_link` sees
 * each link. Returns the plain path of a file, or NULL.
 */
static char *follow(const char *root, const char *path, struct tree *links)
{
    char *at = plain_path("/", path);
    struct stat status = { 0 };

    for (int count = 0; count < LINKS_AT_MOST; count++) {
        char *slash = at, target[4096], *here, *next;
        ssize_t length = -1;

        do {
            slash = strchrnul(slash + 1, '/');
            here = text("%s%.*s", root, (int)(slash - at), at);
            if (lstat(here, &status) != 0)
                status.st_mode = 0;
            else if (S_ISLNK(status.st_mode))
                length = readlink(here, target, sizeof(target) - 1);
            free(here);
        } while (*slash != '\0' && S_ISDIR(status.st_mode));
        if (length < 0 && *slash == '\0' && S_ISREG(status.st_mode))
            return at;
        if (length < 0)
            break;
        target[length] = '\0';
        here = text("%.*s", (int)(slash - at), at);
        if (links != NULL)
            tree_add_link(links, here, target);
        *strrchr(here, '/') = '\0';
        next = text("%s/%s%s", target[0] == '/' ? "" : here, target, slash);
        free(here);
        free(at);
        at = plain_path("/", next);
        free(next);
    }
    free(at);
    return NULL;
}

/* A file that the tree has already, seen through the tree's own links. */
static const struct tree_node *in_tree(const struct tree *tree, const char *path)
{
    const struct tree_node *node = tree_find(tree, path);

    for (int count = 0; node != NULL && node->kind == TREE_LINK && count < LINKS_AT_MOST; count++) {
        char *folder = text("%.*s", (int)(strrchr(node->path, '/') - node->path), node->path);
        char *target = plain_path(folder, node->content);

        node = tree_find(tree, target);
        free(target);
        free(folder);
    }
    return node != NULL && node->kind == TREE_FILE ? node : NULL;
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static char *find(const struct tree *tree, struct tree *into, const char *root, const char *path)
{
    const struct tree_node *there = in_tree(tree, path);
    char *inside, *here;

    if (there != NULL)
        return text("%s", there->content);
    inside = root != NULL ? follow(root, path, into) : NULL;
    if (inside != NULL) {
        here = text("%s%s", root, inside);
        if (into == NULL || tree_add_file(into, inside, here) == 0) {
            free(inside);
            return here;
        }
        free(inside);
        free(here);
    }
    if (!is_file(path) || (into != NULL && tree_add_file(into, path, path) != 0))
        return NULL;
    return text("%s", path);
}

char *find_file(const struct tree *tree, const char *root, const char *path)
{
    return find(tree, NULL, root, path);
}

char *provide_file(struct tree *tree, const char *root, const char *path)
{
    char *here = find_file(tree, root, path);

    if (here == NULL)
        return NULL;
    free(here);
    return find(tree, tree, root, path);
}
