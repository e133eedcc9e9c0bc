/*
 * command_completion.c - `quire completion SHELL`: what completes the words of these commands, for bash, zsh and fish.
 *
 * It is written from the tables that argp parses, so an option that is new there is completed. Where a word is no
 * option it is a program or a file, which every shell completes best by itself; the names of layouts are asked for
 * when they are wanted.
 */
#include "command.h"
#include "libquire/arena.h"
#include "libquire/home.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- Options of a command, its own and its children's ------------------------------------------- */

typedef void visit_option(const struct command *command, const struct argp_option *option);

static void each_option_of(const struct command *command, const struct argp *argp, visit_option *visit)
{
    for (const struct argp_option *o = argp->options; o != NULL && (o->name != NULL || o->key != 0); o++)
        if (o->name != NULL && (o->flags & OPTION_HIDDEN) == 0)
            visit(command, o);
    for (const struct argp_child *child = argp->children; child != NULL && child->argp != NULL; child++)
        each_option_of(command, child->argp, visit);
}

static void each_option(const struct command *command, visit_option *visit)
{
    static const struct argp_option help = { "help", '?', NULL, 0, "Give a help list", 0 };

    each_option_of(command, command->argp, visit);
    visit(command, &help);
}

static bool has_letter(const struct argp_option *option)
{
    return option->key > 0 && option->key < 0x80 && isalnum(option->key);
}

/* A word must follow the option: it is not part of it, behind a `=`. */
static bool takes_word(const struct argp_option *option)
{
    return option->arg != NULL && (option->flags & OPTION_ARG_OPTIONAL) == 0;
}

static bool is_about(const struct argp_option *option, const char *argument)
{
    return option->arg != NULL && strncmp(option->arg, argument, strlen(argument)) == 0;
}

/* Text inside '...' of a shell; `also` is left out as well, for zsh's own brackets. */
static void put_quoted(const char *text, const char *also)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr(also, *text) != NULL)
            printf("\\%c", *text);
        else
            putchar(*text);
}

/* The actions of `quire layout`, which are words rather than options: the first word of each line of its usage. */
static void put_actions(const struct command *command, const char *between)
{
    const char *line = command->argp->args_doc;

    for (bool first = true; line != NULL && islower((unsigned char)*line); first = false) {
        printf("%s%.*s", first ? "" : between, (int)strcspn(line, " \n"), line);
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
}

static bool has_actions(const struct command *command)
{
    return command->argp->args_doc != NULL && islower((unsigned char)command->argp->args_doc[0]);
}

/* ---- bash --------------------------------------------------------------------------------------- */

static void put_bash_option(const struct command *command, const struct argp_option *option)
{
    (void)command;
    printf(" --%s", option->name);
    if (has_letter(option))
        printf(" -%c", option->key);
}

static void put_bash_word_taker(const struct command *command, const struct argp_option *option)
{
    (void)command;
    if (!takes_word(option))
        return;
    printf("--%s|", option->name);
    if (has_letter(option))
        printf("-%c|", option->key);
}

static void put_bash(void)
{
    fputs("# bash completion for quire, made by `quire completion bash`\n"
          "_quire_layouts() { quire layout list 2> /dev/null | cut -d ' ' -f 1; }\n\n"
          "_quire() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local options= actions= takers= at=2 own\n"
          "    [ \"$before\" = = ] && [ \"$COMP_CWORD\" -gt 1 ] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
          "    [ \"$word\" = = ] && word=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < command_count; i++)
        printf("%s ", commands[i].name);
    fputs("--help --version' -- \"$word\"))\n"
          "        return\n"
          "    fi\n"
          "    case ${COMP_WORDS[1]} in\n", stdout);
    for (size_t i = 0; i < command_count; i++) {
        printf("    %s)\n        options='", commands[i].name);
        each_option(&commands[i], put_bash_option);
        fputs("'\n        takers='|", stdout);
        each_option(&commands[i], put_bash_word_taker);
        fputs("'\n", stdout);
        if (has_actions(&commands[i])) {
            fputs("        actions='", stdout);
            put_actions(&commands[i], " ");
            fputs("'\n", stdout);
        }
        fputs("        ;;\n", stdout);
    }
    fputs("    *) return ;;\n"
          "    esac\n"
          "    case $before in\n"
          "    --layout) COMPREPLY=($(compgen -W \"$(_quire_layouts)\" -- \"$word\")); return ;;\n"
          "    --machine) COMPREPLY=($(compgen -W 'microvm pc' -- \"$word\")); return ;;\n"
          "    --root|--output|-o) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
          "    --memory|-m|--swap|--timeout|--watchdog|--append) return ;;\n"
          "    --env) COMPREPLY=($(compgen -v -S = -- \"$word\")); compopt -o nospace; return ;;\n"
          "    esac\n"
          "    # Behind the program all words are the program's own.\n"
          "    while [ \"$at\" -lt \"$COMP_CWORD\" ]; do\n"
          "        own=${COMP_WORDS[at]}\n"
          "        case $own in\n"
          "        --) options=; break ;;\n"
          "        -*) case $takers in *\"|$own|\"*)\n"
          "                at=$((at + 1)); [ \"${COMP_WORDS[at]}\" = = ] && at=$((at + 1)) ;;\n"
          "            esac ;;\n"
          "        *) [ -n \"$actions\" ] || options=; break ;;\n"
          "        esac\n"
          "        at=$((at + 1))\n"
          "    done\n"
          "    if [[ $word == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "    elif [ -n \"$actions\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
          "        COMPREPLY=($(compgen -W \"$actions\" -- \"$word\"))\n"
          "    elif [ -n \"$actions\" ]; then\n"
          "        COMPREPLY=($(compgen -f -W \"$(_quire_layouts)\" -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "    fi\n"
          "}\n\n"
          "complete -o filenames -F _quire quire\n", stdout);
}

/* ---- zsh ---------------------------------------------------------------------------------------- */

static void put_zsh_value(const struct argp_option *option)
{
    if (option->arg == NULL)
        return;
    fputs((option->flags & OPTION_ARG_OPTIONAL) != 0 ? "::" : ":", stdout);
    put_quoted(option->arg, ":[]");
    if (strcmp(option->name, "layout") == 0)
        fputs(":($(_quire_layouts))", stdout);
    else if (strcmp(option->name, "machine") == 0)
        fputs(":(microvm pc)", stdout);
    else if (is_about(option, "FILE") || is_about(option, "HOST"))
        fputs(":_files", stdout);
    else if (is_about(option, "DIRECTORY"))
        fputs(":_directories", stdout);
    else
        fputs(":", stdout);
}

static void put_zsh_option(const struct command *command, const struct argp_option *option)
{
    (void)command;
    for (int letter = has_letter(option); letter >= 0; letter--) {
        fputs("            '*", stdout);
        if (letter)
            printf("-%c%s", option->key, option->arg != NULL ? "+" : "");
        else
            printf("--%s%s", option->name, option->arg != NULL ? "=" : "");
        putchar('[');
        put_quoted(option->doc, ":[]");
        putchar(']');
        put_zsh_value(option);
        fputs("' \\\n", stdout);
    }
}

static void put_zsh(void)
{
    fputs("#compdef quire\n"
          "# zsh completion for quire, made by `quire completion zsh`\n"
          "_quire_layouts() { quire layout list 2> /dev/null | cut -d ' ' -f 1 }\n\n"
          "_quire() {\n"
          "    local -a names\n"
          "    names=(\n", stdout);
    for (size_t i = 0; i < command_count; i++) {
        printf("        '%s:", commands[i].name);
        put_quoted(commands[i].purpose, ":");
        fputs("'\n", stdout);
    }
    fputs("    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command names\n"
          "        return\n"
          "    fi\n"
          "    local name=$words[2]\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "    case $name in\n", stdout);
    for (size_t i = 0; i < command_count; i++) {
        printf("    %s)\n        _arguments -s -A '-*' \\\n", commands[i].name);
        each_option(&commands[i], put_zsh_option);
        if (has_actions(&commands[i])) {
            fputs("            '1:action:(", stdout);
            put_actions(&commands[i], " ");
            fputs(")' '2:document:_files'\n        ;;\n", stdout);
        } else {
            fputs("            '*:: :_files'\n        ;;\n", stdout);
        }
    }
    fputs("    esac\n"
          "}\n\n"
          "_quire \"$@\"\n", stdout);
}

/* ---- fish --------------------------------------------------------------------------------------- */

static void put_fish_option(const struct command *command, const struct argp_option *option)
{
    printf("complete -c quire -n '__fish_seen_subcommand_from %s' -l %s", command->name, option->name);
    if (has_letter(option))
        printf(" -s %c", option->key);
    if (takes_word(option))
        fputs(strcmp(option->name, "layout") == 0    ? " -x -a '(__quire_layouts)'"
              : strcmp(option->name, "machine") == 0 ? " -x -a 'microvm pc'"
              : is_about(option, "FILE") || is_about(option, "HOST") || is_about(option, "DIRECTORY") ? " -r"
                                                                                                      : " -x", stdout);
    fputs(" -d '", stdout);
    for (const char *at = option->doc; *at != '\0'; at++)
        printf(*at == '\'' || *at == '\\' ? "\\%c" : "%c", *at);
    fputs("'\n", stdout);
}

static void put_fish(void)
{
    fputs("# fish completion for quire, made by `quire completion fish`\n"
          "function __quire_layouts\n    quire layout list 2> /dev/null | string replace -r ' +' \\t\nend\n\n", stdout);
    for (size_t i = 0; i < command_count; i++) {
        printf("complete -c quire -f -n __fish_use_subcommand -a %s -d '", commands[i].name);
        for (const char *at = commands[i].purpose; *at != '\0'; at++)
            printf(*at == '\'' || *at == '\\' ? "\\%c" : "%c", *at);
        fputs("'\n", stdout);
    }
    for (size_t i = 0; i < command_count; i++) {
        each_option(&commands[i], put_fish_option);
        if (has_actions(&commands[i])) {
            printf("complete -c quire -n '__fish_seen_subcommand_from %s' -a '", commands[i].name);
            put_actions(&commands[i], " ");
            fputs(" (__quire_layouts)'\n", stdout);
        }
    }
}

/* ---- The command -------------------------------------------------------------------------------- */

static const struct {
    const char *shell;
    void      (*put)(void);
} shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };

enum { SHELL_COUNT = sizeof(shells) / sizeof(shells[0]) };

static error_t parse_completion(int key, char *word, struct argp_state *state)
{
    size_t *chosen = state->input;

    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "for which shell: bash, zsh or fish?");
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (state->arg_num > 0)
        argp_error(state, "`%s` is one word too many", word);
    for (*chosen = 0; *chosen < SHELL_COUNT && strcmp(shells[*chosen].shell, word) != 0; ++*chosen)
        ;
    if (*chosen == SHELL_COUNT)
        argp_error(state, "no completion is known for the shell `%s`: bash, zsh and fish are", word);
    return 0;
}

const struct argp argp_completion = {
    .parser = parse_completion, .args_doc = "bash\nzsh\nfish",
    .doc = "Print what completes the words of quire's commands in a shell.\v"
           "For this session of bash: source <(quire completion bash). `make install` puts them where the shells look.",
};

int command_completion(int argc, char **argv)
{
    size_t chosen = 0;

    argp_err_exit_status = STATUS_USAGE;
    argp_parse(&argp_completion, argc, argv, 0, NULL, &chosen);
    shells[chosen].put();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        command_name = argv[0];
        return tell(STATUS_WRONG, "the completion could not be written");
    }
    return STATUS_GOOD;
}
