/* report_json.c - the report's lines, taken apart. See report_json.h. */
#include "report_json.h"
#include "sandbox.h"
#include "visible.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* The part of a report that a line without a heading of its own belongs to. */
enum part { PART_WORDS, PART_MEMORY, PART_FAULTS, PART_CALLS, PART_PATHS };

struct reading {
    enum part    part;
    json_object *memory, *faults, *calls, *paths, *words, *audit, *failures;
    uint64_t     more;
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

static json_object *number(uint64_t value) { return json_object_new_uint64(value); }

/* Print any bytes as a string of JSON, which must be UTF-8. */
static json_object *string(const char *bytes, size_t length)
{
    char *shown = grown(NULL, length * VISIBLE_MOST + 1, 1);
    json_object *result = json_object_new_string_len(shown, (int)visible(bytes, length, shown));

    free(shown);
    return result;
}

static json_object *amount_json(uint64_t frames, uint64_t kib)
{
    json_object *moment = json_object_new_object();

    json_object_object_add(moment, "frames", number(frames));
    json_object_object_add(moment, "kib", number(kib));
    return moment;
}

/* "  free   3264   13056 KiB   3289   13156 KiB   in the pool" */
static bool read_owner(struct reading *r, const char *line)
{
    uint64_t frames[2], kib[2];
    char name[32];
    int purpose = 0;
    json_object *owner;

    if (sscanf(line, "  %31[^ ] %" SCNu64 " %" SCNu64 " KiB %" SCNu64 " %" SCNu64 " KiB %n", name, &frames[0], &kib[0],
               &frames[1], &kib[1], &purpose) != 5 || purpose == 0)
        return false;
    owner = json_object_new_object();
    json_object_object_add(owner, "peak", amount_json(frames[0], kib[0]));
    json_object_object_add(owner, "end", amount_json(frames[1], kib[1]));
    json_object_object_add(owner, "purpose", json_object_new_string(line + purpose));
    json_object_object_add(r->memory, name, owner);
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
    json_object_object_add(r->faults, name, number(times));
    return true;
}

/* "  rseq (386) 2" */
static bool read_call(struct reading *r, const char *line)
{
    uint64_t which, times;
    char name[64];
    int end = 0;
    json_object *call;

    if (sscanf(line, "  %63[^ ] (%" SCNu64 ") %" SCNu64 "%n", name, &which, &times, &end) != 3 || line[end] != '\0')
        return false;
    call = json_object_new_object();
    json_object_object_add(call, "name", json_object_new_string(name));
    json_object_object_add(call, "number", number(which));
    json_object_object_add(call, "times", number(times));
    json_object_array_add(r->calls, call);
    return true;
}

/* "          1  /nothing", and perhaps, as the last line, "  and 12 paths more" */
static bool read_path(struct reading *r, const char *line)
{
    uint64_t times;
    int path = 0;
    json_object *missing;

    if (sscanf(line, "  and %" SCNu64 " paths more", &times) == 1) {
        r->more = times;
        return true;
    }
    if (sscanf(line, " %" SCNu64 " %n", &times, &path) != 1 || line[path] == '\0')
        return false;
    missing = json_object_new_object();
    json_object_object_add(missing, "path", json_object_new_string(line + path));
    json_object_object_add(missing, "times", number(times));
    json_object_array_add(r->paths, missing);
    return true;
}

/* "audit: clean, 47548 checks", or "audit: F3 what is wrong" for each failure */
static bool read_audit(struct reading *r, const char *line)
{
    uint64_t checks;
    char id[16];
    int what = 0;
    bool clean = sscanf(line, "audit: clean, %" SCNu64 " checks", &checks) == 1;
    json_object *failure;

    if (!clean && (sscanf(line, "audit: %15s %n", id, &what) != 1 || what == 0))
        return false;
    if (r->audit == NULL) {
        r->audit = json_object_new_object();
        json_object_object_add(r->audit, "clean", json_object_new_boolean(clean));
    }
    if (clean) {
        json_object_object_add(r->audit, "checks", number(checks));
        return true;
    }
    json_object_object_add(r->audit, "clean", json_object_new_boolean(false));
    if (r->failures == NULL) {
        r->failures = json_object_new_array();
        json_object_object_add(r->audit, "failures", r->failures);
    }
    failure = json_object_new_object();
    json_object_object_add(failure, "invariant", json_object_new_string(id));
    json_object_object_add(failure, "what", json_object_new_string(line + what));
    json_object_array_add(r->failures, failure);
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
        json_object_array_add(r->words, json_object_new_string(line));
}

static void read_lines(struct reading *r, const char *bytes, size_t length)
{
    char *shown = grown(NULL, length * VISIBLE_MOST + 1, 1), *rest = shown;

    shown[visible(bytes, length, shown)] = '\0';
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        read_line(r, line);
    free(shown);
}

bool report_json_write(FILE *out, const struct report_json *report)
{
    struct reading r = {
        .memory = json_object_new_object(), .faults = json_object_new_object(), .calls = json_object_new_array(),
        .paths = json_object_new_array(), .words = json_object_new_array(),
    };
    json_object *all = json_object_new_object(), *program = json_object_new_array();

    for (int i = 0; i < report->argc; i++)
        json_object_array_add(program, string(report->argv[i], strlen(report->argv[i])));
    read_lines(&r, report->text, report->length);
    json_object_object_add(all, "program", program);
    json_object_object_add(all, "status", json_object_new_int(report->status));
    json_object_object_add(all, "memory", r.memory);
    json_object_object_add(all, "faults", r.faults);
    json_object_object_add(all, "calls", r.calls);
    json_object_object_add(all, "paths", r.paths);
    json_object_object_add(all, "paths_more", number(r.more));
    json_object_object_add(all, "audit", r.audit);
    json_object_object_add(all, "words", r.words);
    fprintf(out, "%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(all);
    return fflush(out) == 0 && !ferror(out);
}
