/*
 * inspect.c (i386) - reading the registers that name the processor's tables.
 */
#include "inspect.h"

#include "cpu.h"

struct pseudo_descriptor {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed));

static struct table_place place_of(struct pseudo_descriptor from)
{
    return (struct table_place){ from.base, (uint32_t)from.limit + 1 };
}

struct table_place inspect_segments(void)
{
    struct pseudo_descriptor gdt;

    __asm__ volatile("sgdt %0" : "=m"(gdt));
    return place_of(gdt);
}

struct table_place inspect_gates(void)
{
    struct pseudo_descriptor idt;

    __asm__ volatile("sidt %0" : "=m"(idt));
    return place_of(idt);
}

vaddr_t inspect_gate(unsigned vector)
{
    struct table_place gates = inspect_gates();
    const uint32_t    *gate  = pointer_to(gates.start + vector * 8);

    if ((vector + 1) * 8 > gates.bytes || !(gate[1] & 0x8000))
        return 0;
    return (gate[1] & 0xFFFF0000) | (gate[0] & 0xFFFF);
}

uint32_t inspect_cr0(void)
{
    uint32_t value;

    __asm__ volatile("movl %%cr0, %0" : "=r"(value));
    return value;
}

/* The task register holds a selector; base and limit are scattered over its descriptor's eight bytes. */
struct table_place inspect_task(void)
{
    const uint32_t *descriptor;
    uint16_t        selector;

    __asm__ volatile("str %0" : "=r"(selector));
    descriptor = pointer_to(inspect_segments().start + (selector & ~7u));
    return (struct table_place){
        .start = (descriptor[1] & 0xFF000000) | (descriptor[1] & 0xFF) << 16 | descriptor[0] >> 16,
        .bytes = ((descriptor[1] & 0xF0000) | (descriptor[0] & 0xFFFF)) + 1,
    };
}
