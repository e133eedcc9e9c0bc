/*
 * relocator.h - the parts of the relocator. All of it is 32-bit code that runs in protected mode with paging off and
 * interrupts off, at its physical address, before anything of the kernel does; for each call of the BIOS the
 * processor goes back to real mode (enter.S).
 *
 * Errors   a call that cannot do its work prints why and stops the machine, so callers need no check.
 */
#ifndef QUIRE_BOOT_BIOS_RELOCATOR_H
#define QUIRE_BOOT_BIOS_RELOCATOR_H

#include "base/types.h"
#include "boot/bios.h"

/* ---- enter.S: the BIOS ---------------------------------------------------------------- */

/* Registers before a call and after it. Segment registers are 0, so addresses are below 64 KiB. */
struct bios_registers {
    uint32_t eax, ebx, ecx, edx, esi, edi;
    uint32_t flags;
};

enum { BIOS_CARRY = 1 };                /* in flags: the call failed */

void bios_call(uint32_t number, struct bios_registers *registers);

/* The last instructions: to the kernel. */
void leave(uint32_t entry, const struct bios_handover *handover) NORETURN;

static inline void copy(void *to, const void *from, uint32_t bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline void clear(void *at, uint32_t bytes)
{
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(0) : "memory");
}

/* ---- say.c: to the screen and the serial line ------------------------------------------ */

void say_start(void);
void say(const char *text);
void say_number(uint32_t number);
void say_hex(uint32_t number);
void stop(void) NORETURN;                       /* after a message: leave the emulator, or stand still */
void refuse(const char *why) NORETURN;          /* "quire: why", and stop() */

/* ---- disk.c ------------------------------------------------------------------------------- */

/* Use the drive that the BIOS started this code from; once. */
void disk_start(uint8_t number);

/* Read `bytes` from a sector on to physical `to`, anywhere below 4 GiB, in pieces through BIOS_BUFFER; shows dots. */
void disk_read(uint32_t sector, uint32_t bytes, uint32_t to);

/* The drive is no longer needed. */
void disk_end(void);

/* ---- memory.c ----------------------------------------------------------------------------- */

/* Open the address line A20; returns how, enum boot_a20. */
uint32_t a20_open(void);

/* Ask the BIOS for the memory map; refuses a machine whose BIOS has none. */
void map_read(struct bios_handover *handover);

/* True when usable ranges, and no others, hold every byte of [start, end). */
bool map_holds(const struct bios_handover *handover, uint64_t start, uint64_t end);

/* The lowest page border at or above `from` where `bytes` of RAM lie; 0 when there is none. */
uint32_t map_find(const struct bios_handover *handover, uint32_t from, uint32_t bytes);

#endif
