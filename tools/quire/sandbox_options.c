/* sandbox_options.c - the options that run, shell and debug share, and small help. See sandbox.h. */
#include "descriptors.h"
#include "sandbox.h"
#include "command.h"
#include "machine.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *sandbox_command = "quire";

int tell(int status, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    fprintf(stderr, "%s: ", sandbox_command);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return status;
}

char *text(const char *format, ...)
{
    va_list values;
    char *result;

    va_start(values, format);
    if (vasprintf(&result, format, values) < 0)
        exit(tell(SANDBOX_FAILED, "out of memory"));
    va_end(values);
    return result;
}

void *grown(void *block, size_t count, size_t size)
{
    block = reallocarray(block, count > 0 ? count : 1, size > 0 ? size : 1);
    if (block == NULL)
        exit(tell(SANDBOX_FAILED, "out of memory"));
    return block;
}

/* `folder`/`below` if that exists, else NULL; frees `folder`. */
static char *if_there(char *folder, const char *below)
{
    char *path = folder != NULL ? text("%s/%s", folder, below) : NULL;

    free(folder);
    if (path != NULL && access(path, R_OK) != 0) {
        free(path);
        return NULL;
    }
    return path;
}

char *build_path(const char *below)
{
    const char *said = getenv("QUIRE_BUILD");
    char here[4096], *path;
    ssize_t length;

    if (said != NULL)
        return if_there(text("%s", said), below);
    length = readlink("/proc/self/exe", here, sizeof(here) - 1);
    here[length > 0 ? length : 0] = '\0';
    for (int up = 0; up < 2 && strrchr(here, '/') != NULL; up++) {
        *strrchr(here, '/') = '\0';
        path = if_there(text("%s", here), below);
        if (path != NULL)
            return path;
    }
    path = if_there(installed_path(), below);
    return path != NULL ? path : if_there(home_path("build"), below);
}

int tell_no_kernel(const char *layout)
{
    char *installed = installed_path();

    if (installed != NULL)
        tell(SANDBOX_NO_KERNEL, "there is no kernel of the layout %s in %s", layout, installed);
    else
        tell(SANDBOX_NO_KERNEL, "no kernel of the layout %s is built; `make LAYOUT=%s kernel` builds it", layout,
             layout);
    free(installed);
    return SANDBOX_NO_KERNEL;
}

char *fetched_root(void)
{
    char *built = build_path("programs/root");

    return built != NULL ? built : if_there(programs_path(), "root");
}

/* Read a size: 64, 64M, 2560K or 1G; MiB without a letter. False for any other word. */
static bool read_size(const char *word, uint64_t *bytes)
{
    static const char units[] = "KMG";
    unsigned long long number;
    const char *unit;
    char *end;

    errno = 0;
    number = strtoull(word, &end, 10);
    if (!isdigit((unsigned char)word[0]) || errno != 0 || number == 0 || number > 1 << 22)
        return false;
    unit = end[0] != '\0' ? strchr(units, toupper((unsigned char)end[0])) : units + 1;
    if (unit == NULL || (end[0] != '\0' && end[1] != '\0'))
        return false;
    *bytes = (uint64_t)number << (10 + 10 * (unit - units));
    return true;
}

static bool ends_with(const char *word, const char *end)
{
    size_t length = strlen(word), part = strlen(end);

    return length >= part && strcmp(word + length - part, end) == 0;
}

/* Read seconds, with or without a fraction. */
static bool read_seconds(const char *word, uint64_t *ms)
{
    char *end;
    double seconds = strtod(word, &end);

    if (end == word || *end != '\0' || !(seconds > 0) || seconds > 1e9)
        return false;
    *ms = (uint64_t)(seconds * 1000 + 0.999);
    return true;
}

static void add_word(char ***list, size_t *count, char *word)
{
    *list = grown(*list, *count + 1, sizeof(**list));
    (*list)[(*count)++] = word;
}

void sandbox_add_file(struct sandbox *sandbox, char *said)
{
    add_word(&sandbox->files, &sandbox->file_count, said);
}

void sandbox_add_variable(struct sandbox *sandbox, char *said)
{
    add_word(&sandbox->environment, &sandbox->environment_count, said);
}

void sandbox_use_shell(struct sandbox *sandbox)
{
    /* Debian's BusyBox comes as one file, in /bin or in /usr/bin; it makes the links for its applets itself. */
    static char name[] = "busybox", applet[] = "sh", option[] = "-c";
    static char prepare[] = "[ -d /bin ] || busybox mkdir /bin; busybox --install -s /bin; exec busybox sh \"$@\"";
    static char prompt[] = "PS1=\\w \\$ ";
    static char *shell[] = { name, applet, option, prepare, applet, NULL };

    sandbox_add_variable(sandbox, prompt);
    sandbox->argc = sizeof(shell) / sizeof(shell[0]) - 1;
    sandbox->argv = shell;
}

enum { KEY_TIMEOUT = 0x100, KEY_REPORT, KEY_MACHINE, KEY_WATCHDOG, KEY_AUDIT, KEY_OWNER };

enum { WATCHDOG_MS = 20000 };

static const struct argp_option options[] = {
    { "memory", 'm', "SIZE", 0, "The machine's RAM: 64, 64M, 2560K, 1G (default 128M and the files' size)", 0 },
    { "layout", OPTION_LAYOUT, "NAME", 0, "The memory layout of the kernel (default quire)", 0 },
    { "file", OPTION_FILE, "HOST[:GUEST]", 0, "A file, or a folder with all in it, that the program will see; "
      ":PATH takes it from the root", 0 },
    { "env", OPTION_ENV, "NAME[=VALUE]", 0, "Set a variable for the program, or pass ours on", 0 },
    { "timeout", KEY_TIMEOUT, "SECONDS", 0, "Send the program SIGTERM then, and end the machine 2 s later; exit "
                                            "status 124", 0 },
    { "watchdog", KEY_WATCHDOG, "SECONDS", 0, "A kernel that neither runs the program nor answers for so long is "
                                              "dead, with exit "
      "status 119 (default 20; 0: wait for ever)", 0 },
    { "report", KEY_REPORT, "FILE", OPTION_ARG_OPTIONAL, "Print where every page of memory went (on standard error, or "
      "into FILE; `json` or a name that ends in .json: as a structure)", 0 },
    { "audit", KEY_AUDIT, NULL, 0, "Boot the kernel that can be audited (/proc/quire/audit), as --report does", 0 },
    { "root", OPTION_ROOT, "DIRECTORY", 0, "An i386 Debian tree for programs and libraries (default: the fetched one)",
      0 },
    { "owner", KEY_OWNER, "FD", OPTION_HIDDEN, "For libquire: the descriptor that leads to it", 0 },
    { "machine", KEY_MACHINE, "KIND", 0, "Only this kind of machine: microvm or pc", 0 },
    { "verbose", 'v', NULL, 0, "Say what is done, and how QEMU is started", 0 },
    { 0 },
};

static void read_machine(struct sandbox *sandbox, const char *word, struct argp_state *state)
{
    for (sandbox->machine = 0; sandbox->machine < MACHINE_KINDS; sandbox->machine++)
        if (strcmp(word, machine_name(sandbox->machine)) == 0)
            return;
    argp_error(state, "there is no kind of machine `%s`", word);
}

error_t sandbox_parse_program(struct sandbox *sandbox, int key, char *word, struct argp_state *state)
{
    switch (key) {
    case OPTION_LAYOUT:
        sandbox->layout = word;
        return 0;
    case OPTION_FILE:
        sandbox_add_file(sandbox, word);
        return 0;
    case OPTION_ENV:
        if (word[0] == '=' || word[0] == '\0')
            argp_error(state, "`%s` names no variable", word);
        sandbox_add_variable(sandbox, word);
        return 0;
    case OPTION_ROOT:
        sandbox->root = word;
        return 0;
    case ARGP_KEY_ARG:
        sandbox->argv = state->argv + state->next - 1;
        sandbox->argc = state->argc - (state->next - 1);
        state->next = state->argc;          /* the other words are the program's */
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_sandbox(int key, char *word, struct argp_state *state)
{
    struct sandbox *sandbox = state->input;

    switch (key) {
    case 'm':
        if (!read_size(word, &sandbox->memory))
            argp_error(state, "`%s` is no size of memory", word);
        return 0;
    case 'v':
        sandbox->verbose = true;
        return 0;
    case KEY_TIMEOUT:
        if (!read_seconds(word, &sandbox->timeout_ms))
            argp_error(state, "`%s` is no number of seconds", word);
        return 0;
    case KEY_WATCHDOG:
        if (strcmp(word, "0") == 0)
            sandbox->watchdog_ms = 0;
        else if (!read_seconds(word, &sandbox->watchdog_ms))
            argp_error(state, "`%s` is no number of seconds", word);
        return 0;
    case KEY_REPORT:
        sandbox->report      = true;
        sandbox->report_json = word != NULL && ends_with(word, "json") && (word[4] == '\0' || ends_with(word, ".json"));
        sandbox->report_file = sandbox->report_json && word[4] == '\0' ? NULL : word;
        return 0;
    case KEY_AUDIT:
        sandbox->audit = true;
        return 0;
    case KEY_OWNER:
        sandbox->owner = atoi(word);
        if (sandbox->owner <= STDERR_FILENO || fcntl(sandbox->owner, F_GETFD) < 0)
            argp_error(state, "`%s` is no descriptor of an owner", word);
        return 0;
    case KEY_MACHINE:
        read_machine(sandbox, word, state);
        return 0;
    default:
        return sandbox_parse_program(sandbox, key, word, state);
    }
}

static const struct argp shared = { .options = options, .parser = parse_sandbox };
const struct argp_child sandbox_options[] = { { .argp = &shared }, { .argp = NULL } };

void sandbox_parse(struct sandbox *sandbox, int argc, char **argv, const struct argp *argp, void *input)
{
    *sandbox = (struct sandbox){ .layout = "quire", .machine = MACHINE_KINDS, .output = STDOUT_FILENO,
                           .watchdog_ms = WATCHDOG_MS, .debugger = -1, .owner = -1 };
    for (int number = 0; number < 3; number++)
        sandbox->closed |= (unsigned)descriptor_was_closed(number) << number;
    sandbox_command = argv[0];
    argp_err_exit_status = SANDBOX_FAILED;
    argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input);
}

void sandbox_free(struct sandbox *sandbox)
{
    free(sandbox->files);
    free(sandbox->environment);
    free(sandbox->snapshot);
}
