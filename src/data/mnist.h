/* mnist.h: a folder with MNIST's four files. */
#ifndef TN_DATA_MNIST_H
#define TN_DATA_MNIST_H

#include "tenon/data.h"

/* Whether the pictures to train on are there. */
int tn_mnist_is(const char *folder);

/* Both parts; with `stream` the pictures stay in their files. Free both sets, whether this succeeded or not. */
TN_MUST_USE tn_status tn_mnist_open(const char *folder, int stream, tn_dataset *train, tn_dataset *test);

#endif
