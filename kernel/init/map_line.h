/*
 * map_line.h - snapshots of memory on the second serial line (COM2), for watching a machine without disturbing it.
 *
 * `map=com2` on the kernel's command line opens the line. Each byte that arrives there is a command:
 *
 *   m    send a snapshot (init/snapshot.h), as soon as a program is about to run or the processor is idle
 *   w    from now on, stop at each change of a page's entry, and report it; answered by `watching yes`, or by `watching
 *        no` from a kernel that is not checked, which cannot
 *   n    while stopped: go on to the next change
 *   e    while stopped: report the changes of the same fault or call without stopping, and stop at the first other
 *        change
 *   q    go on, and stop no more; answered by `watching no`
 *
 * Other bytes are ignored. A snapshot is sent as its lines and no more; a change is one line,
 *
 *   change WHOSE PAGE KIND RIGHTS RIGHTS FRAME REFERENCES KIND RIGHTS RIGHTS FRAME REFERENCES PROCESS CAUSE WHAT NAME
 *
 * WHOSE says which space the entry belongs to: `own` the running process's, `kernel`, or `other`, for instance that of
 * a child that is being made. PAGE and FRAME are addresses in hexadecimal; before and after the change, KIND and the
 * kernel's and programs' RIGHTS as in a snapshot's runs, but `empty` as well, the FRAME (- without one) and how many
 * REFERENCES it has. PROCESS is the running process's number and NAME its name, which may be empty, with ? for control
 * characters. CAUSE and WHAT are `fault` and the address, or `call` and the call's number. Where no process runs,
 * PROCESS is 0, CAUSE `kernel`, and WHAT and NAME are -.
 *
 * While stopped, interrupts are off, and the clock falls behind.
 */
#ifndef QUIRE_INIT_MAP_LINE_H
#define QUIRE_INIT_MAP_LINE_H

/* Open the line; after traps_start(). Without such a port it does nothing. */
void map_line_start(void);

#endif
