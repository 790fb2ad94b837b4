/* classes.h: the classes of a data set, brought to the numbers that a model knows them by. */
#ifndef TN_CLI_CLASSES_H
#define TN_CLI_CLASSES_H

#include "model.h"

/* Labels get the model's numbers, by the names of the classes, and the data the model's names; numbers are names where
 * one of the two has no others. Where neither has, they stay. The data may lack classes, which it has from then on, but
 * have none that the model doesn't know. Returns CLI_GO_ON or CLI_FAILED. */
int cli_match_classes(const cli_model *model, tn_dataset *data);

#endif
