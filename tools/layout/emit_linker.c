/* emit_linker.c - kernel.ld: the addresses of the image's sections, and their limits. See emit.h. */
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

/* The code that runs before paging is linked at its physical address, and its virtual address is the same. */
static void emit_boot(const struct document *d, FILE *out)
{
    fprintf(out,
            "    . = 0x%08" PRIX64 ";\n"
            "    image_boot_start = .;\n"
            "    .boot : {\n"
            "        KEEP(*(.boot.header))\n"
            "        KEEP(*(.boot.text .boot.text.*))\n"
            "        *(.boot.rodata .boot.rodata.*)\n"
            "    } :boot_text\n"
            "    .boot.note : { KEEP(*(.boot.note)) } :boot_text :boot_note\n"
            "    .boot.tables : ALIGN(4096) { KEEP(*(.boot.tables)) } :boot_data\n"
            "    .boot.data : { *(.boot.data .boot.data.*) } :boot_data\n"
            "    .boot.bss : { *(.boot.bss .boot.bss.*) } :boot_data\n"
            "    image_boot_end = .;\n\n", d->boot != NULL ? d->boot->place.start.at : d->image->place.start.at);
}

/*
 * Page 0 of code that is linked at address 0 is filled with UD2: it has no rights to read, and a call to it must
 * trap.
 */
static void emit_null_page(const struct document *d, FILE *out)
{
    if (!section_region(d, SECTION_TEXT)->place.start.floats && section_region(d, SECTION_TEXT)->place.start.at == 0)
        fprintf(out, "        FILL(0x0F0B0F0B) LONG(0x0B0F0B0F) . = ALIGN(4096);\n");
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

/*
 * The pages that each process gets a copy of; then the first stack and the kernel's own copy, which start where the
 * one before ends, to the byte. Without contents of their own these two cost nothing in the file.
 */
static void emit_packed(const struct document *d, FILE *out)
{
    emit_start(d, out, SECTION_ORIGINAL);
    fprintf(
        out,
        "    .data_shared : AT(ADDR(.data_shared) - KERNEL_OFFSET) { KEEP(*(.data_shared .data_shared.*)) } :original\n"
        "    .bss_shared : AT(ADDR(.bss_shared) - KERNEL_OFFSET) { KEEP(*(.bss_shared .bss_shared.*)) . = ALIGN(16); "
        "} :original\n"
        "    image_original_end = .;\n    image_original_border = ALIGN(4096);\n\n"
        "    . = ALIGN(4096);\n    image_stack_start = .;\n"
        "    .stack (NOLOAD) : AT(ADDR(.stack) - KERNEL_OFFSET) { . += %" PRIu64 "; } :original\n"
        "    image_stack_end = .;\n    image_stack_border = .;\n    image_shared_start = .;\n"
        "    boot_stack_guard = image_stack_start - 4096;\n    boot_stack = image_stack_start;\n    boot_stack_top = "
        "image_stack_end;\n"
        "    .shared (NOLOAD) : AT(ADDR(.shared) - KERNEL_OFFSET) { . += image_original_end - image_original_start; "
        "} :original\n"
        "    image_shared_end = .;\n    image_shared_border = .;\n\n",
        section_region(d, SECTION_STACK)->unit);
}

/* Of a kernel whose document has no region `stack`: a page that guards, and two. emit_packed() writes that region. */
static const char boot_stack[] =
    " . = ALIGN(4096); boot_stack_guard = .; . += 4096; boot_stack = .; . += 8192; boot_stack_top = .;";

static void emit_sections(const struct document *d, FILE *out)
{
    emit_boot(d, out);
    emit_start(d, out, SECTION_TEXT);
    fprintf(out,
            "    .text : AT(ADDR(.text) - KERNEL_OFFSET) {\n");
    emit_null_page(d, out);
    fprintf(out,
            "        *(.text .text.*)\n    } :text\n"
            "    image_text_end = .;\n    image_text_border = ALIGN(4096);\n\n");
    emit_start(d, out, SECTION_RODATA);
    fprintf(out,
            "    .rodata : AT(ADDR(.rodata) - KERNEL_OFFSET) {\n"
            "        *(.rodata .rodata.*)\n"
            "        . = ALIGN(4);\n"
            "        exception_table = .;\n        KEEP(*(.exception_table))\n        exception_table_end = .;\n"
            "        assertions = .;\n        KEEP(*(.assertions))\n        assertions_end = .;\n"
            "    } :rodata\n"
            "    image_rodata_end = .;\n    image_rodata_border = ALIGN(4096);\n\n");
    emit_start(d, out, SECTION_DATA);
    fprintf(out,
            "    .data : AT(ADDR(.data) - KERNEL_OFFSET) {\n"
            "        KEEP(*(.data.tables))            /* page tables: whole pages, so first */\n"
            "        *(.data .data.*)\n"
            "    } :data\n"
            "    image_data_end = .;\n"
            "    . = ALIGN(16);\n"
            "    image_bss_start = .;\n"
            "    .bss : AT(ADDR(.bss) - KERNEL_OFFSET) { *(.bss .bss.*) *(COMMON)%s } :data\n"
            "    image_bss_end = .;\n    image_data_border = ALIGN(4096);\n\n",
            d->last > SECTION_DATA ? "" : boot_stack);
    if (d->last > SECTION_DATA)
        emit_packed(d, out);
    fprintf(out,
            "    /DISCARD/ : { *(.note .note.*) *(.comment) *(.eh_frame .eh_frame_hdr) }\n");
}

/* The same borders as page and frame numbers, rounded outwards: layout.c is made of these. */
static void emit_numbers(const struct document *d, FILE *out)
{
    fprintf(out,
            "image_boot_border = ((image_boot_end + 0xFFF) & 0xFFFFF000)%s;\n"
            "image_start = %s;\n"
            "image_end = (image_%s_end + 0xFFF) & 0xFFFFF000;\n"
            "image_physical_start = image_start - KERNEL_OFFSET;\n"
            "image_physical_end = image_end - KERNEL_OFFSET;\n\n",
            d->boot != NULL ? "" : " + KERNEL_OFFSET",
            d->boot != NULL ? "image_text_start" : "image_boot_start + KERNEL_OFFSET",
            d->last == SECTION_DATA ? "bss" : section_text(d->last));
    for (int section = 0; section <= (int)d->last; section++) {
        const char *name = section_text(section), *end = section == SECTION_DATA ? "bss" : name;
        const char *more = section == SECTION_BOOT && d->boot == NULL ? " + KERNEL_OFFSET" : "";
        bool here = section == SECTION_BOOT && d->boot != NULL;     /* linked at its physical address */

        fprintf(out, "image_%s_first_page  = ABSOLUTE(image_%s_start%s) >> 12;\n", name, name, more);
        fprintf(out, "image_%s_end_page    = (ABSOLUTE(image_%s_end%s) + 0xFFF) >> 12;\n", name, end, more);
        fprintf(out, "image_%s_first_frame = image_%s_first_page%s;\n", name, name,
                here ? "" : " - KERNEL_OFFSET / 4096");
        fprintf(out, "image_%s_end_frame   = image_%s_end_page%s;\n", name, name,
                here ? "" : " - KERNEL_OFFSET / 4096");
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

/*
 * What floats behind the image ends at an address: the heap, of which the kernel needs some, and the physical row,
 * which is not empty.
 */
static void emit_limits_behind(const struct document *d, FILE *out)
{
    const struct region *last = section_region(d, (int)d->last), *heap = d->purpose[PURPOSE_HEAP];
    const struct place *image = &d->image->place;
    const struct physical *behind = d->image + 1;
    const char *name = section_text((int)d->last);

    if (heap == last + 1 && heap->place.start.floats)
        fprintf(out,
                "ASSERT(image_%s_end_page + 0x%" PRIX64 " <= 0x%05" PRIX64 ", \"%s:%u: heap ends at 0x%08" PRIX64
                " and has less than 1 MiB behind the image; expected at least that, or no program could start\")\n",
                name, HEAP_LEAST / PAGE, heap->place.end.at / PAGE, d->source->path, heap->place.line,
                heap->place.end.at - 1);
    if (image->end.floats && behind < d->physical + d->physical_count)
        fprintf(out,
                "ASSERT(image_%s_end_frame < 0x%05" PRIX64 ", \"%s:%u: the physical range %s must end at 0x%08" PRIX64
                ", but the image goes on until there\")\n",
                name, behind->place.end.at / PAGE, d->source->path, behind->place.line, behind->place.name,
                behind->place.end.at - 1);
}

/* The image also has to lie in its physical row, and in what is mapped at the start. */
static void emit_physical_limits(const struct document *d, FILE *out)
{
    const struct place *image = &d->image->place, *boot = d->boot != NULL ? &d->boot->place : image;

    if (d->boot != NULL)
        fprintf(out,
                "ASSERT(image_boot_end_frame <= 0x%05" PRIX64 ", \"%s:%u: the physical range %s must end at "
                "0x%08" PRIX64 ", but what runs before paging goes on\")\n",
                boot->end.at / PAGE, d->source->path, boot->line, boot->name, boot->end.at - 1);
    if (!image->end.floats)
        fprintf(out,
                "ASSERT(image_%s_end_frame <= 0x%05" PRIX64 ", \"%s:%u: the physical range %s must end at "
                "0x%08" PRIX64 ", but the image goes on\")\n",
                section_text(d->last), image->end.at / PAGE, d->source->path, image->line, image->name,
                image->end.at - 1);
    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];
        uint64_t from = m->keep ? image->start.at : boot->start.at;
        bool here = m->physical <= from && from - m->physical < m->size;
        const char *end = m->keep ? section_text(d->last) : "boot";

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
            "KERNEL_OFFSET = %s;\n\n"
            "PHDRS\n{\n"
            "    boot_note PT_NOTE FLAGS(4);\n"
            "    boot_text PT_LOAD FLAGS(5);\n    boot_data PT_LOAD FLAGS(6);\n"
            "    text      PT_LOAD FLAGS(5);\n    rodata    PT_LOAD FLAGS(4);\n"
            "    data      PT_LOAD FLAGS(6);\n%s}\n\nSECTIONS\n{\n", d->source->path, distance_text(d),
            d->last > SECTION_DATA ? "    original  PT_LOAD FLAGS(6);\n" : "");
    emit_sections(d, out);
    fprintf(out, "}\n\n");
    emit_numbers(d, out);
    for (int section = d->boot != NULL; section <= (int)d->last; section++)
        emit_limit(d, out, section);
    emit_limits_behind(d, out);
    emit_physical_limits(d, out);
}
