/*
 * channel_link.h - our end of the channel to the host, which started the machine for the program (devices/channel.h).
 *
 * Output is sent as soon as a call has it all; it waits while the host does not take more. Input is asked for when
 * somebody wants it, so that a program that reads nothing leaves the host's input alone.
 *
 * Locking  RANK_CHANNEL inside, never while such a function runs: those given to channel_listen() and channel_on_...()
 *          are called from the interrupt, but what came before they were there at once, and word of room also by
 *          whoever gives a page back.
 */
#ifndef QUIRE_DEVICES_CHANNEL_LINK_H
#define QUIRE_DEVICES_CHANNEL_LINK_H

#include "base/poll.h"
#include "base/types.h"
#include "devices/channel.h"
#include "memory/spaces/buffer.h"

/* Returns 0, or -ENODEV and -ENOMEM: there is no channel. */
int  channel_start(const char *command_line) MUST_CHECK;
bool channel_is_there(void);

/*
 * What a program writes, in frames of `kind`. Sleeps with `wait` alone. Returns bytes taken; -EFAULT; -EAGAIN without;
 * -ERESTARTSYS for a signal; -EPIPE when the host takes no more of that kind.
 */
long channel_write(enum channel_kind kind, struct buffer *from, bool wait);

/*
 * The kernel's own words. While the host takes no more, other threads run: called with no spin lock held, and not
 * from an interrupt. Interrupts may be off.
 */
void channel_send(enum channel_kind kind, const void *bytes, size_t count);
/* As much as there is room for now; from anywhere. Returns how much. Needs channel_flush() after it. */
size_t channel_try(enum channel_kind kind, const void *bytes, size_t count);
void channel_flush(void);
/* Return when the host has taken everything; nobody else runs meanwhile. */
void channel_drain(void);

/*
 * Input for a program that reads: bytes, 0 at the end, -EFAULT, -EAGAIN without `wait`, -ERESTARTSYS, -ENOMEM. Sleeps:
 * without `wait` until the host has said that there is nothing, for a second at most.
 */
long channel_read(struct buffer *to, bool wait);
/* Bytes that channel_read() would give at once. */
uint32_t channel_waiting(void);

/* POLL_* now; asks for input if there is none, and for word of room. channel_on_change() tells when to look again. */
unsigned channel_poll_input(void);
unsigned channel_poll_output(enum channel_kind kind);

/*
 * Input and its relatives go to a terminal from now on, which asks for what it wants. `room_again` is called when
 * channel_try() has failed and would succeed now. A window's size that came before anybody listened comes at once.
 */
struct channel_listener {
    void (*input)(const uint8_t *bytes, size_t count);
    void (*input_end)(void);
    void (*window)(unsigned columns, unsigned rows);
    void (*room_again)(void);
};
void channel_listen(const struct channel_listener *who);

/* A signal from the host, for the program or for its group. Those that came before a handler was there come at once. */
void channel_on_signal(void (*handler)(unsigned number, bool group));
/* Input has come or ended, or there is room for output again. */
void channel_on_change(void (*handler)(void));

#endif
