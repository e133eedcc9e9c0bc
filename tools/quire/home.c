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

/* What the file `sources` of a build directory says, which may be anywhere. False: nothing that helps. */
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

/* The executable lies at the top, or in a build folder that is at most two below it or knows its sources; or we stand at the top. */
static bool find_home(char *home, size_t size)
{
    const char *said = getenv("QUIRE_HOME");
    char found[4096];
    ssize_t length;

    if (said != NULL && strlen(said) < size) {
        strcpy(home, said);
        return true;
    }
    length = readlink("/proc/self/exe", home, size - 1);
    if (length < 0)
        return false;
    home[length] = '\0';
    for (int up = 0; up < 3 && go_up(home); up++)
        if (has_layouts(home) || read_sources(home, found, sizeof(found))) {
            if (!has_layouts(home))
                snprintf(home, size, "%s", found);
            return true;
        }
    strcpy(home, ".");
    return has_layouts(home);
}

char *home_path(const char *below)
{
    char home[4096], *path;

    if (!find_home(home, sizeof(home)) || asprintf(&path, "%s/%s", home, below) < 0)
        return NULL;
    return path;
}
