/* sandbox.c - from a description to the boot archive. See sandbox.h. */
#include "sandbox.h"
#include "../../kernel/devices/channel.h"
#include "arena.h"
#include "find.h"
#include "home.h"
#include "machine.h"
#include "pack.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WATCHDOG_MS = 20000 };

struct sandbox sandbox_usual(void)
{
    return (struct sandbox){
        .layout = "quire",
        .machine = MACHINE_KINDS,
        .watchdog_ms = WATCHDOG_MS,
        .debugger = -1,
        .input = { .fd = -1 },
        .output = { .fd = -1 },
        .errors = { .fd = -1 },
        .report_to = { .fd = -1 },
    };
}

int tell_no_kernel(const struct sandbox *sandbox)
{
    const char *layout = sandbox->layout;
    char *installed = sandbox->kernels != NULL ? text("%s", sandbox->kernels) : installed_path();

    if (installed != NULL)
        tell(0, "there is no kernel of the layout %s in %s", layout, installed);
    else
        tell(0, "no kernel of the layout %s is built; `make LAYOUT=%s kernel` builds it", layout, layout);
    drop(installed);
    return SANDBOX_NO_KERNEL;
}

/* ---- The files of the guest ----------------------------------------------------------- */

/* Folders that every program may expect. */
static void add_usual(struct tree *tree)
{
    static const struct {
        const char *path;
        mode_t      mode;
    } folders[] = {
        { "/dev", 0755 }, { "/etc", 0755 }, { "/proc", 0555 }, { "/root", 0700 }, { "/tmp", 01777 }, { "/var", 0755 },
    };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        tree_add_folder(tree, folders[i].path, folders[i].mode);
}

/* Say what is wrong with a --file, and of which file below it; returns the status. */
static int refuse_file(const struct tree *tree, const char *said, int err)
{
    const char *why = err == EINVAL ? "only files, folders, links and what lies in them can be brought" : strerror(err);

    if (tree->culprit == NULL || strcmp(tree->culprit, said) == 0)
        return tell(SANDBOX_FAILED, "--file %s: %s", said, why);
    return tell(SANDBOX_FAILED, "--file %s: %s: %s", said, tree->culprit, why);
}

/* Only a folder's contents can be brought to the guest's root itself. */
static int bring(struct tree *tree, const char *guest, const char *host)
{
    struct stat status;

    if (strcmp(guest, "/") == 0 && stat(host, &status) == 0 && !S_ISDIR(status.st_mode))
        return EISDIR;
    return tree_add_all(tree, guest, host);
}

/* HOST, HOST:GUEST or :ROOT. A word with a colon in it is the name of a file of the host if there is such a file. */
static int add_file(const struct places *places, const char *directory, const char *said)
{
    const char *colon = access(said, F_OK) == 0 ? NULL : strrchr(said, ':');
    char *host, *guest;
    int err;

    if (colon != NULL && colon[1] == '\0')
        return tell(SANDBOX_FAILED, "--file %s: there is no path behind the colon", said);
    if (colon == said) {
        err = provide_all(places, said + 1);
    } else {
        host  = colon != NULL ? text("%.*s", (int)(colon - said), said) : text("%s", said);
        guest = plain_path(directory, colon != NULL ? colon + 1 : host);
        err   = bring(places->tree, guest, host);
        drop(guest);
        drop(host);
    }
    return err != 0 ? refuse_file(places->tree, said, err) : 0;
}

/* The program's environment: only the variables that were given. */
static char **environment_of(const struct sandbox *sandbox, size_t *count)
{
    const char *terminal = getenv("TERM");
    char **list = grown(NULL, sandbox->environment_count + 4, sizeof(*list));
    size_t n = 0;

    list[n++] = text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    list[n++] = text("HOME=/root");
    if (sandbox->terminal)
        list[n++] = text("TERM=%s", terminal != NULL ? terminal : "dumb");
    for (size_t i = 0; i < sandbox->environment_count; i++) {
        const char *said = sandbox->environment[i], *value = getenv(said);
        char *entry = strchr(said, '=') != NULL ? text("%s", said) : value != NULL ? text("%s=%s", said, value) : NULL;
        size_t length = entry != NULL ? strcspn(entry, "=") + 1 : 0, same = 0;

        if (entry == NULL)
            continue;
        while (same < n && strncmp(list[same], entry, length) != 0)
            same++;
        if (same < n)
            drop(list[same]);
        else
            n++;
        list[same] = entry;
    }
    *count = n;
    return list;
}

/* Texts one after the other, each with its NUL, as one file of the guest. */
static void add_texts(struct tree *tree, const char *path, char *const *texts, size_t count)
{
    size_t size = 0;
    char *bytes, *to;

    for (size_t i = 0; i < count; i++)
        size += strlen(texts[i]) + 1;
    to = bytes = grown(NULL, size, 1);
    for (size_t i = 0; i < count; i++)
        to = stpcpy(to, texts[i]) + 1;
    tree_add_bytes(tree, path, bytes, size, 0400);
    drop(bytes);
}

/*
 * "closed 02" and a line's end, for the standard descriptors of which sandbox->closed has bits; "" for none. The caller
 * frees it.
 */
static char *closed_line(unsigned closed)
{
    return text("%s%s%s%s%s", closed != 0 ? "closed " : "", closed & 1 ? "0" : "", closed & 2 ? "1" : "",
                closed & 4 ? "2" : "", closed != 0 ? "\n" : "");
}

static void add_configuration(const struct sandbox *sandbox, struct tree *tree, char *path, char **environment,
                              size_t count, const char *directory)
{
    char **arguments = grown(NULL, (size_t)sandbox->argc, sizeof(*arguments));
    char *closed = closed_line(sandbox->closed);
    char *options = text("%s%s%s%sdirectory %s\n", sandbox->report ? "report\n" : "", sandbox->map ? "map\n" : "",
                         sandbox->terminal ? "terminal\n" : "", closed, directory);

    memcpy(arguments, sandbox->argv, (size_t)sandbox->argc * sizeof(*arguments));
    arguments[0] = path;
    add_texts(tree, "/" CHANNEL_FOLDER "/arguments", arguments, (size_t)sandbox->argc);
    add_texts(tree, "/" CHANNEL_FOLDER "/environment", environment, count);
    tree_add_bytes(tree, "/" CHANNEL_FOLDER "/options", options, strlen(options), 0400);
    tree_add_folder(tree, directory, 0755);
    drop(closed);
    drop(options);
    drop(arguments);
}

/* The program's value of LD_LIBRARY_PATH, or NULL. */
static const char *library_path(char *const *environment, size_t count)
{
    static const char name[] = "LD_LIBRARY_PATH=";

    for (size_t i = 0; i < count; i++)
        if (strncmp(environment[i], name, sizeof(name) - 1) == 0)
            return environment[i] + sizeof(name) - 1;
    return NULL;
}

static int fill_tree(const struct sandbox *sandbox, struct tree *tree, const struct tree_source *root,
                     const char *directory)
{
    size_t count;
    char **environment = environment_of(sandbox, &count), *path = NULL;
    struct program program = {
        .places = { .tree = tree, .root = root, .library_path = library_path(environment, count) },
        .directory = directory
    };
    int status = 0;

    add_usual(tree);
    provide_top_links(&program.places);
    for (size_t i = 0; i < sandbox->file_count && status == 0; i++)
        status = add_file(&program.places, directory, sandbox->files[i]);
    if (status == 0) {
        program_add_needs(&program);
        status = program_add(&program, sandbox->argv[0], &path);
    }
    if (status == 0)
        add_configuration(sandbox, tree, path, environment, count, directory);
    for (size_t i = 0; i < count; i++)
        drop(environment[i]);
    drop(environment);
    drop(path);
    return status;
}

/* A machine needs memory for more than the files: one without room for the files alone is refused here. */
static int check_files(const struct sandbox *sandbox, const struct tree *tree)
{
    uint64_t size = tree_size(tree);

    if (sandbox->memory != 0 && size > sandbox->memory)
        return tell(SANDBOX_TOO_LITTLE,
                    "too little memory: the files alone are %" PRIu64 " KiB, the machine has %" PRIu64
                    "; -m gives the machine more",
                    size / 1024, sandbox->memory / 1024);
    if (size > PACK_LARGEST)
        return tell(SANDBOX_FAILED, "the files are %" PRIu64 " MiB; a machine can be given %" PRIu64, size >> 20,
                    (uint64_t)PACK_LARGEST >> 20);
    return 0;
}

/*
 * A machine needs this many descriptors, for connections and the files that are packed. Without them a program or a
 * kernel would be said to be missing that merely could not be opened.
 */
enum { DESCRIPTORS_LEAST = 16 };

static int check_descriptors(void)
{
    int opened[DESCRIPTORS_LEAST], count = 0, err;

    while (count < DESCRIPTORS_LEAST && (opened[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    err = errno;
    for (int i = 0; i < count; i++)
        close(opened[i]);
    if (count == DESCRIPTORS_LEAST || err != EMFILE)
        return 0;
    return tell(SANDBOX_FAILED, "%d more files must be open at a time, %d may be (`ulimit -n`)", DESCRIPTORS_LEAST,
                count);
}

int sandbox_archive(const struct sandbox *sandbox, int *archive, uint64_t *size)
{
    char *fetched = sandbox->root == NULL ? fetched_root() : NULL;
    char *root = sandbox->root != NULL ? adopted(realpath(sandbox->root, NULL)) : fetched;
    char *here = adopted(getcwd(NULL, 0));
    const char *directory = sandbox->directory != NULL ? sandbox->directory : here != NULL ? here : "/";
    struct tree tree = { 0 };
    const struct tree_source *source = root != NULL ? tree_hold(&tree, root) : NULL;
    int status = check_descriptors();

    if (status == 0 && (sandbox->root != NULL || root != NULL) && source == NULL)
        status = tell(SANDBOX_FAILED, "--root %s: %s", sandbox->root != NULL ? sandbox->root : root, strerror(errno));
    if (status == 0)
        status = fill_tree(sandbox, &tree, source, directory);
    if (status == 0)
        status = check_files(sandbox, &tree);
    if (status == 0)
        status = pack(&tree, archive, size);
    tree_free(&tree);
    drop(root);
    drop(here);
    return status;
}
