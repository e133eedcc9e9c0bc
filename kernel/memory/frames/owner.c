/* owner.c - the owners' names, for everything that is printed. */
#include "memory/frames/owner.h"

#define OWNER_WORD(id, word, text) [OWNER_##id] = word,
const char *const owner_names[OWNER_COUNT] = { OWNERS(OWNER_WORD) };
#undef OWNER_WORD

#define OWNER_TEXT(id, word, text) [OWNER_##id] = text,
const char *const owner_texts[OWNER_COUNT] = { OWNERS(OWNER_TEXT) };
#undef OWNER_TEXT
