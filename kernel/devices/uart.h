/*
 * uart.h - the registers of a 16550 serial port, shared by boot and the kernel's driver.
 *
 * Source   National Semiconductor PC16550D data sheet, section 8, "Registers".
 */
#ifndef QUIRE_DEVICES_UART_H
#define QUIRE_DEVICES_UART_H

#define UART_COM1           0x3F8
#define UART_COM1_IRQ       4
#define UART_COM2           0x2F8
#define UART_COM2_IRQ       3

#define UART_LINE_STATUS    5
#define UART_CAN_SEND       0x20

/* Looks at the status before giving a character up: a line at 115200 sends one in 87 microseconds. */
#define UART_PATIENCE       100000

#ifndef __ASSEMBLER__

#include "io.h"

/* Offsets from the base port, besides UART_LINE_STATUS. */
enum {
    UART_DATA = 0, UART_INTERRUPTS = 1, UART_FIFO = 2, UART_LINE = 3, UART_MODEM = 4, UART_SCRATCH = 7,
    UART_DIVISOR_LOW = 0, UART_DIVISOR_HIGH = 1,        /* while UART_DIVISOR is set in UART_LINE */
};

enum {
    UART_ON_RECEIVE = 0x01,                             /* UART_INTERRUPTS */
    UART_FIFO_ON = 0x07,                                /* UART_FIFO: on, and both emptied */
    UART_8N1 = 0x03, UART_DIVISOR = 0x80,               /* UART_LINE */
    UART_READY = 0x0B,                                  /* UART_MODEM: DTR, RTS, interrupts reach the PIC */
    UART_RECEIVED = 0x01,                               /* UART_LINE_STATUS */
    UART_QUEUE = 16,                                    /* bytes the port itself keeps */
};

/* 115200 bits a second, 8 data bits, no parity, one stop bit; no interrupts. */
static inline void uart_start(uint16_t base)
{
    port_write8(base + UART_INTERRUPTS, 0);
    port_write8(base + UART_LINE, UART_DIVISOR);
    port_write8(base + UART_DIVISOR_LOW, 1);
    port_write8(base + UART_DIVISOR_HIGH, 0);
    port_write8(base + UART_LINE, UART_8N1);
    port_write8(base + UART_FIFO, UART_FIFO_ON);
    port_write8(base + UART_MODEM, UART_READY);
}

#endif
#endif
