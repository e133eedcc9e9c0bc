/*
 * command_map.c - `quire map`: a machine runs a program, and its memory is drawn as it is at one moment.
 *
 * The command's exit status is the program's, as with `quire run`. The drawing goes to standard output, so what the
 * program writes there goes to standard error meanwhile; with --svg it is the other way round: the drawing has a file.
 *
 * With --follow it is drawn again and again while the program runs: in its place on a terminal, whose keys then move
 * the drawing; one after the other, a form feed behind each, where standard output is none; or as a file that browsers
 * read again.
 */
#include "attend.h"
#include "command.h"
#include "libquire/arena.h"
#include "libquire/follow.h"
#include "libquire/home.h"
#include "libquire/inside.h"
#include "map/draw.h"
#include "screen.h"
#include "target.h"
#include "terminal.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The snapshot ------------------------------------------------------------------------ */

/* Make a picture of the lines. False, after a complaint, when they make none; source_free() is needed either way. */
static bool see(struct picture *picture, struct source *source, FILE *complaints, char *lines, size_t length)
{
    struct snapshot snapshot;

    *source = (struct source){ .path = "snapshot", .complaints = complaints };
    if (!snapshot_read(&snapshot, source, lines, length))
        return false;
    picture_make(picture, source, &snapshot);
    return true;
}

/* ---- The drawing ------------------------------------------------------------------------- */

/* Into the file; a browser reads it again after so many milliseconds (0: it does not). */
static int draw_to_file(struct target *target, const struct picture *picture, struct source *source,
                        unsigned refresh_ms)
{
    char *drawing = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&drawing, &length);
    int status = SANDBOX_FAILED;

    if (out != NULL)
        draw_svg(picture, source, refresh_ms, out);
    if (out == NULL || fclose(out) != 0)
        tell(SANDBOX_FAILED, "--svg %s: no memory for the drawing", target->path);
    else
        status = target_write(target, drawing, length);
    free(drawing);
    return status;
}

static int draw_to_output(const struct picture *picture)
{
    draw_text(picture, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return tell(SANDBOX_FAILED, "standard output: the drawing could not be written");
    return 0;
}

/* Returns 0, or SANDBOX_FAILED and has complained. */
static int draw_map(struct sandbox *sandbox, struct target *target)
{
    struct source source;
    struct picture picture;
    int status = SANDBOX_FAILED;

    if (see(&picture, &source, stderr, sandbox->snapshot, sandbox->snapshot_length))
        status = target->path != NULL ? draw_to_file(target, &picture, &source, 0) : draw_to_output(&picture);
    source_free(&source);
    return status;
}

/* ---- One after the other ------------------------------------------------------------------- */

enum { EVERY_MS = 1000, DAMAGED_MOST = 5 };

struct follower {
    struct follow  follow;
    unsigned       damaged;             /* snapshots in a row that made no picture, or one whose sums differ */
    struct target *target;
    struct screen  screen;
};

static void show_text(struct follower *follower, const struct picture *picture)
{
    char *drawing = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&drawing, &length);

    if (out == NULL)
        return;
    draw_text(picture, out);
    fclose(out);
    if (follower->follow.keys) {
        screen_show(&follower->screen, drawing, length);
        return;
    }
    fwrite(drawing, 1, length, stdout);
    fputc('\f', stdout);
    fflush(stdout);
    free(drawing);
}

/*
 * A serial line whose reader is slow loses bytes, in QEMU as on a PC: a snapshot that makes no picture, or one whose
 * sums differ, is asked for once more at once. After several in a row the last is shown as it is: the picture says that
 * its sums differ, a complaint what makes no picture. The next comes when it is due.
 */
static bool ask_again(struct follower *follower)
{
    if (++follower->damaged >= DAMAGED_MOST)
        return false;
    follower->follow.next_ms = 0;
    return true;
}

static void show_picture(struct follower *follower, const struct picture *picture, struct source *source)
{
    if (picture->sound)
        follower->damaged = 0;
    else if (ask_again(follower))
        return;
    if (follower->target->path == NULL)
        show_text(follower, picture);
    else if (follower->target->plain != NULL)
        draw_to_file(follower->target, picture, source, (unsigned)follower->follow.every_ms);
}

static void show_next(struct follow *follow, char *lines, size_t length)
{
    struct follower *follower = (struct follower *)follow;
    struct source source;
    struct picture picture;
    char *complaint = NULL;
    size_t said = 0;
    FILE *complaints = open_memstream(&complaint, &said);
    bool good;

    if (complaints == NULL)
        return;
    good = see(&picture, &source, complaints, lines, length);
    fclose(complaints);
    if (good)
        show_picture(follower, &picture, &source);
    else if (!ask_again(follower))
        fputs(complaint, stderr);
    free(complaint);
    source_free(&source);
}

static void move(struct follow *follow, const char *keys, size_t count)
{
    screen_keys(&((struct follower *)follow)->screen, keys, count);
}

static void start_following(struct follower *follower, struct sandbox *sandbox, struct target *target)
{
    *follower = (struct follower){
        .follow = { .every_ms = EVERY_MS,
                    .taken = show_next,
                    .typed = move,
                    .keys = target->path == NULL && terminal_is_here() },
        .target = target,
    };
    if (target->path != NULL && target->plain == NULL)
        tell(0, "--svg %s: this is no plain file, so it is drawn there once, at the end", target->path);
    sandbox->follow = &follower->follow;
    if (follower->follow.keys)
        terminal_show();
}

/* ---- The program to run if none is given ------------------------------------------------------ */

/*
 * Something to see: a shell with text in its heap; a child of it, which shares most pages with it; and, where the root
 * has one, a program with shared libraries that fills its own heap. All stand still, waiting for each other, at the
 * moment that counts. The machine ends without waiting for those that have closed its output (docs/run.md).
 */
static char waiting[] = "mkfifo /tmp/ready /tmp/wait; text=$(busybox head -c 150000 /dev/zero | busybox tr '\\0' x); "
                        "(exec > /dev/null 2>&1; read line < /tmp/wait) & ";
static char with_lua[] =
    "lua5.4 -e 'local t = {} for i = 1, 20000 do t[i] = \"entry \" .. i end "
    "local f = io.open(\"/tmp/ready\", \"w\") f:write(\"ready\\n\") f:close() io.open(\"/tmp/wait\"):read()' > "
    "/dev/null 2>&1 & "
    "read line < /tmp/ready; ";
static char ask[] = "echo now > /proc/quire/map";

/* The program for --follow: the shell's text grows and shrinks again, and a child starts and ends each second. */
static char living[] = "while :; do text=$text$(busybox head -c 60000 /dev/zero | busybox tr '\\0' x); "
                       "[ ${#text} -lt 600000 ] || text=; busybox sleep 1; done";

static bool is_in_root(const struct sandbox *sandbox, const char *program)
{
    char *fetched = sandbox->root == NULL ? fetched_root() : NULL;
    const char *root = sandbox->root != NULL ? sandbox->root : fetched;
    char *path = root != NULL ? text("%s%s", root, program) : NULL;
    bool there = path != NULL && access(path, R_OK) == 0;

    drop(path);
    drop(fetched);
    return there;
}

static void use_usual_program(struct sandbox *sandbox, bool follow)
{
    static char lua[] = ":/usr/bin/lua5.4";
    bool dynamic = !follow && is_in_root(sandbox, lua + 1);
    char **words = grown(NULL, 5, sizeof(*words));

    if (dynamic)
        options_add_file(sandbox, lua);
    words[0] = "busybox";
    words[1] = "sh";
    words[2] = "-c";
    words[3] = follow ? text("%s", living) : text("%s%s%s", waiting, dynamic ? with_lua : "", ask);
    words[4] = NULL;
    sandbox->argc = 4;
    sandbox->argv = words;
}

/* ---- The command -------------------------------------------------------------------------- */

struct request { struct options options; struct target target; bool follow; };

static error_t parse_map(int key, char *word, struct argp_state *state)
{
    struct request *request = state->input;

    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = &request->options;
    else if (key == 's')
        request->target.path = word;
    else if (key == 'F')
        request->follow = true;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp_option options[] = {
    { "follow", 'F', NULL, 0, "Draw again each second while the program runs: in its place on a terminal, into the "
                              "file of --svg "
      "for a browser", 0 },
    { "svg", 's', "FILE", 0, "Draw on sheets of A4 into FILE instead of printing characters", 0 },
    { 0 },
};

const struct argp argp_map = {
    .options = options, .parser = parse_map, .children = shared_options, .args_doc = "[PROGRAM [ARGUMENT...]]",
    .doc = "Run a program in a machine of its own, and draw physical memory, kernel space and every process as they "
           "are when something is written to /proc/quire/map there, else when the program ends.\v"
           "Without a program, a shell and a few children. Exit status: as of `quire run`; 125 also when the drawing "
           "cannot be written.",
};

/* The program's output, which is to leave standard output to the drawing. */
static struct quire *new_run(const struct options *options, bool to_errors)
{
    struct quire *q = attend_new(options);

    if (to_errors && quire_stream(q, QUIRE_OUTPUT, STDERR_FILENO) != 0)
        exit(tell(SANDBOX_FAILED, "%s", quire_error(q)));
    quire_inside(q)->map = true;
    return q;
}

static int run(const struct options *options, struct target *target, bool follow)
{
    int status = target->path != NULL ? target_open(target) : 0, drawn;
    struct follower follower = { 0 };
    struct sandbox *sandbox;
    struct quire *q;

    if (status != 0)
        return status;
    q = new_run(options, target->path == NULL);
    sandbox = quire_inside(q);
    if (follow)
        start_following(&follower, sandbox, target);
    status = attend(q, options);
    screen_free(&follower.screen);
    if (sandbox->snapshot_length > 0) {
        drawn = draw_map(sandbox, target);
        status = drawn != 0 ? drawn : status;
    } else if (status == 0) {
        status = tell(SANDBOX_FAILED, "the program ended, but no snapshot of memory came");
    }
    if (target->path != NULL)
        target_close(target);
    quire_free(q);
    return status;
}

int command_map(int argc, char **argv)
{
    struct request request = { .target = { .option = "--svg ", .fd = -1 } };

    options_parse(&request.options, argc, argv, &argp_map, &request);
    if (request.options.sandbox.argc == 0)
        use_usual_program(&request.options.sandbox, request.follow);
    return run(&request.options, &request.target, request.follow);
}
