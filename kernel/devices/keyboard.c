/*
 * keyboard.c - the keyboard controller's half of the 8042. See keyboard.h.
 */
#include "devices/keyboard.h"

#include "arch/contract.h"
#include "devices/keys.h"
#include "io.h"

enum {
    DATA = 0x60, STATUS = 0x64, COMMAND = 0x64, LINE = 1, ABSENT = 0xFF,
    HAS_DATA = 0x01, BUSY = 0x02, FROM_MOUSE = 0x20,            /* STATUS */
    READ_SETTINGS = 0x20, WRITE_SETTINGS = 0x60, ENABLE = 0xAE, /* COMMAND */
    INTERRUPTS = 0x01, SHUT = 0x10, TRANSLATED = 0x40,          /* settings */
    PATIENCE = 100000, STALE = 32,
};

static struct keys keys;
static void      (*receiver)(const uint8_t *bytes, size_t count);

/* Filled by the interrupt, emptied by the reader: each index has one writer. */
static uint8_t           ring[KEYBOARD_RING];
static volatile uint32_t filled, emptied;

static void keep_bytes(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && filled - emptied < KEYBOARD_RING; i++) {
        ring[filled % KEYBOARD_RING] = bytes[i];
        filled++;
    }
}

int keyboard_read(void)
{
    uint8_t byte;

    if (filled == emptied)
        return -1;
    byte = ring[emptied % KEYBOARD_RING];
    emptied++;
    return byte;
}

static void receive_key(void *unused)
{
    uint8_t status = port_read8(STATUS), bytes[KEYS_BYTES];

    (void)unused;
    if (status & HAS_DATA) {
        uint8_t  code  = port_read8(DATA);
        unsigned count = status & FROM_MOUSE ? 0 : keys_take(&keys, code, bytes);

        if (count > 0)
            receiver(bytes, count);
    }
}

static bool wait_for_status(uint8_t bits, uint8_t value)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if ((port_read8(STATUS) & bits) == value)
            return true;
    return false;
}

static void write_controller(uint16_t port, uint8_t value)
{
    (void)wait_for_status(BUSY, 0);
    port_write8(port, value);
}

/* Firmware may have left the controller in any state: open the keyboard, translated, with interrupts. */
static bool open_controller(void)
{
    uint8_t settings;

    for (unsigned n = 0; n < STALE && (port_read8(STATUS) & HAS_DATA); n++)
        port_read8(DATA);
    write_controller(COMMAND, ENABLE);
    write_controller(COMMAND, READ_SETTINGS);
    if (!wait_for_status(HAS_DATA, HAS_DATA))
        return false;
    settings = port_read8(DATA);
    write_controller(COMMAND, WRITE_SETTINGS);
    write_controller(DATA, (uint8_t)((settings | INTERRUPTS | TRANSLATED) & ~SHUT));
    return wait_for_status(BUSY, 0);
}

void keyboard_start(void (*receive)(const uint8_t *bytes, size_t count))
{
    receiver = receive != NULL ? receive : keep_bytes;
    if (port_read8(STATUS) != ABSENT && open_controller())
        interrupt_handle(LINE, receive_key, NULL);
}
