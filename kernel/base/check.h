/*
 * check.h - words of different strength, so that a reader knows what to build on.
 *
 *   _Static_assert     a fact about constants; the build fails
 *   assert(x)          proven here; stops the machine when untrue, in every build
 *   deep_assert(x)     proven here too, but a walk, or on a hot path: checked builds only (CHECKED=1)
 *   if (!expect(x))    believed, not proven, and the code copes: stops a checked
 *                      build, yields x in a release build
 *
 * None of these is for what the outside world may do at any time: that returns an errno.
 * stop(), and the port's ASSERTION_FAILED(), are panic() on a processor and a failed test on the host port.
 */
#ifndef QUIRE_BASE_CHECK_H
#define QUIRE_BASE_CHECK_H

#include <assertion.h>

#include "base/types.h"

/* Stop the machine, with words. Answered above base: by init/panic.c, or by arch/host/stop.c. */
void stop(const char *file, int line, const char *why) NORETURN;

/*
 * Set the last act of a panic, before the machine stands still or leaves. It must end, whatever is broken; NULL: none.
 */
void panic_last(void (*act)(void));

#undef assert
#define assert(x) (__builtin_expect(!!(x), 1) ? (void)0 : ASSERTION_FAILED(#x))

#ifdef CHECKED
#define IS_CHECKED 1
#define deep_assert(x) assert(x)
#define expect(x) ((x) ? true : (stop(__FILE__, __LINE__, "unexpected: not " #x), false))
#else
#define IS_CHECKED 0
#define deep_assert(x) ((void)0)
#define expect(x) (x)
#endif

#endif
