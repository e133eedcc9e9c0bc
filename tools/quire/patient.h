/*
 * patient.h - writing quire's own words, to a reader that may never read.
 *
 * While a program runs its signals come to a descriptor (signals.h), and nothing would end a write(2) that waits. So a
 * write waits for room and for a signal: SIGINT, SIGTERM, SIGHUP and SIGQUIT then end quire, and so the machine.
 */
#ifndef QUIRE_PATIENT_H
#define QUIRE_PATIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Write all bytes, also to a descriptor that does not block. False, and errno is set: they cannot be written. */
bool patient_write(int fd, const char *bytes, size_t length);

#endif
