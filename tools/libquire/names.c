/* names.c - from a kernel's addresses to the names of its functions. See names.h. */
#include "names.h"
#include "arena.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ending[] = ".elf";

enum { DIGITS = 8, ENDING = sizeof(ending) - 1, LONGEST_MAP = 1 << 20 };

struct names names_of(const char *kernel)
{
    size_t length = strlen(kernel);
    struct names names = { NULL, 0 };
    char *path;
    FILE *file;

    if (length < ENDING || strcmp(kernel + length - ENDING, ending) != 0)
        return names;
    path = text("%.*s.map", (int)(length - ENDING), kernel);
    file = fopen(path, "r");
    if (file != NULL) {
        names.text   = grown(NULL, LONGEST_MAP + 1, 1);
        names.length = fread(names.text, 1, LONGEST_MAP, file);
        names.text[names.length] = '\0';
        fclose(file);
    }
    drop(path);
    return names;
}

void names_free(struct names *names)
{
    drop(names->text);
    *names = (struct names){ NULL, 0 };
}

/* The last function of the map whose address is not above this one; NULL when all are. */
static const char *line_of(const struct names *names, unsigned long address)
{
    const char *found = NULL;

    for (const char *at = names->text; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL) {
        if (strtoul(at, NULL, 16) > address)
            break;
        if (strncmp(at + strcspn(at, " "), " @", 2) != 0)
            found = at;
    }
    return found;
}

static bool is_hexadecimal(const char *text, size_t length)
{
    return length >= DIGITS && strspn(text, "0123456789abcdef") == DIGITS;
}

/*
 * Where in the sources the assertion at an address is: "kernel/init/crash.c:18" and more lines; NULL when there
 * is none.
 */
static const char *assertion_at(const struct names *names, unsigned long address)
{
    char *row = text("%0*lx @", DIGITS, address);
    const char *found = names->text != NULL ? strstr(names->text, row) : NULL;

    drop(row);
    return found != NULL ? found + DIGITS + 2 : NULL;
}

/* "panic: assertion failed at c0123456": its file and line. */
static char *place_of_assertion(const struct names *names, const char *line, size_t length, size_t *at)
{
    static const char words[] = "panic: assertion failed at ", panic[] = "panic: ";
    const char *place = NULL;

    if (length >= sizeof(words) - 1 + DIGITS && strncmp(line, words, sizeof(words) - 1) == 0)
        place = assertion_at(names, strtoul(line + sizeof(words) - 1, NULL, 16));
    *at = sizeof(panic) - 1;
    return place != NULL ? text("%.*s: ", (int)strcspn(place, "\n"), place) : NULL;
}

/*
 * "  at c0123456" is where something went wrong; "     c0123456" in a list of callers is where a call returns to, and
 * the call may be its function's last instruction.
 */
char *names_for_line(const struct names *names, const char *line, size_t length, size_t *at)
{
    size_t blanks = strspn(line, " ");
    bool exact = strncmp(line + blanks, "at ", 3) == 0;
    const char *digits = line + blanks + (exact ? 3 : 0), *found, *name;
    unsigned long address;

    if (blanks == 0)
        return place_of_assertion(names, line, length, at);
    *at = (size_t)(digits - line) + DIGITS;
    if (names->text == NULL || *at > length || !is_hexadecimal(digits, length - (size_t)(digits - line)) ||
        (*at < length && strchr(",\r", line[*at]) == NULL))
        return NULL;
    address = strtoul(digits, NULL, 16);
    found = line_of(names, exact || assertion_at(names, address) != NULL ? address : address - 1);
    if (found == NULL)
        return NULL;
    name = strchr(found, ' ') + 1;
    return text("  %.*s+0x%lx", (int)strcspn(name, "\n"), name, address - strtoul(found, NULL, 16));
}
