/*
 * init.c - the first program, from the boot archive to the machine's end. See init.h.
 *
 * The program's only thread begins inside the kernel: it unpacks the archive, opens the streams, and then executes
 * the program as any process executes another. An error on the way is reported to the host, as the program's end would
 * be.
 */
#include "init/init.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "devices/channel_link.h"
#include "devices/screen.h"
#include "devices/virtio_block.h"
#include "files/core/descriptor.h"
#include "files/path/missing.h"
#include "files/proc/reports.h"
#include "files/root/cpio.h"
#include "files/root/root.h"
#include "files/terminal/streams.h"
#include "files/terminal/terminals.h"
#include "init/boot_configuration.h"
#include "init/crash.h"
#include "init/checks.h"
#include "init/report.h"
#include "init/snapshot.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "power.h"
#include "process/abi.h"
#include "process/chore.h"
#include "process/family.h"
#include "process/swap_off.h"
#include "programs/image.h"
#include "programs/vdso.h"

enum { STACK_BYTES = 8 * 1024 * 1024, FILES_SOFT = 1024, FILES_HARD = 1048576 };
enum { SAMPLE_NANOSECONDS = 10000000, PATIENCE_NANOSECONDS = 1000000000 };
enum { NOBODY_ELSE = 2 };           /* process 1, and the one that ends */
enum { PATH_ROOM = 256, MOMENT_ROOM = 64, SIGNAL_BY_KERNEL = 0x80 };         /* Linux's SI_KERNEL */

struct module { uint32_t start, end; };

static struct module   archives[BOOT_MODULES];
static unsigned        archive_count;
static char            words[BOOT_TEXT];        /* the kernel's command line         */
static char            program_path[PATH_ROOM]; /* init=, "" when there is none      */
static struct process *program;                 /* the program; NULL when it has ended */
static int32_t         program_group;
static struct process *reaper;                  /* process 1                          */
static struct { bool known; int32_t kind, number; } end;        /* the program's      */
static volatile bool   told_to_end;             /* a signal from outside asked for the end */
static bool            has_streams;             /* its standard streams are the channel's, not a terminal's */
static struct boot_configuration configuration;
static struct chore    sampler = { .work = report_sample, .interval = SAMPLE_NANOSECONDS };

/* ---- What there is to run ----------------------------------------------------------------- */

/* init=PATH */
static void find_program(const char *line)
{
    static const char name[] = "init=";

    for (const char *at = line; *at != '\0'; at++) {
        size_t length = 0;

        if ((at != line && at[-1] != ' ') || strncmp(at, name, sizeof name - 1) != 0)
            continue;
        at += sizeof name - 1;
        while (at[length] != '\0' && at[length] != ' ' && length < PATH_ROOM - 1)
            length++;
        memcpy(program_path, at, length);
        program_path[length] = '\0';
        return;
    }
}

/* What this folder reports in /proc/quire. */
static const struct machine_reports reports = { snapshot_write, snapshot_send, crash_by_program, checks_audit };

void init_note_boot(const struct boot_info *info, const char *command_line)
{
    for (uint32_t i = 0; i < info->module_count; i++) {
        if (info->modules[i].start >= info->modules[i].end)
            continue;
        archives[archive_count].start = info->modules[i].start;
        archives[archive_count].end   = info->modules[i].end;
        archive_count++;
    }
    text_copy(words, command_line, sizeof words);
    find_program(words);
    crash_note(words);
    proc_set_reports(&reports);
}

/*
 * A newc archive, or anything gzip has made. Loaders put modules on page borders, so the first bytes are in one page.
 */
static bool looks_like_archive(uint32_t start, uint32_t end)
{
    static const char newc[] = "070701";
    static const char gzip[] = "\x1F\x8B";
    frame_t           frame  = frame_of(start);
    const char       *bytes;

    if (end - start < sizeof newc || start % PAGE_SIZE > PAGE_SIZE - sizeof newc || !frame_is_ram(frame))
        return false;
    bytes = (const char *)frame_view(frame, SLOT_INSPECT) + start % PAGE_SIZE;
    return memcmp(bytes, newc, sizeof newc - 1) == 0 || memcmp(bytes, gzip, sizeof gzip - 1) == 0;
}

bool init_is_wanted(void)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < archive_count; i++)
        if (looks_like_archive(archives[i].start, archives[i].end))
            archives[kept++] = archives[i];
    archive_count = kept;
    return archive_count > 0;
}

/* ---- The end ------------------------------------------------------------------------------- */

/* It waits for room: an emulator may take pages only long after their notification. */
void report_say(const char *line)
{
    if (!channel_is_there()) {
        print("%s\n", line);
        return;
    }
    channel_send(CHANNEL_REPORT, line, strlen(line));
    channel_send(CHANNEL_REPORT, "\n", 1);
}

static void kill_process(struct process *process, void *survivors)
{
    struct signal_info info = { .number = SIGKILL };

    if (process == current_process() || process == reaper || process->state == PROCESS_ZOMBIE)
        return;
    ++*(unsigned *)survivors;
    signal_process(process, &info);
}

/* Kill all other processes, so that the report's last column shows the memory that is never freed. */
static void kill_all_others(void)
{
    uint64_t deadline = clock_now() + PATIENCE_NANOSECONDS;
    unsigned survivors;

    do {
        survivors = 0;
        process_each(kill_process, &survivors);
        if (survivors > 0)
            schedule();
    } while (survivors > 0 && clock_now() < deadline);
}

/* Why the program could not be started, for people; NULL: its number must do. */
static const char *start_problem(int32_t err)
{
    switch (err) {
    case ENOENT:  return "there is no such file";
    case EACCES:  return "it may not be executed";
    case ENOEXEC: return "it is no program for this processor";
    case ENOMEM:  return "there is too little memory";
    case EPERM:   return "it is linked for addresses that this layout gives to no program";
    default:      return NULL;
    }
}

static void print_not_started(int32_t err)
{
    const char *name = configuration.arguments != NULL ? configuration.arguments[0] : "the program";

    if (start_problem(err) != NULL)
        print("quire: %s cannot be started: %s\n", name, start_problem(err));
    else
        print("quire: %s cannot be started: error %d\n", name, err);
}

/* End the machine. Its memory is not freed. */
static void leave_machine(int32_t kind, int32_t number) NORETURN;
static void leave_machine(int32_t kind, int32_t number)
{
    end.known = false;                          /* others that end meanwhile do no more than that */
    crash_at("end");
    if (configuration.report) {
        kill_all_others();
        report_write(report_say);
        report_audit(report_say);
    }
    if (channel_is_there()) {
        const int32_t end[2] = { kind, number };

        channel_give_back();
        channel_send(CHANNEL_EXIT, end, sizeof end);
        channel_drain();
    } else if (kind == CHANNEL_NOT_STARTED) {
        print_not_started(number);
    } else {
        print("quire: the program %s %d\n", kind == CHANNEL_KILLED ? "was killed by signal" : "ended with status",
              number);
    }
    power_exit(kind == CHANNEL_EXITED && number == 0 ? POWER_STATUS_GOOD : POWER_STATUS_BAD);
}

/* Send the snapshot of a program that did not ask for one: of its last moment, with its memory still mapped. */
void init_note_ending(const struct process *process)
{
    int32_t status = process->exit_status;
    char    moment[MOMENT_ROOM];

    if (process != program || !configuration.map)
        return;
    format_text(moment, sizeof moment, (status & 0x7F) != 0 ? "%s is killed by signal %d" : "%s ends with status %d",
                process->name, (status & 0x7F) != 0 ? status & 0x7F : status >> 8 & 0xFF);
    (void)snapshot_send(moment);
}

void init_note_end(const struct process *process)
{
    int32_t status = process->exit_status;

    if (process != program) {
        if (end.known && (!streams_are_held() || processes_alive() <= NOBODY_ELSE))
            leave_machine(end.kind, end.number);
        return;
    }
    end.kind   = (status & 0x7F) != 0 ? CHANNEL_KILLED : CHANNEL_EXITED;
    end.number = (status & 0x7F) != 0 ? status & 0x7F : status >> 8 & 0xFF;
    end.known  = true;
    program    = NULL;
    if (!has_streams || told_to_end || !streams_are_held())
        leave_machine(end.kind, end.number);
}

/*
 * The last open file of the program's output is closed, by a process that outlived it. If that process is ending,
 * init_note_end() comes next.
 */
static void streams_are_free(void)
{
    if (end.known && current_process()->thread_count > 0)
        leave_machine(end.kind, end.number);
}

bool init_is_program(const struct process *process) { return process == program; }

/* ---- The beginning, inside the program's process ------------------------------------------------------------ */

static int unpack_archives(struct fs_context *fs)
{
    int err = 0;

    for (unsigned i = 0; i < archive_count && err == 0; i++) {
        const char *why;

        err = archive_unpack(archives[i].start, archives[i].end, fs, &why);
        if (err != 0)
            print("quire: boot archive %u: %s\n", i + 1, why);
    }
    return err;
}

static int read_configuration(struct fs_context *fs)
{
    int err = program_path[0] != '\0' ? -ENOENT : boot_configuration_read(&configuration, fs);

    if (err == -ENOENT)
        err = boot_configuration_simple(&configuration, program_path[0] != '\0' ? program_path : "/init");
    return err;
}

static int go_to_directory(struct fs_context *fs)
{
    struct node *here;
    int          err;

    if (configuration.directory == NULL)
        return 0;
    err = path_find(fs, NULL, configuration.directory, PATH_MUST_BE_FOLDER, &here);
    if (err != 0)
        return err;
    node_use(here);
    node_unuse(fs->here);
    fs->here = here;
    node_release(here);
    return 0;
}

/* Send a signal from the host, as it was sent there: by a terminal to a whole group, or to the program alone. */
static void pass_signal(unsigned number, bool group)
{
    struct signal_info info = { .number = (int32_t)number, .code = group ? SIGNAL_BY_KERNEL : 0 };

    told_to_end |= number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
    if (!group && program != NULL)
        signal_process(program, &info);
    else if (configuration.terminal)
        terminals_signal((int)number);
    else
        (void)!signal_group(program_group, (int)number);
}

/* Make one open file of a terminal, or three of the channel. */
static int open_files(struct fs_context *fs, struct file *files[3])
{
    int err;

    has_streams = channel_is_there() && !configuration.terminal;
    if (has_streams)
        return streams_open(files, streams_are_free);
    err = terminals_open_first(fs, &files[0]);
    if (err != 0)
        return err;
    file_hold(files[1] = files[0]);
    file_hold(files[2] = files[0]);
    return 0;
}

/* A descriptor that is closed on the host is closed here; its number stays free. */
static int add_stream(struct files *to, struct file *file, int number)
{
    if (!(configuration.closed >> number & 1))
        return descriptor_add(to, file, number, false, FILES_SOFT);
    file_release(file);
    return 0;
}

/* Open descriptors 0, 1 and 2. */
static int open_streams(struct process *self)
{
    struct file *files[3];
    int          err = open_files(self->fs, files);

    for (int i = 0; i < 3 && err >= 0; i++)
        err = add_stream(self->files, files[i], i);
    if (err >= 0 && channel_is_there())
        channel_on_signal(pass_signal);
    return err < 0 ? err : 0;
}

static int prepare_program(struct process *self)
{
    int err;

    self->fs = files_start();
    self->files = files_new();
    if (self->fs == NULL || self->files == NULL)
        return -ENOMEM;
    (void)block_start(words);                   /* most machines have no such device */
    terminals_start();
    vdso_start();
    err = unpack_archives(self->fs);
    if (err == 0)
        err = files_populate(self->fs);
    (void)swap_on();                            /* nor need a device be one to swap to */
    if (err == 0)
        err = read_configuration(self->fs);
    if (err == 0)
        err = go_to_directory(self->fs);
    if (err == 0)
        err = open_streams(self);
    return err;
}

static int execute_program(void)
{
    struct program_name    name = { .path = configuration.arguments[0], .name = configuration.arguments[0] };
    struct image_arguments arguments;
    int                    err = image_collect_kernel(&arguments, configuration.arguments, configuration.environment);

    arguments.path = name.name;
    if (err == 0)
        err = process_execute_arguments(&name, &arguments);
    image_free(&arguments);
    return err;
}

/*
 * Between the two frames the machine may be frozen, and later restored many times over: what the program must not share
 * with other runs is made after the answer.
 */
static void await_begin(void)
{
    channel_await_begin();
    clock_set_wall(clock_read_wall());
}

static void begin_program(void)
{
    int err = prepare_program(program);

    assert(current_process() == program);
    if (err == 0 && channel_is_there() && text_has_word(words, "begin=told"))
        await_begin();
    if (err == 0 && configuration.report) {
        report_begin();
        missing_begin();
        chore_start(&sampler);
    }
    if (err == 0 && configuration.map)
        snapshot_request();
    crash_at("begin");
    leg_forget();
    stretch_forget();                           /* the time before was not spent for a program */
    if (err == 0)
        err = execute_program();
    if (err != 0)
        leave_machine(CHANNEL_NOT_STARTED, -err);
}

/* ---- Process 1 -------------------------------------------------------------------------------- */

/* Make Linux's init, as far as programs can see: it exists, ignores every signal, and frees zombies at once. */
static int make_reaper(void)
{
    reaper = process_new();
    if (reaper == NULL || (reaper->actions = actions_new(NULL)) == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < COUNT_OF(reaper->actions->action); i++)
        reaper->actions->action[i].handler = SIG_IGN;
    for (unsigned i = 0; i < LIMITS; i++)
        reaper->limits[i] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    text_copy(reaper->name, "init", sizeof reaper->name);
    return process_enlist(reaper, NULL, NULL);
}

/* ---- The program ------------------------------------------------------------------------------ */

static int make_program(void)
{
    struct thread *thread;

    program = process_new();
    if (program == NULL || (program->memory = memory_new()) == NULL || (program->actions = actions_new(NULL)) == NULL ||
        thread_new(program, &thread) != 0)
        return -ENOMEM;
    for (unsigned i = 0; i < LIMITS; i++)
        program->limits[i] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    program->limits[RLIMIT_STACK].soft = STACK_BYTES;
    program->limits[RLIMIT_CORE].soft = 0;
    program->limits[RLIMIT_SIGPENDING] = (struct limit){ SIGNALS_QUEUED, SIGNALS_QUEUED };
    program->limits[RLIMIT_NICE] = program->limits[RLIMIT_RTPRIO] = (struct limit){ 0, 0 };
    program->limits[RLIMIT_NOFILE] = (struct limit){ FILES_SOFT, FILES_HARD };
    thread_prepare_inside(thread, begin_program);
    program->exit_signal = SIGCHLD;
    if (process_enlist(program, reaper, NULL) != 0 || thread_enlist(thread) != 0)
        return -ENOMEM;
    program_group = program->group;
    schedule_add(thread);
    return 0;
}

void init_run(void)
{
    assert(archive_count > 0);
    if ((text_has_word(words, "channel=none") || channel_start(words) != 0) && screen_start() == 0)
        print_to(screen_write);            /* without a channel the log goes to the screen as well */
    threads_start();
    programs_start();
    schedule_start();
    clock_start();
    if (make_reaper() != 0 || make_program() != 0)
        leave_machine(CHANNEL_NOT_STARTED, ENOMEM);
    schedule_idle();
}
