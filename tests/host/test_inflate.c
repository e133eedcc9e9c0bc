/*
 * test_inflate.c - files of gzip are read, and damaged files are refused.
 *
 * This machine's gzip program is the other side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "memory_source.h"
#include "no_heap.h"

enum { MOST = 300000 };

static uint8_t plain[MOST], packed[MOST + 4096], unpacked[MOST + 1];

static size_t gzip(size_t bytes, const char *how)
{
    char   name[] = "/tmp/quire-inflate-XXXXXX", command[128];
    int    made   = mkstemp(name);
    FILE  *file   = fdopen(made, "wb");
    size_t size;

    assert_non_null(file);
    assert_int_equal(fwrite(plain, 1, bytes, file), bytes);
    fclose(file);
    snprintf(command, sizeof command, "gzip %s -c %s", how, name);
    file = popen(command, "r");
    assert_non_null(file);
    size = fread(packed, 1, sizeof packed, file);
    assert_int_equal(pclose(file), 0);
    remove(name);
    return size;
}

/* Returns the number of bytes unpacked, or a negative errno. */
static long unpack(size_t packed_bytes, size_t in_most, size_t out_most, const char **problem)
{
    struct memory  memory = { { read_memory, NULL, NULL }, packed, packed_bytes, in_most };
    struct source *source = inflate_open(&memory.source);
    long           done   = 0, got;

    assert_non_null(source);
    do {
        size_t room = sizeof unpacked - (size_t)done;

        got = source->read(source, unpacked + done, room < out_most ? room : out_most);
        if (got > 0)
            done += got;
    } while (got > 0);
    *problem = source->problem;
    inflate_close(source);
    return got < 0 ? got : done;
}

static void fill(unsigned kind, size_t bytes)
{
    uint64_t random = 1;

    for (size_t i = 0; i < bytes; i++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        plain[i] = kind == 0 ? 0 : kind == 1 ? (uint8_t)(random >> 56)
                 : kind == 2 ? "the quick brown fox "[(random >> 60) % 20]
                 : (uint8_t)(i / 40000 + (i % 37000 == 0) + (random >> 63));
    }
}

static void what_gzip_made_is_read(void **state)
{
    static const char *const hows[] = { "-1", "-9" };
    static const size_t      sizes[] = { 0, 1, 5, 1000, 32769, 65535, MOST };

    (void)state;
    for (unsigned kind = 0; kind < 4; kind++)
        for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (unsigned h = 0; h < 2; h++) {
                const char *problem;
                size_t      size;

                fill(kind, sizes[s]);
                size = gzip(sizes[s], hows[h]);
                assert_int_equal(unpack(size, 1 + s * 100, 1 + s * 777, &problem), sizes[s]);
                assert_null(problem);
                assert_memory_equal(unpacked, plain, sizes[s]);
            }
}

static void a_file_cut_off_anywhere_is_refused(void **state)
{
    const char *problem;
    size_t      size;

    (void)state;
    fill(2, 3000);
    size = gzip(3000, "-9");
    for (size_t cut = 0; cut < size; cut++) {
        assert_true(unpack(cut, 4096, 4096, &problem) < 0);
        assert_non_null(problem);
    }
}

/* The checksum finds damage that the codes let through; only the last code byte's unused bits do not matter. */
static void a_damaged_byte_is_noticed(void **state)
{
    const char *problem;
    size_t      size;

    (void)state;
    fill(2, 3000);
    size = gzip(3000, "-9 -n");
    for (size_t at = 10; at < size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            packed[at] ^= (uint8_t)(1u << bit);
            if (unpack(size, 4096, 4096, &problem) >= 0 && at != size - 9)
                fail_msg("bit %u of byte %zu", bit, at);
            packed[at] ^= (uint8_t)(1u << bit);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_gzip_made_is_read),
        cmocka_unit_test(a_file_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_damaged_byte_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
