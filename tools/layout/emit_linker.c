/* emit_linker.c - kernel.ld: where the sections of the image go, and how far they may reach. See emit.h. */
#include "emit.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>

static const char *section_text(int section)
{
    return word_of(section_words, section)->text;
}

static const struct region *section_region(const struct document *d, int section)
{
    return d->purpose[PURPOSE_BOOT + section];
}

/* What runs before paging: linked at its physical address, virtual the same. */
static void emit_boot(const struct document *d, FILE *out)
{
    fprintf(out,
            "    . = 0x%08" PRIX64 ";\n"
            "    image_boot_start = .;\n"
            "    .boot : {\n"
            "        KEEP(*(.boot.header))\n"
            "        *(.boot.text .boot.text.*)\n"
            "        *(.boot.rodata .boot.rodata.*)\n"
            "    } :boot_text\n"
            "    .boot.note : { KEEP(*(.boot.note)) } :boot_text :boot_note\n"
            "    .boot.tables : ALIGN(4096) { *(.boot.tables) } :boot_data\n"
            "    .boot.data : { *(.boot.data .boot.data.*) } :boot_data\n"
            "    .boot.bss : { *(.boot.bss .boot.bss.*) } :boot_data\n"
            "    image_boot_end = .;\n\n", d->image->place.start.at);
}

/* Where a section starts: at its row's address, or at the first whole page after the one before. */
static void emit_start(const struct document *d, FILE *out, int section)
{
    const struct region *r = section_region(d, section);

    if (!r->place.start.floats)
        fprintf(out, "    . = 0x%08" PRIX64 ";\n", r->place.start.at);
    else
        fprintf(out, "    . = ALIGN(4096)%s;\n", section == SECTION_TEXT ? " + KERNEL_OFFSET" : "");
    fprintf(out, "    image_%s_start = .;\n", section_text(section));
}

static void emit_sections(const struct document *d, FILE *out)
{
    emit_boot(d, out);
    emit_start(d, out, SECTION_TEXT);
    fprintf(out,
            "    .text : AT(ADDR(.text) - KERNEL_OFFSET) { *(.text .text.*) } :text\n"
            "    image_text_end = .;\n\n");
    emit_start(d, out, SECTION_RODATA);
    fprintf(out,
            "    .rodata : AT(ADDR(.rodata) - KERNEL_OFFSET) { *(.rodata .rodata.*) } :rodata\n"
            "    image_rodata_end = .;\n\n");
    emit_start(d, out, SECTION_DATA);
    fprintf(out,
            "    .data : AT(ADDR(.data) - KERNEL_OFFSET) {\n"
            "        *(.data.tables)                  /* page tables: whole pages, so first */\n"
            "        *(.data .data.*)\n"
            "    } :data\n"
            "    image_data_end = .;\n"
            "    . = ALIGN(16);\n"
            "    image_bss_start = .;\n"
            "    .bss : AT(ADDR(.bss) - KERNEL_OFFSET) { *(.bss .bss.*) *(COMMON) } :data\n"
            "    image_bss_end = .;\n\n"
            "    /DISCARD/ : { *(.note .note.*) *(.comment) *(.eh_frame .eh_frame_hdr) }\n");
}

/* The same borders as page and frame numbers, rounded outwards: layout.c is made of these. */
static void emit_numbers(FILE *out)
{
    fprintf(out,
            "image_start = image_boot_start + KERNEL_OFFSET;\n"
            "image_end = (image_bss_end + 0xFFF) & 0xFFFFF000;\n"
            "image_physical_start = image_boot_start;\n"
            "image_physical_end = image_end - KERNEL_OFFSET;\n\n");
    for (int section = 0; section < SECTION_COUNT; section++) {
        const char *name = section_text(section), *end = section == SECTION_DATA ? "bss" : name;
        const char *more = section == SECTION_BOOT ? " + KERNEL_OFFSET" : "";

        fprintf(out, "image_%s_first_page  = ABSOLUTE(image_%s_start%s) >> 12;\n", name, name, more);
        fprintf(out, "image_%s_end_page    = (ABSOLUTE(image_%s_end%s) + 0xFFF) >> 12;\n", name, end, more);
        fprintf(out, "image_%s_first_frame = image_%s_first_page - (KERNEL_OFFSET >> 12);\n", name, name);
        fprintf(out, "image_%s_end_frame   = image_%s_end_page - (KERNEL_OFFSET >> 12);\n", name, name);
    }
    fprintf(out, "\n");
}

/* A 32-bit linker's numbers would wrap at 4 GiB, so limits are compared as last bytes. */
static void emit_limit(const struct document *d, FILE *out, int section)
{
    const struct region *r = section_region(d, section);
    uint64_t limit = region_limit(d, r);

    fprintf(out,
            "ASSERT(image_%s_end_page <= 0x%05" PRIX64 ", \"%s:%u: the region %s must end at 0x%08" PRIX64
            ", but the image's %s goes on\")\n",
            section_text(section), limit / PAGE, d->source->path, r->place.line, r->place.name, limit - 1,
            section_text(section));
}

/* The image also has to lie in its physical row, and in what is mapped at the start. */
static void emit_physical_limits(const struct document *d, FILE *out)
{
    const struct place *image = &d->image->place;

    if (!image->end.floats)
        fprintf(out,
                "ASSERT(image_data_end_frame <= 0x%05" PRIX64 ", \"%s:%u: the physical range %s must end at "
                "0x%08" PRIX64 ", but the image goes on\")\n",
                image->end.at / PAGE, d->source->path, image->line, image->name, image->end.at - 1);
    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];
        bool here = m->physical <= image->start.at && image->start.at - m->physical < m->size;
        const char *end = m->keep ? "data" : "boot";

        if (here && m->virtual - m->physical == (m->keep ? d->kernel_offset : 0))
            fprintf(out,
                    "ASSERT(image_%s_end_frame <= 0x%05" PRIX64
                    ", \"%s:%u: the boot mapping ends at physical "
                    "0x%08" PRIX64 ", but the image goes on\")\n",
                    end, (m->physical + m->size) / PAGE, d->source->path, m->line, m->physical + m->size - 1);
    }
}

void emit_linker_script(const struct document *d, FILE *out)
{
    fprintf(out, "/* Made from %s. */\n"
            "OUTPUT_FORMAT(\"elf32-i386\")\nOUTPUT_ARCH(i386)\nENTRY(boot_start)\n\n"
            "KERNEL_OFFSET = 0x%08" PRIX64 ";\n\n"
            "PHDRS\n{\n"
            "    boot_note PT_NOTE FLAGS(4);\n"
            "    boot_text PT_LOAD FLAGS(5);\n    boot_data PT_LOAD FLAGS(6);\n"
            "    text      PT_LOAD FLAGS(5);\n    rodata    PT_LOAD FLAGS(4);\n"
            "    data      PT_LOAD FLAGS(6);\n}\n\nSECTIONS\n{\n", d->source->path, d->kernel_offset);
    emit_sections(d, out);
    fprintf(out, "}\n\n");
    emit_numbers(out);
    for (int section = 0; section < SECTION_COUNT; section++)
        emit_limit(d, out, section);
    emit_physical_limits(d, out);
}
