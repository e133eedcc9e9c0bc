/*
 * channel.h - the one stream of framed bytes between a sandboxed program and its host.
 *
 * `./quire run` starts the machine with a virtio console (or, failing that, the first
 * serial line) connected to itself, and speaks this protocol on it. Both sides include this file.
 * A frame is a header of four bytes and up to 65535 bytes that follow:
 *
 *     byte 0      kind (CHANNEL_*)
 *     byte 1      zero
 *     bytes 2, 3  length of what follows, little endian
 *
 * Guest to host: OUTPUT and ERRORS carry the program's bytes unchanged; WANT (a uint32, little endian: how many bytes;
 * a byte: CHANNEL_WANT_...; and, or not, a place: uint32 each) asks for INPUT, as a program's read(2) does, so that the
 * host takes no more from an input that it shares with other programs than the program itself would take; UNREAD (a
 * uint32) says how many bytes of the last answer no program has read; EXIT (two int32: kind, number) is the last
 * frame of a run; REPORT and LOG carry text for the user; MAP carries the lines of a snapshot of memory
 * (init/snapshot.h), when the boot configuration asks for one; PONG answers a PING; READY (a byte: zero) says that all
 * is done up to the program, and that the guest waits for BEGIN: sent only when the kernel's command line has the word
 * begin=told.
 * Host to guest: INPUT (length 0: end of input), PLACED (a uint32: so many bytes of input lie in the place that the
 * last WANT named: an answer as INPUT is, but only its length is in the frame), INPUT_FAILED (a byte, Linux's errno:
 * the end of input that follows is none, but an error), INPUT_STATE (a byte: CHANNEL_INPUT_...), WINDOW (two uint16:
 * columns, rows), SIGNAL (two bytes: a Linux signal's number, and CHANNEL_TO_PROGRAM or CHANNEL_TO_GROUP, as the signal
 * was sent to the host's command; for SIGPIPE the second byte is OUTPUT or ERRORS: that stream has no reader any more),
 * PING (no contents: asks whether the guest still works. The guest answers when a program is about to run or the
 * processor is idle, so a kernel that stays in a loop of its own does not answer), BEGIN (CHANNEL_SEED random bytes,
 * which are mixed into the guest's random numbers: the answer to READY. Between the two the machine may have been
 * frozen and restored any number of times, so the guest also reads the real-time clock anew).
 */
#ifndef QUIRE_DEVICES_CHANNEL_H
#define QUIRE_DEVICES_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

enum channel_kind {
    CHANNEL_OUTPUT = 1, CHANNEL_ERRORS = 2, CHANNEL_WANT = 3, CHANNEL_EXIT = 4, CHANNEL_REPORT = 5, CHANNEL_LOG = 6,
    CHANNEL_MAP = 7, CHANNEL_PONG = 8, CHANNEL_READY = 9, CHANNEL_UNREAD = 10,
    CHANNEL_INPUT = 16, CHANNEL_WINDOW = 17, CHANNEL_SIGNAL = 18, CHANNEL_PING = 19,
    CHANNEL_INPUT_STATE = 20, CHANNEL_BEGIN = 21, CHANNEL_INPUT_FAILED = 22, CHANNEL_PLACED = 23,
};

enum { CHANNEL_HEADER = 4, CHANNEL_PAYLOAD = 65535, CHANNEL_SEED = 32 };

/*
 * How input is wanted. Each WANT but MORE replaces the WANT before, and is answered by one INPUT of at most so many
 * bytes, which may be the end of input:
 *
 *     WAIT   as soon as there is input
 *     NOW    at once; INPUT_STATE NOTHING if there is no input, and always for 0 bytes, which cancels a WAIT
 *     LOOK   no input is read; INPUT_STATE READABLE or ENDED as soon as a read would not wait
 *     MORE   so many more bytes may come, in any number of frames: a terminal's keys
 *
 * A place is a list of pages of the guest's RAM by their numbers, page n at byte 4096 n: the host may write the answer
 * there, until it has given it, if it shares that RAM (through its socket QEMU takes 4 096 bytes at a time). And where
 * the host can give back what was not read, as with a file, the answer may be longer than was asked, up to the place's
 * length: what is behind counts as read when the next WANT but MORE comes, or the end of the run, less what UNREAD
 * says.
 */
enum channel_want { CHANNEL_WANT_WAIT = 0, CHANNEL_WANT_NOW = 1, CHANNEL_WANT_LOOK = 2, CHANNEL_WANT_MORE = 3 };
enum channel_input_state { CHANNEL_INPUT_NOTHING = 0, CHANNEL_INPUT_READABLE = 1, CHANNEL_INPUT_ENDED = 2 };
enum { CHANNEL_WANT_LENGTH = 5 };                                        /* without a place   */
enum { CHANNEL_PLACE_PAGE = 4096, CHANNEL_PLACE_MOST = 32 };              /* bytes; pages of it */

/* The receivers of a signal: the program alone, or its process group; on a terminal, the foreground group. */
enum { CHANNEL_TO_PROGRAM = 0, CHANNEL_TO_GROUP = 1 };

/* CHANNEL_EXIT's kind. */
enum { CHANNEL_EXITED = 0, CHANNEL_KILLED = 1, CHANNEL_NOT_STARTED = 2 };   /* number: status, signal, errno */

/*
 * What to run is in the archive itself, as files that no program sees:
 *   .quire/arguments     each argument, then a NUL; the first is the program's path in the guest
 *   .quire/environment   each NAME=VALUE, then a NUL
 *   .quire/options       lines: `report`, `terminal` (standard streams are a terminal), `map` (send a snapshot of
 *                        memory when a program asks, else when the first one ends), `directory PATH`, `closed DIGITS`
 *                        (these of the standard descriptors 0, 1 and 2 are closed)
 */
#define CHANNEL_FOLDER ".quire"

#endif
