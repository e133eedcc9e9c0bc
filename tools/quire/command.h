/*
 * command.h - the subcommands of `quire`. A new one is a file command_NAME.c, a line here
 * and a line in the table of init/main.c.
 *
 * A subcommand gets its own argc and argv; argv[0] reads "quire NAME" for messages. It
 * returns the exit status: what is said below holds for all of them.
 */
#ifndef QUIRE_COMMAND_H
#define QUIRE_COMMAND_H

enum {
    STATUS_GOOD  = 0,
    STATUS_WRONG = 1,           /* what was asked about is wrong: a document, a file */
    STATUS_USAGE = 2,           /* the question was wrong                            */
};

int command_layout(int argc, char **argv);
/* These have exit statuses of their own: sandbox.h. */
int command_run(int argc, char **argv);
int command_shell(int argc, char **argv);
int command_debug(int argc, char **argv);
int command_image(int argc, char **argv);
int command_map(int argc, char **argv);

/*
 * A path below Quire's home: $QUIRE_HOME, or else the first that has a folder `layouts` of
 * the executable's folder, the two above it, and the current one. The caller frees it; NULL
 * when there is no home.
 */
char *home_path(const char *below);

#endif
