/*
 * assertion.h (host) - a failed assertion ends the test, unless the test expects it (machine_expect_stop()).
 */
#ifndef QUIRE_ARCH_ASSERTION_H
#define QUIRE_ARCH_ASSERTION_H

void stop_by_assertion(const char *file, int line, const char *what) __attribute__((noreturn));

#define ASSERTION_FAILED(what) stop_by_assertion(__FILE__, __LINE__, what)

#endif
