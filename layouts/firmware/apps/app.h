/*
 * app.h - writing an application: a program that is part of the kernel's image.
 *
 * An application is a function, linked with everything else. Its code and constants are the kernel's own pages, which
 * programs may execute and read; it runs as a process like any other, with a heap, a stack and variables of its own
 * (layouts/firmware/application.h). Only layouts whose document says so have applications.
 *
 *     static APP_SHARED(int, counter, 5);         a variable; each process begins with 5, and so does the kernel
 *     app_print("counter %d\n", ++counter);       used by its name
 *
 * A variable must be made that way. An ordinary one lies among the kernel's variables, where a program may neither read
 * nor write: an access faults. So does an access through a pointer to a shared variable, which is an address in its
 * segment only; app_address() makes an ordinary pointer of it.
 *
 * An application may make the system calls behind the functions here. Any other ends it with SIGSYS.
 *
 * Source   claims G4, G5, G17; GCC manual, "Named Address Spaces".
 */
#ifndef QUIRE_APPS_APP_H
#define QUIRE_APPS_APP_H

#include "cpu.h"
#include "base/types.h"

/* GS is the segment in which the linker's addresses of shared variables lead to this process's copy. */
#define APP_SHARED(type, name, value) __seg_gs type name __attribute__((section(".data_shared"))) = (value)
#define APP_SHARED_ZERO(type, name)   __seg_gs type name __attribute__((section(".bss_shared")))

/* What an application may be started with. */
struct app_arguments { uint32_t a, b; };

struct app {
    const char *name, *text;                        /* what it is called, and what it shows   */
    int       (*main)(struct app_arguments arguments);  /* returns the exit status, 0 to 255  */
    size_t      heap_pages, stack_pages;            /* less than the document allows; 0: that */
};

extern const struct app apps[];
extern const uint32_t   app_count;

/* Where every application begins: calls main, and ends the process with what it returns. */
TAKES_FROM_STACK void app_begin(int (*main)(struct app_arguments), struct app_arguments arguments) NORETURN;

void  app_exit(int status) NORETURN;
void  app_print(const char *format, ...) PRINTF_LIKE(1, 2);
void *app_break(void *wanted);                      /* the break in force afterwards; NULL only asks */
int   app_number(void);                             /* of this process                               */
void  app_give_way(void);

/* Memory from the heap, never given back singly; NULL when the heap is as large as it may become. */
void *app_alloc(size_t bytes);

/*
 * The base of the segment, which the kernel writes into each copy; and a pointer that means the same everywhere in this
 * process.
 */
extern __seg_gs uintptr_t app_base;
void *app_address(const __seg_gs void *shared);

#endif
