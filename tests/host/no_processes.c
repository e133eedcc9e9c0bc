/*
 * no_processes.c - the machine in plain memory has no processes: their part of the kernel's tables is empty here.
 */
#include "memory/audit.h"
#include "memory/check/corrupt.h"

extern const struct invariant  process_invariants[];
extern const struct audit_part process_audits[];
extern const struct corruption process_corruptions[];

const struct invariant  process_invariants[]  = { { 0 } };
const struct audit_part process_audits[]      = { { 0 } };
const struct corruption process_corruptions[] = { { 0 } };
