/* error.c: statuses, messages and the log. */
#include "error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plain.h"
#include "text.h"

static _Thread_local char message[1024];
static _Thread_local uint64_t failures;

static struct {
    pthread_mutex_t lock;
    tn_log_sink *sink;
    void *arg;
    int32_t least;
} log_to = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL, TN_LOG_WARNING};

const char *tn_message(void)
{
    return message;
}

/* Formats aside first: an argument may be the message itself. */
tn_status tn_fail(tn_status status, const char *format, ...)
{
    char text[sizeof message];
    va_list args;
    va_start(args, format);
    tn_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(message, tn_text_clean(text, sizeof text), sizeof message);
    failures++;
    return status;
}

uint64_t tn_failures(void)
{
    return failures;
}

const char *tn_status_name(tn_status status)
{
    static const char *const name[] = {"TN_OK",           "TN_EINVAL",   "TN_ESHAPE", "TN_EDTYPE",
                                       "TN_EUNSUPPORTED", "TN_ENOMEM",   "TN_EIO",    "TN_EFORMAT",
                                       "TN_EDEVICE",      "TN_EMISSING", "TN_ESTATE"};
    return status >= 0 && status < (tn_status)(sizeof name / sizeof *name) ? name[status] : "unknown status";
}

void tn_log_to(tn_log_sink *sink, void *arg, int32_t least_level)
{
    pthread_mutex_lock(&log_to.lock);
    log_to.sink = sink;
    log_to.arg = arg;
    log_to.least = least_level;
    pthread_mutex_unlock(&log_to.lock);
}

void tn_log_line(int32_t level, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    tn_vsnprintf(line, sizeof line, format, args);
    va_end(args);
    tn_text_clean(line, sizeof line);
    pthread_mutex_lock(&log_to.lock);
    if (log_to.sink && level >= log_to.least) log_to.sink(log_to.arg, level, line);
    pthread_mutex_unlock(&log_to.lock);
}

void tn_log_after_fork(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    log_to.lock = fresh;
}

const char *tn_version(void)
{
    return TN_VERSION;
}
