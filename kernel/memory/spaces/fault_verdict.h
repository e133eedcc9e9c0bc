/*
 * fault_verdict.h - what a fault that could not be handled means to a program, in Linux's numbers and in words.
 */
#ifndef QUIRE_MEMORY_FAULT_VERDICT_H
#define QUIRE_MEMORY_FAULT_VERDICT_H

#include "memory/spaces/fault.h"

/* Pages that must stay free between a stack of the space and what lies below it. */
size_t fault_stack_gap(const struct space *space);

/*
 * Fill in the verdict for FAULT_BUS, FAULT_SEGV_ACCESS or FAULT_SEGV_MAP; its words only if they are wanted
 * (fault_words_if()), else they are empty. Locking: the map lock is held.
 */
void fault_describe(struct fault_verdict *verdict, const struct space *space, vaddr_t address,
                    enum fault_action action);

#endif
