/* interrupt.h: Ctrl-C, SIGTERM and SIGHUP as a question that the training loop asks. */
#ifndef TN_CLI_INTERRUPT_H
#define TN_CLI_INTERRUPT_H

/* At the command's beginning, before any driver is loaded that catches signals itself: looks at what is ignored.
 * A file that grows beyond the limit of sizes no longer ends the command: writing it fails instead. */
void cli_interrupt_begin(void);

/* From now on the first signal is only remembered; a second Ctrl-C ends the command at once. A second SIGTERM or
 * SIGHUP does not: `timeout` and a terminal that closes send two. What was ignored when the command began, as by nohup, stays so. */
void cli_interrupt_catch(void);

/* The number of the first signal that has come, or 0. */
int cli_interrupted(void);

#endif
