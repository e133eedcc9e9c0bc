/*
 * virtio_console.h - a port of the machine's virtio console: bytes to the host and back.
 *
 * Output goes out in pages that the caller fills: claim, fill and send each page, and notify after the last. Under an
 * emulator a notification costs as much as thousands of instructions, one more page nearly nothing. Pages come from the
 * pool when first needed, and are kept.
 *
 * The port is the device's port 1. Port 0 is a console that loses what its host does not take at once;
 * other ports wait. The first messages of the control queue say that the driver is ready; the answers
 * (ports come and go) are ignored, since the machine was started with just this port.
 *
 * Locking  RANK_CHANNEL inside. `received` and `room` are called without it, from the interrupt; `room` also from
 *          console_port_unclaim().
 * Cost     each call looks at all pages of output, 16 at most; an interrupt takes 4 pieces of input, another the rest.
 * Source   VIRTIO 1.1, section 5.3 "Console Device".
 */
#ifndef QUIRE_DEVICES_VIRTIO_CONSOLE_H
#define QUIRE_DEVICES_VIRTIO_CONSOLE_H

#include "base/types.h"

struct console_page {
    frame_t  frame;
    uint16_t tag;
};

/*
 * Find and start the device. `received` is given what the host sends; `room` is called after pages have come back, if
 * console_port_want_room() has asked for it. Returns 0, -ENODEV, or -ENOMEM: no page at all for output.
 */
int  console_port_start(const char *command_line, void (*received)(const uint8_t *bytes, size_t count),
                        void (*room)(void)) MUST_CHECK;

/* Take a free page. False: the host has all pages, or there is no memory for another. */
bool console_port_claim(struct console_page *page);
void console_port_unclaim(const struct console_page *page);
/* Send the page's first `bytes` to the host, which takes them after console_port_notify(). */
void console_port_send(const struct console_page *page, uint32_t bytes);
void console_port_notify(void);

/* Say whether room() is to be called. With `wanted`, true when there is room already: then room() may not be called. */
bool console_port_want_room(bool wanted);

/* True when the host has taken all pages. */
bool console_port_is_empty(void);

#endif
