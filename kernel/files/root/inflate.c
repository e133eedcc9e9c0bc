/*
 * inflate.c - DEFLATE, decoded on demand: as much as the next read() needs.
 *
 * A code is known by how many codes of each length there are and by its symbols in order (canonical
 * Huffman codes); it is decoded bit by bit with nothing but these two lists.
 */
#include "files/root/inflate.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/heap/heap.h"

enum {
    WINDOW = 32768, LONGEST_CODE = 15, LITERALS = 288, DISTANCES = 32, LENGTH_CODES = 19,
    END_OF_BLOCK = 256, INPUT = 512,
};

struct code {
    uint16_t count[LONGEST_CODE + 1];       /* codes of each length        */
    uint16_t symbol[LITERALS];              /* by length, then by value    */
};

enum phase { BETWEEN_BLOCKS, STORED, CODED, ENDED };

struct inflate {
    struct source  source;                  /* first                       */
    struct source *from;
    uint8_t        input[INPUT];
    size_t         input_at, input_end;
    uint32_t       bits, bit_count;         /* read ahead, lowest first    */
    enum phase     phase;
    bool           last_block, failed;
    uint32_t       stored_left;
    uint32_t       match_left, match_distance;
    uint32_t       crc, produced;           /* of the output, modulo 2^32  */
    uint32_t       window_at;
    struct code    literals, distances;
    uint8_t        window[WINDOW];
};

/* ---- Input --------------------------------------------------------------------------------------- */

static long fail_stream(struct inflate *self, const char *why)
{
    if (!self->failed)
        self->source.problem = why;
    self->failed = true;
    return -EINVAL;
}

static int next_input_byte(struct inflate *self)
{
    if (self->input_at == self->input_end) {
        long got = self->from->read(self->from, self->input, INPUT);

        if (got <= 0)
            return -1;
        self->input_at  = 0;
        self->input_end = (size_t)got;
    }
    return self->input[self->input_at++];
}

/* -1 at the end of input. */
static int32_t take_bits(struct inflate *self, unsigned count)
{
    uint32_t value;

    assert(count <= 16);
    while (self->bit_count < count) {
        int byte = next_input_byte(self);

        if (byte < 0)
            return -1;
        self->bits |= (uint32_t)byte << self->bit_count;
        self->bit_count += 8;
    }
    value = self->bits & ((1u << count) - 1);
    self->bits >>= count;
    self->bit_count -= count;
    return (int32_t)value;
}

/* ---- Output -------------------------------------------------------------------------------------- */

/* CRC-32 as gzip has it, four bits at a time. */
static uint32_t crc_add(uint32_t crc, uint8_t byte)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };

    crc ^= byte;
    crc = crc >> 4 ^ table[crc & 15];
    return crc >> 4 ^ table[crc & 15];
}

static void give_byte(struct inflate *self, uint8_t byte, uint8_t **to, size_t *left)
{
    self->window[self->window_at++ % WINDOW] = byte;
    self->crc = crc_add(self->crc, byte);
    self->produced++;
    *(*to)++ = byte;
    (*left)--;
}

/* ---- Codes ----------------------------------------------------------------------------------------- */

/*
 * Returns false when the lengths ask for more codes than there are, or leave codes out, unless there is only one code.
 */
static bool make_code(struct code *code, const uint8_t *lengths, unsigned symbols)
{
    uint16_t at[LONGEST_CODE + 1];
    int      left = 1;

    assert(symbols <= 288);
    memset(code->count, 0, sizeof code->count);
    for (unsigned i = 0; i < symbols; i++)
        code->count[lengths[i]]++;
    for (unsigned length = 1; length <= LONGEST_CODE; length++) {
        left = left * 2 - code->count[length];
        if (left < 0)
            return false;
    }
    at[1] = 0;
    for (unsigned length = 1; length < LONGEST_CODE; length++)
        at[length + 1] = at[length] + code->count[length];
    for (unsigned i = 0; i < symbols; i++)
        if (lengths[i] != 0)
            code->symbol[at[lengths[i]]++] = (uint16_t)i;
    return left == 0 || symbols - code->count[0] <= 1;
}

/* The next symbol, or -1 when the input has ended or no code matches. */
static int decode_symbol(struct inflate *self, const struct code *code)
{
    int value = 0, first = 0, index = 0;

    for (unsigned length = 1; length <= LONGEST_CODE; length++) {
        int32_t bit   = take_bits(self, 1);
        int     count = code->count[length];

        if (bit < 0)
            return -1;
        value |= bit;
        if (value - first < count)
            return code->symbol[index + value - first];
        index += count;
        first  = (first + count) << 1;
        value <<= 1;
    }
    return -1;
}

static void fixed_codes(struct inflate *self)
{
    uint8_t lengths[LITERALS];

    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    make_code(&self->literals, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    make_code(&self->distances, lengths, DISTANCES);
}

/* Code lengths are themselves coded: 16 repeats the one before, 17 and 18 are runs of zeros. */
static bool read_lengths(struct inflate *self, const struct code *code, uint8_t *lengths, unsigned count)
{
    unsigned at = 0;

    while (at < count) {
        int     symbol = decode_symbol(self, code);
        int32_t times;
        uint8_t value = 0;

        if (symbol < 0)
            return false;
        if (symbol < 16) {
            lengths[at++] = (uint8_t)symbol;
            continue;
        }
        if (symbol == 16) {
            if (at == 0)
                return false;
            value = lengths[at - 1];
            times = take_bits(self, 2);
        } else {
            times = take_bits(self, symbol == 17 ? 3 : 7);
        }
        if (times < 0)
            return false;
        times += symbol == 18 ? 11 : 3;
        if ((unsigned)times > count - at)
            return false;
        memset(lengths + at, value, (size_t)times);
        at += (unsigned)times;
    }
    return true;
}

static bool dynamic_codes(struct inflate *self)
{
    static const uint8_t order[LENGTH_CODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
    uint8_t              lengths[LITERALS + DISTANCES] = { 0 };
    int32_t              literals = take_bits(self, 5), distances = take_bits(self, 5), codes = take_bits(self, 4);

    if (literals < 0 || distances < 0 || codes < 0 || literals > 29 || distances > 29)
        return false;
    literals  += 257;
    distances += 1;
    for (int32_t i = 0; i < codes + 4; i++) {
        int32_t length = take_bits(self, 3);

        if (length < 0)
            return false;
        lengths[order[i]] = (uint8_t)length;
    }
    if (!make_code(&self->literals, lengths, LENGTH_CODES))
        return false;
    memset(lengths, 0, sizeof lengths);
    if (!read_lengths(self, &self->literals, lengths, (unsigned)(literals + distances)) || lengths[END_OF_BLOCK] == 0)
        return false;
    return make_code(&self->literals, lengths, (unsigned)literals) &&
           make_code(&self->distances, lengths + literals, (unsigned)distances);
}

/* ---- Blocks ------------------------------------------------------------------------------------------ */

static long begin_stored(struct inflate *self)
{
    int32_t length, complement;

    take_bits(self, self->bit_count % 8);
    length     = take_bits(self, 16);
    complement = take_bits(self, 16);
    if (length < 0 || complement < 0 || (length ^ complement) != 0xFFFF)
        return fail_stream(self, "a stored block whose length is damaged");
    self->stored_left = (uint32_t)length;
    self->phase = STORED;
    return 0;
}

/* Behind the last block: the checksum and the length of the output. */
static long finish_stream(struct inflate *self)
{
    int32_t part[4];

    take_bits(self, self->bit_count % 8);
    for (unsigned i = 0; i < 4; i++) {
        part[i] = take_bits(self, 16);
        if (part[i] < 0)
            return fail_stream(self, "the compressed data ends too early");
    }
    if (((uint32_t)part[0] | (uint32_t)part[1] << 16) != (self->crc ^ 0xFFFFFFFF))
        return fail_stream(self, "the checksum does not match");
    if (((uint32_t)part[2] | (uint32_t)part[3] << 16) != self->produced)
        return fail_stream(self, "the length does not match");
    self->phase = ENDED;
    return 0;
}

static long begin_block(struct inflate *self)
{
    int32_t last, type;

    if (self->last_block)
        return finish_stream(self);
    last = take_bits(self, 1);
    type = take_bits(self, 2);
    if (last < 0 || type < 0)
        return fail_stream(self, "the compressed data ends too early");
    self->last_block = last;
    if (type == 0)
        return begin_stored(self);
    if (type == 1)
        fixed_codes(self);
    else if (type != 2 || !dynamic_codes(self))
        return fail_stream(self, "a block with damaged codes");
    self->phase = CODED;
    return 0;
}

/* The distance and length that a symbol above END_OF_BLOCK begins. */
static long begin_match(struct inflate *self, int symbol)
{
    static const uint16_t length_base[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59,
                                              67, 83, 99, 115, 131, 163, 195, 227, 258 };
    static const uint8_t  length_bits[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5,
                                              5, 5, 5, 0 };
    static const uint16_t far_base[30] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513,
                                           769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
    int32_t extra, far;
    int     code;

    symbol -= END_OF_BLOCK + 1;
    if (symbol >= 29)
        return fail_stream(self, "a length that does not exist");
    extra = take_bits(self, length_bits[symbol]);
    code  = decode_symbol(self, &self->distances);
    if (extra < 0 || code < 0 || code >= 30)
        return fail_stream(self, "a distance that does not exist");
    far = take_bits(self, code < 4 ? 0 : (unsigned)code / 2 - 1);
    if (far < 0)
        return fail_stream(self, "the compressed data ends too early");
    self->match_left     = length_base[symbol] + (uint32_t)extra;
    self->match_distance = far_base[code] + (uint32_t)far;
    if (self->match_distance > self->produced && self->produced < WINDOW)
        return fail_stream(self, "a reference to before the beginning");
    return 0;
}

static long produce_coded(struct inflate *self, uint8_t **to, size_t *left)
{
    long err = 0;

    while (*left > 0 && err == 0) {
        int symbol;

        if (self->match_left > 0) {
            give_byte(self, self->window[(self->window_at - self->match_distance) % WINDOW], to, left);
            self->match_left--;
            continue;
        }
        symbol = decode_symbol(self, &self->literals);
        if (symbol < 0)
            return fail_stream(self, "the compressed data is damaged or ends too early");
        if (symbol < END_OF_BLOCK) {
            give_byte(self, (uint8_t)symbol, to, left);
        } else if (symbol == END_OF_BLOCK) {
            self->phase = BETWEEN_BLOCKS;
            return 0;
        } else {
            err = begin_match(self, symbol);
        }
    }
    return err;
}

static long produce_stored(struct inflate *self, uint8_t **to, size_t *left)
{
    while (*left > 0 && self->stored_left > 0) {
        int32_t byte = take_bits(self, 8);

        if (byte < 0)
            return fail_stream(self, "the compressed data ends too early");
        give_byte(self, (uint8_t)byte, to, left);
        self->stored_left--;
    }
    if (self->stored_left == 0)
        self->phase = BETWEEN_BLOCKS;
    return 0;
}

static long inflate_read(struct source *source, void *to, size_t bytes)
{
    struct inflate *self = (struct inflate *)source;
    uint8_t        *at   = to;
    size_t          left = bytes;
    long            err  = self->failed ? -EINVAL : 0;

    while (left > 0 && err == 0 && self->phase != ENDED) {
        if (self->phase == BETWEEN_BLOCKS)
            err = begin_block(self);
        else if (self->phase == STORED)
            err = produce_stored(self, &at, &left);
        else
            err = produce_coded(self, &at, &left);
    }
    return err != 0 ? err : (long)(bytes - left);
}

/* ---- The gzip header ------------------------------------------------------------------------------------ */

enum { HEADER_CRC = 2, HEADER_EXTRA = 4, HEADER_NAME = 8, HEADER_COMMENT = 16, HEADER_UNKNOWN = 0xE0 };

static bool skip_bytes(struct inflate *self, uint32_t count)
{
    while (count-- > 0)
        if (take_bits(self, 8) < 0)
            return false;
    return true;
}

static bool skip_text(struct inflate *self)
{
    int32_t byte;

    do
        byte = take_bits(self, 8);
    while (byte > 0);
    return byte == 0;
}

static bool read_gzip_header(struct inflate *self)
{
    int32_t magic = take_bits(self, 16), method = take_bits(self, 8), flags = take_bits(self, 8), extra;

    if (magic != 0x8B1F || method != 8 || flags < 0 || (flags & HEADER_UNKNOWN) || !skip_bytes(self, 6))
        return false;
    if (flags & HEADER_EXTRA) {
        extra = take_bits(self, 16);
        if (extra < 0 || !skip_bytes(self, (uint32_t)extra))
            return false;
    }
    if ((flags & HEADER_NAME) && !skip_text(self))
        return false;
    if ((flags & HEADER_COMMENT) && !skip_text(self))
        return false;
    return !(flags & HEADER_CRC) || skip_bytes(self, 2);
}

struct source *inflate_open(struct source *from)
{
    struct inflate *self = heap_alloc(sizeof *self, 0);

    if (self == NULL)
        return NULL;
    memset(self, 0, offsetof(struct inflate, window));
    self->source.read = inflate_read;
    self->from = from;
    self->crc  = 0xFFFFFFFF;
    if (!read_gzip_header(self))
        fail_stream(self, "no gzip header that we understand");
    return &self->source;
}

void inflate_close(struct source *source)
{
    heap_free_sized((struct inflate *)source, sizeof(struct inflate));
}
