/*
 * types.h - the units every part of the kernel speaks.
 *
 * A *frame* is PAGE_SIZE bytes of physical memory and has a number; a *page*
 * is PAGE_SIZE bytes of virtual memory and has a number too. The two numbers
 * never share a type: frame_t is a one-field struct, so the compiler refuses
 * a page where a frame belongs, and both where a byte address belongs.
 *
 *   paddr_t   a physical byte address, 64 bits on every port
 *   frame_t   a physical frame number
 *   vaddr_t   a virtual byte address of the machine being managed
 *   page_t    a virtual page number, vaddr_t >> PAGE_SHIFT
 *   span      a run of pages [first, end); the end of the address space is an
 *             ordinary number here, where a byte address would wrap to zero
 *
 * A vaddr_t is not a C pointer: on the host port (arch/host) the machine is an
 * object inside a program, so pointer_to() and address_of() of arch/<port>/cpu.h
 * convert. On a real processor they cost nothing.
 */
#ifndef QUIRE_BASE_TYPES_H
#define QUIRE_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t  paddr_t;
typedef uintptr_t vaddr_t;
typedef uintptr_t page_t;

typedef struct { uint32_t no; } frame_t;

struct span {
    page_t first, end;
};

#define KiB 1024ull
#define MiB (1024ull * KiB)
#define GiB (1024ull * MiB)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u

/* No such frame: larger than any frame number in use. */
#define NO_FRAME ((frame_t){ UINT32_MAX })

static inline bool frame_is(frame_t a, frame_t b) { return a.no == b.no; }
static inline bool frame_exists(frame_t f)        { return f.no != UINT32_MAX; }

static inline paddr_t frame_address(frame_t f)  { return (paddr_t)f.no << PAGE_SHIFT; }
static inline frame_t frame_of(paddr_t address) { return (frame_t){ (uint32_t)(address >> PAGE_SHIFT) }; }

static inline vaddr_t page_address(page_t page)    { return (vaddr_t)page << PAGE_SHIFT; }
static inline page_t  page_of(vaddr_t address)     { return address >> PAGE_SHIFT; }
static inline size_t  pages_for(size_t bytes)      { return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0); }

static inline size_t span_pages(struct span s)     { return s.end - s.first; }
static inline bool   span_empty(struct span s)     { return s.end <= s.first; }
static inline bool   span_has(struct span s, page_t page)         { return page >= s.first && page < s.end; }
static inline bool   span_covers(struct span a, struct span b)    { return a.first <= b.first && b.end <= a.end; }
static inline bool   span_meets(struct span a, struct span b)     { return a.first < b.end && b.first < a.end; }

static inline struct span span_of(page_t first, size_t pages)     { return (struct span){ first, first + pages }; }

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN   __attribute__((noreturn))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#endif
