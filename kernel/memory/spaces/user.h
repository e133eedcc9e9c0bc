/*
 * user.h - the only way the kernel touches a program's memory.
 *
 * A pointer from a program is a number: user_t. These calls check that the range lies in user space,
 * then copy; a fault on the way is resolved as the program's own would be (demand-zero,
 * copy-on-write, stack growth), and if it cannot be, the call returns -EFAULT. The kernel never
 * faults for good. Where SMAP is present, access is open only inside these calls.
 *
 * All calls work on the current space but those that name one. All may sleep: a fault takes the space's map lock, which
 * another thread may hold for long, and a fault that finds no memory ends a process. So the caller holds no spin lock,
 * has interrupts on, and holds no lock of a map or an object (base/rwlock.h); it may hold a mutex. Without a fault,
 * too, the turn may end in the middle of the copy, and others see a part of it (process/schedule.h). With interrupts
 * off, as under a spin lock, no fault is resolved: only user_load_word(), which returns -EFAULT where the page is not
 * present, and the `held` calls may be called so.
 */
#ifndef QUIRE_MEMORY_USER_H
#define QUIRE_MEMORY_USER_H

#include "base/types.h"

typedef uintptr_t user_t;           /* an address in a program; never cast to a C pointer elsewhere */

/* Return 0 or -EFAULT. On failure part of the destination may have been written. */
int user_read(void *to, user_t from, size_t bytes) MUST_CHECK;
int user_write(user_t to, const void *from, size_t bytes) MUST_CHECK;

/* How many bytes of the range could be copied before the first that could not: for read() and write(). */
size_t user_read_some(void *to, user_t from, size_t bytes);
size_t user_write_some(user_t to, const void *from, size_t bytes);

/*
 * The same with interrupts off, which the caller has seen to: up to the first byte whose page is not there or must be
 * copied first, for no fault is resolved. At most a page.
 */
size_t user_read_held(void *to, user_t from, size_t bytes);
size_t user_write_held(user_t to, const void *from, size_t bytes);

/* Copy text up to its NUL. Returns its length, -EFAULT, or -ENAMETOOLONG when size bytes held no NUL. */
long user_read_text(char *to, user_t from, size_t size) MUST_CHECK;

/* Atomic operations for futexes: returns 0 or -EFAULT, the old value in *old. */
int user_load_word(user_t at, uint32_t *old) MUST_CHECK;
int user_exchange_word(user_t at, uint32_t expect, uint32_t desired, uint32_t *old) MUST_CHECK;

/*
 * The same into a space that need not be current: a program being built, a child. Pages are made as if
 * the program wrote. Return 0, -EFAULT or -ENOMEM.
 */
struct space;
int user_write_in(struct space *space, user_t to, const void *from, size_t bytes) MUST_CHECK;
int user_read_in(struct space *space, void *to, user_t from, size_t bytes) MUST_CHECK;
int user_clear_in(struct space *space, user_t to, size_t bytes) MUST_CHECK;

/*
 * How a fault in a copy for the current program is resolved where the processor does not raise it (user_walk.h): as the
 * page-fault handler would, with what it counts and the process that it may kill.
 */
typedef int (*user_resolve)(struct space *space, uintptr_t address, uint8_t access);
void user_resolve_with(user_resolve how);

/* True when [start, start + bytes) lies in user space and does not wrap. */
bool user_range(user_t start, size_t bytes);

#endif
