/*
 * watchdog.h - finding out whether a silent machine still works.
 *
 * A machine that has been silent for a while is sent a CHANNEL_PING; its kernel answers as soon as a program runs or
 * the processor is idle. Time without an answer counts only while the machine could have answered:
 *
 *   it computes             the processor time that it got: time in which a busy host lets it wait does not count
 *   all its threads sleep   the time that passed, as it could answer
 *   stopped, or on a disk   does not count
 *
 * When the counted time reaches the limit, the kernel is dead. A program that computes without output is interrupted by
 * the ping, and the answer shows that it runs.
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
    uint64_t allowed;               /* 0: no limit                           */
    uint64_t heard;                 /* when the machine last sent anything   */
    bool     asked;
    uint64_t counted;               /* counted time without an answer                */
    uint64_t looked, computed;      /* time of the last check, and the processor time then */
};

enum watchdog_verdict { WATCHDOG_LIVES, WATCHDOG_ASK, WATCHDOG_DEAD };

void watchdog_start(struct watchdog *watchdog, pid_t machine, uint64_t allowed, uint64_t now);
void watchdog_heard(struct watchdog *watchdog, uint64_t now);
enum watchdog_verdict watchdog_look(struct watchdog *watchdog, uint64_t now);

/* The time until the next check; UINT64_MAX: none. */
uint64_t watchdog_patience(const struct watchdog *watchdog, uint64_t now);

#endif
