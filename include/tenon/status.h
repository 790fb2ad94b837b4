/* status.h: how a call says that it failed.
 *
 * Every function that can fail returns a tn_status: TN_OK, which is 0, or one of the TN_E codes of backend.h. Then
 * tn_message() has one line that names the culprit. What a failed function would have written is untouched.
 * A pointer that is NULL where that isn't said to be fine is TN_EINVAL, in building a graph an error of that graph;
 * what can say neither does nothing.
 *
 * Structs of options, and of what is told, end with `spare`, from which later versions take their fields: none changes
 * its size, and a program that was compiled earlier goes on working. The caller leaves it 0, which will stand for the
 * usual value, as designated initialisers do; in what is told it means nothing. Structs without it never change. */
#ifndef TENON_STATUS_H
#define TENON_STATUS_H

#include "tenon/backend.h"

#if defined(TN_BUILDING) && defined(__GNUC__)
#define TN_API __attribute__((visibility("default")))
#else
#define TN_API
#endif
#if defined(__GNUC__)
#define TN_MUST_USE            __attribute__((warn_unused_result))
#define TN_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define TN_MUST_USE
#define TN_PRINTF(text, first)
#endif

/* A name of an earlier version, for this one alone: programs that use it compile, with a warning, and run. */
#if defined(__GNUC__)
#define TN_OLD(instead) TN_API __attribute__((deprecated(instead)))
#else
#define TN_OLD(instead) TN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t tn_status;

/* The line that goes with this thread's last failure; "" before the first. Valid until this thread's next failure. */
TN_API const char *tn_message(void);

/* "TN_ESHAPE" and so on; "unknown status" for a number that is none. */
TN_API const char *tn_status_name(tn_status status);

/* Where the library's log lines go. By default warnings and errors go nowhere: the library never prints unasked.
 * `sink` may be called from any thread; NULL silences it again. */
typedef void tn_log_sink(void *arg, int32_t level, const char *line);
TN_API void tn_log_to(tn_log_sink *sink, void *arg, int32_t least_level);

/* The version of the library, "0.1.0". */
TN_API const char *tn_version(void);

/* Heap allocations made by the library and, through the host's services, by the backends, since the program began. */
TN_API uint64_t tn_allocations(void);

#ifdef __cplusplus
}
#endif
#endif
