/* trial.h: what the library and tenon-probe, the program that tries a backend for it, agree on. */
#ifndef TN_PLUGIN_TRIAL_H
#define TN_PLUGIN_TRIAL_H

#include <stdint.h>

/* What is about to be done with the backend, in order. */
enum { TN_STAGE_NONE, TN_STAGE_LOAD, TN_STAGE_QUERY, TN_STAGE_INIT, TN_STAGE_COUNT, TN_STAGE_DESCRIBE, TN_STAGE_DONE };

/* Memory that both have mapped; of the program it is the file descriptor TN_TRIAL_FILE. */
typedef struct tn_trial {
    uint32_t stage;
} tn_trial;

#define TN_TRIAL_FILE 3

/* The arguments of tenon-probe: the backend's file; how far to go, one of these; then options, the newest first, each a
 * backend's id, a key and a value. */
#define TN_TRIAL_LOAD  "load"  /* to the table */
#define TN_TRIAL_START "start" /* to the list of devices */

#endif
