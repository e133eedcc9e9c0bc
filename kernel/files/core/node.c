/*
 * node.c - nodes: counted, with their file systems, written or run, and what each user may do.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/core/file.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* ---- Nodes ---------------------------------------------------------------------------------- */

void system_start(struct file_system *system, const char *type, uint32_t magic)
{
    static uint32_t last_device = OBJECT_DEVICE;

    assert(type != NULL);
    *system = (struct file_system){ .type = type, .source = type, .magic = magic, .moves = MUTEX("moves"), .nodes = 1,
                                    .device = __atomic_add_fetch(&last_device, 1, __ATOMIC_RELAXED) };
}

void node_start(struct node *node, const struct node_operations *operations, struct file_system *system, uint32_t mode)
{
    uint64_t now = clock_wall();

    assert(operations != NULL);
    *node = (struct node){ .operations = operations, .system = system, .references = 1, .mode = mode,
                           .lock = MUTEX("node"), .seals = SEAL_NEVER, .accessed = now, .modified = now,
                           .changed = now };
    if (system != NULL) {
        node->inode = ++system->last_inode;
        __atomic_add_fetch(&system->nodes, 1, __ATOMIC_RELAXED);
    }
}

void system_enter(struct file_system *system)
{
    if (system == NULL)
        return;
    __atomic_add_fetch(&system->users, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&system->expiring, false, __ATOMIC_RELAXED);
}

void system_end(struct file_system *system)
{
    if (system->users != 0 || !system->gone || system->ended)
        return;
    system->ended = true;
    system->end(system);
}

/* The last user of what was unmounted while it was busy ends it. */
static void system_leave(struct file_system *system)
{
    if (system != NULL && __atomic_sub_fetch(&system->users, 1, __ATOMIC_ACQ_REL) == 0)
        system_end(system);
}

void node_use(struct node *node)
{
    node_hold(node);
    system_enter(node->system);
}

/* In this order: the node keeps its system. */
void node_unuse(struct node *node)
{
    system_leave(node->system);
    node_release(node);
}

static void leave_node(struct file_system *system)
{
    if (__atomic_sub_fetch(&system->nodes, 1, __ATOMIC_ACQ_REL) == 0) {
        heap_free(system->named);
        heap_free_sized(system, sizeof *system);
    }
}

/* `nodes` counts one more than there are, so that it is not freed twice. */
void system_free(struct file_system *system) { leave_node(system); }

void node_hold(struct node *node)
{
    uint32_t before = __atomic_fetch_add(&node->references, 1, __ATOMIC_RELAXED);

    assert(before > 0);
}

void node_release(struct node *node)
{
    uint32_t before = __atomic_fetch_sub(&node->references, 1, __ATOMIC_ACQ_REL);

    assert(before > 0);
    assert(before > 1 || node->writers == 0);
    deep_assert(before > 1 || node->locks == NULL);
    if (before == 1) {
        struct file_system *system = node->system;

        if (node->operations->release != NULL)
            node->operations->release(node);
        if (system != NULL)
            leave_node(system);
    }
}

void node_notify(struct node *node)                      { wake_all(&node->ready); }
void node_notify_of(struct node *node, unsigned bits)    { (void)wake_for(&node->ready, bits); }

int node_wait(struct node *node)
{
    int err;

    may_sleep();
    assert(mutex_held(&node->lock));
    wait_start(&node->ready);
    mutex_drop(&node->lock);
    err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    mutex_take(&node->lock);
    return err == -EINTR ? -ERESTARTSYS : 0;
}

/* ---- Writers and runners ------------------------------------------------------------------------ */

/* One more of those that count upwards (1) or downwards (-1), unless some of the others are there. */
static int count_user_in(struct node *node, int32_t step)
{
    int32_t now = __atomic_load_n(&node->writers, __ATOMIC_RELAXED);

    assert(step == 1 || step == -1);
    do
        if (step > 0 ? now < 0 : now > 0)
            return -ETXTBSY;
    while (!__atomic_compare_exchange_n(&node->writers, &now, now + step, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return 0;
}

static void count_user_out(struct node *node, int32_t step)
{
    int32_t before = __atomic_fetch_sub(&node->writers, step, __ATOMIC_ACQ_REL);

    assert(step > 0 ? before > 0 : before < 0);
}

int node_add_writer(struct node *node)
{
    int err = node_is_read_only(node) ? -EROFS : count_user_in(node, 1);

    if (err == 0 && node->system != NULL)
        __atomic_add_fetch(&node->system->writers, 1, __ATOMIC_RELAXED);
    return err;
}

void node_end_writer(struct node *node)
{
    count_user_out(node, 1);
    if (node->system != NULL)
        __atomic_sub_fetch(&node->system->writers, 1, __ATOMIC_RELAXED);
}

int  node_add_runner(struct node *node) { return count_user_in(node, -1); }
void node_end_runner(struct node *node) { count_user_out(node, -1); }

/* ---- Rights --------------------------------------------------------------------------------------- */

/* Before the first process the kernel itself acts, as root. */
uint32_t user_acting(void)
{
    const struct credentials *c = credentials_acting();

    return c != NULL ? c->user.files : 0;
}

uint32_t group_acting(void)
{
    const struct credentials *c = credentials_acting();

    return c != NULL ? c->group.files : 0;
}

void node_own(struct node *node)
{
    node->uid = user_acting();
    node->gid = group_acting();
}

bool acts_in_group(uint32_t gid)
{
    const struct credentials *c = credentials_acting();

    return gid == group_acting() || (c != NULL && groups_have(c->groups, gid));
}

bool acts_as_owner(const struct node *node) { return user_acting() == node->uid || has_capability(CAP_FOWNER); }

bool node_is_read_only(const struct node *node)
{
    uint32_t type = node->mode & S_FMT;

    return node->system != NULL && (node->system->flags & MOUNT_READ_ONLY) &&
           (type == S_REGULAR || type == S_FOLDER || type == S_LINK);
}

/*
 * A process with the capabilities for it may read and write every file, search every folder, and execute files that any
 * user may execute; or only read, and search.
 */
static bool is_beyond_rights(const struct node *node, unsigned wanted)
{
    bool folder = (node->mode & S_FMT) == S_FOLDER;

    if (has_capability(CAP_DAC_OVERRIDE) && (!(wanted & 1) || folder || (node->mode & 0111)))
        return true;
    return has_capability(CAP_DAC_READ_SEARCH) && (folder ? !(wanted & 2) : wanted == 4);
}

bool node_never_executes(const struct node *node)
{
    return (node->mode & S_FMT) == S_REGULAR && node->system != NULL && (node->system->flags & MOUNT_NO_EXECUTE);
}

int node_allows(const struct node *node, unsigned wanted)
{
    unsigned granted = node->mode & 7;

    assert(wanted <= 7);
    if ((wanted & 2) && node_is_read_only(node))
        return -EROFS;
    if (user_acting() == node->uid)
        granted = node->mode >> 6 & 7;
    else if (acts_in_group(node->gid))
        granted = node->mode >> 3 & 7;
    return (wanted & ~granted) != 0 && !is_beyond_rights(node, wanted) ? -EACCES : 0;
}
