/*
 * power.c (i386) - leaving the emulator, switching off, reset, halt. See power.h.
 */
#include "power.h"
#include "io.h"

enum {
    KEYBOARD_STATUS = 0x64, KEYBOARD_BUSY = 0x02, KEYBOARD_PULSE_RESET = 0xFE,
    RESET_CONTROL = 0xCF9, RESET_HARD = 0x06,       /* Intel PCH data sheet, "RST_CNT" */
    PATIENCE = 100000,
};

void power_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void (*switch_off)(void);

void power_off_by(void (*way)(void)) { switch_off = way; }

void power_exit(uint8_t status)
{
    port_write8(POWER_EXIT_PORT, status);
    if (switch_off != NULL)
        switch_off();
    power_halt();
}

/* The chipset's reset register, else the keyboard controller's reset line, else a triple fault. */
void power_reset(void)
{
    static const struct { uint16_t limit; uint32_t base; } __attribute__((packed)) no_idt = { 0, 0 };

    port_write8(RESET_CONTROL, RESET_HARD);
    for (int n = 0; n < PATIENCE && (port_read8(KEYBOARD_STATUS) & KEYBOARD_BUSY); n++)
        ;
    port_write8(KEYBOARD_STATUS, KEYBOARD_PULSE_RESET);
    for (int n = 0; n < PATIENCE; n++)
        port_read8(KEYBOARD_STATUS);
    __asm__ volatile("cli; lidt %0; int3" : : "m"(no_idt));
    power_halt();
}
