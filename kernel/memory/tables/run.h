/*
 * run.h - neighbouring pages that the tables of a space treat alike, found by walking the tables.
 *
 * A drawing of memory as it is (the console's `map`, the snapshot of init/snapshot.h) shows neither single pages nor
 * what the document allows, but runs: pages in a row with the same kind of entry, the same rights and cache type, in
 * the same region of the space. They are found from the top down, because drawings have the highest address on top.
 *
 * Locking  looks at the regions by space_look(), and takes the tables lock, for each entry looked at, one after the
 *          other; so runs are of one moment only while no other code changes the space, which the caller ensures.
 * Cost     a walk and O(log regions) for each entry; a table that is missing, and a large page, are one entry, but each
 *          page of a table that is out (tables_out.h) is one.
 *          Nothing is allocated.
 */
#ifndef QUIRE_MEMORY_RUN_H
#define QUIRE_MEMORY_RUN_H

#include "memory/frames/owner.h"
#include "memory/spaces/region.h"
#include "mmu.h"

struct page_run {
    struct span          span;
    struct rights        rights;        /* as the entries have them: what the processor really allows */
    enum cache           cache;         /* CACHE_BACK where no page is present                */
    enum entry_kind      kind;          /* never EMPTY, nor TABLE                            */
    const struct region *region;        /* of the space, NULL if the pages lie in none       */
    frame_t              frame;         /* of span.first, if the kind is one that names a frame */
    bool                 in_a_row;      /* frames follow each other as the pages do          */
    enum owner           owner;         /* of all its frames, OWNER_COUNT when they differ   */
    size_t               shared;        /* pages whose frame has other references as well    */
};

enum {
    RUNS_BY_OWNER = 1,                  /* a run ends where the owner of its frames changes  */
};

/*
 * The highest run of [first, *end) in a space. *end becomes the end of the next search.
 * False when all pages of [first, *end) are empty; *out is then undefined.
 */
bool page_run_below(struct space *space, page_t first, page_t *end, unsigned flags, struct page_run *out);

#endif
