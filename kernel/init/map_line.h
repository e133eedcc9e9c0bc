/*
 * map_line.h - memory as it is, on the second serial line (COM2): for whoever watches a machine without disturbing it.
 *
 * `map=com2` on the kernel's command line opens it. What arrives there is one byte for each wish:
 *
 *   m    a snapshot (init/snapshot.h), as soon as a program is about to run or nobody wants to run
 *   w    from now on, stop at each change of a page's entry, and say it; answered by `watching yes`, or by `watching
 *        no` from a kernel that is not checked: only those can
 *   n    while stopped: go on to the next change
 *   e    while stopped: say the changes that come from the same fault or call without stopping, and stop at the first
 *   other one
 *   q    go on, and stop no more; answered by `watching no`
 *
 * Anything else is ignored. A snapshot's lines are followed by nothing; a change is one line,
 *
 *   change WHOSE PAGE KIND RIGHTS RIGHTS FRAME REFERENCES KIND RIGHTS RIGHTS FRAME REFERENCES PROCESS CAUSE WHAT NAME
 *
 * WHOSE entry it is: `own` the running process's, `kernel`, or `other`, for instance a child's that is being made. PAGE
 * and FRAME are addresses in hexadecimal; before and after, KIND and the kernel's and programs' RIGHTS as in a
 * snapshot's runs, the FRAME (- without one) and how many REFERENCES it has. PROCESS is the running one's number and
 * NAME its name, CAUSE is `fault` and WHAT the address, or `call` and its number, or `kernel` and -.
 *
 * Stopped means stopped: interrupts are off, and the clock falls behind.
 */
#ifndef QUIRE_INIT_MAP_LINE_H
#define QUIRE_INIT_MAP_LINE_H

/* After traps_start(). Without such a port, nothing. */
void map_line_start(void);

#endif
