/* resident.h: where the samples of a training or an evaluation are kept: on the device, in the host's memory, or where
 * they come from. */
#ifndef TN_CLI_RESIDENT_H
#define TN_CLI_RESIDENT_H

#include "settings.h"

/* "64M": bytes, with K, M or G behind the number for powers of 1024. Returns 0 if it is none, and for NULL. */
uint64_t cli_bytes_of(const char *text);

/* That --resident, --memory and --bucket make sense. Returns CLI_GO_ON or CLI_USAGE. */
int cli_check_residence(const cli_settings *settings);

/* Whether samples stay in their file: TN_STREAM_...; after that check, as the next. */
uint32_t cli_stream(const cli_settings *settings);

/* What they mean for the library. */
tn_residence cli_residence(const cli_settings *settings);

/* For reports: "on the device", "in the host's memory", "read as they are needed". */
const char *cli_where(const tn_dataset *data, const tn_feeding *feeding);

#endif
