/* manual.h: manuals and completions of the command, made when it is built from the very tables that it reads its
 * arguments by: nobody writes a list of options a second time. */
#ifndef TN_CLI_MANUAL_H
#define TN_CLI_MANUAL_H

#include "options.h"

/* A sub-command. Some have another syntax for networks of ONNX. */
typedef struct cli_manual {
    const char *name, *doc;
    cli_syntax part[2];
    int parts;
} cli_manual;

/* All that there are, which end in one without a name. */
typedef struct cli_manuals {
    cli_manual *command;
    const char *date; /* of the manuals: "2026-11-23" */
} cli_manuals;

/* The option number `i` of a command: of each syntax those that its help shows, then those that it takes besides; each
 * name once. NULL past the last. */
const cli_option *cli_manual_option(const cli_manual *manual, size_t i);

/* What may stand as a value: words with blanks between, and whether any file may. */
typedef struct cli_choice {
    char words[600];
    int files;
} cli_choice;
cli_choice cli_manual_values(const cli_option *option);
cli_choice cli_manual_operands(const cli_manual *manual);

/* 1 if an option is followed by a word that is its value. */
int cli_manual_has_value(const cli_option *option);

/* Text up to its end, with `before` in front of each character of `special`. */
void cli_manual_put(FILE *file, const char *text, const char *special, const char *before);

/* Write tenon.1, the manual of a command, and the completions for each shell. */
void cli_write_overview(FILE *file, const cli_manuals *manuals);
void cli_write_manual(FILE *file, const cli_manuals *manuals, const cli_manual *manual);
void cli_write_bash(FILE *file, const cli_manuals *manuals);
void cli_write_zsh(FILE *file, const cli_manuals *manuals);
void cli_write_fish(FILE *file, const cli_manuals *manuals);

#endif
