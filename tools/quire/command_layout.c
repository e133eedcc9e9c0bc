/* command_layout.c - `quire layout`: check, show, list, ask and compile layout documents. */
#include "command.h"
#include "explain.h"
#include "layout/compare.h"
#include "layout/document.h"
#include "layout/emit.h"
#include "layout/facts.h"
#include "layout/picture.h"
#include "libquire/arena.h"
#include "libquire/home.h"
#include "target.h"

#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct request {
    const char *action, *subject;
    const char *directory, *svg, *against;
    bool        explain;
};

char *document_path(const char *subject)
{
    static const char *const places[] = { "layouts/%s/layout.md", "layouts/%s.md" };
    char *path = NULL;

    if (strchr(subject, '/') != NULL || strchr(subject, '.') != NULL)
        return text("%s", subject);
    for (unsigned i = 0; i < 2 && (path == NULL || access(path, F_OK) != 0); i++) {
        char *file = text(places[i], subject);

        drop(path);
        path = home_path(file);
        drop(file);
    }
    return path;
}

/* Open and check a document; print its errors, with explanations if the user asked for them. True: no error. */
static bool read_document(struct document *d, struct source *source, const char *path, bool explained)
{
    char *said = NULL;
    size_t bytes;
    FILE *out = explained ? open_memstream(&said, &bytes) : NULL;
    bool good = source_open(source, path, out != NULL ? out : stderr) && document_compile(d, source);

    if (out != NULL) {
        fclose(out);
        explain(said, stderr);
        free(said);
    }
    return good;
}

/* Open and check the subject, then call `act` if the document has no error. */
static int with_document(const struct request *request,
                         int (*act)(const struct request *request, const struct document *d))
{
    char *path = document_path(request->subject);
    struct document document;
    struct source source;
    int status = STATUS_WRONG;

    if (path == NULL) {
        fprintf(stderr,
                "quire layout: no folder `layouts` near this program to find `%s` in; set QUIRE_HOME\n",
                request->subject);
        return STATUS_USAGE;
    }
    if (read_document(&document, &source, path, request->explain))
        status = act(request, &document);
    source_free(&source);
    drop(path);
    return status;
}

static int check_layout(const struct request *request, const struct document *d)
{
    (void)request;
    printf("%s: good: %u regions, %u physical ranges, %u claims\n", d->source->path, d->region_count,
           d->physical_count, d->claim_count);
    return STATUS_GOOD;
}

/* A message about a file that could not be written. */
static int cannot_write(const char *path, int error)
{
    fprintf(stderr, "quire layout: %s: %s\n", path, strerror(error));
    return STATUS_WRONG;
}

static void draw_text(const struct document *d, const struct document *other)
{
    if (other != NULL)
        compare_text(d, other, stdout);
    else
        picture_text(d, stdout);
}

/* A document, or two side by side, into memory; NULL without it. */
static char *drawing_of(const struct document *d, const struct document *other, size_t *length)
{
    char *drawing = NULL;
    FILE *out = open_memstream(&drawing, length);

    if (out == NULL)
        return NULL;
    if (other != NULL)
        picture_svg_against(d, other, out);
    else
        picture_svg(d, out);
    if (fclose(out) == 0)
        return drawing;
    free(drawing);
    return NULL;
}

static int draw_layout(const struct request *request, const struct document *d, const struct document *other)
{
    size_t length = 0;
    char *drawing;
    int status;

    if (request->svg == NULL) {
        draw_text(d, other);
        return fflush(stdout) == 0 ? STATUS_GOOD : cannot_write("standard output", errno);
    }
    drawing = drawing_of(d, other, &length);
    if (drawing == NULL)
        return cannot_write(request->svg, ENOMEM);
    status = target_put("--svg ", request->svg, drawing, length);
    free(drawing);
    return status == 0 ? STATUS_GOOD : STATUS_WRONG;
}

static int show_layout(const struct request *request, const struct document *d)
{
    char *path = request->against != NULL ? document_path(request->against) : NULL;
    struct document other;
    struct source source;
    int status = STATUS_WRONG;

    if (request->against == NULL)
        return draw_layout(request, d, NULL);
    if (path == NULL)
        return STATUS_USAGE;
    if (read_document(&other, &source, path, request->explain))
        status = draw_layout(request, d, &other);
    source_free(&source);
    drop(path);
    return status;
}

static int facts(const struct request *request, const struct document *d)
{
    (void)request;
    facts_text(d, stdout);
    return fflush(stdout) == 0 ? STATUS_GOOD : cannot_write("standard output", errno);
}

static int compile(const struct request *request, const struct document *d)
{
    int error;

    if (request->directory == NULL) {
        fprintf(stderr, "quire layout: compile needs -o DIRECTORY\n");
        return STATUS_USAGE;
    }
    if (mkdir(request->directory, 0777) != 0 && errno != EEXIST)
        return cannot_write(request->directory, errno);
    error = emit_all(d, request->directory);
    return error != 0 ? cannot_write(request->directory, error) : STATUS_GOOD;
}

/*
 * How many characters of an entry of layouts/ are a layout's name: those of a folder, or of a document but for its .md.
 */
static size_t name_length(const char *entry)
{
    size_t length = strlen(entry);

    if (entry[0] == '.')
        return 0;
    if (length > 3 && strcmp(entry + length - 3, ".md") == 0)
        return length - 3;
    return strchr(entry, '.') == NULL ? length : 0;
}

static int is_document(const struct dirent *entry)
{
    return name_length(entry->d_name) > 0;
}

/* One line: the name to use, and the title or what is in its way. Nothing for a folder without a document. */
static int list_one(const char *folder, const char *entry)
{
    bool is_file = strchr(entry, '.') != NULL;
    struct source source;
    struct document document;
    char *path;
    bool good;
    FILE *quiet;

    if (asprintf(&path, "%s/%s%s", folder, entry, is_file ? "" : "/layout.md") < 0)
        return STATUS_WRONG;
    if (!is_file && access(path, F_OK) != 0) {
        free(path);
        return STATUS_GOOD;
    }
    quiet = fopen("/dev/null", "w");
    good = source_open(&source, path, quiet != NULL ? quiet : stderr) && document_compile(&document, &source);
    printf("%-16.*s %s\n", (int)name_length(entry), entry,
           good ? document.title : "(wrong: `quire layout check` says why)");
    source_free(&source);
    if (quiet != NULL)
        fclose(quiet);
    free(path);
    return good ? STATUS_GOOD : STATUS_WRONG;
}

static int list(void)
{
    char *folder = home_path("layouts");
    struct dirent **entries = NULL;
    int count = folder == NULL ? -1 : scandir(folder, &entries, is_document, alphasort);
    int status = STATUS_GOOD;

    if (count < 0)
        fprintf(stderr, "quire layout: no folder `layouts` near this program; set QUIRE_HOME\n");
    for (int i = 0; i < count; i++) {
        if (list_one(folder, entries[i]->d_name) != STATUS_GOOD)
            status = STATUS_WRONG;
        free(entries[i]);
    }
    free(entries);
    drop(folder);
    return count < 0 ? STATUS_USAGE : status;
}

static error_t parse_layout(int key, char *word, struct argp_state *state)
{
    struct request *request = state->input;

    switch (key) {
    case 'o':
        request->directory = word;
        return 0;
    case 's':
        request->svg = word;
        return 0;
    case 'a':
        request->against = word;
        return 0;
    case 'e':
        request->explain = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            request->action = word;
        else if (state->arg_num == 1)
            request->subject = word;
        else
            argp_error(state, "`%s` is one word too many", word);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "DIRECTORY", 0, "compile: where the files go", 0 },
    { "svg", 's', "FILE", 0, "show: draw into FILE instead of printing", 0 },
    { "against", 'a', "DOCUMENT", 0, "show: beside another document, with what differs marked", 0 },
    { "explain", 'e', NULL, 0, "check: for each complaint, the rule and what docs/layouts.md says of it", 0 },
    { 0 },
};

static const struct {
    const char *name;
    int       (*act)(const struct request *request, const struct document *d);
} actions[] = {
    { "check", check_layout }, { "show", show_layout }, { "facts", facts }, { "compile", compile },
};

const struct argp argp_layout = {
    .options = options,
    .parser = parse_layout,
    .args_doc =
        "check DOCUMENT [--explain]\nshow DOCUMENT [--against DOCUMENT] [--svg FILE]\nfacts DOCUMENT\ncompile "
        "DOCUMENT -o DIRECTORY\nlist",
    .doc = "Memory layouts are Markdown documents; docs/layouts.md is their reference.\v"
           "DOCUMENT is the name of one in layouts/, or a file. The exit status is 0 when all is well, "
           "1 for a wrong document and 2 for a wrong question.",
};

int command_layout(int argc, char **argv)
{
    struct request request = { 0 };

    argp_parse(&argp_layout, argc, argv, 0, NULL, &request);
    if (strcmp(request.action, "list") == 0 && request.subject == NULL)
        return list();
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(actions[i].name, request.action) == 0 && request.subject != NULL)
            return with_document(&request, actions[i].act);
    argp_help(&argp_layout, stderr, ARGP_HELP_STD_USAGE, argv[0]);
    return STATUS_USAGE;
}
