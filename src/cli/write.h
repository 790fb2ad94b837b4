/* write.h: what a model of texts writes. */
#ifndef TN_CLI_WRITE_H
#define TN_CLI_WRITE_H

#include "saved.h"

/* That --prompt and its options are for the model, and that it has no files as well. Returns CLI_GO_ON or CLI_USAGE. */
int cli_check_writing(cli_saved *saved, int files);

/* Prints the prompt and what the model makes of it, character by character; as JSON in the end. What is printed is text
 * in UTF-8 without control characters, whatever the model learnt: bytes that can't follow are not drawn. Returns
 * CLI_GO_ON or CLI_FAILED. */
int cli_write(cli_saved *saved);

#endif
