/*
 * pci_ports.h (i386) - PCI configuration space through ports 0xCF8 and 0xCFC.
 *
 * Source   PCI Local Bus Specification 3.0, section 3.2.2.3.2 "Software Generation of
 *          Configuration Transactions".
 */
#ifndef QUIRE_ARCH_PCI_PORTS_H
#define QUIRE_ARCH_PCI_PORTS_H

#include "devices/pci.h"

/* NULL on a machine without PCI (an old one, or an emulated one that is lean). */
const struct pci_access *pci_ports(void);

#endif
