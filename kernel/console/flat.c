/*
 * flat.c - processes of the built-in programs, populated before they run.
 */
#include "console/flat.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/range.h"
#include "base/string.h"
#include "console/console.h"
#include "files/core/descriptor.h"
#include "files/core/file.h"
#include "files/path/path.h"
#include "files/root/root.h"
#include "memory/spaces/map.h"
#include "process/family.h"
#include "process/abi.h"

enum { STACK_PAGES = 1, DESCRIPTORS = 64, CHUNK_PAGES = 1024, CONSOLE_CHUNK = 128 };
/* Other processes have their turns first, and an emulator may stand still for seconds while the clock goes on. */
#define PATIENCE_NANOSECONDS UINT64_C(20000000000)

#define PROGRAM(word, pages, note) { #word, note, program_##word, program_##word##_end, pages }
#define IMAGE(word) extern const char program_##word[], program_##word##_end[]

IMAGE(ticker); IMAGE(spinner); IMAGE(brief); IMAGE(wild); IMAGE(large); IMAGE(peek);

const struct flat_program flat_programs[] = {
    PROGRAM(ticker,  0, "says twice a second how often it has done so"),
    PROGRAM(spinner, 0, "computes without a pause; others get their turns all the same"),
    PROGRAM(brief,   0, "counts to three and ends with status 7"),
    PROGRAM(wild,    0, "reads the kernel through a stray pointer, and is killed"),
    PROGRAM(large,   CHUNK_PAGES, "has a chunk of 4 MiB more, writes to all of it, and ends"),
    PROGRAM(peek,    0, "touches each page of the kernel's first 8 MiB; status 0 when none lets it"),
};
const uint32_t flat_program_count = COUNT_OF(flat_programs);

static struct process *console;                 /* process 1, once flat_begin() has been called */
static struct file    *output;                  /* what the console's programs write to         */

const struct flat_program *flat_find(const char *name)
{
    for (uint32_t i = 0; i < flat_program_count; i++)
        if (strcmp(flat_programs[i].name, name) == 0)
            return &flat_programs[i];
    return NULL;
}

static size_t image_bytes(const struct flat_program *program) { return (size_t)(program->end - program->start); }

size_t flat_pages(const struct flat_program *program)
{
    return pages_for(image_bytes(program)) + program->pages + STACK_PAGES;
}

/* ---- The console as a file, and as a process ------------------------------------------------------- */

static long console_write(struct file *file __attribute__((unused)), struct buffer *from,
                          uint64_t at __attribute__((unused)))
{
    char piece[CONSOLE_CHUNK + 1];
    long done = 0;

    while (from->bytes > 0) {
        size_t got = buffer_get(from, piece, CONSOLE_CHUNK);

        if (got == 0)
            return done > 0 ? done : -EFAULT;
        piece[got] = '\0';
        print("%s", piece);
        done += (long)got;
    }
    return done;
}

static const struct node_operations console_operations = { .traits = NODE_STREAM, .write = console_write };
static struct file_system           console_system;
static struct node                  console_node;

static int make_output(void)
{
    system_start(&console_system, "console", 0);
    node_start(&console_node, &console_operations, &console_system, S_PIPE | 0600);
    node_hold(&console_node);                   /* for ever: it is never freed */
    output = file_make(&console_node, &console_operations, O_WRONLY);
    return output != NULL ? 0 : -ENOMEM;
}

static int make_console(void)
{
    struct process *process = process_new();

    if (process == NULL)
        return -ENOMEM;
    text_copy(process->name, "console", sizeof process->name);
    for (unsigned i = 0; i < LIMITS; i++)
        process->limits[i] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    if ((process->actions = actions_new(NULL)) == NULL || (process->fs = files_start()) == NULL ||
        files_populate(process->fs) != 0 || make_output() != 0 || process_enlist(process, NULL, NULL) != 0) {
        process_let_go(process);
        process_free(process);
        return -ENOMEM;
    }
    console = process;
    return 0;
}

int flat_begin(void)
{
    static bool running;

    if (!running) {
        threads_start();
        programs_start();
        schedule_start();
        schedule_share();
        clock_start();
        console_idle = flat_report_ends;
        running = true;
    }
    return console != NULL ? 0 : make_console();
}

/* ---- A process ---------------------------------------------------------------------------------------- */

static int open_output(struct process *process)
{
    for (int descriptor = 1; descriptor <= 2; descriptor++) {
        int err;

        file_hold(output);
        err = descriptor_add(process->files, output, descriptor, false, DESCRIPTORS);
        if (err < 0) {
            file_release(output);
            return err;
        }
    }
    return 0;
}

/* One region for the whole program: flat programs know no rights. Its pages come now, not when they are touched. */
static int map_image(struct space *space, const struct flat_program *program, struct populate_watch *watch)
{
    size_t             pages   = flat_pages(program);
    struct map_request request = {
        .address = layout.start_address, .bytes = pages * PAGE_SIZE, .flags = MAP_IS_FIXED, .name = "[flat]",
        .rights = MAY_READ | MAY_WRITE | MAY_EXECUTE, .may = MAY_READ | MAY_WRITE | MAY_EXECUTE,
    };
    vaddr_t at;
    int     err;

    space->limits = (struct map_limits){ .map_end = page_address(layout.user.end), .stack = SIZE_MAX, .data = SIZE_MAX,
                                         .whole = SIZE_MAX };
    err = map_create(space, &request, &at);
    if (err != 0)
        return err;
    return populate_span(space, span_of(page_of(at), pages), map_rights(request.rights),
                       (struct populate_image){ program->start, image_bytes(program) }, watch);
}

static int fill_process(struct process *process, const struct flat_program *program, struct populate_watch *watch)
{
    process->exit_signal = SIGCHLD;
    memcpy(process->limits, console->limits, sizeof process->limits);
    text_copy(process->name, program->name, sizeof process->name);
    if ((process->files = files_new()) == NULL || (process->fs = fs_context_copy(console->fs)) == NULL ||
        (process->actions = actions_new(NULL)) == NULL || (process->memory = memory_new()) == NULL)
        return -ENOMEM;
    if (open_output(process) != 0)
        return -ENOMEM;
    return map_image(&process->memory->space, program, watch);
}

static vaddr_t stack_of(const struct flat_program *program)
{
    return layout.start_address + flat_pages(program) * PAGE_SIZE;
}

int32_t flat_start(const struct flat_program *program, struct populate_watch *watch)
{
    struct process *process = process_new();
    struct thread  *thread  = NULL;
    bool            listed  = false;
    int             err     = process != NULL ? fill_process(process, program, watch) : -ENOMEM;

    if (err == 0)
        err = thread_new(process, &thread);
    if (err == 0) {
        text_copy(thread->name, program->name, sizeof thread->name);
        thread_prepare_program(thread, layout.start_address, stack_of(program));
        err = process_enlist(process, console, console);
        listed = err == 0;
    }
    if (err == 0)
        err = thread_enlist(thread);
    if (err == 0) {
        int32_t id = process->id;

        schedule_add(thread);
        return id;
    }
    if (thread != NULL)
        thread_free(thread);
    if (listed) {
        lock_state state = lock_take(&process_lock);

        process_delist(process);
        lock_drop(&process_lock, state);
    }
    if (process != NULL) {
        process_let_go(process);
        process_free(process);
    }
    return err;
}

/* ---- Ends -------------------------------------------------------------------------------------------- */

void flat_report_ends(void)
{
    struct process_end end;

    while (console != NULL && process_collect(console, -1, &end)) {
        int signal = end.status & 0x7F;

        print("process %d, %s, %s %d\n", (int)end.id, end.name,
              signal != 0 ? "was killed by signal" : "ended with status",
              signal != 0 ? signal : end.status >> 8 & 0xFF);
    }
}

/* Memory alone tells nothing: whoever ends has none any more while it still gives its pages back, and rests. */
static bool lives(const struct process *process)
{
    return process != console && process->state != PROCESS_ZOMBIE;
}

bool flat_lives(int32_t id)
{
    const struct process *process = process_find(id);

    return process != NULL && lives(process);
}

static void note_living(struct process *process, void *data)
{
    int32_t *id = data;

    if (*id == 0 && lives(process))
        *id = process->id;
}

int32_t flat_one_that_lives(void)
{
    int32_t id = 0;

    process_each(note_living, &id);
    return id;
}

bool flat_wait(int32_t id, uint64_t nanoseconds, struct process_end *out)
{
    uint64_t deadline = clock_now() + nanoseconds;
    bool     over;

    may_sleep();
    while (!(over = process_collect(console, id, out)) && clock_now() < deadline)
        schedule_pause(deadline);
    schedule();                         /* the thread that runs next, this one at the latest, frees the last stack */
    return over;
}

int flat_kill(int32_t id)
{
    struct signal_info kill    = { .number = SIGKILL };
    struct process    *process = process_find(id);
    struct process_end end;

    may_sleep();
    if (process == NULL || process == console || process->state == PROCESS_ZOMBIE)
        return -ESRCH;
    signal_process(process, &kill);
    return flat_wait(id, PATIENCE_NANOSECONDS, &end) ? 0 : -ETIMEDOUT;
}
