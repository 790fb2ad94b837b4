/* interrupt.h: Ctrl-C, SIGTERM and SIGHUP as a question that the training loop asks. */
#ifndef TN_CLI_INTERRUPT_H
#define TN_CLI_INTERRUPT_H

/* From now on the first signal is only remembered; a second Ctrl-C or SIGTERM ends the command at once, a second SIGHUP
 * does not: a terminal that closes may send two. A SIGHUP that was ignored when the command began, as by nohup, stays
 * so. */
void cli_interrupt_catch(void);

/* The number of the first signal that has come, or 0. */
int cli_interrupted(void);

#endif
