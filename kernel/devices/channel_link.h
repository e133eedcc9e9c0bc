/*
 * channel_link.h - the guest's end of the channel to the host (devices/channel.h).
 *
 * A call's output is sent before the call returns; the call waits while the host does not take more. Input is asked for
 * when a program reads or polls, so that a program that reads nothing leaves the host's input unread.
 *
 * Locking  RANK_CHANNEL inside. The functions given to channel_listen() and channel_on_...() are called without it,
 *          from the interrupt; at once for what came before they were given; and those for room for output also by a
 *          thread that gives a page back.
 */
#ifndef QUIRE_DEVICES_CHANNEL_LINK_H
#define QUIRE_DEVICES_CHANNEL_LINK_H

#include "base/poll.h"
#include "base/types.h"
#include "devices/channel.h"
#include "memory/spaces/buffer.h"

/* Find the device and open the channel. Returns 0; -ENODEV or -ENOMEM: there is no channel. */
int  channel_start(const char *command_line) MUST_CHECK;
bool channel_is_there(void);

/*
 * Send what a program writes, in frames of `kind`. Sleeps only with `wait`. Returns bytes taken; -EFAULT; -EAGAIN
 * without `wait`; -ERESTARTSYS for a signal; -EPIPE when the host takes no more frames of that kind.
 */
long channel_write(enum channel_kind kind, struct buffer *from, bool wait);

/*
 * Send a frame of the kernel's own. While the host takes no more, other threads run: called with no spin lock held, and
 * not from an interrupt. Interrupts may be off.
 */
void channel_send(enum channel_kind kind, const void *bytes, size_t count);
/* Send as many bytes as there is room for now; callable anywhere. Returns how many. Needs channel_flush() after it. */
size_t channel_try(enum channel_kind kind, const void *bytes, size_t count);
void channel_flush(void);
/*
 * Tell the host that the guest is ready, and sleep until it says that the program may begin; random numbers are as new
 * as that answer. Not to be called twice.
 */
void channel_await_begin(void);
/* Return when the host has taken all output; no other thread runs meanwhile. */
void channel_drain(void);

/*
 * Input for a program that reads: bytes, 0 at the end, -EFAULT, -EAGAIN without `wait`, -ERESTARTSYS, -ENOMEM; or the
 * error with which the host could not read, told to one reader. Sleeps; without `wait` only until the host has
 * answered, for a second at most.
 */
long channel_read(struct buffer *to, bool wait);
/* Bytes that channel_read() would give at once. */
uint32_t channel_waiting(void);
/* Tell the host, before the run's end, how many bytes of its last answer nobody has read. */
void channel_give_back(void);

/*
 * POLL_* now. Asks the host for input if there is none. channel_on_change()'s handler is called when POLL_* may differ.
 */
unsigned channel_poll_input(void);
unsigned channel_poll_output(enum channel_kind kind);

/*
 * Give input, its end and the window's size to a terminal from now on. `room_again` is called when channel_try() has
 * failed and would succeed now. A window's size that came before this call is reported at once.
 */
struct channel_listener {
    void (*input)(const uint8_t *bytes, size_t count);
    void (*input_end)(void);
    void (*window)(unsigned columns, unsigned rows);
    void (*room_again)(void);
};
void channel_listen(const struct channel_listener *who);

/* Set the handler for signals from the host. Signals that came before this call are given to it at once. */
void channel_on_signal(void (*handler)(unsigned number, bool group));
/* Set the handler that is called when input has come or ended, or when there is room for output again. */
void channel_on_change(void (*handler)(void));

#endif
