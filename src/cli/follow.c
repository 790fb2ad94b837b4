/* follow.c: see follow.h. Events are
 *   {"run": 0, "name": "a.jsonl"}                    a file is followed, from its beginning: forget what came of it
 *   {"run": 0, "line": {...}}                        a line of it
 *   {"run": 0, "bad": 17, "why": "..."}              line 17 is none
 */
#include "follow.h"
#include "cli.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE  (1 << 16)
#define LONGEST  (1 << 24) /* bytes of a line */
#define MOST_BAD 3         /* lines of a file that are warned of */

typedef struct file {
    const char *path;
    int run, fd; /* fd -1: it is not there */
    dev_t device;
    ino_t number;
    off_t at;
    char *part; /* of a line whose end is to come */
    size_t used, room;
    long line;
    int bad;
} file;

struct cli_follow {
    file *files;
    int count;
    char **event;
    size_t events, room;
    int ended, failed;
    pthread_mutex_t lock;
    pthread_cond_t more;
};

/* ---- events ---- */

/* Takes the object. */
static void add(cli_follow *f, cJSON *event)
{
    char *text = event ? cJSON_PrintUnformatted(event) : NULL;
    cJSON_Delete(event);
    pthread_mutex_lock(&f->lock);
    const size_t room = f->events < f->room ? f->room : 2 * f->room + 64;
    char **grown = room > f->room ? realloc(f->event, room * sizeof *grown) : f->event;
    if (grown) f->event = grown, f->room = room;
    if (grown && text)
        f->event[f->events++] = text;
    else
        f->failed = 1, free(text);
    pthread_cond_broadcast(&f->more);
    pthread_mutex_unlock(&f->lock);
}

static cJSON *event_of(const file *in)
{
    cJSON *event = cJSON_CreateObject();
    cJSON_AddNumberToObject(event, "run", in->run);
    return event;
}

static void begin(cli_follow *f, file *in)
{
    cJSON *event = event_of(in);
    cJSON_AddStringToObject(event, "name", in->path);
    in->at = 0;
    in->used = 0;
    in->line = 0;
    in->bad = 0;
    add(f, event);
}

static void add_bad(cli_follow *f, file *in, const char *why)
{
    cJSON *event = event_of(in);
    cJSON_AddNumberToObject(event, "bad", (double)in->line);
    cJSON_AddStringToObject(event, "why", why);
    add(f, event);
    if (in->bad++ < MOST_BAD) cli_warn("%s:%ld: %s", in->path, in->line, why);
}

/* ---- lines ---- */

/* What the lines of a log have: of its beginning, an epoch, and its end. */
static int is_of_a_log(const cJSON *line)
{
    return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(line, "tenon")) ||
           cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(line, "epoch")) ||
           cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(line, "done"));
}

static void take_line(cli_follow *f, file *in, const char *text, size_t length)
{
    const char *end = NULL;
    in->line++;
    while (length && strchr(" \t\r", text[length - 1])) length--;
    if (!length) return;
    cJSON *line = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    const int whole = line && end == text + length;
    if (!whole || !is_of_a_log(line)) {
        add_bad(f, in, whole ? "is no line of a training's log" : "is no line of JSON");
        cJSON_Delete(line);
        return;
    }
    cJSON *event = event_of(in);
    cJSON_AddItemToObject(event, "line", line);
    add(f, event);
}

/* Lines that are whole; the rest stays. */
static void take_lines(cli_follow *f, file *in)
{
    char *from = in->part, *end = in->part + in->used;
    for (char *stop; (stop = memchr(from, '\n', (size_t)(end - from))); from = stop + 1)
        take_line(f, in, from, (size_t)(stop - from));
    in->used = (size_t)(end - from);
    memmove(in->part, from, in->used);
    if (in->used < LONGEST) return;
    in->line++;
    add_bad(f, in, "is longer than any line of a training's log");
    in->line--;
    in->used = 0;
}

/* ---- files ---- */

static void leave(file *in)
{
    if (in->fd >= 0) close(in->fd);
    in->fd = -1;
}

/* Whether the path is another file than the one that is open, or that was cut. */
static int has_changed(const file *in)
{
    struct stat there, open;
    if (stat(in->path, &there)) return 0; /* gone for a moment, or for good: what was read stays */
    if (there.st_dev != in->device || there.st_ino != in->number) return 1;
    return !fstat(in->fd, &open) && open.st_size < in->at;
}

static void find(cli_follow *f, file *in)
{
    struct stat info;
    if (in->fd >= 0 && !has_changed(in)) return;
    const int again = in->fd >= 0;
    leave(in);
    const int fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) || !S_ISREG(info.st_mode)) {
        if (fd >= 0) close(fd);
        return;
    }
    in->fd = fd;
    in->device = info.st_dev;
    in->number = info.st_ino;
    if (again || in->at) begin(f, in);
}

static int make_room(file *in)
{
    if (in->room - in->used >= AT_ONCE) return 1;
    char *grown = realloc(in->part, in->used + 2 * AT_ONCE);
    if (!grown) return 0;
    in->part = grown;
    in->room = in->used + 2 * AT_ONCE;
    return 1;
}

static void read_on(cli_follow *f, file *in)
{
    for (ssize_t got = 1; in->fd >= 0 && got > 0;) {
        if (!make_room(in)) {
            f->failed = 1;
            return;
        }
        got = pread(in->fd, in->part + in->used, AT_ONCE, in->at);
        if (got <= 0) return;
        in->at += got;
        in->used += (size_t)got;
        take_lines(f, in);
    }
}

int cli_follow_look(cli_follow *f)
{
    for (int i = 0; i < f->count; i++) {
        find(f, &f->files[i]);
        read_on(f, &f->files[i]);
    }
    return !f->failed;
}

/* ---- taking ---- */

const char *cli_follow_take(cli_follow *f, size_t index, double seconds, int *ended)
{
    struct timespec until;
    const char *event = NULL;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&f->lock);
    while (index >= f->events && !f->ended && !pthread_cond_timedwait(&f->more, &f->lock, &until)) continue;
    if (index < f->events) event = f->event[index];
    *ended = !event && f->ended;
    pthread_mutex_unlock(&f->lock);
    return event;
}

void cli_follow_end(cli_follow *f)
{
    pthread_mutex_lock(&f->lock);
    f->ended = 1;
    pthread_cond_broadcast(&f->more);
    pthread_mutex_unlock(&f->lock);
}

static void init_waiting(cli_follow *f)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->more, &attr);
    pthread_condattr_destroy(&attr);
}

cli_follow *cli_follow_new(char *const paths[], int count)
{
    cli_follow *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    init_waiting(f);
    f->files = calloc((size_t)count, sizeof *f->files);
    for (; f->files && f->count < count; f->count++) {
        f->files[f->count] = (file){.path = paths[f->count], .run = f->count, .fd = -1};
        begin(f, &f->files[f->count]);
    }
    if (f->files && !f->failed) return f;
    cli_follow_free(f);
    return NULL;
}

void cli_follow_free(cli_follow *f)
{
    if (!f) return;
    for (int i = 0; i < f->count; i++) {
        leave(&f->files[i]);
        free(f->files[i].part);
    }
    for (size_t i = 0; i < f->events; i++) free(f->event[i]);
    free(f->event);
    free(f->files);
    pthread_cond_destroy(&f->more);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
