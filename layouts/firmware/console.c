/*
 * console.c - programs that are part of the image, at the console.
 */
#include "layouts/firmware/commands.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "console/words.h"
#include "layouts/firmware/builtin.h"

int run_apps(int count, char **words)
{
    (void)count, (void)words;
    for (uint32_t i = 0; i < app_count; i++)
        print("  %-10s %s\n", apps[i].name, apps[i].text);
    return 0;
}

static void print_end(const struct builtin *b)
{
    if ((b->status & 0x7F) != 0)
        print("%s[%d] was killed by signal %d", b->app->name, b->id, b->status & 0x7F);
    else
        print("%s[%d] ended with status %d", b->app->name, b->id, b->status >> 8 & 0xFF);
    print("; heap %u of %u pages, stack %u of %u\n", (unsigned)b->heap_pages, (unsigned)span_pages(b->place.heap),
          (unsigned)b->stack_pages, (unsigned)span_pages(b->place.stack));
}

int run_start_app(int count, char **words)
{
    struct builtin       builtin = { .quiet = false };
    struct app_arguments arguments = { 0, 0 };
    const struct app    *app = builtin_find(words[1]);
    uint64_t             number;
    int                  err;

    if (app == NULL) {
        print("start: expected one of these, not \"%s\"\n", words[1]);
        run_apps(0, NULL);
        return -ENOENT;
    }
    for (int i = 2; i < count; i++) {
        if (!number_argument(words[i], "a number", 0, UINT32_MAX, &number))
            return -EINVAL;
        *(i == 2 ? &arguments.a : &arguments.b) = (uint32_t)number;
    }
    err = builtin_start(&builtin, app, arguments);
    if (err != 0) {
        print("start: %s could not be started: error %d\n", app->name, -err);
        return err;
    }
    builtin_wait(&builtin);
    print_end(&builtin);
    return 0;
}
