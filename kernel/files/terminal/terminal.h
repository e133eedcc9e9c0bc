/*
 * terminal.h - a terminal: a line discipline, a session that may use it, and a device for its input and output.
 *
 * One session has a terminal, and one process group of the session is in the foreground: signals from keys go to it.
 * Processes of other groups that read are stopped (SIGTTIN), and if the settings say so, those that write (SIGTTOU).
 *
 * Locking  terminal->lock (RANK_TERMINAL, outermost, for the interrupt brings input) around every change; a read looks
 *          without it whether it must wait, and takes bytes under it. `writing` keeps what one program writes in one
 *          piece; it is no lock that sleeps, as a stopped terminal makes a write wait. The device's calls are made with
 *          the lock held, so they may not sleep.
 * Errors   -ERESTARTSYS after a signal, -EAGAIN with O_NONBLOCK, -EIO for a process in the background that cannot be
 *          stopped, -EFAULT. Reading, writing and controlling may sleep; what the device calls may not.
 * Source   POSIX.1-2017, 11.1 "Interface Characteristics"; Linux man-pages, ioctl_tty(2).
 */
#ifndef QUIRE_FILES_TERMINAL_H
#define QUIRE_FILES_TERMINAL_H

#include "files/core/file.h"
#include "files/terminal/line_discipline.h"

struct process;

/* The device. */
struct terminal_device {
    size_t (*put)(const char *bytes, size_t count);     /* as many as can be taken now; the rest when there is room */
    void   (*flush)(void);                              /* show all bytes that were put                             */
    bool   (*want)(uint32_t bytes);                     /* let so many more bytes come; NULL: they come unasked     */
};

struct window { uint16_t rows, columns, width, height; };       /* Linux's struct winsize */

enum { TERMINAL_OUT = 1024, TERMINAL_ECHO = 256 };

struct terminal {
    struct lock                   lock;
    const struct terminal_device *device;           /* [c]                                     */
    struct line_discipline             line_discipline;
    struct window                 window;
    int32_t                       session;          /* 0: it belongs to no session             */
    int32_t                       foreground;       /* group, 0: none                          */
    uint32_t                      promised;         /* bytes the device may still bring        */
    bool                          ended;            /* no more input will come                 */
    char                          echo[TERMINAL_ECHO];
    size_t                        echoed;
    struct wait_queue             ready;            /* input, room for output, or another change  */
    struct wait_queue             writers;          /* who waits for the end of another's write */
    bool                          writing;          /* a write has begun                       */
    char                          out[TERMINAL_OUT];/* of the write that has begun             */
    size_t                        out_used;
};

void terminal_start(struct terminal *terminal, const struct terminal_device *device);

/* From the device, also from its interrupt: none of these sleeps. */
void terminal_input(struct terminal *terminal, const uint8_t *bytes, size_t count);
void terminal_input_end(struct terminal *terminal);
void terminal_resize(struct terminal *terminal, const struct window *window);
void terminal_signal(struct terminal *terminal, int number);       /* to the foreground */
void terminal_room(struct terminal *terminal);                      /* put() would take something again */

/* As a file's operations would; `flags` are the open file's. */
long     terminal_read(struct terminal *terminal, struct buffer *to, uint32_t flags);
long     terminal_write(struct terminal *terminal, struct buffer *from, uint32_t flags);
unsigned terminal_poll(struct terminal *terminal, struct wait_queue **queue);
long     terminal_control(struct terminal *terminal, unsigned request, user_t argument);

/* The current process, leader of a session without a terminal, opens one that has no session: the session gets it. */
void terminal_adopt(struct terminal *terminal);

/*
 * A process in the background is about to do what `signal` (SIGTTIN, SIGTTOU) is for. Returns 0: it may;
 * -EIO; or -ERESTARTSYS: its group has been sent the signal.
 */
int  terminal_check(struct terminal *terminal, int signal) MUST_CHECK;

#endif
