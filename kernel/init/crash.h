/*
 * crash.h - a machine that dies on purpose, so that whoever waits for it outside can be seen to notice.
 *
 * Only with a word on the kernel's command line; without it no program can do this:
 *
 *     crash=allowed           a program that writes one of the ways below to /proc/quire/crash dies with the machine
 *     crash=begin:WAY         before the first program
 *     crash=end:WAY           when the first program has ended, before the host is told
 *
 * The ways: panic; assert; reset (what a triple fault comes to); halt and hang (nothing more is done, interrupts off,
 * the processor asleep or busy); loop (interrupts go on, programs do not).
 */
#ifndef QUIRE_INIT_CRASH_H
#define QUIRE_INIT_CRASH_H

/* Read the words. */
void crash_note(const char *command_line);

/* Die, if a word says so. "begin" or "end". */
void crash_at(const char *moment);

/* Die in the way of that name. Returns -EPERM without the word, -EINVAL for a way that is none. */
int  crash_by_program(const char *way);

#endif
