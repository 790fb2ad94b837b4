/* sheet.c: see sheet.h. */
#include "sheet.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_sheet_begin(cli_sheet *s, const char *path)
{
    *s = (cli_sheet){.path = path};
    if (asprintf(&s->beside, "%s.%ld.tmp", path, (long)getpid()) < 0) return cli_fail("out of memory");
    int fd = open(s->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    s->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (s->file) return CLI_OK;
    int status = cli_fail("%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd), unlink(s->beside);
    free(s->beside);
    return status;
}

static void between(cli_sheet *s)
{
    if (s->cells++) putc(',', s->file);
}

/* In quotes where it has what would end a cell, or spaces at its ends, which readers drop. */
static int needs_quotes(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("\",\r\n", text[i])) return 1;
    return length && (text[0] == ' ' || text[length - 1] == ' ');
}

void cli_sheet_text(cli_sheet *s, const char *text, size_t length)
{
    const int quotes = needs_quotes(text, length);
    between(s);
    if (quotes) putc('"', s->file);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"') putc('"', s->file);
        putc(text[i], s->file);
    }
    if (quotes) putc('"', s->file);
}

void cli_sheet_whole(cli_sheet *s, int64_t value)
{
    between(s);
    fprintf(s->file, "%" PRId64, value);
}

void cli_sheet_number(cli_sheet *s, double value)
{
    between(s);
    fprintf(s->file, "%.9g", value);
}

void cli_sheet_row(cli_sheet *s)
{
    putc('\n', s->file);
    s->cells = 0;
}

int cli_sheet_end(cli_sheet *s, int keep)
{
    int failed = fflush(s->file) || ferror(s->file);
    failed = fclose(s->file) || failed;
    if (keep && !failed) failed = rename(s->beside, s->path);
    int error = errno;
    if (!keep || failed) unlink(s->beside);
    free(s->beside);
    return failed ? cli_fail("%s: %s", s->path, strerror(error)) : CLI_OK;
}
