/*
 * line.c - editing a line with nothing but backspaces and spaces.
 */
#include "console/line.h"

#include "base/print.h"
#include "base/string.h"

enum { CONTROL = 0x1F };                        /* Ctrl-X is the letter's low five bits */
#define CTRL(letter) ((letter) & CONTROL)
enum { ESCAPE = 27, DELETE = 127 };
enum { NO_ESCAPE, ESCAPE_SEEN, BRACKET_SEEN, PARAMETER_SEEN };

void line_start(struct line *line)
{
    line->text[0] = 0;
    line->length = line->at = 0;
    line->too_long = false;
    line->showing = 0;
}

static void send_text(char c, size_t times)
{
    while (times-- > 0)
        print_text(&c, 1);
}

static void ring_bell(void) { send_text('\a', 1); }

/* Show text[at..] again, blank what an edit has shortened, and go back to `at`. */
static void show_rest(const struct line *line, size_t shorter)
{
    print_text(line->text + line->at, line->length - line->at);
    send_text(' ', shorter);
    send_text('\b', line->length - line->at + shorter);
}

static void insert_character(struct line *line, char c)
{
    if (line->length == LINE_SIZE - 1) {
        line->too_long = true;
        ring_bell();
        return;
    }
    memmove(line->text + line->at + 1, line->text + line->at, line->length - line->at + 1);
    line->text[line->at] = c;
    line->length++;
    print_text(&c, 1);
    line->at++;
    show_rest(line, 0);
}

/* Erase `count` characters before the cursor. */
static void erase_characters(struct line *line, size_t count)
{
    memmove(line->text + line->at - count, line->text + line->at, line->length - line->at + 1);
    line->at -= count;
    line->length -= count;
    line->too_long = line->too_long && count == 0;
    send_text('\b', count);
    show_rest(line, count);
}

static void move_to(struct line *line, size_t at)
{
    if (at < line->at)
        send_text('\b', line->at - at);
    else
        print_text(line->text + line->at, at - line->at);
    line->at = at;
}

static void erase_to_end(struct line *line)
{
    size_t count = line->length - line->at;

    move_to(line, line->length);
    erase_characters(line, count);
}

static size_t word_before(const struct line *line)
{
    size_t at = line->at;

    while (at > 0 && line->text[at - 1] == ' ')
        at--;
    while (at > 0 && line->text[at - 1] != ' ')
        at--;
    return line->at - at;
}

/* ---- History ----------------------------------------------------------------------------- */

static const char *remembered(const struct line *line, uint32_t ago)
{
    return ago == 0 ? "" : line->past[(line->past_count - ago) % LINE_HISTORY];
}

static void remember_line(struct line *line)
{
    if (line->length == 0 || (line->past_count > 0 && strcmp(remembered(line, 1), line->text) == 0))
        return;
    memcpy(line->past[line->past_count % LINE_HISTORY], line->text, line->length + 1);
    line->past_count++;
}

static void show_remembered(struct line *line, uint32_t ago)
{
    uint32_t most = line->past_count < LINE_HISTORY ? line->past_count : LINE_HISTORY;

    if (ago > most) {
        ring_bell();
        return;
    }
    move_to(line, line->length);
    erase_characters(line, line->length);
    line->showing = ago;
    line->length = line->at = text_copy(line->text, remembered(line, ago), LINE_SIZE);
    print_text(line->text, line->length);
}

/* ---- Keys -------------------------------------------------------------------------------- */

static void erase_before(struct line *line)
{
    if (line->at > 0)
        erase_characters(line, 1);
    else
        ring_bell();
}

static void move_left(struct line *line)
{
    if (line->at > 0)
        move_to(line, line->at - 1);
    else
        ring_bell();
}

static void move_right(struct line *line)
{
    if (line->at < line->length)
        move_to(line, line->at + 1);
    else
        ring_bell();
}

static void show_earlier(struct line *line)
{
    show_remembered(line, line->showing + 1);
}

static void show_later(struct line *line)
{
    if (line->showing > 0)
        show_remembered(line, line->showing - 1);
    else
        ring_bell();
}

static void erase_under(struct line *line)
{
    if (line->at == line->length) {
        ring_bell();
        return;
    }
    move_right(line);
    erase_characters(line, 1);
}

static void show_again(struct line *line)
{
    size_t at = line->at;

    move_to(line, 0);
    move_to(line, line->length);
    move_to(line, at);
}

/* The last byte of a sequence ESC [ x; in ESC [ 3 ~ and its like it comes behind a number, the parameter. */
static void escape_key(struct line *line, uint8_t byte, uint8_t parameter)
{
    switch (byte) {
    case 'A': show_earlier(line);               break;
    case 'B': show_later(line);                 break;
    case 'C': move_right(line);                 break;
    case 'D': move_left(line);                  break;
    case 'H': move_to(line, 0);                 break;
    case 'F': move_to(line, line->length);      break;
    case '~':
        if (parameter == '3')
            erase_under(line);
        else if (parameter == '1' || parameter == '7')
            move_to(line, 0);
        else if (parameter == '4' || parameter == '8')
            move_to(line, line->length);
        break;
    default:
        ring_bell();
    }
}

/* True when the byte belonged to an escape sequence. The state is NO_ESCAPE, ..., or a parameter's digit. */
static bool in_escape(struct line *line, uint8_t byte)
{
    uint8_t state = line->escape;

    if (state == NO_ESCAPE && byte != ESCAPE)
        return false;
    line->escape = NO_ESCAPE;
    if (byte == ESCAPE)
        line->escape = ESCAPE_SEEN;
    else if (state == ESCAPE_SEEN && (byte == '[' || byte == 'O'))
        line->escape = BRACKET_SEEN;
    else if (state >= BRACKET_SEEN && byte >= '0' && byte <= '9')
        line->escape = byte;
    else if (state >= BRACKET_SEEN && byte == ';')
        line->escape = PARAMETER_SEEN;          /* a second parameter: modifier keys make no difference here */
    else if (state >= BRACKET_SEEN && byte >= ' ' && byte < DELETE)
        escape_key(line, byte, state);
    else if (byte == '\r' || byte == '\n' || byte == CTRL('C'))
        return false;                           /* these keys count even behind a lone ESC */
    return true;
}

static enum line_event control_key(struct line *line, uint8_t byte)
{
    switch (byte) {
    case '\r': case '\n':
        send_text('\n', 1);
        if (line->too_long)
            return LINE_TOO_LONG;
        remember_line(line);
        return LINE_READY;
    case CTRL('C'):
        print_text("^C\n", 3);
        return LINE_GIVEN_UP;
    case '\b': case DELETE: erase_before(line);                 break;
    case CTRL('U'):         erase_characters(line, line->at);           break;
    case CTRL('W'):         erase_characters(line, word_before(line));  break;
    case CTRL('K'):         erase_to_end(line);                 break;
    case CTRL('A'):         move_to(line, 0);                   break;
    case CTRL('E'):         move_to(line, line->length);        break;
    case CTRL('B'):         move_left(line);                    break;
    case CTRL('F'):         move_right(line);                   break;
    case CTRL('P'):         show_earlier(line);                 break;
    case CTRL('N'):         show_later(line);                   break;
    case CTRL('L'):         show_again(line);                   break;
    default:                ring_bell();
    }
    return LINE_MORE;
}

enum line_event line_key(struct line *line, uint8_t byte)
{
    bool after_return = line->after_return;

    line->after_return = byte == '\r';
    if (after_return && byte == '\n')
        return LINE_MORE;
    if (in_escape(line, byte))
        return LINE_MORE;
    if (byte < ' ' || byte >= DELETE)
        return control_key(line, byte);
    insert_character(line, (char)byte);
    return LINE_MORE;
}
