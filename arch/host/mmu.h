/*
 * mmu.h (host) - the entries of the software MMU. Two formats, chosen when compiling:
 *
 *   two-level        the i386 port's own header, so that tests check the code that runs on the
 *                    processor
 *   single-level     -DMMU_FORMAT_FIRMWARE: the firmware design document's machine, with exact rights,
 *                    keys and tables of variable length (format_firmware.h)
 *
 * The other functions of the contract are defined by mmu.c, whose translation cache changes by
 * flushes only (machine.h).
 */
#ifndef QUIRE_HOST_MMU_H
#define QUIRE_HOST_MMU_H

#ifdef MMU_FORMAT_FIRMWARE
#include "format_firmware.h"
#else
#include "arch/i386/mmu.h"
#endif

#endif
