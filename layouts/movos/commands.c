/*
 * commands.c - the console's command of a document whose tables are reached through a window: window.
 */
#include "layouts/movos/commands.h"

#include "base/print.h"
#include "layouts/movos/tables.h"
#include "memory/layout.h"
#include "memory/spaces/space.h"

static vaddr_t address_of_place(uint32_t place)
{
    return page_address(layout.purpose[PURPOSE_BOOKKEEPING]->span.first + place - 1);
}

/* A process's pages; read under its lock and printed without it. */
static void print_pages(struct space *space)
{
    const struct bookkeeping *structure;
    uint32_t                  tables, directory;
    vaddr_t                   at;
    lock_state                state = lock_take(&space->tables_lock);

    structure = space->home.structure;
    at        = address_of_place(structure->structure);
    directory = structure->directory;
    tables    = structure->count;
    lock_drop(&space->tables_lock, state);
    print("0x%08lx  0x%08lx  %6u  directory in frame %u\n", (unsigned long)at,
          (unsigned long)address_of_place(directory), tables, space->root.no);
}

static int run_window(int count __attribute__((unused)), char **words __attribute__((unused)))
{
    uint32_t pages = (uint32_t)span_pages(layout.purpose[PURPOSE_BOOKKEEPING]->span);

    print("structure   directory   tables\n");
    for (struct space *space = space_after(&kernel_space); space != NULL; space = space_after(space))
        print_pages(space);
    print("%u of %u pages are taken, %u are free\n", pages - table_window_free(), pages, table_window_free());
    return 0;
}

const struct command movos_commands[] = {
    { "window", "", 0, 0, run_window, "each process's structure, directory and tables, and the pages left for more" },
    { 0 },
};
