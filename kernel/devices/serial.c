/*
 * serial.c - the first serial line, with and without interrupts. See serial.h.
 */
#include "arch/contract.h"
#include "devices/serial.h"

#include "base/check.h"
#include "cpu.h"
#include "devices/uart.h"

static bool present;

/* Filled by the interrupt, emptied by the reader: each index has one writer. */
static uint8_t           ring[SERIAL_RING];
static volatile uint32_t filled, emptied;       /* characters ever; the ring holds the difference */

static uint8_t line_status(void) { return port_read8(UART_COM1 + UART_LINE_STATUS); }

bool serial_start(void)
{
    /* An absent port reads as all ones; a 16550 keeps what is written to its scratch register. */
    port_write8(UART_COM1 + UART_SCRATCH, 0x5A);
    present = port_read8(UART_COM1 + UART_SCRATCH) == 0x5A;
    if (present)
        uart_start(UART_COM1);
    return present;
}

static void send_byte(char c)
{
    for (uint32_t n = 0; n < UART_PATIENCE; n++)
        if (line_status() & UART_CAN_SEND)
            break;
    port_write8(UART_COM1 + UART_DATA, (uint8_t)c);
}

void serial_write(const char *text, size_t length)
{
    for (size_t i = 0; present && i < length; i++) {
        if (text[i] == '\n')
            send_byte('\r');
        send_byte(text[i]);
    }
}

void serial_send(const char *bytes, size_t count)
{
    for (size_t i = 0; present && i < count; i++)
        send_byte(bytes[i]);
}

static void receive_bytes(void *unused)
{
    (void)unused;
    while (line_status() & UART_RECEIVED) {     /* bound: what the line brings meanwhile, UART_QUEUE and a few */
        uint8_t c = port_read8(UART_COM1 + UART_DATA);

        if (filled - emptied == SERIAL_RING)
            continue;
        ring[filled % SERIAL_RING] = c;
        filled++;
    }
}

static void listen_to_line(void (*handler)(void *))
{
    if (!present)
        return;
    interrupt_handle(UART_COM1_IRQ, handler, NULL);
    port_write8(UART_COM1 + UART_INTERRUPTS, UART_ON_RECEIVE);
}

void serial_listen(void) { listen_to_line(receive_bytes); }

/* Called with as many bytes as the port's own queue holds. */
static void (*receiver)(const uint8_t *bytes, size_t count);

static void pass_bytes_on(void *unused)
{
    uint8_t bytes[UART_QUEUE];
    size_t  count = 0;

    (void)unused;
    while (line_status() & UART_RECEIVED) {     /* bound: the same */
        bytes[count++] = port_read8(UART_COM1 + UART_DATA);
        if (count == UART_QUEUE) {
            receiver(bytes, count);
            count = 0;
        }
    }
    if (count > 0)
        receiver(bytes, count);
}

void serial_listen_for(void (*receive)(const uint8_t *bytes, size_t count))
{
    assert(receive != NULL);
    receiver = receive;
    listen_to_line(pass_bytes_on);
}

/* Interrupts are off: one between the look at the ring and the port would take a character that then came late. */
int serial_read(void)
{
    unsigned long interrupts = interrupts_off();
    int           byte       = -1;

    if (filled != emptied)
        byte = ring[emptied++ % SERIAL_RING];
    else if (present && (line_status() & UART_RECEIVED))
        byte = port_read8(UART_COM1 + UART_DATA);
    interrupts_restore(interrupts);
    return byte;
}

