/*
 * contract.h - what a port must answer.
 */
#ifndef QUIRE_ARCH_CONTRACT_H
#define QUIRE_ARCH_CONTRACT_H

#include "base/rights.h"

/* ---- PCI configuration space ------------------------------------------------------------------------ */

/* Where a function is: bus << 8 | device << 3 | function. */
typedef uint16_t pci_address;

struct pci_access {
    uint32_t (*read)(pci_address where, unsigned offset);           /* offset: a multiple of 4, below 256 */
    void     (*write)(pci_address where, unsigned offset, uint32_t value);
};

/* NULL on a machine without PCI (an old one, or an emulated one that is lean). */
const struct pci_access *pci_ports(void);

#endif
