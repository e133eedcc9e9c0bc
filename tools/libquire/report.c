/* report.c - the report's lines, taken apart. See report.h. */
#include "report.h"
#include "arena.h"
#include "visible.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The part of a report that a line without a heading of its own belongs to. */
enum part { PART_WORDS, PART_MEMORY, PART_FAULTS, PART_CALLS, PART_PATHS };

/* What is read, in lists that grow. */
struct reading {
    enum part             part;
    struct quire_report  *report;
    struct quire_owner   *owners;
    struct quire_count   *faults, *calls, *paths;
    struct quire_failure *failures;
    const char          **words;
};

static const struct {
    const char *beginning;
    enum part   part;
} headings[] = {
    { "memory by owner ", PART_MEMORY },
    { "page faults", PART_FAULTS },
    { "system calls that are not there", PART_CALLS },
    { "paths that were looked for and not found", PART_PATHS },
};

/* Room for one more in a list of so many. */
#define ADD(list, count) ((list) = one_more((list), (count), sizeof *(list)), &(list)[(count)++])

static void *one_more(void *list, size_t count, size_t size)
{
    bool full = count >= 8 ? (count & (count - 1)) == 0 : count == 0;

    return full ? grown(list, count < 8 ? 8 : 2 * count, size) : list;
}

/* "  free   3264   13056 KiB   3289   13156 KiB   in the pool" */
static bool read_owner(struct reading *r, const char *line)
{
    uint64_t peak, end;
    char name[32];
    int purpose = 0;

    if (sscanf(line, "  %31[^ ] %" SCNu64 " %*u KiB %" SCNu64 " %*u KiB %n", name, &peak, &end, &purpose) != 3 ||
        purpose == 0)
        return false;
    *ADD(r->owners, r->report->owner_count) = (struct quire_owner){
        .name = text("%s", name), .purpose = text("%s", line + purpose), .peak = peak, .end = end };
    return true;
}

/* "         12  zero" */
static bool read_fault(struct reading *r, const char *line)
{
    uint64_t times;
    char name[64];
    int end = 0;

    if (sscanf(line, " %" SCNu64 "  %63s%n", &times, name, &end) != 2 || line[end] != '\0')
        return false;
    *ADD(r->faults, r->report->fault_count) = (struct quire_count){ .name = text("%s", name), .times = times };
    return true;
}

/* "  rseq (386) 2" */
static bool read_call(struct reading *r, const char *line)
{
    uint64_t which, times;
    char name[64];
    int end = 0;

    if (sscanf(line, "  %63[^ ] (%" SCNu64 ") %" SCNu64 "%n", name, &which, &times, &end) != 3 || line[end] != '\0')
        return false;
    *ADD(r->calls, r->report->call_count) = (struct quire_count){
        .name = text("%s", name), .number = which, .times = times };
    return true;
}

/* "          1  /nothing", and perhaps, as the last line, "  and 12 paths more" */
static bool read_path(struct reading *r, const char *line)
{
    uint64_t times;
    int path = 0;

    if (sscanf(line, "  and %" SCNu64 " paths more", &times) == 1) {
        r->report->more_paths = times;
        return true;
    }
    if (sscanf(line, " %" SCNu64 " %n", &times, &path) != 1 || line[path] == '\0')
        return false;
    *ADD(r->paths, r->report->path_count) = (struct quire_count){ .name = text("%s", line + path), .times = times };
    return true;
}

/* "audit: clean, 47548 checks", or "audit: F3 what is wrong" for each failure */
static bool read_audit(struct reading *r, const char *line)
{
    struct quire_report *report = r->report;
    uint64_t checks;
    char id[16];
    int what = 0;
    bool clean = sscanf(line, "audit: clean, %" SCNu64 " checks", &checks) == 1;

    if (!clean && (sscanf(line, "audit: %15s %n", id, &what) != 1 || what == 0))
        return false;
    if (clean) {
        report->checks = checks;
        report->clean |= !report->audited;
    } else {
        report->clean = false;
        *ADD(r->failures, report->failure_count) = (struct quire_failure){
            .invariant = text("%s", id), .what = text("%s", line + what) };
    }
    report->audited = true;
    return true;
}

static bool read_part(struct reading *r, const char *line)
{
    switch (r->part) {
    case PART_MEMORY:
        return read_owner(r, line);
    case PART_FAULTS:
        return read_fault(r, line);
    case PART_CALLS:
        return read_call(r, line);
    case PART_PATHS:
        return read_path(r, line);
    case PART_WORDS:
        break;
    }
    return false;
}

static void read_line(struct reading *r, const char *line)
{
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
        if (strncmp(line, headings[i].beginning, strlen(headings[i].beginning)) == 0) {
            r->part = headings[i].part;
            return;
        }
    if (read_audit(r, line) || read_part(r, line))
        return;
    if (line[0] != ' ')
        r->part = PART_WORDS;
    if (line[0] != '\0' && strcmp(line, "no system call was asked for that is not there") != 0)
        *ADD(r->words, r->report->word_count) = text("%s", line);
}

struct quire_report *report_read(const char *bytes, size_t length, int status)
{
    struct quire_report *report = grown(NULL, 1, sizeof *report);
    struct reading r = { .report = report };
    char *shown = grown(NULL, length * VISIBLE_MOST + 1, 1), *rest = shown;

    *report = (struct quire_report){ .status = status };
    shown[visible(bytes, length, shown)] = '\0';
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        read_line(&r, line);
    drop(shown);
    report->owners   = r.owners;
    report->faults   = r.faults;
    report->calls    = r.calls;
    report->paths    = r.paths;
    report->failures = r.failures;
    report->words    = r.words;
    return report;
}
