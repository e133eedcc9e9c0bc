/*
 * command.h - the subcommands of `quire`. A new one is a file command_NAME.c, a line here
 * and a line in the table of main.c; its manual page and completions follow from that.
 *
 * A subcommand gets its own argc and argv; argv[0] is "quire NAME" for messages. It
 * returns an exit status, one of those below.
 */
#ifndef QUIRE_COMMAND_H
#define QUIRE_COMMAND_H

#include <argp.h>
#include <stddef.h>

enum {
    STATUS_GOOD  = 0,
    STATUS_WRONG = 1,           /* the checked document or file is wrong            */
    STATUS_USAGE = 2,           /* the command line is wrong                        */
};

/* Each command's options and words: the table for parsing and for completions. */
struct command {
    const char        *name;
    int              (*run)(int argc, char **argv);
    const struct argp *argp;
    const char        *purpose;
};

extern const struct command commands[];
extern const size_t command_count;

extern const struct argp argp_run, argp_shell, argp_debug, argp_map, argp_image, argp_layout, argp_new, argp_programs,
                         argp_completion;

int command_layout(int argc, char **argv);
int command_new(int argc, char **argv);
int command_programs(int argc, char **argv);
int command_completion(int argc, char **argv);
/* These have exit statuses of their own: sandbox.h. */
int command_run(int argc, char **argv);
int command_shell(int argc, char **argv);
int command_debug(int argc, char **argv);
int command_image(int argc, char **argv);
int command_map(int argc, char **argv);

/*
 * The path of a layout document, for the caller to drop. A name is that of a folder of layouts/ with a layout.md in it,
 * or of a bare document there, NAME.md; anything with a slash or a dot is a file. The file need not exist. NULL: there
 * is no folder layouts/.
 */
char *document_path(const char *subject);

/* The name this command was called by ("quire run"); messages begin with it. */
extern const char *command_name;

#endif
