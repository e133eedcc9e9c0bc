/*
 * options.h - the options that run, shell, debug and map share, read into a description of the program.
 */
#ifndef QUIRE_OPTIONS_H
#define QUIRE_OPTIONS_H

#include "libquire/sandbox.h"

#include <argp.h>

struct options {
    struct sandbox sandbox;
    const char    *report_file; /* where the report goes; NULL: standard error */
    bool           report_json; /* it is a structure (report_json.h)           */
};

/*
 * The keys of options about the program, which `quire image` has as well; and their parser, which also takes the
 * program and its arguments. Other keys: ARGP_ERR_UNKNOWN.
 */
enum { OPTION_LAYOUT = 0x200, OPTION_ROOT, OPTION_FILE, OPTION_ENV };
error_t options_parse_program(struct sandbox *sandbox, int key, char *word, struct argp_state *state);

/*
 * The options that run, shell, debug and map share, as the children of a command's own argp: its input is the struct
 * options, or the command's parser passes it on at ARGP_KEY_INIT.
 */
extern const struct argp_child shared_options[];

/*
 * Read the words of a command whose argp has shared_options; wrong words end this process with a message. `input` is
 * the argp's input: `options`, unless the command has options of its own. sandbox.argc is 0 when no program was named.
 */
void options_parse(struct options *options, int argc, char **argv, const struct argp *argp, void *input);

/* Add a --file, or an --env, for a command with options of its own. */
void options_add_file(struct sandbox *sandbox, char *said);
void options_add_variable(struct sandbox *sandbox, char *said);

/* Set the program to BusyBox's shell, with a prompt. */
void options_use_shell(struct sandbox *sandbox);

#endif
