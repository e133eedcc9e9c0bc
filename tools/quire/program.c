/* program.c - a program, its interpreter and its libraries. See program.h. */
#include "program.h"
#include "elf_file.h"
#include "find.h"
#include "seal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRIPTS_AT_MOST = 5 };       /* interpreted by one another, as in Linux */

/* Where the guest's loaders look by themselves; both lists end with a NULL. */
static const char *const glibc_folders[] = {
    "/lib/i386-linux-gnu", "/usr/lib/i386-linux-gnu", "/lib", "/usr/lib", NULL,
};
static const char *const musl_folders[] = {
    "/lib", "/usr/local/lib", "/usr/lib", "/lib/i386-linux-musl", "/usr/lib/i386-linux-musl", NULL,
};
/* Where a 64-bit machine may have i386 libraries. No loader in the guest looks there, so they move. */
static const char *const foreign_folders[] = {
    "/lib32", "/usr/lib32", "/usr/local/lib/i386-linux-gnu", "/usr/local/lib", NULL,
};
static const char foreign_home[] = "/usr/lib/i386-linux-gnu";

/* A program or library whose needs are followed. */
struct object {
    char           *path, *here;    /* in the guest; on this machine */
    struct elf_file elf;
};

/* All that one program brings; objects are followed in the order in which they were found. */
struct family {
    struct program *program;
    struct object  *objects;
    size_t          count;
    bool            musl;
};

static void family_free(struct family *family)
{
    for (size_t i = 0; i < family->count; i++) {
        free(family->objects[i].path);
        free(family->objects[i].here);
        elf_file_free(&family->objects[i].elf);
    }
    free(family->objects);
}

static void family_add(struct family *family, const char *path, const char *here, struct elf_file elf)
{
    family->objects = grown(family->objects, family->count + 1, sizeof(*family->objects));
    family->objects[family->count++] = (struct object){ text("%s", path), text("%s", here), elf };
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* ---- Libraries ------------------------------------------------------------------------ */

/* Take a library into the family if `path` is one for i386; others of its name are passed over. */
static bool take_library(struct family *family, const char *path, const char *from)
{
    struct program *program = family->program;
    char *here = from != NULL ? text("%s", from) : find_file(program->tree, program->root, path);
    struct elf_file elf;
    bool good = false;

    if (here != NULL && elf_file_read(&elf, here) == 0) {
        if (elf.verdict == ELF_GOOD) {
            if (from != NULL)
                good = tree_add_file(program->tree, path, from) == 0;
            else
                free(here), good = (here = provide_file(program->tree, program->root, path)) != NULL;
        }
        if (good)
            family_add(family, path, here, elf);
        else
            elf_file_free(&elf);
    }
    free(here);
    return good;
}

static bool take_from_folder(struct family *family, const char *folder, const char *name)
{
    char *path = text("%s/%s", folder, name), *plain = plain_path("/", path);
    bool good = take_library(family, plain, NULL);

    free(plain);
    free(path);
    return good;
}

/* One folder of a search path, its $ORIGIN, $LIB and $PLATFORM replaced. The caller frees it. */
static char *expand(const char *folder, const struct object *object)
{
    static const struct {
        const char *word, *value;
    } words[] = {
        { "$ORIGIN", NULL },          { "${ORIGIN}", NULL },       { "$LIB", "lib/i386-linux-gnu" },
        { "${LIB}", "lib/i386-linux-gnu" }, { "$PLATFORM", "i686" }, { "${PLATFORM}", "i686" },
    };
    char *origin = text("%.*s", (int)(base_name(object->path) - object->path), object->path);
    char *result = text("%s", "");

    while (*folder != '\0') {
        const char *value = NULL;
        size_t length = 1;
        char *longer;

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && value == NULL; i++)
            if (strncmp(folder, words[i].word, strlen(words[i].word)) == 0) {
                length = strlen(words[i].word);
                value = words[i].value != NULL ? words[i].value : origin;
            }
        longer = value != NULL ? text("%s%s", result, value) : text("%s%c", result, *folder);
        free(result);
        result = longer;
        folder += length;
    }
    free(origin);
    return result;
}

static bool take_from_path(struct family *family, const char *search, const struct object *object, const char *name)
{
    char *copy = text("%s", search != NULL ? search : ""), *rest = copy;
    bool good = false;

    for (char *folder; !good && (folder = strsep(&rest, ":;")) != NULL;)
        if (folder[0] != '\0') {
            char *expanded = expand(folder, object);

            good = take_from_folder(family, expanded, name);
            free(expanded);
        }
    free(copy);
    return good;
}

static bool take_from_foreign(struct family *family, const char *name)
{
    bool good = false;

    for (const char *const *folder = foreign_folders; *folder != NULL && !good; folder++) {
        char *here = text("%s/%s", *folder, name), *path = text("%s/%s", foreign_home, name);

        good = access(here, R_OK) == 0 && take_library(family, path, here);
        free(path);
        free(here);
    }
    return good;
}

static bool is_there(const struct family *family, const char *name)
{
    for (size_t i = 0; i < family->count; i++)
        if (strcmp(base_name(family->objects[i].path), name) == 0)
            return true;
    /* musl's loader is its C library, under any of these names. */
    return family->musl && (strcmp(name, "libc.so") == 0 || strncmp(name, "libc.musl-", 10) == 0);
}

/* The order of ld.so(8). `asker` is copied: the list of objects moves when it grows. */
static bool take_needed(struct family *family, struct object asker, const char *name)
{
    const struct object program = family->objects[0];

    if (is_there(family, name))
        return true;
    if (strchr(name, '/') != NULL)
        return take_library(family, name, NULL);
    if (asker.elf.runpath == NULL &&
        (take_from_path(family, asker.elf.rpath, &asker, name) ||
         (program.elf.runpath == NULL && take_from_path(family, program.elf.rpath, &program, name))))
        return true;
    if (take_from_path(family, family->program->library_path, &asker, name) ||
        take_from_path(family, asker.elf.runpath, &asker, name))
        return true;
    for (const char *const *folder = family->musl ? musl_folders : glibc_folders; *folder != NULL; folder++)
        if (take_from_folder(family, *folder, name))
            return true;
    return take_from_foreign(family, name);
}

static int take_all_needed(struct family *family)
{
    const struct program *program = family->program;

    for (size_t i = 0; i < family->count; i++)
        for (size_t j = 0; j < family->objects[i].elf.needed_count; j++) {
            const char *name = family->objects[i].elf.needed[j];

            if (take_needed(family, family->objects[i], name) || program->lenient)
                continue;
            return tell(SEAL_MISSING, "the library %s, which %s needs, is missing for i386 (looked in %s%shere)",
                            name, family->objects[i].path, program->root != NULL ? program->root : "",
                            program->root != NULL ? " and " : "");
        }
    return 0;
}

/* The loader that PT_INTERP names, and then the libraries. */
static int take_needs(struct family *family)
{
    struct program *program = family->program;
    const char *loader = family->objects[0].elf.interpreter;
    char *here;

    if (loader != NULL) {
        here = provide_file(program->tree, program->root, loader);
        if (here == NULL && !program->lenient)
            return tell(SEAL_MISSING, "the loader %s, which %s needs, is missing for i386", loader,
                            family->objects[0].path);
        free(here);
        family->musl = strncmp(base_name(loader), "ld-musl", 7) == 0;
    }
    return take_all_needed(family);
}

/* ---- Programs ------------------------------------------------------------------------- */

static int add_at(struct program *program, const char *path, int scripts);

/*
 * Where a program is in the guest: a path as it is; a name in the guest's PATH inside the
 * root, then in ours here. The caller frees it; NULL when there is none.
 */
static char *search(const struct program *program, const char *name)
{
    const char *paths[] = { "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", getenv("PATH") };
    char folder[PATH_MAX];

    if (strchr(name, '/') != NULL) {
        char *path = getcwd(folder, sizeof(folder)) != NULL ? plain_path(folder, name) : NULL;
        char *here = path != NULL ? find_file(program->tree, program->root, path) : NULL;

        if (here == NULL) {
            free(path);
            path = NULL;
        }
        free(here);
        return path;
    }
    for (size_t i = 0; i < 2; i++) {
        char *copy = text("%s", paths[i] != NULL ? paths[i] : ""), *rest = copy, *found = NULL;

        for (char *part; found == NULL && (part = strsep(&rest, ":")) != NULL;) {
            char *path = part[0] == '/' ? text("%s/%s", part, name) : NULL;
            char *here = path != NULL ? find_file(program->tree, program->root, path) : NULL;

            /* Of this machine's own programs only those from its own PATH. */
            if (here != NULL && (i == 1 || strcmp(here, path) != 0))
                found = path;
            else
                free(path);
            free(here);
        }
        free(copy);
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* A script's first line: interpreter and, perhaps, one argument. Both are the caller's. */
static bool read_script(const char *here, char **interpreter, char **argument)
{
    FILE *file = fopen(here, "re");
    char line[256], *start, *end;
    bool good = file != NULL && fgets(line, sizeof(line), file) != NULL && strncmp(line, "#!", 2) == 0;

    if (file != NULL)
        fclose(file);
    if (!good)
        return false;
    line[strcspn(line, "\n")] = '\0';
    start = line + 2 + strspn(line + 2, " \t");
    end = start + strcspn(start, " \t");
    *argument = text("%s", end + strspn(end, " \t"));
    *interpreter = text("%.*s", (int)(end - start), start);
    return true;
}

static int add_interpreter(struct program *program, const char *path, const char *interpreter, const char *argument,
                           int scripts)
{
    struct program quiet = *program;
    char *found;
    int status;

    if (scripts == SCRIPTS_AT_MOST)
        return tell(SEAL_CANNOT, "%s: scripts interpret one another without end", path);
    found = find_file(program->tree, program->root, interpreter);
    if (found == NULL)
        return tell(SEAL_MISSING, "the interpreter %s, which %s needs, is missing", interpreter, path);
    free(found);
    status = add_at(program, interpreter, scripts + 1);
    if (status != 0 || strcmp(base_name(interpreter), "env") != 0 || argument[0] == '\0' || argument[0] == '-')
        return status;
    quiet.lenient = true;
    found = search(&quiet, argument);
    if (found == NULL)
        return tell(SEAL_MISSING, "the interpreter %s, which %s needs, is missing", argument, path);
    status = add_at(program, found, scripts + 1);
    free(found);
    return status;
}

static int add_script(struct program *program, const char *path, const char *here, int scripts)
{
    char *interpreter, *argument;
    int status;

    if (!read_script(here, &interpreter, &argument))
        return tell(SEAL_CANNOT, "%s is no program: neither ELF nor a script that begins with #!", path);
    status = add_interpreter(program, path, interpreter, argument, scripts);
    free(interpreter);
    free(argument);
    return status;
}

static int add_elf(struct program *program, const char *path, const char *here, struct elf_file elf)
{
    struct family family = { .program = program };
    int status;

    family_add(&family, path, here, elf);
    status = take_needs(&family);
    family_free(&family);
    return status;
}

/* Add the program that is at `path` in the guest; `scripts` have led here. */
static int add_at(struct program *program, const char *path, int scripts)
{
    char *here = provide_file(program->tree, program->root, path);
    struct elf_file elf = { 0 };
    struct stat mode;
    int status, err;

    if (here == NULL)
        return tell(SEAL_CANNOT, "%s: %s", path, "cannot be read");
    err = elf_file_read(&elf, here);
    if (err != 0)
        status = tell(SEAL_CANNOT, "%s: %s", here, strerror(err));
    else if (stat(here, &mode) != 0 || (mode.st_mode & 0111) == 0)
        status = tell(SEAL_CANNOT, "%s is not executable", here);
    else if (elf.verdict == ELF_FOREIGN)
        status = tell(SEAL_CANNOT, "%s is a program for %s; Quire runs those for i386", here, elf.machine);
    else if (elf.verdict == ELF_BROKEN)
        status = tell(SEAL_CANNOT, "%s is a damaged ELF file, or not a program", here);
    else if (elf.verdict == ELF_NOT)
        status = add_script(program, path, here, scripts);
    else {
        status = add_elf(program, path, here, elf);
        free(here);
        return status;
    }
    elf_file_free(&elf);
    free(here);
    return status;
}

int program_add(struct program *program, const char *name, char **path)
{
    int status;

    *path = search(program, name);
    if (*path == NULL)
        return tell(SEAL_NOT_FOUND, "there is no program `%s` (looked in %s%shere)", name,
                        program->root != NULL ? program->root : "", program->root != NULL ? " and " : "");
    status = add_at(program, *path, 0);
    if (status != 0) {
        free(*path);
        *path = NULL;
    }
    return status;
}

/* ---- What --file brought -------------------------------------------------------------- */

struct paths {
    char **paths;
    size_t count;
};

static void collect(const struct tree_node *node, void *with)
{
    struct paths *list = with;

    if (node->kind != TREE_FILE || node->size < 52)         /* no ELF header fits */
        return;
    list->paths = grown(list->paths, list->count + 1, sizeof(*list->paths));
    list->paths[list->count++] = text("%s", node->path);
}

void program_add_needs(struct program *program)
{
    struct program lenient = *program;
    struct paths list = { 0 };

    lenient.lenient = true;
    tree_walk(program->tree, collect, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct tree_node *node = tree_find(program->tree, list.paths[i]);
        struct elf_file elf;

        if (node != NULL && elf_file_read(&elf, node->content) == 0) {
            if (elf.verdict == ELF_GOOD)
                add_elf(&lenient, list.paths[i], node->content, elf);
            else
                elf_file_free(&elf);
        }
        free(list.paths[i]);
    }
    free(list.paths);
}
