/*
 * names.c (i386) - the names of the numbers of Linux i386, for the report on calls that are not there.
 *
 * A kernel that makes no report is linked without them.
 */
#include "base/print.h"
#include "linux/call.h"
#include "numbers.h"

#define CALL(number, name)   [number] = #name,
#define AS(number, name, fn) [number] = #name,
#define NAMED(number, name)  [number] = #name,

static const char *const names[] = { LINUX_NUMBERS(CALL, AS, NAMED) };

void linux_report_unknown(void (*line)(const char *text))
{
    char text[80];

    for (uint32_t n = 0; n <= linux_table_size; n++) {
        const char *name = n < linux_table_size ? names[n] : NULL;

        if (linux_unknown[n] == 0)
            continue;
        if (name != NULL)
            format_text(text, sizeof text, "%s (%u) %u", name, n, linux_unknown[n]);
        else if (n < linux_table_size)
            format_text(text, sizeof text, "number %u %u", n, linux_unknown[n]);
        else
            format_text(text, sizeof text, "numbers beyond %u %u", linux_table_size - 1, linux_unknown[n]);
        line(text);
    }
}
