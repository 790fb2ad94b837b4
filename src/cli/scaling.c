/* scaling.c: see scaling.h. */
#include "scaling.h"
#include "network.h"

static int kind_of(const char *name)
{
    return name ? tn_scale_kind(name) : TN_SCALE_NONE;
}

/* Whether the targets get a scale too. */
static int scales_targets(int kind, const cli_model *model)
{
    return model->targets && kind != TN_SCALE_NONE && kind != TN_SCALE_UNIT && cli_loss_of_errors(model->loss);
}

int cli_scaling_fit(cli_scaling *scaling, const char *kind, const cli_model *model, const tn_dataset *data)
{
    int number = kind_of(kind);
    if (number != TN_SCALE_NONE && cli_network_is_whole(model))
        return cli_usage("--scale %s: %s takes whole numbers, which have no scale", kind, model->onnx_path);
    if (data->x_dtype != TN_F32 && number != TN_SCALE_NONE)
        return cli_usage("--scale %s: the pictures of %s are scaled to 0..1 by themselves", kind, data->source);
    if (data->labels > 1 && number != TN_SCALE_NONE)
        return cli_usage("--scale %s: the bytes of a text, %s, have no scale", kind, data->source);
    if (data->x_dtype != TN_F32 || data->labels > 1) return CLI_GO_ON;
    if (tn_dataset_check_columns(data)) return cli_failed();
    if (tn_scaler_learn(&scaling->x, number, 0, 1, data)) return cli_failed();
    if (!scales_targets(number, model)) return CLI_GO_ON;
    return tn_scaler_fit(&scaling->y, number, 0, 1, data->target, data->count, data->targets)
               ? cli_fail("%s: %s", data->source, tn_message())
               : CLI_GO_ON;
}

/* ---- in files ---- */

tn_status cli_scaling_put(const cli_scaling *scaling, tn_state *state)
{
    tn_status status = scaling->x.columns ? tn_scaler_put(&scaling->x, state, "scale.x") : TN_OK;
    return !status && scaling->y.columns ? tn_scaler_put(&scaling->y, state, "scale.y") : status;
}

/* Files of before there was scaling have none. */
static tn_status read_one(tn_scaler *scaler, const tn_checkpoint *checkpoint, const char *name)
{
    tn_state_entry entry;
    return tn_checkpoint_find(checkpoint, name, &entry, NULL) ? tn_scaler_read(scaler, checkpoint, name) : TN_OK;
}

int cli_scaling_read(cli_scaling *scaling, const cli_model *model, const tn_checkpoint *checkpoint, const char *path)
{
    tn_status status = read_one(&scaling->x, checkpoint, "scale.x");
    if (!status) status = read_one(&scaling->y, checkpoint, "scale.y");
    if (status) return cli_fail("%s: %s", path, tn_message());
    if ((scaling->x.columns && scaling->x.columns != tn_shape_count(&model->sample)) ||
        (scaling->y.columns && scaling->y.columns != model->targets))
        return cli_fail("%s: its scaling does not fit its samples", path);
    return CLI_GO_ON;
}

void cli_scaling_free(cli_scaling *scaling)
{
    tn_scaler_free(&scaling->x);
    tn_scaler_free(&scaling->y);
}

/* ---- applying ---- */

void cli_scaling_samples(const cli_scaling *scaling, float *x, int64_t count)
{
    if (!scaling->x.columns) return;
    tn_scaler_fill(&scaling->x, x, count);
    tn_scaler_apply(&scaling->x, x, count);
}

int cli_scaling_data(const cli_scaling *scaling, tn_dataset *data)
{
    if (data->x_dtype == TN_F32 && scaling->x.columns && tn_dataset_scale(data, &scaling->x)) return cli_failed();
    if (scaling->y.columns && data->target) tn_scaler_apply(&scaling->y, data->target, data->count);
    return CLI_GO_ON;
}

tn_status cli_scaling_outputs(const cli_scaling *scaling, float *y, int64_t count)
{
    return scaling->y.columns ? tn_scaler_invert(&scaling->y, y, count) : TN_OK;
}
