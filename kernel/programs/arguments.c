/*
 * arguments.c - the arguments and the environment of a program that is started. See image.h.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/heap/heap.h"
#include "programs/image.h"

void image_free(struct image_arguments *arguments)
{
    heap_free(arguments->text);
    arguments->text = NULL;
}

static int make_room(struct image_arguments *a, size_t more)
{
    size_t room = a->room ? a->room : 1024;
    char  *bigger;

    if (more > ARGUMENTS_MAXIMUM - a->used)
        return -E2BIG;
    while (room < a->used + more)
        room *= 2;
    if (room == a->room)
        return 0;
    bigger = heap_resize(a->text, room);
    if (bigger == NULL)
        return -ENOMEM;
    a->text = bigger;
    a->room = room;
    return 0;
}

static int add_text(struct image_arguments *a, const char *text)
{
    size_t bytes = strlen(text) + 1;
    int    err   = make_room(a, bytes);

    if (err != 0)
        return err;
    memcpy(a->text + a->used, text, bytes);
    a->used += bytes;
    return 0;
}

/* Copy one text of the program, of any length up to the limits, in pieces of the room that is left. */
static int add_from_program(struct image_arguments *a, user_t from)
{
    for (size_t done = 0; ; ) {
        size_t piece = 256;
        long   length;
        int    err = make_room(a, piece);

        if (err != 0)
            return err;
        length = user_read_text(a->text + a->used, from + done, piece);
        if (length >= 0) {
            a->used += (size_t)length + 1;
            return 0;
        }
        if (length != -ENAMETOOLONG)
            return (int)length;
        a->used += piece;
        done    += piece;
        if (done >= ARGUMENT_LONGEST)
            return -E2BIG;
    }
}

static int add_vector(struct image_arguments *a, user_t vector, uint32_t *count)
{
    *count = 0;
    if (vector == 0)
        return 0;
    for (;; vector += sizeof(uint32_t)) {
        uint32_t text;
        int      err = user_read(&text, vector, sizeof text);

        if (err != 0 || text == 0)
            return err;
        err = add_from_program(a, text);
        if (err != 0)
            return err;
        ++*count;
        point_of_rest();
    }
}

int image_collect(struct image_arguments *a, user_t argument_vector, user_t environment_vector)
{
    int err;

    may_sleep();
    *a  = (struct image_arguments){ 0 };
    err = add_vector(a, argument_vector, &a->argument_count);
    if (err == 0 && a->argument_count == 0) {           /* a program always has argument 0, as in Linux since 5.18 */
        err = add_text(a, "");
        a->argument_count = 1;
    }
    a->environment = a->used;
    return err == 0 ? add_vector(a, environment_vector, &a->environment_count) : err;
}

int image_collect_kernel(struct image_arguments *a, char *const argument[], char *const environment[])
{
    int err = 0;

    *a = (struct image_arguments){ 0 };
    for (; err == 0 && argument[a->argument_count] != NULL; a->argument_count++)
        err = add_text(a, argument[a->argument_count]);
    a->environment = a->used;
    for (; err == 0 && environment[a->environment_count] != NULL; a->environment_count++)
        err = add_text(a, environment[a->environment_count]);
    return err;
}

int image_script(struct image_arguments *a, const char *interpreter, const char *argument)
{
    struct image_arguments old   = *a;
    size_t                 first = strlen(old.text) + 1;
    int                    err;

    a->text = NULL;
    a->used = a->room = 0;
    err = add_text(a, interpreter);
    if (err == 0 && argument != NULL)
        err = add_text(a, argument);
    if (err == 0)
        err = add_text(a, old.path != NULL ? old.path : old.text);
    if (err == 0)
        err = make_room(a, old.used - first);
    if (err == 0) {
        a->environment = a->used + old.environment - first;
        memcpy(a->text + a->used, old.text + first, old.used - first);
        a->used += old.used - first;
        a->argument_count += argument != NULL ? 2 : 1;
        a->path = NULL;
    }
    heap_free(old.text);
    return err;
}
