/*
 * poll.h - what a file, or a device behind one, is ready for.
 */
#ifndef QUIRE_BASE_POLL_H
#define QUIRE_BASE_POLL_H

/* Linux's poll bits. */
enum { POLL_IN = 1, POLL_PRI = 2, POLL_OUT = 4, POLL_ERR = 8, POLL_HUP = 16, POLL_NVAL = 32, POLL_RDNORM = 64,
       POLL_WRNORM = 256, POLL_WRBAND = 512, POLL_RDHUP = 0x2000 };

#endif
