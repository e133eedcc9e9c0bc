/*
 * fail.c - each allocation of each call fails once.
 *
 *   fail                    all calls of calls.c; `fail FIRST COUNT`: so many from a number on; `fail tell FIRST COUNT`
 *                           tells each attempt
 *   fail leave              ends at once: what a call that replaces the program comes to
 *
 * For each call, and each kind of allocation, k = 1, 2, 3, ... until the call does not come to its k-th: a child makes
 * what it may need, looks, orders the failure, makes the call, and looks again. A failure must show as the errno that
 * the call may have, with nothing changed, or not at all; if it is a frame, and room is made, not at all. Behind each
 * call nothing is left of it, and the auditor finds nothing.
 */
#include "fail.h"

enum { FRAME, HEAP, AGAIN, KINDS, HIGHEST = 400, ENOMEM = 12, ENDED_BY_KERNEL = 1000 };
static const char *const kind_names[KINDS] = { "frame", "heap", "again" };

/* What a child tells. */
static struct told {
    bool         made, ordered, returned;
    long         result;
    struct looks before, after;
} *told;

static bool     telling;
static unsigned found, attempts, failures;
static char     text[64 * 1024];

static void find(const char *row, unsigned kind, unsigned k, const char *what, int number)
{
    if (k == 0)
        say("FOUND %s: %s %d\n", row, what, number);
    else
        say("FOUND %s, %s %u: %s %d\n", row, kind_names[kind], k, what, number);
    found++;
}

/* ---- The child ------------------------------------------------------------------------------------------------- */

static char second_stack[8192] __attribute__((aligned(16)));

void child_main(void) { leave(0); }

static void write_order(unsigned kind, unsigned k)
{
    struct line line = { .length = 0 };

    line_put(&line, "%s %u\n", kind_names[kind], k);
    told->ordered = k == 0 || KERNEL(CALL_WRITE, ORDER, (long)line.text, (long)line.length) == (long)line.length;
}

static void attempt(const struct row *row, unsigned kind, unsigned k) __attribute__((noreturn));
static void attempt(const struct row *row, unsigned kind, unsigned k)
{
    struct call call = row->call;
    long        self = KERNEL(CALL_GETPID, 0), result;

    KERNEL(CALL_SETPGID, 0, 0);
    for (unsigned i = 0; i < 6; i++)
        if (call.argument[i] == SELF)
            call.argument[i] = self;
    told->made = world_make();
    if (row->does & BREAK)
        call.argument[0] = KERNEL(CALL_BRK, 0) + 64 * PAGE;
    if (row->does & TWICE && call.number == CALL_CLONE)
        call.argument[1] = (long)(second_stack + sizeof second_stack - 16);
    world_look(&told->before);                  /* once to make what looking needs: pages and the like */
    world_look(&told->before);
    write_order(kind, k);
    result = row->does & TWICE && call.number == CALL_CLONE
                 ? kernel_call_twice(&call, second_stack + sizeof second_stack - 16)
                 : kernel_call(&call);
    if (row->does & TWICE && result == 0)
        leave(0);
    told->result = row->does & BREAK ? (result == call.argument[0] ? 0 : -ENOMEM) : result;
    told->returned = true;
    world_look(&told->after);
    leave(0);
}

/* ---- What became of it ---------------------------------------------------------------------------------------- */

static bool was_hit(void)
{
    return file_text("/proc/quire/torture", text, sizeof text) > 0 && number_behind(text, "hit ") == 1;
}

/* One attempt; returns the result: an errno, 0, or ENDED_BY_KERNEL. */
static long try(const struct row *row, unsigned kind, unsigned k, bool *hit)
{
    int  status = 0;
    long child;

    memset(told, 0, sizeof *told);
    child = split();
    if (child == 0)
        attempt(row, kind, k);
    KERNEL(CALL_WAIT4, child, (long)&status, WAIT_ALL, 0);
    *hit = k != 0 && was_hit();
    world_clean();
    attempts++;
    if (!told->made || !told->ordered)
        find(row->name, kind, 0, told->made ? "no order is taken" : "nothing could be made", 0);
    if (!told->returned && status != 0)
        return ENDED_BY_KERNEL + (status & 127);
    return told->returned && told->result < 0 && told->result > -4096 ? told->result : 0;
}

static void judge_failure(const struct row *row, unsigned kind, unsigned k, long result)
{
    if (result >= ENDED_BY_KERNEL) {
        if (!(row->does & REPLACES))
            find(row->name, kind, k, "the process ended, by signal", (int)result - ENDED_BY_KERNEL);
        return;
    }
    if (result != -ENOMEM && (row->error == 0 || result != -(long)row->error))
        find(row->name, kind, k, "it may not end with", (int)result);
    for (unsigned i = 0; i < LOOKS && !(row->does & CHANGES); i++)
        if (told->before.of[i] != told->after.of[i]) {
            say("FOUND %s, %s %u: it failed with %d, and changed %s\n", row->name, kind_names[kind], k, (int)result,
                look_names[i]);
            found++;
        }
}

static void sweep(const struct row *row, unsigned kind, long usual)
{
    bool hit = true;

    for (unsigned k = 1; hit && k < HIGHEST; k++) {
        long result = try(row, kind, k, &hit);

        if (telling)
            say("  %s %u: %d%s\n", kind_names[kind], k, (int)result, hit ? "" : ", not come to");
        failures += hit;
        if (result == usual)
            continue;
        if (!hit || kind == AGAIN)
            find(row->name, kind, k, hit ? "with room made it ends with" : "without a failure it ends with",
                 (int)result);
        else
            judge_failure(row, kind, k, result);
    }
    if (hit)
        find(row->name, kind, HIGHEST, "it takes more and more", 0);
}

/* ---- What is left ---------------------------------------------------------------------------------------------- */

static const char *const owners[] = { "process ", "tables ", "stacks ", "user ", "shared ", "files ", "blocks " };
enum { USER = 3, FILES = 5, BLOCKS = COUNT_OF(owners) - 1 };
struct use { long of[COUNT_OF(owners)]; };

/* Pages of this process and of the first one are theirs, be they touched, or sent out, meanwhile. */
static long own_pages(const char *status)
{
    return file_text(status, text, sizeof text) > 0 ? number_behind(text, "RssAnon:\t") * 1024 / PAGE : -1;
}

static struct use look_at_memory(void)
{
    struct use use;
    long       drop = KERNEL(CALL_OPEN, (long)"/proc/sys/vm/drop_caches", O_WRONLY);

    KERNEL(CALL_WRITE, drop, (long)"3", 1);
    KERNEL(CALL_CLOSE, drop);
    file_text("/proc/quire/frames", text, sizeof text);
    for (unsigned i = 0; i < BLOCKS; i++)
        use.of[i] = number_behind(text, owners[i]);
    use.of[FILES] += pages_out(text);
    file_text("/proc/quire/heap", text, sizeof text);
    use.of[BLOCKS] = number_behind(text, owners[BLOCKS]);
    use.of[USER] -= own_pages("/proc/self/status") + own_pages("/proc/1/status");
    return use;
}

static void judge_memory(const struct row *row, const struct use *before)
{
    struct use after = look_at_memory();

    for (unsigned i = 0; i < COUNT_OF(owners); i++)
        if (after.of[i] != before->of[i]) {
            say("FOUND %s: %swere %d, and are %d\n", row->name, owners[i], (int)before->of[i], (int)after.of[i]);
            found++;
        }
}

static void judge_audit(const struct row *row)
{
    if (file_text("/proc/quire/audit", text, sizeof text) > 0 && memcmp(text, "clean", 5) == 0)
        return;
    find(row->name, 0, 0, text, 0);
}

static void do_row(const struct row *row)
{
    struct use before;
    bool       hit;
    long       usual = try(row, 0, 0, &hit);

    if (telling)
        say("%s: %d\n", row->name, (int)usual);
    before = look_at_memory();
    for (unsigned kind = 0; kind < KINDS; kind++)
        sweep(row, kind, usual);
    judge_memory(row, &before);
    judge_audit(row);
}

static bool begin(void)
{
    long order = KERNEL(CALL_OPEN, (long)"/proc/quire/torture", O_RDWR);

    told = (struct told *)KERNEL(CALL_MMAP2, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    KERNEL(CALL_MKDIR, (long)"/tmp/fail", 0777);
    if (KERNEL(CALL_CHDIR, (long)"/tmp/fail") != 0 || order < 0 || KERNEL(CALL_DUP2, order, ORDER) != ORDER ||
        KERNEL(CALL_CLOSE, order) != 0)
        return false;
    world_clean();
    (void)look_at_memory();                     /* once, to make the pages that looking takes */
    return KERNEL(CALL_WRITE, ORDER, (long)"frame 0", 7) == -EINVAL;
}

int program(int argc, char **argv)
{
    unsigned first = 0, count = row_count;

    if (argc > 1 && text_same(argv[1], "leave"))
        leave(0);
    telling = argc > 1 && text_same(argv[1], "tell");
    argc -= telling, argv += telling;
    if (argc > 2)
        first = (unsigned)number_of(argv[1]), count = (unsigned)number_of(argv[2]);
    if (!begin()) {
        say("no failures can be ordered: this wants a checked kernel with the word torture=fail\n");
        return 2;
    }
    for (unsigned i = first; i < row_count && i - first < count; i++)
        do_row(&rows[i]);
    say("%u attempts, %u failures, %u found\n", attempts, failures, found);
    return found != 0;
}
