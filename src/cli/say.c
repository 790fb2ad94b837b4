/* say.c: messages and the clock that all sub-commands use. */
#include "cli.h"
#include "../core/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The last failure that was said, for a team's other workers; the team's thread says failures, too. */
static char failure[1024];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void cli_last_failure(char *text, size_t room)
{
    pthread_mutex_lock(&lock);
    snprintf(text, room, "%s", failure);
    pthread_mutex_unlock(&lock);
}

/* A failure of a team begins with its rank. It is said once, by the team or by who it came back to. */
static int is_said(const char *said)
{
    int both = !strncmp(failure, "rank ", 5) || !strncmp(said, "rank ", 5);
    return both && *failure && (strstr(failure, said) || strstr(said, failure));
}

/* Bytes of a word: up to a blank or a line's end, or all that stands between quotes, such as a command. */
static size_t word_length(const char *text)
{
    const char *end = *text == '\'' ? strchr(text + 1, '\'') : text;
    while (end && end > text && isalnum((unsigned char)end[1])) end = strchr(end + 1, '\'');
    if (!end || memchr(text, '\n', (size_t)(end - text))) end = text;
    return (size_t)(end - text) + strcspn(end, " \n");
}

/* A line in lines that fit, each but the first behind two blanks. */
static const char *in_lines(const char *line, char *out, size_t room)
{
    const int width = cli_width(stderr);
    int column = 0;
    for (size_t used = 0; *line && used < room;) {
        const int blanks = (int)strspn(line, " ");
        const size_t length = word_length(line + blanks);
        const int columns = cli_columns_in(line + blanks, length);
        const int breaks = column && column + blanks + columns > width && 2 + columns <= width;
        used += (size_t)snprintf(out + used, room - used, "%s%*s%.*s", breaks ? "\n" : "", breaks ? 2 : blanks, "",
                                 (int)length, line + blanks);
        column = breaks ? 2 + columns : column + blanks + columns;
        line += (size_t)blanks + length;
    }
    return out;
}

/* One write, so that lines of several threads do not mix. */
static void say(const char *prefix, const char *format, va_list list)
{
    char line[1024], lines[2 * sizeof line];
    int length = snprintf(line, sizeof line, "tenon: %s", prefix);
    vsnprintf(line + length, sizeof line - (size_t)length, format, list);
    const char *said = tn_text_clean(line, sizeof line) + strlen("tenon: ");
    pthread_mutex_lock(&lock);
    if (*prefix || !is_said(said))
        fprintf(stderr, "%s%s%s\n", cli_colour(stderr, *prefix ? CLI_YELLOW : CLI_RED),
                cli_wraps(stderr) ? in_lines(line, lines, sizeof lines) : line, cli_colour(stderr, CLI_PLAIN));
    if (!*prefix) snprintf(failure, sizeof failure, "%s", said);
    pthread_mutex_unlock(&lock);
}

static int quiet;

void cli_be_quiet(void)
{
    quiet = 1;
}

/* Where the line on standard error stands, and the blanks that come next. */
static int written, blanks;

/* A word, on a line of its own where it does not fit. */
static void put_word(const char *word, int length, int width)
{
    const int columns = cli_columns_in(word, (size_t)length);
    if (written && written + blanks + columns > width) {
        fprintf(stderr, "\n");
        written = 0;
        blanks = 2;
    }
    fprintf(stderr, "%*s%.*s", blanks, "", length, word);
    written += blanks + columns;
    blanks = 0;
}

static void put_lines(const char *text, int width)
{
    while (*text) {
        const int length = (int)word_length(text);
        if (length) put_word(text, length, width);
        text += length;
        if (*text == ' ') blanks++;
        if (*text == '\n') written = blanks = 0;
        if (*text == '\n') fprintf(stderr, "\n");
        text += *text != 0;
    }
}

void cli_tell_whole(const char *format, ...)
{
    va_list list;
    if (quiet) return;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
}

void cli_tell(const char *format, ...)
{
    char text[8192];
    va_list list;
    if (quiet) return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (cli_wraps(stderr))
        put_lines(text, cli_width(stderr));
    else
        fprintf(stderr, "%s", text);
}

const char *cli_shown(const char *text)
{
    static char shown[4][2048];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(shown[turn], sizeof shown[turn], "%s", text);
    return tn_text_clean(shown[turn], sizeof shown[turn]);
}

int cli_usage(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say("", format, list);
    va_end(list);
    return CLI_USAGE;
}

int cli_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say("", format, list);
    va_end(list);
    return CLI_FAILED;
}

void cli_warn(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say("warning: ", format, list);
    va_end(list);
}

int cli_failed(void)
{
    return cli_fail("%s", tn_message());
}

double cli_unsigned_nan(double number)
{
    return isnan(number) ? (double)NAN : number;
}

int cli_status(tn_status status)
{
    return status == TN_EINVAL || status == TN_EMISSING ? CLI_USAGE : status ? CLI_FAILED : CLI_OK;
}

int cli_flush(int status)
{
    if (!fflush(stdout) && !ferror(stdout)) return status;
    int failed = cli_fail("standard output: %s", strerror(errno));
    return status ? status : failed;
}

static void listen(void *arg, int32_t level, const char *line)
{
    (void)arg;
    if (level >= TN_LOG_ERROR)
        cli_fail("%s", line);
    else
        cli_warn("%s", line);
}

void cli_listen(void)
{
    tn_log_to(listen, NULL, TN_LOG_WARNING);
}

double cli_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* How much of a text fits a line: up to a blank, or a part of the first word. */
static size_t fitting(const char *text, int room)
{
    const size_t most = cli_fitting(text, room);
    size_t cut = most;
    if (!text[cut]) return cut;
    while (cut > 0 && text[cut] != ' ') cut--;
    return cut ? cut : most;
}

void cli_wrap(const char *text, int column, int used)
{
    const int width = cli_width(stdout);
    do {
        size_t length = fitting(text, width > column + 12 ? width - column : 12);
        printf("%*s%.*s\n", column - used, "", (int)length, text);
        text += length + strspn(text + length, " ");
        used = 0;
    } while (*text);
}

void cli_row(const char *name, int column, const char *doc)
{
    int used = printf("  %s", name);
    if (used + 1 > column) used = printf("\n") - 1;
    cli_wrap(doc, column, used);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double cli_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
