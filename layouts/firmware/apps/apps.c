/*
 * apps.c - the table of applications. See apps.h.
 */
#include "layouts/firmware/apps/apps.h"

const struct app apps[] = {
    { "hello",     "says where its code, its stack and its variables are",         app_hello,     0, 1 },
    { "counter",   "counts in a variable of its own; [A] times",                   app_counter,   0, 0 },
    { "recursion", "calls itself [A] times, without A until the stack ends",       app_recursion, 0, 0 },
    { "grow",      "asks for memory in pieces of [A] KiB until there is no more",  app_grow,      0, 0 },
    { "wild",      "writes to [A], without A into the kernel's variables",         app_wild,      0, 0 },
    { "probe",     "one access for the kernel's probes: kind A, address B",        app_probe,     0, 0 },
};
const uint32_t app_count = COUNT_OF(apps);
