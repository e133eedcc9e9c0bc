/* command_image.c - `quire image`: a disk or floppy from which a PC starts Quire, with a program or a shell in it. */
#include "command.h"
#include "image.h"
#include "pack.h"
#include "sandbox.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_FLOPPY = 0x100, KEY_APPEND, KEY_CONSOLE, KEY_ARCHIVE };

static const struct argp_option options[] = {
    { "floppy", KEY_FLOPPY, NULL, 0, "A floppy: 1.44 MB, or 2.88 MB if it must be; the archive is compressed", 0 },
    { "layout", OPTION_LAYOUT, "NAME", 0, "The memory layout of the kernel (default quire)", 0 },
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
            return sandbox_parse_program(sandbox, key, word, state);
        request->plan.output = word;
        return 0;
    case ARGP_KEY_END:
        if (request->plan.output == NULL)
            argp_error(state, "which file shall the image be?");
        if (request->console && (sandbox->argc > 0 || request->only_archive))
            argp_error(state, "--console is for an image without a program");
        return 0;
    default:
        return sandbox_parse_program(sandbox, key, word, state);
    }
}

/* Write the archive alone to a file. Returns 0 or an exit status. */
static int write_archive(const char *path, int archive, uint64_t size)
{
    FILE *file = fopen(path, "we");
    char bytes[65536];
    uint64_t done = 0;
    ssize_t got = 1;

    while (file != NULL && done < size && got > 0) {
        got = pread(archive, bytes, sizeof(bytes), (off_t)done);
        if (got > 0 && fwrite(bytes, 1, (size_t)got, file) != (size_t)got)
            got = -1;
        done += got > 0 ? (uint64_t)got : 0;
    }
    if (file == NULL || fclose(file) != 0 || done < size)
        return tell(SANDBOX_FAILED, "%s: %s", path, strerror(errno));
    return 0;
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
        .sandbox = { .layout = "quire", .terminal = true, .directory = home },
        .plan = { .text = "", .archive = -1 },
    };
    int status;

    sandbox_command = argv[0];
    argp_err_exit_status = SANDBOX_FAILED;
    sandbox_add_variable(&request.sandbox, terminal);
    argp_parse(&argp_image, argc, argv, ARGP_IN_ORDER, NULL, &request);
    if (request.sandbox.argc == 0)
        sandbox_use_shell(&request.sandbox);
    status = make(&request);
    sandbox_free(&request.sandbox);
    return status;
}
