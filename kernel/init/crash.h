/*
 * crash.h - a machine that crashes on purpose, to test that its host notices.
 *
 * It needs a word on the kernel's command line; without the word no program can crash the machine:
 *
 *     crash=allowed           a program that writes one of the ways below to /proc/quire/crash crashes the machine
 *     crash=begin:WAY         before the first program
 *     crash=end:WAY           when the first program has ended, before its end is reported to the host
 *
 * The ways: panic; assert; reset (as a triple fault does); halt and hang (interrupts off, the processor asleep or
 * busy); loop (interrupts go on, programs do not).
 */
#ifndef QUIRE_INIT_CRASH_H
#define QUIRE_INIT_CRASH_H

/* Read the words of the command line. */
void crash_note(const char *command_line);

/* Crash, if a word names this moment: "begin" or "end". */
void crash_at(const char *moment);

/* Crash in the way of that name. Returns -EPERM without the word, -EINVAL for an unknown way. */
int  crash_by_program(const char *way);

#endif
