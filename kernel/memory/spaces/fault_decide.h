/*
 * fault_decide.h - the fault decision: facts in, an action out, nothing else touched. fault.h has its cases.
 *
 * In line, so that a fault does not write down facts in memory only to read them again: a tenth of its instructions.
 */
#ifndef QUIRE_MEMORY_FAULT_DECIDE_H
#define QUIRE_MEMORY_FAULT_DECIDE_H

#include "memory/spaces/fault.h"

/* A frame is mapped, but not for what was attempted: only writing can be missing. */
static inline enum fault_action fault_decide_present(const struct fault_facts *facts)
{
    if (facts->entry_allows & facts->access)
        return FAULT_DONE;
    return facts->shared || facts->sole ? FAULT_REUSE : FAULT_COPY;
}

static inline enum fault_action fault_decide_empty(const struct fault_facts *facts)
{
    bool write = facts->access & MAY_WRITE;

    if (!facts->object)
        return write ? FAULT_ZERO : FAULT_ZERO_READ;
    if (!facts->inside || facts->behind == BEHIND_LOST)
        return FAULT_BUS;
    if (facts->behind == BEHIND_AWAY)
        return FAULT_WAIT;
    return write && !facts->shared ? FAULT_COPY_OBJECT : FAULT_SHARE;
}

static inline enum fault_action fault_decide(const struct fault_facts *facts)
{
    if (!facts->region)
        return facts->growable ? FAULT_GROW : FAULT_SEGV_MAP;
    if (!(facts->allows & facts->access))
        return FAULT_SEGV_ACCESS;
    switch (facts->entry) {
    case ENTRY_EMPTY:
        return fault_decide_empty(facts);
    case ENTRY_PRESENT:
        return fault_decide_present(facts);
    case ENTRY_BLOCKED:                 /* the region allows again what the entry does not yet */
        return facts->shared || facts->sole ? FAULT_REUSE : FAULT_REUSE_READ;
    case ENTRY_SWAP:
        return facts->behind == BEHIND_HERE ? FAULT_BRING_IN : facts->behind == BEHIND_AWAY ? FAULT_WAIT : FAULT_BUS;
    default:
        return FAULT_SEGV_MAP;          /* no other entry is made for a program's page         */
    }
}

#endif
