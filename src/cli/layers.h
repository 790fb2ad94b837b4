/* layers.h: the layers of a network in words, with what comes out of each and how many numbers it learns. */
#ifndef TN_CLI_LAYERS_H
#define TN_CLI_LAYERS_H

#include "model.h"

#include <stdio.h>

/* A line for each layer, and one with the sum, of at most `width` characters; of many more than `most` layers those in
 * the middle are left out. Prints nothing of a network that isn't words. Returns CLI_GO_ON or CLI_FAILED. */
int cli_layers_print(const cli_model *model, int64_t most, int width, FILE *file);

/* How many numbers a network in words learns; -1 of one in an ONNX file, and after a failure. */
int64_t cli_layers_parameters(const cli_model *model);

#endif
