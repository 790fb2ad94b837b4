/* log.h: a training as lines of JSON in a file: what it began with, each epoch with all measures, and its end. Each
 * line is there as soon as it is written, for those that follow. Without --log nothing happens. All that return
 * something return CLI_OK or CLI_FAILED. */
#ifndef TN_CLI_LOG_H
#define TN_CLI_LOG_H

#include "session.h"

/* Begins the file, or goes on with that of a training that is resumed. */
int cli_log_begin(cli_session *session);
int cli_log_epoch(cli_session *session, const tn_epoch *epoch);
int cli_log_end(cli_session *session);

/* The end of a training that failed or was interrupted, with that exit status: "done" is false, and "reason" why. */
void cli_log_stopped(cli_session *session, int status);

#endif
