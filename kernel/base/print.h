/*
 * print.h - formatted text, to the console or into memory.
 *
 * Formats: %d %i %u %x %X %o %c %s %p %%, lengths hh h l ll z, width, precision,
 * flags '-' '0' '+' ' ' '#'. No floating point. `%p` prints eight (32-bit) or sixteen digits.
 * No number has more than NUMBER_MOST digits, whatever its precision or its width with '0'.
 *
 * print() writes to every console that print_to() has registered; before the first
 * one, text goes to a ring of PRINT_RING bytes that the first console then receives.
 * Locking: print_lock, rank PRINT, the innermost; callable from anywhere, also from a
 * panic, which calls print_unlocked() first. The consoles write with the lock held
 * and interrupts off: on a serial line 87 microseconds a character.
 */
#ifndef QUIRE_BASE_PRINT_H
#define QUIRE_BASE_PRINT_H

#include <stdarg.h>
#include "base/types.h"

#define PRINT_RING 2048

typedef void (*print_sink)(const char *text, size_t length);

void print(const char *format, ...) PRINTF_LIKE(1, 2);
void print_text(const char *text, size_t length);

/* Add a console; it receives all text from now on, and the ring at once. At most 4. */
void print_to(print_sink sink);

/* Give text to one console only, with the lock held: for a terminal that shares its device with print(). */
void print_only_to(print_sink sink, const char *text, size_t length);

/* Stop taking the lock: the machine is going down, and a holder of the lock never runs again. */
void print_unlocked(void);

/* Both return the length the text would have; *out is always terminated if size > 0. */
int format_text(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int format_list(char *out, size_t size, const char *format, va_list list);

/*
 * The digits of a number alone, `least` of them at the least, to a base of 8 .. 16, without a NUL: NUMBER_MOST at the
 * most, which `least` does not exceed. Returns where they end.
 */
enum { NUMBER_MOST = 24 };
char *format_number(char *to, uint64_t value, unsigned base, unsigned least);

#endif
