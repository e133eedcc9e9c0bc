/*
 * follow.h - snapshots of a machine's memory while it runs, one after the other (kernel/init/map_line.h).
 *
 * Snapshots are asked for on a serial line of their own, so that they disturb neither the program nor the channel. The
 * next one is asked for after the last has come. The length of the guest's text is limited, and text that is no
 * snapshot is dropped.
 */
#ifndef QUIRE_FOLLOW_H
#define QUIRE_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct follow {
    uint64_t every_ms;                      /* from one snapshot to the next question         */
    bool     keys;                          /* keys are for quire, not for the program        */

    void (*taken)(struct follow *follow, char *lines, size_t length);      /* complete; it may be cut in place */
    void (*typed)(struct follow *follow, const char *keys, size_t count);

    /* Private, from follow_start() on. */
    int      fd;
    char    *bytes;
    size_t   length, room;
    uint64_t next_ms;                       /* when to ask for the next snapshot              */
    bool     heard;                         /* a snapshot has come                            */
};

void follow_start(struct follow *follow, int fd, uint64_t now_ms);
void follow_end(struct follow *follow);

/* Ask for a snapshot if it is time; and the time until then. */
void follow_look(struct follow *follow, uint64_t now_ms);
uint64_t follow_patience(const struct follow *follow, uint64_t now_ms);

/* Read the bytes that have come. False: the serial line has ended. */
bool follow_read(struct follow *follow, uint64_t now_ms);

#endif
