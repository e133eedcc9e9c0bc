/*
 * no_files.c - the auditor without the checks of files: tests of files have no auditor, other tests no files.
 */
#include "memory/audit.h"
#include "memory/check/corrupt.h"

extern const struct invariant  files_invariants[];
extern const struct audit_part files_audits[];
extern const struct corruption files_corruptions[];

const struct invariant  files_invariants[]  = { { 0 } };
const struct audit_part files_audits[]      = { { 0 } };
const struct corruption files_corruptions[] = { { 0 } };
