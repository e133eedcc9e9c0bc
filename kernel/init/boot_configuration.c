/*
 * boot_configuration.c - which program to run, and how. See boot_configuration.h.
 */
#include "init/boot_configuration.h"

#include "base/error.h"
#include "base/string.h"
#include "devices/channel.h"
#include "memory/heap/heap.h"

enum { CONFIGURATION_LONGEST = 4 * 1024 * 1024 };

/* Read a file of the folder, and append a NUL. Returns 0 or a negative errno. */
static int read_whole(struct fs_context *fs, const char *path, char **text, size_t *length)
{
    struct file  *file;
    struct buffer buffer = { .kernel = true };
    long          got;
    int           err = path_open(fs, NULL, path, O_RDONLY, 0, &file);

    if (err != 0)
        return err;
    if (file->node->bytes > CONFIGURATION_LONGEST) {
        file_release(file);
        return -E2BIG;
    }
    buffer.bytes = (size_t)file->node->bytes;
    *text = buffer.memory = heap_alloc(buffer.bytes + 1, 0);
    got = *text != NULL ? file_read_at(file, &buffer, 0) : -ENOMEM;
    file_release(file);
    if (got < 0) {
        heap_free(*text);
        *text = NULL;
        return (int)got;
    }
    (*text)[got] = '\0';
    *length = (size_t)got;
    return 0;
}

/* A vector of texts that stand one after the other, each with its NUL. NULL without memory. */
static char **make_vector(char *text, size_t length)
{
    size_t count = 0, at = 0;
    char **list;

    for (size_t i = 0; i < length; i++)
        count += text[i] == '\0';
    list = heap_alloc((count + 1) * sizeof *list, 0);
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        list[i] = text + at;
        at += strlen(text + at) + 1;
    }
    list[count] = NULL;
    return list;
}

static int read_vector(struct fs_context *fs, const char *path, void **text, char ***list)
{
    char  *bytes;
    size_t length;
    int    err = read_whole(fs, path, &bytes, &length);

    if (err != 0)
        return err;
    *text = bytes;
    *list = make_vector(bytes, length);
    return *list != NULL ? 0 : -ENOMEM;
}

/* "02": bits 0 and 2. */
static unsigned closed_of(const char *digits)
{
    unsigned bits = 0;

    for (; *digits >= '0' && *digits <= '2'; digits++)
        bits |= 1u << (*digits - '0');
    return bits;
}

static int read_options(struct boot_configuration *configuration, struct fs_context *fs)
{
    static const char directory[] = "directory ", closed[] = "closed ";
    char  *line, *end;
    size_t length;
    int    err = read_whole(fs, CHANNEL_FOLDER "/options", &line, &length);

    if (err != 0)
        return err == -ENOENT ? 0 : err;
    configuration->text[2] = line;
    for (; *line != '\0'; line = end) {
        end = strchr(line, '\n');
        end = end != NULL ? end : line + strlen(line);
        if (*end != '\0')
            *end++ = '\0';
        if (strcmp(line, "report") == 0)
            configuration->report = true;
        else if (strcmp(line, "map") == 0)
            configuration->map = true;
        else if (strcmp(line, "terminal") == 0)
            configuration->terminal = true;
        else if (strncmp(line, closed, sizeof closed - 1) == 0)
            configuration->closed |= closed_of(line + sizeof closed - 1);
        else if (strncmp(line, directory, sizeof directory - 1) == 0)
            configuration->directory = line + sizeof directory - 1;
    }
    return 0;
}

/* Remove the folder's files, which no program is to see. A file that cannot be removed stays. */
static void remove_folder(struct fs_context *fs)
{
    static const char *const files[] = { "arguments", "environment", "options", "padding" };
    char path[32] = CHANNEL_FOLDER "/";

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        text_copy(path + sizeof CHANNEL_FOLDER, files[i], sizeof path - sizeof CHANNEL_FOLDER);
        (void)!path_remove(fs, NULL, path, false);
    }
    (void)!path_remove(fs, NULL, CHANNEL_FOLDER, true);
}

static void free_configuration(struct boot_configuration *configuration)
{
    heap_free(configuration->arguments);
    heap_free(configuration->environment);
    for (size_t i = 0; i < COUNT_OF(configuration->text); i++)
        heap_free(configuration->text[i]);
    *configuration = (struct boot_configuration){ 0 };
}

int boot_configuration_read(struct boot_configuration *configuration, struct fs_context *fs)
{
    int err;

    *configuration = (struct boot_configuration){ 0 };
    err = read_vector(fs, CHANNEL_FOLDER "/arguments", &configuration->text[0], &configuration->arguments);
    if (err == 0)
        err = read_vector(fs, CHANNEL_FOLDER "/environment", &configuration->text[1], &configuration->environment);
    if (err == 0)
        err = read_options(configuration, fs);
    if (err == 0 && configuration->arguments[0] == NULL)
        err = -EINVAL;
    if (err != 0) {
        free_configuration(configuration);
        return err;
    }
    remove_folder(fs);
    return 0;
}

int boot_configuration_simple(struct boot_configuration *configuration, const char *path)
{
    static const char environment[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\0HOME=/root\0"
                                      "TERM=vt100";
    size_t length = strlen(path) + 1;
    char  *program = heap_alloc(length, 0), *settings = heap_alloc(sizeof environment, 0);

    *configuration = (struct boot_configuration){ .terminal = true, .text = { program, settings } };
    if (program != NULL && settings != NULL) {
        memcpy(program, path, length);
        memcpy(settings, environment, sizeof environment);
        configuration->arguments   = make_vector(program, length);
        configuration->environment = make_vector(settings, sizeof environment);
    }
    if (configuration->arguments != NULL && configuration->environment != NULL)
        return 0;
    free_configuration(configuration);
    return -ENOMEM;
}
