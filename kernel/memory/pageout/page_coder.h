/*
 * page_coder.h - the working memory in which pages are packed and unpacked: there when no other memory is.
 *
 * Who packs a page of a program (page_out.c) or of an object (object_out.c) copies it here first, so that the page may
 * change meanwhile. There is one, so one page is packed or unpacked at a time.
 *
 * Locking  coder_lock, which sleeps: taken inside of a map's, outside of an object's.
 */
#ifndef QUIRE_MEMORY_PAGE_CODER_H
#define QUIRE_MEMORY_PAGE_CODER_H

#include "base/compress.h"
#include "base/rwlock.h"
#include "memory/pageout/swap.h"

struct page_coder {
    uint8_t  page[PAGE_SIZE];
    uint8_t  packed[SWAP_MOST];
    uint16_t table[PACK_TABLE];
};

extern struct rwlock     coder_lock;
extern struct page_coder coder;                 /* [coder_lock] */

/* Pack coder.page into coder.packed. How many bytes that are; 0: it does not shrink to SWAP_MOST. */
static inline size_t coder_pack(void)
{
    return pack_bytes(coder.page, PAGE_SIZE, coder.packed, sizeof coder.packed, coder.table);
}

#endif
