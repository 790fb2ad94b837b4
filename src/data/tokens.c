/* tokens.c: samples that are whole numbers below a count, as a table's rows are numbered; bytes too are numbers then.
 */
#include <math.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "loader.h"
#include "plain.h"

#define MOST_TOKENS ((int64_t)1 << 24) /* f32 tells whole numbers below apart */

/* The first that is no token, or `values` if all are. */
static int64_t find_other(const float *x, int64_t values, int64_t count)
{
    int64_t i = 0;
    while (i < values && x[i] >= 0 && x[i] < (float)count && x[i] == floorf(x[i])) i++;
    return i;
}

static void describe(float value, int64_t count, char *text, size_t capacity)
{
    tn_snprintf(text, capacity, "has %g; tokens are whole numbers from 0 to %lld", (double)value, (long long)count - 1);
}

/* ---- in memory ---- */

static tn_status widen(tn_dataset *data)
{
    const int64_t values = data->count * tn_shape_count(&data->sample);
    const unsigned char *from = data->x;
    float *to = tn_alloc((size_t)values * sizeof *to + 1);
    if (!to) return TN_ENOMEM;
    for (int64_t i = 0; i < values; i++) to[i] = from[i];
    tn_free(data->x);
    data->x = to;
    return TN_OK;
}

static tn_status check(const tn_dataset *data, int64_t count)
{
    const int64_t each = tn_shape_count(&data->sample), values = data->count * each;
    const int64_t at = find_other(data->x, values, count);
    char text[120];
    if (at == values) return TN_OK;
    describe(((const float *)data->x)[at], count, text, sizeof text);
    return tn_fail(TN_EFORMAT, "%s: sample %lld %s", data->source ? data->source : "the data", (long long)(at / each),
                   text);
}

/* ---- as they are read ---- */

/* A source whose samples are another's. */
typedef struct tokens {
    tn_loader *from;
    int64_t values, count; /* of a sample; that there are */
    int bytes;
} tokens;

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    const tokens *t = arg;
    const unsigned char *byte = x;
    float *number = x;
    TN_TRY(tn_loader_fill(t->from, index, x, target, msg));
    for (int64_t i = t->bytes ? t->values : 0; i-- > 0;) number[i] = byte[i]; /* from the end: none is read too late */
    const int64_t at = find_other(number, t->values, t->count);
    if (at == t->values) return TN_OK;
    describe(number[at], t->count, msg->text, msg->capacity);
    return TN_EFORMAT;
}

static void close_tokens(void *arg)
{
    tokens *t = arg;
    tn_loader_free(t->from);
    tn_free(t);
}

static tn_status wrap(tn_dataset *data, int64_t count)
{
    tn_loader *loader = NULL;
    tokens *t = tn_alloc(sizeof *t);
    if (!t) return TN_ENOMEM;
    *t = (tokens){NULL, tn_shape_count(&data->sample), count, data->x_dtype == TN_U8};
    tn_status status = tn_loader_new(&(tn_source){fill, close_tokens, t}, &loader);
    if (status) {
        tn_free(t);
        return status;
    }
    t->from = data->loader;
    data->loader = loader;
    return TN_OK;
}

tn_status tn_dataset_tokens(tn_dataset *data, int64_t count)
{
    TN_GIVEN(data);
    TN_REQUIRE(count >= 1 && count <= MOST_TOKENS, TN_EINVAL, "there can be 1 to %lld tokens, not %lld",
               (long long)MOST_TOKENS, (long long)count);
    if (!data->count) return TN_OK;
    if (data->loader)
        TN_TRY(wrap(data, count));
    else if (data->x_dtype == TN_U8)
        TN_TRY(widen(data));
    data->x_dtype = TN_F32;
    return data->loader ? TN_OK : check(data, count);
}
