/*
 * corrupt.h - breaking each invariant on purpose, so that the auditor can be seen to name it.
 *
 * An auditor that has never found a failure has not been tested. For each invariant there is one
 * corruption: `corrupt` makes it untrue, in the smallest way there is and so that as few other
 * invariants as possible are broken; `restore` undoes that. Between the two only the auditor may
 * use memory. The host test does this for all invariants, the console's `break` for one.
 *
 * Where an invariant cannot be broken, `corrupt` returns false: there is no memory for it, or
 * this machine has nothing of the kind (S2 where the hardware cannot tell execution apart).
 * ON_HOST marks an invariant that only the software MMU checks (C4); IF_CHECKED one that only a
 * checked build checks (F5).
 *
 * Locking  none held; the caller sees to it that nothing else runs.
 */
#ifndef QUIRE_MEMORY_CORRUPT_H
#define QUIRE_MEMORY_CORRUPT_H

#include "base/rows.h"

enum { ON_HOST = 1, IF_CHECKED = 2 };

struct corruption {
    const char *id;             /* of the invariant                                        */
    unsigned    only;           /* ON_HOST, IF_CHECKED                                     */
    bool      (*corrupt)(void);
    void      (*restore)(void);
    const char *how;            /* what is corrupted, in words                            */
};

extern const struct corruption *const corruptions[];    /* sets (rows.h): memory's own, and a layout's */

#define CORRUPTION_ROW(id, name, only, how) { id, only, corrupt_##name, restore_##name, how }

/* One function pair for each, by the part it is about. */
#define CORRUPTION(id) bool corrupt_##id(void); void restore_##id(void);
/* corrupt_frames.c */
CORRUPTION(p1) CORRUPTION(p2) CORRUPTION(p3)
CORRUPTION(f1) CORRUPTION(f2) CORRUPTION(f3) CORRUPTION(f4) CORRUPTION(f5)
CORRUPTION(x1) CORRUPTION(x2) CORRUPTION(x3) CORRUPTION(x4) CORRUPTION(x5)
/* corrupt_tables.c */
CORRUPTION(c1) CORRUPTION(c2) CORRUPTION(c3) CORRUPTION(c4)
CORRUPTION(r1) CORRUPTION(r2) CORRUPTION(r3) CORRUPTION(r4)
CORRUPTION(s1) CORRUPTION(s2) CORRUPTION(s3) CORRUPTION(s4) CORRUPTION(s5)
/* corrupt_parts.c */
CORRUPTION(h1) CORRUPTION(h2) CORRUPTION(h3) CORRUPTION(h4) CORRUPTION(h5)
CORRUPTION(k1) CORRUPTION(k2) CORRUPTION(k3)
CORRUPTION(o1) CORRUPTION(o2) CORRUPTION(o3) CORRUPTION(o4) CORRUPTION(g1) CORRUPTION(g2)
CORRUPTION(g3)
#undef CORRUPTION

#endif
