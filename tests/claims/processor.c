/*
 * processor.c - the instructions of an i386, as programs use them. See processor.h.
 *
 * An instruction works on a copy of the registers, which replace the frame's when it is over: one that faults has
 * changed nothing, and is executed again. (A string instruction with a prefix counts each of its steps as one.)
 */
#include "tests/claims/processor.h"

#include "tests/claims/instruction.h"

vaddr_t processor_fault_address(void) { return fault_at; }

/* ---- Multiplication and division --------------------------------------------------------------------- */

static void multiply_wide(struct instruction *i, unsigned size, bool with_sign)
{
    uint32_t a = read_register(i, EAX, size), b = read_rm(i, size), high;
    uint64_t product = with_sign ? (uint64_t)((int64_t)(int32_t)widen(a, size) * (int32_t)widen(b, size))
                                 : (uint64_t)a * b;
    bool     spills;

    high = (uint32_t)(product >> 8 * size) & mask_of(size);
    if (size == 1) {
        write_register(i, EAX, 2, (uint32_t)product);
    } else {
        write_register(i, EAX, size, (uint32_t)product);
        write_register(i, EDX, size, high);
    }
    spills = with_sign ? (int64_t)product != (int32_t)widen((uint32_t)product, size) : high != 0;
    set_flags(i, spills ? CARRY | OVERFLOW : 0);
}

static uint32_t multiply(struct instruction *i, uint32_t a, uint32_t b)
{
    int64_t product = (int64_t)(int32_t)widen(a, i->size) * (int32_t)widen(b, i->size);

    set_flags(i, product != (int32_t)widen((uint32_t)product, i->size) ? CARRY | OVERFLOW : 0);
    return (uint32_t)product & mask_of(i->size);
}

static void divide(struct instruction *i, unsigned size, bool with_sign)
{
    uint64_t whole_part, rest, divisor = read_rm(i, size), value;

    if (size != 4 || divisor == 0)
        trap_out(i, divisor == 0 ? 0 : TRAP_INVALID_OPCODE, 0);
    value = (uint64_t)i->r.edx << 32 | i->r.eax;
    if (with_sign) {
        int64_t by = (int32_t)divisor;

        if (by == -1 && value == (uint64_t)INT64_MIN)
            trap_out(i, 0, 0);
        whole_part = (uint64_t)((int64_t)value / by);
        rest       = (uint64_t)((int64_t)value % by);
        if ((int64_t)whole_part != (int32_t)whole_part)
            trap_out(i, 0, 0);
    } else {
        whole_part = value / divisor;
        rest       = value % divisor;
        if (whole_part > UINT32_MAX)
            trap_out(i, 0, 0);
    }
    i->r.eax = (uint32_t)whole_part;
    i->r.edx = (uint32_t)rest;
}

/* ---- Groups: one code, and which of eight in `reg` ---------------------------------------------------- */

static void group_f6(struct instruction *i, unsigned size)
{
    take_operands(i);
    switch (i->reg) {
    case 0:
    case 1:  bitwise(i, read_rm(i, size) & next_value(i, size), size);                 break;
    case 2:  write_rm(i, size, ~read_rm(i, size) & mask_of(size));                     break;
    case 3:  write_rm(i, size, subtract(i, 0, read_rm(i, size), 0, size));             break;
    case 4:
    case 5:  multiply_wide(i, size, i->reg == 5);                                      break;
    default: divide(i, size, i->reg == 7);                                             break;
    }
}

static void call_near(struct instruction *i, uint32_t to)
{
    push(i, i->r.eip);
    i->r.eip = to;
}

static void group_fe(struct instruction *i, unsigned size)
{
    take_operands(i);
    if (i->reg < 2)
        write_rm(i, size, step(i, read_rm(i, size), i->reg == 1, size));
    else if (i->reg == 2 && size == 4)
        call_near(i, read_rm(i, 4));
    else if (i->reg == 4 && size == 4)
        i->r.eip = read_rm(i, 4);
    else if (i->reg == 6 && size == 4)
        push(i, read_rm(i, 4));
    else
        trap_out(i, TRAP_INVALID_OPCODE, 0);
}

static void group_80(struct instruction *i, unsigned size, bool byte)
{
    uint32_t with, result;

    take_operands(i);
    with   = (byte ? next_signed_byte(i) : next_value(i, size)) & mask_of(size);
    result = operate(i, i->reg, read_rm(i, size), with, size);
    if (i->reg != CMP)
        write_rm(i, size, result);
}

static void group_shift(struct instruction *i, unsigned size, unsigned count)
{
    write_rm(i, size, shift(i, i->reg, read_rm(i, size), count, size));
}

/* MOVS and STOS, one step; with a prefix the instruction is executed again until ECX is 0. */
static void string_step(struct instruction *i, unsigned size, bool move)
{
    uint32_t by = i->r.eflags & DOWN ? -size : size, start = i->r.eip;

    if (i->repeat != 0 && i->r.ecx == 0)
        return;
    store(i, i->r.edi, size, move ? load(i, i->r.esi + i->base, size) : read_register(i, EAX, size));
    i->r.edi += by;
    i->r.esi += move ? by : 0;
    if (i->repeat != 0 && --i->r.ecx != 0)
        i->r.eip = start - i->repeat;
}

/* ---- Two-byte codes ----------------------------------------------------------------------------------- */

static void bit_test(struct instruction *i, unsigned which, uint32_t bit)
{
    uint32_t value = read_rm(i, 4), mask = 1u << (bit & 31);

    i->r.eflags = (i->r.eflags & ~(uint32_t)CARRY) | (value & mask ? CARRY : 0);
    if (which != 0)
        write_rm(i, 4, which == 1 ? value | mask : which == 2 ? value & ~mask : value ^ mask);
}

static void bit_scan(struct instruction *i, bool down)
{
    uint32_t value;

    take_operands(i);
    value = read_rm(i, i->size);
    set_flags(i, value == 0 ? ZERO : 0);
    if (value != 0)
        write_register(i, i->reg, i->size, (uint32_t)(down ? 31 - __builtin_clz(value) : __builtin_ctz(value)));
}

static void shift_double(struct instruction *i, bool down, bool by_register)
{
    uint64_t both;
    unsigned count;
    uint32_t value, result;

    take_operands(i);
    count  = (by_register ? i->r.ecx : next_byte(i)) & 31;
    value  = read_rm(i, 4);
    both   = down ? (uint64_t)*whole(i, i->reg) << 32 | value : (uint64_t)value << 32 | *whole(i, i->reg);
    result = (uint32_t)(down ? both >> count : both << count >> 32);
    if (count == 0)
        return;
    set_flags(i, flags_of(result, 4) | (down ? value >> (count - 1) & 1 : value >> (32 - count) & 1));
    write_rm(i, 4, result);
}

static void two_bytes(struct instruction *i)
{
    unsigned code = next_byte(i);

    if (code >= 0x40 && code < 0x50) {
        take_operands(i);
        if (holds(i, code & 15))
            write_register(i, i->reg, i->size, read_rm(i, i->size));
        else
            (void)read_rm(i, i->size);
        return;
    }
    if (code >= 0x80 && code < 0x90) {
        uint32_t by = next_value(i, 4);

        i->r.eip += holds(i, code & 15) ? by : 0;
        return;
    }
    if (code >= 0x90 && code < 0xA0) {
        take_operands(i);
        return write_rm(i, 1, holds(i, code & 15));
    }
    if (code >= 0xC8 && code < 0xD0) {
        *whole(i, code & 7) = __builtin_bswap32(*whole(i, code & 7));
        return;
    }
    switch (code) {
    case 0x1F:
        return take_operands(i);                                    /* NOP */
    case 0xA3: case 0xAB: case 0xB3: case 0xBB:
        take_operands(i);
        if (i->memory)
            i->at += (uint32_t)((int32_t)*whole(i, i->reg) >> 5 << 2);
        return bit_test(i, code >> 3 & 3, *whole(i, i->reg));
    case 0xBA:
        take_operands(i);
        return bit_test(i, i->reg & 3, next_byte(i));
    case 0xA4: case 0xA5: case 0xAC: case 0xAD:
        return shift_double(i, code >= 0xAC, code & 1);
    case 0xAF:
        take_operands(i);
        return write_register(i, i->reg, i->size,
                              multiply(i, read_register(i, i->reg, i->size), read_rm(i, i->size)));
    case 0xB6: case 0xB7:
        take_operands(i);
        return write_register(i, i->reg, i->size, read_rm(i, code == 0xB6 ? 1 : 2));
    case 0xBE: case 0xBF:
        take_operands(i);
        return write_register(i, i->reg, i->size, widen(read_rm(i, code == 0xBE ? 1 : 2), code == 0xBE ? 1 : 2));
    case 0xBC: case 0xBD:
        return bit_scan(i, code == 0xBD);
    default:
        trap_out(i, TRAP_INVALID_OPCODE, 0);
    }
}

/* ---- One instruction ----------------------------------------------------------------------------------- */

/* ADD to CMP: operands in memory and register, both ways, or an immediate one to EAX. */
static void arithmetic(struct instruction *i, unsigned code)
{
    unsigned which = code >> 3, size = code & 1 ? i->size : 1;
    uint32_t result;

    if ((code & 7) >= 4) {
        result = operate(i, which, read_register(i, EAX, size), next_value(i, size), size);
        if (which != CMP)
            write_register(i, EAX, size, result);
        return;
    }
    take_operands(i);
    if (code & 2) {
        result = operate(i, which, read_register(i, i->reg, size), read_rm(i, size), size);
        if (which != CMP)
            write_register(i, i->reg, size, result);
    } else {
        result = operate(i, which, read_rm(i, size), read_register(i, i->reg, size), size);
        if (which != CMP)
            write_rm(i, size, result);
    }
}

static void exchange(struct instruction *i, unsigned size)
{
    uint32_t value;

    take_operands(i);
    value = read_rm(i, size);
    write_rm(i, size, read_register(i, i->reg, size));
    write_register(i, i->reg, size, value);
}

static void interrupt(struct instruction *i)
{
    if (next_byte(i) != TRAP_LINUX)
        trap_out(i, TRAP_PROTECTION, 0);
    i->r.vector = TRAP_LINUX;
    i->r.error  = 0;
}

/* Codes that come sixteen or eight in a row. False: the code is none of them. */
static bool in_a_row(struct instruction *i, unsigned code)
{
    unsigned n = code & 7;
    uint32_t by;

    if (code < 0x40 && n < 6)
        arithmetic(i, code);
    else if (code >= 0x40 && code < 0x50)
        write_register(i, n, i->size, step(i, read_register(i, n, i->size), code >= 0x48, i->size));
    else if (code >= 0x50 && code < 0x58)
        push(i, *whole(i, n));
    else if (code >= 0x58 && code < 0x60)
        *whole(i, n) = pop(i);
    else if (code >= 0x70 && code < 0x80)
        by = next_signed_byte(i), i->r.eip += holds(i, code & 15) ? by : 0;
    else if (code >= 0x91 && code < 0x98)
        by = *whole(i, n), *whole(i, n) = i->r.eax, i->r.eax = by;
    else if (code >= 0xB0 && code < 0xB8)
        write_register(i, n, 1, next_byte(i));
    else if (code >= 0xB8 && code < 0xC0)
        write_register(i, n, i->size, next_value(i, i->size));
    else
        return false;
    return true;
}

static void single(struct instruction *i, unsigned code)
{
    unsigned size = code & 1 ? i->size : 1;
    uint32_t value;

    switch (code) {
    case 0x0F: return two_bytes(i);
    case 0x68: return push(i, next_value(i, 4));
    case 0x6A: return push(i, next_signed_byte(i));
    case 0x69: case 0x6B:
        take_operands(i);
        value = read_rm(i, i->size);
        return write_register(i, i->reg, i->size,
                              multiply(i, value, code == 0x6B ? next_signed_byte(i) : next_value(i, i->size)));
    case 0x80: case 0x81: return group_80(i, size, false);
    case 0x83:            return group_80(i, size, true);
    case 0x84: case 0x85:
        take_operands(i);
        bitwise(i, read_rm(i, size) & read_register(i, i->reg, size), size);
        return;
    case 0x86: case 0x87: return exchange(i, size);
    case 0x88: case 0x89:
        take_operands(i);
        return write_rm(i, size, read_register(i, i->reg, size));
    case 0x8A: case 0x8B:
        take_operands(i);
        return write_register(i, i->reg, size, read_rm(i, size));
    case 0x8D:
        take_operands(i);
        return write_register(i, i->reg, i->size, i->at);
    case 0x8F:
        value = pop(i);
        take_operands(i);
        return write_rm(i, 4, value);
    case 0x90: return;
    case 0x98: return write_register(i, EAX, i->size, widen(i->r.eax, i->size / 2));
    case 0x99: return write_register(i, EDX, i->size, i->r.eax & sign_of(i->size) ? UINT32_MAX : 0);
    case 0xA0: case 0xA1: return write_register(i, EAX, size, load(i, next_value(i, 4) + i->base, size));
    case 0xA2: case 0xA3: return store(i, next_value(i, 4) + i->base, size, read_register(i, EAX, size));
    case 0xA4: case 0xA5: return string_step(i, size, true);
    case 0xAA: case 0xAB: return string_step(i, size, false);
    case 0xA8: case 0xA9: bitwise(i, read_register(i, EAX, size) & next_value(i, size), size); return;
    case 0xC0: case 0xC1: take_operands(i); return group_shift(i, size, next_byte(i));
    case 0xD0: case 0xD1: take_operands(i); return group_shift(i, size, 1);
    case 0xD2: case 0xD3: take_operands(i); return group_shift(i, size, i->r.ecx & 0xFF);
    case 0xC2: value = next_value(i, 2); i->r.eip = pop(i); i->r.esp += value; return;
    case 0xC3: i->r.eip = pop(i); return;
    case 0xC6: case 0xC7: take_operands(i); return write_rm(i, size, next_value(i, size));
    case 0xC9: i->r.esp = i->r.ebp; i->r.ebp = pop(i); return;
    case 0xCD: return interrupt(i);
    case 0xE3: value = next_signed_byte(i); i->r.eip += i->r.ecx == 0 ? value : 0; return;
    case 0xE8: value = next_value(i, 4); return call_near(i, i->r.eip + value);
    case 0xE9: value = next_value(i, 4); i->r.eip += value; return;
    case 0xEB: value = next_signed_byte(i); i->r.eip += value; return;
    case 0xF4: trap_out(i, TRAP_PROTECTION, 0);                        /* HLT is the kernel's */
    case 0xF6: case 0xF7: return group_f6(i, size);
    case 0xFC: i->r.eflags &= ~(uint32_t)DOWN; return;
    case 0xFD: i->r.eflags |= DOWN; return;
    case 0xFE: case 0xFF: return group_fe(i, size);
    default:   trap_out(i, TRAP_INVALID_OPCODE, 0);
    }
}

/* The prefixes in front of a code: segments, of which GS alone does not begin at 0, operands of 16 bits, repetition. */
static unsigned take_prefixes(struct instruction *i)
{
    unsigned code, count = 0;

    i->size = 4;
    for (;; count++) {
        code = next_byte(i);
        if (code == 0x65)
            i->base = i->shared;
        else if (code == 0x66)
            i->size = 2;
        else if (code == 0xF2 || code == 0xF3)
            i->repeat = 1;
        else if (code != 0x26 && code != 0x2E && code != 0x36 && code != 0x3E && code != 0x64 && code != 0xF0)
            break;
    }
    if (i->repeat != 0)
        i->repeat = count + 1;                                      /* bytes, back to the first prefix */
    return code;
}

bool processor_step(struct trap_frame *frame, const struct space *space, uint32_t shared)
{
    struct instruction i = { .r = *frame, .space = space, .shared = shared };
    unsigned           code;

    i.r.vector = TRAP_NONE;
    if (setjmp(i.trap) != 0) {
        frame->vector = i.r.vector;
        frame->error  = i.r.error;
        return false;
    }
    code = take_prefixes(&i);
    if (!in_a_row(&i, code))
        single(&i, code);
    *frame = i.r;
    return i.r.vector == TRAP_NONE;
}
