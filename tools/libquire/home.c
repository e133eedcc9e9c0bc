/* home.c - finding files from where this code lies. See home.h. */
#include "home.h"
#include "arena.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path if there is something, else NULL, and the path is dropped. */
static char *if_there(char *path)
{
    if (path != NULL && access(path, R_OK) == 0)
        return path;
    drop(path);
    return NULL;
}

/* `folder`/`below` if that exists; drops the folder, which may be NULL. */
static char *below_if_there(char *folder, const char *below)
{
    char *path = folder != NULL ? text("%s/%s", folder, below) : NULL;

    drop(folder);
    return if_there(path);
}

static bool has_layouts(const char *home)
{
    char *path = text("%s/layouts", home);
    struct stat status;
    bool good = stat(path, &status) == 0 && S_ISDIR(status.st_mode);

    drop(path);
    return good;
}

/* Cut the last part of a path off. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path)
        return false;
    *slash = '\0';
    return true;
}

/* The home that the file `sources` of a build directory names, which may be anywhere; or NULL. */
static char *home_of_build(const char *build)
{
    char *path = text("%s/sources", build), line[4096] = "";
    FILE *file = fopen(path, "re");

    drop(path);
    if (file == NULL)
        return NULL;
    if (fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return line[0] != '\0' && has_layouts(line) ? text("%s", line) : NULL;
}

/* The file that this address is mapped from, by the table of the process's memory; or NULL. */
static char *file_at(uintptr_t address)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096 + 128], *found = NULL;
    uintptr_t from, to;
    int path = 0;

    while (maps != NULL && found == NULL && fgets(line, sizeof(line), maps) != NULL)
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %*s %n", &from, &to, &path) == 2 && from <= address &&
            address < to && line[path] == '/')
            found = line + path;
    if (maps != NULL)
        fclose(maps);
    if (found == NULL)
        return NULL;
    found[strcspn(found, "\n")] = '\0';
    return text("%s", found);
}

/* The folder of the command or library that has this code; NULL: /proc cannot be read. */
static char *own_folder(void)
{
    char *file = file_at((uintptr_t)&own_folder);

    if (file == NULL || !go_up(file)) {
        drop(file);
        return NULL;
    }
    return file;
}

/* PREFIX, if this code lies in PREFIX/bin or in PREFIX/lib; else NULL. */
static char *own_prefix(void)
{
    char *folder = own_folder(), *last = folder != NULL ? strrchr(folder, '/') : NULL;

    if (last != NULL && (strcmp(last, "/bin") == 0 || strcmp(last, "/lib") == 0)) {
        *last = '\0';
        return folder;
    }
    drop(folder);
    return NULL;
}

char *installed_path(void)
{
    return below_if_there(own_prefix(), "lib/quire");
}

/* A command in a tree lies at the top, or in a build folder at most two below the top or with a file `sources`. */
static char *find_tree(void)
{
    char *folder = own_folder();

    for (int up = 0; folder != NULL && up < 3; up++, go_up(folder)) {
        char *named = has_layouts(folder) ? text("%s", folder) : home_of_build(folder);

        if (named != NULL) {
            drop(folder);
            return named;
        }
    }
    drop(folder);
    return NULL;
}

static char *find_home(void)
{
    const char *said = getenv("QUIRE_HOME");
    char *home = said != NULL ? text("%s", said) : find_tree();

    if (home == NULL)
        home = below_if_there(own_prefix(), "share/quire");
    if (home == NULL && has_layouts("."))
        home = text(".");
    return home;
}

char *home_path(const char *below)
{
    char *home = find_home(), *path = home != NULL ? text("%s/%s", home, below) : NULL;

    drop(home);
    return path;
}

char *build_path(const char *build, const char *below)
{
    const char *said = build != NULL ? build : getenv("QUIRE_BUILD");
    char *folder, *path = NULL;

    if (said != NULL)
        return if_there(text("%s/%s", said, below));
    folder = own_folder();
    for (int up = 0; up < 2 && folder != NULL && path == NULL; up++, go_up(folder))
        path = if_there(text("%s/%s", folder, below));
    drop(folder);
    if (path == NULL)
        path = below_if_there(installed_path(), below);
    return path != NULL ? path : below_if_there(home_path("build"), below);
}

char *programs_path(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *user = getenv("HOME");
    char *installed = installed_path();

    if (installed == NULL)
        return home_path("build/programs");
    drop(installed);
    if (cache != NULL && cache[0] == '/')
        return text("%s/quire/programs", cache);
    return user != NULL && user[0] == '/' ? text("%s/.cache/quire/programs", user) : NULL;
}

char *fetched_root(void)
{
    char *built = build_path(NULL, "programs/root");

    return built != NULL ? built : below_if_there(programs_path(), "root");
}
