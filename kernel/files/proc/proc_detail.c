/*
 * proc_detail.c - /proc/PID's smaller files: scores for the end of memory, limits, id maps, name spaces, descriptors,
 * io.
 */
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/core/descriptor.h"
#include "files/proc/proc_node.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "process/family.h"
#include "process/out_of_memory.h"

/* ---- Numbers that are written -------------------------------------------------------------------- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static unsigned digit_value(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : (c | 32) >= 'a' &&
           (c | 32) <= 'f' ? (unsigned)((c | 32) - 'a' + 10) : 16;
}

/* 0x and 0 begin numbers of base 16 and 8, as in C. */
static unsigned base_of(const char **text)
{
    const char *t = *text;

    if (t[0] != '0')
        return 10;
    if ((t[1] | 32) != 'x' || digit_value(t[2]) > 15)
        return 8;
    *text += 2;
    return 16;
}

/*
 * A number with blanks around it and perhaps a sign, as Linux reads it. Returns 0, -EINVAL for what is none, or -ERANGE
 * for one that does not fit.
 */
static int read_signed(const char *text, int32_t *out)
{
    int64_t  number = 0;
    bool     negative;
    unsigned base;
    int      digits = 0;

    while (is_blank(*text))
        text++;
    negative = *text == '-';
    text += *text == '-' || *text == '+';
    base = base_of(&text);
    for (; digit_value(*text) < base; text++, digits++)
        number = number > INT32_MAX ? number : number * base + digit_value(*text);
    while (is_blank(*text))
        text++;
    if (digits == 0 || *text != '\0')
        return -EINVAL;
    if (number > INT32_MAX)
        return -ERANGE;
    *out = (int32_t)(negative ? -number : number);
    return 0;
}

/* ---- Scores for the end of memory: proc(5), mm/oom_kill.c ------------------------------------------ */

enum { OLD_LEAST = -17, OLD_MOST = 15, OLD_STEPS = 17 };

int proc_write_adjust(struct text *text, struct proc_node *node)
{
    const struct process *p = proc_process(node);

    if (p == NULL)
        return -ESRCH;
    text_add(text, "%d\n", (int)p->oom_score_adj);
    return 0;
}

/* Without the capability a process may make its own end likelier, and less likely as far as one with it has said. */
static int set_adjust(struct proc_node *node, int32_t value)
{
    struct process *p = proc_process(node);

    if (p == NULL)
        return -ESRCH;
    if (has_capability(CAP_SYS_RESOURCE))
        p->oom_score_least = (int16_t)value;
    else if (value < p->oom_score_least)
        return -EACCES;
    p->oom_score_adj = (int16_t)value;
    return 0;
}

int proc_store_adjust(struct proc_node *node, const char *bytes)
{
    int32_t value;
    int     err = read_signed(bytes, &value);

    if (err == 0 && (value < -OOM_ADJUST_MOST || value > OOM_ADJUST_MOST))
        err = -EINVAL;
    return err != 0 ? err : set_adjust(node, value);
}

/* The old scale of the same. */
int proc_write_old_adjust(struct text *text, struct proc_node *node)
{
    const struct process *p = proc_process(node);

    if (p == NULL)
        return -ESRCH;
    text_add(text, "%d\n", p->oom_score_adj == OOM_ADJUST_MOST ? OLD_MOST
             : (int)p->oom_score_adj * OLD_STEPS / OOM_ADJUST_MOST);
    return 0;
}

int proc_store_old_adjust(struct proc_node *node, const char *bytes)
{
    int32_t value;
    int     err = read_signed(bytes, &value);

    if (err == 0 && (value < OLD_LEAST || value > OLD_MOST))
        err = -EINVAL;
    return err != 0 ? err : set_adjust(node, value == OLD_MOST ? OOM_ADJUST_MOST : value * OOM_ADJUST_MOST / OLD_STEPS);
}

/* Thousandths of RAM that it has, and the adjustment, on Linux's scale from 0 to 2000, two thirds of it. */
int proc_write_score(struct text *text, struct proc_node *node)
{
    const struct process *p = proc_process(node);
    struct frame_sums     sums;
    int64_t               score;

    if (p == NULL)
        return -ESRCH;
    frames_sums(&sums);
    score = (OOM_ADJUST_MOST + (int64_t)(process_pages(p) * OOM_ADJUST_MOST / sums.ram) + p->oom_score_adj) * 2 / 3;
    text_add(text, "%d\n", p->memory == NULL || p->oom_score_adj == -OOM_ADJUST_MOST || score < 0 ? 0 : (int)score);
    return 0;
}

/* ---- Limits ------------------------------------------------------------------------------------------- */

int proc_write_limits(struct text *text, struct proc_node *node)
{
    static const struct { const char *name, *unit; } rows[LIMITS] = {
        { "Max cpu time", "seconds" }, { "Max file size", "bytes" }, { "Max data size", "bytes" },
        { "Max stack size", "bytes" }, { "Max core file size", "bytes" }, { "Max resident set", "bytes" },
        { "Max processes", "processes" }, { "Max open files", "files" }, { "Max locked memory", "bytes" },
        { "Max address space", "bytes" }, { "Max file locks", "locks" }, { "Max pending signals", "signals" },
        { "Max msgqueue size", "bytes" }, { "Max nice priority", "" }, { "Max realtime priority", "" },
        { "Max realtime timeout", "us" },
    };
    const struct process *p = proc_process(node);

    if (p == NULL)
        return -ESRCH;
    text_add(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < LIMITS; i++) {
        const uint64_t value[2] = { p->limits[i].soft, p->limits[i].hard };

        text_add(text, "%-25s ", rows[i].name);
        for (unsigned j = 0; j < 2; j++) {
            if (value[j] == LIMIT_NONE)
                text_add(text, "%-20s ", "unlimited");
            else
                text_add(text, "%-20llu ", (unsigned long long)value[j]);
        }
        if (rows[i].unit[0] != '\0')
            text_add(text, "%-10s", rows[i].unit);
        text_add(text, "\n");
    }
    return 0;
}

/* ---- Files that always say the same ------------------------------------------------------------------ */

static int write_fixed(struct text *text, struct proc_node *node, const char *what)
{
    text_add(text, "%s", what);
    return proc_process(node) != NULL ? 0 : -ESRCH;
}

/* No user has logged in: there is no audit of sessions. */
int proc_write_no_id(struct text *text, struct proc_node *node) { return write_fixed(text, node, "4294967295"); }
/* One user name space, in which every number means itself. */
int proc_write_id_map(struct text *text, struct proc_node *node)
{
    return write_fixed(text, node, "         0          0 4294967295\n");
}
int proc_write_setgroups(struct text *text, struct proc_node *node) { return write_fixed(text, node, "allow\n"); }
/* Where a thread waits inside the kernel is not told to programs: 0, as on a Linux that hides its symbols. */
int proc_write_wait(struct text *text, struct proc_node *node) { return write_fixed(text, node, "0"); }
/* There are no control groups, hence no line. */
int proc_write_groups(struct text *text, struct proc_node *node) { return write_fixed(text, node, ""); }

/* There is one name space of each kind. Numbers are those of Linux's first ones. */
static int write_space(struct text *text, struct proc_node *node)
{
    static const struct { const char *name; const char *kind; unsigned number; } spaces[] = {
        { "net", "net", 4026531840u }, { "uts", "uts", 4026531838u }, { "ipc", "ipc", 4026531839u },
        { "pid", "pid", 4026531836u }, { "pid_for_children", "pid", 4026531836u }, { "user", "user", 4026531837u },
        { "mnt", "mnt", 4026531841u }, { "cgroup", "cgroup", 4026531835u }, { "time", "time", 4026531834u },
        { "time_for_children", "time", 4026531834u },
    };

    for (unsigned i = 0; i < COUNT_OF(spaces); i++)
        if (strcmp(spaces[i].name, node->entry->name) == 0)
            text_add(text, "%s:[%u]", spaces[i].kind, spaces[i].number);
    return proc_process(node) != NULL ? 0 : -ESRCH;
}

#define NAME_SPACE(name_) { .name = name_, .mode = S_LINK | 0777, .text = write_space }

const struct proc_entry proc_space_entries[] = {
    NAME_SPACE("net"), NAME_SPACE("uts"), NAME_SPACE("ipc"), NAME_SPACE("pid"), NAME_SPACE("pid_for_children"),
    NAME_SPACE("user"), NAME_SPACE("mnt"), NAME_SPACE("cgroup"), NAME_SPACE("time"), NAME_SPACE("time_for_children"),
    { .name = NULL },
};

/* ---- Descriptors --------------------------------------------------------------------------------------- */

struct fact_text { struct fact_lines lines; struct text *text; };

static void add_fact(struct fact_lines *to, const char *line, size_t length)
{
    text_add_bytes(CONTAINER_OF(to, struct fact_text, lines)->text, line, length);
}

static int write_descriptor(struct text *text, struct proc_node *node)
{
    const struct process *p     = proc_process(node);
    struct file          *file  = p != NULL && p->files != NULL ? descriptor_file(p->files, node->descriptor) : NULL;
    struct fact_text      facts = { { add_fact }, text };
    uint32_t              flags;

    if (file == NULL)
        return -ENOENT;
    flags = file->flags | (descriptor_flag(p->files, node->descriptor) == 1 ? (uint32_t)O_CLOEXEC : 0);
    text_add(text, "pos:\t%llu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%llu\n", (unsigned long long)file->at,
             (unsigned)flags,
             file->node->system != NULL ? (unsigned)file->node->system->device : 0u,
             (unsigned long long)file->node->inode);
    if (file->operations->facts != NULL && !(file->flags & O_PATH))
        file->operations->facts(file, &facts.lines);
    file_release(file);
    return 0;
}

const struct proc_entry proc_descriptor_info_entry = { .mode = S_REGULAR | 0444, .text = write_descriptor };

/* ---- Users and groups --------------------------------------------------------------------------- */

void proc_add_ids(struct text *text, const char *name, const struct user_numbers *ids)
{
    const uint32_t all[] = { ids->real, ids->effective, ids->saved, ids->files };
    char           line[COUNT_OF(all) * NUMBER_MOST], *at = line;

    for (unsigned i = 0; i < COUNT_OF(all); i++) {
        *at++ = '\t';
        at    = format_number(at, all[i], 10, 1);
    }
    *at++ = '\n';
    text_add_bytes(text, name, strlen(name));
    text_add_bytes(text, line, (size_t)(at - line));
}

/* ---- What it has read and written ------------------------------------------------------------------ */

/* Nothing is read from a disk, or written to one. */
int proc_write_moved(struct text *text, struct proc_node *node)
{
    struct process       *p = proc_process(node);
    struct resource_usage used;

    if (p == NULL)
        return -ESRCH;
    process_usage(p, &used);
    text_add(text, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n", (unsigned long long)used.bytes_read,
             (unsigned long long)used.bytes_written, (unsigned long long)used.reads, (unsigned long long)used.writes);
    text_add(text, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    return 0;
}
