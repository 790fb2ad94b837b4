/* error.h: making and passing on errors, and logging. */
#ifndef TN_CORE_ERROR_H
#define TN_CORE_ERROR_H

#include "tenon/status.h"

#define TN_VERSION "0.1.0" /* of the library */

/* Sets this thread's message and returns `status`. */
tn_status tn_fail(tn_status status, const char *format, ...) TN_PRINTF(2, 3);
/* How often this thread did so: whether a call that failed has said why. */
uint64_t tn_failures(void);

#define TN_REQUIRE(condition, status, ...)                                                                             \
    do {                                                                                                               \
        if (!(condition)) return tn_fail(status, __VA_ARGS__);                                                         \
    } while (0)

/* Returns from the function if the call failed. */
#define TN_TRY(call)                                                                                                   \
    do {                                                                                                               \
        tn_status try_status_ = (call);                                                                                \
        if (try_status_) return try_status_;                                                                           \
    } while (0)

#define TN_NO_MEMORY(bytes) tn_fail(TN_ENOMEM, "out of memory (%llu bytes)", (unsigned long long)(bytes))

void tn_log_line(int32_t level, const char *format, ...) TN_PRINTF(2, 3);

/* In a process that was just forked: its one thread has no lock. */
void tn_log_after_fork(void);

#endif
