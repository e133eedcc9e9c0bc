/*
 * apps.h - the applications there are, and what the kernel looks at in them.
 */
#ifndef QUIRE_APPS_APPS_H
#define QUIRE_APPS_APPS_H

#include "layouts/firmware/apps/app.h"

/* demonstrations.c */
int app_hello(struct app_arguments arguments);
int app_counter(struct app_arguments arguments);
int app_recursion(struct app_arguments arguments);
int app_grow(struct app_arguments arguments);
int app_wild(struct app_arguments arguments);

/* The variable that app_counter counts, and what it is at first. */
enum { APP_COUNTER_FIRST = 1000 };
extern __seg_gs int app_counted;

/*
 * probe.c: one access, `a` says which, at address `b`. Ends with PROBE_DONE, or with what was read in the low
 * byte of PROBE_READ's; or is killed. The kernel's probes start it.
 */
enum { PROBE_READ, PROBE_WRITE, PROBE_EXECUTE, PROBE_HEAP, PROBE_STACK, PROBE_BREAK_BACK };
enum { PROBE_DONE = 77, PROBE_REFUSED = 78 };
int app_probe(struct app_arguments arguments);

#endif
