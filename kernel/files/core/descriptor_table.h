/*
 * descriptor_table.h - what a table of descriptors is. Internal to descriptor.c and files_audit.c; its invariants are
 * in descriptor.c.
 */
#ifndef QUIRE_FILES_DESCRIPTOR_TABLE_H
#define QUIRE_FILES_DESCRIPTOR_TABLE_H

#include "base/bitset.h"
#include "base/lock.h"
#include "files/core/descriptor.h"

struct table {
    uint32_t      room;                 /* numbers there are: FIRST_ROOM, doubled                 */
    struct file **slots;                /* the start of one block of memory, with the sets behind */
    struct bitset open, close_on_exec;
};

struct files {
    uint32_t      references;           /* [a]      */
    struct lock   lock;
    struct table  table;                /* [lock]   */
    struct table *larger;               /* [lock] while the table grows: what takes its place, else NULL  */
    uint32_t      reserved;             /* [lock] numbers that are open without a file: a call is at it   */
    uint32_t      copied;               /* [lock] numbers that are in the larger one already              */
    struct mutex  growth;               /* held by the one thread that lets the table grow; outer to lock */
};

#endif
