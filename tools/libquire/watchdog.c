/* watchdog.c - sending pings, and counting the time that the machine could have used. See watchdog.h. */
#include "watchdog.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_EVERY = 1000, ASK_AFTER = 5000 };

static uint64_t lesser_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t silence(const struct watchdog *w) { return lesser_of(w->allowed / 4 + 1, ASK_AFTER); }
static uint64_t pause(const struct watchdog *w)   { return lesser_of(w->allowed / 4 + 1, LOOK_EVERY); }

/* The letter of proc(5)'s stat for one thread: R, S, D, T, ...; 0 when the thread has gone. */
static char state_of(pid_t process, const char *thread)
{
    char path[96], line[512], *after;
    FILE *file;
    size_t length;

    snprintf(path, sizeof(path), "/proc/%d/task/%.32s/stat", (int)process, thread);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    length = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[length] = '\0';
    after = strrchr(line, ')');                 /* the name in brackets may have any bytes */
    return after != NULL && after[1] == ' ' ? after[2] : 0;
}

/* True when every thread sleeps and could answer. */
static bool all_sleep(pid_t process)
{
    char path[64];
    DIR *threads;
    bool sleep = true;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)process);
    threads = opendir(path);
    if (threads == NULL)
        return false;
    for (struct dirent *entry; sleep && (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.')
            sleep = strchr("SI", state_of(process, entry->d_name)) != NULL;
    closedir(threads);
    return sleep;
}

static uint64_t processor_time(pid_t process)
{
    struct timespec time;
    clockid_t clock;

    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

void watchdog_start(struct watchdog *watchdog, pid_t machine, uint64_t allowed, uint64_t now)
{
    *watchdog = (struct watchdog){ .machine = machine, .allowed = allowed, .heard = now };
}

void watchdog_heard(struct watchdog *watchdog, uint64_t now)
{
    watchdog->heard = now;
    watchdog->asked = false;
}

/* A check counts at most two pauses: if quire itself was stopped, the machine may have been, too. */
static void count(struct watchdog *w, uint64_t now)
{
    uint64_t computed = processor_time(w->machine), passed = lesser_of(now - w->looked, 2 * pause(w));

    if (computed > w->computed)
        w->counted += lesser_of(passed, computed - w->computed);
    if (all_sleep(w->machine))
        w->counted += passed - lesser_of(passed, computed - w->computed);
    w->looked   = now;
    w->computed = computed;
}

static enum watchdog_verdict ask(struct watchdog *w, uint64_t now)
{
    w->asked    = true;
    w->counted  = 0;
    w->looked   = now;
    w->computed = processor_time(w->machine);
    return WATCHDOG_ASK;
}

enum watchdog_verdict watchdog_look(struct watchdog *watchdog, uint64_t now)
{
    if (watchdog_patience(watchdog, now) != 0)
        return WATCHDOG_LIVES;
    if (!watchdog->asked)
        return ask(watchdog, now);
    count(watchdog, now);
    return watchdog->counted >= watchdog->allowed ? WATCHDOG_DEAD : WATCHDOG_LIVES;
}

uint64_t watchdog_patience(const struct watchdog *watchdog, uint64_t now)
{
    uint64_t due = watchdog->asked ? watchdog->looked + pause(watchdog) : watchdog->heard + silence(watchdog);

    if (watchdog->allowed == 0)
        return UINT64_MAX;
    return due > now ? due - now : 0;
}
