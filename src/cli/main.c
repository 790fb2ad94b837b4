/* main.c: the command: finds the sub-command. A new one is a file and a row of commands.def. */
#include "cli.h"
#include "interrupt.h"
#include "../core/nearest.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *doc;
} commands[] = {
#define X(name, run, doc) {#name, run, doc},
#include "commands.def"
#undef X
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static int help(void)
{
    char line[160];
    snprintf(line, sizeof line, "tenon %s: trains and runs neural networks on any compute device", tn_version());
    cli_wrap(line, 0, 0);
    printf("\nusage: tenon COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < COMMANDS; i++) cli_row(commands[i].name, 12, commands[i].doc);
    printf("\n");
    cli_wrap("tenon help COMMAND tells about one; 'tenon train' alone is a good beginning.", 0, 0);
    return CLI_OK;
}

/* "help train" is "train --help". */
static char **as_option(char **argv)
{
    static char option[] = "--help";
    argv[0] = argv[1];
    argv[1] = argv[2];
    argv[2] = option;
    return argv;
}

static int dispatch(int argc, char **argv)
{
    const char *word = argv[1];
    tn_nearest nearest = {.word = word};
    char hint[80];
    if (!strcmp(word, "--version") || !strcmp(word, "-V")) return printf("tenon %s\n", tn_version()), CLI_OK;
    if (!strcmp(word, "help") && argc > 2) return dispatch(3, as_option(argv));
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) return help();
    for (size_t i = 0; i < COMMANDS; i++) {
        tn_nearest_offer(&nearest, commands[i].name);
        if (!strcmp(word, commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    }
    return cli_usage("there is no command '%s'%s; tenon --help lists them", word,
                     tn_nearest_text(&nearest, hint, sizeof hint));
}

/* Without what libraries do at the end of a process: a driver that crashes there, or a plugin's atexit handler, would
 * change the exit status. But a launcher waits for its library to end well. A leak checker works there, too, and is
 * waited for. */
static int end(int status)
{
    status = cli_flush(status);
    if (cli_was_worker()) return status;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    fflush(NULL);
    _exit(status);
#endif
    return status;
}

int main(int argc, char **argv)
{
    cli_interrupt_begin();
    uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)); /* whatever a driver makes of the process's */
    if (argc < 2) {
        help();
        return end(CLI_USAGE);
    }
    cli_listen();
    return end(dispatch(argc, argv));
}
