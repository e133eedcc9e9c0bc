/*
 * verdict.h - what the end of a session means: an exit status, and lines that explain it.
 */
#ifndef QUIRE_VERDICT_H
#define QUIRE_VERDICT_H

#include "sandbox.h"
#include "session.h"

/* `code` is of machine_end(). Returns the exit status, after a complaint where it is one of quire's. */
int verdict(const struct sandbox *sandbox, const struct session *session, struct answer *registers, int code);

/* Complain that the memory is too little, and why; returns SANDBOX_TOO_LITTLE. */
int tell_too_little(const char *why);

#endif
