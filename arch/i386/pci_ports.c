/*
 * pci_ports.c (i386) - PCI configuration space through ports 0xCF8 and 0xCFC.
 */
#include "arch/contract.h"
#include "io.h"

enum { ADDRESS = 0xCF8, DATA = 0xCFC };
#define ENABLE 0x80000000u

static void choose_register(pci_address where, unsigned offset)
{
    port_write32(ADDRESS, ENABLE | (uint32_t)where << 8 | (offset & 0xFC));
}

static uint32_t read_register(pci_address where, unsigned offset)
{
    choose_register(where, offset);
    return port_read32(DATA);
}

static void write_register(pci_address where, unsigned offset, uint32_t value)
{
    choose_register(where, offset);
    port_write32(DATA, value);
}

/* The address register keeps what is written to it; an absent port does not. */
const struct pci_access *pci_ports(void)
{
    static const struct pci_access access = { read_register, write_register };
    uint32_t before = port_read32(ADDRESS), got;

    port_write32(ADDRESS, ENABLE);
    got = port_read32(ADDRESS);
    port_write32(ADDRESS, before);
    return got == ENABLE ? &access : NULL;
}
