/*
 * console.c - console commands for programs that are part of the image.
 */
#include "layouts/firmware/commands.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "console/console.h"
#include "console/words.h"
#include "layouts/firmware/builtin.h"
#include "memory/frames/frame.h"
#include "process/process.h"

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

/* ---- Several at once -------------------------------------------------------------------------- */

enum { AT_ONCE = 8 };

static struct builtin started[AT_ONCE];         /* .app is NULL: free, or its end has been printed */

static struct builtin *free_place(void)
{
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (started[i].app == NULL)
            return &started[i];
    return NULL;
}

/* Print a line for each program that has ended. */
static void tell_ends(void)
{
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (started[i].app != NULL && started[i].process == NULL) {
            print_end(&started[i]);
            started[i].app = NULL;
        }
}

/* The console has its turn among the programs it has started, so that it sees typed keys. */
static void share_the_processor(void)
{
    if (console_idle == NULL)
        schedule_share();
    console_idle = tell_ends;
}

/* Wait until the program has ended; Ctrl-C kills it. */
static void wait_for(struct builtin *b)
{
    while (b->process != NULL) {
        if (console_interrupted()) {
            print("^C\n");
            builtin_kill(b);
        }
        tell_ends();                    /* of others */
        builtin_give_way();
    }
    builtin_give_way();                 /* the next thread frees the ended thread's memory */
    tell_ends();
}

/* ---- processes, kill, wait ---------------------------------------------------------------------- */

enum { MOST_MILLISECONDS = 60000, NANOSECONDS = 1000000 };

static struct builtin *one_that_lives(void)
{
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (started[i].process != NULL)
            return &started[i];
    return NULL;
}

static void list_process(const struct builtin *b)
{
    const struct space *space = &b->process->memory->space;
    unsigned pages = (unsigned)space->resident, tables = (unsigned)space->table_frames - 1;

    print("%5d  %-10s%5u page%s from 0x%08lx, %u table%s, directory in frame %u\n", (int)b->id, b->app->name, pages,
          pages == 1 ? " " : "s", (unsigned long)page_address(b->place.heap.first), tables, tables == 1 ? "" : "s",
          space->root.no);
}

int run_app_processes(int count, char **words)
{
    (void)count, (void)words;
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (started[i].process != NULL)
            list_process(&started[i]);
    if (one_that_lives() == NULL)
        print("no processes; start makes some\n");
    return 0;
}

static void kill_and_wait(struct builtin *b)
{
    builtin_kill(b);
    while (b->process != NULL)
        builtin_give_way();
    builtin_give_way();                 /* the next thread frees the ended thread's memory */
}

int run_app_kill(int count, char **words)
{
    uint32_t before = frames_free();
    uint64_t id;

    (void)count;
    if (!number_argument(words[1], "process", 1, INT32_MAX, &id))
        return -EINVAL;
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (started[i].process != NULL && started[i].id == (int32_t)id) {
            kill_and_wait(&started[i]);
            tell_ends();
            print("gave back %d frames; %u are free\n", (int)(frames_free() - before), frames_free());
            return 0;
        }
    print("kill: there is no process %u\n", (unsigned)id);
    return -ESRCH;
}

/* Ctrl-C ends all that live. False: it has not been typed. */
static bool ended_by_key(void)
{
    struct builtin *b;

    if (!console_interrupted())
        return false;
    print("^C\n");
    while ((b = one_that_lives()) != NULL)
        kill_and_wait(b);
    return true;
}

int run_app_wait(int count, char **words)
{
    uint64_t milliseconds = 0, end;

    if (count == 2 && !number_argument(words[1], "milliseconds", 0, MOST_MILLISECONDS, &milliseconds))
        return -EINVAL;
    if (console_idle == NULL)
        return 0;                       /* none has been started yet: there are no turns, and no clock */
    end = count == 1 ? NEVER : clock_now() + milliseconds * NANOSECONDS;
    while (clock_now() < end && (count == 2 || one_that_lives() != NULL) && !ended_by_key())
        schedule_pause(end);
    tell_ends();
    return 0;
}

/* ---- start ------------------------------------------------------------------------------------- */

static const char *console_lacking(int err)
{
    if (err == -EAGAIN)
        return "no number, or no kernel stack, is left for another process";
    return err == -ENOMEM ? "not enough memory is free" : "it does not fit where the document lets programs be";
}

int run_start_app(int count, char **words)
{
    struct app_arguments arguments = { 0, 0 };
    const struct app    *app = builtin_find(words[1]);
    struct builtin      *place = free_place();
    bool                 aside = strcmp(words[count - 1], "&") == 0;
    uint64_t             number;
    int                  err;

    count -= aside;
    if (app == NULL) {
        print("start: expected one of these, not \"%s\"\n", words[1]);
        run_apps(0, NULL);
        return -ENOENT;
    }
    if (place == NULL || count > 4) {
        if (place == NULL)
            print("start: %u are running; one must end first\n", AT_ONCE);
        else
            print("start: expected two numbers at most, and no \"%s\" behind them\n", words[4]);
        return -EINVAL;
    }
    for (int i = 2; i < count; i++) {
        if (!number_argument(words[i], "a number", 0, UINT32_MAX, &number))
            return -EINVAL;
        *(i == 2 ? &arguments.a : &arguments.b) = (uint32_t)number;
    }
    place->quiet = false;
    err = builtin_start(place, app, arguments);
    if (err != 0) {
        place->app = NULL;
        print("start: %s could not be started: %s\n", app->name, console_lacking(err));
        return err;
    }
    share_the_processor();
    if (!aside)
        wait_for(place);
    return 0;
}
