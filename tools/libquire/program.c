/* program.c - a program, its interpreter and its libraries. See program.h. */
#include "program.h"
#include "arena.h"
#include "elf_file.h"
#include "find.h"
#include "sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRIPTS_AT_MOST = 5 };       /* scripts that interpret each other, as in Linux */

/* Folders that the guest's loaders search by default; both lists end with a NULL. */
static const char *const glibc_folders[] = {
    "/lib/i386-linux-gnu", "/usr/lib/i386-linux-gnu", "/lib", "/usr/lib", NULL,
};
static const char *const musl_folders[] = {
    "/lib", "/usr/local/lib", "/usr/lib", "/lib/i386-linux-musl", "/usr/lib/i386-linux-musl", NULL,
};
/* Where a 64-bit host may have i386 libraries. No loader in the guest searches it, so they get another path. */
static const char *const foreign_folders[] = {
    "/lib32", "/usr/lib32", "/usr/local/lib/i386-linux-gnu", "/usr/local/lib", NULL,
};
static const char foreign_home[] = "/usr/lib/i386-linux-gnu";

/* A program or library whose needs are followed, as far as `reach`. */
struct object {
    char           *path;           /* in the guest */
    enum reach      reach;
    struct elf_file elf;
};

/* A program with its loader and libraries; objects are followed in the order in which they were found. */
struct family {
    struct program *program;
    struct object  *objects;
    size_t          count;
    bool            musl;
    char           *beyond;         /* a fitting file of the host that is out of reach, or NULL */
};

static void family_free(struct family *family)
{
    for (size_t i = 0; i < family->count; i++) {
        drop(family->objects[i].path);
        elf_file_free(&family->objects[i].elf);
    }
    drop(family->objects);
    drop(family->beyond);
}

/* A name in a file of the host is looked for near that file; a name in another file, not on the host at all. */
static enum reach reach_of(const struct found *found)
{
    return found->from == FOUND_HERE ? REACH_NEAR : REACH_INSIDE;
}

static void family_add(struct family *family, const char *path, enum reach reach, struct elf_file elf)
{
    family->objects = grown(family->objects, family->count + 1, sizeof(*family->objects));
    family->objects[family->count++] = (struct object){ text("%s", path), reach, elf };
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* ---- Libraries ------------------------------------------------------------------------ */

/* Take a library that was found into the family if it is one for i386; others of its name are passed over. */
static bool take_found(struct family *family, struct found *found)
{
    struct elf_file elf;
    bool good;

    elf_file_read(&elf, found->fd);
    good = elf.verdict == ELF_GOOD && provide(&family->program->places, found) == 0;
    if (good)
        family_add(family, found->path, reach_of(found), elf);
    else
        elf_file_free(&elf);
    found_free(found);
    return good;
}

/* Remember a file of the host that may not be used, for the message about the missing library. */
static void note_beyond(struct family *family, const char *path)
{
    if (family->beyond == NULL && !family->program->lenient && access(path, R_OK) == 0)
        family->beyond = text("%s", path);
}

static bool take_library(struct family *family, const char *path, enum reach reach)
{
    struct found found;

    if (find_file(&family->program->places, path, reach, &found))
        return take_found(family, &found);
    note_beyond(family, path);
    return false;
}

static bool take_from_folder(struct family *family, const char *folder, const char *name, enum reach reach)
{
    char *path = text("%s/%s", folder, name), *plain = plain_path(family->program->directory, path);
    bool good = take_library(family, plain, reach);

    drop(plain);
    drop(path);
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
        drop(result);
        result = longer;
        folder += length;
    }
    drop(origin);
    return result;
}

static bool take_from_path(struct family *family, const char *search, const struct object *object, const char *name)
{
    char *copy = text("%s", search != NULL ? search : ""), *rest = copy;
    bool good = false;

    for (char *folder; !good && (folder = strsep(&rest, ":;")) != NULL;)
        if (folder[0] != '\0') {
            char *expanded = expand(folder, object);

            good = take_from_folder(family, expanded, name, object->reach);
            drop(expanded);
        }
    drop(copy);
    return good;
}

static bool take_from_foreign(struct family *family, const char *name)
{
    bool good = false;

    for (const char *const *folder = foreign_folders; *folder != NULL && !good; folder++) {
        char *here = text("%s/%s", *folder, name), *path = text("%s/%s", foreign_home, name);
        struct found found;

        good = find_foreign(path, here, &found) && take_found(family, &found);
        drop(path);
        drop(here);
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

/* Take a library by its path, which may be relative to the program's working directory. */
static bool take_named(struct family *family, const char *name, enum reach reach)
{
    char *path = plain_path(family->program->directory, name);
    bool good = take_library(family, path, reach);

    drop(path);
    return good;
}

/* The order of ld.so(8). `asker` is copied: the list of objects moves when it grows. */
static bool take_needed(struct family *family, struct object asker, const char *name)
{
    const struct object program = family->objects[0];

    if (is_there(family, name))
        return true;
    if (strchr(name, '/') != NULL)
        return take_named(family, name, asker.reach);
    if (asker.elf.runpath == NULL &&
        (take_from_path(family, asker.elf.rpath, &asker, name) ||
         (program.elf.runpath == NULL && take_from_path(family, program.elf.rpath, &program, name))))
        return true;
    if (take_from_path(family, family->program->places.library_path, &asker, name) ||
        take_from_path(family, asker.elf.runpath, &asker, name))
        return true;
    for (const char *const *folder = family->musl ? musl_folders : glibc_folders; *folder != NULL; folder++)
        if (take_from_folder(family, *folder, name, asker.reach))
            return true;
    return asker.reach == REACH_NEAR && take_from_foreign(family, name);
}

static int missing_library(const struct family *family, const char *name, const char *asker)
{
    const struct tree_source *root = family->program->places.root;

    if (family->beyond != NULL)
        return tell(SANDBOX_MISSING,
                    "the library %s, which %s needs, is missing; %s of this machine would come with --file %s", name,
                    asker, family->beyond, family->beyond);
    return tell(SANDBOX_MISSING, "the library %s, which %s needs, is missing for i386 (looked in %s%shere)", name,
                asker, root != NULL ? root->name : "", root != NULL ? " and " : "");
}

static int take_all_needed(struct family *family)
{
    for (size_t i = 0; i < family->count; i++) {
        for (size_t j = 0; j < family->objects[i].elf.needed_count; j++) {
            const char *name = family->objects[i].elf.needed[j];

            drop(family->beyond);
            family->beyond = NULL;
            if (!take_needed(family, family->objects[i], name) && !family->program->lenient)
                return missing_library(family, name, family->objects[i].path);
        }
        /* glibc loads libgcc_s when a thread ends or is cancelled, and aborts the program if it cannot. */
        if (strcmp(base_name(family->objects[i].path), "libc.so.6") == 0)
            (void)take_needed(family, family->objects[i], "libgcc_s.so.1");
    }
    return 0;
}

/* A loader may be any file of tree or root; of the host, only a library of i386. */
static bool take_loader(struct family *family, const char *path)
{
    struct found found;
    struct elf_file elf;
    bool good;

    if (!find_file(&family->program->places, path, family->objects[0].reach, &found)) {
        note_beyond(family, path);
        return false;
    }
    elf_file_read(&elf, found.fd);
    good = (found.from != FOUND_HERE || elf.verdict == ELF_GOOD) && provide(&family->program->places, &found) == 0;
    elf_file_free(&elf);
    found_free(&found);
    return good;
}

/* Take the loader that PT_INTERP names, and then the libraries. */
static int take_needs(struct family *family)
{
    const char *said = family->objects[0].elf.interpreter;

    if (said != NULL) {
        char *loader = plain_path(family->program->directory, said);
        bool good = take_loader(family, loader);

        family->musl = strncmp(base_name(loader), "ld-musl", 7) == 0;
        drop(loader);
        if (!good && !family->program->lenient)
            return tell(SANDBOX_MISSING, "the loader %s, which %s needs, is missing for i386", said,
                        family->objects[0].path);
    }
    return take_all_needed(family);
}

/* ---- Programs ------------------------------------------------------------------------- */

static int add_found(struct program *program, const struct found *found, int scripts);

/* Find a name in the folders of a PATH, within `reach`. False: no folder has it. */
static bool search_in(const struct program *program, const char *folders, const char *name, enum reach reach,
                      struct found *found)
{
    char *copy = text("%s", folders != NULL ? folders : ""), *rest = copy;
    bool good = false;

    for (char *part; !good && (part = strsep(&rest, ":")) != NULL;) {
        char *path = text("%s/%s", part, name), *plain = plain_path("/", path);

        good = part[0] == '/' && find_file(&program->places, plain, reach, found);
        drop(plain);
        drop(path);
    }
    drop(copy);
    return good;
}

static const char guest_path[] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/*
 * A program that a person named: a path as it is; a name in the guest's PATH inside tree and root, then in the host's.
 */
static bool search(const struct program *program, const char *name, struct found *found)
{
    char *here, *path;
    bool good;

    if (strchr(name, '/') == NULL)
        return search_in(program, guest_path, name, REACH_INSIDE, found) ||
               search_in(program, getenv("PATH"), name, REACH_NAMED, found);
    here = adopted(getcwd(NULL, 0));
    path = plain_path(here != NULL ? here : "/", name);
    good = find_file(&program->places, path, REACH_NAMED, found);
    drop(path);
    drop(here);
    return good;
}

/* Read a script's first line: the interpreter and at most one argument, which the caller frees. */
static bool read_script(int fd, char **interpreter, char **argument)
{
    char line[256], *start, *end;
    ssize_t got = pread(fd, line, sizeof(line) - 1, 0);

    if (got < 2 || strncmp(line, "#!", 2) != 0)
        return false;
    line[got] = '\0';
    line[strcspn(line, "\n")] = '\0';
    start = line + 2 + strspn(line + 2, " \t");
    end = start + strcspn(start, " \t");
    *argument = text("%s", end + strspn(end, " \t"));
    *interpreter = text("%.*s", (int)(end - start), start);
    return true;
}

/* Add the program in `found` and free `found`; without `good` complain that it is missing. */
static int add_interpreter_found(struct program *program, bool good, struct found *found, const char *name,
                                 const char *path, int scripts)
{
    int status;

    if (!good)
        return tell(SANDBOX_MISSING, "the interpreter %s, which %s needs, is missing", name, path);
    status = add_found(program, found, scripts + 1);
    found_free(found);
    return status;
}

static int add_interpreter(struct program *program, const char *path, enum reach reach, const char *interpreter,
                           const char *argument, int scripts)
{
    char *plain = plain_path(program->directory, interpreter);
    struct found found;
    int status;

    if (scripts == SCRIPTS_AT_MOST)
        status = tell(SANDBOX_CANNOT, "%s: scripts interpret one another without end", path);
    else
        status = add_interpreter_found(program, find_file(&program->places, plain, reach, &found), &found, interpreter,
                                       path, scripts);
    drop(plain);
    if (status != 0 || strcmp(base_name(interpreter), "env") != 0 || argument[0] == '\0' || argument[0] == '-')
        return status;
    return add_interpreter_found(program, search_in(program, guest_path, argument, REACH_INSIDE, &found), &found,
                                 argument, path, scripts);
}

static int add_script(struct program *program, const struct found *found, int scripts)
{
    char *interpreter, *argument;
    int status;

    if (!read_script(found->fd, &interpreter, &argument))
        return tell(SANDBOX_CANNOT, "%s is no program: neither ELF nor a script that begins with #!", found->path);
    status = add_interpreter(program, found->path, reach_of(found), interpreter, argument, scripts);
    drop(interpreter);
    drop(argument);
    return status;
}

static int add_elf(struct program *program, const char *path, enum reach reach, struct elf_file elf)
{
    struct family family = { .program = program };
    int status;

    family_add(&family, path, reach, elf);
    status = take_needs(&family);
    family_free(&family);
    return status;
}

static int refuse_foreign(const char *path, const struct elf_file *elf)
{
    return tell(SANDBOX_CANNOT, "%s is a program for %s; Quire runs those for i386%s", path, elf->machine,
                strcmp(elf->machine, "x86-64") == 0
                    ? " (gcc -m32 makes one, with Debian's package gcc-multilib, or --root with a compiler in it)"
                    : "");
}

/* Add a program with all files that it needs; it is the interpreter of `scripts` scripts, one of another. */
static int add_found(struct program *program, const struct found *found, int scripts)
{
    struct elf_file elf;
    int status;

    elf_file_read(&elf, found->fd);
    if ((found->status.st_mode & 0111) == 0)
        status = tell(SANDBOX_CANNOT, "%s is not executable", found->path);
    else if (elf.verdict == ELF_FOREIGN)
        status = refuse_foreign(found->path, &elf);
    else if (elf.verdict == ELF_BROKEN)
        status = tell(SANDBOX_CANNOT, "%s is a damaged ELF file, or not a program", found->path);
    else if (provide(&program->places, found) != 0)
        status = tell(SANDBOX_CANNOT, "%s cannot be read", found->path);
    else if (elf.verdict == ELF_GOOD)
        return add_elf(program, found->path, reach_of(found), elf);
    else
        status = add_script(program, found, scripts);
    elf_file_free(&elf);
    return status;
}

/* The folder of a program of the host, for REACH_NEAR; NULL for the host's root folder. The caller frees it. */
static char *near(const struct found *found)
{
    const char *slash = strrchr(found->path, '/');

    return found->from == FOUND_HERE && slash != found->path ? text("%.*s", (int)(slash - found->path), found->path)
                                                             : NULL;
}

/* An image without the program that it starts does not work, so it is refused here. */
static int check_place(const struct program *program, const char *path)
{
    const struct tree_node *node = tree_follow(program->places.tree, path);

    if (node != NULL && (node->kind == TREE_FILE || node->kind == TREE_BYTES))
        return 0;
    return tell(SANDBOX_FAILED, "the guest would not find %s: something that --file brought hides it", path);
}

int program_add(struct program *program, const char *name, char **path)
{
    const struct tree_source *root = program->places.root;
    struct found found;
    char *folder;
    int status;

    if (!search(program, name, &found))
        return root != NULL ? tell(SANDBOX_NOT_FOUND, "there is no program `%s` (looked in %s and here)", name,
                                   root->name)
                            : tell(SANDBOX_NOT_FOUND, "there is no program `%s` (looked here; `quire programs` fetches "
                                   "some)", name);
    folder = near(&found);
    program->places.near = folder;
    status = add_found(program, &found, 0);
    program->places.near = NULL;
    if (status == 0)
        status = check_place(program, found.path);
    *path  = status == 0 ? text("%s", found.path) : NULL;
    found_free(&found);
    drop(folder);
    return status;
}

/* ---- The files of --file -------------------------------------------------------------- */

struct paths {
    char **paths;
    size_t count;
};

static void collect_node(const struct tree_node *node, void *with)
{
    struct paths *list = with;

    if (node->kind != TREE_FILE || node->size < 52)         /* too small for an ELF header */
        return;
    list->paths = grown(list->paths, list->count + 1, sizeof(*list->paths));
    list->paths[list->count++] = text("%s", node->path);
}

void program_add_needs(struct program *program)
{
    struct program lenient = *program;
    struct paths list = { 0 };

    lenient.lenient = true;
    tree_walk(program->places.tree, collect_node, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct tree_node *node = tree_find(program->places.tree, list.paths[i]);
        struct elf_file elf;
        struct stat status;
        int fd = node != NULL && node->kind == TREE_FILE ? tree_open(node, &status) : -1;

        if (fd >= 0) {
            struct held *held = hold_fd(fd);

            elf_file_read(&elf, fd);
            let_go(held);
            if (elf.verdict == ELF_GOOD)
                add_elf(&lenient, list.paths[i], REACH_INSIDE, elf);
            else
                elf_file_free(&elf);
        }
        drop(list.paths[i]);
    }
    drop(list.paths);
}
