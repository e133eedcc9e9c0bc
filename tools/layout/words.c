/* words.c - the vocabulary of layout documents. See words.h; docs/layouts.md explains each word. */
#include "words.h"

#include "document.h"

#include <string.h>
#include <strings.h>

#define WORD(text, value) { text, value, #value }
#define END { NULL, 0, NULL }

const struct word section_words[] = {
    WORD("boot", SECTION_BOOT), WORD("text", SECTION_TEXT), WORD("rodata", SECTION_RODATA),
    WORD("data", SECTION_DATA), WORD("original", SECTION_ORIGINAL), WORD("stack", SECTION_STACK),
    WORD("shared", SECTION_SHARED), END
};

const struct word backing_words[] = { WORD("none", BACKING_NONE),      WORD("physical", BACKING_FIXED),
                                      WORD("image", BACKING_IMAGE),    WORD("demand", BACKING_DEMAND),
                                      WORD("device", BACKING_DEVICE),  WORD("tables", BACKING_TABLES),
                                      WORD("slots", BACKING_SLOTS),    WORD("window", BACKING_WINDOW),
                                      WORD("alias of", BACKING_ALIAS), WORD("objects", BACKING_OBJECTS),
                                      WORD("program", BACKING_USER),   END };

/* A region's purpose follows from its name. */
const struct word purpose_words[] = {
    WORD("user", PURPOSE_USER), WORD("boot", PURPOSE_BOOT), WORD("text", PURPOSE_TEXT),
    WORD("rodata", PURPOSE_RODATA), WORD("data", PURPOSE_DATA), WORD("original", PURPOSE_ORIGINAL),
    WORD("stack", PURPOSE_STACK), WORD("shared", PURPOSE_SHARED), WORD("direct", PURPOSE_DIRECT),
    WORD("records", PURPOSE_RECORDS), WORD("heap", PURPOSE_HEAP), WORD("devices", PURPOSE_DEVICES),
    WORD("stacks", PURPOSE_STACKS), WORD("slots", PURPOSE_SLOTS), WORD("tables", PURPOSE_TABLES),
    WORD("bookkeeping", PURPOSE_BOOKKEEPING), WORD("trackers", PURPOSE_TRACKERS), WORD("objects", PURPOSE_OBJECTS), END
};

const struct word scope_words[] = {
    WORD("all", SCOPE_ALL), WORD("process", SCOPE_PROCESS), WORD("kernel", SCOPE_KERNEL),
    { "-", SCOPE_NOTHING, "SCOPE_ALL" }, END
};

const struct word use_words[] = {
    WORD("kernel", PHYSICAL_KERNEL), WORD("hardware", PHYSICAL_HARDWARE), WORD("boot", PHYSICAL_BOOT),
    WORD("image", PHYSICAL_IMAGE),
    WORD("bitmap", PHYSICAL_BITMAP), WORD("master", PHYSICAL_MASTER), WORD("pool", PHYSICAL_POOL), END
};

const struct word structure_words[] = {
    WORD("tss", STRUCTURE_TSS), WORD("gdt", STRUCTURE_GDT), WORD("idt", STRUCTURE_IDT), END
};

const struct word part_words[] = {
    WORD("heap", PART_HEAP), WORD("guard", PART_GUARD), WORD("stack", PART_STACK), WORD("shared", PART_SHARED), END
};

const struct word policy_words[] = {
    WORD("bitmap polarity", POLICY_POLARITY), WORD("bitmap place", POLICY_BITMAP),
    WORD("unlisted memory", POLICY_UNLISTED), WORD("search", POLICY_SEARCH),
    WORD("zeroing", POLICY_ZEROING), WORD("exhaustion", POLICY_EXHAUSTION),
    WORD("magazine", POLICY_MAGAZINE), WORD("table access", POLICY_ACCESS),
    WORD("start address", POLICY_START), END
};

const struct word polarity_words[] = {
    WORD("one is used", ONE_IS_USED), WORD("one is free", ONE_IS_FREE), END
};

const struct word bitmap_words[] = {
    WORD("fixed", BITMAP_FIXED), WORD("first fit", BITMAP_FIRST_FIT),
    WORD("after the image", BITMAP_AFTER_IMAGE), END
};

const struct word unlisted_words[] = {
    WORD("used", UNLISTED_USED), WORD("marked", UNLISTED_MARKED), END
};

const struct word search_words[] = {
    WORD("first-fit", SEARCH_FIRST), WORD("next-fit", SEARCH_NEXT), WORD("fullest", SEARCH_FULLEST), END
};

const struct word zeroing_words[] = {
    WORD("user", ZERO_USER), WORD("all", ZERO_ALL), END
};

const struct word exhaustion_words[] = {
    WORD("error", EXHAUSTION_ERROR), WORD("panic", EXHAUSTION_PANIC), END
};

const struct word access_words[] = {
    WORD("identity", ACCESS_IDENTITY), WORD("self-map", ACCESS_SELF), WORD("window", ACCESS_WINDOW),
    WORD("tracked", ACCESS_TRACKED),
    WORD("direct", ACCESS_DIRECT), WORD("slots", ACCESS_SLOTS), END
};

const struct word where_words[] = {
    WORD("kernel", CLAIM_KERNEL), WORD("build", CLAIM_BUILD), WORD("host", CLAIM_HOST),
    WORD("system", CLAIM_SYSTEM), WORD("later", CLAIM_LATER), END
};

const struct word kept_words[] = {
    { "yes", true, "true" }, { "removed once paging is on", false, "false" }, END
};

const struct word *word_find(const struct word *list, const char *text)
{
    for (; list->text != NULL; list++)
        if (strcasecmp(list->text, text) == 0)
            return list;
    return NULL;
}

const struct word *word_of(const struct word *list, int value)
{
    while (list->value != value)
        list++;
    return list;
}

/* "a, b or c", for messages. */
static const char *word_choices(struct source *s, const struct word *list)
{
    const char *all = "";

    for (; list->text != NULL; list++)
        all = source_print(s, "%s%s%s", all,
                           *all == '\0' ? "" : list[1].text == NULL ? " or " : ", ", list->text);
    return all;
}

bool word_read(struct source *s, uint32_t line, const char *what, const struct word *list, const char *text,
               int *out)
{
    const struct word *word = word_find(list, text);

    if (word == NULL) {
        complain(s, line, "%s is `%s`; expected %s", what, text, word_choices(s, list));
        return false;
    }
    *out = word->value;
    return true;
}
