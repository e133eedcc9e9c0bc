/*
 * session_input.h - a session's standard input: what the guest asks for, and what it is given.
 *
 * No more is read than the guest asks for (WANT, kernel/devices/channel.h), so that the rest is left for programs that
 * share the input. Of a file more is given, as far as the guest has room for it, and the file's position follows: it is
 * never beyond what a program has read, and at the run's end it is just there. The answer is written into the guest's
 * place for it (place.h) where the machine's RAM is shared, else sent.
 *
 * Of a pipe or a socket a read never waits, whatever poll(2) has said: others may read from it, too.
 */
#ifndef QUIRE_SESSION_INPUT_H
#define QUIRE_SESSION_INPUT_H

#include "session.h"

/* Bytes that wait for a guest that takes no frames: from then on signals and answers are dropped. */
enum { UNSENT_MOST = 65536 };

/* Begin, and end: a pipe's second opening. */
void input_start(struct session *session);
void input_end(struct session *session);

/* WANT has come. False: it breaks the protocol. */
bool input_wanted(struct session *session, const struct channel_frame *frame);
/* UNREAD has come: no program has read so many bytes of the last answer, they are for the next one. */
void input_unread(struct session *session, const struct channel_frame *frame);
/* All that was given has been read. */
void input_all_read(struct session *session);

/* True while input is asked for, and the guest takes frames. */
bool input_is_wanted(const struct session *session);
/* True if there is a descriptor to wait for; else a read does not wait. */
bool input_waits(const struct session *session);
/* Input is readable or has ended, by poll(2)'s events, and it is wanted. Sets `escaped` for Ctrl-] pressed twice. */
void input_is_there(struct session *session, short events);

#endif
