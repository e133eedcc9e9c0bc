/*
 * processor.h - an i386 that runs programs, in the machine in plain memory.
 *
 * It knows the instructions that the compiler makes of the programs in this tree: whole numbers, no floating point, one
 * privilege level, flat segments but for GS. Each access goes through the machine's tables with a program's rights. Any
 * other code is an invalid one (TRAP_INVALID_OPCODE), and a program that has it is killed: a gap here is seen.
 *
 * Source   Intel SDM vol. 2.
 */
#ifndef QUIRE_TESTS_CLAIMS_PROCESSOR_H
#define QUIRE_TESTS_CLAIMS_PROCESSOR_H

#include "base/types.h"

struct space;
struct trap_frame;

/*
 * Execute the next instruction of a program, whose GS begins at `shared`. False: a trap, whose vector and error code
 * are in the frame; an exception leaves all other registers as they were, for the instruction to be tried again.
 */
bool processor_step(struct trap_frame *frame, const struct space *space, uint32_t shared);

/* The address of the last page fault. */
vaddr_t processor_fault_address(void);

#endif
