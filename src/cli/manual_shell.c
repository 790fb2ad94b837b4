/* manual_shell.c: the completions: for bash, zsh and fish the same choices, each in its own words. */
#include "manual.h"

#include <string.h>

/* ---- bash ---- */

/* What is typed so far is cut at blanks here: bash cuts it at ':' and '=' too, and replaces only what follows those. */
static const char bash_begin[] =
    "# Completion of tenon for bash. Made by the build from the command's own tables.\n"
    "_tenon()\n{\n"
    "    local typed=${COMP_LINE:0:COMP_POINT} command=${COMP_WORDS[1]} word before prefix= words= files= break found\n"
    "    word=${typed##*[[:space:]]}\n"
    "    before=${typed%\"$word\"}\n"
    "    before=${before%\"${before##*[![:space:]]}\"}\n"
    "    before=${before##*[[:space:]]}\n"
    "    if [[ $word == --*=* ]]; then\n"
    "        before=${word%%=*}\n"
    "        prefix=$before=\n"
    "        word=${word#*=}\n"
    "    fi\n"
    "    ((COMP_CWORD > 1)) || command=\n"
    "    case $command:$before in\n";
static const char bash_end[] = "    esac\n"
                               "    COMPREPLY=()\n"
                               "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                               "    if [[ $files ]]; then\n"
                               "        compopt -o filenames 2>/dev/null\n"
                               "        mapfile -t found < <(compgen -f -- \"$word\")\n"
                               "        COMPREPLY+=(\"${found[@]}\")\n"
                               "    fi\n"
                               "    [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=(\"${COMPREPLY[@]/#/$prefix}\")\n"
                               "    for break in : =; do\n"
                               "        [[ $COMP_WORDBREAKS == *$break* && $word == *$break* ]] &&\n"
                               "            COMPREPLY=(\"${COMPREPLY[@]#\"${word%\"${word##*\"$break\"}\"}\"}\")\n"
                               "    done\n"
                               "    return 0\n"
                               "}\n"
                               "complete -F _tenon tenon\n";

static void bash_choice(FILE *f, cli_choice choice)
{
    fprintf(f, " words='%s' files=%s ;;\n", choice.words, choice.files ? "1" : "");
}

static void bash_command(FILE *f, const cli_manual *m)
{
    const cli_option *o;
    for (size_t i = 0; (o = cli_manual_option(m, i)); i++) {
        if (!cli_manual_has_value(o)) continue;
        fprintf(f, "        %s:--%s)", m->name, o->name);
        bash_choice(f, cli_manual_values(o));
    }
}

static void bash_options(FILE *f, const cli_manual *m)
{
    const cli_option *o;
    fprintf(f, "        %s:*)\n            if [[ $word == -* ]]; then\n                words='--help", m->name);
    for (size_t i = 0; (o = cli_manual_option(m, i)); i++) fprintf(f, " --%s", o->name);
    fprintf(f, "'\n            else\n               ");
    const cli_choice choice = cli_manual_operands(m);
    fprintf(f, " words='%s' files=%s\n            fi\n            ;;\n", choice.words, choice.files ? "1" : "");
}

void cli_write_bash(FILE *f, const cli_manuals *all)
{
    fputs(bash_begin, f);
    for (const cli_manual *m = all->command; m->name; m++) bash_command(f, m);
    for (const cli_manual *m = all->command; m->name; m++) bash_options(f, m);
    fprintf(f, "        :* | help:*)\n            words='");
    for (const cli_manual *m = all->command; m->name; m++) fprintf(f, "%s ", m->name);
    fprintf(f, "'\n            [[ $command ]] || words+='help --help --version'\n            ;;\n");
    fputs(bash_end, f);
}

/* ---- zsh ---- */

/* In single quotes, where brackets and colons have a meaning, too. */
static void zsh_put(FILE *f, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", f);
        else
            fprintf(f, "%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
}

/* What may stand there, as the last part of a specification. */
static void zsh_action(FILE *f, cli_choice choice)
{
    if (!*choice.words) {
        fprintf(f, choice.files ? "_files" : " ");
        return;
    }
    fprintf(f, choice.files ? "{_files; compadd -- " : "{compadd -- ");
    zsh_put(f, choice.words);
    putc('}', f);
}

static void zsh_option(FILE *f, const cli_option *o)
{
    fprintf(f, "                '--%s%s[", o->name, cli_manual_has_value(o) ? "=" : o->kind == CLI_LEVEL ? "=-" : "");
    zsh_put(f, o->doc);
    putc(']', f);
    if (o->kind == CLI_LEVEL) fprintf(f, "::how much:(%s)", o->value);
    if (cli_manual_has_value(o)) {
        putc(':', f);
        zsh_put(f, o->value);
        putc(':', f);
        zsh_action(f, cli_manual_values(o));
    }
    fprintf(f, "' \\\n");
}

static void zsh_command(FILE *f, const cli_manual *m)
{
    const cli_option *o;
    fprintf(f, "        %s)\n            _arguments \\\n", m->name);
    for (size_t i = 0; (o = cli_manual_option(m, i)); i++) zsh_option(f, o);
    fprintf(f, "                '--help[says what it takes]'");
    if (m->part[0].operands) {
        fprintf(f, " \\\n                '*:");
        zsh_put(f, m->part[0].operands);
        putc(':', f);
        zsh_action(f, cli_manual_operands(m));
        putc('\'', f);
    }
    fprintf(f, "\n            ;;\n");
}

void cli_write_zsh(FILE *f, const cli_manuals *all)
{
    fputs("#compdef tenon\n# Completion of tenon for zsh. Made by the build from the command's own tables.\n"
          "_tenon_commands()\n{\n    local -a commands=(\n",
          f);
    for (const cli_manual *m = all->command; m->name; m++) {
        fprintf(f, "        '%s:", m->name);
        zsh_put(f, m->doc);
        fprintf(f, "'\n");
    }
    fputs("        'help:tells about a command'\n    )\n    _describe command commands\n}\n\n"
          "_tenon()\n{\n    local state line\n    local -A opt_args\n"
          "    _arguments -C '(-)--help[lists the commands]' '(-)--version[prints the version]' \\\n"
          "        '1: :_tenon_commands' '*:: :->arguments' && return\n"
          "    [[ $state == arguments ]] || return 1\n    case $words[1] in\n",
          f);
    for (const cli_manual *m = all->command; m->name; m++) zsh_command(f, m);
    fputs("        help)\n            _tenon_commands\n            ;;\n    esac\n}\n\n_tenon \"$@\"\n", f);
}

/* ---- fish ---- */

static void fish_put(FILE *f, const char *text)
{
    putc('\'', f);
    cli_manual_put(f, text, "'\\", "\\");
    putc('\'', f);
}

static void fish_choice(FILE *f, cli_choice choice)
{
    if (choice.files) fprintf(f, " -F");
    if (*choice.words) fprintf(f, " -a '%s'", choice.words);
}

static void fish_option(FILE *f, const cli_manual *m, const cli_option *o)
{
    fprintf(f, "complete -c tenon -n '__tenon_in %s' -l %s", m->name, o->name);
    if (cli_manual_has_value(o)) {
        fprintf(f, cli_manual_values(o).files ? " -r" : " -x");
        fish_choice(f, cli_manual_values(o));
    }
    fprintf(f, " -d ");
    fish_put(f, o->doc);
    putc('\n', f);
}

static void fish_command(FILE *f, const cli_manual *m)
{
    const cli_option *o;
    fprintf(f, "complete -c tenon -n '__tenon_in help; or __tenon_in' -a %s -d ", m->name);
    fish_put(f, m->doc);
    putc('\n', f);
    for (size_t i = 0; (o = cli_manual_option(m, i)); i++) fish_option(f, m, o);
    fprintf(f, "complete -c tenon -n '__tenon_in %s' -l help -d 'says what it takes'\n", m->name);
    if (!m->part[0].operands) return;
    fprintf(f, "complete -c tenon -n '__tenon_in %s'", m->name);
    fish_choice(f, cli_manual_operands(m));
    putc('\n', f);
}

void cli_write_fish(FILE *f, const cli_manuals *all)
{
    fputs("# Completion of tenon for fish. Made by the build from the command's own tables.\n"
          "function __tenon_in\n    set -l words (commandline -opc)\n    test \"$words[2]\" = \"$argv[1]\"\nend\n"
          "complete -c tenon -f\n"
          "complete -c tenon -n '__tenon_in' -a help -d 'tells about a command'\n"
          "complete -c tenon -n '__tenon_in' -l help -d 'lists the commands'\n"
          "complete -c tenon -n '__tenon_in' -l version -d 'prints the version'\n",
          f);
    for (const cli_manual *m = all->command; m->name; m++) fish_command(f, m);
}
