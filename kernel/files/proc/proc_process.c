/*
 * proc_process.c - /proc/PID and /proc/PID/task/TID.
 *
 * A process may end between two looks; within one nothing sleeps but for memory, and that does not switch threads, so
 * the process that was found stays.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/core/descriptor.h"
#include "files/path/path.h"
#include "files/proc/proc_node.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "process/family.h"
#include "process/timers.h"
#include "process/user_account.h"

enum { TICK = 10000000, PIECE = 256, PATH_ROOM = 1024 };
/* What one stretch under a lock goes over at the most. */
enum { REGIONS_A_STRETCH = 128 };

struct process *proc_process(const struct proc_node *node)
{
    struct process *process = node->process != 0 ? process_find(node->process) : NULL;

    return process != NULL && process->start_time == node->born ? process : NULL;
}

/* The thread a folder is about: its own, or the process's first. */
static const struct thread *thread_of(const struct proc_node *node, const struct process *process)
{
    const struct thread *thread = process->threads;

    while (thread != NULL && node->thread != 0 && thread->id != node->thread)
        thread = thread->next_in_process;
    return thread;
}

/* ---- Numbers ------------------------------------------------------------------------------------ */

int32_t proc_next_process(int32_t from)
{
    lock_state            state   = lock_take(&process_lock);
    const struct process *process = process_beyond(from - 1, &state);
    int32_t               id      = process != NULL ? process->id : -1;

    lock_drop(&process_lock, state);
    return id;
}

int32_t proc_next_thread(int32_t number, int32_t from)
{
    lock_state           state   = lock_take(&process_lock);
    const struct thread *thread  = thread_beyond(number, from - 1, &state);
    int32_t              id      = thread != NULL ? thread->id : -1;

    lock_drop(&process_lock, state);
    return id;
}

int32_t proc_next_descriptor(int32_t number, int32_t from)
{
    const struct process *process = process_find(number);

    return process != NULL && process->files != NULL ? descriptor_next(process->files, from) : -1;
}

/* ---- stat, statm, status --------------------------------------------------------------------------- */

static char state_of(const struct process *process, const struct thread *thread)
{
    if (process->parent == NULL && thread == NULL)
        return 'S';                             /* process 1 never has a thread */
    if (process->state == PROCESS_ZOMBIE || thread == NULL)
        return 'Z';
    if (process->state == PROCESS_STOPPED || thread->phase == THREAD_STOPPED)
        return 'T';
    if (thread->phase == THREAD_WAITING)
        return thread->interruptible ? 'S' : 'D';
    return 'R';
}

static const char *state_word(char state)
{
    switch (state) {
    case 'Z': return "zombie";
    case 'T': return "stopped";
    case 'S': return "sleeping";
    case 'D': return "disk sleep";
    default:  return "running";
    }
}

struct sizes { unsigned long whole, most_pages, resident, most_resident, locked, stack, text, data; };    /* pages */

static void add_size(struct sizes *sizes, const struct region *r)
{
    if (r->grows & REGION_GROWS_DOWN)
        sizes->stack += span_pages(r->span);
    else if (r->file != NULL && (r->rights.user & MAY_EXECUTE))
        sizes->text += span_pages(r->span);
    else if ((r->rights.user & MAY_WRITE) && !r->shared)
        sizes->data += span_pages(r->span);
}

/* A stretch of regions from `page` on. False when it was the last; else *page is where to go on. */
static bool add_sizes(struct sizes *sizes, struct space *space, page_t *page)
{
    lock_state     state = space_look(space);
    struct region *r     = region_at_or_above(&space->map, *page);

    sizes->whole    = space->pages;
    sizes->resident = space->resident;
    for (unsigned left = REGIONS_A_STRETCH; r != NULL && left > 0; left--, r = region_next(r))
        add_size(sizes, r);                     /* bound: REGIONS_A_STRETCH */
    if (r != NULL)
        *page = r->span.first;
    space_look_end(space, state);
    return r != NULL;
}

static struct sizes sizes_of(struct shared_space *memory)
{
    struct sizes  sizes = { 0 };
    struct space *space = memory != NULL ? &memory->space : NULL;
    page_t        page  = 0;

    if (space == NULL)
        return sizes;
    sizes.most_pages    = space_most_pages(space);
    sizes.most_resident = space_peak(space);
    sizes.locked        = map_locked(space);
    while (add_sizes(&sizes, space, &page))
        ;
    return sizes;
}

static void signal_sets(const struct process *process, uint64_t *ignored, uint64_t *caught)
{
    *ignored = *caught = 0;
    for (int n = 1; n <= SIGNALS && process->actions != NULL; n++) {
        vaddr_t handler = process->actions->action[n].handler;

        if (handler == SIG_IGN)
            *ignored |= 1ull << (n - 1);
        else if (handler != SIG_DFL)
            *caught |= 1ull << (n - 1);
    }
}

static const char *process_name_of(const struct process *process, const struct thread *thread)
{
    return thread != NULL ? thread->name : process->name;
}

/* What has ended and is not waited for is told as a thread. */
static unsigned threads_of(const struct process *p) { return p->thread_count > 0 ? (unsigned)p->thread_count : 1; }

static int write_stat(struct text *text, struct proc_node *node)
{
    struct process            *p = proc_process(node);
    const struct thread       *t;
    const struct shared_space *m;
    struct sizes               sizes;
    uint64_t                   ignored, caught;
    struct resource_usage               used;

    if (p == NULL)
        return -ESRCH;
    t     = thread_of(node, p);
    m     = p->memory;
    sizes = sizes_of(p->memory);
    if (node->thread != 0 && t != NULL)
        thread_usage(t, &used);
    else
        process_usage(p, &used);
    signal_sets(p, &ignored, &caught);
    text_add(text, "%d (%s) %c %d %d %d %d %d 0 %llu %llu %llu %llu ", node->thread != 0 ? node->thread : p->id,
             process_name_of(p, t), state_of(p, t), p->parent != NULL ? p->parent->id : 0, p->group, p->session,
             p->terminal != NULL ? 0x0501 : 0, p->terminal != NULL ? p->group : -1,
             (unsigned long long)used.faults_minor, (unsigned long long)p->children_used.faults_minor,
             (unsigned long long)used.faults_major, (unsigned long long)p->children_used.faults_major);
    text_add(text, "%llu %llu %llu %llu %d %d %u 0 %llu %lu %lu ", (unsigned long long)(used.user_time / TICK),
             (unsigned long long)(used.system_time / TICK), (unsigned long long)(p->children_used.user_time / TICK),
             (unsigned long long)(p->children_used.system_time / TICK), 20 + (t != NULL ? (int)t->nice : 0),
             t != NULL ? (int)t->nice : 0, threads_of(p),
             (unsigned long long)(p->start_time / TICK), sizes.whole * PAGE_SIZE, sizes.resident);
    text_add(text, "%lu 0 0 0 0 0 %lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0 0 0 ", (unsigned long)UINT32_MAX,
             t != NULL ? (unsigned long)(uint32_t)t->pending.pending & 0x7FFFFFFF : 0,
             t != NULL ? (unsigned long)(uint32_t)t->mask & 0x7FFFFFFF : 0,
             (unsigned long)(uint32_t)ignored & 0x7FFFFFFF,
             (unsigned long)(uint32_t)caught & 0x7FFFFFFF, p->exit_signal);
    text_add(text, "%lu %lu %lu %lu %lu %d\n", m != NULL ? (unsigned long)m->space.limits.break_start : 0,
             m != NULL ? (unsigned long)m->argument_start : 0, m != NULL ? (unsigned long)m->argument_end : 0,
             m != NULL ? (unsigned long)m->environment_start : 0, m != NULL ? (unsigned long)m->environment_end : 0,
             p->exit_status);
    return 0;
}

/* Waits for the map: afterwards the process may be gone, and only what is held is there. */
static struct proc_resident resident_of(struct shared_space *memory)
{
    struct proc_resident resident = { 0 };

    if (memory != NULL)
        proc_count_resident(&memory->space, &resident);
    return resident;
}

static int write_statm(struct text *text, struct proc_node *node)
{
    int                  err;
    struct shared_space *memory = proc_memory(node, &err);
    struct proc_resident resident;
    struct sizes         sizes;

    if (err != 0)
        return err;
    sizes    = sizes_of(memory);
    resident = resident_of(memory);
    text_add(text, "%lu %lu %u %lu 0 %lu 0\n", sizes.whole, sizes.resident, (unsigned)(resident.file + resident.memory),
             sizes.text, sizes.data + sizes.stack);
    if (memory != NULL)
        memory_release(memory);
    return 0;
}

static void add_memory(struct text *text, struct shared_space *memory, const struct proc_resident *resident)
{
    enum { KILOBYTES = PAGE_SIZE / 1024 };
    static const char *const names[] = {
        "VmPeak:\t", "VmSize:\t", "VmLck:\t", "VmPin:\t", "VmHWM:\t", "VmRSS:\t", "RssAnon:\t", "RssFile:\t",
        "RssShmem:\t", "VmData:\t", "VmStk:\t", "VmExe:\t", "VmLib:\t", "VmPTE:\t", "VmSwap:\t", "HugetlbPages:\t",
    };
    const struct sizes  sizes = sizes_of(memory);
    const unsigned long pages[COUNT_OF(names)] = {
        sizes.most_pages, sizes.whole, sizes.locked, 0, sizes.most_resident,
        resident->anonymous + resident->file + resident->memory, resident->anonymous, resident->file, resident->memory,
        sizes.data, sizes.stack, sizes.text, 0, memory->space.table_frames, memory->space.swapped, 0,
    };

    for (unsigned i = 0; i < COUNT_OF(names); i++)
        text_add_kilobytes(text, names[i], pages[i] * KILOBYTES);
    text_add_literal(text, "CoreDumping:\t0\nTHP_enabled:\t0\n");
}

/* As Linux writes it here, and here alone: a name does not end its line. */
static void add_name_line(struct text *text, const char *name)
{
    text_add_literal(text, "Name:\t");
    for (; *name != '\0'; name++) {
        if (*name == '\n' || *name == '\\')
            text_add_literal(text, "\\");
        text_add_bytes(text, *name == '\n' ? "n" : name, 1);
    }
    text_add_literal(text, "\n");
}

static void add_groups(struct text *text, const struct groups *groups)
{
    for (uint32_t i = 0; groups != NULL && i < groups->count; i++)
        text_add(text, i == 0 ? "%u" : " %u", (unsigned)groups->gid[i]);
    text_add_literal(text, " \n");
}

static int add_status(struct text *text, struct proc_node *node, struct shared_space *memory,
                      const struct proc_resident *resident)
{
    const struct process *p = proc_process(node);
    const struct thread  *t;
    struct credentials   *c;
    const struct resource_usage *used;
    uint64_t              ignored, caught;
    char                  state;

    if (p == NULL)
        return -ESRCH;
    t     = thread_of(node, p);
    c     = credentials_hold(t != NULL ? t->credentials : p->credentials);
    used  = t != NULL ? &t->used : &p->used;
    state = state_of(p, t);
    signal_sets(p, &ignored, &caught);
    add_name_line(text, process_name_of(p, t));
    if (p->fs != NULL)
        text_add(text, "Umask:\t%04o\n", (unsigned)p->fs->umask);
    text_add(text, "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", state,
             state_word(state), p->id,
             node->thread != 0 ? node->thread : p->id, p->parent != NULL ? p->parent->id : 0);
    proc_add_ids(text, "Uid:", &c->user);
    proc_add_ids(text, "Gid:", &c->group);
    text_add(text, "FDSize:\t%u\nGroups:\t", p->files != NULL ? (unsigned)files_room(p->files) : 0u);
    add_groups(text, c->groups);
    text_add(text, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", p->id,
             node->thread != 0 ? node->thread : p->id, p->group, p->session);
    if (memory != NULL)
        add_memory(text, memory, resident);
    text_add(text, "Threads:\t%u\nSigQ:\t%u/%u\n", threads_of(p), (unsigned)c->account->signals,
             (unsigned)p->limits[RLIMIT_SIGPENDING].soft);
    text_add_set(text, "SigPnd:\t", t != NULL ? t->pending.pending : 0);
    text_add_set(text, "ShdPnd:\t", p->pending.pending);
    text_add_set(text, "SigBlk:\t", t != NULL ? t->mask : 0);
    text_add_set(text, "SigIgn:\t", ignored);
    text_add_set(text, "SigCgt:\t", caught);
    text_add_set(text, "CapInh:\t", c->capabilities.inheritable);
    text_add_set(text, "CapPrm:\t", c->capabilities.permitted);
    text_add_set(text, "CapEff:\t", c->capabilities.effective);
    text_add_set(text, "CapBnd:\t", c->capabilities.bounding);
    text_add_set(text, "CapAmb:\t", c->capabilities.ambient);
    text_add(text, "NoNewPrivs:\t%d\n", t != NULL ? t->no_new_privileges : 0);
    text_add_literal(text, "Seccomp:\t0\nSeccomp_filters:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n"
                           "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
    text_add(text, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
             (unsigned long long)used->switches_voluntary, (unsigned long long)used->switches_involuntary);
    credentials_release(c);
    return 0;
}

static int write_status(struct text *text, struct proc_node *node)
{
    int                  err;
    struct shared_space *memory   = proc_memory(node, &err);
    struct proc_resident resident = resident_of(memory);

    if (err == 0)
        err = add_status(text, node, memory, &resident);
    if (memory != NULL)
        memory_release(memory);
    return err;
}

/* ---- What it was started with --------------------------------------------------------------------------- */

enum range { RANGE_ARGUMENTS, RANGE_ENVIRONMENT, RANGE_AUXILIARY };

static void find_range(const struct shared_space *m, enum range which, vaddr_t *from, vaddr_t *end)
{
    const vaddr_t ranges[][2] = {
        [RANGE_ARGUMENTS]   = { m->argument_start, m->argument_end },
        [RANGE_ENVIRONMENT] = { m->environment_start, m->environment_end },
        [RANGE_AUXILIARY]   = { m->auxiliary_start, m->auxiliary_end },
    };

    *from = ranges[which][0];
    *end  = ranges[which][1];
}

static int add_range(struct text *text, struct proc_node *node, enum range which)
{
    struct process      *p = proc_process(node);
    struct shared_space *m = p != NULL ? p->memory : NULL;
    vaddr_t              at, end;
    char                 piece[PIECE];

    if (p == NULL)
        return -ESRCH;
    if (m == NULL)
        return 0;
    memory_hold(m);
    find_range(m, which, &at, &end);
    while (at < end && !text->failed) {
        size_t part = end - at < PIECE ? end - at : PIECE, got = proc_read_space(&m->space, at, piece, part);

        text_add_bytes(text, piece, got);
        at += got;
        if (got < part)
            break;
    }
    memory_release(m);
    return 0;
}

/* The vector that exec has put on the stack. */
static int write_auxiliary(struct text *text, struct proc_node *node) { return add_range(text, node, RANGE_AUXILIARY); }

static int write_arguments(struct text *text, struct proc_node *node)
{
    return add_range(text, node, RANGE_ARGUMENTS);
}
static int write_environment(struct text *text, struct proc_node *node)
{
    return add_range(text, node, RANGE_ENVIRONMENT);
}

static int write_name(struct text *text, struct proc_node *node)
{
    const struct process *p = proc_process(node);

    if (p == NULL)
        return -ESRCH;
    text_add(text, "%s\n", process_name_of(p, thread_of(node, p)));
    return 0;
}

/* Of a thread of one's own process. A line's end belongs to the name, as on Linux. */
static int store_name(struct proc_node *node, const char *bytes)
{
    struct process *p = proc_process(node);
    struct thread  *t = p != NULL ? (struct thread *)thread_of(node, p) : NULL;

    if (t == NULL)
        return -ESRCH;
    if (p != current_process())
        return -EINVAL;
    text_copy(t->name, bytes, sizeof t->name);
    if (t->id == p->id)
        memcpy(p->name, t->name, sizeof p->name);
    return 0;
}

/* ---- Mounts ------------------------------------------------------------------------------------------------ */

static void add_mount_flags(struct text *text, const struct file_system *system)
{
    static const struct { uint32_t flag; const char *word; } words[] = {
        { MOUNT_SYNC, ",sync" }, { MOUNT_NO_SUID, ",nosuid" }, { MOUNT_NO_DEVICES, ",nodev" },
        { MOUNT_NO_EXECUTE, ",noexec" }, { MOUNT_NO_ACCESS_TIME, ",noatime" },
        { MOUNT_NO_FOLDER_ACCESS_TIME, ",nodiratime" },
    };

    for (unsigned i = 0; i < COUNT_OF(words); i++)
        if (system->flags & words[i].flag)
            text_add(text, "%s", words[i].word);
    if (!(system->flags & MOUNT_NO_ACCESS_TIME))
        text_add(text, ",relatime");
}

static void add_mount_point(struct text *text, struct file_system *system)
{
    char *path = heap_alloc(PATH_ROOM, 0);

    if (path == NULL) {
        text->failed = true;
        return;
    }
    if (path_of(current_process()->fs, system->root, path, PATH_ROOM) >= 0)
        text_add_escaped(text, path, " \t\n\\");
    else
        text_add(text, "/");
    heap_free(path);
}

static void add_source(struct text *text, const struct file_system *system)
{
    text_add_escaped(text, system->source, " \t\n\\#");
}

static int write_mounts(struct text *text, struct proc_node *node __attribute__((unused)))
{
    for (struct file_system *system = systems_mounted; system != NULL; system = system->next) {
        add_source(text, system);
        text_add_literal(text, " ");
        add_mount_point(text, system);
        text_add(text, " %s %s", system->type, system->flags & MOUNT_READ_ONLY ? "ro" : "rw");
        add_mount_flags(text, system);
        text_add(text, " 0 0\n");
    }
    return 0;
}

static int write_mount_names(struct text *text, struct proc_node *node __attribute__((unused)))
{
    for (struct file_system *system = systems_mounted; system != NULL; system = system->next) {
        text_add_literal(text, "device ");
        add_source(text, system);
        text_add_literal(text, " mounted on ");
        add_mount_point(text, system);
        text_add(text, " with fstype %s\n", system->type);
    }
    return 0;
}

static int write_mount_facts(struct text *text, struct proc_node *node __attribute__((unused)))
{
    for (struct file_system *system = systems_mounted; system != NULL; system = system->next) {
        text_add(text, "%u %u 0:%u / ", (unsigned)system->device,
                 system->covers != NULL ? (unsigned)system->covers->system->device : 0u, (unsigned)system->device);
        add_mount_point(text, system);
        text_add(text, system->flags & MOUNT_READ_ONLY ? " ro" : " rw");
        add_mount_flags(text, system);
        text_add(text, " - %s ", system->type);
        add_source(text, system);
        text_add(text, system->flags & MOUNT_READ_ONLY ? " ro\n" : " rw\n");
    }
    return 0;
}

/* ---- Links ---------------------------------------------------------------------------------------------------- */

static struct node *hold_node(struct node *node)
{
    if (node != NULL)
        node_hold(node);
    return node;
}

static struct node *executable_of(struct proc_node *node)
{
    const struct process *p = proc_process(node);

    return p != NULL && p->memory != NULL ? hold_node(p->memory->executable) : NULL;
}

static struct node *folder_of(struct proc_node *node)
{
    const struct process *p = proc_process(node);

    return p != NULL && p->fs != NULL ? hold_node(p->fs->here) : NULL;
}

static struct node *root_of(struct proc_node *node)
{
    const struct process *p = proc_process(node);

    return p != NULL && p->fs != NULL ? hold_node(p->fs->root) : NULL;
}

static struct node *node_of_link(const struct proc_node *node, uint32_t *flags)
{
    const struct process *p = proc_process(node);

    return p != NULL && p->files != NULL ? descriptor_node(p->files, node->descriptor, flags) : NULL;
}

static struct node *descriptor_of(struct proc_node *node)
{
    uint32_t flags;

    return node_of_link(node, &flags);
}

uint32_t proc_descriptor_mode(const struct proc_node *node)
{
    static const uint16_t modes[O_ACCMODE + 1] = { [O_RDONLY] = 0500, [O_WRONLY] = 0300, [O_RDWR] = 0700 };
    uint32_t              flags;
    struct node          *target = node_of_link(node, &flags);

    if (target == NULL)
        return S_LINK;
    node_release(target);
    return S_LINK | (flags & O_PATH ? 0 : modes[flags & O_ACCMODE]);
}

/* ---- The folders ------------------------------------------------------------------------------------------ */

#define PROC_FILE(name_, text_)  { .name = name_, .mode = S_REGULAR | 0444, .text = text_ }
#define PROC_LINK(name_, where)  { .name = name_, .mode = S_LINK | 0777, .target = where }

static const struct proc_entry nothing[] = { { .name = NULL } };

#define PROC_OWN(name_, text_)               { .name = name_, .mode = S_REGULAR | 0400, .text = text_ }
#define PROC_STORED(name_, text_, store_)    { .name = name_, .mode = S_REGULAR | 0644, .text = text_, .store = store_ }
#define PROC_MOVED(name_, rights, move_)     { .name = name_, .mode = S_REGULAR | (rights), .move = move_ }

#define OF_THREAD                                                                                                      \
    PROC_FILE("stat", write_stat), PROC_FILE("statm", write_statm), PROC_FILE("status", write_status),                 \
    PROC_FILE("cmdline", write_arguments), PROC_OWN("environ", write_environment), PROC_OWN("auxv", write_auxiliary),  \
    PROC_FILE("maps", proc_maps), PROC_FILE("smaps", proc_smaps), PROC_FILE("smaps_rollup", proc_smaps_rollup),        \
    PROC_MOVED("mem", 0600, proc_move_memory), PROC_MOVED("pagemap", 0400, proc_move_pagemap),                         \
    PROC_OWN("io", proc_write_moved), PROC_FILE("limits", proc_write_limits), PROC_FILE("mounts", write_mounts),       \
    PROC_FILE("mountinfo", write_mount_facts),                                                                         \
    PROC_OWN("mountstats", write_mount_names), PROC_FILE("oom_score", proc_write_score),                               \
    PROC_STORED("oom_score_adj", proc_write_adjust, proc_store_adjust),                                                \
    PROC_STORED("oom_adj", proc_write_old_adjust, proc_store_old_adjust), PROC_STORED("comm", write_name, store_name), \
    PROC_FILE("loginuid", proc_write_no_id), PROC_FILE("sessionid", proc_write_no_id),                                 \
    PROC_FILE("wchan", proc_write_wait),                                                                               \
    PROC_FILE("uid_map", proc_write_id_map), PROC_FILE("gid_map", proc_write_id_map),                                  \
    PROC_FILE("setgroups", proc_write_setgroups), PROC_FILE("cgroup", proc_write_groups),                              \
    PROC_LINK("exe", executable_of), PROC_LINK("cwd", folder_of), PROC_LINK("root", root_of),                          \
    { .name = "ns", .mode = S_FOLDER | 0511, .children = proc_space_entries },                                         \
    { .name = "fdinfo", .mode = S_FOLDER | 0555, .children = nothing },                                                \
    { .name = "fd", .mode = S_FOLDER | 0500, .children = nothing }

static const struct proc_entry task_entries[]    = { OF_THREAD, { .name = NULL } };
static const struct proc_entry process_entries[] = {
    OF_THREAD, { .name = "task", .mode = S_FOLDER | 0555, .children = nothing }, { .name = NULL },
};

const struct proc_entry proc_process_entry    = { .mode = S_FOLDER | 0555, .children = process_entries };
const struct proc_entry proc_task_entry       = { .mode = S_FOLDER | 0555, .children = task_entries };
const struct proc_entry proc_descriptor_entry = { .mode = S_LINK | 0700, .target = descriptor_of };
