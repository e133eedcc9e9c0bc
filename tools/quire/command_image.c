/* command_image.c - `quire image`: a disk or floppy from which a PC starts Quire, with a program or a shell in it. */
#include "command.h"
#include "image.h"
#include "libquire/arena.h"
#include "libquire/pack.h"
#include "options.h"
#include "target.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KEY_FLOPPY = 0x100, KEY_APPEND, KEY_CONSOLE, KEY_ARCHIVE };

static const struct argp_option options[] = {
    { "floppy", KEY_FLOPPY, NULL, 0, "A floppy: 1.44 MB, or 2.88 MB if it must be; the archive is compressed", 0 },
    { "layout", OPTION_LAYOUT, "NAME", 0, "The memory layout of the kernel (default quire), or its document", 0 },
    { "file", OPTION_FILE, "HOST[:GUEST]", 0, "A file, or a folder with all in it, that the program will see; "
      ":PATH takes it from the root", 0 },
    { "env", OPTION_ENV, "NAME[=VALUE]", 0, "Set a variable for the program, or pass ours on", 0 },
    { "root", OPTION_ROOT, "DIRECTORY", 0, "An i386 Debian tree for programs and libraries (default: the fetched one)",
      0 },
    { "append", KEY_APPEND, "WORDS", 0, "The kernel's command line", 0 },
    { "console", KEY_CONSOLE, NULL, 0, "No program: the kernel's own console", 0 },
    { "archive", KEY_ARCHIVE, NULL, 0, "Only the boot archive, for a boot loader that loads it beside the kernel", 0 },
    { 0 },
};

struct request {
    struct sandbox sandbox;
    struct image_plan plan;
    bool console, only_archive;
};

static error_t parse_image(int key, char *word, struct argp_state *state)
{
    struct request *request = state->input;
    struct sandbox *sandbox = &request->sandbox;

    switch (key) {
    case KEY_FLOPPY:
        request->plan.floppy = true;
        return 0;
    case KEY_APPEND:
        request->plan.text = word;
        return 0;
    case KEY_CONSOLE:
        request->console = true;
        return 0;
    case KEY_ARCHIVE:
        request->only_archive = true;
        return 0;
    case ARGP_KEY_ARG:
        if (request->plan.output != NULL)
            return options_parse_program(sandbox, key, word, state);
        request->plan.output = word;
        return 0;
    case ARGP_KEY_END:
        if (request->plan.output == NULL)
            argp_error(state, "which file shall the image be?");
        if (request->console && (sandbox->argc > 0 || request->only_archive))
            argp_error(state, "--console is for an image without a program");
        return 0;
    default:
        return options_parse_program(sandbox, key, word, state);
    }
}

/* Write the archive alone to a file. Returns 0 or an exit status. */
static int write_archive(const char *path, int archive, uint64_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, archive, 0);
    int status;

    if (bytes == MAP_FAILED)
        return tell(SANDBOX_FAILED, "the archive: %s", strerror(errno));
    status = target_put("", path, bytes, size);
    munmap(bytes, size);
    return status;
}

static int make(struct request *request)
{
    struct image_plan *plan = &request->plan;
    int status = 0;

    plan->layout = request->sandbox.layout;
    if (!request->console)
        status = sandbox_archive(&request->sandbox, &plan->archive, &plan->archive_size);
    if (status == 0 && plan->floppy && !request->console)
        status = pack_smaller(&plan->archive, &plan->archive_size);
    if (status == 0)
        status = request->only_archive ? write_archive(plan->output, plan->archive, plan->archive_size)
                                       : image_write(plan);
    if (plan->archive >= 0)
        close(plan->archive);
    return status;
}

const struct argp argp_image = {
    .options = options, .parser = parse_image, .args_doc = "OUT [PROGRAM [ARGUMENT...]]",
    .doc = "Write an image from which a PC starts Quire: a disk, or a floppy. The program has the first serial line as "
           "its terminal; without one, BusyBox's shell does. What it writes is on the screen as well.\v"
           "Exit status: those of `quire run`, as far as they can come up.",
};

int command_image(int argc, char **argv)
{
    /* The type of a terminal on a serial line is unknown: vt100 suits most. */
    static char terminal[] = "TERM=vt100", home[] = "/root";
    struct request request = {
        .sandbox = sandbox_usual(),
        .plan = { .text = "", .archive = -1 },
    };

    request.sandbox.terminal  = true;
    request.sandbox.directory = home;
    command_name = argv[0];
    argp_err_exit_status = SANDBOX_FAILED;
    options_add_variable(&request.sandbox, terminal);
    argp_parse(&argp_image, argc, argv, ARGP_IN_ORDER, NULL, &request);
    if (request.sandbox.argc == 0)
        options_use_shell(&request.sandbox);
    return make(&request);
}
