/*
 * no_files.c - nor what files add: their tests have no auditor, and other tests have no files.
 */
#include "memory/audit.h"
#include "memory/check/corrupt.h"

extern const struct invariant  files_invariants[];
extern const struct audit_part files_audits[];
extern const struct corruption files_corruptions[];

const struct invariant  files_invariants[]  = { { 0 } };
const struct audit_part files_audits[]      = { { 0 } };
const struct corruption files_corruptions[] = { { 0 } };
