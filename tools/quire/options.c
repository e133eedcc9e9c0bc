/* options.c - the options that run, shell, debug and map share. See options.h. */
#include "options.h"
#include "command.h"
#include "descriptors.h"
#include "libquire/arena.h"
#include "libquire/home.h"
#include "libquire/machine.h"
#include "libquire/swap_file.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void options_add_file(struct sandbox *sandbox, char *said)
{
    add_word(&sandbox->files, &sandbox->file_count, said);
}

void options_add_variable(struct sandbox *sandbox, char *said)
{
    add_word(&sandbox->environment, &sandbox->environment_count, said);
}

void options_use_shell(struct sandbox *sandbox)
{
    /* Debian's BusyBox comes as one file, in /bin or in /usr/bin; it makes the links for its applets itself. */
    static char name[] = "busybox", applet[] = "sh", option[] = "-c";
    static char prepare[] = "[ -d /bin ] || busybox mkdir /bin; busybox --install -s /bin; exec busybox sh \"$@\"";
    static char prompt[] = "PS1=\\w \\$ ";
    static char *shell[] = { name, applet, option, prepare, applet, NULL };

    options_add_variable(sandbox, prompt);
    sandbox->argc = sizeof(shell) / sizeof(shell[0]) - 1;
    sandbox->argv = shell;
}

enum { KEY_TIMEOUT = 0x100, KEY_REPORT, KEY_MACHINE, KEY_WATCHDOG, KEY_AUDIT, KEY_SNAPSHOT, KEY_SWAP };

static const struct argp_option options[] = {
    { "memory", 'm', "SIZE", 0, "The machine's RAM: 64, 64M, 2560K, 1G (default 128M and the files' size)", 0 },
    { "swap", KEY_SWAP, "SIZE", 0, "Room for pages beside RAM: a file in $TMPDIR without a name, 64K to 512M", 0 },
    { "layout", OPTION_LAYOUT, "NAME", 0, "The memory layout of the kernel (default quire), or its document", 0 },
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
    { "snapshot", KEY_SNAPSHOT, NULL, 0, "Begin with a machine that was frozen just before this program; the first run "
      "of a program makes it", 0 },
    { "root", OPTION_ROOT, "DIRECTORY", 0, "An i386 Debian tree for programs and libraries (default: the fetched one)",
      0 },
    { "machine", KEY_MACHINE, "KIND", 0, "Only this kind of machine: microvm or pc", 0 },
    { "verbose", 'v', NULL, 0, "Say what is done, and how QEMU is started", 0 },
    { 0 },
};

/* True when the build has made its kernel NAME from this very document. */
static bool is_made_from(const char *name, const char *document)
{
    char *below = text("%s/layout/document", name), *note = build_path(NULL, below), line[PATH_MAX];
    char *here = realpath(document, NULL), *there = NULL;
    FILE *file = note != NULL ? fopen(note, "r") : NULL;
    bool  same;

    if (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        there = realpath(line, NULL);
    }
    if (file != NULL)
        fclose(file);
    same = here != NULL && there != NULL && strcmp(here, there) == 0;
    free(here);
    free(there);
    drop(note);
    drop(below);
    return same;
}

/*
 * The name of a layout that may be given by its document, FOLDER/NAME.md or NAME/layout.md, as in `make LAYOUT=FILE`.
 * The word itself where no kernel was made from that: none is found then, and the word is what make wants.
 */
static const char *layout_named(const char *word)
{
    char *path = text("%s", word), *name;
    const char *ending = ends_with(path, "/layout.md") ? "/layout.md" : ends_with(path, ".md") ? ".md" : NULL;

    if (ending == NULL)
        return word;
    path[strlen(path) - strlen(ending)] = '\0';
    name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    return is_made_from(name, word) ? name : word;
}

static void read_machine(struct sandbox *sandbox, const char *word, struct argp_state *state)
{
    for (sandbox->machine = 0; sandbox->machine < MACHINE_KINDS; sandbox->machine++)
        if (strcmp(word, machine_name(sandbox->machine)) == 0)
            return;
    argp_error(state, "there is no kind of machine `%s`", word);
}

error_t options_parse_program(struct sandbox *sandbox, int key, char *word, struct argp_state *state)
{
    switch (key) {
    case OPTION_LAYOUT:
        sandbox->layout = layout_named(word);
        return 0;
    case OPTION_FILE:
        options_add_file(sandbox, word);
        return 0;
    case OPTION_ENV:
        if (word[0] == '=' || word[0] == '\0')
            argp_error(state, "`%s` names no variable", word);
        options_add_variable(sandbox, word);
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

static error_t parse_shared(int key, char *word, struct argp_state *state)
{
    struct options *options = state->input;
    struct sandbox *sandbox = &options->sandbox;

    switch (key) {
    case 'm':
        if (!read_size(word, &sandbox->memory))
            argp_error(state, "`%s` is no size of memory", word);
        return 0;
    case KEY_SWAP:
        if (!read_size(word, &sandbox->swap))
            argp_error(state, "`%s` is no size", word);
        if (sandbox->swap < SWAP_LEAST || sandbox->swap > SWAP_MOST)
            argp_error(state, "--swap %s: the size is 64K to 512M", word);
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
        sandbox->report = true;
        options->report_json = word != NULL && ends_with(word, "json") && (word[4] == '\0' || ends_with(word, ".json"));
        options->report_file = options->report_json && word[4] == '\0' ? NULL : word;
        return 0;
    case KEY_AUDIT:
        sandbox->audit = true;
        return 0;
    case KEY_SNAPSHOT:
        sandbox->frozen = true;
        return 0;
    case KEY_MACHINE:
        read_machine(sandbox, word, state);
        return 0;
    default:
        return options_parse_program(sandbox, key, word, state);
    }
}

static const struct argp shared = { .options = options, .parser = parse_shared };
const struct argp_child shared_options[] = { { .argp = &shared }, { .argp = NULL } };

void options_parse(struct options *options, int argc, char **argv, const struct argp *argp, void *input)
{
    *options = (struct options){ .sandbox = sandbox_usual() };
    for (int number = 0; number < 3; number++)
        options->sandbox.closed |= (unsigned)descriptor_was_closed(number) << number;
    argp_err_exit_status = SANDBOX_FAILED;
    argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input);
}
