/*
 * processes.c - the built-in programs: start, processes, kill, wait. Where the document has a start address.
 *
 * Each command that makes or ends processes says what that took or gave back, frame by frame and owner by owner.
 */
#include "console/processes.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "console/console.h"
#include "console/flat.h"
#include "console/words.h"
#include "memory/frames/frame.h"
#include "memory/tables/shortage.h"

enum { MOST_AT_ONCE = 64, MOST_MILLISECONDS = 60000, NANOSECONDS = 1000000 };

/* ---- What has become of the frames ---------------------------------------------------------------- */

static const enum owner told[] = { OWNER_PROCESS, OWNER_TABLES, OWNER_TRACKERS, OWNER_USER, OWNER_STACK, OWNER_HEAP,
                                   OWNER_FILE };

static void print_frames_of(const char *what, const struct frame_sums *less, const struct frame_sums *more)
{
    uint32_t all = 0;

    for (uint32_t owner = 0; owner < OWNER_COUNT; owner++)
        if (owner != OWNER_FREE && owner != OWNER_ABSENT)
            all += more->owned[owner] - less->owned[owner];
    print("%s %d frames:", what, (int)all);
    for (uint32_t i = 0; i < COUNT_OF(told); i++) {
        int count = (int)(more->owned[told[i]] - less->owned[told[i]]);

        if (count != 0)
            print(" %d %s", count, owner_names[told[i]]);
    }
    print("; %u are free\n", frames_free());
}

/* ---- start -------------------------------------------------------------------------------------------- */

static int list_programs(void)
{
    for (uint32_t i = 0; i < flat_program_count; i++) {
        const struct flat_program *program = &flat_programs[i];

        print("  %-9s%5u page%s  %s\n", program->name, (unsigned)flat_pages(program),
              flat_pages(program) == 1 ? " " : "s",
              program->note);
    }
    return 0;
}

/* What was lacking, in words. */
static const char *lacking(int err)
{
    EACH_ROW(shortage, shortages)
        if (shortage->is_there())
            return shortage->words;
    if (err == -EAGAIN)
        return "no number, or no kernel stack, is left for another process";
    return err == -ENOMEM ? "not enough memory is free" : "its pages do not fit where the document lets programs start";
}

/* Returns the process's number, or an error that has been told. */
static int32_t start_program(const struct flat_program *program)
{
    struct frame_sums before, after;
    int32_t           id;

    frames_sums(&before);
    id = flat_start(program, NULL);
    frames_sums(&after);
    if (id < 0) {
        print("start: %s cannot be started: %s\n", program->name, lacking((int)id));
        print_frames_of("  that cost", &before, &after);
        return id;
    }
    print("process %d, %s: ", (int)id, program->name);
    print_frames_of("took", &before, &after);
    return id;
}

/* ---- Waiting for what was started; Ctrl-C ends it ------------------------------------------------------- */

static void end_all(const int32_t *ids, uint64_t count)
{
    print("^C\n");
    for (uint64_t i = 0; i < count; i++)
        if (flat_lives(ids[i]))
            (void)flat_kill(ids[i]);
}

/* Until all of them have ended. Any number may end in one pause, and no interrupt is sure to follow. */
static void wait_for(const int32_t *ids, uint64_t count)
{
    for (uint64_t i = 0; i < count; ) {
        if (console_interrupted()) {
            end_all(ids, count);
            return;
        }
        if (flat_lives(ids[i]))
            schedule_pause(NEVER);
        else
            i++;
    }
    flat_report_ends();
}

int run_start(int count, char **words)
{
    static int32_t             ids[MOST_AT_ONCE];
    const struct flat_program *program;
    uint64_t                   copies = 1, started = 0;
    bool                       aside  = count > 1 && strcmp(words[count - 1], "&") == 0;
    int                        err;

    may_sleep();
    count -= aside;
    if (count == 1)
        return list_programs();
    program = flat_find(words[1]);
    if (program == NULL) {
        print("start: expected one of these, not \"%s\"\n", words[1]);
        list_programs();
        return -EINVAL;
    }
    if (count > 3) {
        print("start: expected nothing but & behind the number, not \"%s\"\n", words[3]);
        return -EINVAL;
    }
    if (count == 3 && !number_argument(words[2], "how many", 1, MOST_AT_ONCE, &copies))
        return -EINVAL;
    err = flat_begin();
    while (started < copies && err == 0) {
        ids[started] = start_program(program);
        if (ids[started] < 0)
            err = ids[started];
        else
            started++;
    }
    if (!aside)
        wait_for(ids, started);
    return err;
}

/* ---- processes, kill, wait ------------------------------------------------------------------------------ */

static void list_process(struct process *process, void *data)
{
    uint32_t *listed = data;
    unsigned  pages, tables;

    if (process->memory == NULL)
        return;                                 /* the console; and who has ended */
    pages  = (unsigned)process->memory->space.resident;
    tables = (unsigned)process->memory->space.table_frames - 1;
    print("%5d  %-9s%5u page%s from 0x%08lx, %u table%s, directory in frame %u\n", (int)process->id, process->name,
          pages, pages == 1 ? " " : "s", (unsigned long)layout.start_address, tables, tables == 1 ? "" : "s",
          process->memory->space.root.no);
    ++*listed;
}

int run_processes(int count __attribute__((unused)), char **words __attribute__((unused)))
{
    uint32_t listed = 0;

    process_each(list_process, &listed);
    if (listed == 0)
        print("no processes; start makes some\n");
    return 0;
}

int run_kill(int count __attribute__((unused)), char **words)
{
    struct frame_sums before, after;
    uint64_t          id;
    int               err;

    if (!number_argument(words[1], "process", 1, INT32_MAX, &id))
        return -EINVAL;
    frames_sums(&before);
    err = flat_kill((int32_t)id);
    frames_sums(&after);
    if (err != 0) {
        print(err == -ESRCH ? "kill: there is no process %u\n" : "kill: process %u does not end\n", (unsigned)id);
        return err;
    }
    print_frames_of("gave back", &after, &before);
    return err;
}

/* Ctrl-C ends all that live. False: it has not been typed. */
static bool ended_by_key(void)
{
    int32_t id;

    if (!console_interrupted())
        return false;
    print("^C\n");
    while ((id = flat_one_that_lives()) != 0 && flat_kill(id) == 0)
        ;
    return true;
}

int run_wait(int count, char **words)
{
    uint64_t milliseconds, end;

    may_sleep();
    if (count == 2 && !number_argument(words[1], "milliseconds", 0, MOST_MILLISECONDS, &milliseconds))
        return -EINVAL;
    if (flat_begin() != 0) {
        print("wait: %s\n", lacking(-ENOMEM));
        return -ENOMEM;
    }
    end = count == 1 ? NEVER : clock_now() + milliseconds * NANOSECONDS;
    while (clock_now() < end && (count == 2 || flat_one_that_lives() != 0) && !ended_by_key())
        schedule_pause(end);
    flat_report_ends();
    return 0;
}
