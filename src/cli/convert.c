/* convert.c: `tenon convert`: a saved model as an ONNX file, with what is done to its samples before the network, and
 * to its outputs after it. What comes as ONNX is converted in convert_onnx.c. */
#include "onnx.h"
#include "saved.h"

#include <string.h>
#include <strings.h>

static const char doc[] =
    "Writes a saved model as an ONNX file, which ONNX Runtime and others run. Its input takes samples as they are, "
    "before scaling; its outputs are what 'tenon predict' says. An ONNX file becomes a safetensors file, with the "
    "network in it, or is written anew as this program has it.";

/* ---- before the network ---- */

/* Numbers of a column each, as f64, of a sample's shape. */
static tn_tensor *numbers(tn_tensor *like, const double *value, tn_shape sample)
{
    return tn_constant(tn_graph_of(like), TN_F64, sample, value);
}

/* Rows of length 1, but for those of zeros. */
static tn_tensor *to_unit(tn_tensor *x)
{
    tn_tensor *power = tn_sum(tn_square(x), TN_AXES(1), 1);
    return tn_where(tn_gt(power, tn_number(power, 0)), tn_div(x, tn_sqrt(power)), x);
}

/* What is missing becomes the mean; then as cli_scaling_samples does, in double precision. */
static tn_tensor *scale(const tn_scaler *scaler, tn_tensor *x, tn_shape sample)
{
    tn_tensor *wide = tn_cast(x, TN_F64);
    tn_tensor *mean = tn_cast(tn_cast(numbers(wide, scaler->mean, sample), TN_F32), TN_F64);
    wide = tn_where(tn_isnan(wide), mean, wide);
    if (scaler->kind == TN_SCALE_UNIT) wide = to_unit(wide);
    if (scaler->centre) {
        wide = tn_sub(wide, numbers(wide, scaler->centre, sample));
        wide = tn_div(wide, numbers(wide, scaler->spread, sample));
        if (scaler->base != 0) wide = tn_add(wide, tn_number(wide, scaler->base));
    }
    return tn_cast(wide, TN_F32);
}

/* Of a sample as it is in the data: of numbers without the channel that these have not; pictures always have theirs. */
static tn_shape given_shape(const cli_model *model, int64_t batch)
{
    const int32_t from = model->no_channel && model->x_dtype != TN_U8;
    tn_shape shape = {model->sample.rank + 1 - from, {batch}};
    memcpy(&shape.dim[1], model->sample.dim + from, (size_t)(model->sample.rank - from) * sizeof *shape.dim);
    return shape;
}

static tn_tensor *samples(const cli_saved *saved, tn_tensor *x)
{
    const cli_model *model = &saved->model;
    const tn_shape s = tn_shape_of(x);
    if (s.rank == model->sample.rank) x = tn_reshape(x, TN_SHAPE(s.dim[0], 1, s.dim[1], s.dim[2]));
    if (model->x_dtype == TN_U8) x = tn_cast(x, TN_F32);
    if (saved->scaling.x.columns) x = scale(&saved->scaling.x, x, model->sample);
    return model->x_scale != 1 ? tn_mul(x, tn_number(x, model->x_scale)) : x;
}

/* ---- after it ---- */

static tn_tensor *unscale(const tn_scaler *scaler, tn_tensor *y)
{
    const tn_shape columns = TN_SHAPE(scaler->columns);
    if (!scaler->columns || !scaler->centre) return y;
    tn_tensor *wide = tn_cast(y, TN_F64);
    if (scaler->base != 0) wide = tn_sub(wide, tn_number(wide, scaler->base));
    wide = tn_mul(wide, numbers(wide, scaler->spread, columns));
    return tn_cast(tn_add(wide, numbers(wide, scaler->centre, columns)), TN_F32);
}

/* Of classes, the network's own output and, where the loss tells them, probabilities; else what is predicted. */
static void outputs(const cli_saved *saved, tn_tensor *y)
{
    const cli_model *model = &saved->model;
    tn_tensor *readable = tn_loss_readable(model->loss, y);
    if (model->classes) tn_output(y, "logits");
    if (model->classes && readable != y)
        tn_output(readable, cli_loss_tells_probabilities(model->loss) ? "probabilities" : "outputs");
    if (!model->classes) tn_output(unscale(&saved->scaling.y, readable), "outputs");
}

static tn_graph *build(const cli_saved *saved, int64_t batch)
{
    const tn_model network = cli_model_of(&saved->model, NULL);
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", saved->model.x_dtype, given_shape(&saved->model, batch));
    outputs(saved, network.build(samples(saved, x), 0, &saved->model));
    return graph;
}

/* ---- the file ---- */

static int write_file(const cli_saved *saved, tn_graph *graph, tn_graph *other, const char *path, int64_t opset)
{
    const cli_model *model = &saved->model;
    const tn_note all[] = {{"net", model->net},
                           {"loss", model->loss},
                           {"classes", model->class_names},
                           {"columns", model->column_names},
                           {"categories", model->categories},
                           {"targets", model->target_names}};
    tn_note notes[sizeof all / sizeof *all];
    tn_onnx_save_options options = {.opset = opset, .other = other, .name = "network", .notes = notes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value && *all[i].value) notes[options.n_notes++] = all[i];
    return tn_onnx_save(graph, saved->state, path, &options) ? cli_failed() : CLI_OK;
}

static int convert(cli_saved *saved, const char *path, int64_t opset)
{
    int status = cli_saved_load(saved);
    if (status != CLI_GO_ON) return status;
    tn_graph *graph = build(saved, 2), *other = build(saved, 3);
    status = write_file(saved, graph, other, path, opset);
    tn_graph_free(graph);
    tn_graph_free(other);
    return status;
}

static int convert_saved(const char *from, const char *to, int64_t opset)
{
    cli_saved saved = {0};
    int status = cli_saved_take(&saved, "convert", from, "reference");
    if (status == CLI_GO_ON) status = convert(&saved, to, opset);
    cli_saved_close(&saved);
    return status;
}

static int check_files(const char *from, const char *to, int is_network)
{
    const char *dot = strrchr(to, '.');
    if (cli_not_the_same(NULL, to, "the model", from)) return CLI_USAGE;
    if (!cli_onnx_is(to) && !(dot && is_network && !strcasecmp(dot, ".safetensors")))
        return cli_usage("%s: convert writes files that end in .onnx%s", to,
                         is_network ? " or .safetensors" : "; only what comes as ONNX becomes .safetensors");
    return cli_can_write("convert", to) ? CLI_FAILED : CLI_GO_ON;
}

int cli_convert(int argc, char **argv)
{
    int64_t opset = 18;
    int64_t most = 0;
    const char *shapes = NULL;
    cli_option options[] = {
        {CLI_WHOLE, "opset", "N", "the version of ONNX's operators, 18 to 23 (18)", &opset, 18, 23, 0, 0, 0, 0},
        {CLI_TEXT, "shape", "NAME=SHAPE,...", "of what comes as ONNX: sizes that it leaves open, but for the batch",
         &shapes, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "most", "N", "of what comes as ONNX: " CLI_ONNX_MOST, &most, 0, INT32_MAX, 0, 0, 0, 0},
        {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
    int count = 0;
    int status = cli_parse(&(cli_syntax){"convert", "MODEL FILE", doc, NULL, options}, argc, argv, &count);
    if (status == CLI_GO_ON && count != 2) status = cli_usage("convert needs a model and the file to write");
    const int is_network = status == CLI_GO_ON && cli_onnx_holds(argv[1]);
    if (status == CLI_GO_ON) status = check_files(argv[1], argv[2], is_network);
    if (status == CLI_GO_ON && is_network)
        status = cli_convert_onnx(argv[1], argv[2], opset, shapes, most);
    else if (status == CLI_GO_ON)
        status = convert_saved(argv[1], argv[2], opset);
    cli_options_free(options);
    return status;
}
