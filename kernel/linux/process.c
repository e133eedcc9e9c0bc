/*
 * process.c - fork, vfork, clone, exec, exit, wait, and the numbers of processes and groups.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/path/path.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "memory/heap/heap.h"
#include "process/family.h"
#include "programs/image.h"
#include "process/process.h"
#include "linux/abi.h"

enum { CLONE_VM = 0x100, CLONE_VFORK = 0x4000, CLONE_SIGNAL = 0xFF };

/* ---- Beginning ------------------------------------------------------------------------------ */

SYSTEM_CALL(fork)
{
    struct clone_request request = { .exit_signal = SIGCHLD };

    return process_clone(&request);
}

SYSTEM_CALL(vfork)
{
    struct clone_request request = { .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };

    return process_clone(&request);
}

SYSTEM_CALL(clone, uintptr_t, flags, user_t, stack, user_t, parent_tid, user_t, tls, user_t, child_tid)
{
    struct clone_request request = {
        .flags = flags & ~(uintptr_t)CLONE_SIGNAL, .exit_signal = (int)(flags & CLONE_SIGNAL),
        .stack = stack, .parent_tid = parent_tid, .tls = tls, .child_tid = child_tid,
    };

    return process_clone(&request);
}

/* struct clone_args: its three sizes so far, and the number of words that clone3() knows. */
enum { CLONE_FLAGS, CLONE_PIDFD_AT, CLONE_CHILD_TID, CLONE_PARENT_TID, CLONE_EXIT_SIGNAL, CLONE_STACK, CLONE_STACK_SIZE,
       CLONE_TLS, CLONE_SET_TID, CLONE_SET_TID_SIZE, CLONE_CGROUP, CLONE_WORDS };
enum { CLONE_LEAST = 64, CLONE_SIGHAND = 0x800, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x10000,
       CLONE_DETACHED = 0x400000 };
#define CLONE_CLEAR_SIGHAND 0x100000000ull

static bool clone_makes_sense(const uint64_t word[CLONE_WORDS])
{
    uint64_t flags = word[CLONE_FLAGS], handlers = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND;

    return !(flags & (CLONE_DETACHED | CLONE_SIGNAL)) && (flags & handlers) != handlers &&
           word[CLONE_EXIT_SIGNAL] <= SIGNALS &&
           (!(flags & (CLONE_THREAD | CLONE_PARENT)) || word[CLONE_EXIT_SIGNAL] == 0) &&
           (word[CLONE_STACK] == 0) == (word[CLONE_STACK_SIZE] == 0) && word[CLONE_STACK] <= UINTPTR_MAX &&
           word[CLONE_STACK_SIZE] <= UINTPTR_MAX &&
           user_range((user_t)word[CLONE_STACK], (size_t)word[CLONE_STACK_SIZE]) &&
           word[CLONE_SET_TID] == 0 && word[CLONE_SET_TID_SIZE] == 0;
}

/* Chosen numbers of threads (set_tid) and control groups are not implemented. */
SYSTEM_CALL(clone3, user_t, arguments, size_t, bytes)
{
    uint64_t             word[CLONE_WORDS];
    struct clone_request request;
    int                  err = bytes < CLONE_LEAST ? -EINVAL : structure_in(word, sizeof word, arguments, bytes);

    if (err != 0)
        return err;
    if (!clone_makes_sense(word))
        return -EINVAL;
    request = (struct clone_request){
        .flags = word[CLONE_FLAGS], .exit_signal = (int)word[CLONE_EXIT_SIGNAL],
        .stack = (vaddr_t)(word[CLONE_STACK] + word[CLONE_STACK_SIZE]), .parent_tid = (vaddr_t)word[CLONE_PARENT_TID],
        .child_tid = (vaddr_t)word[CLONE_CHILD_TID], .tls = (vaddr_t)word[CLONE_TLS],
    };
    return process_clone(&request);
}

enum { TOLD_LONGEST = PATH_LONGEST + 20 };

/* Name a program whose path begins at a descriptor by a path in /dev/fd, which a script's interpreter can open. */
static int tell_program_name(struct program_name *program, int folder, char **made)
{
    const char *path;

    deep_assert(program != NULL);
    path = program->path;
    *made = NULL;
    program->name = path;
    if (path[0] == '/' || folder == AT_FDCWD)
        return 0;
    program->name = *made = heap_alloc(TOLD_LONGEST, 0);
    if (*made == NULL)
        return -ENOMEM;
    format_text(*made, TOLD_LONGEST, "/dev/fd/%d%s%s", folder, path[0] != '\0' ? "/" : "", path);
    program->closes = descriptor_flag(current_process()->files, folder) == 1;
    return 0;
}

static int execute_named(struct named *named, int folder, unsigned flags, struct image_arguments *arguments)
{
    struct program_name program = { .flags = (flags & AT_SYMLINK_NOFOLLOW ? PATH_NO_FOLLOW : 0) |
                                             (flags & AT_EMPTY_PATH ? PATH_EMPTY_IS_START : 0) };
    char               *made;
    int                 err;

    deep_assert(named != NULL && arguments != NULL);
    err = named_start(named, folder);
    if (err != 0)
        return err;
    program.path  = named->path;
    program.start = named->start;
    err = tell_program_name(&program, folder, &made);
    if (err == 0) {
        arguments->path = program.name;
        err = process_execute_arguments(&program, arguments);
    }
    heap_free(made);
    if (named->start != NULL)
        node_release(named->start);
    return err;
}

/* Checked in Linux's order: the path, the arguments, the flags, then the file. */
static long execute_path(int folder, user_t path, user_t argument_vector, user_t environment_vector, unsigned flags)
{
    struct image_arguments arguments = { 0 };
    struct named           named;
    int                    err = text_in(path, &named.path);

    if (err != 0)
        return err;
    if (named.path[0] == '\0' && !(flags & AT_EMPTY_PATH))
        err = -ENOENT;
    if (err == 0)
        err = image_collect(&arguments, argument_vector, environment_vector);
    if (err == 0 && (flags & ~(uintptr_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        err = -EINVAL;
    if (err == 0)
        err = execute_named(&named, folder, flags, &arguments);
    image_free(&arguments);
    heap_free(named.path);
    return err;
}

SYSTEM_CALL(execve, user_t, path, user_t, arguments, user_t, environment)
{
    return execute_path(AT_FDCWD, path, arguments, environment, 0);
}

SYSTEM_CALL(execveat, int, folder, user_t, path, user_t, arguments, user_t, environment, int, flags)
{
    return execute_path(folder, path, arguments, environment, flags);
}

/* ---- Ending ------------------------------------------------------------------------------------ */

SYSTEM_CALL(exit, int, status) { thread_exit(status); }
SYSTEM_CALL(exit_group, int, status) { process_exit_group((int)(status & 0xFF) << 8); }

static int write_usage(user_t to, const struct wait_result *result)
{
    struct linux_usage usage;

    deep_assert(result != NULL);
    usage_encode(&usage, &result->usage);
    return user_write(to, &usage, sizeof usage);
}

enum { WAIT4_OPTIONS = 1 | 2 | 8 | 0x20000000 | 0x40000000 };
#define WAIT_CLONE 0x80000000u

static long wait_for_child(int32_t which, user_t status, uint32_t options, user_t usage)
{
    struct wait_result result;
    int                id;

    if (options & ~(WAIT4_OPTIONS | WAIT_CLONE))
        return -EINVAL;
    if (which == INT32_MIN)
        return -ESRCH;
    id = process_wait(which, (int)options, &result);
    if (id <= 0)
        return id;
    if ((status != 0 && user_write(status, &result.status, sizeof result.status) != 0) ||
        (usage != 0 && write_usage(usage, &result) != 0))
        return -EFAULT;
    return id;
}

SYSTEM_CALL(wait4, int32_t, which, user_t, status, uint32_t, options, user_t, usage)
{
    return wait_for_child(which, status, options, usage);
}

SYSTEM_CALL(waitpid, int32_t, which, user_t, status, uint32_t,
            options) { return wait_for_child(which, status, options, 0); }

enum { P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3, WNOHANG = 1, WSTOPPED = 2, WEXITED = 4, WCONTINUED = 8,
       WNOWAIT = 0x1000000 };

static struct signal_info info_of_wait(const struct wait_result *r)
{
    struct signal_info info = { .number = SIGCHLD };

    deep_assert(r != NULL);
    info.sender = r->id;
    info.uid    = r->uid;
    if (r->status == 0xFFFF) {
        info.code   = 6;
        info.status = SIGCONT;
    } else if ((r->status & 0xFF) == 0x7F) {
        info.code   = 5;
        info.status = r->status >> 8 & 0xFF;
    } else if ((r->status & 0x7F) == 0) {
        info.code   = 1;
        info.status = r->status >> 8 & 0xFF;
    } else {
        info.code   = r->status & 0x80 ? 3 : 2;
        info.status = r->status & 0x7F;
    }
    return info;
}

SYSTEM_CALL(waitid, unsigned, kind, int32_t, number, user_t, info_at, int, options, user_t, usage)
{
    int32_t            which   = kind == P_ALL ? -1 : number;
    struct wait_result result;
    uint32_t           info[SIGNAL_INFO_BYTES / 4] = { 0 };
    int                id;

    enum { WORDS_FILLED = 6 };                      /* si_signo to si_status: the rest of the program's stays */

    if ((options & ~(WNOHANG | WSTOPPED | WEXITED | WCONTINUED | WNOWAIT | 0x60000000 | WAIT_CLONE)) ||
        !(options & (WSTOPPED | WEXITED | WCONTINUED)) || kind > P_PIDFD)
        return -EINVAL;
    if (kind == P_PIDFD)
        return which < 0 ? -EINVAL : -EBADF;        /* no descriptor is one of kind process */
    if ((kind == P_PID && which <= 0) || (kind == P_PGID && which < 0))
        return -EINVAL;
    if (kind == P_PGID)
        which = which == 0 ? 0 : -which;
    id = process_wait(which, (options & ~WEXITED) | (options & WEXITED ? 0 : WAIT_NO_EXITED), &result);
    if (id < 0)
        return id;
    if (id > 0) {
        struct signal_info told = info_of_wait(&result);

        signal_info_encode(info, &told);
    }
    if ((id > 0 && usage != 0 && write_usage(usage, &result) != 0) ||
        (info_at != 0 && user_write(info_at, info, WORDS_FILLED * sizeof info[0]) != 0))
        return -EFAULT;
    return 0;
}

/* ---- Numbers --------------------------------------------------------------------------------------- */

SYSTEM_CALL(getpid) { return current_process()->id; }
SYSTEM_CALL(gettid) { return current_thread()->id; }

SYSTEM_CALL(getppid)
{
    const struct process *parent = current_process()->parent;

    return parent != NULL ? parent->id : 0;
}

SYSTEM_CALL(getpgrp) { return current_process()->group; }

/* The process that a number means: 0 is the caller. process_lock is held. */
static struct process *process_named(int32_t id) { return id == 0 ? current_process() : process_numbered(id); }

SYSTEM_CALL(getpgid, int32_t, id)
{
    lock_state            state = lock_take(&process_lock);
    const struct process *p     = process_named(id);
    long                  group = p != NULL ? p->group : -ESRCH;

    lock_drop(&process_lock, state);
    return group;
}

SYSTEM_CALL(getsid, int32_t, id)
{
    lock_state            state   = lock_take(&process_lock);
    const struct process *p       = process_named(id);
    long                  session = p != NULL ? p->session : -ESRCH;

    lock_drop(&process_lock, state);
    return session;
}

SYSTEM_CALL(setpgid, int32_t, id, int32_t, group) { return process_set_group(id, group); }
SYSTEM_CALL(setsid) { return process_new_session(); }

SYSTEM_CALL(set_tid_address, user_t, address)
{
    current_thread()->clear_at_exit = address;
    return current_thread()->id;
}

enum { ROBUST_HEAD = 12 };

SYSTEM_CALL(set_robust_list, user_t, head, size_t, bytes)
{
    if (bytes != ROBUST_HEAD)
        return -EINVAL;
    current_thread()->robust_list = head;
    return 0;
}

SYSTEM_CALL(get_robust_list, int32_t, id, user_t, head, user_t, bytes)
{
    struct thread *thread = id == 0 ? current_thread() : thread_find(id);
    uint32_t       words[2];

    if (thread == NULL)
        return -ESRCH;
    if (!may_look_into(thread->process))
        return -EPERM;
    words[0] = (uint32_t)thread->robust_list;
    words[1] = ROBUST_HEAD;
    return user_write(bytes, &words[1], 4) != 0 || user_write(head, &words[0], 4) != 0 ? -EFAULT : 0;
}

SYSTEM_CALL(set_thread_area, user_t, description)
{
    struct tls_request request;
    int                err = user_read(&request, description, sizeof request);

    if (err == 0)
        err = thread_set_tls(current_thread(), &request);
    return err != 0 ? err : user_write(description, &request.entry, sizeof request.entry);
}

SYSTEM_CALL(get_thread_area, user_t, description)
{
    struct tls_request request;
    int                err = user_read(&request, description, sizeof request);

    if (err == 0)
        err = thread_get_tls(current_thread(), &request);
    return err != 0 ? err : user_write(description, &request, sizeof request);
}
