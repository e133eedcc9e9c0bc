/* command_new.c - `quire new`: a layout document to begin with, prose included. */
#include "command.h"
#include "libquire/arena.h"
#include "libquire/home.h"

#include "layout/document.h"

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
    { "like", 'l', "LAYOUT", 0, "Begin as this one does (default quire)", 0 },
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

/* True for a name that a title may have, and that no folder of a build has. */
static bool is_name(const char *name)
{
    static const char *const used[] = {
        "host", "objects", "tests", "fuzz", "logs", "bios", "guest", "calls", "programs"
    };
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
        if (strcmp(name, used[i]) == 0)
            return false;
    return length > 0 && length < 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
           name[0] != '-';
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL)
        return NULL;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

/* The text of the document to copy; NULL: there is no such document. The caller frees it. */
static char *text_of(const char *like)
{
    char *below = text("layouts/%s/layout.md", like), *path, *copy;

    path = home_path(below);
    copy = path != NULL ? read_file(path) : NULL;
    drop(path);
    drop(below);
    return copy;
}

/* Write a title and a paragraph of the new document's own, then the other's words from its first heading on. */
static void write_document(FILE *out, const struct request *request, const char *text)
{
    const char *tables = strstr(text, "\n## ");

    fprintf(
        out,
        "# %s: begun like %s\n\n"
        "This layout says where everything is: which physical memory is whose, what each range of virtual addresses\n"
        "means, and who may do what there. The kernel is linked and runs as these tables say; docs/layouts.md has\n"
        "every word of them. It was begun as a copy of `%s`, whose words these still are: change an address, and the\n"
        "words with it.\n\n"
        "Something to begin with: move a border between two regions under *Virtual memory* (both rows, and their\n"
        "sizes), ask `quire layout check %s.md`, and boot it. What the kernel needs it asks for, by line.\n",
        request->name, request->like, request->like, request->name);
    fputs(tables != NULL ? tables : "", out);
}

int command_new(int argc, char **argv)
{
    struct request request = { .like = "quire" };
    char *text, *path;
    FILE *out;

    command_name = argv[0];
    argp_err_exit_status = STATUS_USAGE;
    argp_parse(&argp_new, argc, argv, 0, NULL, &request);
    if (!is_name(request.name))
        return tell(
            STATUS_USAGE,
            "`%s` is no name for a layout: small letters, digits and dashes, at most 31, and none that a build uses "
            "for itself",
            request.name);
    text = strchr(request.like, '/') == NULL ? text_of(request.like) : NULL;
    if (text == NULL)
        return tell(STATUS_WRONG, "there is no layout `%s`; `quire layout list` has them", request.like);
    if (asprintf(&path, "%s.md", request.name) < 0)
        return tell(STATUS_WRONG, "out of memory");
    out = fopen(path, "wxe");
    if (out == NULL)
        return tell(STATUS_WRONG, "%s: %s", path, strerror(errno));
    write_document(out, &request, text);
    free(text);
    if (fflush(out) != 0 || ferror(out) || fclose(out) != 0) {
        int error = errno;

        unlink(path);
        return tell(STATUS_WRONG, "%s: %s", path, strerror(error));
    }
    printf("%s is a layout like %s. Change it, then:\n  quire layout check %s\n  make console LAYOUT=%s\n", path,
           request.like, path, path);
    free(path);
    return fflush(stdout) == 0 ? STATUS_GOOD : STATUS_WRONG;
}
