/*
 * compress.c - packing pages that go out, and unpacking them.
 */
#include "base/compress.h"

#include "base/check.h"
#include "base/string.h"

enum { HALF = 15, BYTE = 255, HASH_SHIFT = 22, PATIENCE_SHIFT = 5 };

/* ---- Packing ------------------------------------------------------------------------------------------- */

struct packer {
    const uint8_t *from, *end;
    const uint8_t *literal;                     /* the first byte that is in no sequence yet */
    uint8_t       *to, *to_end;
    bool           full;
};

static uint32_t word_at(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static unsigned word_hash(uint32_t word) { return word * 2654435761u >> HASH_SHIFT; }

static void put_byte(struct packer *p, uint8_t byte)
{
    if (p->to < p->to_end)
        *p->to++ = byte;
    else
        p->full = true;
}

/* What a half of a token could not say. */
static void put_rest(struct packer *p, size_t length)
{
    if (length < HALF)
        return;
    for (length -= HALF; length >= BYTE; length -= BYTE)
        put_byte(p, BYTE);
    put_byte(p, (uint8_t)length);
}

static uint8_t half(size_t length) { return length < HALF ? (uint8_t)length : HALF; }

/* The literals up to `at`, and a match of so many bytes at this distance; at the end, none. */
static void put_sequence(struct packer *p, const uint8_t *at, size_t distance, size_t match)
{
    size_t literals = (size_t)(at - p->literal);
    size_t length   = match > 0 ? match - PACK_MATCH : 0;

    put_byte(p, (uint8_t)(half(literals) << 4 | half(length)));
    put_rest(p, literals);
    if ((size_t)(p->to_end - p->to) < literals) {
        p->full = true;
        return;
    }
    memcpy(p->to, p->literal, literals);
    p->to     += literals;
    p->literal = at + match;
    if (match == 0)
        return;
    put_byte(p, (uint8_t)distance);
    put_byte(p, (uint8_t)(distance >> 8));
    put_rest(p, length);
}

static size_t match_length(const struct packer *p, const uint8_t *at, const uint8_t *earlier)
{
    const uint8_t *start = at;

    while (p->end - at >= 4 && word_at(at) == word_at(earlier))
        at += 4, earlier += 4;
    while (at < p->end && *at == *earlier)
        at++, earlier++;
    return (size_t)(at - start);
}

size_t pack_bytes(const uint8_t *from, size_t bytes, uint8_t *to, size_t room, uint16_t table[PACK_TABLE])
{
    struct packer  p  = { from, from + bytes, from, to, to + room, false };
    const uint8_t *at = from;

    assert(bytes <= PACK_MOST);
    memset(table, 0, PACK_TABLE * sizeof *table);
    /* The longer nothing repeats, the larger the steps. The table knows positions less one: 0 is none. */
    while (!p.full && p.end - at >= PACK_MATCH) {
        uint32_t       word    = word_at(at);
        uint16_t      *place   = &table[word_hash(word)];
        const uint8_t *earlier = *place != 0 ? from + *place - 1 : NULL;

        if (at - from < PACK_MOST)
            *place = (uint16_t)(at - from + 1);
        if (earlier == NULL || word_at(earlier) != word) {
            at += 1 + ((size_t)(at - p.literal) >> PATIENCE_SHIFT);
            continue;
        }
        size_t match = match_length(&p, at, earlier);

        put_sequence(&p, at, (size_t)(at - earlier), match);
        at += match;
    }
    if (!p.full)
        put_sequence(&p, p.end, 0, 0);
    return p.full ? 0 : (size_t)(p.to - to);
}

/* ---- Unpacking ----------------------------------------------------------------------------------------- */

struct unpacker {
    const uint8_t *from, *end;
    uint8_t       *to, *start, *to_end;
};

/* A length that a half of a token begins. False where the input ends, or it is longer than any output. */
static bool take_length(struct unpacker *u, size_t half, size_t *out)
{
    size_t length = half;
    uint8_t byte  = half == HALF ? BYTE : 0;

    while (byte == BYTE) {                      /* bound: bytes of the input */
        if (u->from == u->end || length > PACK_MOST)
            return false;
        byte    = *u->from++;
        length += byte;
    }
    *out = length;
    return true;
}

static bool take_literals(struct unpacker *u, size_t count)
{
    if (count > (size_t)(u->end - u->from) || count > (size_t)(u->to_end - u->to))
        return false;
    memcpy(u->to, u->from, count);
    u->from += count;
    u->to   += count;
    return true;
}

static bool take_match(struct unpacker *u, size_t half)
{
    const uint8_t *earlier;
    size_t         distance, length;

    if (u->end - u->from < 2)
        return false;
    distance = u->from[0] | (size_t)u->from[1] << 8;
    u->from += 2;
    if (!take_length(u, half, &length))
        return false;
    length += PACK_MATCH;
    if (distance == 0 || distance > (size_t)(u->to - u->start) || length > (size_t)(u->to_end - u->to))
        return false;
    earlier = u->to - distance;
    for (const uint8_t *end = u->to + length; u->to < end; )      /* byte by byte: it may overlap */
        *u->to++ = *earlier++;
    return true;
}

bool unpack_bytes(const uint8_t *from, size_t bytes, uint8_t *to, size_t room)
{
    struct unpacker u = { from, from + bytes, to, to, to + room };

    while (u.from < u.end) {
        uint8_t token = *u.from++;
        size_t  literals;

        if (!take_length(&u, token >> 4, &literals) || !take_literals(&u, literals))
            return false;
        if (u.from == u.end)
            return u.to == u.to_end && (token & HALF) == 0;
        if (!take_match(&u, token & HALF))
            return false;
    }
    return false;                               /* no last sequence */
}
