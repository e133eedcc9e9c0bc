/*
 * pic.c (i386) - the two 8259 interrupt controllers.
 */
#include "pic.h"
#include "io.h"

enum {
    FIRST = 0x20, SECOND = 0xA0,                        /* command ports; the data port is the next */
    LINES_EACH = 8, CASCADE = 2,
    BEGIN = 0x11, MODE_8086 = 0x01,                     /* initialisation words 1 and 4             */
    END = 0x20, READ_IN_SERVICE = 0x0B,
    ALL = 0xFF,
};

static uint16_t shut = ALL << 8 | ALL;                  /* a bit for each line */

static void write_shut(void)
{
    port_write8(FIRST + 1, (uint8_t)shut);
    port_write8(SECOND + 1, (uint8_t)(shut >> 8));
}

void pic_start(uint8_t first_vector)
{
    port_write8(FIRST, BEGIN);
    port_write8(SECOND, BEGIN);
    port_write8(FIRST + 1, first_vector);
    port_write8(SECOND + 1, first_vector + LINES_EACH);
    port_write8(FIRST + 1, 1 << CASCADE);               /* the second's line: for the first a bit, */
    port_write8(SECOND + 1, CASCADE);                   /* for the second a number                 */
    port_write8(FIRST + 1, MODE_8086);
    port_write8(SECOND + 1, MODE_8086);
    shut = (uint16_t)~(1u << CASCADE);
    write_shut();
}

void pic_open(unsigned line)
{
    shut &= (uint16_t)~(1u << line);
    write_shut();
}

void pic_end(unsigned line)
{
    if (line >= LINES_EACH)
        port_write8(SECOND, END);
    port_write8(FIRST, END);
}

/*
 * A request that vanishes too early shows as the controller's last line without being in
 * service. The first controller has taken the second's request for real, so the first gets its end.
 */
bool pic_is_real(unsigned line)
{
    uint16_t port = line < LINES_EACH ? FIRST : SECOND;

    if (line % LINES_EACH != LINES_EACH - 1)
        return true;
    port_write8(port, READ_IN_SERVICE);
    if (port_read8(port) & 1 << (LINES_EACH - 1))
        return true;
    if (port == SECOND)
        port_write8(FIRST, END);
    return false;
}
