/*
 * watchdog.h - whether a silent machine still lives.
 *
 * A machine from which nothing has come for a while is asked (CHANNEL_PING); its kernel answers as soon as a program
 * runs or nobody wants to run. Time without an answer counts only while the machine could have given one:
 *
 *   it computes             as much as processor time it got: a busy host that lets it wait costs it nothing
 *   all its threads sleep   the time that passed, for nothing keeps it from answering
 *   stopped, or on a disk   nothing
 *
 * When as much has been counted as was allowed, the kernel is dead. A program that computes without a word is
 * interrupted by the question, and the answer shows that it runs.
 *
 * Time     in milliseconds, of the monotonic clock.
 */
#ifndef QUIRE_WATCHDOG_H
#define QUIRE_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct watchdog {
    pid_t    machine;
    uint64_t allowed;               /* 0: nobody watches                     */
    uint64_t heard;                 /* when it last said anything            */
    bool     asked;
    uint64_t counted;               /* without an answer                     */
    uint64_t looked, computed;      /* the last look, and the processor time it had then */
};

enum watchdog_verdict { WATCHDOG_LIVES, WATCHDOG_ASK, WATCHDOG_DEAD };

void watchdog_start(struct watchdog *watchdog, pid_t machine, uint64_t allowed, uint64_t now);
void watchdog_heard(struct watchdog *watchdog, uint64_t now);
enum watchdog_verdict watchdog_look(struct watchdog *watchdog, uint64_t now);

/* How long until the next look is due; UINT64_MAX: never. */
uint64_t watchdog_patience(const struct watchdog *watchdog, uint64_t now);

#endif
