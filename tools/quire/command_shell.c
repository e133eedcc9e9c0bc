/* command_shell.c - `quire shell`: BusyBox's shell in a machine of its own. */
#include "command.h"
#include "sandbox.h"
#include "terminal.h"

const struct argp argp_shell = {
    .children = sandbox_options,
    .doc = "Open BusyBox's shell in a machine of its own. Leave it with `exit`, or by pressing Ctrl-] twice.",
};

int command_shell(int argc, char **argv)
{
    struct sandbox sandbox;
    int status;

    sandbox_parse(&sandbox, argc, argv, &argp_shell, &sandbox);
    if (sandbox.argc != 0)
        return tell(SANDBOX_FAILED, "`%s` is one word too many; `quire run` runs programs", sandbox.argv[0]);
    sandbox.terminal = terminal_is_here();
    sandbox_use_shell(&sandbox);
    status = sandbox_run(&sandbox);
    sandbox_free(&sandbox);
    return status;
}
