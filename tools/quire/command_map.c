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
#include "command.h"
#include "follow.h"
#include "map/draw.h"
#include "sandbox.h"
#include "screen.h"
#include "terminal.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The file ---------------------------------------------------------------------------- */

struct target {
    const char *path;                   /* NULL: standard output */
    int         fd;
    bool        made;                   /* by this command, which removes the file if nothing is drawn */
};

/*
 * Open the file before the machine starts, so that an error is reported at once. An existing file keeps its bytes until
 * the drawing is made.
 */
static int open_target(struct target *target)
{
    if (target->path == NULL)
        return 0;
    target->fd = open(target->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    target->made = target->fd >= 0;
    if (target->fd < 0 && errno == EEXIST)
        target->fd = open(target->path, O_WRONLY | O_CLOEXEC);
    return target->fd < 0 ? tell(SANDBOX_FAILED, "--svg %s: %s", target->path, strerror(errno)) : 0;
}

static void leave_target(struct target *target)
{
    if (target->path == NULL)
        return;
    close(target->fd);
    if (target->made)
        unlink(target->path);
}

static int draw_to(struct target *target, const struct picture *picture, struct source *source)
{
    struct stat status;
    FILE *out = stdout;
    bool failed;

    if (target->path != NULL) {
        if (fstat(target->fd, &status) == 0 && S_ISREG(status.st_mode) && ftruncate(target->fd, 0) != 0)
            return tell(SANDBOX_FAILED, "--svg %s: %s", target->path, strerror(errno));
        out = fdopen(target->fd, "w");
        if (out == NULL)
            return tell(SANDBOX_FAILED, "--svg %s: %s", target->path, strerror(errno));
        draw_svg(picture, source, 0, out);
    } else {
        draw_text(picture, out);
    }
    failed = fflush(out) != 0 || ferror(out);
    if (target->path != NULL)
        failed = fclose(out) != 0 || failed;
    return failed ? tell(SANDBOX_FAILED, "%s: the drawing could not be written",
                         target->path != NULL ? target->path : "standard output")
                  : 0;
}

/*
 * A new file takes the place of the old one, so that a browser never reads half a drawing. A pipe or device is written
 * only at the end.
 */
static int replace(struct target *target, const struct picture *picture, struct source *source, unsigned refresh_ms)
{
    char *path = text("%s.new", target->path);
    FILE *out = fopen(path, "we");
    bool failed = out == NULL;

    if (!failed) {
        draw_svg(picture, source, refresh_ms, out);
        failed = ferror(out) != 0;
        failed = fclose(out) != 0 || failed || rename(path, target->path) != 0;
    }
    if (failed)
        tell(SANDBOX_FAILED, "--svg %s: %s", target->path, strerror(errno));
    if (failed && out != NULL)
        unlink(path);
    free(path);
    return failed ? SANDBOX_FAILED : 0;
}

static bool is_plain(const struct target *target)
{
    struct stat status;

    return target->path != NULL && fstat(target->fd, &status) == 0 && S_ISREG(status.st_mode);
}

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

/* Returns 0, or SANDBOX_FAILED and has complained. */
static int draw_map(struct sandbox *sandbox, struct target *target, bool anew)
{
    struct source source;
    struct picture picture;
    int status = SANDBOX_FAILED;

    if (see(&picture, &source, stderr, sandbox->snapshot, sandbox->snapshot_length))
        status = anew ? replace(target, &picture, &source, 0) : draw_to(target, &picture, &source);
    source_free(&source);
    return status;
}

/* ---- One after the other ------------------------------------------------------------------- */

enum { EVERY_MS = 1000, DAMAGED_MOST = 5 };

struct follower {
    struct follow  follow;
    unsigned       damaged;             /* snapshots in a row that made no picture */
    struct target *target;
    struct screen  screen;
    bool           anew;                /* into a plain file */
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
 * A serial line whose reader is slow loses bytes, in QEMU as on a PC: a snapshot that makes no picture is asked for
 * once more at once. If several in a row make none, what is wrong with the last is said, and the next comes when it is
 * due.
 */
static void show_damage(struct follower *follower, const char *complaint)
{
    if (++follower->damaged < DAMAGED_MOST)
        follower->follow.next_ms = 0;
    else
        fputs(complaint, stderr);
}

static void show_next(struct follow *follow, char *lines, size_t length)
{
    struct follower *follower = (struct follower *)follow;
    struct source source;
    struct picture picture;
    char *complaint = NULL;
    size_t said = 0;
    FILE *complaints = open_memstream(&complaint, &said);

    if (complaints == NULL)
        return;
    if (see(&picture, &source, complaints, lines, length)) {
        follower->damaged = 0;
        if (follower->target->path == NULL)
            show_text(follower, &picture);
        else if (follower->anew)
            replace(follower->target, &picture, &source, (unsigned)follow->every_ms);
        fclose(complaints);
    } else {
        fclose(complaints);
        show_damage(follower, complaint);
    }
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
        .anew = is_plain(target),
    };
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

    free(path);
    free(fetched);
    return there;
}

static char **usual_program(struct sandbox *sandbox, bool follow, char **script)
{
    static char lua[] = ":/usr/bin/lua5.4";
    bool dynamic = !follow && is_in_root(sandbox, lua + 1);
    char **words = grown(NULL, 4, sizeof(*words));

    if (dynamic)
        sandbox_add_file(sandbox, lua);
    *script = follow ? text("%s", living) : text("%s%s%s", waiting, dynamic ? with_lua : "", ask);
    words[0] = "busybox";
    words[1] = "sh";
    words[2] = "-c";
    words[3] = *script;
    return words;
}

/* ---- The command -------------------------------------------------------------------------- */

struct request { struct sandbox sandbox; struct target target; bool follow; };

static error_t parse_map(int key, char *word, struct argp_state *state)
{
    struct request *request = state->input;

    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = &request->sandbox;
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
    .options = options, .parser = parse_map, .children = sandbox_options, .args_doc = "[PROGRAM [ARGUMENT...]]",
    .doc = "Run a program in a machine of its own, and draw physical memory, kernel space and every process as they "
           "are when something is written to /proc/quire/map there, else when the program ends.\v"
           "Without a program, a shell and a few children. Exit status: as of `quire run`; 125 also when the drawing "
           "cannot be written.",
};

static int run(struct sandbox *sandbox, struct target *target, bool follow)
{
    int status = open_target(target), drawn;
    struct follower follower = { 0 };

    if (status != 0)
        return status;
    if (follow)
        start_following(&follower, sandbox, target);
    sandbox->map    = true;
    sandbox->output = target->path == NULL ? STDERR_FILENO : STDOUT_FILENO;
    status = sandbox_run(sandbox);
    screen_free(&follower.screen);
    if (sandbox->snapshot_length > 0) {
        drawn = draw_map(sandbox, target, follower.anew);
        return drawn != 0 ? drawn : status;
    }
    leave_target(target);
    return status == 0 ? tell(SANDBOX_FAILED, "the program ended, but no snapshot of memory came") : status;
}

int command_map(int argc, char **argv)
{
    struct request request = { .target.fd = -1 };
    struct sandbox *sandbox = &request.sandbox;
    char *script = NULL, **words = NULL;
    int status;

    sandbox_parse(sandbox, argc, argv, &argp_map, &request);
    if (sandbox->argc == 0) {
        words = usual_program(sandbox, request.follow, &script);
        sandbox->argc = 4;
        sandbox->argv = words;
    }
    status = run(sandbox, &request.target, request.follow);
    free(script);
    free(words);
    sandbox_free(sandbox);
    return status;
}
