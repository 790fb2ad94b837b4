/* interrupt.h: Ctrl-C and SIGTERM as a question that the training loop asks. */
#ifndef TN_CLI_INTERRUPT_H
#define TN_CLI_INTERRUPT_H

/* From now on the first signal is only remembered; the second ends the command at once. */
void cli_interrupt_catch(void);

/* Whether a signal has come. */
int cli_interrupted(void);

#endif
