/*
 * probe.c - accesses that may fault, for probes of claims: the mirror is read and written, and a fault comes back.
 *
 * Nothing is executed in this machine: a call is the right to fetch an instruction, asked of the tables.
 */
#include "machine.h"

#include "arch/contract.h"
#include "cpu.h"
#include "memory/spaces/space.h"

bool probe_read(vaddr_t address, uint32_t *out)
{
    struct machine_fault     fault;
    const volatile uint32_t *word = pointer_to(address);

    return !MACHINE_FAULTS(&fault, *out = *word);
}

bool probe_write(vaddr_t address, uint32_t value)
{
    struct machine_fault fault;
    volatile uint32_t   *word = pointer_to(address);

    return !MACHINE_FAULTS(&fault, *word = value);
}

bool probe_call(vaddr_t address)
{
    struct machine_fault fault;
    struct space         here = { .root = mmu_active() };

    return machine_fetch(&here, address & ~(vaddr_t)3, false, &fault);
}
