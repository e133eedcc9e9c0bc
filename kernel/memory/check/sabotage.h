/*
 * sabotage.h - breaking each invariant on purpose, so that one can see the auditor name it.
 *
 * An auditor that has never found anything is only believed. For each invariant there is one
 * sabotage: `spoil` makes it untrue, in the smallest way there is and so that as few others
 * as possible suffer; `mend` makes everything as it was. Between the two nothing but
 * the auditor may use memory. The host test does it for all, the console's `break` for one.
 *
 * Where an invariant cannot be broken, `spoil` returns false: there is no memory for it, or
 * this machine has nothing of the kind (S2 where the hardware cannot tell execution apart).
 * ON_HOST marks what only the software MMU can look at (C4); IF_CHECKED what only a checked
 * build looks at (F5).
 *
 * Locking  none held; whoever calls sees to it that nothing else runs.
 */
#ifndef QUIRE_MEMORY_SABOTAGE_H
#define QUIRE_MEMORY_SABOTAGE_H

#include "base/types.h"

enum { ON_HOST = 1, IF_CHECKED = 2 };

struct sabotage {
    const char *id;             /* of the invariant                                        */
    unsigned    only;           /* ON_HOST, IF_CHECKED                                     */
    bool      (*spoil)(void);
    void      (*mend)(void);
    const char *how;            /* what is spoilt, in words                                */
};

extern const struct sabotage sabotages[];
extern const uint32_t sabotage_count;

/* One function pair for each, by the part it is about. */
#define SABOTAGE(id) bool spoil_##id(void); void mend_##id(void);
/* sabotage_frames.c */
SABOTAGE(p1) SABOTAGE(p2) SABOTAGE(p3)
SABOTAGE(f1) SABOTAGE(f2) SABOTAGE(f3) SABOTAGE(f4) SABOTAGE(f5)
SABOTAGE(x1) SABOTAGE(x2) SABOTAGE(x3) SABOTAGE(x4)
/* sabotage_tables.c */
SABOTAGE(c1) SABOTAGE(c2) SABOTAGE(c3) SABOTAGE(c4)
SABOTAGE(r1) SABOTAGE(r2) SABOTAGE(r3) SABOTAGE(r4)
SABOTAGE(s1) SABOTAGE(s2) SABOTAGE(s3) SABOTAGE(s4) SABOTAGE(s5)
/* sabotage_parts.c */
SABOTAGE(h1) SABOTAGE(h2) SABOTAGE(h3) SABOTAGE(h4) SABOTAGE(h5)
SABOTAGE(k1) SABOTAGE(k2) SABOTAGE(k3)
SABOTAGE(o1) SABOTAGE(o2) SABOTAGE(o3)
/* sabotage_tracked.c, where it is `tracked` */
SABOTAGE(e1) SABOTAGE(e2) SABOTAGE(e3) SABOTAGE(e4) SABOTAGE(e5)
/* sabotage_window.c, where table access is `window` */
SABOTAGE(w1) SABOTAGE(w2) SABOTAGE(w3) SABOTAGE(w4)
#undef SABOTAGE

#endif
