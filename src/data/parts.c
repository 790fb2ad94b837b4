/* parts.c: see parts.h. */
#include "parts.h"

#include <string.h>

#include "alloc.h"
#include "error.h"
#include "loader.h"

/* How many samples a class has, in room for one class more; NULL: no memory. *alone: those that are the only ones of
 * their class. */
static int64_t *count_classes(const tn_dataset *all, int64_t *alone)
{
    int64_t *of = tn_alloc(((size_t)all->classes + 1) * sizeof *of);
    for (int64_t i = 0; of && i < all->count; i++) {
        const int64_t so_far = ++of[all->label[i]];
        *alone += (so_far == 1) - (so_far == 2);
    }
    return of;
}

/* The order with the samples of each class side by side, and those that are alone in their class at the end. */
static tn_status sort_by_class(const tn_dataset *all, int32_t *order, int64_t *alone)
{
    int64_t *at = count_classes(all, alone), begin = 0, last = all->count - *alone;
    int32_t *was = tn_alloc((size_t)all->count * sizeof *was);
    if (at && was) memcpy(was, order, (size_t)all->count * sizeof *was);
    for (int64_t k = 0; at && was && k < all->classes; k++) {
        const int64_t has = at[k];
        at[k] = has == 1 ? last++ : begin;
        begin += has == 1 ? 0 : has;
    }
    for (int64_t i = 0; at && was && i < all->count; i++) order[at[all->label[was[i]]]++] = was[i];
    const tn_status status = at && was ? TN_OK : TN_ENOMEM;
    tn_free(at);
    tn_free(was);
    return status;
}

static int has_classes(const tn_dataset *all)
{
    if (tn_labels(all) > 1) return 0;
    for (int64_t i = 0; all->label && i < all->count; i++)
        if (all->label[i] < 0 || all->label[i] >= all->classes) return 0;
    return all->label != NULL;
}

/* So many of the first `from` of the order, at equal distances. */
static void take_evenly(const int32_t *order, int64_t from, int64_t taken, uint8_t *take)
{
    for (int64_t i = 0, sum = from / 2; i < from; i++) {
        sum += taken;
        take[order[i]] = sum >= from;
        if (sum >= from) sum -= from;
    }
}

tn_status tn_choose_share(const tn_dataset *all, int64_t taken, uint64_t seed, uint64_t draw, uint8_t *take)
{
    const int64_t count = all->count;
    int64_t alone = 0;
    int32_t *order = tn_alloc((size_t)count * sizeof *order);
    if (!order) return TN_ENOMEM;
    tn_shuffle(order, count, seed, draw);
    int by_class = has_classes(all);
    tn_status status = by_class ? sort_by_class(all, order, &alone) : TN_OK;
    if (2 * alone > count - taken) {
        by_class = 0;
        tn_shuffle(order, count, seed, draw);
    }
    if (by_class)
        take_evenly(order, count - alone, taken, take);
    else
        for (int64_t i = 0; i < taken; i++) take[order[i]] = 1;
    tn_free(order);
    return status;
}

tn_status tn_choose_fold(const tn_dataset *all, uint64_t seed, int64_t folds, int64_t fold, uint8_t *take)
{
    int64_t alone = 0;
    int32_t *order = tn_alloc((size_t)all->count * sizeof *order);
    if (!order) return TN_ENOMEM;
    tn_shuffle(order, all->count, seed, 0);
    tn_status status = has_classes(all) ? sort_by_class(all, order, &alone) : TN_OK;
    for (int64_t i = fold; i < all->count; i += folds) take[order[i]] = 1;
    tn_free(order);
    return status;
}
