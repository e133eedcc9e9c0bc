/*
 * fault_decide.c - the fault decision: facts in, an action out, nothing else touched.
 */
#include "memory/spaces/fault.h"

const char *const fault_action_names[FAULT_ACTIONS] = {
    [FAULT_DONE]        = "done",
    [FAULT_ZERO]        = "zero",
    [FAULT_ZERO_READ]   = "zero-read",
    [FAULT_SHARE]       = "share",
    [FAULT_COPY_OBJECT] = "copy-object",
    [FAULT_REUSE]       = "reuse",
    [FAULT_COPY]        = "copy",
    [FAULT_GROW]        = "grow",
    [FAULT_BUS]         = "bus",
    [FAULT_SEGV_ACCESS] = "segv-access",
    [FAULT_SEGV_MAP]    = "segv-map",
};

/* A frame is mapped, but not for what was attempted: only writing can be missing. */
static enum fault_action decide_present(const struct fault_facts *facts)
{
    if (facts->entry_allows & facts->access)
        return FAULT_DONE;
    return facts->shared || facts->sole ? FAULT_REUSE : FAULT_COPY;
}

static enum fault_action decide_empty(const struct fault_facts *facts)
{
    bool write = facts->access & MAY_WRITE;

    if (!facts->object)
        return write ? FAULT_ZERO : FAULT_ZERO_READ;
    if (!facts->inside)
        return FAULT_BUS;
    return write && !facts->shared ? FAULT_COPY_OBJECT : FAULT_SHARE;
}

enum fault_action fault_decide(const struct fault_facts *facts)
{
    if (!facts->region)
        return facts->growable ? FAULT_GROW : FAULT_SEGV_MAP;
    if (!(facts->allows & facts->access))
        return FAULT_SEGV_ACCESS;
    switch (facts->entry) {
    case ENTRY_EMPTY:
        return decide_empty(facts);
    case ENTRY_PRESENT:
        return decide_present(facts);
    case ENTRY_BLOCKED:
        return FAULT_REUSE;             /* the region allows again what the entry does not yet */
    default:
        return FAULT_SEGV_MAP;          /* no other entry is made for a program's page         */
    }
}
