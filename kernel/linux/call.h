/*
 * call.h - the Linux system-call interface: from a number to a function.
 *
 * linux/i386/table.c maps the numbers of i386 to functions, which are defined in one file for each family in this
 * folder. Arguments arrive as machine words in the order of the interface, and calls.h converts them to the types of
 * each function; results are values or negative errno. A number without a function returns -ENOSYS and is counted for
 * the report.
 *
 * No function here touches a program's memory but through memory/spaces/user.h and buffer.h.
 */
#ifndef QUIRE_LINUX_CALL_H
#define QUIRE_LINUX_CALL_H

#include "call_arguments.h"             /* linux/<interface> */

typedef long (*linux_call)(const struct call_arguments *given);

extern const linux_call linux_table[];      /* by number; NULL: not implemented */
extern const uint32_t linux_table_size;
extern uint32_t linux_unknown[];    /* by number: calls without a function; the last entry: beyond the table */

struct trap_frame;
/* Execute the call of a trap: number and arguments are read from the frame, the result is stored there. */
void linux_dispatch(struct trap_frame *frame);

/* Write the names and counts of unknown calls (linux/<interface>/names.c). */
void linux_report_unknown(void (*line)(const char *text));

#endif
