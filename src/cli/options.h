/* options.h: the options of a sub-command as a table: parsing, help, and the notes that a checkpoint keeps of them. */
#ifndef TN_CLI_OPTIONS_H
#define TN_CLI_OPTIONS_H

#include "cli.h"

/* What an option's target is. */
enum {
    CLI_END,    /* after the last row */
    CLI_FLAG,   /* int: 1 when given */
    CLI_LEVEL,  /* int: 1 when given, 2 when given as --name=WORD, where WORD is the row's `value` */
    CLI_TEXT,   /* const char * */
    CLI_WHOLE,  /* int64_t, low <= number <= high */
    CLI_NUMBER, /* double, low < number < high */
    CLI_FROM,   /* double, low <= number < high */
    CLI_MEANT,  /* the same; 0 is stored as TN_ZERO, since a target that is 0 stands for the usual value */
};

typedef struct cli_option {
    int kind;
    const char *name;  /* without the dashes */
    const char *value; /* how help calls its value */
    const char *doc;   /* "": help leaves it out */
    void *target;
    double low, high;
    const char *note; /* the checkpoint's note that keeps it, or NULL */
    int fixed;        /* a resumed training cannot change it */
    int given;        /* set by cli_parse */
    char *owned;      /* the text that a note was read into */
} cli_option;

/* Who writes down what a help text says after the options. */
typedef struct cli_scribe {
    void *to;
    void (*heading)(void *to, const char *text);
    void (*row)(void *to, const char *name, int column, const char *doc); /* column: as in cli_row */
} cli_scribe;

typedef struct cli_syntax {
    const char *command;  /* "train" */
    const char *operands; /* "FILE...", or NULL if it takes none */
    const char *doc;
    void (*more)(const cli_scribe *scribe); /* says what else there is to say in the help; or NULL */
    cli_option *options;
    const cli_option *also; /* options that it takes besides and that its help leaves to another's; or NULL */
} cli_syntax;

#define CLI_GO_ON     (-1)
#define CLI_NOTE_TEXT 40 /* bytes that hold any number */

/* Reads the arguments; operands are moved to the front of argv, behind argv[0], and counted. Returns CLI_GO_ON, or the
 * exit status: CLI_USAGE after a message, CLI_OK after --help. */
int cli_parse(const cli_syntax *syntax, int argc, char **argv, int *operands);

/* From now on --help gives the syntax to `take` instead of printing it, for what makes manuals and completions. */
void cli_help_to(void (*take)(const cli_syntax *syntax));

cli_option *cli_find(cli_option *options, const char *name);
int cli_given(cli_option *options, const char *name);

/* The file whose note has the option's value: `path`, or NULL if the option was given. */
const char *cli_noted(cli_option *options, const char *name, const char *path);

/* Fills what was not given from the checkpoint's notes. What was given and is fixed must agree with them. */
int cli_from_notes(cli_option *options, const tn_checkpoint *checkpoint, const char *path);

/* The option's value as a note's text: its own, or written into `text`. Never NULL. */
const char *cli_note_text(const cli_option *option, char text[CLI_NOTE_TEXT]);

/* Whether its number is outside its range, as --limit when it was not given, or 0. */
int cli_option_is_unset(const cli_option *option);

/* Takes an option for not given if its text is that one: "auto" of a training that is resumed is what it chose. */
void cli_forget(cli_option *options, const char *name, const char *text);

/* Prints a word to standard error as a shell reads it: in quotes where it needs them. */
void cli_print_word(const char *word);

/* Prints to standard error the options that were given and that no note keeps, as a shell reads them, each after a
 * blank; but not those of the names in `but`, which ends in NULL. */
void cli_repeat(const cli_option *options, const char *const but[]);

/* A note of a whole number from `low` to `high`; `value` stays where there is no such note. Returns 0 if it is anything
 * else: whoever wrote the file need not have been this command. */
int cli_note_whole(const tn_checkpoint *checkpoint, const char *key, int64_t low, int64_t high, int64_t *value);

/* Frees the texts that were read from notes. */
void cli_options_free(cli_option *options);

#endif
