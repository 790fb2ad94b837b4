/* choose.h: the functions that rules.def names. Each finds operands and numbers for a step; 0: there are none. */
#ifndef TN_ORACLE_CHOOSE_H
#define TN_ORACLE_CHOOSE_H

#include "maker.h"

#define X(family, name, choose, ...) tn_chooser tn_choose_##choose;
#include "rules.def"
#undef X
tn_chooser tn_choose_unary, tn_choose_binary;

#endif
