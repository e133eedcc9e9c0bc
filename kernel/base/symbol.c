/*
 * symbol.c - from an address to a name.
 */
#include "base/symbol.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"

extern const char image_text_start[], image_text_end[];     /* from the linker script */

const char *symbol_of(vaddr_t address, uint32_t *offset)
{
    uint32_t low = 0, high = kernel_symbol_count;

    if (address < address_of(image_text_start) || address >= address_of(image_text_end))
        return NULL;
    while (low < high) {                    /* symbols before low begin at or below the address */
        uint32_t middle = low + (high - low) / 2;

        if (kernel_symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    *offset = (uint32_t)(address - kernel_symbols[low - 1].address);
    return kernel_symbols[low - 1].name;
}

void symbols_in_words(const vaddr_t *callers, unsigned count, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < count && callers[i] != 0 && used + 1 < size; i++) {
        uint32_t    offset;
        const char *name = symbol_of(callers[i] - 1, &offset);      /* a call may be its function's last instruction */

        format_text(out + used, size - used, "%s%s", i == 0 ? "" : " < ", name != NULL ? name : "?");
        used = strlen(out);
    }
}
