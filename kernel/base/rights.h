/*
 * rights.h - what may be done with a page, and how it is cached: the words that regions, entries and processors share.
 */
#ifndef QUIRE_BASE_RIGHTS_H
#define QUIRE_BASE_RIGHTS_H

#include "base/types.h"

/* What one privilege level may do with a page. */
enum { MAY_READ = 1, MAY_WRITE = 2, MAY_EXECUTE = 4 };

struct rights {
    uint8_t kernel, user;           /* MAY_* */
};

static inline bool rights_within(struct rights have, struct rights limit)
{
    return (have.kernel & ~limit.kernel) == 0 && (have.user & ~limit.user) == 0;
}

/* How the processor may cache accesses to a page. */
enum cache { CACHE_BACK, CACHE_THROUGH, CACHE_COMBINE, CACHE_OFF };

#endif
