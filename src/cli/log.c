/* log.c: see log.h. */
#include "log.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int check(cli_session *s)
{
    if (!ferror(s->log)) return CLI_OK;
    return cli_fail("%s: cannot be written: %s", s->settings.log, strerror(errno));
}

/* All that a saved model would keep of the options. */
static void put_settings(const cli_session *s, cli_json *json)
{
    char text[CLI_NOTE_TEXT];
    cli_json_begin(json, "settings", '{');
    for (const cli_option *o = s->settings.options; o->kind != CLI_END; o++) {
        const char *value = o->note ? cli_note_text(o, text) : "";
        if (!*value || cli_option_is_unset(o)) continue;
        if (o->kind == CLI_TEXT || o->kind == CLI_FLAG)
            cli_json_text(json, o->name, value);
        else
            cli_json_number(json, o->name, strtod(value, NULL));
    }
    cli_json_end(json, '}');
}

static void put_head(const cli_session *s)
{
    cli_json json = {.file = s->log};
    char when[32];
    const time_t now = time(NULL);
    struct tm parts;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "tenon", tn_version());
    cli_json_text(&json, "began", when);
    cli_json_text(&json, "device", s->crew.name);
    cli_json_whole(&json, "epochs_done", s->at.epochs);
    cli_json_whole(&json, "samples", s->data.count);
    cli_json_whole(&json, "validation_samples", s->validation.count);
    cli_json_whole(&json, "test_samples", s->test.count);
    cli_json_whole(&json, "parameters", cli_report_parameters(s->state));
    put_settings(s, &json);
    cli_json_end(&json, '}');
}

/* What has not even its head is no log, and does not stay. */
static void drop_empty(cli_session *s)
{
    struct stat info;
    fclose(s->log);
    s->log = NULL;
    if (!stat(s->settings.log, &info) && S_ISREG(info.st_mode) && !info.st_size) remove(s->settings.log);
}

int cli_log_begin(cli_session *s)
{
    const char *path = s->settings.log;
    if (!path) return CLI_OK;
    s->log = fopen(path, s->settings.resume ? "a" : "w");
    if (!s->log) return cli_fail("%s: cannot be written: %s", path, strerror(errno));
    put_head(s);
    if (!check(s)) return CLI_OK;
    drop_empty(s);
    return CLI_FAILED;
}

int cli_log_epoch(cli_session *s, const tn_epoch *e)
{
    cli_json json = {.file = s->log};
    if (!s->log) return CLI_OK;
    if (cli_session_results(s) != CLI_GO_ON) return CLI_FAILED;
    cli_json_begin(&json, NULL, '{');
    cli_report_put_epoch(s, e, &json);
    cli_json_number(&json, "rate", e->rate);
    cli_json_number(&json, "seconds", e->seconds);
    cli_report_put_results(s, &json);
    cli_json_end(&json, '}');
    return check(s);
}

/* "interrupted by signal 15 (Terminated)", or the last failure that was said. */
static const char *reason_of(int status, char *text, size_t room)
{
    if (status > CLI_SIGNAL)
        snprintf(text, room, "interrupted by signal %d (%s)", status - CLI_SIGNAL, strsignal(status - CLI_SIGNAL));
    else
        cli_last_failure(text, room);
    return text;
}

void cli_log_stopped(cli_session *s, int status)
{
    cli_json json = {.file = s->log};
    char reason[1024];
    if (!s->log) return;
    cli_json_begin(&json, NULL, '{');
    cli_json_bool(&json, "done", 0);
    cli_json_text(&json, "reason", reason_of(status, reason, sizeof reason));
    cli_json_whole(&json, "epochs", s->at.epochs);
    cli_json_whole(&json, "steps", (int64_t)tn_state_step(s->state));
    cli_json_number(&json, "seconds", s->seconds);
    cli_json_end(&json, '}');
}

int cli_log_end(cli_session *s)
{
    cli_json json = {.file = s->log};
    if (!s->log) return CLI_OK;
    cli_report_put_done(s, &json);
    return check(s);
}
