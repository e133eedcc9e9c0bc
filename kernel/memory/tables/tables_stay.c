/*
 * tables_stay.c - tables of programs do not leave memory.
 */
#include "memory/tables/tables_out.h"

bool table_home_go(struct space *space, page_t page)
{
    (void)space, (void)page;
    return false;
}

bool table_home_look(const struct space *space, page_t first, page_t end, page_visitor visit, void *with)
{
    (void)space, (void)first, (void)end, (void)visit, (void)with;
    return false;
}
