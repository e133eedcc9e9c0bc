/*
 * console.c - prompt, line, command, answer.
 */
#include "console/console.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "console/line.h"
#include "console/words.h"

enum { CTRL_C = 3, KEPT = 64 };

console_input console_typed;
void        (*console_idle)(void);

static struct line line;
static uint32_t    failures;
static uint8_t     kept[KEPT];                  /* typed while a command ran */
static unsigned    kept_count;

uint32_t console_failures(void) { return failures; }

const struct command *command_find(const char *name)
{
    EACH_ROW(command, commands)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int refuse_count(const struct command *command, int given)
{
    print("%s: expected %s%s%s, not %d argument%s\n", command->name,
          command->most == 0 ? "no arguments" : command->name, command->most == 0 ? "" : " ",
          command->most == 0 ? "" : command->arguments, given, given == 1 ? "" : "s");
    return -EINVAL;
}

static int run_words(int count, char **words)
{
    const struct command *command = command_find(words[0]);

    if (command == NULL) {
        print("unknown command \"%s\"; help lists what there is\n", words[0]);
        return -ENOENT;
    }
    if (count - 1 < command->least || count - 1 > command->most)
        return refuse_count(command, count - 1);
    return command->run(count, words);
}

static int run_one(char *text)
{
    char *words[WORDS];
    int   count = words_of(text, words);
    int   err   = count;

    if (count == 0)
        return 0;
    if (count > 0)
        err = run_words(count, words);
    else
        print("expected at most %d words in a command\n", WORDS);
    if (err != 0)
        failures++;
    return err;
}

int console_run(char *text)
{
    int first = 0;

    while (text != NULL) {
        char *rest = strchr(text, ';');
        int   err;

        if (rest != NULL)
            *rest++ = 0;
        err = run_one(text);
        if (first == 0)
            first = err;
        text = rest;
    }
    return first;
}

static void run_line(enum line_event event)
{
    if (event == LINE_READY)
        (void)console_run(line.text);           /* each command has said itself what is wrong */
    else if (event == LINE_TOO_LONG)
        print("expected a line of at most %d characters; nothing was run\n", LINE_SIZE - 1);
}

/* ---- Typing ------------------------------------------------------------------------------ */

bool console_interrupted(void)
{
    int byte;

    while (console_typed != NULL && (byte = console_typed()) >= 0) {
        if (byte == CTRL_C) {
            kept_count = 0;                     /* what was typed before it is not wanted, either */
            return true;
        }
        if (kept_count < KEPT)
            kept[kept_count++] = (uint8_t)byte;
    }
    return false;
}

static int next_byte(console_input input)
{
    int byte;

    if (kept_count == 0)
        return input();
    byte = kept[0];
    memmove(kept, kept + 1, --kept_count);
    return byte;
}

void console_loop(console_input input)
{
    for (;;) {
        enum line_event event = LINE_MORE;

        print("quire> ");
        line_start(&line);
        while (event == LINE_MORE) {
            int byte = next_byte(input);

            if (byte < 0)
                return;
            event = line_key(&line, (uint8_t)byte);
        }
        run_line(event);
    }
}
