/*
 * switch.h (i386) - running on another stack.
 */
#ifndef QUIRE_ARCH_SWITCH_H
#define QUIRE_ARCH_SWITCH_H

#include "base/types.h"

/*
 * Call function(argument) on the stack that ends at `top` (a multiple of 16) and come back.
 * A backtrace shows the caller's frames behind the function's.
 */
void stack_call(vaddr_t top, void (*function)(void *), void *argument);

#endif
