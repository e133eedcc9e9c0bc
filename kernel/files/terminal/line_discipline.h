/*
 * line_discipline.h - the processing of a terminal's input and output: termios, without a device.
 *
 * Keys become lines (with erasing, and signals from some keys) or stay bytes. Their echo and a program's output pass
 * through the same output processing. Nothing here waits, locks or allocates: terminal.c does, and a host test can
 * feed it any bytes.
 *
 * Not done, because no line here can cause it: parity and framing errors, breaks, delays, ECHOPRT.
 *
 * Locking  the caller's (terminal.c: RANK_TERMINAL).
 * Cost     input: constant for each byte, but erasing a tab walks the line. waiting(): the bytes held.
 *
 * Source   POSIX.1-2017, chapter 11 "General Terminal Interface"; termios(3) for what Linux adds.
 *
 * Invariants (line_discipline_ok):
 *   head - tail, the bytes held, is at most LINE_DISCIPLINE_ROOM; whole, the end of the last finished line, lies in
 *   [tail, head]; in canonical mode the last byte of each finished line has a mark, and no other byte has
 */
#ifndef QUIRE_FILES_LINE_DISCIPLINE_H
#define QUIRE_FILES_LINE_DISCIPLINE_H

#include "base/types.h"

/* Linux i386's struct termios as ioctl() knows it. */
struct termios {
    uint32_t input, output, control, local;     /* c_iflag, c_oflag, c_cflag, c_lflag */
    uint8_t  line;                              /* which discipline: 0                 */
    uint8_t  keys[19];                          /* c_cc                                */
};
_Static_assert(sizeof(struct termios) == 36, "struct termios");

/* The flags and keys that have an effect here. */
enum { ISTRIP = 040, INLCR = 0100, IGNCR = 0200, ICRNL = 0400, IUCLC = 01000, IXON = 02000, IXANY = 04000,
       IMAXBEL = 020000, IUTF8 = 040000 };
enum { OPOST = 1, OLCUC = 2, ONLCR = 4, OCRNL = 010, ONOCR = 020, ONLRET = 040, TABS = 014000 };
enum { ISIG = 1, ICANON = 2, ECHO = 010, ECHOE = 020, ECHOK = 040, ECHONL = 0100, NOFLSH = 0200, TOSTOP = 0400,
       ECHOCTL = 01000, ECHOKE = 04000, IEXTEN = 0100000 };
enum { KEY_INTERRUPT, KEY_QUIT, KEY_ERASE, KEY_KILL, KEY_END, KEY_TIME, KEY_LEAST, KEY_START = 8, KEY_STOP, KEY_SUSPEND,
       KEY_LINE, KEY_REPRINT, KEY_WORD = 14, KEY_LITERAL, KEY_LINE_2 };

enum { LINE_DISCIPLINE_ROOM = 4096 };   /* as Linux: a line has at most 4095 bytes and its end */

struct line_discipline {
    struct termios settings;
    uint32_t head, tail, whole;  /* bytes ever put, taken, in finished lines; in the ring: modulo its size */
    uint32_t column;                    /* of the cursor                                                            */
    uint32_t line_column;               /* the column where the line being typed began                              */
    bool     literal;                   /* the next key is taken as a byte, whatever it means                       */
    bool     stopped;                   /* output is held                                                           */
    uint8_t  marks[LINE_DISCIPLINE_ROOM / 8];
    uint8_t  ring[LINE_DISCIPLINE_ROOM];
};

/* The effects of input besides bytes to read. */
struct line_discipline_effects {
    void (*show)(void *context, const char *bytes, size_t count);      /* echo, ready for the screen         */
    void (*signal)(void *context, int number);                         /* to the foreground                  */
    void (*flush)(void *context);                                      /* drop output that still waits       */
    void  *context;
};

/* Empty, with the settings that a terminal has on Linux. */
void line_discipline_start(struct line_discipline *d);

/* Change the settings. Bytes typed and not read stay; on entering canonical mode they become one finished line. */
void line_discipline_set(struct line_discipline *d, const struct termios *settings);

/* Take bytes from the device. */
void line_discipline_input(struct line_discipline *d, const struct line_discipline_effects *effects,
                           const uint8_t *bytes, size_t count);
/* Drop all bytes that were typed and not read. */
void line_discipline_forget_input(struct line_discipline *d);

/*
 * How many bytes a read could get now: in canonical mode those of finished lines, else all. And whether a read would
 * not wait: also for an end of input, which is a line without bytes.
 */
uint32_t line_discipline_waiting(const struct line_discipline *d);
bool     line_discipline_readable(const struct line_discipline *d);

/*
 * Take up to `room` bytes; in canonical mode at most one line. *end: the line was finished (then 0 bytes mean the end
 * of the input).
 */
size_t line_discipline_read(struct line_discipline *d, uint8_t *to, size_t room, bool *end);

/* Bytes of input that can be taken without any being lost. */
uint32_t line_discipline_room(const struct line_discipline *d);

/*
 * Process a program's output for the screen. Returns the bytes put into `to`; *used: the bytes of `from` they are for.
 */
size_t line_discipline_output(struct line_discipline *d, const uint8_t *from, size_t count, size_t *used, char *to,
                              size_t room);

bool line_discipline_ok(const struct line_discipline *d);

#endif
