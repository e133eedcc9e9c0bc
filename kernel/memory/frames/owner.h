/*
 * owner.h - who a frame belongs to.
 *
 * Every frame of RAM has exactly one owner kind at any time, named when it is taken.
 * The sums over all kinds add up to all RAM; "used" is never a remainder.
 */
#ifndef QUIRE_MEMORY_OWNER_H
#define QUIRE_MEMORY_OWNER_H

#define OWNERS(OWNER)                                                                   \
    OWNER(ABSENT,  "absent",  "no RAM here: a hole, a device, firmware's own")          \
    OWNER(FREE,    "free",    "in the pool, or at hand in a CPU's magazine")               \
    OWNER(HELD,    "held",    "RAM that the layout never hands out")                    \
    OWNER(IMAGE,   "image",   "the kernel image")                                       \
    OWNER(BOOT,    "boot",    "modules and what the boot loader left for us")           \
    OWNER(BITMAP,  "bitmap",  "the frame bitmap and its summary")                       \
    OWNER(RECORDS, "records", "one record for each frame")                              \
    OWNER(TABLES,  "tables",  "page tables and directories")                            \
    OWNER(TRACKERS, "trackers", "where page-table objects are, and lists of them")      \
    OWNER(HEAP,    "heap",    "kernel heap")                                            \
    OWNER(STACK,   "stacks",  "kernel stacks")                                          \
    OWNER(PROCESS, "process", "process and thread bookkeeping")                         \
    OWNER(USER,    "user",    "private memory of programs")                             \
    OWNER(SHARED,  "shared",  "memory shared by programs")                              \
    OWNER(FILE,    "files",   "contents of files")                                      \
    OWNER(COMPRESSED, "packed", "pages of programs that are out, packed")                 \
    OWNER(CACHE,   "cache",   "zeroed in advance, kept for a need")                     \
    OWNER(PAGES,   "pages",   "single pages taken by address: get_next_page")           \
    OWNER(TEST,    "test",    "taken by a test or by hand at the console")

#define OWNER_NAME(id, word, text) OWNER_##id,
enum owner { OWNERS(OWNER_NAME) OWNER_COUNT };
#undef OWNER_NAME

extern const char *const owner_names[OWNER_COUNT];      /* "free", "image", ... */
extern const char *const owner_texts[OWNER_COUNT];

#endif
