/* fit_options.c: see fit_options.h. */
#include "fit_options.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "given.h"
#include "loader.h"
#include "shard_graphs.h"

enum { USUAL_SHARDS = 8 }; /* of several workers */

static const char *optimizer_of(const tn_fit_options *options)
{
    return options->optimizer ? options->optimizer : "sgd";
}

/* The optimizer's usual learning rate where the options have none. */
double tn_fit_rate(const tn_fit_options *options)
{
    tn_optimizer_entry entry;
    if (options->optim.lr != 0) return options->optim.lr;
    for (size_t i = 0; tn_optimizer_at(i, &entry); i++)
        if (!strcmp(entry.name, optimizer_of(options))) return entry.lr;
    return 0;
}

int64_t tn_fit_batch(const tn_dataset *data, const tn_fit_options *options)
{
    return options->batch && options->batch < data->count ? options->batch : data->count;
}

uint32_t tn_usual_shards(int64_t batch, uint32_t workers)
{
    uint32_t shards = workers > 1 ? USUAL_SHARDS : 1;
    while (shards > 1 && batch % shards) shards--;
    return shards < workers ? 0 : shards;
}

static uint32_t workers_of(const tn_fit_options *options)
{
    return tn_team_size(options->team) + options->n_devices;
}

uint32_t tn_fit_shards(const tn_dataset *data, const tn_fit_options *options)
{
    if (options->shards) return options->shards;
    return tn_usual_shards(tn_fit_batch(data, options), workers_of(options));
}

static tn_status check_shards(const tn_dataset *data, const tn_fit_options *options)
{
    int64_t batch = tn_fit_batch(data, options), shards = tn_fit_shards(data, options),
            near = shards < batch ? shards : batch;
    uint32_t workers = workers_of(options);
    TN_REQUIRE(shards >= workers, TN_EINVAL,
               "fit: batches of %lld samples in %lld shards are too few for %u workers, of which each has one or more",
               (long long)batch, (long long)(shards ? shards : 1), workers);
    while (near > 1 && batch % near) near--;
    TN_REQUIRE(near == shards || !batch, TN_EINVAL,
               "fit: batches of %lld samples can't be cut into %lld equal shards, but into %lld", (long long)batch,
               (long long)shards, (long long)near);
    return TN_OK;
}

tn_status tn_fit_check_workers(const tn_fit_options *options)
{
    uint32_t workers = workers_of(options), i = 0;
    while (options->shares && i < workers && !options->shares[i]) i++;
    TN_REQUIRE(i < workers, TN_EINVAL, "fit: all shares are 0");
    for (uint32_t d = 0; d < options->n_devices; d++)
        TN_REQUIRE(options->devices && options->devices[d], TN_EINVAL, "fit: device %u of %u is NULL", d + 1,
                   options->n_devices);
    TN_REQUIRE(!options->n_devices || tn_team_size(options->team) < 2, TN_EINVAL,
               "fit: %u devices in each of %u processes: start a process for each device instead",
               options->n_devices + 1, tn_team_size(options->team));
    return TN_OK;
}

tn_batch_task *tn_fit_task(const tn_dataset *data, const tn_fit_options *options)
{
    return tn_fit_shards(data, options) > 1 ? tn_shard_task : tn_measure_batch;
}

static tn_status check_weights(const tn_dataset *data, const float *weight)
{
    float largest = 0;
    TN_REQUIRE(!weight || tn_target_dtype(data) == TN_I32, TN_EINVAL, "fit: class weights for data without classes");
    for (int64_t k = 0; weight && k < data->classes; k++) {
        TN_REQUIRE(weight[k] >= 0 && isfinite(weight[k]), TN_EINVAL, "fit: class %lld has the weight %g", (long long)k,
                   (double)weight[k]);
        largest = fmaxf(largest, weight[k]);
    }
    TN_REQUIRE(!weight || largest > 0, TN_EINVAL, "fit: all classes have the weight 0");
    return TN_OK;
}

tn_status tn_fit_check_options(const tn_measure *m)
{
    const tn_fit_options *options = m->options;
    tn_schedule schedule;
    TN_REQUIRE(options->epochs > 0, TN_EINVAL, "fit: %lld epochs", (long long)options->epochs);
    TN_REQUIRE(options->batch >= 0, TN_EINVAL, "fit: batches of %lld samples", (long long)options->batch);
    TN_TRY(check_shards(m->data, options));
    TN_TRY(tn_fit_check_workers(options));
    TN_REQUIRE(options->patience >= 0, TN_EINVAL, "fit: a patience of %lld epochs", (long long)options->patience);
    TN_TRY(check_weights(m->data, options->class_weights));
    if (options->schedule) TN_TRY(tn_schedule_parse(options->schedule, &schedule));
    return tn_measure_check(m);
}

tn_status tn_fit_check(const tn_model *model, const tn_dataset *data, const tn_fit_options *options)
{
    TN_GIVEN(model, data, options);
    tn_measure m = {model, data, options, "training"};
    TN_TRY(tn_fit_check_options(&m));
    int64_t batch = tn_fit_batch(data, options) / tn_fit_shards(data, options);
    tn_graph *graph = tn_batches_graph(data, batch, batch < data->count, tn_fit_task(data, options), &m);
    tn_status s = graph ? tn_graph_status(graph) : TN_ENOMEM;
    tn_graph_free(graph);
    return s;
}
