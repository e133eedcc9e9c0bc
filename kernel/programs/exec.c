/*
 * exec.c - a new program in a process. See image.h.
 *
 * The new space is built whole while the old one is still in use; only when nothing can fail any more
 * does the process change over, and the old program is gone.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "files/core/descriptor.h"
#include "files/path/path.h"
#include "memory/heap/heap.h"
#include "memory/spaces/user.h"
#include "programs/elf.h"
#include "process/family.h"
#include "programs/image.h"
#include "process/abi.h"

/* personality(2): the new program runs as one of Linux, whatever the old one had set; the flags stay. */
#define PERSONALITY_FLAGS 0xFFFFFF00u

enum { SCRIPT_DEPTH = 5, SCRIPT_LINE = 256 };

/* ---- Opening what is to be run ------------------------------------------------------------ */

int program_open(struct node *start, const char *path, unsigned flags, struct file **out)
{
    struct file *file;
    int          err = path_open_program(current_process()->fs, start, path, flags, &file);

    if (err != 0)
        return err;
    if (file->node->operations->object == NULL)
        err = -EACCES;
    else if (node_never_executes(file->node))
        err = -EACCES;
    else
        err = file_run(file);
    if (err != 0) {
        file_release(file);
        return err;
    }
    *out = file;
    return 0;
}

/* ---- Scripts --------------------------------------------------------------------------------- */

/* "#!interpreter argument": the rest of the line is one argument. Returns 1 for a script, 0 for none. */
static int read_script(struct file *file, char line[SCRIPT_LINE], char **interpreter, char **argument)
{
    struct buffer buffer = { .kernel = true, .memory = line, .bytes = SCRIPT_LINE - 1 };
    long          got    = file_read_at(file, &buffer, 0);
    char         *end, *at;

    if (got < 2 || line[0] != '#' || line[1] != '!')
        return 0;
    line[got] = '\0';
    end = strchr(line, '\n');
    if (end == NULL && got == SCRIPT_LINE - 1)
        return -ENOEXEC;
    if (end == NULL)
        end = line + got;
    while (end > line + 2 && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    for (at = line + 2; *at == ' ' || *at == '\t'; at++)
        ;
    if (*at == '\0')
        return -ENOEXEC;
    *interpreter = at;
    while (*at != '\0' && *at != ' ' && *at != '\t')
        at++;
    *argument = NULL;
    if (*at != '\0') {
        *at++ = '\0';
        while (*at == ' ' || *at == '\t')
            at++;
        *argument = at;
    }
    return 1;
}

/* Replace the program by its script's interpreter, as often as that is a script again. */
static int follow_scripts(const struct program_name *program, struct file **file, struct image_arguments *arguments)
{
    for (unsigned depth = 0; ; depth++) {
        char         line[SCRIPT_LINE];
        char        *interpreter, *argument;
        struct file *next;
        int          err = read_script(*file, line, &interpreter, &argument);

        if (err <= 0)
            return err;
        if (program->closes)
            return -ENOENT;
        if (depth == SCRIPT_DEPTH)
            return -ELOOP;
        err = image_script(arguments, interpreter, argument);
        if (err == 0)
            err = program_open(NULL, interpreter, 0, &next);
        if (err != 0)
            return err;
        file_release(*file);
        *file = next;
    }
}

/* ---- Descriptors --------------------------------------------------------------------------------- */

/*
 * Copy a table of descriptors that other processes share, whose descriptors exec must not close. A thread that is being
 * ended may still share the table with a new process, so with several threads a copy is made, too. NULL in *out: no
 * copy is needed.
 */
static int copy_descriptors(const struct process *process, struct files **out)
{
    *out = NULL;
    if (files_are_own(process->files) && process->thread_count == 1)
        return 0;
    *out = files_copy(process->files);
    return *out != NULL ? 0 : -ENOMEM;
}

/* Release the table that is not needed: an unused copy, or this process's reference to the old table. */
static void take_descriptors(struct process *process, struct files *copy)
{
    struct files *unused = copy;

    assert(copy == NULL || files_are_own(copy));
    if (copy != NULL && !files_are_own(process->files)) {
        lock_state state = lock_take(&process_lock);

        unused         = process->files;
        process->files = copy;
        lock_drop(&process_lock, state);
    }
    if (unused != NULL)
        files_release(unused);
    files_close_on_exec(process->files);
}

/* ---- The change-over: nothing here can fail ----------------------------------------------------- */

static void name_process(struct process *process, const char *path)
{
    const char *slash = strrchr(path, '/');

    text_copy(process->name, slash != NULL ? slash + 1 : path, sizeof process->name);
    memcpy(current_thread()->name, process->name, sizeof process->name);
}

/* Move the thread to the new memory, with its stack. */
static void move_thread(struct thread *self, struct shared_space *memory, const struct stack *there)
{
    struct shared_space *old = self->stack_memory;

    self->process->memory = memory;
    memory_hold_tables(self->stack_memory = memory);
    stack_move(&memory->space, &self->stack, there);
    self->stack = *there;
    memory_release_tables(old);
}

static void change_program(struct shared_space *memory, const struct stack *there, struct signal_actions *actions,
                           struct files *files, struct credentials *credentials, const struct image *image)
{
    struct thread       *self    = current_thread();
    struct process      *process = self->process;
    struct shared_space *old     = process->memory;
    lock_state           state;

    assert(process->thread_count == 1 && memory->references == 1 && actions->references == 1);
    process->has_executed = true;
    process->exit_signal  = SIGCHLD;
    process->personality &= PERSONALITY_FLAGS;
    usage_keep_peak(process);
    thread_leave_memory(self);
    move_thread(self, memory, there);
    memory->dumpable = credentials->user.real == credentials->user.effective &&
                       credentials->group.real == credentials->group.effective;
    credentials_take(credentials);              /* in the new memory: what lent us the old one is not concerned */
    process_timers_clear(process);
    actions_forget_handlers(actions);
    actions_release(process->actions);
    process->actions = actions;
    take_descriptors(process, files);
    thread_reset_state();
    self->alternate_stack = self->alternate_size = self->alternate_flags = 0;
    memory_release(old);
    state = lock_take(&process_lock);
    process_return_memory(process);
    lock_drop(&process_lock, state);
    registers_start(thread_frame(self), image->entry, image->stack);
}

/* End the other threads of a program that has several; the caller becomes the only one, and the process's first. */
static int end_other_threads(struct process *process)
{
    return process->thread_count > 1 || current_thread()->id != process->id ? thread_stay_alone() : 0;
}

int process_execute_arguments(const struct program_name *program, struct image_arguments *arguments)
{
    struct process        *process = current_process();
    struct signal_actions *actions = NULL;
    struct shared_space   *memory  = NULL;
    struct files          *files   = NULL;
    struct credentials    *credentials = NULL;
    struct image           image;
    struct stack           there;
    struct file           *file;
    int                    err = program_open(program->start, program->path, program->flags, &file);

    if (err != 0)
        return err;
    err = follow_scripts(program, &file, arguments);
    if (err == 0 && (memory = memory_new()) == NULL)
        err = -ENOMEM;
    if (err == 0 && (actions = actions_new(process->actions)) == NULL)
        err = -ENOMEM;
    if (err == 0)
        err = copy_descriptors(process, &files);
    if (err == 0)
        err = credentials_after_exec(&credentials);
    if (err == 0)
        err = image_build(memory, file, program->name, arguments, &image);
    if (err == 0)
        err = stack_follow(&memory->space, &current_thread()->stack, &there);
    if (err == 0 && (err = end_other_threads(process)) != 0)
        stack_stay(&current_thread()->stack, &there);
    if (err == 0) {
        change_program(memory, &there, actions, files, credentials, &image);
        name_process(process, program->name);
    } else {
        if (actions != NULL)
            actions_release(actions);
        credentials_release(credentials);
        if (files != NULL)
            files_release(files);
        if (memory != NULL)
            memory_release(memory);
    }
    file_release(file);
    return err;
}
