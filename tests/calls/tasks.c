/*
 * tasks.c - tasks, one after the other, and what they tell.
 *
 *   PROGRAM [MODE] TASK...      a task is SEED, FIRST-LAST (seeds), or SEED:KEPT with numbers of steps as in 0-3,7,9-12
 *
 * Each task has a process and an empty folder of its own. tests/calls/differ.py compares.
 */
#include "tasks.h"

enum { PATIENCE_MS = 100000, DETACH = 2 };

struct chance chance;
const char   *task_mode = "";
static struct line line;

/* ---- Telling ---------------------------------------------------------------------------------------- */

void flush(void)
{
    KERNEL(CALL_WRITE, TELLS_TO, (long)line.text, (long)line.length);
    line.length = 0;
}

void tell(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    line_put_values(&line, format, values);
    va_end(values);
}

long answer(long result)
{
    tell(" = %d", (int)result);
    return result;
}

long answer_ok(long result)
{
    if (result < 0 && result > -4096)
        return answer(result);
    tell(" = ok");
    return result;
}

void tell_digest(const void *of, long size)
{
    uint32_t sum = 2166136261u;

    for (long i = 0; i < size; i++)
        sum = (sum ^ ((const uint8_t *)of)[i]) * 16777619u;
    tell(" #%x", sum);
}

bool task_keeps(const char *list, unsigned number)
{
    while (*list != '\0') {
        uint64_t first = number_of(list), last = first;

        while (*list >= '0' && *list <= '9')
            list++;
        if (*list == '-') {
            last = number_of(++list);
            while (*list >= '0' && *list <= '9')
                list++;
        }
        if (first <= number && number <= last)
            return true;
        list += *list == ',';
    }
    return false;
}

/* ---- Tasks ------------------------------------------------------------------------------------------------ */

static int end_of(long child)
{
    int status = -1;

    for (uint32_t begin = milliseconds(); milliseconds() - begin < PATIENCE_MS; sleep_ms(1))
        if (KERNEL(CALL_WAIT4, child, (long)&status, WNOHANG | WAIT_ALL, 0) > 0)
            return status;
    KERNEL(CALL_KILL, child, SIGKILL);
    KERNEL(CALL_KILL, -child, SIGKILL);
    KERNEL(CALL_WAIT4, child, (long)&status, WAIT_ALL, 0);
    return -1;
}

static void task(uint64_t seed, const char *list)
{
    static unsigned count;
    struct line     root = { .length = 0 };
    long            child;

    line_put(&root, "/tmp/task%u%c", count++, '\0');
    KERNEL(CALL_MKDIR, (long)root.text, 0755);
    KERNEL(CALL_MOUNT, (long)"tmpfs", (long)root.text, (long)"tmpfs", 0, 0);
    before_task();
    say("task %llu:%s\n", (unsigned long long)seed, list);
    child = split();
    if (child == 0)
        do_task(seed, list, root.text);
    say("end %x\n", (unsigned)end_of(child));
    KERNEL(CALL_UMOUNT2, (long)root.text, DETACH);           /* detached: it ends with its last user */
    KERNEL(CALL_RMDIR, (long)root.text);
}

static const char *behind(const char *text, char letter)
{
    while (*text != '\0' && *text != letter)
        text++;
    return *text == letter ? text + 1 : 0;
}

static void tasks(const char *word)
{
    const char *list = behind(word, ':'), *last = behind(word, '-');

    if (word[0] > '9')
        task_mode = word;
    else if (list)
        task(number_of(word), list);
    else
        for (uint64_t seed = number_of(word); seed <= number_of(last ? last : word); seed++)
            task(seed, "0-999");
}

void child_main(void) { leave(0); }

int program(int argc, char **argv)
{
    KERNEL(CALL_DUP2, 1, TELLS_TO);
    say_to = TELLS_TO;
    for (int i = 1; i < argc; i++)
        tasks(argv[i]);
    say("done\n");
    return 0;
}
