/*
 * instruction.h - what an instruction of the i386 works on: registers, memory, operands, flags. For processor.c alone.
 *
 * Functions go on with trap_out() where the instruction cannot: it ends there, and processor_step() says so.
 */
#ifndef QUIRE_TESTS_CLAIMS_INSTRUCTION_H
#define QUIRE_TESTS_CLAIMS_INSTRUCTION_H

#include <setjmp.h>

#include "arch/host/machine.h"
#include "trap.h"

enum { CARRY = 1, PARITY = 4, ZERO = 0x40, SIGN = 0x80, DOWN = 0x400, OVERFLOW = 0x800 };
enum { ARITHMETIC = CARRY | PARITY | ZERO | SIGN | OVERFLOW };
enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI };

struct instruction {
    struct trap_frame r;
    const struct space *space;
    uint32_t base, shared;              /* of the segment in use, and of GS                       */
    unsigned size;                      /* of its operands: 1, 2 or 4 bytes                       */
    unsigned repeat;                    /* the prefix, 0: none                                    */
    unsigned reg, rm;                   /* of its ModRM byte                                      */
    bool     memory;                    /* whether `rm` is at `at` and no register                */
    uint32_t at;
    jmp_buf  trap;
};

static uint32_t fault_at;               /* of the last page fault */

static NORETURN void trap_out(struct instruction *i, unsigned vector, uint32_t error)
{
    i->r.vector = vector;
    i->r.error  = error;
    longjmp(i->trap, 1);
}

/* ---- Memory ------------------------------------------------------------------------------------------ */

static NORETURN void page_fault(struct instruction *i, uint32_t at, bool present, bool write)
{
    fault_at = at;
    trap_out(i, TRAP_PAGE_FAULT, FAULT_USER | (present ? FAULT_PRESENT : 0) | (write ? FAULT_WRITE : 0));
}

static uint32_t load_byte(struct instruction *i, uint32_t at, bool write)
{
    struct machine_fault fault;
    uint32_t             word;

    if (!machine_load(i->space, at & ~3u, true, &word, &fault))
        page_fault(i, at, fault.present, write);
    return word >> 8 * (at & 3) & 0xFF;
}

static uint32_t load(struct instruction *i, uint32_t at, unsigned bytes)
{
    struct machine_fault fault;
    uint32_t             value = 0;

    if (bytes == 4 && at % 4 == 0) {
        if (!machine_load(i->space, at, true, &value, &fault))
            page_fault(i, at, fault.present, false);
        return value;
    }
    for (unsigned n = 0; n < bytes; n++)
        value |= load_byte(i, at + n, false) << 8 * n;
    return value;
}

/* The bytes of one word that a store has. */
static void store_part(struct instruction *i, uint32_t at, uint32_t mask, uint32_t value)
{
    struct machine_fault fault;
    uint32_t             word = 0;

    if (!machine_load(i->space, at & ~3u, true, &word, &fault) ||
        !machine_store(i->space, at & ~3u, true, (word & ~mask) | (value & mask), &fault))
        page_fault(i, at, fault.present, true);
}

/* Every byte can be written before the first one is: a store at the border of two pages happens wholly, or not. */
static void store(struct instruction *i, uint32_t at, unsigned bytes, uint32_t value)
{
    uint64_t mask  = ((1ull << 8 * bytes) - 1) << 8 * (at & 3), shifted = (uint64_t)value << 8 * (at & 3);
    uint32_t above = (at & ~3u) + 4;

    if (mask >> 32 != 0) {
        store_part(i, at, 0, 0);
        store_part(i, above, (uint32_t)(mask >> 32), (uint32_t)(shifted >> 32));
    }
    store_part(i, at, (uint32_t)mask, (uint32_t)shifted);
}

static uint32_t next_byte(struct instruction *i) { return load(i, i->r.eip++, 1); }

static uint32_t next_value(struct instruction *i, unsigned bytes)
{
    uint32_t value = load(i, i->r.eip, bytes);

    i->r.eip += bytes;
    return value;
}

static uint32_t next_signed_byte(struct instruction *i) { return (uint32_t)(int8_t)next_byte(i); }

static void push(struct instruction *i, uint32_t value)
{
    store(i, i->r.esp - 4, 4, value);
    i->r.esp -= 4;
}

static uint32_t pop(struct instruction *i)
{
    uint32_t value = load(i, i->r.esp, 4);

    i->r.esp += 4;
    return value;
}

/* ---- Operands ---------------------------------------------------------------------------------------- */

static uint32_t *whole(struct instruction *i, unsigned n)
{
    uint32_t *const registers[] = { &i->r.eax, &i->r.ecx, &i->r.edx, &i->r.ebx, &i->r.esp, &i->r.ebp, &i->r.esi,
                                    &i->r.edi };

    return registers[n & 7];
}

static uint32_t mask_of(unsigned size)    { return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1; }
static uint32_t sign_of(unsigned size)    { return 1u << (8 * size - 1); }
static uint32_t widen(uint32_t value, unsigned size)
{
    return size == 1 ? (uint32_t)(int8_t)value : size == 2 ? (uint32_t)(int16_t)value : value;
}

/* Of one byte, 4 to 7 are the second bytes of the first four registers. */
static uint32_t read_register(struct instruction *i, unsigned n, unsigned size)
{
    return (size == 1 && n >= 4 ? *whole(i, n - 4) >> 8 : *whole(i, n)) & mask_of(size);
}

static void write_register(struct instruction *i, unsigned n, unsigned size, uint32_t value)
{
    unsigned  shift = size == 1 && n >= 4 ? 8 : 0;
    uint32_t *to = whole(i, shift != 0 ? n - 4 : n), mask = mask_of(size) << shift;

    *to = (*to & ~mask) | (value << shift & mask);
}

static uint32_t scaled(struct instruction *i, unsigned mod)
{
    uint32_t byte  = next_byte(i);
    unsigned index = byte >> 3 & 7, base = byte & 7;
    uint32_t at    = index == ESP ? 0 : *whole(i, index) << (byte >> 6);

    return at + (base == EBP && mod == 0 ? next_value(i, 4) : *whole(i, base));
}

static void take_operands(struct instruction *i)
{
    uint32_t byte = next_byte(i);
    unsigned mod  = byte >> 6;

    i->reg    = byte >> 3 & 7;
    i->rm     = byte & 7;
    i->memory = mod != 3;
    if (!i->memory)
        return;
    i->at = i->rm == ESP ? scaled(i, mod) : mod == 0 && i->rm == EBP ? next_value(i, 4) : *whole(i, i->rm);
    i->at += mod == 1 ? next_signed_byte(i) : mod == 2 ? next_value(i, 4) : 0;
}

static uint32_t read_rm(struct instruction *i, unsigned size)
{
    return i->memory ? load(i, i->at + i->base, size) : read_register(i, i->rm, size);
}

static void write_rm(struct instruction *i, unsigned size, uint32_t value)
{
    if (i->memory)
        store(i, i->at + i->base, size, value);
    else
        write_register(i, i->rm, size, value);
}

/* ---- Arithmetic -------------------------------------------------------------------------------------- */

static void set_flags(struct instruction *i, uint32_t set)
{
    i->r.eflags = (i->r.eflags & ~(uint32_t)ARITHMETIC) | set;
}

static uint32_t flags_of(uint32_t value, unsigned size)
{
    return ((value & mask_of(size)) == 0 ? ZERO : 0) | (value & sign_of(size) ? SIGN : 0) |
           (__builtin_parity(value & 0xFF) ? 0 : PARITY);
}

static uint32_t add(struct instruction *i, uint32_t a, uint32_t b, uint32_t carry, unsigned size)
{
    uint64_t sum = (uint64_t)a + b + carry;

    set_flags(i, flags_of((uint32_t)sum, size) | (sum >> 8 * size & 1 ? CARRY : 0) |
              (~(a ^ b) & (a ^ (uint32_t)sum) & sign_of(size) ? OVERFLOW : 0));
    return (uint32_t)sum & mask_of(size);
}

static uint32_t subtract(struct instruction *i, uint32_t a, uint32_t b, uint32_t borrow, unsigned size)
{
    uint32_t difference = a - b - borrow;

    set_flags(i, flags_of(difference, size) | ((uint64_t)b + borrow > a ? CARRY : 0) |
              ((a ^ b) & (a ^ difference) & sign_of(size) ? OVERFLOW : 0));
    return difference & mask_of(size);
}

static uint32_t bitwise(struct instruction *i, uint32_t value, unsigned size)
{
    set_flags(i, flags_of(value, size));
    return value;
}

/* The eight operations of the first half of the one-byte codes; the last, CMP, changes flags alone. */
enum { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };

static uint32_t operate(struct instruction *i, unsigned which, uint32_t a, uint32_t b, unsigned size)
{
    uint32_t carry = i->r.eflags & CARRY;

    switch (which) {
    case ADD: return add(i, a, b, 0, size);
    case ADC: return add(i, a, b, carry, size);
    case SBB: return subtract(i, a, b, carry, size);
    case OR:  return bitwise(i, a | b, size);
    case AND: return bitwise(i, a & b, size);
    case XOR: return bitwise(i, a ^ b, size);
    default:  return subtract(i, a, b, 0, size);
    }
}

/* INC and DEC leave the carry alone. */
static uint32_t step(struct instruction *i, uint32_t value, bool down, unsigned size)
{
    uint32_t carry = i->r.eflags & CARRY, result = down ? subtract(i, value, 1, 0, size) : add(i, value, 1, 0, size);

    i->r.eflags = (i->r.eflags & ~(uint32_t)CARRY) | carry;
    return result;
}

/* Shifts and rotations, by the `reg` of their ModRM byte. */
enum { ROL, ROR, SHL = 4, SHR, SHL_TOO, SAR };

static uint32_t shift(struct instruction *i, unsigned which, uint32_t value, unsigned count, unsigned size)
{
    unsigned bits = 8 * size;
    uint32_t result, out;

    count &= 31;
    if (count == 0)
        return value;
    switch (which) {
    case ROL:
    case ROR:
        count %= bits;
        count  = which == ROL ? count : bits - count;
        result = (uint32_t)(((uint64_t)value << count | value >> (bits - count)) & mask_of(size));
        i->r.eflags = (i->r.eflags & ~(uint32_t)CARRY) |
                      (which == ROL ? result & 1 : result >> (bits - 1) & 1);
        return result;
    case SHL:
    case SHL_TOO:
        result = (uint32_t)((uint64_t)value << count) & mask_of(size);
        out    = (uint32_t)((uint64_t)value << count >> bits & 1);
        break;
    case SHR:
        result = value >> count;
        out    = value >> (count - 1) & 1;
        break;
    case SAR:
        result = (uint32_t)((int32_t)widen(value, size) >> count) & mask_of(size);
        out    = (uint32_t)((int32_t)widen(value, size) >> (count - 1)) & 1;
        break;
    default:
        trap_out(i, TRAP_INVALID_OPCODE, 0);
    }
    set_flags(i, flags_of(result, size) | out | ((result ^ value) & sign_of(size) ? OVERFLOW : 0));
    return result;
}

static bool holds(const struct instruction *i, unsigned condition)
{
    uint32_t f    = i->r.eflags;
    bool     less = !(f & SIGN) != !(f & OVERFLOW), is;

    switch (condition >> 1) {
    case 0:  is = f & OVERFLOW;                break;
    case 1:  is = f & CARRY;                   break;
    case 2:  is = f & ZERO;                    break;
    case 3:  is = f & (CARRY | ZERO);          break;
    case 4:  is = f & SIGN;                    break;
    case 5:  is = f & PARITY;                  break;
    case 6:  is = less;                        break;
    default: is = less || (f & ZERO);          break;
    }
    return is != (condition & 1);
}

#endif
