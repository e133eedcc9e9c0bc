/* report_json.c - JSON of a report. See report_json.h. */
#include "report_json.h"
#include "arena.h"
#include "visible.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FRAME_KIB = 4 };

/* Text of JSON that grows. */
struct json {
    char  *bytes;
    size_t length, room;
    bool   first;                   /* nothing is in this object or list yet */
};

static void add_bytes(struct json *to, const char *bytes, size_t length)
{
    if (to->length + length > to->room) {
        to->room  = 2 * to->room + length + 256;
        to->bytes = grown(to->bytes, to->room, 1);
    }
    memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
}

__attribute__((format(printf, 2, 3)))
static void add(struct json *to, const char *format, ...)
{
    va_list values;
    char *part;

    va_start(values, format);
    part = text_from(format, values);
    va_end(values);
    add_bytes(to, part, strlen(part));
    drop(part);
}

/* The next member of an object, or (without a name) of a list, on a line of its own. */
static void add_member(struct json *to, const char *name)
{
    add(to, to->first ? "\n    " : ",\n    ");
    to->first = false;
    if (name != NULL)
        add(to, "\"%s\": ", name);
}

/* Any bytes as a string, which must be UTF-8 without controls: made visible, but for lines and tabs. */
static void add_string(struct json *to, const char *bytes, size_t length)
{
    char *shown = grown(NULL, length * VISIBLE_MOST + 1, 1);
    size_t count = visible(bytes, length, shown);

    add_bytes(to, "\"", 1);
    for (size_t i = 0; i < count; i++)
        if (shown[i] == '\n' || shown[i] == '\t')
            add_bytes(to, shown[i] == '\n' ? "\\n" : "\\t", 2);
        else if (shown[i] == '"' || shown[i] == '\\')
            add_bytes(to, (const char[2]){ '\\', shown[i] }, 2);
        else
            add_bytes(to, shown + i, 1);
    add_bytes(to, "\"", 1);
    drop(shown);
}

/* The beginning of an object or a list that is a member of the whole, and its end. */
static void open_part(struct json *to, const char *name, char bracket)
{
    add(to, ",\n  \"%s\": %c", name, bracket);
    to->first = true;
}

static void close_part(struct json *to, char bracket)
{
    add(to, "%s%c", to->first ? "" : "\n  ", bracket);
}

static void add_text(struct json *to, const char *text) { add_string(to, text, strlen(text)); }

static void add_frames(struct json *to, const char *moment, uint64_t frames)
{
    add(to, "\"%s\": { \"frames\": %" PRIu64 ", \"kib\": %" PRIu64 " }", moment, frames, frames * FRAME_KIB);
}

static void add_memory(struct json *to, const struct quire_report *report)
{
    open_part(to, "memory", '{');
    for (size_t i = 0; i < report->owner_count; i++) {
        const struct quire_owner *owner = &report->owners[i];

        add_member(to, NULL);
        add_text(to, owner->name);
        add(to, ": { ");
        add_frames(to, "peak", owner->peak);
        add(to, ", ");
        add_frames(to, "end", owner->end);
        add(to, ", \"purpose\": ");
        add_text(to, owner->purpose);
        add(to, " }");
    }
    close_part(to, '}');
}

static void add_faults(struct json *to, const struct quire_report *report)
{
    open_part(to, "faults", '{');
    for (size_t i = 0; i < report->fault_count; i++) {
        add_member(to, NULL);
        add_text(to, report->faults[i].name);
        add(to, ": %" PRIu64, report->faults[i].times);
    }
    close_part(to, '}');
}

static void add_calls(struct json *to, const struct quire_report *report)
{
    open_part(to, "calls", '[');
    for (size_t i = 0; i < report->call_count; i++) {
        const struct quire_count *call = &report->calls[i];

        add_member(to, NULL);
        add(to, "{ \"name\": ");
        add_text(to, call->name);
        add(to, ", \"number\": %" PRIu64 ", \"times\": %" PRIu64 " }", call->number, call->times);
    }
    close_part(to, ']');
}

static void add_paths(struct json *to, const struct quire_report *report)
{
    open_part(to, "paths", '[');
    for (size_t i = 0; i < report->path_count; i++) {
        add_member(to, NULL);
        add(to, "{ \"path\": ");
        add_text(to, report->paths[i].name);
        add(to, ", \"times\": %" PRIu64 " }", report->paths[i].times);
    }
    close_part(to, ']');
    add(to, ",\n  \"paths_more\": %" PRIu64, report->more_paths);
}

static void add_audit(struct json *to, const struct quire_report *report)
{
    if (!report->audited) {
        add(to, ",\n  \"audit\": null");
        return;
    }
    add(to, ",\n  \"audit\": { \"clean\": %s", report->clean ? "true" : "false");
    if (report->clean || report->checks > 0)
        add(to, ", \"checks\": %" PRIu64, report->checks);
    if (report->failure_count > 0)
        add(to, ", \"failures\": [");
    to->first = true;
    for (size_t i = 0; i < report->failure_count; i++) {
        add_member(to, NULL);
        add(to, "{ \"invariant\": ");
        add_text(to, report->failures[i].invariant);
        add(to, ", \"what\": ");
        add_text(to, report->failures[i].what);
        add(to, " }");
    }
    add(to, report->failure_count > 0 ? " ] }" : " }");
}

static void add_words(struct json *to, const struct quire_report *report)
{
    open_part(to, "words", '[');
    for (size_t i = 0; i < report->word_count; i++) {
        add_member(to, NULL);
        add_text(to, report->words[i]);
    }
    close_part(to, ']');
}

char *report_json(const struct quire_report *report, char *const *argv, int argc)
{
    struct json all = { 0 };

    add(&all, "{\n  \"program\": [");
    for (int i = 0; i < argc; i++) {
        add(&all, i > 0 ? ", " : " ");
        add_text(&all, argv[i]);
    }
    add(&all, " ],\n  \"status\": %d", report->status);
    add_memory(&all, report);
    add_faults(&all, report);
    add_calls(&all, report);
    add_paths(&all, report);
    add_audit(&all, report);
    add_words(&all, report);
    add_bytes(&all, "\n}\n", sizeof("\n}\n"));
    return all.bytes;
}
