/* command_shell.c - `quire shell`: BusyBox's shell in a machine of its own. */
#include "attend.h"
#include "command.h"
#include "libquire/arena.h"
#include "terminal.h"

const struct argp argp_shell = {
    .children = shared_options,
    .doc = "Open BusyBox's shell in a machine of its own. Leave it with `exit`, or by pressing Ctrl-] twice.",
};

int command_shell(int argc, char **argv)
{
    struct options options;
    struct quire *q;
    int status;

    options_parse(&options, argc, argv, &argp_shell, &options);
    if (options.sandbox.argc != 0)
        return tell(SANDBOX_FAILED, "`%s` is one word too many; `quire run` runs programs", options.sandbox.argv[0]);
    options.sandbox.terminal = terminal_is_here();
    options_use_shell(&options.sandbox);
    q = attend_new(&options);
    status = attend(q, &options);
    quire_free(q);
    return status;
}
