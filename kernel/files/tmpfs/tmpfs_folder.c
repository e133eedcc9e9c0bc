/*
 * tmpfs_folder.c - folders in memory: entries by age and by hash; link, remove, rename.
 *
 * Every change first takes the memory that it needs, and then cannot fail.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/tmpfs/tmpfs_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { FEW = 8, FIRST_AGE = 3 };

static bool is_tmpfs_folder(const struct tmpfs_node *node) { return (node->node.mode & S_FMT) == S_FOLDER; }

/* FNV-1a. */
static uint32_t name_hash(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return hash;
}

/* ---- Finding ------------------------------------------------------------------------------------ */

static bool is_named(const struct tmpfs_entry *entry, uint32_t hash, const char *name, size_t length)
{
    return entry->hash == hash && entry->length == length && memcmp(entry->name, name, length) == 0;
}

static struct tmpfs_entry *find_entry(const struct tmpfs_node *node, const char *name, size_t length)
{
    const struct tmpfs_folder *folder = &node->folder;
    uint32_t                   hash   = name_hash(name, length);
    struct tmpfs_entry        *entry;

    deep_assert(is_tmpfs_folder(node));
    if (folder->table != NULL) {
        for (entry = folder->table[hash & (folder->table_size - 1)]; entry != NULL; entry = entry->same_hash)
            if (is_named(entry, hash, name, length))
                return entry;
        return NULL;
    }
    for (entry = folder->newest; entry != NULL; entry = entry->older)
        if (is_named(entry, hash, name, length))
            return entry;
    return NULL;
}

/* The folder above; of the root, itself. */
static struct tmpfs_node *folder_above(struct tmpfs_node *folder)
{
    return folder->names != NULL ? folder->names->folder : folder;
}

static int tmpfs_look_up(struct node *node, const char *name, size_t length, struct node **out)
{
    struct tmpfs_node  *self = tmpfs_of(node);
    struct tmpfs_entry *entry;

    deep_assert(mutex_held(&node->lock));
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        *out = &folder_above(self)->node;
    } else {
        entry = find_entry(self, name, length);
        if (entry == NULL)
            return -ENOENT;
        *out = &entry->node->node;
    }
    node_hold(*out);
    return 0;
}

static int tmpfs_list(struct node *node, uint64_t from, folder_visit visit, void *data)
{
    struct tmpfs_node *self = tmpfs_of(node);

    deep_assert(mutex_held(&node->lock));
    if (from == 0 && !visit(data, ".", 1, node->inode, node->mode, 1))
        return 0;
    if (from <= 1 && !visit(data, "..", 2, folder_above(self)->node.inode, S_FOLDER, 2))
        return 0;
    for (struct tmpfs_entry *entry = self->folder.oldest; entry != NULL; entry = entry->newer)
        if (entry->age >= from && !visit(data, entry->name, entry->length, entry->node->node.inode,
                                         entry->node->node.mode, entry->age + 1))
            return 0;
    return 0;
}

/* ---- Entries in and out: nothing here can fail --------------------------------------------------- */

static void table_add(struct tmpfs_folder *folder, struct tmpfs_entry *entry)
{
    struct tmpfs_entry **at;

    deep_assert(folder->table != NULL);
    at = &folder->table[entry->hash & (folder->table_size - 1)];
    entry->same_hash = *at;
    *at = entry;
}

static void table_remove(struct tmpfs_folder *folder, struct tmpfs_entry *entry)
{
    struct tmpfs_entry **at;

    deep_assert(folder->table != NULL);
    at = &folder->table[entry->hash & (folder->table_size - 1)];
    while (*at != entry)
        at = &(*at)->same_hash;
    *at = entry->same_hash;
}

static bool table_fits(const struct tmpfs_folder *folder)
{
    if (folder->table == NULL)
        return folder->count <= FEW;
    return folder->count <= 2 * folder->table_size && folder->count >= folder->table_size / 8;
}

/*
 * When the table has become too small or far too large: one twice as large as there are entries, and none for a few of
 * them, so that a folder that once was large does not keep what it needed then. Without memory the old one does.
 */
static void fit_table(struct tmpfs_folder *folder)
{
    uint32_t             size = FEW;
    struct tmpfs_entry **table = NULL, **old = folder->table;

    if (table_fits(folder))
        return;
    while (size < 2 * folder->count)
        size *= 2;
    if (folder->count > FEW)
        table = heap_alloc(size * sizeof(struct tmpfs_entry *), HEAP_ZERO);
    if (table == NULL && folder->count > FEW)
        return;
    folder->table      = table;
    folder->table_size = table != NULL ? size : 0;
    for (struct tmpfs_entry *entry = folder->oldest; entry != NULL && table != NULL; entry = entry->newer)
        table_add(folder, entry);
    heap_free(old);
}

/* Changing an entry's folder and name is a change of the folder, and of the node's link count. */
static void touch_folder(struct tmpfs_node *folder, struct tmpfs_node *node)
{
    uint64_t now = clock_wall();

    folder->node.modified = folder->node.changed = now;
    node->node.changed = now;
}

static void insert_entry(struct tmpfs_entry *entry)
{
    struct tmpfs_folder *folder = &entry->folder->folder;

    deep_assert(mutex_held(&entry->folder->node.lock));
    entry->age   = ++folder->last_age;
    entry->newer = NULL;
    entry->older = folder->newest;
    if (folder->newest != NULL)
        folder->newest->newer = entry;
    else
        folder->oldest = entry;
    folder->newest = entry;
    folder->count++;
    if (folder->table != NULL)
        table_add(folder, entry);
    fit_table(folder);
}

static void take_entry_out(struct tmpfs_entry *entry)
{
    struct tmpfs_folder *folder = &entry->folder->folder;

    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        folder->oldest = entry->newer;
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        folder->newest = entry->older;
    if (folder->table != NULL)
        table_remove(folder, entry);
    folder->count--;
    fit_table(folder);
}

static void free_tmpfs_entry(struct tmpfs_entry *entry)
{
    struct tmpfs_node *folder = entry->folder;

    heap_free(entry);
    node_release(&folder->node);
}

static struct tmpfs_entry *new_tmpfs_entry(struct tmpfs_node *folder, const char *name, size_t length)
{
    struct tmpfs_entry *entry = heap_alloc(sizeof *entry + length, 0);

    assert(length > 0 && length <= NAME_LONGEST);
    if (entry == NULL)
        return NULL;
    *entry = (struct tmpfs_entry){ .folder = folder, .hash = name_hash(name, length), .length = (uint8_t)length };
    memcpy(entry->name, name, length);
    node_hold(&folder->node);
    return entry;
}

/* A node's names: one is added, and taken out, whatever their number. */
static void list_name(struct tmpfs_node *node, struct tmpfs_entry *entry)
{
    entry->next_name = node->names;
    entry->name_at   = &node->names;
    if (entry->next_name != NULL)
        entry->next_name->name_at = &entry->next_name;
    node->names = entry;
}

static void unlist_name(struct tmpfs_entry *entry)
{
    *entry->name_at = entry->next_name;
    if (entry->next_name != NULL)
        entry->next_name->name_at = entry->name_at;
}

/* The entry names the node from now on. */
static void attach_entry(struct tmpfs_entry *entry, struct tmpfs_node *node)
{
    entry->node      = node;
    list_name(node, entry);
    node->node.links++;
    node_hold(&node->node);
    if (is_tmpfs_folder(node))
        entry->folder->node.links++;
    insert_entry(entry);
    touch_folder(entry->folder, node);
}

/* The entry is gone. A node's last one is kept, out of its folder, to say where the node was. */
static void detach_entry(struct tmpfs_entry *entry)
{
    struct tmpfs_node *node = entry->node;

    take_entry_out(entry);
    touch_folder(entry->folder, node);
    node->node.links--;
    if (is_tmpfs_folder(node)) {
        entry->folder->node.links--;
        if (node->names->next_name == NULL)
            node->node.links = 0;               /* its own "." as well */
    }
    if (node->names != entry || entry->next_name != NULL) {
        unlist_name(entry);
        free_tmpfs_entry(entry);
    }
    node_release(&node->node);
}

/*
 * The name may be the last to hold its folder, which has kept its own name, and so on, as deep as a program likes. So
 * the first call of a thread goes through all of them, and those inside it only leave theirs there.
 */
void tmpfs_forget_name(struct tmpfs_entry *entry)
{
    struct thread       *thread = current_thread();
    struct tmpfs_entry **outer  = thread->forgetting, *next;

    may_sleep();
    if (entry == NULL)
        return;
    entry->next_name = outer != NULL ? *outer : NULL;
    if (outer != NULL) {
        *outer = entry;
        return;
    }
    thread->forgetting = &entry;
    while ((next = entry) != NULL) {
        entry = next->next_name;
        free_tmpfs_entry(next);
        point_of_rest();
    }
    thread->forgetting = NULL;
}

void tmpfs_folder_free(struct tmpfs_node *folder)
{
    assert(folder->folder.count == 0);
    heap_free(folder->folder.table);
}

/* ---- The calls --------------------------------------------------------------------------------------- */

/* The caller may have waited for the folder's lock while it was removed, or its file system unmounted. */
static bool is_dead(const struct node *folder) { return folder->links == 0 || folder->system->ended; }

static int tmpfs_create(struct node *folder, const char *name, size_t length, uint32_t mode, uint32_t device,
                        struct node **out)
{
    struct tmpfs_node  *self = tmpfs_of(folder), *node;
    struct tmpfs_entry *entry;

    assert(mutex_held(&folder->lock));
    if (find_entry(self, name, length) != NULL)
        return -EEXIST;
    if (is_dead(folder))
        return -ENOENT;
    node = tmpfs_make(folder->system, mode, device);
    if (node == NULL)
        return -ENOMEM;
    entry = new_tmpfs_entry(self, name, length);
    if (entry == NULL) {
        node_release(&node->node);
        return -ENOMEM;
    }
    attach_entry(entry, node);
    *out = &node->node;
    return 0;
}

static int tmpfs_symlink(struct node *folder, const char *name, size_t length, const char *target, struct node **out)
{
    size_t size = strlen(target) + 1;
    char  *copy = heap_alloc(size, 0);
    int    err;

    assert(mutex_held(&folder->lock));
    if (copy == NULL)
        return -ENOMEM;
    err = tmpfs_create(folder, name, length, S_LINK | 0777, 0, out);
    if (err != 0) {
        heap_free(copy);
        return err;
    }
    memcpy(copy, target, size);
    tmpfs_of(*out)->target = copy;
    (*out)->bytes = size - 1;
    return 0;
}

static int tmpfs_link(struct node *folder, const char *name, size_t length, struct node *node)
{
    struct tmpfs_entry *entry, *before = NULL;

    assert(mutex_held(&folder->lock) && (node->mode & S_FMT) != S_FOLDER && node->system == folder->system);
    if (find_entry(tmpfs_of(folder), name, length) != NULL)
        return -EEXIST;
    if (is_dead(folder) || (node->links == 0 && !node->linkable))
        return -ENOENT;                         /* removed, and only kept open: it gets no name again */
    entry = new_tmpfs_entry(tmpfs_of(folder), name, length);
    if (entry == NULL)
        return -ENOMEM;
    if (node->links == 0) {                     /* what it was called before it had a name */
        before = tmpfs_of(node)->names;
        tmpfs_of(node)->names = NULL;
    }
    attach_entry(entry, tmpfs_of(node));
    tmpfs_forget_name(before);                  /* rests */
    return 0;
}

static int tmpfs_remove(struct node *folder, const char *name, size_t length, bool folder_wanted)
{
    struct tmpfs_entry *entry = find_entry(tmpfs_of(folder), name, length);

    assert(mutex_held(&folder->lock));
    if (entry == NULL || is_dead(folder))
        return -ENOENT;
    if (is_tmpfs_folder(entry->node) != folder_wanted)
        return folder_wanted ? -ENOTDIR : -EISDIR;
    if (entry->node->node.mounted != NULL)
        return -EBUSY;
    if (folder_wanted && entry->node->folder.count != 0)
        return -ENOTEMPTY;
    detach_entry(entry);
    return 0;
}

/* ---- Rename ------------------------------------------------------------------------------------------------ */

static int may_rename_entry(const struct tmpfs_entry *source, const struct tmpfs_entry *target, bool exchange)
{
    if (source->node->node.mounted != NULL || (target != NULL && target->node->node.mounted != NULL))
        return -EBUSY;
    if (target == NULL || exchange)
        return 0;
    if (is_tmpfs_folder(source->node) != is_tmpfs_folder(target->node))
        return is_tmpfs_folder(source->node) ? -ENOTDIR : -EISDIR;
    return is_tmpfs_folder(target->node) && target->node->folder.count != 0 ? -ENOTEMPTY : 0;
}

static void name_again(struct tmpfs_entry *entry, struct tmpfs_node *node)
{
    entry->node = node;
    list_name(node, entry);
    entry->folder->node.links += is_tmpfs_folder(node);
    touch_folder(entry->folder, node);
}

/* Both entries stay where they are; their nodes change places, references and all. */
static void exchange_nodes(struct tmpfs_entry *a, struct tmpfs_entry *b)
{
    struct tmpfs_node *of_a = a->node, *of_b = b->node;

    a->folder->node.links -= is_tmpfs_folder(of_a);
    b->folder->node.links -= is_tmpfs_folder(of_b);
    unlist_name(a);
    unlist_name(b);
    name_again(a, of_b);
    name_again(b, of_a);
}

/* An entry and its node for RENAMING_WHITEOUT, in no folder yet; NULL without memory. */
static struct tmpfs_entry *new_whiteout(struct tmpfs_node *folder, const char *name, size_t length)
{
    struct tmpfs_entry *entry = new_tmpfs_entry(folder, name, length);
    struct tmpfs_node  *node  = entry != NULL ? tmpfs_make(folder->node.system, S_CHARACTER, 0) : NULL;

    if (node == NULL) {
        if (entry != NULL)
            free_tmpfs_entry(entry);
        return NULL;
    }
    node_own(&node->node);
    entry->node = node;
    return entry;
}

/* Nothing here can fail, or rest before the end: what the name was of is released last. */
static void move_entry(struct tmpfs_entry *source, struct tmpfs_entry *target, struct tmpfs_entry *entry,
                       struct tmpfs_entry *whiteout)
{
    struct tmpfs_node *replaced = target != NULL ? target->node : NULL;

    if (replaced != NULL) {
        node_hold(&replaced->node);
        detach_entry(target);
    }
    attach_entry(entry, source->node);
    detach_entry(source);
    if (whiteout != NULL) {
        struct tmpfs_node *node = whiteout->node;

        attach_entry(whiteout, node);
        node_release(&node->node);              /* the entry holds it now */
    }
    if (replaced != NULL)
        node_release(&replaced->node);
}

static int tmpfs_rename(struct node *from, const char *name, size_t length, struct node *to, const char *new_name,
                        size_t new_length, unsigned flags)
{
    struct tmpfs_entry *source = find_entry(tmpfs_of(from), name, length);
    struct tmpfs_entry *target = find_entry(tmpfs_of(to), new_name, new_length);
    struct tmpfs_entry *entry, *whiteout = NULL;
    int                 err;

    assert(mutex_held(&from->lock) && mutex_held(&to->lock) && from->system == to->system);
    if (source == NULL || is_dead(to) || (target == NULL && (flags & RENAMING_EXCHANGE)))
        return -ENOENT;
    if (target != NULL && (flags & RENAMING_NOREPLACE))
        return -EEXIST;
    if (target != NULL && target->node == source->node)
        return 0;
    err = may_rename_entry(source, target, flags & RENAMING_EXCHANGE);
    if (err != 0)
        return err;
    if (flags & RENAMING_EXCHANGE) {
        exchange_nodes(source, target);
        return 0;
    }
    entry = new_tmpfs_entry(tmpfs_of(to), new_name, new_length);
    if (entry == NULL)
        return -ENOMEM;
    if ((flags & RENAMING_WHITEOUT) && (whiteout = new_whiteout(tmpfs_of(from), name, length)) == NULL) {
        free_tmpfs_entry(entry);
        return -ENOMEM;
    }
    move_entry(source, target, entry, whiteout);
    return 0;
}

const struct node_operations tmpfs_folder_operations = {
    .look_up = tmpfs_look_up, .create = tmpfs_create, .link = tmpfs_link, .remove = tmpfs_remove,
    .rename = tmpfs_rename, .list = tmpfs_list, .symlink = tmpfs_symlink, .release = tmpfs_release,
    .whereabouts = tmpfs_whereabouts,
};

/* ---- Everything away ---------------------------------------------------------------------------------------- */

void tmpfs_destroy(struct file_system *system)
{
    struct tmpfs_node *folder = tmpfs_of(system->root);

    may_sleep();
    assert(system->covers == NULL);
    while (folder->folder.newest != NULL || folder != tmpfs_of(system->root)) {
        struct tmpfs_entry *entry = folder->folder.newest;

        point_of_rest();                        /* the system has ended: nobody else changes it */
        if (entry == NULL) {                    /* empty: up, and away with it */
            entry  = folder->names;
            folder = entry->folder;
            detach_entry(entry);
        } else if (is_tmpfs_folder(entry->node)) {
            folder = entry->node;
        } else {
            detach_entry(entry);
        }
    }
    node_release(system->root);
    system_free(system);
}

/* ---- T1 to T3 ------------------------------------------------------------------------------------------------- */

static bool node_ok(struct tmpfs_node *node)
{
    uint32_t links = is_tmpfs_folder(node) ? 1 : 0;

    for (struct tmpfs_entry *entry = node->names; entry != NULL; entry = entry->next_name) {
        if (entry->node != node)
            return false;
        links++;
    }
    if (!is_tmpfs_folder(node))
        return links == node->node.links;                               /* T1 */
    if (node->names != NULL && node->names->next_name != NULL)
        return false;                                                   /* T3 */
    if (node->names == NULL)
        links++;                                                        /* the root's */
    for (struct tmpfs_entry *entry = node->folder.oldest; entry != NULL; entry = entry->newer)
        links += is_tmpfs_folder(entry->node);
    return links == node->node.links;                                   /* T1 */
}

static bool folder_ok(struct tmpfs_node *folder)
{
    uint32_t count = 0;
    uint64_t age   = FIRST_AGE - 1;

    for (struct tmpfs_entry *entry = folder->folder.oldest; entry != NULL; entry = entry->newer) {
        if (entry->folder != folder || entry->age <= age || find_entry(folder, entry->name, entry->length) != entry)
            return false;                                               /* T2, T3 */
        age = entry->age;
        count++;
        if (!node_ok(entry->node))
            return false;
    }
    return count == folder->folder.count && folder->folder.last_age >= age;
}

bool tmpfs_ok(struct file_system *system)
{
    struct tmpfs_node *root = tmpfs_of(system->root), *folder = root;

    if (!node_ok(root) || !folder_ok(root))
        return false;
    for (;;) {                                  /* every folder, depth first, without recursion */
        struct tmpfs_entry *entry = folder->folder.oldest;

        while (entry != NULL && !is_tmpfs_folder(entry->node))
            entry = entry->newer;
        while (entry == NULL) {
            if (folder == root)
                return true;
            entry  = folder->names->newer;
            folder = folder->names->folder;
            while (entry != NULL && !is_tmpfs_folder(entry->node))
                entry = entry->newer;
        }
        folder = entry->node;
        if (!folder_ok(folder))
            return false;
    }
}
