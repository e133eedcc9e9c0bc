/*
 * follow.h - snapshots of a machine's memory while it runs, one after the other (kernel/init/map_line.h).
 *
 * Asked for on a serial line of their own, so that neither the program nor the channel notices. Not more often than
 * they are answered: who is slow is asked less. What the guest says there has a limit, and what is no snapshot is
 * thrown away.
 */
#ifndef QUIRE_FOLLOW_H
#define QUIRE_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct follow {
    uint64_t every_ms;                      /* from one snapshot to the next question         */
    bool     keys;                          /* what is typed is ours, not the program's       */

    void (*taken)(struct follow *follow, char *lines, size_t length);      /* a whole one; they may be cut in place */
    void (*typed)(struct follow *follow, const char *keys, size_t count);

    /* The line's own, from follow_start() on. */
    int      fd;
    char    *bytes;
    size_t   length, room;
    uint64_t next_ms;                       /* when to ask                                    */
    bool     heard;                         /* a snapshot has come                            */
};

void follow_start(struct follow *follow, int fd, uint64_t now_ms);
void follow_end(struct follow *follow);

/* Ask if it is time; and how long until then. */
void follow_look(struct follow *follow, uint64_t now_ms);
uint64_t follow_patience(const struct follow *follow, uint64_t now_ms);

/* Something can be read. False: there will be no more. */
bool follow_read(struct follow *follow, uint64_t now_ms);

#endif
