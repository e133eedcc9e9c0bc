/* home.c - where Quire's own files are. See command.h. */
#include "command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_layouts(const char *home)
{
    struct stat status;
    char *path;
    bool good;

    if (asprintf(&path, "%s/layouts", home) < 0)
        return false;
    good = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    free(path);
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

/* Read the file `sources` of a build directory, which may be anywhere. False: there is none, or it names no home. */
static bool read_sources(const char *build, char *home, size_t size)
{
    char *path;
    FILE *file;
    bool good;

    if (asprintf(&path, "%s/sources", build) < 0)
        return false;
    file = fopen(path, "re");
    free(path);
    good = file != NULL && fgets(home, (int)size, file) != NULL;
    if (file != NULL)
        fclose(file);
    if (good)
        home[strcspn(home, "\n")] = '\0';
    return good && has_layouts(home);
}

/* The folder of this executable. False: /proc cannot be read. */
static bool own_folder(char *folder, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);

    folder[length > 0 ? length : 0] = '\0';
    return length > 0 && go_up(folder);
}

/* An installed command lies in PREFIX/bin. NULL, or what lies at PREFIX/`below`: a folder. */
static char *beside_bin(const char *below)
{
    char folder[4096], *path;
    struct stat status;

    if (!own_folder(folder, sizeof(folder)) || strcmp(folder + strlen(folder) - 4, "/bin") != 0)
        return NULL;
    go_up(folder);
    if (asprintf(&path, "%s/%s", strcmp(folder, "/bin") == 0 ? "" : folder, below) < 0)
        return NULL;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return path;
    free(path);
    return NULL;
}

char *installed_path(void)
{
    return beside_bin("lib/quire");
}

/* In a tree the executable lies at the top, or in a build folder at most two below the top or with a file `sources`. */
static bool find_tree(char *home, size_t size)
{
    char found[4096];

    if (!own_folder(home, size))
        return false;
    for (int up = 0; up < 3; up++, go_up(home))
        if (has_layouts(home) || read_sources(home, found, sizeof(found))) {
            if (!has_layouts(home))
                snprintf(home, size, "%s", found);
            return true;
        }
    return false;
}

static bool find_home(char *home, size_t size)
{
    const char *said = getenv("QUIRE_HOME");
    char *shared;

    if (said != NULL && strlen(said) < size) {
        strcpy(home, said);
        return true;
    }
    if (find_tree(home, size))
        return true;
    shared = beside_bin("share/quire");
    snprintf(home, size, "%s", shared != NULL ? shared : ".");
    free(shared);
    return has_layouts(home);
}

char *home_path(const char *below)
{
    char home[4096], *path;

    if (!find_home(home, sizeof(home)) || asprintf(&path, "%s/%s", home, below) < 0)
        return NULL;
    return path;
}

char *programs_path(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *user = getenv("HOME");
    char *installed = installed_path(), *path = NULL;
    int length;

    if (installed == NULL)
        return home_path("build/programs");
    free(installed);
    if (cache != NULL && cache[0] == '/')
        length = asprintf(&path, "%s/quire/programs", cache);
    else if (user != NULL && user[0] == '/')
        length = asprintf(&path, "%s/.cache/quire/programs", user);
    else
        return NULL;
    return length < 0 ? NULL : path;
}
