/*
 * early.c - the C part of boot: fill the one boot_info, and refuse a machine that cannot work.
 *
 * Runs with paging off, before the kernel's consoles exist. A refusal is written to the serial
 * line and to the text screen by the few lines here, and the machine stops: else it would run
 * into memory that is not there and reset again and again.
 */
#include "apic.h"
#include "boot/bios.h"
#include "boot/multiboot.h"
#include "boot/pvh.h"
#include "devices/uart.h"
#include "io.h"
#include "power.h"
#include "trap.h"

extern char image_physical_start[], image_physical_end[];       /* from the linker script */

static struct boot_info boot_information;

enum { SCREEN = 0xB8000, SCREEN_CELLS = 80 * 25, WHITE_ON_RED = 0x4F00 };

static void serial_put(char c)
{
    for (uint32_t n = 0; n < UART_PATIENCE; n++)
        if (port_read8(UART_COM1 + UART_LINE_STATUS) & UART_CAN_SEND)
            break;
    port_write8(UART_COM1 + UART_DATA, (uint8_t)c);
}

static void early_say(const char *text)
{
    volatile uint16_t *screen = (volatile uint16_t *)SCREEN;

    uart_start(UART_COM1);
    for (uint32_t n = 0; n < SCREEN_CELLS; n++)
        screen[n] = WHITE_ON_RED | ' ';
    for (uint32_t n = 0; text[n]; n++) {
        serial_put(text[n]);
        screen[n % SCREEN_CELLS] = (uint16_t)(WHITE_ON_RED | (uint8_t)text[n]);
    }
    serial_put('\r');
    serial_put('\n');
}

static NORETURN void refuse(const struct boot_info *info)
{
    early_say(info->problem);
    port_write8(POWER_EXIT_PORT, POWER_STATUS_REFUSED);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/*
 * The 8259 controllers' requests reach the processor through its local APIC. A BIOS sets that up;
 * on machines without a BIOS (QEMU's microvm) it is not set up, and no request would get through.
 * Here, with paging off, the APIC's registers need no mapping.
 */
static void let_interrupts_through(void)
{
    volatile uint32_t *apic = (volatile uint32_t *)APIC_PLACE;

    if (apic_place() == 0)
        return;
    apic[APIC_SPURIOUS / sizeof *apic] |= APIC_ON | TRAP_SPURIOUS;
    apic[APIC_LINE_0 / sizeof *apic] = APIC_EXTERNAL;
}

/* Called by start.S. Returns the physical address of the boot_info, or does not return. */
struct boot_info *boot_read(uint32_t magic, uint32_t address);

struct boot_info *boot_read(uint32_t magic, uint32_t address)
{
    const struct physical memory = { NULL, 1ull << 32 };
    struct boot_info     *info = &boot_information;

    if (magic == PVH_MAGIC)
        pvh_read(info, &memory, address);
    else if (magic == BIOS_MAGIC)
        bios_read(info, &memory, address);
    else
        multiboot_read(info, &memory, magic, address);
    if (!info->problem && !boot_ranges_hold(info, (uintptr_t)image_physical_start, (uintptr_t)image_physical_end))
        info->problem = "memory: too little RAM, it ends before the kernel image does";
    if (info->problem)
        refuse(info);
    let_interrupts_through();
    return info;
}
