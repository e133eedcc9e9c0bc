/* command_run.c - `quire run`: one Linux program, in a machine of its own. */
#include "attend.h"
#include "command.h"
#include "libquire/arena.h"
#include "terminal.h"

const struct argp argp_run = {
    .children = shared_options, .args_doc = "PROGRAM [ARGUMENT...]",
    .doc = "Run an i386 Linux program in a machine of its own, as if it ran here: its output, its errors and its "
           "exit status are the program's.\v"
           "Exit status: the program's own; 128 and the signal's number when a signal killed it; and 119 the machine "
           "died, 120 too little memory, 121 no kernel is built, 122 no QEMU, 123 a library is missing, 124 the "
           "time is over, 125 quire itself failed, 126 the program cannot be run, 127 there is no such program.",
};

int command_run(int argc, char **argv)
{
    struct options options;
    struct quire *q;
    int status;

    options_parse(&options, argc, argv, &argp_run, &options);
    if (options.sandbox.argc == 0)
        return tell(SANDBOX_FAILED, "which program? (`%s --help` says more)", command_name);
    options.sandbox.terminal = terminal_is_here();
    q = attend_new(&options);
    status = attend(q, &options);
    quire_free(q);
    return status;
}
