/* network.h: a network that an ONNX file is, where others are words: what it is trained on, and by which loss. */
#ifndef TN_CLI_NETWORK_H
#define TN_CLI_NETWORK_H

#include "model.h"
#include "settings.h"

/* Reads the file, if `net` is the name of one, or what a saved model's note has of it; else does nothing. The model has
 * it from then on; cli_network_close follows in any case. Return CLI_GO_ON or an exit status. */
int cli_network_open(cli_model *model, const char *net);
/* The same of --net, which is no saved model and has weights to train. */
int cli_network_open_to_train(cli_model *model, const char *net);
int cli_network_of_note(cli_model *model, const tn_checkpoint *checkpoint, const char *path);
void cli_network_close(cli_model *model);
/* That what a training writes is none of the files that the network's weights lie in. Returns CLI_GO_ON or CLI_USAGE. */
int cli_network_spares(const cli_model *model, const cli_settings *settings);

/* Decides, once the data and the loss are known, whether the last layer is replaced by one with other outputs, and
 * whether the softmax at the end is left to the loss; and says so on standard error unless it is to be quiet. Returns
 * CLI_GO_ON or CLI_USAGE. */
int cli_network_settle(cli_model *model, int quiet);

/* Whether the file's input is of whole numbers, as tokens are; and that samples in memory are such if it is. The second
 * returns CLI_GO_ON or CLI_FAILED. */
int cli_network_is_whole(const cli_model *model);
/* Whether it ends in a sigmoid of one output. */
int cli_network_says_yes_or_no(const cli_model *model);
int cli_network_check(const cli_model *model, const tn_dataset *data);

/* The output of the network for x, a batch of samples. The graph fails where these are none of its input. */
tn_tensor *cli_network_build(const cli_model *model, tn_tensor *x, int training);

/* Puts the file's weights into a state whose programs use them. Returns CLI_GO_ON or CLI_FAILED. */
int cli_network_put(const cli_model *model, tn_state *state);

/* As a note: the graph without its weights; "" where the network is words. */
tn_status cli_network_note(const cli_model *model, const char **text);

#endif
