/*
 * last_resort.h - a program's fault that cannot be dealt with, as it always comes back.
 *
 * Locking  none. The caller holds no spin lock, as report_say() gives way while the host takes no more; interrupts may
 *          be off.
 * Cost     rare: the first 16 times a line for whoever started the machine.
 */
#ifndef QUIRE_PROCESS_LAST_RESORT_H
#define QUIRE_PROCESS_LAST_RESORT_H

#include "memory/spaces/fault.h"
#include "memory/spaces/fault_repeat.h"

/*
 * Handling the fault changes nothing, and it would come for ever: a bug of the kernel's. A checked kernel stops;
 * otherwise the program gets SIGSEGV (or the call that copies for it -EFAULT), and the log a line. Returns -EFAULT;
 * *verdict says why.
 */
int program_fault_give_up(const struct fault_repeat *repeat, struct fault_verdict *verdict);

#endif
