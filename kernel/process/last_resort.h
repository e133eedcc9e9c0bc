/*
 * last_resort.h - a program's fault that comes back however often it is handled.
 *
 * Locking  none. The caller holds no spin lock, as report_say() gives way while the host takes no more bytes;
 *          interrupts may be off.
 * Cost     a line in the report, the first 16 times.
 */
#ifndef QUIRE_PROCESS_LAST_RESORT_H
#define QUIRE_PROCESS_LAST_RESORT_H

#include "memory/spaces/fault.h"
#include "memory/spaces/fault_repeat.h"

/*
 * Give up a fault whose handling changes nothing, so that it would come back for ever: a bug of the kernel. A checked
 * kernel stops; another gives the program SIGSEGV (or the call that copies for it -EFAULT), and reports a line. Returns
 * -EFAULT; *verdict says why.
 */
int program_fault_give_up(const struct fault_repeat *repeat, struct fault_verdict *verdict);

#endif
