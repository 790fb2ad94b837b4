/* cli.h: what the files of the command share: the sub-commands, exit statuses, and how they speak.
 *
 * Results go to standard output; everything else is one line each on standard error, beginning with "tenon: ". */
#ifndef TN_CLI_CLI_H
#define TN_CLI_CLI_H

#include "tenon/tenon.h"

#include <stdio.h>

#define CLI_OK     0
#define CLI_FAILED 1   /* at run time: a file, a device, the data */
#define CLI_USAGE  2   /* in what was typed */
#define CLI_SIGNAL 128 /* and the number of the signal that ended it, as shells count: 130 after Ctrl-C */

/* The sub-commands. Each returns the exit status; argv[0] is its name. */
#define X(name, run, doc) int run(int argc, char **argv);
#include "commands.def"
#undef X

/* `check --model`: the network in the file, on the device. A negative seed: the file's own. */
int cli_check_model(const char *path, const char *device, int64_t seed, int json);

/* `check --comm`: the communicator of that name, or in that file. */
int cli_check_comm(const char *name, int json);

/* Print the line and return CLI_USAGE, CLI_FAILED, nothing. */
int cli_usage(const char *format, ...) TN_PRINTF(1, 2);
int cli_fail(const char *format, ...) TN_PRINTF(1, 2);
void cli_warn(const char *format, ...) TN_PRINTF(1, 2);

/* The same with the library's message; and the exit status that belongs to a failure of the library's: what is wrong
 * or not there was typed so. */
int cli_failed(void);

/* To standard error, unless the command is to be quiet: what is no result, no warning and no failure. */
void cli_tell(const char *format, ...) TN_PRINTF(1, 2);
/* The same, which is never broken into lines: a command that somebody may copy. */
void cli_tell_whole(const char *format, ...) TN_PRINTF(1, 2);
void cli_be_quiet(void);

/* What makes a terminal colour the text that follows, and what ends it; "" where the file is none, or where NO_COLOR or
 * TERM=dumb asks for none. */
enum { CLI_PLAIN, CLI_BOLD, CLI_RED, CLI_YELLOW, CLI_GREEN };
const char *cli_colour(FILE *file, int colour);

/* To be printed: of what is no number, nobody should see a sign. */
double cli_unsigned_nan(double number);
/* The last failure that was said, without the command's name. */
void cli_last_failure(char *text, size_t room);
/* 1 if this process has been a worker that a launcher started. */
int cli_was_worker(void);
/* That it is one, or may be. */
void cli_be_worker(void);
int cli_status(tn_status status);

/* A text that others wrote, such as a file's name or a class's, fit for a terminal. Lives until the fourth call after;
 * for the command's own thread. */
const char *cli_shown(const char *text);

/* Flushes standard output; a failure to write, as on a full disk, is an error. Takes and returns the exit status. */
int cli_flush(int status);

/* Sends the library's warnings to standard error. */
void cli_listen(void);

/* A row of a help text on standard output: what something is called, and from `column` on what it is, in lines that fit
 * the terminal. */
void cli_row(const char *name, int column, const char *doc);

/* Prints a text in such lines, the first of which has `used` characters already, each from `column` on. */
void cli_wrap(const char *text, int column, int used);

/* Characters in a line of the file: of the terminal that it is, or what COLUMNS says, or else 80; from 40 to 240. */
int cli_width(FILE *file);

/* Whether lines that are longer are to be broken: on a terminal, or where COLUMNS asks for it. */
int cli_wraps(FILE *file);

/* How many columns a text takes, or so many bytes of it. */
int cli_columns(const char *text);
int cli_columns_in(const char *text, size_t bytes);

/* How many bytes of it, whole characters, take so many columns at most. */
size_t cli_fitting(const char *text, int columns);

/* A text in `room` bytes made fit for a terminal and cut to `most` columns, ".." in place of what lies in its
 * middle, or at its beginning. Return it. */
const char *cli_fitted(char *text, size_t room, int most);
const char *cli_fitted_end(char *text, size_t room, int most);

/* Seconds on a clock that only goes forward. */
double cli_now(void);

/* The middle one of `count` numbers, which get sorted. */
double cli_median(double *values, size_t count);

/* An output file can be made: its folder is there and writable, and it is no folder or device itself, nor a file that
 * may not be replaced. `option` names it in the message. Returns CLI_OK or CLI_FAILED. NULL is fine. */
int cli_can_write(const char *option, const char *path);

/* An output is not another file of the command's, which `other` names in the message, "--data": by what is there,
 * whatever the paths' spelling, and by folder and name where nothing is yet; nor, where that is a folder, a file of
 * data in it. NULL paths are fine, and for `option`, of a file that is an operand. Returns CLI_OK or CLI_USAGE. */
int cli_not_the_same(const char *option, const char *path, const char *other, const char *other_path);

#endif
