/*
 * builtin.c - running applications that are linked into the image. See builtin.h.
 */
#include "layouts/firmware/builtin.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "files/core/descriptor.h"
#include "files/core/file.h"
#include "layouts/firmware/shared.h"
#include "linux/calls.h"
#include "memory/heap/heap.h"
#include "memory/spaces/map.h"
#include "process/family.h"
#include "process/abi.h"

/* ---- Output --------------------------------------------------------------------------------- */

enum { LINE = 128, DESCRIPTORS = 8, PIPE_MAGIC = 0x50495045 };

/* Never freed. */
static struct output {
    struct file_system system;
    struct node        node;
} *output;

void (*builtin_watch)(struct builtin *builtin);

/* Write to the kernel's console. */
static long write_output(struct file *file, struct buffer *from, uint64_t at)
{
    char text[LINE + 1];
    long done = 0;

    (void)file, (void)at;
    while (from->bytes > 0) {
        size_t part = from->bytes < LINE ? from->bytes : LINE, got = buffer_get(from, text, part);

        text[got] = '\0';
        if (!builtin_is_quiet())
            print("%s", text);
        done += (long)got;
        if (got < part)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

static const struct node_operations output_operations = { .traits = NODE_STREAM, .write = write_output };

static int open_output(struct process *process)
{
    struct file *file;
    int          err;

    process->files = files_new();
    if (process->files == NULL)
        return -ENOMEM;
    node_hold(&output->node);
    file = file_make(&output->node, &output_operations, O_WRONLY);
    if (file == NULL) {
        node_release(&output->node);
        return -ENOMEM;
    }
    err = descriptor_add(process->files, file, 1, false, DESCRIPTORS);
    if (err < 0)
        file_release(file);
    return err < 0 ? err : 0;
}

/* ---- Starting ------------------------------------------------------------------------------- */

/* Start the parts of the kernel that programs need, once, as init_run() does for Linux programs. */
static int prepare_kernel(void)
{
    if (output != NULL)
        return 0;
    output = heap_keep(sizeof *output);
    if (output == NULL)
        return -ENOMEM;
    threads_start();
    programs_start();
    schedule_start();
    clock_start();
    system_start(&output->system, "output", PIPE_MAGIC);
    node_start(&output->node, &output_operations, &output->system, S_CHARACTER | 0200);
    return 0;
}

/* The stack of app_begin(): no return address, and its arguments. */
struct first_words {
    uint32_t             back;
    uint32_t             main;
    struct app_arguments arguments;
};

/*
 * The address of this stack, below the shared variables: as after a call, the arguments lie on a border of 16 bytes.
 */
static vaddr_t first_stack(const struct application *fs)
{
    vaddr_t arguments = fs->shared - sizeof(struct first_words) + sizeof(uint32_t);

    return round_down(arguments, 16) - sizeof(uint32_t);
}

/* Make the process and its thread, whose registers are those of a program's first instruction. */
static void builtin_begin(void)
{
    struct thread        *self    = current_thread();
    const struct builtin *builtin = self->process->builtin;

    registers_start(thread_frame(self), (vaddr_t)(uintptr_t)app_begin, first_stack(&builtin->place));
    registers_set_shared(self, thread_frame(self), shared_distance(builtin->place.shared));
}

static int fill_memory(struct shared_space *memory, const struct builtin *builtin)
{
    const struct first_words words = { 0, (uint32_t)(uintptr_t)builtin->app->main, builtin->arguments };
    uint32_t base  = (uint32_t)shared_distance(builtin->place.shared);
    int      err   = application_map(&memory->space, &builtin->place);

    if (err == 0)
        err = user_write_in(&memory->space, (vaddr_t)&app_base + base, &base, sizeof base);
    if (err == 0)
        err = user_write_in(&memory->space, first_stack(&builtin->place), &words, sizeof words);
    return err == -EFAULT ? -ENOMEM : err;
}

static int make_process(struct builtin *builtin, struct thread **thread)
{
    struct process *process = builtin->process;
    int             err;

    process->builtin = builtin;
    for (unsigned i = 0; i < LIMITS; i++)
        process->limits[i] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    text_copy(process->name, builtin->app->name, sizeof process->name);
    process->memory  = memory_new();
    process->actions = actions_new(NULL);
    if (process->memory == NULL || process->actions == NULL)
        return -ENOMEM;
    err = open_output(process);
    if (err == 0)
        err = fill_memory(process->memory, builtin);
    if (err == 0)
        err = thread_new(process, thread);
    return err;
}

int builtin_start(struct builtin *builtin, const struct app *app, struct app_arguments arguments)
{
    struct thread *thread = NULL;
    bool           quiet  = builtin->quiet;
    int            err    = prepare_kernel();

    if (err != 0)
        return err;
    *builtin = (struct builtin){
        .app = app, .arguments = arguments, .quiet = quiet,
        .place = application_place(app->heap_pages, app->stack_pages), .process = process_new(),
    };
    if (builtin->process == NULL)
        return -ENOMEM;
    err = make_process(builtin, &thread);
    if (err == 0 && (err = process_enlist(builtin->process, NULL, NULL)) == 0 && (err = thread_enlist(thread)) != 0) {
        lock_state state = lock_take(&process_lock);

        process_delist(builtin->process);
        lock_drop(&process_lock, state);
    }
    if (err != 0) {
        if (thread != NULL)
            thread_free(thread);
        process_let_go(builtin->process);
        process_free(builtin->process);
        builtin->process = NULL;
        return err;
    }
    builtin->id = builtin->process->group = builtin->process->session = builtin->process->id;
    text_copy(thread->name, app->name, sizeof thread->name);
    thread_prepare_inside(thread, builtin_begin);
    if (builtin_watch != NULL)
        builtin_watch(builtin);
    schedule_add(thread);
    return 0;
}

void builtin_give_way(void)
{
    unsigned long interrupts = interrupts_off();

    assert(current_thread()->process == NULL);          /* the boot stack's thread */
    if (schedule_ready() == 0)
        cpu_wait();
    interrupts_restore(interrupts);
    schedule();
}

void builtin_wait(struct builtin *builtin)
{
    while (builtin->process != NULL || schedule_ready() > 0)
        builtin_give_way();
}

void builtin_kill(struct builtin *builtin)
{
    struct signal_info kill = { .number = SIGKILL };

    if (builtin->process != NULL)
        signal_process(builtin->process, &kill);
}

/* ---- While it runs, and the end ------------------------------------------------------------- */

bool builtin_may_call(uint32_t number)
{
    static const linux_call few[] = { sys_exit, sys_exit_group,  sys_write,    sys_getpid,
                                      sys_brk,  sys_sched_yield, sys_nanosleep };

    if (current_process()->builtin == NULL)
        return true;
    for (unsigned i = 0; i < COUNT_OF(few); i++)
        if (number < linux_table_size && linux_table[number] == few[i])
            return true;
    return false;
}

bool builtin_is_quiet(void)
{
    const struct process *process = current_process();

    return process != NULL && process->builtin != NULL && process->builtin->quiet;
}

/* The pages of the region that begins or ends there, before the process is taken apart. */
static void builtin_measure(struct builtin *builtin, struct space *space)
{
    lock_state           state = space_look(space);
    const struct region *stack = region_find(&space->map, builtin->place.stack.end - 1);

    builtin->stack_pages = stack != NULL ? span_pages(stack->span) : 0;
    builtin->tables      = space->table_frames;
    builtin->heap_pages  = (size_t)(space->limits.break_end - space->limits.break_start + PAGE_SIZE - 1) / PAGE_SIZE;
    space_look_end(space, state);
}

void builtin_note_end(struct process *process)
{
    if (process->builtin != NULL)
        builtin_measure(process->builtin, &process->memory->space);
}

void builtin_ended(struct process *process)
{
    struct builtin *builtin = process->builtin;

    if (builtin == NULL)
        return;
    builtin->status  = process->exit_status;
    builtin->process = NULL;
}

void builtin_note_reason(const char *reason)
{
    struct builtin *builtin = current_process()->builtin;

    if (builtin != NULL)
        text_copy(builtin->reason, reason, sizeof builtin->reason);
}

const struct app *builtin_find(const char *name)
{
    for (uint32_t i = 0; i < app_count; i++)
        if (strcmp(apps[i].name, name) == 0)
            return &apps[i];
    return NULL;
}
