/* cases.h: writing down an operator's cases. */
#ifndef TN_OP_CASES_H
#define TN_OP_CASES_H

#include "op.h"

#define TN_CASE_TYPE(dtype, ...)                                                                                       \
    {                                                                                                                  \
        dtype,                                                                                                         \
        {                                                                                                              \
            sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),                                                        \
            {                                                                                                          \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    }

/* An operand of this shape; NUMBER is one of rank 0. */
#define F32(...) TN_CASE_TYPE(TN_F32, __VA_ARGS__)
#define I32(...) TN_CASE_TYPE(TN_I32, __VA_ARGS__)
#define NUMBER                                                                                                         \
    {                                                                                                                  \
        TN_F32,                                                                                                        \
        {                                                                                                              \
            0,                                                                                                         \
            {                                                                                                          \
                0                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

#endif
