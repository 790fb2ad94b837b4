/* trace.h: what happened when, in a file that browsers show (Chrome's trace events: chrome://tracing, ui.perfetto.dev).
 * It is whole at any moment but for its last bracket, which those do without. NULL in place of a trace is fine in all
 * calls but tn_trace_open: then nothing is kept. */
#ifndef TN_FIT_TRACE_H
#define TN_FIT_TRACE_H

#include "tenon/status.h"

#include <stdint.h>

typedef struct tn_trace tn_trace;

/* Of the first 100,000 spans. */
TN_MUST_USE tn_status tn_trace_open(const char *path, tn_trace **trace);

/* Rows: what the thread of the steps does, what that of the exchange does, and each bucket. */
enum { TN_ROW_STEPS, TN_ROW_MEMORY, TN_ROW_BUCKET };
void tn_trace_row(tn_trace *trace, uint32_t row, const char *name);

/* "name number" on that row, from then (by tn_now) till now. Any thread. */
void tn_trace_span(tn_trace *trace, uint32_t row, const char *name, uint64_t number, double begun);

/* Ends the file: nothing more is kept. TN_EIO if not all of it could be written; this is told once. */
TN_MUST_USE tn_status tn_trace_end(tn_trace *trace);
/* The same where nobody asks: logs a line. */
void tn_trace_close(tn_trace *trace);

#endif
