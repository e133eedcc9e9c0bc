/* main.c - `quire`, the host command: finds the subcommand and calls it. */
#include "command.h"
#include "descriptors.h"
#include "libquire/arena.h"
#include "libquire/sandbox.h"
#include "patient.h"

#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
    { "run", command_run, &argp_run, "run a Linux program, in a machine of its own" },
    { "shell", command_shell, &argp_shell, "a BusyBox shell in a machine of its own, on this terminal" },
    { "debug", command_debug, &argp_debug, "run a program with gdb at the kernel's side" },
    { "map", command_map, &argp_map, "run a program and draw the machine's memory as it is then" },
    { "image", command_image, &argp_image, "write a disk or a floppy that starts Quire on a PC" },
    { "layout", command_layout, &argp_layout, "check, show, list and compile layout documents" },
    { "new", command_new, &argp_new, "write a layout document to begin with" },
    { "programs", command_programs, &argp_programs, "fetch programs and libraries for i386 from Debian's packages" },
    { "completion", command_completion, &argp_completion, "print what completes these commands' words in a shell" },
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);

/* The help's last part, one line for each command; argp frees it. */
static char *list_commands(int key, const char *text, void *input)
{
    size_t size = 0;
    char *list;
    FILE *out;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    out = open_memstream(&list, &size);
    if (out == NULL)
        return NULL;
    fprintf(out, "Commands:\n");
    for (size_t i = 0; i < command_count; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].purpose);
    fprintf(out, "\n`quire COMMAND --help` says more.");
    return fclose(out) == 0 ? list : NULL;
}

struct choice {
    size_t command;
    int    first;               /* index of its name in argv */
};

static error_t parse_main(int key, char *word, struct argp_state *state)
{
    struct choice *choice = state->input;

    if (key == ARGP_KEY_NO_ARGS)
        argp_state_help(state, stdout, ARGP_HELP_STD_HELP);       /* prints the help and exits */
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    while (choice->command < command_count && strcmp(commands[choice->command].name, word) != 0)
        choice->command++;
    if (choice->command == command_count)
        argp_error(state, "there is no command `%s`", word);
    choice->first = state->next - 1;
    state->next = state->argc;          /* the other words are the command's */
    return 0;
}

const char *command_name = "quire";

/* A detail of the line before has no name in front; nor has a line for which there is no memory. */
static void say(void *nobody, const char *line)
{
    bool detail = line[0] == ' ';
    char *whole;
    int length = asprintf(&whole, "%s%s%s\n", detail ? "" : command_name, detail ? "" : ": ", line);

    (void)nobody;
    if (length >= 0)
        patient_write(STDERR_FILENO, whole, (size_t)length);
    else if (patient_write(STDERR_FILENO, line, strlen(line)))
        patient_write(STDERR_FILENO, "\n", 1);
    if (length >= 0)
        free(whole);
}

const char *argp_program_version = "quire 0.1";

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_main, .args_doc = "COMMAND [ARGUMENT...]", .help_filter = list_commands,
        .doc = "Quire: a small operating system whose memory layouts are documents.\v ",
    };
    static struct arena arena = { .say = say };
    struct choice choice = { 0 };
    static char name[64];

    if (!descriptors_open())
        return STATUS_WRONG;
    signal(SIGXFSZ, SIG_IGN);           /* a file that may not become longer is an error in words, as a full disk is */
    arena_enter(&arena);
    if (setjmp(arena.no_memory) != 0) {
        say(NULL, "out of memory");
        return SANDBOX_FAILED;
    }
    argp_err_exit_status = STATUS_USAGE;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
    snprintf(name, sizeof(name), "quire %s", commands[choice.command].name);
    command_name = argv[choice.first] = name;
    return commands[choice.command].run(argc - choice.first, argv + choice.first);
}
