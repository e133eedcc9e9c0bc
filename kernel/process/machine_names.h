/*
 * machine_names.h - the name of the machine and that of its domain, which uname(2) and /proc/sys/kernel tell.
 *
 * Locking  RANK_OBJECT inside. Cost: a copy of MACHINE_NAME bytes.
 * Source   Linux man-pages: uname(2), sethostname(2), setdomainname(2).
 */
#ifndef QUIRE_PROCESS_MACHINE_NAMES_H
#define QUIRE_PROCESS_MACHINE_NAMES_H

#include "base/types.h"

enum { MACHINE_NAME = 65 };                 /* bytes with the NUL at the end */
enum machine_name { NAME_OF_HOST, NAME_OF_DOMAIN };

/* All the bytes: those behind the name are zero. */
void machine_name_copy(enum machine_name which, char to[MACHINE_NAME]);

/* `name` need not end with a NUL; `bytes` is below MACHINE_NAME. The caller has the right to change it. */
void machine_name_set(enum machine_name which, const char *name, size_t bytes);

#endif
