/* emulator.c - which QEMU is started. See machine.h. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"

/* Debian's qemu-system-i386 is a script that looks for options of Xen's and then becomes this program. */
#define NAME      "qemu-system-i386"
#define PROGRAM   "/usr/libexec/" NAME
#define SAID_THUS "\nexe=" PROGRAM "\n"

enum { SCRIPT_MOST = 4096 };

/* True for Debian's script, and for no other script: somebody's own may add options. */
static bool is_debians_script(const char *path)
{
    char bytes[SCRIPT_MOST + 1];
    FILE *file = fopen(path, "re");
    size_t length = file != NULL ? fread(bytes, 1, SCRIPT_MOST, file) : 0;

    if (file != NULL)
        fclose(file);
    bytes[length] = '\0';
    return strncmp(bytes, "#!", 2) == 0 && strstr(bytes, SAID_THUS) != NULL;
}

/* The first executable file of the name in PATH, as execvp(3) finds it; "" for none. */
static void find_in_path(const char *name, char *found, size_t size)
{
    const char *rest = getenv("PATH");

    for (size_t length; rest != NULL; rest = rest[length] == ':' ? rest + length + 1 : NULL) {
        length = strcspn(rest, ":");
        if (snprintf(found, size, "%.*s/%s", length > 0 ? (int)length : 1, length > 0 ? rest : ".", name) < (int)size &&
            access(found, X_OK) == 0)
            return;
    }
    found[0] = '\0';
}

static bool is_program(const char *path)
{
    char bytes[4] = { 0 };
    FILE *file = fopen(path, "re");
    bool good = file != NULL && fread(bytes, sizeof(bytes), 1, file) == 1 && memcmp(bytes, "\177ELF", 4) == 0;

    if (file != NULL)
        fclose(file);
    return good;
}

char *machine_emulator_file(void)
{
    char path[4096];
    const char *name = machine_emulator();

    if (strchr(name, '/') != NULL)
        snprintf(path, sizeof(path), "%s", name);
    else
        find_in_path(name, path, sizeof(path));
    return is_program(path) ? text("%s", path) : NULL;
}

const char *machine_emulator(void)
{
    char found[4096];
    const char *said = getenv("QUIRE_QEMU");

    if (said != NULL && said[0] != '\0')
        return said;
    find_in_path(NAME, found, sizeof(found));
    return access(PROGRAM, X_OK) == 0 && is_debians_script(found) ? PROGRAM : NAME;
}
