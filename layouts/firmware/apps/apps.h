/*
 * apps.h - the applications in the image, and their variables that the kernel's probes look at.
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

/* The variable that app_counter counts, and its first value. */
enum { APP_COUNTER_FIRST = 1000 };
extern __seg_gs int app_counted;

/*
 * probe.c: what the application tries: `a` of its arguments says what, `b` is an address, or for PROBE_HEAP and
 * PROBE_STACK a number of pages to grow by or to reach down. Its exit status is PROBE_DONE, or PROBE_REFUSED when the
 * heap cannot grow so far, or for any other `a`; or it is killed. The kernel's probes start it.
 */
enum { PROBE_READ, PROBE_WRITE, PROBE_EXECUTE, PROBE_HEAP, PROBE_STACK };
enum { PROBE_DONE = 77, PROBE_REFUSED = 78 };
int app_probe(struct app_arguments arguments);

#endif
