/*
 * absent.h - functions that the machine in plain memory lacks, and that probes refer to.
 *
 *     vaddr_t inspect_gate(unsigned) LACKING
 *
 * is such a function: who calls it all the same stops the program, which names it. absent.c has them.
 */
#ifndef QUIRE_TESTS_CLAIMS_ABSENT_H
#define QUIRE_TESTS_CLAIMS_ABSENT_H

#include "base/check.h"

#define LACKING { stop(__FILE__, __LINE__, __func__); }

#endif
