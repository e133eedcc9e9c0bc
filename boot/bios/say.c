/*
 * say.c - the relocator's words, on the screen through the BIOS and on the first serial line. See relocator.h.
 */
#include "boot/bios/relocator.h"

#include "devices/uart.h"
#include "power.h"

enum { TELETYPE = 0x0E00, PAGE_AND_COLOUR = 0x0007, VIDEO = 0x10 };

static void put_character(char c)
{
    struct bios_registers screen = { .eax = TELETYPE | (uint8_t)c, .ebx = PAGE_AND_COLOUR };

    bios_call(VIDEO, &screen);
    for (uint32_t n = 0; n < UART_PATIENCE; n++)
        if (port_read8(UART_COM1 + UART_LINE_STATUS) & UART_CAN_SEND)
            break;
    port_write8(UART_COM1 + UART_DATA, (uint8_t)c);
}

void say_start(void)
{
    uart_start(UART_COM1);
}

void say(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            put_character('\r');
        put_character(*text);
    }
}

void say_number(uint32_t number)
{
    char     digits[11];
    unsigned at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    say(digits + at);
}

void say_hex(uint32_t number)
{
    say("0x");
    for (int shift = 28; shift >= 0; shift -= 4)
        put_character("0123456789ABCDEF"[number >> shift & 15]);
}

void stop(void)
{
    say("\n");
    port_write8(POWER_EXIT_PORT, POWER_STATUS_REFUSED);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void refuse(const char *why)
{
    say("\nquire: ");
    say(why);
    stop();
}
