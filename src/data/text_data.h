/* text_data.h: texts as data sets. */
#ifndef TN_DATA_TEXT_DATA_H
#define TN_DATA_TEXT_DATA_H

#include "tenon/data.h"

/* As tn_dataset_text has it, or by an alphabet as tn_open_options has it; with `test` the last tenth goes there. Errors
 * name the file. */
TN_MUST_USE tn_status tn_text_open(const char *path, int64_t context, const char *alphabet, tn_dataset *train,
                                   tn_dataset *test);

#endif
