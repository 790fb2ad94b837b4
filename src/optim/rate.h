/* rate.h: what an optimizer's learning rate is called. */
#ifndef TN_OPTIM_RATE_H
#define TN_OPTIM_RATE_H

#include "tenon/optim.h"

enum { TN_RATE_NAME = 256 };

/* Writes the name of the scalar input: "lr", or "NAME.lr" of an optimizer with a name. TN_EINVAL if it is too long. */
TN_MUST_USE tn_status tn_rate_name(const tn_optim_options *options, char name[TN_RATE_NAME]);

#endif
