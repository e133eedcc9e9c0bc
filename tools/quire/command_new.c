/* command_new.c - `quire new`: a layout document to begin with, prose included. */
#include "command.h"
#include "layout/document.h"
#include "libquire/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
    const char *name, *like;
};

static error_t parse_new(int key, char *word, struct argp_state *state)
{
    struct request *request = state->input;

    switch (key) {
    case 'l':
        request->like = word;
        return 0;
    case ARGP_KEY_ARG:
        if (request->name != NULL)
            argp_error(state, "`%s` is one word too many", word);
        request->name = word;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "like", 'l', "LAYOUT", 0, "Begin as this one does, of layouts/ or a file (default quire)", 0 },
    { 0 },
};

const struct argp argp_new = {
    .options = options,
    .parser = parse_new,
    .args_doc = "NAME",
    .doc =
        "Write a layout document that boots, with words that explain it, for you to change: NAME.md in the current "
        "folder.\v"
        "`quire layout check NAME.md` says whether it still is a layout, `quire layout show NAME.md` draws it, and "
        "`make console LAYOUT=NAME.md` boots it. The exit status is 0 when the document is written, 1 when it cannot "
        "be, 2 for a wrong question.",
};

/* True for the name of a folder or a file of a build; build.mk has the same list (`taken`). */
static bool is_taken(const char *name)
{
    static const char *const taken[] = {
        "bios", "bochs", "calls", "documents", "durations", "font", "fresh", "fuzz", "growth", "guest", "host", "lock",
        "logs", "manual", "mixed", "mutants", "mutations", "objects", "package", "programs", "sources", "stage",
        "tests", "vdso", "web", "web-modules", "web-packages"
    };
    static const char checked[] = "-checked";
    size_t length = strlen(name), end = sizeof(checked) - 1;

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (strcmp(name, taken[i]) == 0)
            return true;
    return strncmp(name, "setup-", 6) == 0 || (length >= end && strcmp(name + length - end, checked) == 0);
}

/* True for a name that a title may have. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length < 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
           name[0] != '-';
}

/* True for the name of a document in layouts/. */
static bool is_layout(const char *name)
{
    char *path = document_path(name);
    bool there = path != NULL && access(path, F_OK) == 0;

    drop(path);
    return there;
}

/* Write a title and a paragraph of the new document's own, then the other's words from its first heading on. */
static void write_document(FILE *out, const char *name, const struct document *like)
{
    const struct source *s = like->source;
    uint32_t line = 0;

    fprintf(
        out,
        "# %s: begun like %s\n\n"
        "This layout says where everything is: which physical memory is whose, what each range of virtual addresses\n"
        "means, and who may do what there. The kernel is linked and runs as these tables say; docs/layouts.md has\n"
        "every word of them. It was begun as a copy of `%s`, whose words these still are: change an address, and the\n"
        "words with it.\n\n"
        "Something to begin with: move a border between two regions under *Virtual memory* (both rows, and their\n"
        "sizes), ask `quire layout check %s.md`, and boot it. What the kernel needs it asks for, by line.\n\n",
        name, like->name, like->name, name);
    while (line < s->line_count && strncmp(s->lines[line], "## ", 3) != 0)
        line++;
    for (; line < s->line_count; line++)
        fprintf(out, "%s\n", s->lines[line]);
}

/* Write the new document, which must not be there; returns the exit status. */
static int write_new(const struct request *request, const struct document *like)
{
    char *path = text("%s.md", request->name);
    FILE *out = fopen(path, "wxe");
    int status = STATUS_GOOD;

    if (out == NULL) {
        status = tell(STATUS_WRONG, "%s: %s", path, strerror(errno));
    } else {
        write_document(out, request->name, like);
        if (fflush(out) != 0 || ferror(out) || fclose(out) != 0) {
            status = tell(STATUS_WRONG, "%s: %s", path, strerror(errno));
            unlink(path);
        }
    }
    if (status == STATUS_GOOD)
        printf("%s is a layout like %s. Change it, then:\n  quire layout check %s\n  make console LAYOUT=%s\n", path,
               request->like, path, path);
    drop(path);
    return status != STATUS_GOOD || fflush(stdout) == 0 ? status : STATUS_WRONG;
}

int command_new(int argc, char **argv)
{
    struct request request = { .like = "quire" };
    struct document document;
    struct source source;
    char *path;
    int status;

    command_name = argv[0];
    argp_err_exit_status = STATUS_USAGE;
    argp_parse(&argp_new, argc, argv, 0, NULL, &request);
    if (!is_name(request.name) || is_taken(request.name))
        return tell(
            STATUS_USAGE,
            "`%s` is no name for a layout: small letters, digits and dashes, at most 31, and none that a build uses "
            "for itself",
            request.name);
    if (is_layout(request.name))
        return tell(STATUS_USAGE, "`%s` is a layout already, in layouts/; give yours another name", request.name);
    path = document_path(request.like);
    if (path == NULL || access(path, F_OK) != 0) {
        drop(path);
        return tell(STATUS_WRONG, "there is no layout `%s`; `quire layout list` has them", request.like);
    }
    status = source_open(&source, path, stderr) && document_compile(&document, &source)
                 ? write_new(&request, &document)
                 : tell(STATUS_WRONG, "%s is no layout to begin with", request.like);
    source_free(&source);
    drop(path);
    return status;
}
