/*
 * call_arguments.h (i386) - where a system call's number, arguments and result are, and how an argument is passed.
 *
 * An argument is a word, zero or sign extended by calls.h for a narrower type. An argument of 64 bits is two words in a
 * row, the low half first, not aligned to a pair. (On an interface of 64 bits it is one word, and there is no
 * call_wide().)
 *
 * Source   System V ABI is silent; Linux, syscall(2), "Architecture calling conventions".
 */
#ifndef QUIRE_LINUX_CALL_ARGUMENTS_H
#define QUIRE_LINUX_CALL_ARGUMENTS_H

#include "trap.h"

enum { CALL_WORDS = 6 };
struct call_arguments { uintptr_t word[CALL_WORDS]; };

/* The number is kept in `error`, which INT does not use, for a call that has to be repeated. */
static inline uint32_t call_arguments_of(struct trap_frame *frame, struct call_arguments *out)
{
    *out = (struct call_arguments){ { frame->ebx, frame->ecx, frame->edx, frame->esi, frame->edi, frame->ebp } };
    frame->error = frame->eax;
    return frame->eax;
}

static inline void call_write_result(struct trap_frame *frame, long result) { frame->eax = (uint32_t)result; }

/* An argument wider than a word; *at goes on behind it. */
static inline uint64_t call_wide(const uintptr_t **at)
{
    uint64_t value = (uint64_t)(*at)[1] << 32 | (*at)[0];

    *at += 2;
    return value;
}

/* 64 bits that every interface passes as two words, low word first: positions of preadv and its relatives. */
static inline int64_t wide(uintptr_t low, uintptr_t high) { return (int64_t)((uint64_t)high << 32 | low); }

#endif
