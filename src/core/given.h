/* given.h: arguments that may not be NULL. What is wrong names the function that was called and its argument. */
#ifndef TN_CORE_GIVEN_H
#define TN_CORE_GIVEN_H

#include "error.h"
#include "tenon/graph.h"

/* TN_EINVAL if one of the pointers is NULL; `names` are theirs, with commas between. */
tn_status tn_given(const char *function, const char *names, const void *const pointer[], size_t count);

/* TN_GIVEN(program, data): returns from a function if one of them is NULL. TN_GIVEN_AS("program, data", p, data): where
 * the header calls them otherwise. */
#define TN_GIVEN(...) TN_GIVEN_AS(#__VA_ARGS__, __VA_ARGS__)
#define TN_GIVEN_AS(names, ...)                                                                                        \
    do {                                                                                                               \
        const void *const given_[] = {__VA_ARGS__};                                                                    \
        TN_TRY(tn_given(__func__, names, given_, sizeof given_ / sizeof *given_));                                     \
    } while (0)

/* The first operand that there is, whose graph fails if there is none for another; NULL: there is none at all. *fine
 * says whether all are there. */
static inline tn_tensor *tn_operand_given(const char *function, const char *names, tn_tensor *const x[], size_t count,
                                          int *fine)
{
    const void *pointer[8] = {0};
    tn_tensor *some = NULL;
    for (size_t i = 0; i < count && i < 8; i++) {
        pointer[i] = x[i];
        if (!some) some = x[i];
    }
    tn_status status = tn_given(function, names, pointer, count);
    if (status && some) tn_graph_fail(tn_graph_of(some), status, "%s", tn_message());
    *fine = !status;
    return some;
}

/* TN_OPERANDS(a, b): returns a tensor of the failed graph from a function if one of them is NULL. */
#define TN_OPERANDS(...)                                                                                               \
    do {                                                                                                               \
        int fine_;                                                                                                     \
        tn_tensor *const operands_[] = {__VA_ARGS__};                                                                  \
        tn_tensor *some_ =                                                                                             \
            tn_operand_given(__func__, #__VA_ARGS__, operands_, sizeof operands_ / sizeof *operands_, &fine_);         \
        if (!fine_) return some_;                                                                                      \
    } while (0)

/* TN_NAMED(x, name): the same for a text that belongs to a layer of x. */
#define TN_NAMED(x, name)                                                                                              \
    do {                                                                                                               \
        if (!(name)) {                                                                                                 \
            tn_graph_fail(tn_graph_of(x), TN_EINVAL, "%s: %s is NULL", __func__, #name);                               \
            return x;                                                                                                  \
        }                                                                                                              \
    } while (0)

#endif
