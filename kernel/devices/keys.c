/*
 * keys.c - from scan codes to bytes. See keys.h.
 */
#include "devices/keys.h"

#include "base/string.h"

enum {
    EXTENDED = 0xE0, PAUSE = 0xE1, PAUSE_REST = 2, LET_GO = 0x80,
    LEFT_SHIFT = 0x2A, RIGHT_SHIFT = 0x36, CONTROL = 0x1D, ALT = 0x38, CAPS_LOCK = 0x3A,
    GREY_ENTER = 0x1C, GREY_SLASH = 0x35,
    ESCAPE = 0x1B, DELETE = 0x7F, CONTROL_MASK = 0x1F,
};

/* By code; 0: a key that sends no byte of its own. */
static const char plain[] = "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 \0"
                            "\0\0\0\0\0\0\0\0\0\0\0\000789-456+1230.\0\0\\";
static const char shifted[] = "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 \0"
                              "\0\0\0\0\0\0\0\0\0\0\0\000789-456+1230.\0\0|";

_Static_assert(sizeof plain == sizeof shifted && sizeof plain == 0x56 + 2, "codes up to the 102nd key's, 0x56");

/* The grey keys: what follows ESC. */
static const struct { uint8_t code; char sends[4]; } grey[] = {
    { 0x48, "[A" }, { 0x50, "[B" }, { 0x4D, "[C" }, { 0x4B, "[D" }, { 0x47, "[H" },
    { 0x4F, "[F" }, { 0x52, "[2~" }, { 0x53, "[3~" }, { 0x49, "[5~" }, { 0x51, "[6~" },
};

/* Take a key that changes what others send; false for any other key. */
static bool take_modifier(struct keys *keys, uint8_t key, bool down, bool extended)
{
    switch (key) {
    case LEFT_SHIFT:  /* grey keys come with shifts of their own around them, which are ignored */
    case RIGHT_SHIFT:
        if (!extended)
            keys->shift[key == RIGHT_SHIFT] = down;
        return true;
    case CONTROL:
        keys->control[extended] = down;
        return true;
    case ALT:
        keys->alt[extended] = down;
        return true;
    case CAPS_LOCK:
        keys->capitals ^= down;
        return true;
    }
    return false;
}

static unsigned send_grey(uint8_t key, uint8_t bytes[KEYS_BYTES])
{
    for (size_t i = 0; i < COUNT_OF(grey); i++)
        if (grey[i].code == key) {
            bytes[0] = ESCAPE;
            memcpy(bytes + 1, grey[i].sends, strlen(grey[i].sends));
            return 1 + (unsigned)strlen(grey[i].sends);
        }
    return 0;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* The character of a key with the modifiers that are held now. */
static char character_of_key(const struct keys *keys, uint8_t key)
{
    bool shift = keys->shift[0] || keys->shift[1];

    if (key >= sizeof plain - 1)
        return '\0';
    if (keys->capitals && is_letter(plain[key]))
        shift = !shift;
    return shift ? shifted[key] : plain[key];
}

static unsigned send_character(const struct keys *keys, char c, uint8_t bytes[KEYS_BYTES])
{
    bool     control = keys->control[0] || keys->control[1], alt = keys->alt[0] || keys->alt[1];
    unsigned count   = 0;

    if (control && ((c >= '@' && c <= '_') || is_letter(c)))
        c &= CONTROL_MASK;
    else if (control && c == ' ')
        c = '\0';
    else if (c == '\0')
        return 0;
    if (alt)
        bytes[count++] = ESCAPE;
    bytes[count++] = (uint8_t)c;
    return count;
}

unsigned keys_take(struct keys *keys, uint8_t code, uint8_t bytes[KEYS_BYTES])
{
    bool    extended = keys->extended, down = !(code & LET_GO);
    uint8_t key      = code & ~LET_GO;

    if (keys->ignore > 0) {
        keys->ignore--;
        return 0;
    }
    keys->extended = code == EXTENDED;
    if (code == EXTENDED)
        return 0;
    if (code == PAUSE) {
        keys->ignore = PAUSE_REST;
        return 0;
    }
    if (take_modifier(keys, key, down, extended) || !down)
        return 0;
    if (extended && key != GREY_ENTER && key != GREY_SLASH)
        return send_grey(key, bytes);
    return send_character(keys, extended && key == GREY_SLASH ? '/' : character_of_key(keys, key), bytes);
}
