/*
 * test_layout_output.c - output of the layout compiler, linked by the real linker and checked.
 *
 * A few lines of assembly stand in for the kernel. They have the sections and the symbols
 * that the linker script and the boot tables ask for, and grow as large as a test wants.
 */
#include "layout_text.h"

#include "layout/emit.h"
#include "layout/picture.h"

#include <dirent.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-layout-XXXXXX";

/* ---- A small image --------------------------------------------------------------------- */

static char *said;              /* the output of the last failed step */

static void write_file(const char *name, const char *text)
{
    FILE *file;
    char *path;

    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    free(path);
}

/* A file of the folder, in memory; the caller frees it. */
static char *read_file(const char *name, size_t *bytes)
{
    char *path, *text = calloc(1, 1 << 20);
    FILE *file;

    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(text);
    *bytes = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    free(path);
    return text;
}

/* Run in the folder; true when it succeeds. Its output is in `said`. */
static bool run(const char *command)
{
    char *all;
    size_t bytes;
    int status;

    assert_true(asprintf(&all, "cd %s && %s > said 2>&1", folder, command) > 0);
    status = system(all);
    free(all);
    free(said);
    said = read_file("said", &bytes);
    return status == 0;
}

static void compile_text(const char *text)
{
    struct document document;
    struct source source;

    assert_true(source_from(&source, "mine.md", text, strlen(text), stderr));
    assert_true(document_compile(&document, &source));
    assert_int_equal(emit_all(&document, folder), 0);
    source_free(&source);
}

/* Sections of the given sizes, linked as the document says. False when the linker refuses. */
static bool link_image(unsigned long text, unsigned long rodata, unsigned long data, unsigned long bss)
{
    char *image;

    assert_true(asprintf(&image,
                         "    .section .boot.header, \"a\"\n    .long 0x1BADB002, 0, -0x1BADB002\n"
                         "    .section .boot.text, \"ax\"\n    .globl boot_start\nboot_start: jmp start\n"
                         "    .section .boot.bss, \"aw\", @nobits\n    .skip 5000\n"
                         "    .text\nstart: .skip %lu, 0x90\n    .section .rodata\n    .skip %lu, 1\n"
                         "    .data\n    .skip %lu, 2\n    .bss\n    .skip %lu\n"
                         "    .section .note.GNU-stack, \"\", @progbits\n", text, rodata, data, bss) > 0);
    write_file("image.S", image);
    free(image);
    return run("gcc -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--fatal-warnings -T kernel.ld "
               "-o image.elf image.S tables.S");
}

static unsigned long symbol(const char *name)
{
    char *command;
    unsigned long value;

    assert_true(asprintf(&command, "nm image.elf | awk '$3 == \"%s\" { print $1 }'", name) > 0);
    assert_true(run(command));
    free(command);
    if (sscanf(said, "%lx", &value) != 1)
        fail_msg("no symbol %s", name);
    return value;
}

/* The directory and the table below it that the image has: the first bytes of .data. The caller frees them. */
static uint32_t *boot_tables(void)
{
    size_t bytes;
    char *tables;

    assert_true(run("objcopy -O binary -j .data image.elf data.bin"));
    assert_int_equal(symbol("boot_directory"), symbol("image_data_start"));
    tables = read_file("data.bin", &bytes);
    assert_true(bytes >= 2 * PAGE);
    return (uint32_t *)(void *)tables;
}

static void compile_shipped(const char *name)
{
    char *text = document_text(name);

    compile_text(text);
    free(text);
}

/* ---- Tests ----------------------------------------------------------------------------- */

static void constants_are_in_the_header(void **state)
{
    size_t bytes;
    char *header;

    (void)state;
    compile_shipped(HH);
    header = read_file("layout.h", &bytes);
    assert_non_null(strstr(header, "#define LAYOUT_NAME \"higher-half\"\n"));
    assert_non_null(strstr(header, "#define LAYOUT_KERNEL_OFFSET 0xC0000000\n"));
    assert_non_null(strstr(header, "#define LAYOUT_USER_END      0xC0000000\n"));
    assert_non_null(
        strstr(header, "#define LAYOUT_HEAP_START 0xF1000000\n#define LAYOUT_HEAP_SIZE  0x0E000000\n"));
    assert_non_null(strstr(header, "#define LAYOUT_ACCESS_SELF 1\n"));
    assert_non_null(strstr(header, "#define LAYOUT_MAGAZINE 0\n"));
    assert_non_null(strstr(header, "#define LAYOUT_TSS 0x00002000\n"));
    free(header);
}

/* C and assembly both read layout.h; layout.c needs nothing but the kernel's headers. */
static void generated_sources_compile(void **state)
{
    static const char *const names[] = { HH, QU };
    char here[4096], *command;

    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    assert_true(asprintf(&command,
                         "gcc -m32 -std=gnu11 -ffreestanding -fno-pic -Wall -Wextra -Werror -I%s/kernel "
                         "-I. -include layout.h -c layout.c && gcc -m32 -include layout.h -c tables.S",
                         here) > 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        compile_shipped(names[i]);
        if (!run(command))
            fail_msg("%s", said);
    }
    free(command);
}

static void sections_meet_at_page_borders(void **state)
{
    (void)state;
    compile_shipped(QU);
    if (!link_image(10000, 5000, 100, 9000))
        fail_msg("%s", said);
    assert_int_equal(symbol("image_boot_first_page"), 0xE0100);
    assert_int_equal(symbol("image_text_first_page"), symbol("image_boot_end_page"));
    assert_int_equal(symbol("image_rodata_first_page"), symbol("image_text_end_page"));
    assert_int_equal(symbol("image_data_first_page"), symbol("image_rodata_end_page"));
    assert_int_equal(symbol("image_text_end_page"), symbol("image_text_first_page") + 3);
    assert_int_equal(symbol("image_data_end_frame") + 0xE0000, symbol("image_data_end_page"));
    assert_int_equal(symbol("image_physical_start"), 0x100000);
    assert_int_equal(symbol("image_physical_end"), symbol("image_data_end_frame") << 12);
    assert_int_equal(symbol("image_end"), symbol("image_data_end_page") << 12);
}

/* The header is what a loader looks for first, and no segment is writable and executable. */
static void loader_finds_header_and_segments(void **state)
{
    (void)state;
    compile_shipped(QU);
    assert_true(link_image(10000, 5000, 100, 9000));
    assert_int_equal(symbol("image_boot_start"), 0x100000);
    assert_true(run("objcopy -O binary -j .boot image.elf boot.bin && od -An -tx4 -N4 boot.bin"));
    assert_non_null(strstr(said, "1badb002"));
    assert_true(run("readelf -lW image.elf"));
    assert_null(strstr(said, "RWE"));
    assert_non_null(strstr(said, "Entry point 0x10000c"));
}

static void a17_boot_directory_shows_four_mebibytes_twice(void **state)
{
    unsigned long offset = 0xC0000000;
    uint32_t *tables, *kept;

    (void)state;
    compile_shipped(HH);
    assert_true(link_image(100, 100, 100, 100));
    tables = boot_tables();
    assert_int_equal(tables[0], symbol("boot_table_0") + 3);
    assert_int_equal(tables[768], symbol("boot_table_768") - offset + 3);
    assert_int_equal(tables[960], tables[768]);
    assert_int_equal(tables[963], symbol("boot_slot_table") - offset + 3);
    assert_int_equal(tables[1023], symbol("boot_directory") - offset + 3);
    for (int i = 1; i < 1023; i++)
        assert_true(tables[i] == 0 || i == 768 || i == 960 || i == 963);
    kept = tables + (symbol("boot_table_768") - symbol("boot_directory")) / 4;
    for (uint32_t i = 0; i < 1024; i++)
        assert_int_equal(kept[i], i * PAGE + 3);
    assert_true(symbol("boot_table_0") < symbol("image_boot_end"));     /* goes with the boot code */
    free(tables);
}

static void section_that_outgrows_is_refused(void **state)
{
    char *text = document_text(HH), *line;

    (void)state;
    compile_text(text);
    assert_false(link_image(4 << 20, 100, 100, 100));
    assert_true(asprintf(&line,
                         "mine.md:%u: the region text must end at 0xC03FFFFF, but the image's text goes on",
                         line_of(text, "| end of boot | end of text")) > 0);
    assert_non_null(strstr(said, line));
    free(line);

    assert_false(link_image(100, 100, 100, 4 << 20));
    assert_true(asprintf(&line,
                         "mine.md:%u: the physical range image must end at 0x003FFFFF, but the image goes on",
                         line_of(text, "| image |")) > 0);
    assert_non_null(strstr(said, line));
    free(line);
    free(text);
}

/* In layouts/quire/layout.md the image may grow to 256 MiB, but only what is mapped at the start can run. */
static void image_beyond_boot_mapping_is_refused(void **state)
{
    (void)state;
    compile_shipped(QU);
    assert_true(link_image(100, 100, 100, 2 << 20));
    assert_false(link_image(100, 100, 100, 4 << 20));
    assert_non_null(strstr(said, "the boot mapping ends at physical 0x003FFFFF, but the image goes on"));
}

/* Sections at addresses of the writer's choice: the linker keeps them there. */
static void sections_may_have_fixed_borders(void **state)
{
    char *text = document_text(QU), *one, *two;

    (void)state;
    one = replaced(text, "| end of boot | end of text | floats | text",
                   "| 0xE0110000 | 0xE017FFFF | 448 KiB | text");
    two = replaced(one, "| 0xE0100000 | end of boot | floats |", "| 0xE0100000 | 0xE010FFFF | 64 KiB |");
    free(text);
    text = replaced(two, "| end of text | end of rodata |", "| 0xE0180000 | end of rodata |");
    compile_text(text);
    assert_true(link_image(10000, 100, 100, 100));
    assert_int_equal(symbol("image_text_first_page"), 0xE0110);
    assert_int_equal(symbol("image_rodata_first_page"), 0xE0180);
    assert_false(link_image(449 << 10, 100, 100, 100));
    assert_non_null(strstr(said, "the region text must end at 0xE017FFFF, but the image's text goes on"));
    free(text), free(two), free(one);
}

/* The steps of a user: copy a document, move the kernel, build. */
static void copied_document_with_other_addresses(void **state)
{
    char *text = document_text(HH), *at, *one, *two, *three, *header;
    uint32_t *tables;
    size_t bytes;

    (void)state;
    one = replaced(text, "0xBFFFFFFF | 3 GiB less 64 KiB", "0xCFFFFFFF | 3.25 GiB less 64 KiB");
    two = replaced(one, "0xC0400000 | 0xEFFFFFFF | 764 MiB", "0xC0400000 | 0xEFFFFFFF | 508 MiB");
    three = replaced(two, "# higher-half: ", "# mine: ");
    while ((at = strstr(three, "0xC0")) != NULL)
        at[2] = 'D';
    compile_text(three);
    assert_true(link_image(100, 100, 100, 100));
    assert_int_equal(symbol("image_boot_first_page"), 0xD0100);
    tables = boot_tables();
    assert_int_equal(tables[768], 0);
    assert_int_equal(tables[832], symbol("boot_table_832") - 0xD0000000 + 3);
    assert_int_equal(tables[960], tables[832]);
    header = read_file("layout.h", &bytes);
    assert_non_null(strstr(header, "#define LAYOUT_KERNEL_OFFSET 0xD0000000\n"));
    assert_non_null(strstr(header, "#define LAYOUT_USER_END      0xD0000000\n"));
    free(header), free(tables), free(three), free(two), free(one), free(text);
}

/* Every region and every physical range has its box, highest address first. */
static void picture_shows_every_row(void **state)
{
    static const char *const down[] = {
        "4 GiB",           "| tables ",   "0xFFC00000", "| stacks ",  "| heap ",
        "never mapped",    "end of data", "| text ",    "| user ",    "0x00000000",
        "Physical memory", "| memory ",   "| bitmap ",  "0x00060000", "| structures ",
    };
    const char *at;
    char *picture;
    size_t bytes;

    (void)state;
    compile_shipped(HH);
    picture = read_file("layout.txt", &bytes);
    at = picture;
    for (size_t i = 0; i < COUNT_OF(down); i++) {
        at = strstr(at, down[i]);
        if (at == NULL)
            fail_msg("no `%s` where it belongs in:\n%s", down[i], picture);
    }
    for (at = picture; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n')
        assert_true(strcspn(at, "\n") <= 80);
    free(picture);
}

/* Text from the document cannot break out of the drawing. */
static void drawing_escapes_text(void **state)
{
    char *text = document_text(HH), *wild = replaced(text, "Nothing yet", "1 < 2 & 3 > 2"), *svg;
    struct document document;
    struct source source;
    size_t size;
    FILE *out = open_memstream(&svg, &size);

    (void)state;
    assert_true(source_from(&source, "mine.md", wild, strlen(wild), stderr));
    assert_true(document_compile(&document, &source));
    picture_svg(&document, out);
    fclose(out);
    source_free(&source);
    assert_non_null(strstr(svg, "1 &lt; 2 &amp; 3 &gt; 2"));
    assert_non_null(strstr(svg, "</svg>"));
    free(svg), free(wild), free(text);
}

/* A heap with a maximum once grew, in its drawing, by "4 KiB each". */
static void drawing_says_how_a_region_grows(void **state)
{
    char *text = document_text(QU), *limited = replaced(text, "by 4 KiB | - | Q7 | What the kernel",
                                                        "by 4 KiB, at most 2 MiB | - | Q7 | What the kernel"), *svg;
    struct document document;
    struct source source;
    size_t size;
    FILE *out = open_memstream(&svg, &size);

    (void)state;
    assert_true(source_from(&source, "mine.md", limited, strlen(limited), stderr));
    assert_true(document_compile(&document, &source));
    picture_svg(&document, out);
    fclose(out);
    source_free(&source);
    assert_non_null(strstr(svg, "by 4 KiB, at most 2 MiB"));
    assert_non_null(strstr(svg, "8 KiB each, a guard of 4 KiB below each"));
    free(svg), free(limited), free(text);
}

/* Kernel space's own regions are a column of their own; without them there are two columns. */
static void drawing_shows_kernel_space(void **state)
{
    static const struct { const char *layout; int columns; } cases[] = { { QU, 2 }, { "pat", 3 } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = document_text(cases[i].layout), *svg;
        struct document document;
        struct source source;
        size_t size;
        FILE *out = open_memstream(&svg, &size);
        int columns = 0;

        assert_true(source_from(&source, "mine.md", text, strlen(text), stderr));
        assert_true(document_compile(&document, &source));
        picture_svg(&document, out);
        fclose(out);
        for (const char *at = svg; (at = strstr(at, "class=\"frame\"")) != NULL; at++)
            columns++;
        assert_int_equal(columns, cases[i].columns);
        assert_true((strstr(svg, "Kernel space, in place of the program") != NULL) == (columns == 3));
        assert_true((strstr(svg, ">direct</tspan>") != NULL));
        source_free(&source);
        free(svg), free(text);
    }
}

static void folder_that_is_missing_is_an_error(void **state)
{
    char *text = document_text(QU);
    struct document document;
    struct source source;

    (void)state;
    assert_true(source_from(&source, "mine.md", text, strlen(text), stderr));
    assert_true(document_compile(&document, &source));
    assert_int_not_equal(emit_all(&document, "/nowhere/at/all"), 0);
    source_free(&source);
    free(text);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    DIR *open = opendir(folder);
    struct dirent *entry;

    (void)state;
    free(said);
    while (open != NULL && (entry = readdir(open)) != NULL)
        unlinkat(dirfd(open), entry->d_name, 0);
    return open == NULL || closedir(open) != 0 || rmdir(folder) != 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_in_the_header),
        cmocka_unit_test(generated_sources_compile),
        cmocka_unit_test(sections_meet_at_page_borders),
        cmocka_unit_test(loader_finds_header_and_segments),
        cmocka_unit_test(a17_boot_directory_shows_four_mebibytes_twice),
        cmocka_unit_test(section_that_outgrows_is_refused),
        cmocka_unit_test(image_beyond_boot_mapping_is_refused),
        cmocka_unit_test(sections_may_have_fixed_borders),
        cmocka_unit_test(copied_document_with_other_addresses),
        cmocka_unit_test(picture_shows_every_row),
        cmocka_unit_test(drawing_escapes_text),
        cmocka_unit_test(drawing_says_how_a_region_grows),
        cmocka_unit_test(drawing_shows_kernel_space),
        cmocka_unit_test(folder_that_is_missing_is_an_error),
    };

    return cmocka_run_group_tests_name("layout output", tests, make_folder, remove_folder);
}
