/*
 * test_cpio.c - archives unpacked; archives refused.
 */
#include <time.h>

#include "files_world.h"

#include "files/root/cpio.h"

enum { MOST = 1 << 20 };

static uint8_t archive[MOST];
static size_t  size;
static const char *why;

/* ---- Making archives ---------------------------------------------------------------------------- */

static void add_bytes(const void *bytes, size_t count)
{
    assert_true(size + count + 4 <= MOST);
    memcpy(archive + size, bytes, count);
    size += count;
    while (size % 4 != 0)
        archive[size++] = 0;
}

struct facts { unsigned inode, mode, links, major, minor; };

static void add(const char *name, struct facts f, const char *contents, size_t count)
{
    char     header[111];
    uint32_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (uint8_t)contents[i];
    snprintf(header, sizeof header, "070702%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", f.inode,
             f.mode, 7u, 8u, f.links, 1000u, (unsigned)count, 0u, 1u, f.major, f.minor,
             (unsigned)strlen(name) + 1, sum);
    memcpy(archive + size, header, 110);
    size += 110;
    add_bytes(name, strlen(name) + 1);
    add_bytes(contents, count);
}

static void add_file(const char *name, const char *text)
{
    add(name, (struct facts){ 1, 0100644, 1, 0, 0 }, text, strlen(text));
}

static void add_end(void) { add("TRAILER!!!", (struct facts){ 0, 0, 1, 0, 0 }, "", 0); }

/* ---- Unpacking them -------------------------------------------------------------------------------- */

struct memory {
    struct source source;
    size_t        at, end;
    unsigned      pages_given;
};

static long read_memory(struct source *source, void *to, size_t bytes)
{
    struct memory *self = (struct memory *)source;

    if (bytes > self->end - self->at)
        bytes = self->end - self->at;
    memcpy(to, archive + self->at, bytes);
    self->at += bytes;
    return (long)bytes;
}

/* Pages of the archive are frames of their own here as well: copies, whose owner is FILE. */
static bool take_frame(struct source *source, frame_t *out)
{
    struct memory *self = (struct memory *)source;

    if (self->at % PAGE_SIZE != 0 || self->end - self->at < PAGE_SIZE || frame_get(OWNER_FILE, 0, out) != 0)
        return false;
    memcpy(&machine_ram[frame_address(*out)], archive + self->at, PAGE_SIZE);
    self->at += PAGE_SIZE;
    self->pages_given++;
    return true;
}

static int unpack(size_t bytes)
{
    struct memory memory = { .source = { read_memory, NULL, NULL }, .end = bytes };

    return cpio_unpack(&memory.source, fs, &why);
}

static void begin(void)
{
    size = 0;
    start_files();
}

static void everything_in_an_archive_is_made(void **state)
{
    struct node *node, *other;
    char         target[16];

    (void)state;
    begin();
    add("bin", (struct facts){ 1, 040755, 2, 0, 0 }, "", 0);
    add_file("bin/tool", "#!tool");
    add("bin/link", (struct facts){ 3, 0120777, 1, 0, 0 }, "tool", 4);
    add("one", (struct facts){ 4, 0100600, 2, 0, 0 }, "", 0);
    add("two", (struct facts){ 4, 0100600, 2, 0, 0 }, "shared", 6);
    add("null", (struct facts){ 5, 020666, 1, 1, 3 }, "", 0);
    add("deep/er/file", (struct facts){ 6, 0104755, 1, 0, 0 }, "x", 1);
    add_end();
    assert_int_equal(unpack(size), 0);
    assert_holds("/bin/tool", "#!tool", 6);
    assert_holds("/bin/link", "#!tool", 6);
    assert_holds("/one", "shared", 6);
    node  = find("/one");
    other = find("/two");
    assert_ptr_equal(node, other);
    assert_int_equal(node->links, 2);
    assert_int_equal(node->mode, 0100600);
    assert_int_equal(node->uid, 7);
    assert_int_equal(node->gid, 8);
    assert_int_equal(node->modified, 1000ull * 1000000000);
    node_release(node);
    node_release(other);
    node = find("/null");
    assert_int_equal(node->mode, 020666);
    assert_int_equal(node->device, 0x103);
    node_release(node);
    node = find("/bin/link");
    assert_int_equal(node->operations->read_link(node, target, 16), 4);
    node_release(node);
    node = find("/deep/er/file");
    assert_int_equal(node->mode, 0104755);
    node_release(node);
    stop_files();
}

/* A file's only name so far is replaced by another file; an entry with the same number later is a new file. */
/* A path of so many bytes, of parts that are not too long. */
static const char *long_path(size_t length)
{
    static char path[5000];

    memset(path, 'n', length);
    for (size_t i = 200; i < length - 1; i += 201)
        path[i] = '/';
    path[length] = '\0';
    return path;
}

/* Around the length up to which names are read into a small block, and as long as a path may be. */
static void names_may_be_short_after_long_ones(void **state)
{
    static const size_t lengths[] = { 254, 255, 256, 257, 4000, 4094, 100 };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        add_file(long_path(lengths[i]), "of a long name");
    add_end();
    assert_int_equal(unpack(size), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        assert_holds(long_path(lengths[i]), "of a long name", 14);
    stop_files();
}

static void a_replaced_name_is_linked_to_no_more(void **state)
{
    (void)state;
    begin();
    add("one", (struct facts){ 4, 0100600, 2, 0, 0 }, "first", 5);
    add("one", (struct facts){ 5, 0100600, 1, 0, 0 }, "second", 6);
    add("two", (struct facts){ 4, 0100600, 2, 0, 0 }, "third", 5);
    add("three", (struct facts){ 4, 0100600, 2, 0, 0 }, "", 0);
    add_end();
    assert_int_equal(unpack(size), 0);
    assert_holds("/one", "second", 6);
    assert_holds("/two", "third", 5);
    assert_holds("/three", "third", 5);
    stop_files();                               /* which looks at T1 to T3 */
}

static void what_was_there_is_replaced(void **state)
{
    (void)state;
    begin();
    make_file("/f", "a longer text", 13);
    add_file("f", "new");
    add("d", (struct facts){ 2, 040700, 2, 0, 0 }, "", 0);
    add_file("d", "a file in its place");
    add_end();
    add_file("second", "archive");              /* behind the first, as boot loaders put them together */
    add_end();
    size += 512;
    memset(archive + size - 512, 0, 512);
    assert_int_equal(unpack(size), 0);
    assert_holds("/f", "new", 3);
    assert_holds("/d", "a file in its place", 19);
    assert_holds("/second", "archive", 7);
    stop_files();
}

/* Header and name, padded. */
enum { HEAD_OF_FILLING = 128, HEAD_OF_BIG = 120 };

/* An entry of the right length puts the contents on a page of their own, and they are not copied. */
static void aligned_contents_are_taken_over(void **state)
{
    static char   contents[2 * PAGE_SIZE + 100];
    char          filling[PAGE_SIZE] = { 0 };
    struct memory memory = { .source = { read_memory, take_frame, NULL } };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof contents; i++)
        contents[i] = (char)(i * 7);
    add(CPIO_FILLING, (struct facts){ 1, 0100400, 1, 0, 0 }, filling, PAGE_SIZE - HEAD_OF_FILLING - HEAD_OF_BIG);
    add("big.txt", (struct facts){ 2, 0100644, 1, 0, 0 }, contents, sizeof contents);
    archive[PAGE_SIZE - HEAD_OF_BIG + 5] = '1';     /* without a sum, which could only be checked by reading */
    add_end();
    memory.end = size;
    assert_int_equal(cpio_unpack(&memory.source, fs, &why), 0);
    assert_int_equal(memory.pages_given, 2);
    assert_int_equal(frames_owned(OWNER_FILE), 3);
    assert_holds("/big.txt", contents, sizeof contents);
    assert_int_equal(path_remove(fs, NULL, "/.quire", true), -ENOENT);
    stop_files();
}

/* Each entry looked for all folders on its way, from the top: 1200 of them kept a kernel busy for a minute. */
static void a_deep_folder_costs_the_square_of_its_depth(void **state)
{
    enum { DEPTH = 900, SECONDS_MOST = 4 };
    static char  path[2 * DEPTH];
    struct node *node;
    clock_t      began;

    (void)state;
    begin();
    for (size_t length = 1; length < sizeof path; length += 2) {
        path[length - 1] = 'd';
        path[length]     = '\0';
        add(path, (struct facts){ 1, 040755, 2, 0, 0 }, "", 0);
        path[length]     = '/';
    }
    add_end();
    began = clock();
    assert_int_equal(unpack(size), 0);
    assert_true(clock() - began < (clock_t)SECONDS_MOST * CLOCKS_PER_SEC);
    path[sizeof path - 1] = '\0';
    node = find(path);
    assert_int_equal(node->mode, 040755);
    node_release(node);
    stop_files();
}

static void an_archive_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    begin();
    add("d", (struct facts){ 1, 040755, 2, 0, 0 }, "", 0);
    add_file("d/f", "some text");
    add("l", (struct facts){ 3, 0120777, 1, 0, 0 }, "d/f", 3);
    add_end();
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(unpack(cut), -EINVAL);
        assert_string_equal(why, "the archive ends too early");
    }
    assert_int_equal(unpack(size), 0);
    stop_files();
}

static void refused(const char *reason)
{
    assert_true(unpack(size) < 0);
    assert_string_equal(why, reason);
}

static void nonsense_is_refused_with_a_reason(void **state)
{
    (void)state;
    begin();
    add_file("../outside", "x");
    add_end();
    refused("a name with \"..\" in it");
    size = 0;
    add_file("a/../../b", "x");
    refused("a name with \"..\" in it");
    size = 0;
    add_file("f", "x");
    archive[0] = '1';
    refused("no header of a newc entry where one should be");
    size = 0;
    add_file("f", "x");
    archive[20] = 'g';
    refused("a header with a damaged number");
    size = 0;
    add_file("f", "contents");
    archive[size - 3] ^= 1;
    refused("a file whose checksum does not match");
    size = 0;
    add("d", (struct facts){ 1, 040755, 2, 0, 0 }, "text", 4);
    refused("contents where there can be none");
    size = 0;
    add_file("g", "x");
    add_file("g/h", "x");
    add_end();
    refused("a file lies where a folder must be");
    size = 0;
    memset(archive, 0, sizeof archive);
    add_file("h", "x");
    add_end();
    archive[size++] = 'x';
    size += 200;
    refused("no header of a newc entry where one should be");
    stop_files();
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 100; n++) {
        int err;

        begin();
        add_file("d/f", "some text");
        add_file(long_path(300), "some more");
        add("l", (struct facts){ 3, 0120777, 1, 0, 0 }, "d/f", 3);
        add("one", (struct facts){ 4, 0100600, 2, 0, 0 }, "", 0);
        add("two", (struct facts){ 4, 0100600, 2, 0, 0 }, "shared", 6);
        add_end();
        heap_drain();
        heap_fail_at(n);
        err = unpack(size);
        heap_fail_at(0);
        if (err != 0) {
            assert_int_equal(err, -ENOMEM);
            assert_string_equal(why, "no memory for its files");
        }
        stop_files();
        if (err == 0)
            return;
    }
    fail_msg("it never gets through");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_in_an_archive_is_made),
        cmocka_unit_test(names_may_be_short_after_long_ones),
        cmocka_unit_test(a_replaced_name_is_linked_to_no_more),
        cmocka_unit_test(what_was_there_is_replaced),
        cmocka_unit_test(aligned_contents_are_taken_over),
        cmocka_unit_test(a_deep_folder_costs_the_square_of_its_depth),
        cmocka_unit_test(an_archive_cut_off_anywhere_is_refused),
        cmocka_unit_test(nonsense_is_refused_with_a_reason),
        cmocka_unit_test(without_memory_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
