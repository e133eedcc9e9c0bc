/*
 * application.h - the memory of a program that is linked into the kernel's image.
 *
 * Its code and constants are the kernel's pages. Its own memory lies at the bottom of the programs' part, in the order
 * that the document gives under `## Applications`, from the bottom up:
 *
 *   heap     by the break, from heap_first pages to heap_most
 *   guard    never mapped: the heap cannot reach the stack, and an overflow of the stack is named
 *   stack    grows down by writing, from stack_first pages to stack_most
 *   shared   its copy of the shared variables (shared.h), packed: it ends with a page, and the rest of the page in
 *            which it begins is the stack's
 *
 * So a stack of at most 16 pages has 16 pages including the part of the highest that belongs to shared, and an
 * application has as many pages of addresses as heap, guard, stack and the pages of shared beyond one. An application
 * that asks for less than the document allows has a shorter table (G3).
 *
 * Source   claims G3, G19 to G24.
 */
#ifndef QUIRE_MEMORY_APPLICATION_H
#define QUIRE_MEMORY_APPLICATION_H

#include "memory/layout.h"

struct space;

struct application {
    struct span heap;                   /* all that the break can have         */
    struct span guard, stack;           /* all of the stack                    */
    vaddr_t     shared;                 /* the copy; and the top of the stack  */
    page_t      end;                    /* first page above                    */
};

/*
 * Where an application lies that asks for at most so many pages. More than the document allows, or 0, stands for as
 * many as it allows.
 */
struct application application_place(size_t heap_pages, size_t stack_pages);

/*
 * Give a new space the regions, the limits, a pristine copy of the shared variables, and the first pages. Returns 0 or
 * -ENOMEM; then the space may hold part of it and is to be cleared.
 */
int application_map(struct space *space, const struct application *application) MUST_CHECK;

#endif
