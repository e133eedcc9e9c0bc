/* command_shell.c - `quire shell`: BusyBox's shell in a machine of its own. */
#include "command.h"
#include "seal.h"
#include "terminal.h"

int command_shell(int argc, char **argv)
{
    /* Debian's BusyBox comes as one file; it makes the links for its applets itself. */
    static char prepare[] = "/bin/busybox --install -s /bin; exec /bin/busybox sh \"$@\"";
    char *shell[] = { "busybox", "sh", "-c", prepare, "sh", NULL };
    static char prompt[] = "PS1=\\w \\$ ";
    struct seal seal;
    int status;

    seal_parse(&seal, argc, argv, "",
               "Open BusyBox's shell in a machine of its own. Leave it with `exit`, or by pressing Ctrl-] twice.");
    if (seal.argc != 0)
        return tell(SEAL_FAILED, "`%s` is one word too many; `quire run` runs programs", seal.argv[0]);
    seal.terminal = terminal_is_here();
    seal.environment = grown(seal.environment, seal.environment_count + 1, sizeof(*seal.environment));
    seal.environment[seal.environment_count++] = prompt;
    seal.argc = sizeof(shell) / sizeof(shell[0]) - 1;
    seal.argv = shell;
    status = seal_run(&seal);
    seal_free(&seal);
    return status;
}
