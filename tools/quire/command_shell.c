/* command_shell.c - `quire shell`: BusyBox's shell in a machine of its own. */
#include "command.h"
#include "seal.h"
#include "terminal.h"

int command_shell(int argc, char **argv)
{
    struct seal seal;
    int status;

    seal_parse(&seal, argc, argv, "",
               "Open BusyBox's shell in a machine of its own. Leave it with `exit`, or by pressing Ctrl-] twice.");
    if (seal.argc != 0)
        return tell(SEAL_FAILED, "`%s` is one word too many; `quire run` runs programs", seal.argv[0]);
    seal.terminal = terminal_is_here();
    seal_use_shell(&seal);
    status = seal_run(&seal);
    seal_free(&seal);
    return status;
}
