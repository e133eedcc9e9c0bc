/*
 * applications.h - what programs that are part of the kernel add to processes: chosen when a file is compiled.
 *
 * Documents with applications have such programs (layouts/firmware/builtin.h). In other layouts these calls are empty,
 * and a system call must not pay for them; so a file that includes this is compiled for each layout (sources.mk lists
 * those files).
 */
#ifndef QUIRE_PROCESS_APPLICATIONS_H
#define QUIRE_PROCESS_APPLICATIONS_H

#include <layout.h>

#include "process/process.h"

#ifdef LAYOUT_APPLICATIONS
#include "layouts/firmware/builtin.h"
#else
static inline void shared_start(void)                           { }
static inline void builtin_note_end(struct process *process)    { (void)process; }
static inline void builtin_note_reason(const char *reason)      { (void)reason; }
static inline void builtin_ended(struct process *process)       { (void)process; }
static inline bool builtin_may_call(uint32_t number)            { (void)number; return true; }
static inline bool builtin_is_quiet(void)                       { return false; }
#endif

#endif
