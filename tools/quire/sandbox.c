/* sandbox.c - from the options to an exit status. See sandbox.h. */
#include "sandbox.h"
#include "../../kernel/devices/channel.h"
#include "command.h"
#include "elf_file.h"
#include "find.h"
#include "machine.h"
#include "owner.h"
#include "names.h"
#include "pack.h"
#include "program.h"
#include "report_json.h"
#include "session.h"
#include "signals.h"
#include "terminal.h"
#include "visible.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    USUAL_MEMORY    = 128 << 20,    /* the default */
    PAGE            = 4096,
    REFUSED_STATUS  = 2 << 1 | 1,   /* QEMU's exit status after the kernel's POWER_STATUS_REFUSED */
    EMULATOR_ABSENT = 127,          /* the child's when there is no QEMU (machine.c)               */
};

/* ---- The files of the guest ----------------------------------------------------------- */

/* Folders that every program may expect. */
static void add_usual(struct tree *tree)
{
    static const struct {
        const char *path;
        mode_t      mode;
    } folders[] = {
        { "/dev", 0755 }, { "/etc", 0755 }, { "/proc", 0555 }, { "/root", 0700 }, { "/tmp", 01777 }, { "/var", 0755 },
    };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        tree_add_folder(tree, folders[i].path, folders[i].mode);
}

/* Say what is wrong with a --file, and of which file below it; returns the status. */
static int refuse_file(const struct tree *tree, const char *said, int err)
{
    const char *why = err == EINVAL ? "only files, folders, links and what lies in them can be brought" : strerror(err);

    if (tree->culprit == NULL || strcmp(tree->culprit, said) == 0)
        return tell(SANDBOX_FAILED, "--file %s: %s", said, why);
    return tell(SANDBOX_FAILED, "--file %s: %s: %s", said, tree->culprit, why);
}

/* HOST, HOST:GUEST or :ROOT. A word with a colon in it is the name of a file of the host if there is such a file. */
static int add_file(const struct places *places, const char *directory, const char *said)
{
    const char *colon = access(said, F_OK) == 0 ? NULL : strrchr(said, ':');
    char *host, *guest;
    int err;

    if (colon == said) {
        err = provide_all(places, said + 1);
    } else {
        host  = colon != NULL ? text("%.*s", (int)(colon - said), said) : text("%s", said);
        guest = plain_path(directory, colon != NULL ? colon + 1 : host);
        err   = tree_add_all(places->tree, guest, host);
        free(guest);
        free(host);
    }
    return err != 0 ? refuse_file(places->tree, said, err) : 0;
}

/* The program's environment: only the variables that were given. */
static char **environment_of(const struct sandbox *sandbox, size_t *count)
{
    const char *terminal = getenv("TERM");
    char **list = grown(NULL, sandbox->environment_count + 4, sizeof(*list));
    size_t n = 0;

    list[n++] = text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    list[n++] = text("HOME=/root");
    if (sandbox->terminal)
        list[n++] = text("TERM=%s", terminal != NULL ? terminal : "dumb");
    for (size_t i = 0; i < sandbox->environment_count; i++) {
        const char *said = sandbox->environment[i], *value = getenv(said);
        char *entry = strchr(said, '=') != NULL ? text("%s", said) : value != NULL ? text("%s=%s", said, value) : NULL;
        size_t length = entry != NULL ? strcspn(entry, "=") + 1 : 0, same = 0;

        if (entry == NULL)
            continue;
        while (same < n && strncmp(list[same], entry, length) != 0)
            same++;
        if (same < n)
            free(list[same]);
        else
            n++;
        list[same] = entry;
    }
    *count = n;
    return list;
}

/* Texts one after the other, each with its NUL, as one file of the guest. */
static void add_texts(struct tree *tree, const char *path, char *const *texts, size_t count)
{
    char *bytes;
    size_t size;
    FILE *out = open_memstream(&bytes, &size);

    for (size_t i = 0; out != NULL && i < count; i++)
        fwrite(texts[i], strlen(texts[i]) + 1, 1, out);
    if (out == NULL || fclose(out) != 0)
        exit(tell(SANDBOX_FAILED, "out of memory"));
    tree_add_bytes(tree, path, bytes, size, 0400);
    free(bytes);
}

/*
 * "closed 02" and a line's end, for the standard descriptors of which sandbox->closed has bits; "" for none. The caller
 * frees it.
 */
static char *closed_line(unsigned closed)
{
    return text("%s%s%s%s%s", closed != 0 ? "closed " : "", closed & 1 ? "0" : "", closed & 2 ? "1" : "",
                closed & 4 ? "2" : "", closed != 0 ? "\n" : "");
}

static void add_configuration(const struct sandbox *sandbox, struct tree *tree, char *path, char **environment,
                              size_t count, const char *directory)
{
    char **arguments = grown(NULL, (size_t)sandbox->argc, sizeof(*arguments));
    char *closed = closed_line(sandbox->closed);
    char *options = text("%s%s%s%sdirectory %s\n", sandbox->report ? "report\n" : "", sandbox->map ? "map\n" : "",
                         sandbox->terminal ? "terminal\n" : "", closed, directory);

    memcpy(arguments, sandbox->argv, (size_t)sandbox->argc * sizeof(*arguments));
    arguments[0] = path;
    add_texts(tree, "/" CHANNEL_FOLDER "/arguments", arguments, (size_t)sandbox->argc);
    add_texts(tree, "/" CHANNEL_FOLDER "/environment", environment, count);
    tree_add_bytes(tree, "/" CHANNEL_FOLDER "/options", options, strlen(options), 0400);
    tree_add_folder(tree, directory, 0755);
    free(closed);
    free(options);
    free(arguments);
}

/* The program's value of LD_LIBRARY_PATH, or NULL. */
static const char *library_path(char *const *environment, size_t count)
{
    static const char name[] = "LD_LIBRARY_PATH=";

    for (size_t i = 0; i < count; i++)
        if (strncmp(environment[i], name, sizeof(name) - 1) == 0)
            return environment[i] + sizeof(name) - 1;
    return NULL;
}

static int fill_tree(const struct sandbox *sandbox, struct tree *tree, const struct tree_source *root,
                     const char *directory)
{
    size_t count;
    char **environment = environment_of(sandbox, &count), *path = NULL;
    struct program program = {
        .places = { .tree = tree, .root = root, .library_path = library_path(environment, count) },
        .directory = directory
    };
    int status = 0;

    add_usual(tree);
    provide_top_links(&program.places);
    for (size_t i = 0; i < sandbox->file_count && status == 0; i++)
        status = add_file(&program.places, directory, sandbox->files[i]);
    if (status == 0) {
        program_add_needs(&program);
        status = program_add(&program, sandbox->argv[0], &path);
    }
    if (status == 0)
        add_configuration(sandbox, tree, path, environment, count, directory);
    for (size_t i = 0; i < count; i++)
        free(environment[i]);
    free(environment);
    free(path);
    return status;
}

/* A machine needs memory for more than the files: one without room for the files alone is refused here. */
static int check_files(const struct sandbox *sandbox, const struct tree *tree)
{
    uint64_t size = tree_size(tree);

    if (sandbox->memory != 0 && size > sandbox->memory)
        return tell(SANDBOX_TOO_LITTLE,
                    "too little memory: the files alone are %" PRIu64 " KiB, the machine has %" PRIu64
                    "; -m gives the machine more",
                    size / 1024, sandbox->memory / 1024);
    if (size > PACK_LARGEST)
        return tell(SANDBOX_FAILED, "the files are %" PRIu64 " MiB; a machine can be given %" PRIu64, size >> 20,
                    (uint64_t)PACK_LARGEST >> 20);
    return 0;
}

int sandbox_archive(const struct sandbox *sandbox, int *archive, uint64_t *size)
{
    char *fetched = sandbox->root == NULL ? fetched_root() : NULL;
    char *root = sandbox->root != NULL ? realpath(sandbox->root, NULL) : fetched, *here = getcwd(NULL, 0);
    const char *directory = sandbox->directory != NULL ? sandbox->directory : here != NULL ? here : "/";
    struct tree tree = { 0 };
    const struct tree_source *source = root != NULL ? tree_hold(&tree, root) : NULL;
    int status;

    if ((sandbox->root != NULL || root != NULL) && source == NULL)
        status = tell(SANDBOX_FAILED, "--root %s: %s", sandbox->root != NULL ? sandbox->root : root, strerror(errno));
    else
        status = fill_tree(sandbox, &tree, source, directory);
    if (status == 0)
        status = check_files(sandbox, &tree);
    if (status == 0)
        status = pack(&tree, archive, size);
    tree_free(&tree);
    free(root);
    free(here);
    return status;
}

/* ---- The result ------------------------------------------------------------------ */

/* Text of a guest, made visible for a message. The caller frees it. */
static char *shown(const char *bytes, size_t length)
{
    char *to = grown(NULL, length * VISIBLE_MOST + 1, 1);

    to[visible(bytes, length, to)] = '\0';
    return to;
}

/* The line of the serial log with the reason why the memory is too small; the last line if there is none. */
static char *reason(const struct tail *tail)
{
    const char *found = strstr(tail->bytes, "too little");
    size_t end = tail->length, start;

    while (end > 0 && strchr("\r\n", tail->bytes[end - 1]) != NULL)
        end--;
    start = found != NULL ? (size_t)(found - tail->bytes) : end;
    if (found != NULL)
        end = start + strcspn(found, "\r\n");
    while (start > 0 && tail->bytes[start - 1] != '\n')
        start--;
    return shown(tail->bytes + start, end - start);
}

static int not_started(const struct sandbox *sandbox, int error)
{
    int status = error == ENOENT ? SANDBOX_NOT_FOUND : error == ENOMEM ? SANDBOX_TOO_LITTLE : SANDBOX_CANNOT;

    return tell(status, "Quire cannot start %s: %s", sandbox->argv[0], strerror(error));
}

static int too_little(const char *why)
{
    return tell(SANDBOX_TOO_LITTLE, "%s; -m gives the machine more", why);
}

static void show_last_words(const struct session *session)
{
    struct names names = names_of(session->kernel);

    tail_show(&session->serial, 40, &names);
    tail_show(&session->log, 10, &names);
    tail_show(&session->errors, 10, NULL);
    names_free(&names);
}

/* The machine still exists, but its kernel does not answer. */
static int explain_dead(const struct session *session)
{
    tell(0,
         "the machine is dead: for %" PRIu64 ".%" PRIu64
         " s its kernel neither ran a program nor answered; its processor:",
         session->watchdog_ms / 1000, session->watchdog_ms % 1000 / 100);
    if (session->registers[0] != '\0')
        visible_print(stderr, session->registers, strlen(session->registers));
    else
        fputs("  | QEMU does not say where it is\n", stderr);
    show_last_words(session);
    return SANDBOX_DIED;
}

static int explain_timeout(const struct sandbox *sandbox, const struct session *session)
{
    tell(0, "%s still ran after %" PRIu64 ".%" PRIu64 " s%s", sandbox->argv[0], sandbox->timeout_ms / 1000,
         sandbox->timeout_ms % 1000 / 100, session->obeyed ? "" : ", and did not end when SIGTERM told it to");
    if (!session->spoke)
        tail_show(&session->serial, 10, NULL);        /* the kernel may not have started */
    return SANDBOX_TIMEOUT;
}

/* The machine ended before the program did. */
static int explain_machine(const struct session *session, int waited)
{
    int code = WIFEXITED(waited) ? WEXITSTATUS(waited) : -1, status;
    char *why;

    if (code == REFUSED_STATUS || (code == 1 && strstr(session->errors.bytes, "too large") != NULL)) {
        why = reason(code == REFUSED_STATUS ? &session->serial : &session->errors);
        status = too_little(why);
        free(why);
        return status;
    }
    if (code == EMULATOR_ABSENT && !session->spoke)
        return tell(SANDBOX_NO_EMULATOR, "no QEMU: %s: %s (Debian's package is qemu-system-x86)", machine_emulator(),
                        session->errors.length > 0 ? session->errors.bytes : "cannot be started");
    if (code == 1 && !session->spoke && session->serial.length == 0) {
        tell(0, "QEMU refuses to start this machine:");
        tail_show(&session->errors, 5, NULL);
        return SANDBOX_NO_EMULATOR;
    }
    tell(0, "the machine ended before the program did%s%s", code == 0 ? ": its processor was reset" : "",
             session->serial.length + session->errors.length + session->log.length > 0 ? "; its last words:" : "");
    show_last_words(session);
    return SANDBOX_DIED;
}

/*
 * Die by the signal, after cleaning up; at exit a debugger is waited for, and the owner gets the result.
 */
static int end_by(const struct sandbox *sandbox, int number)
{
    sigset_t set;

    if (sandbox->debugger >= 0 || sandbox->owner >= 0)
        return SANDBOX_SIGNAL + number;
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    fflush(stderr);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return SANDBOX_SIGNAL + number;
}

static int status_of(const struct sandbox *sandbox, const struct session *session, int waited)
{
    switch (session->end) {
    case SESSION_TIMEOUT:
        return explain_timeout(sandbox, session);
    case SESSION_SIGNAL:
        return end_by(sandbox, session->exit_number);
    case SESSION_OUTPUT:
        return SANDBOX_FAILED;
    case SESSION_DEBUGGER:
        return 0;
    case SESSION_OWNER:
        return SANDBOX_FAILED;
    case SESSION_DEAD:
        return explain_dead(session);
    case SESSION_MACHINE:
        return explain_machine(session, waited);
    case SESSION_EXIT:
        break;
    }
    if (session->exit_kind == CHANNEL_KILLED)
        return SANDBOX_SIGNAL + session->exit_number;
    if (session->exit_kind == CHANNEL_NOT_STARTED)
        return not_started(sandbox, session->exit_number);
    return session->exit_number & 0xFF;
}

/* ---- A machine around the archive ----------------------------------------------------- */

/* True when QEMU ended before the machine started: an older QEMU without this kind, for example. */
static bool never_ran(const struct session *session, int waited)
{
    return session->end == SESSION_MACHINE && !session->spoke && session->serial.length == 0 && WIFEXITED(waited) &&
           WEXITSTATUS(waited) == 1;
}

static char *kernel_named(const struct sandbox *sandbox, const char *name)
{
    char *file = text("%s/%s", sandbox->layout, name);
    char *path = build_path(file);

    free(file);
    return path;
}

/* True when the run needs more than a kernel that only runs programs has, or a kernel with symbols. */
static bool wants_whole(const struct sandbox *sandbox)
{
    return sandbox->audit || sandbox->report || sandbox->map || sandbox->on_machine != NULL;
}

/* The kernel that a kind of machine can start, or NULL. */
static char *kernel_for(const struct sandbox *sandbox, enum machine_kind kind)
{
    char *kernel = NULL;

    if (kind != MACHINE_MICROVM)
        return kernel_named(sandbox, "kernel.elf");
    if (!wants_whole(sandbox))
        kernel = kernel_named(sandbox, "kernel-run.elf");
    return kernel != NULL ? kernel : kernel_named(sandbox, "kernel-pvh.elf");
}

/* True for a QEMU that was built without seccomp, or that runs under a filter already. */
static bool refuses_seccomp(const struct session *session)
{
    return strstr(session->errors.bytes, "sandbox") != NULL || strstr(session->errors.bytes, "seccomp") != NULL;
}

static struct session session_for(const struct sandbox *sandbox, int report)
{
    return (struct session){
        .output = sandbox->output,
        .terminal = sandbox->terminal,
        .verbose = sandbox->verbose,
        .timeout_ms = sandbox->timeout_ms,
        .watchdog_ms = sandbox->watchdog_ms,
        .map_ordered = sandbox->map,
        .follow = sandbox->follow,
        .debugger = -1,
        .owner = sandbox->owner,
        .report = report,
    };
}

/* Run one machine until it ends. *never: QEMU did not start the machine. Returns the exit status. */
static int run_machine(struct sandbox *sandbox, struct machine_plan *plan, int report, bool *never)
{
    static struct session session;
    struct machine machine;
    int status = machine_start(&machine, plan), waited;

    *never = false;
    if (status != 0)
        return status;
    session = session_for(sandbox, report);
    session.machine = &machine;
    session.kernel  = plan->kernel;
    if (sandbox->on_machine != NULL)
        session.debugger = sandbox->on_machine(sandbox);
    session_run(&session);
    sandbox->snapshot = session.map.bytes;
    sandbox->snapshot_length = session.map.length;
    waited = machine_end(&machine, session.end == SESSION_MACHINE ? 2000 : 0);
    *never = never_ran(&session, waited);
    if (*never && plan->seccomp && refuses_seccomp(&session)) {
        if (sandbox->verbose)
            tell(0, "this QEMU has no sandbox of its own; going on without");
        plan->seccomp = false;
        return run_machine(sandbox, plan, report, never);
    }
    return *never && plan->kind != plan->last ? 0 : status_of(sandbox, &session, waited);
}

/*
 * QEMU puts the archive at the end of RAM, over the kernel if they do not both fit, and such a machine prints
 * nothing. Returns 0 when both fit.
 */
static int check_memory(const struct machine_plan *plan)
{
    struct elf_file kernel;
    uint64_t least;
    char *why;
    int status = 0;

    if (elf_file_read_path(&kernel, plan->kernel) != 0)
        return 0;                   /* QEMU will report that */
    least = (kernel.end + PAGE - 1) / PAGE * PAGE + (plan->archive_size + PAGE - 1) / PAGE * PAGE;
    elf_file_free(&kernel);
    if (plan->memory < least) {
        why = text("too little memory: kernel, program and its files alone need %" PRIu64
                   " KiB, the machine has %" PRIu64,
                   least / 1024, plan->memory / 1024);
        status = too_little(why);
        free(why);
    }
    return status;
}

/* Try one kind of machine after the other, until one starts. */
static int run_machines(struct sandbox *sandbox, struct machine_plan *plan, int report)
{
    unsigned first = sandbox->machine < MACHINE_KINDS ? sandbox->machine : 0;
    bool never = true;
    int status = SANDBOX_NO_KERNEL;

    plan->last = sandbox->machine < MACHINE_KINDS ? sandbox->machine : MACHINE_KINDS - 1;
    for (plan->kind = first; never && plan->kind <= plan->last; plan->kind++) {
        char *kernel = kernel_for(sandbox, plan->kind);

        plan->kernel = kernel;
        if (kernel != NULL && (status = check_memory(plan)) != 0)
            never = false;
        else if (kernel != NULL)
            status = run_machine(sandbox, plan, report, &never);
        free(kernel);
        if (never && plan->kind < plan->last && sandbox->verbose)
            tell(0, "a %s cannot be started here; trying a %s", machine_name(plan->kind), machine_name(plan->kind + 1));
    }
    if (status == SANDBOX_NO_KERNEL)
        tell_no_kernel(sandbox->layout);
    return status;
}

static int run_archive(struct sandbox *sandbox, int archive, uint64_t size, int report)
{
    struct machine_plan plan = { .archive = archive, .archive_size = size, .memory = sandbox->memory,
                                 .seccomp = true, .debugger = sandbox->debugger, .map_line = sandbox->follow != NULL,
                                 .verbose = sandbox->verbose };

    /* An instruction clock or a debugger's view of every register wants the translator. */
    plan.kvm = sandbox->debugger < 0 && machine_flags()[0] == '\0' && machine_has_kvm();
    if (plan.memory == 0)
        plan.memory = (USUAL_MEMORY + size + (1 << 20) - 1) >> 20 << 20;
    if (sandbox->verbose)
        tell(0, "%" PRIu64 " KiB of files in a machine of %" PRIu64 " KiB", size / 1024, plan.memory / 1024);
    return run_machines(sandbox, &plan, report);
}

/* ---- The report ----------------------------------------------------------------------- */

/* Open the file for the report. False, after a complaint, when that is impossible. */
static bool open_report(const struct sandbox *sandbox, int *to)
{
    *to = STDERR_FILENO;
    if (sandbox->owner >= 0)
        *to = owner_report();
    else if (sandbox->report_file != NULL)
        *to = open(sandbox->report_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (*to < 0)
        tell(SANDBOX_FAILED, "--report=%s: %s", sandbox->report_file != NULL ? sandbox->report_file : "json",
             strerror(errno));
    return *to >= 0;
}

/* Write the guest's lines as a structure. Returns 0 or, after a complaint, an exit status. */
static int write_json(const struct sandbox *sandbox, int lines, int to, int status)
{
    struct report_json report = { .argv = sandbox->argv, .argc = sandbox->argc, .status = status };
    struct stat size;
    char *bytes = NULL;
    int copy = dup(to);
    FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
    bool good = false;

    if (out != NULL && fstat(lines, &size) == 0) {
        bytes = grown(NULL, (size_t)size.st_size, 1);
        report.text   = bytes;
        report.length = pread(lines, bytes, (size_t)size.st_size, 0) == size.st_size ? (size_t)size.st_size : 0;
        good = report_json_write(out, &report);
    }
    free(bytes);
    if (out != NULL)
        good = fclose(out) == 0 && good;
    return good ? 0 : tell(SANDBOX_FAILED, "the report could not be written");
}

/* When the report is to be a structure, the session writes the guest's lines to the private file `lines`. */
static int run_reported(struct sandbox *sandbox, int archive, uint64_t size, int to)
{
    int lines = sandbox->report_json ? memfd_create("report", MFD_CLOEXEC) : -1, status, written;

    if (sandbox->report_json && lines < 0)
        return tell(SANDBOX_FAILED, "no place for the report: %s", strerror(errno));
    signals_prepare();
    status = run_archive(sandbox, archive, size, lines >= 0 ? lines : to);
    if (lines < 0)
        return status;
    written = write_json(sandbox, lines, to, status);
    close(lines);
    return written != 0 ? written : status;
}

int sandbox_run(struct sandbox *sandbox)
{
    uint64_t size = 0;
    int archive = -1, to = STDERR_FILENO, status = sandbox_archive(sandbox, &archive, &size);

    if (status == 0)
        status = open_report(sandbox, &to) ? run_reported(sandbox, archive, size, to) : SANDBOX_FAILED;
    if (to > STDERR_FILENO)
        close(to);
    if (archive >= 0)
        close(archive);
    return status;
}
