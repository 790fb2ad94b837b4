/* work.h: a sub-command as a worker of several, where a launcher (mpirun) started this process. */
#ifndef TN_CLI_WORK_H
#define TN_CLI_WORK_H

#include "tenon/tenon.h"

/* Sets `known` where it fails in a way that all workers see by themselves. */
typedef int cli_task(tn_team *team, int argc, char **argv, int *known);

/* Runs the task with its team, which is one rank alone without a launcher, and returns its exit status. One worker
 * speaks for all; the others' failures are told by way of the team. */
int cli_work(cli_task *task, int argc, char **argv);

#endif
