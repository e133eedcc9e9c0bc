/* command_debug.c - `quire debug`: a program, and gdb at the side of the kernel that runs it. */
#include "attend.h"
#include "command.h"
#include "libquire/arena.h"
#include "libquire/home.h"
#include "libquire/inside.h"
#include "libquire/machine.h"
#include "libquire/sandbox.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * QEMU and gdb speak through a socket pair, so that no file is left however quire ends. gdb can only start a command
 * and speak with that: two cats carry the bytes, one each way, and the one that reads the machine's end ends the
 * other. gdb starts them in a session of their own, out of Ctrl-C's reach.
 */
enum { SHELLS_FD = 9 };                 /* the highest descriptor that every shell knows */

static int gdb_end = -1;
static pid_t debugger;
static int ended;                       /* how gdb ended, as wait(2) says; valid once waitpid() has returned */

static void wait_for_gdb(void)
{
    if (debugger > 0)
        waitpid(debugger, &ended, 0);
    debugger = 0;
}

/* In the child: gdb, with the kernel's symbols and Quire's commands, connected as soon as QEMU has started. */
__attribute__((noreturn))
static void become_gdb(const char *kernel, const char *commands)
{
    const char *said = getenv("QUIRE_GDB"), *gdb = said != NULL ? said : "gdb";
    char *connect = text("target remote | (cat <&%d; kill $$) & exec cat >&%d", SHELLS_FD, SHELLS_FD);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (gdb_end == SHELLS_FD)
        fcntl(gdb_end, F_SETFD, 0);
    else
        dup2(gdb_end, SHELLS_FD);
    execlp(gdb, gdb, "-q", "-iex", "set confirm off", "-iex", "set remotetimeout 60", "-ex", "set pagination off", "-x",
           commands, "-ex", connect, kernel, (char *)NULL);
    tell(0, "no gdb: %s: %s (Debian's package is gdb)", gdb, strerror(errno));
    _exit(SANDBOX_FAILED);
}

/* Returns a descriptor that becomes readable when gdb has ended. */
static int start_gdb(struct sandbox *sandbox)
{
    char *file = text("%s/kernel.elf", sandbox->layout), *kernel = build_path(sandbox->kernels, file);
    char *commands = home_path("tools/quire/debug.py");
    int end;

    if (commands == NULL || kernel == NULL)
        exit(tell(SANDBOX_FAILED, "cannot start gdb: %s", commands == NULL ? "tools/quire/debug.py is missing"
                                                                       : "there is no kernel with symbols"));
    debugger = fork();
    if (debugger == 0)
        become_gdb(kernel, commands);
    end = debugger > 0 ? (int)syscall(SYS_pidfd_open, debugger, 0) : -1;
    if (end < 0)
        exit(tell(SANDBOX_FAILED, "cannot start gdb: %s", strerror(errno)));
    close(gdb_end);
    drop(commands);
    drop(kernel);
    drop(file);
    return end;
}

const struct argp argp_debug = {
    .children = shared_options, .args_doc = "PROGRAM [ARGUMENT...]",
    .doc = "Start a machine that stands still before its first instruction, with gdb attached and the kernel's symbols "
           "loaded; `continue` lets it go.\v"
           "In gdb, `quire-tables` shows the page tables with the names of regions, `quire-frames` who owns the "
           "frames. The program's output appears between gdb's lines; leaving gdb ends the machine.",
};

int command_debug(int argc, char **argv)
{
    struct options options;
    struct quire *q;
    int status, ends[2];

    options_parse(&options, argc, argv, &argp_debug, &options);
    if (options.sandbox.argc == 0)
        return tell(SANDBOX_FAILED, "which program? (`%s --help` says more)", command_name);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return tell(SANDBOX_FAILED, "no connection to gdb: %s", strerror(errno));
    atexit(wait_for_gdb);
    if (options.sandbox.machine == MACHINE_KINDS)
        options.sandbox.machine = MACHINE_PC;
    options.sandbox.debugger = ends[0];
    gdb_end = ends[1];
    q = attend_new(&options);
    quire_inside(q)->debugger   = ends[0];
    quire_inside(q)->on_machine = start_gdb;
    status = attend(q, &options);
    close(ends[0]);
    quire_free(q);
    wait_for_gdb();
    return status == 0 && WIFEXITED(ended) && WEXITSTATUS(ended) == SANDBOX_FAILED ? SANDBOX_FAILED : status;
}
