/* watch.c: `tenon watch`: a page on this machine alone that shows trainings as they go, from their logs. The server has
 * two answers: the page, and the events of what is followed, as server-sent events; a thread for each browser that
 * listens. It trusts nobody: it binds the loopback address, and answers what was asked of that by name. */
#include "cli.h"
#include "follow.h"
#include "interrupt.h"
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PORT        8420
#define LOOK_EVERY  200000000L /* nanoseconds */
#define ALIVE_EVERY 10         /* seconds between signs of life, by which a browser that left is noticed */
#define MOST_TAKERS 64

extern const char cli_css_page[], cli_css_watch[], cli_js_watch[];

static const char doc[] =
    "Shows trainings as they go, on a page that a browser on this machine opens: curves, measures and settings of "
    "those "
    "whose 'tenon train --log FILE.jsonl' writes the files, which need not be there yet. Ctrl-C ends it.";

typedef struct watcher {
    cli_follow *follow;
    struct MHD_Response *page, *other, *foreign;
    int64_t port;
    struct MHD_Daemon *daemon;
    char host[2][40]; /* what a browser calls us */
} watcher;

/* ---- events ---- */

/* Where a browser is: the number of its next event, and what it has had of its text. */
typedef struct taker {
    cli_follow *follow;
    size_t next, had;
} taker;

static size_t copy(char *to, size_t room, const char *text, size_t length)
{
    const size_t some = length < room ? length : room;
    memcpy(to, text, some);
    return some;
}

/* "data: " and the event, closed by an empty line; in as many pieces as it takes. */
static size_t put_event(taker *t, const char *event, char *to, size_t room)
{
    static const char before[] = "data: ", after[] = "\n\n";
    const struct {
        const char *text;
        size_t length;
    } parts[] = {{before, 6}, {event, strlen(event)}, {after, 2}};
    size_t done = 0, begin = 0;
    for (int i = 0; i < 3; begin += parts[i].length, i++) {
        if (t->had >= begin + parts[i].length) continue;
        const size_t from = t->had - begin;
        const size_t some = copy(to + done, room - done, parts[i].text + from, parts[i].length - from);
        done += some;
        t->had += some;
    }
    if (t->had == begin) t->next++, t->had = 0;
    return done;
}

static ssize_t take(void *arg, uint64_t position, char *to, size_t room)
{
    static const char alive[] = ":\n\n";
    taker *t = arg;
    int ended = 0;
    (void)position;
    const char *event = cli_follow_take(t->follow, t->next, ALIVE_EVERY, &ended);
    if (event) return (ssize_t)put_event(t, event, to, room);
    return ended ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)copy(to, room, alive, 3);
}

static enum MHD_Result answer_events(const watcher *w, struct MHD_Connection *connection)
{
    taker *t = calloc(1, sizeof *t);
    if (!t) return MHD_NO;
    t->follow = w->follow;
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1 << 16, take, t, free);
    if (!response) return free(t), MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    const enum MHD_Result answered = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return answered;
}

/* ---- answers ---- */

/* A page of another site that has its name point here is none of ours. */
static int asks_us(const watcher *w, struct MHD_Connection *connection)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    return host && (!strcmp(host, w->host[0]) || !strcmp(host, w->host[1]));
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *body, size_t *bytes, void **state)
{
    static int seen;
    const watcher *w = arg;
    (void)version, (void)body;
    if (!*state) return *state = &seen, MHD_YES; /* the head alone; the body, which nobody wants, comes next */
    if (*bytes) return *bytes = 0, MHD_YES;
    if (!asks_us(w, connection)) return MHD_queue_response(connection, MHD_HTTP_FORBIDDEN, w->foreign);
    if (!strcmp(method, "GET") && !strcmp(url, "/events")) return answer_events(w, connection);
    if (!strcmp(method, "GET") && !strcmp(url, "/")) return MHD_queue_response(connection, MHD_HTTP_OK, w->page);
    return MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, w->other);
}

/* The text is the response's from now on, whether there is one or not. */
static struct MHD_Response *response_of(char *text, const char *type)
{
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (text && !response) free(text);
    if (!response) return NULL;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                            "connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'");
    return response;
}

static char *page_text(void)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    if (!file) return NULL;
    fprintf(file,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
            "content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n"
            "<title>tenon watch</title>\n<style>\n%s%s</style></head><body><main id=\"main\"></main>\n"
            "<script>\n%s</script></body></html>\n",
            cli_css_page, cli_css_watch, cli_js_watch);
    if (!fclose(file)) return text;
    free(text);
    return NULL;
}

/* ---- serving ---- */

static int64_t port_of(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

static int serve(watcher *w)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)w->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w->page = response_of(page_text(), "text/html; charset=utf-8");
    w->other = response_of(strdup("there is nothing else here\n"), "text/plain");
    w->foreign = response_of(strdup("this page is at 127.0.0.1 alone\n"), "text/plain");
    if (!w->page || !w->other || !w->foreign) return cli_fail("out of memory");
    errno = 0;
    w->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, (uint16_t)w->port,
                                 NULL, NULL, answer, w, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)MOST_TAKERS, MHD_OPTION_END);
    if (!w->daemon)
        return cli_fail("port %" PRId64 " of 127.0.0.1 cannot be had: %s; --port N takes another, and 0 any", w->port,
                        errno ? strerror(errno) : "it is in use, perhaps");
    w->port = port_of(w->daemon);
    return CLI_GO_ON;
}

static void stop(watcher *w)
{
    if (w->follow) cli_follow_end(w->follow);
    if (w->daemon) MHD_stop_daemon(w->daemon);
    if (w->page) MHD_destroy_response(w->page);
    if (w->other) MHD_destroy_response(w->other);
    if (w->foreign) MHD_destroy_response(w->foreign);
    cli_follow_free(w->follow);
}

static int watch(watcher *w, int files)
{
    const struct timespec pause = {0, LOOK_EVERY};
    snprintf(w->host[0], sizeof w->host[0], "127.0.0.1:%" PRId64, w->port);
    snprintf(w->host[1], sizeof w->host[1], "localhost:%" PRId64, w->port);
    printf("watching %d log%s at http://%s/ (Ctrl-C ends it)\n", files, files == 1 ? "" : "s", w->host[0]);
    fflush(stdout);
    while (!cli_interrupted()) {
        if (!cli_follow_look(w->follow)) return cli_fail("out of memory");
        nanosleep(&pause, NULL);
    }
    return CLI_OK;
}

/* It need not be there, but what is there can be a log. */
static int check_log(const char *path)
{
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode) ? cli_usage("'%s' is a folder, and no log", path) : CLI_GO_ON;
}

int cli_watch(int argc, char **argv)
{
    watcher w = {.port = PORT};
    cli_option options[] = {{CLI_WHOLE, "port", "N",
                             "the port of 127.0.0.1 that it is at, or 0: any that is free (8420)", &w.port, 0, 65535,
                             NULL, 0, 0, NULL},
                            {.kind = CLI_END}};
    int files = 0, status = cli_parse(&(cli_syntax){"watch", "FILE...", doc, NULL, options}, argc, argv, &files);
    if (status == CLI_GO_ON && !files) status = cli_usage("watch needs FILE...: what 'tenon train --log FILE' writes");
    for (int i = 1; i <= files && status == CLI_GO_ON; i++) status = check_log(argv[i]);
    if (status != CLI_GO_ON) return status;
    cli_interrupt_catch();
    w.follow = cli_follow_new(argv + 1, files);
    status = w.follow ? serve(&w) : cli_fail("out of memory");
    if (status == CLI_GO_ON) status = watch(&w, files);
    stop(&w);
    return status;
}
