/* trace.c: see trace.h. */
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "error.h"
#include "plain.h"

enum { MOST = 100000 };

struct tn_trace {
    FILE *file; /* its lock guards `left` */
    double begun;
    uint32_t left;
    int is_ended;
    char path[];
};

tn_status tn_trace_open(const char *path, tn_trace **trace)
{
    const size_t length = strlen(path) + 1;
    tn_trace *t = tn_alloc(sizeof *t + length);
    if (!t) return TN_ENOMEM;
    *t = (tn_trace){.file = fopen(path, "we"), .begun = tn_now(), .left = MOST};
    memcpy(t->path, path, length);
    if (!t->file) {
        tn_free(t);
        return tn_fail(TN_EIO, "%s: cannot be written: %s", path, strerror(errno));
    }
    fputs("[\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":0,\"args\":{\"name\":\"tenon\"}}", t->file);
    *trace = t;
    return TN_OK;
}

void tn_trace_row(tn_trace *t, uint32_t row, const char *name)
{
    if (!t) return;
    fprintf(t->file, ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":0,\"tid\":%u,\"args\":{\"name\":\"%s\"}}", row,
            name);
}

/* Microseconds. */
void tn_trace_span(tn_trace *t, uint32_t row, const char *name, uint64_t number, double begun)
{
    char text[200];
    if (!t) return;
    tn_snprintf(text, sizeof text,
                ",\n{\"name\":\"%s %llu\",\"ph\":\"X\",\"pid\":0,\"tid\":%u,\"ts\":%.1f,\"dur\":%.1f}", name,
                (unsigned long long)number, row, 1e6 * (begun - t->begun), 1e6 * (tn_now() - begun));
    flockfile(t->file);
    if (t->left && t->left--) fputs(text, t->file);
    funlockfile(t->file);
}

#define NOT_WHOLE "%s: the trace could not be written as a whole"

/* Writes the last bracket, once. 0: it is all there. */
static int finish(tn_trace *t)
{
    if (t->is_ended) return 0;
    t->is_ended = 1;
    flockfile(t->file);
    t->left = 0;
    fputs("\n]\n", t->file);
    const int wrong = fflush(t->file) || ferror(t->file);
    funlockfile(t->file);
    return wrong;
}

tn_status tn_trace_end(tn_trace *t)
{
    TN_REQUIRE(!t || !finish(t), TN_EIO, NOT_WHOLE, t->path);
    return TN_OK;
}

void tn_trace_close(tn_trace *t)
{
    if (!t) return;
    const int wrong = finish(t);
    if (fclose(t->file) || wrong) tn_log_line(TN_LOG_ERROR, NOT_WHOLE, t->path);
    tn_free(t);
}
