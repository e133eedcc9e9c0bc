/*
 * tmpfs_node.h - the nodes of a tmpfs. Internal to tmpfs*.c.
 */
#ifndef QUIRE_FILES_TMPFS_NODE_H
#define QUIRE_FILES_TMPFS_NODE_H

#include "files/tmpfs/tmpfs.h"

struct tmpfs_entry {
    struct tmpfs_entry *older, *newer;      /* of the folder, by age                          */
    struct tmpfs_entry *same_hash;
    struct tmpfs_entry *next_name;          /* of the same node                               */
    struct tmpfs_entry **name_at;           /* what points to us in that list: a node may have very many names */
    struct tmpfs_node  *folder, *node;      /* a reference to each                            */
    uint64_t            age;                /* where a listing goes on; starts at 3           */
    uint32_t            hash;
    uint8_t             length;
    char                name[];             /* no NUL                                         */
};

struct tmpfs_folder {
    struct tmpfs_entry  *oldest, *newest;
    struct tmpfs_entry **table;             /* NULL while there are few                       */
    uint32_t             table_size, count; /* a power of two; entries                        */
    uint64_t             last_age;
};

struct tmpfs_node {
    struct node         node;               /* first, so that the two are one address         */
    struct tmpfs_entry *names;              /* entries of this node; the last one it had is kept when it is removed */
    union {
        struct object      *contents;       /* regular: NULL until it has bytes               */
        struct tmpfs_folder folder;
        char               *target;         /* link                                           */
        const struct node_operations *device;
    };
};

_Static_assert(offsetof(struct tmpfs_node, node) == 0, "a node of a tmpfs begins with the node");

static inline struct tmpfs_node *tmpfs_of(struct node *node) { return (struct tmpfs_node *)node; }

extern const struct node_operations tmpfs_folder_operations;

/* tmpfs.c: a node of a type, with no entry; NULL without memory. */
struct tmpfs_node *tmpfs_make(struct file_system *system, uint32_t mode, uint32_t device);
struct node *tmpfs_whereabouts(struct node *node, const char **name, size_t *length);
void tmpfs_release(struct node *node);

/* tmpfs_folder.c: a node without entries goes; drop the name that was kept, or NULL. It is in no list. May sleep. */
void tmpfs_forget_name(struct tmpfs_entry *entry);
void tmpfs_folder_free(struct tmpfs_node *folder);

#endif
