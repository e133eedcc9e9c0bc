/* command_debug.c - `quire debug`: a program, and gdb at the side of the kernel that runs it. */
#include "command.h"
#include "machine.h"
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The folder with the socket between QEMU and gdb, which only finds a path. Removed on every way out but kill -9. */
static char folder[] = "/tmp/quire-debug-XXXXXX";
static char *socket_path;
static pid_t debugger;

static void clean_up(void)
{
    if (debugger > 0)
        waitpid(debugger, NULL, 0);
    unlink(socket_path);
    rmdir(folder);
}

/* In the child: gdb, with the kernel's symbols and our commands, connected as soon as QEMU listens. */
__attribute__((noreturn))
static void become_gdb(const char *kernel, const char *commands)
{
    const char *said = getenv("QUIRE_GDB"), *gdb = said != NULL ? said : "gdb";
    char *connect = text("target remote %s", socket_path);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 500 && access(socket_path, F_OK) != 0; i++)
        usleep(10000);
    execlp(gdb, gdb, "-q", "-iex", "set confirm off", "-ex", "set pagination off", "-x", commands, "-ex", connect, kernel,
           (char *)NULL);
    tell(0, "no gdb: %s: %s (Debian's package is gdb)", gdb, strerror(errno));
    _exit(SEAL_FAILED);
}

/* Returns the end of a pipe of which gdb has the other one. */
static int start_gdb(struct seal *seal)
{
    char *file = text("%s/kernel.elf", seal->layout), *kernel = build_path(file);       /* the one with symbols */
    char *commands = home_path("tools/quire/debug.py");
    int ends[2];

    if (commands == NULL || kernel == NULL || pipe2(ends, O_CLOEXEC) != 0)
        exit(tell(SEAL_FAILED, "cannot start gdb: %s", commands == NULL ? "tools/quire/debug.py is missing"
                                                       : kernel == NULL ? "there is no kernel with symbols"
                                                                        : strerror(errno)));
    debugger = fork();
    if (debugger == 0) {
        fcntl(ends[1], F_SETFD, 0);
        become_gdb(kernel, commands);
    }
    close(ends[1]);
    free(commands);
    free(kernel);
    free(file);
    return ends[0];
}

int command_debug(int argc, char **argv)
{
    struct seal seal;
    int status;

    seal_parse(&seal, argc, argv, "PROGRAM [ARGUMENT...]",
               "Start a machine that stands still before its first instruction, with gdb attached and the kernel's symbols "
               "loaded; `continue` lets it go.\v"
               "In gdb, `quire-tables` shows the page tables with the names of regions, `quire-frames` who owns the "
               "frames. The program's output appears between gdb's lines; leaving gdb ends the machine.");
    if (seal.argc == 0)
        return tell(SEAL_FAILED, "which program? (`%s --help` says more)", seal_command);
    if (mkdtemp(folder) == NULL)
        return tell(SEAL_FAILED, "%s: %s", folder, strerror(errno));
    socket_path = text("%s/gdb", folder);
    atexit(clean_up);
    if (seal.machine == MACHINE_KINDS)
        seal.machine = MACHINE_PC;
    seal.debug_socket = socket_path;
    seal.on_machine = start_gdb;
    status = seal_run(&seal);
    seal_free(&seal);
    return status;
}
