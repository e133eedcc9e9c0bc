/*
 * pci.h - which functions hang on the PCI bus, and which physical memory they answer to.
 *
 * A device decodes the ranges in its base address registers, whatever a memory map says; the
 * pool must never hand such a range out (claim A5). So pci_ranges() runs before the pool opens; nothing here
 * allocates or uses interrupts, and drivers use it later as well.
 *
 * A range's size is learnt by writing ones to its register and seeing which stick. Meanwhile the function
 * decodes nothing (a host bridge excepted, which may carry all of RAM), and afterwards
 * everything is as it was.
 *
 * Configuration space is reached through struct pci_access: ports on a PC, an array in a test.
 * What is read there is not trusted; every walk ends.
 *
 * Locking  none: one caller at a time. While a range is measured its function decodes nothing.
 * Cost     32 reads for a bus, at most 41 accesses a function.
 * Source   PCI Local Bus Specification 3.0, chapter 6 "Configuration Space";
 *          PCI-to-PCI Bridge Architecture Specification 1.2, chapter 3.
 */
#ifndef QUIRE_DEVICES_PCI_H
#define QUIRE_DEVICES_PCI_H

#include "arch/contract.h"              /* struct pci_access */
#include "memory/start.h"               /* struct device_range */

struct pci_function {
    pci_address where;
    uint16_t    vendor, device;
    uint8_t     class, subclass, header;
};

/* At most one range for each base register, and the expansion ROM's. */
enum { PCI_RANGES = 7, PCI_ROM = 6 };

/* Call `seen` for every function, bus by bus, following bridges; each bus once. */
void pci_each(const struct pci_access *access, void (*seen)(void *context, const struct pci_function *), void *context);

/* The memory ranges of one function; returns how many there are. Ranges that firmware gave no place have none. */
unsigned pci_function_ranges(const struct pci_access *access, const struct pci_function *function,
                             struct device_range out[PCI_RANGES]);

/*
 * All ranges of all functions into out[0 .. room). Returns how many there are, which may be
 * more than `room`; a caller that cannot have that many must not open the pool.
 */
uint32_t pci_ranges(const struct pci_access *access, struct device_range *out, uint32_t room);

#endif
