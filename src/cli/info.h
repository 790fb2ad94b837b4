/* info.h: what `tenon info` says of a model that was saved. */
#ifndef TN_CLI_INFO_H
#define TN_CLI_INFO_H

/* Prints its layers, data, scaling, settings and history. `*has_network`: its network is one of ONNX, of which there is
 * more to say; `asks`: options were given that are for such alone. Returns CLI_GO_ON or an exit status. */
int cli_info_saved(const char *path, int *has_network, int asks);

#endif
