/*
 * acpi_off.c - switching off. See acpi.h.
 */
#include "devices/acpi.h"

#include "cpu.h"
#include "io.h"
#include "memory/spaces/space.h"

enum { IS_ON = 1, PATIENCE = 1000000 };         /* a bit of the register; reads before giving up */

static struct region window;
static bool          open;

/* Firmware's tables lie in ROM, or in memory that the memory map reserves: they are mapped as device memory. */
static const uint8_t *view_tables(uint32_t start, uint32_t bytes)
{
    if (open)
        kernel_unmap(&window);
    open = kernel_map_device(&window, "firmware tables", start, bytes, CACHE_BACK) == 0;
    return open ? (const uint8_t *)pointer_to(page_address(window.span.first)) + start % PAGE_SIZE : NULL;
}

/* On some machines the firmware uses the register until the system asks for it. */
static void take_over_register(const struct acpi_off *off)
{
    if (off->enable_port == 0 || off->enable_value == 0 || (port_read16(off->port[0]) & IS_ON))
        return;
    port_write8(off->enable_port, off->enable_value);
    for (uint32_t n = 0; n < PATIENCE && !(port_read16(off->port[0]) & IS_ON); n++)
        ;
}

void acpi_switch_off(void)
{
    struct acpi_off off;
    bool            known = acpi_find_off(view_tables, &off);

    if (open)
        kernel_unmap(&window);
    open = false;
    if (!known)
        return;
    take_over_register(&off);
    for (int n = 0; n < 2; n++)
        if (off.port[n] != 0)
            port_write16(off.port[n], (uint16_t)((port_read16(off.port[n]) & off.mask) | off.value[n]));
    for (uint32_t n = 0; n < PATIENCE; n++)
        (void)port_read16(off.port[0]);         /* the machine takes a moment */
}
