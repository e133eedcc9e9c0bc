/*
 * boot_configuration.c - what to run, and how. See orders.h.
 */
#include "init/boot_configuration.h"

#include "base/error.h"
#include "base/string.h"
#include "devices/channel.h"
#include "memory/heap/heap.h"

enum { ORDERS_LONGEST = 4 * 1024 * 1024 };

/* A file of the folder, with a NUL behind it. Returns 0 or a negative errno. */
static int read_whole(struct fs_context *fs, const char *path, char **text, size_t *length)
{
    struct file  *file;
    struct buffer buffer = { .kernel = true };
    long          got;
    int           err = path_open(fs, NULL, path, O_RDONLY, 0, &file);

    if (err != 0)
        return err;
    buffer.bytes = file->node->bytes <= ORDERS_LONGEST ? (size_t)file->node->bytes : 0;
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

/* Texts one after the other, each with its NUL, as a vector. NULL without memory. */
static char **vector(char *text, size_t length)
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
    *list = vector(bytes, length);
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

static int read_options(struct orders *orders, struct fs_context *fs)
{
    static const char directory[] = "directory ", closed[] = "closed ";
    char  *line, *end;
    size_t length;
    int    err = read_whole(fs, CHANNEL_FOLDER "/options", &line, &length);

    if (err != 0)
        return err == -ENOENT ? 0 : err;
    orders->text[2] = line;
    for (; *line != '\0'; line = end) {
        end = strchr(line, '\n');
        end = end != NULL ? end : line + strlen(line);
        if (*end != '\0')
            *end++ = '\0';
        if (strcmp(line, "report") == 0)
            orders->report = true;
        else if (strcmp(line, "map") == 0)
            orders->map = true;
        else if (strcmp(line, "terminal") == 0)
            orders->terminal = true;
        else if (strncmp(line, closed, sizeof closed - 1) == 0)
            orders->closed |= closed_of(line + sizeof closed - 1);
        else if (strncmp(line, directory, sizeof directory - 1) == 0)
            orders->directory = line + sizeof directory - 1;
    }
    return 0;
}

/* No program is to see them. What cannot be removed stays. */
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

int orders_read(struct orders *orders, struct fs_context *fs)
{
    int err;

    *orders = (struct orders){ 0 };
    err = read_vector(fs, CHANNEL_FOLDER "/arguments", &orders->text[0], &orders->arguments);
    if (err == 0)
        err = read_vector(fs, CHANNEL_FOLDER "/environment", &orders->text[1], &orders->environment);
    if (err == 0)
        err = read_options(orders, fs);
    if (err == 0 && orders->arguments[0] == NULL)
        err = -EINVAL;
    if (err != 0) {
        orders_free(orders);
        return err;
    }
    remove_folder(fs);
    return 0;
}

int orders_simple(struct orders *orders, const char *path)
{
    static const char environment[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\0HOME=/root\0"
                                      "TERM=vt100";
    size_t length = strlen(path) + 1;
    char  *program = heap_alloc(length, 0), *settings = heap_alloc(sizeof environment, 0);

    *orders = (struct orders){ .terminal = true, .text = { program, settings } };
    if (program != NULL && settings != NULL) {
        memcpy(program, path, length);
        memcpy(settings, environment, sizeof environment);
        orders->arguments   = vector(program, length);
        orders->environment = vector(settings, sizeof environment);
    }
    if (orders->arguments != NULL && orders->environment != NULL)
        return 0;
    orders_free(orders);
    return -ENOMEM;
}

void orders_free(struct orders *orders)
{
    heap_free(orders->arguments);
    heap_free(orders->environment);
    for (size_t i = 0; i < COUNT_OF(orders->text); i++)
        heap_free(orders->text[i]);
    *orders = (struct orders){ 0 };
}
