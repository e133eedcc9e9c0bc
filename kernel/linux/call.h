/*
 * call.h - the Linux system-call interface: from a number to a function.
 *
 * linux/i386/table.c maps the numbers of i386 to functions, which stand in a file for each family beside this one.
 * Arguments arrive as machine words in the order of the interface, and calls.h gives each function its own types and
 * names of them; results are values or negative errno. A number without a function returns -ENOSYS and is counted for
 * the exit report.
 *
 * No function here touches a program's memory but through memory/spaces/user.h and buffer.h.
 */
#ifndef QUIRE_LINUX_CALL_H
#define QUIRE_LINUX_CALL_H

#include "call_arguments.h"             /* linux/<interface> */

typedef long (*linux_call)(const struct call_arguments *given);

struct linux_entry {
    const char *name;
    linux_call  call;               /* NULL: not there          */
};
extern const struct linux_entry linux_table[];
extern const uint32_t linux_table_size;
extern uint32_t linux_unknown[];    /* calls without a function, counted by number; beyond the table: the last one */

struct trap_frame;
/* From the trap: reads number and arguments from the frame, stores the result in it. call_arguments.h knows where. */
void linux_dispatch(struct trap_frame *frame);

/* The names and counts of unknown calls, for the report. */
void linux_report_unknown(void (*line)(const char *text));

#endif
