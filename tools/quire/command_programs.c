/* command_programs.c - `quire programs`: Linux programs for i386 from Debian's packages, by tools/fetch-programs. */
#include "command.h"
#include "libquire/arena.h"
#include "libquire/home.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static error_t parse_programs(int key, char *word, struct argp_state *state)
{
    char **directory = state->input;

    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*directory != NULL)
        argp_error(state, "`%s` is one word too many", word);
    *directory = word;
    return 0;
}

const struct argp argp_programs = {
    .parser = parse_programs, .args_doc = "[DIRECTORY]",
    .doc = "Fetch BusyBox, bash, coreutils, lua, sqlite3, python3, tcc and the libraries they need from Debian's "
           "packages for i386, and unpack them. Nothing of this machine is changed, and no script of a package runs.\v"
           "DIRECTORY is where they go: DIRECTORY/root is for --root then. Without one they go where `quire run` looks "
           "by itself: build/programs of the source tree, or ~/.cache/quire/programs ($XDG_CACHE_HOME) of an installed "
           "quire.",
};

/* Make every folder of `path`, as mkdir -p does. False: errno says why. */
static bool make_folders(char *path)
{
    for (char *slash = path; slash != NULL; ) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return false;
        if (slash != NULL)
            *slash = '/';
    }
    return true;
}

int command_programs(int argc, char **argv)
{
    char *said = NULL, *usual, *script;
    const char *directory;

    command_name = argv[0];
    argp_err_exit_status = STATUS_USAGE;
    argp_parse(&argp_programs, argc, argv, 0, NULL, &said);
    usual = said == NULL ? programs_path() : NULL;
    directory = said != NULL ? said : usual;
    script = home_path("tools/fetch-programs");
    if (directory == NULL)
        return tell(STATUS_WRONG, "where to? Neither XDG_CACHE_HOME nor HOME says");
    if (script == NULL || access(script, R_OK) != 0)
        return tell(STATUS_WRONG, "tools/fetch-programs is missing; set QUIRE_HOME");
    if (usual != NULL && !make_folders(usual))
        return tell(STATUS_WRONG, "%s: %s", usual, strerror(errno));
    execlp("sh", "sh", script, directory, (char *)NULL);
    return tell(STATUS_WRONG, "no shell to run %s: %s", script, strerror(errno));
}
