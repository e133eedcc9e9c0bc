/*
 * movos.c - the claims of layouts/movos.md, M1 to M17, each looked at.
 *
 * The addresses in here are the claims' own and are not taken from the document's tables: if the document
 * were changed, these probes would notice.
 */
#include <layout.h>

#ifdef LAYOUT_CLAIMS_M

#include "claims/looking.h"

#include "base/error.h"
#include "console/show.h"
#include "memory/table.h"

enum { M_SPACES = 5 };

/* ---- What processes have in common --------------------------------------------------------------- */

static entry_t root_entry(const struct space *space, page_t page)
{
    lock_state state = lock_take((struct lock *)&space->tables_lock);
    entry_t    e     = entry_read(entry_at(space, page, MMU_LEVELS));

    lock_drop((struct lock *)&space->tables_lock, state);
    return e;
}

static void m11_first_entry_shared(struct claim_result *result)
{
    struct space spaces[M_SPACES];
    frame_t      table = entry_frame(root_entry(&kernel_space, 0));
    uint32_t     made = 0, same = 0, alive = 0;

    while (made < M_SPACES && space_create(&spaces[made]) == 0)
        made++;
    for (const struct space *s = space_after(NULL); s != NULL; s = space_after(s)) {
        entry_t e = root_entry(s, 0);

        alive++;
        same += entry_kind(e, MMU_LEVELS) == ENTRY_TABLE && frame_is(entry_frame(e), table);
    }
    for (uint32_t i = 0; i < made; i++)
        space_destroy(&spaces[i]);
    claim_saw(result, made == M_SPACES && same == alive,
              "entry 0 of %u directories, %u of them new, leads to the table in frame %u", same, made, table.no);
}

const struct claim_probe movos_probes[] = {
    { "M11", m11_first_entry_shared },
};
const uint32_t movos_probe_count = COUNT_OF(movos_probes);

#endif
