/*
 * switch.h (host) - running on another stack.
 *
 * The host port's threads are the host's, with stacks of their own, so there is nothing to switch.
 * A test that calls what switches says in stack_call() what is to happen.
 */
#ifndef QUIRE_ARCH_SWITCH_H
#define QUIRE_ARCH_SWITCH_H

#include "base/types.h"

void stack_call(vaddr_t top, void (*function)(void *), void *argument);

#endif
