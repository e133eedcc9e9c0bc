/*
 * acpi.h - switching a PC off, by the tables that its firmware left.
 *
 * Of ACPI only this is here: which port, and which value in it, puts the machine to sleep for good (state S5). The port
 * is in the fixed description table; the value is said by a definition in the firmware's own byte code, which has the
 * same few bytes on every machine, so it is looked for and not executed.
 *
 * Tables are read through a view, so that the search runs on a real machine (acpi_off.c) and in a test. They are
 * believed as little as a boot loader's data: sums are checked, lengths bounded, nothing is read outside a view.
 *
 * Source   ACPI specification 6.5, 5.2 "ACPI System Description Tables", 4.8 "ACPI Register Model", 7.4.2 "\_Sx
 *          states", 20.2 "AML Grammar Definition".
 */
#ifndef QUIRE_DEVICES_ACPI_H
#define QUIRE_DEVICES_ACPI_H

#include "base/types.h"

/* Physical bytes [start, start + bytes), or NULL when they cannot be seen. The view before it is gone then. */
typedef const uint8_t *(*acpi_view)(uint32_t start, uint32_t bytes);

struct acpi_off {
    uint16_t port[2];           /* the second is 0 on most machines                              */
    uint16_t value[2];          /* what puts the machine off: its type of sleep, and "go"        */
    uint16_t mask;              /* the other bits of the register stay                           */
    uint16_t enable_port;       /* 0: nothing to do first; else enable_value there, and wait     */
    uint8_t  enable_value;
};

/* True when the tables say how; *off is written only then. */
bool acpi_find_off(acpi_view view, struct acpi_off *off);

/*
 * Switch the machine off. Returns if that cannot be done here. Maps device memory, so no spin lock may be held. Cost:
 * up to two million reads of a port.
 */
void acpi_switch_off(void);

#endif
