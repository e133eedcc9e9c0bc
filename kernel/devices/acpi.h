/*
 * acpi.h - switching a PC off, by its firmware's ACPI tables.
 *
 * The only part of ACPI here: which port, and which value written to it, switches the machine off (state S5). The port
 * is in the fixed description table. The value is in a definition in the firmware's byte code, whose form is the same
 * on every machine, so the definition is searched for and the byte code is not executed.
 *
 * Tables are read through a view, so that the search runs on a real machine (acpi_off.c) and in a test. They are
 * trusted as little as a boot loader's data: sums are checked, lengths are bounded, no byte outside a view is read.
 *
 * Source   ACPI specification 6.5, 5.2 "ACPI System Description Tables", 4.8 "ACPI Register Model", 7.4.2 "\_Sx
 *          states", 20.2 "AML Grammar Definition".
 */
#ifndef QUIRE_DEVICES_ACPI_H
#define QUIRE_DEVICES_ACPI_H

#include "base/types.h"

/*
 * Show physical bytes [start, start + bytes); NULL when they cannot be mapped. A call ends the view of the one before.
 */
typedef const uint8_t *(*acpi_view)(uint32_t start, uint32_t bytes);

struct acpi_off {
    uint16_t port[2];           /* the second is 0 on most machines                              */
    uint16_t value[2];          /* what switches the machine off: type of sleep, and "go"        */
    uint16_t mask;              /* bits of the register that keep their value                    */
    uint16_t enable_port;       /* 0: none; else write enable_value there first, and wait        */
    uint8_t  enable_value;
};

/* Find how to switch the machine off. True when the tables say it; *off is written only then. */
bool acpi_find_off(acpi_view view, struct acpi_off *off);

/*
 * Switch the machine off. Returns if this machine cannot be switched off. Maps device memory, so no spin lock may be
 * held. Cost: up to two million reads of a port.
 */
void acpi_switch_off(void);

#endif
